//! What WeCom says of an app: its token, whether it is enabled, whom it can reach, and from where it may be asked.

use std::time::Duration;

use crate::api::Agent;
use crate::clock;
use crate::config::Settings;
use crate::delivery::Courier;
use crate::error::{Error, Status};
use crate::message::recipients::{ALL, Recipients};
use crate::sanitize::first_items;
use crate::send::Session;
use crate::store::Folder;
use crate::token::Token;

use super::sheet::Sheet;
use super::test_message::recipients_of;
use super::{OF_APP, Subject};

/// How many ids of a list are shown.
const SHOWN_IDS: usize = 5;

/// Asks WeCom. A failure is noted as standing before further requests too.
pub(super) async fn look(subject: &mut Subject, session: &Session<'_>, sheet: &mut Sheet) {
    let blocked = match (&mut subject.courier, subject.blocked) {
        (_, Some(failed)) => {
            sheet.skip_all(&OF_APP, failed);
            Some(failed)
        }
        (Some(courier), None) => ask(courier, session, sheet).await.err(),
        (None, None) => None,
    };
    subject.blocked = blocked;
}

async fn ask(courier: &mut Courier, session: &Session<'_>, sheet: &mut Sheet) -> Result<(), &'static str> {
    let token = match courier.token(false).await {
        Ok(token) => token,
        Err(error) => {
            sheet.fail("token", &error);
            sheet.skip_all(&["agent", "reach", "recipients"], "token");
            look_at_ip(Some(&error), sheet);
            return Err("token");
        }
    };
    look_at_token(&token, &session.settings, sheet);
    sheet.answered(token.answer.clone());
    courier.use_token(token.clone());
    let asked = match &session.settings.agent_id {
        Some(agent_id) => courier.agent(&token, agent_id.value).await,
        None => Err(session.settings.missing(&["agent_id"])),
    };
    match asked {
        Ok(Some(agent)) => {
            let enabled = look_at_agent(&agent, &session.settings, sheet);
            sheet.answered(Some(agent.answer));
            look_at_ip(None, sheet);
            enabled
        }
        Ok(None) => {
            let detail = "not asked: WeCom did not know the cached token any more, and a new one was fetched";
            sheet.warn("agent", detail, "run wecom-alert check again: it asks once in a run");
            for name in ["reach", "recipients"] {
                sheet.skip(name, "skipped: the agent was not asked");
            }
            look_at_ip(None, sheet);
            Ok(())
        }
        Err(error) => {
            sheet.fail("agent", &error);
            sheet.skip_all(&["reach", "recipients"], "agent");
            look_at_ip(Some(&error), sheet);
            Err("agent")
        }
    }
}

fn look_at_token(token: &Token, settings: &Settings, sheet: &mut Sheet) {
    let left = clock::span(Duration::from_secs(token.expires_in));
    let detail = if token.from_cache {
        format!("from the cache, {left} left; check with --no-cache proves the secret too")
    } else {
        format!("WeCom granted it, {left} left")
    };
    let Some(cache) = settings.cache_dir.as_ref().map(Folder::private) else {
        let why = if settings.no_cache { "the cache is switched off" } else { "there is no folder for a cache" };
        let hint = "leave --no-cache out and set WECOM_ALERT_CACHE_DIR: every command asks for a token of its own, and WeCom \
                    limits that";
        return sheet.warn("token", format!("{detail}; {why}"), hint);
    };
    match cache.try_out() {
        Ok(()) => sheet.ok("token", detail),
        Err(error) => sheet.warn(
            "token",
            format!("{detail}; the cache folder {:?} cannot be used: {error}", cache.path()),
            "let WECOM_ALERT_CACHE_DIR name a folder that this user may write to: every command asks for a token of its own, \
             and WeCom limits that",
        ),
    }
}

/// The address that WeCom saw, which it tells only where it refuses something.
fn look_at_ip(refusal: Option<&Error>, sheet: &mut Sheet) {
    let seen = refusal.and_then(|error| Some((error, error.seen_ip()?)));
    let Some((error, ip)) = seen else {
        return sheet.skip("ip", "not known: WeCom tells the address that it sees only where it refuses something");
    };
    if error.answer().is_some_and(|answer| matches!(answer.errcode, 60020 | 301_042)) {
        let message = format!("WeCom sees this machine as {ip}, which the app does not trust");
        sheet.fail("ip", &error.clone().with_message(message));
    } else {
        sheet.ok("ip", format!("WeCom sees this machine as {ip}"));
    }
}

fn look_at_agent(agent: &Agent, settings: &Settings, sheet: &mut Sheet) -> Result<(), &'static str> {
    let name = if agent.name.is_empty() { "the app" } else { &agent.name };
    let enabled = if agent.is_closed {
        let error = Error::new(Status::Auth, format!("{name} is disabled"))
            .with_hint("ask an admin to enable it again: 应用管理 → the app → 启用");
        sheet.fail("agent", &error);
        Err("agent")
    } else {
        sheet.ok("agent", format!("{name} is visible and enabled"));
        Ok(())
    };
    if !agent.tells_range {
        for name in ["reach", "recipients"] {
            sheet.skip(name, "not known: the answer says nothing of the app's range");
        }
        return enabled;
    }
    let reach = [("members", &agent.users), ("departments", &agent.parties), ("tags", &agent.tags)];
    if reach.iter().all(|(_, ids)| ids.is_empty()) {
        let hint = "add members, departments or tags under 应用管理 → the app → 可见范围";
        sheet.warn("reach", "nobody: WeCom lists no member, department or tag", hint);
    } else {
        let told: Vec<_> = reach.iter().map(|(what, ids)| counted(what, ids)).collect();
        sheet.ok("reach", told.join(", "));
    }
    look_at_recipients(agent, settings, sheet);
    enabled
}

