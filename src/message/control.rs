//! The search for control characters in a body. Removing them is not its business: payloads are never edited.

use serde_json::Value;

use super::finding::{At, shown};

/// An error for every string of `value`, names included, that holds a control character: C0 besides line feed and
/// tab, DEL, or C1.
pub(super) fn search(value: &Value, at: &mut At<'_>) {
    match value {
        Value::String(text) => report(text, at),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                search(item, &mut at.item(index));
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let mut at = at.field(name);
                report(name, &mut at);
                search(value, &mut at);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn report(text: &str, at: &mut At<'_>) {
    if let Some((index, found)) = text.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\n' | '\t')) {
        let mut before: Vec<char> = text[..index].chars().rev().take(20).collect();
        before.reverse();
        let before = shown(&before.iter().collect::<String>());
        let hint = "remove it: of the control characters only line feed and tab may stand in a message";
        at.error_with_hint(
            format!("control character U+{:04X} at byte {index}, after {before}", u32::from(found)),
            hint,
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Findings;
    use super::*;

    fn find_control_characters(body: &Value) -> Findings {
        let mut findings = Findings::default();
        search(body, &mut At::root(&mut findings));
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
