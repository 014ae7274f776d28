//! The integration tests, one binary: what the program does as a whole, seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod architecture;
#[cfg(unix)]
mod bar;
mod concurrency;
mod configuration;
mod credentials;
mod document;
mod dry_run;
mod fake_itself;
mod hints;
mod network;
mod payloads;
mod readmes;
mod recipients;
mod results;
mod sent;
#[cfg(unix)]
mod signals;
mod support;
mod token_cache;
