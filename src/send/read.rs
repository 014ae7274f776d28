//! Options, text, payload, feed and files are read, once, into a draft.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::alert::Alert;
use crate::channel::{Markup, MsgType};
use crate::ci::Context;
use crate::clock;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::feed;
use crate::input::{Attachment, clean, is_stdin, read_payload};
use crate::json::parse_json;
use crate::message::media::MediaKind;
use crate::template::{self, Target};

use super::draft::{Draft, Material};
use super::msgtype::{ChosenType, TypeOrigin, best_type, check_type, choose_type, is_made_of_alert, refuse_unused};
use super::request::Request;
use super::source::{Body, FeedSource, MessageSource, TextRule, read_body, unless_empty};
use super::{build_alert, files, payload};

/// Reads what is to be said, or `None` when the text was empty and that is to be passed over.
pub(super) fn read(
    request: &Request,
    settings: &Settings,
    ci: Option<&Context>,
    warnings: &mut Vec<String>,
) -> Result<Option<Draft>> {
    let (content, channel) = (&request.content, request.channel);
    let source = MessageSource::of(content)?;
    if matches!(source, MessageSource::File(MediaKind::Video, _)) && !channel.has_type(MsgType::Video) {
        let noun = channel.facts().noun;
        return Err(Error::usage(format!("{noun} has no video messages"), "send it as a file, with --file"));
    }
    let is_fed = matches!(&source, MessageSource::Feed(feed) if feed.template.is_none());
    let says_more = is_fed || request.own.is_some() || request.first_alert_option().is_some();
    let chosen = choose_type(request, &source, says_more, settings)?;
    let is_alert = is_made_of_alert(&chosen, says_more);
    let (material, text) = match &source {
        MessageSource::Payload(path) => {
            refuse_unused(request, None)?;
            (Material::Payload(payload::read(path, &chosen)?), None)
        }
        MessageSource::Feed(feed) => match read_feed(request, feed, &chosen, is_alert, settings, ci, warnings)? {
            Some(fed) => fed,
            None => return Ok(None),
        },
        MessageSource::Text if is_alert => match read_alert(request, &chosen, settings, ci, warnings)? {
            Some(alert) => (Material::Alert(Box::new(alert)), None),
            None => return Ok(None),
        },
        _ => match read_plain(request, &source, &chosen, settings, warnings)? {
            Some(plain) => plain,
            None => return Ok(None),
        },
    };
    let names_used = usize::from(matches!(source, MessageSource::File(..)));
    let attached = files::open_all(content, names_used)?;
    files::check_all(&attached, channel, settings, warnings)?;
    let text = text.map(Arc::new);
    // Only a payload can be of a type that is not known here, and it says that itself.
    let mut msgtype = chosen.known().unwrap_or(MsgType::Text);
    if let Material::Alert(alert) = &material {
        if chosen.origin == TypeOrigin::Best {
            msgtype = best_type(alert, channel, settings);
        }
        build_alert::check_link(alert, msgtype, channel, warnings)?;
    }
    let ChosenType { origin, .. } = chosen;
    Ok(Some(Draft { msgtype, origin, material, text, attached, given: request.given, made_for: channel }))
}

/// What happened, by options and text.
fn read_alert(
    request: &Request,
    chosen: &ChosenType,
    settings: &Settings,
    ci: Option<&Context>,
    warnings: &mut Vec<String>,
) -> Result<Option<Alert>> {
    if chosen.origin != TypeOrigin::Best {
        check_type(chosen, &Material::Nothing, request.channel)?;
    }
    let mut alert = build_alert::put_together(request, settings, request.own.clone(), ci)?;
    if request.own.is_some() {
        return Ok(Some(alert));
    }
    // What it says besides may be all there is to say.
    let rule = if alert.says_something() { TextRule::Optional } else { TextRule::Required };
    match read_body(request, rule, &MessageSource::Text, settings, warnings)? {
        Body::Text(text) => alert.body = Some(text),
        Body::Absent => {}
        Body::Skipped => return Ok(None),
    }
    Ok(Some(alert))
}

