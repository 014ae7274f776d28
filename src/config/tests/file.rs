//! The config file: strict, with line and column, without ever showing a value.

use super::*;

#[test]
fn unknown_keys_name_the_nearest() {
    for (config, message) in [
        ("\n  tiemout = \"s3cret\"", "FILE:2:3: unknown key `tiemout`; the nearest known key is `timeout`"),
        ("corp-id = \"s3cret\"", "FILE:1:1: unknown key `corp-id`; the nearest known key is `corp_id`"),
        ("\u{feff}touser = 's3cret'", "FILE:1:1: unknown key `touser`; the nearest known key is `to_user`"),
        ("[profile.ops]\nsecret = \"s3cret\"", "FILE:1:2: unknown key `profile`; the nearest known key is `profiles`"),
        (
            "[profiles.ops]\nsecert = \"s3cret\"",
            "FILE:2:1: unknown key `secert` of profile ops; the nearest known key is `secret`",
        ),
        (
            "profiles = { \"运维\" = { secert = 's3cret' } }",
            "FILE:1:23: unknown key `secert` of profile 运维; the nearest known key is `secret`",
        ),
    ] {
        assert_eq!(error_of(config).0, message);
    }
    // A key that is no slip of the pen may be a credential: it is not repeated, but placed.
    let (message, _) = error_of("'test-s3cret-value' = 1");
    assert!(message.starts_with("FILE:1:1: unknown key; the nearest known key is `"), "{message}");
}

#[test]
fn an_error_for_a_misplaced_key_says_where_it_belongs() {
    let (message, hint) = error_of("[profiles.ops]\ndefault_profile = \"ops\"");
    assert!(message.starts_with("FILE:2:1: unknown key"), "{message}");
    assert!(hint.contains("top level"), "{hint}");
    let (message, hint) = error_of("[ops]\ncorp_id = \"ww\"");
    assert!(message.starts_with("FILE:1:2: unknown key"), "{message}");
    assert!(hint.contains("[profiles.ops]"), "{hint}");
}

#[test]
fn wrong_types_name_what_is_expected() {
    for (config, message) in [
        ("timeout = 10", "FILE:1:1: `timeout` must be a duration in quotes, such as \"10s\""),
        ("corp_id = 5", "FILE:1:1: `corp_id` must be a string"),
        ("no_cache = \"yes\"", "FILE:1:1: `no_cache` must be true or false"),
        ("agent_id = 1.5", "FILE:1:1: `agent_id` must be a whole number"),
        ("agent_id = 99999999999999999999", "FILE:1:1: `agent_id` must be a whole number"),
        ("to_user = 5", "FILE:1:1: `to_user` must be a string that is not empty, or an array of such"),
        ("to_user = ['a', ' ']", "FILE:1:1: `to_user` must be a string that is not empty, or an array of such"),
        ("to_tag = [true]", "FILE:1:1: `to_tag` must be a number or a string that is not empty, or an array of such"),
        ("default_profile = 1", "FILE:1:1: `default_profile` must be the name of a profile as a string"),
        ("profiles = 1", "FILE:1:1: `profiles` must be a table"),
        ("[[profiles]]\nsecret = 's3cret'", "FILE:1:3: `profiles` must be a table"),
        ("[profiles]\nops = 's3cret'", "FILE:2:1: a profile must be a table"),
        (
            "[profiles.ops]\nsecret_command = \"pass show s3cret\"",
            "FILE:2:1: `secret_command` of profile ops must be an array of strings: a program and its arguments",
        ),
        (
            "[profiles.ops]\nsecret_command = []",
            "FILE:2:1: `secret_command` of profile ops must be an array of strings: a program and its arguments",
        ),
        ("[profiles.ops.secret]\nx = 's3cret'", "FILE:1:15: `secret` of profile ops must be a string"),
    ] {
        assert_eq!(error_of(config).0, message);
    }
}

#[test]
fn syntax_errors_show_no_text_of_the_line() {
    for (config, place) in [
        ("\nsecret = s3cret", "FILE:2:10: "),
        ("secret = \"s3cret", "FILE:1:"),
        ("secret = \"s3cret\" s3cret", "FILE:1:"),
        ("[profiles.ops\nsecret = 's3cret'", "FILE:1:"),
        ("timeout = \"1s\"\ntimeout = \"s3cret\"", "FILE:2:1: "),
        ("webhook = \"\\s3cret\"", "FILE:1:"),
        ("timeout = 2026-13-45", "FILE:1:"),
        ("= 's3cret'", "FILE:1:"),
    ] {
        let (message, hint) = error_of(config);
        assert!(message.starts_with(place), "{config}: {message}");
        assert!(message.contains("not valid TOML: ") && !(message + &hint).contains("s3cret"), "{config}");
    }
}

