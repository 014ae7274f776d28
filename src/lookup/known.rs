//! What is known of people who were looked up: the content of the file that all processes of this machine share.
//!
//! No number and no address is in it, only their fingerprints. Times are Unix seconds. Pure.

use std::collections::BTreeMap;

use crate::sort;
use serde::{Deserialize, Serialize};

/// How long a userid is used without asking again, in seconds: a day.
const FOUND_FOR_S: u64 = 24 * 3600;

/// How long it is not asked again for somebody who was not found, in seconds.
const MISSED_FOR_S: u64 = 3600;

/// After a second question that brought the same userid, nobody asks a third time for so long, in seconds.
const UNCHANGED_FOR_S: u64 = 60;

/// So many look-ups may find nobody within an hour. WeCom shuts the look-up for a day when they are more than a fifth of
/// the members that a corp may have (document path 95402), and a small corp may have 50.
pub(super) const MOST_MISSES: usize = 10;

/// How many people are kept.
const MOST_PEOPLE: usize = 1000;

/// What is known of a corp's people.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct KnownPeople {
    /// By fingerprint.
    people: BTreeMap<String, KnownPerson>,
    /// When look-ups found nobody, within the last hour.
    misses: Vec<u64>,
    /// When WeCom refused look-ups because there were too many.
    refused_at: Option<u64>,
}

/// What is known of one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KnownPerson {
    /// When WeCom was asked.
    at: u64,
    /// `None` if nobody was found.
    userid: Option<String>,
    /// When it was asked again and said the same.
    #[serde(default)]
    unchanged_at: Option<u64>,
}

/// Whether `then` is within so many seconds before `now`. From the future: the clock was set back, and its age is unknown.
fn is_within(then: u64, now: u64, seconds: u64) -> bool {
    now.checked_sub(then).is_some_and(|age| age < seconds)
}

impl KnownPerson {
    fn is_fresh(&self, now: u64) -> bool {
        is_within(self.at, now, if self.userid.is_some() { FOUND_FOR_S } else { MISSED_FOR_S })
    }
}

impl KnownPeople {
    /// The userid, or that nobody was found; `None` if WeCom is to be asked. `stale` is a userid that WeCom refused.
    pub(super) fn find(&self, key: &str, stale: Option<&str>, now: u64) -> Option<Option<&str>> {
        let known = self.people.get(key).filter(|known| known.is_fresh(now))?;
        let is_stale = stale.is_some() && known.userid.as_deref() == stale;
        let is_settled = !is_stale || known.unchanged_at.is_some_and(|then| is_within(then, now, UNCHANGED_FOR_S));
        is_settled.then_some(known.userid.as_deref())
    }

    /// Keeps what WeCom said. Returns whether no more may be asked from now on.
    pub(super) fn keep(&mut self, key: &str, userid: Option<&str>, stale: Option<&str>, now: u64) -> bool {
        self.people.retain(|_, known| known.is_fresh(now));
        while self.people.len() >= MOST_PEOPLE {
            let Some(oldest) = self.people.iter().min_by_key(|(_, known)| known.at).map(|(key, _)| key.clone()) else {
                break;
            };
            self.people.remove(&oldest);
        }
        let unchanged_at = (userid.is_some() && userid == stale).then_some(now);
        let known = KnownPerson { at: now, userid: userid.map(str::to_owned), unchanged_at };
        self.people.insert(key.to_owned(), known);
        if userid.is_none() {
            self.misses.retain(|then| is_within(*then, now, MISSED_FOR_S));
            self.misses.push(now);
        }
        userid.is_none() && self.stopped_for(now).is_some()
    }

    /// Keeps that WeCom refused to look anybody up.
    pub(super) fn refuse(&mut self, now: u64) {
        self.refused_at = Some(now);
    }

    /// For how many seconds nobody is to be looked up, and whether WeCom itself refused.
    pub(super) fn stopped_for(&self, now: u64) -> Option<(u64, bool)> {
        let left = |then: u64| (then + MISSED_FOR_S).saturating_sub(now);
        if let Some(then) = self.refused_at.filter(|then| is_within(*then, now, MISSED_FOR_S)) {
            return Some((left(then), true));
        }
        let mut recent: Vec<u64> =
            self.misses.iter().copied().filter(|then| is_within(*then, now, MISSED_FOR_S)).collect();
        sort::sort(&mut recent);
        let first = recent.len().checked_sub(MOST_MISSES)?;
        Some((left(recent[first]), false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    #[test]
    fn found_ones_are_known_for_a_day_and_misses_for_an_hour() {
        let mut known = KnownPeople::default();
        assert_eq!(known.find("a", None, NOW), None);
        assert!(!known.keep("a", Some("zhangsan"), None, NOW));
        assert!(!known.keep("b", None, None, NOW));
        for (at, a, b) in [
            (NOW, Some(Some("zhangsan")), Some(None)),
            (NOW + 3599, Some(Some("zhangsan")), Some(None)),
            (NOW + 3600, Some(Some("zhangsan")), None),
            (NOW + 86_399, Some(Some("zhangsan")), None),
            (NOW + 86_400, None, None),
            // The clock was set back.
            (NOW - 1, None, None),
        ] {
            assert_eq!((known.find("a", None, at), known.find("b", None, at)), (a, b), "{at}");
        }
    }

    #[test]
    fn a_userid_that_was_refused_is_asked_for_once_more() {
        let mut known = KnownPeople::default();
        known.keep("a", Some("old"), None, NOW);
        assert_eq!(known.find("a", Some("old"), NOW), None);
        assert_eq!(known.find("a", Some("older"), NOW), Some(Some("old")), "another process asked meanwhile");
        known.keep("a", Some("old"), Some("old"), NOW);
        assert_eq!(known.find("a", Some("old"), NOW + 59), Some(Some("old")), "it is the same");
        assert_eq!(known.find("a", Some("old"), NOW + 60), None);
        known.keep("a", Some("new"), Some("old"), NOW + 60);
        assert_eq!(known.find("a", None, NOW + 60), Some(Some("new")));
    }

    #[test]
    fn the_tenth_miss_of_an_hour_is_the_last() {
        let mut known = KnownPeople::default();
        for miss in 0..9 {
            assert!(!known.keep(&miss.to_string(), None, None, NOW + miss), "{miss}");
            assert!(!known.keep("x", Some("zhangsan"), None, NOW + miss));
        }
        assert_eq!(known.stopped_for(NOW + 9), None);
        assert!(known.keep("9", None, None, NOW + 9));
        assert_eq!(known.stopped_for(NOW + 9), Some((3591, false)));
        assert_eq!(known.stopped_for(NOW + 3599), Some((1, false)));
        assert_eq!(known.stopped_for(NOW + 3600), None, "the first one is an hour old");
        known.refuse(NOW + 4000);
        assert_eq!(known.stopped_for(NOW + 4001), Some((3599, true)));
        assert_eq!(known.stopped_for(NOW + 7600), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let mut known = KnownPeople::default();
        for number in 0..3000_u64 {
            known.keep(
                &format!("{number:032}"),
                Some("a-userid-of-sixty-four-bytes".repeat(2).as_str()),
                None,
                NOW + number,
            );
        }
        assert_eq!(known.people.len(), MOST_PEOPLE);
        assert!(known.find(&format!("{:032}", 2999), None, NOW + 3000).is_some());
        assert!(serde_json::to_vec(&known).unwrap().len() < 256 * 1024);
    }
}
