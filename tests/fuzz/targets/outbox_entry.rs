//! The files of outbox entries, of both versions.
//!
//! The first byte says how many parts the entry of a progress has, and whether the rest is a whole file or the lines of
//! one of version 2, to which the checksum is added.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wecom_alert::fuzz::{rereads_entry, rereads_progress, seal_entry};

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let sealed;
    let file = if choice & 0x80 == 0 {
        rest
    } else {
        sealed = seal_entry(rest);
        &sealed
    };
    assert_ne!(rereads_entry(file), Some(false), "the entry reads otherwise when it is written anew");
    let parts = usize::from(choice & 0x7f);
    assert_ne!(rereads_progress(file, parts), Some(false), "the progress reads otherwise when it is written anew");
});
