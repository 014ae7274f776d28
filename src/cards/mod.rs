//! Interactive cards that were sent, and the presses on them, on disk: so that a press by callback finds what its card was
//! made of, is handled although a process is killed, and a card can be changed by its task id.
//!
//! One file for each card, under its lock. `kept` says what is in it and what a press means for it, with `card_content`; `card_file` reads and
//! writes it; `listener` tells whether a `listen` is there that receives the presses.

mod card_content;
mod card_file;
mod kept;
mod listener;

use crate::error::Result;
use crate::fingerprint::fingerprint;
use crate::shared_state::Namespace;
use crate::store::{Folder, KeyedFile};

pub(crate) use card_content::{CardData, is_pressable, pressable_card};
pub(crate) use card_file::CardFile;
pub(crate) use kept::{CODE_LIFE_MS, KeptCard, KeptPress, NewCard, PressState, ReceivedPress};
pub(crate) use listener::Listener;

/// In the folder of the state.
const FOLDER: &str = "cards";

/// Whose cards they are: one app or aibot, on one host. It reveals neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CardOwner(String);

impl CardOwner {
    /// That of a credential: the base URL of its API, and its fingerprint ([`crate::fingerprint::of_app`] or `of_aibot`).
    pub(crate) fn new(base_url: &str, identity: &str) -> Self {
        Self(fingerprint(["cards", base_url, identity]).chars().take(16).collect())
    }
}

/// The cards of one app or aibot.
#[derive(Debug, Clone)]
pub(crate) struct CardStore {
    folder: Folder,
    /// What the names of its files begin with.
    prefix: String,
    /// Their part of the store, where machines share state.
    shared: Option<Namespace>,
}

impl CardStore {
    /// Those that are kept in this state folder. This touches no disk.
    pub(crate) fn of(state: &Folder, owner: &CardOwner) -> Self {
        Self { folder: state.within(FOLDER), prefix: format!("{}-", owner.0), shared: None }
    }

    /// The same, and what other machines know, where they share state.
    pub(crate) fn shared_by(self, shared: Option<Namespace>) -> Self {
        Self { shared, ..self }
    }

    /// The card with this task id, whether it is known or not.
    pub(crate) fn card(&self, task_id: &str) -> CardFile {
        let file = KeyedFile::of_fingerprint(self.folder.clone(), &self.prefix, &fingerprint([task_id]));
        CardFile::new(task_id, file, self.folder.clone(), self.shared.clone())
    }

    /// Those with a press whose handling has not ended, the oldest press first. What cannot be read is left out.
    ///
    /// # Errors
    ///
    /// Exit 3 where the folder cannot be read.
    pub(crate) async fn unfinished(&self) -> Result<Vec<KeptCard>> {
        card_file::unfinished(self.folder.clone(), self.prefix.clone()).await
    }

    /// Becomes the process that receives the presses on these cards; `None` where another one is.
    ///
    /// # Errors
    ///
    /// Exit 3 where the state folder cannot be used.
    pub(crate) async fn listen(&self) -> Result<Option<Listener>> {
        Listener::lock(self.listener_file(), self.shared.clone()).await
    }

    /// Whether a process of this machine receives the presses on these cards. Where that cannot be known, none does.
    pub(crate) async fn is_listened_to(&self) -> bool {
        listener::is_there(self.listener_file()).await
    }

    /// Whether one does on this machine or on another one that shares state.
    pub(crate) async fn is_listened_to_anywhere(&self) -> bool {
        self.is_listened_to().await
            || match &self.shared {
                Some(shared) => listener::is_elsewhere(shared).await,
                None => false,
            }
    }

    fn listener_file(&self) -> KeyedFile {
        KeyedFile::of_fingerprint(self.folder.clone(), &self.prefix, "listen")
    }
}
