//! Sends an alert with the library: `cargo run --example send -- 'disk full on web-3'`. Credentials come from the same config
//! file and variables as those of the program; here, those of a webhook. It ends with the exit codes of the program.

use std::process::ExitCode;

use wecom_alert::channel::Channel;
use wecom_alert::config::{Config, Environment, Lenience, Overrides};
use wecom_alert::delivery::Outcome;
use wecom_alert::error::Result;
use wecom_alert::event::Observer;
use wecom_alert::secret::Mask;
use wecom_alert::send::{Request, Session, send};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let text = std::env::args().nth(1).unwrap_or_else(|| "hello".to_owned());
    let outcome = alert(text).await.unwrap_or_else(Outcome::from);
    match &outcome.error {
        Some(error) => {
            eprintln!("{error}");
            error.hint().into_iter().for_each(|hint| eprintln!("hint: {hint}"));
        }
        None => println!("{}", outcome.status.as_str()),
    }
    ExitCode::from(outcome.exit_code())
}

async fn alert(text: String) -> Result<Outcome> {
    let environment = Environment::from_process();
    let config = Config::read(&Overrides::default(), &environment, Lenience::Send)?;
    let mut session = Session::new(&config, config.resolve()?, Mask::default(), Observer::new(|_| {}));
    send(&mut session, Request::text(Channel::Webhook, text)).await
}
