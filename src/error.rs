//! The exit codes of all commands ([`Status`]), and the error type.
//!
//! [`Error`] carries one status together with what happened and what to do next. Nothing here prints.

use std::io;
use std::time::Duration;

/// The signal that ended a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM, as `kill` and service managers send it.
    Terminate,
}

/// How a command ended. The names and the exit codes are a promise to scripts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// WeCom took the message.
    Sent,
    /// Done, by a command that sends nothing.
    Ok,
    /// Stored, to be sent later.
    Queued,
    /// Nothing to send, as asked for.
    Skipped,
    /// Checked and shown; nothing was sent.
    DryRun,
    /// Of `ask`: asked, and others wait for the answer.
    Asked,
    /// Of `ask`: somebody who may has answered.
    Answered,
    /// Of `ask`: the answer declines.
    Declined,
    /// Of `ask`: somebody was reached, and nobody answered in time.
    Unanswered,
    /// A defect of this program.
    #[default]
    Error,
    /// Options or message against the rules; nothing was sent.
    Usage,
    /// Settings, credentials, files, certificates or proxy log-in; nothing was sent.
    Config,
    /// WeCom refuses these credentials, this IP or this permission.
    Auth,
    /// WeCom refuses this message or all its recipients.
    Refused,
    /// Some recipients or some parts did not get it.
    Partial,
    /// No connection, or an answer that is not WeCom's.
    Temporary,
    /// WeCom, or something before it, asks for fewer requests.
    RateLimited,
    /// The request went out, no answer came.
    Unknown,
    /// Stopped by a signal.
    Interrupted(Signal),
}

impl Status {
    /// The process's exit code for this status.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Sent | Self::Ok | Self::Queued | Self::Skipped | Self::DryRun | Self::Asked | Self::Answered => 0,
            Self::Error => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::Auth => 4,
            Self::Refused => 5,
            Self::Partial => 6,
            Self::Temporary => 7,
            Self::RateLimited => 8,
            Self::Unknown => 9,
            Self::Unanswered => 10,
            Self::Declined => 11,
            Self::Interrupted(Signal::Interrupt) => 130,
            Self::Interrupted(Signal::Terminate) => 143,
        }
    }

    /// The name in error lines and in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the same command, unchanged, may succeed later without risking a second delivery.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Temporary | Self::RateLimited)
    }
}

/// An exit code of this program: the table that help, manual and `explain` are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExitCodeRow {
    /// The code.
    pub code: u8,
    /// The statuses that end with it.
    pub statuses: &'static [Status],
    /// What it means, in a few words.
    pub meaning: &'static str,
    /// What usually causes it.
    pub cause: &'static str,
    /// What to do.
    pub next: &'static str,
}

/// The exit codes of all commands, in order. A command that `run` runs has its own.
pub static EXIT_CODES: [ExitCodeRow; 14] = [
    ExitCodeRow {
        code: 0,
        statuses: &[
            Status::Sent,
            Status::Ok,
            Status::Queued,
            Status::Skipped,
            Status::DryRun,
            Status::Asked,
            Status::Answered,
        ],
        meaning: "done: WeCom accepted the message, or it is stored, or nothing was to be sent; of ask: answered, or asked with --detach",
        cause: "queued and skipped need --outbox, --cooldown or --skip-empty",
        next: "nothing",
    },
    ExitCodeRow {
        code: 1,
        statuses: &[Status::Error],
        meaning: "a defect of this program",
        cause: "a bug in wecom-alert",
        next: "report it, with the line that begins with error[error]",
    },
    ExitCodeRow {
        code: 2,
        statuses: &[Status::Usage],
        meaning: "wrong options, or a message against WeCom's rules; nothing was sent",
        cause: "an unknown or incomplete option, an empty text, a field that is too long or missing",
        next: "correct the command as the hint says",
    },
    ExitCodeRow {
        code: 3,
        statuses: &[Status::Config],
        meaning: "wrong settings, credentials, files, certificates or proxy log-in; nothing was sent",
        cause: "a config file that is missing or cannot be read, a wrong base URL, another environment (as under cron)",
        next: "run wecom-alert check with the same user and environment",
    },
    ExitCodeRow {
        code: 4,
        statuses: &[Status::Auth],
        meaning: "WeCom refuses these credentials, this IP address or this permission",
        cause: "a wrong or reset secret or key, an address that is not trusted, an app without the right",
        next: "correct it in the admin console; wecom-alert explain ERRCODE says where",
    },
    ExitCodeRow {
        code: 5,
        statuses: &[Status::Refused],
        meaning: "WeCom refuses this message or all its recipients",
        cause: "recipients that do not exist or are outside the app's visible range, content that WeCom does not take",
        next: "correct the message; wecom-alert explain ERRCODE says what; sending it again unchanged does not help",
    },
    ExitCodeRow {
        code: 6,
        statuses: &[Status::Partial],
        meaning: "some recipients or some parts did not get it",
        cause: "one unknown recipient among others, an attachment that could not be read or sent, a template that does not fit",
        next: "send what failed again, or correct the template; --allow-partial makes it 0",
    },
    ExitCodeRow {
        code: 7,
        statuses: &[Status::Temporary],
        meaning: "no connection, or an answer that is not WeCom's; as far as is known, not delivered",
        cause: "the network, DNS, a proxy or a portal page, an outage of WeCom",
        next: "try again later, or let --outbox do that; wecom-alert check looks at the connection",
    },
    ExitCodeRow {
        code: 8,
        statuses: &[Status::RateLimited],
        meaning: "too many messages for the time",
        cause: "more than 20 messages a minute to one webhook, or an app's limits",
        next: "try again later, or let --outbox do that; --cooldown holds repeats back",
    },
    ExitCodeRow {
        code: 9,
        statuses: &[Status::Unknown],
        meaning: "the request went out and no answer came: it may have arrived",
        cause: "a connection that broke, or a --timeout that was too short",
        next: "look into the chat; send it again if a second copy does less harm than none",
    },
    ExitCodeRow {
        code: 10,
        statuses: &[Status::Unanswered],
        meaning: "of ask alone: somebody was reached, and nobody answered before the time was over",
        cause: "nobody looked, or --wait was too short; --dry-run of ask ends with it too",
        next: "go on to the next step: call somebody, or ask others with --escalate",
    },
    ExitCodeRow {
        code: 11,
        statuses: &[Status::Declined],
        meaning: "of ask alone: somebody declined",
        cause: "a press on a button of --decline, or on the second one of --confirm",
        next: "do not do what was asked about",
    },
    ExitCodeRow {
        code: 130,
        statuses: &[Status::Interrupted(Signal::Interrupt)],
        meaning: "stopped by SIGINT (Ctrl-C); a line says what went out",
        cause: "Ctrl-C, or a CI job that was cancelled",
        next: "nothing, if it was you",
    },
    ExitCodeRow {
        code: 143,
        statuses: &[Status::Interrupted(Signal::Terminate)],
        meaning: "stopped by SIGTERM; a line says what went out",
        cause: "a time limit of cron, systemd or CI, or a system that shuts down",
        next: "give the job more time; what was stored with --outbox is still there",
    },
];

