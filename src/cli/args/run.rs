//! The options of `run`: the command, when to alert, and what of it.

use std::ffi::OsString;

use clap::Args;
use clap::builder::PossibleValuesParser;

use wecom_alert::channel::Channel;
use wecom_alert::config::Overrides;

use super::alert::AlertArgs;
use super::delivery::DeliveryArgs;
use super::offered::ENCODINGS;
use super::send::{AppArgs, MentionArgs};

// `run`.
#[derive(Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// The command and its arguments, after --
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
    /// When to alert: failure (default), success, always, or change: the first failure and the recovery
    #[arg(long, value_name = "WHEN", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(["failure", "success", "always", "change"]))]
    pub(crate) on: Option<String>,
    /// By which route: app or webhook; default: the one the profile has; with both the webhook, or the app where options name
    /// recipients
    #[arg(long, value_name = "ROUTE", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(Channel::ALL.map(Channel::as_str)))]
    pub(crate) route: Option<String>,
    /// What the alert calls it, and what --on change knows it by; default: the command
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How many lines of its output the alert shows, 0 to 1000; default 20
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) tail_lines: Option<u16>,
    /// End the command after this: SIGTERM, 10 s later SIGKILL; up to 720h
    #[arg(long, value_name = "DURATION")]
    pub(crate) time_limit: Option<String>,
    /// If the alert fails, exit with its code instead of the command's
    #[arg(long)]
    pub(crate) alert_exit: bool,
    /// Encoding of the output: auto, utf-8 or gb18030
    #[arg(long, value_name = "NAME", value_parser = ENCODINGS, hide_possible_values = true)]
    encoding: Option<String>,
    /// Message type; default: the best one for the alert
    #[arg(short = 't', long, value_name = "TYPE", help_heading = "Message")]
    pub(crate) msgtype: Option<String>,
    #[command(flatten)]
    pub(crate) alert: AlertArgs,
    #[command(flatten)]
    pub(crate) app: AppArgs,
    #[command(flatten)]
    pub(crate) mentions: MentionArgs,
    /// Count an alert as sent although some recipients or parts did not get it
    #[arg(long, help_heading = "Delivery")]
    allow_partial: bool,
    #[command(flatten)]
    delivery: DeliveryArgs,
}

impl RunArgs {
    pub(super) fn override_settings(&self, overrides: &mut Overrides) {
        overrides.msgtype.clone_from(&self.msgtype);
        overrides.encoding.clone_from(&self.encoding);
        overrides.allow_partial = self.allow_partial;
        self.alert.override_settings(overrides);
        self.app.override_settings(overrides);
        self.mentions.override_settings(overrides);
        self.delivery.override_settings(overrides);
    }
}
