//! The alert, built from options, settings, a notification and the CI run. Its text is read elsewhere.

use crate::address::has_http_scheme;
use crate::alert::{Alert, AlertLink, Field, full_width};
use crate::channel::{Cards, MsgType};
use crate::ci::CiContext;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::input::{clean, is_blank};
use crate::message::card::CardType;
use crate::words::Language;

use super::request::{AlertFields, Request};
use super::target::Target;

/// The alert of these options. `own` is that of a notification or of the program itself: options replace its title, level
/// and link, and add fields. The title and link of a CI run are used where neither gives one.
pub(super) fn put_together(
    request: &Request,
    target: &mut Target,
    own: Option<Alert>,
    ci: Option<&CiContext>,
    language: Language,
) -> Result<Alert> {
    let words = language.words();
    let args = &request.alert;
    let level = args.level.as_deref().and_then(|word| match word.parse() {
        Ok(level) => Some(Ok(level)),
        Err(error) => target.leave_out(error, "the level is left out").err().map(Err),
    });
    let level = level.transpose()?;
    let settings = &target.settings;
    let mut alert = own.unwrap_or_default();
    alert.language = language;
    // A link that is no web address is shown as a field.
    if let Some(link) = alert.link.take_if(|link| !has_http_scheme(&link.url)) {
        alert.fields.push(Field { key: words.link.to_owned(), value: link.url });
    }
    if let Some(title) = settings.title.as_deref().map(clean) {
        (alert.title, alert.status_len) = (Some(title), 0);
    }
    alert.level = level.or(alert.level);
    for (option, values) in
        [("--field", &args.field), ("--jump", &args.jump), ("--button", &args.button), ("--option", &args.option)]
    {
        target.warnings.extend(values.iter().filter_map(|given| full_width(option, given)));
    }
    target.warnings.extend(args.emphasis.as_deref().and_then(|given| full_width("--emphasis", given)));
    for field in &args.field {
        alert.fields.push(clean(field).parse()?);
    }
    if let Some(ci) = ci {
        alert.fields.extend(ci.fields(words));
        if alert.title.is_none() {
            let (title, status_len) = ci.title(words);
            (alert.title, alert.status_len) = (Some(title), status_len);
        }
        let to_run = ci.url.clone().map(|url| AlertLink { url, label: None });
        alert.link = alert.link.or(to_run);
    }
    alert.link = link(settings, alert.link);
    alert.picurl = settings.picurl.clone().or(alert.picurl);
    let has_no_card = settings.empty_options.iter().any(|option| option == "--card")
        || args.card.is_some() && target.channel.facts().cards == Cards::None;
    let card = if has_no_card { None } else { card_type(args)? };
    if let Some(card) = card {
        move_to_fields(&mut alert, card, settings);
    }
    if settings.btntxt.is_some() && alert.link.is_none() && card.is_none() {
        let hint = "add --url, or leave --btntxt out";
        target.leave_out(Error::usage("--btntxt has no link to be the label of", hint), "it is left out")?;
    }
    let unless_blank = |text: &String| Some(clean(text)).filter(|text| !is_blank(text));
    alert.source = args.source.as_ref().and_then(unless_blank);
    alert.emphasis = args.emphasis.as_deref().map(|given| clean(given).parse()).transpose()?;
    alert.quote = args.quote.as_ref().and_then(unless_blank);
    alert.jumps = args.jump.iter().map(|given| clean(given).parse()).collect::<Result<_>>()?;
    alert.buttons = args.button.iter().map(|given| clean(given).parse()).collect::<Result<_>>()?;
    alert.options = args.option.iter().map(|given| clean(given).parse()).collect::<Result<_>>()?;
    alert.task_id.clone_from(&args.task_id);
    alert.card = card;
    Ok(if has_no_card { alert.without_card() } else { alert })
}

