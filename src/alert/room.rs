//! What has room in a short place, and what is left.

use unicode_segmentation::UnicodeSegmentation;

/// Says that there is more.
const MORE: &str = "…";

/// Bytes, the measure of articles and textcards.
pub(super) fn bytes(text: &str) -> usize {
    text.len()
}

/// Characters, the measure of template cards.
pub(super) fn chars(text: &str) -> usize {
    text.chars().count()
}

/// The text if it fits, or else its beginning and `…`.
pub(super) fn clip(text: &str, limit: usize, measure: fn(&str) -> usize) -> String {
    if measure(text) <= limit {
        return text.to_owned();
    }
    let (head, _) = cut(text, limit.saturating_sub(measure(MORE)), measure);
    format!("{}{MORE}", head.trim_end())
}

/// Takes lines while there is room. The second is what is left of them; a line for `…` is added then. A first line that
/// has no room alone is cut between words or else clusters.
pub(super) fn pour(lines: &[String], room: usize, cost: impl Fn(&str) -> usize) -> (Vec<String>, Option<String>) {
    if lines.iter().try_fold(room, |left, line| left.checked_sub(cost(line))).is_some() {
        return (lines.to_vec(), None);
    }
    let mut left = room.saturating_sub(cost(MORE));
    let mut taken: Vec<String> = Vec::new();
    for line in lines {
        let Some(now) = left.checked_sub(cost(line)) else { break };
        left = now;
        taken.push(line.clone());
    }
    let mut rest = lines[taken.len()..].join("\n");
    if let (true, Some(line)) = (taken.is_empty(), lines.first()) {
        let (head, _) = cut(line, left, &cost);
        // Better between words, if that does not leave too much out.
        let word = head.rfind(' ').map(|at| &head[..=at]).filter(|word| word.len() > head.len() / 2);
        let head = word.unwrap_or(head);
        if !head.is_empty() {
            rest.drain(..head.len());
            taken.push(head.to_owned());
        }
    }
    taken.push(MORE.to_owned());
    (taken, Some(rest))
}

/// Cuts a text where its beginning has just room.
fn cut(text: &str, room: usize, cost: impl Fn(&str) -> usize) -> (&str, &str) {
    let ends = text.grapheme_indices(true).map(|(at, cluster)| at + cluster.len());
    let end = ends.take_while(|end| cost(&text[..*end]) <= room).last().unwrap_or(0);
    text.split_at(end)
}
