//! The options of `check`.

use clap::Args;
use clap::builder::PossibleValuesParser;

/// Look at everything that sending needs, and say what is wrong and what to do about it
#[derive(Args)]
pub(crate) struct CheckArgs {
    /// Check only the app or only the webhook; default: what the profile has
    #[arg(long, value_name = "ROUTE", value_parser = PossibleValuesParser::new(["app", "webhook"]))]
    pub(crate) route: Option<String>,
    /// Send a test message too: to the profile's recipients, and to the group of its webhook
    #[arg(long)]
    pub(crate) send: bool,
}
