//! Lines that wait for slow targets, in one temporary file without a name: a linked list for each target.
//!
//! A record is as long as the next power of two, and its room is used again by one of that length, so that the file does not
//! grow with the input but with what waits at the same time.

use std::fs::File;
use std::io;
#[cfg(unix)]
use std::os::unix::fs::FileExt;

use crate::error::Error;

/// The room of the shortest record, as a power of two.
const SHORTEST: u32 = 8;

/// How many lengths there are.
const CLASSES: usize = 32;

/// What stands before the bytes of a line: where the next record is, the line's numbers, its length.
const HEAD: usize = 32;

/// Where no record is.
const NOWHERE: u64 = u64::MAX;

/// The file, made when the first line is put into it.
#[derive(Default)]
pub(super) struct Spill {
    file: Option<File>,
    end: u64,
    /// The first free record of each length; it leads to the next one.
    free: [Option<u64>; CLASSES],
    /// How many lines are in it.
    count: usize,
}

/// The lines of one target in the file, in order.
#[derive(Default)]
pub(super) struct Chain {
    ends: Option<(u64, u64)>,
}

/// A line in the file.
pub(super) struct Spilled {
    /// Its place among the lines that are sent.
    pub(super) sequence: u64,
    /// Its number in the input.
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

impl Chain {
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_none()
    }
}

impl Spill {
    /// Puts a line behind the others of its target.
    pub(super) fn push(&mut self, chain: &mut Chain, sequence: u64, number: u64, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(tempfile::tempfile()?);
        }
        let class = class_of(bytes.len());
        let at = match self.free[class as usize] {
            Some(free) => {
                let next = self.read_numbers(free)?[0];
                self.free[class as usize] = (next != NOWHERE).then_some(next);
                free
            }
            None => {
                let at = self.end;
                self.end += 1 << class;
                at
            }
        };
        let mut record = Vec::with_capacity(HEAD + bytes.len());
        for number in [NOWHERE, sequence, number, bytes.len() as u64] {
            record.extend_from_slice(&number.to_le_bytes());
        }
        record.extend_from_slice(bytes);
        self.write(at, &record)?;
        if let Some((_, last)) = chain.ends {
            self.write(last, &at.to_le_bytes())?;
        }
        chain.ends = Some((chain.ends.map_or(at, |(first, _)| first), at));
        self.count += 1;
        Ok(())
    }

    /// Takes the first line of a target out.
    pub(super) fn pop(&mut self, chain: &mut Chain) -> io::Result<Option<Spilled>> {
        let Some((first, last)) = chain.ends else { return Ok(None) };
        let [next, sequence, number, length] = self.read_numbers(first)?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        self.read(first + HEAD as u64, &mut bytes)?;
        chain.ends = (first != last).then_some((next, last));
        self.count -= 1;
        let class = class_of(length) as usize;
        if self.count == 0 {
            // Nothing is in it any more: it begins anew.
            (self.end, self.free) = (0, [None; CLASSES]);
            if let Some(file) = &self.file {
                file.set_len(0)?;
            }
        } else {
            self.write(first, &self.free[class].unwrap_or(NOWHERE).to_le_bytes())?;
            self.free[class] = Some(first);
        }
        Ok(Some(Spilled { sequence, number, bytes }))
    }

    fn read_numbers(&self, at: u64) -> io::Result<[u64; 4]> {
        let mut head = [0; HEAD];
        self.read(at, &mut head)?;
        let mut numbers = [0; 4];
        for (number, bytes) in numbers.iter_mut().zip(head.as_chunks::<8>().0) {
            *number = u64::from_le_bytes(*bytes);
        }
        Ok(numbers)
    }

    fn file(&self) -> io::Result<&File> {
        self.file.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    #[cfg(unix)]
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file()?.write_all_at(bytes, at)
    }

    #[cfg(unix)]
    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.file()?.read_exact_at(bytes, at)
    }

    #[cfg(not(unix))]
    fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        let mut file = self.file()?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }

    #[cfg(not(unix))]
    fn read(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file()?;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(bytes)
    }
}

/// The room of a line of this length, as a power of two.
fn class_of(length: usize) -> u32 {
    (HEAD + length).next_power_of_two().ilog2().max(SHORTEST)
}

/// Why lines that were to wait are lost.
pub(super) fn lost(error: &io::Error) -> Error {
    Error::config(
        format!("lines that waited in a temporary file cannot be read: {error}"),
        "check the disk of the folder for temporary files, and send the lines without a result again",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_target_gets_its_lines_in_order(
            steps in prop::collection::vec((0..4usize, prop::option::of(0..600usize)), 0..200)
        ) {
            let mut spill = Spill::default();
            let mut chains: [Chain; 4] = Default::default();
            let mut expected: [std::collections::VecDeque<(u64, usize)>; 4] = Default::default();
            for (step, (target, length)) in steps.into_iter().enumerate() {
                match length {
                    Some(length) => {
                        let bytes = vec![u8::try_from(target).unwrap(); length];
                        spill.push(&mut chains[target], step as u64, 7, &bytes).unwrap();
                        expected[target].push_back((step as u64, length));
                    }
                    None => {
                        let popped = spill.pop(&mut chains[target]).unwrap();
                        let popped = popped.map(|line| {
                            assert!(line.bytes.iter().all(|byte| usize::from(*byte) == target));
                            (line.sequence, line.bytes.len())
                        });
                        prop_assert_eq!(popped, expected[target].pop_front());
                    }
                }
                for (chain, expected) in chains.iter().zip(&expected) {
                    prop_assert_eq!(chain.is_empty(), expected.is_empty());
                }
            }
        }
    }

    #[test]
    fn room_is_used_again() {
        let (mut spill, mut slow, mut other) = (Spill::default(), Chain::default(), Chain::default());
        spill.push(&mut slow, 0, 0, b"stays").unwrap();
        for number in 0..1000 {
            spill.push(&mut other, number, number, &[b'x'; 300]).unwrap();
            spill.pop(&mut other).unwrap();
        }
        assert_eq!(spill.end, 256 + 512);
        assert_eq!(spill.pop(&mut slow).unwrap().unwrap().bytes, b"stays");
        assert_eq!(spill.file.as_ref().unwrap().metadata().unwrap().len(), 0);
    }
}
