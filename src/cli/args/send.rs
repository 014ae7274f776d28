//! The options of the sending commands: what to send and to whom.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use wecom_alert::channel::Channel;
use wecom_alert::config::Overrides;

use super::alert::AlertArgs;
use super::delivery::DeliveryArgs;
use super::offered::{ENCODINGS, Offered};

// Where the text comes from and how it is read.
#[derive(Args, Default)]
#[command(next_help_heading = "Message")]
pub(crate) struct ContentArgs {
    /// The text; without it, and without anything else to send, stdin is read
    #[arg(value_name = "CONTENT")]
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
    /// Upload a video (MP4) and send it, app only; `-` is stdin
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, group = "attached")]
    pub(crate) video: Option<PathBuf>,
    /// Send what was uploaded before, with -t image, voice, video or file
    #[arg(long, value_name = "ID", group = "attached")]
    pub(crate) media_id: Option<String>,
    /// Read \n, \t and \\ in CONTENT
    #[arg(long)]
    pub(crate) escapes: bool,
    /// Encoding of the input: auto, utf-8 or gb18030
    #[arg(long, value_name = "NAME", value_parser = ENCODINGS, hide_possible_values = true)]
    pub(crate) encoding: Option<String>,
    /// Succeed silently when the text is empty
    #[arg(long, conflicts_with = "if_empty")]
    pub(crate) skip_empty: bool,
    /// Send this when the text is empty
    #[arg(long, value_name = "TEXT")]
    pub(crate) if_empty: Option<String>,
    #[command(flatten)]
    pub(crate) feed: FeedArgs,
    #[command(flatten)]
    pub(crate) alert: AlertArgs,
}

// What machines send, and texts made of it.
#[derive(Args, Default)]
#[command(next_help_heading = "Input of machines")]
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

// What app messages alone have.
#[derive(Args)]
#[command(next_help_heading = "Recipients (repeatable; comma or | separated)")]
pub(crate) struct AppArgs {
    /// Member, or @all [env: WECOM_ALERT_TO_USER]
    #[arg(short = 'u', long, value_name = "ID")]
    to_user: Vec<String>,
    /// Department [env: WECOM_ALERT_TO_PARTY]
    #[arg(long, value_name = "ID")]
    to_party: Vec<String>,
    /// Tag [env: WECOM_ALERT_TO_TAG]
    #[arg(long, value_name = "ID")]
    to_tag: Vec<String>,
    /// Confidential: 1 with watermark, 2 inside the corp only (mpnews) [bare: 1]
    #[arg(long, value_name = "0|1|2", num_args = 0..=1, require_equals = true, default_missing_value = "1",
        help_heading = "Options of apps")]
    pub(crate) safe: Option<String>,
    /// Let WeCom replace `$userName=ID$` and the like
    #[arg(long, help_heading = "Options of apps")]
    pub(crate) id_trans: bool,
    /// Let WeCom drop the same message when it comes again within this time, up to 4h
    #[arg(long, value_name = "DURATION", help_heading = "Options of apps")]
    pub(crate) duplicate_check: Option<String>,
}

// Whom a message to a group calls.
#[derive(Args)]
#[command(next_help_heading = "Mentions")]
pub(crate) struct MentionArgs {
    /// Member to mention, or @all (repeatable)
    #[arg(long, value_name = "ID")]
    pub(crate) mention: Vec<String>,
    /// Mobile number to mention, or @all (repeatable)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) mention_mobile: Vec<String>,
    /// Where the type cannot mention: a short text behind it (default), a refusal, or nothing
    #[arg(long, value_name = "text|fail|ignore", value_parser = Offered(&["text", "fail", "ignore"]), hide_possible_values = true)]
    mention_fallback: Option<String>,
}

// `app-send`.
#[derive(Args)]
pub(crate) struct AppSendArgs {
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    /// text, markdown, image, voice, video, file, textcard, news, mpnews, miniprogram_notice, template_card
    #[arg(short = 't', long, value_name = "TYPE", help_heading = "Message", value_parser = Offered(Channel::App.facts().types), hide_possible_values = true)]
    pub(crate) msgtype: Option<String>,
    #[command(flatten)]
    pub(crate) app: AppArgs,
    /// Exit 0 although some recipients did not get it
    #[arg(long, help_heading = "Delivery")]
    pub(super) allow_partial: bool,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

// `webhook-send`.
#[derive(Args)]
pub(crate) struct WebhookSendArgs {
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    /// text, markdown, markdown_v2, image, news, file, voice, template_card
    #[arg(short = 't', long, value_name = "TYPE", help_heading = "Message", value_parser = Offered(Channel::Webhook.facts().types), hide_possible_values = true)]
    pub(crate) msgtype: Option<String>,
    #[command(flatten)]
    pub(crate) mentions: MentionArgs,
    /// Exit 0 although some parts did not arrive
    #[arg(long, help_heading = "Delivery")]
    pub(super) allow_partial: bool,
    #[command(flatten)]
    pub(super) delivery: DeliveryArgs,
}

impl AppArgs {
    pub(super) fn override_settings(&self, overrides: &mut Overrides) {
        overrides.to_user.clone_from(&self.to_user);
        overrides.to_party.clone_from(&self.to_party);
        overrides.to_tag.clone_from(&self.to_tag);
        overrides.safe.clone_from(&self.safe);
        overrides.id_trans = self.id_trans;
        overrides.duplicate_check.clone_from(&self.duplicate_check);
    }
}

impl MentionArgs {
    pub(super) fn override_settings(&self, overrides: &mut Overrides) {
        overrides.mention.clone_from(&self.mention);
        overrides.mention_mobile.clone_from(&self.mention_mobile);
        overrides.mention_fallback.clone_from(&self.mention_fallback);
    }
}

impl ContentArgs {
    pub(super) fn override_settings(&self, overrides: &mut Overrides) {
        overrides.encoding.clone_from(&self.encoding);
        overrides.escapes = self.escapes;
        overrides.skip_empty = self.skip_empty;
        overrides.if_empty.clone_from(&self.if_empty);
        self.alert.override_settings(overrides);
    }
}
