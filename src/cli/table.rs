//! The table of `check`: a line for each thing looked at, and below it what to do next.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use wecom_alert::check::label;
use wecom_alert::delivery::{Check, CheckStatus};
use wecom_alert::sanitize::one_line;
use wecom_alert::secret::Mask;

/// Whether the environment has nothing against colours.
static COLOURS: AtomicBool = AtomicBool::new(false);

/// Remembers whether a terminal may be shown colours.
pub(crate) fn remember(allows_colours: bool) {
    COLOURS.store(allows_colours, Ordering::Relaxed);
}

/// The table for stdout as it is.
pub(crate) fn render(checks: &[Check], mask: &Mask) -> String {
    lines(checks, mask, COLOURS.load(Ordering::Relaxed) && io::stdout().is_terminal())
}

/// The checks for programs.
pub(crate) fn to_json(checks: &[Check], mask: &Mask) -> Value {
    let shown = |text: &str| one_line(&mask.apply(text));
    let check = |check: &Check| {
        json!({
            "name": check.name,
            "status": <&str>::from(check.status),
            "detail": shown(&check.detail),
            "hint": check.hint.as_deref().map(shown),
        })
    };
    checks.iter().map(check).collect()
}

/// Only the first two columns are aligned. They hold names and signs of ours, a column wide each: text from outside, in
/// whatever script, comes last on its line.
fn lines(checks: &[Check], mask: &Mask, with_colours: bool) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let shown = |text: &str| one_line(&mask.apply(text));
    let mut text = String::new();
    for check in checks {
        let sign = sign(check.status, with_colours);
        text.push_str(&format!("{sign} {:width$}  {}\n", label(check.name), shown(&check.detail)));
        if let Some(hint) = &check.hint {
            text.push_str(&format!("  {:width$}  hint: {}\n", "", shown(hint)));
        }
    }
    text
}

fn sign(status: CheckStatus, with_colours: bool) -> String {
    let (sign, colour) = match status {
        CheckStatus::Ok => ('✓', Some(32)),
        CheckStatus::Warning => ('!', Some(33)),
        CheckStatus::Failed => ('✗', Some(31)),
        CheckStatus::Skipped => ('-', None),
    };
    match colour.filter(|_| with_colours) {
        Some(colour) => format!("\x1b[{colour}m{sign}\x1b[0m"),
        None => sign.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use wecom_alert::secret::Secret;

    use super::*;

    fn checks() -> Vec<Check> {
        let check = |name, status, detail: &str, hint: Option<&str>| Check {
            name,
            status,
            detail: detail.to_owned(),
            hint: hint.map(str::to_owned),
        };
        vec![
            check("dns", CheckStatus::Ok, "告警 \x1b[31mred", None),
            check("webhook_key", CheckStatus::Failed, "it is test-s3cret", Some("not test-s3cret\nagain")),
            check("tls", CheckStatus::Warning, "a", Some("b")),
            check("tcp", CheckStatus::Skipped, "c", None),
        ]
    }

    fn mask() -> Mask {
        let mask = Mask::new();
        mask.add(&Secret::new("test-s3cret"));
        mask
    }

    #[test]
    fn columns_are_aligned_and_text_from_outside_is_harmless() {
        let expected = "\
✓ dns          告警  [31mred
✗ webhook key  it is ***
               hint: not *** again
! tls          a
               hint: b
- tcp          c
";
        assert_eq!(lines(&checks(), &mask(), false), expected);
    }

    #[test]
    fn only_signs_have_colours() {
        let coloured = lines(&checks(), &mask(), true);
        for sign in ["\x1b[32m✓\x1b[0m", "\x1b[31m✗\x1b[0m", "\x1b[33m!\x1b[0m", "\n- tcp"] {
            assert!(coloured.contains(sign), "{coloured:?}");
        }
        assert_eq!(coloured.matches('\x1b').count(), 6, "{coloured:?}");
    }

    #[test]
    fn programs_get_the_same() {
        let told = to_json(&checks(), &mask());
        let second = json!({"name": "webhook_key", "status": "failed", "detail": "it is ***", "hint": "not *** again"});
        assert_eq!(
            (&told[1], &told[3]["hint"], told[0]["detail"].as_str()),
            (&second, &Value::Null, Some("告警  [31mred"))
        );
    }
}
