//! Sending alerts to WeCom (企业微信): to the members of a self-built app and to groups through their webhooks.
//!
//! This library is everything but the terminal: it never prints and never exits.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod alert;
mod api;
mod blocking;
pub mod channel;
pub mod check;
pub mod child;
pub mod ci;
pub mod clock;
pub mod config;
mod cooldown;
pub mod delivery;
pub mod error;
mod feed;
pub mod fingerprint;
pub mod flush;
#[cfg(fuzzing)]
pub mod fuzz;
pub mod harmless;
pub mod input;
pub mod message;
pub mod nearest;
pub mod notice;
mod outbox;
mod rate_limit;
pub mod run;
pub mod secret;
pub mod send;
pub mod store;
mod template;
mod token;
