//! Validation of the fields inside the blocks of template cards (document path 90236 for apps, 99110 for webhooks, 101032 for
//! aibots).
//! Which card has which block is checked in `matrix`.

use super::{
    ActionMenu, CardButton, CardImage, CardJump, CardSource, CardType, Checkbox, HorizontalContent, Lengths, MainTitle,
    Select, SubmitButton, TemplateCard, matrix,
};
use strum::VariantArray;

use crate::channel::{Cards, Channel};
use crate::message::finding::{At, shown};
use crate::message::rules::{Rules, or_empty};
use crate::message::shape::unknown;
use crate::words::Language;

const KEY_BYTES: usize = 1024;
const ID_BYTES: usize = 128;

/// The longest `task_id`, in bytes.
pub const TASK_ID_BYTES: usize = 128;

impl Rules for TemplateCard {
    fn check(&self, channel: Channel, at: &mut At<'_>) {
        let Some(card_type) = check_type(&self.card_type, channel, &mut at.field("card_type")) else {
            return;
        };
        matrix::check(self, card_type, channel, at);
        let lengths = Lengths::of(channel, card_type);
        self.check_head(card_type, channel, lengths, at);
        self.check_middle(channel, lengths, at);
        self.check_links(card_type, channel, lengths, at);
        self.check_interaction(channel, lengths, at);
        at.given("feedback", &self.feedback, |feedback, at| feedback.check(channel, at));
    }
}

impl TemplateCard {
    fn check_head(&self, card_type: CardType, channel: Channel, lengths: &Lengths, at: &mut At<'_>) {
        at.given("source", &self.source, |source, at| check_source(source, card_type, lengths, at));
        at.given("task_id", &self.task_id, |task_id, at| check_task_id(task_id, at));
        if self.action_menu.is_some()
            && self.task_id.is_none()
            && card_type.is_notice()
            && channel.has_interactive_cards()
        {
            at.field("task_id").error("missing, a card with action_menu needs it");
        }
        at.given("action_menu", &self.action_menu, check_menu);
        at.given("main_title", &self.main_title, |title, at| {
            at.field("title").advised_chars(or_empty(&title.title), lengths.title);
            at.field("desc").advised_chars(or_empty(&title.desc), lengths.title_desc);
        });
        let title = self.main_title.as_ref().map(|MainTitle { title, .. }| or_empty(title));
        if card_type == CardType::TextNotice {
            if title.is_none_or(str::is_empty) && or_empty(&self.sub_title_text).is_empty() {
                at.error("neither main_title.title nor sub_title_text is given, one is required");
            }
        } else if title == Some("") {
            // Without the object, the matrix has said so already.
            at.field("main_title").field("title").error("missing, but required");
        }
        at.field("sub_title_text").advised_chars(or_empty(&self.sub_title_text), lengths.sub_title);
        let has_picture = self.card_image.is_some() || self.image_text_area.is_some();
        if card_type == CardType::NewsNotice && channel.has_interactive_cards() && !has_picture {
            at.error("neither card_image nor image_text_area is given, one is required");
        }
    }

