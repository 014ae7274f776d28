//! Goes on with questions that nobody waits for any more: those of processes that were stopped or killed, or that handed them
//! over with `--detach`.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::{FutureExt, LocalBoxFuture, Shared};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;

use super::kept_plan::KeptPlan;
use super::kept_record::{KeptRecord, new_targets};
use super::record::{Record, State};
use super::record_file::{RecordFile, Stamps};
use super::sealing::{plan_seal, seal, trust};
use super::task_id::file_name;
use super::waiting::{Stop, Waiting};
use crate::channel::Channel;
use crate::clock::now_ms;
use crate::config::{Output, Settings, TargetName};
use crate::error::Signal;
use crate::send::{Login, Session};
use crate::store::Folder;
use crate::words::Language;

/// The time between two looks for questions that nobody waits for.
const LOOK: Duration = Duration::from_secs(2);

/// So many questions are gone on with at a time.
const MOST_QUESTIONS: usize = 64;

/// So many open questions are looked at.
const MOST_KNOWN: usize = 1_000;

/// A press on a card waits whose question nobody waits for.
static HURRY: Notify = Notify::const_new();

/// Looks at once.
pub(super) fn hurry() {
    HURRY.notify_one();
}

/// Goes on with the open questions in this state folder that no process waits for and that these credentials prove, until
/// `stop`: then what is under way ends, and others may take them over. What happens is said through the session's observer.
pub(crate) async fn adopt(
    session: &Session<'_>,
    state: &Folder,
    logins: &[(Channel, Login)],
    stop: impl Future<Output = ()>,
) {
    let stop: Shared<LocalBoxFuture<'_, ()>> = stop.boxed_local().shared();
    let mut known = KnownQuestions::default();
    let running = RefCell::new(HashSet::new());
    let mut jobs = FuturesUnordered::new();
    loop {
        let free = MOST_QUESTIONS.saturating_sub(jobs.len());
        for name in known.left_alone(state, &running).await.into_iter().take(free) {
            running.borrow_mut().insert(name.clone());
            let (stop, running) = (stop.clone(), &running);
            jobs.push(async move {
                go_on(session, state, logins, &name, stop).await;
                running.borrow_mut().remove(&name);
            });
        }
        tokio::select! {
            biased;
            () = stop.clone() => break,
            Some(()) = jobs.next(), if !jobs.is_empty() => {}
            () = HURRY.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    while let Some(()) = jobs.next().await {}
}

/// The open questions with a plan, so that not all records are read again and again.
#[derive(Default)]
struct KnownQuestions {
    /// When the folder had changed, when it was listed.
    listed: Option<SystemTime>,
    stamps: HashMap<String, Stamps>,
    open: HashSet<String>,
}

impl KnownQuestions {
    /// Those that no process runs.
    async fn left_alone(&mut self, state: &Folder, running: &RefCell<HashSet<String>>) -> Vec<String> {
        if let Some((listed, names)) = RecordFile::all_names(state, self.listed).await {
            self.listed = Some(listed);
            let names: HashSet<String> = names.into_iter().take(MOST_KNOWN).collect();
            self.stamps.retain(|name, _| names.contains(name));
            self.open.retain(|name| names.contains(name));
            for name in names {
                let before = self.stamps.get(&name).cloned().unwrap_or_default();
                let news = RecordFile::named(state, &name).read_news(before, false).await;
                if let Some(record) = news.record {
                    let is_open = record.state == State::Open && !record.is_past(now_ms()) && record.plan.is_some();
                    if is_open {
                        self.open.insert(name.clone())
                    } else {
                        self.open.remove(&name)
                    };
                }
                self.stamps.insert(name, news.stamps);
            }
        }
        let mut found = Vec::new();
        for name in &self.open {
            if !running.borrow().contains(name) && !RecordFile::named(state, name).is_run().await {
                found.push(name.clone());
            }
        }
        found
    }
}

/// Goes on with one question, to its end or until `stop`.
async fn go_on(
    session: &Session<'_>,
    state: &Folder,
    logins: &[(Channel, Login)],
    name: &str,
    stop: Shared<LocalBoxFuture<'_, ()>>,
) {
    let file = RecordFile::named(state, name);
    let Ok(Some(record)) = file.read().await else { return };
    let Some(plan) = record.plan.clone().filter(|plan| plan.is_whole(record.targets.len())) else { return };
    if record.state != State::Open || record.is_past(now_ms()) || file_name(&record.id) != name {
        return;
    }
    let proves = |(_, login): &&(Channel, Login)| plan_seal(login, &record, &plan) == plan.seal;
    let its_channel = logins.iter().filter(|(channel, _)| *channel == plan.channel);
    let Some((_, login)) = { its_channel }.find(proves) else { return };
    let file = file.shared_by(session.shared_state().map(|shared| login.namespace(&shared)));
    // A process of another machine asks it.
    if file.is_run().await {
        return;
    }
    let Some(settings) = settings_of(session, &record, &plan) else { return };
    let mut own = Session::new(session.config, (settings, Vec::new()), session.mask.clone(), session.observer.clone());
    own.channel = Some(plan.channel);
    let draft = plan.draft();
    let planned = plan.plan(record.question.clone(), record.id.clone(), Duration::from_millis(record.wait_ms));
    let fresh = Record { targets: new_targets(&planned), ..record.clone() };
    let login = Some(Arc::new(login.clone()));
    let trust = trust(login.clone());
    let mine = fresh.with_progress_of(record, |record| trust(record));
    let speaker = format!("listen: question {:?}", mine.id);
    let kept = KeptRecord::new(mine, Some(file), trust);
    let mut waiting = Waiting::new(&own, &draft, planned, kept, seal(login));
    waiting.speaker.clone_from(&speaker);
    let mut stopped: Stop<'_> = Box::pin(stop.map(|()| Signal::Terminate));
    let said = |line: &str| session.observer.notice(format!("{speaker}: {line}"));
    said("no process waits for it: listen goes on with it");
    Box::pin(waiting.run(&mut stopped, false)).await;
    if waiting.has_run {
        match waiting.record().end_line(Language::English.words()) {
            Some(line) => said(&line),
            None => said("it is left to the next listen"),
        }
    }
}

/// The settings of who asked, as they are here.
fn settings_of(session: &Session<'_>, record: &Record, plan: &KeptPlan) -> Option<Settings> {
    let mut settings = match &plan.profile {
        Some(profile) if session.settings.profile.as_ref() != Some(profile) => {
            let name = TargetName { profile: profile.clone(), channel: Some(plan.channel) };
            session.config.resolve_target(&name, "a question").ok()?
        }
        _ => Settings::clone(&session.settings),
    };
    settings.state_dir.clone_from(&session.settings.state_dir);
    settings.language = record.language;
    settings.output = Output::Text;
    (settings.outbox, settings.skip_empty, settings.allow_partial, settings.dry_run) = (false, false, false, false);
    (settings.cooldown, settings.cooldown_key, settings.jitter) = (None, None, None);
    plan.put_recipients(&mut settings);
    Some(settings)
}
