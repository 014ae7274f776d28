//! Hints for common mistakes in the syntax of a template: `=` for `==`, a tag that is not closed, words of other languages.

use std::borrow::Cow;

/// What opens a block, and what closes it.
const BLOCKS: [(&str, &str); 7] = [
    ("for", "endfor"),
    ("if", "endif"),
    ("macro", "endmacro"),
    ("filter", "endfilter"),
    ("with", "endwith"),
    ("call", "endcall"),
    ("autoescape", "endautoescape"),
];

/// What to correct, for a template that the engine cannot read.
pub(super) fn syntax_hint(source: &str) -> Cow<'static, str> {
    let mut open: Vec<(&str, &str, usize)> = Vec::new();
    for Tag { line, is_statement, content } in tags(source) {
        let Some(content) = content else {
            return format!("close the tag of line {line}: with }}}} after {{{{, and with %}} after {{%").into();
        };
        let plain = without_strings(content);
        let mut words = plain.split_whitespace();
        let word = words.next().unwrap_or_default();
        if is_statement && let Some((block, end)) = BLOCKS.into_iter().find(|(block, _)| *block == word) {
            open.push((block, end, line));
        }
        if let Some(hint) = in_tag(&plain, is_statement) {
            return hint.into();
        }
        if !is_statement || !word.starts_with("end") || word == "endset" || word == "endraw" {
            continue;
        }
        match open.pop() {
            Some((_, end, _)) if end == word => {}
            Some((block, end, at)) => {
                return format!(
                    "add {{% {end} %}} before {{% {word} %}} of line {line}, for the {{% {block} %}} of line {at}"
                )
                .into();
            }
            None => return format!("nothing is open that {{% {word} %}} of line {line} could close").into(),
        }
    }
    match open.pop() {
        Some((block, end, line)) => format!("add {{% {end} %}} for the {{% {block} %}} of line {line}").into(),
        None => "look for an unclosed {{, {% or {#, and for a missing endif or endfor".into(),
    }
}

/// What is wrong in a tag, whose strings are empty here.
fn in_tag(plain: &str, is_statement: bool) -> Option<&'static str> {
    let mut words = plain.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    match first {
        "elseif" | "elsif" => return Some("write {% elif … %}"),
        "else" if second == Some("if") => return Some("write {% elif … %}"),
        "foreach" => return Some("write {% for item in list %}…{% endfor %}"),
        "include" | "import" | "from" | "extends" if is_statement => {
            return Some("write it all into one file: a template loads no other");
        }
        "if" | "elif" if is_statement && has_single_equals(plain) => {
            return Some("write == to compare: {% if a == b %}");
        }
        _ => {}
    }
    let has = |sign: &str| plain.contains(sign);
    if has("&&") || has("||") {
        return Some("write `and` and `or` in place of && and ||");
    }
    if plain.replace("!=", "").contains('!') {
        return Some("write `not` in place of !");
    }
    if has("?") {
        return Some("write {{ a if condition else b }} in place of condition ? a : b");
    }
    None
}

/// Whether there is a `=` that is not part of `==`, `!=`, `<=` or `>=`, and not an argument's.
fn has_single_equals(plain: &str) -> bool {
    let signs = ["==", "!=", "<=", ">="].iter().fold(plain.to_owned(), |text, sign| text.replace(sign, "  "));
    let mut depth = 0;
    signs.chars().any(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == '=' && depth == 0
    })
}

/// A tag, `{{ … }}` or `{% … %}`.
struct Tag<'s> {
    /// Counted from 1.
    line: usize,
    is_statement: bool,
    /// What is in it; `None` if nothing closes it.
    content: Option<&'s str>,
}

fn tags(source: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = source.get(at..)?;
            let start = at + [rest.find("{{"), rest.find("{%"), rest.find("{#")].into_iter().flatten().min()?;
            let (kind, inside) = (source[start..].chars().nth(1)?, start + 2);
            let end = match kind {
                '{' => "}}",
                '%' => "%}",
                _ => "#}",
            };
            let length = source[inside..].find(end);
            at = length.map_or(source.len(), |length| inside + length + end.len());
            if kind == '#' {
                continue;
            }
            let content = length.map(|length| &source[inside..inside + length]);
            // The next tag begins before this one ends: this one is not closed.
            let content = content.filter(|content| !content.contains("{%") && !content.contains("{{"));
            let line = source[..start].matches('\n').count() + 1;
            let content = content.map(|content| content.trim_matches(['-', '+']).trim());
            return Some(Tag { line, is_statement: kind == '%', content });
        }
    })
}

/// The content of a tag with empty strings.
fn without_strings(content: &str) -> String {
    let mut quote = None;
    content
        .chars()
        .filter(|c| match quote {
            Some(open) if *c == open => {
                quote = None;
                true
            }
            Some(_) => false,
            None => {
                quote = matches!(c, '"' | '\'').then_some(*c);
                true
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_mistake_has_its_hint() {
        for (source, hint) in [
            ("{% if a = b %}x{% endif %}", "write == to compare"),
            ("{% if a == 'x=y' %}{% elif a=b %}{% endif %}", "write == to compare"),
            ("x\n{% for x in l %}a", "add {% endfor %} for the {% for %} of line 2"),
            (
                "{% for x in l %}{% if x %}\n{% end %}",
                "add {% endif %} before {% end %} of line 2, for the {% if %} of line 1",
            ),
            (
                "{% for x in l %}{% if x %}\n{% endfor %}",
                "add {% endif %} before {% endfor %} of line 2, for the {% if %} of line 1",
            ),
            (
                "{%- if a -%}\n{% for x in l %}{% endif %}",
                "add {% endfor %} before {% endif %} of line 2, for the {% for %} of line 2",
            ),
            ("{% endfor %}", "nothing is open that {% endfor %} of line 1 could close"),
            ("{% if a %}{% else if b %}{% endif %}", "write {% elif … %}"),
            ("{% if a %}{% elseif b %}{% endif %}", "write {% elif … %}"),
            ("{{ a && b }}", "`and` and `or`"),
            ("{{ a || b }}", "`and` and `or`"),
            ("{% if !a %}{% endif %}", "`not`"),
            ("{{ a ? b : c }}", "{{ a if condition else b }}"),
            ("{% foreach x in l %}", "{% for item in list %}"),
            ("{% include 'x' %}", "a template loads no other"),
            ("a\n{{ b", "close the tag of line 2"),
            ("{{ a\n{{ b }}", "close the tag of line 1"),
        ] {
            assert!(syntax_hint(source).contains(hint), "{source}: {}", syntax_hint(source));
        }
    }

    #[test]
    fn what_is_right_is_not_named() {
        let right = "{# if a = b #}{% if a != b and 'a && b ?' %}{% set x = 1 %}{{ a|join(d=', ') }}{% endif %}\
                     {% if f(a=1) >= 2 %}{% endif %}{% set y %}z{% endset %}";
        assert!(syntax_hint(right).starts_with("look for an unclosed"), "{}", syntax_hint(right));
    }
}
