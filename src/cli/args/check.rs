//! The options of `check`.

use clap::Args;
use clap::builder::PossibleValuesParser;

use wecom_alert::channel::Channel;

// `check`.
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// Check only the app or only the webhook; default: what the profile has
    #[arg(long, value_name = "ROUTE", value_parser = PossibleValuesParser::new(Channel::ALL.map(Channel::as_str)))]
    pub(crate) route: Option<String>,
    /// Send a test message too: to the profile's recipients, and to the group of its webhook
    #[arg(long)]
    pub(crate) send: bool,
}
