//! The options that say what happened, whatever message type it becomes, and those of template cards.

use std::path::PathBuf;
use strum::VariantArray;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};

use wecom_alert::config::Overrides;
use wecom_alert::message::card::CardType;

use super::offered::LEVELS;

// What happened.
#[derive(Args, Default)]
#[command(next_help_heading = "Alert")]
pub(crate) struct AlertArgs {
    /// What happened, in a line
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// How bad it is: info, ok, warning or critical
    #[arg(long, value_name = "LEVEL", value_parser = LEVELS, hide_possible_values = true)]
    pub(crate) level: Option<String>,
    /// A fact, such as host=web-1 (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) field: Vec<String>,
    /// Where there is more to see
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Label of that link
    #[arg(long, value_name = "LABEL")]
    pub(crate) btntxt: Option<String>,
    /// Address of a picture, JPG or PNG
    #[arg(long, value_name = "URL")]
    pub(crate) picurl: Option<String>,
    /// Stands before title or text on every part; {host} and {profile} are replaced [env: WECOM_ALERT_PREFIX]
    #[arg(long, value_name = "TEXT")]
    pub(crate) prefix: Option<String>,
    /// Add repository, branch, commit, author, job, duration and the link of this CI run; NAME is github, gitlab, jenkins,
    /// gitee, coding, drone, woodpecker, travis, bitbucket, azure, buildkite or circleci [bare: auto]
    #[arg(long, value_name = "auto|NAME", num_args = 0..=1, require_equals = true, default_missing_value = "auto")]
    pub(crate) ci: Option<String>,
    /// A file to send behind the text (repeatable): JPG and PNG as pictures; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) attach: Vec<PathBuf>,
    /// File name to show (repeatable: one for each file, in order)
    #[arg(long, value_name = "NAME")]
    pub(crate) filename: Vec<String>,
    #[command(flatten)]
    pub(crate) card: CardArgs,
}

// A template card made of options.
#[derive(Args, Default)]
#[command(next_help_heading = "Template card")]
pub(crate) struct CardArgs {
    /// Send it as this card; those with `interaction` in the name are for apps
    #[arg(long, value_name = "TYPE", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(CardType::VARIANTS.iter().map(|card| card.as_str())))]
    pub(crate) card: Option<String>,
    /// Who speaks, at the top of the card
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// One large figure and what it counts, on a text_notice
    #[arg(long, value_name = "TITLE=DESC")]
    pub(crate) emphasis: Option<String>,
    /// A quotation
    #[arg(long, value_name = "TEXT")]
    pub(crate) quote: Option<String>,
    /// A further link, on a notice (repeatable, up to 3)
    #[arg(long, value_name = "TITLE=URL")]
    pub(crate) jump: Vec<String>,
    /// A button, on a button_interaction (repeatable, up to 6); STYLE is 1 to 4
    #[arg(long, value_name = "KEY=TEXT[:STYLE]")]
    pub(crate) button: Vec<String>,
    /// Something to choose, on a vote_interaction or multiple_interaction (repeatable)
    #[arg(long, value_name = "ID=TEXT")]
    pub(crate) option: Vec<String>,
    /// Names the card in events, new for each message; made up where it is not given
    #[arg(long, value_name = "ID")]
    pub(crate) task_id: Option<String>,
}

impl AlertArgs {
    pub(super) fn override_settings(&self, overrides: &mut Overrides) {
        overrides.title.clone_from(&self.title);
        overrides.url.clone_from(&self.url);
        overrides.btntxt.clone_from(&self.btntxt);
        overrides.picurl.clone_from(&self.picurl);
        overrides.prefix.clone_from(&self.prefix);
    }
}
