//! The options of every command.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};

use wecom_alert::config::Overrides;

// Options of every command, before or after it.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Config file [env: WECOM_ALERT_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
    /// Profile of the config file [env: WECOM_ALERT_PROFILE]
    #[arg(short = 'P', long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// Corp id of the app, not a secret [env: WECOM_ALERT_CORP_ID]
    #[arg(long, global = true, value_name = "ID")]
    corp_id: Option<String>,
    /// Agent id of the app [env: WECOM_ALERT_AGENT_ID]
    #[arg(long, global = true, value_name = "ID")]
    agent_id: Option<String>,
    /// WeCom's API, or a relay to it; default https://qyapi.weixin.qq.com [env: WECOM_ALERT_BASE_URL]
    #[arg(long, global = true, value_name = "URL")]
    base_url: Option<String>,
    /// http, https, socks5 or socks5h proxy; `none` ignores the proxy variables [env: WECOM_ALERT_PROXY]
    #[arg(long, global = true, value_name = "URL")]
    proxy: Option<String>,
    /// More trusted roots, beside the system's [env: WECOM_ALERT_CA_FILE]
    #[arg(long, global = true, value_name = "PEM", value_hint = ValueHint::FilePath)]
    ca_file: Option<PathBuf>,
    /// Limit for a connection to stand; default 5s [env: WECOM_ALERT_CONNECT_TIMEOUT]
    #[arg(long, global = true, value_name = "DURATION")]
    connect_timeout: Option<String>,
    /// Limit for an attempt without progress; default 10s [env: WECOM_ALERT_TIMEOUT]
    #[arg(long, global = true, value_name = "DURATION")]
    timeout: Option<String>,
    /// Limit for the whole command, once the input has been read; default 90s [env: WECOM_ALERT_DEADLINE]
    #[arg(long, global = true, value_name = "DURATION")]
    deadline: Option<String>,
    /// Pacing, shared by all processes with this state folder; default 20/1m per webhook, 30/1m per app and recipient
    /// [env: WECOM_ALERT_RATE]
    #[arg(long, global = true, value_name = "COUNT/DURATION|off")]
    rate: Option<String>,
    /// How often a request is repeated, 0 to 100; default 3 [env: WECOM_ALERT_RETRIES]
    #[arg(long, global = true, value_name = "N")]
    retries: Option<String>,
    /// Entries of the outbox that are older are not sent any more; default 24h, up to 720h
    /// [env: WECOM_ALERT_OUTBOX_MAX_AGE]
    #[arg(long, global = true, value_name = "DURATION")]
    outbox_max_age: Option<String>,
    /// How results are printed
    #[arg(long, global = true, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["text", "json"]))]
    output: Option<String>,
    /// Append one line of JSON for this command to a file; no text, no secret [env: WECOM_ALERT_LOG_FILE]
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath)]
    log_file: Option<PathBuf>,
    /// Print errors, `queued` and `partial` only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say each attempt on stderr, secrets masked
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Neither read nor write the token cache [env: WECOM_ALERT_NO_CACHE]
    #[arg(long, global = true)]
    no_cache: bool,
    /// Turn local rule failures into warnings; WeCom decides
    #[arg(long, global = true)]
    no_validate: bool,
    /// Check everything, print the request, send nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
}

impl GlobalArgs {
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            config: self.config.clone(),
            profile: self.profile.clone(),
            corp_id: self.corp_id.clone(),
            agent_id: self.agent_id.clone(),
            base_url: self.base_url.clone(),
            proxy: self.proxy.clone(),
            ca_file: self.ca_file.clone(),
            connect_timeout: self.connect_timeout.clone(),
            timeout: self.timeout.clone(),
            deadline: self.deadline.clone(),
            rate: self.rate.clone(),
            retries: self.retries.clone(),
            outbox_max_age: self.outbox_max_age.clone(),
            log_file: self.log_file.clone(),
            output: self.output.clone(),
            quiet: self.quiet,
            verbose: self.verbose,
            no_cache: self.no_cache,
            no_validate: self.no_validate,
            dry_run: self.dry_run,
            ..Overrides::default()
        }
    }
}
