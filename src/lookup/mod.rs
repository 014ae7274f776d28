//! Looks members up by mobile number or mail address, with a cache that all processes of this machine share, or of all machines
//! that share their state.
//!
//! WeCom shuts the look-up of a corp for a day after too many that found nobody (document path 95402). So misses are kept as
//! well, one process asks for all, and after ten misses within an hour nobody is looked up for the rest of it. A cache that
//! cannot be used only costs a call.

mod known;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::api::look_up_request;
use crate::clock::{self, now_ms};
use crate::delivery::{Courier, Purpose};
use crate::error::{Answer, Error, Result, Status};
use crate::event::Observer;
use crate::fingerprint::fingerprint;
use crate::message::person::Person;
use crate::shared_state::{Hold, KeyedRecord, Namespace, SharedRecord, SharedState};
use crate::store::{Folder, KeyedFile, lock_patience};
use crate::token::AppCredentials;
use known::{KnownPeople, MOST_MISSES};

/// How long what is known is kept in the state that several machines share: as long as any of it counts.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

/// What WeCom answers where nobody is found (document paths 95402 and 95895).
const NOBODY: [i64; 6] = [46004, 60103, 60105, 60146, 60147, 60148];

/// WeCom shut the look-up.
const TOO_MANY: i64 = 45009;

/// Looks the members of a corp up that one app may see.
pub(crate) struct LookUp {
    cache: Option<KeyedRecord>,
    /// Keeps apart what different apps may see, and numbers from being guessed.
    salt: String,
    observer: Observer,
    is_problem_told: bool,
    /// One sentence each, for the report.
    pub(crate) warnings: Vec<String>,
}

/// The result of a look-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FoundPerson {
    /// The member, and whether that was known before.
    Userid { userid: String, is_cached: bool },
    /// WeCom knows nobody, or the app may not see the member; with its answer, if it was asked now.
    Nobody(Option<Answer>),
}

/// The results for several people.
#[derive(Debug, Default)]
pub(crate) struct FoundPeople {
    /// Members, with whether their userid was known before.
    pub(crate) known: Vec<(Person, String, bool)>,
    /// Those whom WeCom does not know, or the app may not see.
    pub(crate) unknown: Vec<Person>,
    /// Those who could not be looked up.
    pub(crate) unasked: Vec<Person>,
    /// Why that was so.
    pub(crate) why: Option<Error>,
}

impl LookUp {
    /// Look-ups for this app, with a cache in `shared` for all machines or in that folder, if there is either.
    pub(crate) fn new(
        base_url: &str,
        app: &AppCredentials,
        cache_dir: Option<&Path>,
        shared: Option<&SharedState>,
        observer: Observer,
    ) -> Self {
        let file = |folder| KeyedFile::of_fingerprint(folder, "people-", &fingerprint([base_url, &app.corp_id]));
        let agent_id = app.agent_id.map(|id| id.to_string()).unwrap_or_default();
        let salt = fingerprint(["people", &app.corp_id, &agent_id, app.secret.expose()]);
        let shared = shared.map(|state| {
            let space = Namespace::new(state.clone(), &fingerprint([base_url, &salt]), &app.secret);
            let name = space.name("people");
            SharedRecord::new(space, name)
        });
        Self {
            cache: KeyedRecord::new(shared, cache_dir.map(Folder::private).map(file)),
            salt,
            observer,
            is_problem_told: false,
            warnings: Vec::new(),
        }
    }

    /// Looks them up one after the other: many calls at once are what WeCom refuses. After a failure nobody more is asked for.
    /// What can be no number or address costs no call.
    pub(crate) async fn find_all(&mut self, courier: &mut Courier, people: &[Person]) -> FoundPeople {
        let mut found = FoundPeople::default();
        for person in people {
            if !person.is_possible() {
                found.unknown.push(person.clone());
                continue;
            }
            let key = self.key_of(person);
            let result = match (&found.why, self.known(&key, None).await) {
                (_, Some(Ok(known))) => Ok(known),
                (Some(_), _) => {
                    found.unasked.push(person.clone());
                    continue;
                }
                (None, _) => self.find(courier, person, None).await,
            };
            match result {
                Ok(FoundPerson::Userid { userid, is_cached }) => found.known.push((person.clone(), userid, is_cached)),
                Ok(FoundPerson::Nobody(_)) => found.unknown.push(person.clone()),
                Err(error) => {
                    found.unasked.push(person.clone());
                    found.why = Some(error);
                }
            }
        }
        found
    }

