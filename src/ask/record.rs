//! What is kept of a question: one file in the state folder, changed under its lock. It decides once whether the question was
//! answered, is over or was withdrawn.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answerer, Asker, RecordedAnswer, is_key};
use super::kept_plan::KeptPlan;
use super::question::{Presser, Question, Verdict};
use super::task_id::{TASK_ID, TaskId, file_name};
use crate::clock::{LAST_MS, read_ms};
use crate::config::LONGEST_WAIT_HOURS;
use crate::words::{Language, Words};

/// The longest time that a question is open, in milliseconds.
pub(super) const LONGEST_WAIT_MS: u64 = LONGEST_WAIT_HOURS * 60 * 60 * 1_000;

/// The most messages that a target gets: one a minute.
pub(super) const MOST_MESSAGES: u32 = 60 * LONGEST_WAIT_HOURS as u32;

/// A question as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// What `answer` and `--id` call it.
    pub(super) id: String,
    /// Its first line, for people.
    pub(super) title: String,
    /// What a question of the same id must have in common with it.
    pub(super) fingerprint: String,
    pub(super) question: Question,
    pub(super) language: Language,
    pub(super) asker: Asker,
    /// When it was first sent, in Unix milliseconds.
    #[serde(deserialize_with = "read_ms")]
    pub(super) start_ms: u64,
    /// How long it is open.
    #[serde(deserialize_with = "read_ms")]
    pub(super) wait_ms: u64,
    pub(super) targets: Vec<RecordedTarget>,
    pub(super) state: State,
    /// What is needed to go on with it, where others may do that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) plan: Option<Box<KeptPlan>>,
}

/// What a target got.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RecordedTarget {
    /// `PROFILE:CHANNEL[/ID]`.
    pub(super) name: String,
    pub(super) status: TargetStatus,
    /// Why it has nothing, by the name of the exit code.
    pub(super) failure: Option<String>,
    /// How long after the start it is asked, in milliseconds; `None` where only a failure would bring that about.
    pub(super) due_ms: Option<u64>,
    /// How many messages it got: they number the task ids.
    pub(super) messages: u32,
    /// When it was first reached, in Unix milliseconds.
    pub(super) reached_ms: Option<u64>,
    /// Its card as it was sent, so that it can be changed.
    pub(super) card: Option<Value>,
    /// By which its cards can be changed without a press, where the channel gives such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) codes: Vec<CardCode>,
}

/// The response_code of the send of a card: good for one change of it within 72 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CardCode {
    /// Which of the messages to the target it is.
    pub(super) number: u32,
    pub(super) code: String,
}

/// The cards of a target that are changed without a press: the last ones.
pub(super) const MOST_CODES: usize = 100;

/// How far a target has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TargetStatus {
    Waiting,
    Sending,
    Sent,
    Failed,
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It waits for an answer.
    Open,
    /// Somebody who may has answered.
    Answered(Box<RecordedAnswer>),
    /// Nobody answered up to that time, in Unix milliseconds.
    Over(u64),
    /// Who asked took it back, at that time in Unix milliseconds.
    Withdrawn(u64),
}

impl Record {
    /// This question at the times that a record of the same question on disk has.
    pub(super) fn with_times_of(self, kept: &Self) -> Self {
        Self { start_ms: kept.start_ms, wait_ms: kept.wait_ms.min(LONGEST_WAIT_MS), ..self }
    }

    /// This question as far as a record on disk says that it has come. Others may write there: what is asked, and who may
    /// answer, stays as it is here, and what can be no progress is left out. `trusts` says whether its end is believed.
    pub(super) fn with_progress_of(mut self, kept: Self, trusts: impl Fn(&Self) -> bool) -> Self {
        for (target, kept) in self.targets.iter_mut().zip(kept.targets) {
            *target = RecordedTarget {
                name: std::mem::take(&mut target.name),
                due_ms: kept.due_ms.map(|due| due.min(LONGEST_WAIT_MS)),
                messages: kept.messages.min(MOST_MESSAGES),
                reached_ms: kept.reached_ms.map(|at| at.min(LAST_MS)),
                card: kept.card.filter(Value::is_object),
                codes: kept.codes.into_iter().take(MOST_CODES).collect(),
                ..kept
            };
        }
        self.with_end_of(kept.state, trusts)
    }

