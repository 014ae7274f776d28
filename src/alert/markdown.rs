//! An alert as `markdown`, the subset that apps and webhooks share (document paths 90236 and 99110).

use super::escape::{markdown, markdown_code, needs_code, url};
use super::outline::{First, LINK_LABEL, PICTURE_LABEL};
use super::text::push;
use super::{Alert, Rendered};

impl Alert {
    /// As `markdown`: the title bold in the level's colour, the fields as a quoted list, the body line by line
    /// or, where it has columns or indents, as code, the link.
    pub fn markdown(&self) -> Rendered {
        let heading = self.markdown_heading();
        let mut text = heading.clone().unwrap_or_default();
        let fields: Vec<_> = self
            .fields
            .iter()
            .flat_map(|field| {
                let mut lines: Vec<_> = field.value_lines().iter().map(|line| markdown(line)).collect();
                lines[0] = format!("{}: {}", markdown(&field.key_line()), lines[0]);
                lines.into_iter().map(|line| format!("> {line}").trim_end().to_owned())
            })
            .collect();
        for field in &fields {
            push(&mut text, "\n", field);
        }
        // A line right below a quote belongs to it.
        let below = if fields.is_empty() { "\n" } else { "\n\n" };
        if let Some(body) = self.body_text() {
            let gap = if fields.is_empty() && self.title_line().is_none() { " " } else { below };
            // Columns stay under each other, and a log is not a patchwork of code and words.
            let shown = if self.has_columns() { markdown_code } else { markdown };
            let body: Vec<_> = body.split('\n').map(shown).collect();
            push(&mut text, gap, &body.join("\n"));
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
        let label = self.level.map(|level| level.label().to_owned());
        let title = self.title_line();
        // Code inside bold is not published: a title that must be code stands behind the bold label.
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
            let to = |label: &str| format!("[{label}]({})", url(&link.url));
            links.push(match self.link_label() {
                // Nor is code inside a link.
                Some(label) if needs_code(&label) || label.contains(['[', ']']) => {
                    format!("{} {}", markdown(&label), to(LINK_LABEL))
                }
                Some(label) => to(&label),
                None => to(LINK_LABEL),
            });
        }
        if let Some(picurl) = &self.picurl {
            links.push(format!("[{PICTURE_LABEL}]({})", url(picurl)));
        }
        links
    }
}
