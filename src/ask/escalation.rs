//! When each target of a question gets it: the steps of the plan, further tries of what failed, reminders, and the end. Pure:
//! events and the time since the start go in, and what is to be sent comes out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Status;

/// The pause before the first further try of a target that failed; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How a step comes to its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StepKind {
    /// The command's own target, at the start.
    Own,
    /// A target of `--also`, at the start.
    Also,
    /// The target of `--fallback`, once the own target failed.
    Fallback,
    /// A target of `--escalate`, at its time, or early where the step before it failed.
    Escalation,
}

/// What one target gets now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivery {
    /// The index of the target.
    pub(super) target: usize,
    /// Which of its messages this is, from 0: a further try has the number of the one that failed.
    pub(super) number: u32,
    /// Whether it was tried before, and may have arrived then.
    pub(super) is_again: bool,
}

/// How far a target has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its step has not begun.
    Waiting,
    /// A message is on its way.
    Sending,
    /// It has the question.
    Reached,
    /// It has nothing; tried again at that time, if that can help.
    Failed(Status, Option<Duration>),
}

/// What is known of a target.
#[derive(Debug, Clone)]
pub(super) struct TargetState {
    pub(super) step: usize,
    /// Whether a press on its message can come back.
    pub(super) can_answer: bool,
    pub(super) phase: Phase,
    /// When it was first reached.
    pub(super) reached_at: Option<Duration>,
    /// How many messages it got.
    pub(super) messages: u32,
    /// When it is reminded.
    remind_at: Option<Duration>,
    tries: u32,
}

impl TargetState {
    /// Whether nothing is on its way to it.
    pub(super) fn is_settled(&self) -> bool {
        self.phase != Phase::Sending
    }
}

#[derive(Debug, Clone)]
struct Step {
    kind: StepKind,
    /// When it begins; `None` as long as only a failure would begin it.
    due: Option<Duration>,
    has_begun: bool,
}

/// Why nothing more is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitEnd {
    /// The time is over.
    Over,
    /// No press can come back, and nothing that is left to do changes that.
    Hopeless,
}

/// A question on its way to its targets.
#[derive(Debug, Clone)]
pub(super) struct Escalation {
    steps: Vec<Step>,
    targets: Vec<TargetState>,
    wait: Duration,
    remind: Option<Duration>,
}

impl Escalation {
    pub(super) fn new(wait: Duration, remind: Option<Duration>) -> Self {
        Self { steps: Vec::new(), targets: Vec::new(), wait, remind }
    }

    /// Adds a step, behind those that come before it, with its targets: of each whether a press can come back.
    pub(super) fn add(&mut self, kind: StepKind, at: Duration, targets: impl IntoIterator<Item = bool>) {
        let due = (kind != StepKind::Fallback).then_some(at);
        let step = self.steps.len();
        self.steps.push(Step { kind, due, has_begun: false });
        self.targets.extend(targets.into_iter().map(|can_answer| TargetState {
            step,
            can_answer,
            phase: Phase::Waiting,
            reached_at: None,
            messages: 0,
            remind_at: None,
            tries: 0,
        }));
    }

    /// Takes over the times that a question had from the start.
    pub(super) fn keep_times(&mut self, wait: Duration, due: impl IntoIterator<Item = Option<Duration>>) {
        self.wait = wait;
        for (target, due) in self.targets.iter().zip(due) {
            self.steps[target.step].due = due;
        }
    }

    /// Takes up what an earlier process had done for a target: what was on its way then is tried again.
    pub(super) fn resume(&mut self, target: usize, phase: Phase, messages: u32, reached_at: Option<Duration>) {
        let remind = self.remind;
        let Some(state) = self.targets.get_mut(target) else { return };
        state.phase =
            if phase == Phase::Sending { Phase::Failed(Status::Unknown, Some(Duration::ZERO)) } else { phase };
        state.messages = messages;
        state.reached_at = reached_at;
        state.remind_at = reached_at.zip(remind).map(|(at, remind)| at + remind * messages.max(1));
        if phase != Phase::Waiting {
            self.steps[state.step].has_begun = true;
        }
    }

    pub(super) fn targets(&self) -> &[TargetState] {
        &self.targets
    }

    /// When the step of a target begins, as things stand; `None` where only a failure would begin it.
    pub(super) fn due(&self, target: usize) -> Option<Duration> {
        self.steps[self.targets[target].step].due
    }

