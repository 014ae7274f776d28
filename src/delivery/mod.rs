//! The way of a message to WeCom: its parts in order, each uploaded where that is needed, sent, and kept account of.

mod attempts;
pub mod change;
mod consignment;
pub mod cooldown;
mod explain;
mod inspection;
pub mod late;
mod ledger;
mod memory;
pub mod outbox;
mod outcome;
pub mod pacing;
mod policy;
pub mod split;
mod tally;
mod targets;

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

pub use consignment::Shipment;
pub use inspection::explain_way;
pub use ledger::Ledger;
pub use outcome::{
    Check, CheckStatus, ListedEntry, Outcome, PartKind, PlannedRequest, Product, Receipt, Shortfall, Unreached,
};
pub use policy::Policy;
pub use targets::{Targets, name as target_name};

use crate::api::{CallError, Client, Reply, Upload, Uploaded};
use crate::error::{Error, Result};
use crate::input::Attachment;
use crate::message::Route;
use crate::message::media::MediaKind;
use crate::notice::Listener;
use crate::secret::Secret;
use crate::token::{Token, Tokens};
use attempts::{Failed, Trouble};
use explain::Purpose;
use pacing::Pacer;
use tally::Tally;

/// Where a credential was read from and how long it is: all that may be said of it.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// For people: a variable, an option, a key of the config file.
    pub origin: String,
    /// In bytes.
    pub length: usize,
    /// The app's id, where a call carries one.
    pub agent_id: Option<i64>,
}

/// How requests are made, whatever they carry.
pub struct Manner {
    /// How often a request is repeated.
    pub policy: Policy,
    /// The slots of this webhook or app.
    pub pacer: Pacer,
    /// Is told of every attempt.
    pub listener: Listener,
    /// The account of what was sent.
    pub ledger: Ledger,
    /// The period of WeCom's limit for a webhook, where the user says what it is: after it a refusal is over.
    pub period: Option<Duration>,
}

/// Somebody who writes down how far a message has got, so that this outlives the process.
pub trait Journal {
    /// How many calls of a part WeCom took earlier, counted from its first one.
    fn settled(&self, part: usize) -> usize;
    /// A call of a part is about to be made.
    fn begin(&mut self, part: usize);
    /// That call certainly did not arrive.
    fn end(&mut self, part: usize);
    /// A call was answered: WeCom took so many of `all` calls of a part, counted from its first one. What it refused
    /// counts for nothing, lest it be taken for sent when somebody asks for it again.
    fn settle(&mut self, part: usize, calls: usize, all: usize);
}

/// For a message that is sent at once or not at all.
impl Journal for () {
    fn settled(&self, _part: usize) -> usize {
        0
    }

    fn begin(&mut self, _part: usize) {}

    fn end(&mut self, _part: usize) {}

    fn settle(&mut self, _part: usize, _calls: usize, _all: usize) {}
}

/// What opens the door.
enum Credential<'a> {
    /// Tokens of an app, and the one in use.
    App { tokens: Box<Tokens<'a>>, current: Option<Token> },
    /// The key of a webhook.
    Webhook(Secret),
}

/// Delivers over one route with one credential.
pub struct Delivery<'a> {
    client: &'a Client,
    credential: Credential<'a>,
    provenance: Provenance,
    policy: Policy,
    pacer: Pacer,
    listener: Listener,
    ledger: Ledger,
    period: Option<Duration>,
}

impl<'a> Delivery<'a> {
    /// To the members, departments and tags of an app.
    #[must_use]
    pub fn by_app(client: &'a Client, tokens: Tokens<'a>, provenance: Provenance, manner: Manner) -> Self {
        Self::by(client, Credential::App { tokens: Box::new(tokens), current: None }, provenance, manner)
    }

    /// To the group of a webhook.
    #[must_use]
    pub fn by_webhook(client: &'a Client, key: Secret, provenance: Provenance, manner: Manner) -> Self {
        Self::by(client, Credential::Webhook(key), provenance, manner)
    }

    fn by(client: &'a Client, credential: Credential<'a>, provenance: Provenance, manner: Manner) -> Self {
        let Manner { policy, pacer, listener, ledger, period } = manner;
        Self { client, credential, provenance, policy, pacer, listener, ledger, period }
    }

