//! The same message on the other route: the nearest type there that loses nothing.

use wecom_alert::config::Settings;
use wecom_alert::error::{Error, Result};
use wecom_alert::message::Route;
use wecom_alert::message::app::AppContent;
use wecom_alert::message::media::{self, MediaKind};
use wecom_alert::message::webhook::WebhookContent;

use super::attach;
use super::draft::{ChosenType, Draft, Material, TypeOrigin};
use super::kind::best_type;

/// The draft as this route can take it.
pub(super) fn to_route(draft: &Draft, route: Route, settings: &Settings, warnings: &mut Vec<String>) -> Result<Draft> {
    let mut draft = draft.clone();
    if draft.made_for == route {
        if let (Material::Alert(happening), TypeOrigin::Best) = (&draft.material, &draft.chosen.origin) {
            // Another target of this route may ask for more.
            draft.chosen.name = best_type(&happening.alert, route, settings).to_owned();
        }
        return Ok(draft);
    }
    if let Material::MediaId(_) = draft.material {
        return Err(Error::usage(
            format!("a media_id of the other route is of no use to a target by {}", route.as_str()),
            "give the file itself, with --file or --image",
        ));
    }
    let chosen = draft.chosen.name.clone();
    let name = name_on(&mut draft, route, settings, warnings);
    let known = match route {
        Route::App => AppContent::MSGTYPES,
        Route::Webhook => WebhookContent::MSGTYPES,
    };
    if !draft.is_payload() && !known.contains(&name.as_str()) {
        return Err(Error::usage(
            format!("a message of type {chosen} cannot go to a target by {}", route.as_str()),
            "use text or markdown, which both routes take",
        ));
    }
    draft.chosen = ChosenType { name, ..draft.chosen };
    draft.made_for = route;
    // The other route may take other files.
    attach::check_all(&draft.attached, route, settings, warnings)?;
    Ok(draft)
}

/// The type that it has there.
fn name_on(draft: &mut Draft, route: Route, settings: &Settings, warnings: &mut Vec<String>) -> String {
    let chosen = draft.chosen.name.clone();
    if let Material::Alert(happening) = &mut draft.material {
        if route == Route::Webhook {
            // It names a card in the events of an app alone.
            happening.alert.task_id = None;
        }
        if let Some(card) = happening.card.filter(|card| route == Route::Webhook && !card.is_notice()) {
            // What happened must arrive there too; what can be pressed cannot.
            happening.card = None;
            happening.alert = happening.alert.without_card();
            let best = best_type(&happening.alert, route, settings);
            warnings
                .push(format!("a webhook has no {} cards: sent as {best}, without what can be pressed", card.as_str()));
            return best.to_owned();
        }
        let best = best_type(&happening.alert, route, settings);
        return match (chosen.as_str(), route) {
            ("markdown_v2", Route::App) if draft.chosen.origin != TypeOrigin::Best => "markdown".to_owned(),
            ("textcard", Route::Webhook) => best.to_owned(),
            _ if draft.chosen.origin == TypeOrigin::Best => best.to_owned(),
            _ => chosen,
        };
    }
    match (chosen.as_str(), route) {
        ("markdown_v2", Route::App) => "markdown",
        ("video", Route::Webhook) => as_file(draft),
        ("image", Route::Webhook) => match &draft.material {
            // A webhook takes smaller pictures than an app does.
            Material::File(_, file) if media::check_webhook_image(file.head(), file.size()).is_err() => as_file(draft),
            _ => "image",
        },
        (other, _) => other,
    }
    .to_owned()
}

/// A file is a file, whatever is in it.
fn as_file(draft: &mut Draft) -> &'static str {
    if let Material::File(kind, _) = &mut draft.material {
        *kind = MediaKind::File;
    }
    "file"
}
