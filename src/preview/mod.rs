//! Messages as a phone would show them, as HTML: the bubbles of a page, with what WeCom would cut, refuse or not show marked by
//! the rules that sending checks. Rules are exact, pixels are not: nobody publishes those.
//!
//! `bubble` shows one message, of whatever type; `html` escapes all that is not a part of this program.

mod articles;
mod bubble;
mod card;
mod html;
mod markdown;
mod markdown_v1;
mod markdown_v2;
mod marks;
mod media;
mod mini_program;
mod painter;
mod plain;
mod textcard;

pub use bubble::bubble;
pub use painter::MessageFile;

/// The style sheet of bubbles, in light and dark.
pub const STYLE: &str = include_str!("bubble.css");
