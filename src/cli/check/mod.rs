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

use wecom_alert::api::{AGENT_GET, Client, GETTOKEN, MESSAGE_SEND, WEBHOOK_SEND};
use wecom_alert::config::{BaseUrl, Config, Level, OnRateLimit, SecretSource, Settings};
use wecom_alert::delivery::{Delivery, Outcome, PlannedRequest};
use wecom_alert::error::{Error, Result};
use wecom_alert::message::Route;

use super::args::CheckArgs;
use super::session::Session;
use set_up::Logins;
use sheet::Sheet;

/// What is asked of WeCom for an app.
const OF_APP: [&str; 5] = ["token", "agent", "reach", "recipients", "ip"];

/// Looks at everything.
pub(crate) async fn check(session: &mut Session<'_>, args: &CheckArgs) -> Result<Outcome> {
    // Each fault is to be met once, and named as it is.
    session.settings.retries = 0;
    session.settings.on_rate_limit = OnRateLimit::Fail;
    let mut sheet = Sheet::default();
    set_up::look(session, &mut sheet);
    let routes = routes_of(&session.settings, args);
    if let [route] = routes[..] {
        session.route = Some(route);
    }
    let mut logins = set_up::log_in(session, &routes, &mut sheet).await;
    if session.settings.dry_run {
        return dry_run(session, args, &routes, &logins, sheet).await;
    }
    let mut ways = ways_of(session, &logins);
    for way in &mut ways {
        way.blocked = network::look(&way.client, &way.base_url, session, &mut sheet).await.err();
    }
    let mut targets: Vec<_> = routes.iter().map(|route| Target::of(*route, session, &mut logins, &ways)).collect();
    for target in targets.iter_mut().filter(|target| target.route == Route::App) {
        app::look(target, session, &mut sheet).await;
    }
    for target in &mut targets {
        test_message::look(target, session, args.send, &mut sheet).await;
    }
    network::look_at_clock(ways.iter().find_map(|way| way.client.clock_ahead_s()), &mut sheet);
    let usages: Vec<_> =
        targets.iter().map(|target| (target.route, target.delivery.as_ref().map(Delivery::pacing))).collect();
    keeping::look(session, &usages, &mut sheet);
    Ok(sheet.into_outcome(None))
}

/// The report where there are no settings to look at: why, and that nothing else was looked at.
pub(crate) fn unresolved(config: Option<&Config<'_>>, error: &Error) -> Outcome {
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

/// An app or a webhook.
struct Target<'a> {
    route: Route,
    delivery: Option<Delivery<'a>>,
    /// What stands before any request to it.
    blocked: Option<&'static str>,
}

impl<'a> Target<'a> {
    /// Takes its credentials. What it sends is kept account of by itself.
    fn of(route: Route, session: &Session<'_>, logins: &mut Logins, ways: &'a [WayTo]) -> Self {
        let towards = session.towards(session.settings.clone(), route);
        let (way, delivery) = match route {
            Route::App => {
                let login = logins.app.take();
                let way = login.as_ref().and_then(|_| way_to(ways, &session.settings.base_url_or_default()));
                (way, login.zip(way).map(|(login, way)| towards.app_delivery(&way.client, login)))
            }
            Route::Webhook => {
                let login = logins.webhook.take();
                let way = login.as_ref().and_then(|login| way_to(ways, &session.webhook_base_url(login)));
                (way, login.zip(way).map(|(login, way)| towards.webhook_delivery(&way.client, login)))
            }
        };
        let lacking = if route == Route::App { "app_credentials" } else { "webhook_key" };
        Self { route, delivery, blocked: way.map_or(Some(lacking), |way| way.blocked) }
    }
}

