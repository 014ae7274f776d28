//! The options of the commands that send no alert.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use wecom_alert::channel::Channel;
use wecom_alert::config::OptionGroup;

use super::Global;
use super::settings::{OrEmpty, SettingArgs, UnlessEmpty, channel_parser, text_parser};

// `chat-create`. Ids of its own: the settings have a chat too.
#[derive(Args)]
pub(crate) struct ChatCreateArgs {
    /// The id, 1 to 32 of 0-9, a-z, A-Z. A chat that has it already is a success: a script may run twice
    #[arg(id = "chat_id", long = "chat", value_name = "ID")]
    pub(crate) chat: Option<String>,
    /// The name that members see, up to 50 characters
    #[arg(long, value_name = "NAME", value_parser = text_parser())]
    pub(crate) name: Option<String>,
    /// The owner; of a new chat a member too
    #[arg(long, value_name = "ID")]
    pub(crate) owner: Option<String>,
    /// A member (repeatable; comma or | separated), 2 to 1999 with the owner
    #[arg(long, value_name = "ID", required = true)]
    pub(crate) member: Vec<String>,
    /// Add members who are not in a chat that exists already; nobody is removed
    #[arg(long, requires = "chat_id")]
    pub(crate) sync: bool,
    /// First message to a chat that was just made: old clients show a chat only when there is one
    #[arg(long, value_name = "TEXT", value_parser = text_parser())]
    pub(crate) hello: Option<String>,
    #[command(flatten)]
    _global: Global,
}

// `chat-update`.
#[derive(Args)]
pub(crate) struct ChatUpdateArgs {
    /// The id that chat-create printed; default: chat of the settings
    #[arg(id = "chat_id", value_name = "ID")]
    pub(crate) chat: Option<String>,
    /// The name that members see, up to 50 characters
    #[arg(long, value_name = "NAME", value_parser = text_parser())]
    pub(crate) name: Option<String>,
    /// The owner; of a new chat a member too
    #[arg(long, value_name = "ID")]
    pub(crate) owner: Option<String>,
    /// A member to add (repeatable; comma or | separated)
    #[arg(long, value_name = "ID")]
    pub(crate) add: Vec<String>,
    /// A member to remove; an owner only together with --owner (repeatable; comma or | separated)
    #[arg(long, value_name = "ID")]
    pub(crate) remove: Vec<String>,
    #[command(flatten)]
    _global: Global,
}

// `listen`.
#[derive(Args)]
#[command(next_help_heading = "Listen")]
pub(crate) struct ListenArgs {
    /// Run for each press on a card, after --, with its arguments; without a shell
    #[arg(last = true, value_name = "PROGRAM", help_heading = None::<&str>)]
    pub(crate) program: Vec<OsString>,
    /// Hold the connection of the aibot; default: what the profile has
    #[arg(long)]
    pub(crate) aibot: bool,
    /// Where callbacks come in, behind the web server, at any path; default: callback_listen of the settings, or 127.0.0.1:8680
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) http: Option<String>,
    /// Take alerts by HTTP there: POST /PROFILE[:ROUTE]/alertmanager, /grafana or /send. Senders show accept_token of the settings;
    /// without it only 127.0.0.1 is possible
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) accept: Option<String>,
    /// Also for words written to the aibot, which anybody in the company can do
    #[arg(long)]
    pub(crate) messages: bool,
    /// Whose presses count (repeatable, by comma too)
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,
    /// Older presses are answered as expired; default 10m
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_age: Option<String>,
    /// How many programs run at a time, 1 to 256; default 4
    #[arg(long, value_name = "N", value_parser = OrEmpty(clap::value_parser!(u16).range(1..=256)))]
    pub(crate) jobs: Option<UnlessEmpty<u16>>,
    /// How long a program may take, then it is ended with all that it started; default 60s
    #[arg(long, value_name = "DURATION")]
    pub(crate) exec_timeout: Option<String>,
    // The settings have one too, which is about messages.
    /// Rather not handle a press than handle it twice, after a crash
    #[arg(id = "handle_at_most_once", long = "at-most-once")]
    pub(crate) at_most_once: bool,
    #[command(flatten)]
    _global: Global,
}

