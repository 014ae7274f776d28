//! The ways by which presses on the cards of a question come back, each made once.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use tokio::sync::OnceCell;

use crate::aibot::{Link, Seen, Watch};
use crate::error::Result;
use crate::send::{Place, PressWay, ProfileAndChannel, Session};

/// The ways back of presses.
#[derive(Default)]
pub(super) struct Ways {
    /// One for each profile and channel: its credential is read once.
    by_profile: RefCell<HashMap<ProfileAndChannel, Rc<OnceCell<Option<PressWay>>>>>,
    /// One for each credential.
    by_credential: RefCell<HashMap<String, PressWay>>,
    /// The task ids of cards whose presses come back.
    pub(super) heard: RefCell<HashSet<String>>,
}

/// Cards whose presses come by a connection.
pub(super) struct WatchedCards {
    /// Whose cards they are; `None` for cards that no process watches.
    pub(super) target: Option<usize>,
    pub(super) way: PressWay,
    pub(super) watch: Watch,
}

impl Ways {
    /// The way of a place; `None` on a channel without one.
    pub(super) async fn of(&self, session: &Session<'_>, place: &Place) -> Result<Option<PressWay>> {
        let way = Rc::clone(self.by_profile.borrow_mut().entry(place.way()).or_default());
        let way = way.get_or_try_init(async || {
            let found = place.press_way(session).await?;
            let shared = |way: PressWay| {
                let mut known = self.by_credential.borrow_mut();
                known.entry(way.login.identity.clone()).or_insert(way).clone()
            };
            Ok(found.map(shared))
        });
        way.await.cloned()
    }

    /// From now on presses on these cards of a target come back. What a connection brings is the caller's to take.
    pub(super) async fn hear(&self, target: usize, way: PressWay, mut task_ids: Vec<String>) -> Option<WatchedCards> {
        task_ids.retain(|id| self.heard.borrow_mut().insert(id.clone()));
        let link = way.link().filter(|_| !task_ids.is_empty())?;
        Some(WatchedCards { target: Some(target), watch: link.watch(task_ids).await, way })
    }

    /// Ends this process's part in the connections.
    pub(super) async fn leave(&self) {
        let ways: Vec<PressWay> = self.by_credential.borrow().values().cloned().collect();
        futures_util::future::join_all(ways.iter().filter_map(PressWay::link).map(Link::leave)).await;
    }
}

impl WatchedCards {
    /// What is seen next.
    pub(super) async fn next(mut self) -> (Self, Seen) {
        let seen = self.watch.next().await;
        (self, seen)
    }
}
