//! Sends the alerts that were taken in, each in a session of its own, and answers their senders.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use hyper::StatusCode;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::answer::status_of;
use super::gate::in_json;
use super::retries::{Retries, Running};
use super::{AcceptedAlert, AlertKind, AlertOrigin, with_hint};
use crate::batch::{AlertLine, LineOrigin, WrongLine};
use crate::blocking::off_loop;
use crate::config::{Overrides, RawValue, Setting, Settings};
use crate::delivery::{Outcome, interrupted};
use crate::error::{Error, Result, Signal, Status};
use crate::fingerprint::fingerprint;
use crate::flush::{self, FlushRequest};
use crate::listen::alarm::Alarm;
use crate::listen::options::AlertReports;
use crate::listen::server::Answered;
use crate::send::{self, JsonInput, MessageInput, Request, Session};
use crate::store::append_line;

/// Senders wait 10 s for an answer at the least (Alertmanager, where its group_interval is short; Grafana 30 s). So long an
/// alert may take before its sender is told that the outbox has it.
const TO_ANSWER: Duration = Duration::from_secs(8);

/// How long sending may take where no outbox keeps the alert: its sender does.
const LONGEST: Duration = Duration::from_secs(25);

/// How many requests are made at once, for all alerts together.
const REQUESTS: usize = 16;

/// The time between two looks at what waits in the outbox.
const PAUSE: Duration = Duration::from_secs(60);

/// How long one delivery of what waits may take.
const TO_FLUSH: Duration = Duration::from_secs(8);

/// So many different warnings are told.
const MOST_TOLD: usize = 200;

/// What becomes of alerts.
pub(in crate::listen) struct AlertDesk<'s, 'c> {
    session: &'s Session<'c>,
    reports: AlertReports,
    retries: Retries,
    /// Tells what was not sent.
    alarm: Alarm,
    /// The warnings that were told.
    told: RefCell<HashSet<String>>,
    /// Whether something may wait in the outbox.
    has_queued: Cell<bool>,
}

impl<'s, 'c> AlertDesk<'s, 'c> {
    pub(in crate::listen) fn new(session: &'s Session<'c>, reports: AlertReports) -> Self {
        session.couriers.share_among_many(REQUESTS);
        // What an earlier process answered with 202.
        let has_queued = Cell::new(true);
        let alarm = Alarm::new(session.observer.clone());
        Self { session, reports, retries: Retries::default(), alarm, told: RefCell::default(), has_queued }
    }

    /// Takes an alert to its end.
    pub(in crate::listen) async fn take(&self, alert: AcceptedAlert) {
        let AcceptedAlert { origin, kind, body, reply, _memory } = alert;
        let print = fingerprint([origin.target.to_string().as_str(), &format!("{kind:?}"), &body]);
        let Some(running) = self.retries.begin(print, origin, reply) else { return };
        let sending = Box::pin(self.send(&running, kind, body));
        let (answered, _) = match select(sending, Box::pin(sleep(TO_ANSWER))).await {
            Either::Left(ended) => ended,
            Either::Right(((), sending)) => {
                self.answer_early(&running);
                (sending.await, Box::pin(sleep(Duration::ZERO)))
            }
        };
        self.retries.end(&running, answered);
    }

    /// Answers what is still being sent, since this process ends. Returns how many of those alerts the outbox has, and how
    /// many were not sent.
    pub(in crate::listen) async fn end(&self, signal: Signal) -> (usize, usize) {
        let (mut stored, mut unsent) = (0, 0);
        for running in self.retries.running() {
            if self.answer_early(&running) {
                stored += 1;
                continue;
            }
            unsent += 1;
            let Running { origin, accounts, at_most_once, .. } = &*running;
            let mut outcome = interrupted(signal, true, false, accounts);
            if at_most_once.get() && outcome.attempts > 0 {
                outcome.status = Status::Unknown;
            }
            outcome.profile = Some(origin.target.profile.clone());
            self.trace(self.session, &outcome, Instant::now()).await;
            running.answer_early(self.report(origin, outcome, &[], at_most_once.get()));
        }
        (stored, unsent)
    }

