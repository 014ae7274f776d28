//! Opens what is to be read, and says in one way what is wrong with a path.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

use crate::error::{Error, Result};

/// What stdin is called in messages.
pub(super) const STDIN: &str = "stdin";

/// Whether a path asks for stdin.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A path as messages show it: quoted, on one line, harmless to a terminal.
pub(super) fn shown(path: &Path) -> String {
    format!("{path:?}")
}

/// Opens a file, a FIFO or a device; a folder is refused.
pub(super) fn open(path: &Path) -> Result<(File, Metadata)> {
    if path.as_os_str().is_empty() {
        return Err(Error::usage("the path of the file to read is empty", "give the path of a file, or - for stdin"));
    }
    let failed = |error| unreadable(&shown(path), &error);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Error::config(format!("{path:?} is a folder, not a file"), "let the path name a file in it"));
    }
    Ok((file, metadata))
}

/// The error for what cannot be opened or read; `name` is a shown path or [`STDIN`].
pub(super) fn unreadable(name: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::config(
            format!("there is no file {name}"),
            "check the path; a relative one counts from the current folder",
        ),
        io::ErrorKind::PermissionDenied => Error::config(
            format!("there is no permission to read {name}"),
            "let the user that runs wecom-alert read the file and enter its folders",
        ),
        _ if name == STDIN => {
            Error::config(format!("stdin could not be read: {error}"), "check what stdin is connected to")
        }
        _ => Error::config(format!("{name} could not be read: {error}"), "check the path and the disk it is on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn refused(path: &Path) -> Error {
        open(path).map(drop).expect_err("must be refused")
    }

    #[test]
    fn a_missing_file_is_named_as_given() {
        let error = refused(Path::new("no such\nfile"));
        assert_eq!(error.status(), Status::Config);
        assert_eq!(error.message(), r#"there is no file "no such\nfile""#);
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = refused(folder.path());
        assert_eq!(error.status(), Status::Config);
        assert!(error.message().ends_with("is a folder, not a file"), "{error}");
    }

    #[test]
    fn an_empty_path_is_a_mistake_in_the_command() {
        assert_eq!(refused(Path::new("")).status(), Status::Usage);
    }

    #[test]
    fn a_refused_or_failing_read_is_config() {
        for (kind, part) in [
            (io::ErrorKind::PermissionDenied, "no permission to read stdin"),
            (io::ErrorKind::Other, "could not be read"),
        ] {
            let error = unreadable(STDIN, &io::Error::new(kind, "I/O"));
            assert_eq!(error.status(), Status::Config);
            assert!(error.message().contains(part), "{error}");
            assert!(error.hint().is_some());
        }
    }
}
