//! Finds what of a text should not be cut. One pass, linear in the text.

use super::Markup;
use super::fence::{self, Fence};
use super::inline::Inline;
use super::layout::Layout;

/// Reads the text. `room` is what a piece can hold, in bytes.
pub(super) fn scan(text: &str, markup: Markup, room: usize) -> Layout {
    let mut layout = Layout::empty(markup, room);
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
