//! `check` of what presses on cards need: the keys of the callback, who receives at its address, and the way from its public
//! address to there.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use url::{Position, Url};

use super::CheckedTarget;
use super::report::CheckReport;
use crate::api::PlainAnswer;
use crate::callback::CallbackKeys;
use crate::cards::CardStore;
use crate::channel::{Addressing, Channel, CredentialKind};
use crate::clock::now_ms;
use crate::config::{BaseUrl, CallbackSettings, DEFAULT_LISTEN, Settings};
use crate::delivery::explain_connection;
use crate::error::{Error, Result, hint_for};
use crate::send::{Session, Target};
use crate::store::Folder;

/// In how much time WeCom wants the answer to a verification (document path 90930).
const IN_TIME: Duration = Duration::from_secs(1);

const ADDRESS: &str = "callback_listen";
const PUBLIC: &str = "callback_url";

/// The settings of the callback of that channel, and what its keys are called in the table.
fn callback_of(settings: &Settings, channel: Channel) -> Option<(&CallbackSettings, &'static str)> {
    let (callback, name) = match channel.facts().credential {
        CredentialKind::Aibot => (&settings.aibot_callback, "aibot_callback_keys"),
        CredentialKind::AppToken if channel.facts().addressing == Addressing::Recipients => {
            (&settings.callback, "callback_keys")
        }
        CredentialKind::AppToken | CredentialKind::WebhookKey => return None,
    };
    (callback.token.is_some() || callback.aes_key.is_some()).then_some((callback, name))
}

/// Looks at the callbacks of these targets, if they have any. Their credentials are read already.
pub(super) async fn look(session: &Session<'_>, targets: &[CheckedTarget], report: &mut CheckReport) {
    let mut keys = None;
    let mut has_any = false;
    for checked in targets {
        let Some((_, name)) = callback_of(&session.settings, checked.target.channel) else { continue };
        has_any = true;
        match checked.target.callback_keys().await {
            Ok(Some(found)) => {
                report.ok(name, "Token and EncodingAESKey have the form of the console's");
                keys.get_or_insert((found, &checked.target));
            }
            Ok(None) => report.skip(name, "a dry run reads no file for it and runs no command"),
            Err(error) => report.fail(name, &error),
        }
    }
    if !has_any {
        return;
    }
    look_at_address(session, targets, report).await;
    match (&session.settings.callback_url, keys) {
        (None, _) => report.skip(PUBLIC, "not set: set it to the URL in the console, and it is tried from here"),
        (Some(_), _) if session.settings.dry_run => report.skip(PUBLIC, "skipped: a dry run does not use the network"),
        (Some(_), None) => report.skip(PUBLIC, "skipped: there are no keys to sign a request with"),
        (Some(url), Some((keys, target))) => match verify(url, &keys, target).await {
            Ok(took) if took > IN_TIME => report.warn(
                PUBLIC,
                format!("{} answers a verification in {} ms", shown(url), took.as_millis()),
                "WeCom waits one second: see what holds it up on the way, or a slow disk or processor",
            ),
            Ok(took) => report.ok(
                PUBLIC,
                format!("{} answers a verification as WeCom wants it ({} ms)", shown(url), took.as_millis()),
            ),
            Err(error) => report.fail(PUBLIC, &error),
        },
    }
}

/// Whether somebody receives callbacks, or could.
async fn look_at_address(session: &Session<'_>, targets: &[CheckedTarget], report: &mut CheckReport) {
    let set = session.settings.callback_listen.as_ref();
    let address = set.map_or(DEFAULT_LISTEN, |address| address.value);
    if let Some(state) = &session.settings.state_dir {
        let state = Folder::private(state);
        // Those whose credentials were read have them at hand.
        for checked in targets.iter().filter(|checked| checked.courier.is_some()) {
            let Ok(login) = checked.target.log_in(None).await else { continue };
            if CardStore::of(&state, &login.card_owner()).is_listened_to().await {
                return report.ok(ADDRESS, "a running listen receives presses for this state folder");
            }
        }
    }
    match TcpListener::bind(address) {
        Ok(_) => report.warn(
            ADDRESS,
            format!("no listen runs with this state folder; {address} is free for it"),
            "start wecom-alert listen: without it nobody hears of presses on cards",
        ),
        Err(error) => {
            let hint = match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    "another program has it, or a listen with another state folder: end it, or give callback_listen another port"
                }
                _ => hint_for(&error, "give callback_listen an address of this machine and a port above 1023"),
            };
            report.fail(ADDRESS, &Error::config(format!("{address} cannot be listened on: {error}"), hint));
        }
    }
}

