//! Checks an alert against the limits of its card: refuses what the card cannot show and what it lacks, and names an
//! alternative (document paths 90236 and 99110).

use super::Alert;
use crate::channel::Channel;
use crate::error::{Error, Result};
use crate::message::card::CardType;

const FIGURES: &str = "text_notice";
const NOTICES: &str = "text_notice or news_notice";
const QUOTABLE: &str = "text_notice, news_notice or button_interaction";
const CHOOSABLE: &str = "vote_interaction or multiple_interaction";

const MOST_BUTTONS: usize = 6;
const MOST_JUMPS: usize = 3;
const MOST_CHOICES: usize = 20;
const MOST_SELECTABLE: usize = 10;

impl Alert {
    /// Refuses what the card cannot show or lacks.
    pub(super) fn check_card_limits(&self, card_type: CardType, channel: Channel) -> Result<()> {
        let name = card_type.as_str();
        if !card_type.is_on(channel) {
            return Err(Error::usage(
                format!("{} has no {name} cards", channel.facts().noun),
                format!("use --card {NOTICES}, or send it with app-send"),
            ));
        }
        self.check_unshown(card_type, channel)?;
        self.check_missing(card_type, channel)?;
        self.check_counts(card_type)
    }

    fn check_unshown(&self, card_type: CardType, channel: Channel) -> Result<()> {
        let is_asking = card_type.is_asking();
        let is_buttons = card_type == CardType::ButtonInteraction;
        let has_label = self.link.as_ref().is_some_and(|link| link.label.is_some());
        let extras = [
            ("--button", !self.buttons.is_empty() && !is_buttons, "button_interaction", true),
            ("--option", !self.options.is_empty() && card_type.is_notice(), CHOOSABLE, true),
            ("--emphasis", self.emphasis.is_some() && card_type != CardType::TextNotice, FIGURES, false),
            ("--quote", self.quote.is_some() && is_asking, QUOTABLE, false),
            ("--jump", !self.jumps.is_empty() && !card_type.is_notice(), NOTICES, false),
            ("--picurl", self.picurl.is_some() && card_type != CardType::NewsNotice, "news_notice", false),
            ("--btntxt", has_label && !card_type.is_notice(), NOTICES, false),
            ("--url", self.link.is_some() && is_asking, QUOTABLE, false),
        ];
        let has_all = channel.has_interactive_cards();
        if let Some((option, _, cards, is_pressed)) = extras.into_iter().find(|(_, is_extra, ..)| *is_extra) {
            // Of the cards that have it, those on this channel.
            let cards = if !has_all && cards == QUOTABLE { NOTICES } else { cards };
            let where_to = if has_all || !is_pressed { "" } else { " with app-send" };
            let (name, noun) = (card_type.as_str(), channel.facts().noun);
            return Err(Error::usage(
                format!("a {name} card of {noun} has no place for {option}"),
                format!("use --card {cards}{where_to}, or leave {option} out"),
            ));
        }
        if self.task_id.is_some() && !has_all {
            let hint = "leave --task-id out, or send it with app-send";
            let noun = channel.facts().noun;
            return Err(Error::usage(format!("a card of {noun} has no place for --task-id"), hint));
        }
        Ok(())
    }

    fn check_missing(&self, card_type: CardType, channel: Channel) -> Result<()> {
        let name = card_type.as_str();
        let lack = |what: &str, hint: &str| Err(Error::usage(format!("a {name} card needs {what}"), hint));
        match card_type {
            CardType::TextNotice | CardType::NewsNotice
                if self.link.as_ref().is_none_or(|link| link.url.is_empty()) =>
            {
                let hint = if channel.has_interactive_cards() {
                    "add --url, use --card button_interaction, or send it with -t markdown"
                } else {
                    "add --url, or send it with -t markdown"
                };
                return lack("a link", hint);
            }
            CardType::NewsNotice if self.picurl.as_ref().is_none_or(String::is_empty) => {
                return lack("a picture", "add --picurl, or use --card text_notice");
            }
            CardType::ButtonInteraction if self.buttons.is_empty() => {
                return lack("buttons", "add --button KEY=TEXT, or use --card text_notice");
            }
            CardType::VoteInteraction | CardType::MultipleInteraction if self.options.is_empty() => {
                return lack("options", "add --option ID=TEXT, or use --card text_notice");
            }
            _ => {}
        }
        if !card_type.is_notice() && self.task_id.is_none() {
            return lack("a task id", "add --task-id, new for each message");
        }
        match self.full_title() {
            Some(_) => Ok(()),
            None if card_type == CardType::TextNotice && self.body_text().is_some() => Ok(()),
            None if card_type == CardType::TextNotice => lack("a title or a text", "add --title, or give a text"),
            None => lack("a title", "add --title, or use --card text_notice"),
        }
    }

    fn check_counts(&self, card_type: CardType) -> Result<()> {
        let name = card_type.as_str();
        let links = self.jumps.len() + usize::from(self.link_label().is_some());
        let (count, most, what, hint) = match card_type {
            CardType::TextNotice | CardType::NewsNotice => {
                (links, MOST_JUMPS, "links below its text", "leave a --jump out; a --btntxt counts as one")
            }
            CardType::ButtonInteraction if self.options.len() > MOST_SELECTABLE => {
                (self.options.len(), MOST_SELECTABLE, "options", "leave an --option out")
            }
            CardType::ButtonInteraction => (self.buttons.len(), MOST_BUTTONS, "buttons", "leave a --button out"),
            CardType::VoteInteraction => (self.options.len(), MOST_CHOICES, "options", "leave an --option out"),
            CardType::MultipleInteraction => {
                let hint = "leave an --option out, or use --card vote_interaction, which has up to 20";
                (self.options.len(), MOST_SELECTABLE, "options", hint)
            }
        };
        if count > most {
            return Err(Error::usage(format!("a {name} card has at most {most} {what}, not {count}"), hint));
        }
        Ok(())
    }
}
