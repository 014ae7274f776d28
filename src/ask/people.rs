//! What the profile's app knows of people: who is behind an encrypted id, what they are called, and whether those who are to
//! press still can. Without an app nothing is known.

use std::time::Duration;

use tokio::time::timeout;

use super::question::{Question, is_encrypted};
use crate::api::{Membership, OPENUSERID_TO_USERID, USER_GET};
use crate::delivery::Purpose;
use crate::error::{Error, Result};
use crate::send::Session;

/// How long an id is turned into a plain one: a card can be changed for 5 s after a press.
const TO_TRANSLATE: Duration = Duration::from_secs(2);

/// How long the name of who answered may hold the end up.
const TO_NAME: Duration = Duration::from_secs(1);

/// How long all those who are to press are looked at before anything is asked.
const TO_CHECK: Duration = Duration::from_secs(3);

/// WeCom knows no such member, or the app may not see them (document path 90196).
const UNKNOWN: i64 = 60111;

/// The userid behind an encrypted id; `None` where it cannot be had in 2 s.
pub(super) async fn plain_id(session: &Session<'_>, encrypted: &str) -> Option<String> {
    let asking = async {
        let mut courier = session.app_courier(TO_TRANSLATE).await?;
        let asked = courier.ask(OPENUSERID_TO_USERID, Purpose::Read, async |client, token| {
            client.plain_userid(token, encrypted).await
        });
        asked.await.ok()?
    };
    timeout(TO_TRANSLATE, asking).await.ok()?
}

/// What a member is called; `None` where that cannot be had in a second.
pub(super) async fn name_of(session: &Session<'_>, userid: &str) -> Option<String> {
    timeout(TO_NAME, membership(session, userid, TO_NAME)).await.ok()??.ok()?.name
}

async fn membership(session: &Session<'_>, userid: &str, limit: Duration) -> Option<Result<Membership>> {
    let mut courier = session.app_courier(limit).await?;
    Some(courier.ask(USER_GET, Purpose::Read, async |client, token| client.user_get(token, userid).await).await)
}

/// Looks at those whose press alone counts. Returns warnings.
///
/// # Errors
///
/// Exit 3 where one of them has left, or is not active: a press of theirs cannot come. What cannot be learned is none.
pub(super) async fn check(session: &Session<'_>, question: &Question) -> Result<Vec<String>> {
    let has_app = session.settings.lacking_for_app(false).is_empty();
    let is_plain = |id: &String| !is_encrypted(id);
    if !has_app && gets_encrypted_ids(session) && question.only.iter().chain(&question.not).any(is_plain) {
        return Err(Error::config(
            "--only, --not: this bot gets encrypted ids (aibot_user is one), and the profile has no app that tells whose they are",
            "add corp_id and secret_file of an app to the profile, or give the ids as the bot gets them",
        ));
    }
    let checking = async {
        let mut warnings = Vec::new();
        for id in &question.only {
            let plain = if is_encrypted(id) { plain_id(session, id).await } else { None };
            let warning = match membership(session, plain.as_deref().unwrap_or(id), TO_CHECK).await {
                None => return Ok(warnings),
                Some(Ok(member)) => match inactive(member.status) {
                    Some(why) => return Err(cannot_press(id, why)),
                    None => continue,
                },
                Some(Err(error)) if error.answer().is_some_and(|answer| answer.errcode == UNKNOWN) => {
                    "WeCom knows no such member, or the app may not see them".to_owned()
                }
                Some(Err(error)) => format!("it could not be checked: {}", error.message()),
            };
            warnings.push(format!("--only {id}: {warning}"));
        }
        Ok(warnings)
    };
    timeout(TO_CHECK, checking)
        .await
        .unwrap_or_else(|_| Ok(vec!["--only could not be checked: WeCom did not answer in time".to_owned()]))
}

/// Whether the bot's own recipients are named by encrypted ids.
fn gets_encrypted_ids(session: &Session<'_>) -> bool {
    let to = session.settings.aibot_to.as_ref();
    to.is_some_and(|to| to.users.iter().any(|id| is_encrypted(id)))
}

/// Why a member of this status (document path 90196) does not press; `None` for one that can.
fn inactive(status: Option<u64>) -> Option<&'static str> {
    match status? {
        2 => Some("is disabled"),
        4 => Some("has not activated WeCom"),
        5 => Some("has left the corp"),
        _ => None,
    }
}

fn cannot_press(id: &str, why: &str) -> Error {
    Error::config(
        format!("--only: {id} {why}, and cannot press"),
        "name members who can: 通讯录 → the member shows 账号 and state",
    )
}
