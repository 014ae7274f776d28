//! Sending alerts to WeCom (企业微信): to the members of a self-built app, to groups through their webhooks, to the group
//! chats of an app, and to members and groups by an aibot (智能机器人).
//!
//! This library is everything but the terminal: it never prints and never exits.
//!
//! Comments name pages of WeCom's documentation by number: "document path 90236" is
//! <https://developer.work.weixin.qq.com/document/path/90236>.
//!
//! # Map
//!
//! A room is a module: a file or folder of `src/`. It uses modules of its own layer and below.
//!
//! | Layer | Module | Job |
//! | :-- | :-- | :-- |
//! | 8 | `main.rs` | the process: arguments in, exit code out |
//! | 7 | `cli` | what people type and read: options, text and JSON output, help, manual |
//! | 6 | `run` | a command, run and watched |
//! | 6 | `batch` | many alerts, a line of JSON each, with a result for each |
//! | 6 | `ask` | a question on a card: sent, escalated, waited for, answered |
//! | 6 | `preview` | messages as a phone would show them, as a page |
//! | 6 | `listen` | presses on cards, received and handled by a program |
//! | 6 | `group_chat` | group chats that the app makes: created, described, changed |
//! | 6 | `recall` | messages of the app, taken back |
//! | 6 | `update_card` | an interactive card that was sent, changed |
//! | 6 | `check` | diagnosis: settings, network, credentials |
//! | 6 | `explain` | what an errcode or an exit code means, and what to do |
//! | 6 | `directory` | departments, members and tags of the corp, listed |
//! | 6 | `flush` | stored alerts of the outbox, delivered, listed, dropped |
//! | 5 | `send` | one alert to its targets: read, made into a message for each, sent, one outcome |
//! | 4 | `lookup` | userids of members by mobile number or mail address, with a cache that processes share |
//! | 4 | `delivery` | one message to one target: parts, uploads, retries, and what became of each part |
//! | 3 | `rate_limit` `cooldown` `outbox` `token` | what processes share, each over `store` |
//! | 3 | `cards` | interactive cards that were sent and the presses on them, on disk |
//! | 3 | `aibot` | the one connection of an aibot, which processes share |
//! | 2 | `api` | WeCom's endpoints, errcodes and their hints; the only code that uses the network |
//! | 2 | `callback` | what WeCom sends to a callback address: verified, decrypted, read |
//! | 2 | `shared_state` | what several machines share: a Redis or Valkey beside the files of `store` |
//! | 2 | `store` | files under a lock; the only code that writes state to disk |
//! | 1 | `channel` | one row of facts for each channel, one for each message type |
//! | 1 | `message` | contents of messages and the published rules for them |
//! | 1 | `alert` | one alert as content of any message type |
//! | 1 | `config` | options, environment and config file to settings |
//! | 1 | `input` `feed` `template` `ci` | texts and files read; notifications of monitoring systems; templates; facts of CI systems |
//! | 0 | `error` `event` `secret` `sanitize` `suggest` `address` `json` `sort` `clock` `process` `fingerprint` `blocking` | the ground floor: what any module may use |
//! | 0 | `words` | the program's own words in messages, in each language |
//!
//! # The way of one alert
//!
//! 1. `src/cli/request.rs` makes a request of the options; `src/config/resolve.rs` resolves the settings of each target.
//! 2. `src/send/read.rs` reads the text and makes the draft: an alert, a text, a payload or a file.
//! 3. `src/send/fan_out.rs` takes the targets one by one, `src/send/parts.rs` makes the parts of a message: alerts are
//!    rendered by `alert`, long text is split by `src/delivery/split/mod.rs`, every body is checked by `message`.
//! 4. With an outbox the message is stored before anything is sent.
//! 5. `src/delivery/courier.rs` asks `rate_limit` for a permit and `token` for a token, and calls `api`;
//!    `src/delivery/retry.rs` says whether and when a failed request is tried again.
//! 6. `src/delivery/account.rs` keeps the status of each part; outcome and stored progress are views of it.
//! 7. `src/send/combine.rs` makes one outcome of all targets, `src/cli/report.rs` prints it, and `src/error.rs` has the exit
//!    codes.
//!
//! # Rules
//!
//! No module depends on another one in a circle, nor does a file on another one of its module, and `tests/it/architecture.rs` reads the imports to
//! prove it. A channel is asked for a fact, never compared. `api` is given a token, and never retries, caches or sleeps.
//! What is pure (no clock, disk, network or environment) is listed in that test too.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod address;
#[cfg_attr(not(unix), allow(dead_code, unused_imports))]
pub mod aibot;
pub mod alert;
mod api;
pub mod ask;
pub mod batch;
mod blocking;
mod callback;
mod cards;
pub mod channel;
pub mod check;
pub mod ci;
pub mod clock;
pub mod config;
mod cooldown;
pub mod delivery;
pub mod directory;
pub mod error;
pub mod event;
pub mod explain;
mod feed;
pub mod fingerprint;
pub mod flush;
#[cfg(fuzzing)]
pub mod fuzz;
pub mod group_chat;
pub mod input;
mod json;
pub mod listen;
mod lookup;
pub mod message;
mod outbox;
pub mod preview;
pub mod process;
mod rate_limit;
pub mod recall;
pub mod run;
pub mod sanitize;
pub mod secret;
pub mod send;
mod shared_state;
pub mod sort;
pub mod store;
pub mod suggest;
mod template;
mod token;
pub mod update_card;
mod words;
