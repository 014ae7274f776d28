//! What is said when SIGINT or SIGTERM has stopped a command: what had been delivered.

use wecom_alert::delivery::{Ledger, Outcome};
use wecom_alert::error::{Error, Signal, Status};

/// The outcome of a command that a signal stopped; `sends` tells whether one message is what it is there for.
/// `is_final`, that what may have arrived is not sent again.
pub(crate) fn interrupted(signal: Signal, sends: bool, is_final: bool, ledger: &Ledger) -> Outcome {
    let name = match signal {
        Signal::Interrupt => "SIGINT",
        Signal::Terminate => "SIGTERM",
    };
    let mut outcome = Outcome::new(Status::Interrupted(signal));
    ledger.close_all(&mut outcome);
    let delivered = outcome.parts.iter().filter(|part| matches!(part.status, Status::Sent | Status::Partial)).count();
    let what = match delivered {
        0 if ledger.is_begun() => "some of those whom it is for had got it".to_owned(),
        0 if ledger.is_open() => "the request was under way, no answer had come".to_owned(),
        0 if outcome.attempts > 0 => "nothing had been delivered".to_owned(),
        0 => "nothing had been sent".to_owned(),
        _ if sends && delivered >= ledger.expected() => "the message had been delivered".to_owned(),
        _ => format!("{delivered} of {} parts had been delivered", ledger.expected()),
    };
    let hint = match delivered {
        _ if !sends => "run it again",
        0 if ledger.is_begun() => "the others have not: send it again to them",
        _ if ledger.is_open() => "the message may have arrived: look before you send it again",
        0 => "send it again",
        _ if delivered >= ledger.expected() => "nothing is left to do",
        _ => "send the rest again",
    };
    let mut error = Error::new(outcome.status, format!("stopped by {name}: {what}")).with_hint(hint);
    if let Some(id) = &outcome.outbox_id {
        let then = match is_final && ledger.is_open() {
            true => "it may have arrived, and is not sent again: see wecom-alert outbox list after the next flush",
            false => "it goes out with the next send that uses the outbox, or with: wecom-alert outbox flush",
        };
        error =
            error.with_message(format!("stopped by {name}: {what}; it waits in the outbox as {id}")).with_hint(then);
    }
    outcome.error = Some(error);
    outcome
}

#[cfg(test)]
mod tests {
    use wecom_alert::delivery::{PartKind, Receipt};

    use super::*;

    fn told(sends: bool, ledger: &Ledger) -> (String, String) {
        let outcome = interrupted(Signal::Terminate, sends, false, ledger);
        assert_eq!(outcome.exit_code(), 143);
        let error = outcome.error.unwrap();
        (error.message().to_owned(), error.hint().unwrap().to_owned())
    }

    #[test]
    fn what_had_been_delivered() {
        let ledger = Ledger::default();
        let nothing = "stopped by SIGTERM: nothing had been sent".to_owned();
        assert_eq!(told(true, &ledger), (nothing.clone(), "send it again".to_owned()));
        assert_eq!(told(false, &ledger), (nothing, "run it again".to_owned()));
        ledger.count_attempt();
        assert!(told(true, &ledger).0.ends_with("the request was under way, no answer had come"));
        ledger.settle_attempt();
        assert!(told(true, &ledger).0.ends_with("nothing had been delivered"));
        ledger.keep(Receipt::new(PartKind::Message, Status::Refused, None));
        assert!(told(true, &ledger).0.ends_with("nothing had been delivered"));
        ledger.count_attempt();
        ledger.keep(Receipt::new(PartKind::Message, Status::Unknown, None));
        assert!(told(true, &ledger).1.contains("may have arrived"));
        for status in [Status::Sent, Status::Partial] {
            let ledger = Ledger::default();
            ledger.count_attempt();
            ledger.keep(Receipt::new(PartKind::Message, status, None));
            assert!(told(true, &ledger).0.ends_with("the message had been delivered"), "{status:?}");
        }
    }
}