/// The row of an exit code.
pub fn exit_code_row(code: u8) -> Option<&'static ExitCodeRow> {
    EXIT_CODES.iter().find(|row| row.code == code)
}

/// `errcode` and `errmsg` of an answer, as WeCom gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 0 is success.
    pub errcode: i64,
    /// Wording changes over time: shown, never decided upon.
    pub errmsg: String,
}

/// Why a command failed: its status, what happened, and the next step.
///
/// `message` and `hint` are one sentence each, without line breaks, without the program's name and without secrets.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, Default)]
struct Inner {
    status: Status,
    message: String,
    hint: Option<String>,
    answer: Option<Answer>,
    retry_after: Option<Duration>,
    seen_ip: Option<String>,
}

/// What to do where too few files may be open.
pub const TOO_FEW_FILES: &str =
    "let this process open more files: ulimit -n should give at least 32, as should LimitNOFILE in a systemd unit";

/// Whether the system refused because no more files may be open, in this process or in all.
#[cfg(unix)]
pub fn is_too_few_files(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].iter().any(|full| code == Some(full.raw_os_error()))
}

/// The same where the system has no such limit.
#[cfg(not(unix))]
pub fn is_too_few_files(_: &io::Error) -> bool {
    false
}

/// The next step after an error of the system, which is `usual` unless too few files may be open.
pub fn hint_for<'h>(error: &io::Error, usual: &'h str) -> &'h str {
    if is_too_few_files(error) { TOO_FEW_FILES } else { usual }
}

/// A result, with this crate's error where no other is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of any status. Prefer the named constructors where one fits.
    pub fn new(status: Status, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { status, message: message.into(), ..Inner::default() }))
    }

    /// Options or message against the rules (exit 2).
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Status::Usage, message).with_hint(hint)
    }

    /// Settings, credentials, files, certificates or proxy log-in (exit 3).
    pub fn config(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Status::Config, message).with_hint(hint)
    }

    /// Not delivered, worth another try later (exit 7).
    pub fn temporary(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(Status::Temporary, message).with_hint(hint)
    }

    /// A defect of this program (exit 1).
    pub fn defect(message: impl Into<String>) -> Self {
        Self::new(Status::Error, message).with_hint("this is a defect of wecom-alert: please report it with this line")
    }

    /// An error about more than this one, with what this one says of the next step.
    pub fn about(&self, status: Status, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { status, message: message.into(), seen_ip: None, ..Inner::clone(&self.0) }))
    }

    /// Adds or replaces the next step.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Replaces what the command ends as.
    pub fn with_status(mut self, status: Status) -> Self {
        self.0.status = status;
        self
    }

    /// Replaces what happened, to say more about it.
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Adds WeCom's answer.
    pub fn with_answer(mut self, answer: Answer) -> Self {
        self.0.answer = Some(answer);
        self
    }

    /// Sets how long to wait before another try, where that is known.
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// Sets the address from which WeCom saw the request come, where it said so.
    pub fn with_seen_ip(mut self, ip: Option<String>) -> Self {
        self.0.seen_ip = ip;
        self
    }

    /// What the command ended as.
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// WeCom's answer; `None` when it gave none.
    pub fn answer(&self) -> Option<&Answer> {
        self.0.answer.as_ref()
    }

    /// How long to wait before another try, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The address from which WeCom saw the request come, where it said so.
    pub fn seen_ip(&self) -> Option<&str> {
        self.0.seen_ip.as_deref()
    }
}
