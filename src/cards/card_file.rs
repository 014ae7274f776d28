//! Reads and changes the file of a card under its lock, off the event loop. A disk that hangs or is full is an error, never a
//! wait without end.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use std::{io, thread};

use serde_json::Value;

use super::kept::{KeptCard, KeptCode, NewCard, PRESS_LIFE_MS, ReceivedPress};
use crate::api::aibot::Press;
use crate::blocking::{off_loop, to_the_end};
use crate::channel::Channel;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::shared_state::Namespace;
use crate::sort;
use crate::store::{Folder, Guard, KeyedFile};

/// How long a lock is waited for.
const LOCK_PATIENCE: Duration = Duration::from_millis(1500);

/// How long a lock and the disk behind it are waited for: WeCom waits 5 s for the answer to an event (document path 90238).
const PATIENCE: Duration = Duration::from_secs(3);

/// Between two tries for a lock.
const RETRY: Duration = Duration::from_millis(5);

/// A file is not longer, in bytes: less than what a file under a key may have.
const FILE_BYTES: usize = 224 * 1024;

/// So many files are kept at the most. From a few less on, the oldest are removed: not each new one looks.
const MOST_FILES: usize = 10_000 - 100;

/// One of so many new files has others looked at, and how many.
const SWEPT_EVERY: u8 = 8;
const MOST_SWEPT: usize = 64;

/// How many are removed at a time where there are too many.
const MOST_DROPPED: usize = 2 * SWEPT_EVERY as usize;

/// Files that are being written are left by killed processes if they are older.
const DRAFT_LIFE: Duration = Duration::from_secs(3600);

/// How long other machines find a card.
const SHARED_LIFE: Duration = Duration::from_millis(PRESS_LIFE_MS);

/// How long the store is asked for a card.
const TO_FIND: Duration = Duration::from_millis(500);

/// How long all files are waited for: there may be ten thousand.
const ALL_PATIENCE: Duration = Duration::from_secs(30);

/// The file of a card. Each method fails with exit 3 where the file cannot be read or written in time; nothing was changed
/// then, unless a disk that hung goes on later.
#[derive(Debug, Clone)]
pub(crate) struct CardFile {
    task_id: String,
    file: Arc<KeyedFile>,
    folder: Folder,
    /// Where other machines find the card that share state.
    shared: Option<Namespace>,
}

/// What is to be kept, and what the caller gets.
type Change<T> = (Option<KeptCard>, T);

impl CardFile {
    pub(super) fn new(task_id: &str, file: KeyedFile, folder: Folder, shared: Option<Namespace>) -> Self {
        Self { task_id: task_id.to_owned(), file: Arc::new(file), folder, shared }
    }

    /// What is kept of the card, if anything is.
    pub(crate) async fn read(&self) -> Result<Option<KeptCard>> {
        let file = Arc::clone(&self.file);
        self.in_time(off_loop(move || file.read())).await
    }

    /// Keeps a card that was just sent. It is there after a loss of power, and other machines that share state find it.
    pub(crate) async fn remember(&self, new: NewCard) -> Result<()> {
        if let Some(shared) = self.shared.as_ref().filter(|_| !new.card.is_null()) {
            let name = self.shared_name(shared);
            let sealed = serde_json::to_vec(&new).ok().and_then(|content| shared.seal(&name, &content));
            if let Some(sealed) = sealed {
                // While the store is down, its presses are of an unknown card on other machines.
                let _ = shared.state.set(&name, &sealed, SHARED_LIFE).await;
            }
        }
        self.remember_here(new).await
    }

    /// Keeps a card here that another machine has sent, if it is not known here.
    pub(crate) async fn find(&self) {
        let Some(shared) = &self.shared else { return };
        if matches!(self.read().await, Ok(Some(card)) if card.is_known()) {
            return;
        }
        let name = self.shared_name(shared);
        let found = tokio::time::timeout(TO_FIND, shared.state.in_background().get(&name)).await;
        let content =
            found.ok().and_then(std::result::Result::ok).flatten().and_then(|sealed| shared.open(&name, &sealed));
        if let Some(new) = content.and_then(|content| serde_json::from_slice(&content).ok()) {
            // Where it cannot be kept, it stays unknown.
            let _ = self.remember_here(new).await;
        }
    }

