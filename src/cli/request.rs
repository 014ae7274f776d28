//! What a person typed becomes a plain request for the library.

use wecom_alert::channel::Channel;
use wecom_alert::flush::Selection;
use wecom_alert::message::media::MediaKind;
use wecom_alert::run::{On, RunRequest};
use wecom_alert::send::{AlertFields, Given, MessageInput, Request, UploadRequest};

use super::args::{
    AlertArgs, AppArgs, AppSendArgs, ContentArgs, MentionArgs, OutboxDropArgs, RunArgs, UploadMediaArgs,
    WebhookSendArgs,
};

impl From<AppSendArgs> for Request {
    fn from(args: AppSendArgs) -> Self {
        let request = of_content(Channel::App, args.content);
        let given = with_app(request.given, &args.app);
        Self { msgtype: args.msgtype, given, ..request }
    }
}

impl From<WebhookSendArgs> for Request {
    fn from(args: WebhookSendArgs) -> Self {
        let request = of_content(Channel::Webhook, args.content);
        let given = with_mentions(request.given, &args.mentions);
        Self { msgtype: args.msgtype, given, ..request }
    }
}

impl From<RunArgs> for RunRequest {
    fn from(args: RunArgs) -> Self {
        let on = match args.on.as_deref() {
            Some("success") => On::Success,
            Some("always") => On::Always,
            Some("change") => On::Change,
            _ => On::Failure,
        };
        let (input, alert, given) = of_alert(args.alert);
        let given = with_mentions(with_app(given, &args.app), &args.mentions);
        // Its channel is found from the settings.
        let request = Request::new(Channel::App);
        let alert = Request { msgtype: args.msgtype, input, alert, given, ..request };
        Self {
            command: args.command,
            on,
            channel: channel_named(args.route.as_deref()),
            name: args.name,
            tail_lines: args.tail_lines,
            time_limit: args.time_limit,
            alert_exit: args.alert_exit,
            alert,
        }
    }
}

impl From<UploadMediaArgs> for UploadRequest {
    fn from(args: UploadMediaArgs) -> Self {
        let channel = channel_named(args.route.as_deref());
        Self { file: args.file, channel, kind: args.kind, filename: args.filename }
    }
}

impl From<OutboxDropArgs> for Selection {
    fn from(args: OutboxDropArgs) -> Self {
        Self { ids: args.ids, all: args.all, failed: args.failed }
    }
}

/// The channel of that name; the parser knows the names.
pub(super) fn channel_named(name: Option<&str>) -> Option<Channel> {
    Channel::from_name(name?)
}

fn of_content(channel: Channel, args: ContentArgs) -> Request {
    let (input, alert, given) = of_alert(args.alert);
    let files = [
        (MediaKind::Image, args.image),
        (MediaKind::File, args.file),
        (MediaKind::Voice, args.voice),
        (MediaKind::Video, args.video),
    ];
    let input = MessageInput {
        text: args.content,
        text_file: args.text_file,
        payload: args.payload,
        file: files.into_iter().find_map(|(kind, path)| Some((kind, path?))),
        media_id: args.media_id,
        from: args.feed.from,
        data: args.feed.data,
        template: args.feed.template,
        ..input
    };
    let request = Request::new(channel);
    Request { input, alert, given, skip_empty: args.skip_empty, escapes: args.escapes, ..request }
}

/// What alerts of all commands have: the files behind them, what they say, and which settings were given.
fn of_alert(args: AlertArgs) -> (MessageInput, AlertFields, Given) {
    let given = Given {
        title: args.title.is_some(),
        url: args.url.is_some(),
        btntxt: args.btntxt.is_some(),
        picurl: args.picurl.is_some(),
        prefix: args.prefix.is_some(),
        ..Given::default()
    };
    let input = MessageInput { attach: args.attach, filename: args.filename, ..MessageInput::default() };
    let card = args.card;
    let alert = AlertFields {
        level: args.level,
        field: args.field,
        ci: args.ci,
        card: card.card,
        source: card.source,
        emphasis: card.emphasis,
        quote: card.quote,
        jump: card.jump,
        button: card.button,
        option: card.option,
        task_id: card.task_id,
    };
    (input, alert, given)
}

fn with_app(given: Given, args: &AppArgs) -> Given {
    Given {
        safe: args.safe.is_some(),
        id_trans: args.id_trans,
        duplicate_check: args.duplicate_check.is_some(),
        ..given
    }
}

fn with_mentions(given: Given, args: &MentionArgs) -> Given {
    Given { mentions: !(args.mention.is_empty() && args.mention_mobile.is_empty()), ..given }
}
