//! The five template cards (document paths 90236, 99110 and 101032), block by block.

use serde_json::Value;

use crate::message::card::{HorizontalContent, Select, TemplateCard};
use crate::message::{BUTTON_STYLES, Wire};

use super::media::write_remote_picture;
use super::painter::Painter;

pub(super) fn paint(painter: &mut Painter<'_>, content: &Value) -> bool {
    let Some(mut card) = TemplateCard::read(content) else { return false };
    let replacement = content.get("replace_text").and_then(Value::as_str);
    if replacement.is_some() {
        (card.button_list, card.submit_button) = (None, None);
    }
    let task_id = card.task_id.as_deref().unwrap_or_default();
    painter.html.open_with("form", "bubble card template", &[("method", "dialog"), ("data-task-id", task_id)]);
    rules(painter, "card_type");
    head(painter, &card);
    picture(painter, &card);
    middle(painter, &card);
    lists(painter, &card);
    questions(painter, &card);
    if let Some(text) = replacement {
        painter.html.own("<div class=\"buttons\">").element("span", "button replaced", text).own("</div>");
    }
    links(painter, &card);
    painter.html.close("form");
    true
}

fn at(field: &str) -> String {
    format!("template_card.{field}")
}

fn rules(painter: &mut Painter<'_>, field: &str) {
    painter.rules(&at(field));
}

fn field(painter: &mut Painter<'_>, tag: &'static str, class: &'static str, name: &str, text: &Option<String>) {
    match text.as_deref() {
        Some(text) if !text.is_empty() => painter.field(tag, class, &at(name), text),
        _ => rules(painter, name),
    }
}

fn head(painter: &mut Painter<'_>, card: &TemplateCard) {
    if card.source.is_some() || card.action_menu.is_some() {
        painter.html.own("<div class=\"source\">");
        if let Some(source) = &card.source {
            if let Some(address) = source.icon_url.as_deref().filter(|address| !address.is_empty()) {
                write_remote_picture(&mut painter.html, "icon", address, "·");
            }
            let class = match source.desc_color {
                Some(1) => "black",
                Some(2) => "red",
                Some(3) => "green",
                _ => "grey",
            };
            field(painter, "span", class, "source.desc", &source.desc);
            rules(painter, "source.desc_color");
            rules(painter, "source");
        }
        if let Some(menu) = &card.action_menu {
            painter.html.own("<details class=\"menu\"><summary aria-label=\"menu\">⋯</summary>");
            field(painter, "div", "grey", "action_menu.desc", &menu.desc);
            for (index, action) in menu.action_list.iter().enumerate() {
                button(
                    painter,
                    "action",
                    &action.key,
                    &at(&format!("action_menu.action_list[{index}].text")),
                    &action.text,
                );
                rules(painter, &format!("action_menu.action_list[{index}].key"));
            }
            rules(painter, "action_menu.action_list");
            painter.html.own("</details>");
            rules(painter, "action_menu");
        }
        painter.html.own("</div>");
    }
    if let Some(title) = &card.main_title {
        field(painter, "div", "title two-lines", "main_title.title", &title.title);
        field(painter, "div", "description", "main_title.desc", &title.desc);
        rules(painter, "main_title");
    }
}