    /// Sends a message, part by part, and goes on where `journal` says that it stopped before.
    ///
    /// A part that WeCom refuses is passed over. Any other failure ends it, since the rest would fare no better, and what
    /// is left would arrive out of order.
    pub async fn send(&mut self, parts: &[Shipment], journal: &mut impl Journal) -> Outcome {
        self.ledger.expect(parts.len());
        let mut tally = Tally::new(parts);
        for (index, part) in parts.iter().enumerate() {
            let receipt = if tally.is_stopped() {
                tally.skip(index)
            } else {
                self.send_part(index, part, journal, &mut tally).await
            };
            // Without one it was delivered before.
            receipt.into_iter().for_each(|receipt| self.ledger.keep(receipt));
        }
        let mut outcome = tally.into_outcome();
        self.ledger.close(&mut outcome);
        outcome
    }

    async fn send_part(
        &mut self,
        index: usize,
        part: &Shipment,
        journal: &mut impl Journal,
        tally: &mut Tally<'_>,
    ) -> Option<Receipt> {
        let mut calls = part.calls();
        let (all, settled) = (calls.len(), journal.settled(index));
        if settled >= all {
            return None;
        }
        let mut sum = tally.part(index);
        if let Some((kind, file)) = &part.media {
            match self.upload_file(*kind, file).await {
                Ok(uploaded) => calls.iter_mut().for_each(|body| Shipment::set_media_id(body, &uploaded.media_id)),
                Err(failed) => {
                    sum.failed(failed);
                    return Some(sum.close());
                }
            }
        }
        let mut taken = settled;
        for (number, body) in calls.iter().enumerate().skip(settled) {
            match self.send_call(body, index, journal).await {
                Ok(reply) => {
                    sum.arrived(&reply, body);
                    self.ledger.begin_part();
                    taken += usize::from(taken == number);
                }
                Err(failed) => sum.failed(failed),
            }
            if sum.is_stopped() {
                break;
            }
            journal.settle(index, taken, all);
        }
        Some(sum.close())
    }

    async fn send_call(&mut self, body: &Value, part: usize, journal: &mut impl Journal) -> Result<Reply, Failed> {
        // Made once: a repetition must be the same to the byte.
        let bytes = serde_json::to_vec(body)
            .map(Bytes::from)
            .map_err(|error| Failed::before(Error::defect(format!("the body cannot be written: {error}"))))?;
        let (client, ledger, route, pacer) = (self.client, self.ledger.clone(), self.route(), self.pacer.clone());
        let lanes = consignment::lanes(body, route);
        let journal = RefCell::new(journal);
        let (if_full, until, period) = (self.policy.if_full(), client.deadline(), self.period);
        let endpoint = endpoint(route, "message/send", "webhook/send");
        self.call(endpoint, Purpose::Send, async |credential| {
            let mut slot = pacer.take(&lanes, if_full, until).await.map_err(Trouble::Paced)?;
            ledger.count_attempt();
            journal.borrow_mut().begin(part);
            let sending = async {
                match route {
                    Route::App => client.message_send(credential, bytes.clone()).await,
                    Route::Webhook => client.webhook_send(credential, bytes.clone()).await,
                }
            };
            let sent = slot.during(sending).await;
            if !matches!(sent, Err(CallError::Silent { .. })) {
                ledger.settle_attempt();
            }
            if let Err(failure) = &sent {
                if failure.is_before_the_request() || failure.answer().is_some() {
                    journal.borrow_mut().end(part);
                }
                if failure.is_before_the_request() {
                    slot.give_back().await;
                } else if let Some(pause) = attempts::block_of(failure, endpoint, period) {
                    pacer.block(pause, until).await;
                }
            }
            Ok(sent?)
        })
        .await
    }

    /// Uploads a file.
    ///
    /// # Errors
    ///
    /// What the upload, or the token for it, failed of.
    pub async fn upload(&mut self, kind: MediaKind, file: &Attachment) -> Result<Uploaded> {
        self.upload_file(kind, file).await.map_err(|failed| failed.error)
    }

    async fn upload_file(&mut self, kind: MediaKind, file: &Attachment) -> Result<Uploaded, Failed> {
        let (client, route) = (self.client, self.route());
        let endpoint = endpoint(route, "media/upload", "webhook/upload_media");
        self.call(endpoint, Purpose::Prepare, async |credential| {
            Ok(match route {
                Route::App => client.media_upload(credential, Upload { kind, file }).await,
                Route::Webhook => client.webhook_upload_media(credential, Upload { kind, file }).await,
            }?)
        })
        .await
    }

    fn route(&self) -> Route {
        match self.credential {
            Credential::App { .. } => Route::App,
            Credential::Webhook(_) => Route::Webhook,
        }
    }
}

fn endpoint(route: Route, app: &'static str, webhook: &'static str) -> &'static str {
    match route {
        Route::App => app,
        Route::Webhook => webhook,
    }
}
