//! What WeCom sends to a callback address, made by its rules (document paths 90930, 90968 and 101033), and how it is sent.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use aes::Aes256;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{self, GeneralPurpose, NO_PAD};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use sha1::{Digest, Sha1};

/// Those of the tests: no console ever showed them.
pub(super) const TOKEN: &str = "TestsToken";
pub(super) const AES_KEY: &str = "TestsTestsTestsTestsTestsTestsTestsTestsTes";

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// 0 where the connection was cut.
    pub(super) status: u16,
    pub(super) body: String,
}

pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// A message encrypted for a receiver, with the query that goes with it.
pub(super) fn sealed(message: &str, receive_id: &str, at: i64, token: &str, aes_key: &str) -> (String, String) {
    let of_keys = GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
    let key: [u8; 32] = of_keys.decode(aes_key).unwrap().try_into().unwrap();
    let mut bytes = b"0123456789abcdef".to_vec();
    bytes.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    bytes.extend(message.as_bytes());
    bytes.extend(receive_id.as_bytes());
    let filling = 32 - bytes.len() % 32;
    bytes.extend(std::iter::repeat_n(u8::try_from(filling).unwrap(), filling));
    let (iv, length) = (*key.first_chunk::<16>().unwrap(), bytes.len());
    cbc::Encryptor::<Aes256>::new((&key).into(), (&iv).into()).encrypt_padded::<NoPadding>(&mut bytes, length).unwrap();
    let encrypted = general_purpose::STANDARD.encode(bytes);
    let (at, nonce) = (at.to_string(), format!("{:016x}", fastrand::u64(..)));
    let mut values = [token, &at, &nonce, &encrypted];
    values.sort_unstable();
    let mut hash = Sha1::new();
    values.iter().for_each(|value| hash.update(value));
    let signature: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    (format!("msg_signature={signature}&timestamp={at}&nonce={nonce}"), encrypted)
}

/// A press on a card of an app, not encrypted.
pub(super) fn press_xml(corp_id: &str, task_id: &str, key: &str, userid: &str, code: &str, at: i64) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{corp_id}]]></ToUserName><FromUserName><![CDATA[{userid}]]></FromUserName>\
         <CreateTime>{at}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event>\
         <EventKey><![CDATA[{key}]]></EventKey><TaskId><![CDATA[{task_id}]]></TaskId>\
         <CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[{code}]]></ResponseCode>\
         <AgentID>1</AgentID></xml>"
    )
}

/// Sends bytes, and reads what is answered.
pub(super) fn exchange(address: &str, request: &[u8]) -> Answer {
    let cut = Answer { status: 0, body: String::new() };
    let Ok(mut stream) = TcpStream::connect(address) else { return cut };
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // It may be refused before all is written.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return cut };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, body: body.to_owned() }
}

pub(super) fn post(address: &str, query: &str, body: &str) -> Answer {
    let length = body.len();
    exchange(
        address,
        format!("POST /wecom?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes(),
    )
}

pub(super) fn get(address: &str, query: &str) -> Answer {
    let mark = if query.is_empty() { "" } else { "?" };
    exchange(address, format!("GET /wecom{mark}{query} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
}
