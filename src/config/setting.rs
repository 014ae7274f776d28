//! The definitions of all settings: a table with one row each (kind of value, option, environment variable, help). No
//! values here: those are in `settings`.
//!
//! A new setting is a row here, a field of [`super::Settings`] and a line in `resolve`. The command line makes its
//! options and their help from the rows. Tests hold the READMEs and `config.example.toml` against them, and the list of
//! environment variables in `config/tests/environment.rs`.

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use super::choice::{CooldownScope, Keep, Language, MentionFallback, OnLong, OnRateLimit, Output};
use super::setting_row::{OptionGroup, SettingRow, ValueKind, flag, no_option, option};
use crate::input::Encoding;
use OptionGroup::{
    Aibot, AppMessage, Asking, Chat as ChatGroup, Confidential, Delivery, Empty, Encodings, Escaping, Global,
    LinksAndPrefix, Mentions, MessageType, People, Recipients, Titles,
};
use ValueKind::{Count, CredentialPath, Duration, List, Number, NumberList, Path, Program, Sensitive, Text, Word};

/// What every environment variable of this program begins with.
pub(super) const PREFIX: &str = "WECOM_ALERT_";

/// `/// Help` and `Setting = row`: the settings and their rows, in the order of help.
macro_rules! settings {
    ($($(#[doc = $help:literal])+ $setting:ident = $row:expr;)+) => {
        /// One setting. Its name is the key in the config file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr, VariantArray)]
        #[strum(serialize_all = "snake_case")]
        #[allow(rustdoc::bare_urls, reason = "the documentation is the help of the option")]
        pub enum Setting { $($(#[doc = $help])+ $setting),+ }

        impl Setting {
            /// Its row in the table.
            pub fn row(self) -> &'static SettingRow {
                match self {
                    $(Self::$setting => const { &SettingRow { help: concat!($($help),+), ..$row } },)+
                }
            }
        }
    };
}

settings! {
    /// Config file
    Config = option(Path, Global, "--config", "FILE").env("WECOM_ALERT_CONFIG").not_in_file().decides();
    /// Profile of the config file
    Profile = option(Word, Global, "--profile", "NAME").short('P').env("WECOM_ALERT_PROFILE").not_in_file().decides();
    /// Corp id of the app, not a secret
    CorpId = option(Word, Global, "--corp-id", "ID").env("WECOM_ALERT_CORP_ID").rare().decides();
    /// Agent id of the app
    AgentId = option(Number, Global, "--agent-id", "ID").env("WECOM_ALERT_AGENT_ID").rare().decides();
    /// Secret of the app
    Secret = no_option(Sensitive).env("WECOM_ALERT_SECRET").decides();
    /// File with the secret of the app
    SecretFile = no_option(CredentialPath).env("WECOM_ALERT_SECRET_FILE").decides();
    /// Program that prints the secret of the app
    SecretCommand = no_option(Program).decides();
    /// Key or URL of the webhook
    Webhook = no_option(Sensitive).env("WECOM_ALERT_WEBHOOK").decides();
    /// File with the key or URL of the webhook
    WebhookFile = no_option(CredentialPath).env("WECOM_ALERT_WEBHOOK_FILE").decides();
    /// Program that prints the key or URL of the webhook
    WebhookCommand = no_option(Program).decides();
    /// BotID of the aibot (智能机器人), not a secret
    AibotId = no_option(Word).env("WECOM_ALERT_AIBOT_ID").decides();
    /// Secret of the aibot's long connection
    AibotSecret = no_option(Sensitive).env("WECOM_ALERT_AIBOT_SECRET").decides();
    /// File with the secret of the aibot
    AibotSecretFile = no_option(CredentialPath).env("WECOM_ALERT_AIBOT_SECRET_FILE").decides();
    /// Program that prints the secret of the aibot
    AibotSecretCommand = no_option(Program).decides();
    /// Address of the aibot's long connection; default wss://openws.work.weixin.qq.com
    AibotUrl = no_option(Sensitive).env("WECOM_ALERT_AIBOT_URL").decides();
    /// Token of the app's callback (接收消息)
    CallbackToken = no_option(Sensitive).env("WECOM_ALERT_CALLBACK_TOKEN").decorates();
    /// File with that token
    CallbackTokenFile = no_option(CredentialPath).env("WECOM_ALERT_CALLBACK_TOKEN_FILE").decorates();
    /// Program that prints that token
    CallbackTokenCommand = no_option(Program).decorates();
    /// EncodingAESKey of the app's callback
    CallbackAesKey = no_option(Sensitive).env("WECOM_ALERT_CALLBACK_AES_KEY").decorates();
    /// File with that key
    CallbackAesKeyFile = no_option(CredentialPath).env("WECOM_ALERT_CALLBACK_AES_KEY_FILE").decorates();
    /// Program that prints that key
    CallbackAesKeyCommand = no_option(Program).decorates();
    /// Token of an aibot in callback mode
    AibotCallbackToken = no_option(Sensitive).env("WECOM_ALERT_AIBOT_CALLBACK_TOKEN").decorates();
    /// File with that token
    AibotCallbackTokenFile = no_option(CredentialPath).env("WECOM_ALERT_AIBOT_CALLBACK_TOKEN_FILE").decorates();
    /// Program that prints that token
    AibotCallbackTokenCommand = no_option(Program).decorates();
    /// EncodingAESKey of an aibot in callback mode
    AibotCallbackAesKey = no_option(Sensitive).env("WECOM_ALERT_AIBOT_CALLBACK_AES_KEY").decorates();
    /// File with that key
    AibotCallbackAesKeyFile = no_option(CredentialPath).env("WECOM_ALERT_AIBOT_CALLBACK_AES_KEY_FILE").decorates();
    /// Program that prints that key
    AibotCallbackAesKeyCommand = no_option(Program).decorates();
    /// Where listen receives callbacks, behind the company's web server; default 127.0.0.1:8680
    CallbackListen = no_option(Word).decorates();
    /// The public address of the callback, as it stands in the console: check tries it
    CallbackUrl = no_option(Sensitive).decorates();
    /// What senders show at the address of listen --accept
    AcceptToken = no_option(Sensitive).env("WECOM_ALERT_ACCEPT_TOKEN").decorates();
    /// File with that token
    AcceptTokenFile = no_option(CredentialPath).env("WECOM_ALERT_ACCEPT_TOKEN_FILE").decorates();
    /// WeCom's API, or a relay to it; default https://qyapi.weixin.qq.com
    BaseUrl = option(Sensitive, Global, "--base-url", "URL").env("WECOM_ALERT_BASE_URL").rare().decides();
    /// http, https, socks5 or socks5h proxy; `none` ignores the proxy variables
    Proxy = option(Sensitive, Global, "--proxy", "URL").env("WECOM_ALERT_PROXY").rare().decides();
    /// File with the URL of the proxy
    ProxyFile = no_option(CredentialPath).decides();
    /// More trusted roots, beside the system's
    CaFile = option(Path, Global, "--ca-file", "PEM").env("WECOM_ALERT_CA_FILE").rare().decides();
    /// Limit to connect; default 5s
    ConnectTimeout = option(Duration, Global, "--connect-timeout", "DURATION")
        .env("WECOM_ALERT_CONNECT_TIMEOUT").rare();
    /// Limit for one attempt without progress; default 10s. --deadline limits all attempts together
    Timeout = option(Duration, Global, "--timeout", "DURATION").env("WECOM_ALERT_TIMEOUT").rare();
    /// Limit for sending with all its retries and waits, once the input has been read; default 90s
    Deadline = option(Duration, Global, "--deadline", "DURATION").env("WECOM_ALERT_DEADLINE");
    /// Pacing, shared by all processes with this state folder; default 20/1m per webhook, 30/1m per app and recipient, 200/1m per group chat, 30/1m per conversation of an aibot
    Rate = option(Word, Global, "--rate", "COUNT/DURATION|off").env("WECOM_ALERT_RATE").rare();
    /// How often a request is repeated, 0 to 100; default 3
    Retries = option(Number, Global, "--retries", "N").env("WECOM_ALERT_RETRIES").rare();
    /// Folder of the cache of tokens and look-ups
    CacheDir = no_option(Path).env("WECOM_ALERT_CACHE_DIR");
    /// Folder of what processes share
    StateDir = no_option(Path).env("WECOM_ALERT_STATE_DIR");
    /// Redis or Valkey that several machines share, redis:// or rediss://: token, slots, cooldowns and more count for all of them
    SharedState = no_option(Sensitive).env("WECOM_ALERT_SHARED_STATE").decorates();
    /// File with that address
    SharedStateFile = no_option(CredentialPath).env("WECOM_ALERT_SHARED_STATE_FILE").decorates();
    /// An older entry of the outbox is given up when its next attempt fails; default 24h, up to 30d
    OutboxMaxAge = option(Duration, Global, "--outbox-max-age", "DURATION").env("WECOM_ALERT_OUTBOX_MAX_AGE").rare();
    /// How results are printed
    Output = SettingRow { words_only: true, ..option(Word, Global, "--output", "FORMAT").offers(Output::VARIANTS) };
    /// Language of the program's own words in messages, and of the manual: auto (by the locale), en or zh
    Language = option(Word, Global, "--language", "NAME").env("WECOM_ALERT_LANGUAGE").offers(Language::NAMES).rare();
    /// Append one line of JSON for this command to a file; no text, no secret
    LogFile = option(Path, Global, "--log-file", "PATH").env("WECOM_ALERT_LOG_FILE").rare();
    /// Print errors, `queued` and `partial` only
    Quiet = flag(Global, "--quiet").short('q');
    /// Log each attempt on stderr, secrets masked
    Verbose = option(Count, Global, "--verbose", "").short('v');
    /// Neither read nor write the cache of tokens and look-ups
    NoCache = flag(Global, "--no-cache").env("WECOM_ALERT_NO_CACHE").rare();
    /// Turn local rule failures into warnings; WeCom decides
    NoValidate = flag(Global, "--no-validate").rare();
    /// Check everything, print the request, send nothing
    DryRun = flag(Global, "--dry-run").not_in_file().decides();
    /// Read \n, \t and \\ in CONTENT
    Escapes = flag(Escaping, "--escapes").rare();
    /// Encoding of the input: auto, utf-8 or gb18030
    Encoding = option(Word, Encodings, "--encoding", "NAME").offers(Encoding::VARIANTS).rare();
    /// Succeed silently when the text is empty
    SkipEmpty = flag(Empty, "--skip-empty").rare();
    /// Send this when the text is empty
    IfEmpty = option(Text, Empty, "--if-empty", "TEXT").rare().decorates();
    /// Message type; default: the best one for the alert
    Msgtype = option(Word, MessageType, "--msgtype", "TYPE").short('t');
    /// What happened, in a line
    Title = option(Text, Titles, "--title", "TITLE").decorates();
    /// Where there is more to see
    Url = option(Sensitive, LinksAndPrefix, "--url", "URL").decorates();
    /// Label of that link
    Btntxt = option(Text, LinksAndPrefix, "--btntxt", "LABEL").rare().decorates();
    /// Address of a picture, JPG or PNG
    Picurl = option(Sensitive, LinksAndPrefix, "--picurl", "URL").rare().decorates();
    /// Stands before title or text on every part; {host} and {profile} are replaced
    Prefix = option(Text, LinksAndPrefix, "--prefix", "TEXT").env("WECOM_ALERT_PREFIX").decorates();
    /// Member, or @all
    ToUser = option(List, Recipients, "--to-user", "ID").short('u').env("WECOM_ALERT_TO_USER").decides();
    /// Department
    ToParty = option(NumberList, Recipients, "--to-party", "ID").env("WECOM_ALERT_TO_PARTY").decides();
    /// Tag
    ToTag = option(NumberList, Recipients, "--to-tag", "ID").env("WECOM_ALERT_TO_TAG").decides();
    /// Member by mobile number, looked up before sending
    ToMobile = option(NumberList, People, "--to-mobile", "NUMBER").decides();
    /// Member by corp mail address (企业邮箱), looked up before sending
    ToEmail = option(List, People, "--to-email", "ADDRESS").rare().decides();
    /// Program that prints the userids of those who get it now, in place of to_user
    ToUserCommand = no_option(Program).decorates();
    /// Group chat that the app made
    Chat = option(Word, ChatGroup, "--chat", "ID").env("WECOM_ALERT_CHAT").decides();
    /// Member that the aibot writes to
    AibotUser = option(List, Aibot, "--to-user", "ID").short('u').env("WECOM_ALERT_AIBOT_USER").decides();
    /// Group that the aibot is in
    AibotChat = option(List, Aibot, "--chat", "ID").env("WECOM_ALERT_AIBOT_CHAT").decides();
    /// Confidential: 1 with watermark, 2 inside the corp only (mpnews) [bare: 1]
    Safe = SettingRow { bare: Some("1"), ..option(Number, Confidential, "--safe", "0|1|2").rare().decides() };
    /// Let WeCom replace `$userName=ID$` and the like
    IdTrans = flag(AppMessage, "--id-trans").rare();
    /// Let WeCom drop the same message when it comes again within this time, up to 4h
    DuplicateCheck = option(Duration, AppMessage, "--duplicate-check", "DURATION").rare();
    /// Member to mention, or @all (repeatable)
    Mention = option(List, Mentions, "--mention", "ID").decorates();
    /// Mobile number to mention, or @all (repeatable)
    MentionMobile = option(NumberList, Mentions, "--mention-mobile", "NUMBER").decorates();
    /// Where the type cannot mention: a short text behind it (default), a refusal, or nothing
    MentionFallback = option(Word, Mentions, "--mention-fallback", "text|fail|ignore")
        .offers(MentionFallback::VARIANTS).rare();
    /// Count an alert as sent although some recipients or parts did not get it
    AllowPartial = flag(Delivery, "--allow-partial").rare();
    /// Repeat only what cannot have arrived; without an answer end as unknown
    AtMostOnce = flag(Delivery, "--at-most-once").rare();
    /// At the rate limit: wait (default), fail, or leave it in the outbox
    OnRateLimit = option(Word, Delivery, "--on-rate-limit", "wait|fail|outbox").offers(OnRateLimit::VARIANTS).rare();
    /// First wait a random time up to this, before the deadline's clock starts
    Jitter = option(Duration, Delivery, "--jitter", "DURATION").env("WECOM_ALERT_JITTER").rare();
    /// A text over the limit; default auto: up to 5 parts, else head and tail with the whole text as a file
    OnLong = option(Word, Delivery, "--on-long", "auto|split|truncate|file|fail").offers(OnLong::VARIANTS).rare();
    /// What --on-long truncate leaves; default both, of a notification (--from) head
    Keep = option(Word, Delivery, "--keep", "head|tail|both").offers(Keep::VARIANTS).rare();
    /// Send it to this profile as well (repeatable)
    Also = option(List, Delivery, "--also", "PROFILE[:app|:webhook|:chat|:aibot]").decorates();
    /// Send it to this profile if the first target cannot be reached
    Fallback = option(Word, Delivery, "--fallback", "PROFILE[:app|:webhook|:chat|:aibot]").decorates();
    /// So long after the start a question that nobody has answered goes to this target too (repeatable)
    Escalate = option(List, Asking, "--escalate", "PROFILE[:CHANNEL][/ID,…]@DURATION").decorates();
    /// Store it before the first attempt and keep it until WeCom accepts it; see wecom-alert outbox
    Outbox = flag(Delivery, "--outbox").env("WECOM_ALERT_OUTBOX");
    /// Hold back the same alert for this time
    Cooldown = option(Duration, Delivery, "--cooldown", "DURATION");
    /// What counts as the same alert for --cooldown; default: the same target and text, with run the same
    /// command failing (or succeeding) again
    CooldownKey = option(Text, Delivery, "--cooldown-key", "KEY").rare().decorates();
    /// With shared state: hold back repeats of this host alone (default), or of all machines
    CooldownScope = option(Word, Delivery, "--cooldown-scope", "host|fleet").offers(CooldownScope::VARIANTS).rare().decorates();
}

impl Setting {
    /// All of them, in the order of the table.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The key in the config file; for what cannot stand there, the name of the option.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The setting of that key in the config file.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        key.parse().ok().filter(|setting: &Self| setting.row().is_in_file)
    }

    /// The keys of the config file.
    pub(super) fn keys() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().filter(|setting| setting.row().is_in_file).map(|setting| setting.name())
    }
}
