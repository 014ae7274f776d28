//! The options of the commands that send, and of `update-card`: what each has beside `content`. Those of settings are made of
//! their rows.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use strum::VariantNames;

use wecom_alert::channel::Channel;
use wecom_alert::config::OptionGroup;
use wecom_alert::run::On;

use super::Global;
use super::content::{AlertArgs, CardArgs, ContentArgs, FactArgs, FeedArgs};
use super::settings::{OrEmpty, SettingArgs, UnlessEmpty, channel_parser, path_parser, text_parser};

// `update-card`.
#[derive(Args)]
pub(crate) struct UpdateCardArgs {
    /// The text of the new card
    #[arg(value_name = "CONTENT", help_heading = None::<&str>, requires = "card")]
    pub(crate) content: Option<OsString>,
    /// Which card: as app-send gives it with --output json, or a click on the card. For one update, within 72 h
    #[arg(long, value_name = "CODE", help_heading = "Update")]
    pub(crate) response_code: Option<String>,
    /// Which card: the id that it was sent with, from this state folder, in the last 72 h; for all who got it
    #[arg(long = "task-id", value_name = "ID", conflicts_with = "response_code", help_heading = "Update")]
    pub(crate) sent_as: Option<String>,
    /// Only turn the button off, and show this on it: a button_interaction, vote_interaction or multiple_interaction
    #[arg(long, value_name = "TEXT", value_parser = text_parser(), help_heading = "Update")]
    pub(crate) replace_name: Option<String>,
    /// For all who got the card
    #[arg(long, help_heading = "Update")]
    pub(crate) all: bool,
    #[command(flatten)]
    _recipients: SettingArgs<{ OptionGroup::Recipients as u8 }>,
    /// Read the text from a file; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "content", requires = "card",
        help_heading = "New card")]
    pub(crate) text_file: Option<PathBuf>,
    /// JSON: the object under template_card; `-` is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["content", "text_file"],
        help_heading = "New card")]
    pub(crate) payload: Option<PathBuf>,
    #[command(flatten)]
    _escaping: SettingArgs<{ OptionGroup::Escaping as u8 }>,
    #[command(flatten)]
    _encodings: SettingArgs<{ OptionGroup::Encodings as u8 }>,
    #[command(flatten)]
    pub(crate) facts: FactArgs,
    #[command(flatten)]
    pub(crate) card: CardArgs,
    #[command(flatten)]
    _global: Global,
}

// `app-send`.
#[derive(Args)]
pub(crate) struct AppSendArgs {
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    _message_type: SettingArgs<{ OptionGroup::MessageType as u8 }>,
    #[command(flatten)]
    _recipients: SettingArgs<{ OptionGroup::Recipients as u8 }>,
    #[command(flatten)]
    _people: SettingArgs<{ OptionGroup::People as u8 }>,
    #[command(flatten)]
    _confidential: SettingArgs<{ OptionGroup::Confidential as u8 }>,
    #[command(flatten)]
    _app_message: SettingArgs<{ OptionGroup::AppMessage as u8 }>,
    #[command(flatten)]
    _delivery: SettingArgs<{ OptionGroup::Delivery as u8 }>,
    #[command(flatten)]
    _global: Global,
}

// `webhook-send`.
#[derive(Args)]
pub(crate) struct WebhookSendArgs {
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    _message_type: SettingArgs<{ OptionGroup::MessageType as u8 }>,
    #[command(flatten)]
    _mentions: SettingArgs<{ OptionGroup::Mentions as u8 }>,
    #[command(flatten)]
    _delivery: SettingArgs<{ OptionGroup::Delivery as u8 }>,
    #[command(flatten)]
    _global: Global,
}

// `chat-send`.
#[derive(Args)]
pub(crate) struct ChatSendArgs {
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    _message_type: SettingArgs<{ OptionGroup::MessageType as u8 }>,
    #[command(flatten)]
    _chat: SettingArgs<{ OptionGroup::Chat as u8 }>,
    #[command(flatten)]
    _confidential: SettingArgs<{ OptionGroup::Confidential as u8 }>,
    #[command(flatten)]
    _mentions: SettingArgs<{ OptionGroup::Mentions as u8 }>,
    #[command(flatten)]
    _delivery: SettingArgs<{ OptionGroup::Delivery as u8 }>,
    #[command(flatten)]
    _global: Global,
}

// `aibot-send`.
#[derive(Args)]
pub(crate) struct AibotSendArgs {
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    _message_type: SettingArgs<{ OptionGroup::MessageType as u8 }>,
    #[command(flatten)]
    _aibot: SettingArgs<{ OptionGroup::Aibot as u8 }>,
    #[command(flatten)]
    _mentions: SettingArgs<{ OptionGroup::Mentions as u8 }>,
    #[command(flatten)]
    _delivery: SettingArgs<{ OptionGroup::Delivery as u8 }>,
    #[command(flatten)]
    _global: Global,
}

// `preview`.
#[derive(Args)]
pub(crate) struct PreviewArgs {
    /// By which route: app, webhook, chat or aibot (repeatable); default: all that the profile has
    #[arg(long, value_name = "ROUTE", hide_possible_values = true, help_heading = "Page",
        value_parser = OrEmpty(channel_parser()))]
    pub(crate) route: Vec<UnlessEmpty<Channel>>,
    /// Write the page to a file; default: to stdout
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, value_parser = path_parser(),
        help_heading = "Page")]
    pub(crate) to_file: Option<PathBuf>,
    /// Show the page in the browser, from --to-file or a temporary file
    #[arg(long, help_heading = "Page")]
    pub(crate) open: bool,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
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

