//! An alert as `template_card` (document paths 90236 and 99110). Cards have no markup: nothing is escaped.
//!
//! The lengths are recommendations: a client may cut longer text. So what is too long for its field is whole in a
//! longer one, and what has no room on the card is left over for the caller to send.

use std::borrow::Cow;

use super::outline::{behind, chars, fill, flat, join, truncate};
use super::{Alert, Button, Field, Fitted, Level};
use crate::channel::Channel;
use crate::error::Result;
use crate::message::card::{
    CardAction, CardButton, CardEmphasis, CardImage, CardJump, CardSource, CardType, Checkbox, CheckboxOption,
    HorizontalContent, Lengths, MainTitle, QuoteArea, Select, SelectOption, SubmitButton, TemplateCard,
    VerticalContent,
};
use crate::sanitize::chinese_chars;
use crate::words::spaced;

const MOST_JUMPS: usize = 3;
const MOST_HORIZONTAL: usize = 6;
const MOST_VERTICAL: usize = 4;

/// `type` of what opens an address.
const OPENS_URL: i64 = 1;

/// How the answer is named in the event.
const QUESTION_KEY: &str = "choice";
pub(crate) const SUBMIT_KEY: &str = "submit";

/// The colours of a source.
const GREY: i64 = 0;
const RED: i64 = 2;
const GREEN: i64 = 3;

impl Alert {
    /// As a card of this type. Short fields go into the list of names and values, as many as it takes; the others and
    /// the body below the title.
    ///
    /// # Errors
    ///
    /// Usage: something that the card has no place for on this channel, or something that it needs and is not there.
    pub fn card(&self, card_type: CardType, channel: Channel) -> Result<Fitted<TemplateCard>> {
        self.check_card_limits(card_type, channel)?;
        let lengths = Lengths::of(channel, card_type);
        let (title, status) = self.card_title(lengths.title);
        let is_asking = card_type.is_asking();
        let has_sub_title = matches!(card_type, CardType::TextNotice | CardType::ButtonInteraction);

        let (listed, others) =
            if is_asking { (Vec::new(), self.fields.iter().collect()) } else { self.listed(lengths) };
        let (below, others) =
            if card_type == CardType::NewsNotice { stacked(others, lengths) } else { (Vec::new(), others) };
        let jumps = if card_type.is_notice() { self.card_jumps() } else { Vec::new() };
        let is_jump = |line: &Cow<'_, str>| {
            let link = self.body_link(line);
            link.is_some_and(|link| jumps.iter().any(|jump| jump.url.as_deref() == Some(link.url)))
        };
        let fields = others.into_iter().flat_map(|field| field.lines(self.words().colon));
        let lines = status.into_iter().chain(fields).map(Cow::Owned);
        let lines = lines.chain(self.body_lines().filter(|line| !is_jump(line)));
        let room = if has_sub_title { lengths.sub_title } else { lengths.title_desc };
        let is_title_long = title.as_ref().is_some_and(|title| chars(title) > lengths.title);
        let (text, rest) = self.below_title(title.clone().filter(|_| is_title_long), lines, room);
        let (sub_title_text, desc) = if has_sub_title { (text, None) } else { (None, text) };

