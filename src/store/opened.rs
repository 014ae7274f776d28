//! Makes folders and files in an open folder. A reader sees a file when it is whole, and a group can use it from the first
//! moment on, whenever this process is killed: what is made gets its name last.

use std::fs::{File, Metadata};
use std::io;

use super::dir::{Dir, OpenFor, refused, set_mode};
use super::owner::Owner;

/// Files that are being written begin with this.
const TEMPORARY: &str = ".tmp";

/// So many letters follow it.
const TEMPORARY_LETTERS: usize = 12;

/// A folder that is open.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) dir: Dir,
    pub(super) owner: Owner,
}

impl Opened {
    /// What the file system says of a file in it, if it may be used.
    pub(super) fn check(&self, file: &File) -> io::Result<Metadata> {
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(refused("it is a folder"));
        }
        self.owner.check(&about)?;
        Ok(about)
    }

    /// Makes a folder in it; that it exists is no error. A group must be able to use it from the first moment on, even if
    /// this process is killed: so it gets its name last.
    pub(super) fn make_folder(&self, name: &str) -> io::Result<()> {
        let made = if self.owner.is_group {
            let draft = temporary_name();
            self.dir.make_folder(&draft)?;
            let named = self.dir.open_in(&draft).and_then(|made| made.set_mode(0o2770));
            let named = named.and_then(|()| self.dir.rename_to_new(&draft, name));
            named.inspect_err(|_| drop(self.dir.remove(&draft)))
        } else {
            self.dir.make_folder(name)
        };
        made.or_else(|error| if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) })
    }

    /// Opens an empty file in it; where another process has made it meanwhile, that one.
    pub(super) fn make_file(&self, name: &str) -> io::Result<File> {
        let made = if self.owner.is_group {
            let draft = self.draft()?;
            let file = draft.file.try_clone()?;
            draft.name_it_anew(name).map(|()| file)
        } else {
            self.dir.open_file(name, OpenFor::Create)
        };
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.dir.open_file(name, OpenFor::Write),
            made => made,
        }
    }

    pub(super) fn draft(&self) -> io::Result<NewFile<'_>> {
        let name = temporary_name();
        let file = self.dir.open_file(&name, OpenFor::Create)?;
        let draft = NewFile { opened: self, name, file, is_named: false };
        if self.owner.is_group {
            set_mode(&draft.file, 0o660)?;
        }
        Ok(draft)
    }
}

/// A new file, which its readers see when it gets its name. If it gets none, it is removed.
pub(super) struct NewFile<'o> {
    opened: &'o Opened,
    name: String,
    pub(super) file: File,
    is_named: bool,
}

impl NewFile<'_> {
    /// Gives it its name; a file of that name is replaced.
    pub(super) fn name_it(mut self, name: &str) -> io::Result<()> {
        self.opened.dir.rename(&self.name, &self.opened.dir, name)?;
        self.is_named = true;
        Ok(())
    }

    /// The same, but fails with `AlreadyExists` if there is a file of that name.
    fn name_it_anew(mut self, name: &str) -> io::Result<()> {
        self.opened.dir.rename_to_new(&self.name, name)?;
        self.is_named = true;
        Ok(())
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if !self.is_named {
            let _ = self.opened.dir.remove(&self.name);
        }
    }
}

pub(super) fn temporary_name() -> String {
    TEMPORARY.chars().chain(std::iter::repeat_with(fastrand::lowercase).take(TEMPORARY_LETTERS)).collect()
}

/// Whether it may be the name of a file that is being written, or that a killed process left.
pub(super) fn is_temporary(name: &str) -> bool {
    let letters = name.strip_prefix(TEMPORARY).unwrap_or_default();
    !letters.is_empty()
        && letters.len() <= TEMPORARY_LETTERS
        && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
