//! Who is to get it, and who did not.

use serde_json::{Value, json};

use crate::document::{assert_document, assert_says};
use crate::support::fake::{Endpoint, FakeWecom, Reply};
use crate::support::{Cmd, Run, TestEnv};

fn app_send(env: &TestEnv, wecom: &FakeWecom) -> Cmd {
    env.cmd(["app-send", "--output", "json", "disk full"]).base_url(wecom).app_credentials()
}

/// Names and values.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// `touser`, `toparty` and `totag` of the latest message.
fn addressed(wecom: &FakeWecom) -> [Value; 3] {
    let messages = wecom.messages();
    let body = &messages.last().unwrap().body;
    ["touser", "toparty", "totag"].map(|field| body.get(field).cloned().unwrap_or_default())
}

#[test]
fn those_who_do_not_get_it_are_listed_as_wecom_returned_them() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let lists = |users: Value, parties: Value, tags: Value, unlicensed: Value| json!({"invaliduser": users, "invalidparty": parties, "invalidtag": tags, "unlicenseduser": unlicensed});
    let none = || json!([]);
    let cases: &[(&str, &[&str], Value, &str)] = &[
        (
            "users",
            &["-u", "ZhangSan,Nobody,lisi"],
            lists(json!(["nobody"]), none(), none(), none()),
            "invaliduser nobody",
        ),
        (
            "party",
            &["--to-party", "1,77,78"],
            lists(none(), json!(["77", "78"]), none(), none()),
            "invalidparty 77, 78",
        ),
        ("tag", &["-u", "lisi", "--to-tag", "9"], lists(none(), none(), json!(["9"]), none()), "invalidtag 9"),
        ("licence", &["-u", "lisi|unlicensed"], lists(none(), none(), none(), json!(["unlicensed"])), "unlicenseduser"),
        (
            "all kinds",
            &["-u", "lisi,nobody,unlicensed", "--to-party", "2,9", "--to-tag", "1,8"],
            lists(json!(["nobody"]), json!(["9"]), json!(["8"]), json!(["unlicensed"])),
            "invaliduser nobody; invalidparty 9; invalidtag 8; unlicenseduser unlicensed",
        ),
    ];
    for (case, args, lists, told) in cases {
        let call = |more: &[&str]| app_send(&env, &wecom).args(args.iter().copied()).args(more.iter().copied()).run();
        let mut expected = lists.clone();
        let common = json!({"status": "partial", "errcode": 0, "errmsg": "ok", "attempts": 1, "retryable": false});
        expected.as_object_mut().unwrap().extend(common.as_object().unwrap().clone());
        let before = wecom.messages().len();
        let document = assert_document(&call(&[]), case, 6, &expected);
        assert_says(&document, case, "message", &[told]);
        assert_says(&document, case, "hint", &["可见范围"]);
        let part = &document["parts"][0];
        assert_eq!(
            (&part["status"], &part["errcode"], &part["kind"]),
            (&json!("partial"), &json!(0), &json!("message"))
        );
        assert!(part["msgid"].is_string(), "{case}: {part}");
        // With leave to miss some it is a success that still tells whom.
        assert_document(&call(&["--allow-partial"]), case, 0, &expected);
        assert_eq!(wecom.messages().len(), before + 2, "{case}: one message each");
    }
    assert!(wecom.requests().iter().filter(|seen| seen.endpoint == Endpoint::GetToken).count() == 1);
}

#[test]
fn the_text_names_them() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let call = |more: &[&str]| -> Run {
        let cmd = env.cmd(["app-send", "-u", "lisi,nobody", "disk full"]).args(more.iter().copied());
        cmd.base_url(&wecom).app_credentials().run()
    };
    for more in [&[][..], &["-q"], &["--allow-partial"], &["--allow-partial", "-q"]] {
        let run = call(more).assert_code(if more.contains(&"--allow-partial") { 0 } else { 6 });
        let lines: Vec<_> = run.stderr.lines().collect();
        // What is allowed is no error, but is said all the same.
        let word = if more.contains(&"--allow-partial") { "warning" } else { "error" };
        let expected = format!("wecom-alert: {word}[partial]: app-send: sent, but not to all: invaliduser nobody");
        assert_eq!((run.stdout.as_str(), lines.len(), lines[0]), ("", 2, expected.as_str()), "{more:?}");
        assert!(lines[1].starts_with("hint: "), "{more:?}: {}", lines[1]);
    }
    let run = call(&["--allow-partial"]).assert_code(0);
    let in_file = env.cmd(["app-send", "-u", "lisi,nobody", "hi"]).config("allow_partial = true\n").base_url(&wecom);
    assert_eq!(in_file.app_credentials().run().assert_code(0).stderr, run.stderr, "the file may allow it too");
}

