//! What tests and the sandbox get to see of the traffic: requests, messages, uploads, and what became of each.

use std::time::Instant;

use serde_json::Value;

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    GetToken,
    MessageSend,
    WebhookSend,
    MediaUpload,
    WebhookUploadMedia,
    AgentGet,
    AppchatSend,
    /// Nothing that this fake knows.
    Other,
}

impl Endpoint {
    pub const KNOWN: [Self; 7] = [
        Self::GetToken,
        Self::MessageSend,
        Self::WebhookSend,
        Self::MediaUpload,
        Self::WebhookUploadMedia,
        Self::AgentGet,
        Self::AppchatSend,
    ];

    /// The name in WeCom's paths, after `/cgi-bin/`.
    pub fn name(self) -> &'static str {
        match self {
            Self::GetToken => "gettoken",
            Self::MessageSend => "message/send",
            Self::WebhookSend => "webhook/send",
            Self::MediaUpload => "media/upload",
            Self::WebhookUploadMedia => "webhook/upload_media",
            Self::AgentGet => "agent/get",
            Self::AppchatSend => "appchat/send",
            Self::Other => "?",
        }
    }

    pub fn method(self) -> &'static str {
        if matches!(self, Self::GetToken | Self::AgentGet) { "GET" } else { "POST" }
    }

    /// The query parameters that it takes.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::GetToken => &["corpid", "corpsecret"],
            Self::MessageSend | Self::AppchatSend => &["access_token"],
            Self::WebhookSend => &["key"],
            Self::MediaUpload => &["access_token", "type"],
            Self::WebhookUploadMedia => &["key", "type"],
            Self::AgentGet => &["access_token", "agentid"],
            Self::Other => &[],
        }
    }

    pub fn takes_json(self) -> bool {
        matches!(self, Self::MessageSend | Self::WebhookSend | Self::AppchatSend)
    }
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub endpoint: Endpoint,
    pub method: String,
    /// Without the query.
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    /// As on the wire.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub chunked: bool,
    pub at: Instant,
    /// Which connection it came on, from 1.
    pub connection: usize,
    pub outcome: Outcome,
}

impl Seen {
    /// The first query parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A token was given out: the same as before, or a new one.
    Token { new: bool },
    /// A message was delivered.
    Arrived(Box<Arrived>),
    /// A file was stored.
    Uploaded(Box<Upload>),
    /// An app was told of.
    Described,
    /// The same message once more, within its interval: not delivered again.
    Suppressed,
    /// Over a member's limit: not delivered, and nobody is told.
    Dropped,
    /// An error as WeCom words it.
    Refused { errcode: i64, errmsg: String },
    /// A scripted fault; the request was not judged.
    Fault(String),
}

/// Which way a message or a file came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    App { agent_id: i64 },
    Webhook { key: String },
    Chat { id: String },
}

/// A message that was delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    pub route: Route,
    pub msgtype: String,
    /// The members who got it, as given: `@all`, or the valid ones; of a group chat those in it. Empty for a webhook.
    pub users: Vec<String>,
    pub parties: Vec<String>,
    pub tags: Vec<String>,
    pub body: Value,
    pub raw: Vec<u8>,
    pub errmsg: String,
    /// What readers will see cut or cramped.
    pub remarks: Vec<String>,
}

impl Arrived {
    /// The object named like the msgtype.
    pub fn payload(&self) -> &Value {
        &self.body[self.msgtype.as_str()]
    }
}

/// What an uploaded file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    Image,
    Voice,
    Video,
    File,
}

impl MediaKind {
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Image, Self::Voice, Self::Video, Self::File].into_iter().find(|kind| kind.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Voice => "voice",
            Self::Video => "video",
            Self::File => "file",
        }
    }
}

/// A file that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// For an app upload without an agent (any app of a corp may upload), the app whose token it was.
    pub route: Route,
    pub kind: MediaKind,
    /// As it came, without the quotes.
    pub filename: Vec<u8>,
    /// Of the part.
    pub content_type: String,
    pub bytes: Vec<u8>,
    pub media_id: String,
}

/// A request with what it made the fake complain of, for whoever watches.
#[derive(Debug)]
pub struct Event<'a> {
    pub seen: &'a Seen,
    pub complaints: &'a [String],
}
