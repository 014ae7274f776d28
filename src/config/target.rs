//! The settings of a further target: a profile that gets an alert beside or in place of the command's own.

use super::choice::TargetName;
use super::env::Environment;
use super::key::Key;
use super::layer::{Entry, Rank, Raw};
use super::level::Level;
use super::overrides::Overrides;
use super::resolve::Config;
use super::settings::Settings;
use crate::error::Result;

/// Reads the config file and resolves the settings of a further target: see [`Config::read`] and
/// [`Config::resolve_target`]. The warnings are those of the reading, the same that [`super::resolve`] gives.
///
/// # Errors
///
/// As [`Config::resolve_target`].
pub fn resolve_target(
    overrides: &Overrides,
    env: &Environment,
    target: &TargetName,
    origin: &str,
) -> Result<(Settings, Vec<String>)> {
    let config = Config::read(overrides, env)?;
    let settings = config.resolve_target(target, origin)?;
    Ok((settings, config.warnings))
}

impl Config<'_> {
    /// Resolves every setting for a further target; `origin` says in errors what named it, such as `--also`.
    ///
    /// The order is that of [`Config::resolve`] with the target's profile named by option, but for these: recipients of
    /// that profile stand before all others; a corp id or agent id given by option belongs to the command's own target
    /// and does not count; and the target has no further targets itself. Nothing is warned about: a variable that the
    /// profile puts aside may well serve the command's own target.
    ///
    /// # Errors
    ///
    /// Exit 3 for a profile that is not in the config file; else as [`Config::resolve`].
    pub fn resolve_target(&self, target: &TargetName, origin: &str) -> Result<Settings> {
        let mut options = self.options.clone();
        options.remove(Key::CorpId);
        options.remove(Key::AgentId);
        options.insert(Entry::new(Key::Profile, Raw::Text(target.profile.clone()), Level::Option, origin.to_owned()));
        let (settings, _) = self.resolve_with(&options, Rank::Target, true)?;
        Ok(settings)
    }
}