#[test]
fn lists_in_other_forms() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (case, answer, field, expected) in [
        ("an array", json!({"errcode": 0, "invaliduser": ["a", "b"]}), "invaliduser", json!(["a", "b"])),
        ("numbers", json!({"errcode": 0, "invalidparty": [7, 8]}), "invalidparty", json!(["7", "8"])),
        ("one number", json!({"errcode": 0, "invalidtag": 7}), "invalidtag", json!(["7"])),
        ("a bar at the end", json!({"unlicenseduser": "a|"}), "unlicenseduser", json!(["a"])),
    ] {
        wecom.script(Endpoint::MessageSend, [Reply::Json(answer)]);
        let run = app_send(&env, &wecom).args(["-u", "a,b"]).run();
        assert_document(&run, case, 6, &json!({"status": "partial", field: expected}));
    }
    wecom.script(Endpoint::MessageSend, [Reply::Json(json!({"errcode": 0, "invaliduser": "", "invalidparty": []}))]);
    let run = app_send(&env, &wecom).args(["-u", "a"]).run();
    assert_document(&run, "empty lists", 0, &json!({"status": "sent", "invaliduser": []}));
}

#[test]
fn nobody_at_all_is_a_refusal() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for more in [&[][..], &["--allow-partial"]] {
        let run = app_send(&env, &wecom).args(["-u", "nobody"]).args(more.iter().copied()).run();
        let expected = json!({"status": "refused", "errcode": 81013, "invaliduser": ["nobody"], "attempts": 1});
        let document = assert_document(&run, "nobody", 5, &expected);
        assert_says(&document, "nobody", "hint", &["可见范围", "--to-party"]);
        assert_eq!(document["parts"][0]["status"], "refused", "{document}");
    }
}

#[test]
fn a_number_or_address_in_place_of_a_userid_is_told_where_it_belongs() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (id, option) in [("13800000001", "--to-mobile"), ("lisi@example.com", "--to-email")] {
        for (others, code) in [("", 5), (",lisi", 6)] {
            let run = app_send(&env, &wecom).args(["-u", &format!("{id}{others}")]).run();
            let document = assert_document(&run, id, code, &json!({"invaliduser": [id]}));
            assert_says(&document, id, "hint", &[id, option, "可见范围"]);
        }
    }
    let run = app_send(&env, &wecom).args(["-u", "nobody"]).run().assert_code(5);
    assert!(!run.stdout.contains("--to-mobile"), "{}", run.stdout);
    // A member may be called so.
    let wecom = FakeWecom::builder().any_user().start();
    let run = app_send(&env, &wecom).args(["-u", "13800000001,lisi@example.com"]).run();
    assert_document(&run, "userids", 0, &json!({"status": "sent", "warnings": []}));
}

/// The range of an app holds the departments below each of its own.
#[test]
fn departments_below_the_range_are_recipients() {
    let wecom = FakeWecom::builder().department(3, 1, "研发部").department(4, 3, "后端组").start();
    let env = TestEnv::new();
    let run = env.cmd(["list-departments"]).base_url(&wecom).app_credentials().run().assert_code(0);
    let ids: Vec<&str> = run.stdout.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(ids, ["1", "2", "3", "4"]);
    let run = app_send(&env, &wecom).args(["--to-party", &ids.join(",")]).run();
    assert_document(&run, "all that are listed", 0, &json!({"status": "sent", "invalidparty": []}));
}

#[test]
fn ids_are_repeatable_and_separated_by_commas_or_bars() {
    let wecom = FakeWecom::builder().any_user().parties([3, 4]).tags([2]).start();
    let env = TestEnv::new();
    for (args, expected) in [
        (&["-u", "a"][..], [json!("a"), json!(null), json!(null)]),
        (&["-u", "a,b|c"], [json!("a|b|c"), json!(null), json!(null)]),
        (&["-u", "a", "--to-user", "b,a", "-u", "c"], [json!("a|b|c"), json!(null), json!(null)]),
        (&["-u", " a , b | c "], [json!("a|b|c"), json!(null), json!(null)]),
        (&["-u", "Zhang.San_1-2@x"], [json!("Zhang.San_1-2@x"), json!(null), json!(null)]),
        (&["-u", "@all"], [json!("@all"), json!(null), json!(null)]),
        (&["-u", "@ALL"], [json!("@all"), json!(null), json!(null)]),
        (&["-u", "＠All,@all"], [json!("@all"), json!(null), json!(null)]),
        (&["-u", "a、b，c；d\ne\n"], [json!("a|b|c|d|e"), json!(null), json!(null)]),
        (&["--to-party", "1,2", "--to-party", "3"], [json!(null), json!("1|2|3"), json!(null)]),
        (&["--to-tag", "1|2"], [json!(null), json!(null), json!("1|2")]),
        (&["-u", "a", "--to-party", "4", "--to-tag", "2"], [json!("a"), json!("4"), json!("2")]),
        (&["-u", "1001"], [json!("1001"), json!(null), json!(null)]),
    ] {
        app_send(&env, &wecom).args(args.iter().copied()).run().assert_code(0);
        assert_eq!(addressed(&wecom), expected, "{args:?}");
    }
}

