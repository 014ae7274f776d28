//! Template cards (document paths 90236 for apps, 99110 for webhooks): which block belongs to which card, field by field.

use std::collections::HashSet;

use super::super::node::{Checked, Node, refuse};
use super::super::records::MediaKind;
use super::super::world::{Home, World};
use super::media_in;

/// Who sends the card: the pages differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    App,
    /// An app, in the place of a card that it sent (document path 94888).
    Update,
    Webhook,
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
    let of_update: &[&str] = if side == Side::Update && is_interactive { &["replace_text"] } else { &[] };
    card.only(&[&["card_type", "source", "main_title"][..], blocks, of_update].concat());
    card.text("replace_text");
    source(card, kind, side);
    titles(card, kind, side)?;
    if side != Side::Update {
        task_id(card)?;
    } else if card.has("task_id") {
        card.complain("an update has no task_id".into());
    }
    action_menu(card)?;
    if let Some(quote) = card.object("quote_area") {
        quote.only(&["type", "url", "appid", "pagepath", "title", "quote_text"]);
        target(&quote, &[0, 1, 2])?;
    }
    if let Some(emphasis) = card.object("emphasis_content") {
        emphasis.only(&["title", "desc"]);
        emphasis.shows_chars("title", if side != Side::Webhook { 14 } else { 10 });
        emphasis.shows_chars("desc", if side != Side::Webhook { 22 } else { 15 });
    }
    pictures(card, kind, side)?;
    contents(world, home, side, card)?;
    jumps(card, side)?;
    card_action(card, kind)?;
    if kind == "button_interaction" {
        buttons(card)?;
    }
    questions(card, kind, side)
}

/// The blocks of a card beside those that all have.
fn blocks(kind: &str, side: Side) -> Option<&'static [&'static str]> {
    Some(match (kind, side) {
        ("text_notice", Side::App | Side::Update) => &[
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
        ("news_notice", Side::App | Side::Update) => &[
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
        ("button_interaction", Side::App | Side::Update) => &[
            "action_menu",
            "task_id",
            "quote_area",
            "sub_title_text",
            "horizontal_content_list",
            "card_action",
            "button_selection",
            "button_list",
        ],
        ("vote_interaction", Side::App | Side::Update) => &["task_id", "checkbox", "submit_button"],
        ("multiple_interaction", Side::App | Side::Update) => &["task_id", "select_list", "submit_button"],
        _ => return None,
    })
}

fn source(card: &Node, kind: &str, side: Side) {
    let Some(source) = card.object("source") else { return };
    let has_color = !matches!(kind, "vote_interaction" | "multiple_interaction");
    source.only(if has_color { &["icon_url", "desc", "desc_color"] } else { &["icon_url", "desc"] });
    source.text("icon_url");
    source.shows_chars("desc", if side != Side::Webhook { 20 } else { 13 });
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
            (_, Side::Webhook) => (26, 30),
            ("vote_interaction", _) => (16, 160),
            ("multiple_interaction", _) => (36, 160),
            _ => (36, 44),
        };
        main.shows_chars("title", title);
        main.shows_chars("desc", desc);
    }
    let has_subtitle = card.text("sub_title_text").is_some_and(|text| !text.is_empty());
    card.shows_chars("sub_title_text", if side != Side::Webhook { 160 } else { 112 });
    match kind {
        "text_notice" if !has_title && !has_subtitle => {
            refuse(40058, "one of main_title.title and sub_title_text is required")
        }
        "text_notice" => Ok(()),
        _ if !has_title => refuse(40058, "main_title.title is required"),
        _ => Ok(()),
    }
}

fn task_id(card: &Node) -> Checked {
    if !card.has("task_id") {
        return if Interactive::is(card) { refuse(42014, "task_id is missing") } else { Ok(()) };
    }
    let id = card.text("task_id").unwrap_or_default();
    let is_good = (1..=128).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "_-@".contains(c));
    if is_good { Ok(()) } else { refuse(42014, "invalid task_id") }
}

fn action_menu(card: &Node) -> Checked {
    let Some(menu) = card.object("action_menu") else { return Ok(()) };
    menu.only(&["desc", "action_list"]);
    menu.text("desc");
    let actions = menu.objects("action_list").unwrap_or_default();
    if !(1..=3).contains(&actions.len()) {
        return refuse(40058, "action_menu.action_list must have 1 to 3 items");
    }
    let mut keys = HashSet::new();
    for action in actions {
        action.only(&["text", "key"]);
        action.filled("text", 40063)?;
        action.max_bytes("key", 1024, 40058)?;
        if !keys.insert(action.filled("key", 40063)?) {
            return refuse(42051, "action_menu keys collide");
        }
    }
    Ok(())
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
        row.shows_chars("value", if side != Side::Webhook { 30 } else { 26 });
        match row.choice("type", &[0, 1, 2, 3])? {
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
        block.shows_chars("title", if side != Side::Webhook { 38 } else { 26 });
        block.shows_chars("desc", if side != Side::Webhook { 160 } else { 112 });
    }
    Ok(())
}

