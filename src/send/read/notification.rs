//! Reads the notification of another program, and fills a template with its data.

use std::path::Path;

use serde_json::Value;

use super::{Reader, Stop};
use crate::alert::Alert;
use crate::cards::CardData;
use crate::channel::{Markup, MsgType};
use crate::clock;
use crate::error::{Error, Result};
use crate::feed::{self, FeedFormat, Notification};
use crate::input::{Encoding, clean, is_blank};
use crate::json::parse_json;
use crate::send::draft::Material;
use crate::send::msgtype::{ChosenType, choose_type, is_made_of_alert, refuse_unused};
use crate::send::request::JsonInput;
use crate::send::source::{FeedSource, MessageSource};
use crate::send::target::LostPart;
use crate::send::{build_alert, parts, payload};
use crate::template::{self, Escaping};
use crate::words::{Language, MissingFile};

/// What a template made.
enum Filled {
    Text(String),
    /// A whole body.
    Payload(Value),
}

impl Reader<'_> {
    /// A notification of another program, or what a template made of its data.
    pub(super) fn feed(&mut self, feed: &FeedSource) -> Result<(Material, Option<String>), Stop> {
        let data = self.data(&feed.data, self.target.settings.encoding)?;
        if is_blank(&data) {
            let text = self.unless_empty(data, || empty_data(&feed.data))?;
            return self.said(None, Some(text));
        }
        if self.request.alert.card.is_some() || feed.template.as_deref().is_some_and(makes_json) {
            // What is wrong with it is said below.
            let value = serde_json::from_str(data.trim_start_matches('\u{feff}'));
            self.card_data = value.map(CardData::of).unwrap_or_default();
        }
        // With a template too, the data must be a notification of that format.
        let own = feed.format.map(|format| self.notification(format, &data)).transpose()?;
        let Some(path) = &feed.template else { return self.said(own, None) };
        match (self.filled(path, &feed.data, &data), own) {
            (Ok(Filled::Payload(payload)), _) => Ok((Material::Payload(payload), None)),
            (Ok(Filled::Text(text)), own) => {
                self.around = own.map(|own| self.around(own.alert(Language::English)));
                self.said(None, Some(text))
            }
            (Err(Stop::Failed(error)), Some(own)) => {
                // Nobody is there to correct the template: the notification goes out as it does without one.
                self.unfilled = Some(LostPart { file: None, missing: MissingFile::Unusable, error });
                let plain = FeedSource { template: None, ..feed.clone() };
                self.source = MessageSource::Feed(plain);
                self.chosen = choose_type(self.request, &self.source, true, &self.target.settings)?;
                self.is_alert = is_made_of_alert(&self.chosen, true);
                if !self.is_alert
                    || self.chosen.known() == Some(MsgType::TemplateCard) && self.request.alert.card.is_none()
                {
                    self.chosen = ChosenType::unasked(true);
                    self.is_alert = true;
                }
                self.said(Some(own), None)
            }
            (Err(stop), _) => Err(stop),
        }
    }

    /// What is left of a notification whose text a template made: its level, and for a type that must have one, its link.
    fn around(&self, own: Alert) -> Alert {
        let needs_link = matches!(self.chosen.known(), Some(MsgType::Textcard | MsgType::News | MsgType::TemplateCard));
        Alert { level: own.level, link: own.link.filter(|_| needs_link), ..Alert::default() }
    }

    fn notification(&mut self, format: FeedFormat, data: &str) -> Result<Notification> {
        let now = clock::now();
        feed::read(format, data, &feed::Clock { now, show: &clock::minute }, &mut self.target.warnings)
    }

    /// What the template at `path` makes of the JSON that was read from `from`.
    fn filled(&mut self, path: &Path, from: &JsonInput, data: &str) -> Result<Filled, Stop> {
        let name = path.display().to_string();
        let json = makes_json(path);
        if json {
            refuse_unused(self.request, None, &self.target.settings)?;
        }
        let escaping = if json { Escaping::Json } else { self.escaping() };
        let data = parse_json(data, &mut self.target.warnings).map_err(|error| {
            Error::usage(
                format!("the data from {} is not JSON: {error}", from.name()),
                "check it with jq; a template takes only JSON",
            )
        })?;
        // The encoding that is set is that of the data.
        let source = self.data(&JsonInput::File(path.to_owned()), Encoding::Auto)?;
        let time = self.target.settings.deadline;
        let filled = template::render(&name, &source, &data, escaping, clock::in_local_zone, time)?;
        if json {
            let name = format!("the template {name}");
            let payload = payload::parse(&name, &filled, &self.chosen, &mut self.target.warnings)?;
            parts::check_payload(&payload, self.target)?;
            return Ok(Filled::Payload(payload));
        }
        let text = self.unless_empty(clean(&filled), || {
            Error::usage(
                "the text is empty: with this data the template makes only white space",
                "correct the template; --skip-empty sends nothing for empty text, --if-empty TEXT sends that instead",
            )
        })?;
        Ok(Filled::Text(text))
    }

    /// A notification, or a text that takes its place.
    fn said(&mut self, own: Option<Notification>, text: Option<String>) -> Result<(Material, Option<String>), Stop> {
        self.check_chosen()?;
        self.warn_of_markdown(text.as_deref());
        if !self.is_alert {
            return Ok((Material::Nothing, text));
        }
        let language = self.target.settings.language;
        let alert = own.as_ref().map(|own| own.alert(language)).or_else(|| self.around.clone());
        let mut alert = build_alert::put_together(self.request, self.target, alert, self.ci, language)?;
        self.notification = own;
        if self.notification.is_some() {
            build_alert::replace_news_notice(&mut alert, &mut self.target.warnings);
        }
        alert.body = text.or(alert.body);
        Ok((Material::Alert(Box::new(alert)), None))
    }

    /// How values in a template are escaped. The text of an alert is escaped when that is rendered.
    fn escaping(&self) -> Escaping {
        match self.chosen.known() {
            _ if self.is_alert => Escaping::Nothing,
            chosen => Escaping::Text(chosen.map_or(Markup::Plain, |msgtype| {
                let channel = self.target.channel;
                channel.markup(channel.own_type(msgtype))
            })),
        }
    }
}

fn empty_data(from: &JsonInput) -> Error {
    Error::usage(
        format!("the input is empty: {} has only white space in it", from.name()),
        "check the command before the pipe; --skip-empty sends nothing for empty input, --if-empty TEXT sends that instead",
    )
}

/// Whether a template makes JSON: its name ends in `.json`, before `.j2`, `.jinja` or `.jinja2`.
fn makes_json(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let name = [".j2", ".jinja", ".jinja2"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    name.ends_with(".json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_of_that_name_makes_json() {
        for name in ["card.json", "a/card.json.j2", "card.JSON.jinja", "card.json.jinja2"] {
            assert!(makes_json(Path::new(name)), "{name}");
        }
        for name in ["text.j2", "text.txt", "json", "a.json/text.j2", "card.json.txt", ""] {
            assert!(!makes_json(Path::new(name)), "{name}");
        }
    }
}
