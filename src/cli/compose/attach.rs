//! Files behind a message, each a part of its own, and the rules for files.

use wecom_alert::config::Settings;
use wecom_alert::delivery::Shipment;
use wecom_alert::error::{Error, Result};
use wecom_alert::input::{Attachment, MAX_SPOOLED};
use wecom_alert::message::Route;
use wecom_alert::message::media::{self, MediaKind};
use wecom_alert::message::webhook::Image;

use super::shipment::{attachment, body, pending_media};
use crate::cli::args::ContentArgs;

/// Opens the files to send behind the message. The first of the names given may be that of the message's own file.
pub(super) fn open_all(args: &ContentArgs, names_used: usize) -> Result<Vec<Attachment>> {
    let names = args.alert.filename.iter().skip(names_used).map(Some).chain(std::iter::repeat(None));
    let files = args.alert.attach.iter().zip(names);
    files.map(|(path, name)| Attachment::open(path, name.map(String::as_str))).collect()
}

/// The part that a file becomes: a picture where the route takes it as one, else a file.
pub(super) fn part(file: &Attachment, route: Route) -> Result<Shipment> {
    match kind_of(file, route) {
        MediaKind::Image if route == Route::Webhook => {
            // A webhook's picture stands in the body itself.
            let image = Image::from_bytes(&file.read_all(MAX_SPOOLED)?);
            Ok(attachment(body("image", &image)?, &media::wire_filename(file.name()), None))
        }
        kind => by_upload(kind, file.clone()),
    }
}

/// A part that is uploaded first.
pub(super) fn by_upload(kind: MediaKind, file: Attachment) -> Result<Shipment> {
    let name = media::wire_filename(file.name());
    Ok(attachment(body(kind.as_str(), &pending_media())?, &name, Some((kind, file))))
}

/// Holds the files behind a message against the rules of the route.
pub(super) fn check_all(
    files: &[Attachment],
    route: Route,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<()> {
    files.iter().try_for_each(|file| {
        check_file(kind_of(file, route), file, route, settings, warnings)
            .map_err(|error| error.clone().with_message(format!("--attach {:?}: {}", file.name(), error.message())))
    })
}

/// Holds a file against the rules of the route.
pub(super) fn check_file(
    kind: MediaKind,
    file: &Attachment,
    route: Route,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let checked = match (kind, route) {
        (MediaKind::Image, Route::Webhook) => media::check_webhook_image(file.head(), file.size()),
        _ => media::check(route, kind, file.head(), file.size()),
    };
    settle(checked, settings, warnings)?;
    let checked = if route == Route::App { refuse_unsafe_format(kind, file.name(), settings) } else { Ok(()) };
    settle(checked, settings, warnings)
}

fn kind_of(file: &Attachment, route: Route) -> MediaKind {
    let is_picture = match route {
        Route::App => media::check(route, MediaKind::Image, file.head(), file.size()).is_ok(),
        Route::Webhook => media::check_webhook_image(file.head(), file.size()).is_ok(),
    };
    if is_picture { MediaKind::Image } else { MediaKind::File }
}

/// Confidential files must be of a kind that WeCom can show with a watermark.
fn refuse_unsafe_format(kind: MediaKind, name: &str, settings: &Settings) -> Result<()> {
    let name = media::wire_filename(name);
    if kind != MediaKind::File || settings.safe != Some(1) || media::is_safe_format(&name) {
        return Ok(());
    }
    let formats = media::SAFE_FORMATS.join(", ");
    Err(Error::usage(
        format!("{name} cannot be sent with --safe: WeCom takes only {formats}"),
        "convert the file, name it with the right ending (--filename), or leave --safe out",
    ))
}

/// A rule about files, which is a warning when WeCom is to decide.
fn settle(checked: Result<()>, settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    match checked {
        Err(error) if settings.no_validate => {
            warnings.push(error.message().to_owned());
            Ok(())
        }
        checked => checked,
    }
}