/// What a machine sent, or what a template made of it.
fn read_feed(
    request: &Request,
    feed: &FeedSource,
    chosen: &ChosenType,
    is_alert: bool,
    settings: &Settings,
    ci: Option<&Context>,
    warnings: &mut Vec<String>,
) -> Result<Option<(Material, Option<String>)>> {
    let target = match chosen.known().map(|msgtype| msgtype.facts().markup) {
        // The text of an alert is escaped when that is rendered.
        _ if is_alert => Target::Text,
        Some(Markup::Markdown) => Target::Markdown,
        Some(Markup::MarkdownV2) => Target::MarkdownV2,
        _ => Target::Text,
    };
    let (own, text) = match fill(feed, target)? {
        Fed::Payload(name, json) => {
            refuse_unused(request, None)?;
            return Ok(Some((Material::Payload(payload::of_text(&name, &json, chosen)?), None)));
        }
        Fed::Alert(own) => (Some(*own), None),
        Fed::Text(text) => match unless_empty(text, request, settings, || Err(empty_template()))? {
            Body::Text(text) => (None, Some(text)),
            Body::Absent | Body::Skipped => return Ok(None),
        },
    };
    if chosen.origin != TypeOrigin::Best {
        check_type(chosen, &Material::Nothing, request.channel)?;
    }
    if !is_alert {
        return Ok(Some((Material::Nothing, text)));
    }
    let is_notification = own.is_some();
    let mut alert = build_alert::put_together(request, settings, own, ci)?;
    if is_notification {
        build_alert::do_without_picture(&mut alert, warnings);
    }
    alert.body = text.or(alert.body);
    Ok(Some((Material::Alert(Box::new(alert)), None)))
}

fn empty_template() -> Error {
    Error::usage(
        "the text is empty: the template makes nothing but white space of this data",
        "correct the template; --skip-empty passes empty text over, --if-empty TEXT sends that instead",
    )
}

/// A text as it is, a file, or files alone.
fn read_plain(
    request: &Request,
    source: &MessageSource,
    chosen: &ChosenType,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Option<(Material, Option<String>)>> {
    let (content, channel) = (&request.content, request.channel);
    let material = match source {
        MessageSource::File(kind, path) => {
            Material::File(*kind, Attachment::open(path, content.filename.first().map(String::as_str))?)
        }
        MessageSource::MediaId(id) => Material::MediaId(id.clone()),
        MessageSource::Text | MessageSource::Payload(_) | MessageSource::Feed(_) => Material::Nothing,
    };
    let msgtype = check_type(chosen, &material, channel)?;
    let rule = match &material {
        Material::File(..) | Material::MediaId(_) => {
            refuse_unused(request, Some(msgtype))?;
            if msgtype.facts().text.is_some() { TextRule::Optional } else { TextRule::None(msgtype) }
        }
        _ if !content.attach.is_empty() => TextRule::Optional,
        _ => TextRule::Required,
    };
    if let Material::File(kind, file) = &material {
        // A file that the channel does not take is reported before anything about the text.
        files::check_file(*kind, file, channel, settings, warnings)?;
    }
    Ok(match read_body(request, rule, source, settings, warnings)? {
        Body::Text(text) => Some((material, Some(text))),
        Body::Absent => Some((material, None)),
        Body::Skipped => None,
    })
}

/// What came of the input.
enum Fed {
    /// A notification as it is understood here.
    Alert(Box<Alert>),
    /// The text of a template, in the format of its target.
    Text(String),
    /// The JSON of a template, to be read like a payload of that name.
    Payload(String, String),
}

/// Reads the input, and fills the template if there is one. `target` is what a text is for; a template whose name ends in
/// `.json`, before `.j2` or `.jinja`, makes JSON.
fn fill(source: &FeedSource, target: Target) -> Result<Fed> {
    let text = read_payload(&source.data)?;
    // A template does not make a notification of what is none.
    let alert = source.format.map(|format| feed::read(format, &text, clock::minute)).transpose()?;
    let Some(path) = &source.template else {
        return alert.map(|alert| Fed::Alert(Box::new(alert))).ok_or_else(|| Error::defect("data without a use"));
    };
    let data = data(&source.data, &text)?;
    let name = path.display().to_string();
    let pattern = read_payload(path)?;
    if makes_json(path) {
        let json = template::render(&name, &pattern, &data, Target::Json)?;
        return Ok(Fed::Payload(format!("the template {name}"), json));
    }
    Ok(Fed::Text(clean(&template::render(&name, &pattern, &data, target)?)))
}

fn data(path: &Path, text: &str) -> Result<Value> {
    let name = if is_stdin(path) { "stdin".to_owned() } else { format!("{path:?}") };
    parse_json(text).map_err(|error| {
        Error::usage(
            format!("the data from {name} is not JSON: {error}"),
            "check it with jq; a template takes JSON alone",
        )
    })
}

fn makes_json(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = [".j2", ".jinja", ".jinja2"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    name.ends_with(".json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_a_template_makes() {
        for name in ["card.json", "a/card.json.j2", "card.JSON.jinja", "card.json.jinja2"] {
            assert!(makes_json(Path::new(name)), "{name}");
        }
        for name in ["text.j2", "text.txt", "json", "a.json/text.j2", "card.json.txt", ""] {
            assert!(!makes_json(Path::new(name)), "{name}");
        }
    }
}
