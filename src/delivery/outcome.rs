//! The outcome of a command: status, receipts, error and data, as text output and JSON output need them.

use serde_json::Value;

use super::product::{ListedEntry, Product};
use crate::channel::Channel;
use crate::error::{Answer, Error, Status};
use crate::message::recipients::RecipientKind;
use crate::message::{PartKind, recipients};

/// The receipt for one part.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Message or attachment.
    pub kind: PartKind,
    /// The name of the file that it is about, as the receiver sees it.
    pub name: Option<String>,
    /// Its status.
    pub status: Status,
    /// WeCom's answer; `None` when it gave none.
    pub answer: Option<Answer>,
    /// For a later recall, one for each call that the part took; app messages only.
    pub msgids: Vec<String>,
    /// For a later update of an interactive card: one use, 72 h.
    pub response_code: Option<String>,
    /// What names a card of an app in events.
    pub task_id: Option<String>,
}

impl Receipt {
    /// The receipt of a part, without the ids that only a delivered one has.
    pub fn new(kind: PartKind, status: Status, answer: Option<Answer>) -> Self {
        Self { kind, name: None, status, answer, msgids: Vec::new(), response_code: None, task_id: None }
    }
}

/// Recipients that did not get it: as WeCom returned them, a list for each of `invaliduser`, `invalidparty`, `invalidtag` and
/// `unlicenseduser`; and `unresolved`, the numbers and mail addresses for which there is no userid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnreachedRecipients([Vec<String>; 5]);

impl UnreachedRecipients {
    /// The fields of an answer that list them, each with the kind of its ids. Those of the first three do not exist or are
    /// out of the app's visible range; the members in the last one are in range and lack a valid licence.
    const FIELDS: [(&str, RecipientKind); 5] = [
        ("invaliduser", RecipientKind::User),
        ("invalidparty", RecipientKind::Party),
        ("invalidtag", RecipientKind::Tag),
        ("unlicenseduser", RecipientKind::User),
        (Self::UNRESOLVED, RecipientKind::User),
    ];
    const UNRESOLVED: &str = "unresolved";

    /// People without a userid, who are to be named.
    pub(crate) fn unresolved(people: impl IntoIterator<Item = impl ToString>) -> Self {
        let mut lists = Self::default();
        lists.extend(Self([
            vec![],
            vec![],
            vec![],
            vec![],
            people.into_iter().map(|person| person.to_string()).collect(),
        ]));
        lists
    }

    /// These ids, of members or of groups of an aibot.
    pub(super) fn users(ids: Vec<String>) -> Self {
        let mut lists = Self::default();
        lists.0[0] = ids;
        lists
    }

    /// Takes userids out, whose case does not matter.
    pub(super) fn take_back(&mut self, userids: &[String]) {
        for list in [0, 3] {
            self.0[list].retain(|id| !userids.iter().any(|taken| taken.eq_ignore_ascii_case(id)));
        }
    }

    /// The numbers and mail addresses for which there is no userid.
    pub fn people(&self) -> &[String] {
        self.of(Self::UNRESOLVED)
    }

    /// The lists that an answer holds.
    pub(crate) fn named_by(ids: impl Fn(&str) -> Vec<String>) -> Self {
        Self(Self::FIELDS.map(|(field, _)| ids(field)))
    }

    /// Each field with the kind of its ids, and the ids.
    fn lists(&self) -> impl Iterator<Item = (&'static str, RecipientKind, &[String])> {
        Self::FIELDS.into_iter().zip(&self.0).map(|((field, kind), ids)| (field, kind, ids.as_slice()))
    }

    /// The ids that this field of an answer listed.
    pub fn of(&self, field: &str) -> &[String] {
        self.lists().find(|(name, ..)| *name == field).map_or(&[], |(.., ids)| ids)
    }

    /// Whether these are all recipients that a message names. Userids come back in lower case; `@all` never comes back.
    pub(crate) fn is_all_of(&self, body: &Value) -> bool {
        let lost = |kind: RecipientKind, id: &str| {
            self.lists().any(|(_, its, ids)| its == kind && ids.iter().any(|lost| lost.eq_ignore_ascii_case(id)))
        };
        let mut named = recipients(body).peekable();
        named.peek().is_some() && named.all(|(kind, id)| lost(kind, id))
    }

