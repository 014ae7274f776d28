//! `upload-media`: a file in, a media_id out.

use wecom_alert::delivery::{Outcome, Product};
use wecom_alert::error::{Result, Status};
use wecom_alert::input::Attachment;
use wecom_alert::message::Route;
use wecom_alert::message::media::{self, MediaKind};

use super::args::UploadMediaArgs;
use super::further::choose_route;
use super::session::Session;
use super::{dry_run, read_input};

/// Uploads a file.
pub(crate) async fn upload_media(session: &mut Session<'_>, args: UploadMediaArgs) -> Result<Outcome> {
    let route = choose_route(&session.settings, args.route.as_deref())?;
    session.route = Some(route);
    let no_validate = session.settings.no_validate;
    let (kind, file) = read_input(session, move |warnings| open(&args, route, no_validate, warnings)).await?;
    if session.settings.dry_run {
        return dry_run::of_upload(session, route, kind, &file).await;
    }
    let uploaded = match route {
        Route::App => {
            let login = session.app_login(None).await?;
            let client = session.app_client();
            session.app_delivery(&client, login).upload(kind, &file).await?
        }
        Route::Webhook => {
            let login = session.webhook_login().await?;
            let client = session.webhook_client(&login);
            session.webhook_delivery(&client, login).upload(kind, &file).await?
        }
    };
    let product = Product::Media { media_id: uploaded.media_id, kind: uploaded.kind, created_at: uploaded.created_at };
    Ok(Outcome { answer: Some(uploaded.answer), ..Outcome::with_product(Status::Ok, product) })
}

fn open(
    args: &UploadMediaArgs,
    route: Route,
    no_validate: bool,
    warnings: &mut Vec<String>,
) -> Result<(MediaKind, Attachment)> {
    let asked: Option<MediaKind> = args.kind.as_deref().map(str::parse).transpose()?;
    let file = Attachment::open(&args.file, args.filename.as_deref())?;
    let kind = asked.unwrap_or_else(|| media::default_kind(route, file.head()));
    match media::check(route, kind, file.head(), file.size()) {
        Err(error) if no_validate => warnings.push(error.message().to_owned()),
        checked => checked?,
    }
    Ok((kind, file))
}
