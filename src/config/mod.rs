//! Settings: config file, environment and command-line overrides become one [`Settings`].
//!
//! Everything about names, places and precedence is here. After [`resolve`] no code reads a flag, a variable or a file,
//! except that credentials are read when they are needed, by [`SecretSource::load`]. No clap types, no printing, no
//! network.

mod base_url;
mod choice;
mod credential;
mod duration;
mod env;
mod file;
mod glance;
mod key;
mod layer;
mod level;
mod origin;
mod overrides;
mod permissions;
mod profile;
mod proxy;
mod resolve;
mod search;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod webhook_key;

pub use base_url::BaseUrl;
pub use choice::{Keep, MentionFallback, OnLong, OnRateLimit, TargetName};
pub use credential::SecretSource;
pub use duration::{Rate, parse_duration_up_to};
pub use env::Environment;
pub use glance::{Glance, glance};
pub use level::{Level, Sourced};
pub use overrides::Overrides;
pub use permissions::{Exposure, who_may_read};
pub use proxy::ProxyUrl;
pub use resolve::{Config, resolve};
pub use settings::{Output, ProxySetting, Recipients, Settings};
pub use target::resolve_target;
pub use webhook_key::Webhook;
