//! The result of a validation: errors and warnings, each with the path of the field. Contains no rule.

use crate::sanitize::truncate;
use std::fmt;

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where in the body, such as `template_card.jump_list[2].title`.
    pub path: String,
    /// The rule and what was given, without line breaks.
    pub problem: String,
    /// What to do about it, where the problem does not say so.
    pub hint: Option<String>,
    /// How many bytes of the text here have room, where it is too long.
    pub kept: Option<usize>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

/// Everything that a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Breaches of hard rules: the message must not be sent.
    pub errors: Vec<Finding>,
    /// Breaches of advice: the message may look worse than meant.
    pub warnings: Vec<Finding>,
}

/// A place in the body that is being checked: findings made here carry its path.
pub(super) struct At<'a> {
    findings: &'a mut Findings,
    path: String,
}

impl<'a> At<'a> {
    /// The body itself.
    pub(super) fn root(findings: &'a mut Findings) -> Self {
        Self { findings, path: String::new() }
    }

    /// A field of this object.
    pub(super) fn field(&mut self, name: &str) -> At<'_> {
        let dot = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{}", self.path, segment(name));
        At { findings: self.findings, path }
    }

    /// An item of this list, counted from 0.
    pub(super) fn item(&mut self, index: usize) -> At<'_> {
        let path = format!("{}[{index}]", self.path);
        At { findings: self.findings, path }
    }

    pub(super) fn error(&mut self, problem: impl Into<String>) {
        let finding = self.finding(problem.into(), None);
        self.findings.errors.push(finding);
    }

    pub(super) fn error_with_hint(&mut self, problem: impl Into<String>, hint: impl Into<String>) {
        let finding = self.finding(problem.into(), Some(hint.into()));
        self.findings.errors.push(finding);
    }

    /// A text that has no room beyond its first bytes.
    pub(super) fn too_long(&mut self, problem: impl Into<String>, hint: Option<&str>, kept: usize) {
        let finding = Finding { kept: Some(kept), ..self.finding(problem.into(), hint.map(str::to_owned)) };
        self.findings.errors.push(finding);
    }

    pub(super) fn warn(&mut self, problem: impl Into<String>) {
        let finding = self.finding(problem.into(), None);
        self.findings.warnings.push(finding);
    }

    /// A text that may be shown without what is beyond its first bytes.
    pub(super) fn may_be_cut(&mut self, problem: impl Into<String>, kept: usize) {
        let finding = Finding { kept: Some(kept), ..self.finding(problem.into(), None) };
        self.findings.warnings.push(finding);
    }

    pub(super) fn warn_with_hint(&mut self, problem: impl Into<String>, hint: impl Into<String>) {
        let finding = self.finding(problem.into(), Some(hint.into()));
        self.findings.warnings.push(finding);
    }

    fn finding(&self, problem: String, hint: Option<String>) -> Finding {
        let path = if self.path.is_empty() { "body".to_owned() } else { self.path.clone() };
        Finding { path, problem, hint, kept: None }
    }
}

/// A string of the user's as it may be in a message: quoted, on one line and not long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let (start, dots) = truncate(text, LONGEST);
    let start: String = start.chars().flat_map(char::escape_debug).collect();
    format!("\"{start}{dots}\"")
}

/// Names are the user's too: one that is not plain is quoted, so that a path stays one short line.
fn segment(name: &str) -> String {
    let plain = !name.is_empty()
        && name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@'));
    if plain { name.to_owned() } else { shown(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_fields_and_items() {
        let mut findings = Findings::default();
        At::root(&mut findings).field("template_card").field("jump_list").item(2).field("title").error("missing");
        At::root(&mut findings).warn("odd");
        assert_eq!(findings.errors[0].to_string(), "template_card.jump_list[2].title: missing");
        assert_eq!(findings.warnings[0].to_string(), "body: odd");
    }

    #[test]
    fn names_that_are_not_plain_stay_one_short_line() {
        let mut findings = Findings::default();
        let name = format!("a\n\u{1b}[31m\u{202e}{}", "x".repeat(100));
        At::root(&mut findings).field(&name).error("unknown field");
        let path = &findings.errors[0].path;
        assert!(path.starts_with("\"a\\n\\u{1b}[31m\\u{202e}x") && path.ends_with("x…\""), "{path}");
        assert!(path.chars().count() < 80, "{path}");
        assert_eq!(shown(""), "\"\"");
        assert_eq!(shown("磁盘"), "\"磁盘\"");
    }
}
