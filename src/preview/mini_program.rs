//! A `miniprogram_notice`: lines of a mini program, the first of which may be large (document path 90236).

use serde_json::Value;

use crate::message::app::MiniprogramNotice;
use crate::message::{EMPTY_ITEM, NO_PAGE, Wire};

use super::painter::Painter;

pub(super) fn paint(painter: &mut Painter<'_>, content: &Value) -> bool {
    let Some(notice) = MiniprogramNotice::read(content) else { return false };
    let at = |field: &str| format!("miniprogram_notice.{field}");
    painter.html.own("<div class=\"bubble card mini\">");
    painter.field("div", "title", &at("title"), &notice.title);
    if let Some(text) = &notice.description {
        painter.field("div", "description", &at("description"), text);
    }
    painter.rules(&at("content_item"));
    let is_large = notice.emphasis_first_item.unwrap_or_default();
    painter.html.own("<dl class=\"rows\">");
    for (index, item) in notice.content_item.iter().flatten().enumerate() {
        let (key, value) = (item.key.as_deref().unwrap_or_default(), item.value.as_deref().unwrap_or_default());
        let at = |field: &str| at(&format!("content_item[{index}].{field}"));
        painter.html.open("div", if is_large && index == 0 { "row large" } else { "row" });
        painter.field("dt", "", &at("key"), key);
        painter.field("dd", "", &at("value"), value);
        if key.is_empty() && value.is_empty() {
            painter.fact(EMPTY_ITEM);
        }
        painter.html.close("div");
    }
    painter.html.own("</dl>");
    let opens = notice.page.as_deref().filter(|page| !page.is_empty());
    painter.html.own("<div class=\"jump\">").text("小程序 ").text(&notice.appid);
    match opens {
        Some(page) => {
            painter.html.text(" ").text(page).own("<span class=\"arrow\" aria-hidden=\"true\">›</span>");
        }
        None => painter.fact(NO_PAGE),
    }
    painter.rules(&at("appid"));
    painter.rules(&at("page"));
    painter.html.own("</div></div>");
    true
}
