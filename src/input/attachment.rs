//! An attachment: its name, its size, its first bytes, and a new reader from the start for each attempt. Checks neither type
//! nor limits, and makes no file name safe for a header.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use super::{STDIN, clean, decode_argument, is_stdin, open, source_name, spool, unreadable};
use crate::clock::{UNITS, elapsed};
use crate::error::{Error, Result};

/// How many of the first bytes tell what a file is; fewer are enough where there are no more.
const HEAD_LEN: usize = 64;

/// A file to upload, opened and measured.
///
/// A regular file stays open, so that every reading is of the file that was measured. What can be read only once (stdin,
/// a FIFO, a device, process substitution) is held in a temporary file, or in memory where none can be made.
#[derive(Clone)]
pub(crate) struct Attachment {
    /// The name to show to the receiver, as given: it may hold characters that a header must not.
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: u64,
    /// The first 64 bytes, or all where there are fewer.
    pub(crate) head: Vec<u8>,
    /// When the file was last changed; `None` for what is no plain file.
    pub(crate) modified: Option<SystemTime>,
    content: Content,
    /// What an error calls it.
    shown: String,
}

#[derive(Clone)]
enum Content {
    File(Arc<Mutex<File>>),
    Memory(Arc<Vec<u8>>),
}

impl Attachment {
    /// Opens a file, or stdin for `-`. The name shown is `filename`, else the path's last part, else (stdin) `stdin.txt`
    /// for text and `stdin` for anything else.
    ///
    /// Fails with exit 3 where it is missing, a folder or unreadable; with exit 2 for an empty path or file name, and where
    /// what can be read only once has more than [`MAX_SPOOLED`](super::MAX_SPOOLED) bytes.
    pub(crate) fn open(path: &Path, filename: Option<&str>) -> Result<Self> {
        Self::open_counting(path, filename, &AtomicU64::new(0))
    }

    /// The same for a path that may be a pipe: fails with exit 3 where nothing comes for that time.
    pub(crate) fn open_within(path: &Path, filename: Option<&str>, patience: Duration) -> Result<Self> {
        if is_stdin(path) || path.metadata().map_or(true, |about| about.is_file() || about.is_dir()) {
            return Self::open(path, filename);
        }
        let count = Arc::new(AtomicU64::new(0));
        let (sender, opened) = sync_channel(1);
        let work = {
            let (path, filename, count) = (path.to_owned(), filename.map(str::to_owned), Arc::clone(&count));
            move || drop(sender.send(Self::open_counting(&path, filename.as_deref(), &count)))
        };
        // A read that hangs goes on in its thread: the process ends without it.
        thread::Builder::new().spawn(work).map_err(|error| unreadable(&source_name(path), &error))?;
        loop {
            let before = count.load(Ordering::Relaxed);
            match opened.recv_timeout(patience) {
                Ok(opened) => return opened,
                Err(RecvTimeoutError::Timeout) if count.load(Ordering::Relaxed) > before => {}
                Err(_) => {
                    let name = source_name(path);
                    let waited = elapsed(patience, &UNITS);
                    return Err(Error::config(
                        format!("{name} is not a regular file, and nothing came from it for {waited}"),
                        "check what writes into it; --deadline says how long is waited",
                    ));
                }
            }
        }
    }

    /// Counts the bytes that are read of what can be read only once.
    fn open_counting(path: &Path, filename: Option<&str>, count: &AtomicU64) -> Result<Self> {
        if filename.is_some_and(|name| name.trim().is_empty()) {
            return Err(Error::usage("the file name to show is empty", "give a name such as report.txt, or none"));
        }
        let (attachment, own_name) = if is_stdin(path) {
            let spooled = Self::from_reader(io::stdin().lock(), STDIN)?;
            let name = stdin_name(&spooled.head).to_owned();
            (spooled, name)
        } else {
            (Self::from_file(path, count)?, own_name(path))
        };
        Ok(Self { name: filename.unwrap_or(&own_name).to_owned(), ..attachment })
    }

    /// A plain file that this program stores, with its original name. Fails with exit 3 where it is unreadable.
    pub(crate) fn kept(file: File, name: &str) -> Result<Self> {
        let size = file.metadata().map_err(|error| unreadable(name, &error))?.len();
        let attachment = Self::measured(Content::File(Arc::new(Mutex::new(file))), size, name)?;
        Ok(Self { name: name.to_owned(), ..attachment })
    }

    /// A text as a file of that name.
    pub(crate) fn of_text(name: &str, text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let head = bytes.iter().copied().take(HEAD_LEN).collect();
        let (name, size) = (name.to_owned(), bytes.len() as u64);
        Self { shown: name.clone(), name, size, head, modified: None, content: Content::Memory(Arc::new(bytes)) }
    }

