//! Overrides, environment and file → [`Settings`]: the order of precedence and the defaults. Parsing is elsewhere.

use std::time::Duration;

use super::base_url::BaseUrl;
use super::credential::SecretSource;
use super::duration::{parse_duration, parse_rate};
use super::env::Environment;
use super::key::{Key, PROXY_FORMS, SECRET_FORMS, WEBHOOK_FORMS};
use super::layer::{Entry, Layer, Layers};
use super::level::Level;
use super::overrides::Overrides;
use super::proxy::ProxyUrl;
use super::settings::{Output, ProxySetting, Recipients, Settings};
use super::{profile, search};
use crate::error::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
const DEADLINE: Duration = Duration::from_secs(90);
const RECIPIENTS: &[Key] = &[Key::ToUser, Key::ToParty, Key::ToTag];

/// Resolves every setting, and says in one sentence each what deserves a warning.
///
/// Order for every value: option, environment, profile, top level of the file, default; but with a profile named by
/// option, that profile's credentials and ids stand before the environment's.
///
/// # Errors
///
/// Exit 2 for an option's malformed value; exit 3 for everything else, a value that starts with `$` included.
pub fn resolve(overrides: &Overrides, env: &Environment) -> Result<(Settings, Vec<String>)> {
    let mut warnings = env.unknown_variables();
    let options = overrides.layer();
    let environment = env.layer()?;
    let named = options.get(Key::Config).or_else(|| environment.get(Key::Config));
    let (file, warning) = search::read_config(named, env)?.unzip();
    warnings.extend(warning.flatten());
    let chosen = profile::choose(file.as_ref(), &options, &environment, env)?;
    let empty = Layer::default();
    let layers = Layers {
        options: &options,
        environment: &environment,
        profile: chosen.map_or(&empty, |(_, layer)| layer),
        top: file.as_ref().map_or(&empty, |file| &file.top),
        pinned: overrides.profile.is_some(),
    };
    warnings.extend(ignored_variables(&layers, chosen.map(|(name, _)| name)));
    let mut settings = resolve_settings(&layers, env, overrides.dry_run)?;
    settings.profile = chosen.map(|(name, _)| name.to_owned());
    settings.config_file = file.as_ref().map(|file| file.path.clone());
    settings.searched = if file.is_none() { env.config_files() } else { Vec::new() };
    Ok((settings, warnings))
}

fn resolve_settings(layers: &Layers<'_>, env: &Environment, dry_run: bool) -> Result<Settings> {
    let (quiet, verbose) = resolve_talk(layers)?;
    Ok(Settings {
        profile: None,
        config_file: None,
        searched: Vec::new(),
        corp_id: layers.id(Key::CorpId, |text| Ok(text.to_owned()))?,
        agent_id: layers.id(Key::AgentId, parse_agent_id)?,
        secret: resolve_source(layers, SECRET_FORMS, env)?,
        webhook: resolve_source(layers, WEBHOOK_FORMS, env)?,
        base_url: layers.parsed(Key::BaseUrl, BaseUrl::parse)?,
        proxy: resolve_proxy(layers, env, dry_run)?,
        ca_file: layers.path(Key::CaFile, env.home())?,
        connect_timeout: layers.parsed(Key::ConnectTimeout, parse_duration)?.unwrap_or(CONNECT_TIMEOUT),
        timeout: layers.parsed(Key::Timeout, parse_duration)?.unwrap_or(TIMEOUT),
        deadline: layers.parsed(Key::Deadline, parse_duration)?.unwrap_or(DEADLINE),
        rate: layers.parsed(Key::Rate, parse_rate)?,
        cache_dir: match layers.path(Key::CacheDir, env.home())? {
            _ if layers.flag(Key::NoCache)? => None,
            Some(folder) => Some(folder),
            None => env.cache_folder(),
        },
        no_cache: layers.flag(Key::NoCache)?,
        state_dir: layers.path(Key::StateDir, env.home())?.or_else(|| env.state_folder()),
        to: resolve_recipients(layers)?,
        msgtype: layers.sourced_text(Key::Msgtype)?,
        encoding: layers.parsed(Key::Encoding, str::parse)?.unwrap_or_default(),
        mention: layers.list(Key::Mention)?,
        mention_mobile: layers.list(Key::MentionMobile)?,
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
        allow_partial: layers.flag(Key::AllowPartial)?,
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

fn resolve_recipients(layers: &Layers<'_>) -> Result<Option<Recipients>> {
    let levels = [layers.options, layers.environment, layers.profile, layers.top];
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
    let profile = profile.filter(|_| layers.pinned)?;
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
