//! What the commands return that send no message: tokens, media, chats, listings, checks, entries of the outbox.

use std::path::PathBuf;

use serde_json::Value;

use crate::api::{Department, Member, Tag};
use crate::channel::Channel;
use crate::message::PartKind;
use crate::secret::Secret;

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

/// The data that a command returns which sends no message.
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
    /// `chat-create`.
    CreatedChat {
        /// Names the chat.
        chatid: String,
        /// Whether this command made it; else it was there.
        is_new: bool,
        /// Members whom it added to a chat that was there.
        added: Vec<String>,
        /// Members who are not in it.
        missing: Vec<String>,
    },
    /// `chat-get`.
    Chat(GroupChat),
    /// A change of which there is nothing to show: what was done, for people.
    Done(String),
    /// `get-userid`.
    Userid(String),
    /// `--dry-run`.
    Plan(Vec<PlannedRequest>),
    /// `check`: what was found, in the order of looking; in a dry run also the requests that would be made.
    Checks(Vec<Check>, Option<Vec<PlannedRequest>>),
    /// `ask`: the answer, if there is one, and what became of the plan.
    Asked(Box<AskedQuestion>),
    /// `preview`.
    Page(Box<PreviewPage>),
    /// `explain`.
    Explained(Vec<Explanation>),
    /// `list-departments` and its like.
    Listed(Listing),
    /// `outbox list`.
    Entries(Vec<ListedEntry>),
    /// `outbox show`.
    Shown(Box<ShownEntry>),
    /// `outbox flush`: how many entries became what.
    Flush {
        /// Taken by WeCom.
        delivered: usize,
        /// Still waiting.
        remaining: usize,
        /// Given up: refused for good, damaged, or too old when a try failed.
        failed: usize,
        /// Whether anything went out, was given up, or fails for another reason than before.
        has_news: bool,
    },
    /// `outbox drop`: how many entries are gone.
    Dropped(usize),
}

/// A question, and what became of it.
#[derive(Debug, Clone, Default)]
pub struct AskedQuestion {
    /// What `answer` and `--id` call it.
    pub id: String,
    /// The answer that counts.
    pub answer: Option<GivenAnswer>,
    /// Who was asked, or would be.
    pub steps: Vec<AskedStep>,
    /// Of a dry run: the requests that would be made at first.
    pub requests: Option<Vec<PlannedRequest>>,
}

/// An answer to a question.
#[derive(Debug, Clone, Default)]
pub struct GivenAnswer {
    /// The key that was pressed, or given by a command.
    pub key: String,
    /// What the card shows for it.
    pub text: String,
    /// The ids that were chosen on a card with choices, in its order.
    pub options: Vec<String>,
    /// Who pressed; `None` for a local answer.
    pub userid: Option<String>,
    /// The name of who pressed, where the app tells it.
    pub name: Option<String>,
    /// `press` or `local`.
    pub via: &'static str,
    /// Who answered on which host, for a local answer.
    pub local: Option<(String, String)>,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// The card that was pressed.
    pub task_id: Option<String>,
    /// Where it is: `PROFILE:CHANNEL[/ID]`.
    pub target: Option<String>,
}

/// A target of a question.
#[derive(Debug, Clone)]
pub struct AskedStep {
    /// `PROFILE:CHANNEL[/ID]`.
    pub target: String,
    /// When it was reached, or else its time in the plan, in Unix milliseconds; `None` where only a failure would bring it about.
    pub at_ms: Option<u64>,
    /// `sent`, `waiting`, `sending`, `planned`, or the status of its failure.
    pub status: String,
}

impl GivenAnswer {
    /// What scripts read: the key, or the ids that were chosen.
    pub fn keys(&self) -> &[String] {
        if self.options.is_empty() { std::slice::from_ref(&self.key) } else { &self.options }
    }
}

/// A group chat of the app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupChat {
    /// Names it.
    pub chatid: String,
    /// What members see. Text from outside.
    pub name: String,
    /// A userid.
    pub owner: String,
    /// The userids of all members, the owner among them.
    pub userlist: Vec<String>,
}

/// One check of the command `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name: a promise to scripts. A name comes again where there are several of a kind.
    pub name: &'static str,
    /// The result.
    pub status: CheckStatus,
    /// What was found, or why nothing was looked for.
    pub detail: String,
    /// What to do next, where something is to be done.
    pub hint: Option<String>,
}

/// The result of one check. The name in JSON is in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// It works, and something is to be done about it.
    Warning,
    /// It does not work.
    Failed,
    /// It was not looked at.
    Skipped,
}

/// What is known of one code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The code.
    pub code: i64,
    /// Whose code it is.
    pub kind: CodeKind,
    /// What it means.
    pub meaning: String,
    /// What usually causes it.
    pub cause: &'static str,
    /// What to do.
    pub next: &'static str,
    /// The exit code that a command ends with which meets it, and that code's status.
    pub ends_with: Option<(u8, &'static str)>,
    /// Where WeCom explains it.
    pub url: Option<String>,
}

