//! The token cache: a valid access token, from the cache that all processes share, or fetched by one of them for all.
//!
//! A problem with the cache never stops an alert; it only costs a fetch. The cache holds one record per base URL, corp,
//! agent and secret, whose name reveals none of them: a file, or a sealed value in the state that several machines share.

use std::cell::Cell;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::{CallError, Client, Grant};
use crate::blocking::Work;
use crate::clock::now_ms;
use crate::error::Answer;
use crate::event::Observer;
use crate::fingerprint::fingerprint;
use crate::secret::{Mask, Secret};
use crate::shared_state::{Hold, KeyedRecord, Namespace, SharedRecord, SharedState};
use crate::store::{Folder, KeyedFile, lock_patience};

/// A token is no longer used this long before it expires at most (usually a tenth of its life), in seconds.
const LONGEST_MARGIN_S: u64 = 300;

/// After a refresh that returned the same token, no process refreshes again for this long, in seconds.
const UNCHANGED_HOLDS_S: u64 = 30;

/// The app whose token is wanted.
#[derive(Debug, Clone)]
pub(crate) struct AppCredentials {
    /// `corpid`.
    pub(crate) corp_id: String,
    /// Keeps the tokens of apps apart; `None` where a command needs no agent.
    pub(crate) agent_id: Option<i64>,
    /// `corpsecret`.
    pub(crate) secret: Secret,
}

/// A token and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// The token itself.
    pub(crate) access_token: Secret,
    /// Seconds that are left of its life.
    pub(crate) expires_in: u64,
    /// Whether it was there before this process asked for one.
    pub(crate) from_cache: bool,
    /// The answer of `gettoken`; `None` for a cached token.
    pub(crate) answer: Option<Answer>,
}

/// Hands out the tokens of one app.
pub(crate) struct Tokens {
    app: AppCredentials,
    cache: Option<Cache>,
    mask: Mask,
    observer: Observer,
    is_problem_told: Cell<bool>,
}

impl Tokens {
    /// Tokens of `app`, kept in `shared` for all machines, in `cache_dir`, or nowhere when there is neither.
    pub(crate) fn new(
        base_url: &str,
        app: AppCredentials,
        cache_dir: Option<&Path>,
        shared: Option<&SharedState>,
        mask: Mask,
        observer: Observer,
    ) -> Self {
        let cache = Cache::new(cache_dir, shared, base_url, &app);
        Self { app, cache, mask, observer, is_problem_told: Cell::new(false) }
    }

    /// A token that is valid as far as is known, from the cache or by one `gettoken` call.
    pub(crate) fn get<'w>(&'w self, client: &'w Client) -> Work<'w, Result<Token, CallError>> {
        Box::pin(self.cached_or_fetched(client, None, CachedToken::is_fresh))
    }

