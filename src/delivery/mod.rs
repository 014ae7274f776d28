//! The way of a message to WeCom: upload where that is needed, send, refresh a stale token once, keep the receipt.

mod explain;
mod outcome;

use serde_json::Value;

pub use outcome::{Ledger, Outcome, PartKind, PlannedRequest, Product, Receipt, Unreached};

use crate::api::errcode::{self, Context};
use crate::api::{CallError, Client, Reply, Upload, Uploaded};
use crate::error::{Error, Result, Status};
use crate::input::Attachment;
use crate::message::Route;
use crate::message::media::MediaKind;
use crate::secret::Secret;
use crate::token::{Token, Tokens};
use explain::{Purpose, explain};

/// A body ready to go, and the file that must be uploaded first.
#[derive(Debug)]
pub struct Shipment {
    /// The whole JSON body. With a file, the `media_id` under its msgtype is filled in after the upload.
    pub body: Value,
    /// The file that the message is about.
    pub media: Option<(MediaKind, Attachment)>,
}

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

/// What opens the door.
enum Credential<'a> {
    /// Tokens of an app, and the one in use.
    App { tokens: Box<Tokens<'a>>, current: Option<Token> },
    /// The key of a webhook.
    Webhook(Secret),
}

/// A failed call: the error, and the recipients that a refusal named.
type Failure = (Error, Unreached);

/// Delivers over one route with one credential.
pub struct Delivery<'a> {
    client: &'a Client,
    credential: Credential<'a>,
    provenance: Provenance,
    ledger: Ledger,
}

impl<'a> Delivery<'a> {
    /// To the members, departments and tags of an app.
    #[must_use]
    pub fn by_app(client: &'a Client, tokens: Tokens<'a>, provenance: Provenance, ledger: Ledger) -> Self {
        let credential = Credential::App { tokens: Box::new(tokens), current: None };
        Self { client, credential, provenance, ledger }
    }

    /// To the group of a webhook.
    #[must_use]
    pub fn by_webhook(client: &'a Client, key: Secret, provenance: Provenance, ledger: Ledger) -> Self {
        Self { client, credential: Credential::Webhook(key), provenance, ledger }
    }

    /// Sends one message, its file uploaded first.
    pub async fn send(&mut self, shipment: Shipment) -> Outcome {
        let addressed = Addressed::of(&shipment.body);
        let mut outcome = match self.try_send(shipment).await {
            Ok(reply) => self.arrived(&reply, &addressed),
            Err((error, unreached)) => {
                self.ledger.keep(Receipt::of_message(error.status(), error.answer().cloned()));
                Outcome { unreached, ..Outcome::from(error) }
            }
        };
        self.ledger.close(&mut outcome);
        outcome
    }

    async fn try_send(&mut self, shipment: Shipment) -> Result<Reply, Failure> {
        let Shipment { mut body, media } = shipment;
        if let Some((kind, file)) = media {
            let uploaded = self.upload(kind, &file).await.map_err(|error| (error, Unreached::default()))?;
            set_media_id(&mut body, &uploaded.media_id);
        }
        // Made once: a repetition must be the same to the byte.
        let body = serde_json::to_vec(&body)
            .map_err(|error| (Error::defect(format!("the body cannot be written: {error}")), Unreached::default()))?;
        let (client, ledger, route) = (self.client, self.ledger.clone(), self.route());
        self.call(endpoint(route, "message/send", "webhook/send"), Purpose::Send, async |credential| {
            ledger.count_attempt();
            let sent = match route {
                Route::App => client.message_send(credential, body.clone()).await,
                Route::Webhook => client.webhook_send(credential, body.clone()).await,
            };
            if !matches!(sent, Err(CallError::Silent { .. })) {
                ledger.settle_attempt();
            }
            sent
        })
        .await
    }

    /// Uploads a file.
    ///
    /// # Errors
    ///
    /// What the upload, or the token for it, failed of.
    pub async fn upload(&mut self, kind: MediaKind, file: &Attachment) -> Result<Uploaded> {
        let (client, route) = (self.client, self.route());
        let endpoint = endpoint(route, "media/upload", "webhook/upload_media");
        let uploaded = self
            .call(endpoint, Purpose::Prepare, async |credential| match route {
                Route::App => client.media_upload(credential, Upload { kind, file }).await,
                Route::Webhook => client.webhook_upload_media(credential, Upload { kind, file }).await,
            })
            .await;
        uploaded.map_err(|(error, _)| error)
    }

    fn route(&self) -> Route {
        match self.credential {
            Credential::App { .. } => Route::App,
            Credential::Webhook(_) => Route::Webhook,
        }
    }

    /// Makes a call. When WeCom finds a token stale that was not fetched fresh for this very call, another one is got and
    /// the call repeated, once.
    async fn call<T>(
        &mut self,
        endpoint: &str,
        purpose: Purpose,
        call: impl AsyncFn(&Secret) -> Result<T, CallError>,
    ) -> Result<T, Failure> {
        let context = context(&self.provenance, endpoint);
        let explained = |failure: &CallError| (explain(failure, purpose, &context), unreached_of(failure));
        let (tokens, current) = match &mut self.credential {
            Credential::Webhook(key) => return call(key).await.map_err(|failure| explained(&failure)),
            Credential::App { tokens, current } => (tokens, current),
        };
        let token = match current.take() {
            Some(token) => token,
            None => tokens.get().await.map_err(|failure| explain_gettoken(&failure, &self.provenance))?,
        };
        let stale = match call(&token.access_token).await {
            Err(failure) if token.may_be_stale() && is_stale(&failure) => failure,
            result => {
                // For the next call of this command it is a token that was there before.
                *current = Some(Token { from_cache: true, ..token });
                return result.map_err(|failure| explained(&failure));
            }
        };
        match tokens.refresh(&token).await {
            Ok(Some(fresh)) => {
                let result = call(&fresh.access_token).await;
                *current = Some(fresh);
                result.map_err(|failure| explained(&failure))
            }
            Ok(None) => Err(explained(&stale)),
            Err(failure) => {
                let (error, unreached) = explained(&stale);
                let message = format!("{error}; a new token could not be had: {failure}");
                Err((error.with_message(message), unreached))
            }
        }
    }

