//! What all integration tests use: a sealed environment for the real binary, a fake of WeCom's server, proxies, waiting.
#![allow(dead_code, unused_imports, reason = "a tool box: not every tool is in use at every time")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test without its environment cannot go on")]

pub(crate) mod browser;
pub(crate) mod entry;
pub(crate) mod fake;
pub(crate) mod kills;
pub(crate) mod proxy;
mod run;
mod scene;
mod system;

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

pub(crate) use run::{Cmd, Run, Running};
pub(crate) use scene::{CARD_ROUTES, HTTP_ROUTES, ROUTES, Scene, on_each_route, send_endpoint, upload_endpoint};
pub(crate) use system::*;

/// A home of its own with nothing in it, and no environment but what a test sets. Dropping it ends the processes
/// that were started in it, and fails the test if there were any.
pub(crate) struct TestEnv {
    root: tempfile::TempDir,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        #[cfg(target_os = "linux")]
        restore_signals_for_children();
        let root = tempfile::tempdir().unwrap();
        for folder in ["home", "config", "cache", "state", "tmp"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        Self { root }
    }

    /// A call of the real binary with these arguments, an empty standard input and this environment.
    pub(crate) fn cmd<A: Into<OsString>>(&self, args: impl IntoIterator<Item = A>) -> Cmd {
        let folder = |name: &str| self.root.path().join(name).into_os_string();
        let mut env: Vec<(OsString, OsString)> = [
            ("HOME", folder("home")),
            ("XDG_CONFIG_HOME", folder("config")),
            ("XDG_CACHE_HOME", folder("cache")),
            ("XDG_STATE_HOME", folder("state")),
            ("TMPDIR", folder("tmp")),
            // For the commands that give secrets.
            ("PATH", "/usr/bin:/bin".into()),
            // One attempt is one request, unless a test is about the others.
            ("WECOM_ALERT_RETRIES", "0".into()),
            // A test sends as much as it likes, unless it is about that.
            ("WECOM_ALERT_RATE", "off".into()),
        ]
        .map(|(name, value)| (name.into(), value))
        .into();
        // Windows opens no socket without it.
        env.extend(std::env::var_os("SystemRoot").map(|value| ("SystemRoot".into(), value)));
        Cmd::new(args.into_iter().map(Into::into).collect(), env, &self.home(), self.config_file())
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// The user's config file, which need not exist.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.root.path().join("config/wecom-alert/config.toml")
    }

    /// The program's own cache folder, which need not exist.
    pub(crate) fn cache(&self) -> PathBuf {
        self.root.path().join("cache/wecom-alert")
    }

    /// The program's own state folder, which need not exist.
    pub(crate) fn state(&self) -> PathBuf {
        self.root.path().join("state/wecom-alert")
    }

    /// Writes a file of that size that begins and, where there is room, ends with this sample.
    pub(crate) fn sized_file(&self, name: &str, sample: &[u8], size: usize) -> PathBuf {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let path = self.file(name, sample);
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(size as u64).unwrap();
        if let Some(end) = size.checked_sub(sample.len()).filter(|end| *end >= sample.len()) {
            file.seek(SeekFrom::Start(end as u64)).unwrap();
            file.write_all(sample).unwrap();
        }
        path
    }

    /// Writes a file that only its owner may read, below the home unless the path is absolute.
    pub(crate) fn file(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home().join(path);
        write_private(&path, content.as_ref());
        path
    }
}

#[cfg(target_os = "linux")]
impl Drop for TestEnv {
    fn drop(&mut self) {
        assert_no_process_left(self.root.path(), std::time::Duration::from_secs(20));
    }
}

/// Writes a file that only its owner may read, with its folders.
fn write_private(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).unwrap().write_all(content).unwrap();
}
