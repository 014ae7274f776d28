//! How a question ended: the outcome of the command, and the plan that a dry run shows.

use std::time::Duration;

use super::answer::{Answerer, RecordedAnswer};
use super::escalation::Phase;
use super::plan::Plan;
use super::record::{Record, State, TargetStatus};
use super::waiting::Waiting;
use crate::channel::Channel;
use crate::clock::{self, at_ms, brief, date, now_ms};
use crate::delivery::{AskedQuestion, AskedStep, GivenAnswer, Outcome, Product};
use crate::error::{Error, Result, Signal, Status};
use crate::send::{QuestionDraft, Session};
use crate::words::Language;

/// The outcome of a question that is waited for no more.
pub(super) fn outcome(waiting: &Waiting<'_, '_>) -> Outcome {
    let record = waiting.record();
    let (status, error) = match (&record.state, waiting.end.stopped) {
        (State::Answered(answer), _) => answered(record, answer),
        (_, Some(signal)) => (Status::Interrupted(signal), Some(stopped(waiting, signal))),
        (State::Open, None) if waiting.plan.is_detached => handed_over(waiting),
        _ => without_answer(waiting),
    };
    let product = AskedQuestion {
        id: record.id.clone(),
        answer: match &record.state {
            State::Answered(answer) => Some(given(answer, waiting.end.name.clone())),
            _ => None,
        },
        steps: steps(waiting),
        requests: None,
    };
    let product = Product::Asked(Box::new(product));
    Outcome { error, attempts: waiting.end.attempts, ..Outcome::with_product(status, product) }
}

/// Others wait for the answer, if they can.
fn handed_over(waiting: &Waiting<'_, '_>) -> (Status, Option<Error>) {
    if let Some(lost) = &waiting.end.lost {
        let error = lost.about(lost.status(), format!("it was asked, and nobody waits for the answer: {lost}"));
        return (error.status(), Some(error));
    }
    if waiting.has_run && (waiting.record().plan.is_none() || !waiting.kept.is_kept()) {
        let error = Error::config(
            "it was asked, and nobody waits for the answer: the question could not be handed over",
            "see the warnings; leave --detach out to wait for the answer here",
        );
        return (error.status(), Some(error));
    }
    (Status::Asked, None)
}

fn answered(record: &Record, answer: &RecordedAnswer) -> (Status, Option<Error>) {
    if !record.question.declines(&answer.key, &answer.options) {
        return (Status::Answered, None);
    }
    let line = answer.line(Language::English.words());
    let error = Error::new(Status::Declined, line).with_hint("do not do what was asked about");
    (Status::Declined, Some(error))
}

fn given(answer: &RecordedAnswer, name: Option<String>) -> GivenAnswer {
    let given = GivenAnswer {
        key: answer.key.clone(),
        text: answer.text.clone(),
        options: answer.options.clone(),
        at_ms: answer.at_ms,
        ..GivenAnswer::default()
    };
    match &answer.by {
        Answerer::Press { userid, task_id, target } => GivenAnswer {
            userid: Some(userid.clone()),
            name,
            via: "press",
            task_id: Some(task_id.clone()),
            target: Some(target.clone()),
            ..given
        },
        Answerer::Local(asker) => {
            GivenAnswer { via: "local", local: Some((asker.unix_user.clone(), asker.host.clone())), ..given }
        }
    }
}

/// Nobody answered: because nobody did, because nobody could, or because nobody got it.
fn without_answer(waiting: &Waiting<'_, '_>) -> (Status, Option<Error>) {
    let targets = waiting.plan.escalation.targets();
    let is_reached = targets.iter().any(|target| target.reached_at.is_some());
    // A process that waits for the answer to another's question has reached nobody itself.
    let is_reached = is_reached || waiting.record().targets.iter().any(|target| target.reached_ms.is_some());
    let can_answer = targets.iter().any(|target| target.can_answer && target.reached_at.is_some());
    let is_followed = targets.iter().all(|target| target.phase == Phase::Waiting);
    let error = if is_reached && (can_answer || is_followed) {
        let wait = brief(Duration::from_millis(waiting.record().wait_ms));
        Error::new(Status::Unanswered, format!("nobody answered within {wait}"))
            .with_hint("go on to the next step: --escalate asks others too")
    } else if is_reached {
        let told = "it went out as a message without anything to press";
        match &waiting.end.lost {
            Some(lost) => lost.about(lost.status(), format!("{told}: no press can come back: {lost}")),
            None => Error::config(
                format!("{told}: presses on its cards cannot come back by this channel"),
                "give the profile an aibot: aibot_id and aibot_secret_file",
            ),
        }
    } else {
        nobody_reached(waiting)
    };
    (error.status(), Some(error))
}