    /// Whether a target gets it later than the first ones: because nobody has answered, or could be reached.
    pub(super) fn is_late(&self, target: usize) -> bool {
        self.steps[self.targets[target].step].kind == StepKind::Escalation
    }

    /// What is to be sent now. Each of it must end in [`Self::reached`] or [`Self::failed`].
    pub(super) fn begin(&mut self, now: Duration) -> Vec<Delivery> {
        let mut begun = Vec::new();
        if now >= self.wait {
            return begun;
        }
        for step in &mut self.steps {
            step.has_begun |= step.due.is_some_and(|due| due <= now);
        }
        for (index, target) in self.targets.iter_mut().enumerate() {
            let is_due = match target.phase {
                Phase::Waiting => self.steps[target.step].has_begun,
                Phase::Failed(_, again) => again.is_some_and(|again| again <= now),
                Phase::Reached => target.can_answer && target.remind_at.is_some_and(|at| at <= now),
                Phase::Sending => false,
            };
            if is_due {
                let is_again = matches!(target.phase, Phase::Failed(..)) || target.tries > 0;
                target.phase = Phase::Sending;
                begun.push(Delivery { target: index, number: target.messages, is_again });
            }
        }
        begun
    }

    /// A target has got a message; `can_answer` says whether a press on it can come back.
    pub(super) fn reached(&mut self, target: usize, can_answer: bool, now: Duration) {
        let remind = self.remind;
        let state = &mut self.targets[target];
        (state.phase, state.can_answer, state.tries) = (Phase::Reached, can_answer, 0);
        state.messages += 1;
        state.reached_at.get_or_insert(now);
        state.remind_at = remind.map(|remind| now + remind);
        self.hurry(now);
    }

    /// A message to a target failed. A reminder that fails leaves it reached.
    pub(super) fn failed(&mut self, target: usize, status: Status, now: Duration) {
        let state = &mut self.targets[target];
        state.tries += 1;
        let pause = pause(state.tries);
        if state.reached_at.is_some() {
            state.phase = Phase::Reached;
            state.remind_at = self.remind.map(|_| now + pause);
            return;
        }
        let may_help = matches!(status, Status::Temporary | Status::RateLimited | Status::Unknown);
        state.phase = Phase::Failed(status, may_help.then(|| now + pause));
        let (step, is_first) = (state.step, state.tries == 1);
        let has_failed = |state: &TargetState| matches!(state.phase, Phase::Failed(..));
        let is_whole = self.targets.iter().filter(|state| state.step == step).all(has_failed);
        if is_whole && is_first && self.steps[step].kind != StepKind::Also {
            self.start_next(step + 1, now);
        }
        self.hurry(now);
    }

    /// No press on messages to these targets can come back any more.
    pub(super) fn lost(&mut self, is_lost: impl Fn(usize) -> bool, now: Duration) {
        for (index, target) in self.targets.iter_mut().enumerate() {
            target.can_answer &= !is_lost(index);
        }
        self.hurry(now);
    }

    /// Where nobody can answer, the next step begins at once.
    fn hurry(&mut self, now: Duration) {
        let may_answer = |target: &TargetState| {
            target.can_answer && (target.phase == Phase::Reached || target.phase == Phase::Sending)
        };
        let begins = |target: &TargetState| {
            let step = &self.steps[target.step];
            target.phase == Phase::Waiting && step.due.is_some_and(|due| due <= now)
        };
        if !self.targets.iter().any(|target| may_answer(target) || begins(target)) {
            self.start_next(0, now);
        }
    }

    /// Starts the first step from this index on that has not begun.
    fn start_next(&mut self, from: usize, now: Duration) {
        let waits = |step: &&mut Step| !step.has_begun && step.due.is_none_or(|due| due > now);
        if let Some(step) = self.steps.iter_mut().skip(from).find(waits) {
            step.due = Some(now);
        }
    }

    /// Whether nothing more is waited for.
    pub(super) fn end(&self, now: Duration) -> Option<WaitEnd> {
        if now >= self.wait {
            return Some(WaitEnd::Over);
        }
        let goes_on = |target: &TargetState| match target.phase {
            Phase::Waiting => self.steps[target.step].due.is_some(),
            Phase::Sending => true,
            Phase::Reached => target.can_answer,
            Phase::Failed(_, again) => again.is_some(),
        };
        (!self.targets.iter().any(goes_on)).then_some(WaitEnd::Hopeless)
    }

