//! What is wrong with a message, at its place on the page: the findings of the rules that sending checks.

use crate::message::{Finding, Findings};

use super::html::Html;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// WeCom refuses the message, or this program does in its place.
    Refused,
    /// It is not shown as it was meant.
    Changed,
}

/// The findings of a message, each of which is told once.
pub(super) struct Marks {
    left: Vec<(Weight, Finding)>,
}

impl Marks {
    pub(super) fn new(findings: Findings) -> Self {
        let errors = findings.errors.into_iter().map(|finding| (Weight::Refused, finding));
        let warnings = findings.warnings.into_iter().map(|finding| (Weight::Changed, finding));
        Self { left: errors.chain(warnings).collect() }
    }

    /// Takes the findings of this place.
    pub(super) fn take(&mut self, path: &str) -> Vec<(Weight, Finding)> {
        let (taken, left) = std::mem::take(&mut self.left).into_iter().partition(|(_, finding)| finding.path == path);
        self.left = left;
        taken
    }

    /// Takes those that have had no place.
    pub(super) fn take_rest(&mut self) -> Vec<(Weight, Finding)> {
        std::mem::take(&mut self.left)
    }
}

impl Html {
    /// A rule, at the place where it counts.
    pub(super) fn mark(&mut self, weight: Weight, rule: &str) -> &mut Self {
        let class = match weight {
            Weight::Refused => "mark refused",
            Weight::Changed => "mark",
        };
        self.open_with("span", class, &[("lang", "en")]).text(rule).close("span")
    }
}
