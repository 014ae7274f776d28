//! What a person typed becomes a plain request for the library.

use wecom_alert::channel::Channel;
use wecom_alert::error::{Error, Result};
use wecom_alert::flush::Selection;
use wecom_alert::message::media::MediaKind;
use wecom_alert::run::RunRequest;
use wecom_alert::send::{AlertFields, MessageInput, Request, UploadRequest};

use super::args::{AlertArgs, Command, ContentArgs, OutboxCommand, RunArgs};

/// What is to be done, without a word of how it was typed.
pub(crate) enum Task {
    Send(Box<Request>),
    Run(Box<RunRequest>),
    Upload(UploadRequest),
    Token { refresh: bool },
    List { wants_code: bool },
    Flush { failed: bool },
    Drop(Selection),
    Check { channel: Option<Channel>, sends: bool },
}

impl Task {
    pub(crate) fn new(command: Command) -> Result<Self> {
        Ok(match command {
            Command::AppSend(args) => Self::Send(Box::new(send_request(Channel::App, args.content))),
            Command::WebhookSend(args) => Self::Send(Box::new(send_request(Channel::Webhook, args.content))),
            Command::Run(args) => Self::Run(Box::new(run_request(*args))),
            Command::UploadMedia(args) => Self::Upload(UploadRequest {
                channel: channel_named(args.route.as_deref()),
                file: args.file,
                kind: args.kind,
                filename: args.filename,
            }),
            Command::GetToken(args) => Self::Token { refresh: args.refresh },
            Command::Outbox(args) => match args.command {
                OutboxCommand::List(args) => Self::List { wants_code: args.exit_code },
                OutboxCommand::Flush(args) => Self::Flush { failed: args.failed },
                OutboxCommand::Drop(args) => {
                    Self::Drop(Selection { ids: args.ids, all: args.all, failed: args.failed })
                }
            },
            Command::Check(args) => Self::Check { channel: channel_named(args.route.as_deref()), sends: args.send },
            Command::Completions(_) | Command::Man(_) => {
                return Err(Error::defect("an explanation has no settings"));
            }
        })
    }
}

/// The channel of that name; the parser knows the names.
pub(crate) fn channel_named(name: Option<&str>) -> Option<Channel> {
    Channel::from_name(name?)
}

fn send_request(channel: Channel, args: ContentArgs) -> Request {
    let request = alert_request(channel, args.alert);
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
        ..request.input
    };
    Request { input, ..request }
}

fn run_request(args: RunArgs) -> RunRequest {
    RunRequest {
        command: args.command,
        // The parser knows the names.
        on: args.on.and_then(|on| on.parse().ok()).unwrap_or_default(),
        channel: channel_named(args.route.as_deref()),
        name: args.name,
        tail_lines: args.tail_lines,
        time_limit: args.time_limit,
        alert_exit: args.alert_exit,
        // Its channel is found from the settings.
        alert: alert_request(Channel::App, args.alert),
    }
}

/// What alerts of all commands have: the files behind them, and what they say.
fn alert_request(channel: Channel, args: AlertArgs) -> Request {
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
    Request {
        input: MessageInput { attach: args.attach, filename: args.filename, ..MessageInput::default() },
        alert,
        ..Request::new(channel)
    }
}