    /// This question with its end as it stands on disk, if that is believed.
    pub(super) fn with_end_of(mut self, state: State, trusts: impl Fn(&Self) -> bool) -> Self {
        self.state = state;
        if let State::Answered(answer) = &mut self.state {
            if let Answerer::Local(_) = answer.by {
                answer.options.clear();
            } else {
                answer.note = None;
            }
            answer.text = self.question.text_of(&answer.key, &answer.options, self.language.words());
        }
        if !trusts(&self) {
            self.state = State::Open;
        }
        self
    }

    /// Whether an answer can be one to this question: who gave it may, and what they pressed is on its card.
    pub(super) fn takes(&self, answer: &RecordedAnswer) -> bool {
        match &answer.by {
            Answerer::Local(_) => self.question.allows_local && is_key(&answer.key),
            Answerer::Press { userid, task_id, target } => {
                // Where it was pressed is known to who sealed it.
                let who = Presser { userid, plain: None, is_group: false };
                let says = Verdict::Answers { key: answer.key.clone(), options: answer.options.clone() };
                let its = self.target_of(task_id).and_then(|index| self.targets.get(index));
                its.is_some_and(|its| its.name == *target)
                    && self.question.judge(who, &answer.key, &answer.options) == says
            }
        }
    }

    /// What the seal of an answer is made of, but for the secret: it is bound to one question and its times.
    pub(super) fn sealed_parts(&self, answer: &RecordedAnswer) -> Vec<String> {
        let mut parts = vec![
            self.task_id(0, 0),
            self.fingerprint.clone(),
            self.wait_ms.to_string(),
            answer.key.clone(),
            answer.at_ms.to_string(),
            answer.options.join("\n"),
        ];
        if let Answerer::Press { userid, task_id, target } = &answer.by {
            parts.extend([userid, task_id, target].map(String::clone));
        }
        parts
    }

    /// What the seal of its plan is made of, but for the secret: with it all that is asked.
    pub(super) fn planned_parts(&self, plan: &KeptPlan) -> Vec<String> {
        let question = serde_json::to_string(&(&self.question, self.language)).unwrap_or_default();
        let [own, wait] = [self.task_id(0, 0), self.wait_ms.to_string()];
        let [fingerprint, id, title] = [&self.fingerprint, &self.id, &self.title].map(String::clone);
        vec!["plan".to_owned(), own, wait, fingerprint, id, title, question, plan.text()]
    }

    /// When it is over, in Unix milliseconds.
    pub(super) fn end_ms(&self) -> u64 {
        self.start_ms.saturating_add(self.wait_ms).min(LAST_MS)
    }

    /// Whether its time has passed. On a clock that was set back it is as if it had just begun.
    pub(super) fn is_past(&self, now_ms: u64) -> bool {
        now_ms >= self.end_ms()
    }

