//! The encryption of callbacks: AES-256-CBC and a SHA-1 signature, as WeCom prescribes them (document path 90968).

use aes::Aes256;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{self, GeneralPurpose, NO_PAD};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use sha1::{Digest, Sha1};

use crate::sort;

/// The block that a text is filled up to, twice that of AES: an ordinary unpadding refuses more than 16.
const BLOCK: usize = 32;

/// Random bytes and the length of the message, before it.
const HEAD: usize = 20;

/// Base64 as WeCom's keys have it: the 43rd character may have bits that no byte takes.
const OF_KEYS: GeneralPurpose = GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// The bytes of an EncodingAESKey; `None` where it is none.
pub(super) fn key_of(text: &str) -> Option<[u8; 32]> {
    let is_plain = text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    OF_KEYS.decode(text).ok().filter(|_| is_plain)?.try_into().ok()
}

/// The signature of these four values: the SHA-1 of them, sorted and joined, in lower-case hex.
pub(super) fn signature(token: &str, timestamp: &str, nonce: &str, ciphertext: &str) -> String {
    let mut values = [token, timestamp, nonce, ciphertext];
    sort::sort(&mut values);
    let mut hash = Sha1::new();
    values.iter().for_each(|value| hash.update(value));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Encrypts a message for that receiver, in Base64.
pub(super) fn encrypt(key: &[u8; 32], random: [u8; 16], message: &str, receive_id: &str) -> String {
    let mut bytes = random.to_vec();
    bytes.extend((message.len() as u32).to_be_bytes());
    bytes.extend(message.as_bytes());
    bytes.extend(receive_id.as_bytes());
    let filling = BLOCK - bytes.len() % BLOCK;
    bytes.extend(std::iter::repeat_n(filling as u8, filling));
    let length = bytes.len();
    // It fits: the length is a multiple of the block.
    let _ = cbc::Encryptor::<Aes256>::new(key.into(), iv(key).into()).encrypt_padded::<NoPadding>(&mut bytes, length);
    general_purpose::STANDARD.encode(bytes)
}

/// Decrypts a message for that receiver; else why it cannot be read.
pub(super) fn decrypt(key: &[u8; 32], ciphertext: &str, receive_id: &str) -> Result<String, &'static str> {
    const OTHER_KEY: &str = "it was encrypted with another EncodingAESKey";
    let bytes = general_purpose::STANDARD.decode(ciphertext);
    let mut bytes = bytes.map_err(|_| "what is encrypted is not Base64")?;
    let cipher = cbc::Decryptor::<Aes256>::new(key.into(), iv(key).into());
    let bytes = cipher.decrypt_padded::<NoPadding>(&mut bytes).map_err(|_| "what is encrypted is cut off")?;
    let filling = usize::from(*bytes.last().ok_or("nothing is encrypted")?);
    let end = bytes.len().checked_sub(filling).filter(|_| (1..=BLOCK).contains(&filling)).ok_or(OTHER_KEY)?;
    let (content, rest) = bytes.split_at(end);
    let (head, content) = content.split_at_checked(HEAD).ok_or(OTHER_KEY)?;
    let length = head.last_chunk().map_or(0, |length| u32::from_be_bytes(*length));
    let (message, receiver) = content.split_at_checked(length as usize).ok_or(OTHER_KEY)?;
    if !rest.iter().all(|byte| usize::from(*byte) == filling) {
        return Err(OTHER_KEY);
    }
    if receiver != receive_id.as_bytes() {
        return Err("it is for another receiver: not for this corp_id, or not for an aibot");
    }
    String::from_utf8(message.to_vec()).map_err(|_| OTHER_KEY)
}

/// The first half of the key.
fn iv(key: &[u8; 32]) -> &[u8; 16] {
    key.first_chunk().unwrap_or(&[0; 16])
}

/// The random bytes before a message.
#[cfg(test)]
pub(super) fn random_of(key: &[u8; 32], ciphertext: &str) -> [u8; 16] {
    let mut bytes = general_purpose::STANDARD.decode(ciphertext).unwrap();
    let cipher = cbc::Decryptor::<Aes256>::new(key.into(), iv(key).into());
    *cipher.decrypt_padded::<NoPadding>(&mut bytes).unwrap().first_chunk().unwrap()
}