fn nobody_reached(waiting: &Waiting<'_, '_>) -> Error {
    let named = waiting.plan.names.iter().zip(&waiting.end.failures);
    let failed: Vec<(&String, &Error)> = named.filter_map(|(name, error)| Some((name, error.as_ref()?))).collect();
    let Some((_, first)) = failed.first() else {
        let names: Vec<&str> = waiting.plan.names.iter().map(String::as_str).collect();
        let wait = brief(Duration::from_millis(waiting.record().wait_ms));
        return Error::temporary(
            format!("nobody was reached within {wait}: sending to {} had not ended", names.join(", ")),
            "give --wait more time; wecom-alert check says how much of the rate limit is taken, and looks at the connection",
        );
    };
    let told: Vec<String> = failed.iter().map(|(name, error)| format!("{name}: {}", error.message())).collect();
    let status = match first.status() {
        status @ (Status::Usage | Status::Config | Status::Auth | Status::Refused) => status,
        _ => Status::Temporary,
    };
    let status = if status == Status::Usage { Status::Config } else { status };
    first.about(status, format!("nobody was reached: {}", told.join("; ")))
}

/// What is said to who stopped it.
fn stopped(waiting: &Waiting<'_, '_>, signal: Signal) -> Error {
    let name = match signal {
        Signal::Interrupt => "SIGINT",
        Signal::Terminate => "SIGTERM",
    };
    let record = waiting.record();
    let message = match &record.state {
        State::Withdrawn(_) => format!("stopped by {name}: the question was withdrawn"),
        _ => {
            let left = left_of(waiting);
            let left = if left.is_empty() {
                "nobody else was to be asked".to_owned()
            } else {
                format!("left of the plan: {left}")
            };
            let is_there = record.targets.iter().any(|target| target.reached_ms.is_some());
            let what = if is_there { "nobody had answered, and the card stays" } else { "nobody was reached" };
            format!("stopped by {name}: {what}; {left}")
        }
    };
    let hint = match (&record.state, &waiting.plan.id) {
        (State::Withdrawn(_), _) => "ask again".to_owned(),
        _ if waiting.end.goes_on => "a running listen goes on with it".to_owned(),
        (_, Some(id)) => format!("to wait on, ask the same again with --id {id:?}"),
        (_, None) => "with --id a question can be taken up again".to_owned(),
    };
    Error::new(Status::Interrupted(signal), message).with_hint(hint)
}

/// The steps that were still to come, with their times.
fn left_of(waiting: &Waiting<'_, '_>) -> String {
    let escalation = &waiting.plan.escalation;
    let left = escalation.targets().iter().enumerate().filter(|(_, target)| target.phase == Phase::Waiting);
    let told = left.filter_map(|(index, _)| {
        let due = escalation.due(index)?;
        let at = date(at_ms(waiting.record().start_ms.saturating_add(crate::clock::in_ms(due))));
        Some(format!("{} at {at}", waiting.plan.names[index]))
    });
    told.collect::<Vec<_>>().join(", ")
}

fn steps(waiting: &Waiting<'_, '_>) -> Vec<AskedStep> {
    let record = waiting.record();
    let escalation = &waiting.plan.escalation;
    let step = |(index, target): (usize, &super::record::RecordedTarget)| AskedStep {
        target: target.name.clone(),
        at_ms: target
            .reached_ms
            .or_else(|| Some(record.start_ms.saturating_add(crate::clock::in_ms(escalation.due(index)?)))),
        status: match target.status {
            TargetStatus::Waiting => "waiting".to_owned(),
            TargetStatus::Sending => "sending".to_owned(),
            TargetStatus::Sent => "sent".to_owned(),
            TargetStatus::Failed => target.failure.clone().unwrap_or_else(|| "error".to_owned()),
        },
    };
    record.targets.iter().enumerate().map(step).collect()
}

/// The plan: who would be asked, when, and with which card. It ends as if nobody had answered.
pub(super) async fn dry_run(session: &mut Session<'_>, plan: &Plan, draft: &QuestionDraft) -> Result<Outcome> {
    let start_ms = now_ms();
    let mut requests = Vec::new();
    let mut steps = Vec::new();
    for (index, place) in plan.places.iter().enumerate() {
        let task_id = place.channel().is_some_and(Channel::has_interactive_cards).then_some("ask-0");
        let (planned, warnings) = place.plan(session, draft, task_id).await?;
        requests.extend(planned);
        session.warnings.extend(warnings.iter().map(|warning| format!("{}: {warning}", plan.names[index])));
        steps.push(AskedStep {
            target: plan.names[index].clone(),
            at_ms: plan.escalation.due(index).map(|at| start_ms + crate::clock::in_ms(at)),
            status: "planned".to_owned(),
        });
    }
    let asked =
        AskedQuestion { id: plan.id.clone().unwrap_or_default(), answer: None, steps, requests: Some(requests) };
    let wait = clock::elapsed(plan.escalation.wait(), &clock::UNITS);
    let error = Error::new(Status::Unanswered, format!("dry run: nobody was asked; it would be open for {wait}"))
        .with_hint("leave --dry-run out to ask");
    Ok(Outcome { error: Some(error), ..Outcome::with_product(Status::Unanswered, Product::Asked(Box::new(asked))) })
}
