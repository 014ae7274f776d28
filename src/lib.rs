//! Sending alerts to WeCom (企业微信): to the members of a self-built app and to groups through their webhooks.
//!
//! This library is everything but the terminal: it never prints and never exits.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod address;
pub mod alert;
mod api;
mod blocking;
pub mod channel;
pub mod check;
pub mod ci;
pub mod clock;
pub mod config;
mod cooldown;
pub mod delivery;
pub mod error;
pub mod event;
mod feed;
pub mod fingerprint;
pub mod flush;
#[cfg(fuzzing)]
pub mod fuzz;
pub mod input;
mod json;
pub mod message;
mod outbox;
pub mod process;
mod rate_limit;
pub mod run;
pub mod sanitize;
pub mod secret;
pub mod send;
pub mod store;
pub mod suggest;
mod template;
mod token;
