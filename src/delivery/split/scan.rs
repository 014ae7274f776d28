//! Finds what of a text should not be cut. One pass, linear in the text.

use super::Markup;
use super::fence::{self, Fence};
use super::inline::Inline;
use super::layout::Layout;

/// Reads the text. `room` is what a piece can hold, in bytes.
pub(super) fn scan(text: &str, markup: Markup, room: usize) -> Layout {
    let mut layout = Layout::empty(markup, room);
    if markup == Markup::Textcard {
        keep_signs(text, &mut layout);
    }
    if !layout.is_markdown {
        return layout;
    }
    let mut inline = Inline::new(text);
    let mut open: Option<Fence> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if let Some(fence) = open {
            if fence::closes(line.as_bytes(), fence.opening) {
                layout.keep_fence(Fence { close: start, end, ..fence });
                open = None;
            }
        } else if let Some(opening) = fence::opening(line.as_bytes()) {
            open = Some(Fence { start, content: end, close: text.len(), end: text.len(), opening });
        } else {
            inline.read_line(start..end, &mut layout);
        }
        start = end;
    }
    if let Some(fence) = open {
        layout.keep_fence(fence);
    }
    inline.finish(&mut layout);
    layout
}

/// The longest entity that is looked for, in bytes.
const ENTITY_BYTES: usize = 32;

/// Keeps each line break and each entity of a textcard whole.
fn keep_signs(text: &str, layout: &mut Layout) {
    for (at, sign) in text.match_indices(['<', '&']) {
        let behind = &text.as_bytes()[at..];
        if sign == "&" {
            let end = behind.iter().take(ENTITY_BYTES).position(|byte| *byte == b';');
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
            if let Some(end) = end.filter(|end| *end > 1 && behind[1..*end].iter().all(is_name)) {
                layout.protect(at..at + end + 1);
            }
        } else if behind.starts_with(layout.line_break.as_bytes()) {
            layout.protect(at..at + layout.line_break.len());
        }
    }
}
