//! `ask`: a question on a card, and who answers it; `answer`: an answer from this machine.
//!
//! `plan` makes the plan of the options; `record` is what is kept on disk, and decides; `escalation` says what is due and when it
//! ends; `waiting` is the loop of `sending` and waiting, by the `ways` of presses, which `presses` judges; `settling`
//! ends it; `report` tells the end. `deliver` takes presses that a `listen` received, `adopt` goes on with what nobody waits for.

mod adopt;
mod answer;
mod asker;
mod card;
mod deliver;
mod escalation;
mod kept_plan;
mod kept_record;
mod local_answer;
mod log;
#[cfg(test)]
mod odd_records;
mod people;
mod plan;
mod presses;
mod question;
mod record;
mod record_file;
mod report;
mod request;
mod sealed_press;
mod sealing;
mod sending;
mod settling;
mod shared_question;
mod task_id;
mod waiting;
mod ways;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{at_ms, date, in_ms, now_ms, wall};
use crate::delivery::{Accounts, Outcome, interrupted};
use crate::error::{Error, Result};
use crate::fingerprint::fingerprint;
use crate::process::StopSignals;
use crate::send::{Login, QuestionDraft, Session, read_question};
use crate::shared_state::Namespace;
use crate::store::Folder;

pub(crate) use adopt::adopt;
pub(crate) use deliver::{PressDelivery, deliver};
pub use local_answer::{LocalAnswer, answer};
pub use request::AskRequest;

use kept_plan::KeptPlan;
use kept_record::{EndCheck, KeptRecord, new_targets};
use plan::{Plan, make_plan};
use record::{Record, State};
use record_file::RecordFile;
use sealing::{Seal, plan_seal, seal, trust};
use waiting::{Stop, Waiting};

/// How long the credential of the own target is waited for before anything is sent.
const TO_LOG_IN: Duration = Duration::from_secs(5);

/// Asks a question and waits for the answer. It ends with 0 only when somebody who may has answered.
///
/// # Errors
///
/// As the outcome: usage, where options are wrong or another question has this id; exit 3, where settings or files cannot be
/// used, or no press can come back; exit 7 and others where nobody was reached.
pub async fn ask(session: &mut Session<'_>, request: AskRequest, mut stops: StopSignals) -> Outcome {
    let prepared = tokio::select! {
        biased;
        signal = stops.received() => return interrupted(signal, true, false, &Accounts::default()),
        prepared = Box::pin(prepare(session, request)) => prepared,
    };
    let Prepared { plan, draft, record, file, trust, seal } = match prepared {
        Ok(Next::Wait(prepared)) => *prepared,
        Ok(Next::End(outcome)) => return *outcome,
        Err(error) => return Outcome::from(error),
    };
    log::log_question(session, &record).await;
    tell_what_is_wrong(session, &plan);
    tell_beginning(session, &record, file.is_some(), plan.is_detached);
    let kept = KeptRecord::new(record, file, trust);
    let (outcome, warnings) = {
        let mut waiting = Waiting::new(session, &draft, plan, kept, seal);
        let mut stopped: Stop<'_> = Box::pin(stops.received());
        Box::pin(waiting.run(&mut stopped, true)).await;
        (report::outcome(&waiting), std::mem::take(&mut waiting.end.warnings))
    };
    // In text mode they were told when it happened.
    if session.settings.output == crate::config::Output::Json {
        session.warnings.extend(warnings);
    }
    outcome
}

/// How far the clocks of machines with one state folder may be apart, in milliseconds.
const CLOCKS_DIFFER_MS: u64 = 60_000;

enum Next {
    Wait(Box<Prepared>),
    End(Box<Outcome>),
}

/// A question, ready to be asked.
struct Prepared {
    plan: Plan,
    draft: QuestionDraft,
    record: Record,
    file: Option<RecordFile>,
    trust: EndCheck,
    seal: Seal,
}

async fn prepare(session: &mut Session<'_>, request: AskRequest) -> Result<Next> {
    let (plan, request) = make_plan(session, request)?;
    let state = match &plan.id {
        Some(_) => Some(session.require_state()?),
        None => session.state(),
    };
    let draft = Box::pin(read_question(session, request, "ask-0")).await?;
    if session.settings.dry_run {
        return Ok(Next::End(Box::new(report::dry_run(session, &plan, &draft).await?)));
    }
    let warnings = people::check(session, &plan.question).await?;
    session.warnings.extend(warnings);
    let record = new_record(session, &plan, &draft);
    let login = log_in(session, &plan).await.map(Arc::new);
    let (trust, seal) = (trust(login.clone()), seal(login.clone()));
    let mut prepared = Prepared { plan, draft, record, file: None, trust, seal };
    let Some(state) = state else { return Ok(Next::Wait(Box::new(prepared))) };
    let shared = session.shared_state().zip(login.as_deref()).map(|(shared, login)| login.namespace(&shared));
    match open(&state, shared, prepared.record.clone(), Arc::clone(&prepared.trust)).await {
        Ok((file, Opened::Ours(record))) => {
            (prepared.record, prepared.file) = (record, Some(file));
            keep_plan(session, &mut prepared, login.as_deref());
            Ok(Next::Wait(Box::new(prepared)))
        }
        Ok((_, Opened::Another(record))) => Err(another(&record)),
        Err(error) => {
            // The loudest step is not kept back because a store is down.
            let hint = error.hint().unwrap_or_default();
            session.warnings.push(format!("{error}; it is asked without being kept: {hint}"));
            Ok(Next::Wait(Box::new(prepared)))
        }
    }
}

