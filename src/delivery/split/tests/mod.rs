//! Unit tests of splitting: examples, property tests, hostile texts. The expected structure is parsed here anew, not
//! with the code under test.

mod hostile;
mod literal;
mod property;
mod reading;
mod rendered;
mod shortened;

use crate::words::{Language, Words};

fn words() -> &'static Words {
    Language::English.words()
}
