//! Overrides, environment and file → [`Settings`]: the order of precedence and the defaults. Parsing is elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use super::base_url::BaseUrl;
use super::choice::{OnRateLimit, TargetName};
use super::credential::SecretSource;
use super::duration::{parse_duration, parse_duration_up_to, parse_rate};
use super::env::Environment;
use super::file::ConfigFile;
use super::key::{Key, PROXY_FORMS, SECRET_FORMS, WEBHOOK_FORMS};
use super::layer::{Entry, Layer, Layers, Rank};
use super::level::Level;
use super::overrides::Overrides;
use super::proxy::ProxyUrl;
use super::settings::{Output, ProxySetting, Recipients, Settings};
use super::{profile, search};
use crate::error::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(90);
const RETRIES: u32 = 3;
const MOST_RETRIES: u32 = 100;
const MOST_PREFIX_BYTES: usize = 120;
const OUTBOX_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
const RECIPIENTS: &[Key] = &[Key::ToUser, Key::ToParty, Key::ToTag];

/// What command line, environment and config file say. They are read once, so that a command and its further targets
/// are told the same, even where the file is a pipe. No `Debug`: a proxy may carry a password.
pub struct Config<'a> {
    pub(super) options: Layer,
    pub(super) environment: Layer,
    pub(super) file: Option<ConfigFile>,
    pub(super) env: &'a Environment,
    /// What reading brought to light, one sentence each.
    pub(super) warnings: Vec<String>,
    dry_run: bool,
}

/// Reads the config file and resolves every setting: see [`Config::read`] and [`Config::resolve`].
///
/// # Errors
///
/// Exit 2 for an option's malformed value; exit 3 for everything else, a value that starts with `$` included.
pub fn resolve(overrides: &Overrides, env: &Environment) -> Result<(Settings, Vec<String>)> {
    Config::read(overrides, env)?.resolve()
}

impl<'a> Config<'a> {
    /// Reads the config file that counts, if there is one.
    ///
    /// # Errors
    ///
    /// Exit 3 for a file or a variable that cannot be read.
    pub fn read(overrides: &Overrides, env: &'a Environment) -> Result<Self> {
        let mut warnings = env.unknown_variables();
        let options = overrides.layer();
        let environment = env.layer()?;
        let named = options.get(Key::Config).or_else(|| environment.get(Key::Config));
        let file = search::read_config(named, env)?;
        let exposure = file.as_ref().and_then(ConfigFile::exposure);
        warnings.extend(exposure.as_ref().map(ToString::to_string));
        Ok(Self { options, environment, file, env, warnings, dry_run: overrides.dry_run })
    }

    /// Resolves every setting, and says in one sentence each what deserves a warning.
    ///
    /// Order for every value: option, environment, profile, top level of the file, default; but with a profile named by
    /// option, that profile's credentials and ids stand before the environment's.
    ///
    /// # Errors
    ///
    /// Exit 2 for an option's malformed value; exit 3 for everything else, a value that starts with `$` included.
    pub fn resolve(&self) -> Result<(Settings, Vec<String>)> {
        self.resolve_by(true)
    }

    /// The same for a command that is about no profile of its own: which of several it is need not be said.
    ///
    /// # Errors
    ///
    /// As [`Config::resolve`].
    pub fn resolve_for_all(&self) -> Result<(Settings, Vec<String>)> {
        self.resolve_by(false)
    }

    /// A variable of another program: see [`Environment::variable`].
    pub fn variable(&self, name: &str) -> Option<String> {
        self.env.variable(name).map(str::to_owned)
    }

    fn resolve_by(&self, needs_profile: bool) -> Result<(Settings, Vec<String>)> {
        let rank = if self.options.get(Key::Profile).is_some() { Rank::Named } else { Rank::Usual };
        let (settings, ignored) = self.resolve_with(&self.options, rank, needs_profile)?;
        Ok((settings, self.warnings.iter().cloned().chain(ignored).collect()))
    }

