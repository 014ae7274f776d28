//! Values that completions offer. Any other is taken here too: whoever reads the option judges it, with a hint of his own.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};

/// A word, with the usual ones to offer.
#[derive(Clone)]
pub(super) struct Offered<T: 'static = &'static str>(pub(super) &'static [T]);

pub(super) const LEVELS: Offered = Offered(&["info", "ok", "warning", "critical"]);
pub(super) const ENCODINGS: Offered = Offered(&["auto", "utf-8", "gb18030"]);

impl<T: Copy + Into<&'static str> + Send + Sync> TypedValueParser for Offered<T> {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|value| PossibleValue::new((*value).into()))))
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;
    use wecom_alert::alert::Level;

    use super::*;

    #[test]
    fn the_levels_are_those_that_there_are() {
        assert!(LEVELS.0.iter().copied().eq(Level::VARIANTS.iter().map(|level| level.as_str())));
    }
}
