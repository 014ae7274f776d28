//! The one table of settings: key in the file, shape of its value, option, environment variable. No values here.

/// What every environment variable of this program begins with.
pub(super) const PREFIX: &str = "WECOM_ALERT_";

/// What a value looks like, in the file and elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One word that an error may repeat when it came from the command line.
    Word,
    /// One word that may carry credentials: never repeated.
    Private,
    /// Text for the receiver, taken as it is.
    Free,
    /// A duration.
    Duration,
    /// A path.
    Path,
    /// A path or `credential:NAME`.
    SourcePath,
    /// A whole number, or its digits in a string.
    Number,
    /// True or false.
    Flag,
    /// One or several strings.
    Names,
    /// One or several whole numbers or strings.
    Numbers,
    /// A program and its arguments.
    Command,
}

/// `Key "name in the file" Shape "option" "variable without prefix"`; empty where there is none.
macro_rules! keys {
    ($($key:ident $name:literal $shape:ident $option:literal $variable:literal;)*) => {
        /// One setting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Key { $($key),* }

        impl Key {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$key),*];

            /// Its key in the file; empty for what cannot stand there.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$key => $name),* }
            }

            /// The shape of its value.
            pub(super) fn shape(self) -> Shape {
                match self { $(Self::$key => Shape::$shape),* }
            }

            /// Its option with dashes; empty where there is none.
            pub(super) fn option(self) -> &'static str {
                match self { $(Self::$key => $option),* }
            }

            /// Its environment variable in full; `None` where there is none.
            pub(super) fn variable(self) -> Option<&'static str> {
                let name = match self { $(Self::$key => concat!("WECOM_ALERT_", $variable)),* };
                (name.len() > PREFIX.len()).then_some(name)
            }
        }
    };
}

keys! {
    Config         ""                Path       "--config"          "CONFIG";
    Profile        ""                Word       "--profile"         "PROFILE";
    CorpId         "corp_id"         Word       "--corp-id"         "CORP_ID";
    AgentId        "agent_id"        Number     "--agent-id"        "AGENT_ID";
    Secret         "secret"          Private    ""                  "SECRET";
    SecretFile     "secret_file"     SourcePath ""                  "SECRET_FILE";
    SecretCommand  "secret_command"  Command    ""                  "";
    Webhook        "webhook"         Private    ""                  "WEBHOOK";
    WebhookFile    "webhook_file"    SourcePath ""                  "WEBHOOK_FILE";
    WebhookCommand "webhook_command" Command    ""                  "";
    BaseUrl        "base_url"        Private    "--base-url"        "BASE_URL";
    Proxy          "proxy"           Private    "--proxy"           "PROXY";
    ProxyFile      "proxy_file"      SourcePath ""                  "";
    CaFile         "ca_file"         Path       "--ca-file"         "CA_FILE";
    ConnectTimeout "connect_timeout" Duration   "--connect-timeout" "CONNECT_TIMEOUT";
    Timeout        "timeout"         Duration   "--timeout"         "TIMEOUT";
    Deadline       "deadline"        Duration   "--deadline"        "DEADLINE";
    Rate           "rate"            Word       "--rate"            "RATE";
    Retries        "retries"         Number     "--retries"         "RETRIES";
    CacheDir       "cache_dir"       Path       ""                  "CACHE_DIR";
    StateDir       "state_dir"       Path       ""                  "STATE_DIR";
    NoCache        "no_cache"        Flag       "--no-cache"        "NO_CACHE";
    NoValidate     "no_validate"     Flag       "--no-validate"     "";
    Output         "output"          Word       "--output"          "";
    Quiet          "quiet"           Flag       "-q"                "";
    Verbose        "verbose"         Number     "-v"                "";
    ToUser         "to_user"         Names      "--to-user"         "TO_USER";
    ToParty        "to_party"        Numbers    "--to-party"        "TO_PARTY";
    ToTag          "to_tag"          Numbers    "--to-tag"          "TO_TAG";
    Msgtype        "msgtype"         Word       "--msgtype"         "";
    Encoding       "encoding"        Word       "--encoding"        "";
    Mention        "mention"         Names      "--mention"         "";
    MentionMobile  "mention_mobile"  Numbers    "--mention-mobile"  "";
    MentionFallback "mention_fallback" Word    "--mention-fallback" "";
    Safe           "safe"            Number     "--safe"            "";
    IdTrans        "id_trans"        Flag       "--id-trans"        "";
    DuplicateCheck "duplicate_check" Duration   "--duplicate-check" "";
    Escapes        "escapes"         Flag       "--escapes"         "";
    SkipEmpty      "skip_empty"      Flag       "--skip-empty"      "";
    IfEmpty        "if_empty"        Free       "--if-empty"        "";
    Title          "title"           Free       "--title"           "";
    Url            "url"             Private    "--url"             "";
    Btntxt         "btntxt"          Free       "--btntxt"          "";
    Picurl         "picurl"          Private    "--picurl"          "";
    Prefix         "prefix"          Free       "--prefix"          "PREFIX";
    AllowPartial   "allow_partial"   Flag       "--allow-partial"   "";
    AtMostOnce     "at_most_once"    Flag       "--at-most-once"    "";
    OnRateLimit    "on_rate_limit"   Word       "--on-rate-limit"   "";
    Jitter         "jitter"          Duration   "--jitter"          "JITTER";
    OnLong         "on_long"         Word       "--on-long"         "";
    Keep           "keep"            Word       "--keep"            "";
    Also           "also"            Names      "--also"            "";
    Fallback       "fallback"        Word       "--fallback"        "";
    Outbox         "outbox"          Flag       "--outbox"          "OUTBOX";
    OutboxMaxAge   "outbox_max_age"  Duration   "--outbox-max-age"  "OUTBOX_MAX_AGE";
    Cooldown       "cooldown"        Duration   "--cooldown"        "";
    CooldownName   "cooldown_key"    Free       "--cooldown-key"    "";
    LogFile        "log_file"        Path       "--log-file"        "LOG_FILE";
}

/// The forms of one value, of which a level may give one only.
pub(super) const FORMS: [&[Key]; 3] = [SECRET_FORMS, WEBHOOK_FORMS, PROXY_FORMS];
/// The forms of an app's secret.
pub(super) const SECRET_FORMS: &[Key] = &[Key::Secret, Key::SecretFile, Key::SecretCommand];
/// The forms of a webhook's key.
pub(super) const WEBHOOK_FORMS: &[Key] = &[Key::Webhook, Key::WebhookFile, Key::WebhookCommand];
/// The forms of a proxy's URL.
pub(super) const PROXY_FORMS: &[Key] = &[Key::Proxy, Key::ProxyFile];

impl Key {
    /// The key of that name in the file.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::in_file().find(|key| key.name() == name)
    }

    /// All that can stand in the file.
    pub(super) fn in_file() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|key| !key.name().is_empty())
    }
}
