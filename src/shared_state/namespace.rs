//! The part of the shared state that belongs to one channel: the names of its keys, and seals on their values. Who can read
//! or write the store learns none of them and can make up none.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac::{self, HMAC_SHA256, Key};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::SharedState;
use crate::fingerprint::fingerprint;
use crate::secret::Secret;

/// What every key of this program begins with.
const PREFIX: &str = "wecom-alert";

/// The key of seals is made with it: of another format it would have another number.
const LABEL: &[u8] = b"wecom-alert shared state 1\0";

/// The names of keys and the seals of one channel. Clones are the same.
#[derive(Clone)]
pub(crate) struct Namespace {
    /// The store.
    pub(crate) state: SharedState,
    prefix: String,
    key: [u8; 32],
}

impl Namespace {
    /// That of the channel with this fingerprint, such as `Login::identity`; the key of its seals is derived from its secret.
    pub(crate) fn new(state: SharedState, identity: &str, secret: &Secret) -> Self {
        let hash = identity.get(..32).unwrap_or(identity);
        let master = Key::new(HMAC_SHA256, secret.expose().as_bytes());
        let derived = hmac::sign(&master, &[LABEL, identity.as_bytes()].concat());
        let mut key = [0; 32];
        key.copy_from_slice(derived.as_ref());
        Self { state, prefix: format!("{PREFIX}:{{{hash}}}"), key }
    }

    /// The key of this kind: `wecom-alert:{HASH}:KIND`. All keys of a channel have one hash tag.
    pub(crate) fn name(&self, kind: &str) -> String {
        format!("{}:{kind}", self.prefix)
    }

    /// One of several keys of this kind, told apart by what it is for, of which only a fingerprint shows.
    pub(crate) fn name_for(&self, kind: &str, what: &[&str]) -> String {
        let print = fingerprint(what);
        format!("{}:{kind}:{}", self.prefix, print.get(..32).unwrap_or(&print))
    }

    /// Encrypts a value for the key of that name; `None` where the system gives no random numbers.
    pub(crate) fn seal(&self, name: &str, content: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = content.to_vec();
        let tag = self.cipher()?.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(name.as_bytes()),
            &mut sealed,
        );
        Some([&nonce[..], &sealed, tag.ok()?.as_ref()].concat())
    }

    /// What [`Self::seal`] encrypted for the key of that name; `None` for anything else, such as what was sealed with the
    /// secret before it was changed, and what somebody else put there.
    pub(crate) fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut content = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.cipher()?.open_in_place(nonce, Aad::from(name.as_bytes()), &mut content).ok()?.len();
        content.truncate(opened);
        Some(content)
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.key).ok().map(LessSafeKey::new)
    }
}

impl std::fmt::Debug for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Namespace({})", self.prefix)
    }
}
