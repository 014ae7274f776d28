//! Validation rules that the message types share: lengths, characters, allowed values. The rule of a field is applied
//! where the field is defined.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::finding::{At, shown};
use crate::address::has_http_scheme;
use crate::channel::Channel;
use crate::sanitize::chinese_chars;

/// How many bytes the first `limit` characters are.
fn first_chars(text: &str, limit: usize) -> usize {
    text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at)
}

/// How many of the first `limit` bytes are whole characters.
pub(super) fn first_bytes(text: &str, limit: usize) -> usize {
    (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// An object with published rules beyond its shape.
pub(super) trait Rules {
    fn check(&self, channel: Channel, at: &mut At<'_>);
}

impl<T: Rules> Rules for Box<T> {
    fn check(&self, channel: Channel, at: &mut At<'_>) {
        (**self).check(channel, at);
    }
}

/// An optional string, empty when it is absent: no rule differs between the two.
pub(super) fn or_empty(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

impl At<'_> {
    /// Reports each string of `value`, names included, that holds a control character: C0 besides line feed and tab, DEL, or
    /// C1. Removing them is left to the sender: payloads are never edited.
    pub(super) fn control_characters(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.control_character(text),
            Value::Array(items) => self.each(items, |item, at| at.control_characters(item)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    let mut at = self.field(name);
                    at.control_character(name);
                    at.control_characters(value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn control_character(&mut self, text: &str) {
        let mut chars = text.char_indices();
        if let Some((index, found)) = chars.find(|(_, c)| c.is_control() && !matches!(c, '\n' | '\t')) {
            let mut before: Vec<char> = text[..index].chars().rev().take(20).collect();
            before.reverse();
            let before = shown(&before.iter().collect::<String>());
            let problem = format!("control character U+{:04X} at byte {index}, after {before}", u32::from(found));
            self.error_with_hint(
                problem,
                "remove it: of the control characters only line feed and tab may be in a message",
            );
        }
    }

    /// The items of the list here, each at its place.
    pub(super) fn each<T>(&mut self, items: &[T], check: impl Fn(&T, &mut At<'_>)) {
        for (index, item) in items.iter().enumerate() {
            check(item, &mut self.item(index));
        }
    }

    /// The optional field `name`, where it is given.
    pub(super) fn given<T>(&mut self, name: &str, value: &Option<T>, check: impl FnOnce(&T, &mut At<'_>)) {
        if let Some(value) = value {
            check(value, &mut self.field(name));
        }
    }

    /// The list here: the number of its items, and each of them.
    pub(super) fn items<T>(
        &mut self,
        items: &[T],
        what: &str,
        limits: RangeInclusive<usize>,
        check: impl Fn(&T, &mut At<'_>),
    ) {
        self.count(items.len(), what, limits);
        self.each(items, check);
    }

    /// A required string.
    pub(super) fn filled(&mut self, text: &str) -> &mut Self {
        if text.is_empty() {
            self.error("empty, but required");
        }
        self
    }

    pub(super) fn max_bytes(&mut self, text: &str, limit: usize) -> &mut Self {
        if text.len() > limit {
            self.too_long(format!("{} bytes, the limit is {limit}", text.len()), None, first_bytes(text, limit));
        }
        self
    }

    /// The text of a message, which may become longer than one message takes.
    pub(super) fn body_text(&mut self, text: &str, limit: usize) {
        self.filled(text);
        if text.len() > limit {
            let problem = format!("{} bytes, the limit is {limit}", text.len());
            let hint = "shorten it; text that is not a payload goes in parts or as a file with --on-long auto";
            self.too_long(problem, Some(hint), first_bytes(text, limit));
        }
    }

    pub(super) fn max_chars(&mut self, text: &str, limit: usize) -> &mut Self {
        let count = text.chars().count();
        if count > limit {
            self.too_long(format!("{count} characters, the limit is {limit}"), None, first_chars(text, limit));
        }
        self
    }

    /// Lengths that the official page recommends: longer text is sent, but may be shown cut.
    pub(super) fn advised_chars(&mut self, text: &str, limit: usize) -> &mut Self {
        let count = text.chars().count();
        if count > limit {
            let problem = format!("{count} characters, at most {limit} are recommended: clients may cut it");
            self.may_be_cut(problem, first_chars(text, limit));
        }
        self
    }

    /// The same for a length in Chinese characters (字).
    pub(super) fn advised_chinese_chars(&mut self, text: &str, limit: usize) -> &mut Self {
        if chinese_chars(text) > limit {
            self.advised_chars(text, limit);
        }
        self
    }

    /// A length in Chinese characters. What the page counts an ASCII character for is not published, so a text passes
    /// if it fits when each counts as one or as a half.
    pub(super) fn chinese_chars(&mut self, text: &str, limits: RangeInclusive<usize>) {
        let (count, width) = (text.chars().count(), chinese_chars(text));
        if !limits.contains(&count) && !limits.contains(&width) {
            let (least, most) = (limits.start(), limits.end());
            let limit =
                if *least == 0 { format!("the limit is {most}") } else { format!("{least} to {most} are allowed") };
            self.error(format!("{count} characters, {limit}"));
        }
    }

    /// An address of at most 2048 bytes that begins with `http://` or `https://`.
    pub(super) fn http_url(&mut self, url: &str) {
        self.max_bytes(url, 2048);
        if !has_http_scheme(url) {
            self.error(format!("must begin with http:// or https://, not {}", shown(url)));
        }
    }

    /// The number of items of a list.
    pub(super) fn count(&mut self, count: usize, what: &str, limits: RangeInclusive<usize>) {
        let (least, most) = (*limits.start(), *limits.end());
        if count > most {
            self.error(format!("{count} {what}, the limit is {most}"));
        } else if count < least {
            self.error(format!("{count} {what}, at least {least} is required"));
        }
    }

    /// The value of a number that means a choice.
    pub(super) fn one_of(&mut self, value: Option<i64>, allowed: RangeInclusive<i64>) {
        if let Some(value) = value.filter(|value| !allowed.contains(value)) {
            let allowed: Vec<_> = allowed.map(|value| value.to_string()).collect();
            self.error(format!("{value}, but only {} are allowed", allowed.join(", ")));
        }
    }

    /// A required string of at most `limit` bytes that comes back in events.
    pub(super) fn key(&mut self, key: &str, limit: usize) {
        self.filled(key).max_bytes(key, limit);
    }

    /// The field `name` of the items of the list here must differ from item to item.
    pub(super) fn unique<'k>(&mut self, name: &str, keys: impl Iterator<Item = Option<&'k str>>) {
        let mut seen = HashSet::new();
        for (index, key) in keys.enumerate() {
            if let Some(key) = key.filter(|key| !seen.insert(*key)) {
                self.item(index).field(name).error(format!("{} is here twice, but must be unique", shown(key)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::message::Findings;

    fn errors(check: impl FnOnce(&mut At<'_>)) -> Vec<String> {
        let mut findings = Findings::default();
        check(&mut At::root(&mut findings).field("x"));
        findings.errors.iter().chain(&findings.warnings).map(ToString::to_string).collect()
    }

    #[test]
    fn bytes_and_characters_are_counted_apart() {
        let text = "磁".repeat(4);
        let found = |bytes: usize, chars: usize, advised: usize| {
            errors(|at| {
                at.max_bytes(&text, bytes).max_chars(&text, chars).advised_chars(&text, advised);
            })
        };
        assert!(found(12, 4, 4).is_empty());
        assert_eq!(found(11, 4, 4), ["x: 12 bytes, the limit is 11"]);
        assert_eq!(found(12, 3, 4), ["x: 4 characters, the limit is 3"]);
        assert_eq!(found(12, 4, 3), ["x: 4 characters, at most 3 are recommended: clients may cut it"]);
    }

    #[test]
    fn chinese_characters_fit_by_either_count() {
        let fits = |text: &str| errors(|at| at.chinese_chars(text, 4..=12)).is_empty();
        assert!(fits("会议室预") && fits("abcd") && fits(&"a".repeat(24)) && fits(&"磁".repeat(12)));
        assert!(!fits("会议室") && !fits("abc") && !fits(&"a".repeat(25)) && !fits(&"磁".repeat(13)));
        assert_eq!(errors(|at| at.chinese_chars("abc", 4..=12)), ["x: 3 characters, 4 to 12 are allowed"]);
        assert_eq!(errors(|at| at.chinese_chars(&"磁".repeat(11), 0..=10)), ["x: 11 characters, the limit is 10"]);
    }

    #[test]
    fn urls_need_a_scheme_and_at_most_2048_bytes() {
        let long = |bytes: usize| format!("https://example.test/{}", "a".repeat(bytes - 21));
        assert!(errors(|at| at.http_url(&long(2048))).is_empty());
        assert_eq!(errors(|at| at.http_url(&long(2049))), ["x: 2049 bytes, the limit is 2048"]);
        assert!(errors(|at| at.http_url("HTTP://example.test")).is_empty());
        for url in ["", "www.example.test", "ftp://example.test", "磁盘", "http:/"] {
            assert_eq!(errors(|at| at.http_url(url)).len(), 1, "{url}");
        }
    }

    #[test]
    fn choices_and_counts_have_both_ends() {
        assert!(errors(|at| (1..=4).for_each(|value| at.one_of(Some(value), 1..=4))).is_empty());
        assert!(errors(|at| at.one_of(None, 1..=4)).is_empty());
        assert_eq!(errors(|at| at.one_of(Some(5), 1..=4)), ["x: 5, but only 1, 2, 3, 4 are allowed"]);
        assert_eq!(errors(|at| at.one_of(Some(0), 1..=4)).len(), 1);
        assert!(errors(|at| [1, 8].into_iter().for_each(|n| at.count(n, "articles", 1..=8))).is_empty());
        assert_eq!(errors(|at| at.count(9, "articles", 1..=8)), ["x: 9 articles, the limit is 8"]);
        assert_eq!(errors(|at| at.count(0, "articles", 1..=8)), ["x: 0 articles, at least 1 is required"]);
    }

    #[test]
    fn repeated_keys_are_named_at_their_repetition() {
        let keys = [Some("a"), None, Some("b"), None, Some("a")];
        let found = errors(|at| at.unique("key", keys.into_iter()));
        assert_eq!(found, ["x[4].key: \"a\" is here twice, but must be unique"]);
    }

    fn find_control_characters(body: &Value) -> Findings {
        let mut findings = Findings::default();
        At::root(&mut findings).control_characters(body);
        findings
    }

    #[test]
    fn each_string_with_a_control_character_is_named_once() {
        let body = json!({
            "text": {"content": "ok\n\tfine", "list": ["a", "red \u{1b}[31m\u{0}", {"deep": "\r\n"}]},
            "na\u{7f}me": "nel \u{85}",
        });
        let paths: Vec<_> = find_control_characters(&body).errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            paths,
            [
                "text.list[1]: control character U+001B at byte 4, after \"red \"",
                "text.list[2].deep: control character U+000D at byte 0, after \"\"",
                "\"na\\u{7f}me\": control character U+007F at byte 2, after \"na\"",
                "\"na\\u{7f}me\": control character U+0085 at byte 4, after \"nel \"",
            ]
        );
    }

    #[test]
    fn ordinary_text_has_none() {
        let body = json!({"text": {"content": "磁盘 98 % – é 🚨\u{a0}\u{200b}"}, "n": 1, "b": true, "z": null});
        assert_eq!(find_control_characters(&body), Findings::default());
    }
}
