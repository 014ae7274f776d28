//! `check`: tests everything that sending needs, in order, and reports what is wrong and what to do about it.
//!
//! After a failure the other checks go on as far as possible; a check that cannot be made says why. At most one
//! `gettoken`, one `agent/get` and one `appchat/get` are called.

mod aibot;
mod app;
mod callback;
mod chat;
mod network;
mod report;
mod settings;
mod storage;
mod test_message;

use serde_json::Value;

use crate::api::{AGENT_GET, APPCHAT_GET, Client, GETTOKEN, endpoint};
use crate::channel::{Channel, CredentialKind, Unasked};
use crate::config::{BaseUrl, Config, OnRateLimit, Precedence, SecretSource, Settings};
use crate::delivery::{Courier, Outcome, PlannedRequest};
use crate::error::Error;
use crate::send::{Login, Session, Target, plan_look_ups, plan_message};

use report::CheckReport;
pub use report::label;

/// What is asked of WeCom for an app.
const OF_APP: [&str; 5] = ["token", "agent", "reach", "recipients", "ip"];

/// Looks at everything: the channel asked for, or those that the profile has; `sends` a test message too.
///
/// What is wrong is in the outcome.
pub async fn check(session: &mut Session<'_>, asked: Option<Channel>, sends: bool) -> Outcome {
    // Each fault is to be reported once and as it is: nothing is tried again, and no rate limit is waited for.
    session.settings.retries = 0;
    session.settings.on_rate_limit = OnRateLimit::Fail;
    let mut report = CheckReport::default();
    settings::look(session, &mut report);
    let channels = channels_of(&session.settings, asked);
    if let [channel] = channels[..] {
        session.channel = Some(channel);
    }
    let mut targets = settings::log_in(session, &channels, &mut report).await;
    if asked.is_none() && !channels.iter().copied().any(is_aibot) && has_own(&session.settings, Channel::Aibot) {
        report.skip("aibot_credentials", "the profile has an aibot too, which is looked at with --route aibot");
    }
    if session.settings.dry_run {
        return dry_run(session, sends, &targets, report).await;
    }
    // The client of each base URL, and the check that failed on the way there.
    let mut apis: Vec<(Client, Option<&'static str>)> = Vec::new();
    for checked in &mut targets {
        let Some(login) = checked.login.take() else { continue };
        let known = apis.iter().find(|(client, _)| client.options.base_url == login.base_url);
        let (client, blocked) = match known {
            Some(known) => known.clone(),
            None => {
                let client = checked.target.inspecting_client(login.base_url.clone());
                let blocked = network::look(&client, session, &mut report).await.err();
                apis.push((client.clone(), blocked));
                (client, blocked)
            }
        };
        checked.blocked = blocked;
        checked.courier = Some(checked.target.courier_with(client, login));
    }
    for checked in targets.iter_mut().filter(|checked| has_token(checked.target.channel)) {
        app::look(checked, session, &mut report).await;
    }
    for checked in targets.iter_mut().filter(|checked| is_aibot(checked.target.channel)) {
        aibot::look(checked, sends, &mut report).await;
    }
    for checked in &mut targets {
        test_message::look(checked, session, sends, &mut report).await;
    }
    network::look_at_clock(apis.iter().find_map(|(client, _)| client.clock_ahead_s.get().copied()), &mut report);
    storage::look(session, &targets, &mut report).await;
    callback::look(session, &targets, &mut report).await;
    report.into_outcome(None)
}

/// The report where there are no settings to look at: why, and that nothing else was looked at.
pub fn unresolved(config: Option<&Config<'_>>, error: &Error) -> Outcome {
    let mut report = CheckReport::default();
    let failed = match config {
        Some(config) => {
            report.ok("config", config.about_file());
            "settings"
        }
        None => "config",
    };
    report.fail(failed, error);
    report.skip_after(&["permissions", "credentials", "proxy", "dns", "tcp", "tls", "token", "agent"], failed);
    report.skip_after(&["state", "outbox", "pacing"], failed);
    report.into_outcome(None)
}

/// A target that is looked at, with its own credentials.
struct CheckedTarget {
    target: Target,
    /// Its credentials, as far as they could be read.
    login: Option<Login>,
    /// Where its API is, for a dry run, which reads no credential that is not at hand.
    base_url: BaseUrl,
    courier: Option<Courier>,
    /// The check that failed and makes every request to it pointless.
    blocked: Option<&'static str>,
}

fn has_token(channel: Channel) -> bool {
    channel.facts().credential == CredentialKind::AppToken
}

fn is_aibot(channel: Channel) -> bool {
    channel.facts().credential == CredentialKind::Aibot
}

fn has_own(settings: &Settings, channel: Channel) -> bool {
    settings.credential(channel).is_some_and(|source| source.precedence() == Precedence::Profile)
}

/// The channel asked for, else those of which the profile has something, else those for which there are credentials at all,
/// or else ids.
fn channels_of(settings: &Settings, asked: Option<Channel>) -> Vec<Channel> {
    if let Some(channel) = asked {
        return vec![channel];
    }
    let ids = [settings.corp_id.as_ref().map(|id| id.precedence), settings.agent_id.as_ref().map(|id| id.precedence)];
    let ids = |channel| ids.into_iter().flatten().filter(move |_| has_token(channel));
    let credential = |channel| settings.credential(channel).map(SecretSource::precedence);
    let tries: [&dyn Fn(Channel) -> bool; 3] = [
        &|channel| {
            credential(channel).into_iter().chain(ids(channel)).any(|precedence| precedence == Precedence::Profile)
        },
        &|channel| credential(channel).is_some(),
        &|channel| ids(channel).next().is_some(),
    ];
    let of = |unasked, has: &dyn Fn(Channel) -> bool| {
        let all = Channel::ALL.iter().copied().filter(|channel| channel.facts().unasked == unasked);
        all.filter(|channel| has(*channel)).collect::<Vec<_>>()
    };
    let found = tries.map(|has| [of(Unasked::Yes, has), of(Unasked::Alone, has)]);
    found.into_iter().flatten().find(|channels| !channels.is_empty()).unwrap_or_default()
}

/// Looks at what is here, and tells what would be asked of WeCom.
async fn dry_run(session: &Session<'_>, sends: bool, targets: &[CheckedTarget], mut report: CheckReport) -> Outcome {
    let mut plan = Vec::new();
    let mut seen = Vec::new();
    for checked in targets {
        let client = checked.target.inspecting_client(checked.base_url.clone());
        if !seen.contains(&&checked.base_url) {
            network::look_from_here(&client, session, &mut report).await;
            seen.push(&checked.base_url);
        }
        plan.extend(rehearse(&client, checked.target.channel, session, sends, &mut report));
    }
    storage::look(session, targets, &mut report).await;
    callback::look(session, targets, &mut report).await;
    report.into_outcome(Some(plan))
}

/// What would be asked of WeCom.
fn rehearse(
    client: &Client,
    channel: Channel,
    session: &Session<'_>,
    sends: bool,
    report: &mut CheckReport,
) -> Vec<PlannedRequest> {
    const UNASKED: &str = "skipped: a dry run asks WeCom nothing";
    let get = |path: String| PlannedRequest { method: "GET", path, body: Value::Null };
    let mut requests = Vec::new();
    if has_token(channel) {
        requests.push(get(client.path(GETTOKEN)));
        let agent_id = session.settings.agent_id.as_ref();
        requests.extend(agent_id.map(|id| get(format!("{}?agentid={}", client.path(AGENT_GET), id.value))));
        report.skip_all(&OF_APP, UNASKED);
        if chat::is_wanted(channel, &session.settings) {
            let id = session.settings.chat.as_ref().map(|chat| &chat.value);
            requests.extend(id.map(|id| get(format!("{}?chatid={id}", client.path(&endpoint(APPCHAT_GET))))));
            report.skip_all(&chat::NAMES, UNASKED);
        }
    }
    if is_aibot(channel) {
        report.skip(aibot::NAME, UNASKED);
    }
    let name = test_message::name_of(channel);
    match test_message::body(channel, &session.settings) {
        Err(error) if sends => report.fail(name, &error),
        Ok((body, people)) if sends => {
            requests.extend(plan_look_ups(client, &people));
            requests.push(plan_message(client, channel, body));
            report.skip(name, UNASKED);
        }
        _ => report.skip(name, UNASKED),
    }
    requests
}
