//! The definition of the command line: commands, options and help. The commands stand in `subcommand`, their options in
//! `content`, `send` and `commands`, those of settings in `settings`.

mod commands;
mod content;
mod send;
mod settings;
mod subcommand;

use clap::{CommandFactory, Parser};

use wecom_alert::config::{OptionGroup, Setting};

pub(crate) use commands::{BatchArgs, ChosenEntries, ConfigCommand, OutboxCommand};
pub(crate) use content::{AlertArgs, CardArgs, ContentArgs, FactArgs};
pub(crate) use send::{AskArgs, RunArgs, UpdateCardArgs};
use settings::SettingArgs;
pub(crate) use settings::{overrides, variable_of};
pub(crate) use subcommand::Command;

const EXIT_CODES: &str = "\
Exit codes:
  0  sent, ok, queued, skipped, dry_run, asked or answered
  1  error: a defect of this program
  2  usage: wrong options or message; nothing was sent
  3  config: settings, credentials, files, certificates; nothing was sent
  4  auth: WeCom refuses these credentials, this IP or this permission
  5  refused: WeCom refuses the message or all its recipients
  6  partial: some recipients or parts did not get it
  7  temporary: no connection; try later
  8  rate_limited: try later
  9  unknown: sent, but no answer came
  10  unanswered: of ask alone; nobody pressed in time
  11  declined: of ask alone; somebody pressed no
  130, 143  interrupted by SIGINT, SIGTERM
wecom-alert explain CODE says more about an exit code or an errcode of WeCom.

Credentials are never options. They come from the config file, or from
WECOM_ALERT_CORP_ID, WECOM_ALERT_AGENT_ID, WECOM_ALERT_SECRET[_FILE],
WECOM_ALERT_WEBHOOK[_FILE], WECOM_ALERT_AIBOT_ID and _AIBOT_SECRET[_FILE].";

/// Send alerts to WeCom (企业微信). Exit 0 means that WeCom accepted it, or that it is safely queued.
#[derive(Parser)]
#[command(name = "wecom-alert", version, after_help = EXIT_CODES, max_term_width = 80)]
#[command(propagate_version = true, subcommand_required = true)]
#[command(disable_help_flag = true, disable_version_flag = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    _global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options of every command: the last field of each, so that help shows them last.
type Global = SettingArgs<{ OptionGroup::Global as u8 }>;

/// Options that few commands need, beside those of settings: short help leaves them out.
const RARE: [&str; 17] = [
    "alert_exit",
    "button",
    "clean_env",
    "data",
    "emphasis",
    "filename",
    "from",
    "jump",
    "media_id",
    "option",
    "payload",
    "quote",
    "source",
    "task_id",
    "template",
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
    let name = arg.get_id().as_str();
    let is_global = name.parse().is_ok_and(|setting: Setting| setting.row().group == OptionGroup::Global);
    !is_global && !matches!(name, "help" | "version")
}

/// Whether few calls of a command need an option. What is pressed is what `ask` is about.
pub(crate) fn is_rare(command: &str, arg: &clap::Arg) -> bool {
    let name = arg.get_id().as_str();
    if command == "ask" && matches!(name, "button" | "option") {
        return false;
    }
    RARE.contains(&name) || name.parse().is_ok_and(|setting: Setting| setting.row().is_rare)
}

#[cfg(test)]
mod tests {
    use wecom_alert::channel::Channel;

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

    #[test]
    fn help_names_every_exit_code_with_its_status() {
        for row in &wecom_alert::error::EXIT_CODES {
            let code = row.code.to_string();
            let line = EXIT_CODES.lines().find(|line| line.split([' ', ',']).any(|word| word == code));
            let line = line.unwrap_or_else(|| panic!("{code} is missing"));
            for status in row.statuses {
                assert!(line.contains(status.as_str()), "{line}: {status:?}");
            }
        }
    }

    #[test]
    fn help_names_the_message_types_of_the_channel() {
        let root = definition();
        for channel in Channel::ALL {
            let command = root.find_subcommand(channel.facts().command).unwrap();
            let msgtype = command.get_arguments().find(|arg| arg.get_id() == "msgtype").unwrap();
            let help = msgtype.get_help().unwrap().to_string();
            let mut told: Vec<_> = help.split(", ").collect();
            let mut types: Vec<_> = channel.facts().types.iter().map(|msgtype| msgtype.as_str()).collect();
            told.sort_unstable();
            types.sort_unstable();
            assert_eq!(told, types);
        }
    }
}