    fn shared_name(&self, shared: &Namespace) -> String {
        shared.name_for("card", &[&self.task_id])
    }

    async fn remember_here(&self, new: NewCard) -> Result<()> {
        let task_id = self.task_id.clone();
        let change = move |kept: Result<Option<KeptCard>, String>| {
            let card = KeptCard::sent(&task_id, new, now_ms()).with_what_came_before(kept.ok().flatten());
            Ok((Some(card), ()))
        };
        self.change(true, change).await
    }

    /// Keeps a press on the card, which came by this channel: when this returns, it is there after a loss of power. `event_id`
    /// is the same for every copy of the event.
    ///
    /// After an error the press may be kept all the same, later: a copy of it that is `New` then may be one that nobody has
    /// handled.
    pub(crate) async fn receive(&self, channel: Channel, event_id: &str, press: Press) -> Result<ReceivedPress> {
        let event_id = event_id.to_owned();
        let path = self.file.file();
        let change = move |kept: Result<Option<KeptCard>, String>| {
            let trouble = kept.as_ref().err().map(|why| format!("the file {} is kept anew: {why}", path.display()));
            let (card, rank) = KeptCard::pressed(kept.ok().flatten(), channel, &event_id, press, now_ms());
            let card = card.within(FILE_BYTES);
            let received = ReceivedPress { rank, card: card.clone(), trouble };
            Ok((Some(card).filter(|_| !rank.is_copy()), received))
        };
        self.change(true, change).await
    }

    /// The handling of a press begins. Returns which attempt it is, from 1 on; `None` where it has ended, or is not kept any
    /// more. It is known after a loss of power that it began.
    pub(crate) async fn begin(&self, event_id: &str) -> Result<Option<u32>> {
        let event_id = event_id.to_owned();
        self.change_known(true, move |card| card.begin(&event_id)).await.map(Option::flatten)
    }

    /// The handling of a press has ended; `said` is what its handler said, in one line.
    pub(crate) async fn end(&self, event_id: &str, said: Option<&str>, failed: bool) -> Result<()> {
        let (event_id, said) = (event_id.to_owned(), said.map(str::to_owned));
        self.change_known(false, move |card| card.end(&event_id, said.as_deref(), failed)).await.map(drop)
    }

    /// Takes the oldest response_code that is still good: nobody else gets it. `None` where there is none.
    pub(crate) async fn take_code(&self) -> Result<Option<KeptCode>> {
        self.change_known(false, |card| card.take_code(now_ms())).await.map(Option::flatten)
    }

    /// Puts a code back that was not used, or may not have been.
    pub(crate) async fn give_back(&self, code: KeptCode) -> Result<()> {
        self.change_known(false, |card| card.give_back(code)).await.map(drop)
    }

    /// Another card that can be pressed has taken its place: the next press on it counts.
    pub(crate) async fn replace(&self, card: Value) -> Result<()> {
        self.change_known(false, move |kept| kept.replace(card)).await.map(drop)
    }

    async fn change_known<T: Send + 'static>(
        &self,
        durably: bool,
        change: impl FnOnce(&mut KeptCard) -> T + Send + 'static,
    ) -> Result<Option<T>> {
        let change = move |kept: Result<Option<KeptCard>, String>| {
            let Some(mut card) = kept? else { return Ok((None, None)) };
            let result = change(&mut card);
            Ok((Some(card), Some(result)))
        };
        self.change(durably, change).await
    }

    /// Changes what is kept, under the lock. `change` gets that, or why it cannot be read.
    async fn change<T: Send + 'static>(
        &self,
        durably: bool,
        change: impl FnOnce(Result<Option<KeptCard>, String>) -> Result<Change<T>, String> + Send + 'static,
    ) -> Result<T> {
        let (file, folder) = (Arc::clone(&self.file), self.folder.clone());
        let changing = to_the_end(move || {
            let guard = locked(&file)?;
            let is_new = file.stamp().is_none();
            let (card, result) = change(file.read())?;
            if let Some(card) = card {
                let card = card.within(FILE_BYTES);
                let written = if durably { file.write_durably(&card, &guard) } else { file.write(&card, &guard) };
                written.map_err(|error| error.to_string())?;
            }
            drop(guard);
            if is_new && fastrand::u8(..SWEPT_EVERY) == 0 {
                sweep(&folder, &file, MOST_FILES, now_ms());
            }
            Ok(result)
        });
        self.in_time(changing).await
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<Result<T, String>>>) -> Result<T> {
        let done = tokio::time::timeout(PATIENCE, work).await;
        let done = done.unwrap_or_else(|_| Ok(Err("the disk does not answer".to_owned())))?;
        done.map_err(|why| unusable(&self.file.says("cannot be used", why)))
    }
}