        let card = TemplateCard {
            card_type: card_type.as_str().to_owned(),
            source: self.card_source(is_asking),
            task_id: self.task_id.clone(),
            main_title: Some(MainTitle { title: title.map(|title| truncate(&title, lengths.title, chars)), desc }),
            quote_area: self
                .quote
                .as_ref()
                .map(|quote| QuoteArea { quote_text: Some(quote.clone()), ..<_>::default() }),
            emphasis_content: self.emphasis.as_ref().map(|emphasis| CardEmphasis {
                title: Some(emphasis.title.clone()),
                desc: Some(emphasis.desc.clone()),
            }),
            sub_title_text,
            card_image: self.picurl.as_ref().map(|url| CardImage { url: url.clone(), aspect_ratio: None }),
            vertical_content_list: filled(below),
            horizontal_content_list: filled(listed),
            jump_list: filled(jumps.clone()),
            card_action: self.link.as_ref().map(|link| CardAction {
                r#type: Some(OPENS_URL),
                url: Some(link.url.clone()),
                ..CardAction::default()
            }),
            ..TemplateCard::default()
        };
        Ok(Fitted { content: self.with_answers(card, card_type), rest })
    }

    /// What stands below the title, which leads it where its own place is too short, and what has no room there. What
    /// would have to be cut is whole in the second.
    fn below_title<'l>(
        &self,
        long_title: Option<String>,
        lines: impl Iterator<Item = Cow<'l, str>> + Clone,
        room: usize,
    ) -> (Option<String>, Option<String>) {
        let mut over = None;
        // The last line has no line break after it.
        let room = room + 1;
        let cost = |line: &str| chars(line) + 1;
        let mut title = long_title.map(Cow::Owned);
        if title.is_some() {
            let (taken, _) = fill(title.clone().into_iter().chain(lines.clone()), room, cost);
            if taken.first() != title.as_ref() {
                // Cut once more it would say no more than in its own place. The caller puts the prefix before it.
                let title = title.take().map(Cow::into_owned);
                over = self.heading().or(title);
            }
        }
        let lines = title.into_iter().chain(lines);
        let (taken, rest) = fill(lines.clone(), room, cost);
        let is_cut = rest.is_some() && taken.first() != lines.clone().next().as_ref();
        let rest = if is_cut { Some(join(lines, "\n")) } else { rest };
        let text = Some(taken.join("\n")).filter(|text| !text.is_empty());
        let over: Vec<_> = over.into_iter().chain(rest).collect();
        (text, Some(over.join("\n")).filter(|over| !over.is_empty()))
    }

    /// The fields that the list of names and values can show whole, and the others.
    fn listed(&self, lengths: &Lengths) -> (Vec<HorizontalContent>, Vec<&Field>) {
        let mut listed = Vec::new();
        let mut others = Vec::new();
        for field in &self.fields {
            let (keyname, value) = (field.key_line(), field.value_line());
            let fits = chinese_chars(&keyname) <= lengths.horizontal_key && chars(&value) <= lengths.horizontal_value;
            if fits && !keyname.is_empty() && listed.len() < MOST_HORIZONTAL {
                let value = Some(value).filter(|value| !value.is_empty());
                listed.push(HorizontalContent { keyname, value, ..HorizontalContent::default() });
            } else {
                others.push(field);
            }
        }
        (listed, others)
    }

    fn card_source(&self, is_asking: bool) -> Option<CardSource> {
        let desc = flat(self.source.as_deref()?);
        // Cards with questions have no colour.
        let desc_color = self.level.filter(|_| !is_asking).map(|level| match level {
            level if level.is_alarm() => RED,
            Level::Ok => GREEN,
            _ => GREY,
        });
        Some(CardSource { icon_url: None, desc: Some(desc), desc_color })
    }

    /// The title of a card, which is short: the name of what happened comes before the words of status that the title of a
    /// notification begins with, and before the level then. Where they have no room beside the name, they are the second, which
    /// is shown below it.
    fn card_title(&self, room: usize) -> (Option<String>, Option<String>) {
        let title = self.title_line().filter(|_| self.status_len > 0);
        let Some((status, name)) = title.as_deref().and_then(|title| title.split_at_checked(self.status_len)) else {
            return (self.full_title(), None);
        };
        let status = status.trim_end_matches([' ', ':', '：']);
        let status = behind(self.level_label().unwrap_or_default(), status);
        let name = self.behind_prefix(name);
        let title = spaced(&name, &status);
        if chars(&title) <= room || chars(&name) > room {
            return (Some(title), None);
        }
        (Some(name), Some(status))
    }

    /// The links below the text: that of the alert, if it has a label, those given, and links of the body as far as there
    /// is room.
    fn card_jumps(&self) -> Vec<CardJump> {
        let own = self.link.as_ref().zip(self.link_label()).map(|(link, label)| jump(label, &link.url));
        let mut jumps: Vec<_> =
            own.into_iter().chain(self.jumps.iter().map(|its| jump(flat(&its.title), &its.url))).collect();
        let links = || self.body_text().unwrap_or_default().split('\n').filter_map(|line| self.body_link(line));
        for link in links() {
            // Each of several alerts may have one of that name: below the text nothing tells them apart.
            let is_only = links().filter(|other| other.name == link.name).nth(1).is_none();
            if is_only && jumps.len() < MOST_JUMPS {
                jumps.push(jump(link.name.to_owned(), link.url));
            }
        }
        jumps
    }

    fn drop_down(&self) -> Select {
        Select { question_key: QUESTION_KEY.to_owned(), option_list: self.options.clone(), ..Select::default() }
    }

    /// The card with its buttons or choices.
    fn with_answers(&self, mut card: TemplateCard, card_type: CardType) -> TemplateCard {
        match card_type {
            CardType::TextNotice | CardType::NewsNotice => return card,
            CardType::ButtonInteraction => {
                let button = |its: &Button| CardButton {
                    text: its.text.clone(),
                    style: its.style.map(i64::from),
                    key: Some(its.key.clone()),
                    ..CardButton::default()
                };
                card.button_list = Some(self.buttons.iter().map(button).collect());
                card.button_selection = (!self.options.is_empty()).then(|| self.drop_down());
                return card;
            }
            CardType::VoteInteraction => {
                let option = |SelectOption { id, text }: SelectOption| CheckboxOption { id, text, is_checked: false };
                card.checkbox = Some(Checkbox {
                    question_key: QUESTION_KEY.to_owned(),
                    mode: None,
                    option_list: self.options.iter().cloned().map(option).collect(),
                });
            }
            CardType::MultipleInteraction => {
                card.select_list = Some(vec![self.drop_down()]);
            }
        }
        card.submit_button = Some(SubmitButton { text: self.words().submit.to_owned(), key: SUBMIT_KEY.to_owned() });
        card
    }
}

/// The fields that a title with a text under it can show whole, and the others.
fn stacked<'f>(fields: Vec<&'f Field>, lengths: &Lengths) -> (Vec<VerticalContent>, Vec<&'f Field>) {
    let mut stacked = Vec::new();
    let mut others = Vec::new();
    for field in fields {
        let (title, desc) = (field.key_line(), field.value_lines().join("\n"));
        let fits = chars(&title) <= lengths.vertical && chars(&desc) <= lengths.vertical_desc;
        if fits && !title.is_empty() && stacked.len() < MOST_VERTICAL {
            stacked.push(VerticalContent { title, desc: Some(desc).filter(|desc| !desc.is_empty()) });
        } else {
            others.push(field);
        }
    }
    (stacked, others)
}

fn jump(title: String, url: &str) -> CardJump {
    CardJump { r#type: Some(OPENS_URL), title, url: Some(url.to_owned()), ..CardJump::default() }
}

fn filled<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