    /// Looks somebody up. `stale` is a userid from the cache that WeCom refused.
    ///
    /// # Errors
    ///
    /// Exit 8 where too many look-ups found nobody; else what the call failed of.
    pub(crate) async fn find(
        &mut self,
        courier: &mut Courier,
        person: &Person,
        stale: Option<&str>,
    ) -> Result<FoundPerson> {
        let key = self.key_of(person);
        if let Some(known) = self.known(&key, stale).await {
            return known;
        }
        let hold = self.lock(&key, stale, courier.client.options.deadline).await;
        // Another process may have asked while this one waited for the lock.
        if let Some(known) = self.known(&key, stale).await {
            return known;
        }
        let asked_at = now();
        let asked = ask(courier, person).await;
        let mut known = self.read().await;
        let mut is_last = false;
        let result = match asked {
            Ok(userid) => {
                known.keep(&key, Some(&userid), stale, asked_at);
                Ok(FoundPerson::Userid { userid, is_cached: false })
            }
            Err(error) => match error.answer() {
                Some(answer) if NOBODY.contains(&answer.errcode) => {
                    is_last = known.keep(&key, None, stale, asked_at);
                    Ok(FoundPerson::Nobody(Some(answer.clone())))
                }
                Some(answer) if answer.errcode == TOO_MANY => {
                    known.refuse(asked_at);
                    Err(error)
                }
                _ => return Err(error),
            },
        };
        if let (Some(cache), Some(hold)) = (&self.cache, hold) {
            let written = cache.write(&known, KEPT_FOR, &hold).await;
            hold.release().await;
            match written {
                Ok(()) if is_last => self.warnings.push(format!(
                    "{MOST_MISSES} look-ups found nobody within an hour: no more are made until it is over, since WeCom shuts the \
                     look-up for a day after too many; correct the numbers and addresses"
                )),
                Ok(()) => {}
                Err(error) => self.report_problem("cannot be written", &error.to_string()),
            }
        }
        result
    }

    fn key_of(&self, person: &Person) -> String {
        let key = fingerprint([&self.salt, &person.key()]);
        key.get(..32).unwrap_or(&key).to_owned()
    }

    /// What is known without a call: of this person, or that nobody is to be looked up.
    async fn known(&mut self, key: &str, stale: Option<&str>) -> Option<Result<FoundPerson>> {
        let (known, now) = (self.read().await, now());
        match known.find(key, stale, now) {
            Some(Some(userid)) => Some(Ok(FoundPerson::Userid { userid: userid.to_owned(), is_cached: true })),
            Some(None) => Some(Ok(FoundPerson::Nobody(None))),
            None => known.stopped_for(now).map(|(left, by_wecom)| Err(stopped(left, by_wecom))),
        }
    }

    async fn read(&mut self) -> KnownPeople {
        let read = match &self.cache {
            Some(cache) => cache.read().await,
            None => Ok(None),
        };
        read.unwrap_or_else(|reason| {
            self.report_problem("is ignored", &reason);
            None
        })
        .unwrap_or_default()
    }

    /// The lock of the cache; `None` where there is no cache, where it cannot be had in time, or where another process has
    /// asked meanwhile.
    async fn lock(&mut self, key: &str, stale: Option<&str>, deadline: Instant) -> Option<Hold> {
        let cache = self.cache.take()?;
        let is_known = async || {
            let known: KnownPeople = cache.read().await.ok().flatten().unwrap_or_default();
            known.find(key, stale, now()).is_some() || known.stopped_for(now()).is_some()
        };
        let locked = cache.lock(lock_patience(deadline), &is_known).await;
        let is_known = is_known().await;
        self.cache = Some(cache);
        match locked {
            Ok(None) if !is_known => self.report_problem("is not used", "another process keeps it locked"),
            Err(error) => self.report_problem("cannot be used", &error.to_string()),
            Ok(hold) => return hold,
        }
        None
    }

    /// Reports only the first problem with the cache: the next ones follow from it.
    fn report_problem(&mut self, what: &str, reason: &str) {
        if let Some(cache) = self.cache.as_ref().filter(|_| !std::mem::replace(&mut self.is_problem_told, true)) {
            let file = cache.file().map(|file| format!(" {}", file.file().display())).unwrap_or_default();
            self.observer.detail(format!("the cache of look-ups{file} {what}: {reason}"));
        }
    }
}

/// One call, with retries, in half of the time that is left. A limit of WeCom is not waited for.
async fn ask(courier: &mut Courier, person: &Person) -> Result<String> {
    let (deadline, policy) = (courier.client.options.deadline, courier.policy);
    courier.client.options.deadline = deadline - deadline.saturating_duration_since(Instant::now()) / 2;
    courier.policy.wait_for_rate = false;
    let (endpoint, _) = look_up_request(person);
    let asked = courier.ask(endpoint, Purpose::Read, async |client, token| client.userid_of(token, person).await).await;
    courier.client.options.deadline = deadline;
    courier.policy = policy;
    asked
}

fn stopped(left_s: u64, by_wecom: bool) -> Error {
    let wait = Duration::from_secs(left_s);
    let why = match by_wecom {
        true => "WeCom refused look-ups because too many found nobody".to_owned(),
        false => format!("{MOST_MISSES} look-ups found nobody within an hour"),
    };
    let message = format!("{why}: nobody is looked up for another {}", clock::elapsed(wait, &clock::UNITS));
    let hint = "correct the numbers and addresses that find nobody; userids (-u) need no look-up";
    Error::new(Status::RateLimited, message).with_hint(hint).with_retry_after(Some(wait))
}

fn now() -> u64 {
    now_ms() / 1000
}
