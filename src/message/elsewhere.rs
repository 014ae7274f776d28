//! Where clients show less of a message than it holds, or show it otherwise. WeCom takes such a message all the same: these are
//! facts to look at, not to warn of.

use crate::channel::{Addressing, Channel, Markup, MsgType};

/// With several articles only their titles are shown.
pub(crate) const SEVERAL_ARTICLES: &str = "clients show descriptions only where there is a single article";

/// A line of a notice without key and value.
pub(crate) const EMPTY_ITEM: &str = "WeCom drops an item with neither key nor value";

/// A notice that opens nothing.
pub(crate) const NO_PAGE: &str = "without page a click does nothing";

/// What a style looks like.
pub(crate) const BUTTON_STYLES: &str = "what the four button styles look like is published only as a picture";

/// What other clients do with a message of this type, one sentence each.
pub(crate) fn elsewhere(channel: Channel, msgtype: MsgType) -> Vec<&'static str> {
    let mut told = Vec::new();
    match msgtype {
        MsgType::TemplateCard => {
            told.push("cards show as JSON in external groups");
            told.push("cards show at most 8 lines of their own text on a phone, and two of the title");
        }
        MsgType::Markdown | MsgType::MarkdownV2 if channel.markup(msgtype) == Markup::MarkdownV2 => {
            told.push("clients before 4.1.36 (Android 4.1.38) show this as plain text");
        }
        MsgType::Textcard => told.push("phones show two lines of the title"),
        _ => {}
    }
    // Messages to members reach the plugin too (document path 90236).
    if channel.facts().addressing == Addressing::Recipients {
        match msgtype {
            MsgType::Markdown | MsgType::TemplateCard | MsgType::MiniprogramNotice => {
                told.push("not shown in the WeChat plugin (微工作台)");
            }
            MsgType::Text => told.push("the WeChat plugin may show only the first 20 bytes"),
            _ => {}
        }
    }
    told
}
