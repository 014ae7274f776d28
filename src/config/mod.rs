//! Settings: config file, environment and command-line overrides become one [`Settings`].
//!
//! Everything about names, places and precedence is here. After [`Config::resolve`] no code reads a flag, a variable or a file,
//! except that credentials are read when they are needed, by [`SecretSource::load`]. No clap types, no printing, no
//! network.

mod choice;
mod config_file;
mod credential;
mod env;
mod escalation;
mod file;
mod groups;
mod layers;
mod lenience;
mod parse;
mod profile;
mod program;
mod proxy;
mod recipients;
mod report_settings;
mod resolve;
mod setting;
mod setting_row;
mod settings;
mod shared_state_url;
mod sources;
mod starter;
#[cfg(test)]
mod tests;
mod urls;
mod value;
mod webhook_key;

pub use choice::{CooldownScope, Keep, Language, MentionFallback, OnLong, OnRateLimit, Output, TargetName};
pub use config_file::{Exposure, config_file_to_make, exposed_secret, who_may_read};
pub use credential::SecretSource;
pub use env::Environment;
pub use escalation::{EscalationStep, LONGEST_WAIT_HOURS};
pub use layers::Overrides;
pub use lenience::Lenience;
pub use parse::{Rate, parse_duration_up_to};
pub use program::Program;
pub use proxy::{ProxyUrl, is_excepted};
pub use recipients::{ConversationSettings, RecipientSettings};
pub use report_settings::{ReportSettings, report_settings};
pub(crate) use resolve::CONTENT;
pub use setting::Setting;
pub use setting_row::{Mistake, OptionGroup, SettingRow, ValueKind};
pub(crate) use settings::DEFAULT_LISTEN;
pub use settings::{CallbackSettings, ProxySetting, Settings};
pub use shared_state_url::SharedStateUrl;
pub use sources::{Config, asked_deadline};
pub use starter::Starter;
pub use urls::BaseUrl;
pub use value::{Precedence, RawValue, Sourced};
pub use webhook_key::Webhook;
