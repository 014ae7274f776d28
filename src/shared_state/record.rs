//! Records that only the holder of their lock writes: in the store ([`SharedRecord`]), the twin of a file's
//! [`KeyedFile`], or in either ([`KeyedRecord`]).

use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Lease, Namespace, StoreDown};
use crate::clock::now_ms;
use crate::store::{Guard, KeyedFile};

/// Between the first two tries for a lock.
const FIRST_RETRY: Duration = Duration::from_millis(4);

/// Between later tries.
const LONGEST_RETRY: Duration = Duration::from_millis(60);

/// Without news of its holder a lease is over after this: so long others wait for a process that was killed.
const LIFE: Duration = Duration::from_secs(3);

/// How long the lock of the machine's own file is waited for, where the store went down meanwhile.
const OWN_PATIENCE: Duration = Duration::from_secs(1);

/// A sealed JSON value in the store, written by the holder of its lease alone.
#[derive(Debug)]
pub(crate) struct SharedRecord {
    space: Namespace,
    name: String,
}

impl SharedRecord {
    /// The record under that name, one that `space` gave.
    pub(crate) fn new(space: Namespace, name: String) -> Self {
        Self { space, name }
    }

    /// What is kept, if anything is. What cannot be opened or read is nothing: it will be written over.
    pub(crate) async fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, StoreDown> {
        let sealed = self.space.state.get(&self.name).await?;
        let content = sealed.and_then(|sealed| self.space.open(&self.name, &sealed));
        Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
    }

    /// Its lease, if nobody holds it.
    pub(crate) async fn try_lock(&self) -> Result<Option<Lease>, StoreDown> {
        Lease::try_take(&self.space, &format!("{}:lease", self.name), LIFE).await
    }

    /// Writes it, to be kept for so long, if the lease is still one's own; `false` if it is not.
    pub(crate) async fn write(&self, known: &impl Serialize, life: Duration, lease: &Lease) -> Result<bool, StoreDown> {
        let content = serde_json::to_vec(known).ok().and_then(|content| self.space.seal(&self.name, &content));
        match content {
            Some(content) => lease.write(&self.name, content, life).await,
            None => Ok(false),
        }
    }
}

/// What may be written as long as this is there.
#[derive(Debug)]
pub(crate) enum Hold {
    /// The machine's own file.
    File(Guard),
    /// The record in the store.
    Shared(Lease),
}

/// A record in the store, or in the machine's own file: without a store, and while it is down.
#[derive(Debug)]
pub(crate) struct KeyedRecord {
    shared: Option<SharedRecord>,
    file: Option<KeyedFile>,
}

impl KeyedRecord {
    /// Of what is here; `None` where that is nothing.
    pub(crate) fn new(shared: Option<SharedRecord>, file: Option<KeyedFile>) -> Option<Self> {
        (shared.is_some() || file.is_some()).then_some(Self { shared, file })
    }

    /// The machine's own file.
    pub(crate) fn file(&self) -> Option<&KeyedFile> {
        self.file.as_ref()
    }

    /// What is kept, if anything is; the error says why it cannot be read.
    pub(crate) async fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, String> {
        self.read_newest(|_| 0).await
    }

    /// The same. Where the file has a newer one than the store, by the time that `made_at` gives, that is what a process of
    /// this machine wrote which did without the store.
    pub(crate) async fn read_newest<T: DeserializeOwned>(
        &self,
        made_at: impl Fn(&T) -> u64,
    ) -> Result<Option<T>, String> {
        let shared: Option<Option<T>> = match &self.shared {
            Some(shared) => shared.read().await.ok(),
            None => None,
        };
        let Some(shared) = shared else { return self.file.as_ref().map_or(Ok(None), KeyedFile::read) };
        let own: Option<T> = self.file.as_ref().and_then(|file| file.read().ok().flatten());
        let is_newer = own.as_ref().map(&made_at) > shared.as_ref().map(&made_at);
        Ok(if is_newer { own } else { shared })
    }

    /// What went out is recorded: that has as long for the store as an alert.
    pub(crate) fn begin_to_record(&self) {
        self.shared.iter().for_each(|shared| shared.space.state.begin_to_record());
    }

    /// Waits for the lock until `until`, and between two tries asks `enough` whether it is still wanted. `None` when the time
    /// is over, when `enough` said so, or where there is nothing to lock.
    pub(crate) async fn lock(&self, until: Instant, enough: impl AsyncFn() -> bool) -> io::Result<Option<Hold>> {
        let mut pause = FIRST_RETRY;
        let mut polling = None;
        loop {
            if let Some(hold) = self.try_lock().await? {
                return Ok(Some(hold));
            }
            if Instant::now() >= until || enough().await {
                return Ok(None);
            }
            tokio::time::sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
            pause = (pause * 3 / 2).min(LONGEST_RETRY);
            if let (Some(shared), None) = (&self.shared, &polling) {
                polling = Some(shared.space.state.while_polling());
            }
        }
    }

    async fn try_lock(&self) -> io::Result<Option<Hold>> {
        if let Some(shared) = &self.shared
            && let Ok(lease) = shared.try_lock().await
        {
            return Ok(lease.map(Hold::Shared));
        }
        Ok(self.file.as_ref().map(KeyedFile::try_lock).transpose()?.flatten().map(Hold::File))
    }

    /// Writes it, to be kept in the store for so long. What was to be written in the store goes to the file where the store
    /// went down meanwhile, and nowhere where somebody else holds the lease by now.
    pub(crate) async fn write(&self, known: &impl Serialize, life: Duration, hold: &Hold) -> io::Result<()> {
        let lease = match hold {
            Hold::File(guard) => return self.file.as_ref().map_or(Ok(()), |file| file.write(known, guard)),
            Hold::Shared(lease) => lease,
        };
        let Some(shared) = &self.shared else { return Ok(()) };
        if let (Err(StoreDown), Some(file)) = (shared.write(known, life, lease).await, &self.file)
            && let Some(guard) = file.lock(Instant::now() + OWN_PATIENCE, || false).await?
        {
            file.write(known, &guard)?;
        }
        Ok(())
    }

    /// How far the store's clock is ahead of this machine's, in milliseconds: 0 without a store.
    pub(crate) async fn clock_ahead_ms(&self) -> i64 {
        let Some(shared) = &self.shared else { return 0 };
        match shared.space.state.now_ms().await {
            Ok(now) => i64::try_from(now).unwrap_or_default() - i64::try_from(now_ms()).unwrap_or_default(),
            Err(StoreDown) => 0,
        }
    }
}

impl Hold {
    /// Lets others have it.
    pub(crate) async fn release(self) {
        match self {
            Self::File(guard) => drop(guard),
            Self::Shared(lease) => lease.release().await,
        }
    }
}
