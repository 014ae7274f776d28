//! What a person types: the commands, their options and help, and nothing else.

mod alert;
mod check;
mod delivery;
mod global;
mod manual;
mod offered;
mod outbox;
mod run;
mod send;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};

use wecom_alert::channel::Channel;
use wecom_alert::config::Overrides;

pub(crate) use alert::AlertArgs;
pub(crate) use check::CheckArgs;
pub(crate) use global::GlobalArgs;
pub(crate) use manual::{CompletionsArgs, ManArgs};
pub(crate) use outbox::{OutboxArgs, OutboxCommand, OutboxDropArgs};
pub(crate) use run::RunArgs;
pub(crate) use send::{AppArgs, AppSendArgs, ContentArgs, MentionArgs, WebhookSendArgs};

const EXIT_CODES: &str = "\
Exit codes:
  0 sent, ok, queued, skipped, dry_run    5 refused by WeCom (message, all recipients)
  1 a defect of this program              6 partial: some did not get it
  2 usage: options or message             7 temporary: try later
  3 config: settings, files, certificates 8 rate limited: try later
  4 auth: credentials, IP, permission     9 unknown: sent, but no answer came
  130, 143 stopped by SIGINT, SIGTERM, after saying what had been delivered
Credentials come from the config file or from WECOM_ALERT_CORP_ID, WECOM_ALERT_AGENT_ID,
WECOM_ALERT_SECRET[_FILE] and WECOM_ALERT_WEBHOOK[_FILE]; they are never options.";

/// Send alerts to WeCom (企业微信). Exit 0 means that WeCom took it, or that it is safely queued.
#[derive(Parser)]
#[command(name = "wecom-alert", version, after_help = EXIT_CODES, max_term_width = 100)]
#[command(propagate_version = true, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands. Their options are made only when they are asked for: a plain send needs those of one command.
///
/// What documents a command stands here alone. A documenting comment on its struct of options would take its place.
#[derive(Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// Send to members, departments and tags of a self-built app (message/send)
    #[command(after_help = "Example:\n  df -h | wecom-alert app-send -u zhangsan\n\n\
        Text that begins with - goes after --:  wecom-alert app-send -u zhangsan -- '-5 degrees'")]
    AppSend(Box<AppSendArgs>),
    /// Send to the group of a webhook (webhook/send)
    #[command(after_help = "Example:\n  wecom-alert webhook-send -t markdown '**disk full** on `web-3`'\n\n\
        Text that begins with - goes after --:  wecom-alert webhook-send -- '-5 degrees'")]
    WebhookSend(Box<WebhookSendArgs>),
    /// Upload a file and print its media_id, valid for 3 days
    #[command(
        after_help = "Example:\n  wecom-alert app-send -u zhangsan -t file --media-id \"$(wecom-alert upload-media --route app report.pdf)\""
    )]
    UploadMedia(UploadMediaArgs),
    /// Print a valid access token of the app
    #[command(after_help = "Example:\n  wecom-alert get-token -P ops > /dev/null && echo 'the credentials are good'")]
    GetToken(GetTokenArgs),
    /// Run a command, and alert when it fails; exits with the command's code
    #[command(after_help = "Example:\n  wecom-alert run --time-limit 2h -- backup.sh --all\n\n\
        Exit codes: the command's own; 128 and the signal that ended it; 124 at the time limit;\n  \
        127 if there is no such command, 126 if it cannot be started. With --alert-exit, the alert's if that fails.")]
    Run(Box<RunArgs>),
    /// Show, deliver or discard the alerts that could not go out yet
    #[command(after_help = "Example:\n  wecom-alert outbox flush")]
    Outbox(OutboxArgs),
    /// Look at everything that sending needs, and say what is wrong and what to do about it
    #[command(after_help = "Costs at most one gettoken and one agent/get.\n\n\
        Example:\n  wecom-alert check -P ops --send")]
    Check(CheckArgs),
    /// Print completions for a shell
    #[command(after_help = "Example:\n  wecom-alert completions bash > /etc/bash_completion.d/wecom-alert")]
    Completions(CompletionsArgs),
    /// Print a manual page: of the program, or of a command
    #[command(
        after_help = "Example:\n  wecom-alert man app-send > wecom-alert-app-send.1 && man ./wecom-alert-app-send.1"
    )]
    Man(ManArgs),
}

