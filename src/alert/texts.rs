//! An alert as one long text: `text`, `markdown` (document paths 90236 and 99110) and `markdown_v2` of webhooks (document path
//! 99110).
//!
//! What the sender's text must not mean in a type is broken up in `escape`.

use std::borrow::Cow;

use super::Alert;
use super::escape::{
    self, fenced, markdown, markdown_code, markdown_v2, markdown_v2_label, markdown_v2_paragraph, needs_code, url,
};
use super::outline::{First, Rendered, behind, gap_behind, join_to};

/// A table cannot do without a line of headings: the first fact is above it. A heading alone is no table.
const TABLE_RULE: &str = "| :-- | :-- |";

impl Alert {
    /// As `text`, for both channels: as [`Alert::plain_text`], in which nothing mentions anybody or is a link.
    pub fn text(&self) -> Rendered {
        let Rendered { prefix, text } = self.plain_text();
        let broken_up = match escape::text(&text) {
            Cow::Owned(text) => Some(text),
            Cow::Borrowed(_) => None,
        };
        Rendered { prefix: escape::text(&prefix).into_owned(), text: broken_up.unwrap_or(text) }
    }

    /// As lines for a file or a fingerprint: `[LEVEL] title`, a line per field, the body, the link on a line of its own.
    pub fn plain_text(&self) -> Rendered {
        let fields: Vec<_> = self.field_lines().collect();
        let mut text = self.heading().unwrap_or_default();
        for field in &fields {
            push(&mut text, "\n", field);
        }
        if let Some(body) = self.body_text() {
            let gap = match (fields.is_empty(), self.title_line()) {
                // Without a title the level leads the body's first line.
                (true, None) => gap_behind(&text),
                (true, Some(_)) => "\n",
                (false, _) => "\n\n",
            };
            push(&mut text, gap, body);
        }
        if let Some(link) = &self.link {
            let label = self.link_label().map(|label| label + self.words().colon).unwrap_or_default();
            push(&mut text, "\n", &format!("{label}{}", link.url));
        }
        if let Some(picurl) = &self.picurl {
            push(&mut text, "\n", picurl);
        }
        let needs_line = !fields.is_empty() || self.has_columns();
        let first = if self.heading().is_none() && needs_line { First::Line } else { First::Words };
        self.rendered(self.prefix_line(), first, text)
    }

    /// As `markdown`: the title bold in the level's colour, the fields as a quoted list, the body line by line
    /// or, where it has columns or indents, as code, the link.
    pub fn markdown(&self) -> Rendered {
        let (heading, colon) = (self.markdown_heading(), self.words().colon);
        let mut text = heading.clone().unwrap_or_default();
        let fields: Vec<_> = self
            .fields
            .iter()
            .flat_map(|field| {
                let mut lines: Vec<_> = field.value_lines().iter().map(|line| markdown(line)).collect();
                lines[0] = format!("{}{colon}{}", markdown(&field.key_line()), lines[0]);
                lines.into_iter().map(|line| format!("> {line}").trim_end().to_owned())
            })
            .collect();
        for field in &fields {
            push(&mut text, "\n", field);
        }
        // A line right below a quote belongs to it.
        let below = if fields.is_empty() { "\n" } else { "\n\n" };
        if let Some(body) = self.body_text() {
            let gap = match self.level_label() {
                Some(label) if fields.is_empty() && self.title_line().is_none() => gap_behind(label),
                _ => below,
            };
            // Columns stay under each other, and a log is not a patchwork of code and words.
            let shown = if self.has_columns() { markdown_code } else { markdown };
            push(&mut text, gap, "");
            let line = |line: &str| match self.body_link(line) {
                Some(link) => self.markdown_link(link.name, link.url),
                None => shown(line),
            };
            join_to(&mut text, body.split('\n').map(line), "\n");
        }
        let links = self.markdown_links();
        if !links.is_empty() {
            push(&mut text, if self.body_text().is_some() { "\n" } else { below }, &links.join("\n"));
        }
        let needs_line = !fields.is_empty() || self.has_columns();
        let first = if heading.is_none() && needs_line { First::Line } else { First::Words };
        self.rendered(self.prefix_line().map(|prefix| markdown(&prefix)), first, text)
    }

