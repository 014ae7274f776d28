//! What a person types: the options, their help, and nothing else.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueHint};

use wecom_alert::config::Overrides;

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

/// Send alerts to WeCom (企业微信). Exit 0 means that WeCom took it.
#[derive(Parser)]
#[command(name = "wecom-alert", version, after_help = EXIT_CODES, max_term_width = 100)]
#[command(propagate_version = true, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Subcommand)]
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
}

impl Command {
    pub(crate) const NAMES: [&str; 4] = ["app-send", "webhook-send", "upload-media", "get-token"];

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::AppSend(_) => "app-send",
            Self::WebhookSend(_) => "webhook-send",
            Self::UploadMedia(_) => "upload-media",
            Self::GetToken(_) => "get-token",
        }
    }
}

/// Options of every command, before or after it.
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
    /// Pacing of all processes of this machine, for a later release: checked, not yet applied [env: WECOM_ALERT_RATE]
    #[arg(long, global = true, value_name = "COUNT/DURATION|off")]
    rate: Option<String>,
    /// How results are printed
    #[arg(long, global = true, value_name = "FORMAT", value_parser = PossibleValuesParser::new(["text", "json"]))]
    output: Option<String>,
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

/// Where the text comes from and how it is read.
#[derive(Args)]
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
    /// File name to show
    #[arg(long, value_name = "NAME")]
    pub(crate) filename: Option<String>,
    /// Title of a textcard, a video or an article
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Link of a textcard or an article
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Label of a textcard's link
    #[arg(long, value_name = "LABEL")]
    pub(crate) btntxt: Option<String>,
    /// Picture of an article
    #[arg(long, value_name = "URL")]
    pub(crate) picurl: Option<String>,
    /// Read \n, \t and \\ in CONTENT
    #[arg(long)]
    pub(crate) escapes: bool,
    /// Encoding of the input: auto, utf-8 or gb18030
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<String>,
    /// Succeed silently when the text is empty
    #[arg(long, conflicts_with = "if_empty")]
    pub(crate) skip_empty: bool,
    /// Send this when the text is empty
    #[arg(long, value_name = "TEXT")]
    pub(crate) if_empty: Option<String>,
}

/// `app-send`.
#[derive(Args)]
pub(crate) struct AppSendArgs {
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    /// text, markdown, image, voice, video, file, textcard, news, mpnews, miniprogram_notice, template_card
    #[arg(short = 't', long, value_name = "TYPE", help_heading = "Message")]
    pub(crate) msgtype: Option<String>,
    /// Member, or @all [env: WECOM_ALERT_TO_USER]
    #[arg(short = 'u', long, value_name = "ID", help_heading = "Recipients (repeatable; comma or | separated)")]
    to_user: Vec<String>,
    /// Department [env: WECOM_ALERT_TO_PARTY]
    #[arg(long, value_name = "ID", help_heading = "Recipients (repeatable; comma or | separated)")]
    to_party: Vec<String>,
    /// Tag [env: WECOM_ALERT_TO_TAG]
    #[arg(long, value_name = "ID", help_heading = "Recipients (repeatable; comma or | separated)")]
    to_tag: Vec<String>,
    /// Confidential: 1 with watermark, 2 inside the corp only (mpnews) [bare: 1]
    #[arg(long, value_name = "0|1|2", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    pub(crate) safe: Option<String>,
    /// Let WeCom replace `$userName=ID$` and the like
    #[arg(long)]
    pub(crate) id_trans: bool,
    /// Let WeCom drop the same message when it comes again within this time, up to 4h
    #[arg(long, value_name = "DURATION")]
    pub(crate) duplicate_check: Option<String>,
    /// Exit 0 although some recipients did not get it
    #[arg(long)]
    allow_partial: bool,
}

/// `webhook-send`.
#[derive(Args)]
pub(crate) struct WebhookSendArgs {
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    /// text, markdown, markdown_v2, image, news, file, voice, template_card
    #[arg(short = 't', long, value_name = "TYPE", help_heading = "Message")]
    pub(crate) msgtype: Option<String>,
    /// Member to mention, or @all (repeatable; text only)
    #[arg(long, value_name = "ID", help_heading = "Mentions")]
    pub(crate) mention: Vec<String>,
    /// Mobile number to mention, or @all (repeatable; text only)
    #[arg(long, value_name = "NUMBER", help_heading = "Mentions")]
    pub(crate) mention_mobile: Vec<String>,
    /// Exit 0 although some parts did not arrive
    #[arg(long)]
    allow_partial: bool,
}

/// `upload-media`.
#[derive(Args)]
pub(crate) struct UploadMediaArgs {
    /// The file; `-` is stdin
    #[arg(value_name = "FILE|-", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Whose media: an app's or a webhook's; default: the one the profile has
    #[arg(long, value_name = "ROUTE", value_parser = PossibleValuesParser::new(["app", "webhook"]))]
    pub(crate) route: Option<String>,
    /// image, voice, video or file; default: by content
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// File name to show
    #[arg(long, value_name = "NAME")]
    pub(crate) filename: Option<String>,
}

/// `get-token`.
#[derive(Args)]
pub(crate) struct GetTokenArgs {
    /// Ask WeCom for a new token even if the cached one is valid
    #[arg(long)]
    pub(crate) refresh: bool,
}

impl Cli {
    /// The options as the configuration knows them.
    pub(crate) fn overrides(&self) -> Overrides {
        let mut overrides = self.global.overrides();
        match &self.command {
            Command::AppSend(args) => {
                args.content.override_settings(&mut overrides);
                overrides.msgtype.clone_from(&args.msgtype);
                overrides.to_user.clone_from(&args.to_user);
                overrides.to_party.clone_from(&args.to_party);
                overrides.to_tag.clone_from(&args.to_tag);
                overrides.safe.clone_from(&args.safe);
                overrides.id_trans = args.id_trans;
                overrides.duplicate_check.clone_from(&args.duplicate_check);
                overrides.allow_partial = args.allow_partial;
            }
            Command::WebhookSend(args) => {
                args.content.override_settings(&mut overrides);
                overrides.msgtype.clone_from(&args.msgtype);
                overrides.mention.clone_from(&args.mention);
                overrides.mention_mobile.clone_from(&args.mention_mobile);
                overrides.allow_partial = args.allow_partial;
            }
            Command::UploadMedia(_) | Command::GetToken(_) => {}
        }
        overrides
    }
}

impl GlobalArgs {
    fn overrides(&self) -> Overrides {
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

impl ContentArgs {
    fn override_settings(&self, overrides: &mut Overrides) {
        overrides.encoding.clone_from(&self.encoding);
        overrides.escapes = self.escapes;
        overrides.skip_empty = self.skip_empty;
        overrides.if_empty.clone_from(&self.if_empty);
        overrides.title.clone_from(&self.title);
        overrides.url.clone_from(&self.url);
        overrides.btntxt.clone_from(&self.btntxt);
        overrides.picurl.clone_from(&self.picurl);
    }
}
