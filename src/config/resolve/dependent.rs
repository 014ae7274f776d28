//! Resolves the settings whose value depends on another setting, and refuses those whose other setting is missing.

use std::path::PathBuf;

use crate::config::choice::{CooldownScope, OnRateLimit, parse_choice};
use crate::config::env::Environment;
use crate::config::groups::SHARED_STATE_FORMS;
use crate::config::layers::Layers;
use crate::config::parse::parse_verbose;
use crate::config::setting::Setting;
use crate::config::value::SettingValue;
use crate::error::Result;

pub(super) fn resolve_cache_dir(layers: &Layers<'_>, env: &Environment) -> Result<Option<PathBuf>> {
    match layers.path(Setting::CacheDir, env.home())? {
        _ if layers.flag(Setting::NoCache)? => Ok(None),
        Some(folder) => Ok(Some(folder)),
        None => Ok(env.cache_folder()),
    }
}

pub(super) fn resolve_on_rate_limit(layers: &Layers<'_>) -> Result<OnRateLimit> {
    let chosen = layers.parsed(Setting::OnRateLimit, parse_choice)?.unwrap_or_default();
    match layers.get(Setting::OnRateLimit) {
        Some(given) if chosen == OnRateLimit::Outbox && !layers.flag(Setting::Outbox)? => {
            let wrong = given.invalid(
                "this needs the outbox itself, which is off",
                "add `--outbox` or set `outbox = true`, or write `wait` or `fail` here",
            );
            Ok(layers.settle(given, Err(wrong))?.unwrap_or_default())
        }
        _ => Ok(chosen),
    }
}

pub(super) fn resolve_cooldown_key(layers: &Layers<'_>) -> Result<Option<String>> {
    let Some(given) = layers.get(Setting::CooldownKey) else { return Ok(None) };
    layers.settle(given, cooldown_key(given, layers))
}

fn cooldown_key(given: &SettingValue, layers: &Layers<'_>) -> Result<String> {
    let key = given.text()?;
    // An unset variable in it would give all alerts the same key.
    if key.trim().is_empty() {
        return Err(given.invalid("the value is empty", "give a value, or leave the setting out"));
    }
    if layers.get(Setting::Cooldown).is_none() {
        return Err(given.invalid(
            "it needs `cooldown`, which is not set",
            "add `--cooldown DURATION` or set `cooldown`, or leave the key out",
        ));
    }
    Ok(key.to_owned())
}

pub(super) fn resolve_cooldown_scope(layers: &Layers<'_>) -> Result<CooldownScope> {
    let chosen = layers.parsed(Setting::CooldownScope, parse_choice)?.unwrap_or_default();
    match layers.get(Setting::CooldownScope) {
        Some(given) if chosen == CooldownScope::Fleet && layers.any(SHARED_STATE_FORMS).is_none() => {
            let wrong = given.invalid(
                "it needs `shared_state`, which is not set",
                "set `shared_state` to the address of the Redis or Valkey that the machines share, or leave the scope out",
            );
            Ok(layers.settle(given, Err(wrong))?.unwrap_or_default())
        }
        _ => Ok(chosen),
    }
}

/// If "quiet" and "verbose" are both set, the one of the higher level counts: `-v` overrides `quiet = true` in a file.
pub(super) fn resolve_verbosity(layers: &Layers<'_>) -> Result<(bool, u8)> {
    let quiet = layers.flag(Setting::Quiet)?;
    let verbose = layers.parsed(Setting::Verbose, parse_verbose)?.unwrap_or(0);
    match (layers.get(Setting::Quiet), layers.get(Setting::Verbose)) {
        (Some(q), Some(v)) if quiet && v.precedence < q.precedence => Ok((verbose == 0, verbose)),
        (Some(q), Some(v)) if quiet && q.precedence < v.precedence => Ok((true, 0)),
        _ => Ok((quiet, verbose)),
    }
}