    /// Another token than `stale`, which WeCom refused, from the cache or by one `gettoken` call; `None` when there is no
    /// other for now.
    pub(crate) fn refresh<'w>(
        &'w self,
        client: &'w Client,
        stale: &'w Token,
    ) -> Work<'w, Result<Option<Token>, CallError>> {
        let stale = &stale.access_token;
        let is_settled = |cached: &CachedToken| {
            let is_other = cached.is_fresh() && cached.access_token != stale.expose();
            is_other || cached.is_known_unchanged(stale)
        };
        Box::pin(async move {
            let token = self.cached_or_fetched(client, Some(stale), is_settled).await?;
            Ok(Some(token).filter(|token| token.access_token != *stale))
        })
    }

    async fn cached_or_fetched(
        &self,
        client: &Client,
        stale: Option<&Secret>,
        is_wanted: impl Fn(&CachedToken) -> bool,
    ) -> Result<Token, CallError> {
        if let Some(token) = self.cached(&is_wanted).await {
            return Ok(token);
        }
        let hold = self.lock(client, &is_wanted).await;
        // Another process may have fetched it while this one waited for the lock.
        let token = match self.cached(&is_wanted).await {
            Some(token) => Ok(token),
            None => self.fetch(client, stale, hold.as_ref()).await,
        };
        if let Some(hold) = hold {
            hold.release().await;
        }
        token
    }

    /// A new token, without reading the cache, by one `gettoken` call.
    pub(crate) fn force<'w>(&'w self, client: &'w Client) -> Work<'w, Result<Token, CallError>> {
        Box::pin(self.cached_or_fetched(client, None, |_| false))
    }

    async fn fetch(&self, client: &Client, stale: Option<&Secret>, hold: Option<&Hold>) -> Result<Token, CallError> {
        // The life of a token counts from before the request: an answer may take its time.
        let asked_at = now();
        let grant = client.gettoken(&self.app.corp_id, &self.app.secret).await?;
        let unchanged = stale == Some(&grant.access_token);
        if let (Some(cache), Some(hold)) = (&self.cache, hold) {
            let entry = CachedToken::new(&cache.key, &grant, asked_at, unchanged);
            let written = cache.record.write(&entry, Duration::from_secs(grant.expires_in), hold).await;
            written.unwrap_or_else(|error| self.report_problem("cannot be written", error));
        }
        Ok(Token {
            access_token: grant.access_token,
            expires_in: grant.expires_in,
            from_cache: false,
            answer: Some(grant.answer),
        })
    }

    async fn cached(&self, is_wanted: impl Fn(&CachedToken) -> bool) -> Option<Token> {
        let read = self.cache.as_ref()?.read().await;
        let entry = read.unwrap_or_else(|reason| {
            self.report_problem("is ignored", reason);
            None
        });
        let entry = entry.filter(is_wanted)?;
        let access_token = Secret::new(entry.access_token.as_str());
        self.mask.add(&access_token);
        let expires_in = entry.expires_at.saturating_sub(now());
        Some(Token { access_token, expires_in, from_cache: true, answer: None })
    }

    /// The lock of the cache; `None` when there is no cache, when it cannot be had in time, or when what it would
    /// protect was done meanwhile by another process.
    async fn lock(&self, client: &Client, done: impl Fn(&CachedToken) -> bool) -> Option<Hold> {
        let cache = self.cache.as_ref()?;
        let is_done = async || cache.read().await.ok().flatten().is_some_and(|entry| done(&entry));
        let locked = cache.record.lock(lock_patience(client.options.deadline), &is_done).await;
        let hold = locked.unwrap_or_else(|error| {
            self.report_problem("cannot be used", error);
            None
        });
        if hold.is_none() && !is_done().await {
            self.report_problem("is not used", "another process keeps it locked");
        }
        hold
    }

    /// Reports only the first problem with the cache: the next ones follow from it.
    fn report_problem(&self, what: &str, reason: impl Display) {
        if let Some(cache) = self.cache.as_ref().filter(|_| !self.is_problem_told.replace(true)) {
            let file = cache.record.file().map(|file| format!(" {}", file.file().display())).unwrap_or_default();
            self.observer.detail(format!("the token cache{file} {what}: {reason}"));
        }
    }
}

/// Where a token is kept, and under which key.
struct Cache {
    key: String,
    record: KeyedRecord,
}

impl Cache {
    fn new(folder: Option<&Path>, shared: Option<&SharedState>, base_url: &str, app: &AppCredentials) -> Option<Self> {
        let agent_id = app.agent_id.map(|id| id.to_string()).unwrap_or_default();
        let key = fingerprint([base_url, &app.corp_id, &agent_id, app.secret.expose()]);
        let file = folder.map(|folder| KeyedFile::of_fingerprint(Folder::private(folder), "token-", &key));
        let shared = shared.map(|state| {
            let space = Namespace::new(state.clone(), &key, &app.secret);
            let name = space.name("token");
            SharedRecord::new(space, name)
        });
        Some(Self { record: KeyedRecord::new(shared, file)?, key })
    }

    /// What is there: nothing, or a token of this key, and never an older one than there is.
    async fn read(&self) -> Result<Option<CachedToken>, String> {
        let cached = self.record.read_newest(|cached: &CachedToken| cached.obtained_at).await?;
        match cached {
            Some(cached) if cached.key != self.key || cached.access_token.is_empty() => {
                Err("it belongs to something else".to_owned())
            }
            cached => Ok(cached),
        }
    }
}

