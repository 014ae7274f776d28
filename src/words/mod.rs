//! The program's own words in messages, in each language: all that a receiver reads and no user wrote. Pure.
//!
//! Nothing that decides may depend on them: keys of cooldowns and of `--on change` are made of facts, or of the English
//! words. Errors, hints, warnings and JSON are English and stand where they are made.

mod en;
mod zh;

use std::io;

use serde::{Deserialize, Serialize};

use crate::clock::Units;
use crate::error::Status;

/// A language of messages and manual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Chinese.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// Its name as a value of the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// Whether it is English.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(crate) fn is_english(&self) -> bool {
        *self == Self::English
    }

    /// Its words.
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::English => &en::WORDS,
            Self::Chinese => &zh::WORDS,
        }
    }
}

/// The words of one language. A new one is asked for by the compiler in each language.
pub(crate) struct Words {
    // Punctuation.
    /// Between a name and its value.
    pub(crate) colon: &'static str,
    /// Between the items of a list.
    pub(crate) comma: &'static str,
    /// Between names.
    pub(crate) name_comma: &'static str,
    /// Around the status that a title begins with, with what keeps it apart.
    pub(crate) brackets: [&'static str; 2],
    /// Around what distinguishes a title, with what keeps it apart.
    pub(crate) parentheses: [&'static str; 2],
    /// Of durations.
    pub(crate) units: Units,

    // Levels, in their brackets.
    pub(crate) info: &'static str,
    pub(crate) ok: &'static str,
    pub(crate) warning: &'static str,
    pub(crate) critical: &'static str,

    // Links and cards.
    /// A link without a label.
    pub(crate) details: &'static str,
    /// A picture that is only a link.
    pub(crate) picture: &'static str,
    /// The button of a card with choices.
    pub(crate) submit: &'static str,
    /// What a card calls its source.
    pub(crate) card_source: &'static str,

    // Fields.
    pub(crate) link: &'static str,
    pub(crate) image: &'static str,
    pub(crate) attachment: &'static str,
    pub(crate) template: &'static str,
    /// It could not be used: the alert is in the layout that it has without one.
    pub(crate) without_template: &'static str,
    pub(crate) host: &'static str,
    pub(crate) command: &'static str,
    pub(crate) exit_code: &'static str,
    pub(crate) signal: &'static str,
    pub(crate) ended_by: &'static str,
    pub(crate) error: &'static str,
    pub(crate) duration: &'static str,
    pub(crate) started: &'static str,
    pub(crate) failed_since: &'static str,
    pub(crate) repository: &'static str,
    pub(crate) branch: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) commit: &'static str,
    pub(crate) author: &'static str,
    pub(crate) job: &'static str,

    // How a command or a CI run ended, behind its name.
    pub(crate) succeeded: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) canceled: &'static str,
    pub(crate) recovered: &'static str,
    pub(crate) not_started: &'static str,
    pub(crate) ended_somehow: &'static str,
    /// With an exit code.
    pub(crate) failed_with: fn(i32) -> String,
    /// By a signal.
    pub(crate) killed_by: fn(&str) -> String,
    /// After a duration.
    pub(crate) timed_out: fn(&str) -> String,

    // Why a command could not be started or ended.
    /// It runs on as this process.
    pub(crate) still_running: fn(u32) -> String,
    /// Why it could not be started; the second is how the system says it.
    pub(crate) why_not_started: fn(io::ErrorKind, &str) -> String,
    pub(crate) has_windows_line_ends: &'static str,
    pub(crate) has_no_name: &'static str,
    pub(crate) is_shell_word: &'static str,
    pub(crate) is_shell_line: &'static str,
    pub(crate) needs_whole_path: &'static str,

    // Texts that are not whole.
    /// So many last lines of so many.
    pub(crate) last_lines: fn(u64, u64) -> String,
    /// So many bytes are missing.
    pub(crate) left_out: fn(u64) -> String,
    /// The whole text is in a file of that name, or in several up to another one.
    pub(crate) whole_text_in: fn(&str, Option<&str>) -> String,
    /// The name of such a file, of a host and a time.
    pub(crate) text_file: fn(&str, &str) -> String,
    /// Its number among several.
    pub(crate) file_number: fn(usize, usize) -> String,

    // Attached files.
    /// A file is missing: its name, why, and the English error about it.
    pub(crate) missing_file: fn(&str, MissingFile, &str) -> String,
    /// A file was last written at a time before the command began.
    pub(crate) old_file: fn(&str, &str) -> String,

    // Notifications.
    pub(crate) firing: &'static str,
    pub(crate) resolved: &'static str,
    /// So many of them in a title.
    pub(crate) counted: fn(&str, usize) -> String,
    /// So many more in a title.
    pub(crate) more: fn(u64) -> String,
    /// Names, of which so many more are not shown, of so many in all.
    pub(crate) more_names: fn(&str, usize, usize) -> String,
    /// An alert without a name, of a system.
    pub(crate) nameless: fn(&str) -> String,
    /// So many more alerts are not in the notification.
    pub(crate) more_alerts: fn(u64) -> String,
    pub(crate) values: &'static str,
    /// Since when and until when.
    pub(crate) since: fn(&str) -> String,
    pub(crate) until: fn(&str) -> String,
    pub(crate) period_comma: &'static str,
    pub(crate) source: &'static str,
    pub(crate) panel: &'static str,
    pub(crate) dashboard: &'static str,
    pub(crate) silence: &'static str,

