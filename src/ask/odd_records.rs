//! Tests: records on disk that others wrote.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::card::closed;
use super::deliver::reply_of;
use super::escalation::{Escalation, Phase, StepKind};
use super::record::tests::{choice, pressed, record};
use super::record::{LONGEST_WAIT_MS, MOST_MESSAGES, Record, State};
use crate::api::aibot::Press;
use crate::message::card::Form;
use crate::words::Language;

/// Other values for a field of a record.
fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(Value::from("open")),
        Just(json!({ "over": u64::MAX })),
        Just(json!({ "desc": 7, "option_list": ["a", 7, { "id": 3 }], "checkbox": "x" })),
        Just(json!([[], "x", { "id": "a", "option_list": [7] }])),
        any::<u64>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
    ]
}

/// The places of all values in it, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| places(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

proptest! {
    /// Whatever stands in a record on disk: nothing panics, and what is asked stays the same.
    #[test]
    fn an_odd_record_is_taken_or_left(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), values()), 1..4),
        now in any::<u64>(),
    ) {
        let mut mine = record();
        mine.question.choices = vec![choice("yes"), choice("no")];
        let mut kept = mine.clone();
        kept.state = State::Answered(Box::new(pressed(&mine, "yes")));
        kept.targets[0].card = Some(json!({
            "main_title": { "title": "t", "desc": "d" }, "sub_title_text": "s",
            "button_list": [{ "text": "Yes", "key": "yes" }],
            "checkbox": { "question_key": "q", "option_list": [{ "id": "yes", "text": "Yes" }] },
            "select_list": [{ "question_key": "q", "option_list": [{ "id": "yes", "text": "Yes" }] }],
            "submit_button": { "text": "Submit", "key": "submit" },
        }));
        let mut written = serde_json::to_value(&kept).unwrap();
        for (place, value) in changes {
            let mut found = Vec::new();
            places(&written, "", &mut found);
            *written.pointer_mut(&found[place.index(found.len())]).unwrap() = value;
        }
        let Ok(kept) = serde_json::from_value::<Record>(written) else { return Ok(()) };
        let (_, _) = (kept.is_past(now), kept.age(now));
        let press = Press { task_id: mine.task_id(0, 0), ..Default::default() };
        let _ = reply_of(kept.clone(), &press, now);
        let seen = mine.clone().with_times_of(&kept).with_progress_of(kept, |record| match &record.state {
            State::Answered(answer) => record.takes(answer),
            _ => true,
        });
        prop_assert_eq!((&seen.question, seen.targets.len()), (&mine.question, 1));
        prop_assert!(seen.wait_ms <= LONGEST_WAIT_MS && seen.targets[0].messages <= MOST_MESSAGES);
        let words = Language::English.words();
        let line = seen.end_line(words).unwrap_or_default();
        if let Some(card) = &seen.targets[0].card {
            closed(card, Form::Aibot { task_id: "t" }, &line, &seen, words);
        }
        let mut plan = Escalation::new(seen.age(now), Some(seen.age(now)));
        plan.add(StepKind::Own, Duration::ZERO, [true]);
        plan.keep_times(Duration::from_millis(seen.wait_ms), [seen.targets[0].due_ms.map(Duration::from_millis)]);
        let reached = seen.targets[0].reached_ms.map(|ms| Duration::from_millis(ms.saturating_sub(seen.start_ms)));
        plan.resume(0, Phase::Reached, seen.targets[0].messages, reached);
        plan.begin(seen.age(now));
        prop_assert!(Instant::now().checked_add(plan.next_time()).is_some());
    }
}
