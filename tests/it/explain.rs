//! `explain`: an errcode of WeCom or an exit code, in words.

use serde_json::json;

use crate::document::assert_document;
use crate::support::TestEnv;

#[test]
fn an_errcode_is_explained() {
    let env = TestEnv::new();
    let run = env.cmd(["explain", "60020"]).env("WECOM_ALERT_CONFIG", "/nonexistent").run().assert_code(0);
    for part in
        ["60020: errcode of WeCom\n", "  meaning ", "  cause ", "企业可信IP", "exit code 4 (auth)", "query?e=60020"]
    {
        assert!(run.stdout.contains(part), "{part}\n{}", run.all());
    }
    assert_eq!(run.stderr, "");
    let told =
        assert_document(&env.cmd(["explain", "60020", "--output", "json"]).run(), "json", 0, &json!({"status": "ok"}));
    let [known] = &told["explanations"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((&known["code"], &known["kind"], &known["exit_code"]), (&json!(60020), &json!("errcode"), &json!(4)));
    for field in ["meaning", "cause", "next", "url"] {
        assert!(known[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {known}");
    }
    assert!(env.cmd(["explain", "-1"]).run().assert_code(0).stdout.starts_with("-1: errcode of WeCom\n"));
}

#[test]
fn an_exit_code_is_explained() {
    let env = TestEnv::new();
    for (code, parts) in [
        ("7", &["7: exit code (temporary)\n", "no connection", "--outbox"][..]),
        ("0", &["0: exit code\n", "0: errcode of WeCom\n"]),
        ("124", &["--time-limit"]),
        ("137", &["of run: ", "SIGKILL"]),
        ("143", &["143: exit code (interrupted)\n", "of run: ", "SIGTERM"]),
    ] {
        let run = env.cmd(["explain", code]).run().assert_code(0);
        assert!(parts.iter().all(|part| run.stdout.contains(part)), "{code}\n{}", run.all());
        assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.all());
    }
}

/// A script must see that nothing was explained.
#[test]
fn an_unknown_code_is_an_error_that_says_where_to_look() {
    let env = TestEnv::new();
    let run = env.cmd(["explain", "123456789"]).run().assert_code(2);
    assert!(
        run.stderr.starts_with("wecom-alert: error[usage]: explain: 123456789 is neither an errcode"),
        "{}",
        run.all()
    );
    assert!(run.stderr.contains("hint: look it up in WeCom's own list: https://"), "{}", run.all());
    assert_eq!(run.stdout, "");
    assert!(env.cmd(["explain", "abc"]).run().assert_code(2).stderr.contains("not a whole number"));
    assert!(env.cmd(["explain"]).run().assert_code(2).stderr.contains("CODE"));
}
