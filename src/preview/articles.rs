//! `news` and `mpnews`: a single article with its picture and words, or several, of which all but the first are a line.

use serde_json::Value;

use crate::message::app::{AppNews, Mpnews};
use crate::message::{SEVERAL_ARTICLES, Wire};

use super::media::{write_picture, write_remote_picture};
use super::painter::Painter;

pub(super) fn paint_news(painter: &mut Painter<'_>, content: &Value) -> bool {
    // Those of webhooks and group chats have fewer fields, and the same names.
    let Some(news) = AppNews::read(content) else { return false };
    painter.html.own("<div class=\"bubble card articles\">");
    let is_single = news.articles.len() == 1;
    painter.rules("news.articles");
    for (index, article) in news.articles.iter().enumerate() {
        let at = |field: &str| format!("news.articles[{index}].{field}");
        let leads_to = match (&article.url, &article.appid) {
            (_, Some(appid)) if !appid.is_empty() => format!("mini program {appid}"),
            (url, _) => url.clone().unwrap_or_default(),
        };
        painter.html.open("div", if index == 0 { "article first" } else { "article" });
        let picture = article.picurl.as_deref().unwrap_or_default();
        if !picture.is_empty() {
            write_remote_picture(&mut painter.html, "picture", picture, "");
        }
        let tag = painter.html.open_link("title two-lines", &leads_to);
        painter.words(&at("title"), &article.title);
        painter.html.close(tag);
        if let Some(text) = article.description.as_deref().filter(|text| !text.is_empty()) {
            if is_single {
                painter.field("div", "description", &at("description"), text);
            } else {
                painter.html.open("div", "description");
                painter.over(text, &[]);
                painter.rules(&at("description"));
                painter.fact(SEVERAL_ARTICLES);
                painter.html.close("div");
            }
        }
        ["url", "picurl", "appid", "pagepath"].iter().for_each(|field| painter.rules(&at(field)));
        painter.html.close("div");
    }
    painter.html.close("div");
    true
}

pub(super) fn paint_mpnews(painter: &mut Painter<'_>, content: &Value) -> bool {
    let Some(news) = Mpnews::read(content) else { return false };
    painter.html.own("<div class=\"bubble card articles\">");
    painter.rules("mpnews.articles");
    let is_single = news.articles.len() == 1;
    for (index, article) in news.articles.iter().enumerate() {
        let at = |field: &str| format!("mpnews.articles[{index}].{field}");
        painter.html.open("div", if index == 0 { "article first" } else { "article" });
        match painter.file(&article.thumb_media_id).and_then(|file| Some((file.picture.clone()?, file.name.clone()))) {
            Some((bytes, name)) => write_picture(&mut painter.html, &bytes, &name),
            None => {
                write_remote_picture(&mut painter.html, "picture", "", &format!("media_id {}", article.thumb_media_id))
            }
        }
        painter.rules(&at("thumb_media_id"));
        painter.field("div", "title two-lines", &at("title"), &article.title);
        match article.digest.as_deref().filter(|text| !text.is_empty()) {
            Some(text) if is_single => painter.field("div", "description", &at("digest"), text),
            Some(text) => {
                painter.html.open("div", "description");
                painter.over(text, &[]);
                painter.rules(&at("digest"));
                painter.fact(SEVERAL_ARTICLES);
                painter.html.close("div");
            }
            None => {}
        }
        painter.html.own("<details class=\"inside\"><summary>");
        painter.html.text(&format!("opens an article that WeCom keeps, {} bytes of HTML", article.content.len()));
        painter.html.own("</summary>");
        if let Some(author) = &article.author {
            painter.field("div", "author", &at("author"), author);
        }
        painter.field("pre", "", &at("content"), &article.content);
        if let Some(address) = article.content_source_url.as_deref().filter(|address| !address.is_empty()) {
            painter.html.link("", address, "阅读原文");
        }
        painter.html.own("</details>").close("div");
    }
    painter.html.close("div");
    true
}
