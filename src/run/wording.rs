//! What an alert says of a command that has been run.

use crate::alert::{Alert, Field, Level};
use crate::process::{Force, How, Kept, signal_name};

use crate::clock;
use crate::input::{Encoding, is_blank, read_text_from};
use crate::secret::Mask;

use super::change::News;
use super::{Fate, Ran};

/// The alert: what it was, how it ended, and what it said last. Known secrets are masked.
pub(super) fn alert(ran: &Ran, news: Option<News>, encoding: Encoding, mask: &Mask) -> Alert {
    let fields =
        fields(ran, news).into_iter().map(|(key, value)| Field { key: key.to_owned(), value: mask.apply(&value) });
    Alert {
        title: Some(mask.apply(&title(ran, news))),
        level: Some(if ran.failed() { Level::Critical } else { Level::Ok }),
        fields: fields.collect(),
        body: body(&ran.tail, encoding).map(|body| mask.apply(&body)),
        ..Alert::default()
    }
}

/// `backup failed: exit code 3`.
pub(super) fn title(ran: &Ran, news: Option<News>) -> String {
    let name = &ran.name;
    match (&ran.fate, news) {
        (Fate::Ended(How::Exit(0)), Some(News::Recovered { .. })) => format!("{name} recovered"),
        (Fate::Ended(How::Exit(0)), _) => format!("{name} succeeded"),
        (Fate::Ended(How::Exit(code)), _) => format!("{name} failed: exit code {code}"),
        (Fate::Ended(How::Signal(number)), _) => format!("{name} killed by {}", signal_name(*number)),
        (Fate::Ended(How::TimedOut { limit, .. }), _) => format!("{name} timed out after {}", clock::elapsed(*limit)),
        (Fate::Ended(How::Unknown(_)), _) => format!("{name} ended, and it is not known how"),
        (Fate::NotStarted { .. }, _) => format!("{name} could not be started"),
    }
}

fn fields(ran: &Ran, news: Option<News>) -> Vec<(&'static str, String)> {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let mut fields = vec![("host", host), ("command", ran.command.clone())];
    match &ran.fate {
        Fate::Ended(How::Exit(code)) => fields.push(("exit code", code.to_string())),
        Fate::Ended(How::Signal(number)) => fields.push(("signal", signal_name(*number))),
        Fate::Ended(How::TimedOut { force, .. }) => fields.push(match force {
            Force::Asked => ("ended by", "SIGTERM".to_owned()),
            Force::Killed => ("ended by", "SIGKILL".to_owned()),
            Force::InVain(id) => ("error", runs_on(*id)),
        }),
        Fate::Ended(How::Unknown(why)) | Fate::NotStarted { why, .. } => fields.push(("error", why.clone())),
    }
    if matches!(ran.fate, Fate::Ended(_)) {
        fields.push(("duration", clock::elapsed(ran.duration)));
    }
    fields.push(("started", clock::date(ran.started)));
    if let Some(News::Recovered { since }) = news {
        fields.push(("failed since", clock::date(since)));
    }
    fields
}

/// That the time limit could not end it.
pub(super) fn runs_on(id: u32) -> String {
    format!("it could not be ended, and runs on as process {id}")
}

/// The end of the output; `None` if there is nothing to be seen in it.
fn body(tail: &Kept, encoding: Encoding) -> Option<String> {
    // What is broken in it is the command's own matter: no warning.
    let text = read_text_from(&tail.text[..], "the output", encoding).ok()?.text;
    if is_blank(&text) {
        return None;
    }
    let Kept { lines, dropped, .. } = tail;
    Some(if *dropped == 0 { text } else { format!("[last {lines} of {} lines]\n{text}", lines + dropped) })
}
