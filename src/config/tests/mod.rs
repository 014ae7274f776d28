//! The whole of `resolve`, by subject, on files in a folder of each test's own.

mod credentials;
mod delivery;
mod environment;
mod example;
mod file;
mod leaks;
mod origin;
mod precedence;
mod profile;
mod report_settings;
mod search;
mod target;
mod values;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Config, Environment, Lenience, Mistake, Overrides, RawValue, Setting, Settings, TargetName, ValueKind};
use crate::error::{Error, Result, Status};

/// A home folder and a system's config path of a test's own.
struct Home(TempDir);

impl Home {
    fn empty() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// With that text as the user's config file, private to its owner.
    fn with(config: &str) -> Self {
        let home = Self::empty();
        home.write(".config/wecom-alert/config.toml", config);
        home
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    fn config(&self) -> String {
        self.path(".config/wecom-alert/config.toml").display().to_string()
    }

    fn write(&self, relative: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }

    fn env(&self, pairs: &[(&str, &str)]) -> Environment {
        let home = [("HOME", self.0.path().to_str().unwrap())];
        Environment::from_pairs(home.iter().chain(pairs).copied()).with_system_config(self.path("etc/config.toml"))
    }

    fn resolve(&self, overrides: &Overrides, pairs: &[(&str, &str)]) -> Result<(Settings, Vec<String>)> {
        resolve(overrides, &self.env(pairs))
    }

    /// The settings, where there must be no warning.
    fn settings(&self, overrides: &Overrides, pairs: &[(&str, &str)]) -> Settings {
        let (settings, warnings) = self.resolve(overrides, pairs).unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        settings
    }

    fn error(&self, overrides: &Overrides, pairs: &[(&str, &str)]) -> Error {
        self.resolve(overrides, pairs).unwrap_err()
    }
}

fn resolve(overrides: &Overrides, env: &Environment) -> Result<(Settings, Vec<String>)> {
    Config::read(overrides, env, Lenience::Strict)?.resolve()
}

fn resolve_target(overrides: &Overrides, env: &Environment, target: &TargetName, origin: &str) -> Result<Settings> {
    Config::read(overrides, env, Lenience::Strict)?.resolve_target(target, origin)
}

/// What the settings make of only a config file.
fn settings_of(config: &str) -> Settings {
    Home::with(config).settings(&Overrides::default(), &[])
}

/// The error of only a config file, without the file's path: exit 3 and one line.
fn error_of(config: &str) -> (String, String) {
    let home = Home::with(config);
    let error = home.error(&Overrides::default(), &[]);
    assert_eq!(error.status(), Status::Config, "{error}");
    let hint = error.hint().unwrap().replace(&home.config(), "FILE");
    assert!(!error.message().contains('\n') && !hint.contains('\n'), "{error}");
    (error.message().replace(&home.config(), "FILE"), hint)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}
