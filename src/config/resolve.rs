//! Resolves options, environment and config file to [`Settings`]: the order of precedence and the defaults. Values are
//! parsed elsewhere.

mod dependent;
mod secrets;

use std::net::SocketAddr;
use std::time::Duration;

use super::choice::{Language, Output, TargetName, parse_choice};
use super::escalation::EscalationStep;
use super::file::ConfigFile;
use super::groups::{
    ACCEPT_TOKEN_FORMS, AIBOT_CALLBACK_FORMS, AIBOT_SECRET_FORMS, CALLBACK_FORMS, PROXY_FORMS, SECRET_FORMS,
    WEBHOOK_FORMS,
};
use super::layers::Overrides;
use super::layers::{Layer, Layers, Rank};
use super::lenience::Lenience;
use super::parse::{
    parse_agent_id, parse_callback_url, parse_duplicate_check, parse_duration, parse_listen, parse_max_age, parse_rate,
    parse_retries, parse_safe,
};
use super::profile::{choose_profile, gives_credentials, unusable_profiles};
use super::recipients::{resolve_chat, resolve_conversations, resolve_recipients};
use super::setting::Setting;
use super::settings::Settings;
use super::sources::{Config, DEADLINE};
use super::urls::BaseUrl;
use super::value::{Precedence, RawValue, SettingValue, Sourced};
use crate::error::{Error, Result};
use crate::sort;
use dependent::{
    resolve_cache_dir, resolve_cooldown_key, resolve_cooldown_scope, resolve_on_rate_limit, resolve_verbosity,
};
use secrets::{resolve_callback, resolve_proxy, resolve_shared_state, resolve_source, resolve_unneeded};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
const RETRIES: u32 = 3;
const MOST_PREFIX_BYTES: usize = 120;
const OUTBOX_MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Settings that each alert among many has a value of its own for. They change nothing in the others.
pub(crate) const CONTENT: [Setting; 5] =
    [Setting::Title, Setting::Url, Setting::Btntxt, Setting::Picurl, Setting::CooldownKey];