fn unusable(message: &str) -> Error {
    Error::config(message, "check the state folder: its disk, owner and mode")
}

fn locked(file: &KeyedFile) -> Result<Guard, String> {
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock().map_err(|error| error.to_string())? {
            Some(guard) => return Ok(guard),
            None if Instant::now() >= until => return Err("another process holds its lock".to_owned()),
            None => thread::sleep(RETRY),
        }
    }
}

/// The cards in a folder whose files begin like this, that have a press whose handling has not ended; the oldest press first.
pub(super) async fn unfinished(folder: Folder, prefix: String) -> Result<Vec<KeptCard>> {
    let path = folder.path().to_owned();
    let reading = off_loop(move || {
        let files = KeyedFile::of_fingerprint(folder, "", "").of_all_keys()?;
        let cards = files.iter().filter(|file| file.begins_with(&prefix)).filter_map(|file| file.read().ok()?);
        let mut cards: Vec<KeptCard> = cards.filter(|card: &KeptCard| card.unfinished().next().is_some()).collect();
        sort::sort_by_key(&mut cards, |card| card.unfinished().map(|press| press.received_ms).min());
        Ok::<_, io::Error>(cards)
    });
    let read = tokio::time::timeout(ALL_PATIENCE, reading).await;
    let why = match read {
        Ok(read) => match read? {
            Ok(cards) => return Ok(cards),
            Err(error) => error.to_string(),
        },
        Err(_) => "the disk does not answer".to_owned(),
    };
    Err(unusable(&format!("the folder {} cannot be read: {why}", path.display())))
}

/// Looks at some of the files, and removes those that are of no use any more; where there are too many, the oldest of these
/// too, rather those whose presses were handled.
fn sweep(folder: &Folder, file: &KeyedFile, most: usize, now_ms: u64) {
    let mut files = file.of_all_keys().unwrap_or_default();
    let too_many = files.len().saturating_sub(most);
    fastrand::shuffle(&mut files);
    let mut others = Vec::new();
    for other in files.into_iter().take(MOST_SWEPT) {
        let Ok(Some(guard)) = other.try_lock() else { continue };
        let read: Result<Option<KeptCard>, String> = other.read();
        let (is_open, last_ms, is_old) = match &read {
            Ok(Some(card)) => (card.unfinished().next().is_some(), card.last_ms(), card.is_old(now_ms)),
            Ok(None) => (false, 0, true),
            Err(_) => {
                let at_ms = modified_ms(&other);
                (false, at_ms, now_ms > at_ms.saturating_add(PRESS_LIFE_MS))
            }
        };
        if is_old {
            let _ = other.remove(guard);
        } else if too_many > 0 {
            others.push((is_open, last_ms, other));
        }
    }
    sort::sort_by_key(&mut others, |(is_open, last_ms, _)| (*is_open, *last_ms));
    for (_, _, other) in others.iter().take(too_many.min(MOST_DROPPED)) {
        if let Ok(Some(guard)) = other.try_lock() {
            let _ = other.remove(guard);
        }
    }
    let _ = folder.sweep_drafts(SystemTime::now(), DRAFT_LIFE);
}

