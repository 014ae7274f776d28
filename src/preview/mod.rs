//! Messages as a phone would show them, as HTML: the bubbles of a page, with what WeCom would cut, refuse or not show marked by
//! the rules that sending checks. Rules are exact, pixels are not: nobody publishes those.
//!
//! `preview` makes a page of what a command would send; `page` writes it, and `bubble` one message, of whatever type. `html` escapes
//! all that is not a part of this program.

mod articles;
mod browser;
mod bubble;
mod card;
mod html;
mod markdown;
mod markdown_v1;
mod markdown_v2;
mod marks;
mod media;
mod mini_program;
mod page;
mod painter;
mod plain;
mod textcard;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::channel::{Channel, MsgType};
use crate::delivery::{Outcome, PreviewFinding, PreviewPage, Product};
use crate::error::{Error, Result, Status, hint_for};
use crate::input::MAX_SPOOLED;
use crate::message::Findings;
use crate::secret::Mask;
use crate::send::{ChannelMessages, Request, Session, UnsentMessage, channels_of, make_for_channels};

pub use bubble::{bubble, changed_card};
pub use painter::MessageFile;

use page::{PageMessage, Section};

/// The style sheet of bubbles, in light and dark.
pub const STYLE: &str = include_str!("bubble.css");

/// What a page is to show, and where it goes.
#[derive(Debug, Clone)]
pub struct PreviewRequest {
    /// The message; its channel does not count.
    pub message: Request,
    /// By which channels; none: by all that the settings have.
    pub channels: Vec<Channel>,
    /// The file of the page.
    pub to_file: Option<PathBuf>,
    /// Whether the browser is to show it.
    pub opens: bool,
}

/// Makes the page of a message that is not sent.
///
/// # Errors
///
/// As a dry run of the send, where no channel can have the message; exit 3 where the page cannot be written.
pub async fn preview(session: &mut Session<'_>, request: PreviewRequest) -> Result<Outcome> {
    let mut channels = Vec::new();
    for channel in if request.channels.is_empty() { channels_of(&session.settings) } else { request.channels } {
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    let made = Box::pin(make_for_channels(session, request.message, &channels)).await?;
    session.channel = None;
    let Some(made) = made else { return Ok(Outcome::new(Status::Skipped)) };
    if made.iter().all(|made| made.messages.is_err())
        && let Some(error) = made.iter().find_map(|made| made.messages.as_ref().err())
    {
        return Err(error.clone());
    }
    let mask = session.mask.clone();
    let findings = made.iter().flat_map(findings_of).collect();
    let sections: Vec<Section> = made.into_iter().map(|made| section(made, &mask)).collect();
    let html = page::write(&sections);
    let mut page = PreviewPage { html: None, file: None, findings };
    match (request.to_file, request.opens) {
        (Some(path), _) => {
            write_private(&path, &html).map_err(|error| unwritable(&path, &error))?;
            page.file = Some(path);
        }
        (None, true) => page.file = Some(in_temporary_file(&html)?),
        (None, false) => page.html = Some(html),
    }
    if let Some(path) = page.file.as_ref().filter(|_| request.opens)
        && let Err(why) = browser::open(path).await
    {
        session.warnings.push(format!("no browser shows the page: {why}; open {}", path.display()));
    }
    Ok(Outcome::with_product(Status::Ok, Product::Page(Box::new(page))))
}

/// Writes a file, readable by its owner alone where it is new.
fn write_private(path: &Path, html: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(html.as_bytes())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::config(
        format!("the page cannot be written to {}: {error}", path.display()),
        hint_for(error, "name a file in a folder that is there and may be written to"),
    )
}

/// A file that stays when the program ends: the browser reads it later.
fn in_temporary_file(html: &str) -> Result<PathBuf> {
    let file = tempfile::Builder::new().prefix("wecom-alert-preview-").suffix(".html").tempfile();
    let written = file.and_then(|mut file| {
        file.write_all(html.as_bytes())?;
        file.into_temp_path().keep().map_err(|error| error.error)
    });
    written.map_err(|error| unwritable(&std::env::temp_dir(), &error))
}

fn findings_of(made: &ChannelMessages) -> Vec<PreviewFinding> {
    let finding =
        |message, is_refused, problem: String| PreviewFinding { channel: made.channel, message, is_refused, problem };
    let messages = match &made.messages {
        Ok(messages) => messages,
        Err(error) => return vec![finding(None, true, error.message().to_owned())],
    };
    let warnings = made.warnings.iter().map(|warning| finding(None, false, warning.clone()));
    let of_messages = messages.iter().enumerate().flat_map(|(index, UnsentMessage { findings, body, .. })| {
        let errors = findings.errors.iter().map(|finding| (true, finding));
        let all = errors.chain(findings.warnings.iter().map(|finding| (false, finding)));
        let facts = bubble::painted(made.channel, body, &[], Findings::default()).facts;
        let all = all.map(|(is_refused, told)| (is_refused, told.to_string()));
        let all = all.chain(facts.into_iter().map(|fact| (false, fact.to_owned())));
        all.map(move |(is_refused, told)| (Some(index + 1), is_refused, told)).collect::<Vec<_>>()
    });
    warnings.chain(of_messages.map(|(message, is_refused, told)| finding(message, is_refused, told))).collect()
}

/// A section without secrets.
fn section(made: ChannelMessages, mask: &Mask) -> Section {
    let warnings = made.warnings.iter().map(|warning| mask.apply(warning)).collect();
    let (messages, error) = match made.messages {
        Ok(messages) => (messages.into_iter().map(|message| shown(message, mask)).collect(), None),
        Err(error) => (Vec::new(), Some(mask.apply(error.message()))),
    };
    Section { channel: made.channel, warnings, error, messages }
}

fn shown(message: UnsentMessage, mask: &Mask) -> PageMessage {
    let body = mask.apply_to_all(message.body.clone());
    let files = message.file.into_iter().map(|(kind, file)| {
        let is_picture = kind.msgtype() == MsgType::Image;
        let picture = is_picture.then(|| file.read_all(MAX_SPOOLED).ok()).flatten();
        let media_id = body.pointer(&format!("/{}/media_id", kind.as_str())).and_then(|id| id.as_str());
        MessageFile {
            media_id: media_id.unwrap_or_default().to_owned(),
            name: mask.apply(&crate::message::media::wire_filename(&file.name)),
            size: file.size,
            picture,
        }
    });
    let files = files.collect();
    let findings = without_secrets(message.findings, mask);
    PageMessage { files, body, calls: message.calls, findings }
}

fn without_secrets(mut findings: Findings, mask: &Mask) -> Findings {
    for finding in findings.errors.iter_mut().chain(&mut findings.warnings) {
        finding.path = mask.apply(&finding.path);
        finding.problem = mask.apply(&finding.problem);
    }
    findings
}
