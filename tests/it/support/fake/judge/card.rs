//! Template cards (document paths 90236 for apps, 99110 for webhooks, 101032 for aibots): which block belongs to which
//! card, field by field. What can be pressed has a file of its own.

use super::super::node::{Checked, Node, refuse};
use super::super::records::MediaKind;
use super::super::world::{Home, World};
use super::card_keys;
use super::media_in;

/// Who sends the card: the pages differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    App,
    /// An app, in the place of a card that it sent (document path 94888).
    Update,
    Webhook,
    /// An aibot (document path 101032).
    Aibot,
    /// An aibot, in the place of a card that somebody pressed (document path 101031).
    AibotUpdate,
}

impl Side {
    pub(super) fn is_update(self) -> bool {
        matches!(self, Self::Update | Self::AibotUpdate)
    }

    pub(super) fn is_aibot(self) -> bool {
        matches!(self, Self::Aibot | Self::AibotUpdate)
    }

    /// Aibots have the lengths of the webhook.
    fn shows(self, app: usize, others: usize) -> usize {
        if matches!(self, Self::App | Self::Update) { app } else { others }
    }
}

/// Whether members can click on a card and the answer carries a `response_code`.
pub(super) struct Interactive;

impl Interactive {
    pub(super) fn is(card: &Node) -> bool {
        let is_notice = matches!(card.text("card_type"), Some("text_notice" | "news_notice"));
        !is_notice || card.has("action_menu")
    }
}

pub(super) fn check(world: &World, home: &Home, side: Side, card: &Node) -> Checked {
    let kind = card.text("card_type").unwrap_or_default();
    let Some(blocks) = blocks(kind, side) else {
        return refuse(42031, "invalid card_type");
    };
    let is_interactive = !matches!(kind, "text_notice" | "news_notice");
    let of_side: &[&str] = match side {
        Side::Update if is_interactive => &["replace_text"],
        Side::Aibot | Side::AibotUpdate => &["feedback"],
        _ => &[],
    };
    card.only(&[&["card_type", "source", "main_title"][..], blocks, of_side].concat());
    card.text("replace_text");
    feedback(card)?;
    source(card, kind, side);
    titles(card, kind, side)?;
    if side != Side::Update {
        task_id(card, side)?;
    } else if card.has("task_id") {
        card.complain("an update has no task_id".into());
    }
    card_keys::action_menu(card)?;
    if let Some(quote) = card.object("quote_area") {
        quote.only(&["type", "url", "appid", "pagepath", "title", "quote_text"]);
        target(&quote, &[0, 1, 2])?;
    }
    if let Some(emphasis) = card.object("emphasis_content") {
        emphasis.only(&["title", "desc"]);
        emphasis.shows_chars("title", side.shows(14, 10));
        emphasis.shows_chars("desc", side.shows(22, 15));
    }
    pictures(card, kind, side)?;
    contents(world, home, side, card)?;
    jumps(card, side)?;
    card_action(card, kind)?;
    if kind == "button_interaction" {
        card_keys::buttons(card, side)?;
    }
    card_keys::questions(card, kind, side)
}

/// The blocks of a card beside those that all have.
fn blocks(kind: &str, side: Side) -> Option<&'static [&'static str]> {
    Some(match (kind, side) {
        ("text_notice", Side::App | Side::Update | Side::Aibot | Side::AibotUpdate) => &[
            "action_menu",
            "task_id",
            "quote_area",
            "emphasis_content",
            "sub_title_text",
            "horizontal_content_list",
            "jump_list",
            "card_action",
        ],
        ("text_notice", Side::Webhook) => {
            &["quote_area", "emphasis_content", "sub_title_text", "horizontal_content_list", "jump_list", "card_action"]
        }
        ("news_notice", Side::App | Side::Update | Side::Aibot | Side::AibotUpdate) => &[
            "action_menu",
            "task_id",
            "quote_area",
            "image_text_area",
            "card_image",
            "vertical_content_list",
            "horizontal_content_list",
            "jump_list",
            "card_action",
        ],
        ("news_notice", Side::Webhook) => &[
            "quote_area",
            "image_text_area",
            "card_image",
            "vertical_content_list",
            "horizontal_content_list",
            "jump_list",
            "card_action",
        ],
        ("button_interaction", Side::App | Side::Update | Side::Aibot | Side::AibotUpdate) => &[
            "action_menu",
            "task_id",
            "quote_area",
            "sub_title_text",
            "horizontal_content_list",
            "card_action",
            "button_selection",
            "button_list",
        ],
        ("vote_interaction", Side::App | Side::Update | Side::Aibot | Side::AibotUpdate) => {
            &["task_id", "checkbox", "submit_button"]
        }
        ("multiple_interaction", Side::App | Side::Update | Side::Aibot | Side::AibotUpdate) => {
            &["task_id", "select_list", "submit_button"]
        }
        _ => return None,
    })
}

fn source(card: &Node, kind: &str, side: Side) {
    let Some(source) = card.object("source") else { return };
    let has_color = !matches!(kind, "vote_interaction" | "multiple_interaction");
    source.only(if has_color { &["icon_url", "desc", "desc_color"] } else { &["icon_url", "desc"] });
    source.text("icon_url");
    source.shows_chars("desc", side.shows(20, 13));
    if source.choice("desc_color", &[0, 1, 2, 3]).is_err() {
        source.complain(format!("{} is not between 0 and 3", source.at("desc_color")));
    }
}