// `batch`.
#[derive(Args)]
#[command(next_help_heading = "Batch")]
pub(crate) struct BatchArgs {
    /// The file with the lines; without it stdin is read
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = None::<&str>)]
    pub(crate) file: Option<PathBuf>,
    /// The route of lines that name none: app, webhook, chat or aibot; default: the one the profile has
    #[arg(long, value_name = "ROUTE", hide_possible_values = true, value_parser = channel_parser())]
    pub(crate) route: Option<Channel>,
    /// How many requests are under way at once, 1 to 256; default 16
    #[arg(long, value_name = "N", value_parser = OrEmpty(clap::value_parser!(u16).range(1..=256)))]
    pub(crate) jobs: Option<UnlessEmpty<u16>>,
    /// Print results in the order of the lines
    #[arg(long)]
    pub(crate) keep_order: bool,
    /// Let lines name files: attach, image, file, voice, video, text_file, template, and data and payload by path
    #[arg(long)]
    pub(crate) allow_files: bool,
    #[command(flatten)]
    _encodings: SettingArgs<{ OptionGroup::Encodings as u8 }>,
    #[command(flatten)]
    _message_type: SettingArgs<{ OptionGroup::MessageType as u8 }>,
    #[command(flatten)]
    _recipients: SettingArgs<{ OptionGroup::Recipients as u8 }>,
    #[command(flatten)]
    _people: SettingArgs<{ OptionGroup::People as u8 }>,
    #[command(flatten)]
    _chat: SettingArgs<{ OptionGroup::Chat as u8 }>,
    #[command(flatten)]
    _confidential: SettingArgs<{ OptionGroup::Confidential as u8 }>,
    #[command(flatten)]
    _app_message: SettingArgs<{ OptionGroup::AppMessage as u8 }>,
    #[command(flatten)]
    _mentions: SettingArgs<{ OptionGroup::Mentions as u8 }>,
    #[command(flatten)]
    _delivery: SettingArgs<{ OptionGroup::Delivery as u8 }>,
    #[command(flatten)]
    _global: Global,
}

// `upload-media`.
#[derive(Args)]
pub(crate) struct UploadMediaArgs {
    /// The file; `-` is stdin
    #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Whose media: an app's, which its group chats take too, or a webhook's; default: the one the profile has
    #[arg(long, value_name = "ROUTE", value_parser = channel_parser())]
    pub(crate) route: Option<Channel>,
    /// image, voice, video or file; default: by content
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// File name to show
    #[arg(long, value_name = "NAME")]
    pub(crate) filename: Option<String>,
    #[command(flatten)]
    _global: Global,
}

// What there is about the config file.
#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Ask for credentials, write a config file and files with secrets, and check them
    #[command(
        after_help = "Answers are lines of stdin; secrets are not shown while they are typed. Nothing is written over.\n\n\
        Example:\n  wecom-alert config init"
    )]
    Init {
        #[command(flatten)]
        _global: Global,
    },
    /// Print an example of a config file with every setting
    #[command(after_help = "Example:\n  wecom-alert config example | less")]
    Example {
        #[command(flatten)]
        _global: Global,
    },
}

// What to do with the alerts that could not go out yet.
#[derive(Subcommand)]
pub(crate) enum OutboxCommand {
    /// Show what waits, and what WeCom refused for good
    #[command(
        after_help = "Example:\n  wecom-alert outbox list --exit-code > /dev/null || echo 'alerts were not delivered'"
    )]
    List {
        /// Exit with 7 while something waits, or was given up and is still there
        #[arg(long)]
        exit_code: bool,
        #[command(flatten)]
        _global: Global,
    },
    /// Show one alert: its text, its parts and what became of them
    #[command(after_help = "Example:\n  wecom-alert outbox show 20261121T101530.123Z-4711-kqzvbd")]
    Show {
        /// The id that `outbox list` shows
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        _global: Global,
    },
    /// Deliver what waits, in order
    #[command(after_help = "Example, for a crontab:\n  3-59/5 * * * *  wecom-alert -q outbox flush")]
    Flush {
        /// Try again, too, what was refused for good or became too old
        #[arg(long)]
        failed: bool,
        /// Send more than 5 texts of one target, type and mentions as one message, each with its time
        #[arg(long)]
        digest: bool,
        #[command(flatten)]
        _global: Global,
    },
    /// Discard entries
    #[command(after_help = "Example:\n  wecom-alert outbox drop --failed")]
    Drop(OutboxDropArgs),
}

// `outbox drop`.
#[derive(Args)]
pub(crate) struct OutboxDropArgs {
    #[command(flatten)]
    pub(crate) chosen: ChosenEntries,
    #[command(flatten)]
    _global: Global,
}

// Which entries to discard: one of these.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ChosenEntries {
    /// Entries by the id that `outbox list` shows
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Everything
    #[arg(long)]
    pub(crate) all: bool,
    /// What WeCom refused for good or what became too old
    #[arg(long)]
    pub(crate) failed: bool,
}
