//! `batch`: many alerts, a line of JSON each, sent as single ones are, and a line of JSON for what became of each.
//!
//! `reader` reads lines, `line` and `keys` understand them, `resolved` gives them settings, `queues` keeps the order of each
//! target and `spill` what has no room in memory, `results` keeps count and passes results on. This file is the loop between
//! them: it takes a line in, begins those that head the queues of their targets, and ends them; `stop` ends all at a signal.

mod keys;
mod line;
mod options;
mod queues;
mod reader;
mod resolved;
mod results;
mod spill;
mod stop;

use std::collections::HashMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use crate::delivery::{Accounts, Outcome};
use crate::error::{Error, Result, Signal};
use crate::event::Event;
use crate::process::StopSignals;
use crate::send::{self, Request, Session};
use line::LONGEST;
pub(crate) use line::{AlertLine, LineOrigin, WrongLine};
pub use options::{BatchRequest, LineResult};
use queues::{LineForm, Position, Queues, TargetKey, Waited};
use reader::InputPiece;
use resolved::{Prepared, SettingsCache};
use results::Results;
use spill::lost;

/// How many alerts may be begun and not ended: those of targets that must wait for WeCom's rate too.
const MOST_BEGUN: usize = 512;

/// So many lines are taken before requests are looked after.
const AT_A_TIME: usize = 64;

/// How long the reader of results has for what is left, at the end.
const TO_READ: Duration = Duration::from_secs(10);

/// Sends what the lines say, until they end or a signal stops it.
pub async fn batch(session: &mut Session<'_>, request: BatchRequest, mut stops: StopSignals) -> Outcome {
    session.couriers.share_among_many(request.jobs.unwrap_or(options::JOBS).into());
    let name = reader::name_of(request.file.as_ref());
    let input = match reader::read(request.file.clone()) {
        Ok(input) => input,
        Err(error) => return Outcome::from(error),
    };
    for warning in std::mem::take(&mut session.warnings) {
        session.observer.notice(format!("warning: {warning}"));
    }
    let mut batch = Batch::new(session, &request, input);
    let outcome = match batch.run(&mut stops).await {
        Ok(()) => batch.outcome(),
        Err(signal) => batch.stop(signal, &name).await,
    };
    batch.results.finish(Instant::now() + TO_READ).await;
    let summary = batch.results.summary();
    drop(batch);
    session.observer.notice(format!("batch: {summary}"));
    session.start_clock();
    outcome
}

/// A batch at work.
struct Batch<'s, 'c> {
    session: &'s Session<'c>,
    request: &'s BatchRequest,
    /// `None` once it has ended.
    input: Option<Receiver<InputPiece>>,
    /// Lines that were read and not taken.
    at_hand: Bytes,
    /// Where the line stands that is taken next.
    next: Position,
    /// Why the input could not be read to its end.
    broken: Option<Error>,
    settings: SettingsCache<'s>,
    queues: Queues,
    /// A line for which there is room neither in memory nor on disk.
    stalled: Option<Stalled>,
    begun: FuturesUnordered<LocalBoxFuture<'s, Ended>>,
    /// What is known of those, by their place among the lines.
    under_way: HashMap<u64, UnderWay>,
    results: Results,
    has_told_of_disk: bool,
}

struct Stalled {
    target: TargetKey,
    position: Position,
    line: Box<AlertLine>,
    bytes: Bytes,
}

/// An alert that was begun.
struct UnderWay {
    position: Position,
    id: Value,
    accounts: Accounts,
    is_final: bool,
}

/// An alert that has ended.
struct Ended {
    target: TargetKey,
    position: Position,
    result: LineResult,
}

/// What the loop waits for.
enum Came {
    Signal(Signal),
    Ended(Option<Box<Ended>>),
    MayTake,
    Input(Option<InputPiece>),
    ResultsDue,
}

impl<'s, 'c> Batch<'s, 'c> {
    fn new(session: &'s Session<'c>, request: &'s BatchRequest, input: Receiver<InputPiece>) -> Self {
        Self {
            session,
            request,
            input: Some(input),
            at_hand: Bytes::new(),
            next: Position { sequence: 0, number: 1 },
            broken: None,
            settings: SettingsCache::new(session.config, request.route),
            queues: Queues::default(),
            stalled: None,
            begun: FuturesUnordered::new(),
            under_way: HashMap::new(),
            results: Results::new(request.keep_order, request.results.clone()),
            has_told_of_disk: false,
        }
    }

