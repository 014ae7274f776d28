//! The resolved values of all settings ([`Settings`]): plain data, safe to show in `Debug`. Definitions are in
//! `setting`, the resolution is in `resolve`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::choice::{CooldownScope, Keep, Language, MentionFallback, OnLong, OnRateLimit, Output, TargetName};
use super::credential::SecretSource;
use super::escalation::EscalationStep;
use super::parse::Rate;
use super::proxy::ProxyUrl;
use super::recipients::{ConversationSettings, RecipientSettings};
use super::setting::Setting;
use super::urls::BaseUrl;
use super::value::Sourced;
use super::webhook_key::Webhook;
use crate::channel::Channel;
use crate::error::{Error, Result};
use crate::input::Encoding;

/// Which proxy carries the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxySetting {
    /// The usual variables decide (`HTTPS_PROXY`, `NO_PROXY` …).
    Environment,
    /// No proxy, even if the usual variables name one.
    Off,
    /// This one.
    Url(ProxyUrl),
}

/// Where callbacks are received unless a setting says otherwise: on this machine, behind the company's web server.
pub(crate) const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8680);

/// What a callback address is set up with, as far as it is given (document path 90930).
#[derive(Debug, Clone)]
pub struct CallbackSettings {
    /// Where the Token comes from.
    pub token: Option<SecretSource>,
    /// Where the EncodingAESKey comes from.
    pub aes_key: Option<SecretSource>,
}

