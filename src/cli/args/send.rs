//! The options of the commands that send: what to send, what happened, what to run. Those of settings are made of their rows.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use strum::{VariantArray, VariantNames};

use wecom_alert::alert::Level;
use wecom_alert::channel::Channel;
use wecom_alert::config::OptionGroup;
use wecom_alert::message::card::CardType;
use wecom_alert::run::On;

use super::Global;
use super::settings::{Offered, OrEmpty, SettingArgs, UnlessEmpty, channel_parser, path_parser, text_parser};

// Where the text comes from and how it is read.
#[derive(Args)]
#[command(next_help_heading = "Message")]
pub(crate) struct ContentArgs {
    /// The text; without it, and without anything else to send, stdin is read
    #[arg(value_name = "CONTENT", help_heading = None::<&str>)]
    pub(crate) content: Option<OsString>,
    /// Read the text from a file; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "content")]
    pub(crate) text_file: Option<PathBuf>,
    /// JSON: the object under the msgtype, or a whole body with msgtype; `-` is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["content", "text_file"])]
    pub(crate) payload: Option<PathBuf>,
    /// Upload a picture (JPG, PNG) and send it; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, group = "attached")]
    pub(crate) image: Option<PathBuf>,
    /// Upload a file and send it; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, group = "attached")]
    pub(crate) file: Option<PathBuf>,
    /// Upload a voice recording (AMR) and send it; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, group = "attached")]
    pub(crate) voice: Option<PathBuf>,
    /// Upload a video (MP4) and send it, not by webhook; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, group = "attached")]
    pub(crate) video: Option<PathBuf>,
    /// Send what was uploaded before, with -t image, voice, video or file
    #[arg(long, value_name = "ID", group = "attached")]
    pub(crate) media_id: Option<String>,
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
}

// What machines send, and texts made of it.
#[derive(Args)]
#[command(next_help_heading = "Machine input")]
pub(crate) struct FeedArgs {
    /// stdin, or --data, is a notification of alertmanager or grafana
    #[arg(long, value_name = "FORMAT", value_parser = Offered(&["alertmanager", "grafana"]), hide_possible_values = true)]
    pub(crate) from: Option<String>,
    /// JSON for --from or --template; `-` is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) data: Option<PathBuf>,
    /// Make the text of a template (Jinja) and JSON; one named .json makes a payload
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) template: Option<PathBuf>,
}

// What happened, in words.
#[derive(Args)]
#[command(next_help_heading = "Alert")]
pub(crate) struct FactArgs {
    #[command(flatten)]
    _titles: SettingArgs<{ OptionGroup::Titles as u8 }>,
    /// How bad it is: info, ok, warning or critical; words like warn, error, P1 and 严重 are known too
    #[arg(long, value_name = "LEVEL", value_parser = Offered(Level::VARIANTS), hide_possible_values = true)]
    pub(crate) level: Option<String>,
    /// A fact, such as host=web-1 (repeatable)
    #[arg(long, value_name = "KEY=VALUE", value_parser = text_parser())]
    pub(crate) field: Vec<String>,
    #[command(flatten)]
    _links: SettingArgs<{ OptionGroup::LinksAndPrefix as u8 }>,
}

// What happened, with files, as a message of any type.
#[derive(Args)]
#[command(next_help_heading = "Alert")]
pub(crate) struct AlertArgs {
    #[command(flatten)]
    pub(crate) facts: FactArgs,
    /// Add repository, branch, commit, author, job, duration and the link of this CI run; NAME is github, gitlab, jenkins,
    /// gitee, coding, drone, woodpecker, travis, bitbucket, azure, buildkite or circleci [bare: auto]
    #[arg(long, value_name = "auto|NAME", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    pub(crate) ci: Option<String>,
    /// A file to send behind the text (repeatable): JPG and PNG as pictures; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, value_parser = path_parser())]
    pub(crate) attach: Vec<PathBuf>,
    /// File name to show (repeatable: one for each file, in order)
    #[arg(long, value_name = "NAME", value_parser = text_parser())]
    pub(crate) filename: Vec<String>,
    #[command(flatten)]
    pub(crate) card: CardArgs,
    /// Names the card in events, new for each message; made up where it is not given
    #[arg(long, value_name = "ID", help_heading = "Template card")]
    pub(crate) task_id: Option<String>,
}

// A template card made of options.
#[derive(Args)]
#[command(next_help_heading = "Template card")]
pub(crate) struct CardArgs {
    /// Send it as this card; those with `interaction` in the name are for apps and aibots
    #[arg(long, value_name = "TYPE", hide_possible_values = true,
        value_parser = OrEmpty(PossibleValuesParser::new(CardType::VARIANTS.iter().map(|card| card.as_str()))))]
    pub(crate) card: Option<UnlessEmpty<String>>,
    /// The source, shown at the top of the card
    #[arg(long, value_name = "NAME", value_parser = text_parser())]
    pub(crate) source: Option<String>,
    /// One large figure and what it counts, on a text_notice
    #[arg(long, value_name = "TITLE=DESC", value_parser = text_parser())]
    pub(crate) emphasis: Option<String>,
    /// A quotation
    #[arg(long, value_name = "TEXT", value_parser = text_parser())]
    pub(crate) quote: Option<String>,
    /// A further link, on a notice (repeatable, up to 3)
    #[arg(long, value_name = "TITLE=URL", value_parser = text_parser())]
    pub(crate) jump: Vec<String>,
    /// A button, on a button_interaction (repeatable, up to 6); STYLE is 1 to 4
    #[arg(long, value_name = "KEY=TEXT[:STYLE]", value_parser = text_parser())]
    pub(crate) button: Vec<String>,
    /// Something to choose, on a vote_interaction or multiple_interaction, or beside buttons (repeatable)
    #[arg(long, value_name = "ID=TEXT", value_parser = text_parser())]
    pub(crate) option: Vec<String>,
}

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
