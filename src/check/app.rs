//! `check` of an app by asking WeCom: its token, whether it is enabled, its visible range, and from which IP it may be
//! called.

use std::time::{Duration, Instant};

use crate::api::Agent;
use crate::blocking::off_loop;
use crate::channel::Addressing;
use crate::clock;
use crate::config::Settings;
use crate::delivery::Courier;
use crate::error::{Error, Status};
use crate::message::recipients::{ALL, RecipientKind, Recipients, userid_problem};
use crate::sanitize::first_items;
use crate::send::{Roster, Session, Target, people_of, recipients_of, roster_patience, settle_roster};
use crate::store::Folder;
use crate::token::Token;

use super::report::CheckReport;
use super::{CheckedTarget, OF_APP, chat};

/// How many ids of a list are shown.
const SHOWN_IDS: usize = 5;

/// The department that all others are in (document path 90208).
const ROOT: &str = "1";

/// Asks WeCom. After a failure no further request is made either.
pub(super) async fn look(checked: &mut CheckedTarget, session: &Session<'_>, report: &mut CheckReport) {
    let looks_at_chat = chat::is_wanted(checked.target.channel, &session.settings);
    if let Some(failed) = checked.blocked {
        report.skip_after(&OF_APP, failed);
        report.skip_after(chat::NAMES.get(..if looks_at_chat { 2 } else { 0 }).unwrap_or_default(), failed);
    } else if let Some(courier) = &mut checked.courier {
        look_at_roster(&mut checked.target, report).await;
        let mut sees_root = None;
        checked.blocked = ask(courier, session, &checked.target.settings, &mut sees_root, report).await.err();
        match checked.blocked {
            _ if !looks_at_chat => {}
            Some(failed) => report.skip_after(&chat::NAMES, failed),
            None => chat::look(courier, &session.settings, sees_root, report).await,
        }
    }
}

/// Runs `to_user_command`, if there is one, and uses what it prints.
async fn look_at_roster(target: &mut Target, report: &mut CheckReport) {
    const NAME: &str = "to_user_command";
    if target.channel.facts().addressing != Addressing::Recipients {
        return;
    }
    let Some(program) = target.settings.to.as_mut().and_then(|to| to.to_user_command.take()) else { return };
    let limit = roster_patience(target.deadline.saturating_duration_since(Instant::now()));
    let ran = off_loop(move || Roster::ask(&program, limit)).await;
    let settled = ran.and_then(|roster| {
        let told = first_items(&roster.userids, SHOWN_IDS);
        let hint = roster.problem.as_ref().and_then(Error::hint).unwrap_or_default().to_owned();
        Ok((told, settle_roster(roster, &mut target.settings)?, hint))
    });
    match settled {
        Ok((told, None, _)) => report.ok(NAME, format!("it prints {told}")),
        Ok((_, Some(warning), hint)) => report.warn(NAME, warning, hint),
        Err(error) => report.fail(NAME, &error),
    }
}

/// `settings` are those of the target, whose recipients may be a program's. `sees_root` becomes whether the app is visible to the root department, as far as WeCom says it.
async fn ask(
    courier: &mut Courier,
    session: &Session<'_>,
    settings: &Settings,
    sees_root: &mut Option<bool>,
    report: &mut CheckReport,
) -> Result<(), &'static str> {
    let by_chat = courier.channel.facts().addressing == Addressing::Chat;
    let token = match courier.token(false).await {
        Ok(token) => token,
        Err(error) => {
            let blocked = report.block("token", &error, &["agent", "reach", "recipients"]);
            look_at_ip(Some(&error), report);
            return blocked;
        }
    };
    look_at_token(&token, &session.settings, report);
    report.answered(token.answer.clone());
    courier.token = Some(token.clone());
    let asked = match &session.settings.agent_id {
        Some(agent_id) => courier.agent(&token, agent_id.value).await,
        None if by_chat => {
            report.skip_all(
                &["agent", "reach", "recipients"],
                "not asked: agent_id is not set, and a group chat needs none",
            );
            look_at_ip(None, report);
            return Ok(());
        }
        None => Err(session.settings.missing(&["agent_id"])),
    };
    match asked {
        Ok(Some(agent)) => {
            *sees_root = agent.tells_range.then(|| agent.parties.iter().any(|party| party == ROOT));
            let enabled = look_at_agent(&agent, settings, by_chat, report);
            report.answered(Some(agent.answer));
            look_at_ip(None, report);
            enabled
        }
        Ok(None) => {
            let detail = "not asked: WeCom did not know the cached token any more, and a new one was fetched";
            report.warn("agent", detail, "run wecom-alert check again: it asks once in a run");
            report.skip_all(&["reach", "recipients"], "skipped: the agent was not asked");
            look_at_ip(None, report);
            Ok(())
        }
        Err(error) => {
            let blocked = report.block("agent", &error, &["reach", "recipients"]);
            look_at_ip(Some(&error), report);
            blocked
        }
    }
}