impl Config<'_> {
    /// Resolves every setting, and says in one sentence each what deserves a warning.
    ///
    /// Order for every value: option, environment, profile, top level of the file, default; but with a profile named by
    /// option, that profile's credentials and ids count before the environment's.
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

    /// Resolves every setting for a further target; `origin` says in errors what named it, such as `--also`.
    ///
    /// The order is that of [`Config::resolve`] with the target's profile named by option, but for these: recipients of
    /// that profile count before all others; a corp id or agent id given by option belongs to the command's own target
    /// and does not count; and the target has no further targets itself. Nothing is warned about: a variable that the
    /// profile puts aside may well serve the command's own target.
    ///
    /// # Errors
    ///
    /// Exit 3 for a profile that is not in the config file; else as [`Config::resolve`].
    pub fn resolve_target(&self, target: &TargetName, origin: &str) -> Result<Settings> {
        let mut options = self.options.clone();
        options.remove(Setting::CorpId);
        options.remove(Setting::AgentId);
        let profile = RawValue::Text(target.profile.clone());
        options.insert(SettingValue::new(Setting::Profile, profile, Precedence::Option, origin.to_owned()));
        let (settings, _) = self.resolve_with(&options, Rank::Target, true)?;
        Ok(settings)
    }

    /// Puts into settings what one alert among many says itself, of the settings that are different in each: [`CONTENT`].
    ///
    /// # Errors
    ///
    /// As [`Config::resolve`].
    pub(crate) fn put_content(&self, content: &Overrides, settings: &mut Settings) -> Result<()> {
        let own = &content.settings;
        let empty = Layer::default();
        let (environment, mistakes) = (&self.environment, &self.mistakes);
        // The alert's own cooldown, if it has one, is among the other options.
        let layers = Layers { options: own, environment, profile: &empty, top: &empty, rank: Rank::Usual, mistakes };
        for setting in own.settings() {
            settings.options.insert(setting);
            let text = || layers.text(setting);
            match setting {
                Setting::Title => settings.title = text()?,
                Setting::Url => settings.url = text()?,
                Setting::Btntxt => settings.btntxt = text()?,
                Setting::Picurl => settings.picurl = text()?,
                Setting::CooldownKey => settings.cooldown_key = text()?.filter(|_| settings.cooldown.is_some()),
                _ => return Err(Error::defect(format!("{} is no content", setting.name()))),
            }
        }
        Ok(())
    }

    /// The mistakes in settings of further targets that were passed over, one sentence each; each is given once.
    pub fn take_mistakes(&self) -> Vec<String> {
        self.mistakes.take()
    }

    fn resolve_by(&self, needs_profile: bool) -> Result<(Settings, Vec<String>)> {
        let (settings, ignored) = self.resolve_with(&self.options, self.rank(), needs_profile)?;
        Ok((settings, self.all_warnings(ignored)))
    }

    pub(super) fn all_warnings(&self, ignored: Option<String>) -> Vec<String> {
        self.warnings.iter().cloned().chain(ignored).chain(self.mistakes.take()).collect()
    }

    /// The profile that counts. Where a command has been run, options and environment alone may give the target, since they
    /// count before file and profile: its failure is to be told, and the file or the profile may have gone since the
    /// command line was written.
    fn profile(&self, without_file: &Layers<'_>, needs_one: bool) -> Result<Option<(&str, &Layer)>> {
        let chosen = match &self.unusable_file {
            Some(error) => Err(error.clone()),
            None => choose_profile(self.file.as_deref(), without_file, self.env, needs_one),
        };
        let is_own_target = without_file.rank != Rank::Target;
        match chosen {
            Err(error)
                if self.mistakes.lenience == Lenience::Run && is_own_target && gives_credentials(without_file) =>
            {
                let hint = error.hint().unwrap_or("correct it");
                self.mistakes.tell(format!("{error}: the credentials of the environment are used; {hint}"));
                Ok(None)
            }
            chosen => chosen,
        }
    }

    /// The settings with these options, and what is to be said of variables that the profile put aside.
    pub(super) fn resolve_with(
        &self,
        options: &Layer,
        rank: Rank,
        needs_profile: bool,
    ) -> Result<(Settings, Option<String>)> {
        let (file, env) = (self.file.as_deref(), self.env);
        let empty = Layer::default();
        let mistakes = &self.mistakes;
        let without_file =
            Layers { options, environment: &self.environment, profile: &empty, top: &empty, rank, mistakes };
        let chosen = self.profile(&without_file, needs_profile)?;
        if let (Some(file), Some((name, _)), true) = (file, chosen, rank != Rank::Target) {
            unusable_profiles(file, name).for_each(|warning| mistakes.tell(warning));
        }
        let profile = chosen.map(|(name, _)| name.to_owned());
        let layers = &Layers {
            profile: chosen.map_or(&empty, |(_, layer)| layer),
            top: file.map_or(&empty, |file| &file.top),
            ..without_file
        };
        let ignored = ignored_variables(layers, profile.as_deref());
        let (quiet, verbose) = resolve_verbosity(layers)?;
        let (also, fallback) = resolve_further_targets(layers, file)?;
        let settings = Settings {
            options: sort::collect(options.settings()),
            empty_options: self.empty_options.clone(),
            profile,
            config_file: file.map(|file| file.path.clone()),
            has_profiles: file.is_some_and(|file| !file.profiles.is_empty()),
            searched: if file.is_none() { env.shown_config_files() } else { Vec::new() },
            has_home: env.config_files().iter().any(|path| !env.is_system_config(path)),
            corp_id: layers.id(Setting::CorpId, |text| Ok(text.to_owned()))?,
            agent_id: layers.id(Setting::AgentId, parse_agent_id)?,
            secret: resolve_source(layers, SECRET_FORMS, env)?,
            webhook: resolve_source(layers, WEBHOOK_FORMS, env)?,
            aibot_id: layers.id(Setting::AibotId, |text| Ok(text.to_owned()))?,
            aibot_secret: resolve_source(layers, AIBOT_SECRET_FORMS, env)?,
            aibot_url: layers.parsed(Setting::AibotUrl, BaseUrl::parse_websocket)?,
            callback: resolve_callback(layers, CALLBACK_FORMS, env)?,
            aibot_callback: resolve_callback(layers, AIBOT_CALLBACK_FORMS, env)?,
            callback_listen: resolve_callback_listen(layers)?,
            callback_url: layers.parsed(Setting::CallbackUrl, parse_callback_url)?,
            accept_token: resolve_unneeded(layers, ACCEPT_TOKEN_FORMS, env)?,
            base_url: layers.parsed(Setting::BaseUrl, BaseUrl::parse)?,
            proxy: resolve_proxy(layers, env)?,
            proxy_origin: layers.any(PROXY_FORMS).map(|given| given.origin.clone()),
            ca_file: layers.path(Setting::CaFile, env.home())?,
            connect_timeout: layers.parsed(Setting::ConnectTimeout, parse_duration)?.unwrap_or(CONNECT_TIMEOUT),
            timeout: layers.parsed(Setting::Timeout, parse_duration)?.unwrap_or(TIMEOUT),
            deadline: layers.parsed(Setting::Deadline, parse_duration)?.unwrap_or(DEADLINE),
            rate: layers.parsed(Setting::Rate, parse_rate)?,
            retries: layers.parsed(Setting::Retries, parse_retries)?.unwrap_or(RETRIES),
            cache_dir: resolve_cache_dir(layers, env)?,
            no_cache: layers.flag(Setting::NoCache)?,
            state_dir: layers.lasting_path(Setting::StateDir, env.home())?.or_else(|| env.state_folder()),
            shared_state: resolve_shared_state(layers, env)?,
            chat: resolve_chat(layers)?,
            aibot_to: resolve_conversations(layers)?,
            to: resolve_recipients(layers, env)?,
            msgtype: resolve_msgtype(layers)?,
            encoding: layers.parsed(Setting::Encoding, str::parse)?.unwrap_or_default(),
            mention: layers.list(Setting::Mention)?,
            mention_mobile: layers.list(Setting::MentionMobile)?,
            mention_fallback: layers.parsed(Setting::MentionFallback, parse_choice)?.unwrap_or_default(),
            safe: layers.parsed(Setting::Safe, parse_safe)?,
            id_trans: layers.flag(Setting::IdTrans)?,
            duplicate_check: layers.parsed(Setting::DuplicateCheck, parse_duplicate_check)?,
            escapes: layers.flag(Setting::Escapes)?,
            skip_empty: layers.flag(Setting::SkipEmpty)?,
            if_empty: layers.text(Setting::IfEmpty)?,
            title: layers.text(Setting::Title)?,
            url: layers.text(Setting::Url)?,
            btntxt: layers.text(Setting::Btntxt)?,
            picurl: layers.text(Setting::Picurl)?,
            prefix: resolve_prefix(layers)?,
            allow_partial: layers.flag(Setting::AllowPartial)?,
            at_most_once: layers.flag(Setting::AtMostOnce)?,
            on_rate_limit: resolve_on_rate_limit(layers)?,
            jitter: layers.parsed(Setting::Jitter, parse_duration)?,
            on_long: layers.parsed(Setting::OnLong, parse_choice)?.unwrap_or_default(),
            keep: layers.parsed(Setting::Keep, parse_choice)?.unwrap_or_default(),
            also,
            fallback,
            escalate: resolve_escalation(layers, file)?,
            outbox: layers.flag(Setting::Outbox)?,
            outbox_max_age: layers.parsed(Setting::OutboxMaxAge, parse_max_age)?.unwrap_or(OUTBOX_MAX_AGE),
            cooldown: layers.parsed(Setting::Cooldown, parse_duration)?,
            cooldown_key: resolve_cooldown_key(layers)?,
            cooldown_scope: resolve_cooldown_scope(layers)?,
            log_file: layers.path(Setting::LogFile, env.home())?,
            no_validate: layers.flag(Setting::NoValidate)?,
            dry_run: layers.flag(Setting::DryRun)?,
            language: layers.parsed(Setting::Language, Language::parse)?.flatten().unwrap_or_else(|| env.language()),
            language_is_set: layers.get(Setting::Language).is_some(),
            output: layers.parsed(Setting::Output, Output::parse)?.unwrap_or_default(),
            quiet,
            verbose,
        };
        Ok((settings, ignored))
    }
}

