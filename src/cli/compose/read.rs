//! Options, text, payload and files are read, once, into a draft.

use std::sync::Arc;

use wecom_alert::config::Settings;
use wecom_alert::error::{Error, Result};
use wecom_alert::input::Attachment;
use wecom_alert::message::Route;
use wecom_alert::message::media::MediaKind;
use wecom_alert::template::Target;

use super::content::{Body, TextRule, read_body, text_rule, unless_empty};
use super::draft::{ChosenType, Draft, Happening, Material, TypeOrigin};
use super::feed::{self, Fed};
use super::kind::{best_type, check_type, choose_type, is_made_of_alert, refuse_unused, unknown_type};
use super::source::{Feed, Source};
use super::{Order, attach, happening, payload};

/// Reads what is to be said, or `None` when the text was empty and that is to be passed over.
pub(crate) fn read(order: &Order, settings: &Settings, warnings: &mut Vec<String>) -> Result<Option<Draft>> {
    let (args, route) = (&order.content, order.route);
    let source = Source::of(args)?;
    if route == Route::Webhook && matches!(source, Source::File(MediaKind::Video, _)) {
        return Err(Error::usage("a webhook has no video messages", "send it as a file, with --file"));
    }
    let is_fed = matches!(&source, Source::Feed(feed) if feed.template.is_none());
    let says_more = is_fed || order.own.is_some() || args.alert.first_given().is_some();
    let chosen = choose_type(args, order.msgtype.as_deref(), &source, says_more, settings)?;
    let is_alert = is_made_of_alert(&chosen.name, says_more);
    let (material, text) = match &source {
        Source::Payload(path) => {
            refuse_unused(&args.alert, None)?;
            (Material::Payload(payload::read(path, &chosen)?), None)
        }
        Source::Feed(feed) => match read_feed(order, feed, &chosen, is_alert, settings, warnings)? {
            Some(fed) => fed,
            None => return Ok(None),
        },
        Source::Text if is_alert => match read_alert(order, &chosen, settings, warnings)? {
            Some(happening) => (Material::Alert(Box::new(happening)), None),
            None => return Ok(None),
        },
        _ => match read_plain(order, &source, &chosen, settings, warnings)? {
            Some(plain) => plain,
            None => return Ok(None),
        },
    };
    let names_used = usize::from(matches!(source, Source::File(..)));
    let attached = attach::open_all(args, names_used)?;
    attach::check_all(&attached, route, settings, warnings)?;
    let text = text.map(Arc::new);
    let mut draft = Draft { chosen, material, text, attached, by_option: order.by_option, made_for: route };
    if let Material::Alert(happening) = &draft.material {
        if draft.chosen.origin == TypeOrigin::Best {
            draft.chosen.name = best_type(&happening.alert, route, settings).to_owned();
        }
        happening::check_link(&happening.alert, &draft.chosen.name, route, warnings)?;
    }
    Ok(Some(draft))
}

/// What happened, by options and text.
fn read_alert(
    order: &Order,
    chosen: &ChosenType,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Option<Happening>> {
    let (args, route) = (&order.content, order.route);
    if chosen.origin != TypeOrigin::Best {
        check_type(chosen, &Material::Nothing, route)?;
    }
    let has_own = order.own.is_some();
    let mut happening = happening::put_together(&args.alert, settings, order.own.clone(), order.ci.as_ref())?;
    if has_own {
        return Ok(Some(happening));
    }
    // What it says besides may be all there is to say.
    let rule = if happening.alert.says_something() { TextRule::Optional } else { TextRule::Required };
    match read_body(args, &chosen.name, rule, &Source::Text, settings, warnings)? {
        Body::Text(text) => happening.alert.body = Some(text),
        Body::Absent => {}
        Body::Skipped => return Ok(None),
    }
    Ok(Some(happening))
}

/// What a machine sent, or what a template made of it.
fn read_feed(
    order: &Order,
    feed: &Feed,
    chosen: &ChosenType,
    is_alert: bool,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Option<(Material, Option<String>)>> {
    let args = &order.content.alert;
    let target = match chosen.name.as_str() {
        // The text of an alert is escaped when that is rendered.
        _ if is_alert => Target::Text,
        "markdown" => Target::Markdown,
        "markdown_v2" => Target::MarkdownV2,
        _ => Target::Text,
    };
    let (own, text) = match feed::read(feed, target)? {
        Fed::Payload(name, json) => {
            refuse_unused(args, None)?;
            return Ok(Some((Material::Payload(payload::of_text(&name, &json, chosen)?), None)));
        }
        Fed::Alert(own) => (Some(*own), None),
        Fed::Text(text) => match unless_empty(text, &order.content, settings, || Err(empty_template()))? {
            Body::Text(text) => (None, Some(text)),
            Body::Absent | Body::Skipped => return Ok(None),
        },
    };
    if chosen.origin != TypeOrigin::Best {
        check_type(chosen, &Material::Nothing, order.route)?;
    }
    if !is_alert {
        return Ok(Some((Material::Nothing, text)));
    }
    let is_notification = own.is_some();
    let mut happening = happening::put_together(args, settings, own, order.ci.as_ref())?;
    if is_notification {
        happening::do_without_picture(&mut happening, warnings);
    }
    happening.alert.body = text.or(happening.alert.body);
    Ok(Some((Material::Alert(Box::new(happening)), None)))
}

fn empty_template() -> Error {
    Error::usage(
        "the text is empty: the template makes nothing but white space of this data",
        "correct the template; --skip-empty passes empty text over, --if-empty TEXT sends that instead",
    )
}

/// A text as it is, a file, or files alone.
fn read_plain(
    order: &Order,
    source: &Source,
    chosen: &ChosenType,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Option<(Material, Option<String>)>> {
    let (args, route, msgtype) = (&order.content, order.route, chosen.name.as_str());
    let material = match source {
        Source::File(kind, path) => {
            Material::File(*kind, Attachment::open(path, args.alert.filename.first().map(String::as_str))?)
        }
        Source::MediaId(id) => Material::MediaId(id.clone()),
        Source::Text | Source::Payload(_) | Source::Feed(_) => Material::Nothing,
    };
    check_type(chosen, &material, route)?;
    let rule = match text_rule(route, msgtype) {
        TextRule::Required if !args.alert.attach.is_empty() => TextRule::Optional,
        rule => rule,
    };
    if let Material::File(kind, file) = &material {
        // Of what is to be sent, a file that the route does not take is the first thing to be said.
        refuse_unused(&args.alert, Some(msgtype))?;
        attach::check_file(*kind, file, route, settings, warnings)?;
    } else if matches!(material, Material::MediaId(_)) {
        refuse_unused(&args.alert, Some(msgtype))?;
    } else if rule == TextRule::None {
        return Err(unknown_type(chosen, route));
    }
    Ok(match read_body(args, msgtype, rule, source, settings, warnings)? {
        Body::Text(text) => Some((material, Some(text))),
        Body::Absent => Some((material, None)),
        Body::Skipped => None,
    })
}
