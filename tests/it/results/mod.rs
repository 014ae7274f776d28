//! What a command ends as: exit codes, the JSON document, the lines for people, and what they never show.

mod answers;
mod classes;
mod document;
mod format;
#[cfg(target_os = "linux")]
mod internal_error;
mod no_answer;
mod safety;
mod stdout;

pub(crate) use document::document;

use std::path::PathBuf;

use crate::support::fake::{Endpoint, FakeWecom};
use crate::support::{Cmd, TestEnv};

/// One way to make a request: the command, and the endpoint where it meets what a test scripted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    AppSend,
    WebhookSend,
    GetToken,
    /// The token that `app-send` needs first.
    TokenToSend,
    AppUpload,
    WebhookUpload,
    /// The upload that `webhook-send --file` needs first.
    UploadToSend,
}

impl Way {
    pub(crate) const ALL: [Self; 7] = [
        Self::AppSend,
        Self::WebhookSend,
        Self::GetToken,
        Self::TokenToSend,
        Self::AppUpload,
        Self::WebhookUpload,
        Self::UploadToSend,
    ];

    /// Both sends, and each of the others in its turn: enough for what is the same for all.
    pub(crate) fn some(turn: usize) -> [Self; 3] {
        [Self::AppSend, Self::WebhookSend, Self::ALL[2 + turn % 5]]
    }

    pub(crate) fn endpoint(self) -> Endpoint {
        match self {
            Self::AppSend => Endpoint::MessageSend,
            Self::WebhookSend => Endpoint::WebhookSend,
            Self::GetToken | Self::TokenToSend => Endpoint::GetToken,
            Self::AppUpload => Endpoint::MediaUpload,
            Self::WebhookUpload | Self::UploadToSend => Endpoint::WebhookUploadMedia,
        }
    }

    /// Whether the scripted request carries a message.
    pub(crate) fn is_send(self) -> bool {
        matches!(self, Self::AppSend | Self::WebhookSend)
    }

    /// Whether a message is what it is all about.
    pub(crate) fn has_message(self) -> bool {
        self.is_send() || matches!(self, Self::TokenToSend | Self::UploadToSend)
    }

    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::WebhookSend | Self::WebhookUpload | Self::UploadToSend => "webhook",
            _ => "app",
        }
    }

    /// The call, with credentials, but without a server.
    pub(crate) fn cmd(self, env: &TestEnv) -> Cmd {
        match self {
            Self::AppSend | Self::TokenToSend => env.cmd(["app-send", "-u", "zhangsan", "hello"]).app_credentials(),
            Self::WebhookSend => env.cmd(["webhook-send", "hello"]).webhook(),
            Self::GetToken => env.cmd(["get-token"]).app_credentials(),
            Self::AppUpload => env.cmd(["upload-media"]).arg(file(env)).app_credentials(),
            Self::WebhookUpload => env.cmd(["upload-media"]).arg(file(env)).webhook(),
            Self::UploadToSend => env.cmd(["webhook-send", "--file"]).arg(file(env)).webhook(),
        }
    }

    /// The call in JSON mode to that fake.
    pub(crate) fn json(self, env: &TestEnv, wecom: &FakeWecom) -> Cmd {
        self.cmd(env).args(["--output", "json"]).base_url(wecom)
    }
}

fn file(env: &TestEnv) -> PathBuf {
    env.file("report.txt", "a report of more than five bytes")
}
