//! The ways by which presses on the cards of a question come back, each made once.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::aibot::{Link, Seen, Watch};
use crate::error::Result;
use crate::send::{Place, ProfileAndChannel, Session};

/// The ways back of presses.
#[derive(Default)]
pub(super) struct Links {
    /// One for each way of the settings: its credential is read once.
    ways: RefCell<HashMap<ProfileAndChannel, Rc<tokio::sync::OnceCell<Option<Link>>>>>,
    /// One for each aibot.
    pub(super) bots: RefCell<HashMap<String, Link>>,
    /// The task ids that are watched.
    pub(super) watched: RefCell<HashSet<String>>,
}

/// Presses, and the way to answer them.
pub(super) struct WatchedCards {
    /// Whose card it is; `None` for cards that no process watches.
    pub(super) target: Option<usize>,
    pub(super) link: Link,
    pub(super) watch: Watch,
}

/// The way back of presses on cards here; `None` on a channel without.
pub(super) async fn link_of(session: &Session<'_>, links: &Links, place: &Place) -> Result<Option<Link>> {
    let way = Rc::clone(links.ways.borrow_mut().entry(place.way()).or_default());
    let link = way.get_or_try_init(async || {
        let found = place.link(session).await?;
        let of_bot = |(bot, link)| links.bots.borrow_mut().entry(bot).or_insert(link).clone();
        Ok(found.map(of_bot))
    });
    link.await.cloned()
}

impl Links {
    /// Watches those of these cards of a target that are not watched yet.
    pub(super) async fn watch(&self, target: usize, link: Link, mut task_ids: Vec<String>) -> Option<WatchedCards> {
        task_ids.retain(|id| self.watched.borrow_mut().insert(id.clone()));
        if task_ids.is_empty() {
            return None;
        }
        Some(WatchedCards { target: Some(target), watch: link.watch(task_ids).await, link })
    }
}

impl WatchedCards {
    /// What is seen next.
    pub(super) async fn next(mut self) -> (Self, Seen) {
        let seen = self.watch.next().await;
        (self, seen)
    }
}
