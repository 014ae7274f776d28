//! Variables: names, values, and unknown ones.

use super::*;
use crate::config::setting::Setting;
use crate::config::{CallbackSettings, Keep, OnLong, OnRateLimit};
use crate::input::Encoding;

#[test]
fn names_of_variables_do_not_change() {
    let mut names: Vec<_> = Setting::ALL.iter().filter_map(|setting| setting.row().variable).collect();
    names.sort_unstable();
    let promised = "ACCEPT_TOKEN ACCEPT_TOKEN_FILE AGENT_ID AIBOT_CALLBACK_AES_KEY AIBOT_CALLBACK_AES_KEY_FILE AIBOT_CALLBACK_TOKEN AIBOT_CALLBACK_TOKEN_FILE AIBOT_CHAT AIBOT_ID AIBOT_SECRET AIBOT_SECRET_FILE AIBOT_URL AIBOT_USER BASE_URL CACHE_DIR CALLBACK_AES_KEY CALLBACK_AES_KEY_FILE CALLBACK_TOKEN CALLBACK_TOKEN_FILE CA_FILE CHAT CONFIG CONNECT_TIMEOUT CORP_ID DEADLINE JITTER LANGUAGE LOG_FILE \
                    NO_CACHE OUTBOX OUTBOX_MAX_AGE PREFIX PROFILE PROXY RATE RETRIES SECRET SECRET_FILE SHARED_STATE SHARED_STATE_FILE STATE_DIR TIMEOUT TO_PARTY TO_TAG TO_USER WEBHOOK WEBHOOK_FILE";
    assert_eq!(names, promised.split(' ').map(|name| format!("WECOM_ALERT_{name}")).collect::<Vec<_>>());
}

