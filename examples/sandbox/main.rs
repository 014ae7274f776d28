//! A stand-in for WeCom on loopback, to try scripts out: prints ready-to-paste variables and every message that arrives.
//! `cargo run --example sandbox -- --help` tells its switches.

mod aibot;
mod cards;
#[path = "../../tests/it/support/fake/mod.rs"]
mod fake;
mod orders;
mod show;
mod switches;

use std::io::BufRead as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use fake::{Builder, FakeWecom, Outcome, Person};
use orders::Order;
use show::say;
use switches::Switches;

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
        Ok((wecom, state_dir)) => serve(&wecom, &switches, &state_dir),
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("sandbox: {error}");
    ExitCode::from(2)
}

fn start(switches: &Switches) -> Result<Arc<FakeWecom>, String> {
    let (quiet, presses, callback) = (switches.quiet, switches.presses.clone(), switches.callback.clone());
    let started: Arc<OnceLock<Weak<FakeWecom>>> = Arc::default();
    let running = Arc::clone(&started);
    let mut builder = with_more_people(FakeWecom::builder().port(switches.port).prefix(&switches.prefix));
    builder = builder.watch(move |event| {
        let wecom = running.get().and_then(Weak::upgrade);
        let number = wecom.as_ref().and_then(|wecom| match &event.seen.outcome {
            Outcome::Arrived(arrived) => cards::number_of_arrived(wecom, arrived),
            Outcome::CardChanged(update) => cards::number_of(wecom, &update.task_id),
            _ => None,
        });
        show::event(event, quiet, number);
        if let (Outcome::Arrived(card), Some(number), Some(wecom)) = (&event.seen.outcome, number, wecom) {
            presses.iter().for_each(|press| press.begin(&wecom, &callback, number, card.payload()));
        }
    });
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
    for order in &switches.orders {
        order.carry_out(&wecom, &switches.callback);
    }
    let wecom = Arc::new(wecom);
    let _ = started.set(Arc::downgrade(&wecom));
    Ok(wecom)
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
fn serve(wecom: &Arc<FakeWecom>, switches: &Switches, state_dir: &Path) -> ExitCode {
    show::variables(wecom, switches.ca_file.as_deref(), state_dir, &switches.callback);
    if let Some(seconds) = switches.expire_every {
        let wecom = Arc::clone(wecom);
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(seconds));
                Order::Expire.carry_out(&wecom, "");
                say("# all tokens are out of date now");
            }
        });
    }
    for (mishap, after) in switches.mishaps.iter().copied() {
        let wecom = Arc::clone(wecom);
        std::thread::spawn(move || {
            std::thread::sleep(after);
            mishap.carry_out(&wecom);
            say(&format!("# {}", mishap.describe()));
        });
    }
    for line in std::io::stdin().lock().lines().map_while(Result::ok).filter(|line| !line.trim().is_empty()) {
        match line.parse::<Order>() {
            Ok(order) => say(&format!("# {}", order.carry_out(wecom, &switches.callback))),
            Err(error) => say(&format!("# {error}")),
        }
    }
    loop {
        std::thread::park();
    }
}
