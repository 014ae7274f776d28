//! An alert as `markdown_v2` of webhooks (document path 99110): no colours, but tables and fenced blocks.

use super::escape::{fenced, markdown_v2, markdown_v2_label, markdown_v2_paragraph, url};
use super::outline::{First, LINK_LABEL};
use super::text::push;
use super::{Alert, Rendered};

/// A table cannot do without a line of headings.
const TABLE_HEAD: &str = "| key | value |\n| :-- | :-- |";

impl Alert {
    /// As `markdown_v2`: the title as a heading, the fields as a table, the body in a fenced block, the link,
    /// the picture.
    pub fn markdown_v2(&self) -> Rendered {
        let mut text = String::new();
        let title = self.title_line().map(|title| markdown_v2(&title));
        let label = self.level.map(|level| level.label().to_owned());
        let heading: Vec<_> = label.into_iter().chain(title).collect();
        if !heading.is_empty() {
            push(&mut text, "", &format!("# {}", heading.join(" ")));
        }
        if !self.fields.is_empty() {
            push(&mut text, "\n\n", TABLE_HEAD);
            for field in &self.fields {
                let (key, value) = (markdown_v2(&field.key_line()), markdown_v2(&field.value_line()));
                push(&mut text, "\n", &format!("| {key} | {value} |"));
            }
        }
        if let Some(body) = self.body_text() {
            push(&mut text, "\n\n", &fenced(body));
        }
        if let Some(link) = &self.link {
            let label = self.link_label().map_or_else(|| LINK_LABEL.to_owned(), |label| markdown_v2_label(&label));
            push(&mut text, "\n\n", &format!("[{label}]({})", url(&link.url)));
        }
        if let Some(picurl) = &self.picurl {
            push(&mut text, "\n\n", &format!("![]({})", url(picurl)));
        }
        self.rendered(self.prefix_line().map(|prefix| markdown_v2_paragraph(&prefix)), First::Block, text)
    }
}