fn jumps(card: &Node, side: Side) -> Checked {
    let jumps = card.objects("jump_list").unwrap_or_default();
    if jumps.len() > 3 {
        return refuse(42042, "jump_list has more than 3 items");
    }
    for jump in jumps {
        jump.only(&["type", "title", "url", "appid", "pagepath"]);
        jump.filled("title", 42033)?;
        jump.shows_chars("title", if side != Side::Webhook { 18 } else { 13 });
        target(&jump, &[0, 1, 2])?;
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

fn buttons(card: &Node) -> Checked {
    if let Some(selection) = card.object("button_selection") {
        selection.only(&["question_key", "title", "option_list", "selected_id"]);
        question_key(&selection)?;
        selection.text("title");
        selection.text("selected_id");
        options(&selection, 10, false)?;
    }
    let buttons = card.objects("button_list").unwrap_or_default();
    if !(1..=6).contains(&buttons.len()) {
        return refuse(40058, "button_list must have 1 to 6 items");
    }
    let mut keys = HashSet::new();
    for button in buttons {
        button.only(&["type", "text", "style", "key", "url"]);
        button.filled("text", 42038)?;
        button.shows_chars("text", 10);
        if button.int("style").is_some_and(|style| !(1..=4).contains(&style)) {
            button.remark(format!("{} is not between 1 and 4: shown as 1", button.at("style")));
        }
        if button.choice("type", &[0, 1])? == 1 {
            button.filled("url", 42028)?;
        } else {
            button.max_bytes("key", 1024, 42039)?;
            if !keys.insert(button.filled("key", 42039)?) {
                return refuse(42039, "button_list keys collide");
            }
        }
    }
    Ok(())
}

fn questions(card: &Node, kind: &str, side: Side) -> Checked {
    let of_update: &[&str] = if side == Side::Update { &["disable"] } else { &[] };
    match kind {
        "vote_interaction" => {
            let Some(checkbox) = card.object("checkbox") else {
                return refuse(42043, "checkbox is missing");
            };
            checkbox.only(&[&["question_key", "mode", "option_list"][..], of_update].concat());
            checkbox.flag("disable");
            question_key(&checkbox)?;
            checkbox.choice("mode", &[0, 1])?;
            options(&checkbox, 20, true)?;
        }
        "multiple_interaction" => {
            let lists = card.objects("select_list").unwrap_or_default();
            if !(1..=3).contains(&lists.len()) {
                return refuse(42047, "select_list must have 1 to 3 items");
            }
            let mut keys = HashSet::new();
            for list in lists {
                list.only(&[&["question_key", "title", "selected_id", "option_list"][..], of_update].concat());
                list.flag("disable");
                if !keys.insert(question_key(&list)?) {
                    return refuse(42043, "question_key repeats");
                }
                list.text("title");
                list.text("selected_id");
                options(&list, 10, false)?;
            }
        }
        _ => return Ok(()),
    }
    let Some(submit) = card.object("submit_button") else {
        if side == Side::Update {
            return Ok(());
        }
        return refuse(42046, "submit_button is missing");
    };
    submit.only(&["text", "key"]);
    submit.filled("text", 42049)?;
    submit.shows_chars("text", 10);
    submit.max_bytes("key", 1024, 42046)?;
    submit.filled("key", 42046).map(drop)
}

fn question_key<'a>(node: &Node<'a>) -> Checked<&'a str> {
    node.max_bytes("question_key", 1024, 42043)?;
    node.filled("question_key", 42043)
}

fn options(node: &Node, limit: usize, with_check: bool) -> Checked {
    let options = node.objects("option_list").unwrap_or_default();
    if !(1..=limit).contains(&options.len()) {
        return refuse(42037, format!("{} must have 1 to {limit} items", node.at("option_list")));
    }
    let mut ids = HashSet::new();
    for option in options {
        option.only(if with_check { &["id", "text", "is_checked"] } else { &["id", "text"] });
        option.max_bytes("id", 128, 42040)?;
        if !ids.insert(option.filled("id", 42040)?) {
            return refuse(42040, "option ids collide");
        }
        option.filled("text", 42041)?;
        option.shows_chars("text", if with_check { 17 } else { 16 });
        if with_check && option.flag("is_checked").is_none() {
            return refuse(40063, format!("{} is missing", option.at("is_checked")));
        }
    }
    Ok(())
}
