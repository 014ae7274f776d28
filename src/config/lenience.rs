//! What is done about a wrong value when an alert has to go out: nobody is there to correct it then.

use std::cell::{Cell, RefCell};

use super::setting::Setting;
use super::setting_row::Mistake;
use crate::error::{Result, Status};

/// How wrong values are taken. What a setting's wrong value may cause stands in its row: [`Mistake`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lenience {
    /// Each is an error: where nothing is sent, somebody can correct it.
    #[default]
    Strict,
    /// An alert is sent.
    Send,
    /// An alert is sent about a command that has ended: its exit code is not that of the settings.
    Run,
}

/// The mistakes that were passed over, one sentence each.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    pub(super) lenience: Lenience,
    told: RefCell<Vec<String>>,
    taken: Cell<usize>,
}

impl Mistakes {
    pub(super) fn new(lenience: Lenience) -> Self {
        Self { lenience, ..Self::default() }
    }

    /// Those of what comes after this: what was told is not told again.
    pub(super) fn after(&self) -> Self {
        let told = self.told.borrow().clone();
        Self { lenience: self.lenience, taken: Cell::new(told.len()), told: RefCell::new(told) }
    }

    /// `None` for an error that the alert need not fail of: the default is used then, and a warning says so.
    pub(super) fn pass_over<T>(&self, setting: Setting, is_option: bool, read: Result<T>) -> Result<Option<T>> {
        let error = match read {
            Ok(value) => return Ok(Some(value)),
            Err(error) => error,
        };
        let instead = match setting.row().mistake {
            Mistake::LeftOut => "it is left out",
            Mistake::Default if !is_option => "the default is used",
            Mistake::Default | Mistake::Stops => return Err(error),
        };
        // Defects are told as such.
        let is_wrong_value = matches!(error.status(), Status::Usage | Status::Config);
        if self.lenience == Lenience::Strict || !is_wrong_value {
            return Err(error);
        }
        self.tell(format!("{error}: {instead}"));
        Ok(None)
    }

    /// Adds a warning, once.
    pub(super) fn tell(&self, warning: String) {
        let mut told = self.told.borrow_mut();
        if !told.contains(&warning) {
            told.push(warning);
        }
    }

    /// The warnings that were not taken yet.
    pub(super) fn take(&self) -> Vec<String> {
        let told = self.told.borrow();
        told[self.taken.replace(told.len())..].to_vec()
    }
}
