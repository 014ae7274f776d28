//! A command's output, passed on as it comes: read, added to the tail, written to where it would have gone without us.
//!
//! A thread per stream reads what there is and reads on when that is written, so a slow reader slows the command down as it
//! would without us, and no output accumulates. Where nobody reads any more, the thread goes on reading, so that the command
//! runs to its end.

use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::tail::{CapturedOutput, OutputStream, Tail};

/// How many bytes are read at one go: what a pipe holds on Linux.
const CHUNK: usize = 64 << 10;

/// No pipe holds more bytes. What is read beyond that after the command's end, others have written.
const LARGEST_PIPE: usize = 1 << 20;

/// How long others that got the pipe from the command may keep it open after its end. What the command itself wrote is in
/// the pipe by then and read at once.
const GRACE: Duration = Duration::from_secs(1);

/// The time between two checks of how far the threads are.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A thread that holds a pipe for so many polls is waiting for something to be written into it.
const POLLS: usize = 10;

/// The pause before another write to a reader whose pipe is full.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// What the threads that pass a command's output on share with those who wait for them.
#[derive(Debug, Default)]
pub struct OutputRelay {
    state: Mutex<RelayState>,
    /// The pipes from the command. Each is locked while it is read from, until what was read is in the tail: whoever locks
    /// it next reads what comes after that.
    pipes: [Mutex<Option<PipeReader>>; 2],
    stream_ended: Notify,
}

#[derive(Debug, Default)]
struct RelayState {
    tail: Tail,
    /// For each stream: what is in the tail and is still to be written.
    ahead: [Vec<u8>; 2],
    /// How many streams may still bring something.
    open: usize,
    /// How many streams are being written to, or wait for their reader.
    writing: usize,
    /// The command has ended.
    is_over: bool,
    /// Nothing more is passed on.
    is_stopped: bool,
    write_error: Option<String>,
    /// For each stream: the line that was passed on last has not ended.
    is_line_open: [bool; 2],
    /// Both streams are the same file.
    is_one_file: bool,
}

impl OutputRelay {
    /// Starts passing on, and returns the ends of the pipes for the command's stdout and stderr; the last `lines` lines are
    /// kept. Where our stdout and stderr are the same file, as with `2>&1`, both are one pipe, so that lines stay in order.
    pub(super) fn start(lines: usize) -> io::Result<(Arc<Self>, [PipeWriter; 2])> {
        let ([own_stdout, own_stderr], is_one_file) = own_streams()?;
        let state = RelayState { tail: Tail::new(lines), is_one_file, ..RelayState::default() };
        let relay = Arc::new(Self { state: Mutex::new(state), ..Self::default() });
        let (reader, stdout) = io::pipe()?;
        relay.pass_on(OutputStream::Stdout, reader, own_stdout)?;
        let stderr = if is_one_file {
            stdout.try_clone()?
        } else {
            let (reader, stderr) = io::pipe()?;
            relay.pass_on(OutputStream::Stderr, reader, own_stderr)?;
            stderr
        };
        Ok((relay, [stdout, stderr]))
    }

    fn pass_on(self: &Arc<Self>, stream: OutputStream, from: PipeReader, to: Sink) -> io::Result<()> {
        let relay = Arc::clone(self);
        *relay.pipe(stream) = Some(from);
        relay.state().open += 1;
        let started = thread::Builder::new().name(stream.to_string()).spawn(move || {
            relay.pump(stream, to);
            // A process that still writes gets an error, since the pipe is closed.
            relay.pipe(stream).take();
            relay.state().open -= 1;
            relay.stream_ended.notify_one();
        });
        started.map(drop)
    }