    /// The settings with these options, and what is to be said of variables that the profile put aside.
    pub(super) fn resolve_with(
        &self,
        options: &Layer,
        rank: Rank,
        needs_profile: bool,
    ) -> Result<(Settings, Option<String>)> {
        let file = self.file.as_ref();
        let chosen = profile::choose(file, options, &self.environment, self.env, needs_profile)?;
        let empty = Layer::default();
        let layers = Layers {
            options,
            environment: &self.environment,
            profile: chosen.map_or(&empty, |(_, layer)| layer),
            top: file.map_or(&empty, |file| &file.top),
            rank,
        };
        let ignored = ignored_variables(&layers, chosen.map(|(name, _)| name));
        let mut settings = resolve_settings(&layers, self.env, self.dry_run)?;
        settings.profile = chosen.map(|(name, _)| name.to_owned());
        settings.config_file = file.map(|file| file.path.clone());
        settings.searched = if file.is_none() { self.env.config_files() } else { Vec::new() };
        settings.has_home = self.env.config_files().iter().any(|path| !self.env.is_system_config(path));
        Ok((settings, ignored))
    }
}

fn resolve_settings(layers: &Layers<'_>, env: &Environment, dry_run: bool) -> Result<Settings> {
    let (quiet, verbose) = resolve_talk(layers)?;
    let (also, fallback) = resolve_further_targets(layers)?;
    Ok(Settings {
        profile: None,
        config_file: None,
        searched: Vec::new(),
        has_home: true,
        corp_id: layers.id(Key::CorpId, |text| Ok(text.to_owned()))?,
        agent_id: layers.id(Key::AgentId, parse_agent_id)?,
        secret: resolve_source(layers, SECRET_FORMS, env)?,
        webhook: resolve_source(layers, WEBHOOK_FORMS, env)?,
        base_url: layers.parsed(Key::BaseUrl, BaseUrl::parse)?,
        proxy: resolve_proxy(layers, env, dry_run)?,
        proxy_origin: layers.any(PROXY_FORMS).map(|entry| entry.origin.clone()),
        ca_file: layers.path(Key::CaFile, env.home())?,
        connect_timeout: layers.parsed(Key::ConnectTimeout, parse_duration)?.unwrap_or(CONNECT_TIMEOUT),
        timeout: layers.parsed(Key::Timeout, parse_duration)?.unwrap_or(TIMEOUT),
        deadline: layers.parsed(Key::Deadline, parse_duration)?.unwrap_or(DEADLINE),
        rate: layers.parsed(Key::Rate, parse_rate)?,
        retries: layers.parsed(Key::Retries, parse_retries)?.unwrap_or(RETRIES),
        cache_dir: resolve_cache_dir(layers, env)?,
        no_cache: layers.flag(Key::NoCache)?,
        state_dir: layers.path(Key::StateDir, env.home())?.or_else(|| env.state_folder()),
        to: resolve_recipients(layers)?,
        msgtype: layers.sourced_text(Key::Msgtype)?,
        encoding: layers.parsed(Key::Encoding, str::parse)?.unwrap_or_default(),
        mention: layers.list(Key::Mention)?,
        mention_mobile: layers.list(Key::MentionMobile)?,
        mention_fallback: layers.parsed(Key::MentionFallback, str::parse)?.unwrap_or_default(),
        safe: layers.parsed(Key::Safe, parse_safe)?,
        id_trans: layers.flag(Key::IdTrans)?,
        duplicate_check: layers.parsed(Key::DuplicateCheck, parse_duplicate_check)?,
        escapes: layers.flag(Key::Escapes)?,
        skip_empty: layers.flag(Key::SkipEmpty)?,
        if_empty: layers.text(Key::IfEmpty)?,
        title: layers.text(Key::Title)?,
        url: layers.text(Key::Url)?,
        btntxt: layers.text(Key::Btntxt)?,
        picurl: layers.text(Key::Picurl)?,
        prefix: resolve_prefix(layers)?,
        allow_partial: layers.flag(Key::AllowPartial)?,
        at_most_once: layers.flag(Key::AtMostOnce)?,
        on_rate_limit: resolve_on_rate_limit(layers)?,
        jitter: layers.parsed(Key::Jitter, parse_duration)?,
        on_long: layers.parsed(Key::OnLong, str::parse)?.unwrap_or_default(),
        keep: layers.parsed(Key::Keep, str::parse)?.unwrap_or_default(),
        also,
        fallback,
        outbox: layers.flag(Key::Outbox)?,
        outbox_max_age: layers.parsed(Key::OutboxMaxAge, parse_max_age)?.unwrap_or(OUTBOX_MAX_AGE),
        cooldown: layers.parsed(Key::Cooldown, parse_duration)?,
        cooldown_key: resolve_cooldown_key(layers)?,
        log_file: layers.path(Key::LogFile, env.home())?,
        no_validate: layers.flag(Key::NoValidate)?,
        dry_run,
        output: layers.parsed(Key::Output, parse_output)?.unwrap_or(Output::Text),
        quiet,
        verbose,
    })
}

