//! Text from outside: trimmed to be used, and made fit to be shown.

use crate::sanitize::excerpt;

/// Without white space and byte-order marks around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// Text from outside as an error may repeat it: on one line and not long.
pub(super) fn shown(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { vec![c] };
    excerpt(text, 60).chars().flat_map(escaped).collect()
}
