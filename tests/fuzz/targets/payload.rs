//! JSON payloads, held against the published rules of both channels.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wecom_alert::channel::Channel;
use wecom_alert::fuzz::parse_payload;
use wecom_alert::message::check_body;
use wecom_alert::sanitize::one_line;

fuzz_target!(|input: &str| {
    let Some(body) = parse_payload(input) else { return };
    assert_eq!(parse_payload(&body.to_string()).as_ref(), Some(&body), "a payload is sent as it was read");
    for channel in Channel::ALL.iter().copied() {
        let findings = check_body(channel, &body);
        assert!(body.get("msgtype").is_some() || !findings.errors.is_empty(), "a body without msgtype is no message");
        for finding in findings.errors.iter().chain(&findings.warnings) {
            let told = finding.to_string();
            assert_eq!(one_line(&told), told);
            assert!(told.len() < 4096, "{} bytes: {told:?}", told.len());
        }
        assert_eq!(check_body(channel, &body), findings, "the same body is judged the same");
    }
});
