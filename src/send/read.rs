//! Reads options, text, payload, notification and files, once, into a draft.

mod notification;

use std::io::IsTerminal;
use std::sync::Arc;

use crate::alert::{Alert, Field};
use crate::cards::{CardData, pressable_card};
use crate::channel::{Cards, Channel, MadeOf, MsgType};
use crate::ci::CiContext;
use crate::config::Setting;
use crate::error::{Error, Result};
use crate::feed::Notification;
use crate::input::{Attachment, Encoding, TextSource, clean, is_blank, is_stdin, read_text};
use crate::message::first_markdown;
use crate::message::media::MediaKind;
use crate::words::Language;

use super::draft::{Draft, Identity, Material, check_type};
use super::msgtype::{ChosenType, TypeOrigin, best_type, choose_type, is_made_of_alert, refuse_unused};
use super::request::{JsonInput, Request};
use super::source::MessageSource;
use super::target::{LostPart, Target};
use super::{build_alert, files, payload};

/// Reads what is to be sent, or `None` when the text was empty and that is to be skipped.
pub(super) fn read(request: &Request, target: &mut Target, ci: Option<&CiContext>) -> Result<Option<Draft>> {
    target.tells_of_command = request.own.is_some();
    match Reader::new(request, target, ci).and_then(Reader::read) {
        Ok(draft) => Ok(Some(draft)),
        Err(Stop::Skipped) => Ok(None),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// Why there is no draft.
enum Stop {
    /// The text is empty, and that is to be skipped.
    Skipped,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

struct Reader<'a> {
    request: &'a Request,
    target: &'a mut Target,
    ci: Option<&'a CiContext>,
    source: MessageSource,
    chosen: ChosenType,
    /// Whether the message is made of an alert.
    is_alert: bool,
    /// Whether it is an alert only because the channel has no plain text.
    is_bare: bool,
    /// The template, where that could not be used and the notification goes out without it.
    unfilled: Option<LostPart>,
    /// The notification that the alert is made of.
    notification: Option<Notification>,
    /// What the alert takes of the notification whose text a template made.
    around: Option<Alert>,
    /// How many bytes the text says that it lacks.
    left_out: u64,
    /// What a card with something to press is made of.
    card_data: CardData,
}

impl<'a> Reader<'a> {
    fn new(request: &'a Request, target: &'a mut Target, ci: Option<&'a CiContext>) -> Result<Self, Stop> {
        let source = MessageSource::of(&request.input)?;
        let facts = target.channel.facts();
        if matches!(source, MessageSource::File(MediaKind::Video, _)) && !target.channel.has_type(MsgType::Video) {
            let message = format!("{} has no video messages", facts.noun);
            return Err(Error::usage(message, "send it as a file, with --file").into());
        }
        let is_fed = matches!(&source, MessageSource::Feed(feed) if feed.template.is_none());
        let says_more = is_fed || request.own.is_some() || request.first_alert_option(&target.settings).is_some();
        let mut chosen = choose_type(request, &source, says_more, &target.settings)?;
        if let Some(card) = request.alert.card.as_ref().filter(|_| facts.cards == Cards::None)
            && chosen.known() == Some(MsgType::TemplateCard)
        {
            // The content is kept; buttons and choices are dropped.
            let noun = facts.noun;
            let told =
                format!("{noun} has no {card} cards: sent in the best of its types, without what can be pressed");
            target.warnings.push(told);
            chosen = ChosenType::unasked(says_more);
        }
        if let TypeOrigin::Settings(place) = &chosen.origin
            && matches!(source, MessageSource::Text | MessageSource::Feed(_))
            && let Err(error) = check_text_type(&chosen, target.channel)
        {
            let message =
                if error.message().starts_with(place) { error.to_string() } else { format!("{place}: {error}") };
            target.leave_out(error.with_message(message), "the best type counts")?;
            chosen = ChosenType::unasked(says_more);
        }
        let is_bare = chosen.origin == TypeOrigin::Default
            && matches!(source, MessageSource::Text | MessageSource::Feed(_))
            && !target.channel.has_type(MsgType::Text);
        if is_bare {
            chosen = ChosenType::unasked(true);
        }
        let is_alert = is_made_of_alert(&chosen, says_more || is_bare);
        Ok(Self {
            request,
            target,
            ci,
            source,
            chosen,
            is_alert,
            is_bare,
            unfilled: None,
            notification: None,
            around: None,
            left_out: 0,
            card_data: CardData::default(),
        })
    }

    fn read(mut self) -> Result<Draft, Stop> {
        let (mut material, text) = match self.source.clone() {
            MessageSource::Payload(json) => {
                refuse_unused(self.request, None, &self.target.settings)?;
                let text = self.data(&json, self.target.settings.encoding)?;
                let payload = payload::parse(&json.name(), &text, &self.chosen, &mut self.target.warnings)?;
                if pressable_card(&payload).is_some() {
                    self.card_data = CardData::of(payload.clone());
                }
                (Material::Payload(payload), None)
            }
            MessageSource::Feed(feed) => self.feed(&feed)?,
            MessageSource::Text if self.is_alert => (self.alert()?, None),
            MessageSource::Text => self.plain(Material::Nothing)?,
            MessageSource::File(kind, path) => {
                let name = self.request.input.filename.first();
                self.plain(Material::File(kind, Attachment::open(&path, name.map(String::as_str))?))?
            }
            MessageSource::MediaId(id) => self.plain(Material::MediaId(id))?,
        };
        let names_used = usize::from(matches!(self.source, MessageSource::File(..)));
        let patience = self.target.settings.deadline;
        let (mut attached, mut lost) = files::open_all(&self.request.input, names_used, patience);
        lost.extend(files::take_out_refused(&mut attached, self.target));
        // Only a payload can be of an unknown type, and its body names the type.
        let mut msgtype = self.target.channel.own_type(self.chosen.known().unwrap_or(MsgType::Text));
        let mut english = None;
        if let Material::Alert(alert) = &mut material {
            english = self.needs_english().then(|| self.in_english(alert, &attached, &lost).ok()).flatten();
            msgtype = self.complete(alert, &attached, &lost)?;
        } else if self.left_out > 0 && self.needs_english() {
            english = text.as_deref().map(|text| Identity { msgtype, text: self.gap_in_english(text) });
        }
        lost.extend(self.unfilled.take());
        let (origin, text, made_for) = (self.chosen.origin, text.map(Arc::new), self.target.channel);
        let card_data = self.card_data;
        let draft = Draft { msgtype, origin, material, text, english, attached, lost, made_for, card_data };
        draft.check_lost(self.target)?;
        Ok(draft)
    }

    /// Adds to an alert what is said of its files and addresses. Returns its type.
    fn complete(&mut self, alert: &mut Alert, attached: &[Attachment], lost: &[LostPart]) -> Result<MsgType> {
        let words = alert.language.words();
        let notes = files::notes(attached, lost, self.request.input.attach_since, words);
        alert.fields.extend(notes.map(|value| Field { key: words.attachment.to_owned(), value }));
        if self.unfilled.is_some() {
            let (key, value) = (words.template.to_owned(), words.without_template.to_owned());
            alert.fields.push(Field { key, value });
        }
        let msgtype = self.type_of(alert);
        build_alert::check_addresses(alert, msgtype, self.target)?;
        Ok(self.type_of(alert))
    }

    fn type_of(&mut self, alert: &Alert) -> MsgType {
        let chosen = self.chosen.known().filter(|_| self.chosen.origin != TypeOrigin::Best);
        let chosen = chosen.map(|msgtype| self.target.channel.own_type(msgtype));
        chosen.unwrap_or_else(|| best_type(alert, self.target))
    }

    /// Whether the cooldown needs the English text: its key is made of that in every language.
    fn needs_english(&self) -> bool {
        let settings = &self.target.settings;
        !settings.language.is_english() && settings.cooldown.is_some() && settings.cooldown_key.is_none()
    }

    /// What an alert would be in English.
    fn in_english(&mut self, shown: &Alert, attached: &[Attachment], lost: &[LostPart]) -> Result<Identity> {
        let told = self.target.warnings.len();
        let own = self.notification.as_ref().map(|its| its.alert(Language::English));
        let own = own.or_else(|| self.around.clone()).or_else(|| self.request.own.clone());
        let mut alert = build_alert::put_together(self.request, self.target, own, self.ci, Language::English)?;
        if self.notification.is_none() {
            alert.body = shown.body.as_deref().map(|body| self.gap_in_english(body));
        }
        let msgtype = self.complete(&mut alert, attached, lost)?;
        // All of them are those of the alert itself.
        self.target.warnings.truncate(told);
        Ok(Identity { msgtype, text: alert.identity_text() })
    }

    /// A text with its gap marked in English.
    fn gap_in_english(&self, text: &str) -> String {
        if self.left_out == 0 {
            return text.to_owned();
        }
        let mark = |language: Language| (language.words().left_out)(self.left_out);
        text.replacen(&mark(self.target.settings.language), &mark(Language::English), 1)
    }

    /// An alert of options and text.
    fn alert(&mut self) -> Result<Material, Stop> {
        self.check_chosen()?;
        let (own, language) = (self.request.own.clone(), self.target.settings.language);
        let mut alert = build_alert::put_together(self.request, self.target, own, self.ci, language)?;
        if self.request.own.is_none() {
            // An alert of title or fields needs no text.
            let is_required = !self.is_bare || self.request.input.attach.is_empty();
            alert.body = self.text(is_required && !alert.says_something())?;
            if self.is_bare && alert.body.is_none() && !alert.says_something() {
                return Ok(Material::Nothing);
            }
            if matches!(self.chosen.known(), Some(MsgType::Markdown | MsgType::MarkdownV2)) {
                self.warn_of_markdown(alert.body.as_deref());
            }
        }
        Ok(Material::Alert(Box::new(alert)))
    }

    /// JSON or a template, decoded.
    fn data(&mut self, json: &JsonInput, encoding: Encoding) -> Result<String> {
        json.read(encoding, &mut self.target.warnings)
    }

    /// Warns where the Markdown of the sender's own text is shown as it is written.
    fn warn_of_markdown(&mut self, text: Option<&str>) {
        let option = self.request.first_alert_option(&self.target.settings).filter(|_| self.is_alert);
        if option.is_none() && self.chosen.known() != Some(MsgType::Text) {
            return;
        }
        let Some(found) = text.and_then(first_markdown) else { return };
        self.target.warnings.push(match option {
            Some(option) => format!(
                "{found} is shown as it is written: beside {option} the text is data; to use Markdown in it, leave {option} \
                 out and put the heading into the text, with -t markdown"
            ),
            None => format!("{found} is shown as it is written: give -t markdown"),
        });
    }

    /// A text as it is, a file, or only files.
    fn plain(&mut self, material: Material) -> Result<(Material, Option<String>), Stop> {
        let msgtype = check_type(&self.chosen, &material, self.target.channel)?;
        let is_file = matches!(material, Material::File(..) | Material::MediaId(_));
        if is_file {
            refuse_unused(self.request, Some(msgtype), &self.target.settings)?;
        }
        if let Material::File(kind, file) = &material {
            // A file that the channel does not take is reported before anything about the text.
            files::check_file(*kind, file, self.target)?;
        }
        let input = &self.request.input;
        if is_file && msgtype.facts().text.is_none() {
            if input.text.is_none() && input.text_file.is_none() {
                return Ok((material, None));
            }
            return Err(Error::usage(
                format!("a message of type {} has no text", self.chosen.name),
                "send the text with a command of its own, or send the text with the file after it: --attach",
            )
            .into());
        }
        let is_required = !is_file && input.attach.is_empty();
        Ok((material, self.text(is_required)?))
    }

    /// The text, from where the options say; one that is not required may be missing, and what is piped in may be empty.
    fn text(&mut self, is_required: bool) -> Result<Option<String>, Stop> {
        let input = &self.request.input;
        let named = match (&input.text, &input.text_file) {
            (Some(text), _) => Some(TextSource::Argument(text)),
            (None, Some(path)) => Some(TextSource::from_path(path)),
            (None, None) => None,
        };
        // Stdin is read where nothing else gives the message, no attachment reads it, and it is no terminal.
        let is_piped = matches!(self.source, MessageSource::Text)
            && !input.is_whole
            && !input.attach.iter().any(|path| is_stdin(path))
            && !std::io::stdin().is_terminal();
        let (is_named, is_whole) = (named.is_some(), input.is_whole);
        let Some(from) = named.or(is_piped.then_some(TextSource::Stdin)) else {
            if !is_required {
                return Ok(None);
            }
            if input.is_whole {
                return Err(
                    Error::usage("there is nothing to send", "give a text, a title, fields or a payload").into()
                );
            }
            return Err(Error::usage(
                "there is no text to send: no CONTENT was given and stdin is a terminal",
                "give the text as an argument, pipe it in, or name a file with --text-file",
            )
            .into());
        };
        let Target { settings, warnings, .. } = &mut *self.target;
        let read = read_text(&from, settings.encoding, settings.escapes, settings.language.words())?;
        warnings.extend(read.warnings);
        self.left_out = read.left_out;
        match self.unless_empty(read.text, || empty_text(&from, is_whole)) {
            Err(Stop::Failed(_)) if !is_required && !is_named => Ok(None),
            text => text.map(Some),
        }
    }

    /// The text, or where it is blank what the options say: skip, another text, or an error.
    fn unless_empty(&self, text: String, empty: impl FnOnce() -> Error) -> Result<String, Stop> {
        let settings = &self.target.settings;
        match &settings.if_empty {
            _ if !is_blank(&text) => Ok(text),
            _ if settings.is_option(Setting::SkipEmpty) => Err(Stop::Skipped),
            Some(instead) if !is_blank(instead) => Ok(clean(instead)),
            _ if settings.skip_empty => Err(Stop::Skipped),
            _ => Err(empty().into()),
        }
    }

    /// Refuses a chosen type that no alert or text can have.
    fn check_chosen(&self) -> Result<()> {
        match self.chosen.origin {
            TypeOrigin::Best => Ok(()),
            _ => check_type(&self.chosen, &Material::Nothing, self.target.channel).map(drop),
        }
    }
}

/// Refuses a type that a text alone cannot have. Types of alerts need more than a text: those are not taken for an alert.
fn check_text_type(chosen: &ChosenType, channel: Channel) -> Result<()> {
    let msgtype = check_type(chosen, &Material::Nothing, channel)?;
    match msgtype.facts().made_of {
        MadeOf::Alert => Err(Error::config(
            format!("a message of type {} needs more than a text", chosen.name),
            "set msgtype to text or markdown; alerts get their best type by themselves",
        )),
        MadeOf::Text | MadeOf::File | MadeOf::Payload => Ok(()),
    }
}

/// `is_whole` says that the text is that of one among many alerts.
fn empty_text(from: &TextSource<'_>, is_whole: bool) -> Error {
    let place = match from {
        TextSource::Argument(_) if is_whole => {
            return Error::usage(
                "the text is empty",
                "check what writes it; skip_empty sends nothing for empty text, if_empty sends another text instead",
            );
        }
        TextSource::Argument(text) => {
            let what = if text.is_empty() { "is empty" } else { "has only white space in it" };
            return Error::usage(
                format!("the text is empty: CONTENT, the argument, {what}"),
                "check the variable or command that gives it; --skip-empty sends nothing for empty text, --if-empty TEXT sends \
                 that instead",
            );
        }
        TextSource::File(path) => format!("{path:?}"),
        TextSource::Stdin => "stdin".to_owned(),
    };
    Error::usage(
        format!("the text is empty: {place} has only white space in it"),
        "check the command before the pipe; --skip-empty sends nothing for empty text, --if-empty TEXT sends that instead",
    )
}
