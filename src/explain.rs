//! `explain`: what an error code of WeCom, or an exit code of this program, means, and what to do about it. Made of the table of
//! error codes and of that of exit codes. Pure.

use crate::api::errcode::{self, Class, ErrcodeRow};
use crate::delivery::{CodeKind, Explanation};
use crate::error::{Error, Result, exit_code_row};
use crate::process::signal_name;

/// Explains a code; 0 is both kinds.
///
/// # Errors
///
/// Exit 2 for what is no number, or a code that neither table has.
pub fn explain(text: &str) -> Result<Vec<Explanation>> {
    let code: i64 = text.trim().parse().map_err(|_| {
        Error::usage(
            "that is not a code: it is not a whole number",
            "give an errcode of WeCom or an exit code, as in: wecom-alert explain 60020",
        )
    })?;
    let known = [of_exit_code(code), errcode::lookup(code).map(of_errcode)];
    let known: Vec<_> = known.into_iter().flatten().collect();
    if known.is_empty() {
        return Err(Error::usage(
            format!("{code} is neither an errcode that this program knows nor an exit code"),
            format!("look it up in WeCom's own list: {}", look_up(code)),
        ));
    }
    Ok(known)
}

/// The errcodes that are known, in order.
pub fn known_errcodes() -> impl Iterator<Item = i64> {
    errcode::codes()
}

/// What an errcode means, where that is known.
pub fn meaning_of_errcode(code: i64) -> Option<&'static str> {
    errcode::lookup(code).map(|row| row.meaning)
}

/// The page on which WeCom looks an errcode up.
fn look_up(code: i64) -> String {
    format!("https://open.work.weixin.qq.com/devtool/query?e={code}")
}

fn of_errcode(row: &ErrcodeRow) -> Explanation {
    let ends_with = (row.code != 0).then(|| row.class.refusal_status());
    Explanation {
        code: row.code,
        kind: CodeKind::Errcode,
        meaning: row.meaning.to_owned(),
        cause: cause_of_code(row.code).unwrap_or_else(|| cause_of_class(row.class)),
        next: row.hint,
        ends_with: ends_with.map(|status| (status.exit_code(), status.as_str())),
        url: Some(look_up(row.code)),
    }
}

/// What usually causes a code, where its class says too little: codes of calls that are no sends.
fn cause_of_code(code: i64) -> Option<&'static str> {
    Some(match code {
        40096 => "the id of a customer in place of a member's userid",
        42052 => "a message that was sent more than 24 hours ago",
        45029 => "a department or tag with very many members, asked for in one call",
        48005 => "a call that WeCom has given up since this program was made",
        49008 | 86001 | 86003 | 86008 | 86201 | 86205 | 86206 => {
            "the chatid: it is mistyped, or the chat was dissolved, or this app did not make that chat"
        }
        60103 | 60105 | 60146 | 60147 | 60148 => {
            "a mobile number or mail address that is mistyped, is nobody's, or is that of a member the app cannot see"
        }
        60140 => "a response_code that is mistyped, was used once already, or is older than 72 hours",
        81012 | 82001 => "nobody was named",
        600039 => "a client of WeCom, or a device, that is too old for this message",
        846601 => "a bot that is set to a callback address, or whose mode was changed",
        846604..=846606 | 846608 => {
            "a press or message that was answered after its time (5 s for a card), or twice, as by two programs"
        }
        846607 => {
            "more messages than one conversation may get (exit 8), or a conversation in which nobody has written to the bot (exit 5)"
        }
        846609 => "a connection that WeCom, or another program with the same bot, has ended",
        846610..=846616 => "an upload that was broken off for more than 30 minutes",
        846625 => "a card that was sent already, or a task_id that was made by hand",
        853000 => "a BotID or Secret that is mistyped, was made anew, or is that of another bot or of an app",
        853001 | 853006 => "aibot_url, or something between this machine and WeCom",
        82002 | 82003 => "too many ids in one call",
        82101 | 82102 => "whom update-card names: only members who got the card can be named",
        86215 => "chat-create with a chatid that is taken",
        86004 | 86005 | 86006 | 86007 | 86202 | 86203 | 86204 | 86207 | 86216 | 86220 | 86222 => {
            "the name, owner or members that chat-create or chat-update gives the chat"
        }
        _ => return None,
    })
}

/// What usually causes the codes of a class.
fn cause_of_class(class: Class) -> &'static str {
    match class {
        Class::Ok => "nothing is wrong",
        Class::AuthRefresh => {
            "the access token was replaced or ran out; wecom-alert gets a new one and tries once more by itself"
        }
        Class::AuthFatal => {
            "a secret or corp_id that is mistyped, swapped, reset, or of another corp; many tries with a wrong one block \
             this address for an hour"
        }
        Class::Config => "a setting here, or of the app in the admin console",
        Class::Recipient => "an id that does not exist, or that the app cannot see (可见范围)",
        Class::Payload => "something in this one message, or in what another command sends to WeCom",
        Class::RateLimited => "too many calls in a short time, by this or another program with the same app or webhook",
        Class::Transient => "trouble on WeCom's side; wecom-alert tries again by itself",
        Class::Other => "a call that this program does not make: another API, or something between it and WeCom",
    }
}