/// A member may be called so; whoever means everybody is told how to write that, and nobody is added silently.
#[test]
fn all_without_its_sign_is_a_member_and_draws_a_warning() {
    let wecom = FakeWecom::builder().any_user().start();
    let env = TestEnv::new();
    let warning = "\"all\" is the id of a member: everybody is @all";
    for (to, sent) in [("all", "all"), ("ALL", "ALL"), ("lisi,all", "lisi|all")] {
        let run = app_send(&env, &wecom).args(["-u", to]).run().assert_code(0);
        assert_eq!(addressed(&wecom)[0], sent);
        let warnings = run.json()["warnings"].to_string().to_lowercase().replace('\\', "");
        assert!(warnings.contains(warning), "{warnings}");
    }
    for msgtype in ["text", "markdown"] {
        let cmd = env.cmd(["webhook-send", "x", "-t", msgtype, "--mention", "all", "--output", "json"]);
        let run = cmd.base_url(&wecom).webhook().run().assert_code(0);
        assert!(run.json()["warnings"].to_string().replace('\\', "").contains(warning), "{}", run.all());
    }
}

#[test]
fn a_level_that_names_anybody_replaces_all_three_of_the_lower_ones() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let config = "to_tag = [1]\n[profiles.a]\nto_user = [\"lisi\"]\nto_party = 2\n[profiles.b]\ntimeout = \"9s\"\n";
    let user = [("WECOM_ALERT_TO_USER", "zhangsan,lisi")];
    let party = [("WECOM_ALERT_TO_PARTY", "1|2")];
    let tag = [("WECOM_ALERT_TO_TAG", "1")];
    let cases: &[(&str, &[&str], Variables, [Value; 3])] = &[
        ("top level", &["-P", "b"], &[], [json!(null), json!(null), json!("1")]),
        ("profile", &["-P", "a"], &[], [json!("lisi"), json!("2"), json!(null)]),
        ("users of the environment", &["-P", "a"], &user, [json!("zhangsan|lisi"), json!(null), json!(null)]),
        ("parties of the environment", &["-P", "a"], &party, [json!(null), json!("1|2"), json!(null)]),
        ("tags of the environment", &["-P", "a"], &tag, [json!(null), json!(null), json!("1")]),
        ("an option", &["-P", "a", "--to-party", "1"], &user, [json!(null), json!("1"), json!(null)]),
        ("another", &["-P", "a", "--to-tag", "1"], &party, [json!(null), json!(null), json!("1")]),
    ];
    for (case, args, variables, expected) in cases {
        let mut cmd = app_send(&env, &wecom).config(config).args(args.iter().copied());
        for (name, value) in *variables {
            cmd = cmd.env(*name, *value);
        }
        assert_document(&cmd.run(), case, 0, &json!({"status": "sent"}));
        assert_eq!(&addressed(&wecom), expected, "{case}");
    }
}

#[test]
fn nothing_names_everybody_silently() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let empty = env.file("empty.toml", "to_user = []\n[profiles.a]\nto_party = []\n");
    for (case, cmd) in [
        ("nothing anywhere", app_send(&env, &wecom)),
        ("an empty variable", app_send(&env, &wecom).env("WECOM_ALERT_TO_USER", "")),
        ("empty lists", app_send(&env, &wecom).arg("--config").arg(&empty)),
        ("a whole body without any", {
            let body = r#"{"msgtype": "text", "touser": "", "text": {"content": "hi"}}"#;
            let cmd = env.cmd(["app-send", "--output", "json", "--payload", "-"]).stdin(body);
            cmd.base_url(&wecom).app_credentials()
        }),
    ] {
        let document = assert_document(&cmd.run(), case, 2, &json!({"status": "usage", "attempts": 0}));
        assert_says(&document, case, "message", &["touser", "no recipient"]);
    }
    assert_eq!(wecom.requests().len(), 0);
}

#[test]
fn a_whole_body_stands_between_options_and_environment() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let body = r#"{"msgtype": "text", "touser": "lisi", "totag": "1", "text": {"content": "hi"}}"#;
    let send = |args: &[&str]| {
        let cmd = env.cmd(["app-send", "--payload", "-"]).args(args.iter().copied()).stdin(body);
        cmd.env("WECOM_ALERT_TO_PARTY", "2").base_url(&wecom).app_credentials().run().assert_code(0);
        addressed(&wecom)
    };
    assert_eq!(send(&[]), [json!("lisi"), json!(null), json!("1")]);
    assert_eq!(send(&["--to-party", "1"]), [json!(null), json!("1"), json!(null)]);
}

