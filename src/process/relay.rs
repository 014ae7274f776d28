//! What a command writes, passed on as it comes: read, noted in the tail, written to where it would have gone without us.
//!
//! A thread per stream reads as much as there is and reads on when that is written, so a slow reader slows the command
//! down as it would without us, and nothing piles up. Where nobody reads any more, the thread goes on reading: the command
//! is watched to its end, whatever becomes of its output.

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::tail::{Kept, Source, Tail};

/// What is read at one go: what a pipe holds on Linux.
const CHUNK: usize = 64 << 10;

/// No pipe holds more. What is read beyond that after the command's end, others have written.
const LARGEST_PIPE: usize = 1 << 20;

/// How long others that got the pipe from the command may keep it open after its end. What the command itself wrote is in
/// the pipe by then and read at once.
const GRACE: Duration = Duration::from_secs(1);

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(10);

/// Whoever holds a pipe for so many looks waits for something to be written into it.
const LOOKS: usize = 10;

/// A reader that takes nothing for the moment is asked again after this.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// The threads that pass a command's output on.
#[derive(Debug, Clone)]
pub(super) struct Relay(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// The pipes from the command. Each is held while it is read from, until what was read is in the tail: whoever gets it
    /// next reads what comes behind that.
    pipes: [Mutex<Option<PipeReader>>; 2],
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    tail: Tail,
    /// Of each source: what is in the tail and is still to be written.
    ahead: [Vec<u8>; 2],
    /// Streams that may still bring something.
    open: usize,
    /// Streams whose reader keeps them waiting, or that are just being written to.
    writing: usize,
    /// The command has ended.
    is_over: bool,
    /// Nothing more is passed on.
    is_stopped: bool,
    trouble: Option<String>,
    /// Of each source: the line that was last passed on has not ended.
    is_line_open: [bool; 2],
    /// There is one source for both streams.
    are_one: bool,
}

/// The ends of the pipes that the command gets.
pub(super) struct Ends {
    pub(super) stdout: PipeWriter,
    pub(super) stderr: PipeWriter,
}

impl Relay {
    /// Starts passing on; the last `lines` lines are kept. Where stdout and stderr are the same file, as with `2>&1`, the
    /// command gets one pipe for both, so that its lines stay in order.
    pub(super) fn start(lines: usize) -> io::Result<(Self, Ends)> {
        let shared = Arc::new(Shared::default());
        let relay = Self(Arc::clone(&shared));
        shared.lock().tail = Tail::new(lines);
        let (sinks, are_one) = own_streams()?;
        let [out, err] = sinks;
        let (reader, stdout) = io::pipe()?;
        relay.pass(0, "stdout", reader, out)?;
        if are_one {
            relay.0.lock().are_one = true;
            let stderr = stdout.try_clone()?;
            return Ok((relay, Ends { stdout, stderr }));
        }
        let (reader, stderr) = io::pipe()?;
        relay.pass(1, "stderr", reader, err)?;
        Ok((relay, Ends { stdout, stderr }))
    }

    fn pass(&self, source: Source, name: &'static str, from: PipeReader, to: Sink) -> io::Result<()> {
        let shared = Arc::clone(&self.0);
        *locked(&shared.pipes[source]) = Some(from);
        self.0.lock().open += 1;
        let begun = thread::Builder::new().name(name.to_owned()).spawn(move || {
            pump(source, name, to, &shared);
            // Who still writes learns that nobody reads.
            locked(&shared.pipes[source]).take();
            shared.lock().open -= 1;
            shared.ended.notify_one();
        });
        begun.map(drop)
    }