    // Marks before a message.
    /// Late by a duration, and from that time; with what keeps it apart.
    pub(crate) delayed: fn(&str, &str) -> String,
    /// Behind that mark, where the message itself cannot have it.
    pub(crate) next_is_late: &'static str,
    /// So many repeats since a time.
    pub(crate) held_back: fn(u64, &str) -> String,
    /// The own target failed: its channel, and how.
    pub(crate) fallback: fn(&str, Failure) -> String,
    pub(crate) app: &'static str,
    pub(crate) webhook: &'static str,
    pub(crate) chat: &'static str,
    pub(crate) aibot: &'static str,

    // Questions.
    /// The button of a question that has no other.
    pub(crate) acknowledge: &'static str,
    /// The two of one that is to be approved.
    pub(crate) approve: &'static str,
    pub(crate) reject: &'static str,
    /// Who answered what, at a time.
    pub(crate) answered: fn(&str, &str, &str) -> String,
    /// A user of a host answered what by a command, at a time.
    pub(crate) answered_locally: fn(&str, &str, &str, &str) -> String,
    /// Nobody answered up to that time.
    pub(crate) over: fn(&str) -> String,
    /// It was withdrawn at that time.
    pub(crate) withdrawn: fn(&str) -> String,
    /// The button of a card that nobody answered in time, and of one that was withdrawn.
    pub(crate) over_button: &'static str,
    pub(crate) withdrawn_button: &'static str,
    /// What is said first to those who get it later, and to those who are reminded.
    pub(crate) unanswered_since: fn(&str) -> String,
    /// What is said first where a card would have no effect.
    pub(crate) cannot_press: &'static str,
    /// Somebody pressed and may not.
    pub(crate) not_theirs: fn(&str) -> String,
    /// The press says nothing, such as one without a choice.
    pub(crate) says_nothing: &'static str,
    /// Nobody waits for an answer any more, and it is not known what became of it.
    pub(crate) not_waited_for: &'static str,

    // Presses that `listen` receives.
    /// A program is at work on it.
    pub(crate) working: &'static str,
    /// A program has done what was pressed, and says nothing about it.
    pub(crate) done: &'static str,
    /// Somebody pressed before: who, and what came of it.
    pub(crate) taken_already: fn(&str) -> String,
    /// The press came too late to be acted on.
    pub(crate) expired: &'static str,
    /// It was begun, and may have been done.
    pub(crate) may_be_done: &'static str,
    /// On the button of a card of which nothing is known; at most 10 characters.
    pub(crate) unknown_card: &'static str,

    /// The test message of `check`, from a host at a time.
    pub(crate) test_message: fn(&str, &str) -> String,
    /// The profile's name where the environment is used.
    pub(crate) environment: &'static str,
}

/// Why a file cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingFile {
    /// There is none.
    Absent,
    /// It may not be read.
    Forbidden,
    /// It is a folder.
    Folder,
    /// It has no bytes.
    Empty,
    /// It has too many.
    TooLarge,
    /// Anything else.
    Unusable,
}

/// Why the first target of an alert failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// WeCom's code.
    Errcode(i64),
    /// There was no answer from WeCom.
    Status(Status),
}

/// Two pieces with a blank between them, unless both are wide characters where they meet.
pub(crate) fn spaced(left: &str, right: &str) -> String {
    let is_wide = |c: Option<char>| c.is_some_and(|c| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}'));
    let gap = if is_wide(left.chars().next_back()) && is_wide(right.chars().next()) { "" } else { " " };
    format!("{left}{gap}{right}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_apart_unless_both_are_wide() {
        for (left, right, text) in [
            ("backup", "failed", "backup failed"),
            ("备份", "failed", "备份 failed"),
            ("backup", "失败", "backup 失败"),
            ("备份", "失败", "备份失败"),
            ("磁盘（1）", "【严重】", "磁盘（1）【严重】"),
            ("", "失败", " 失败"),
        ] {
            assert_eq!(spaced(left, right), text);
        }
    }

    /// Those that no test of whole messages brings about.
    #[test]
    fn every_reason_is_said_in_chinese() {
        use MissingFile::{Absent, Empty, Folder, Forbidden, TooLarge, Unusable};
        let words = Language::Chinese.words();
        let missing = [Absent, Forbidden, Folder, Empty, TooLarge, Unusable];
        let missing = missing.map(|missing| (words.missing_file)("1", missing, "why"));
        let failed = [Status::Config, Status::Auth, Status::Refused, Status::Temporary, Status::RateLimited]
            .map(|status| (words.fallback)(words.app, Failure::Status(status)));
        let others = [
            (words.still_running)(7),
            (words.why_not_started)(io::ErrorKind::NotFound, "why"),
            (words.why_not_started)(io::ErrorKind::PermissionDenied, "why"),
            words.ended_somehow.to_owned(),
            (words.fallback)(words.app, Failure::Status(Status::Unknown)),
        ];
        for said in missing.into_iter().chain(failed).chain(others) {
            assert!(!said.is_empty() && !said.contains(|c: char| c.is_ascii_alphabetic()), "{said}");
        }
    }
}
