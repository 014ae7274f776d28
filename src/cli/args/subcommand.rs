//! The commands: what help says of each, the options of those that have few, and their names.

use clap::{ArgGroup, Subcommand};
use clap_complete::Shell;

use wecom_alert::channel::Channel;

use super::Global;
use super::commands::{
    BatchArgs, ChatCreateArgs, ChatUpdateArgs, ConfigCommand, ListenArgs, OutboxCommand, UploadMediaArgs,
};
use super::send::{
    AibotSendArgs, AppSendArgs, AskArgs, ChatSendArgs, PreviewArgs, RunArgs, UpdateCardArgs, WebhookSendArgs,
};
use super::settings::channel_parser;

/// The commands. Their options are made only when they are asked for: a plain send needs those of one command.
///
/// The documentation of a command stands here alone: a documenting comment on its struct of options would take its place.
#[derive(Subcommand, strum::IntoStaticStr)]
#[command(defer = true)]
#[strum(serialize_all = "kebab-case")]
pub(crate) enum Command {
    /// Send to members, departments and tags of a self-built app
    #[command(after_help = "Example:\n  df -h | wecom-alert app-send -u zhangsan\n\n\
        Text that begins with - goes after --, as in\n  wecom-alert app-send -u zhangsan -- '-5 degrees'")]
    AppSend(Box<AppSendArgs>),
    /// Send to the group of a webhook
    #[command(after_help = "Example:\n  wecom-alert webhook-send -t markdown '**disk full** on `web-3`'\n\n\
        Text that begins with - goes after --, as in\n  wecom-alert webhook-send -- '-5 degrees'")]
    WebhookSend(Box<WebhookSendArgs>),
    /// Send to a group that this app made; others have a webhook
    #[command(after_help = "Example:\n  wecom-alert chat-send --chat ops --mention zhangsan 'disk full on web-3'\n\n\
        Text that begins with - goes after --, as in\n  wecom-alert chat-send --chat ops -- '-5 degrees'")]
    ChatSend(Box<ChatSendArgs>),
    /// Send to members and groups by an aibot
    #[command(
        after_help = "An aibot is 智能机器人. Somebody must have written to it there before: see help aibot.\n\n\
        Example:\n  wecom-alert aibot-send -u zhangsan --title 'disk full' --field host=web-3\n\n\
        Text that begins with - goes after --, as in\n  wecom-alert aibot-send -u zhangsan -- '-5 degrees'"
    )]
    AibotSend(Box<AibotSendArgs>),
    /// Show messages as a phone would, as an HTML page
    #[command(
        after_help = "Nothing is sent and no credentials are needed. What WeCom would cut, refuse or not show is marked, \
        beside the body that would be sent.\n\n\
        Example:\n  wecom-alert preview --route app --card text_notice --title 'disk full' --open\n  \
        wecom-alert preview --payload card.json > card.html"
    )]
    Preview(Box<PreviewArgs>),
    /// Ask on a card, wait until somebody presses, and print what
    #[command(after_help = "Example:\n  if key=$(wecom-alert ask --title Disk --button ack=Take --button no=Mute)\n  \
        then echo \"somebody pressed $key\"; fi\n\n\
        Exit codes: 0 only when somebody who may has pressed; 11 if that declines; 10 if nobody did in time; others if nobody \
        was reached, or no press can come back.")]
    Ask(Box<AskArgs>),
    /// Answer a question that ask waits for on this machine
    #[command(after_help = "Example:\n  wecom-alert answer disk-web-3 recovered --note 'the disk is free again'")]
    Answer {
        /// What ask calls the question
        #[arg(value_name = "ID")]
        id: String,
        /// What ask is to print
        #[arg(value_name = "KEY")]
        key: String,
        /// What the card says beside it
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        #[command(flatten)]
        _global: Global,
    },
    /// Receive presses on cards, for ask and for a program
    #[command(
        after_help = "Prints a line of JSON for each event. Runs until a signal stops it; under systemd with Type=notify.\n\n\
        Example:\n  wecom-alert listen -- ./on-press.sh\n\n\
        The program reads the same document on stdin, and finds the key of the button in WECOM_ALERT_EVENT_KEY. What it prints \
        first is shown on the card."
    )]
    Listen(Box<ListenArgs>),
    /// Send many alerts: a line of JSON each, with a result for each
    #[command(after_help = "A line has what a send has, by the names of its options with _, such as\n  \
        {\"profile\": \"ops\", \"title\": \"disk full\", \"field\": {\"host\": \"web-3\"}}\n\n\
        Results are lines of JSON on stdout, as each ends. Exit codes: 0 for all; 6 if some failed; else that of the first.\n\n\
        Example:\n  jq -c '{id: .host, text: .message}' alerts.json | wecom-alert batch")]
    Batch(Box<BatchArgs>),
    /// Make a group chat of the app, and print its id
    #[command(
        after_help = "The visible range of the app must be the root department, and only this app can write to the chat. \
        With --chat it is safe to run again.\n\n\
        Example:\n  wecom-alert chat-create --chat oncall --name 'On call' --member zhangsan,lisi"
    )]
    ChatCreate(Box<ChatCreateArgs>),
    /// Show name, owner and members of a group chat of the app
    #[command(after_help = "Example:\n  wecom-alert chat-get oncall | cut -f 4")]
    ChatGet {
        /// The id that chat-create printed; default: chat of the settings
        #[arg(id = "chat_id", value_name = "ID")]
        chat: Option<String>,
        #[command(flatten)]
        _global: Global,
    },
    /// Change name, owner and members of a group chat of the app
    #[command(after_help = "Example:\n  wecom-alert chat-update oncall --add zhaoliu --remove lisi")]
    ChatUpdate(Box<ChatUpdateArgs>),
    /// Take back messages that the app sent in the last 24 hours
    #[command(
        after_help = "Copies in the WeChat plugin stay. Messages to webhooks and group chats, and those of aibots, have no msgid.\n\n\
        Example:\n  wecom-alert --output json app-send -u zhangsan 'wrong room' > sent.json\n  \
        jq -r '.parts[].msgids[]' sent.json | wecom-alert recall -"
    )]
    Recall {
        /// As app-send gives it with --output json and in --log-file (repeatable); `-` reads them from stdin
        #[arg(value_name = "MSGID|-", required = true)]
        msgids: Vec<String>,
        #[command(flatten)]
        _global: Global,
    },
    /// Change an interactive card that the app sent
    #[command(
        after_help = "A response_code is good for one update: name all whose card is to change at once. By --task-id one of the \
        codes is taken that came with the send and with presses that listen received.\n\n\
        Example:\n  wecom-alert update-card --task-id disk-web-3 --replace-name Taken\n  \
        wecom-alert update-card --response-code \"$code\" --all --replace-name Taken"
    )]
    UpdateCard(Box<UpdateCardArgs>),
    /// Print the userid of a member, by mobile number or corp mail address
    #[command(
        group = ArgGroup::new("person").required(true),
        after_help = "Found ones are kept for a day, unknown ones for an hour: WeCom shuts the look-up for a day \
            after too many that found nobody.\n\n\
            Example:\n  wecom-alert get-userid --mobile '+86 138-0000-0000'"
    )]
    GetUserid {
        /// Mobile number, in any form that people write
        #[arg(long, value_name = "NUMBER", group = "person")]
        mobile: Option<String>,
        /// Mail address of the corp (企业邮箱)
        #[arg(long, value_name = "ADDRESS", group = "person")]
        email: Option<String>,
        #[command(flatten)]
        _global: Global,
    },
    /// List the departments that the app may see
    #[command(
        after_help = "On a terminal a tree; else a line for each: id, parentid and name, with tabs between them.\n\n\
        Example:\n  wecom-alert list-departments --under 12"
    )]
    ListDepartments {
        /// Only this department and all below it
        #[arg(long, value_name = "ID")]
        under: Option<String>,
        #[command(flatten)]
        _global: Global,
    },
    /// List the members of a department that the app may see
    #[command(
        after_help = "On a terminal a table; else a line for each: userid, name and the ids of all departments by \
        comma, with tabs between them. Who is in several departments is listed once.\n\n\
        Example:\n  wecom-alert list-members --recursive | cut -f 1"
    )]
    ListMembers {
        /// Its id; default: the topmost ones of the app's range, such as the root
        #[arg(value_name = "DEPARTMENT")]
        department: Option<String>,
        /// The members of all departments below too, one request after another
        #[arg(long)]
        recursive: bool,
        #[command(flatten)]
        _global: Global,
    },
    /// List the tags of the corp
    #[command(after_help = "On a terminal a table; else a line for each: id and name, with a tab between them.\n\n\
        Example:\n  wecom-alert list-tags")]
    ListTags {
        #[command(flatten)]
        _global: Global,
    },
    /// List the members and departments that have a tag
    #[command(
        after_help = "On a terminal a table; else a line for each: user or department, id and name, with tabs between \
        them. The name of a department is empty where the app may not see it.\n\n\
        Example:\n  wecom-alert list-tag-members 3"
    )]
    ListTagMembers {
        /// The id that `list-tags` shows
        #[arg(value_name = "TAG")]
        tag: String,
        #[command(flatten)]
        _global: Global,
    },
    /// Upload a file and print its media_id, valid for 3 days
    #[command(after_help = "Example:\n  id=$(wecom-alert upload-media --route app report.pdf)\n  \
        wecom-alert app-send -u zhangsan -t file --media-id \"$id\"")]
    UploadMedia(UploadMediaArgs),
    /// Print a valid access token of the app
    #[command(after_help = "Example:\n  wecom-alert get-token -P ops > /dev/null && echo 'the credentials are good'")]
    GetToken {
        /// Ask WeCom for a new token even if the cached one is valid
        #[arg(long)]
        refresh: bool,
        #[command(flatten)]
        _global: Global,
    },
    /// Run a command, and alert when it fails; exits with its code
    #[command(after_help = "Example:\n  wecom-alert run --time-limit 2h -- backup.sh --all\n\n\
        Exit codes: the command's own; 128 and the signal that ended it; 124 at the time limit; \
        127 if there is no such command, 126 if it cannot be started. With --alert-exit, the alert's if that fails.")]
    Run(Box<RunArgs>),
    /// Show, deliver or discard the alerts that could not go out yet
    #[command(after_help = "Example:\n  wecom-alert outbox flush")]
    Outbox {
        #[command(subcommand)]
        command: OutboxCommand,
        #[command(flatten)]
        _global: Global,
    },
    /// Check settings, network and credentials, and say what to do
    #[command(after_help = "Costs at most one gettoken and one agent/get, and for a chat one appchat/get.\n\n\
        Example:\n  wecom-alert check -P ops --send")]
    Check {
        /// Check only the app, the webhook, the group chat or the aibot; default: what the profile has
        #[arg(long, value_name = "ROUTE", value_parser = channel_parser())]
        route: Option<Channel>,
        /// Send a test message too: to the profile's recipients, to the group of its webhook, to its chat, by its aibot
        #[arg(long)]
        send: bool,
        #[command(flatten)]
        _global: Global,
    },
    /// Write a first config file, or show an example with every setting
    #[command(after_help = "Example:\n  wecom-alert config init")]
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
        #[command(flatten)]
        _global: Global,
    },
    /// Explain an errcode of WeCom, or an exit code
    #[command(after_help = "Example:\n  wecom-alert explain 60020")]
    Explain {
        /// The number, as in error lines and in JSON
        #[arg(value_name = "CODE", allow_negative_numbers = true)]
        code: String,
        #[command(flatten)]
        _global: Global,
    },
    /// Show a page of the manual, or the help of a command
    #[command(after_help = "Example:\n  wecom-alert help delivery")]
    Help {
        /// A topic or a command; without one, the list of both
        #[arg(value_name = "TOPIC|COMMAND", num_args = 0..=2)]
        about: Vec<String>,
        #[command(flatten)]
        _global: Global,
    },
    /// Print completions for a shell
    #[command(after_help = "Example:\n  wecom-alert completions bash > /etc/bash_completion.d/wecom-alert")]
    Completions {
        /// bash, zsh, fish, powershell or elvish
        #[arg(value_name = "SHELL", hide_possible_values = true)]
        shell: Shell,
        #[command(flatten)]
        _global: Global,
    },
    /// Print a man page: of the program, a command or a topic
    #[command(
        after_help = "Examples:\n  wecom-alert man app-send > wecom-alert-app-send.1\n  wecom-alert man 5 config > wecom-alert-config.5\n  \
            man ./wecom-alert-config.5"
    )]
    Man {
        /// A command, or a topic of help; the section before it where there are both, as in `man 7 run`
        #[arg(value_name = "COMMAND|TOPIC", num_args = 0..=2)]
        command: Vec<String>,
        #[command(flatten)]
        _global: Global,
    },
}

impl Command {
    pub(crate) const NAMES: [&str; 29] = [
        "app-send",
        "webhook-send",
        "chat-send",
        "aibot-send",
        "preview",
        "ask",
        "answer",
        "listen",
        "batch",
        "chat-create",
        "chat-get",
        "chat-update",
        "recall",
        "update-card",
        "get-userid",
        "list-departments",
        "list-members",
        "list-tags",
        "list-tag-members",
        "run",
        "upload-media",
        "get-token",
        "check",
        "outbox",
        "config",
        "explain",
        "help",
        "completions",
        "man",
    ];

    pub(crate) fn name(&self) -> &'static str {
        self.into()
    }
}
