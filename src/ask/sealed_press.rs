//! A press as it is kept on disk, where others may write: only who knows the credential of its card can make one up. Pure.

use serde::{Deserialize, Serialize};

use crate::api::aibot::Press;

/// A press, and what proves where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SealedPress {
    pub(super) press: Press,
    /// It tells the press from others, too.
    pub(super) seal: String,
}

impl SealedPress {
    /// The press with the seal of a credential.
    pub(super) fn new(press: Press, seal: impl FnOnce(&[String]) -> String) -> Self {
        let seal = seal(&Self::parts(&press));
        Self { press, seal }
    }

    /// Whether this credential has sealed it.
    pub(super) fn is_of(&self, seal: impl FnOnce(&[String]) -> String) -> bool {
        seal(&Self::parts(&self.press)) == self.seal
    }

    fn parts(press: &Press) -> [String; 2] {
        ["press".to_owned(), serde_json::to_string(press).unwrap_or_default()]
    }
}
