//! Options, text, payload and file are read, once, into a draft.

use wecom_alert::config::Settings;
use wecom_alert::error::Result;
use wecom_alert::message::Route;

use super::content::{Body, choose_type, needs, open, read_body, refuse_unused};
use super::draft::{Draft, Material};
use super::source::Source;
use super::{Order, app, payload, webhook};

/// Reads what is to be said, or `None` when the text was empty and that is to be passed over.
pub(crate) fn read(order: &Order, settings: &Settings, warnings: &mut Vec<String>) -> Result<Option<Draft>> {
    let (args, route) = (&order.content, order.route);
    let source = Source::of(args)?;
    if route == Route::Webhook {
        webhook::refuse_video(&source)?;
    }
    let chosen = choose_type(args, order.msgtype.as_deref(), &source, route, settings)?;
    let draft =
        |material, text| Draft { chosen: chosen.clone(), material, text, by_option: order.by_option, made_for: route };
    if let Source::Payload(path) = &source {
        refuse_unused(args, None, &[])?;
        if order.by_option.mentions {
            return Err(webhook::no_mentions("a payload", "put mentioned_list and mentioned_mobile_list into it"));
        }
        return Ok(Some(draft(Material::Payload(payload::read(path, &chosen)?), None)));
    }
    let material = match &source {
        Source::File(kind, path) => Material::File(*kind, open(path, args)?),
        Source::MediaId(id) => Material::MediaId(id.clone()),
        Source::Text | Source::Payload(_) => Material::Nothing,
    };
    let msgtype = chosen.name.as_str();
    match route {
        Route::App => app::check_source(&chosen, &material)?,
        Route::Webhook => webhook::check_source(&chosen, &material)?,
    }
    let (rule, used) = needs(route, msgtype);
    refuse_unused(args, Some(msgtype), used)?;
    if order.by_option.mentions && msgtype != "text" {
        let hint = "use type text; in markdown write <@userid> where the mention belongs";
        return Err(webhook::no_mentions(&format!("type {msgtype}"), hint));
    }
    // Of what is to be sent, a file that the route does not take is the first thing to be said.
    match (&material, route) {
        (Material::File(kind, file), Route::App) => app::check_file(*kind, file, settings, warnings)?,
        (Material::File(kind, file), Route::Webhook) => webhook::check_file(*kind, file, settings, warnings)?,
        _ => {}
    }
    Ok(match read_body(args, msgtype, rule, &source, settings, warnings)? {
        Body::Text(text) => Some(draft(material, Some(text))),
        Body::Absent => Some(draft(material, None)),
        Body::Skipped => None,
    })
}
