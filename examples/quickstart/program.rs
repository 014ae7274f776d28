//! The real binary: built as this example was, and run in an environment of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::fake::{AGENT_ID, AIBOT_ID, AIBOT_SECRET, CORP_ID, FakeWecom, SECRET, WEBHOOK_KEY};

/// Builds the binary with the profile and into the target folder of this example, since examples do not get it built.
pub(crate) fn build() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
    // TARGET/PROFILE/examples/quickstart
    let profile_folder = own.parent().and_then(Path::parent).ok_or("this program is not in a target folder")?;
    let target = profile_folder.parent().ok_or("this program is not in a target folder")?;
    let profile = match profile_folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(name) => name,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--bin", "wecom-alert", "--profile", profile, "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(target)
        .status()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !built.success() {
        return Err(format!("cargo build ended with {built}"));
    }
    Ok(profile_folder.join(format!("wecom-alert{}", std::env::consts::EXE_SUFFIX)))
}

/// The binary with its environment.
pub(crate) struct Program {
    binary: PathBuf,
    base_url: String,
    aibot_url: String,
    folder: tempfile::TempDir,
}

impl Program {
    pub(crate) fn new(binary: PathBuf, wecom: &FakeWecom) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("there is no temporary folder: {error}"))?;
        Ok(Self { binary, base_url: wecom.base_url(), aibot_url: wecom.aibot_url(), folder })
    }

    /// A file for the program to read.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> Result<PathBuf, String> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).map_err(|error| format!("{name} cannot be written: {error}"))?;
        Ok(path)
    }

    /// Runs the binary in that folder, with `input` piped into it, if any.
    pub(crate) fn run(&self, arguments: &[&str], input: Option<&str>) -> Result<Output, String> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("WECOM_ALERT_BASE_URL", &self.base_url);
        command.env("WECOM_ALERT_CORP_ID", CORP_ID).env("WECOM_ALERT_AGENT_ID", AGENT_ID.to_string());
        command.env("WECOM_ALERT_SECRET", SECRET).env("WECOM_ALERT_WEBHOOK", WEBHOOK_KEY);
        command.env("WECOM_ALERT_AIBOT_URL", &self.aibot_url);
        command.env("WECOM_ALERT_AIBOT_ID", AIBOT_ID).env("WECOM_ALERT_AIBOT_SECRET", AIBOT_SECRET);
        // Windows opens no socket without it.
        command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("the program cannot be run: {error}"))?;
        if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
            stdin.write_all(input.as_bytes()).map_err(|error| format!("the pipe broke: {error}"))?;
        }
        child.wait_with_output().map_err(|error| format!("the program was lost: {error}"))
    }
}
