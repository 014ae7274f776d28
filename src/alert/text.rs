//! An alert as `text`: nothing but lines. Both channels show them as they are, so nothing is escaped.
//!
//! Two forms do mean something in it: `<a href="…">` is a link (document path 90236), and through webhooks `<@userid>`
//! is a mention (document path 99110). No escape for them is published, and any replacement would spoil what is copied.

use super::outline::First;
use super::{Alert, Rendered};

impl Alert {
    /// As `text`, for both channels: `[LEVEL] title`, a line per field, the body, the link on a line of its own.
    pub fn text(&self) -> Rendered {
        let fields: Vec<_> = self.fields.iter().flat_map(|field| field.lines()).collect();
        let mut text = self.heading().unwrap_or_default();
        for field in &fields {
            push(&mut text, "\n", field);
        }
        if let Some(body) = self.body_text() {
            let gap = match (fields.is_empty(), self.title_line()) {
                // A level alone leads the body's first line.
                (true, None) => " ",
                (true, Some(_)) => "\n",
                (false, _) => "\n\n",
            };
            push(&mut text, gap, body);
        }
        if let Some(link) = &self.link {
            let label = self.link_label().map(|label| format!("{label}: ")).unwrap_or_default();
            push(&mut text, "\n", &format!("{label}{}", link.url));
        }
        if let Some(picurl) = &self.picurl {
            push(&mut text, "\n", picurl);
        }
        let needs_line = !fields.is_empty() || self.has_columns();
        let first = if self.heading().is_none() && needs_line { First::Line } else { First::Words };
        self.rendered(self.prefix_line(), first, text)
    }
}

/// Adds a piece, apart from what is there already.
pub(super) fn push(text: &mut String, gap: &str, piece: &str) {
    if !text.is_empty() {
        text.push_str(gap);
    }
    text.push_str(piece);
}
