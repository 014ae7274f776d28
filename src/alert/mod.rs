//! One alert as its sender knows it, made into the content of any message type. Pure: no clock, disk, network or
//! environment.
//!
//! Each type has a file: `text`, `markdown`, `markdown_v2`, `textcard`, `news`, `card`. What a type takes for markup is
//! neutralised in `escape` alone. Types of one long text give a [`Rendered`], which the caller cuts; types with short
//! places give a [`Fitted`], which says what had no room. Nothing is dropped here.

mod best;
mod card;
pub(crate) mod escape;
mod level;
mod markdown;
mod markdown_v2;
mod misfit;
mod news;
mod outline;
mod parse;
mod room;
mod text;
mod textcard;

#[cfg(test)]
mod tests;

use crate::message::card::CardType;
pub use level::Level;
pub(crate) use outline::prefix_before;

/// What happened, for any message type. Everything is plain text of the sender's; `Default` is an alert
/// that says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// One line; line breaks become blanks.
    pub title: Option<String>,
    /// How bad it is: a word before the title, and a colour where the type has one.
    pub level: Option<Level>,
    /// Facts, in order.
    pub fields: Vec<Field>,
    /// The text, clean: of the control characters it holds line feed and tab alone.
    pub body: Option<String>,
    /// Where there is more to see.
    pub link: Option<Link>,
    /// The address of a JPG or PNG.
    pub picurl: Option<String>,
    /// Stands before the title, or else before the text; also on each further part, see [`Rendered`].
    pub prefix: Option<String>,
    /// Who speaks; cards alone.
    pub source: Option<String>,
    /// One large figure; text_notice cards alone.
    pub emphasis: Option<Emphasis>,
    /// A quotation; cards alone.
    pub quote: Option<String>,
    /// Further links; notice cards alone.
    pub jumps: Vec<Jump>,
    /// What members can press; button_interaction cards alone.
    pub buttons: Vec<Button>,
    /// What members can choose from; vote and multiple cards alone.
    pub options: Vec<Choice>,
    /// Names a card of an app in events, new for each message; interactive cards need it.
    pub task_id: Option<String>,
    /// The template card that it is to be on, if it is for one.
    pub card: Option<CardType>,
}

/// A fact: `host: web-1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, one line.
    pub key: String,
    /// May have several lines, and may be empty.
    pub value: String,
}

/// Where there is more to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// With `http://` or `https://`.
    pub url: String,
    /// What the link is called; a textcard shows 4 characters.
    pub label: Option<String>,
}

/// One large figure of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emphasis {
    /// The figure.
    pub title: String,
    /// What it counts.
    pub desc: String,
}

/// A link under the text of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jump {
    /// What it is called.
    pub title: String,
    /// Where it leads.
    pub url: String,
}

/// A button of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// Comes back as `EventKey`.
    pub key: String,
    /// What it says.
    pub text: String,
    /// 1 to 4; 1 when absent.
    pub style: Option<u8>,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Comes back in the event.
    pub id: String,
    /// What it says.
    pub text: String,
}

/// An alert as one text, which may be longer than a message takes.
///
/// To send it in parts, cut `text` to the limit less `prefix.len()` bytes and put `prefix` before each part, its mark
/// included: fences, fonts, links and inline code are such that the splitter keeps them whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The prefix with what keeps it apart from the text; empty without one.
    pub prefix: String,
    /// All the rest.
    pub text: String,
}

impl Alert {
    /// The same for types that are no card: what a card says in places of its own is told by fields and body, and what
    /// can be pressed is gone.
    pub fn without_card(&self) -> Self {
        let field = |key: &str, value: &str| Field { key: key.to_owned(), value: value.to_owned() };
        let mut fields: Vec<_> = self.source.iter().map(|source| field("source", source)).collect();
        fields.extend(self.emphasis.iter().map(|figure| field(&figure.desc, &figure.title)));
        fields.extend(self.fields.iter().cloned());
        fields.extend(self.jumps.iter().map(|jump| field(&jump.title, &jump.url)));
        let body: Vec<_> = self.quote.iter().chain(&self.body).map(String::as_str).collect();
        Self {
            fields,
            body: Some(body.join("\n")).filter(|body| !body.is_empty()),
            title: self.title.clone(),
            level: self.level,
            link: self.link.clone(),
            picurl: self.picurl.clone(),
            prefix: self.prefix.clone(),
            ..Self::default()
        }
    }

    /// Whether there is anything to say besides a body.
    pub fn says_something(&self) -> bool {
        self.title_line().is_some() || !self.fields.is_empty() || self.body_text().is_some()
    }
}

impl Rendered {
    /// The whole as one text.
    pub fn joined(&self) -> String {
        if self.text.is_empty() { self.prefix.trim_end().to_owned() } else { format!("{}{}", self.prefix, self.text) }
    }
}

/// An alert in a type whose places are short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted<T> {
    /// What goes under the msgtype. Where something had no room, its text ends in `…`.
    pub content: T,
    /// The lines that had no room, to be sent as text or file behind it; `None` if the content holds everything.
    pub rest: Option<String>,
}
