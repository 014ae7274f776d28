//! A name for something that must not be named: SHA-256 over its parts, in hexadecimal digits.

use sha2::{Digest, Sha256};

/// The fingerprint of these parts, 64 digits long. No two lists of parts run together to the same one.
#[must_use]
pub fn fingerprint<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    in_hex(hash)
}

/// The plain SHA-256 of a text, for comparison with what other programs compute.
#[must_use]
pub fn sha256(text: &[u8]) -> String {
    in_hex(Sha256::new_with_prefix(text))
}

fn in_hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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