fn resolve_callback_listen(layers: &Layers<'_>) -> Result<Option<Sourced<SocketAddr>>> {
    let Some(given) = layers.get(Setting::CallbackListen) else { return Ok(None) };
    let value = layers.settle(given, given.parsed(parse_listen))?;
    Ok(value.map(|value| Sourced { value, origin: given.origin.clone(), precedence: given.precedence }))
}

/// Its origin is its place, with line and column.
fn resolve_msgtype(layers: &Layers<'_>) -> Result<Option<Sourced<String>>> {
    let Some(given) = layers.get(Setting::Msgtype) else { return Ok(None) };
    let value = layers.settle(given, given.text())?.map(str::to_owned);
    Ok(value.map(|value| Sourced { value, origin: given.place(), precedence: given.precedence }))
}

/// A further target has no further targets: an alert is not passed on from target to target.
fn resolve_further_targets(
    layers: &Layers<'_>,
    file: Option<&ConfigFile>,
) -> Result<(Vec<TargetName>, Option<TargetName>)> {
    if layers.rank == Rank::Target {
        return Ok((Vec::new(), None));
    }
    // A profile may have a name that ends like a channel's.
    let read = |text: &str| {
        let name: TargetName = text.parse()?;
        let whole = name.to_string();
        let is_profile = file.is_some_and(|file| file.profiles.contains_key(&whole));
        Ok(if is_profile { TargetName { profile: whole, channel: None } } else { name })
    };
    let mut also = Vec::new();
    if let Some(given) = layers.get(Setting::Also) {
        for name in layers.list(Setting::Also)? {
            also.extend(layers.settle(given, read(&name).map_err(|error: Error| given.wrap(&error)))?);
        }
    }
    Ok((also, layers.parsed(Setting::Fallback, read)?))
}