    /// The outcome of a message that WeCom took: for all, for some, or, in spite of its `errcode` 0, for nobody.
    fn arrived(&self, reply: &Reply, addressed: &Addressed) -> Outcome {
        let unreached = Unreached::named_by(|field| reply.ids(field));
        let reached_nobody = !unreached.is_empty() && addressed.all_among(&unreached);
        let status = if unreached.is_empty() { Status::Sent } else { Status::Partial };
        self.ledger.keep(Receipt {
            msgid: reply.text("msgid"),
            response_code: reply.text("response_code"),
            ..Receipt::of_message(status, Some(reply.answer.clone()))
        });
        Outcome {
            answer: Some(reply.answer.clone()),
            error: (!unreached.is_empty()).then(|| not_reached(reached_nobody, &unreached)),
            unreached,
            reached_nobody,
            ..Outcome::new(status)
        }
    }
}

/// Those whom a message names.
struct Addressed {
    users: Vec<String>,
    parties: Vec<String>,
    tags: Vec<String>,
}

impl Addressed {
    fn of(body: &Value) -> Self {
        let ids = |field: &str| {
            let joined = body.get(field).and_then(Value::as_str).unwrap_or_default();
            joined.split('|').filter(|id| !id.is_empty()).map(str::to_owned).collect()
        };
        Self { users: ids("touser"), parties: ids("toparty"), tags: ids("totag") }
    }

    /// Whether nobody is left. Userids come back in lower case; `@all` never comes back.
    fn all_among(&self, unreached: &Unreached) -> bool {
        let lost = |ids: &[String], lists: &[&[String]]| {
            ids.iter().all(|id| lists.iter().any(|list| list.iter().any(|lost| lost.eq_ignore_ascii_case(id))))
        };
        let named = !(self.users.is_empty() && self.parties.is_empty() && self.tags.is_empty());
        named
            && lost(&self.users, &[&unreached.invaliduser, &unreached.unlicenseduser])
            && lost(&self.parties, &[&unreached.invalidparty])
            && lost(&self.tags, &[&unreached.invalidtag])
    }
}

/// A valid token, for whoever wants to see it; `refresh` asks WeCom for one in any case.
///
/// # Errors
///
/// What `gettoken` failed of.
pub async fn fetch_token(tokens: &Tokens<'_>, provenance: &Provenance, refresh: bool) -> Result<Token> {
    let token = if refresh { tokens.force().await } else { tokens.get().await };
    token.map_err(|failure| explain_gettoken(&failure, provenance).0)
}

fn explain_gettoken(failure: &CallError, provenance: &Provenance) -> Failure {
    (explain(failure, Purpose::Prepare, &context(provenance, "gettoken")), Unreached::default())
}

fn context<'a>(provenance: &'a Provenance, endpoint: &'a str) -> Context<'a> {
    Context {
        endpoint,
        secret_origin: Some(&provenance.origin),
        secret_len: Some(provenance.length),
        agent_id: provenance.agent_id,
    }
}

fn endpoint(route: Route, app: &'static str, webhook: &'static str) -> &'static str {
    match route {
        Route::App => app,
        Route::Webhook => webhook,
    }
}

fn is_stale(failure: &CallError) -> bool {
    failure.answer().is_some_and(|answer| errcode::asks_for_new_token(answer.errcode))
}

fn unreached_of(failure: &CallError) -> Unreached {
    Unreached::named_by(|field| failure.ids(field))
}

/// Names those who did not get it.
fn not_reached(reached_nobody: bool, unreached: &Unreached) -> Error {
    let lists = [
        ("invaliduser", &unreached.invaliduser),
        ("invalidparty", &unreached.invalidparty),
        ("invalidtag", &unreached.invalidtag),
        ("unlicenseduser", &unreached.unlicenseduser),
    ];
    let named: Vec<String> = lists
        .iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(name, ids)| format!("{name} {}", ids.join(", ")))
        .collect();
    let hint = if unreached.unlicenseduser.is_empty() {
        "correct these ids, or add them under 应用管理 → the app → 可见范围 and send to them again"
    } else {
        "buy or assign an interface licence for the unlicensed members; correct other ids or add them under 应用管理 → the app → 可见范围"
    };
    let what = if reached_nobody { "WeCom took it, but nobody gets it" } else { "sent, but not to all" };
    Error::new(Status::Partial, format!("{what}: {}", named.join("; "))).with_hint(hint)
}

/// Puts the id of the uploaded file where the body's msgtype has it.
fn set_media_id(body: &mut Value, media_id: &str) {
    let msgtype = body.get("msgtype").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(content) = body.get_mut(&msgtype).and_then(Value::as_object_mut) {
        content.insert("media_id".to_owned(), Value::from(media_id));
    }
}