fn look_at_token(token: &Token, settings: &Settings, report: &mut CheckReport) {
    let left = clock::span(Duration::from_secs(token.expires_in), &clock::UNITS);
    let detail = if token.from_cache {
        format!("from the cache, {left} left; check with --no-cache proves the secret too")
    } else {
        format!("WeCom granted it, {left} left")
    };
    let Some(cache) = settings.cache_dir.as_ref().map(Folder::private) else {
        let why = if settings.no_cache { "the cache is switched off" } else { "there is no folder for a cache" };
        let hint = "leave --no-cache out and set WECOM_ALERT_CACHE_DIR: every command asks for a token of its own, and WeCom \
                    limits that";
        return report.warn("token", format!("{detail}; {why}"), hint);
    };
    match cache.try_out() {
        Ok(()) => report.ok("token", detail),
        Err(error) => report.warn(
            "token",
            format!("{detail}; the cache folder {:?} cannot be used: {error}", cache.path()),
            "let WECOM_ALERT_CACHE_DIR name a folder that this user may write to: every command asks for a token of its own, \
             and WeCom limits that",
        ),
    }
}

/// The IP address that WeCom saw, which it only tells in a refusal.
fn look_at_ip(refusal: Option<&Error>, report: &mut CheckReport) {
    let seen = refusal.and_then(|error| Some((error, error.seen_ip()?)));
    let Some((error, ip)) = seen else {
        return report.skip("ip", "not known: WeCom says which address it sees only when it refuses something");
    };
    if error.answer().is_some_and(|answer| matches!(answer.errcode, 60020 | 301_042)) {
        let message = format!("WeCom sees this machine as {ip}, which the app does not trust");
        report.fail("ip", &error.clone().with_message(message));
    } else {
        report.skip("ip", format!("WeCom sees this machine as {ip}; it does not say whether the app trusts that"));
    }
}

fn look_at_agent(
    agent: &Agent,
    settings: &Settings,
    by_chat: bool,
    report: &mut CheckReport,
) -> Result<(), &'static str> {
    let name = if agent.name.is_empty() { "the app" } else { &agent.name };
    let enabled = if agent.is_closed {
        let error = Error::new(Status::Auth, format!("{name} is disabled"))
            .with_hint("ask an admin to enable it again: 应用管理 → the app → 启用");
        report.block("agent", &error, &[])
    } else {
        report.ok("agent", format!("{name} is visible and enabled"));
        Ok(())
    };
    if !agent.tells_range {
        report.skip_all(&["reach", "recipients"], "not known: the answer does not say what the app may see");
        return enabled;
    }
    let reach = [("members", &agent.users), ("departments", &agent.parties), ("tags", &agent.tags)];
    if reach.iter().all(|(_, ids)| ids.is_empty()) {
        let hint = "add members, departments or tags under 应用管理 → the app → 可见范围";
        report.warn("reach", "nobody: WeCom lists no member, department or tag", hint);
    } else {
        let told: Vec<_> = reach.iter().map(|(what, ids)| counted(what, ids)).collect();
        report.ok("reach", told.join(", "));
    }
    match by_chat {
        true => report.skip("recipients", "not looked at: a message in a group chat is for its members"),
        false => look_at_recipients(agent, settings, report),
    }
    enabled
}