    /// Passes one stream on to its end, or until it is to stop.
    fn pump(&self, stream: OutputStream, mut to: Sink) {
        let mut buffer = vec![0; CHUNK];
        let mut late = 0;
        loop {
            let mut pipe = self.pipe(stream);
            let mut state = self.state();
            let ahead = std::mem::take(&mut state.ahead[stream as usize]);
            let chunk = if ahead.is_empty() {
                drop(state);
                let Some(from) = pipe.as_mut() else { return };
                let length = match from.read(&mut buffer) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Ok(0) | Err(_) => return,
                    Ok(length) => length,
                };
                state = self.state();
                late += if state.is_over { length } else { 0 };
                if state.is_stopped || late > LARGEST_PIPE {
                    return;
                }
                state.tail.push(stream, &buffer[..length]);
                &buffer[..length]
            } else {
                &ahead[..]
            };
            state.writing += 1;
            drop(state);
            drop(pipe);
            let written = write_all(&mut to, chunk);
            let mut state = self.state();
            state.writing -= 1;
            state.is_line_open[stream as usize] = written.is_ok() && !chunk.ends_with(b"\n");
            if let Err(error) = written {
                let message = || format!("not all of the command's {stream} could be passed on: {error}");
                state.write_error.get_or_insert_with(message);
            }
        }
    }

    /// Waits until what the command wrote has been passed on, however slow its reader is. Returns why not all could be; that
    /// a closed reader is no reason.
    pub async fn passed_on(&self) -> Option<String> {
        self.settle(Duration::MAX).await;
        self.state().write_error.clone()
    }

    /// Keeps why something is not passed on or read, unless something is known already.
    pub(super) fn warn(&self, why: String) {
        self.state().write_error.get_or_insert(why);
    }

    /// After the command's end: waits at most `patience` until what it wrote has been passed on, and returns whether it has.
    /// For others that keep the pipe open it waits no longer than [`GRACE`].
    pub(super) async fn settle(&self, patience: Duration) -> bool {
        self.state().is_over = true;
        // The time counts only while no reader keeps us waiting.
        let mut idle = Duration::ZERO;
        let settled = async {
            while !self.is_settled(&mut idle) {
                let _ = timeout(POLL_INTERVAL, self.stream_ended.notified()).await;
            }
        };
        timeout(patience, settled).await.is_ok()
    }

    /// After a panic: waits until what the command wrote has been passed on, for others that keep the pipe open no longer than
    /// [`GRACE`]. The lock may be held by the thread that broke.
    pub(super) fn drain(&self) {
        let until = Instant::now() + GRACE;
        while Instant::now() < until {
            if self.state.try_lock().is_ok_and(|state| state.open == 0) {
                return;
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn is_settled(&self, idle: &mut Duration) -> bool {
        let mut state = self.state();
        if state.writing == 0 {
            state.is_stopped |= *idle >= GRACE;
            *idle += POLL_INTERVAL;
        }
        state.open == 0 || state.is_stopped && state.writing == 0
    }

    /// After the command's end, where a reader keeps us waiting: takes what the command wrote last out of the pipes, so that
    /// it is among the last lines. It is passed on in its turn.
    pub(super) async fn read_ahead(&self) {
        for stream in [OutputStream::Stdout, OutputStream::Stderr] {
            for _ in 0..POLLS {
                if self.take_ahead(stream) {
                    break;
                }
                sleep(POLL_INTERVAL).await;
            }
        }
    }

    /// Takes what is in the pipe, without waiting for more; `false` if the thread holds the pipe.
    fn take_ahead(&self, stream: OutputStream) -> bool {
        let Ok(mut pipe) = self.pipes[stream as usize].try_lock() else { return false };
        let Some(pipe) = pipe.as_mut() else { return true };
        let mut state = self.state();
        let mut buffer = vec![0; CHUNK];
        while state.ahead[stream as usize].len() < LARGEST_PIPE && has_more(pipe) {
            let Ok(length @ 1..) = pipe.read(&mut buffer) else { break };
            state.tail.push(stream, &buffer[..length]);
            state.ahead[stream as usize].extend_from_slice(&buffer[..length]);
        }
        true
    }

    /// The last lines so far.
    pub(super) fn captured(&self) -> CapturedOutput {
        self.state().tail.finish()
    }

    /// Whether the last line on our stdout, and on our stderr, has not ended.
    pub fn open_lines(&self) -> [bool; 2] {
        let state = self.state();
        let [stdout, stderr] = state.is_line_open;
        [stdout, if state.is_one_file { stdout } else { stderr }]
    }

    fn state(&self) -> MutexGuard<'_, RelayState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pipe(&self, stream: OutputStream) -> MutexGuard<'_, Option<PipeReader>> {
        self.pipes[stream as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a read would bring something at once.
#[cfg(unix)]
fn has_more(pipe: &PipeReader) -> bool {
    rustix::io::ioctl_fionread(pipe).is_ok_and(|bytes| bytes > 0)
}

/// The system does not report it.
#[cfg(not(unix))]
fn has_more(_pipe: &PipeReader) -> bool {
    false
}

/// Our own stdout or stderr.
type Sink = Box<dyn Write + Send>;

/// Writes all of it. Where nobody reads any more, it and what comes later is dropped.
fn write_all(to: &mut Sink, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.write(bytes).and_then(|written| to.flush().map(|()| written)) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                // Another process that shares it made it non-blocking.
                ErrorKind::WouldBlock => thread::sleep(FULL_PAUSE),
                ErrorKind::BrokenPipe => *to = Box::new(io::sink()),
                _ => return Err(error),
            },
        }
    }
    Ok(())
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
    Ok(([Box::new(stdout), Box::new(stderr)], are_one))
}

#[cfg(not(unix))]
fn own_streams() -> io::Result<([Sink; 2], bool)> {
    Ok(([Box::new(io::stdout()), Box::new(io::stderr())], false))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that takes one byte per call, and fails with `WouldBlock` or `Interrupted` in between.
    struct ChoppyWriter {
        got: Arc<Mutex<Vec<u8>>>,
        calls: usize,
    }

    impl Write for ChoppyWriter {
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
        let mut sink: Sink = Box::new(ChoppyWriter { got: Arc::clone(&got), calls: 0 });
        write_all(&mut sink, b"\0\xff\n\r\x1b").unwrap();
        assert_eq!(*got.lock().unwrap(), b"\0\xff\n\r\x1b");
    }

    #[test]
    fn output_is_dropped_after_the_reader_has_gone() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut sink: Sink = Box::new(writer);
        write_all(&mut sink, b"x").unwrap();
        write_all(&mut sink, b"y").unwrap();
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

    /// The thread has read the first line and waits to add it to the tail; no other thread can read the second one meanwhile.
    #[cfg(unix)]
    #[test]
    fn output_that_was_read_first_comes_first_in_the_tail() {
        let state = RelayState { tail: Tail::new(10), ..RelayState::default() };
        let relay = Arc::new(OutputRelay { state: Mutex::new(state), ..OutputRelay::default() });
        let (reader, mut writer) = io::pipe().unwrap();
        let look = reader.try_clone().unwrap();
        relay.pass_on(OutputStream::Stdout, reader, Box::new(io::sink())).unwrap();
        // It may not be waiting for the first line yet: then that one goes by, and the next is the first.
        let state = 'reading: loop {
            let state = relay.state();
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
        for _ in 0..20 {
            assert!(relay.pipes[0].try_lock().is_err(), "the pipe was released before its text was in the tail");
            thread::sleep(FULL_PAUSE);
        }
        drop(state);
        until(|| relay.state().open == 0);
        let text = String::from_utf8(relay.captured().text).unwrap();
        assert!(text.ends_with("first\nsecond"), "{text}");
    }
}