    fn check_middle(&self, channel: Channel, lengths: &Lengths, at: &mut At<'_>) {
        at.given("quote_area", &self.quote_area, |quote, at| check_link(quote.r#type, &quote.url, &quote.appid, at));
        at.given("emphasis_content", &self.emphasis_content, |emphasis, at| {
            at.field("title").advised_chars(or_empty(&emphasis.title), lengths.emphasis);
            at.field("desc").advised_chars(or_empty(&emphasis.desc), lengths.emphasis_desc);
        });
        at.given("image_text_area", &self.image_text_area, |area, at| {
            check_link(area.r#type, &area.url, &area.appid, at);
            at.field("image_url").filled(&area.image_url);
        });
        at.given("card_image", &self.card_image, check_image);
        at.given("vertical_content_list", &self.vertical_content_list, |list, at| {
            at.items(list, "items", 0..=4, |item, at| {
                at.field("title").filled(&item.title).advised_chars(&item.title, lengths.vertical);
                at.field("desc").advised_chars(or_empty(&item.desc), lengths.vertical_desc);
            });
        });
        at.given("horizontal_content_list", &self.horizontal_content_list, |list, at| {
            at.items(list, "items", 0..=6, |item, at| check_horizontal(item, channel, lengths, at));
        });
    }

    fn check_links(&self, card_type: CardType, channel: Channel, lengths: &Lengths, at: &mut At<'_>) {
        at.given("jump_list", &self.jump_list, |list, at| {
            at.items(list, "items", 0..=3, |jump, at| {
                check_jump(jump, channel, at);
                at.field("title").filled(&jump.title).advised_chars(&jump.title, lengths.jump);
            });
        });
        at.given("card_action", &self.card_action, |action, at| match action.r#type {
            None if card_type.is_notice() => at.field("type").error("missing, 1 or 2 is required on notice cards"),
            Some(0) if card_type.is_notice() => at.field("type").error("0, but notice cards need 1 or 2"),
            kind => check_link(kind, &action.url, &action.appid, at),
        });
    }

    fn check_interaction(&self, channel: Channel, lengths: &Lengths, at: &mut At<'_>) {
        let check_select = |select: &Select, at: &mut At<'_>| check_select(select, lengths, at);
        at.given("button_selection", &self.button_selection, check_select);
        at.given("button_list", &self.button_list, |buttons, at| check_buttons(buttons, channel, at));
        at.given("checkbox", &self.checkbox, |checkbox, at| check_checkbox(checkbox, lengths, at));
        at.given("select_list", &self.select_list, |selects, at| {
            at.count(selects.len(), "lists", 1..=3);
            at.unique("question_key", selects.iter().map(|select| Some(select.question_key.as_str())));
            at.each(selects, check_select);
        });
        at.given("submit_button", &self.submit_button, |SubmitButton { text, key }, at| {
            at.field("text").filled(text).advised_chars(text, 10);
            at.field("key").key(key, KEY_BYTES);
        });
    }
}

fn check_type(name: &str, channel: Channel, at: &mut At<'_>) -> Option<CardType> {
    let known: Vec<_> = CardType::VARIANTS
        .iter()
        .filter(|card_type| card_type.is_on(channel))
        .map(|card_type| card_type.as_str())
        .collect();
    let hint = format!("use one of {}", known.join(", "));
    match name.parse() {
        Ok(card_type) if known.contains(&name) => return Some(card_type),
        Ok(_) => {
            let hint = format!("send it with app-send, or {hint}");
            at.error_with_hint(format!("{name} cards exist in app messages only, not through webhooks"), hint);
        }
        Err(_) => at.error_with_hint(format!("{}: {}", shown(name), unknown("card type", name, &known)), hint),
    }
    None
}

fn check_source(source: &CardSource, card_type: CardType, lengths: &Lengths, at: &mut At<'_>) {
    at.field("desc").advised_chars(or_empty(&source.desc), lengths.source);
    let mut at = at.field("desc_color");
    match card_type {
        CardType::VoteInteraction | CardType::MultipleInteraction if source.desc_color.is_some() => {
            let others = "text_notice, news_notice, button_interaction";
            at.error(format!("{} cards do not have it, only these do: {others}", card_type.as_str()));
        }
        _ => at.one_of(source.desc_color, 0..=3),
    }
}

fn check_task_id(task_id: &str, at: &mut At<'_>) {
    at.key(task_id, TASK_ID_BYTES);
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@');
    if let Some(other) = task_id.chars().find(|c| !allowed(*c)) {
        let problem = format!("holds {}, but only letters, digits, _, - and @ are allowed", shown(&other.to_string()));
        at.error_with_hint(problem, "take a hash or a UUID");
    }
}

fn check_menu(menu: &ActionMenu, at: &mut At<'_>) {
    let mut at = at.field("action_list");
    at.count(menu.action_list.len(), "actions", 1..=3);
    at.unique("key", menu.action_list.iter().map(|action| Some(action.key.as_str())));
    at.each(&menu.action_list, |action, at| {
        at.field("text").filled(&action.text);
        at.field("key").key(&action.key, KEY_BYTES);
    });
}

/// A link that may be a question to the aibot too.
fn check_jump(jump: &CardJump, channel: Channel, at: &mut At<'_>) {
    const ASKS: i64 = 3;
    let question = or_empty(&jump.question);
    match (channel.facts().cards, jump.r#type) {
        (Cards::OfAibot, Some(ASKS)) => {
            at.field("question").max_bytes(question, 200);
            required_by_type(&jump.question, "question", ASKS, at);
        }
        (Cards::OfAibot, kind) => check_link(kind, &jump.url, &jump.appid, at),
        (_, kind) => {
            check_link(kind, &jump.url, &jump.appid, at);
            if jump.question.is_some() {
                at.field("question").error("unknown field; only cards of an aibot have it");
            }
        }
    }
}

/// What quote_area, image_text_area, jump_list and card_action have in common.
fn check_link(kind: Option<i64>, url: &Option<String>, appid: &Option<String>, at: &mut At<'_>) {
    at.field("type").one_of(kind, 0..=2);
    match kind {
        Some(1) => required_by_type(url, "url", 1, at),
        Some(2) => required_by_type(appid, "appid", 2, at),
        _ => {}
    }
}

fn required_by_type(text: &Option<String>, name: &str, kind: i64, at: &mut At<'_>) {
    if or_empty(text).is_empty() {
        at.field(name).error(format!("missing, type {kind} needs it"));
    }
}

fn check_image(image: &CardImage, at: &mut At<'_>) {
    at.field("url").filled(&image.url);
    if let Some(ratio) = &image.aspect_ratio
        && !ratio.as_f64().is_some_and(|ratio| (1.3..=2.25).contains(&ratio))
    {
        at.field("aspect_ratio").error(format!("{ratio}, but it must be between 1.3 and 2.25"));
    }
}

fn check_horizontal(item: &HorizontalContent, channel: Channel, lengths: &Lengths, at: &mut At<'_>) {
    if channel.facts().cards == Cards::OfAibot && item.r#type == Some(2) {
        at.field("type").error_with_hint(
            "2, a file, which cards of an aibot do not have",
            "send the file behind the card with --attach, or link to it with type 1",
        );
    }
    at.field("type").one_of(item.r#type, 0..=3);
    at.field("keyname").filled(&item.keyname).advised_chinese_chars(&item.keyname, lengths.horizontal_key);
    at.field("value").advised_chars(or_empty(&item.value), lengths.horizontal_value);
    match item.r#type {
        Some(1) => required_by_type(&item.url, "url", 1, at),
        Some(2) => required_by_type(&item.media_id, "media_id", 2, at),
        Some(3) => match or_empty(&item.userid) {
            "" => required_by_type(&item.userid, "userid", 3, at),
            id => at.field("userid").userid(id),
        },
        _ => {}
    }
}

fn check_buttons(buttons: &[CardButton], channel: Channel, at: &mut At<'_>) {
    at.count(buttons.len(), "buttons", 1..=6);
    at.unique("key", buttons.iter().map(|button| button.key.as_deref()));
    at.each(buttons, |button, at| {
        if channel.facts().cards == Cards::OfAibot && (button.r#type.is_some() || button.url.is_some()) {
            at.error_with_hint(
                "a button of an aibot has neither type nor url",
                "leave both out; card_action and jump_list open pages",
            );
        }
        at.field("type").one_of(button.r#type, 0..=1);
        // The word on the button of a question without others is ours, and nobody there can shorten it.
        let is_ours = button.text == Language::English.words().acknowledge;
        at.field("text").filled(&button.text).advised_chars(&button.text, if is_ours { usize::MAX } else { 10 });
        at.field("style").one_of(button.style, 1..=4);
        at.field("key").max_bytes(or_empty(&button.key), KEY_BYTES);
        match button.r#type {
            None | Some(0) => required_by_type(&button.key, "key", 0, at),
            Some(1) => required_by_type(&button.url, "url", 1, at),
            _ => {}
        }
    });
}

fn check_checkbox(checkbox: &Checkbox, lengths: &Lengths, at: &mut At<'_>) {
    at.field("question_key").key(&checkbox.question_key, KEY_BYTES);
    at.field("mode").one_of(checkbox.mode, 0..=1);
    let mut at = at.field("option_list");
    at.count(checkbox.option_list.len(), "options", 1..=20);
    at.unique("id", checkbox.option_list.iter().map(|option| Some(option.id.as_str())));
    at.each(&checkbox.option_list, |option, at| {
        at.field("id").key(&option.id, ID_BYTES);
        at.field("text").filled(&option.text).advised_chars(&option.text, lengths.choice);
    });
}

fn check_select(select: &Select, lengths: &Lengths, at: &mut At<'_>) {
    at.field("question_key").key(&select.question_key, KEY_BYTES);
    at.field("title").advised_chars(or_empty(&select.title), lengths.select_title);
    let options = &select.option_list;
    if let Some(id) = select.selected_id.as_ref().filter(|id| !options.iter().any(|option| option.id == **id)) {
        at.field("selected_id")
            .warn(format!("{} is not the id of an option, WeCom selects the first option", shown(id)));
    }
    let mut at = at.field("option_list");
    at.count(options.len(), "options", 1..=10);
    at.unique("id", options.iter().map(|option| Some(option.id.as_str())));
    at.each(options, |option, at| {
        at.field("id").key(&option.id, ID_BYTES);
        at.field("text").filled(&option.text).advised_chars(&option.text, lengths.option);
    });
}