/// A further target asks nobody itself.
fn resolve_escalation(layers: &Layers<'_>, file: Option<&ConfigFile>) -> Result<Vec<EscalationStep>> {
    let mut steps = Vec::new();
    if layers.rank != Rank::Target
        && let Some(given) = layers.get(Setting::Escalate)
    {
        let is_profile = |name: &str| file.is_some_and(|file| file.profiles.contains_key(name));
        for text in layers.list(Setting::Escalate)? {
            let step = EscalationStep::read(&text, is_profile).map_err(|error| given.wrap(&error));
            steps.extend(layers.settle(given, step)?);
        }
    }
    Ok(steps)
}

/// It is put on every part, and must leave room for the text.
fn resolve_prefix(layers: &Layers<'_>) -> Result<Option<String>> {
    let Some(given) = layers.get(Setting::Prefix) else { return Ok(None) };
    let checked = given.text().and_then(|prefix| match prefix.len() {
        ..=MOST_PREFIX_BYTES => Ok(prefix.to_owned()),
        bytes => {
            let what = format!("it has {bytes} bytes, and at most {MOST_PREFIX_BYTES} are allowed");
            Err(given.invalid(&what, "shorten it: every part begins with it"))
        }
    });
    Ok(layers.settle(given, checked)?.filter(|prefix| !prefix.trim().is_empty()))
}

/// One warning that names the variables which the profile named by option put aside.
fn ignored_variables(layers: &Layers<'_>, profile: Option<&str>) -> Option<String> {
    let profile = profile.filter(|_| layers.rank == Rank::Named)?;
    let mut ignored = Vec::new();
    let ids = [&[Setting::CorpId][..], &[Setting::AgentId], &[Setting::AibotId]];
    let secrets = [SECRET_FORMS, WEBHOOK_FORMS, AIBOT_SECRET_FORMS];
    for forms in ids.into_iter().chain(secrets).chain(CALLBACK_FORMS).chain(AIBOT_CALLBACK_FORMS) {
        if layers.options.any(forms).is_none() && layers.profile.any(forms).is_some() {
            ignored.extend(layers.environment.any(forms).and_then(|given| given.setting.row().variable));
        }
    }
    if ignored.is_empty() {
        return None;
    }
    Some(format!("ignored, because `--profile {profile}` gives these itself: {}", ignored.join(", ")))
}
