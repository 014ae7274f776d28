//! What is kept of the plan of a question, so that a running `listen` can go on with it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::plan::{Plan, PlannedStep, escalation};
use super::question::Question;
use crate::alert::Alert;
use crate::channel::Channel;
use crate::clock::in_ms;
use crate::config::{Precedence, RecipientSettings, Settings};
use crate::send::{Place, QuestionDraft};

/// So many bytes it has as JSON.
const PLAN_BYTES: usize = 64 * 1024;

/// A plan on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptPlan {
    /// That of the command; `None` where its credential stood in the environment.
    pub(super) profile: Option<String>,
    /// That of the command.
    pub(super) channel: Channel,
    alert: Alert,
    /// Whom an app asks, where the profile does not say that by a program.
    to: Option<[Vec<String>; 5]>,
    places: Vec<Place>,
    steps: Vec<PlannedStep>,
    remind_ms: Option<u64>,
    tell: Vec<Place>,
    /// What only who knows the credential of the question can compute.
    pub(super) seal: String,
}

impl KeptPlan {
    /// What is to be kept of a plan, yet without a seal.
    ///
    /// # Errors
    ///
    /// Why it cannot be kept.
    pub(super) fn new(
        settings: &Settings,
        channel: Channel,
        plan: &Plan,
        draft: &QuestionDraft,
    ) -> Result<Self, String> {
        let alert = draft.alert().ok_or("it is no alert")?.clone();
        let of = |to: &RecipientSettings| {
            [&to.to_user, &to.to_party, &to.to_tag, &to.to_mobile, &to.to_email].map(Vec::clone)
        };
        let kept = Self {
            profile: settings.profile.clone(),
            channel,
            alert,
            to: settings.to.as_ref().filter(|to| to.to_user_command.is_none()).map(of),
            places: plan.places.clone(),
            steps: plan.steps.clone(),
            remind_ms: plan.remind.map(in_ms),
            tell: plan.tell.clone(),
            seal: String::new(),
        };
        let length = kept.text().len();
        if length > PLAN_BYTES { Err(format!("it has {length} bytes, more than {PLAN_BYTES}")) } else { Ok(kept) }
    }

    /// All but the seal, as text.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(&Self { seal: String::new(), ..self.clone() }).unwrap_or_default()
    }

    /// What is asked.
    pub(super) fn draft(&self) -> QuestionDraft {
        QuestionDraft::of_alert(self.alert.clone(), self.channel)
    }

    /// The plan again, for a question that is open for so long.
    pub(super) fn plan(&self, question: Question, id: String, wait: Duration) -> Plan {
        let remind = self.remind_ms.map(Duration::from_millis);
        let names = self.places.iter().map(|place| place.shown(self.profile.as_deref())).collect();
        Plan {
            question,
            escalation: escalation(&self.steps, &self.places, wait, remind),
            places: self.places.clone(),
            names,
            steps: self.steps.clone(),
            remind,
            tell: self.tell.clone(),
            id: Some(id),
            is_confirm: false,
            is_detached: false,
        }
    }

    /// Whether each step has its targets.
    pub(super) fn is_whole(&self, targets: usize) -> bool {
        targets > 0
            && self.places.len() == targets
            && self.steps.iter().map(|step| step.targets).sum::<usize>() == targets
    }

    /// Makes the recipients those of the question.
    pub(super) fn put_recipients(&self, settings: &mut Settings) {
        let Some([to_user, to_party, to_tag, to_mobile, to_email]) = self.to.clone() else { return };
        settings.to = Some(RecipientSettings {
            precedence: Precedence::Option,
            to_user,
            to_party,
            to_tag,
            to_mobile,
            to_email,
            places: std::array::from_fn(|_| "the question".to_owned()),
            to_user_command: None,
            stand_ins: Vec::new(),
        });
    }
}
