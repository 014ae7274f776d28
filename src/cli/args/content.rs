//! The options for what is sent: a text and where it comes from, files, machine input, what happened, and cards made of it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use strum::VariantArray;

use wecom_alert::alert::Level;
use wecom_alert::config::OptionGroup;
use wecom_alert::message::card::CardType;

use super::settings::{Offered, OrEmpty, SettingArgs, UnlessEmpty, path_parser, text_parser};

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
