//! Unit tests of `ci`: the rules, and each CI system.

mod rules;
mod systems;

use super::{CiContext, context};
use crate::words::{Language, Words};

/// 2026-03-01 10:00 UTC.
const NOW: u64 = 1_772_359_200;

fn look<'v>(variables: &'v [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'v {
    |name| variables.iter().find(|(its, _)| *its == name).map(|(_, value)| (*value).to_owned())
}

fn found(variables: &[(&str, &str)]) -> CiContext {
    context("auto", false, look(variables), NOW).unwrap().unwrap()
}

/// The same where a command of this job is told of.
fn of_command(variables: &[(&str, &str)]) -> CiContext {
    context("auto", true, look(variables), NOW).unwrap().unwrap()
}

fn words() -> &'static Words {
    Language::English.words()
}

fn facts(context: &CiContext) -> Vec<String> {
    context.fields(words()).iter().map(|field| format!("{}={}", field.key, field.value)).collect()
}
