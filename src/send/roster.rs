//! `to_user_command`: a program that prints who gets an alert now, such as a duty roster.
//!
//! Its failure never keeps an alert back: `to_user` gets it then.

use std::time::Duration;

use serde_json::Value;

use super::payload::{people_of, recipients_of, settings_for};
use super::target::Target;
use crate::config::{Program, RecipientSettings, Settings};
use crate::error::{Error, Result};
use crate::message::person::mobile_number;
use crate::message::recipients::{ids, userid_problem};
use crate::sanitize::excerpt;

/// The longest wait for the program.
const LONGEST_PATIENCE: Duration = Duration::from_secs(20);

/// No more than this is read of what it prints, in bytes.
const MOST_BYTES: usize = 64 * 1024;

const HINT: &str = "run it by hand, as this user and without standard input: it must print userids and nothing else";

/// How long the program may take, given the time that is left to send: a quarter of it.
pub(crate) fn patience(left: Duration) -> Duration {
    (left / 4).min(LONGEST_PATIENCE)
}

/// The program that is to be run for a message to this target. A dry run runs none.
pub(super) fn program_for(payload: Option<&Value>, target: &mut Target) -> Option<Program> {
    let is_dry_run = target.settings.dry_run;
    let to = settings_for(payload, target)?;
    if is_dry_run {
        let program = to.to_user_command.as_ref()?;
        let warning = format!("{} is not run in a dry run, so its recipients are not shown", program.origin());
        target.warnings.push(warning);
        return None;
    }
    to.to_user_command.take()
}

/// What the program printed, as userids.
#[derive(Debug)]
pub(crate) struct Roster {
    /// Those that can be userids.
    pub(crate) userids: Vec<String>,
    /// Why not all that it printed counts, or nothing.
    pub(crate) problem: Option<Error>,
}

impl Roster {
    /// Runs the program, for so long at the most. Blocks.
    pub(crate) fn ask(program: &Program, limit: Duration) -> Self {
        program.run(limit).map_or_else(
            |error| Self { userids: Vec::new(), problem: Some(error) },
            |printed| Self::read(&printed, program.origin()),
        )
    }

    fn read(printed: &[u8], origin: &str) -> Self {
        let wrong = |what: &str| Some(Error::config(format!("{origin}: {what}"), HINT));
        let nobody = |what: &str| Self { userids: Vec::new(), problem: wrong(what) };
        if printed.len() > MOST_BYTES {
            return nobody("it prints more than 64 KiB");
        }
        let Ok(text) = std::str::from_utf8(printed) else { return nobody("it does not print UTF-8") };
        let items = text.split_whitespace().flat_map(ids).filter(|id| !id.is_empty());
        let (mut userids, mut problem): (Vec<String>, _) = (Vec::new(), None);
        for item in items {
            let what = match userid_problem(item) {
                // A userid may have digits alone, but hardly these.
                None if mobile_number(item).is_some_and(|number| number.len() == 11 && number.starts_with('1')) => {
                    Some("is a mobile number".to_owned())
                }
                what => what,
            };
            match what {
                None => userids.push(item.to_owned()),
                Some(what) => {
                    let what = format!("it prints what is no userid: {:?} {what}", excerpt(item, 60));
                    problem = problem.or_else(|| wrong(&what));
                }
            }
        }
        match (userids.is_empty(), &problem) {
            (true, None) => nobody("it prints nothing"),
            _ => Self { userids, problem },
        }
    }
}

/// Uses what the program printed: in place of `to_user`, unless something is wrong with it. Returns a warning then.
///
/// # Errors
///
/// Exit 3 where nobody is left to send to.
pub(crate) fn settle(roster: Roster, settings: &mut Settings) -> Result<Option<String>> {
    let Some(to) = settings.to.as_mut() else { return Ok(None) };
    let Some(problem) = roster.problem else {
        to.to_user = roster.userids;
        return Ok(None);
    };
    let instead = if !to.stand_ins.is_empty() {
        to.to_user.clone_from(&to.stand_ins);
        "the alert goes to to_user"
    } else if !roster.userids.is_empty() {
        to.to_user = roster.userids;
        "the others get it"
    } else if names_anybody(to) {
        "the other recipients get it"
    } else {
        return Err(problem.clone().with_message(format!("there is no recipient: {problem}")));
    };
    Ok(Some(format!("{problem}: {instead}")))
}

/// What an alert would lack if the program were asked now, as far as can be known without running it.
///
/// # Errors
///
/// As [`settle`].
pub(super) fn look_before(settings: &mut Settings) -> Result<Option<String>> {
    let program = settings.to.as_ref().and_then(|to| to.to_user_command.as_ref());
    let Some(Err(problem)) = program.map(Program::check) else { return Ok(None) };
    settle(Roster { userids: Vec::new(), problem: Some(problem) }, settings)
}

fn names_anybody(to: &RecipientSettings) -> bool {
    recipients_of(to).is_ok_and(|recipients| !recipients.is_empty())
        || people_of(to).is_ok_and(|people| !people.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn userids_are_read_as_programs_print_them() {
        for (printed, expected) in [
            ("zhangsan\n", "zhangsan"),
            ("zhangsan,lisi\n", "zhangsan lisi"),
            ("zhangsan|lisi", "zhangsan lisi"),
            ("zhangsan lisi\r\nwangwu\n\n", "zhangsan lisi wangwu"),
            (" \"zhangsan\", 'lisi' \n", "zhangsan lisi"),
            ("1001、1002", "1001 1002"),
        ] {
            let roster = Roster::read(printed.as_bytes(), "duty");
            assert_eq!((roster.userids.join(" ").as_str(), roster.problem.is_none()), (expected, true), "{printed:?}");
        }
    }

    #[test]
    fn what_is_no_roster_is_told() {
        let long = "x ".repeat(40 * 1024);
        for (printed, userids, told) in [
            (&b""[..], 0, "prints nothing"),
            (b" \n", 0, "prints nothing"),
            (b"\xff", 0, "UTF-8"),
            (long.as_bytes(), 0, "64 KiB"),
            ("张三".as_bytes(), 0, "no userid: \"张三\" may hold letters"),
            (b"zhangsan @all", 1, "\"@all\""),
            (b"zhangsan 13800000000", 1, "\"13800000000\" is a mobile number"),
            (b"<html> <body> Service unavailable", 2, "\"<html>\""),
        ] {
            let roster = Roster::read(printed, "duty");
            let problem = roster.problem.unwrap().to_string();
            assert!(problem.starts_with("duty: ") && problem.contains(told), "{problem}");
            assert_eq!(roster.userids.len(), userids, "{problem}");
        }
    }
}
