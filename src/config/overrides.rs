//! What the command line gave, as plain data. Where each field stands among the settings is told here, not what it means.

use std::path::PathBuf;

use super::key::Key;
use super::layer::{Entry, Layer, Raw};
use super::level::Level;

/// Values from the command line; `None`, empty and false mean "not given". No `Debug`: a proxy may carry a password.
#[derive(Clone, Default)]
#[allow(missing_docs, reason = "each field is the option of its name")]
pub struct Overrides {
    pub config: Option<PathBuf>,
    pub profile: Option<String>,
    pub base_url: Option<String>,
    pub proxy: Option<String>,
    pub ca_file: Option<PathBuf>,
    pub connect_timeout: Option<String>,
    pub timeout: Option<String>,
    pub deadline: Option<String>,
    pub rate: Option<String>,
    pub retries: Option<String>,
    pub no_cache: bool,
    pub no_validate: bool,
    pub output: Option<String>,
    pub quiet: bool,
    pub verbose: u8,
    pub corp_id: Option<String>,
    pub agent_id: Option<String>,
    pub to_user: Vec<String>,
    pub to_party: Vec<String>,
    pub to_tag: Vec<String>,
    pub msgtype: Option<String>,
    pub encoding: Option<String>,
    pub mention: Vec<String>,
    pub mention_mobile: Vec<String>,
    pub mention_fallback: Option<String>,
    pub safe: Option<String>,
    pub id_trans: bool,
    pub duplicate_check: Option<String>,
    pub escapes: bool,
    pub skip_empty: bool,
    pub if_empty: Option<String>,
    pub title: Option<String>,
    pub url: Option<String>,
    pub btntxt: Option<String>,
    pub picurl: Option<String>,
    pub prefix: Option<String>,
    pub allow_partial: bool,
    pub at_most_once: bool,
    pub on_rate_limit: Option<String>,
    pub jitter: Option<String>,
    pub on_long: Option<String>,
    pub keep: Option<String>,
    pub also: Vec<String>,
    pub fallback: Option<String>,
    pub outbox: bool,
    pub outbox_max_age: Option<String>,
    pub cooldown: Option<String>,
    pub cooldown_key: Option<String>,
    pub log_file: Option<PathBuf>,
    pub dry_run: bool,
}

impl Overrides {
    /// The same values by key.
    pub(super) fn layer(&self) -> Layer {
        let verbose = (self.verbose > 0).then(|| self.verbose.to_string());
        let texts = [
            (Key::Profile, &self.profile),
            (Key::BaseUrl, &self.base_url),
            (Key::Proxy, &self.proxy),
            (Key::ConnectTimeout, &self.connect_timeout),
            (Key::Timeout, &self.timeout),
            (Key::Deadline, &self.deadline),
            (Key::Rate, &self.rate),
            (Key::Retries, &self.retries),
            (Key::Output, &self.output),
            (Key::Verbose, &verbose),
            (Key::CorpId, &self.corp_id),
            (Key::AgentId, &self.agent_id),
            (Key::Msgtype, &self.msgtype),
            (Key::Encoding, &self.encoding),
            (Key::Safe, &self.safe),
            (Key::DuplicateCheck, &self.duplicate_check),
            (Key::IfEmpty, &self.if_empty),
            (Key::Title, &self.title),
            (Key::Url, &self.url),
            (Key::Btntxt, &self.btntxt),
            (Key::Picurl, &self.picurl),
            (Key::Prefix, &self.prefix),
            (Key::MentionFallback, &self.mention_fallback),
            (Key::OnRateLimit, &self.on_rate_limit),
            (Key::Jitter, &self.jitter),
            (Key::OnLong, &self.on_long),
            (Key::Keep, &self.keep),
            (Key::Fallback, &self.fallback),
            (Key::OutboxMaxAge, &self.outbox_max_age),
            (Key::Cooldown, &self.cooldown),
            (Key::CooldownName, &self.cooldown_key),
        ];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, Raw::Text(text.clone()?))));
        let paths = [(Key::Config, &self.config), (Key::CaFile, &self.ca_file), (Key::LogFile, &self.log_file)];
        let paths = paths.into_iter().filter_map(|(key, path)| Some((key, Raw::Path(path.clone()?))));
        let flags = [
            (Key::NoCache, self.no_cache),
            (Key::NoValidate, self.no_validate),
            (Key::Quiet, self.quiet),
            (Key::IdTrans, self.id_trans),
            (Key::Escapes, self.escapes),
            (Key::SkipEmpty, self.skip_empty),
            (Key::AllowPartial, self.allow_partial),
            (Key::AtMostOnce, self.at_most_once),
            (Key::Outbox, self.outbox),
        ];
        let flags = flags.into_iter().filter(|(_, on)| *on).map(|(key, on)| (key, Raw::Flag(on)));
        let lists = [
            (Key::ToUser, &self.to_user),
            (Key::ToParty, &self.to_party),
            (Key::ToTag, &self.to_tag),
            (Key::Mention, &self.mention),
            (Key::MentionMobile, &self.mention_mobile),
            (Key::Also, &self.also),
        ];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let lists = lists.map(|(key, list)| (key, Raw::List(list.clone())));

        let mut layer = Layer::default();
        for (key, value) in texts.chain(paths).chain(flags).chain(lists) {
            layer.insert(Entry::new(key, value, Level::Option, key.option().to_owned()));
        }
        layer
    }
}
