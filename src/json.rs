//! JSON as the user wrote it: parsed without losing anything, numbers with all their digits, and its kinds of values in
//! words.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Parses one JSON document. A name that is twice in one object is an error too, since one of its values would vanish
/// silently. Errors have line and column.
///
/// A half of a surrogate pair (`\ud83d` alone, from an emoji that was cut) has no form in UTF-8, and WeCom would refuse
/// it: it becomes U+FFFD, with a warning.
pub(crate) fn parse_json(text: &str, warnings: &mut Vec<String>) -> serde_json::Result<Value> {
    let text = without_lone_surrogates(text, warnings);
    serde_json::from_str::<Unique>(&text)?;
    serde_json::from_str(&text)
}

/// The same, but of a name that is twice in one object the last value counts, with a warning.
pub(crate) fn parse_json_leniently(text: &str, warnings: &mut Vec<String>) -> serde_json::Result<Value> {
    let text = without_lone_surrogates(text, warnings);
    let value = serde_json::from_str(&text)?;
    if let Err(error) = serde_json::from_str::<Unique>(&text) {
        warnings.push(format!("{error}: its last value counts"));
    }
    Ok(value)
}

/// U+FFFD in place of each escape that is half of a surrogate pair. Both have six bytes: places in errors stay right.
fn without_lone_surrogates<'t>(text: &'t str, warnings: &mut Vec<String>) -> Cow<'t, str> {
    let escaped = |at: usize| {
        let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut mended, mut done, mut at, mut count) = (String::new(), 0, 0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        match escaped(at) {
            Some(0xd800..=0xdbff) if matches!(escaped(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                mended.push_str(&text[done..at]);
                mended.push_str("\\ufffd");
                at += 6;
                (done, count) = (at, count + 1);
            }
            // Whatever is escaped: a backslash begins nothing then.
            _ => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if count == 0 {
        return Cow::Borrowed(text);
    }
    let plural = if count == 1 { "" } else { "s" };
    warnings.push(format!("{count} cut character{plural} (half of a surrogate pair, as \\ud83d) became U+FFFD"));
    mended.push_str(&text[done..]);
    Cow::Owned(mended)
}

/// What kind of value this is, in words. A checker that tells integers from other numbers says more of a number itself.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Any JSON without an object in which a name is twice. Nothing of it is kept.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        while items.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    /// An object, or a number whose digits serde_json keeps: it gives that as an object of one name.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unique, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            if names.contains(&name) {
                return Err(A::Error::custom(format!("the name {name:?} occurs twice in one object")));
            }
            entries.next_value::<Unique>()?;
            names.insert(name);
        }
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name() {
        let values: Value = serde_json::json!([null, true, -1.5, "", [], {}]);
        let names: Vec<_> = values.as_array().unwrap().iter().map(kind_of).collect();
        assert_eq!(names.join(", "), "null, true or false, a number, a string, a list, an object");
    }

    fn parsed(text: &str) -> Value {
        let mut warnings = Vec::new();
        let value = parse_json(text, &mut warnings).unwrap();
        assert_eq!(warnings, [""; 0], "{text}");
        value
    }

    #[test]
    fn what_is_read_is_what_serde_reads() {
        let text = r#"{"a": [1, -2, 3.5, 18446744073709551615, true, null, "x\n"], "b": {"a": {}}}"#;
        assert_eq!(parsed(text), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn numbers_keep_their_digits() {
        for text in [
            "0.6543210987654321",
            "116.39747060000001",
            "2.5e-17",
            "93.333333333333333333",
            "1.50",
            "123456789012345678901",
            "1e+999",
        ] {
            assert_eq!(parsed(text).to_string(), text);
        }
        assert_eq!(parsed("1.00444444444e+82").as_f64(), Some(1.00444444444e+82));
    }

    #[test]
    fn a_duplicate_name_is_refused() {
        let text = "{\"text\": {\"content\": \"a\",\n \"content\": \"b\"}}";
        let error = parse_json(text, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("\"content\" occurs twice") && error.contains("line 2"), "{error}");
        let mut warnings = Vec::new();
        assert_eq!(parse_json_leniently(text, &mut warnings).unwrap()["text"]["content"], "b");
        assert_eq!(warnings, [format!("{error}: its last value counts")]);
    }

    #[test]
    fn half_of_a_surrogate_pair_is_replaced() {
        for (text, mended) in [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""a\ud83d\ude00\ud83db\ude00""#, "a😀\u{fffd}b\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\\ud83d""#, "\\ud83d"),
            (r#""\\\ud83d""#, "\\\u{fffd}"),
        ] {
            let mut warnings = Vec::new();
            assert_eq!(parse_json(text, &mut warnings).unwrap(), mended, "{text}");
            assert_eq!(warnings.len(), usize::from(mended.contains('\u{fffd}')), "{text}");
        }
        for broken in [r#""\"#, r#""\ud83"#, r#""\u磁盘""#, r#""\ud83d\"#, "\\磁"] {
            assert!(parse_json(broken, &mut Vec::new()).is_err(), "{broken}");
        }
    }
}
