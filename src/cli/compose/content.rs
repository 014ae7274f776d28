//! What both routes share in making a message: its type, its text, its file.

use std::path::Path;

use wecom_alert::config::Settings;
use wecom_alert::error::{Error, Result};
use wecom_alert::input::{Attachment, TextOptions, TextSource, is_blank, read_text};
use wecom_alert::message::Route;

use super::draft::ChosenType;
use super::source::{Source, named_text, piped_text};
use crate::cli::args::ContentArgs;

/// Whether a type has text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextRule {
    Required,
    Optional,
    None,
}

/// What came of the text.
pub(super) enum Body {
    Text(String),
    Absent,
    Skipped,
}

/// What a type has of text, and of the options of cards and articles.
pub(super) fn needs(route: Route, msgtype: &str) -> (TextRule, &'static [&'static str]) {
    match (msgtype, route) {
        ("text" | "markdown" | "markdown_v2", _) => (TextRule::Required, &[]),
        ("textcard", Route::App) => (TextRule::Required, &["--title", "--url", "--btntxt"]),
        ("news", _) => (TextRule::Optional, &["--title", "--url", "--picurl"]),
        ("video", Route::App) => (TextRule::Optional, &["--title"]),
        _ => (TextRule::None, &[]),
    }
}

/// The msgtype: as asked for, else as the other options imply, else the settings' default, else text.
pub(super) fn choose_type(
    args: &ContentArgs,
    asked: Option<&str>,
    source: &Source,
    route: Route,
    settings: &Settings,
) -> Result<ChosenType> {
    if let Some((implied, option)) = source.implied() {
        return match asked {
            Some(asked) if asked != implied => Err(Error::usage(
                format!("-t {asked} does not go with {option}"),
                format!("{option} makes a message of type {implied}: leave -t out, or use upload-media and --media-id"),
            )),
            _ => Ok(ChosenType::by_option(implied)),
        };
    }
    if let Some(asked) = asked {
        return Ok(ChosenType::by_option(asked));
    }
    if !matches!(source, Source::Text) {
        return Ok(ChosenType::by_settings(settings));
    }
    Ok(match (&args.url, &args.picurl, &args.btntxt, &args.title) {
        (_, _, Some(_), _) if route == Route::Webhook => {
            return Err(Error::usage(
                "--btntxt is for textcards, which a webhook does not have",
                "leave it out: --title and --url make an article",
            ));
        }
        (_, Some(_), _, _) => ChosenType::by_option("news"),
        (_, _, Some(_), _) => ChosenType::by_option("textcard"),
        (Some(_), ..) if route == Route::Webhook => ChosenType::by_option("news"),
        (Some(_), ..) => ChosenType::by_option("textcard"),
        (None, None, None, Some(_)) => {
            let hint = match route {
                Route::App => "add --url for a card with a link, or -t textcard or -t news",
                Route::Webhook => "add --url for an article with a link, or -t news",
            };
            return Err(Error::usage("--title needs a type that has a title", hint));
        }
        (None, None, None, None) => ChosenType::by_settings(settings),
    })
}

/// Refuses options of cards and articles where they are of no use: in a type without them, and in a payload (no type).
pub(super) fn refuse_unused(args: &ContentArgs, msgtype: Option<&str>, used: &[&str]) -> Result<()> {
    let given = [
        ("--title", args.title.is_some()),
        ("--url", args.url.is_some()),
        ("--btntxt", args.btntxt.is_some()),
        ("--picurl", args.picurl.is_some()),
    ];
    let Some((option, _)) = given.iter().find(|(option, given)| *given && !used.contains(option)) else {
        return Ok(());
    };
    Err(match msgtype {
        None => Error::usage(format!("{option} has no place beside a payload"), "put it into the payload"),
        Some(msgtype) => Error::usage(
            format!("{option} has no place in a message of type {msgtype}"),
            "textcard takes --title, --url, --btntxt; news takes --title, --url, --picurl; video takes --title",
        ),
    })
}

/// Reads the text that the type needs, from where the options say.
pub(super) fn read_body(
    args: &ContentArgs,
    msgtype: &str,
    rule: TextRule,
    source: &Source,
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Body> {
    let named = named_text(args);
    if rule == TextRule::None {
        return match named {
            None => Ok(Body::Absent),
            Some(_) => Err(Error::usage(
                format!("a message of type {msgtype} has no text"),
                "send the text with a command of its own",
            )),
        };
    }
    // Nothing is taken from stdin where something else gives the message.
    let piped = if matches!(source, Source::Text) { piped_text() } else { None };
    let is_named = named.is_some();
    let Some(from) = named.or(piped) else {
        return match rule {
            TextRule::Required => Err(no_text()),
            _ => Ok(Body::Absent),
        };
    };
    let text = read(&from, args, settings, warnings)?;
    if !is_blank(&text) {
        return Ok(Body::Text(text));
    }
    match &settings.if_empty {
        _ if args.skip_empty => Ok(Body::Skipped),
        Some(instead) if !is_blank(instead) => Ok(Body::Text(wecom_alert::input::clean(instead))),
        _ if settings.skip_empty => Ok(Body::Skipped),
        _ if rule == TextRule::Optional && !is_named => Ok(Body::Absent),
        _ => Err(empty_text(&from)),
    }
}

fn read(from: &TextSource, args: &ContentArgs, settings: &Settings, warnings: &mut Vec<String>) -> Result<String> {
    let read =
        read_text(from, &TextOptions { encoding: settings.encoding, escapes: args.escapes || settings.escapes })?;
    warnings.extend(read.warnings);
    Ok(read.text)
}

fn no_text() -> Error {
    Error::usage(
        "there is no text to send: no CONTENT was given and stdin is a terminal",
        "give the text as an argument, pipe it in, or name a file with --text-file",
    )
}

fn empty_text(from: &TextSource) -> Error {
    let place = match from {
        TextSource::Argument(_) => "CONTENT".to_owned(),
        TextSource::File(path) => format!("{path:?}"),
        TextSource::Stdin => "stdin".to_owned(),
    };
    Error::usage(
        format!("the text is empty: {place} holds nothing but white space"),
        "check the command before the pipe; --skip-empty passes empty text over, --if-empty TEXT sends that instead",
    )
}

/// Opens the file that a message is about.
pub(super) fn open(path: &Path, args: &ContentArgs) -> Result<Attachment> {
    Attachment::open(path, args.filename.as_deref())
}