    /// Says that the outbox has it, if it does. Returns whether it does.
    fn answer_early(&self, running: &Running) -> bool {
        let (target, Some(id)) = (&running.origin.target, running.accounts.stored_as()) else { return false };
        let message = format!("WeCom has not taken it yet; it waits in the outbox as {id}");
        let hint = "it is being sent; what cannot be sent now is tried again every minute";
        let error = Error::new(Status::Queued, message).with_hint(hint);
        let outcome = Outcome {
            profile: Some(target.profile.clone()),
            channel: target.channel,
            outbox_id: Some(id),
            ..Outcome::from(error)
        };
        running.answer_early(in_json(StatusCode::ACCEPTED, self.document(&outcome, &[]), None));
        true
    }

    /// Sends an alert. Returns what its sender is answered.
    async fn send(&self, running: &Running, kind: AlertKind, body: String) -> Answered {
        let began = Instant::now();
        let origin = &running.origin;
        let target = &origin.target;
        let mut line = match read(kind, body) {
            Ok(line) => line,
            Err(error) => return self.reject(origin, error, &[], began).await,
        };
        let profile = line.options.text(Setting::Profile);
        let other_route = line.route.filter(|route| target.channel.is_some_and(|channel| channel != *route));
        for (key, counts) in
            [("profile", profile.is_some_and(|profile| profile != target.profile)), ("route", other_route.is_some())]
        {
            if counts {
                line.warnings.push(format!("{key}: ignored, the path says {target}"));
            }
        }
        let mut path = Overrides::default();
        path.set_key(Setting::Profile, RawValue::Text(target.profile.clone()), "the path");
        let config = self.session.config.with_options(&line.options).with_options(&line.content).with_options(&path);
        let config = config.leniently();
        let resolved = match config.resolve() {
            Ok((settings, warnings)) => (settings, [line.warnings, warnings].concat()),
            Err(error) => return self.reject(origin, error, &line.warnings, began).await,
        };
        let mut session = self.session.for_alert(&config, resolved);
        session.accounts = running.accounts.clone();
        session.settings.jitter = None;
        running.at_most_once.set(session.settings.at_most_once);
        if !session.settings.outbox {
            session.settings.deadline = session.settings.deadline.min(LONGEST);
        }
        let channel = send::channel_for_alert(&session.settings, target.channel.or(line.route));
        let sent = match channel {
            Ok(channel) => {
                let request = Request { input: line.input, alert: line.alert, ..Request::new(channel) };
                Box::pin(send::send(&mut session, request)).await
            }
            Err(error) => Err(error),
        };
        let mut outcome = sent.unwrap_or_else(Outcome::from);
        outcome.profile.clone_from(&session.settings.profile);
        outcome.channel = session.channel;
        outcome.allow_partial = session.settings.allow_partial;
        self.trace(&session, &outcome, began).await;
        if session.settings.outbox {
            // After one that went out, others may too.
            self.has_queued.set(true);
        }
        self.report(origin, outcome, &session.warnings, session.settings.at_most_once)
    }

    /// Ends with an alert that cannot be sent as it is.
    async fn reject(&self, origin: &AlertOrigin, error: Error, warnings: &[String], began: Instant) -> Answered {
        let outcome = Outcome { profile: Some(origin.target.profile.clone()), ..Outcome::from(error) };
        self.trace(self.session, &outcome, began).await;
        self.report(origin, outcome, warnings, false)
    }

    /// Writes the line of the log file.
    async fn trace(&self, session: &Session<'_>, outcome: &Outcome, began: Instant) {
        let Some(path) = session.settings.log_file.clone() else { return };
        let line = (self.reports.log_line)(outcome, session.logged.as_ref(), began, &session.mask);
        let written = off_loop(move || append_line(&path, &line)).await;
        if let Ok(Err(error)) = written {
            self.tell(format!("warning: the log file cannot be written: {error}"));
        }
    }

