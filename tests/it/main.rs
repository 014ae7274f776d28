//! The integration tests, one binary: what the program does as a whole, seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod architecture;
mod documents;
mod fake_itself;
mod payloads;
mod support;
