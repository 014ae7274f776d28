//! The levels at which a value can be given, and a value that remembers its place.

/// Where a value was given; an earlier one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// On the command line.
    Option,
    /// In an environment variable.
    Environment,
    /// In the chosen profile of the config file.
    Profile,
    /// At the top level of the config file.
    TopLevel,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// For humans: `--corp-id`, `WECOM_ALERT_CORP_ID` or `corp_id of profile ops in /etc/wecom-alert/config.toml`.
    pub origin: String,
    /// At which level it was given.
    pub level: Level,
}
