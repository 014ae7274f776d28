//! Input: text that is read, decoded and cleaned, payloads, and attachments. This file opens files, reads JSON and templates, and keeps
//! what can be read only once, in a temporary file or in memory.
//!
//! Input knows no settings and no network, and prints nothing. Stdin can be read once: the caller checks that only one
//! thing asks for it.

mod attachment;
mod clean;
mod encoding;
mod text;

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

pub(crate) use attachment::Attachment;
pub(crate) use clean::clean;
pub use encoding::Encoding;
pub use text::decode_argument;
#[cfg(fuzzing)]
pub(crate) use text::read_keeping;
pub(crate) use text::{InputText, TextSource, decode_output, is_blank, read_text};

use crate::error::{Error, Result, hint_for};

/// The most bytes taken from stdin, a FIFO or a device: 20 MiB, the largest media limit (document path 90253).
pub(crate) const MAX_SPOOLED: u64 = 20 << 20;

/// What stdin is called in messages.
const STDIN: &str = "stdin";

/// Whether a path means stdin.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens a file, a FIFO or a device; a folder is refused.
fn open(path: &Path) -> Result<(File, Metadata)> {
    if path.as_os_str().is_empty() {
        return Err(Error::usage("the path of the file to read is empty", "give the path of a file, or - for stdin"));
    }
    let failed = |error| unreadable(&source_name(path), &error);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(Error::config(format!("{path:?} is a folder, not a file"), "let the path name a file in it"));
    }
    Ok((file, metadata))
}

/// The name of a source in messages: `stdin`, or the path, quoted, on one line, without control characters.
pub(crate) fn source_name(path: &Path) -> String {
    if is_stdin(path) { STDIN.to_owned() } else { format!("{path:?}") }
}

/// The error for what cannot be opened or read; `name` is a shown path or [`STDIN`].
fn unreadable(name: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::config(
            format!("there is no file {name}"),
            "check the path; a relative one counts from the current folder",
        ),
        io::ErrorKind::PermissionDenied => Error::config(
            format!("there is no permission to read {name}"),
            "let the user that runs wecom-alert read the file and enter its folders",
        ),
        _ if name == STDIN => Error::config(
            format!("stdin could not be read: {error}"),
            hint_for(error, "check what stdin is connected to"),
        ),
        _ => Error::config(
            format!("{name} could not be read: {error}"),
            hint_for(error, "check the path and the disk it is on"),
        ),
    }
}

/// The most bytes of JSON, or of a template, that are read: 20 MiB.
const MAX_DATA: u64 = 20 << 20;

/// Reads JSON or a template as text from a file, or from stdin for `-`: decoded as the text of a message is, without its
/// byte order mark, and not cleaned.
///
/// Fails with exit 3 where it cannot be read; with exit 2 for an empty path, and where it is over [`MAX_DATA`].
pub(crate) fn read_data(path: &Path, encoding: Encoding) -> Result<InputText> {
    if is_stdin(path) {
        read_data_from(io::stdin().lock(), STDIN, encoding)
    } else {
        read_data_from(open(path)?.0, &source_name(path), encoding)
    }
}

