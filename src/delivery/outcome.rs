//! What a command brought: one value for all renderers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::error::{Answer, Error, Status};
use crate::message::Route;
use crate::secret::Secret;

/// What a part of a command carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// A message.
    Message,
    /// A file that follows a message.
    Attachment,
}

impl PartKind {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Attachment => "attachment",
        }
    }
}

/// The receipt for one request that carried a part.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Message or attachment.
    pub kind: PartKind,
    /// What became of it.
    pub status: Status,
    /// WeCom's answer; `None` when it gave none.
    pub answer: Option<Answer>,
    /// For a later recall; app messages only.
    pub msgid: Option<String>,
    /// For a later update of an interactive card: one use, 72 h.
    pub response_code: Option<String>,
}

impl Receipt {
    /// The receipt of a message, without the ids that only a delivered one has.
    #[must_use]
    pub fn of_message(status: Status, answer: Option<Answer>) -> Self {
        Self { kind: PartKind::Message, status, answer, msgid: None, response_code: None }
    }
}

/// Recipients that did not get it, as WeCom returned them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unreached {
    /// Members that do not exist or are out of the app's visible range.
    pub invaliduser: Vec<String>,
    /// Departments likewise.
    pub invalidparty: Vec<String>,
    /// Tags likewise.
    pub invalidtag: Vec<String>,
    /// Members in range without a valid licence.
    pub unlicenseduser: Vec<String>,
}

impl Unreached {
    /// The lists that an answer holds.
    pub(super) fn named_by(ids: impl Fn(&str) -> Vec<String>) -> Self {
        Self {
            invaliduser: ids("invaliduser"),
            invalidparty: ids("invalidparty"),
            invalidtag: ids("invalidtag"),
            unlicenseduser: ids("unlicenseduser"),
        }
    }

    /// Whether everybody got it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A request as a dry run shows it: without any secret.
#[derive(Debug, Clone)]
pub struct PlannedRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path with the base URL's prefix; credentials left out.
    pub path: String,
    /// The JSON body; for an upload what the form would hold; null without a body.
    pub body: Value,
}

/// What a command that does not send hands over.
#[derive(Debug, Clone, Default)]
pub enum Product {
    /// Nothing.
    #[default]
    None,
    /// `get-token`.
    Token {
        /// The one secret that is ever printed.
        access_token: Secret,
        /// Seconds that are left of its life.
        expires_in: u64,
        /// Whether no call was needed.
        from_cache: bool,
    },
    /// `upload-media`.
    Media {
        /// For `--media-id`, 3 days long.
        media_id: String,
        /// The kind as WeCom names it.
        kind: String,
        /// Unix time in digits.
        created_at: Option<String>,
    },
    /// `--dry-run`.
    Plan(Vec<PlannedRequest>),
}

/// How a command ended, whole.
#[derive(Debug)]
pub struct Outcome {
    /// Its status.
    pub status: Status,
    /// Whether a partial delivery counts as success.
    pub allow_partial: bool,
    /// The profile used.
    pub profile: Option<String>,
    /// App or webhook, once that is known.
    pub route: Option<Route>,
    /// WeCom's last answer.
    pub answer: Option<Answer>,
    /// Who did not get it.
    pub unreached: Unreached,
    /// Whether that is everybody whom the message named: no partial success then, whatever is allowed.
    pub reached_nobody: bool,
    /// A receipt for each part.
    pub parts: Vec<Receipt>,
    /// How many send requests were made.
    pub attempts: u32,
    /// Why it failed.
    pub error: Option<Error>,
    /// What else it hands over.
    pub product: Product,
}

impl Outcome {
    /// An outcome of which only the status is known yet.
    #[must_use]
    pub fn new(status: Status) -> Self {
        Self {
            status,
            allow_partial: false,
            profile: None,
            route: None,
            answer: None,
            unreached: Unreached::default(),
            reached_nobody: false,
            parts: Vec::new(),
            attempts: 0,
            error: None,
            product: Product::None,
        }
    }

    /// A command that ended with its product.
    #[must_use]
    pub fn with_product(status: Status, product: Product) -> Self {
        Self { product, ..Self::new(status) }
    }

    /// The process's exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.status {
            Status::Partial if self.allow_partial && !self.reached_nobody => 0,
            status => status.exit_code(),
        }
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self { answer: error.answer().cloned(), error: Some(error.clone()), ..Self::new(error.status()) }
    }
}

/// What has been sent so far. Clones share it, so that a signal's handler can say what had been delivered.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Account>>);

#[derive(Debug, Default)]
struct Account {
    attempts: u32,
    /// Nobody knows yet what became of the last attempt.
    open: bool,
    parts: Vec<Receipt>,
}

impl Ledger {
    /// Counts a send request about to be made.
    pub fn count_attempt(&self) {
        let mut account = self.account();
        account.attempts += 1;
        account.open = true;
    }

    /// Notes that the last send request was answered, or cannot have arrived.
    pub fn settle_attempt(&self) {
        self.account().open = false;
    }

    /// Whether a send request went out, or was about to, of which nobody knows yet what became of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.account().open
    }

    /// Keeps the receipt of a part.
    pub fn keep(&self, receipt: Receipt) {
        self.account().parts.push(receipt);
    }

    /// Writes into an outcome what was sent.
    pub fn close(&self, outcome: &mut Outcome) {
        let account = self.account();
        outcome.attempts = account.attempts;
        outcome.parts.clone_from(&account.parts);
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