    /// Takes lines and sends them, until all are done.
    async fn run(&mut self, stops: &mut StopSignals) -> Result<(), Signal> {
        loop {
            for _ in 0..AT_A_TIME {
                if self.queues.has_room() && self.may_take() && !self.at_hand.is_empty() {
                    self.take_line();
                }
            }
            self.begin();
            if self.is_done() {
                return Ok(());
            }
            let (may_take, has_room, is_at_hand) = (self.may_take(), self.queues.has_room(), !self.at_hand.is_empty());
            let due = self.results.wait();
            let (begun, input, couriers) = (&mut self.begun, &mut self.input, &self.session.couriers);
            // More than has room in memory is read only while a request could be made that nobody makes: all that was read is
            // for targets which are busy then, and the next line may be for another one.
            let more = poll_fn(|context| {
                if !may_take || !has_room && couriers.idle_requests() == Some(0) {
                    return Poll::Pending;
                }
                match input {
                    _ if is_at_hand => Poll::Ready(Came::MayTake),
                    Some(input) => input.poll_recv(context).map(Came::Input),
                    None => Poll::Pending,
                }
            });
            let came = tokio::select! {
                biased;
                signal = stops.received() => Came::Signal(signal),
                ended = begun.next(), if !begun.is_empty() => Came::Ended(ended.map(Box::new)),
                came = more => came,
                () = due => Came::ResultsDue,
            };
            if matches!(came, Came::MayTake | Came::Input(_)) {
                // Requests go on, however fast lines come.
                tokio::task::yield_now().await;
            }
            match came {
                Came::Signal(signal) => return Err(signal),
                Came::Ended(ended) => ended.into_iter().for_each(|ended| self.end(*ended)),
                Came::MayTake => self.take_line(),
                Came::Input(piece) => self.take_piece(piece),
                Came::ResultsDue => self.results.pass_on(),
            }
        }
    }

    fn is_done(&self) -> bool {
        let nothing_comes = self.input.is_none() && self.at_hand.is_empty() && self.stalled.is_none();
        nothing_comes && self.begun.is_empty() && !self.results.is_full()
    }

    /// Whether another line may be taken.
    fn may_take(&self) -> bool {
        self.stalled.is_none() && !self.results.is_full() && self.results.has_room_for(self.next.sequence)
    }

    fn take_piece(&mut self, piece: Option<InputPiece>) {
        match piece {
            Some(InputPiece::Lines(lines)) => self.at_hand = lines.into(),
            Some(InputPiece::TooLong) => {
                let position = self.pass();
                self.fail(position, position.number.into(), Vec::new(), too_long());
            }
            Some(InputPiece::Failed(error)) => self.broken = Some(error),
            None => self.input = None,
        }
    }

    /// The position of a line that is taken now.
    fn pass(&mut self) -> Position {
        let position = self.next;
        self.next.sequence += 1;
        self.next.number += 1;
        position
    }

    /// Takes a line, and puts it into the queue of its target.
    fn take_line(&mut self) {
        let end = self.at_hand.iter().position(|byte| *byte == b'\n');
        let bytes = self.at_hand.split_to(end.unwrap_or(self.at_hand.len()));
        self.at_hand.advance(usize::from(end.is_some()));
        let bytes = match self.next.number {
            1 => bytes.strip_prefix(BYTE_ORDER_MARK).map_or(bytes.clone(), |rest| bytes.slice_ref(rest)),
            _ => bytes,
        };
        if bytes.trim_ascii().is_empty() {
            self.next.number += 1;
            return;
        }
        let position = self.pass();
        if let Some(Prepared { line, target, .. }) = self.prepare(position, &bytes) {
            self.queue(Stalled { target, position, line, bytes });
        }
    }