impl Command {
    pub(crate) const NAMES: [&str; 9] =
        ["app-send", "webhook-send", "run", "upload-media", "get-token", "check", "outbox", "completions", "man"];

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::AppSend(_) => "app-send",
            Self::WebhookSend(_) => "webhook-send",
            Self::UploadMedia(_) => "upload-media",
            Self::GetToken(_) => "get-token",
            Self::Run(_) => "run",
            Self::Outbox(_) => "outbox",
            Self::Check(_) => "check",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
        }
    }
}

// `upload-media`.
#[derive(Args)]
pub(crate) struct UploadMediaArgs {
    /// The file; `-` is stdin
    #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Whose media: an app's or a webhook's; default: the one the profile has
    #[arg(long, value_name = "ROUTE", value_parser = PossibleValuesParser::new(Channel::ALL.map(Channel::as_str)))]
    pub(crate) route: Option<String>,
    /// image, voice, video or file; default: by content
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// File name to show
    #[arg(long, value_name = "NAME")]
    pub(crate) filename: Option<String>,
}

// `get-token`.
#[derive(Args)]
pub(crate) struct GetTokenArgs {
    /// Ask WeCom for a new token even if the cached one is valid
    #[arg(long)]
    pub(crate) refresh: bool,
}

/// Options that few commands need: short help leaves them out.
const RARE: [&str; 46] = [
    "agent_id",
    "alert_exit",
    "allow_partial",
    "at_most_once",
    "base_url",
    "btntxt",
    "button",
    "ca_file",
    "connect_timeout",
    "cooldown_key",
    "corp_id",
    "data",
    "duplicate_check",
    "emphasis",
    "encoding",
    "escapes",
    "filename",
    "from",
    "id_trans",
    "if_empty",
    "jitter",
    "jump",
    "keep",
    "log_file",
    "media_id",
    "mention_fallback",
    "no_cache",
    "no_validate",
    "on_long",
    "on_rate_limit",
    "option",
    "outbox_max_age",
    "payload",
    "picurl",
    "proxy",
    "quote",
    "rate",
    "retries",
    "safe",
    "skip_empty",
    "source",
    "task_id",
    "template",
    "timeout",
    "video",
    "voice",
];

/// The definition of all commands with all their options.
pub(crate) fn definition() -> clap::Command {
    let mut root = Cli::command();
    root.build();
    root
}

/// Whether an option is a command's own: neither of all commands nor of the parser.
pub(crate) fn is_own(arg: &clap::Arg) -> bool {
    !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help" | "version")
}

/// Whether an option is one of those.
pub(crate) fn is_rare(arg: &clap::Arg) -> bool {
    RARE.contains(&arg.get_id().as_str())
}

impl Cli {
    /// The options as the configuration knows them.
    pub(crate) fn overrides(&self) -> Overrides {
        let mut overrides = self.global.overrides();
        match &self.command {
            Command::AppSend(args) => {
                args.content.override_settings(&mut overrides);
                overrides.msgtype.clone_from(&args.msgtype);
                args.app.override_settings(&mut overrides);
                overrides.allow_partial = args.allow_partial;
                args.delivery.override_settings(&mut overrides);
            }
            Command::WebhookSend(args) => {
                args.content.override_settings(&mut overrides);
                overrides.msgtype.clone_from(&args.msgtype);
                args.mentions.override_settings(&mut overrides);
                overrides.allow_partial = args.allow_partial;
                args.delivery.override_settings(&mut overrides);
            }
            Command::Run(args) => args.override_settings(&mut overrides),
            Command::UploadMedia(_) | Command::GetToken(_) | Command::Outbox(_) | Command::Check(_) => {}
            Command::Completions(_) | Command::Man(_) => {}
        }
        overrides
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_named() {
        let root = Cli::command();
        let mut defined: Vec<_> = root.get_subcommands().map(clap::Command::get_name).collect();
        let mut named = Command::NAMES;
        defined.sort_unstable();
        named.sort_unstable();
        assert_eq!(defined, named);
    }
}
