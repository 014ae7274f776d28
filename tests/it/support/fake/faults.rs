//! The faults that can be ordered of a running fake and looked at: scripted answers, what the apps meet, the webhooks' limit.

use std::time::Duration;

use super::FakeWecom;
use super::records::Endpoint;
use super::reply::Reply;
use super::server::lock;

impl FakeWecom {
    /// The next answers of that endpoint; then it is as before.
    pub fn script(&self, endpoint: Endpoint, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.shared.script).next.entry(endpoint).or_default().extend(replies);
    }

    /// Every answer of that endpoint from now on.
    pub fn always(&self, endpoint: Endpoint, reply: Reply) {
        lock(&self.shared.script).always.insert(endpoint, reply);
    }

    /// Forgets what was scripted for that endpoint.
    pub fn normal(&self, endpoint: Endpoint) {
        let mut script = lock(&self.shared.script);
        script.next.remove(&endpoint);
        script.always.remove(&endpoint);
    }

    /// What is scripted for each endpoint now: in words, and for how many requests if not for all.
    pub fn scripted(&self) -> Vec<(Endpoint, String, Option<usize>)> {
        let script = lock(&self.shared.script);
        let next = |endpoint| {
            let replies = script.next.get(&endpoint)?;
            Some((endpoint, replies.front()?.describe(), Some(replies.len())))
        };
        let always = |endpoint| Some((endpoint, script.always.get(&endpoint)?.describe(), None));
        Endpoint::KNOWN.into_iter().flat_map(|endpoint| next(endpoint).into_iter().chain(always(endpoint))).collect()
    }

    /// Calls for apps are refused with 60020, naming [`super::SEEN_IP`].
    pub fn trust_no_ip(&self) {
        self.world(|world| world.ip_refused = true);
    }

    pub fn trust_every_ip(&self) {
        self.world(|world| world.ip_refused = false);
    }

    /// Whether calls for apps are refused with 60020.
    pub fn trusts_no_ip(&self) -> bool {
        lock(&self.shared.world).ip_refused
    }

    /// Every app is disabled (50003), or enabled again.
    pub fn disable_app(&self, disabled: bool) {
        self.world(|world| world.apps.iter_mut().for_each(|app| app.enabled = !disabled));
    }

    /// Whether an app is disabled.
    pub fn is_app_disabled(&self) -> bool {
        lock(&self.shared.world).apps.iter().any(|app| !app.enabled)
    }

    /// So many messages per webhook in such a time; more are 45009.
    pub fn webhook_limit(&self, count: usize, period: Duration) {
        self.set_webhook_limit(Some((count, period)));
    }

    /// The same, or no limit at all.
    pub fn set_webhook_limit(&self, limit: Option<(usize, Duration)>) {
        self.world(|world| world.webhook_limit = limit);
    }

    /// The limit of each webhook, if there is one.
    pub fn limit_of_webhooks(&self) -> Option<(usize, Duration)> {
        lock(&self.shared.world).webhook_limit
    }
}