fn picture(painter: &mut Painter<'_>, card: &TemplateCard) {
    if let Some(image) = &card.card_image {
        let ratio = image.aspect_ratio.as_ref().and_then(serde_json::Number::as_f64).unwrap_or(1.3);
        let class = if ratio >= 2.0 {
            "picture wide"
        } else if ratio >= 1.6 {
            "picture broad"
        } else {
            "picture"
        };
        write_remote_picture(&mut painter.html, class, &image.url, "");
        rules(painter, "card_image.url");
        rules(painter, "card_image.aspect_ratio");
        rules(painter, "card_image");
    }
    if let Some(area) = &card.image_text_area {
        painter.html.own("<div class=\"image-text\">");
        write_remote_picture(&mut painter.html, "thumb", &area.image_url, "·");
        painter.html.own("<div>");
        field(painter, "div", "title", "image_text_area.title", &area.title);
        field(painter, "div", "description", "image_text_area.desc", &area.desc);
        leads_to(painter, area.r#type, &area.url, &area.appid);
        ["type", "url", "appid", "image_url"]
            .iter()
            .for_each(|name| rules(painter, &format!("image_text_area.{name}")));
        painter.html.own("</div></div>");
        rules(painter, "image_text_area");
    }
}

fn middle(painter: &mut Painter<'_>, card: &TemplateCard) {
    if let Some(emphasis) = &card.emphasis_content {
        painter.html.own("<div class=\"emphasis\">");
        field(painter, "div", "figure", "emphasis_content.title", &emphasis.title);
        field(painter, "div", "grey", "emphasis_content.desc", &emphasis.desc);
        painter.html.own("</div>");
        rules(painter, "emphasis_content");
    }
    if let Some(quote) = &card.quote_area {
        painter.html.own("<div class=\"quote-area\">");
        field(painter, "div", "title", "quote_area.title", &quote.title);
        field(painter, "div", "", "quote_area.quote_text", &quote.quote_text);
        leads_to(painter, quote.r#type, &quote.url, &quote.appid);
        ["type", "url", "appid"].iter().for_each(|name| rules(painter, &format!("quote_area.{name}")));
        painter.html.own("</div>");
        rules(painter, "quote_area");
    }
    field(painter, "div", "sub-title", "sub_title_text", &card.sub_title_text);
}

fn lists(painter: &mut Painter<'_>, card: &TemplateCard) {
    if let Some(list) = &card.vertical_content_list {
        painter.html.own("<div class=\"vertical\">");
        for (index, item) in list.iter().enumerate() {
            let name = |field: &str| format!("vertical_content_list[{index}].{field}");
            painter.field("div", "title", &at(&name("title")), &item.title);
            field(painter, "div", "description", &name("desc"), &item.desc);
        }
        painter.html.own("</div>");
        rules(painter, "vertical_content_list");
    }
    if let Some(list) = &card.horizontal_content_list {
        painter.html.own("<dl class=\"rows\">");
        for (index, item) in list.iter().enumerate() {
            row(painter, &format!("horizontal_content_list[{index}]"), item);
        }
        painter.html.own("</dl>");
        rules(painter, "horizontal_content_list");
    }
}

fn row(painter: &mut Painter<'_>, name: &str, item: &HorizontalContent) {
    painter.html.own("<div class=\"row\">");
    painter.field("dt", "", &at(&format!("{name}.keyname")), &item.keyname);
    painter.html.open_with("dd", "", &[("dir", "auto")]);
    let value = item.value.as_deref().unwrap_or_default();
    let path = at(&format!("{name}.value"));
    let leads_to = match item.r#type {
        Some(1) => item.url.clone(),
        Some(2) => item.media_id.as_ref().map(|id| format!("media_id {id}")),
        Some(3) => item.userid.as_ref().map(|id| format!("member {id}")),
        _ => None,
    };
    match leads_to {
        Some(leads_to) => {
            let tag = painter.html.open_link("link", &leads_to);
            painter.words(&path, value);
            painter.html.close(tag);
        }
        None => painter.words(&path, value),
    }
    ["type", "url", "media_id", "userid"].iter().for_each(|field| rules(painter, &format!("{name}.{field}")));
    painter.html.own("</dd></div>");
}

/// What a click on a block opens.
fn leads_to(painter: &mut Painter<'_>, kind: Option<i64>, url: &Option<String>, appid: &Option<String>) {
    match (kind, url, appid) {
        (Some(1), Some(url), _) => {
            painter.html.link("opens", url, url);
        }
        (Some(2), _, Some(appid)) => {
            painter.html.element("span", "opens", &format!("mini program {appid}"));
        }
        _ => {}
    }
}

fn questions(painter: &mut Painter<'_>, card: &TemplateCard) {
    if let Some(checkbox) = &card.checkbox {
        painter.html.own("<div class=\"choices\">");
        let kind = if checkbox.mode == Some(1) { "checkbox" } else { "radio" };
        for (index, option) in checkbox.option_list.iter().enumerate() {
            painter.html.own("<label>");
            let attributes = [
                ("type", kind),
                ("name", &*checkbox.question_key),
                ("value", &*option.id),
                ("data-question", &*checkbox.question_key),
                ("checked", ""),
            ];
            let used = if option.is_checked { 5 } else { 4 };
            painter.html.open_with("input", "", &attributes[..used]);
            let name = format!("checkbox.option_list[{index}]");
            painter.field("span", "", &at(&format!("{name}.text")), &option.text);
            painter.html.own("</label>");
            rules(painter, &format!("{name}.id"));
        }
        ["question_key", "mode", "option_list"].iter().for_each(|name| rules(painter, &format!("checkbox.{name}")));
        painter.html.own("</div>");
        rules(painter, "checkbox");
    }
    for (index, list) in card.select_list.iter().flatten().enumerate() {
        select(painter, &format!("select_list[{index}]"), list);
    }
    rules(painter, "select_list");
    if let Some(list) = &card.button_selection {
        select(painter, "button_selection", list);
        rules(painter, "button_selection");
    }
    if let Some(buttons) = &card.button_list {
        painter.html.own("<div class=\"buttons\">");
        for (index, shown) in buttons.iter().enumerate() {
            let name = format!("button_list[{index}]");
            let class = match shown.style {
                Some(2) => "button style2",
                Some(3) => "button style3",
                Some(4) => "button style4",
                _ => "button style1",
            };
            match (shown.r#type, &shown.url) {
                (Some(1), Some(url)) => {
                    let tag = painter.html.open_link(class, url);
                    painter.words(&at(&format!("{name}.text")), &shown.text);
                    painter.html.close(tag);
                }
                _ => {
                    let key = shown.key.as_deref().unwrap_or_default();
                    button(painter, class, key, &at(&format!("{name}.text")), &shown.text);
                }
            }
            ["type", "style", "key", "url"].iter().for_each(|field| rules(painter, &format!("{name}.{field}")));
            rules(painter, &name);
        }
        painter.html.own("</div>");
        if buttons.iter().any(|button| button.style.is_some_and(|style| style > 1)) {
            painter.html.element("div", "grey", BUTTON_STYLES);
        }
        rules(painter, "button_list");
    }
    if let Some(submit) = &card.submit_button {
        painter.html.own("<div class=\"buttons\">");
        button(painter, "button style1", &submit.key, &at("submit_button.text"), &submit.text);
        rules(painter, "submit_button.key");
        painter.html.own("</div>");
        rules(painter, "submit_button");
    }
}

fn button(painter: &mut Painter<'_>, class: &'static str, key: &str, path: &str, text: &str) {
    painter.html.open_with("button", class, &[("type", "button"), ("data-key", key)]);
    painter.words(path, text);
    painter.html.close("button");
}

fn select(painter: &mut Painter<'_>, name: &str, list: &Select) {
    painter.html.own("<div class=\"select\"><label>");
    field(painter, "span", "grey", &format!("{name}.title"), &list.title);
    painter.html.open_with("select", "", &[("data-question", &list.question_key)]);
    let chosen = list.option_list.iter().position(|option| Some(&option.id) == list.selected_id.as_ref()).unwrap_or(0);
    for (index, option) in list.option_list.iter().enumerate() {
        let attributes = [("value", &*option.id), ("selected", "")];
        painter.html.open_with("option", "", &attributes[..if index == chosen { 2 } else { 1 }]);
        painter.html.text(&option.text).close("option");
    }
    painter.html.own("</select></label>");
    for (index, _) in list.option_list.iter().enumerate() {
        ["id", "text"].iter().for_each(|field| rules(painter, &format!("{name}.option_list[{index}].{field}")));
    }
    ["question_key", "selected_id", "option_list"].iter().for_each(|field| rules(painter, &format!("{name}.{field}")));
    painter.html.own("</div>");
}

fn links(painter: &mut Painter<'_>, card: &TemplateCard) {
    for (index, jump) in card.jump_list.iter().flatten().enumerate() {
        let name = format!("jump_list[{index}]");
        let address = match (jump.r#type, &jump.url, &jump.appid, &jump.question) {
            (Some(1), Some(url), ..) => url.clone(),
            (Some(2), _, Some(appid), _) => format!("mini program {appid}"),
            (Some(3), _, _, Some(question)) => format!("asks the aibot: {question}"),
            _ => String::new(),
        };
        painter.html.own("<div class=\"jump\">");
        let tag = painter.html.open_link("", &address);
        painter.words(&at(&format!("{name}.title")), &jump.title);
        painter.html.close(tag);
        if !address.is_empty() {
            painter.html.own("<span class=\"arrow\" aria-hidden=\"true\">›</span>");
        }
        ["type", "url", "appid", "question"].iter().for_each(|field| rules(painter, &format!("{name}.{field}")));
        painter.html.own("</div>");
    }
    rules(painter, "jump_list");
    if let Some(action) = &card.card_action {
        leads_to(painter, action.r#type, &action.url, &action.appid);
        ["type", "url", "appid"].iter().for_each(|name| rules(painter, &format!("card_action.{name}")));
    }
    rules(painter, "card_action");
}
