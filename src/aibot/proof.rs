//! The proof that both ends of a connection between processes know the same secret of the aibot (HMAC-SHA256 over a nonce of
//! each end and the bot's id), and seals on all that they say afterwards. The secret itself is never said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256, Key};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::secret::Secret;

/// In bytes, before base64.
const NONCE: usize = 32;

/// A seal has so many characters: 32 bytes in base64.
pub(super) const SEAL: usize = 44;

/// Which end proves. Each has its own label, so that a proof cannot be sent back to who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TalkEnd {
    Holder,
    Client,
}

impl TalkEnd {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Holder => b"wecom-alert aibot 1 holder\0",
            Self::Client => b"wecom-alert aibot 1 client\0",
        }
    }

    /// Of the key for its seals.
    fn label_of_seals(self) -> &'static [u8] {
        match self {
            Self::Holder => b"wecom-alert aibot 1 holder's lines\0",
            Self::Client => b"wecom-alert aibot 1 client's lines\0",
        }
    }
}

/// Seals the lines of one end, or checks them: a line that was changed, made up, left out or said twice by somebody in
/// between has a wrong seal.
pub(super) struct Seals {
    key: Key,
    /// How many lines there were.
    count: u64,
}

impl Seals {
    /// The seal of the next line, in base64.
    pub(super) fn seal(&mut self, line: &[u8]) -> String {
        let message = self.next(line);
        STANDARD.encode(hmac::sign(&self.key, &message))
    }

    /// Whether this is the seal of the next line. It takes as long for every wrong one.
    pub(super) fn is(&mut self, seal: &[u8], line: &[u8]) -> bool {
        let message = self.next(line);
        STANDARD.decode(seal).is_ok_and(|seal| hmac::verify(&self.key, &message, &seal).is_ok())
    }

    fn next(&mut self, line: &[u8]) -> Vec<u8> {
        let count = self.count.to_be_bytes();
        self.count += 1;
        [&count, digest(&SHA256, line).as_ref()].concat()
    }
}

/// A number that is used once, in base64; `None` where the system gives no random numbers.
pub(super) fn nonce() -> Option<String> {
    let mut bytes = [0; NONCE];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(STANDARD.encode(bytes))
}

/// What both ends have said, and what they both must know.
pub(super) struct Proofs<'a> {
    pub(super) bot_id: &'a str,
    pub(super) secret: &'a Secret,
    /// Those of the holder and of the client.
    pub(super) nonces: [&'a str; 2],
}

impl Proofs<'_> {
    /// The proof of one end, in base64; `None` if a nonce is none.
    pub(super) fn of(&self, end: TalkEnd) -> Option<String> {
        Some(STANDARD.encode(hmac::sign(&self.key(), &self.message(end.label())?)))
    }

    /// The seals of one end after the proofs; `None` if a nonce is none.
    pub(super) fn seals(&self, end: TalkEnd) -> Option<Seals> {
        let key = hmac::sign(&self.key(), &self.message(end.label_of_seals())?);
        Some(Seals { key: Key::new(HMAC_SHA256, key.as_ref()), count: 0 })
    }

    /// Whether this is the proof of that end. It takes as long for every wrong one.
    pub(super) fn is(&self, end: TalkEnd, proof: &str) -> bool {
        let (Some(message), Ok(proof)) = (self.message(end.label()), STANDARD.decode(proof)) else { return false };
        hmac::verify(&self.key(), &message, &proof).is_ok()
    }

    fn key(&self) -> Key {
        Key::new(HMAC_SHA256, self.secret.expose().as_bytes())
    }

    /// The label ends with a zero, and all parts but the last have a fixed length: no two messages run together to the same one.
    fn message(&self, label: &[u8]) -> Option<Vec<u8>> {
        let mut message = label.to_vec();
        for nonce in self.nonces {
            message.extend(STANDARD.decode(nonce).ok().filter(|bytes| bytes.len() == NONCE)?);
        }
        message.extend(self.bot_id.as_bytes());
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_its_end_its_nonces_its_bot_and_its_secret() {
        let (secret, other) = (Secret::new("test-aibot-secret"), Secret::new("test-aibot-secret2"));
        let (one, two, three) = (nonce().unwrap(), nonce().unwrap(), nonce().unwrap());
        let proofs = Proofs { bot_id: "bot", secret: &secret, nonces: [&one, &two] };
        let proof = proofs.of(TalkEnd::Holder).unwrap();
        assert!(proofs.is(TalkEnd::Holder, &proof));
        assert!(!proofs.is(TalkEnd::Client, &proof), "it is not sent back");
        for nonces in [[&two, &one], [&one, &three], [&three, &two]] {
            let nonces = nonces.map(String::as_str);
            assert!(!Proofs { nonces, ..proofs }.is(TalkEnd::Holder, &proof));
        }
        assert!(!Proofs { bot_id: "bot2", ..proofs }.is(TalkEnd::Holder, &proof));
        assert!(!Proofs { secret: &other, ..proofs }.is(TalkEnd::Holder, &proof));
    }

    #[test]
    fn a_seal_holds_for_its_line_at_its_place_of_its_end() {
        let secret = Secret::new("test-aibot-secret");
        let (one, two) = (nonce().unwrap(), nonce().unwrap());
        let proofs = Proofs { bot_id: "bot", secret: &secret, nonces: [&one, &two] };
        let seals = |end| proofs.seals(end).unwrap();
        let mut sealing = seals(TalkEnd::Holder);
        let sealed = [sealing.seal(b"a"), sealing.seal(b"b")].map(String::into_bytes);
        assert!(sealed.iter().all(|seal| seal.len() == SEAL));
        let mut checking = seals(TalkEnd::Holder);
        assert!(checking.is(&sealed[0], b"a") && checking.is(&sealed[1], b"b"));
        assert!(!seals(TalkEnd::Holder).is(&sealed[0], b"A"), "changed");
        assert!(!seals(TalkEnd::Holder).is(&sealed[1], b"b"), "one is left out");
        assert!(!seals(TalkEnd::Client).is(&sealed[0], b"a"), "sent back");
        for wrong in [&b""[..], &sealed[0][..43], b"no base64 at all"] {
            assert!(!seals(TalkEnd::Holder).is(wrong, b"a"));
        }
        let mut twice = seals(TalkEnd::Holder);
        assert!(twice.is(&sealed[0], b"a") && !twice.is(&sealed[0], b"a"), "said twice");
        let other = Proofs { nonces: [&two, &one], ..proofs };
        assert!(!other.seals(TalkEnd::Holder).unwrap().is(&sealed[0], b"a"), "of another connection");
    }

    #[test]
    fn what_is_no_nonce_or_no_proof_proves_nothing() {
        let (secret, nonce) = (Secret::new("test-aibot-secret"), nonce().unwrap());
        for wrong in ["", "a", "AAAA", &format!("{nonce}A"), &format!("{nonce}{nonce}"), "界"] {
            let proofs = Proofs { bot_id: "bot", secret: &secret, nonces: [&nonce, wrong] };
            assert!(proofs.of(TalkEnd::Client).is_none() && !proofs.is(TalkEnd::Client, ""), "{wrong}");
            let proofs = Proofs { nonces: [&nonce, &nonce], ..proofs };
            assert!(!proofs.is(TalkEnd::Client, wrong), "{wrong}");
        }
    }
}