fn modified_ms(file: &KeyedFile) -> u64 {
    let at = std::fs::metadata(file.file()).and_then(|about| about.modified()).ok();
    let since = at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.map_or(0, crate::clock::in_ms)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::kept::PressRank;
    use super::super::kept::tests::{new_card, press};
    use super::super::{CardOwner, CardStore, PressState};
    use super::*;

    const DAY_MS: u64 = 24 * 3_600 * 1_000;

    fn on_loop<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    fn store(root: &tempfile::TempDir) -> CardStore {
        CardStore::of(&Folder::private(root.path()), &CardOwner::new("https://wecom.example", "app"))
    }

    async fn receive(store: &CardStore, task_id: &str, event_id: &str) -> Result<ReceivedPress> {
        let press = Press { task_id: task_id.to_owned(), ..press(event_id) };
        store.card(task_id).receive(Channel::App, event_id, press).await
    }

    fn files(root: &tempfile::TempDir) -> Vec<String> {
        let files = fs::read_dir(root.path().join("cards")).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_card_is_found_by_its_owner_and_task_id() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let cards = store(&root);
            cards.card("t").remember(new_card()).await.unwrap();
            let kept = cards.card("t").read().await.unwrap().unwrap();
            assert_eq!((kept.task_id.as_str(), kept.title.as_str()), ("t", "Disk full"));
            assert!(cards.card("u").read().await.unwrap().is_none());
            let others =
                CardStore::of(&Folder::private(root.path()), &CardOwner::new("https://wecom.example", "other"));
            assert!(others.card("t").read().await.unwrap().is_none());
            let code = cards.card("t").take_code().await.unwrap().unwrap();
            assert_eq!(code.code, "of the send");
            assert!(cards.card("t").take_code().await.unwrap().is_none());
            assert!(cards.card("u").take_code().await.unwrap().is_none());
            cards.card("t").give_back(code).await.unwrap();
            assert!(cards.card("t").take_code().await.unwrap().is_some());
        });
        #[cfg(unix)]
        for file in files(&root) {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(root.path().join("cards").join(&file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }

    #[test]
    fn a_press_is_handled_once_and_taken_up_again() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let cards = store(&root);
            cards.card("t").remember(new_card()).await.unwrap();
            let first = receive(&cards, "t", "e1").await.unwrap();
            assert_eq!((first.rank, first.card.is_known(), first.trouble), (PressRank::First, true, None));
            let later = receive(&cards, "t", "e2").await.unwrap();
            assert_eq!((later.rank, later.card.first_press().unwrap().event_id.as_str()), (PressRank::Later, "e1"));
            assert_eq!(receive(&cards, "t", "e1").await.unwrap().rank, PressRank::Copy);
            assert!(!receive(&cards, "unknown", "e3").await.unwrap().card.is_known());
            assert_eq!(cards.card("t").begin("e1").await.unwrap(), Some(1));
            // Another process takes it up again.
            let cards = store(&root);
            let open = cards.unfinished().await.unwrap();
            let open: Vec<_> = open.iter().flat_map(|card| card.unfinished()).map(|press| &*press.event_id).collect();
            assert_eq!(open.len(), 3, "{open:?}");
            assert_eq!(cards.card("t").begin("e1").await.unwrap(), Some(2));
            for (task_id, event_id) in [("t", "e1"), ("t", "e2"), ("unknown", "e3")] {
                cards.card(task_id).end(event_id, Some("done"), false).await.unwrap();
            }
            assert_eq!(cards.card("t").begin("e1").await.unwrap(), None);
            assert!(cards.unfinished().await.unwrap().is_empty());
            let kept = cards.card("t").read().await.unwrap().unwrap();
            assert_eq!(kept.presses[0].state, PressState::Done { said: Some("done".to_owned()), failed: false });
            assert_eq!(kept.count_codes(now_ms()), 3);
            assert!(store(&tempfile::tempdir().unwrap()).unfinished().await.unwrap().is_empty());
        });
    }

    #[test]
    fn presses_at_the_same_time_have_one_first() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let presses = (0..20).map(|number| {
                let cards = store(&root);
                async move { receive(&cards, "t", &format!("e{number}")).await.unwrap().rank }
            });
            let ranks = futures_util::future::join_all(presses).await;
            assert_eq!(ranks.iter().filter(|rank| **rank == PressRank::First).count(), 1, "{ranks:?}");
            assert_eq!(store(&root).card("t").read().await.unwrap().unwrap().presses.len(), 20);
        });
    }

    #[test]
    fn a_damaged_file_loses_no_press() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let cards = store(&root);
            cards.card("t").remember(new_card()).await.unwrap();
            let path = cards.card("t").file.file();
            for content in ["", "{", "[]", "{\"task_id\":7}", "null", "\u{0}"] {
                fs::write(&path, content).unwrap();
                let received = receive(&cards, "t", "e1").await.unwrap();
                assert_eq!(received.rank, PressRank::First, "{content:?}");
                assert!(!received.card.is_known() && received.trouble.is_some(), "{content:?}");
                assert_eq!(cards.unfinished().await.unwrap().len(), 1);
            }
            fs::write(&path, "{").unwrap();
            assert!(cards.card("t").read().await.is_err() && cards.unfinished().await.unwrap().is_empty());
            let error = cards.card("t").begin("e1").await.unwrap_err();
            assert!(error.message().ends_with("cannot be used: it is damaged"), "{error}");
            cards.card("t").remember(new_card()).await.unwrap();
            assert!(cards.card("t").read().await.unwrap().unwrap().is_known());
        });
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("cards"), "").unwrap();
        on_loop(async {
            let cards = store(&root);
            assert!(receive(&cards, "t", "e1").await.is_err() && cards.card("t").remember(new_card()).await.is_err());
            assert!(
                cards.unfinished().await.is_err() && cards.listen().await.is_err() && !cards.is_listened_to().await
            );
        });
    }

    #[test]
    fn a_lock_that_another_process_keeps_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let cards = store(&root);
            let held = cards.card("t").file.try_lock().unwrap().unwrap();
            let error = receive(&cards, "t", "e1").await.unwrap_err();
            assert!(error.message().ends_with("another process holds its lock"), "{error}");
            drop(held);
            assert_eq!(receive(&cards, "t", "e1").await.unwrap().rank, PressRank::First);
        });
    }

    #[test]
    fn one_process_listens() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let cards = store(&root);
            assert!(!cards.is_listened_to().await);
            let listener = cards.listen().await.unwrap();
            assert!(
                listener.is_some() && store(&root).is_listened_to().await && cards.listen().await.unwrap().is_none()
            );
            drop(listener);
            assert!(!cards.is_listened_to().await && cards.listen().await.unwrap().is_some());
        });
    }

    #[test]
    fn old_files_are_removed() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let cards = store(&root);
            for task_id in ["a", "b"] {
                cards.card(task_id).remember(new_card()).await.unwrap();
            }
            receive(&cards, "b", "e1").await.unwrap();
            fs::write(root.path().join("cards").join(".tmpabcdefghijkl"), "").unwrap();
            let file = Arc::clone(&cards.card("a").file);
            let sweep_at = |days: u64| sweep(&cards.folder, &file, MOST_FILES, now_ms() + days * DAY_MS);
            sweep_at(2);
            assert_eq!(files(&root).len(), 5, "{:?}", files(&root));
            sweep_at(4);
            assert!(cards.card("a").read().await.unwrap().is_none() && cards.card("b").read().await.unwrap().is_some());
            fs::write(cards.card("b").file.file(), "{").unwrap();
            sweep_at(6);
            assert!(cards.card("b").read().await.is_err());
            sweep_at(8);
            assert!(cards.card("b").read().await.unwrap().is_none());
            assert_eq!(files(&root), [".tmpabcdefghijkl"], "it is a young one");
        });
    }

    #[test]
    fn too_many_files_are_removed_the_oldest_first() {
        let root = tempfile::tempdir().unwrap();
        on_loop(async {
            let cards = store(&root);
            receive(&cards, "open", "e1").await.unwrap();
            for number in 0..5_u64 {
                let card = cards.card(&number.to_string());
                let kept = KeptCard::sent(&card.task_id, new_card(), now_ms() - number * 1_000);
                card.change(false, |_| Ok((Some(kept), ()))).await.unwrap();
            }
            let file = Arc::clone(&cards.card("open").file);
            let mut left = Vec::new();
            for most in [4, 4, 1] {
                sweep(&cards.folder, &file, most, now_ms());
                let mut there = Vec::new();
                for task_id in ["open", "0", "1", "2", "3", "4"] {
                    there.extend(cards.card(task_id).read().await.unwrap().map(|_| task_id));
                }
                left.push(there.join(" "));
            }
            assert_eq!(left, ["open 0 1 2", "open 0 1 2", "open"]);
        });
    }
}