    /// After the command's end: waits until what it wrote has been passed on, for `patience` at the most, and returns
    /// whether it has. Others that keep the pipe open are not waited for longer than a moment.
    pub(super) async fn settle(&self, patience: Duration) -> bool {
        let until = Instant::now().checked_add(patience);
        // Only while nobody keeps us waiting do those run out of time who still hold the pipe.
        let mut idle = Duration::ZERO;
        self.0.lock().is_over = true;
        loop {
            {
                let mut state = self.0.lock();
                if state.open == 0 || state.is_stopped && state.writing == 0 {
                    return true;
                }
                if state.writing == 0 && idle >= GRACE {
                    state.is_stopped = true;
                    return true;
                }
                if state.writing == 0 {
                    idle += LOOK;
                }
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return false;
            }
            tokio::select! {
                () = self.0.ended.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// After the command's end, where a reader keeps us waiting: takes what the command wrote last out of the pipes, so that
    /// it is among the last lines. It is passed on in its turn.
    pub(super) async fn read_ahead(&self) {
        for source in 0..self.0.pipes.len() {
            for _ in 0..LOOKS {
                if self.0.take_ahead(source) {
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// The last lines so far.
    pub(super) fn kept(&self) -> Kept {
        self.0.lock().tail.finish()
    }

    /// Whether our stdout, and our stderr, stands in the midst of a line.
    pub(super) fn open_lines(&self) -> [bool; 2] {
        let state = self.0.lock();
        let [out, err] = state.is_line_open;
        [out, if state.are_one { out } else { err }]
    }

    /// Why not everything could be passed on; that nobody read any more is no trouble.
    pub(super) fn trouble(&self) -> Option<String> {
        self.0.lock().trouble.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Takes what is in the pipe, unless somebody else holds it: then `false`.
    fn take_ahead(&self, source: Source) -> bool {
        let Ok(mut pipe) = self.pipes[source].try_lock() else { return false };
        if let Some(pipe) = pipe.as_mut() {
            self.lock().take_ahead(source, pipe);
        }
        true
    }
}

impl State {
    /// Takes what is in the pipe, without waiting for more.
    fn take_ahead(&mut self, source: Source, pipe: &mut PipeReader) {
        let mut buffer = vec![0; CHUNK];
        while self.ahead[source].len() < LARGEST_PIPE && has_more(pipe) {
            let Ok(length @ 1..) = pipe.read(&mut buffer) else { return };
            self.tail.push(source, &buffer[..length]);
            self.ahead[source].extend_from_slice(&buffer[..length]);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a read would bring something at once.
#[cfg(unix)]
fn has_more(pipe: &PipeReader) -> bool {
    rustix::io::ioctl_fionread(pipe).is_ok_and(|bytes| bytes > 0)
}

/// The system does not tell.
#[cfg(not(unix))]
fn has_more(_pipe: &PipeReader) -> bool {
    false
}

/// Passes one stream on to its end, or until it is to stop.
fn pump(source: Source, name: &str, mut to: Sink, shared: &Shared) {
    let mut buffer = vec![0; CHUNK];
    let mut late = 0;
    loop {
        let mut pipe = locked(&shared.pipes[source]);
        let ahead = std::mem::take(&mut shared.lock().ahead[source]);
        let chunk = match (&mut *pipe, ahead.is_empty()) {
            (_, false) => &ahead[..],
            (None, true) => return,
            (Some(from), true) => match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => &buffer[..length],
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return,
            },
        };
        {
            let mut state = shared.lock();
            if ahead.is_empty() {
                late += if state.is_over { chunk.len() } else { 0 };
                if state.is_stopped || late > LARGEST_PIPE {
                    return;
                }
                state.tail.push(source, chunk);
            }
            state.writing += 1;
        }
        drop(pipe);
        let passed = to.put(chunk);
        let mut state = shared.lock();
        state.writing -= 1;
        state.is_line_open[source] = passed.is_ok() && !chunk.ends_with(b"\n");
        if let Err(error) = passed
            && state.trouble.is_none()
        {
            state.trouble = Some(format!("not all of the command's {name} could be passed on: {error}"));
        }
    }
}

/// Our own stdout or stderr.
struct Sink {
    to: Box<dyn Write + Send>,
    /// Nobody reads any more.
    is_gone: bool,
}

impl Sink {
    fn new(to: impl Write + Send + 'static) -> Self {
        Self { to: Box::new(to), is_gone: false }
    }

    /// Writes all of it, or drops what nobody reads.
    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !(bytes.is_empty() || self.is_gone) {
            match self.to.write(bytes).and_then(|written| self.to.flush().map(|()| written)) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    // Whoever shares it with us made it so.
                    ErrorKind::WouldBlock => thread::sleep(FULL_PAUSE),
                    ErrorKind::BrokenPipe => self.is_gone = true,
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }
}

/// Our own stdout and stderr, past the buffers of the standard library, and whether they are the same file.
#[cfg(unix)]
fn own_streams() -> io::Result<([Sink; 2], bool)> {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let [out, err] = [stdout.metadata()?, stderr.metadata()?].map(|about| (about.dev(), about.ino(), about.rdev()));
    // Some systems have no numbers for pipes.
    let are_one = out == err && out.1 != 0;
    Ok(([Sink::new(stdout), Sink::new(stderr)], are_one))
}

#[cfg(not(unix))]
fn own_streams() -> io::Result<([Sink; 2], bool)> {
    Ok(([Sink::new(io::stdout()), Sink::new(io::stderr())], false))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a byte at a time, and is full or interrupted in between.
    struct Fussy {
        got: Arc<Mutex<Vec<u8>>>,
        calls: usize,
    }

    impl Write for Fussy {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.calls += 1;
            match self.calls % 3 {
                0 => Err(ErrorKind::WouldBlock.into()),
                1 => Err(ErrorKind::Interrupted.into()),
                _ => {
                    self.got.lock().unwrap().push(bytes[0]);
                    Ok(1)
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_byte_is_passed_on() {
        let got = Arc::new(Mutex::new(Vec::new()));
        Sink::new(Fussy { got: Arc::clone(&got), calls: 0 }).put(b"\0\xff\n\r\x1b").unwrap();
        assert_eq!(*got.lock().unwrap(), b"\0\xff\n\r\x1b");
    }

    #[test]
    fn where_nobody_reads_any_more_the_rest_is_dropped() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut sink = Sink::new(writer);
        sink.put(b"x").unwrap();
        assert!(sink.is_gone);
        sink.put(b"y").unwrap();
    }

    /// Waits until something has come as far as that, within limits.
    #[track_caller]
    fn until(mut is_there: impl FnMut() -> bool) {
        for _ in 0..2000 {
            if is_there() {
                return;
            }
            thread::sleep(FULL_PAUSE);
        }
        panic!("it never came that far");
    }

    /// The thread has read the first line and is kept from the tail when somebody else wants to read the second.
    #[cfg(unix)]
    #[test]
    fn what_was_read_first_comes_first_in_the_tail() {
        let relay = Relay(Arc::new(Shared::default()));
        relay.0.lock().tail = Tail::new(10);
        let (reader, mut writer) = io::pipe().unwrap();
        let look = reader.try_clone().unwrap();
        relay.pass(0, "stdout", reader, Sink::new(io::sink())).unwrap();
        // It may not be waiting for the first line yet: then that one goes by, and the next is the first.
        let mut state = 'reading: loop {
            let state = relay.0.lock();
            writer.write_all(b"first\n").unwrap();
            for _ in 0..20 {
                thread::sleep(FULL_PAUSE);
                if !has_more(&look) {
                    break 'reading state;
                }
            }
            drop(state);
            until(|| !has_more(&look));
        };
        writer.write_all(b"second\n").unwrap();
        drop(writer);
        // As long as it takes to let go of the pipe, if it lets go.
        for _ in 0..20 {
            if let Ok(mut pipe) = relay.0.pipes[0].try_lock() {
                state.take_ahead(0, pipe.as_mut().unwrap());
                break;
            }
            thread::sleep(FULL_PAUSE);
        }
        drop(state);
        until(|| relay.0.lock().open == 0);
        let text = String::from_utf8(relay.kept().text).unwrap();
        assert!(text.ends_with("first\nsecond"), "{text}");
    }
}