/// All settings of one command.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The settings that were given as options of this command; see [`Settings::is_option`].
    pub options: BTreeSet<Setting>,
    /// Options whose value was empty: they count as not given.
    pub empty_options: Vec<String>,
    /// The chosen profile.
    pub profile: Option<String>,
    /// The config file in use.
    pub config_file: Option<PathBuf>,
    /// Whether there are profiles in it to choose from.
    pub has_profiles: bool,
    /// Where a config file was looked for, if none was found.
    pub searched: Vec<String>,
    /// Whether a folder of the user is known, where that file could be; without HOME there is none.
    pub has_home: bool,
    /// `corpid` (document path 91039).
    pub corp_id: Option<Sourced<String>>,
    /// `agentid`, positive (document path 90236).
    pub agent_id: Option<Sourced<i64>>,
    /// Where `corpsecret` comes from (document path 91039).
    pub secret: Option<SecretSource>,
    /// Where the webhook's key or URL comes from (document path 99110).
    pub webhook: Option<SecretSource>,
    /// `bot_id` of an aibot (document path 101463).
    pub aibot_id: Option<Sourced<String>>,
    /// Where the secret of the aibot's long connection comes from (document path 101463).
    pub aibot_secret: Option<SecretSource>,
    /// Only if set somewhere; see [`Settings::aibot_base_url`].
    pub aibot_url: Option<BaseUrl>,
    /// The app's callback: 接收消息 in the console.
    pub callback: CallbackSettings,
    /// The callback of an aibot without a long connection (document path 101039).
    pub aibot_callback: CallbackSettings,
    /// Where callbacks are received; only if set somewhere.
    pub callback_listen: Option<Sourced<SocketAddr>>,
    /// The public address of the callback, an http or https URL.
    pub callback_url: Option<String>,
    /// Where the token comes from that senders of alerts show.
    pub accept_token: Option<SecretSource>,
    /// Only if set somewhere; see [`Settings::base_url_or_default`].
    pub base_url: Option<BaseUrl>,
    /// Which proxy carries the requests.
    pub proxy: ProxySetting,
    /// For humans, where that was said; `None` where the usual variables decide.
    pub proxy_origin: Option<String>,
    /// PEM file with more trusted roots.
    pub ca_file: Option<PathBuf>,
    /// Connect timeout: limit for one connection to be established.
    pub connect_timeout: Duration,
    /// Timeout: limit for one attempt without progress.
    pub timeout: Duration,
    /// Deadline: limit for the whole command, from the moment its input has been read.
    pub deadline: Duration,
    /// Rate limit; `None` means the default of the channel. If set, its period is used for WeCom's own limit too.
    pub rate: Option<Rate>,
    /// How often a request is repeated, 0 to 100.
    pub retries: u32,
    /// Folder of the token cache; `None` with `no_cache`, or where no home is known.
    pub cache_dir: Option<PathBuf>,
    /// Neither read nor write the token cache.
    pub no_cache: bool,
    /// Folder of state shared by processes; `None` where no home is known.
    pub state_dir: Option<PathBuf>,
    /// Where the address of the store comes from that several machines share. A file is not read yet.
    pub shared_state: Option<SecretSource>,
    /// The group chat, as written (document path 90248).
    pub chat: Option<Sourced<String>>,
    /// Recipients of an aibot's message.
    pub aibot_to: Option<ConversationSettings>,
    /// Recipients of an app message.
    pub to: Option<RecipientSettings>,
    /// Message type as written; which ones there are depends on the channel.
    pub msgtype: Option<Sourced<String>>,
    /// Encoding of text input.
    pub encoding: Encoding,
    /// Members that a webhook text mentions, as written.
    pub mention: Vec<String>,
    /// Phone numbers that a webhook text mentions, as written.
    pub mention_mobile: Vec<String>,
    /// What to do with mentions in a message that cannot mention.
    pub mention_fallback: MentionFallback,
    /// `safe`: 0, 1 or 2 (document path 90236).
    pub safe: Option<u8>,
    /// `enable_id_trans` (document path 90236).
    pub id_trans: bool,
    /// `enable_duplicate_check` with this interval (document path 90236).
    pub duplicate_check: Option<Duration>,
    /// Read `\n`, `\t` and `\\` in CONTENT.
    pub escapes: bool,
    /// Empty input is a silent success.
    pub skip_empty: bool,
    /// What to send in place of empty input.
    pub if_empty: Option<String>,
    /// Title of a card, a video or an article.
    pub title: Option<String>,
    /// Link of a card or an article.
    pub url: Option<String>,
    /// Text of a card's button.
    pub btntxt: Option<String>,
    /// Picture of an article.
    pub picurl: Option<String>,
    /// The text before title or text, as written: `{host}` and `{profile}` are still to be replaced.
    pub prefix: Option<String>,
    /// A partial delivery counts as success.
    pub allow_partial: bool,
    /// Repeat only what cannot have arrived; an alert without an answer then stays unknown.
    pub at_most_once: bool,
    /// What to do at the rate limit, or when WeCom asks to wait.
    pub on_rate_limit: OnRateLimit,
    /// Wait a random part of this before the deadline's clock starts; at most 24 hours.
    pub jitter: Option<Duration>,
    /// What to do with a text over the limit of its type.
    pub on_long: OnLong,
    /// Which part of a text stays where `on_long` is to truncate it.
    pub keep: Keep,
    /// Targets that get the alert as well, in the order given.
    pub also: Vec<TargetName>,
    /// The target that gets the alert where the first one cannot.
    pub fallback: Option<TargetName>,
    /// Who gets a question that nobody has answered, and when, in the order given.
    pub escalate: Vec<EscalationStep>,
    /// Store the alert before the first attempt, and keep it until WeCom accepts it.
    pub outbox: bool,
    /// Older entries of the outbox are not sent any more; at most 720 hours.
    pub outbox_max_age: Duration,
    /// The same alert is held back for so long; at most 24 hours.
    pub cooldown: Option<Duration>,
    /// What makes two alerts the same; `None`: their target and text. Only together with `cooldown`.
    pub cooldown_key: Option<String>,
    /// Whose repeats are held back. Anything but the default only together with `cooldown` and `shared_state`.
    pub cooldown_scope: CooldownScope,
    /// The file that gets a line for each command.
    pub log_file: Option<PathBuf>,
    /// Local rule failures become warnings.
    pub no_validate: bool,
    /// Check and show, send nothing.
    pub dry_run: bool,
    /// The language of the program's own words in messages, and of the manual.
    pub language: Language,
    /// Whether a setting names it or leaves it to the locale; without one, cron and services get English.
    pub language_is_set: bool,
    /// How results are printed.
    pub output: Output,
    /// Errors, `queued` and `partial` only.
    pub quiet: bool,
    /// How much is printed about each attempt.
    pub verbose: u8,
}

impl Settings {
    /// Whether the setting was given as an option of this command.
    pub fn is_option(&self, setting: Setting) -> bool {
        self.options.contains(&setting)
    }

    /// Where the credential of a channel comes from, if one is set.
    pub fn credential(&self, channel: Channel) -> Option<&SecretSource> {
        match channel {
            Channel::App | Channel::Chat => self.secret.as_ref(),
            Channel::Webhook => self.webhook.as_ref(),
            Channel::Aibot => self.aibot_secret.as_ref(),
        }
    }

    /// Where all credentials that are set come from.
    pub fn secret_sources(&self) -> impl Iterator<Item = &SecretSource> {
        let own = [&self.secret, &self.webhook, &self.aibot_secret, &self.accept_token];
        let callbacks = [&self.callback, &self.aibot_callback].into_iter().flat_map(|one| [&one.token, &one.aes_key]);
        own.into_iter().chain(callbacks).flatten()
    }

    /// The base URL for requests of the app.
    pub fn base_url_or_default(&self) -> BaseUrl {
        self.base_url.clone().unwrap_or_default()
    }

