//! What a target is asked for besides messages: a media_id for a file, and an app's token.

use std::path::PathBuf;

use crate::channel::Channel;
use crate::delivery::{Outcome, Product};
use crate::error::{Result, Status};
use crate::input::Attachment;
use crate::message::media::{self, MediaKind};

use super::dry_run;
use super::session::Session;
use super::target::choose_channel;

/// A file to be uploaded.
#[derive(Debug, Clone)]
pub struct UploadRequest {
    /// `-` is stdin.
    pub file: PathBuf,
    /// Whose media it is; `None`: that of the channel which the profile has.
    pub channel: Option<Channel>,
    /// What it is; `None`: by its content.
    pub kind: Option<String>,
    /// The name to show.
    pub filename: Option<String>,
}

/// Uploads a file.
///
/// # Errors
///
/// Usage, where it breaks a rule; else what the upload failed of.
pub async fn upload_media(session: &mut Session<'_>, request: UploadRequest) -> Result<Outcome> {
    let channel = choose_channel(&session.settings, request.channel)?;
    session.channel = Some(channel);
    let no_validate = session.settings.no_validate;
    let reading = session.read_input(move |warnings| open(&request, channel, no_validate, warnings));
    let (kind, file) = reading.await?;
    let mut target = session.own_target(channel);
    if session.settings.dry_run {
        let outcome = dry_run::of_upload(&mut target, kind, &file).await;
        session.warnings.append(&mut target.warnings);
        return outcome;
    }
    let courier = target.courier(None).await;
    session.warnings.append(&mut target.warnings);
    let uploaded = courier?.upload(kind, &file).await?;
    let product = Product::Media { media_id: uploaded.media_id, kind: uploaded.kind, created_at: uploaded.created_at };
    Ok(Outcome { answer: Some(uploaded.answer), ..Outcome::with_product(Status::Ok, product) })
}

/// Gets a token of the app; `refresh` asks WeCom for one in any case.
///
/// # Errors
///
/// What `gettoken` failed of, or the settings that are missing.
pub async fn get_token(session: &mut Session<'_>, refresh: bool) -> Result<Outcome> {
    let mut target = session.own_target(Channel::App);
    session.channel = Some(target.channel);
    if session.settings.dry_run {
        let outcome = dry_run::of_token(&mut target).await;
        session.warnings.append(&mut target.warnings);
        return outcome;
    }
    let courier = target.courier(None).await;
    session.warnings.append(&mut target.warnings);
    let token = courier?.token(refresh).await?;
    let product =
        Product::Token { access_token: token.access_token, expires_in: token.expires_in, from_cache: token.from_cache };
    Ok(Outcome { answer: token.answer, ..Outcome::with_product(Status::Ok, product) })
}

fn open(
    request: &UploadRequest,
    channel: Channel,
    no_validate: bool,
    warnings: &mut Vec<String>,
) -> Result<(MediaKind, Attachment)> {
    let asked: Option<MediaKind> = request.kind.as_deref().map(str::parse).transpose()?;
    let file = Attachment::open(&request.file, request.filename.as_deref())?;
    let kind = asked.unwrap_or_else(|| media::default_kind(channel, file.head()));
    match media::check(channel, kind, file.head(), file.size()) {
        Err(error) if no_validate => warnings.push(error.message().to_owned()),
        checked => checked?,
    }
    Ok((kind, file))
}