    /// A reading from the start, independent of all others.
    pub(crate) fn reader(&self) -> Reader {
        Reader { content: self.content.clone(), position: 0, size: self.size }
    }

    /// A reading of the last `length` bytes, or of all where there are fewer.
    pub(crate) fn tail(&self, length: u64) -> Reader {
        Reader { content: self.content.clone(), position: self.size.saturating_sub(length), size: self.size }
    }

    /// The whole content. Fails with exit 2 where it is over `limit` bytes; with exit 3 where reading fails.
    pub(crate) fn read_all(&self, limit: u64) -> Result<Vec<u8>> {
        if self.size > limit {
            return Err(Error::usage(
                format!("{} has {} bytes, more than the {limit} allowed", self.shown, self.size),
                "choose a smaller file",
            ));
        }
        let mut bytes = Vec::new();
        self.reader().read_to_end(&mut bytes).map_err(|error| unreadable(&self.shown, &error))?;
        Ok(bytes)
    }

    fn from_file(path: &Path, count: &AtomicU64) -> Result<Self> {
        let (file, metadata) = open(path)?;
        let shown = source_name(path);
        if !metadata.is_file() {
            return Self::from_reader(Counted { reader: file, count }, &shown);
        }
        let attachment = Self::measured(Content::File(Arc::new(Mutex::new(file))), metadata.len(), &shown);
        match attachment {
            // Files of /proc and /sys are regular ones whose size is made up.
            Ok(attachment) if attachment.size > 0 => Ok(Self { modified: metadata.modified().ok(), ..attachment }),
            _ => Self::from_reader(open(path)?.0, &shown),
        }
    }

    fn from_reader(reader: impl Read, shown: &str) -> Result<Self> {
        let spool = spool(reader, shown)?;
        let content = match spool.file {
            Some(file) => Content::File(Arc::new(Mutex::new(file))),
            None => Content::Memory(Arc::new(spool.memory)),
        };
        Self::measured(content, spool.size, shown)
    }

    fn measured(content: Content, size: u64, shown: &str) -> Result<Self> {
        let mut head = Vec::new();
        let reader = Reader { content: content.clone(), position: 0, size };
        reader.take(HEAD_LEN as u64).read_to_end(&mut head).map_err(|error| unreadable(shown, &error))?;
        Ok(Self { name: String::new(), size, head, modified: None, content, shown: shown.to_owned() })
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}

/// A reader whose bytes are counted for another thread.
struct Counted<'a, R> {
    reader: R,
    count: &'a AtomicU64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Reads an attachment once, from its start.
///
/// It yields exactly [`Attachment::size`] bytes: what a file has grown by since it was opened is left out, and where it has
/// shrunk the end comes as an error of kind `UnexpectedEof`.
pub(crate) struct Reader {
    content: Content,
    position: u64,
    size: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size.saturating_sub(self.position);
        let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.content.read_at(self.position, &mut buffer[..wanted])?;
        if read == 0 {
            let short = format!("the file has shrunk from {} to {} bytes while it was read", self.size, self.position);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, short));
        }
        self.position += read as u64;
        Ok(read)
    }
}

impl Content {
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            // Readers share one handle, so each says where it is.
            Self::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(position))?;
                file.read(buffer)
            }
            Self::Memory(bytes) => {
                let start = usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len());
                (&bytes[start..]).read(buffer)
            }
        }
    }
}

/// The last part of a path. Names from older systems are in GBK; elsewhere than on Windows `\` is part of a name, and
/// receivers would take it for the end of a folder.
fn own_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    let text = match name.to_str() {
        Some(name) => name.to_owned(),
        None => clean(&decode_argument(name)),
    };
    if cfg!(windows) { text } else { text.replace('\\', "_") }
}