/// `2 departments (1, 2)`.
fn counted(what: &str, ids: &[String]) -> String {
    let what = if ids.len() == 1 { what.trim_end_matches('s') } else { what };
    match ids {
        [] => format!("no {}", what.trim_end_matches('s')),
        ids => format!("{} {what} ({})", ids.len(), first_items(ids, SHOWN_IDS)),
    }
}

fn look_at_recipients(agent: &Agent, settings: &Settings, report: &mut CheckReport) {
    let of_settings = |to| Ok((recipients_of(to)?, people_of(to)?.len()));
    let (recipients, people) = match settings.to.as_ref().map(of_settings).transpose() {
        Err(error) => return report.fail("recipients", &error),
        Ok(None) => {
            return report.skip("recipients", "none are set: app-send must name them with -u, --to-party or --to-tag");
        }
        Ok(Some(recipients)) => recipients,
    };
    if recipients.is_empty() && people == 0 {
        return report.skip("recipients", "nobody is named: to_user_command says nobody, and to_user is not set");
    }
    // To ask for them here would make one more miss of a wrong one.
    let looked_up = (people > 0).then(|| format!("{people} named by number or mail: looked up when a message is sent"));
    if let (true, Some(looked_up)) = (recipients.is_empty(), &looked_up) {
        return report.skip("recipients", looked_up);
    }
    if let Some(problem) = misspelt(&recipients) {
        let error = Error::usage(problem, "write userids: 账号 in 通讯录 → the member, not the name");
        return report.fail("recipients", &error);
    }
    let Found { unknown, missing, listed } = compare(&recipients, agent);
    if !missing.is_empty() {
        let status = if listed { Status::Partial } else { Status::Refused };
        let error = Error::new(status, format!("not in the app's range: {}", first_items(&missing, SHOWN_IDS)))
            .with_hint("correct the ids, or add them under 应用管理 → the app → 可见范围");
        report.fail("recipients", &error);
    } else if !unknown.is_empty() {
        let detail = "not known: a department or tag of the app's range may hold";
        let detail = format!("{detail} {}; WeCom does not list them", first_items(&unknown, SHOWN_IDS));
        report.skip("recipients", [Some(detail), looked_up].into_iter().flatten().collect::<Vec<_>>().join("; "));
    } else {
        let detail = Some("all that are set are in the app's range".to_owned());
        report.ok("recipients", [detail, looked_up].into_iter().flatten().collect::<Vec<_>>().join("; "));
    }
}

/// The first of the userids that can be none, such as a name, and why.
fn misspelt(recipients: &Recipients) -> Option<String> {
    let problem = |id: &String| Some(format!("userid {id:?} {}", userid_problem(id)?));
    recipients.of(RecipientKind::User).iter().filter(|id| *id != ALL).find_map(problem)
}

/// Whether the recipients of the settings are in the visible range that WeCom lists.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Some of them are listed, or may be in what is listed.
    listed: bool,
    /// It is not known.
    unknown: Vec<String>,
    /// They cannot be.
    missing: Vec<String>,
}

/// A department includes those below it, and a tag can hold members and departments: the answer does not list their members.
fn compare(recipients: &Recipients, agent: &Agent) -> Found {
    let holds_more = !agent.parties.is_empty() || !agent.tags.is_empty();
    let lists = [
        ("member", RecipientKind::User, &agent.users),
        ("department", RecipientKind::Party, &agent.parties),
        ("tag", RecipientKind::Tag, &agent.tags),
    ];
    let mut found = Found::default();
    for (what, kind, known) in lists {
        for id in recipients.of(kind) {
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
        let mut recipients = Recipients::default();
        for (kind, ids) in [(RecipientKind::User, users), (RecipientKind::Party, parties)] {
            ids.iter().for_each(|id| recipients.add(kind, id).unwrap());
        }
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
