//! Parsed options become a request of the library.

use std::path::PathBuf;

use clap_complete::Shell;

use wecom_alert::ask::{AskRequest, LocalAnswer};
use wecom_alert::batch::BatchRequest;
use wecom_alert::channel::Channel;
use wecom_alert::config::Lenience;
use wecom_alert::directory::Query;
use wecom_alert::flush::{FlushRequest, Selection};
use wecom_alert::group_chat::{ChatChange, NewChat};
use wecom_alert::listen::{AlertReports, ListenRequest};
use wecom_alert::message::media::MediaKind;
use wecom_alert::message::person::PersonKind;
use wecom_alert::preview::PreviewRequest;
use wecom_alert::run::RunRequest;
use wecom_alert::sanitize::unwrapped;
use wecom_alert::secret::Mask;
use wecom_alert::send::{AlertFields, JsonInput, MessageInput, Request, UploadRequest};
use wecom_alert::update_card::{CardName, CardUpdate};

use super::args::{
    AlertArgs, AskArgs, BatchArgs, CardArgs, ChosenEntries, Command, ConfigCommand, ContentArgs, FactArgs,
    OutboxCommand, RunArgs, UpdateCardArgs,
};
use super::batch_results::{render, result_lines};
use super::event_lines::event_lines;
use super::{document, json};

/// What a command asks for, without clap's types.
pub(crate) enum Task {
    Send(Box<Request>),
    Run(Box<RunRequest>),
    Preview(Box<PreviewRequest>),
    Ask(Box<AskRequest>),
    Answer(LocalAnswer),
    Listen(Box<ListenRequest>),
    Batch(Box<BatchArgs>),
    ChatCreate(NewChat),
    ChatGet(Option<String>),
    ChatUpdate(ChatChange),
    Recall(Vec<String>),
    UpdateCard(Box<CardUpdate>),
    Upload(UploadRequest),
    Userid(PersonKind, String),
    Token { refresh: bool },
    Directory(Query),
    List { wants_code: bool },
    Flush(FlushRequest),
    Show(String),
    Drop(Selection),
    Check { channel: Option<Channel>, sends: bool },
    ConfigInit,
    ConfigExample,
    Explain(String),
    Completions(Shell),
    Help(Vec<String>),
    Manual(Vec<String>),
}

impl Task {
    pub(crate) fn new(command: Command) -> Self {
        match command {
            Command::AppSend(args) => Self::Send(Box::new(send_request(Channel::App, args.content))),
            Command::WebhookSend(args) => Self::Send(Box::new(send_request(Channel::Webhook, args.content))),
            Command::ChatSend(args) => Self::Send(Box::new(send_request(Channel::Chat, args.content))),
            Command::AibotSend(args) => Self::Send(Box::new(send_request(Channel::Aibot, args.content))),
            Command::Ask(args) => Self::Ask(Box::new(ask_request(*args))),
            Command::Answer { id, key, note, .. } => Self::Answer(LocalAnswer { id, key, note }),
            Command::Listen(args) => Self::Listen(Box::new(ListenRequest {
                program: args.program,
                aibot: args.aibot,
                http: args.http.filter(IS_FILLED),
                accept: args.accept.filter(IS_FILLED),
                reports: ALERT_REPORTS,
                messages: args.messages,
                only: args.only,
                max_age: args.max_age.filter(IS_FILLED),
                jobs: args.jobs.flatten(),
                exec_timeout: args.exec_timeout.filter(IS_FILLED),
                at_most_once: args.at_most_once,
                lines: event_lines(),
            })),
            Command::Batch(args) => Self::Batch(args),
            Command::Preview(args) => Self::Preview(Box::new(PreviewRequest {
                message: send_request(Channel::App, args.content),
                channels: args.route.into_iter().flatten().collect(),
                to_file: args.to_file.filter(|path| !path.as_os_str().is_empty()),
                opens: args.open,
            })),
            Command::Run(args) => Self::Run(Box::new(run_request(*args))),
            Command::ChatCreate(args) => Self::ChatCreate(NewChat {
                chatid: args.chat,
                name: args.name,
                owner: args.owner,
                members: args.member,
                sync: args.sync,
                hello: args.hello,
            }),
            Command::ChatGet { chat, .. } => Self::ChatGet(chat),
            Command::ChatUpdate(args) => Self::ChatUpdate(ChatChange {
                chatid: args.chat,
                name: args.name,
                owner: args.owner,
                add: args.add,
                remove: args.remove,
            }),
            Command::Recall { msgids, .. } => Self::Recall(msgids),
            Command::UpdateCard(args) => Self::UpdateCard(Box::new(card_update(*args))),
            Command::UploadMedia(args) => Self::Upload(UploadRequest {
                channel: args.route,
                file: args.file,
                kind: args.kind,
                filename: args.filename,
            }),
            Command::GetUserid { mobile: Some(number), .. } => Self::Userid(PersonKind::Mobile, number),
            Command::GetUserid { email, .. } => Self::Userid(PersonKind::Email, email.unwrap_or_default()),
            Command::GetToken { refresh, .. } => Self::Token { refresh },
            Command::ListDepartments { under, .. } => Self::Directory(Query::Departments { under }),
            Command::ListMembers { department, recursive, .. } => {
                Self::Directory(Query::Members { department, recursive })
            }
            Command::ListTags { .. } => Self::Directory(Query::Tags),
            Command::ListTagMembers { tag, .. } => Self::Directory(Query::TagMembers { tag }),
            Command::Outbox { command: OutboxCommand::List { exit_code, .. }, .. } => {
                Self::List { wants_code: exit_code }
            }
            Command::Outbox { command: OutboxCommand::Flush { failed, digest, .. }, .. } => {
                Self::Flush(FlushRequest { failed, digest })
            }
            Command::Outbox { command: OutboxCommand::Show { id, .. }, .. } => Self::Show(id),
            Command::Outbox { command: OutboxCommand::Drop(args), .. } => {
                let ChosenEntries { ids, all, failed } = args.chosen;
                Self::Drop(Selection { ids, all, failed })
            }
            Command::Check { route, send, .. } => Self::Check { channel: route, sends: send },
            Command::Config { command: ConfigCommand::Init { .. }, .. } => Self::ConfigInit,
            Command::Config { command: ConfigCommand::Example { .. }, .. } => Self::ConfigExample,
            Command::Explain { code, .. } => Self::Explain(code),
            Command::Completions { shell, .. } => Self::Completions(shell),
            Command::Help { about, .. } => Self::Help(about),
            Command::Man { command, .. } => Self::Manual(command),
        }
    }

