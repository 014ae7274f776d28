//! The options that say how an alert is to arrive: waiting, long texts, further targets, the outbox.

use clap::Args;

use wecom_alert::config::Overrides;

use super::offered::Offered;

// Options of the sending commands alone.
#[derive(Args)]
#[command(next_help_heading = "Delivery")]
pub(crate) struct DeliveryArgs {
    /// Repeat only what cannot have arrived; without an answer end as unknown
    #[arg(long)]
    at_most_once: bool,
    /// At the rate limit: wait (default), fail, or leave it in the outbox
    #[arg(long, value_name = "wait|fail|outbox", value_parser = Offered(&["wait", "fail", "outbox"]), hide_possible_values = true)]
    on_rate_limit: Option<String>,
    /// First wait a random time up to this, before the deadline's clock starts [env: WECOM_ALERT_JITTER]
    #[arg(long, value_name = "DURATION")]
    jitter: Option<String>,
    /// A text over the limit; default auto: up to 5 parts, else head and tail with the whole text as a file
    #[arg(long, value_name = "auto|split|truncate|file|fail", hide_possible_values = true,
        value_parser = Offered(&["auto", "split", "truncate", "file", "fail"]))]
    on_long: Option<String>,
    /// What --on-long truncate leaves; default both
    #[arg(long, value_name = "head|tail|both", value_parser = Offered(&["head", "tail", "both"]), hide_possible_values = true)]
    keep: Option<String>,
    /// Send it to this profile as well (repeatable)
    #[arg(long, value_name = "PROFILE[:app|:webhook]")]
    also: Vec<String>,
    /// Send it to this profile if the first target cannot be reached
    #[arg(long, value_name = "PROFILE[:app|:webhook]")]
    fallback: Option<String>,
    /// Store it before the first attempt and keep it until WeCom took it; see wecom-alert outbox
    /// [env: WECOM_ALERT_OUTBOX]
    #[arg(long)]
    outbox: bool,
    /// Hold back the same alert for this time
    #[arg(long, value_name = "DURATION")]
    cooldown: Option<String>,
    /// What counts as the same alert for --cooldown; default: the same target and text
    #[arg(long, value_name = "KEY")]
    cooldown_key: Option<String>,
}

impl DeliveryArgs {
    pub(super) fn override_settings(&self, overrides: &mut Overrides) {
        overrides.at_most_once = self.at_most_once;
        overrides.on_rate_limit.clone_from(&self.on_rate_limit);
        overrides.jitter.clone_from(&self.jitter);
        overrides.on_long.clone_from(&self.on_long);
        overrides.keep.clone_from(&self.keep);
        overrides.also.clone_from(&self.also);
        overrides.fallback.clone_from(&self.fallback);
        overrides.outbox = self.outbox;
        overrides.cooldown.clone_from(&self.cooldown);
        overrides.cooldown_key.clone_from(&self.cooldown_key);
    }
}