#[test]
fn all_variables_together_need_no_file() {
    let home = Home::empty();
    let s = home.settings(
        &Overrides::default(),
        &[
            ("WECOM_ALERT_BASE_URL", "http://127.0.0.1:9/cgi-bin/"),
            ("WECOM_ALERT_PROXY", "none"),
            ("WECOM_ALERT_CA_FILE", "~/ca.pem"),
            ("WECOM_ALERT_CONNECT_TIMEOUT", "1s"),
            ("WECOM_ALERT_TIMEOUT", "2s"),
            ("WECOM_ALERT_DEADLINE", "3s"),
            ("WECOM_ALERT_RATE", "off"),
            ("WECOM_ALERT_CORP_ID", "ww-env\n"),
            ("WECOM_ALERT_AGENT_ID", " 5 "),
            ("WECOM_ALERT_SECRET", "test-secret"),
            ("WECOM_ALERT_WEBHOOK", "test-key"),
            ("WECOM_ALERT_TO_USER", "a,b"),
            ("WECOM_ALERT_CHAT", "ops"),
            ("WECOM_ALERT_AIBOT_ID", "aib1"),
            ("WECOM_ALERT_AIBOT_SECRET", "test-secret"),
            ("WECOM_ALERT_AIBOT_USER", "a,b"),
            ("WECOM_ALERT_AIBOT_CHAT", "wr1"),
            ("WECOM_ALERT_AIBOT_URL", "ws://127.0.0.1:9/"),
            ("WECOM_ALERT_CALLBACK_TOKEN", "test-token"),
            ("WECOM_ALERT_CALLBACK_AES_KEY", "test-aes-key"),
            ("WECOM_ALERT_AIBOT_CALLBACK_TOKEN", "test-token"),
            ("WECOM_ALERT_AIBOT_CALLBACK_AES_KEY_FILE", "~/key"),
            ("WECOM_ALERT_TO_PARTY", "1"),
            ("WECOM_ALERT_TO_TAG", "2"),
            ("WECOM_ALERT_CACHE_DIR", "/c"),
            ("WECOM_ALERT_STATE_DIR", "/s"),
            ("WECOM_ALERT_RETRIES", "0"),
            ("WECOM_ALERT_JITTER", "4s"),
            ("WECOM_ALERT_OUTBOX", "yes"),
            ("WECOM_ALERT_OUTBOX_MAX_AGE", "30m"),
            ("WECOM_ALERT_LOG_FILE", "~/log"),
        ],
    );
    assert_eq!(s.base_url.unwrap().as_str(), "http://127.0.0.1:9");
    assert_eq!(s.proxy, crate::config::ProxySetting::Off);
    assert_eq!(s.ca_file.unwrap(), home.path("ca.pem"));
    assert_eq!((s.connect_timeout.as_secs(), s.timeout.as_secs(), s.deadline.as_secs()), (1, 2, 3));
    assert_eq!(s.rate, Some(crate::config::Rate::Off));
    assert_eq!((s.corp_id.unwrap().value.as_str(), s.agent_id.unwrap().value), ("ww-env", 5));
    assert!(s.secret.is_some() && s.webhook.is_some());
    let to = s.to.unwrap();
    assert_eq!(
        (to.to_user, to.to_party, to.to_tag),
        (vec!["a,b".to_owned()], vec!["1".to_owned()], vec!["2".to_owned()])
    );
    assert_eq!(s.chat.unwrap().value, "ops");
    assert_eq!(s.aibot_id.unwrap().value, "aib1");
    assert!(s.aibot_secret.is_some());
    assert_eq!(s.aibot_url.unwrap().as_str(), "http://127.0.0.1:9");
    for CallbackSettings { token, aes_key } in [s.callback, s.aibot_callback] {
        assert!(token.unwrap().at_hand().is_some() && aes_key.is_some());
    }
    let to = s.aibot_to.unwrap();
    assert_eq!((to.users, to.chats), (vec!["a,b".to_owned()], vec!["wr1".to_owned()]));
    assert_eq!((s.retries, s.jitter.unwrap().as_secs(), s.outbox), (0, 4, true));
    assert_eq!((s.outbox_max_age.as_secs(), s.log_file.unwrap()), (1800, home.path("log")));
    // A relative path in a variable counts from the working folder.
    assert_eq!((s.cache_dir.unwrap(), s.state_dir.unwrap()), (PathBuf::from("/c"), PathBuf::from("/s")));
}

#[test]
fn no_cache_is_yes_or_no() {
    let home = Home::with("no_cache = true");
    let cache = |value| home.settings(&Overrides::default(), &[("WECOM_ALERT_NO_CACHE", value)]).cache_dir;
    for value in ["1", "true", "YES", "on", ""] {
        assert_eq!(cache(value), None, "{value}");
    }
    for value in ["0", "false", "no", " Off "] {
        assert!(cache(value).is_some(), "{value}");
    }
    // The outbox is switched the same way.
    let home_with_outbox = Home::with("outbox = true");
    let outbox = |value| home_with_outbox.settings(&Overrides::default(), &[("WECOM_ALERT_OUTBOX", value)]).outbox;
    assert_eq!((outbox("no"), outbox(""), outbox("1")), (false, true, true));
    let error = home.error(&Overrides::default(), &[("WECOM_ALERT_NO_CACHE", "maybe")]);
    assert_eq!((error.status(), error.message()), (Status::Config, "WECOM_ALERT_NO_CACHE: neither yes nor no"));
}

#[test]
fn no_home_means_no_folders() {
    let (s, _) = resolve(&Overrides::default(), &Environment::default()).unwrap();
    assert_eq!((s.cache_dir, s.state_dir), (None, None));
    let env = Environment::from_pairs([("XDG_CACHE_HOME", "/x/c"), ("XDG_STATE_HOME", "/x/s")]);
    let (s, _) = resolve(&Overrides::default(), &env).unwrap();
    assert_eq!(s.cache_dir.unwrap(), PathBuf::from("/x/c/wecom-alert"));
    assert_eq!(s.state_dir.unwrap(), PathBuf::from("/x/s/wecom-alert"));
    let error = resolve(&Overrides::default(), &Environment::from_pairs([("WECOM_ALERT_CA_FILE", "~/x")])).unwrap_err();
    assert!(error.message().contains("no home folder"), "{error}");
}

