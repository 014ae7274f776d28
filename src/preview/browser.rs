//! Shows a page in the browser of whoever runs the program, without a shell.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long a program that opens pages is watched. It may live as long as the browser.
const PATIENCE: Duration = Duration::from_secs(2);

/// What opens a page on this system.
const OPENER: &str = if cfg!(windows) {
    "explorer.exe"
} else if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// Opens the page. The error says why nobody sees it.
pub(super) async fn open(page: &Path) -> Result<(), String> {
    // What begins with a slash is no option.
    let page = std::path::absolute(page).map_err(|error| error.to_string())?;
    let mut command = Command::new(OPENER);
    command.arg(&page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut opener = command.spawn().map_err(|error| format!("{OPENER} cannot be run: {error}"))?;
    match tokio::time::timeout(PATIENCE, opener.wait()).await {
        // Explorer says 1 when all is well.
        Ok(Ok(ended)) if !ended.success() && !cfg!(windows) => Err(format!("{OPENER} failed: {ended}")),
        _ => Ok(()),
    }
}