fn titles(card: &Node, kind: &str, side: Side) -> Checked {
    let main = card.object("main_title");
    if main.is_none() && side == Side::Webhook {
        return refuse(40058, "main_title is required");
    }
    let mut has_title = false;
    if let Some(main) = &main {
        main.only(&["title", "desc"]);
        has_title = main.text("title").is_some_and(|title| !title.is_empty());
        let (title, desc) = match (kind, side) {
            (_, Side::Webhook | Side::Aibot | Side::AibotUpdate) => (26, 30),
            ("vote_interaction", _) => (16, 160),
            ("multiple_interaction", _) => (36, 160),
            _ => (36, 44),
        };
        main.shows_chars("title", title);
        main.shows_chars("desc", desc);
    }
    let has_subtitle = card.text("sub_title_text").is_some_and(|text| !text.is_empty());
    card.shows_chars("sub_title_text", side.shows(160, 112));
    match kind {
        "text_notice" if !has_title && !has_subtitle => {
            refuse(40058, "one of main_title.title and sub_title_text is required")
        }
        "text_notice" => Ok(()),
        _ if !has_title => refuse(40058, "main_title.title is required"),
        _ => Ok(()),
    }
}

/// The thumbs under what an aibot sends; the same for its markdown.
pub(super) fn feedback(node: &Node) -> Checked {
    let Some(feedback) = node.object("feedback") else { return Ok(()) };
    feedback.only(&["id"]);
    feedback.max_bytes("id", 256, 40058)
}

fn task_id(card: &Node, side: Side) -> Checked {
    let code = if side.is_aibot() { 846_625 } else { 42014 };
    if !card.has("task_id") {
        // The table of the aibot's page has it optional for this one.
        let is_optional = side.is_aibot() && card.text("card_type") == Some("multiple_interaction");
        let is_needed = Interactive::is(card) && !is_optional;
        return if is_needed { refuse(code, "task_id is missing") } else { Ok(()) };
    }
    let id = card.text("task_id").unwrap_or_default();
    let is_good = (1..=128).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-@".contains(c));
    if is_good { Ok(()) } else { refuse(code, "invalid task_id") }
}

/// `type` 1 needs a `url`, `type` 2 an `appid`.
fn target(node: &Node, types: &[i64]) -> Checked {
    match node.choice("type", types)? {
        1 => node.filled("url", 42028).map(drop),
        2 => {
            node.text("pagepath");
            node.filled("appid", 42030).map(drop)
        }
        _ => Ok(()),
    }
}

fn pictures(card: &Node, kind: &str, side: Side) -> Checked {
    if let Some(area) = card.object("image_text_area") {
        area.only(&["type", "url", "appid", "pagepath", "title", "desc", "image_url"]);
        target(&area, &[0, 1, 2])?;
        area.filled("image_url", 40063)?;
    }
    if let Some(image) = card.object("card_image") {
        image.only(&["url", "aspect_ratio"]);
        image.filled("url", 42044)?;
        if image.number("aspect_ratio").is_some_and(|ratio| !(1.3..=2.25).contains(&ratio)) {
            return refuse(40058, "card_image.aspect_ratio is not between 1.3 and 2.25");
        }
    }
    let is_enough = card.has("card_image") || (side != Side::Webhook && card.has("image_text_area"));
    if kind == "news_notice" && !is_enough { refuse(42044, "card_image is missing") } else { Ok(()) }
}

fn contents(world: &World, home: &Home, side: Side, card: &Node) -> Checked {
    let rows = card.objects("horizontal_content_list").unwrap_or_default();
    if rows.len() > 6 {
        return refuse(42035, "horizontal_content_list has more than 6 items");
    }
    for row in rows {
        row.only(&["type", "keyname", "value", "url", "media_id", "userid"]);
        row.filled("keyname", 42027)?;
        row.shows_chinese_chars("keyname", 5);
        row.shows_chars("value", side.shows(30, 26));
        match row.choice("type", if side.is_aibot() { &[0, 1, 3] } else { &[0, 1, 2, 3] })? {
            1 => drop(row.filled("url", 42028)?),
            2 => drop(media_in(world, row.filled("media_id", 42029)?, MediaKind::File, home)?),
            3 => drop(row.filled("userid", 42050)?),
            _ => {}
        }
    }
    let blocks = card.objects("vertical_content_list").unwrap_or_default();
    if blocks.len() > 4 {
        return refuse(42036, "vertical_content_list has more than 4 items");
    }
    for block in blocks {
        block.only(&["title", "desc"]);
        block.filled("title", 42033)?;
        block.shows_chars("title", side.shows(38, 26));
        block.shows_chars("desc", side.shows(160, 112));
    }
    Ok(())
}

fn jumps(card: &Node, side: Side) -> Checked {
    let jumps = card.objects("jump_list").unwrap_or_default();
    if jumps.len() > 3 {
        return refuse(42042, "jump_list has more than 3 items");
    }
    for jump in jumps {
        let of_aibot: &[&str] = if side.is_aibot() { &["question"] } else { &[] };
        jump.only(&[&["type", "title", "url", "appid", "pagepath"][..], of_aibot].concat());
        jump.filled("title", 42033)?;
        jump.shows_chars("title", side.shows(18, 13));
        if side.is_aibot() && jump.int("type") == Some(3) {
            jump.filled("question", 40063)?;
            jump.max_bytes("question", 200, 40058)?;
        } else {
            target(&jump, &[0, 1, 2])?;
        }
    }
    Ok(())
}

fn card_action(card: &Node, kind: &str) -> Checked {
    let is_notice = matches!(kind, "text_notice" | "news_notice");
    let Some(action) = card.object("card_action") else {
        return if is_notice { refuse(42045, "card_action is missing") } else { Ok(()) };
    };
    action.only(&["type", "url", "appid", "pagepath"]);
    if is_notice && !matches!(action.int("type"), Some(1 | 2)) {
        return refuse(42045, "card_action.type is neither 1 nor 2");
    }
    target(&action, &[0, 1, 2])
}