#[test]
fn unknown_variables_warn_with_the_nearest_name() {
    let pairs = [
        ("WECOM_ALERT_TIMOUT", "1s"),
        ("WECOM_ALERT_AGENTID", "1"),
        ("WECOM_ALERT_TITLE", ""),
        ("WECOM_ALERT_PORT", "tcp://10.0.0.1:80"),
        ("WECOM_ALERT_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("WECOM_ALERT_SERVICE_HOST", "10.0.0.1"),
        ("OTHER", "1"),
    ];
    let (_, warnings) = Home::empty().resolve(&Overrides::default(), &pairs).unwrap();
    let text = "is not a variable of wecom-alert and is ignored; the nearest known one is";
    assert_eq!(
        warnings,
        [
            format!("WECOM_ALERT_AGENTID {text} WECOM_ALERT_AGENT_ID"),
            format!("WECOM_ALERT_TIMOUT {text} WECOM_ALERT_TIMEOUT"),
        ]
    );
}

#[cfg(unix)]
#[test]
fn values_must_be_utf8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let env = Environment::from_pairs([("WECOM_ALERT_CORP_ID", OsStr::from_bytes(b"ww\xff"))]);
    let error = resolve(&Overrides::default(), &env).unwrap_err();
    assert_eq!((error.status(), error.message()), (Status::Config, "WECOM_ALERT_CORP_ID: the value is not UTF-8"));
}

#[test]
fn debug_shows_only_names() {
    let env = Environment::from_pairs([("WECOM_ALERT_SECRET", "test-secret")]);
    assert_eq!(format!("{env:?}"), "{\"WECOM_ALERT_SECRET\"}");
}