/// Does what the console does when the address is saved, from here; how long the answer took.
async fn verify(url: &str, keys: &CallbackKeys, target: &Target) -> Result<Duration> {
    let parsed = Url::parse(url).map_err(|error| Error::config(format!("it is not a URL: {error}"), "correct it"))?;
    let client = target.inspecting_client(BaseUrl::parse(&parsed[..Position::BeforePath])?);
    let mut random = [0; 16];
    random.fill_with(|| fastrand::u8(..));
    let text = fastrand::u64(1_000_000_000_000_000_000..).to_string();
    let now = i64::try_from(now_ms() / 1000).unwrap_or_default();
    let query = keys.verification(&text, now, random);
    let query = query.each_ref().map(|(name, value)| (*name, value.as_str()));
    let began = Instant::now();
    let answer = client.get(&parsed[Position::BeforePath..Position::AfterQuery], &query).await;
    let answer = answer.map_err(|failure| {
        let error = explain_connection(&failure, "");
        let hint = error.hint().unwrap_or("look at the name, the firewall and the web server");
        let hint = format!("{hint}. If it is reached from outside alone, let a machine there run this check");
        error.with_hint(hint)
    })?;
    judge(&answer, &text, &shown(url)).map(|()| began.elapsed())
}

/// What an answer to a verification says.
fn judge(answer: &PlainAnswer, text: &str, url: &str) -> Result<()> {
    let body = String::from_utf8_lossy(&answer.body);
    let failed = |what: String, hint: &str| Err(Error::config(what, hint));
    match answer.status {
        200 if body == text => Ok(()),
        200 if body.trim().trim_matches('"') == text => failed(
            format!("{url} answers with the right text and something around it, which WeCom does not take"),
            "something on the way changes the answer: let the web server pass it on as it is",
        ),
        200 => failed(
            format!("{url} answers 200, but it is not listen that answers"),
            "let the web server pass this path on to callback_listen (nginx: location and proxy_pass; see wecom-alert help listen)",
        ),
        300..=399 => {
            let to = answer.leads_to.as_ref().map(|to| format!(" to {to}")).unwrap_or_default();
            failed(
                format!("{url} redirects{to}, which WeCom does not follow"),
                "write the address that it leads to, here and in the console; mind https and the slash at the end",
            )
        }
        401 | 407 => failed(
            format!("{url} asks for a log-in ({})", answer.status),
            "let the web server pass this path on without one: WeCom signs its requests",
        ),
        403 => failed(
            format!("{url} refuses the request (403)"),
            "if listen says so on its stderr, it has another Token, EncodingAESKey or corp_id, or another time: use the same profile, and start \
             it again after a change; else the web server refuses",
        ),
        404 | 405 => failed(
            format!("{url} is not known to the web server ({})", answer.status),
            "let it pass this path on to callback_listen (nginx: location and proxy_pass; see wecom-alert help listen)",
        ),
        502..=504 => failed(
            format!("the web server at {url} does not reach listen ({})", answer.status),
            "start wecom-alert listen, and let proxy_pass lead to callback_listen",
        ),
        status => failed(format!("{url} answers {status}"), "see the log of the web server and the stderr of listen"),
    }
}

/// The URL without its query.
fn shown(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_says_what_to_do() {
        let judged = |status, body: &str, leads_to: Option<&str>| {
            let answer = PlainAnswer { status, leads_to: leads_to.map(str::to_owned), body: body.into() };
            judge(&answer, "17", "https://a.example/w")
                .map_err(|error| (error.message().to_owned(), error.hint().unwrap().to_owned()))
        };
        assert!(judged(200, "17", None).is_ok());
        for (status, body, says, hints) in [
            (200, "\"17\"\n", "around it", "as it is"),
            (200, "<html>", "not listen that answers", "proxy_pass"),
            (301, "", "redirects to https://b.example", "console"),
            (401, "", "log-in", "signs its requests"),
            (403, "", "refuses", "EncodingAESKey"),
            (404, "", "not known", "location"),
            (502, "", "does not reach listen", "start wecom-alert listen"),
            (500, "", "answers 500", "stderr"),
        ] {
            let (said, hint) = judged(status, body, Some("https://b.example")).unwrap_err();
            assert!(
                said.contains(says) && said.contains("https://a.example/w") && hint.contains(hints),
                "{said} {hint}"
            );
        }
        assert_eq!(shown("https://a.example/w/?k=s#x"), "https://a.example/w/");
    }
}
