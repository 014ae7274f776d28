//! What is to be said, read once, before it is made into a message for one target or several.

use std::borrow::Cow;

use serde_json::Value;

use wecom_alert::config::Settings;
use wecom_alert::error::Result;
use wecom_alert::input::Attachment;
use wecom_alert::message::Route;
use wecom_alert::message::media::MediaKind;

use super::content::{Body, ChosenType, choose_type, needs, open, read_body, refuse_unused};
use super::source::Source;
use super::{ByOption, Order, app, payload, webhook};

/// What the message is made of.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(super) chosen: ChosenType,
    pub(super) material: Material,
    /// Clean; `None` for a type without text, and where an optional text is left out.
    pub(super) text: Option<String>,
    pub(super) by_option: ByOption,
    /// The route whose type it has.
    pub(super) made_for: Route,
}

/// What there is besides text.
#[derive(Debug, Clone)]
pub(super) enum Material {
    Nothing,
    /// A whole body, whose strings are never edited.
    Payload(Value),
    /// A file to upload.
    File(MediaKind, Attachment),
    /// A file that was uploaded before.
    MediaId(String),
}

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

impl Draft {
    /// The type of the message.
    pub(crate) fn msgtype(&self) -> &str {
        match &self.material {
            Material::Payload(body) => body.get("msgtype").and_then(Value::as_str).unwrap_or(&self.chosen.name),
            _ => &self.chosen.name,
        }
    }

    /// Whether its text is the program's to edit.
    pub(crate) fn is_payload(&self) -> bool {
        matches!(self.material, Material::Payload(_))
    }

    /// The text, or the payload as JSON.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match &self.material {
            Material::Payload(body) => Some(Cow::Owned(body.to_string())),
            _ => self.text.as_deref().map(Cow::Borrowed),
        }
    }

    /// What it says, for a fingerprint: the text, the payload, or what is known of the file.
    pub(crate) fn gist(&self) -> Cow<'_, str> {
        match (self.text(), &self.material) {
            (Some(text), _) => text,
            (None, Material::File(_, file)) => Cow::Owned(format!("{} {}", file.name(), file.size())),
            (None, Material::MediaId(id)) => Cow::Borrowed(id),
            (None, Material::Nothing | Material::Payload(_)) => Cow::Borrowed(""),
        }
    }

    /// The same with a line before its text, where it has a text of ours.
    pub(super) fn led_by(mut self, lead: Option<&str>) -> Self {
        if let (Some(lead), Some(text)) = (lead, &mut self.text) {
            // In markdown_v2 a single line break does not end a paragraph.
            let between = if self.chosen.name == "markdown_v2" { "\n\n" } else { "\n" };
            *text = format!("{lead}{between}{text}");
        }
        self
    }
}