#[test]
fn every_option_reaches_the_settings() {
    let list = |item: &str| vec![item.to_owned()];
    let on = RawValue::Flag(true);
    let many = |item| RawValue::List(list(item));
    let overrides = Overrides::default()
        .set(Setting::BaseUrl, "http://b.example")
        .set(Setting::Proxy, "socks5://p.example")
        .set(Setting::CaFile, RawValue::Path(PathBuf::from("ca")))
        .set(Setting::ConnectTimeout, "1s")
        .set(Setting::Timeout, "2s")
        .set(Setting::Deadline, "3s")
        .set(Setting::Rate, "1/1s")
        .set(Setting::Retries, "5")
        .set(Setting::NoCache, on.clone())
        .set(Setting::NoValidate, on.clone())
        .set(Setting::Output, "json")
        .set(Setting::Language, "zh")
        .set(Setting::Quiet, on.clone())
        .set(Setting::Verbose, "2")
        .set(Setting::CorpId, "ww")
        .set(Setting::AgentId, "1")
        .set(Setting::ToUser, many("u"))
        .set(Setting::ToParty, many("p"))
        .set(Setting::ToTag, many("t"))
        .set(Setting::ToMobile, many("w"))
        .set(Setting::ToEmail, many("e"))
        .set(Setting::Msgtype, "m")
        .set(Setting::Encoding, "gbk")
        .set(Setting::Mention, many("m"))
        .set(Setting::MentionMobile, many("n"))
        .set(Setting::MentionFallback, "fail")
        .set(Setting::Chat, "c")
        .set(Setting::AibotUser, many("u"))
        .set(Setting::AibotChat, many("c"))
        .set(Setting::Safe, "2")
        .set(Setting::IdTrans, on.clone())
        .set(Setting::DuplicateCheck, "4s")
        .set(Setting::Escapes, on.clone())
        .set(Setting::SkipEmpty, on.clone())
        .set(Setting::IfEmpty, " $i ")
        .set(Setting::Title, "$t")
        .set(Setting::Url, "l")
        .set(Setting::Btntxt, "$b")
        .set(Setting::Picurl, "q")
        .set(Setting::Prefix, "$x")
        .set(Setting::AllowPartial, on.clone())
        .set(Setting::AtMostOnce, on.clone())
        .set(Setting::OnRateLimit, "outbox")
        .set(Setting::Jitter, "6s")
        .set(Setting::OnLong, "split")
        .set(Setting::Keep, "tail")
        .set(Setting::Also, many("a:webhook"))
        .set(Setting::Fallback, "f:app")
        .set(Setting::Escalate, many("e@9m"))
        .set(Setting::Outbox, on.clone())
        .set(Setting::OutboxMaxAge, "7h")
        .set(Setting::Cooldown, "8m")
        .set(Setting::CooldownKey, "$k")
        .set(Setting::CooldownScope, "host")
        .set(Setting::LogFile, RawValue::Path(PathBuf::from("log")))
        .set(Setting::DryRun, on.clone());
    let is_its_own = |setting: &&Setting| !matches!(setting, Setting::Config | Setting::Profile);
    for setting in Setting::ALL.iter().filter(|setting| !setting.row().option.is_empty()).filter(is_its_own) {
        assert!(overrides.has(*setting), "{setting:?}");
    }
    let s = Home::empty().settings(&overrides, &[]);
    // There is no config file, and so no profile of one.
    let shown = format!("{s:#?}").replace("has_profiles: false", "");
    assert!(!shown.contains("false"), "{shown}");
    assert_eq!((s.safe, s.verbose, s.output), (Some(2), 2, crate::config::Output::Json));
    assert_eq!((s.if_empty.unwrap(), s.title.unwrap(), s.btntxt.unwrap()), (" $i ".into(), "$t".into(), "$b".into()));
    assert_eq!((s.url.unwrap(), s.picurl.unwrap()), ("l".to_owned(), "q".to_owned()));
    assert_eq!((s.msgtype.unwrap().value, s.encoding), ("m".to_owned(), Encoding::Gb18030));
    assert_eq!((s.mention, s.mention_mobile), (list("m"), list("n")));
    assert_eq!((s.mention_fallback, s.prefix.unwrap()), (crate::config::MentionFallback::Fail, "$x".to_owned()));
    assert_eq!((s.language, s.chat.unwrap().value), (crate::config::Language::Chinese, "c".to_owned()));
    assert_eq!(s.duplicate_check.unwrap().as_secs(), 4);
    assert_eq!((s.retries, s.on_rate_limit, s.jitter.unwrap().as_secs()), (5, OnRateLimit::Outbox, 6));
    assert_eq!((s.on_long, s.keep), (OnLong::Split, Keep::Tail));
    assert_eq!((s.also[0].to_string(), s.fallback.unwrap().to_string()), ("a:webhook".into(), "f:app".into()));
    assert_eq!(s.escalate[0].after.as_secs(), 9 * 60);
    assert_eq!((s.outbox_max_age.as_secs(), s.cooldown.unwrap().as_secs()), (7 * 3600, 8 * 60));
    assert_eq!((s.cooldown_key.unwrap(), s.log_file.unwrap()), ("$k".to_owned(), PathBuf::from("log")));
}

#[cfg(unix)]
#[test]
fn a_variable_of_another_program_is_given_as_it_is() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let broken = OsString::from_vec(vec![0xff]);
    let pairs = [("CI", OsString::from("true ")), ("GITHUB_REF", OsString::new()), ("CI_JOB_NAME", broken)];
    let environment = Environment::from_pairs(pairs);
    assert_eq!(environment.variable("CI"), Some("true "));
    for name in ["GITHUB_REF", "CI_JOB_NAME", "GITLAB_CI", "ci"] {
        assert_eq!(environment.variable(name), None, "{name}");
    }
}