/// Replaces a news_notice card by a text_notice where the notification has no picture: it must not be lost for that.
pub(super) fn replace_news_notice(alert: &mut Alert, warnings: &mut Vec<String>) {
    if alert.card == Some(CardType::NewsNotice) && alert.picurl.is_none() {
        alert.card = Some(CardType::TextNotice);
        warnings.push("there is no picture in the notification: sent as a text_notice card".to_owned());
    }
}

/// Picture and link of a notification become fields where the card has no place for them. Those of options do not: they are
/// refused later.
fn move_to_fields(alert: &mut Alert, card: CardType, settings: &Settings) {
    let words = alert.language.words();
    let mut add = |key: &str, value: String| alert.fields.push(Field { key: key.to_owned(), value });
    if card != CardType::NewsNotice
        && settings.picurl.is_none()
        && let Some(picurl) = alert.picurl.take()
    {
        add(words.image, picurl);
    }
    if card.is_asking()
        && settings.url.is_none()
        && let Some(link) = alert.link.take_if(|link| link.label.is_none())
    {
        add(words.link, link.url);
    }
}

/// Shows a link or a picture that no client can open as a field, where the type can do without it. In a webhook's message some
/// clients open a link without a scheme (document path 99110): that is a warning, which the rules for articles give themselves.
pub(super) fn check_addresses(alert: &mut Alert, msgtype: MsgType, target: &mut Target) -> Result<()> {
    const SHOWN: &str = "it is shown as text";
    let hint = "write the whole address, such as https://status.example.com/1";
    let words = alert.language.words();
    let is_needed = matches!(msgtype, MsgType::Textcard | MsgType::News | MsgType::TemplateCard);
    let is_broken = |url: &str| !has_http_scheme(url);
    if alert.link.as_ref().is_some_and(|link| is_broken(&link.url)) {
        let wrong = Error::usage("--url must begin with http:// or https://", hint);
        match target.channel.facts().opens_any_address {
            false if is_needed => return Err(wrong),
            false => {
                target.leave_out(wrong, SHOWN)?;
                let link = alert.link.take().map(|link| Field { key: words.link.to_owned(), value: link.url });
                alert.fields.extend(link);
            }
            true if msgtype != MsgType::News => {
                target.warnings.push(format!("{wrong}: some clients cannot open it otherwise"));
            }
            true => {}
        }
    }
    if alert.jumps.iter().any(|jump| is_broken(&jump.url)) {
        let wrong = Error::usage("--jump must lead to http:// or https://", hint);
        if target.channel.facts().opens_any_address {
            target.warnings.push(format!("{wrong}: some clients cannot open it otherwise"));
        } else {
            target.leave_out(wrong, "it is left out")?;
            alert.jumps.retain(|jump| !is_broken(&jump.url));
        }
    }
    if alert.card.is_none() && alert.picurl.as_deref().is_some_and(is_broken) {
        target.leave_out(Error::usage("--picurl must begin with http:// or https://", hint), SHOWN)?;
        let picture = alert.picurl.take().map(|value| Field { key: words.image.to_owned(), value });
        alert.fields.extend(picture);
    }
    Ok(())
}

fn link(settings: &Settings, own: Option<AlertLink>) -> Option<AlertLink> {
    let label = settings.btntxt.as_deref().map(clean);
    match (&settings.url, own) {
        (Some(url), _) => Some(AlertLink { url: url.clone(), label }),
        (None, own) => own.map(|own| AlertLink { label: label.or(own.label), ..own }),
    }
}

/// The card asked for. Options of cards are refused without one.
fn card_type(args: &AlertFields) -> Result<Option<CardType>> {
    match (&args.card, args.first_card_option()) {
        // The command line's parser has checked the name.
        (Some(name), _) => Ok(name.parse().ok()),
        (None, Some(option)) => {
            let card = match option {
                "--button" => "button_interaction",
                "--option" => "vote_interaction",
                _ => "text_notice",
            };
            Err(Error::usage(
                format!("{option} is only for template cards"),
                format!("add --card, for example --card {card}, or leave {option} out"),
            ))
        }
        (None, None) => Ok(None),
    }
}