    /// How long ago it began; not longer than it is open.
    pub(super) fn age(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.saturating_sub(self.start_ms).min(self.wait_ms))
    }

    /// How long ago it began, given what a clock that is never set says. That one stands still while a machine sleeps, and the
    /// other may be set back: the one that says more counts.
    pub(super) fn passed(&self, by_steady_clock: Duration, now_ms: u64) -> Duration {
        by_steady_clock.max(self.age(now_ms))
    }

    /// The name of a card in events. No other card has it: neither of this question nor of another.
    pub(super) fn task_id(&self, target: usize, number: u32) -> String {
        format!("{TASK_ID}{}-{:x}-{target}-{number}", file_name(&self.id), self.start_ms)
    }

    /// The target of a card of this question.
    pub(super) fn target_of(&self, task_id: &str) -> Option<usize> {
        let known = TaskId::read(task_id)?;
        let is_its = known.file == file_name(&self.id) && known.start_ms == self.start_ms;
        Some(known.target).filter(|target| is_its && *target < self.targets.len())
    }

    /// What a card or a message says of its end; `None` while it is open.
    pub(super) fn end_line(&self, words: &Words) -> Option<String> {
        let at = |ms: u64| crate::clock::wall(crate::clock::at_ms(ms));
        Some(match &self.state {
            State::Open => return None,
            State::Answered(answer) => answer.line(words),
            State::Over(ms) => (words.over)(&at(*ms)),
            State::Withdrawn(ms) => (words.withdrawn)(&at(*ms)),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::message::card::TASK_ID_BYTES;

    pub(in crate::ask) fn record() -> Record {
        Record {
            id: "deploy 17".to_owned(),
            title: "Deploy?".to_owned(),
            fingerprint: "f".to_owned(),
            question: Question {
                choices: vec![],
                is_vote: false,
                declines: vec![],
                only: vec![],
                not: vec![],
                allows_local: true,
                refuses_groups: false,
            },
            language: Language::English,
            asker: Asker { unix_user: "root".to_owned(), host: "web-1".to_owned() },
            start_ms: 1_700_000_000_000,
            wait_ms: 600_000,
            targets: vec![RecordedTarget {
                name: "ops:aibot/zhangsan".to_owned(),
                status: TargetStatus::Waiting,
                failure: None,
                due_ms: Some(0),
                messages: 0,
                reached_ms: None,
                card: None,
                codes: vec![],
            }],
            state: State::Open,
            plan: None,
        }
    }

    #[test]
    fn task_ids_name_question_target_and_number() {
        let record = record();
        let id = record.task_id(0, 4_294_967_295);
        assert!(
            id.len() <= TASK_ID_BYTES && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "{id}"
        );
        assert_eq!(record.target_of(&id), Some(0));
        assert_eq!(record.target_of(&record.task_id(1, 0)), None);
        assert_ne!(record.task_id(0, 0), record.task_id(0, 1));
        let later = Record { start_ms: record.start_ms + 1, ..record.clone() };
        assert_eq!(later.target_of(&id), None);
        for other in ["alert-1-2", "ask-", "ask-x-1-0-0", "ask-0123456789abcdef0123456789abcdef-zz-0-0"] {
            assert_eq!(TaskId::read(other), None, "{other}");
        }
    }

    #[test]
    fn a_clock_that_jumps_makes_it_neither_endless_nor_longer() {
        let record = record();
        assert_eq!(record.age(0), Duration::ZERO);
        assert_eq!(record.age(record.start_ms + 1000), Duration::from_secs(1));
        assert_eq!(record.age(u64::MAX), Duration::from_secs(600));
        let s = Duration::from_secs;
        assert_eq!(record.passed(s(5), record.start_ms + 700_000), s(600));
        assert_eq!(record.passed(s(700), record.start_ms + 5), s(700));
        assert_eq!(record.passed(s(5), record.start_ms - 1), s(5));
        assert!(record.is_past(record.start_ms + 600_000) && !record.is_past(record.start_ms));
        let far = Record { wait_ms: LAST_MS, ..record };
        assert!(far.is_past(LAST_MS));
    }

    pub(in crate::ask) fn pressed(record: &Record, key: &str) -> RecordedAnswer {
        let by = Answerer::Press {
            userid: "zhangsan".to_owned(),
            task_id: record.task_id(0, 0),
            target: "ops:aibot/zhangsan".to_owned(),
        };
        let (key, text, options) = (key.to_owned(), "Approve".to_owned(), vec![]);
        RecordedAnswer { key, text, options, by, at_ms: record.start_ms, note: None, seal: None }
    }

    pub(in crate::ask) fn choice(key: &str) -> crate::ask::question::Choice {
        crate::ask::question::Choice { key: key.to_owned(), text: format!("text of {key}") }
    }

    #[test]
    fn what_is_asked_does_not_come_from_disk() {
        let mut mine = record();
        mine.question.only = vec!["zhangsan".to_owned()];
        mine.question.declines = vec!["no".to_owned()];
        mine.question.allows_local = false;
        let mut kept = record();
        kept.fingerprint = "another".to_owned();
        kept.language = Language::Chinese;
        (kept.wait_ms, kept.targets[0].messages) = (u64::MAX, u32::MAX);
        (kept.targets[0].due_ms, kept.targets[0].reached_ms) = (Some(u64::MAX), Some(u64::MAX));
        kept.targets[0].card = Some(Value::from("a card"));
        kept.targets.push(kept.targets[0].clone());
        let seen = mine.clone().with_progress_of(kept.clone(), |_| true);
        assert_eq!(
            (&seen.question, &seen.fingerprint, seen.language),
            (&mine.question, &mine.fingerprint, mine.language)
        );
        assert_eq!((seen.wait_ms, seen.targets.len()), (mine.wait_ms, 1));
        let target = &seen.targets[0];
        assert_eq!((target.messages, &target.card), (MOST_MESSAGES, &None));
        assert_eq!((target.due_ms, target.reached_ms), (Some(LONGEST_WAIT_MS), Some(LAST_MS)));
        assert_eq!(mine.clone().with_times_of(&kept).wait_ms, LONGEST_WAIT_MS);
        kept.targets.clear();
        assert_eq!(mine.with_progress_of(kept, |_| true).targets.len(), 1);
    }

    #[test]
    fn an_answer_from_disk_is_judged_again() {
        let mut mine = record();
        mine.question.choices = vec![choice("yes"), choice("no")];
        let takes = |question: &Question, answer: &RecordedAnswer| {
            Record { question: question.clone(), ..mine.clone() }.takes(answer)
        };
        let with = |change: fn(&mut Question)| {
            let mut question = mine.question.clone();
            change(&mut question);
            question
        };
        let yes = pressed(&mine, "yes");
        assert!(takes(&mine.question, &yes));
        assert!(!takes(&mine.question, &pressed(&mine, "maybe")));
        assert!(!takes(&with(|question| question.only = vec!["lisi".to_owned()]), &yes));
        assert!(!takes(&with(|question| question.not = vec!["ZhangSan".to_owned()]), &yes));
        for (at, number) in [(1, 0), (0, 1)] {
            let later = Record { start_ms: mine.start_ms + number, ..mine.clone() };
            let by = Answerer::Press {
                userid: "zhangsan".to_owned(),
                task_id: later.task_id(at, 0),
                target: "ops:aibot/zhangsan".to_owned(),
            };
            assert!(!takes(&mine.question, &RecordedAnswer { by, ..yes.clone() }), "{at} {number}");
        }
        let local = RecordedAnswer { by: Answerer::Local(mine.asker.clone()), ..pressed(&mine, "recovered") };
        assert!(takes(&mine.question, &local));
        assert!(!takes(&with(|question| question.allows_local = false), &local));
        assert!(!takes(&mine.question, &RecordedAnswer { key: "a b".to_owned(), ..local }));
        // What it is called is on the card, not on disk.
        let seen = mine.clone().with_end_of(State::Answered(Box::new(yes.clone())), |_| true);
        let State::Answered(seen) = seen.state else { unreachable!() };
        assert_eq!(seen.text, "text of yes");
        assert_eq!(mine.clone().with_end_of(State::Answered(Box::new(yes.clone())), |_| false).state, State::Open);
        let other = Record { fingerprint: "g".to_owned(), ..mine.clone() };
        assert_ne!(mine.sealed_parts(&yes), other.sealed_parts(&yes));
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let mut record = record();
        record.state = State::Answered(Box::new(pressed(&record, "yes")));
        let text = serde_json::to_string(&record).unwrap();
        let read: Record = serde_json::from_str(&text).unwrap();
        assert_eq!(read.state, record.state);
        let line = read.end_line(Language::English.words()).unwrap();
        assert!(line.starts_with("zhangsan answered: Approve ("), "{line}");
        assert!(serde_json::from_str::<Record>(&text.replace("1700000000000", "9999999999999999")).is_err());
    }
}