    /// The base URL for requests of the webhook: an explicit one wins over the one in the webhook's URL.
    pub fn webhook_base_url(&self, webhook: &Webhook) -> BaseUrl {
        self.base_url.clone().or_else(|| webhook.base_url.clone()).unwrap_or_default()
    }

    /// The address of the aibot's long connection. Where a relay or a sandbox takes the place of WeCom, nobody is to meet WeCom
    /// itself by accident.
    ///
    /// # Errors
    ///
    /// Exit 3 where the base URL leads elsewhere and no address is set.
    pub fn aibot_base_url(&self) -> Result<BaseUrl> {
        match (&self.aibot_url, &self.base_url) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(base_url)) if base_url.host() != BaseUrl::default().host() => Err(Error::config(
                format!(
                    "base_url leads to {}, and aibot_url is not set: the aibot would connect to WeCom itself",
                    base_url.host()
                ),
                format!(
                    "set aibot_url or WECOM_ALERT_AIBOT_URL to the address that takes its place, or to {} if WeCom is meant",
                    BaseUrl::AIBOT
                ),
            )),
            (None, _) => BaseUrl::parse_websocket(BaseUrl::AIBOT),
        }
    }

    /// The credentials of an aibot that no setting gives.
    pub fn lacking_for_aibot(&self) -> Vec<&'static str> {
        let keys = [("aibot_id", self.aibot_id.is_none()), ("aibot_secret", self.aibot_secret.is_none())];
        keys.into_iter().filter(|(_, lacking)| *lacking).map(|(key, _)| key).collect()
    }

    /// The credentials of an app that no setting gives. An agent id is needed to send, though not for a token or an upload.
    pub fn lacking_for_app(&self, with_agent: bool) -> Vec<&'static str> {
        let keys = [
            ("corp_id", self.corp_id.is_none()),
            ("agent_id", with_agent && self.agent_id.is_none()),
            ("secret", self.secret.is_none()),
        ];
        keys.into_iter().filter(|(_, lacking)| *lacking).map(|(key, _)| key).collect()
    }

    /// The error for settings that a command cannot do without: where to put them.
    pub fn missing(&self, keys: &[&str]) -> Error {
        let names = keys.join(", ");
        let verb = if keys.len() == 1 { "is" } else { "are" };
        let file_keys = keys.iter().map(|key| match *key {
            // Credentials are better kept in files of their own.
            "secret" => "secret_file",
            "webhook" => "webhook_file",
            "aibot_secret" => "aibot_secret_file",
            "callback_token" => "callback_token_file",
            "callback_aes_key" => "callback_aes_key_file",
            "aibot_callback_token" => "aibot_callback_token_file",
            "aibot_callback_aes_key" => "aibot_callback_aes_key_file",
            key => key,
        });
        let variables: Vec<_> = keys.iter().map(|key| format!("WECOM_ALERT_{}", key.to_uppercase())).collect();
        let place = self.place_for(&file_keys.collect::<Vec<_>>().join(", "));
        Error::config(format!("{names} {verb} not set"), format!("{place}, or set {}", variables.join(", ")))
    }

    /// The error where nothing says what to send with.
    pub fn missing_credentials(&self) -> Error {
        let place = self.place_for("corp_id, agent_id and secret_file, or webhook_file,");
        Error::config(
            "no app and no webhook is configured",
            format!(
                "{place}, or set WECOM_ALERT_WEBHOOK, or WECOM_ALERT_CORP_ID, WECOM_ALERT_AGENT_ID and WECOM_ALERT_SECRET"
            ),
        )
    }

    /// The error of a question for which there is nothing to ask with.
    pub fn missing_credentials_to_ask(&self) -> Error {
        let place = self.place_for("aibot_id, aibot_secret_file and aibot_user (or an app)");
        Error::config("nothing to ask with is configured: no aibot and no app", place)
    }

    /// Where these keys could be set in a file.
    fn place_for(&self, keys: &str) -> String {
        if let Some(profile) = &self.profile {
            let file = self.config_file.as_ref().map(|file| format!(" of {}", file.display())).unwrap_or_default();
            return format!("set {keys} in profile {profile}{file}");
        }
        match (&self.config_file, self.searched.as_slice()) {
            (Some(file), _) if self.has_profiles => format!("choose a profile of {} with --profile", file.display()),
            (Some(file), _) => {
                format!("set {keys} in {}, or write a new file with wecom-alert config init", file.display())
            }
            (None, []) => "write a config file with wecom-alert config init --config FILE (no place for one is known: HOME is not set)".to_owned(),
            (None, paths) => {
                let why = if self.has_home { "" } else { "HOME is not set, and " };
                format!("write a config file with wecom-alert config init ({why}none was found at {})", paths.join(" or "))
            }
        }
    }
}
