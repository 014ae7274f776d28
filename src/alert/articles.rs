//! An alert as a title, a description and a link: `news` of one article (document paths 90236 and 99110) and `textcard` of apps
//! (document path 90236).
//!
//! News has no markup: nothing is escaped. For textcards the page says characters for its limits, older copies say bytes:
//! bytes are kept here, so that nothing is cut.

use std::borrow::Cow;

use super::escape::textcard;
use super::outline::{bytes, fill, join, truncate};
use super::{Alert, AlertLink, Fitted};
use crate::channel::DESCRIPTION_LIMIT;
use crate::error::{Error, Result};
use crate::message::app::{AppArticle, Textcard};

/// The longest title (document path 90236).
const TITLE_BYTES: usize = 128;
const LINE_BREAK: &str = "<br>";

/// The three published colours of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Gray,
    Normal,
    Highlight,
}

impl Class {
    fn opening(self) -> &'static str {
        match self {
            Self::Gray => "<div class=\"gray\">",
            Self::Normal => "<div class=\"normal\">",
            Self::Highlight => "<div class=\"highlight\">",
        }
    }
}

const CLOSING: &str = "</div>";

impl Alert {
    /// As the one article of `news`, with the fields that apps and webhooks share. The whole title leads the description
    /// if its own place is too short for it.
    ///
    /// # Errors
    ///
    /// Usage: no link, or no title.
    pub fn article(&self) -> Result<Fitted<AppArticle>> {
        let (link, title) = self.link_and_title("an article")?;
        // The last line has no line break after it.
        let (taken, rest) = fill(self.article_lines(), DESCRIPTION_LIMIT + 1, |line| line.len() + 1);
        let description = Some(taken.join("\n")).filter(|text| !text.is_empty());
        let title = truncate(&title, TITLE_BYTES, bytes);
        let (url, picurl) = (Some(link.url.clone()), self.picurl.clone());
        Ok(Fitted { content: AppArticle { title, description, url, picurl, ..AppArticle::default() }, rest })
    }

    /// The whole text below the title of an article, however long it is.
    pub fn description(&self) -> String {
        join(self.article_lines(), "\n")
    }

    fn article_lines(&self) -> impl Iterator<Item = Cow<'_, str>> + Clone {
        // An article has no button: what the link is called is a line above it.
        self.lines_below(TITLE_BYTES).chain(self.link_label().map(Cow::Owned))
    }

    /// As `textcard`: the fields in grey, the body below them, its first line highlighted on a warning or worse. The
    /// whole title leads the description if its own place is too short for it.
    ///
    /// # Errors
    ///
    /// Usage: no link, no title, or nothing to describe.
    pub fn textcard(&self) -> Result<Fitted<Textcard>> {
        let (link, title) = self.link_and_title("a textcard")?;
        let lines = self.textcard_lines(&title);
        if lines.clone().next().is_none() {
            let hint = "give a text or a --field, or send it with -t markdown";
            return Err(Error::usage("a textcard needs a text below its title", hint));
        }
        // Each run of one class has a frame, and so may the `…` after them.
        let mut runs: Vec<Class> = Vec::new();
        lines.clone().for_each(|(class, _)| runs.extend((runs.last() != Some(&class)).then_some(class)));
        runs.extend((runs.last() != Some(&Class::Normal)).then_some(Class::Normal));
        let frame: usize = runs.iter().map(|class| class.opening().len() + CLOSING.len()).sum();
        let texts = lines.clone().map(|(_, line)| line);
        let room = DESCRIPTION_LIMIT - frame;
        let (taken, rest) = fill(texts, room, |line| textcard(line).len() + LINE_BREAK.len());
        // A line for `…` may follow the last of them.
        let classes = lines.map(|(class, _)| class).chain([Class::Normal]);
        let description = describe(classes.zip(&taken));
        Ok(Fitted {
            content: Textcard {
                title: truncate(&title, TITLE_BYTES, bytes),
                description,
                url: link.url.clone(),
                btntxt: self.link_label(),
            },
            rest,
        })
    }

    /// Whether its description has more than one colour.
    pub fn is_coloured(&self) -> bool {
        !self.fields.is_empty() || self.level.is_some_and(|level| level.is_alarm())
    }

    /// The whole text below the title of a textcard without colours, however long it is; what its clients would take for
    /// a tag or an entity is escaped.
    pub fn textcard_description(&self) -> String {
        let lines = self.lines_below(TITLE_BYTES).chain(self.picurl.as_deref().map(Cow::Borrowed));
        join(lines.map(|line| textcard(&line)), LINE_BREAK)
    }

    /// What both types cannot do without.
    fn link_and_title(&self, what: &str) -> Result<(&AlertLink, String)> {
        let error = |missing: &str, option: &str| {
            Error::usage(format!("{what} needs a {missing}"), format!("add {option}, or send it with -t markdown"))
        };
        let link = self.link.as_ref().ok_or_else(|| error("link", "--url"))?;
        let title = self.full_title().ok_or_else(|| error("title", "--title"))?;
        Ok((link, title))
    }

    fn textcard_lines(&self, title: &str) -> impl Iterator<Item = (Class, Cow<'_, str>)> + Clone {
        let is_alarm = self.level.is_some_and(|level| level.is_alarm());
        let title = (title.len() > TITLE_BYTES).then(|| (Class::Normal, Cow::Owned(title.to_owned())));
        let fields = self.field_lines().map(|line| (Class::Gray, Cow::Owned(line)));
        let body = self.body_lines().enumerate().map(move |(index, line)| {
            let class = if is_alarm && index == 0 { Class::Highlight } else { Class::Normal };
            (class, line)
        });
        let picurl = self.picurl.as_deref().map(|picurl| (Class::Normal, Cow::Borrowed(picurl)));
        title.into_iter().chain(fields).chain(body).chain(picurl)
    }
}

/// The lines, those of one class next to each other in one `<div>`.
fn describe<'l>(lines: impl Iterator<Item = (Class, &'l Cow<'l, str>)>) -> String {
    let mut description = String::new();
    let mut open = None;
    for (class, line) in lines {
        if open == Some(class) {
            description.push_str(LINE_BREAK);
        } else {
            if open.is_some() {
                description.push_str(CLOSING);
            }
            description.push_str(class.opening());
            open = Some(class);
        }
        description.push_str(&textcard(line));
    }
    if open.is_some() {
        description.push_str(CLOSING);
    }
    description
}
