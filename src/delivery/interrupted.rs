//! What is said when SIGINT or SIGTERM has stopped a command: what had been delivered. Pure.

use super::account::Accounts;
use super::outcome::Outcome;
use crate::error::{Error, Signal, Status};

/// The outcome of a command that a signal stopped; `sends` tells whether one message is what it is there for.
/// `is_final`, that what may have arrived is not sent again.
pub fn interrupted(signal: Signal, sends: bool, is_final: bool, accounts: &Accounts) -> Outcome {
    let name = match signal {
        Signal::Interrupt => "SIGINT",
        Signal::Terminate => "SIGTERM",
    };
    let mut outcome = Outcome::new(Status::Interrupted(signal));
    accounts.close_all(&mut outcome);
    let delivered = outcome.parts.iter().filter(|part| matches!(part.status, Status::Sent | Status::Partial)).count();
    let what = match delivered {
        0 if accounts.is_begun() => "some of those whom it is for had got it".to_owned(),
        0 if accounts.is_open() => "the request was under way, no answer had come".to_owned(),
        0 if outcome.attempts > 0 => "nothing had been delivered".to_owned(),
        0 => "nothing had been sent".to_owned(),
        _ if sends && delivered >= accounts.expected() => "the message had been delivered".to_owned(),
        _ => format!("{delivered} of {} parts had been delivered", accounts.expected()),
    };
    let hint = match delivered {
        _ if !sends => "run it again",
        0 if accounts.is_begun() => "the others have not: send it again to them",
        _ if accounts.is_open() => "the message may have arrived: look before you send it again",
        0 => "send it again",
        _ if delivered >= accounts.expected() => "nothing is left to do",
        _ => "send the rest again",
    };
    let mut error = Error::new(outcome.status, format!("stopped by {name}: {what}")).with_hint(hint);
    if let Some(id) = &outcome.outbox_id {
        let then = match is_final && accounts.is_open() {
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
    use serde_json::{Map, json};

    use super::*;
    use crate::api::Reply;
    use crate::channel::Channel;
    use crate::delivery::Account;
    use crate::delivery::failed::Failed;
    use crate::error::Answer;
    use crate::message::Part;

    fn told(sends: bool, accounts: &Accounts) -> (String, String) {
        let outcome = interrupted(Signal::Terminate, sends, false, accounts);
        assert_eq!(outcome.exit_code(), 143);
        let error = outcome.error.unwrap();
        (error.message().to_owned(), error.hint().unwrap().to_owned())
    }

    fn account(accounts: &Accounts, parts: usize) -> Account {
        let mut account = accounts.open(None, Channel::Webhook);
        account.expect(&vec![Part::message(json!({ "msgtype": "text" })); parts]);
        account
    }

    fn reply(invaliduser: &str) -> Reply {
        let mut fields = Map::new();
        fields.insert("invaliduser".to_owned(), json!(invaliduser));
        Reply { answer: Answer { errcode: 0, errmsg: "ok".to_owned() }, fields }
    }

    #[tokio::test]
    async fn what_had_been_delivered() {
        let accounts = Accounts::default();
        let nothing = "stopped by SIGTERM: nothing had been sent".to_owned();
        assert_eq!(told(true, &accounts), (nothing.clone(), "send it again".to_owned()));
        assert_eq!(told(false, &accounts), (nothing, "run it again".to_owned()));
        let mut two = account(&accounts, 2);
        two.begin(0).await;
        assert!(told(true, &accounts).0.ends_with("the request was under way, no answer had come"));
        two.end(0).await;
        assert!(told(true, &accounts).0.ends_with("nothing had been delivered"));
        two.failed(0, Failed::before(Error::new(Status::Refused, "no")));
        two.close(0);
        assert!(told(true, &accounts).0.ends_with("nothing had been delivered"));
        two.begin(1).await;
        two.failed(1, Failed::before(Error::new(Status::Unknown, "no answer")));
        two.close(1);
        assert!(told(true, &accounts).1.contains("may have arrived"));
        for invaliduser in ["", "lisi"] {
            let accounts = Accounts::default();
            let mut one = account(&accounts, 1);
            one.begin(0).await;
            one.arrived(0, &reply(invaliduser), &json!({}));
            assert!(told(true, &accounts).0.ends_with("some of those whom it is for had got it"));
            one.close(0);
            assert!(told(true, &accounts).0.ends_with("the message had been delivered"), "{invaliduser}");
        }
    }
}
