//! `recall`: messages of the app are taken back, one call for each msgid, in order.

use std::path::Path;

use crate::api::{Client, RECALL, endpoint, recall_body};
use crate::channel::Channel;
use crate::delivery::{Outcome, PlannedRequest, Product, Purpose, Receipt};
use crate::error::{Error, Result, Status};
use crate::input::{Encoding, is_stdin, read_data};
use crate::message::PartKind;
use crate::message::recipients::ids;
use crate::sanitize::excerpt;
use crate::send::{Session, plan_requests};

/// Takes messages back. `given` has the msgids, several in a word too; `-` reads them from stdin.
///
/// A msgid that WeCom refuses does not stop the others; any other failure does.
///
/// # Errors
///
/// Usage without a msgid; else what kept the first call from being made. What became of each is in the outcome.
pub async fn recall(session: &mut Session<'_>, given: Vec<String>) -> Result<Outcome> {
    let (target, (msgids, has_null)) = session.read_input(Channel::App, move |_| read_msgids(&given)).await?;
    if has_null {
        session.warnings.push(
            "null is not a msgid, and is left out: of a send take .parts[].msgids[], which has none where a part was not sent"
                .to_owned(),
        );
    }
    if session.settings.dry_run {
        return plan_requests(session, target, |client| msgids.iter().map(|id| plan(client, id)).collect()).await;
    }
    let mut courier = session.own_courier(target).await?;
    let mut ended: Vec<Result<Receipt>> = Vec::new();
    for msgid in &msgids {
        let recalled = courier
            .ask(RECALL, Purpose::Repeatable, async |client, token| client.recall(token, msgid).await)
            .await
            .map(|answer| Receipt::new(PartKind::Message, Status::Ok, Some(answer)));
        let goes_on = recalled.as_ref().err().is_none_or(|error| error.status() == Status::Refused);
        ended.push(recalled);
        if !goes_on {
            break;
        }
    }
    Ok(outcome(&msgids, &ended))
}

/// The msgids, each once and in the order given, and whether `null` was among them: what jq prints for a part that has none.
fn read_msgids(given: &[String]) -> Result<(Vec<String>, bool)> {
    let mut msgids: Vec<String> = Vec::new();
    let mut has_null = false;
    for word in given {
        let read = match Path::new(word) {
            path if is_stdin(path) => read_data(path, Encoding::default())?.text,
            _ => word.clone(),
        };
        if read.trim_start().starts_with(['{', '[']) {
            return Err(Error::usage(
                "this is JSON, not msgids",
                "take them out of it: jq -r '.parts[].msgids[]' FILE | wecom-alert recall - (of a log: jq -r '.msgids[]')",
            ));
        }
        for id in read.split_whitespace().flat_map(ids).filter(|id| !id.is_empty()) {
            if id == "null" {
                has_null = true;
            } else if !id.chars().all(|c| c.is_ascii_graphic() && !"{}[]<>:\"".contains(c)) {
                return Err(Error::usage(
                    format!("{:?} is not a msgid", excerpt(id, 40)),
                    "give msgids and nothing else",
                ));
            } else if !msgids.iter().any(|known| known == id) {
                msgids.push(id.to_owned());
            }
        }
    }
    if msgids.is_empty() {
        return Err(Error::usage(
            "there is no msgid",
            "app-send gives them with --output json and in --log-file; messages to webhooks and group chats have none, and \
             cannot be recalled",
        ));
    }
    Ok((msgids, has_null))
}

fn plan(client: &Client, msgid: &str) -> PlannedRequest {
    PlannedRequest { method: "POST", path: client.path(&endpoint(RECALL)), body: recall_body(msgid) }
}

/// The outcome of the calls that were made, of which the last one may have stopped the rest.
fn outcome(msgids: &[String], ended: &[Result<Receipt>]) -> Outcome {
    let receipt = |(at, msgid): (usize, &String)| {
        let receipt = match ended.get(at) {
            Some(Ok(receipt)) => receipt.clone(),
            Some(Err(error)) => Receipt::new(PartKind::Message, error.status(), error.answer().cloned()),
            None => Receipt::new(PartKind::Message, Status::Skipped, None),
        };
        Receipt { msgids: vec![msgid.clone()], ..receipt }
    };
    let parts = msgids.iter().enumerate().map(receipt).collect();
    let Some(last) = ended.iter().rev().find_map(|ended| ended.as_ref().err()) else {
        let done = match msgids.len() {
            1 => "recalled; a copy in the WeChat plugin stays".to_owned(),
            several => format!("{several} messages recalled; copies in the WeChat plugin stay"),
        };
        let answer = ended.last().and_then(|ended| ended.as_ref().ok()?.answer.clone());
        return Outcome { parts, answer, ..Outcome::with_product(Status::Ok, Product::Done(done)) };
    };
    let recalled = ended.iter().filter(|ended| ended.is_ok()).count();
    let status = if recalled == 0 { last.status() } else { Status::Partial };
    let error = last.about(status, told(msgids, ended, recalled));
    Outcome { parts, ..Outcome::from(error) }
}

/// `1 of 3 messages recalled; not recalled: ID (WeCom answered …), ID (not tried)`.
fn told(msgids: &[String], ended: &[Result<Receipt>], recalled: usize) -> String {
    let failed = msgids.iter().enumerate().filter_map(|(at, msgid)| match ended.get(at) {
        Some(Ok(_)) => None,
        Some(Err(error)) => Some(format!("{msgid} ({error})")),
        None => Some(format!("{msgid} (not tried)")),
    });
    let failed = failed.collect::<Vec<_>>().join(", ");
    match recalled {
        0 => format!("not recalled: {failed}"),
        some => format!("{some} of {} messages recalled; not recalled: {failed}", msgids.len()),
    }
}