/// Receivers open a file by its extension, and what a script pipes is mostly text.
fn stdin_name(head: &[u8]) -> &'static str {
    // The last character may be cut.
    let is_utf8 = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    let is_plain = |byte: &u8| !byte.is_ascii_control() || matches!(byte, b'\n' | b'\r' | b'\t' | 0x1b);
    if is_utf8 && !head.is_empty() && head.iter().all(is_plain) { "stdin.txt" } else { "stdin" }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::error::Status;

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::Builder::new().prefix("报表").suffix(".csv").tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn pattern(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i % 251) as u8).collect()
    }

    fn read(mut reader: impl Read) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map(|_| bytes)
    }

    /// All sources, a regular file first, with the same content.
    fn each_kind(content: &[u8]) -> [Attachment; 3] {
        let memory = Content::Memory(Arc::new(content.to_vec()));
        [
            Attachment::open(file(content).path(), None).unwrap(),
            Attachment::from_reader(content, STDIN).unwrap(),
            Attachment::measured(memory, content.len() as u64, STDIN).unwrap(),
        ]
    }

    #[test]
    fn measures_and_reads_again() {
        for length in [0, 1, 63, 64, 65, 100_000] {
            let content = pattern(length);
            for attachment in each_kind(&content) {
                assert_eq!(attachment.size, length as u64);
                assert_eq!(attachment.head, &content[..length.min(64)]);
                for _ in 0..2 {
                    assert!(read(attachment.reader()).unwrap() == content, "{length}");
                }
                assert!(attachment.read_all(length as u64).unwrap() == content, "{length}");
            }
        }
    }

    #[test]
    fn readings_do_not_disturb_each_other() {
        let content = pattern(1000);
        for attachment in each_kind(&content) {
            let (mut one, mut two) = (attachment.reader(), attachment.reader());
            let mut start = [0; 300];
            one.read_exact(&mut start).unwrap();
            two.read_exact(&mut start[..100]).unwrap();
            assert!(read(one).unwrap() == content[300..]);
            assert!(read(two).unwrap() == content[100..]);
        }
    }

    #[test]
    fn what_a_file_grows_by_is_left_out_and_what_it_loses_is_an_error() {
        let mut changing = file(b"0123456789");
        let attachment = Attachment::open(changing.path(), None).unwrap();
        changing.write_all(b"more").unwrap();
        assert_eq!(read(attachment.reader()).unwrap(), b"0123456789");
        changing.as_file().set_len(4).unwrap();
        assert_eq!(read(attachment.reader()).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let error = attachment.read_all(100).unwrap_err();
        assert_eq!(error.status(), Status::Config);
        assert!(error.message().contains("shrunk from 10 to 4 bytes"), "{error}");
    }

    #[test]
    fn a_file_replaced_after_opening_is_still_the_one_that_was_measured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "first").unwrap();
        let attachment = Attachment::open(&path, None).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "second").unwrap();
        assert_eq!(attachment.read_all(10).unwrap(), b"first");
    }

    #[test]
    fn read_all_keeps_its_limit() {
        let attachment = Attachment::open(file(b"0123456789").path(), None).unwrap();
        let error = attachment.read_all(9).unwrap_err();
        assert_eq!(error.status(), Status::Usage);
        assert!(error.message().ends_with("has 10 bytes, more than the 9 allowed"), "{error}");
    }

    #[test]
    fn names() {
        let file = file(b"a,b");
        let by_path = Attachment::open(file.path(), None).unwrap();
        assert!(by_path.name.starts_with("报表") && by_path.name.ends_with(".csv"), "{}", by_path.name);
        assert_eq!(Attachment::open(file.path(), Some("日报.csv")).unwrap().name, "日报.csv");
        assert_eq!(Attachment::open(file.path(), Some(" ")).unwrap_err().status(), Status::Usage);
    }

    #[test]
    fn stdin_is_named_by_its_content() {
        let cut = &"x磁盘".as_bytes()[..6];
        for (head, name) in
            [(&b"ok\n"[..], "stdin.txt"), (cut, "stdin.txt"), (b"\x89PNG", "stdin"), (b"a\0", "stdin"), (b"", "stdin")]
        {
            assert_eq!(stdin_name(head), name, "{head:x?}");
        }
    }

    #[test]
    fn missing_files_and_folders_are_config() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path(), &folder.path().join("missing")] {
            assert_eq!(Attachment::open(path, None).unwrap_err().status(), Status::Config);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_with_a_wrong_size_are_spooled() {
        let attachment = Attachment::open(Path::new("/proc/self/status"), None).unwrap();
        assert!(attachment.size > 0);
        assert_eq!(attachment.read_all(1 << 20).unwrap().len() as u64, attachment.size);
        assert_eq!(attachment.name, "status");
        assert_eq!(Attachment::open(Path::new("/dev/null"), None).unwrap().size, 0);
        let endless = Attachment::open(Path::new("/dev/zero"), None).unwrap_err();
        assert_eq!(endless.status(), Status::Usage);
    }

    #[test]
    fn debug_shows_no_content() {
        for attachment in each_kind(b"contents of the file") {
            let shown = format!("{attachment:?}");
            assert!(!shown.contains("contents") && !shown.contains("99, 111"), "{shown}");
        }
    }

    #[test]
    fn can_be_read_on_another_thread() {
        fn sendable<T: Send + Sync + 'static>() {}
        sendable::<Attachment>();
        sendable::<Reader>();
    }
}