    fn markdown_heading(&self) -> Option<String> {
        let (label, title) = (self.level_label().map(str::to_owned), self.title_line());
        // Code inside bold is not published: a title that must be code comes after the bold label.
        let (bold, code) = match title {
            Some(title) if needs_code(&title) => (label, Some(markdown(&title))),
            Some(_) => (self.heading(), None),
            None => (label, None),
        };
        let bold = bold.map(|bold| match self.level {
            Some(level) => format!("<font color=\"{}\">**{bold}**</font>", level.font_color()),
            None => format!("**{bold}**"),
        });
        match (bold, code) {
            (Some(bold), Some(code)) => Some(format!("{bold} {code}")),
            (bold, code) => bold.or(code),
        }
    }

    fn markdown_links(&self) -> Vec<String> {
        let mut links = Vec::new();
        if let Some(link) = &self.link {
            links.push(self.markdown_link(self.link_label().as_deref().unwrap_or(self.words().details), &link.url));
        }
        if let Some(picurl) = &self.picurl {
            links.push(format!("[{}]({})", self.words().picture, url(picurl)));
        }
        links
    }

    /// As `markdown_v2`: the title as a heading, the fields as a table, the body in a fenced block, the link,
    /// the picture.
    pub fn markdown_v2(&self) -> Rendered {
        let mut text = String::new();
        let title = self.title_line().map(|title| markdown_v2(&title));
        let heading = behind(self.level_label().unwrap_or_default(), &title.unwrap_or_default());
        if !heading.is_empty() {
            push(&mut text, "", &format!("# {}", heading.trim_end()));
        }
        if let [field] = self.fields.as_slice() {
            let fact = format!("{}{}{}", field.key_line(), self.words().colon, field.value_line());
            push(&mut text, "\n\n", &markdown_v2_paragraph(fact.trim_end()));
        } else {
            for (index, field) in self.fields.iter().enumerate() {
                let (key, value) = (markdown_v2(&field.key_line()), markdown_v2(&field.value_line()));
                push(&mut text, if index == 0 { "\n\n" } else { "\n" }, &format!("| {key} | {value} |"));
                if index == 0 {
                    push(&mut text, "\n", TABLE_RULE);
                }
            }
        }
        if let Some(body) = self.body_text() {
            if text.is_empty() && !self.has_links_in_body {
                text = escape::markdown_v2_text(body);
            } else {
                self.push_blocks(&mut text, body);
            }
        }
        if let Some(link) = &self.link {
            let label =
                self.link_label().map_or_else(|| self.words().details.to_owned(), |label| markdown_v2_label(&label));
            push(&mut text, "\n\n", &format!("[{label}]({})", url(&link.url)));
        }
        if let Some(picurl) = &self.picurl {
            push(&mut text, "\n\n", &format!("![]({})", url(picurl)));
        }
        self.rendered(self.prefix_line().map(|prefix| markdown_v2_paragraph(&prefix)), First::Block, text)
    }
}

impl Alert {
    /// Adds the body of `markdown_v2`: as fenced blocks, and between them what is a link, as lists.
    fn push_blocks(&self, text: &mut String, body: &str) {
        if !self.has_links_in_body {
            push(text, "\n\n", &fenced(body));
            return;
        }
        let lines: Vec<_> = body.split('\n').collect();
        for block in lines.chunk_by(|line, next| self.body_link(line).is_some() == self.body_link(next).is_some()) {
            let links = block.iter().filter_map(|line| self.body_link(line));
            let links: Vec<_> =
                links.map(|link| format!("- [{}]({})", markdown_v2_label(link.name), url(link.url))).collect();
            let words = block.join("\n");
            if !links.is_empty() {
                push(text, "\n\n", &links.join("\n"));
            } else if !words.trim().is_empty() {
                push(text, "\n\n", &fenced(words.trim_matches('\n')));
            }
        }
    }

    /// A link of `markdown`.
    fn markdown_link(&self, label: &str, address: &str) -> String {
        let to = |label: &str| format!("[{label}]({})", url(address));
        match label {
            // Code inside a link is not published.
            label if needs_code(label) || label.contains(['[', ']']) => {
                format!("{} {}", markdown(label), to(self.words().details))
            }
            label => to(label),
        }
    }
}

/// Adds a piece, apart from what is there already.
fn push(text: &mut String, gap: &str, piece: &str) {
    if !text.is_empty() {
        text.push_str(gap);
    }
    text.push_str(piece);
}
