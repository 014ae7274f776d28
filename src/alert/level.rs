//! How bad something is: its name, its word, its colours.

use crate::error::{Error, Result};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For the record.
    Info,
    /// All is well, or well again.
    Ok,
    /// Somebody should look.
    Warning,
    /// Somebody must act.
    Critical,
}

impl Level {
    /// All levels, from calm to loud.
    pub const ALL: [Self; 4] = [Self::Info, Self::Ok, Self::Warning, Self::Critical];

    /// The name in options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The level of that name, in either case.
    ///
    /// # Errors
    ///
    /// Usage, for any other name.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(name)).ok_or_else(|| {
            Error::usage(
                format!("--level {name:?} is no level"),
                "write --level info, --level ok, --level warning or --level critical",
            )
        })
    }

    /// The word before the title: all that a type without colours shows.
    pub fn label(self) -> &'static str {
        match self {
            Self::Info => "[INFO]",
            Self::Ok => "[OK]",
            Self::Warning => "[WARNING]",
            Self::Critical => "[CRITICAL]",
        }
    }

    /// The font colour in `markdown`: grey, green or orange, for there is no red (document path 90236).
    pub fn font_color(self) -> &'static str {
        match self {
            Self::Info => "comment",
            Self::Ok => "info",
            Self::Warning | Self::Critical => "warning",
        }
    }

    /// Whether somebody has to do something.
    pub fn is_alarm(self) -> bool {
        matches!(self, Self::Warning | Self::Critical)
    }
}
