//! The table against a second, independent list of the codes, and the questions asked of it.

use std::time::Duration;

use super::table::TABLE;
use super::*;

/// Every documented code by its class: written from the list of codes, not from the table.
const BY_CLASS: &[(Class, &[i64])] = &[
    (Class::Ok, &[0]),
    (Class::AuthRefresh, &[40014, 41001, 42001]),
    (Class::AuthFatal, &[40001, 40013, 40091, 45031, 48004, 48006, 50003, 50006, 60031, 301007, 853000]),
    (
        Class::Config,
        &[
            40056, 40057, 41002, 41004, 41011, 41024, 42015, 43012, 48001, 48002, 48009, 48010, 60020, 86008, 86101,
            86224, 86227, 90206, 90207, 90208, 93000, 93001, 93004, 93008, 93019, 301002, 301042, 846601, 853001,
            853006,
        ],
    ),
    (
        Class::Recipient,
        &[
            40003, 40031, 40032, 40050, 40066, 40068, 40070, 46004, 49008, 50002, 60003, 60011, 60021, 60103, 60105,
            60111, 60123, 60146, 60147, 60148, 81012, 81013, 82001, 82002, 82003, 82101, 82102, 86001, 86003, 86005,
            86006, 86007, 86207, 86216, 86217, 86222, 86226, 92000, 93006, 301021, 701008, 701099,
        ],
    ),
    (
        Class::Payload,
        &[
            40004, 40005, 40006, 40007, 40008, 40009, 40011, 40033, 40035, 40039, 40058, 40063, 40074, 40094, 40123,
            40127, 40145, 40201, 40203, 40204, 40206, 41006, 41010, 41016, 41033, 42014, 42016, 42017, 42018, 42019,
            42020, 42027, 42028, 42029, 42030, 42031, 42033, 42035, 42036, 42037, 42038, 42039, 42040, 42041, 42042,
            42043, 42044, 42045, 42046, 42047, 42049, 42050, 42051, 44001, 44004, 45001, 45002, 45007, 45008, 45032,
            45034, 82004, 85002, 86004, 86201, 86202, 86203, 86204, 86205, 86206, 86214, 86215, 86220, 86225, 90200,
            90201, 90202, 90203, 90204, 93017, 93018, 93050, 301015, 301016, 301017, 301019, 600039, 846604, 846605,
            846606, 846608, 846610, 846611, 846612, 846613, 846616, 846625, 846697,
        ],
    ),
    (Class::RateLimited, &[45009, 45033, 45036, 846607]),
    (Class::Transient, &[-1, 6000, 45035, 81026, 846609]),
    (
        Class::Other,
        &[
            40016, 40029, 40071, 40082, 40083, 40093, 40096, 42007, 42009, 42052, 43004, 45004, 45022, 45024, 45029,
            46003, 48003, 48005, 50001, 60008, 60140, 84014, 84015, 301024, 301025,
        ],
    ),
];

#[test]
fn every_code_has_its_class_and_none_is_unlisted() {
    for (class, codes) in BY_CLASS {
        for &code in *codes {
            assert_eq!(lookup(code).map(|entry| (entry.code, entry.class)), Some((code, *class)), "{code}");
            assert_eq!(class_of(code), *class, "{code}");
        }
    }
    let listed: usize = BY_CLASS.iter().map(|(_, codes)| codes.len()).sum();
    assert_eq!((TABLE.len(), listed), (219, 219));
}

#[test]
fn codes_are_sorted_without_duplicates() {
    for pair in TABLE.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} stands before {}", pair[0].code, pair[1].code);
    }
}

#[test]
fn every_text_is_one_line_in_our_style() {
    for entry in TABLE {
        for text in [entry.meaning, entry.hint] {
            assert!(text.len() > 8, "{}: {text:?} says too little", entry.code);
            assert!(!text.contains(|c: char| c.is_control()), "{}: {text:?} breaks the line", entry.code);
            assert!(!text.contains("  ") && text.trim() == text, "{}: {text:?} has stray blanks", entry.code);
            assert!(!text.ends_with('.'), "{}: {text:?} ends with a full stop", entry.code);
        }
        assert!(entry.hint.chars().count() <= 240, "{}: the hint is too long for a tired reader", entry.code);
    }
}

