//! Reads the lines of a batch in a thread of its own, many at a time, and no faster than they are taken.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::thread;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::line::LONGEST;
use crate::error::{Error, Result, hint_for};

/// How much is read at a time.
const CHUNK: usize = 64 << 10;

/// How many chunks may wait to be taken.
const WAITING: usize = 2;

/// A piece of the input.
pub(super) enum InputPiece {
    /// Whole lines.
    Lines(Vec<u8>),
    /// A line with more bytes than one may have; it was passed over.
    TooLong,
    /// It cannot be read any further.
    Failed(Error),
}

/// What the input is called.
pub(super) fn name_of(file: Option<&PathBuf>) -> String {
    file.map_or_else(|| "stdin".to_owned(), |path| path.display().to_string())
}

/// Begins to read a file, or stdin. The receiver ends where the input does.
pub(super) fn read(file: Option<PathBuf>) -> Result<Receiver<InputPiece>> {
    let (sender, receiver) = channel(WAITING);
    let reading = move || {
        let ended = match &file {
            Some(path) => File::open(path).and_then(|file| pass_on(file, &sender)),
            None => pass_on(io::stdin().lock(), &sender),
        };
        if let Err(error) = ended {
            let failed = Error::config(
                format!("{} cannot be read: {error}", name_of(file.as_ref())),
                hint_for(&error, "check the path, and what stdin is connected to"),
            );
            let _ = sender.blocking_send(InputPiece::Failed(failed));
        }
    };
    let started = thread::Builder::new().spawn(reading);
    started.map_err(|error| {
        Error::config(
            format!("the input cannot be read: {error}"),
            hint_for(&error, "allow this process more threads: ulimit -u"),
        )
    })?;
    Ok(receiver)
}

/// Passes lines on until the input ends, or nobody takes any more.
fn pass_on(mut input: impl Read, sender: &Sender<InputPiece>) -> io::Result<()> {
    // The beginning of a line.
    let mut rest: Vec<u8> = Vec::new();
    let mut is_skipping = false;
    loop {
        let mut begun = rest.len();
        rest.resize(begun + CHUNK, 0);
        let read = loop {
            match input.read(&mut rest[begun..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        rest.truncate(begun + read);
        if read == 0 {
            break;
        }
        if is_skipping {
            // The rest of a line that is too long.
            let end = rest.iter().position(|byte| *byte == b'\n');
            rest.drain(..end.map_or(rest.len(), |end| end + 1));
            (begun, is_skipping) = (0, end.is_none());
        }
        let piece = match rest[begun..].iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                let behind = rest.split_off(begun + end + 1);
                InputPiece::Lines(std::mem::replace(&mut rest, behind))
            }
            None if rest.len() > LONGEST => {
                (rest, is_skipping) = (Vec::new(), true);
                InputPiece::TooLong
            }
            None => continue,
        };
        if sender.blocking_send(piece).is_err() {
            return Ok(());
        }
    }
    if !rest.is_empty() {
        let _ = sender.blocking_send(InputPiece::Lines(rest));
    }
    Ok(())
}
