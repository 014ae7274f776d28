//! The files that processes share: cooldown, rate limit, and the entries of an outbox as a list.
//!
//! The first byte says which file the rest is; with its highest bit set, the rest is the lines of a file of the outbox, to
//! which the checksum is added.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wecom_alert::fuzz::{StateFiles, seal_entry};

thread_local! {
    static STATE: StateFiles = StateFiles::new().expect("a temporary folder");
}

/// An entry that can be read, without its checksum.
const ENTRY: &[u8] = br#"{"id":"x","channel":"webhook","profile":null,"target":null,"queued_at_ms":1796023979736,"at_most_once":false,"duplicate_check_s":null,"markable":true,"parts":[{"kind":"message","name":null,"file":null}]}
{"msgtype":"text","text":{"content":"x"}}
"#;

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let sealed = seal_entry(rest);
    let file = if choice & 0x80 == 0 { rest } else { &sealed };
    STATE.with(|state| match choice & 0x03 {
        0 => {
            let told = state.cooldown(file).expect("the folder can be used");
            assert!(told.is_none_or(|told| !told.contains('\n')), "a warning is one line");
        }
        1 => {
            state.gets_permit(file).expect("the folder can be used");
        }
        choice => {
            let listed = if choice == 2 { state.list(file, b"") } else { state.list(&seal_entry(ENTRY), file) };
            assert_eq!(listed.expect("the folder can be used").len(), 1, "an entry is listed, whatever it holds");
        }
    });
});