#[test]
fn malformed_ids_are_usage_errors_and_nothing_is_sent() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let long = "x".repeat(65);
    for (case, args, parts) in [
        ("empty", ["-u", ""], &["touser", "empty"][..]),
        ("blank", ["-u", "  "], &["touser", "empty"]),
        ("empty among others", ["-u", "a,,b"], &["touser", "empty"]),
        ("a comma at the end", ["-u", "a,"], &["touser", "empty"]),
        ("empty party", ["--to-party", ""], &["toparty", "empty"]),
        ("empty tag", ["--to-tag", ""], &["totag", "empty"]),
        ("a party by name", ["--to-party", "1,ops"], &["toparty", "\"ops\"", "not a number"]),
        ("a negative party", ["--to-party=-1", "--quiet"], &["toparty", "not a number"]),
        ("party 0", ["--to-party", "0"], &["toparty"]),
        ("a tag by name", ["--to-tag", "oncall"], &["totag", "\"oncall\"", "not a number"]),
        ("@all for a party", ["--to-party", "@all"], &["toparty", "not a number"]),
        ("@all beside others", ["-u", "@all,lisi"], &["touser", "@all"]),
        ("another alphabet", ["-u", "张三"], &["touser", "letters, digits"]),
        ("a blank inside", ["-u", "zhang san"], &["touser", "letters, digits"]),
        ("too long", ["-u", &long], &["touser", "65 bytes", "64"]),
    ] {
        let document = assert_document(
            &app_send(&env, &wecom).args(args).run(),
            case,
            2,
            &json!({"status": "usage", "attempts": 0}),
        );
        assert_says(&document, case, "message", parts);
    }
    assert_eq!(wecom.requests().len(), 0);
}

#[test]
fn as_many_as_are_allowed() {
    let wecom = FakeWecom::builder().any_user().parties(1..=100).tags(1..=100).start();
    let env = TestEnv::new();
    let many = |count: usize| (1..=count).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let run = app_send(&env, &wecom).args(["-u", &many(1000), "--to-party", &many(100), "--to-tag", &many(100)]).run();
    assert_document(&run, "all", 0, &json!({"status": "sent", "warnings": []}));
    let message = &wecom.messages()[0];
    assert_eq!((message.users.len(), message.parties.len(), message.tags.len()), (1000, 100, 100));
}

#[test]
fn more_than_one_call_takes_go_in_several_and_are_one_part() {
    let wecom = FakeWecom::builder().any_user().parties(1..=101).tags(1..=1).start();
    let env = TestEnv::new();
    let many = |count: usize| (1..=count).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let users = format!("nobody,{}", many(2000));
    let run = app_send(&env, &wecom).args(["-u", &users, "--to-party", &many(101), "--to-tag", "1"]).run();
    let expected = json!({"status": "partial", "attempts": 3, "invaliduser": ["nobody"]});
    let document = assert_document(&run, "several", 6, &expected);
    let parts = document["parts"].as_array().unwrap();
    assert_eq!((parts.len(), parts[0]["msgids"].as_array().unwrap().len()), (1, 3), "{document}");
    let sizes: Vec<_> = wecom.messages().iter().map(|m| (m.users.len(), m.parties.len(), m.tags.len())).collect();
    assert_eq!(sizes, [(999, 100, 1), (1000, 1, 0), (1, 0, 0)], "every one of them once");
}

#[test]
fn a_refused_call_does_not_keep_the_others_from_theirs() {
    let wecom = FakeWecom::builder().any_user().start();
    let env = TestEnv::new();
    let users = (1..=2001).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    wecom.script(Endpoint::MessageSend, [Reply::Normal, Reply::errcode(81013, "all invalid"), Reply::Normal]);
    let run = app_send(&env, &wecom).args(["-u", &users]).run();
    let expected = json!({"status": "partial", "attempts": 3, "errcode": 81013});
    let document = assert_document(&run, "one refused", 6, &expected);
    assert_says(&document, "one refused", "message", &["part 1 of 1", "81013"]);
    assert_eq!(document["parts"][0]["status"], "partial");
    assert_eq!(wecom.messages().iter().map(|message| message.users.len()).sum::<usize>(), 1001);
}

#[test]
fn nobody_is_not_some() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for args in [&["-u", "Unlicensed"][..], &["-u", "Unlicensed", "--allow-partial"]] {
        let cmd = env.cmd(["app-send", "--output", "json", "disk full"]).args(args.iter().copied());
        let run = cmd.base_url(&wecom).app_credentials().run();
        let expected = json!({"status": "partial", "unlicenseduser": ["unlicensed"], "attempts": 1});
        let document = assert_document(&run, "unlicensed", 6, &expected);
        assert_says(&document, "unlicensed", "message", &["nobody gets it"]);
    }
}
