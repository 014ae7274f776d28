//! Templates filled with data.
//!
//! The first byte chooses what the result is for; the first line after it is the data as JSON, the rest is the template.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use wecom_alert::fuzz::render_template;
use wecom_alert::sanitize::one_line;

const TARGETS: [&str; 4] = ["text", "markdown", "markdown_v2", "json"];

/// The longest result, in bytes.
const MAX_OUTPUT: usize = 20 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let target = TARGETS[usize::from(*choice) % TARGETS.len()];
    let text = String::from_utf8_lossy(rest);
    let (data, source) = text.split_once('\n').unwrap_or(("{}", &text));
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    match render_template(source, &data, target) {
        Ok(text) if target == "json" => {
            assert!(serde_json::from_str::<Value>(&text).is_ok_and(|value| value.is_object()), "{text:?}");
        }
        Ok(text) => assert!(text.len() <= MAX_OUTPUT),
        Err(error) => {
            let message = error.message();
            assert!(!message.contains("thread died"), "{message:?}");
            assert_eq!(one_line(message), message);
            assert!(message.len() < 4096, "{} bytes: {message:?}", message.len());
        }
    }
});
