//! Requests to a callback address, and the XML and JSON that they encrypt.
//!
//! An even first byte: a query, a line feed and a body. An odd one: a message, encrypted before it is opened.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wecom_alert::fuzz::{open_callback, read_callback};

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    if choice % 2 == 0 {
        let at = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (query, body) = rest.split_at(at);
        let Ok(query) = std::str::from_utf8(query) else { return };
        let opened = open_callback(query, body.get(1..).unwrap_or_default(), 1_409_659_813);
        assert!(opened.is_none() || query.contains("477715d11cdb4164915debcba66cb864d751f3e6"), "{query}");
    } else if let Ok(message) = std::str::from_utf8(rest) {
        let read = read_callback(message).expect("what was sealed is opened");
        if let Err(why) = read {
            assert!(why.len() < 200 && !why.contains('\n'), "{why}");
        }
    }
});