    /// Reads a line and gives it settings. What cannot be sent has its result then.
    fn prepare(&mut self, position: Position, bytes: &[u8]) -> Option<Prepared<'s>> {
        if bytes.len() > LONGEST {
            self.fail(position, position.number.into(), Vec::new(), too_long());
            return None;
        }
        let origin = match self.request.allow_files {
            true => LineOrigin::TrustedBatch,
            false => LineOrigin::Batch,
        };
        match AlertLine::read(bytes, position.number, origin) {
            Ok(line) => self.resolve(position, Box::new(line)),
            Err(WrongLine { id, error }) => {
                self.fail(position, id, Vec::new(), error);
                None
            }
        }
    }

    fn resolve(&mut self, position: Position, line: Box<AlertLine>) -> Option<Prepared<'s>> {
        match self.settings.prepare(line) {
            Ok(prepared) => Some(prepared),
            Err((line, error)) => {
                self.fail(position, line.id, line.warnings, error);
                None
            }
        }
    }

    fn queue(&mut self, stalled: Stalled) {
        let Stalled { target, position, line, bytes } = stalled;
        if let Err((error, line)) = self.queues.push(target, position, line, &bytes) {
            if !std::mem::replace(&mut self.has_told_of_disk, true) {
                self.session.observer.notice(format!(
                    "warning: what waits for slow targets cannot be kept in a temporary file: {error}; reading goes on when \
                     there is room in memory"
                ));
            }
            self.stalled = Some(Stalled { target, position, line, bytes });
        }
    }

    /// Begins alerts whose targets have nothing under way.
    fn begin(&mut self) {
        while self.begun.len() < MOST_BEGUN && !self.results.is_full() {
            let Some((target, waited)) = self.queues.start() else { return };
            match waited.map(|Waited { position, line }| (position, self.again(position, line))) {
                Ok((position, Some(prepared))) => self.send(target, position, prepared),
                Ok((_, None)) => self.queues.end(target),
                Err(error) => {
                    // Nothing in the file can be found any more.
                    self.broken.get_or_insert_with(|| lost(&error));
                    self.queues.lose(target);
                }
            }
        }
    }

    fn again(&mut self, position: Position, line: LineForm) -> Option<Prepared<'s>> {
        match line {
            LineForm::Read(line) => self.resolve(position, line),
            LineForm::Raw(bytes) => self.prepare(position, &bytes),
        }
    }

    fn send(&mut self, target: TargetKey, position: Position, prepared: Prepared<'s>) {
        let (session, accounts) = (self.session, Accounts::default());
        let id = prepared.line.id.clone();
        let is_final = prepared.resolved.settings.at_most_once;
        self.under_way.insert(position.sequence, UnderWay { position, id, accounts: accounts.clone(), is_final });
        self.begun.push(Box::pin(async move {
            let result = deliver(session, prepared, accounts).await;
            Ended { target, position, result }
        }));
    }

    fn end(&mut self, Ended { target, position, result }: Ended) {
        self.under_way.remove(&position.sequence);
        self.queues.end(target);
        for warning in self.session.shared_state_warnings() {
            self.session.observer.notice(format!("warning: {warning}"));
        }
        if let Some(stalled) = self.stalled.take() {
            self.queue(stalled);
        }
        self.finish(position, result);
    }

    /// The result of a line that was not sent.
    fn fail(&mut self, position: Position, id: Value, warnings: Vec<String>, error: Error) {
        let outcome = Outcome::from(error);
        let log_file = self.session.settings.log_file.clone();
        let began = std::time::Instant::now();
        self.finish(position, LineResult { id, outcome, warnings, logged: None, began, log_file });
    }

    fn finish(&mut self, position: Position, result: LineResult) {
        self.results.count(position, &result.outcome);
        let line = (self.request.render)(result);
        self.results.push(position.sequence, line);
        let (succeeded, failed) = self.results.counted();
        self.session.observer.tell(Event::Batch { succeeded, failed });
    }

    /// How the whole ended.
    fn outcome(&mut self) -> Outcome {
        match self.broken.take() {
            Some(error) => Outcome::from(error),
            None => self.results.outcome(),
        }
    }
}

/// Sends one alert through the same code as a command that sends one.
async fn deliver(session: &Session<'_>, prepared: Prepared<'_>, accounts: Accounts) -> LineResult {
    let began = std::time::Instant::now();
    let Prepared { line, resolved, channel, .. } = prepared;
    let AlertLine { id, content, input, alert, warnings, .. } = *line;
    let mut settings = resolved.settings.clone();
    let put = resolved.config.put_content(&content, &mut settings);
    // Further targets have the content too.
    let has_further = !settings.also.is_empty() || settings.fallback.is_some();
    let own_config = (has_further && !content.is_empty()).then(|| resolved.config.with_options(&content));
    let config = own_config.as_ref().unwrap_or(&resolved.config);
    let mut alert_session = session.for_alert(config, (settings, warnings));
    alert_session.accounts = accounts;
    alert_session.warnings.extend(resolved.config.take_mistakes());
    let request = Request { input, alert, ..Request::new(channel) };
    let sent = match put {
        Ok(()) => Box::pin(send::send(&mut alert_session, request)).await,
        Err(error) => Err(error),
    };
    let mut outcome = sent.unwrap_or_else(Outcome::from);
    outcome.profile.clone_from(&alert_session.settings.profile);
    outcome.channel = Some(channel);
    outcome.allow_partial = alert_session.settings.allow_partial;
    let Session { warnings, logged, settings, .. } = alert_session;
    LineResult { id, outcome, warnings, logged, began, log_file: settings.log_file }
}

/// Some editors put this before a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

fn too_long() -> Error {
    Error::usage(
        format!("the line has more than {LONGEST} bytes (20 MiB)"),
        "a message has room for a few kilobytes: send files with attach and --allow-files",
    )
}
