//! What proves on disk, where others may write, that a question and its answer come from who knows the credential of the
//! question.

use std::rc::Rc;
use std::sync::Arc;

use super::answer::Answerer;
use super::kept_plan::KeptPlan;
use super::kept_record::EndCheck;
use super::record::{Record, State};
use crate::send::Login;

/// What only who knows the credential of the question can compute.
pub(super) type Seal = Rc<dyn Fn(&[String]) -> Option<String>>;

/// The same of a credential, if that is there.
pub(super) fn seal(login: Option<Arc<Login>>) -> Seal {
    Rc::new(move |parts| login.as_ref().map(|login| login.seal(parts)))
}

/// A record in a folder may have been written by others: a press counts with its seal alone, and an answer of a command
/// only where those are allowed.
pub(super) fn trust(login: Option<Arc<Login>>) -> EndCheck {
    Arc::new(move |record| match &record.state {
        State::Open | State::Over(_) | State::Withdrawn(_) => true,
        State::Answered(answer) => {
            let seal = || login.as_ref().map(|login| login.seal(&record.sealed_parts(answer)));
            let is_sealed = || answer.seal.is_some() && answer.seal == seal();
            record.takes(answer) && (matches!(answer.by, Answerer::Local(_)) || is_sealed())
        }
    })
}

/// What proves that a plan comes from who knows the credential of the question.
pub(super) fn plan_seal(login: &Login, record: &Record, plan: &KeptPlan) -> String {
    let mut parts = record.planned_parts(plan);
    parts.push(login.base_url.as_str().to_owned());
    login.seal(&parts)
}