#[test]
fn punctuation_of_a_chinese_input_method_is_named() {
    for (config, hint) in [
        ("webhook = “s3cret”", "write \" in place of “"),
        ("webhook ＝ \"s3cret\"", "write = in place of ＝"),
        ("【profiles.ops】", "write [ in place of 【"),
        ("to_user = [\"a\"，\"b\"]", "write , in place of ，"),
        ("[profiles.ops］", "write ] in place of ］"),
        ("＃ a comment", "write # in place of ＃"),
    ] {
        let (message, told) = error_of(config);
        assert!(message.contains("not valid TOML: ") && told.starts_with(hint), "{config}: {message}\n{told}");
        assert!(!(message + &told).contains("s3cret"));
    }
    assert_eq!(error_of("webhook = s3cret").1, "correct the line; strings are in double quotes");
}

#[test]
fn bytes_that_are_not_utf8_are_reported_with_their_position() {
    let home = Home::empty();
    home.write(".config/wecom-alert/config.toml", b"timeout = \"1s\"\n# \xff");
    let error = home.error(&Overrides::default(), &[]);
    assert_eq!(error.message(), format!("{}:2:3: the config file is not UTF-8", home.config()));
    assert!(error.hint().unwrap().contains("iconv -f GBK -t UTF-8"), "{error:?}");
    home.write(".config/wecom-alert/config.toml", b"\xff\xfet\0i\0");
    let error = home.error(&Overrides::default(), &[]);
    assert!(error.hint().unwrap().contains("iconv -f UTF-16 -t UTF-8"), "{error:?}");
}

#[test]
fn the_first_mistake_is_the_one_reported() {
    assert!(error_of("zzz = 1\naaa = 1").0.starts_with("FILE:1:1: "));
    assert!(error_of("zzz = 1\ntimeout = 1").0.starts_with("FILE:1:1: "));
}

#[test]
fn every_profile_is_read_strictly_even_if_another_one_counts() {
    let (message, _) = error_of("default_profile = 'a'\n[profiles.a]\n[profiles.b]\nsecert = 's3cret'");
    assert!(message.starts_with("FILE:4:1: "), "{message}");
}

#[test]
fn lists_and_numbers_have_two_spellings() {
    let to = |config: &str| {
        let to = settings_of(config).to.unwrap();
        [to.to_user, to.to_party, to.to_tag].map(|list| list.join(";"))
    };
    assert_eq!(to("to_user = 'a|b'\nto_party = 2\nto_tag = ['3', 0x4, 1_0]"), ["a|b", "2", "3;4;10"]);
    assert_eq!(to("to_user = ['a', 'b']\nto_party = '2,3'"), ["a;b", "2,3", ""]);
    for config in ["agent_id = 1000002", "agent_id = '1000002'", "agent_id = ' 1000002 '", "agent_id = 1_000_002"] {
        assert_eq!(settings_of(config).agent_id.unwrap().value, 1_000_002, "{config}");
    }
}

#[test]
fn relative_paths_count_from_the_files_folder() {
    let home = Home::with("ca_file = 'ca.pem'\ncache_dir = '~/c'\nstate_dir = '/s'");
    let s = home.settings(&Overrides::default(), &[]);
    assert_eq!(s.ca_file.unwrap(), home.path(".config/wecom-alert/ca.pem"));
    assert_eq!((s.cache_dir.unwrap(), s.state_dir.unwrap()), (home.path("c"), PathBuf::from("/s")));
    let by_option = Overrides::default().set(Setting::CaFile, RawValue::Path(PathBuf::from("ca.pem")));
    assert_eq!(home.settings(&by_option, &[]).ca_file.unwrap(), PathBuf::from("ca.pem"));
    let in_home = Overrides::default().set(Setting::CaFile, RawValue::Path(PathBuf::from("~/ca.pem")));
    assert_eq!(home.settings(&in_home, &[]).ca_file.unwrap(), home.path("ca.pem"));
}
