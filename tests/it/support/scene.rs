//! The scene of most tests: a sealed environment, a fake of WeCom's server, and the commands that talk to it.

use serde_json::Value;
use wecom_alert::channel::Channel;

use super::fake::{Arrived, CHAT_ID, Endpoint, FakeWecom};
use super::{Cmd, TestEnv};

pub(crate) const ROUTES: [Channel; 4] = [Channel::App, Channel::Webhook, Channel::Chat, Channel::Aibot];

/// The routes whose messages are requests by HTTP, and which have plain text.
pub(crate) const HTTP_ROUTES: [Channel; 3] = [Channel::App, Channel::Webhook, Channel::Chat];

/// The routes that have template cards.
pub(crate) const CARD_ROUTES: [Channel; 2] = [Channel::App, Channel::Webhook];

/// A sealed environment and the fake that its commands talk to.
pub(crate) struct Scene {
    pub(crate) env: TestEnv,
    pub(crate) wecom: FakeWecom,
    /// The user's config file; there is none as long as it is empty.
    pub(crate) config: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(FakeWecom::start())
    }

    pub(crate) fn with(wecom: FakeWecom) -> Self {
        Self { env: TestEnv::new(), wecom, config: String::new() }
    }

    /// A profile with these keys, or more keys for a profile that is there.
    pub(crate) fn profile(mut self, name: &str, keys: &str) -> Self {
        let title = format!("[profiles.{name}]\n");
        if !self.config.contains(&title) {
            self.config.push_str(&title);
        }
        self.config = self.config.replace(&title, &format!("{title}{keys}\n"));
        self
    }

    /// Any command, with the credentials of both routes and its result as JSON.
    pub(crate) fn cmd(&self, args: &[&str]) -> Cmd {
        self.bare(&["--output", "json"]).args(args).base_url(&self.wecom).app_credentials().webhook()
    }

    /// Any command with the config file alone.
    pub(crate) fn bare(&self, args: &[&str]) -> Cmd {
        let cmd = self.env.cmd(args.iter().copied());
        if self.config.is_empty() { cmd } else { cmd.config(&self.config) }
    }

    /// `app-send` to zhangsan.
    pub(crate) fn app(&self, args: &[&str]) -> Cmd {
        self.cmd(&["app-send", "-u", "zhangsan"]).args(args)
    }

    /// `webhook-send`.
    pub(crate) fn group(&self, args: &[&str]) -> Cmd {
        self.cmd(&["webhook-send"]).args(args)
    }

    /// `chat-send` to the chat that is always there.
    pub(crate) fn chat(&self, args: &[&str]) -> Cmd {
        self.cmd(&["chat-send", "--chat", CHAT_ID]).args(args)
    }

    /// `aibot-send` to zhangsan.
    pub(crate) fn aibot(&self, args: &[&str]) -> Cmd {
        self.cmd(&["aibot-send", "-u", "zhangsan"]).args(args).aibot(&self.wecom)
    }

    /// A send on that route, to zhangsan, to the group or to the chat.
    pub(crate) fn send(&self, route: Channel, args: &[&str]) -> Cmd {
        match route {
            Channel::App => self.app(args),
            Channel::Webhook => self.group(args),
            Channel::Chat => self.chat(args),
            Channel::Aibot => self.aibot(args),
        }
    }

    /// Leaves a token in the cache, for tests in which gettoken would be in the way.
    pub(crate) fn warm(&self) {
        self.cmd(&["get-token"]).may_show_token().run().assert_code(0);
    }

    /// How many messages were asked for, whatever became of them.
    pub(crate) fn sends(&self) -> usize {
        ROUTES.into_iter().map(|route| self.wecom.count(send_endpoint(route))).sum()
    }

    /// The texts that arrived, in order; of a message without one, its type in brackets.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.wecom.messages().iter().map(text_of).collect()
    }
}

/// The text of a message, wherever its type has it; its type in brackets if it has none.
fn text_of(message: &Arrived) -> String {
    let payload = message.payload();
    let places = [&payload["content"], &payload["description"], &payload["articles"][0]["description"]];
    let text = places.into_iter().find_map(Value::as_str);
    text.map_or_else(|| format!("({})", message.msgtype), str::to_owned)
}

/// Each case on each route.
pub(crate) fn on_each_route<T: Clone>(cases: impl IntoIterator<Item = T>) -> Vec<(Channel, T)> {
    cases.into_iter().flat_map(|case| HTTP_ROUTES.map(|route| (route, case.clone()))).collect()
}

/// The endpoint that takes the messages of a route.
pub(crate) fn send_endpoint(route: Channel) -> Endpoint {
    match route {
        Channel::App => Endpoint::MessageSend,
        Channel::Webhook => Endpoint::WebhookSend,
        Channel::Chat => Endpoint::AppchatSend,
        Channel::Aibot => Endpoint::AibotSendMsg,
    }
}

/// The endpoint that takes the files of a route.
pub(crate) fn upload_endpoint(route: Channel) -> Endpoint {
    match route {
        Channel::App | Channel::Chat => Endpoint::MediaUpload,
        Channel::Webhook => Endpoint::WebhookUploadMedia,
        Channel::Aibot => Endpoint::AibotUploadFinish,
    }
}