    /// The channel, as far as the options decide it.
    pub(crate) fn channel(&self) -> Option<Channel> {
        match self {
            Self::Send(request) => Some(request.channel),
            Self::Run(request) => request.channel,
            Self::Batch(args) => args.route,
            Self::Upload(request) => request.channel,
            Self::ChatCreate(_)
            | Self::ChatGet(_)
            | Self::ChatUpdate(_)
            | Self::Recall(_)
            | Self::UpdateCard(_)
            | Self::Directory(_)
            | Self::Userid(..)
            | Self::Token { .. } => Some(Channel::App),
            _ => None,
        }
    }

    /// Whether an option says that stdin is to be read, whatever it is.
    pub(crate) fn reads_stdin(&self) -> bool {
        let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
        match self {
            Self::Send(request) => reads_stdin(&request.input),
            Self::Preview(request) => reads_stdin(&request.message.input),
            Self::Ask(request) => reads_stdin(&request.alert.input),
            Self::UpdateCard(update) => {
                let MessageInput { text_file, payload, .. } = &update.card.input;
                text_file.iter().chain(payload.as_ref().and_then(JsonInput::path)).any(is_stdin)
            }
            Self::Recall(msgids) => msgids.iter().any(|id| id == "-"),
            Self::Upload(request) => is_stdin(&request.file),
            Self::Batch(args) => args.file.is_none(),
            _ => false,
        }
    }

    /// Whether it is about no profile of its own: each entry of the outbox, each line of a batch and each alert that comes by HTTP
    /// names its target.
    pub(crate) fn is_for_all(&self) -> bool {
        match self {
            Self::List { .. } | Self::Show(_) | Self::Flush(_) | Self::Drop(_) | Self::Batch(_) => true,
            Self::Listen(request) => request.accept.is_some(),
            _ => false,
        }
    }

    /// What it does about wrong settings.
    pub(crate) fn lenience(&self, is_dry_run: bool) -> Lenience {
        match self {
            _ if is_dry_run => Lenience::Strict,
            Self::Run(_) => Lenience::Run,
            Self::Send(_) | Self::Batch(_) | Self::Ask(_) | Self::Flush(_) => Lenience::Send,
            _ => Lenience::Strict,
        }
    }

    /// Whether it changes something at WeCom's without sending a message.
    pub(crate) fn changes(&self) -> bool {
        matches!(self, Self::ChatCreate(_) | Self::ChatUpdate(_) | Self::Recall(_) | Self::UpdateCard(_))
    }

    /// Whether `allow_partial` is about it: about alerts, not about what is done to them later.
    pub(crate) fn may_be_partial(&self) -> bool {
        self.sends() || matches!(self, Self::Flush(_))
    }

    /// Whether it sends an alert; entries of the outbox may be delivered after that.
    pub(crate) fn sends(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Run(_))
    }
}