/// Whose code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CodeKind {
    /// `errcode` in an answer of WeCom.
    Errcode,
    /// An exit code of this program, or of the command that `run` runs.
    ExitCode,
}

/// An entry of the outbox as a list shows it.
#[derive(Debug, Clone, Default)]
pub struct ListedEntry {
    /// Its id, for `outbox drop`.
    pub id: String,
    /// The profile that names its target; `None` for credentials of the environment.
    pub profile: Option<String>,
    /// The command that sent it; empty where that cannot be read any more.
    pub command: String,
    /// When it was stored, in Unix milliseconds.
    pub queued_at_ms: Option<u64>,
    /// Send requests so far.
    pub attempts: u32,
    /// WeCom's last answer; `None` when it gave none.
    pub errcode: Option<i64>,
    /// [`ListedEntry::WAITING`] or [`ListedEntry::FAILED`].
    pub state: &'static str,
    /// The error of its last attempt.
    pub reason: Option<String>,
    /// The first words of the alert.
    pub title: Option<String>,
}

/// An entry of the outbox as `outbox show` shows it.
#[derive(Debug, Clone, Default)]
pub struct ShownEntry {
    /// What a list shows.
    pub listed: ListedEntry,
    /// When a request for it was last made, in Unix milliseconds.
    pub last_attempt_ms: Option<u64>,
    /// Whether a request went out whose end is unknown.
    pub may_have_arrived: bool,
    /// Whether what may have arrived must not be sent again.
    pub at_most_once: bool,
    /// Whom it is for, where the message says it: fields of its body and their values.
    pub recipients: Vec<(String, String)>,
    /// The file that holds it.
    pub file: PathBuf,
    /// What it consists of.
    pub parts: Vec<ShownPart>,
}

/// A part of such an entry.
#[derive(Debug, Clone)]
pub struct ShownPart {
    /// Message or attachment.
    pub kind: PartKind,
    /// What became of it: `pending`, `under_way`, `sent`, `refused` or `unknown`.
    pub state: &'static str,
    /// The message type; `None` where the body cannot be read.
    pub msgtype: Option<String>,
    /// Its text, for a type that has one.
    pub text: Option<String>,
    /// All that belongs under the message type.
    pub content: Value,
    /// The name and the size of its file.
    pub file: Option<(String, u64)>,
}

impl ListedEntry {
    /// The next flush tries it.
    pub const WAITING: &str = "waiting";
    /// It was given up: refused for good, damaged, or too old.
    pub const FAILED: &str = "failed";
}

/// The rows of a listing. All names are text from outside, and empty where WeCom does not tell them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// `list-departments`: each before those below it.
    Departments(Vec<Department>),
    /// `list-members`: each once.
    Members(Vec<Member>),
    /// `list-tags`.
    Tags(Vec<Tag>),
    /// `list-tag-members`: members, then departments.
    TagMembers(Vec<TagMember>),
}

/// A member or a department that has a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagMember {
    /// Which of the two.
    pub kind: TagMemberKind,
    /// The userid, or the id of the department.
    pub id: String,
    /// Text from outside; empty too for a department that the app may not see.
    pub name: String,
}

/// What has a tag. The name in output is in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum TagMemberKind {
    /// A member.
    User,
    /// A department, with all its members.
    Department,
}

impl Listing {
    /// How many rows there are, and what they are called.
    pub fn counted(&self) -> String {
        let (count, one, several) = match self {
            Self::Departments(rows) => (rows.len(), "department", "departments"),
            Self::Members(rows) => (rows.len(), "member", "members"),
            Self::Tags(rows) => (rows.len(), "tag", "tags"),
            Self::TagMembers(rows) => (rows.len(), "member or department", "members and departments"),
        };
        format!("{count} {}", if count == 1 { one } else { several })
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.names().next().is_none()
    }

    /// Whether no row has a name.
    pub(crate) fn is_nameless(&self) -> bool {
        self.names().all(str::is_empty)
    }

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Departments(rows) => Box::new(rows.iter().map(|row| row.name.as_str())),
            Self::Members(rows) => Box::new(rows.iter().map(|row| row.name.as_str())),
            Self::Tags(rows) => Box::new(rows.iter().map(|row| row.name.as_str())),
            Self::TagMembers(rows) => Box::new(rows.iter().map(|row| row.name.as_str())),
        }
    }
}

/// Messages as a phone would show them.
#[derive(Debug, Clone, Default)]
pub struct PreviewPage {
    /// The page, unless it is in the file.
    pub html: Option<String>,
    /// The file that it was written to.
    pub file: Option<PathBuf>,
    /// What breaks a rule, in the order of the page.
    pub findings: Vec<PreviewFinding>,
}

/// What breaks a rule in a message of a [`PreviewPage`].
#[derive(Debug, Clone)]
pub struct PreviewFinding {
    /// The channel of the message.
    pub channel: Channel,
    /// Which of its messages, counted from 1; `None` where there can be none.
    pub message: Option<usize>,
    /// Whether it would be refused; else it would be shown otherwise than it was meant.
    pub is_refused: bool,
    /// Where, and what.
    pub problem: String,
}