/// The content of the cache. No `Debug`: it holds the token.
#[derive(Serialize, Deserialize)]
struct CachedToken {
    key: String,
    access_token: String,
    /// Unix seconds, like all times here.
    obtained_at: u64,
    expires_at: u64,
    /// When a refresh last brought this same token again.
    #[serde(default)]
    unchanged_at: Option<u64>,
}

impl CachedToken {
    fn new(key: &str, grant: &Grant, asked_at: u64, unchanged: bool) -> Self {
        Self {
            key: key.to_owned(),
            access_token: grant.access_token.expose().to_owned(),
            obtained_at: asked_at,
            expires_at: asked_at.saturating_add(grant.expires_in),
            unchanged_at: unchanged.then_some(asked_at),
        }
    }

    fn is_fresh(&self) -> bool {
        self.is_fresh_at(now())
    }

    fn is_fresh_at(&self, now: u64) -> bool {
        let margin = (self.expires_at.saturating_sub(self.obtained_at) / 10).clamp(1, LONGEST_MARGIN_S);
        // A token from the future means that the clock was set back, and its age is unknown; or that another machine's clock
        // is ahead, by little.
        self.obtained_at <= now.saturating_add(margin) && now.saturating_add(margin) < self.expires_at
    }

    fn is_known_unchanged(&self, stale: &Secret) -> bool {
        let age = self.unchanged_at.and_then(|then| now().checked_sub(then));
        self.access_token == stale.expose() && age.is_some_and(|age| age < UNCHANGED_HOLDS_S)
    }
}

fn now() -> u64 {
    now_ms() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(obtained_at: u64, expires_in: u64) -> CachedToken {
        let answer = Answer { errcode: 0, errmsg: "ok".to_owned() };
        let grant = Grant { access_token: Secret::new("test-token"), expires_in, answer };
        CachedToken::new("key", &grant, obtained_at, false)
    }

    #[test]
    fn a_token_is_given_up_before_it_expires() {
        assert!(entry(1000, 7200).is_fresh_at(1000 + 6899));
        assert!(!entry(1000, 7200).is_fresh_at(1000 + 6900), "300 s before its end");
        assert!(entry(1000, 60).is_fresh_at(1053));
        assert!(!entry(1000, 60).is_fresh_at(1054), "a tenth before its end");
        assert!(entry(1000, 3).is_fresh_at(1001));
        assert!(!entry(1000, 3).is_fresh_at(1002), "a second at the least");
        assert!(!entry(1000, 0).is_fresh_at(1000));
    }

    #[test]
    fn a_token_from_the_future_is_not_trusted() {
        assert!(entry(1000, 7200).is_fresh_at(700), "the clock of another machine");
        assert!(!entry(1000, 7200).is_fresh_at(699));
        assert!(!entry(1000, 3).is_fresh_at(998));
    }

    #[test]
    fn each_part_of_the_key_counts() {
        let app = |corp: &str, agent, secret: &str| AppCredentials {
            corp_id: corp.to_owned(),
            agent_id: agent,
            secret: Secret::new(secret),
        };
        let key = |base: &str, app: &AppCredentials| {
            Cache::new(Some(Path::new("cache")), None, base, app).unwrap().record.file().unwrap().file()
        };
        let base = "https://wecom.example";
        let keys = [
            key(base, &app("corp", Some(1), "secret")),
            key("https://other.example", &app("corp", Some(1), "secret")),
            key(base, &app("corp2", Some(1), "secret")),
            key(base, &app("corp", Some(2), "secret")),
            key(base, &app("corp", None, "secret")),
            key(base, &app("corp", Some(1), "secret2")),
            key(base, &app("cor", Some(1), "psecret")),
        ];
        for (index, one) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(one), "{index}");
            let name = one.display().to_string();
            assert!(!name.contains("secret") && !name.contains("corp"), "{name}");
        }
    }
}