/// `2 departments (1, 2)`.
fn counted(what: &str, ids: &[String]) -> String {
    let what = if ids.len() == 1 { what.trim_end_matches('s') } else { what };
    match ids {
        [] => format!("no {}", what.trim_end_matches('s')),
        ids => format!("{} {what} ({})", ids.len(), few(ids)),
    }
}

fn few(ids: &[String]) -> String {
    first_items(ids, SHOWN_IDS)
}

fn look_at_recipients(agent: &Agent, settings: &Settings, sheet: &mut Sheet) {
    match recipients_of(settings) {
        Err(error) => sheet.fail("recipients", &error),
        Ok(None) => sheet.skip("recipients", "none are set: app-send must name them with -u, --to-party or --to-tag"),
        Ok(Some(recipients)) => match compare(&recipients, agent) {
            Found { unknown, missing, .. } if unknown.is_empty() && missing.is_empty() => {
                sheet.ok("recipients", "all that are set are in the app's range");
            }
            Found { unknown, missing, .. } if missing.is_empty() => {
                let detail = "not listed by themselves, but a department or tag of the range may hold them: ";
                sheet.ok("recipients", format!("{detail}{}", few(&unknown)));
            }
            Found { listed, missing, .. } => {
                let status = if listed { Status::Partial } else { Status::Refused };
                let error = Error::new(status, format!("not in the app's range: {}", few(&missing)))
                    .with_hint("correct the ids, or add them under 应用管理 → the app → 可见范围");
                sheet.fail("recipients", &error);
            }
        },
    }
}

/// How the recipients of the settings stand to what WeCom lists.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Some of them are listed, or may be in what is listed.
    listed: bool,
    /// They may be.
    unknown: Vec<String>,
    /// They cannot be.
    missing: Vec<String>,
}

/// A department includes those below it, and a tag can hold members and departments: what is in them is not told here.
fn compare(recipients: &Recipients, agent: &Agent) -> Found {
    let holds_more = !agent.parties.is_empty() || !agent.tags.is_empty();
    let lists = [
        ("member", &recipients.users, &agent.users),
        ("department", &recipients.parties, &agent.parties),
        ("tag", &recipients.tags, &agent.tags),
    ];
    let mut found = Found::default();
    for (what, wanted, known) in lists {
        for id in wanted {
            let is_known = id == ALL || known.iter().any(|known| known.eq_ignore_ascii_case(id));
            found.listed |= is_known || holds_more;
            match (is_known, holds_more) {
                (true, _) => {}
                (false, true) => found.unknown.push(format!("{what} {id}")),
                (false, false) => found.missing.push(format!("{what} {id}")),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::error::Answer;

    use super::*;

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn found(users: &[&str], parties: &[&str], agent: [&[&str]; 3]) -> Found {
        let recipients = Recipients { users: ids(users), parties: ids(parties), tags: Vec::new() };
        let [of_users, of_parties, of_tags] = agent.map(ids);
        let answer = Answer { errcode: 0, errmsg: String::new() };
        let (name, is_closed, tells_range) = (String::new(), false, true);
        compare(
            &recipients,
            &Agent { name, is_closed, tells_range, users: of_users, parties: of_parties, tags: of_tags, answer },
        )
    }

    #[test]
    fn only_what_can_be_known_is_said() {
        let told =
            |listed, unknown: &[&str], missing: &[&str]| Found { listed, unknown: ids(unknown), missing: ids(missing) };
        assert_eq!(found(&["ZhangSan"], &["2"], [&["zhangsan"], &["2"], &[]]), told(true, &[], &[]));
        assert_eq!(found(&["@all"], &[], [&["zhangsan"], &[], &[]]), told(true, &[], &[]));
        let expected = told(true, &["member lisi", "department 7"], &[]);
        assert_eq!(found(&["zhangsan", "lisi"], &["7"], [&["zhangsan"], &["1"], &[]]), expected);
        assert_eq!(found(&["lisi"], &[], [&[], &[], &["5"]]), told(true, &["member lisi"], &[]));
        assert_eq!(found(&["zhangsan", "lisi"], &[], [&["zhangsan"], &[], &[]]), told(true, &[], &["member lisi"]));
        assert_eq!(
            found(&["lisi"], &["7"], [&["zhangsan"], &[], &[]]),
            told(false, &[], &["member lisi", "department 7"])
        );
    }

    #[test]
    fn lists_are_counted_and_short() {
        assert_eq!(counted("members", &ids(&["a"])), "1 member (a)");
        assert_eq!(counted("tags", &[]), "no tag");
        assert_eq!(counted("departments", &ids(&["1", "2", "3", "4", "5", "6"])), "6 departments (1, 2, 3, 4, 5, …)");
    }
}
