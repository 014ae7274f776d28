//! A stand-in for WeCom on loopback, to try scripts out: prints ready-to-paste variables and every message that arrives.
//! `cargo run --example sandbox -- --help` tells its switches.

mod aibot;
mod cards;
#[path = "../../tests/it/support/fake/mod.rs"]
mod fake;
mod orders;
mod page;
mod show;
mod switches;

use std::io::BufRead as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cards::{Cards, LaterPress};
use fake::{Builder, Event, FakeWecom, Outcome, Person};
use orders::Order;
use page::Page;
use show::say;
use switches::Switches;

/// The running sandbox. It lives as long as its process.
pub(crate) struct Sandbox {
    wecom: OnceLock<FakeWecom>,
    /// Where presses on the app's cards go.
    callback: Mutex<String>,
    cards: Cards,
    presses: Vec<LaterPress>,
    quiet: bool,
    page: Page,
}

impl Sandbox {
    /// The stand-in, as soon as it has started.
    fn wecom(&self) -> &FakeWecom {
        self.wecom.wait()
    }

    fn callback(&self) -> String {
        self.callback.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_callback(&self, url: &str) {
        url.clone_into(&mut self.callback.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Shows a request with what became of it.
    fn watch(self: &Arc<Self>, event: &Event) {
        let number = match &event.seen.outcome {
            Outcome::Arrived(arrived) => self.cards.add(arrived),
            Outcome::CardChanged(update) => self.cards.number_of(&update.task_id),
            _ => None,
        };
        show::event(event, self.quiet, number);
        self.page.show_event(self, event, number);
        if let (Outcome::Arrived(card), Some(number)) = (&event.seen.outcome, number) {
            self.presses.iter().for_each(|press| press.begin(self, number, card.payload()));
        }
    }

    /// Carries an order out and tells of it; gives what it told.
    fn order(&self, order: &Order) -> Result<String, String> {
        let told = order.carry_out(self);
        let (Ok(words) | Err(words)) = &told;
        self.tell(words);
        told
    }

    /// Says on the terminal and on the page what has happened.
    fn tell(&self, words: &str) {
        say(&format!("# {words}"));
        self.page.show_note(self, words);
    }
}

fn main() -> ExitCode {
    let switches = match Switches::read(std::env::args().skip(1)) {
        Ok(Some(switches)) => switches,
        Ok(None) => {
            say(switches::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&error),
    };
    // What waits in the outbox of the real program must not come here, and what waits here must not go to WeCom.
    let state_dir = tempfile::Builder::new().prefix("wecom-alert-sandbox-").tempdir();
    let state_dir = state_dir.map_err(|error| format!("cannot make a temporary folder: {error}"));
    match state_dir.and_then(|state_dir| Ok((start(&switches)?, state_dir.keep()))) {
        Ok((sandbox, state_dir)) => serve(&sandbox, &switches, &state_dir),
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("sandbox: {error}");
    ExitCode::from(2)
}

fn start(switches: &Switches) -> Result<Arc<Sandbox>, String> {
    let sandbox = Arc::new(Sandbox {
        wecom: OnceLock::new(),
        callback: Mutex::new(switches.callback.clone()),
        cards: Cards::default(),
        presses: switches.presses.clone(),
        quiet: switches.quiet,
        page: Page::new(&switches.prefix)?,
    });
    let (watching, serving) = (Arc::clone(&sandbox), Arc::clone(&sandbox));
    let mut builder = with_more_people(FakeWecom::builder().port(switches.port).prefix(&switches.prefix))
        .watch(move |event| watching.watch(event))
        .site(move |head, conn| serving.page.serve(&serving, head, conn));
    if switches.tls {
        builder = builder.tls(fake::tls::Certificate::Good);
    }
    if let Some(seconds) = switches.token_lifetime {
        builder = builder.token_lifetime_s(seconds);
    }
    let wecom = builder.try_start().map_err(|error| format!("cannot listen on port {}: {error}", switches.port))?;
    // Complaints are shown as they come; a sandbox does not end over them.
    wecom.expect_unexpected();
    if let Some(path) = &switches.ca_file {
        std::fs::write(path, wecom.ca_pem()).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let _ = sandbox.wecom.set(wecom);
    for order in &switches.orders {
        order.carry_out(&sandbox)?;
    }
    Ok(sandbox)
}

/// Two more departments, one below the other, a member in each, and another tag: a directory that is worth listing.
fn with_more_people(builder: Builder) -> Builder {
    let person = |userid: &str, name: &str, department, mobile: &str| Person {
        name: name.to_owned(),
        departments: vec![department],
        mobile: Some(mobile.to_owned()),
        mail: Some(format!("{userid}@example.com")),
        personal_mail: None,
        status: None,
    };
    builder
        .department(3, 1, "研发部")
        .department(4, 3, "后端组")
        .person("zhaoliu", person("zhaoliu", "赵六", 3, "13800000003"))
        .person("sunqi", person("sunqi", "孙七", 4, "13800000004"))
        .tag(2, "二线", &["zhaoliu"], &[4])
}

/// Goes on until it is stopped from outside, also after the end of standard input.
fn serve(sandbox: &Arc<Sandbox>, switches: &Switches, state_dir: &Path) -> ExitCode {
    show::variables(sandbox.wecom(), switches.ca_file.as_deref(), state_dir, &switches.callback);
    if let Some(seconds) = switches.expire_every {
        let sandbox = Arc::clone(sandbox);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(seconds));
                let _ = sandbox.order(&Order::Expire);
            }
        });
    }
    for (mishap, after) in switches.mishaps.iter().copied() {
        let sandbox = Arc::clone(sandbox);
        std::thread::spawn(move || {
            std::thread::sleep(after);
            let _ = sandbox.order(&Order::Aibot(mishap));
        });
    }
    for line in std::io::stdin().lock().lines().map_while(Result::ok).filter(|line| !line.trim().is_empty()) {
        match line.parse::<Order>() {
            Ok(order) => drop(sandbox.order(&order)),
            Err(error) => say(&format!("# {error}")),
        }
    }
    loop {
        std::thread::park();
    }
}