/// The route asked for, else those of which the profile has something, else those for which there are credentials at all.
fn routes_of(settings: &Settings, args: &CheckArgs) -> Vec<Route> {
    match args.route.as_deref() {
        Some("webhook") => return vec![Route::Webhook],
        Some(_) => return vec![Route::App],
        None => {}
    }
    let id_levels = [settings.corp_id.as_ref().map(|id| id.level), settings.agent_id.as_ref().map(|id| id.level)];
    let level = |source: &Option<SecretSource>| source.as_ref().map(SecretSource::level);
    let (secret, webhook) = (level(&settings.secret), level(&settings.webhook));
    let in_profile = Some(Level::Profile);
    let of_profile = (secret == in_profile || id_levels.contains(&in_profile), webhook == in_profile);
    let has_ids = id_levels.iter().any(Option::is_some);
    match (of_profile, (secret.is_some(), webhook.is_some())) {
        ((false, false), (false, false)) if has_ids => vec![Route::App],
        ((false, false), at_all) => chosen(at_all),
        (of_profile, _) => chosen(of_profile),
    }
}

fn chosen((app, webhook): (bool, bool)) -> Vec<Route> {
    [(Route::App, app), (Route::Webhook, webhook)].into_iter().filter(|(_, is)| *is).map(|(route, _)| route).collect()
}

/// The way to each base URL, once.
fn ways_of(session: &Session<'_>, logins: &Logins) -> Vec<WayTo> {
    let of_app = logins.app.as_ref().map(|_| session.settings.base_url_or_default());
    let of_webhook = logins.webhook.as_ref().map(|login| session.webhook_base_url(login));
    let mut ways: Vec<WayTo> = Vec::new();
    for base_url in of_app.into_iter().chain(of_webhook) {
        if way_to(&ways, &base_url).is_none() {
            ways.push(WayTo { client: session.inspecting_client(base_url.clone()), base_url, blocked: None });
        }
    }
    ways
}

fn way_to<'a>(ways: &'a [WayTo], base_url: &BaseUrl) -> Option<&'a WayTo> {
    ways.iter().find(|way| way.base_url == *base_url)
}

/// Looks at what is here, and tells what would be asked of WeCom.
async fn dry_run(
    session: &mut Session<'_>,
    args: &CheckArgs,
    routes: &[Route],
    logins: &Logins,
    mut sheet: Sheet,
) -> Result<Outcome> {
    let mut plan = Vec::new();
    let mut seen = Vec::new();
    for route in routes {
        let base_url = logins.base_url_of(*route).unwrap_or_else(|| session.settings.base_url_or_default());
        let client = session.inspecting_client(base_url.clone());
        if !seen.contains(&base_url) {
            network::look_from_here(&client, session, &mut sheet).await;
            seen.push(base_url);
        }
        plan.extend(rehearse(&client, *route, session, args.send, &mut sheet));
    }
    let usages: Vec<_> = routes.iter().map(|route| (*route, None)).collect();
    keeping::look(session, &usages, &mut sheet);
    Ok(sheet.into_outcome(Some(plan)))
}

/// What would be asked of WeCom.
fn rehearse(
    client: &Client,
    route: Route,
    session: &Session<'_>,
    sends: bool,
    sheet: &mut Sheet,
) -> Vec<PlannedRequest> {
    const UNASKED: &str = "skipped: a dry run asks WeCom nothing";
    let get = |path: String| PlannedRequest { method: "GET", path, body: Value::Null };
    let mut requests = Vec::new();
    if route == Route::App {
        requests.push(get(client.path(GETTOKEN)));
        let agent_id = session.settings.agent_id.as_ref();
        requests.extend(agent_id.map(|id| get(format!("{}?agentid={}", client.path(AGENT_GET), id.value))));
        OF_APP.iter().for_each(|name| sheet.skip(name, UNASKED));
    }
    let name = test_message::name_of(route);
    match test_message::body(route, &session.settings) {
        Err(error) if sends => sheet.fail(name, &error),
        Ok(body) if sends => {
            let endpoint = if route == Route::App { MESSAGE_SEND } else { WEBHOOK_SEND };
            requests.push(PlannedRequest { method: "POST", path: client.path(endpoint), body });
            sheet.skip(name, UNASKED);
        }
        _ => sheet.skip(name, UNASKED),
    }
    requests
}
