//! Holds what can be read only once, so that it has a size and can be read again: in an unlinked temporary file, or in
//! memory where there is none to be had.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::open::unreadable;
use crate::error::{Error, Result};

/// The most bytes taken from stdin, a FIFO or a device: 20 MiB, the largest media limit (document path 90253).
pub(crate) const MAX_SPOOLED: u64 = 20 << 20;

/// Where the bytes ended up.
#[derive(Debug)]
pub(super) enum Spooled<F = File> {
    File(F),
    Memory(Vec<u8>),
}

/// Reads to the end, at most [`MAX_SPOOLED`] bytes; returns where they are and how many.
pub(super) fn spool(reader: impl Read, name: &str) -> Result<(Spooled, u64)> {
    spool_into(tempfile::tempfile().ok(), reader, name)
}

fn spool_into<F: Read + Write + Seek>(temp: Option<F>, reader: impl Read, name: &str) -> Result<(Spooled<F>, u64)> {
    let place = temp.map_or_else(|| Spooled::Memory(Vec::new()), Spooled::File);
    let mut spool = Spool { place, size: 0 };
    io::copy(&mut reader.take(MAX_SPOOLED + 1), &mut spool).map_err(|error| unreadable(name, &error))?;
    if spool.size > MAX_SPOOLED {
        return Err(Error::usage(
            format!("{name} has more than {MAX_SPOOLED} bytes: at most 20 MiB can be uploaded"),
            "compress or shorten it",
        ));
    }
    Ok((spool.place, spool.size))
}

struct Spool<F> {
    place: Spooled<F>,
    size: u64,
}

impl<F: Read + Write + Seek> Write for Spool<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Spooled::File(file) = &mut self.place
            && file.write_all(bytes).is_err()
        {
            // A full disk: what it holds so far is taken back.
            let mut memory = Vec::new();
            file.seek(SeekFrom::Start(0))?;
            file.take(self.size).read_to_end(&mut memory)?;
            self.place = Spooled::Memory(memory);
        }
        if let Spooled::Memory(memory) = &mut self.place {
            memory.extend_from_slice(bytes);
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
            let (place, size) = spool_into(Some(disk), &content[..], "stdin").unwrap();
            let Spooled::Memory(bytes) = place else { panic!("not in memory with room for {room}") };
            assert_eq!((bytes, size), (content.clone(), 100_000), "{room}");
        }
    }

    #[test]
    fn a_disk_with_room_is_used() {
        let disk = SmallDisk(Cursor::new(Vec::new()), 100_000);
        let (place, _) = spool_into(Some(disk), &pattern(100_000)[..], "stdin").unwrap();
        assert!(matches!(place, Spooled::File(disk) if disk.0.get_ref() == &pattern(100_000)));
    }

    #[test]
    fn works_without_any_disk() {
        let (place, size) = spool_into::<File>(None, &b"abc"[..], "stdin").unwrap();
        assert!(matches!(place, Spooled::Memory(bytes) if bytes == b"abc"));
        assert_eq!(size, 3);
    }

    #[test]
    fn the_limit_is_exact_and_an_endless_source_is_left_alone() {
        let (_, size) = spool(io::repeat(1).take(MAX_SPOOLED), "stdin").unwrap();
        assert_eq!(size, MAX_SPOOLED);
        let error = spool(io::repeat(1), "stdin").unwrap_err();
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
        let error = spool(Failing, "stdin").unwrap_err();
        assert_eq!(error.status(), Status::Config);
        assert_eq!(error.message(), "stdin could not be read: unplugged");
    }
}
