//! Performs one task in an event loop, until it ends or a signal stops it.

use tokio::runtime::Runtime;

use wecom_alert::aibot;
use wecom_alert::ask;
use wecom_alert::batch;
use wecom_alert::check;
use wecom_alert::delivery::{Outcome, interrupted};
use wecom_alert::directory;
use wecom_alert::error::{Error, Result, hint_for};
use wecom_alert::flush;
use wecom_alert::group_chat;
use wecom_alert::listen;
use wecom_alert::preview;
use wecom_alert::process::{StopSignals, check_descriptors};
use wecom_alert::recall;
use wecom_alert::run::{self, FinishedCommand, RunRequest};
use wecom_alert::send::{self, Session};
use wecom_alert::update_card;

use super::batch_results::finish_result_lines;
use super::event_lines::finish_event_lines;
use super::report::{remember_alert_exit, unwritable};
use super::request::{Task, batch_request};
use super::stderr;

pub(super) fn event_loop() -> Result<Runtime> {
    let started = check_descriptors().and_then(|()| tokio::runtime::Builder::new_current_thread().enable_all().build());
    started.map_err(|error| {
        Error::config(
            format!("the event loop cannot be started: {error}"),
            hint_for(&error, "allow this process more: ulimit -u should give a few threads, ulimit -v enough memory"),
        )
    })
}

/// Runs the command of `run` before settings are read: no mistake in them keeps it from running. Signals to stop are heard from
/// its end on, since an alert may follow.
pub(super) fn run_first(request: &RunRequest, runtime: &Runtime) -> Result<(FinishedCommand, StopSignals)> {
    remember_alert_exit(request.alert_exit);
    let (ran, stops) = runtime.block_on(async { (run::run_command(request).await, StopSignals::listen()) });
    let ran = ran?;
    let [_, is_stderr_open] = ran.open_lines();
    if is_stderr_open {
        stderr::left_open();
    }
    Ok((ran, stops))
}

/// Performs the task until it ends or a signal stops it. A second signal has its usual effect: it ends the process.
pub(super) async fn perform(
    session: &mut Session<'_>,
    task: Task,
    ran: Option<&FinishedCommand>,
    stops: StopSignals,
) -> Outcome {
    let outcome = match task {
        // It hears the signal itself: what is left of its plan is told, and a question may be withdrawn.
        Task::Ask(request) => Box::pin(ask::ask(session, *request, stops)).await,
        // What runs when the signal comes has time to end.
        Task::Listen(request) => {
            let outcome = Box::pin(listen::listen(session, *request, stops)).await;
            finish_event_lines();
            outcome
        }
        // What is under way when the signal comes has time to end, and what is not sent is told.
        Task::Batch(args) => {
            let request = batch_request(*args, &session.mask);
            let outcome = Box::pin(batch::batch(session, request, stops)).await;
            if let Some(error) = finish_result_lines() {
                session.warnings.push(unwritable(&error).message().to_owned());
            }
            outcome
        }
        task => perform_unless_stopped(session, task, ran, stops).await,
    };
    // What other processes have asked of an aibot's connection is done first.
    session.warnings.extend(aibot::leave().await);
    session.warnings.extend(session.shared_state_warnings());
    outcome
}

async fn perform_unless_stopped(
    session: &mut Session<'_>,
    task: Task,
    ran: Option<&FinishedCommand>,
    mut stops: StopSignals,
) -> Outcome {
    let accounts = session.accounts.clone();
    let (sends, changes) = (task.sends(), task.changes());
    let (is_final, is_dry_run) = (session.settings.at_most_once, session.settings.dry_run);
    tokio::select! {
        biased;
        signal = stops.received() => {
            let outcome = interrupted(signal, sends, is_final, &accounts);
            if changes && !is_dry_run { in_doubt(outcome) } else { outcome }
        }
        outcome = dispatch(session, task, ran) => outcome.unwrap_or_else(Outcome::from),
    }
}

/// What a signal stopped may have been carried out: nobody has kept whether its request was under way.
fn in_doubt(mut outcome: Outcome) -> Outcome {
    outcome.error = outcome.error.map(|error| {
        let message = error.message().replace("nothing had been sent", "its request may have been under way");
        error.with_message(message).with_hint("look what became of it before you run it again")
    });
    outcome
}

/// Delivers what waits in the outbox, once the result of the command has been printed. A signal ends only that.
pub(super) async fn flush_after_send(session: &mut Session<'_>) -> Vec<String> {
    let mut stops = StopSignals::listen();
    let mut warnings = tokio::select! {
        biased;
        _ = stops.received() => Vec::new(),
        warnings = Box::pin(flush::flush_after_send(session)) => warnings,
    };
    warnings.extend(aibot::leave().await);
    warnings.extend(session.shared_state_warnings());
    warnings
}

async fn dispatch(session: &mut Session<'_>, task: Task, ran: Option<&FinishedCommand>) -> Result<Outcome> {
    match task {
        Task::Send(request) => Box::pin(send::send(session, *request)).await,
        Task::Run(request) => Box::pin(run::alert(session, *request, ran)).await,
        Task::Preview(request) => Box::pin(preview::preview(session, *request)).await,
        Task::Answer(answer) => Box::pin(ask::answer(session, answer)).await,
        Task::Upload(request) => Box::pin(send::upload_media(session, request)).await,
        Task::ChatCreate(chat) => Box::pin(group_chat::create(session, chat)).await,
        Task::ChatGet(chat) => Box::pin(group_chat::get(session, chat)).await,
        Task::ChatUpdate(change) => Box::pin(group_chat::update(session, change)).await,
        Task::Recall(msgids) => Box::pin(recall::recall(session, msgids)).await,
        Task::UpdateCard(update) => Box::pin(update_card::update(session, *update)).await,
        Task::Userid(kind, written) => Box::pin(send::get_userid(session, kind, &written)).await,
        Task::Token { refresh } => Box::pin(send::get_token(session, refresh)).await,
        Task::Directory(query) => Box::pin(directory::list(session, &query)).await,
        Task::List { wants_code } => flush::list(session, wants_code).await,
        Task::Flush(request) => Box::pin(flush::flush(session, request)).await,
        Task::Show(id) => flush::show(session, id).await,
        Task::Drop(selection) => flush::discard(session, selection).await,
        Task::Check { channel, sends } => Ok(Box::pin(check::check(session, channel, sends)).await),
        Task::Ask(_)
        | Task::Listen(_)
        | Task::Batch(_)
        | Task::ConfigInit
        | Task::ConfigExample
        | Task::Explain(_)
        | Task::Completions(_)
        | Task::Help(_)
        | Task::Manual(_) => Err(Error::defect("an explanation needs no session")),
    }
}