    /// When [`Self::begin`] or [`Self::end`] can say something new, if nothing happens before.
    pub(super) fn next_time(&self) -> Duration {
        let of_target = |target: &TargetState| match target.phase {
            Phase::Waiting => self.steps[target.step].due,
            Phase::Failed(_, again) => again,
            Phase::Reached => target.remind_at.filter(|_| target.can_answer),
            Phase::Sending => None,
        };
        self.targets.iter().filter_map(of_target).fold(self.wait, Duration::min)
    }

    pub(super) fn wait(&self) -> Duration {
        self.wait
    }
}

fn pause(tries: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::StepKind::{Also, Escalation as Later, Fallback, Own};
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn plan(steps: &[(StepKind, u64, bool)]) -> Escalation {
        let mut plan = Escalation::new(s(600), None);
        steps.iter().for_each(|(kind, at, can_answer)| plan.add(*kind, s(*at), [*can_answer]));
        plan
    }

    fn begun(plan: &mut Escalation, now: u64) -> Vec<usize> {
        plan.begin(s(now)).iter().map(|begun| begun.target).collect()
    }

    #[test]
    fn steps_begin_at_their_times() {
        let mut plan =
            plan(&[(Own, 0, true), (Also, 0, false), (Fallback, 0, true), (Later, 60, true), (Later, 120, true)]);
        assert_eq!(begun(&mut plan, 0), [0, 1]);
        plan.reached(0, true, s(1));
        plan.reached(1, false, s(1));
        assert_eq!((begun(&mut plan, 59), plan.next_time()), (vec![], s(60)));
        assert_eq!((begun(&mut plan, 60), plan.next_time()), (vec![3], s(120)));
        // One that hangs delays nobody.
        assert_eq!(begun(&mut plan, 120), [4]);
        assert_eq!((plan.end(s(599)), plan.end(s(600))), (None, Some(WaitEnd::Over)));
        assert_eq!(begun(&mut plan, 600), [0; 0]);
    }

    #[test]
    fn a_failure_starts_the_next_step_early_and_no_other() {
        let mut plan = plan(&[(Own, 0, true), (Later, 60, true), (Later, 120, true)]);
        begun(&mut plan, 0);
        plan.failed(0, Status::Temporary, s(10));
        assert_eq!(begun(&mut plan, 10), [1]);
        plan.reached(1, true, s(11));
        assert_eq!(begun(&mut plan, 14), [0; 0]);
        // It is tried again, and fails again: the later step keeps its time.
        assert_eq!(plan.begin(s(15)), [Delivery { target: 0, number: 0, is_again: true }]);
        plan.failed(0, Status::Temporary, s(16));
        assert_eq!((begun(&mut plan, 16), plan.next_time()), (vec![], s(26)));
        assert_eq!(begun(&mut plan, 26), [0]);
        plan.reached(0, true, s(27));
        assert_eq!((begun(&mut plan, 119), begun(&mut plan, 120)), (vec![], vec![2]));
    }

    #[test]
    fn the_fallback_begins_when_the_own_target_fails() {
        let mut plan = plan(&[(Own, 0, true), (Fallback, 0, true), (Later, 60, true)]);
        begun(&mut plan, 0);
        plan.failed(0, Status::Config, s(1));
        assert_eq!(begun(&mut plan, 1), [1]);
        plan.failed(1, Status::Auth, s(2));
        assert_eq!(begun(&mut plan, 2), [2]);
        plan.failed(2, Status::Refused, s(3));
        assert_eq!(plan.end(s(3)), Some(WaitEnd::Hopeless));
    }

    #[test]
    fn one_recipient_of_several_is_enough() {
        let mut plan = Escalation::new(s(600), None);
        plan.add(Own, s(0), [true, true]);
        plan.add(Later, s(60), [true]);
        assert_eq!(begun(&mut plan, 0), [0, 1]);
        plan.failed(0, Status::Refused, s(1));
        plan.reached(1, true, s(1));
        assert_eq!((begun(&mut plan, 1), plan.next_time()), (vec![], s(60)));
    }

    #[test]
    fn a_target_of_also_that_fails_starts_nothing() {
        let mut plan = plan(&[(Own, 0, true), (Also, 0, true), (Later, 60, true)]);
        begun(&mut plan, 0);
        plan.reached(0, true, s(1));
        plan.failed(1, Status::Refused, s(1));
        assert_eq!(plan.next_time(), s(60));
    }

    #[test]
    fn where_nobody_can_answer_the_next_step_begins_at_once() {
        let mut plan = plan(&[(Own, 0, false), (Later, 60, false), (Later, 120, true), (Later, 180, false)]);
        assert_eq!(begun(&mut plan, 0), [0]);
        plan.reached(0, false, s(1));
        assert_eq!(begun(&mut plan, 1), [1]);
        plan.reached(1, false, s(2));
        assert_eq!(begun(&mut plan, 2), [2]);
        plan.reached(2, true, s(3));
        assert_eq!((begun(&mut plan, 3), plan.next_time()), (vec![], s(180)));
        plan.lost(|target| target == 2, s(4));
        assert_eq!(begun(&mut plan, 4), [3]);
        assert_eq!(plan.end(s(4)), None);
        plan.reached(3, false, s(5));
        assert_eq!(plan.end(s(5)), Some(WaitEnd::Hopeless));
    }

    #[test]
    fn reminders_count_from_the_own_card_of_each_target() {
        let mut plan = Escalation::new(s(600), Some(s(60)));
        plan.add(Own, s(0), [true]);
        plan.add(Later, s(90), [true]);
        begun(&mut plan, 0);
        plan.reached(0, true, s(5));
        assert_eq!(begun(&mut plan, 64), [0; 0]);
        assert_eq!(plan.begin(s(65)), [Delivery { target: 0, number: 1, is_again: false }]);
        plan.failed(0, Status::Temporary, s(66));
        assert_eq!(plan.begin(s(71)), [Delivery { target: 0, number: 1, is_again: true }]);
        plan.reached(0, true, s(72));
        assert_eq!(begun(&mut plan, 90), [1]);
        plan.reached(1, true, s(91));
        assert_eq!((begun(&mut plan, 131), begun(&mut plan, 132), plan.next_time()), (vec![], vec![0], s(151)));
    }

    #[test]
    fn what_was_on_its_way_is_tried_again_with_its_number() {
        let mut plan = Escalation::new(s(600), Some(s(60)));
        plan.add(Own, s(0), [true, true]);
        plan.add(Later, s(60), [true]);
        plan.resume(0, Phase::Reached, 2, Some(s(3)));
        plan.resume(1, Phase::Sending, 0, None);
        assert_eq!(plan.begin(s(30)), [Delivery { target: 1, number: 0, is_again: true }]);
        plan.reached(1, true, s(31));
        assert_eq!((begun(&mut plan, 60), plan.next_time()), (vec![2], s(91)));
        assert_eq!(begun(&mut plan, 123), [0, 1]);
    }

    proptest! {
        /// Whatever fails or hangs: no target has two messages under way, each step begins at its time or earlier, and there
        /// is an end.
        #[test]
        fn every_step_begins_in_time(
            ats in proptest::collection::vec(0_u64..500, 1..5),
            results in proptest::collection::vec(0_u8..4, 60),
        ) {
            let mut ats = ats;
            ats.sort_unstable();
            let mut plan = Escalation::new(s(600), Some(s(60)));
            plan.add(Own, s(0), [true]);
            ats.iter().for_each(|at| plan.add(Later, s(*at), [true]));
            let (mut results, mut under_way, mut began) = (results.into_iter(), vec![], vec![None; ats.len() + 1]);
            for now in 0..600 {
                for sent in plan.begin(s(now)) {
                    prop_assert!(!under_way.contains(&sent.target));
                    began[sent.target].get_or_insert(now);
                    under_way.push(sent.target);
                }
                prop_assert!(plan.next_time() > s(now));
                if let Some(target) = under_way.pop() {
                    match results.next() {
                        Some(0) => plan.reached(target, true, s(now)),
                        Some(1) => plan.failed(target, Status::Temporary, s(now)),
                        Some(2) => plan.failed(target, Status::Refused, s(now)),
                        // It hangs.
                        _ => {}
                    }
                }
                if plan.end(s(now)).is_some() {
                    break;
                }
                for (at, began) in ats.iter().zip(&began[1..]) {
                    prop_assert!(began.is_some_and(|began| began <= *at) || *at > now, "{at} {now} {began:?}");
                }
            }
            prop_assert_eq!(plan.end(s(600)), Some(WaitEnd::Over));
        }
    }
}