fn of_exit_code(code: i64) -> Option<Explanation> {
    let code = u8::try_from(code).ok()?;
    let (meaning, cause, next) = match (exit_code_row(code), of_run(code)) {
        (Some(row), Some((of_run, ..))) => (format!("{}; of run: {of_run}", row.meaning), row.cause, row.next),
        (Some(row), None) => (row.meaning.to_owned(), row.cause, row.next),
        (None, of_run) => of_run.map(|(meaning, cause, next)| (format!("of run: {meaning}"), cause, next))?,
    };
    let status = exit_code_row(code).and_then(|row| row.statuses.first()).map(|status| status.as_str());
    Some(Explanation {
        code: code.into(),
        kind: CodeKind::ExitCode,
        meaning,
        cause,
        next,
        ends_with: status.filter(|_| code != 0).map(|status| (code, status)),
        url: None,
    })
}

/// The exit codes that `run` has beside those of the command itself.
fn of_run(code: u8) -> Option<(String, &'static str, &'static str)> {
    Some(match code {
        124 => (
            "the command was ended at --time-limit".to_owned(),
            "the command hangs, or needs more time than usual",
            "look at its output in the alert, or raise --time-limit",
        ),
        126 => (
            "the command could not be started".to_owned(),
            "a file that is not executable, a folder, a missing interpreter, or too few open files or processes allowed",
            "run the command by hand as the same user",
        ),
        127 => (
            "there is no such command".to_owned(),
            "a short PATH, as under cron and systemd, or a mistyped name",
            "write the whole path of the command, or sh -c 'LINE' for a line of shell",
        ),
        // 128 and a signal; those of real time have no names.
        129..=192 => (
            format!("the command was ended by {}", signal_name(i32::from(code) - 128)),
            "kill, the kernel (out of memory is SIGKILL), a crash, or a system that shuts down",
            "look at the command's own log, and at the system's: journalctl -k, dmesg",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(text: &str) -> Explanation {
        explain(text).unwrap().remove(0)
    }

    #[test]
    fn every_known_code_is_explained() {
        for code in (0..=11).chain([124, 126, 127]).chain(129..=192).chain([-1, 40001, 60020, 93000]) {
            for known in explain(&code.to_string()).unwrap() {
                assert!(!known.meaning.is_empty() && !known.cause.is_empty() && !known.next.is_empty(), "{known:?}");
            }
        }
        for code in ["12", "123", "125", "128", "193", "255", "256", "99999999", "-2"] {
            let error = explain(code).unwrap_err();
            assert!(error.hint().unwrap().ends_with(&format!("query?e={code}")), "{error:?}");
        }
        for text in ["", "x", "60020x", "1.5", "99999999999999999999"] {
            assert!(explain(text).unwrap_err().hint().unwrap().contains("explain 60020"), "{text}");
        }
    }

    /// The codes whose hint says that they belong to other APIs are the only ones whose cause may say so.
    #[test]
    fn the_cause_fits_the_calls_that_are_made() {
        let foreign = cause_of_class(Class::Other);
        for code in known_errcodes().filter(|code| *code != 0) {
            let known = explained(&code.to_string());
            assert_eq!(known.cause == foreign, known.next.starts_with("this code belongs to "), "{known:?}");
        }
        for (code, part) in [
            ("42052", "24 hours"),
            ("60140", "72 hours"),
            ("60147", "mail address"),
            ("82102", "update-card"),
            ("86003", "chatid"),
            ("86008", "chatid"),
            ("86207", "owner"),
            ("86215", "chat-create"),
        ] {
            let cause = explained(code).cause;
            assert!(cause.contains(part) && !cause.contains("可见范围"), "{code}: {cause}");
        }
    }

    #[test]
    fn a_code_says_how_a_command_ends() {
        assert_eq!(explained("60020").ends_with, Some((4, "auth")));
        assert_eq!(explained("45009").ends_with, Some((8, "rate_limited")));
        assert_eq!(explained("7").ends_with, Some((7, "temporary")));
        let both: Vec<_> = explain("0").unwrap().iter().map(|known| known.kind).collect();
        assert_eq!(both, [CodeKind::ExitCode, CodeKind::Errcode]);
        assert!(explained("137").meaning.contains("SIGKILL"));
        assert!(explained("143").meaning.contains("SIGTERM") && explained("143").meaning.contains("of run"));
    }
}
