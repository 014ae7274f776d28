//! The integration tests, one binary: what the program does as a whole, seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod aibot;
mod alert;
mod architecture;
mod ask;
#[cfg(unix)]
mod batch;
mod chat_send;
mod check;
mod ci;
mod ci_recipes;
mod concurrency;
mod config_init;
mod configuration;
mod cooldown;
mod credentials;
mod delivery;
mod directory;
mod document;
mod dry_run;
mod explain;
mod fake_itself;
mod feeds;
#[cfg(unix)]
mod fleet;
mod full_disk;
mod group_chat;
mod help;
mod hints;
#[cfg(unix)]
mod hooks;
mod kept_cards;
mod listen;
mod log_file;
mod long_text;
mod lookup;
mod network;
#[cfg(unix)]
mod outbox;
#[cfg(unix)]
mod packages;
mod payloads;
mod preview;
#[cfg(unix)]
mod progress_bar;
mod readmes;
mod recall;
mod recipients;
mod results;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod sandbox;
#[cfg(unix)]
mod second_signal;
mod sent;
#[cfg(target_os = "linux")]
mod shared_state;
#[cfg(unix)]
mod signals;
mod state_times;
mod support;
mod targets;
mod token_cache;
mod update_card;
#[cfg(unix)]
mod usage;
mod waits;
#[cfg(unix)]
mod words;
