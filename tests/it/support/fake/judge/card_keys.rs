//! What can be pressed on a template card: buttons, entries of the menu, votes and lists with their submit button.

use std::collections::HashSet;

use super::super::node::{Checked, Node, refuse};
use super::card::Side;

pub(super) fn action_menu(card: &Node) -> Checked {
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

pub(super) fn buttons(card: &Node, side: Side) -> Checked {
    if let Some(selection) = card.object("button_selection") {
        let of_update: &[&str] = if side == Side::AibotUpdate { &["disable"] } else { &[] };
        selection.only(&[&["question_key", "title", "option_list", "selected_id"][..], of_update].concat());
        selection.flag("disable");
        question_key(&selection)?;
        selection_title(&selection, side);
        selection.text("selected_id");
        options(&selection, 10, false, side)?;
    }
    let buttons = card.objects("button_list").unwrap_or_default();
    if !(1..=6).contains(&buttons.len()) {
        return refuse(40058, "button_list must have 1 to 6 items");
    }
    let mut keys = HashSet::new();
    for button in buttons {
        button.only(if side.is_aibot() { &["text", "style", "key"] } else { &["type", "text", "style", "key", "url"] });
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

pub(super) fn questions(card: &Node, kind: &str, side: Side) -> Checked {
    let of_update: &[&str] = if side.is_update() { &["disable"] } else { &[] };
    match kind {
        "vote_interaction" => {
            let Some(checkbox) = card.object("checkbox") else {
                return refuse(42043, "checkbox is missing");
            };
            checkbox.only(&[&["question_key", "mode", "option_list"][..], of_update].concat());
            checkbox.flag("disable");
            question_key(&checkbox)?;
            checkbox.choice("mode", &[0, 1])?;
            options(&checkbox, 20, true, side)?;
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
                selection_title(&list, side);
                list.text("selected_id");
                options(&list, 10, false, side)?;
            }
        }
        _ => return Ok(()),
    }
    let Some(submit) = card.object("submit_button") else {
        if side.is_update() {
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

fn selection_title(node: &Node, side: Side) {
    node.text("title");
    if side.is_aibot() {
        node.shows_chars("title", 13);
    }
}

fn question_key<'a>(node: &Node<'a>) -> Checked<&'a str> {
    node.max_bytes("question_key", 1024, 42043)?;
    node.filled("question_key", 42043)
}

fn options(node: &Node, limit: usize, with_check: bool, side: Side) -> Checked {
    let shown = match (side.is_aibot(), with_check) {
        (true, true) => 11,
        (true, false) => 10,
        (false, true) => 17,
        (false, false) => 16,
    };
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
        option.shows_chars("text", shown);
        if with_check && option.flag("is_checked").is_none() {
            return refuse(40063, format!("{} is missing", option.at("is_checked")));
        }
    }
    Ok(())
}
