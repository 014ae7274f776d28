//! One alert to its targets: read, made into messages, stored if that is wanted, and delivered to the command's own target,
//! to those that get it as well, and to the one that stands in.
//!
//! What is rare, or large, stands in a box of its own: a future is as large as the largest of those that it waits for, and
//! is copied where it is made.

mod build_alert;
mod combine;
mod draft;
mod dry_run;
mod fan_out;
mod files;
mod long_text;
mod mention;
mod msgtype;
mod parts;
mod payload;
mod read;
mod request;
mod session;
mod source;
mod target;
mod target_message;
mod upload;

use crate::delivery::Outcome;
use crate::error::{Result, Status};
use crate::fingerprint::sha256;

pub(crate) use dry_run::plan_message;
pub(crate) use fan_out::is_through;
pub(crate) use long_text::host;
pub use request::{AlertFields, Given, MessageInput, Request};
pub use session::{Said, Session};
pub(crate) use target::{Login, Target, choose_channel, only_channel};
pub(crate) use target_message::{agent_id, rehearse as rehearse_storing};
pub use upload::{UploadRequest, get_token, upload_media};

use fan_out::FanOut;
use parts::make;
use read::read;

/// Sends a message to the command's own target, to those that get it as well, and to the one that stands in.
///
/// # Errors
///
/// Usage, where the request breaks a rule; exit 3, where settings or files cannot be used. Whatever WeCom or the network
/// says stands in the outcome.
pub async fn send(session: &mut Session<'_>, request: Request) -> Result<Outcome> {
    let channel = request.channel;
    let ci = session.ci_context(request.alert.ci.as_deref())?;
    session.channel = Some(channel);
    let settings = session.settings.clone();
    let reading = session.read_input(move |warnings| {
        let Some(draft) = read(&request, &settings, ci.as_ref(), warnings)? else { return Ok(None) };
        let parts = make(&draft, channel, &settings, None, warnings)?;
        Ok(Some((draft, parts)))
    });
    let Some((draft, parts)) = reading.await? else { return Ok(Outcome::new(Status::Skipped)) };
    if session.settings.log_file.is_some() {
        let text = draft.text().map(|text| (text.len(), sha256(text.as_bytes())));
        session.said = Some(Said { msgtype: draft.type_name().to_owned(), text });
    }
    if session.settings.dry_run {
        return Box::pin(dry_run::of_message(session, channel, &draft, &parts)).await;
    }
    // Nobody learns otherwise that nobody would stand in, until it is too late.
    if let Some(name) = &session.settings.fallback
        && let Err(error) = session.further_target(name, "--fallback")
    {
        session.warnings.push(format!("the fallback cannot be used: {error}"));
    }
    let fan_out = Box::pin(FanOut::prepare(session, channel, &draft, parts)).await?;
    Box::pin(fan_out.go(session, &draft)).await
}

/// Makes a message that nobody gets, to find out whether it can be made.
///
/// # Errors
///
/// As [`send`].
pub(crate) fn rehearse(session: &Session<'_>, request: &Request) -> Result<()> {
    let mut warnings = Vec::new();
    if let Some(draft) = read(request, &session.settings, None, &mut warnings)? {
        make(&draft, request.channel, &session.settings, None, &mut warnings)?;
    }
    Ok(())
}
