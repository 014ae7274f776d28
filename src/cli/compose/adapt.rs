//! The same message on the other route: the nearest type there that loses nothing.

use wecom_alert::config::Settings;
use wecom_alert::error::{Error, Result};
use wecom_alert::message::Route;
use wecom_alert::message::app::AppContent;
use wecom_alert::message::media::{self, MediaKind};
use wecom_alert::message::webhook::WebhookContent;

use super::draft::{ChosenType, Draft, Material};

/// The draft as this route can take it.
pub(super) fn to_route(draft: &Draft, route: Route, settings: &Settings) -> Result<Draft> {
    let mut draft = draft.clone();
    if draft.made_for == route {
        return Ok(draft);
    }
    if let Material::MediaId(_) = draft.material {
        return Err(Error::usage(
            format!("a media_id of the other route is of no use to a target by {}", route.as_str()),
            "give the file itself, with --file or --image",
        ));
    }
    let chosen = draft.chosen.name.clone();
    let name = match (chosen.as_str(), route) {
        ("markdown_v2", Route::App) => "markdown",
        ("textcard", Route::Webhook) => {
            draft.text = Some(as_text(settings, draft.text.as_deref()));
            "text"
        }
        ("video", Route::Webhook) => as_file(&mut draft),
        ("image", Route::Webhook) => match &draft.material {
            // A webhook takes smaller pictures than an app does.
            Material::File(_, file) if media::check_webhook_image(file.head(), file.size()).is_err() => {
                as_file(&mut draft)
            }
            _ => "image",
        },
        (other, _) => other,
    };
    let known = match route {
        Route::App => AppContent::MSGTYPES,
        Route::Webhook => WebhookContent::MSGTYPES,
    };
    if !draft.is_payload() && !known.contains(&name) {
        return Err(Error::usage(
            format!("a message of type {chosen} cannot go to a target by {}", route.as_str()),
            "use text or markdown, which both routes take",
        ));
    }
    draft.chosen = ChosenType { name: name.to_owned(), ..draft.chosen };
    draft.made_for = route;
    Ok(draft)
}

/// A file is a file, whatever is in it.
fn as_file(draft: &mut Draft) -> &'static str {
    if let Material::File(kind, _) = &mut draft.material {
        *kind = MediaKind::File;
    }
    "file"
}

/// What a card says, in lines.
fn as_text(settings: &Settings, text: Option<&str>) -> String {
    let lines = [settings.title.as_deref(), text, settings.url.as_deref()];
    lines.into_iter().flatten().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
