//! The encryption of callbacks, from the vendor's page (document path 90968) and not from the client: AES-256-CBC, filled up
//! to blocks of 32 bytes, and a SHA-1 signature.

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use sha1::{Digest as _, Sha1};

/// What a callback address is set up with.
#[derive(Debug, Clone)]
pub struct Keys {
    pub token: String,
    pub aes_key: String,
    /// The corp id of an app, empty for an aibot.
    pub receive_id: String,
}

impl Keys {
    pub fn new(token: &str, aes_key: &str, receive_id: &str) -> Self {
        Self { token: token.to_owned(), aes_key: aes_key.to_owned(), receive_id: receive_id.to_owned() }
    }

    pub fn encrypt(&self, message: &str) -> String {
        let mut text: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(16).collect();
        text.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        text.extend(message.as_bytes());
        text.extend(self.receive_id.as_bytes());
        let filling = 32 - text.len() % 32;
        text.extend(vec![u8::try_from(filling).unwrap(); filling]);
        let (key, length) = (self.key(), text.len());
        let cipher = cbc::Encryptor::<Aes256>::new_from_slices(&key, &key[..16]).unwrap();
        cipher.encrypt_padded::<NoPadding>(&mut text, length).unwrap();
        STANDARD.encode(text)
    }

    /// The message; `None` where it is not for this receiver, or not encrypted with this key.
    pub fn decrypt(&self, sealed: &str) -> Option<String> {
        let mut text = STANDARD.decode(sealed).ok()?;
        let key = self.key();
        let cipher = cbc::Decryptor::<Aes256>::new_from_slices(&key, &key[..16]).unwrap();
        let text = cipher.decrypt_padded::<NoPadding>(&mut text).ok()?;
        let text = text.get(..text.len().checked_sub(usize::from(*text.last()?))?)?;
        let length = u32::from_be_bytes(text.get(16..20)?.try_into().ok()?) as usize;
        let (message, receiver) = text.get(20..)?.split_at_checked(length)?;
        let message = String::from_utf8(message.to_vec()).ok()?;
        (receiver == self.receive_id.as_bytes()).then_some(message)
    }

    pub fn sign(&self, timestamp: &str, nonce: &str, sealed: &str) -> String {
        let mut parts = [self.token.as_str(), timestamp, nonce, sealed];
        parts.sort_unstable();
        Sha1::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn key(&self) -> Vec<u8> {
        let lenient = GeneralPurpose::new(&base64::alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
        lenient.decode(&self.aes_key).unwrap_or_else(|error| panic!("{}: {error}", self.aes_key))
    }
}
