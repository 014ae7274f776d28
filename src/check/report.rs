//! The report of `check`: what was found so far, in the order of looking, and the outcome that it makes. Pure.

use crate::delivery::{Check, CheckStatus, Outcome, PlannedRequest, Product, Receipt};
use crate::error::{Answer, Error, Status};

/// The name of a check for people.
pub fn label(name: &str) -> String {
    match name {
        // The name in JSON is older.
        "pacing" => "rate limit".to_owned(),
        name => name.replace('_', " "),
    }
}

/// A report that is being filled in. Its methods take the name of the check.
#[derive(Debug, Default)]
pub(super) struct CheckReport {
    checks: Vec<Check>,
    /// The first failure: it decides what the command ends as.
    first: Option<Error>,
    /// WeCom's last answer that was no failure.
    answer: Option<Answer>,
    /// What became of test messages.
    parts: Vec<Receipt>,
    attempts: u32,
}

impl CheckReport {
    /// It is as it should be.
    pub(super) fn ok(&mut self, name: &'static str, detail: impl Into<String>) {
        self.note(name, CheckStatus::Ok, detail.into(), None);
    }

    /// It works, and something is to be done about it.
    pub(super) fn warn(&mut self, name: &'static str, detail: impl Into<String>, hint: impl Into<String>) {
        self.note(name, CheckStatus::Warning, detail.into(), Some(hint.into()));
    }

    /// It does not work.
    pub(super) fn fail(&mut self, name: &'static str, error: &Error) {
        self.note(name, CheckStatus::Failed, error.message().to_owned(), error.hint().map(str::to_owned));
        let named = || error.clone().with_message(format!("{}: {}", label(name), error.message()));
        self.first.get_or_insert_with(named);
    }

    /// It is not looked at.
    pub(super) fn skip(&mut self, name: &'static str, reason: impl Into<String>) {
        self.note(name, CheckStatus::Skipped, reason.into(), None);
    }

    /// It does not work, and because of it `rest` is not looked at. Returns its name as the error.
    pub(super) fn block(
        &mut self,
        name: &'static str,
        error: &Error,
        rest: &[&'static str],
    ) -> Result<(), &'static str> {
        self.fail(name, error);
        self.skip_after(rest, name);
        Err(name)
    }

    /// None of them is looked at, for the same reason.
    pub(super) fn skip_all(&mut self, names: &[&'static str], reason: &str) {
        names.iter().for_each(|name| self.skip(name, reason));
    }

    /// None of them is looked at, since something before them failed.
    pub(super) fn skip_after(&mut self, names: &[&'static str], failed: &str) {
        self.skip_all(names, &format!("skipped: {} failed", label(failed)));
    }

    /// WeCom answered, and it was no failure.
    pub(super) fn answered(&mut self, answer: Option<Answer>) {
        self.answer = answer.or(self.answer.take());
    }

    /// What became of a test message.
    pub(super) fn sent(&mut self, outcome: &Outcome) {
        self.parts.extend(outcome.parts.iter().cloned());
        self.attempts += outcome.attempts;
        self.answered(outcome.answer.clone());
    }

    /// What it all comes to; `plan` is that of a dry run.
    pub(super) fn into_outcome(self, plan: Option<Vec<PlannedRequest>>) -> Outcome {
        let Self { checks, first, answer, parts, attempts } = self;
        let ended = if plan.is_some() { Status::DryRun } else { Status::Ok };
        let ended = match first {
            Some(error) => Outcome::from(error),
            None => Outcome { answer, ..Outcome::new(ended) },
        };
        Outcome { product: Product::Checks(checks, plan), parts, attempts, ..ended }
    }

    fn note(&mut self, name: &'static str, status: CheckStatus, detail: String, hint: Option<String>) {
        self.checks.push(Check { name, status, detail, hint });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(outcome: &Outcome) -> Vec<(&'static str, CheckStatus)> {
        let Product::Checks(checks, _) = &outcome.product else { panic!("no checks") };
        checks.iter().map(|check| (check.name, check.status)).collect()
    }

    #[test]
    fn the_first_failure_decides() {
        let mut report = CheckReport::default();
        report.ok("config", "found");
        report.warn("webhook_key", "odd", "compare it");
        report.fail("webhook_key", &Error::temporary("later", "wait"));
        report.fail("agent", &Error::config("broken", "mend it"));
        report.skip_after(&["reach"], "webhook_key");
        let outcome = report.into_outcome(None);
        assert_eq!((outcome.status, outcome.exit_code()), (Status::Temporary, 7));
        let error = outcome.error.as_ref().unwrap();
        assert_eq!((error.message(), error.hint()), ("webhook key: later", Some("wait")));
        let expected = [
            ("config", CheckStatus::Ok),
            ("webhook_key", CheckStatus::Warning),
            ("webhook_key", CheckStatus::Failed),
            ("agent", CheckStatus::Failed),
            ("reach", CheckStatus::Skipped),
        ];
        assert_eq!(statuses(&outcome), expected);
        let Product::Checks(checks, None) = outcome.product else { panic!("no checks") };
        assert_eq!(checks[4].detail, "skipped: webhook key failed");
    }

    #[test]
    fn warnings_are_no_failure() {
        let mut report = CheckReport::default();
        report.warn("clock", "ahead", "set it");
        report.answered(Some(Answer { errcode: 0, errmsg: "ok".to_owned() }));
        report.answered(None);
        let outcome = report.into_outcome(None);
        assert_eq!((outcome.status, outcome.error.is_none(), outcome.answer.is_some()), (Status::Ok, true, true));
        assert_eq!(CheckReport::default().into_outcome(Some(Vec::new())).status, Status::DryRun);
    }
}
