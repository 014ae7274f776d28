//! Sends an alert with the library: `cargo run --example send -- 'disk full on web-3'`. Credentials come from the same config
//! file and variables as those of the program; here, those of a webhook.

use wecom_alert::channel::Channel;
use wecom_alert::config::{Config, Environment, Overrides};
use wecom_alert::error::Result;
use wecom_alert::notice::Listener;
use wecom_alert::secret::Mask;
use wecom_alert::send::{Request, Session, send};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let text = std::env::args().nth(1).unwrap_or_else(|| "hello".to_owned());
    let environment = Environment::from_process();
    let config = Config::read(&Overrides::default(), &environment)?;
    let mut session = Session::new(&config, config.resolve()?, Mask::new(), Listener::new(|_| {}));
    let outcome = send(&mut session, Request::text(Channel::Webhook, text)).await?;
    println!("{}, exit code {}", outcome.status.as_str(), outcome.exit_code());
    Ok(())
}
