//! `check`: everything that sending needs, looked at in order, with what is wrong and what to do about it.
//!
//! Whatever is found, the rest is looked at as far as it can be; what cannot, says why. At most one gettoken and one
//! agent/get are asked for, whatever they bring.

mod app;
mod keeping;
mod network;
mod set_up;
mod sheet;
mod test_message;

use serde_json::Value;

use crate::api::{AGENT_GET, Client, GETTOKEN};
use crate::channel::{Channel, CredentialKind};
use crate::config::{BaseUrl, Config, Level, OnRateLimit, SecretSource, Settings};
use crate::delivery::{Courier, Outcome, PlannedRequest};
use crate::error::{Error, Result};
use crate::send::{Login, Session, Target, plan_message};

use sheet::Sheet;
pub use sheet::label;

/// What is asked of WeCom for an app.
const OF_APP: [&str; 5] = ["token", "agent", "reach", "recipients", "ip"];

/// Looks at everything: the channel asked for, or those that the profile has; `sends` a test message too.
///
/// # Errors
///
/// None at present: what is wrong stands in the outcome.
pub async fn check(session: &mut Session<'_>, asked: Option<Channel>, sends: bool) -> Result<Outcome> {
    // Each fault is to be met once, and named as it is.
    session.settings.retries = 0;
    session.settings.on_rate_limit = OnRateLimit::Fail;
    let mut sheet = Sheet::default();
    set_up::look(session, &mut sheet);
    let channels = channels_of(&session.settings, asked);
    if let [channel] = channels[..] {
        session.channel = Some(channel);
    }
    let mut subjects = set_up::log_in(session, &channels, &mut sheet).await;
    if session.settings.dry_run {
        return dry_run(session, sends, &subjects, sheet).await;
    }
    let mut ways: Vec<WayTo> = Vec::new();
    for subject in &subjects {
        let Some(base_url) = subject.login.as_ref().map(|login| &login.base_url) else { continue };
        if !ways.iter().any(|way| way.base_url == *base_url) {
            let client = subject.target.inspecting_client(base_url.clone());
            ways.push(WayTo { base_url: base_url.clone(), client, blocked: None });
        }
    }
    for way in &mut ways {
        way.blocked = network::look(&way.client, &way.base_url, session, &mut sheet).await.err();
    }
    subjects.iter_mut().for_each(|subject| subject.set_out(&ways));
    for subject in subjects.iter_mut().filter(|subject| has_token(subject.target.channel)) {
        app::look(subject, session, &mut sheet).await;
    }
    for subject in &mut subjects {
        test_message::look(subject, session, sends, &mut sheet).await;
    }
    network::look_at_clock(ways.iter().find_map(|way| way.client.clock_ahead_s()), &mut sheet);
    let usages: Vec<_> = subjects
        .iter()
        .map(|subject| (subject.target.channel, subject.courier.as_ref().map(Courier::pacing)))
        .collect();
    keeping::look(session, &usages, &mut sheet).await;
    Ok(sheet.into_outcome(None))
}

/// The report where there are no settings to look at: why, and that nothing else was looked at.
pub fn unresolved(config: Option<&Config<'_>>, error: &Error) -> Outcome {
    let mut sheet = Sheet::default();
    let failed = match config {
        Some(config) => {
            sheet.ok("config", config.about_file());
            "settings"
        }
        None => "config",
    };
    sheet.fail(failed, error);
    sheet.skip_all(&["permissions", "credentials", "proxy", "dns", "tcp", "tls", "token", "agent"], failed);
    sheet.skip_all(&["state", "outbox", "pacing"], failed);
    sheet.into_outcome(None)
}

/// A base URL, and how the way there is.
struct WayTo {
    base_url: BaseUrl,
    client: Client,
    /// What failed on it.
    blocked: Option<&'static str>,
}

/// A target that is looked at.
struct Subject {
    target: Target,
    /// Its credentials, as far as they could be read.
    login: Option<Login>,
    /// Where its API is, for a dry run, which reads no credential that is not at hand.
    base_url: BaseUrl,
    courier: Option<Courier>,
    /// What stands before any request to it.
    blocked: Option<&'static str>,
}