    /// Adds the lists of another call, each id once.
    pub(crate) fn extend(&mut self, other: Self) {
        for (list, mut more) in self.0.iter_mut().zip(other.0) {
            more.retain(|id| !list.contains(id));
            list.extend(more);
        }
    }

    /// `invaliduser lisi, wangwu; invalidparty 7`.
    pub(crate) fn named(&self) -> String {
        let lists = self.lists().filter(|(.., ids)| !ids.is_empty());
        lists.map(|(field, _, ids)| format!("{field} {}", ids.join(", "))).collect::<Vec<_>>().join("; ")
    }

    /// Whether everybody got it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a command ended, whole.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Its status.
    pub status: Status,
    /// Whether a partial delivery counts as success.
    pub allow_partial: bool,
    /// The profile used.
    pub profile: Option<String>,
    /// App or webhook, once that is known.
    pub channel: Option<Channel>,
    /// WeCom's last answer.
    pub answer: Option<Answer>,
    /// Recipients that did not get it.
    pub unreached: UnreachedRecipients,
    /// Whether these are all recipients of the message: then it is no success, whatever `allow_partial` says.
    pub reached_nobody: bool,
    /// A receipt for each part.
    pub parts: Vec<Receipt>,
    /// How many send requests were made.
    pub attempts: u32,
    /// Why it failed.
    pub error: Option<Error>,
    /// The data that it returns.
    pub product: Product,
    /// Why parts were not delivered, where some were not.
    pub shortfall: Option<Shortfall>,
    /// The entry of the outbox that holds what was not delivered.
    pub outbox_id: Option<String>,
    /// How many repeats of this alert had been held back before it, or with it.
    pub held_back: u64,
    /// The outcome of each target, for a command that sends.
    pub targets: Vec<Outcome>,
}

/// Why parts of a message were not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    /// The status of the attempt that decided.
    pub status: Status,
    /// Whether some of it may have arrived all the same.
    pub may_have_arrived: bool,
    /// Whether another message to the same target may be taken all the same.
    pub may_be_its_own: bool,
}

impl Shortfall {
    /// Whether the same parts may be taken later.
    pub fn may_pass(self) -> bool {
        matches!(self.status, Status::Temporary | Status::RateLimited | Status::Unknown)
    }

    /// Whether they may be sent later: what may have arrived must not arrive twice where that was ruled out.
    pub fn may_wait(self, at_most_once: bool) -> bool {
        self.may_pass() && !(at_most_once && self.status == Status::Unknown)
    }
}

impl Outcome {
    /// An outcome of which only the status is known yet.
    pub fn new(status: Status) -> Self {
        Self { status, ..Self::default() }
    }

    /// Nothing of a message was delivered, and nothing was tried.
    pub fn not_delivered(error: Error) -> Self {
        let shortfall = Shortfall { status: error.status(), may_have_arrived: false, may_be_its_own: false };
        Self { shortfall: Some(shortfall), ..Self::from(error) }
    }

    /// A command that ended with its product.
    pub fn with_product(status: Status, product: Product) -> Self {
        Self { product, ..Self::new(status) }
    }

    /// Whether the same command, unchanged, may succeed later without risking a second delivery. What was given up stays
    /// so.
    pub fn is_retryable(&self) -> bool {
        let has_more = match &self.product {
            Product::Flush { remaining, .. } => *remaining > 0,
            Product::Entries(entries) => entries.iter().any(|entry| entry.state == ListedEntry::WAITING),
            _ => true,
        };
        self.status.is_retryable() && has_more
    }

    /// The process's exit code.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_that_lost_all_its_recipients_is_known() {
        let body = json!({ "touser": "ZhangSan|lisi", "toparty": "1" });
        let lost = |users: &[&str], unlicensed: &[&str], parties: &[&str]| {
            let unreached = UnreachedRecipients::named_by(|field| {
                let ids = match field {
                    "invaliduser" => users,
                    "unlicenseduser" => unlicensed,
                    "invalidparty" => parties,
                    _ => &[],
                };
                ids.iter().map(|id| (*id).to_owned()).collect()
            });
            unreached.is_all_of(&body)
        };
        assert!(lost(&["zhangsan", "lisi"], &[], &["1"]) && lost(&["zhangsan"], &["lisi"], &["1"]));
        assert!(!lost(&["zhangsan", "lisi"], &[], &[]) && !lost(&["lisi"], &[], &["1"]));
        assert!(!UnreachedRecipients::default().is_all_of(&json!({ "touser": "" })));
    }
}