fn resolve_source(layers: &Layers<'_>, forms: &[Key], env: &Environment) -> Result<Option<SecretSource>> {
    layers.any_identity(forms).map(|entry| SecretSource::of_entry(entry, env)).transpose()
}

/// The proxy's URL is read now, even from a file, unless no request will be made.
fn resolve_proxy(layers: &Layers<'_>, env: &Environment, dry_run: bool) -> Result<ProxySetting> {
    let Some(entry) = layers.any(PROXY_FORMS) else { return Ok(ProxySetting::Environment) };
    if dry_run && entry.key == Key::ProxyFile {
        return Ok(ProxySetting::Environment);
    }
    // The limit is for commands, of which a proxy has none.
    let text = SecretSource::of_entry(entry, env)?.load(Duration::ZERO)?;
    if text.expose().eq_ignore_ascii_case("none") {
        return Ok(ProxySetting::Off);
    }
    ProxyUrl::parse(&text).map(ProxySetting::Url).map_err(|error| entry.wrap(&error))
}

fn resolve_cache_dir(layers: &Layers<'_>, env: &Environment) -> Result<Option<PathBuf>> {
    match layers.path(Key::CacheDir, env.home())? {
        _ if layers.flag(Key::NoCache)? => Ok(None),
        Some(folder) => Ok(Some(folder)),
        None => Ok(env.cache_folder()),
    }
}

fn resolve_recipients(layers: &Layers<'_>) -> Result<Option<Recipients>> {
    let Layers { options, environment, profile, top, rank } = *layers;
    let levels = match rank {
        Rank::Target => [profile, options, environment, top],
        Rank::Named | Rank::Usual => [options, environment, profile, top],
    };
    let Some(layer) = levels.into_iter().find(|layer| layer.any(RECIPIENTS).is_some()) else { return Ok(None) };
    let level = layer.any(RECIPIENTS).map_or(Level::TopLevel, |entry| entry.level);
    let list = |key| layer.get(key).map_or_else(|| Ok(Vec::new()), Entry::list);
    Ok(Some(Recipients {
        level,
        to_user: list(Key::ToUser)?,
        to_party: list(Key::ToParty)?,
        to_tag: list(Key::ToTag)?,
        places: [Key::ToUser, Key::ToParty, Key::ToTag].map(|key| layer.get(key).map(Entry::place).unwrap_or_default()),
    }))
}

/// A further target has none of its own: an alert does not wander.
fn resolve_further_targets(layers: &Layers<'_>) -> Result<(Vec<TargetName>, Option<TargetName>)> {
    if layers.rank == Rank::Target {
        return Ok((Vec::new(), None));
    }
    let also = match layers.any(&[Key::Also]) {
        Some(entry) => {
            let names = entry.list()?;
            names.iter().map(|name| name.parse()).collect::<Result<_>>().map_err(|error| entry.wrap(&error))?
        }
        None => Vec::new(),
    };
    Ok((also, layers.parsed(Key::Fallback, str::parse)?))
}

fn resolve_on_rate_limit(layers: &Layers<'_>) -> Result<OnRateLimit> {
    let chosen = layers.parsed(Key::OnRateLimit, str::parse)?.unwrap_or_default();
    match layers.any(&[Key::OnRateLimit]) {
        Some(entry) if chosen == OnRateLimit::Outbox && !layers.flag(Key::Outbox)? => Err(entry.invalid(
            "this needs the outbox itself, which is off",
            "add `--outbox` or set `outbox = true`, or write `wait` or `fail` here",
        )),
        _ => Ok(chosen),
    }
}

fn resolve_cooldown_key(layers: &Layers<'_>) -> Result<Option<String>> {
    let Some(entry) = layers.any(&[Key::CooldownName]) else { return Ok(None) };
    let key = entry.text()?;
    // A variable that was not set would make one key of all alerts.
    if key.trim().is_empty() {
        return Err(entry.invalid("the value is empty", "give a value, or leave the setting out"));
    }
    if layers.any(&[Key::Cooldown]).is_none() {
        return Err(entry.invalid(
            "it needs `cooldown`, which is not set",
            "add `--cooldown DURATION` or set `cooldown`, or leave the key out",
        ));
    }
    Ok(Some(key.to_owned()))
}