    /// Tells people what became of an alert. Returns what its sender is answered.
    fn report(&self, origin: &AlertOrigin, outcome: Outcome, warnings: &[String], at_most_once: bool) -> Answered {
        let AlertOrigin { target, request } = origin;
        let status = status_of(&outcome, at_most_once);
        warnings.iter().for_each(|warning| self.tell(format!("warning: an alert for {target}: {warning}")));
        match &outcome.error {
            Some(error) => {
                let ended = match outcome.status {
                    Status::Usage | Status::Refused => "was rejected",
                    Status::Queued => "waits",
                    Status::Partial => "did not reach everybody",
                    Status::Unknown => "may have arrived",
                    _ => "was not sent",
                };
                let (name, code, error) = (outcome.status.as_str(), status.as_u16(), with_hint(error));
                let line = format!("warning: an alert for {target} {ended} ({name}): {error} [{code}, {request}]");
                self.alarm.tell(&format!("{name} {target}"), line);
            }
            None => self.alarm.detail(format!("listen: an alert for {target}: {}", outcome.status.as_str())),
        }
        if outcome.status == Status::Queued || outcome.outbox_id.is_some() {
            self.has_queued.set(true);
        }
        let retry_after = outcome.error.as_ref().and_then(Error::retry_after);
        in_json(status, self.document(&outcome, warnings), retry_after)
    }

    fn document(&self, outcome: &Outcome, warnings: &[String]) -> String {
        (self.reports.document)(outcome, warnings, &self.session.mask)
    }

    /// Says it once.
    fn tell(&self, line: String) {
        let mut told = self.told.borrow_mut();
        if told.len() < MOST_TOLD && told.insert(line.clone()) {
            self.session.observer.notice(line);
        }
    }

    /// Delivers what waits in the outbox: what was answered with 202 has no other sender any more.
    pub(in crate::listen) async fn tend_outbox(&self, stop: &Notify) {
        loop {
            if self.has_queued.take() {
                self.flush().await;
            }
            if tokio::time::timeout(PAUSE, stop.notified()).await.is_ok() {
                return;
            }
        }
    }

    async fn flush(&self) {
        // Briefly: what the rate allows in a minute goes out at once, and the end of this process waits for it.
        let settings = Settings { deadline: TO_FLUSH, ..Settings::clone(&self.session.settings) };
        let resolved = (settings, Vec::new());
        let mut session = self.session.for_alert(self.session.config, resolved);
        match Box::pin(flush::flush(&mut session, FlushRequest::default())).await {
            Ok(outcome) => {
                self.has_queued.set(outcome.error.is_some());
                outcome.error.iter().for_each(|error| self.tell(format!("warning: outbox: {error}")));
            }
            Err(error) => {
                self.has_queued.set(error.status() == Status::Temporary);
                self.tell(format!("warning: outbox: {error}"));
            }
        }
        session.warnings.drain(..).for_each(|warning| self.tell(format!("warning: outbox: {warning}")));
    }
}

/// What the body of a request asks for.
///
/// # Errors
///
/// Usage, where it is no JSON object or has a key that is not for somebody elsewhere to say.
fn read(kind: AlertKind, body: String) -> Result<AlertLine> {
    match kind {
        AlertKind::Feed(format) => {
            let data = JsonInput::Given { name: "the body", json: body };
            let from = Some(format.to_string());
            let input = MessageInput { from, data: Some(data), is_whole: true, ..MessageInput::default() };
            Ok(AlertLine { input, ..AlertLine::default() })
        }
        AlertKind::Line => {
            AlertLine::read(body.as_bytes(), 1, LineOrigin::Request).map_err(|WrongLine { error, .. }| error)
        }
    }
}
