//! Fingerprints: a SHA-256 identifier of several values that does not reveal them, for file names and keys that must
//! not show a corp, secret or key.

use std::io::{self, Read};

use ring::digest::{Context, SHA256};

use crate::secret::Secret;

/// The fingerprint of these parts, 64 digits long. No two lists of parts run together to the same one.
pub fn fingerprint<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> String {
    let mut hash = new_sum();
    for part in parts {
        let part = part.as_ref();
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    in_hex(hash)
}

/// An app and its agent as a target.
pub fn of_app(corp_id: &str, agent_id: i64) -> String {
    fingerprint(["app", corp_id, &agent_id.to_string()])
}

/// The group chats of a corp, whose messages are counted together; which of them one is for stands in its body.
pub fn of_chats(corp_id: &str) -> String {
    fingerprint(["chats", corp_id])
}

/// A webhook as a target.
pub fn of_webhook(key: &Secret) -> String {
    fingerprint(["webhook", key.expose()])
}

/// An aibot as a target.
pub fn of_aibot(bot_id: &str) -> String {
    fingerprint(["aibot", bot_id])
}

/// The plain SHA-256 of a text, for comparison with what other programs compute.
pub fn sha256(text: &[u8]) -> String {
    let mut hash = new_sum();
    hash.update(text);
    in_hex(hash)
}

/// A reader that sums up what is read through it.
pub struct Summing<R> {
    reader: R,
    hash: Context,
}

impl<R: Read> Summing<R> {
    /// Sums up what is read from here on.
    pub fn new(reader: R) -> Self {
        Self { reader, hash: new_sum() }
    }

    /// The sum of what was read.
    pub fn finish(self) -> String {
        in_hex(self.hash)
    }
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

/// A SHA-256 sum of nothing yet.
pub(crate) fn new_sum() -> Context {
    Context::new(&SHA256)
}

/// A sum as 64 hexadecimal digits.
pub(crate) fn in_hex(hash: Context) -> String {
    hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_counts_for_itself() {
        let all = [
            fingerprint(["corp", "secret"]),
            fingerprint(["cor", "psecret"]),
            fingerprint(["corpsecret"]),
            fingerprint(["corpsecret", ""]),
            fingerprint([""; 0]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(one.len() == 64 && !all[..index].contains(one), "{index}");
        }
    }

    #[test]
    fn the_plain_hash_is_the_published_one() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
