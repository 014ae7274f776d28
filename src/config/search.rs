//! Which config file counts, and its text. There is one at the most: files are never merged.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::env::Environment;
use super::file::{self, ConfigFile};
use super::layer::Entry;
use super::permissions::mode_of;
use crate::error::{Error, Result};

/// More than any config file has: a wrong path must not fill the memory.
const LARGEST: u64 = 1024 * 1024;

/// The config file that was named, else the first that is found.
pub(super) fn read_config(named: Option<&Entry>, env: &Environment) -> Result<Option<ConfigFile>> {
    if let Some(entry) = named {
        let path = entry.path(env.home())?;
        return match open(&path)? {
            Some(opened) => read(opened, path).map(Some),
            None => Err(Error::config(
                format!("{}: there is no file {}", entry.place(), path.display()),
                "correct the path, or leave it out to search the usual places",
            )),
        };
    }
    for path in env.config_files() {
        if let Some(opened) = open(&path)? {
            return read(opened, path).map(Some);
        }
    }
    Ok(None)
}

/// That file and its text as far as it can be had without complaint and without waiting.
pub(super) fn peek(named: Option<&Entry>, env: &Environment) -> Option<(PathBuf, String)> {
    let path = match named {
        Some(entry) => entry.path(env.home()).ok()?,
        None => env.config_files().into_iter().find(|path| path.symlink_metadata().is_ok())?,
    };
    // Anything else, a pipe say, may have been read already and could hang.
    let opened = if path.is_file() { File::open(&path).ok()? } else { return None };
    let mut text = String::new();
    opened.take(LARGEST).read_to_string(&mut text).ok()?;
    Some((path, text))
}

/// `None` if nothing is there; a file that cannot be opened is an error, never skipped.
fn open(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) => {
            let absent = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
            // A link that leads nowhere is there.
            if absent && path.symlink_metadata().is_err() { Ok(None) } else { Err(unreadable(path, &error)) }
        }
    }
}

fn read(opened: File, path: PathBuf) -> Result<ConfigFile> {
    let mode = mode_of(opened.metadata());
    let mut bytes = Vec::new();
    opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&path, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::config(
            format!("config file {} is larger than {LARGEST} bytes", path.display()),
            "this is hardly a config file: correct the path",
        ));
    }
    Ok(ConfigFile { mode, ..file::parse_bytes(&bytes, path)? })
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::config(
        format!("config file {} cannot be read: {error}", path.display()),
        "let this user read it, or name another file with `--config`",
    )
}