/// It stands on every part, and must leave room for what it stands before.
fn resolve_prefix(layers: &Layers<'_>) -> Result<Option<String>> {
    let Some(entry) = layers.any(&[Key::Prefix]) else { return Ok(None) };
    let prefix = entry.text()?;
    if prefix.len() > MOST_PREFIX_BYTES {
        let what = format!("it has {} bytes, and at most {MOST_PREFIX_BYTES} are allowed", prefix.len());
        return Err(entry.invalid(&what, "shorten it: it stands on every part"));
    }
    Ok(Some(prefix.to_owned()).filter(|prefix| !prefix.trim().is_empty()))
}

/// Of "quiet" and "verbose" the one from the higher level counts: `-v` must be heard over a file's `quiet = true`.
fn resolve_talk(layers: &Layers<'_>) -> Result<(bool, u8)> {
    let quiet = layers.flag(Key::Quiet)?;
    let verbose = layers.parsed(Key::Verbose, parse_verbose)?.unwrap_or(0);
    match (layers.any(&[Key::Quiet]), layers.any(&[Key::Verbose])) {
        (Some(q), Some(v)) if quiet && v.level < q.level => Ok((verbose == 0, verbose)),
        (Some(q), Some(v)) if quiet && q.level < v.level => Ok((true, 0)),
        _ => Ok((quiet, verbose)),
    }
}

/// One warning that names the variables which the profile named by option put aside.
fn ignored_variables(layers: &Layers<'_>, profile: Option<&str>) -> Option<String> {
    let profile = profile.filter(|_| layers.rank == Rank::Named)?;
    let mut ignored = Vec::new();
    for forms in [&[Key::CorpId][..], &[Key::AgentId], SECRET_FORMS, WEBHOOK_FORMS] {
        if layers.options.any(forms).is_none() && layers.profile.any(forms).is_some() {
            ignored.extend(layers.environment.any(forms).and_then(|entry| entry.key.variable()));
        }
    }
    if ignored.is_empty() {
        return None;
    }
    Some(format!("ignored, because `--profile {profile}` gives these itself: {}", ignored.join(", ")))
}

fn parse_agent_id(text: &str) -> Result<i64> {
    let id = text.parse::<i64>().ok().filter(|id| *id > 0);
    id.ok_or_else(|| {
        Error::config("an agent_id is a positive whole number", "it is AgentId on the app's page (应用管理)")
    })
}

fn parse_retries(text: &str) -> Result<u32> {
    let retries = text.parse().ok().filter(|retries| *retries <= MOST_RETRIES);
    retries.ok_or_else(|| {
        Error::config(
            format!("retries is no whole number from 0 to {MOST_RETRIES}"),
            "write how often a request is repeated; 0 is never",
        )
    })
}

/// Thirty days: a queue may well have to outlive a long holiday.
fn parse_max_age(text: &str) -> Result<Duration> {
    parse_duration_up_to(30 * 24, text)
}

fn parse_safe(text: &str) -> Result<u8> {
    match text {
        "0" => Ok(0),
        "1" => Ok(1),
        "2" => Ok(2),
        _ => Err(Error::config("safe is none of 0, 1 and 2", "write 0, 1 or 2")),
    }
}

/// From one second to four hours (document path 90236).
fn parse_duplicate_check(text: &str) -> Result<Duration> {
    const ALLOWED: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(4 * 60 * 60);
    let interval = parse_duration(text)?;
    if !ALLOWED.contains(&interval) {
        return Err(Error::config("the interval is not between 1s and 4h", "write at least `1s` and at most `4h`"));
    }
    Ok(interval)
}

fn parse_verbose(text: &str) -> Result<u8> {
    text.parse().map_err(|_| Error::config("verbose is no number from 0 to 255", "write 0, 1 or 2"))
}

pub(super) fn parse_output(text: &str) -> Result<Output> {
    match text {
        "text" => Ok(Output::Text),
        "json" => Ok(Output::Json),
        _ => Err(Error::config("output is neither `text` nor `json`", "write `text` or `json`")),
    }
}