/// Keeps what others need to go on with the question.
fn keep_plan(session: &mut Session<'_>, prepared: &mut Prepared, login: Option<&Login>) {
    let Prepared { plan, draft, record, .. } = prepared;
    // Nobody else may ask what this command alone waits for.
    if plan.is_confirm {
        return;
    }
    let Some(channel) = session.channel else { return };
    let kept = login.ok_or_else(|| "its credential is not there".to_owned());
    let kept = kept.and_then(|login| Ok((login, KeptPlan::new(&session.settings, channel, plan, draft)?)));
    match kept {
        Ok((login, mut kept)) => {
            kept.seal = plan_seal(login, record, &kept);
            record.plan = Some(Box::new(kept));
        }
        Err(why) => {
            session.warnings.push(format!("nobody else can go on with the question: its plan is not kept: {why}"))
        }
    }
}

/// What was found under an id.
enum Opened {
    /// This question, new or taken up.
    Ours(Record),
    /// Another one that is open, or whose answer still counts.
    Another(Record),
}

async fn open(
    state: &Folder,
    shared: Option<Namespace>,
    record: Record,
    trust: EndCheck,
) -> Result<(RecordFile, Opened)> {
    let file = RecordFile::of(state, &record.id).shared_by(shared);
    let opened = file.change(move |kept| {
        let now = now_ms();
        let counts = |kept: &Record| match kept.state {
            State::Open => !kept.is_past(now),
            // Of a clock that was set back since: nobody can say how long ago that was.
            State::Answered(_) => !kept.is_past(now) && kept.start_ms <= now.saturating_add(CLOCKS_DIFFER_MS),
            State::Over(_) | State::Withdrawn(_) => false,
        };
        match kept.filter(counts) {
            Some(kept) if kept.fingerprint == record.fingerprint && kept.targets.len() == record.targets.len() => {
                let ours = record.with_times_of(&kept).with_progress_of(kept, |record| trust(record));
                (None, Opened::Ours(ours))
            }
            Some(kept) => (None, Opened::Another(kept)),
            None => (Some(record.clone()), Opened::Ours(record)),
        }
    });
    let opened = opened.await?;
    file.sweep().await;
    Ok((file, opened))
}

fn another(record: &Record) -> Error {
    let Record { id, title, asker, start_ms, .. } = record;
    let at = date(at_ms(*start_ms));
    Error::usage(
        format!("another question is called {id:?}: {} on {} asked {title:?} at {at}", asker.unix_user, asker.host),
        "give this one another --id, or ask the same: with the same text, buttons, targets and --only",
    )
}

fn new_record(session: &Session<'_>, plan: &Plan, draft: &QuestionDraft) -> Record {
    let question = serde_json::to_string(&plan.question).unwrap_or_default();
    let bound = [draft.identity(), question].into_iter().chain(plan.names.iter().cloned());
    let fingerprint = fingerprint(bound);
    let made_up = || std::iter::repeat_with(fastrand::lowercase).take(8).collect();
    Record {
        id: plan.id.clone().unwrap_or_else(made_up),
        title: draft.title(),
        fingerprint,
        question: plan.question.clone(),
        language: session.settings.language,
        asker: asker::this_process(),
        start_ms: now_ms(),
        wait_ms: in_ms(plan.escalation.wait()),
        targets: new_targets(plan),
        state: State::Open,
        plan: None,
    }
}

/// The credential of the own target, with which answers are sealed.
async fn log_in(session: &mut Session<'_>, plan: &Plan) -> Option<Login> {
    let target = plan.places.first()?.target(session).ok()?;
    let login = tokio::time::timeout(TO_LOG_IN, target.log_in(None)).await;
    if login.is_err() && plan.id.is_some() {
        let told = "the credential did not come within 5 s: the answer is not sealed, and other processes with the same --id \
                    will not believe it";
        session.warnings.push(told.to_owned());
    }
    login.ok()?.ok()
}

/// Says before the wait what else would be told after it, when nobody can mend it any more: warnings, and targets of later
/// steps that cannot be reached as things stand.
fn tell_what_is_wrong(session: &mut Session<'_>, plan: &Plan) {
    if session.settings.output == crate::config::Output::Text {
        let warnings = std::mem::take(&mut session.warnings);
        warnings.into_iter().for_each(|warning| session.observer.notice(format!("warning: {warning}")));
    }
    for (place, name) in plan.places.iter().zip(&plan.names).skip(1) {
        if let Err(error) = place.target(session) {
            session.observer.notice(format!("warning: {name} will not be reached: {error}"));
        }
    }
}

/// Says what is waited for, and how it can be answered from here; or that it has been answered.
fn tell_beginning(session: &Session<'_>, record: &Record, is_kept: bool, is_detached: bool) {
    match &record.state {
        State::Open => {}
        State::Answered(answer) => {
            let line = answer.line(crate::words::Language::English.words());
            return session.observer.notice(format!("ask: question {:?} has been answered already: {line}", record.id));
        }
        State::Over(_) | State::Withdrawn(_) => return,
    }
    let until = wall(at_ms(record.end_ms()));
    let how = match is_kept && record.question.allows_local {
        true => {
            let profile = session
                .settings
                .profile
                .as_ref()
                .filter(|_| session.settings.is_option(crate::config::Setting::Profile));
            let profile = profile.map(|name| format!("-P {} ", shell_word(name))).unwrap_or_default();
            format!("; from this machine: wecom-alert answer {profile}{} KEY", shell_word(&record.id))
        }
        false => String::new(),
    };
    let to = record.targets.first().map_or("", |target| &target.name);
    let what = if is_detached { "is open" } else { "waits for an answer" };
    session.observer.notice(format!("ask: question {:?} to {to} {what} until {until}{how}", record.id));
}

fn shell_word(id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@/".contains(c);
    crate::sanitize::quote_for_shell(id, is_plain)
}