/// Reads data; `name` is what an error calls its source.
fn read_data_from(reader: impl Read, name: &str, encoding: Encoding) -> Result<InputText> {
    let mut bytes = Vec::new();
    reader.take(MAX_DATA + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    if bytes.len() as u64 > MAX_DATA {
        return Err(Error::usage(
            format!("what came from {name} is over {MAX_DATA} bytes (20 MiB)"),
            "a message has room for a few kilobytes: check that this is the right file",
        ));
    }
    let mut read = text::decode_whole(bytes, encoding);
    if read.text.starts_with('\u{feff}') {
        read.text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(read)
}

/// The content of a source that can be read only once.
struct Spool<F> {
    /// An unlinked temporary file; `None` where none can be made or the disk is full.
    file: Option<F>,
    /// The content, where there is no file.
    memory: Vec<u8>,
    size: u64,
}

/// Reads to the end; more than [`MAX_SPOOLED`] bytes are an error.
fn spool(reader: impl Read, name: &str) -> Result<Spool<File>> {
    spool_into(tempfile::tempfile().ok(), reader, name)
}

fn spool_into<F: Read + Write + Seek>(file: Option<F>, reader: impl Read, name: &str) -> Result<Spool<F>> {
    let mut spool = Spool { file, memory: Vec::new(), size: 0 };
    io::copy(&mut reader.take(MAX_SPOOLED + 1), &mut spool).map_err(|error| unreadable(name, &error))?;
    if spool.size > MAX_SPOOLED {
        return Err(Error::usage(
            format!("{name} has more than {MAX_SPOOLED} bytes: at most 20 MiB can be uploaded"),
            "compress or shorten it",
        ));
    }
    Ok(spool)
}

impl<F: Read + Write + Seek> Write for Spool<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.as_mut().is_some_and(|file| file.write_all(bytes).is_err())
            && let Some(mut file) = self.file.take()
        {
            // The disk is full: what the file holds so far moves to memory.
            file.seek(SeekFrom::Start(0))?;
            file.take(self.size).read_to_end(&mut self.memory)?;
        }
        if self.file.is_none() {
            self.memory.extend_from_slice(bytes);
        }
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

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

    /// A disk with room for so many bytes.
    struct SmallDisk(Cursor<Vec<u8>>, usize);

    impl Write for SmallDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match bytes.len().min(self.1 - self.0.position() as usize) {
                0 => Err(io::ErrorKind::StorageFull.into()),
                room => self.0.write(&bytes[..room]),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Read for SmallDisk {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Seek for SmallDisk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn a_full_disk_loses_nothing() {
        let content = pattern(100_000);
        for room in [0, 1, 8192, 50_001, 99_999] {
            let disk = SmallDisk(Cursor::new(Vec::new()), room);
            let spool = spool_into(Some(disk), &content[..], "stdin").unwrap();
            assert!(spool.file.is_none(), "not in memory with room for {room}");
            assert_eq!((spool.memory, spool.size), (content.clone(), 100_000), "{room}");
        }
    }

    #[test]
    fn a_disk_with_room_is_used() {
        let disk = SmallDisk(Cursor::new(Vec::new()), 100_000);
        let spool = spool_into(Some(disk), &pattern(100_000)[..], "stdin").unwrap();
        assert!(spool.file.unwrap().0.get_ref() == &pattern(100_000) && spool.memory.is_empty());
    }

    #[test]
    fn works_without_any_disk() {
        let spool = spool_into::<File>(None, &b"abc"[..], "stdin").unwrap();
        assert_eq!((spool.memory, spool.size), (b"abc".to_vec(), 3));
    }

    #[test]
    fn the_limit_is_exact_and_an_endless_source_is_left_alone() {
        assert_eq!(spool(io::repeat(1).take(MAX_SPOOLED), "stdin").unwrap().size, MAX_SPOOLED);
        let error = spool(io::repeat(1), "stdin").map(drop).unwrap_err();
        assert_eq!(error.status(), Status::Usage);
        assert!(error.message().contains("at most 20 MiB can be uploaded"), "{error}");
    }

    #[test]
    fn a_failing_source_is_config() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("unplugged"))
            }
        }
        let error = spool(Failing, "stdin").map(drop).unwrap_err();
        assert_eq!(error.status(), Status::Config);
        assert_eq!(error.message(), "stdin could not be read: unplugged");
    }

    #[test]
    fn data_is_not_cleaned() {
        let text = "{\"content\": \"\u{1b}[31m a\u{feff}b\\n\"}\r\n\n";
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(format!("\u{feff}{text}").as_bytes()).unwrap();
        assert_eq!(
            read_data(file.path(), Encoding::Auto).unwrap(),
            InputText { text: text.to_owned(), left_out: 0, warnings: vec![] }
        );
    }

    #[test]
    fn data_is_decoded_as_text_is() {
        let json = "{\"content\": \"磁盘已满\"}";
        let utf16: Vec<u8> = std::iter::once(0xfeff).chain(json.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let gbk = encoding_rs::GB18030.encode(json).0.into_owned();
        for (bytes, encoding) in [
            (gbk.clone(), Encoding::Auto),
            (gbk.clone(), Encoding::Gb18030),
            (utf16, Encoding::Auto),
            (format!("\u{feff}{json}").into_bytes(), Encoding::Utf8),
        ] {
            let read = read_data_from(&bytes[..], STDIN, encoding).unwrap();
            assert_eq!(read, InputText { text: json.to_owned(), left_out: 0, warnings: vec![] }, "{encoding:?}");
        }
        let broken = read_data_from(&gbk[..], STDIN, Encoding::Utf8).unwrap();
        assert!(broken.text.contains('\u{fffd}') && broken.warnings.len() == 1, "{broken:?}");
    }

    #[test]
    fn the_limit_of_data_is_exact() {
        let read = |reader: &mut dyn Read| read_data_from(reader, STDIN, Encoding::Auto);
        assert_eq!(read(&mut io::repeat(b' ').take(MAX_DATA)).unwrap().text.len(), MAX_DATA as usize);
        let error = read(&mut io::repeat(b' ')).unwrap_err();
        assert_eq!(error.status(), Status::Usage);
        assert!(error.message().contains("20971520 bytes"), "{error}");
    }

    #[test]
    fn missing_data_is_config() {
        assert_eq!(read_data(Path::new("no-such-payload.json"), Encoding::Auto).unwrap_err().status(), Status::Config);
    }
}