#[test]
fn unknown_codes_are_other() {
    for code in [i64::MIN, -2, 1, 40002, 846_602, i64::MAX] {
        assert_eq!((lookup(code), class_of(code)), (None, Class::Other), "{code}");
    }
}

#[test]
fn classes_end_as_the_exit_code_table_says() {
    for (class, exit_code) in [
        (Class::Ok, 5),
        (Class::AuthRefresh, 4),
        (Class::AuthFatal, 4),
        (Class::Config, 4),
        (Class::Recipient, 5),
        (Class::Payload, 5),
        (Class::Other, 5),
        (Class::Transient, 7),
        (Class::RateLimited, 8),
    ] {
        assert_eq!(class.refusal_status().exit_code(), exit_code, "{class:?}");
    }
}

#[test]
fn four_codes_ask_for_a_new_token() {
    let asking: Vec<i64> = TABLE.iter().map(|entry| entry.code).filter(|&code| asks_for_new_token(code)).collect();
    assert_eq!(asking, [40001, 40014, 41001, 42001]);
}

#[test]
fn a_frequency_limit_blocks_for_a_minute_at_least() {
    for (code, endpoint, seconds) in [
        (45009, "message/send", 60),
        (45009, "webhook/send", 60),
        (45009, "gettoken", 3600),
        (45009, "/relay/cgi-bin/gettoken", 3600),
        (45009, "user/getuserid", 3600),
        (45009, "user/get_userid_by_email", 3600),
        (45033, "message/send", 60),
        (45033, "gettoken", 60),
    ] {
        let ctx = HintContext { endpoint, ..HintContext::default() };
        assert_eq!(blocked_for(code, &ctx), Some(Duration::from_secs(seconds)), "{code} {endpoint}");
    }
    for code in [0, -1, 40001, 45002, 123_456] {
        let ctx = HintContext { endpoint: "gettoken", ..HintContext::default() };
        assert_eq!(blocked_for(code, &ctx), None, "{code}");
    }
}

#[test]
fn a_known_period_shortens_only_the_block_of_a_webhook() {
    for (code, endpoint, period, seconds) in [
        (45009, "webhook/send", 2, 2),
        (45009, "webhook/send", 3600, 60),
        (45009, "webhook/upload_media", 2, 60),
        (45009, "message/send", 2, 60),
        (45009, "gettoken", 2, 3600),
        (45033, "webhook/send", 2, 60),
    ] {
        let ctx = HintContext { endpoint, period: Some(Duration::from_secs(period)), ..HintContext::default() };
        assert_eq!(blocked_for(code, &ctx), Some(Duration::from_secs(seconds)), "{code} {endpoint} {period}");
    }
}

#[test]
fn the_seen_address_is_found() {
    let full = "not allow to access from your ip, hint: [1700000000_1_abcdef], from ip: 203.0.113.7, more info at \
                https://open.work.weixin.qq.com/devtool/query?e=60020";
    for (errmsg, ip) in [
        (full, Some("203.0.113.7")),
        ("denied, from ip: 2001:DB8::7, more info at x", Some("2001:db8::7")),
        ("denied, from ip: [2001:db8::7], more", Some("2001:db8::7")),
        ("from ip:198.51.100.1", Some("198.51.100.1")),
        ("From IP: 198.51.100.1.", Some("198.51.100.1")),
        ("漢 from ip: 198.51.100.1,漢", Some("198.51.100.1")),
        ("text from ip: 192.0.2.1 quoted, from ip: 203.0.113.7, more", Some("203.0.113.7")),
        ("from ip: 203.0.113.7, text from ip: nonsense", Some("203.0.113.7")),
        ("not allow to access from your ip", None),
        ("from ip: 203.0.113.777, more", None),
        ("from ip: ", None),
        ("from ip:\u{1b}[31m", None),
        ("", None),
    ] {
        assert_eq!(seen_ip(errmsg).as_deref(), ip, "{errmsg:?}");
    }
}

#[test]
fn the_warning_about_json_is_seen_in_a_success() {
    assert!(warns_of_wrong_json("ok. Warning: wrong json format. "));
    assert!(warns_of_wrong_json("Warning: wrong json format. empty content"));
    assert!(!warns_of_wrong_json("ok"));
}
