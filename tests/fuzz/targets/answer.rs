//! WeCom's answers, and what others answer in its place.
//!
//! The first two bytes are the HTTP status, the rest is the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wecom_alert::fuzz::judge_answer;
use wecom_alert::sanitize::one_line;

fuzz_target!(|input: &[u8]| {
    let [high, low, body @ ..] = input else { return };
    let status = if *high == 0 { 200 } else { 100 + u16::from_be_bytes([*high, *low]) % 500 };
    match judge_answer(status, body) {
        (Some(Ok(errcode)), _) => assert!(status == 200 && errcode == 0, "{errcode} with {status} is no success"),
        (Some(Err(errcode)), _) => {
            let warns = || String::from_utf8_lossy(body).to_lowercase().contains("json");
            assert!(errcode != 0 || warns(), "errcode 0 is no refusal");
        }
        (None, told) => {
            assert!(told.contains("wecom.example"), "{told:?}");
            assert_eq!(one_line(&told), told);
            assert!(told.chars().count() < 400, "{told:?}");
        }
    }
});