// `ask`.
#[derive(Args)]
#[command(next_help_heading = "Question")]
pub(crate) struct AskArgs {
    /// The text; without it, and without a title or a notification, stdin is read
    #[arg(value_name = "CONTENT", help_heading = None::<&str>)]
    pub(crate) content: Option<OsString>,
    /// By which route: aibot or app; default: the one the profile has, of both the aibot. By the others nothing can be pressed
    #[arg(long, value_name = "ROUTE", hide_possible_values = true,
        value_parser = OrEmpty(channel_parser()))]
    pub(crate) route: Option<UnlessEmpty<Channel>>,
    /// Pressing this one ends with exit code 11 (repeatable)
    #[arg(long, value_name = "KEY")]
    pub(crate) decline: Vec<String>,
    /// Two buttons, yes and no, which declines; a group needs --only or --anyone [bare: Approve,Reject]
    #[arg(long, value_name = "YES,NO", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) confirm: Option<String>,
    /// Whose press counts (repeatable, by comma too)
    #[arg(long, value_name = "ID")]
    pub(crate) only: Vec<String>,
    /// Whose press does not count (repeatable, by comma too)
    #[arg(long, value_name = "ID")]
    pub(crate) not: Vec<String>,
    /// Anybody in a group may press --confirm
    #[arg(long)]
    pub(crate) anyone: bool,
    /// How long it is open, up to 72h; default 10m, or the last step of --escalate and 10m
    #[arg(long, value_name = "DURATION")]
    pub(crate) wait: Option<String>,
    /// The card again after this time, as long as nobody has answered; at least 1m
    #[arg(long, value_name = "DURATION")]
    pub(crate) remind: Option<String>,
    #[command(flatten)]
    _steps: SettingArgs<{ OptionGroup::Asking as u8 }>,
    /// Tell this profile who answered what (repeatable)
    #[arg(long, value_name = "PROFILE[:CHANNEL]")]
    pub(crate) tell: Vec<String>,
    /// My own name for the question, to take it up again
    #[arg(long, value_name = "TEXT")]
    pub(crate) id: Option<String>,
    /// Let wecom-alert answer answer it too, although --confirm or --only is given
    #[arg(long)]
    pub(crate) allow_local_answer: bool,
    /// Hand question and plan to a running listen and end with 0 (asked, not answered)
    #[arg(long)]
    pub(crate) detach: bool,
    /// Read the text from a file; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "content", help_heading = "Message")]
    pub(crate) text_file: Option<PathBuf>,
    #[command(flatten)]
    _escaping: SettingArgs<{ OptionGroup::Escaping as u8 }>,
    #[command(flatten)]
    _encodings: SettingArgs<{ OptionGroup::Encodings as u8 }>,
    #[command(flatten)]
    _empty: SettingArgs<{ OptionGroup::Empty as u8 }>,
    #[command(flatten)]
    pub(crate) feed: FeedArgs,
    #[command(flatten)]
    pub(crate) alert: AlertArgs,
    #[command(flatten)]
    _recipients: SettingArgs<{ OptionGroup::Recipients as u8 }>,
    #[command(flatten)]
    _people: SettingArgs<{ OptionGroup::People as u8 }>,
    #[command(flatten)]
    _chat: SettingArgs<{ OptionGroup::Chat as u8 }>,
    #[command(flatten)]
    _delivery: SettingArgs<{ OptionGroup::Delivery as u8 }>,
    #[command(flatten)]
    _global: Global,
}

// `run`.
#[derive(Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// The command and its arguments, after --
    #[arg(last = true, required = true, value_name = "COMMAND", help_heading = None::<&str>)]
    pub(crate) command: Vec<OsString>,
    /// When to alert: failure (default), success, always, or change: the first failure and the recovery
    #[arg(long, value_name = "WHEN", hide_possible_values = true,
        value_parser = OrEmpty(PossibleValuesParser::new(On::VARIANTS)
            .try_map(|name| name.parse::<On>().map_err(|error| error.to_string()))))]
    pub(crate) on: Option<UnlessEmpty<On>>,
    /// By which route: app, webhook, chat or aibot; default: the one the profile has; with app and webhook the webhook, or the app
    /// where options name recipients
    #[arg(long, value_name = "ROUTE", hide_possible_values = true,
        value_parser = OrEmpty(channel_parser()))]
    pub(crate) route: Option<UnlessEmpty<Channel>>,
    /// What the alert calls it, and what --on change knows it by; default: the command
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// How many lines of its output the alert shows, 0 to 1000; default 20
    #[arg(long, value_name = "N", value_parser = OrEmpty(clap::value_parser!(u16).range(0..=1000)))]
    pub(crate) tail_lines: Option<UnlessEmpty<u16>>,
    /// Take the secrets of this program out of the command's environment, which it otherwise inherits
    #[arg(long)]
    pub(crate) clean_env: bool,
    /// Limit for the command itself: then SIGTERM, 10 s later SIGKILL; up to 30d. --deadline limits sending the alert
    #[arg(long, value_name = "DURATION")]
    pub(crate) time_limit: Option<String>,
    /// If the alert fails, exit with its code instead of the command's
    #[arg(long)]
    pub(crate) alert_exit: bool,
    #[command(flatten)]
    _encodings: SettingArgs<{ OptionGroup::Encodings as u8 }>,
    #[command(flatten)]
    _message_type: SettingArgs<{ OptionGroup::MessageType as u8 }>,
    #[command(flatten)]
    pub(crate) alert: AlertArgs,
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