/// Whether an option of a send says that stdin is to be read.
fn reads_stdin(input: &MessageInput) -> bool {
    let MessageInput { text_file, payload, file, from, data, .. } = input;
    let file = file.as_ref().map(|(_, path)| path);
    let [payload, json] = [payload, data].map(|json| json.as_ref().and_then(JsonInput::path));
    let paths = [text_file.as_ref(), payload, file, json];
    paths.into_iter().flatten().any(|path| path.as_os_str() == "-") || (from.is_some() && data.is_none())
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
        payload: args.payload.map(JsonInput::File),
        file: files.into_iter().find_map(|(kind, path)| Some((kind, path?))),
        media_id: args.media_id.map(|id| unwrapped(&id).to_owned()),
        from: args.feed.from,
        data: args.feed.data.map(JsonInput::File),
        template: args.feed.template,
        ..request.input
    };
    Request { input, ..request }
}

/// What a batch is to do; its results begin to be written.
pub(super) fn batch_request(args: BatchArgs, mask: &Mask) -> BatchRequest {
    BatchRequest {
        file: args.file.filter(|path| path.as_os_str() != "-"),
        route: args.route,
        jobs: args.jobs.flatten(),
        keep_order: args.keep_order,
        allow_files: args.allow_files,
        render: render(mask.clone(), std::env::args_os().collect()),
        results: result_lines(),
    }
}

fn run_request(args: RunArgs) -> RunRequest {
    RunRequest {
        command: args.command,
        on: args.on.flatten().unwrap_or_default(),
        channel: args.route.flatten(),
        name: args.name,
        tail_lines: args.tail_lines.flatten(),
        // An empty option counts as not given.
        time_limit: args.time_limit.filter(|limit| !limit.trim().is_empty()),
        clean_env: args.clean_env,
        alert_exit: args.alert_exit,
        // The channel is replaced once the settings are known.
        alert: alert_request(Channel::App, args.alert),
    }
}

fn ask_request(args: AskArgs) -> AskRequest {
    let alert = alert_request(Channel::Aibot, args.alert);
    let input = MessageInput {
        text: args.content,
        text_file: args.text_file,
        from: args.feed.from,
        data: args.feed.data.map(JsonInput::File),
        template: args.feed.template,
        ..alert.input
    };
    AskRequest {
        alert: Request { input, ..alert },
        channel: args.route.flatten(),
        decline: args.decline,
        confirm: args.confirm.map(|texts| Some(texts).filter(IS_FILLED)),
        anyone: args.anyone,
        only: args.only,
        not: args.not,
        wait: args.wait.filter(IS_FILLED),
        remind: args.remind.filter(IS_FILLED),
        tell: args.tell.into_iter().filter(IS_FILLED).collect(),
        id: args.id,
        allow_local_answer: args.allow_local_answer,
        detach: args.detach,
    }
}

/// The card that takes the place of another.
fn card_update(args: UpdateCardArgs) -> CardUpdate {
    let input = MessageInput {
        text: args.content,
        text_file: args.text_file,
        payload: args.payload.map(JsonInput::File),
        ..MessageInput::default()
    };
    let card_name = match args.sent_as {
        Some(id) => CardName::TaskId(id),
        None => CardName::ResponseCode(args.response_code.unwrap_or_default()),
    };
    CardUpdate {
        card_name,
        replace_name: args.replace_name,
        for_all: args.all,
        card: Request { input, alert: alert_fields(args.facts, args.card), ..Request::new(Channel::App) },
    }
}

/// What `listen` tells of alerts that it sends for others.
const ALERT_REPORTS: AlertReports = AlertReports {
    document: |outcome, warnings, mask| document::document(outcome, warnings, None, mask),
    log_line: |outcome, logged, began, mask| {
        let message = json::logged_message(outcome, None, &[], mask);
        json::log_line(Some("listen"), outcome, logged, began, message)
    },
};

/// An empty option counts as not given, as an empty variable does.
const IS_FILLED: fn(&String) -> bool = |value| !value.trim().is_empty();

fn alert_fields(facts: FactArgs, card: CardArgs) -> AlertFields {
    AlertFields {
        level: facts.level.filter(IS_FILLED),
        field: facts.field.into_iter().filter(IS_FILLED).collect(),
        card: card.card.flatten(),
        source: card.source.filter(IS_FILLED),
        emphasis: card.emphasis.filter(IS_FILLED),
        quote: card.quote.filter(IS_FILLED),
        jump: card.jump.into_iter().filter(IS_FILLED).collect(),
        button: card.button.into_iter().filter(IS_FILLED).collect(),
        option: card.option.into_iter().filter(IS_FILLED).collect(),
        ..AlertFields::default()
    }
}

/// What alerts of all commands have: attached files and content.
fn alert_request(channel: Channel, args: AlertArgs) -> Request {
    let alert = AlertFields {
        ci: args.ci.filter(IS_FILLED),
        task_id: args.task_id.filter(IS_FILLED),
        ..alert_fields(args.facts, args.card)
    };
    let filename = if args.filename.iter().any(IS_FILLED) { args.filename } else { Vec::new() };
    Request {
        input: MessageInput { attach: args.attach, filename, ..MessageInput::default() },
        alert,
        ..Request::new(channel)
    }
}
