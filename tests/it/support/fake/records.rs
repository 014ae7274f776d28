//! What tests and the sandbox get to see of the traffic: requests, messages, uploads, and what became of each.

use std::time::Instant;

use serde_json::Value;

use super::aibot::CardUpdate;

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    GetToken,
    MessageSend,
    MessageRecall,
    MessageUpdateCard,
    WebhookSend,
    MediaUpload,
    WebhookUploadMedia,
    AgentGet,
    AppchatSend,
    AppchatCreate,
    AppchatUpdate,
    AppchatGet,
    UserGetUserid,
    UserGetUseridByEmail,
    DepartmentSimplelist,
    DepartmentList,
    DepartmentGet,
    UserSimplelist,
    UserGet,
    TagList,
    TagGet,
    OpenUseridToUserid,
    /// The upgrade to an aibot's WebSocket; the ones below are frames on it.
    AibotConnect,
    AibotSubscribe,
    AibotPing,
    AibotSendMsg,
    AibotRespondUpdateMsg,
    AibotUploadInit,
    AibotUploadChunk,
    AibotUploadFinish,
    /// Nothing that this fake knows.
    Other,
}

impl Endpoint {
    pub const KNOWN: [Self; 30] = [
        Self::GetToken,
        Self::MessageSend,
        Self::MessageRecall,
        Self::MessageUpdateCard,
        Self::WebhookSend,
        Self::MediaUpload,
        Self::WebhookUploadMedia,
        Self::AgentGet,
        Self::AppchatSend,
        Self::AppchatCreate,
        Self::AppchatUpdate,
        Self::AppchatGet,
        Self::UserGetUserid,
        Self::UserGetUseridByEmail,
        Self::DepartmentSimplelist,
        Self::DepartmentList,
        Self::DepartmentGet,
        Self::UserSimplelist,
        Self::UserGet,
        Self::TagList,
        Self::TagGet,
        Self::OpenUseridToUserid,
        Self::AibotConnect,
        Self::AibotSubscribe,
        Self::AibotPing,
        Self::AibotSendMsg,
        Self::AibotRespondUpdateMsg,
        Self::AibotUploadInit,
        Self::AibotUploadChunk,
        Self::AibotUploadFinish,
    ];

    /// The name in WeCom's paths, after `/cgi-bin/`; of a frame its `cmd`.
    pub fn name(self) -> &'static str {
        match self {
            Self::GetToken => "gettoken",
            Self::MessageSend => "message/send",
            Self::MessageRecall => "message/recall",
            Self::MessageUpdateCard => "message/update_template_card",
            Self::WebhookSend => "webhook/send",
            Self::MediaUpload => "media/upload",
            Self::WebhookUploadMedia => "webhook/upload_media",
            Self::AgentGet => "agent/get",
            Self::AppchatSend => "appchat/send",
            Self::AppchatCreate => "appchat/create",
            Self::AppchatUpdate => "appchat/update",
            Self::AppchatGet => "appchat/get",
            Self::UserGetUserid => "user/getuserid",
            Self::UserGetUseridByEmail => "user/get_userid_by_email",
            Self::DepartmentSimplelist => "department/simplelist",
            Self::DepartmentList => "department/list",
            Self::DepartmentGet => "department/get",
            Self::UserSimplelist => "user/simplelist",
            Self::UserGet => "user/get",
            Self::TagList => "tag/list",
            Self::TagGet => "tag/get",
            Self::OpenUseridToUserid => "batch/openuserid_to_userid",
            Self::AibotConnect => "aibot",
            Self::AibotSubscribe => "aibot_subscribe",
            Self::AibotPing => "ping",
            Self::AibotSendMsg => "aibot_send_msg",
            Self::AibotRespondUpdateMsg => "aibot_respond_update_msg",
            Self::AibotUploadInit => "aibot_upload_media_init",
            Self::AibotUploadChunk => "aibot_upload_media_chunk",
            Self::AibotUploadFinish => "aibot_upload_media_finish",
            Self::Other => "?",
        }
    }

    pub fn method(self) -> &'static str {
        match self {
            Self::GetToken
            | Self::AgentGet
            | Self::AppchatGet
            | Self::DepartmentSimplelist
            | Self::DepartmentList
            | Self::DepartmentGet
            | Self::UserSimplelist
            | Self::UserGet
            | Self::TagList
            | Self::TagGet
            | Self::AibotConnect => "GET",
            endpoint if endpoint.is_frame() => "FRAME",
            _ => "POST",
        }
    }

    /// Whether it is a frame of an aibot's connection.
    pub fn is_frame(self) -> bool {
        matches!(
            self,
            Self::AibotSubscribe
                | Self::AibotPing
                | Self::AibotSendMsg
                | Self::AibotRespondUpdateMsg
                | Self::AibotUploadInit
                | Self::AibotUploadChunk
                | Self::AibotUploadFinish
        )
    }

    /// Whether it is reached by a path of its own.
    pub fn has_path(self) -> bool {
        !self.is_frame() && !matches!(self, Self::AibotConnect | Self::Other)
    }

    /// The query parameters that it takes.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::GetToken => &["corpid", "corpsecret"],
            Self::MessageSend
            | Self::MessageRecall
            | Self::MessageUpdateCard
            | Self::AppchatSend
            | Self::AppchatCreate
            | Self::AppchatUpdate
            | Self::UserGetUserid
            | Self::UserGetUseridByEmail
            | Self::TagList
            | Self::OpenUseridToUserid => &["access_token"],
            Self::WebhookSend => &["key"],
            Self::MediaUpload => &["access_token", "type"],
            Self::WebhookUploadMedia => &["key", "type"],
            Self::AgentGet => &["access_token", "agentid"],
            Self::AppchatGet => &["access_token", "chatid"],
            Self::DepartmentSimplelist | Self::DepartmentList | Self::DepartmentGet => &["access_token", "id"],
            Self::UserSimplelist => &["access_token", "department_id"],
            Self::UserGet => &["access_token", "userid"],
            Self::TagGet => &["access_token", "tagid"],
            _ => &[],
        }
    }

    pub fn takes_json(self) -> bool {
        self.method() == "POST" && !matches!(self, Self::MediaUpload | Self::WebhookUploadMedia | Self::Other)
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
    /// Names in lower case; of a frame its `req_id` alone.
    pub headers: Vec<(String, String)>,
    /// Of a frame its `body`.
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
    /// An aibot's WebSocket was opened, before anybody says which bot it is.
    Connected,
    /// An aibot subscribed.
    Subscribed,
    /// A heartbeat, or a part of an upload.
    Noted,
    /// A card was changed in answer to a click.
    CardChanged(Box<CardUpdate>),
    /// Something was told: of an app, or of the directory.
    Described,
    /// What was sent before was changed or taken back.
    Changed,
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
    App {
        agent_id: i64,
    },
    Webhook {
        key: String,
    },
    Chat {
        id: String,
    },
    /// A userid, or the chatid of a group.
    Aibot {
        bot_id: String,
        chat: String,
        is_group: bool,
    },
}

/// A message that was delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    pub route: Route,
    pub msgtype: String,
    /// The members who got it, as given: `@all`, or the valid ones; of a group chat those in it; of an aibot the one person.
    /// Empty for a webhook and an aibot's group.
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
    /// The body that it is answered with, or what happens in place of that.
    pub answer: &'a str,
}