impl Subject {
    fn new(session: &Session<'_>, channel: Channel) -> Self {
        let (target, base_url) = (session.own_target(channel), session.settings.base_url_or_default());
        Self { target, login: None, base_url, courier: None, blocked: Some(name_of_credential(channel)) }
    }

    /// Makes its courier, which goes one of these ways.
    fn set_out(&mut self, ways: &[WayTo]) {
        let Some(login) = self.login.take() else { return };
        let Some(way) = ways.iter().find(|way| way.base_url == login.base_url) else { return };
        self.blocked = way.blocked;
        self.courier = Some(self.target.courier_with(way.client.clone(), login));
    }
}

/// What the credentials of that channel are called in the table.
fn name_of_credential(channel: Channel) -> &'static str {
    match channel.facts().credential {
        CredentialKind::AppToken => "app_credentials",
        CredentialKind::WebhookKey => "webhook_key",
    }
}

fn has_token(channel: Channel) -> bool {
    channel.facts().credential == CredentialKind::AppToken
}

/// The channel asked for, else those of which the profile has something, else those for which there are credentials at all,
/// or else ids.
fn channels_of(settings: &Settings, asked: Option<Channel>) -> Vec<Channel> {
    if let Some(channel) = asked {
        return vec![channel];
    }
    let ids = [settings.corp_id.as_ref().map(|id| id.level), settings.agent_id.as_ref().map(|id| id.level)];
    let ids = |channel| ids.into_iter().flatten().filter(move |_| has_token(channel));
    let credential = |channel| settings.credential(channel).map(SecretSource::level);
    let tries: [&dyn Fn(Channel) -> bool; 3] = [
        &|channel| credential(channel).into_iter().chain(ids(channel)).any(|level| level == Level::Profile),
        &|channel| credential(channel).is_some(),
        &|channel| ids(channel).next().is_some(),
    ];
    let found = tries.map(|has| Channel::ALL.into_iter().filter(|channel| has(*channel)).collect::<Vec<_>>());
    found.into_iter().find(|channels| !channels.is_empty()).unwrap_or_default()
}

/// Looks at what is here, and tells what would be asked of WeCom.
async fn dry_run(session: &Session<'_>, sends: bool, subjects: &[Subject], mut sheet: Sheet) -> Result<Outcome> {
    let mut plan = Vec::new();
    let mut seen = Vec::new();
    for subject in subjects {
        let client = subject.target.inspecting_client(subject.base_url.clone());
        if !seen.contains(&&subject.base_url) {
            network::look_from_here(&client, session, &mut sheet).await;
            seen.push(&subject.base_url);
        }
        plan.extend(rehearse(&client, subject.target.channel, session, sends, &mut sheet));
    }
    let usages: Vec<_> = subjects.iter().map(|subject| (subject.target.channel, None)).collect();
    keeping::look(session, &usages, &mut sheet).await;
    Ok(sheet.into_outcome(Some(plan)))
}

/// What would be asked of WeCom.
fn rehearse(
    client: &Client,
    channel: Channel,
    session: &Session<'_>,
    sends: bool,
    sheet: &mut Sheet,
) -> Vec<PlannedRequest> {
    const UNASKED: &str = "skipped: a dry run asks WeCom nothing";
    let get = |path: String| PlannedRequest { method: "GET", path, body: Value::Null };
    let mut requests = Vec::new();
    if has_token(channel) {
        requests.push(get(client.path(GETTOKEN)));
        let agent_id = session.settings.agent_id.as_ref();
        requests.extend(agent_id.map(|id| get(format!("{}?agentid={}", client.path(AGENT_GET), id.value))));
        OF_APP.iter().for_each(|name| sheet.skip(name, UNASKED));
    }
    let name = test_message::name_of(channel);
    match test_message::body(channel, &session.settings) {
        Err(error) if sends => sheet.fail(name, &error),
        Ok(body) if sends => {
            requests.push(plan_message(client, channel, body));
            sheet.skip(name, UNASKED);
        }
        _ => sheet.skip(name, UNASKED),
    }
    requests
}
