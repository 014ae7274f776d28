//! WeCom's error codes by class, partial deliveries, and what else an answer of its own brings into the result.

use serde_json::{Value, json};

use super::{Way, document};
use crate::support::TestEnv;
use crate::support::fake::{AGENT_ID, Endpoint, FakeWecom, Reply, SEEN_IP};

/// Codes of every class, with the exit code and status that the class means.
const CLASSES: &[(i32, &str, &[i64])] = &[
    (4, "auth", &[40001, 40013, 40014, 40056, 40091, 41001, 42001, 43012, 45031, 48001, 48002, 50003]),
    (4, "auth", &[60020, 93000, 93008, 301002, 301042]),
    (5, "refused", &[40003, 40007, 40008, 40058, 45002, 60111, 81012, 81013, 82001]),
    (5, "refused", &[48005, 999_999, -77]),
    (7, "temporary", &[-1, 6000, 45035, 81026]),
    (8, "rate_limited", &[45009, 45033, 45036]),
];

#[test]
fn each_class_has_its_exit_code() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for (code, status, errcodes) in CLASSES {
        for (number, errcode) in errcodes.iter().enumerate() {
            for way in Way::some(number) {
                let name = format!("{errcode} to {way:?}");
                wecom.always(way.endpoint(), Reply::errcode(*errcode, "as scripted"));
                let run = way.json(&env, &wecom).arg("--no-cache").run();
                wecom.normal(way.endpoint());
                assert_eq!(run.code, Some(*code), "{name}\n{}", run.all());
                let document = document(&run);
                assert_eq!(document["status"], *status, "{name}");
                assert_eq!((&document["errcode"], &document["errmsg"]), (&json!(errcode), &json!("as scripted")));
                let message = document["message"].as_str().unwrap();
                assert!(message.contains(&errcode.to_string()) && message.contains("as scripted"), "{name}: {message}");
                let parts = document["parts"].as_array().unwrap();
                assert_eq!(parts.len(), usize::from(way.has_message()), "{name}");
                for part in parts {
                    assert_eq!(part["status"], *status, "{name}");
                    assert_eq!((&part["errcode"], &part["errmsg"]), (&json!(errcode), &json!("as scripted")));
                }
                assert_eq!(document["retry_after_s"].is_null(), *code != 8, "{name}");
            }
        }
    }
    assert_eq!(wecom.messages().len(), 0);
}

#[test]
fn a_success_with_the_format_warning_is_refused() {
    for errmsg in ["ok. Warning: wrong json format. ", "Warning: wrong json format. empty content"] {
        for way in [Way::AppSend, Way::WebhookSend] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            wecom.script(way.endpoint(), [Reply::errcode(0, errmsg)]);
            let document = document(&way.json(&env, &wecom).run().assert_code(5));
            assert_eq!(document["status"], "refused", "{way:?}");
            assert_eq!((&document["errcode"], &document["errmsg"]), (&json!(0), &json!(errmsg)), "{way:?}");
            assert_eq!(document["parts"][0]["status"], "refused", "{way:?}");
            assert_eq!(wecom.count(way.endpoint()), 1, "{way:?}");
        }
    }
}

#[test]
fn whom_it_did_not_reach_is_listed() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let send = || {
        env.cmd(["app-send", "-u", "zhangsan,nobody,unlicensed", "--to-party", "1,77", "--to-tag", "88", "hello"])
            .app_credentials()
            .base_url(&wecom)
    };
    let run = send().args(["--output", "json"]).run().assert_code(6);
    let told = document(&run);
    assert_eq!((&told["status"], &told["errcode"]), (&json!("partial"), &json!(0)));
    assert_eq!((&told["invaliduser"], &told["unlicenseduser"]), (&json!(["nobody"]), &json!(["unlicensed"])));
    assert_eq!((&told["invalidparty"], &told["invalidtag"]), (&json!(["77"]), &json!(["88"])));
    assert_eq!(told["parts"][0]["status"], "partial");
    assert!(told["parts"][0]["msgid"].as_str().is_some_and(|id| !id.is_empty()), "{told}");
    assert_eq!(wecom.messages().len(), 1);

    // Quiet keeps quiet about everything but this.
    let run = send().arg("-q").run().assert_code(6);
    let line = run.stderr.lines().next().unwrap();
    assert!(line.starts_with("wecom-alert: error[partial]: app-send: "), "{line}");
    for id in ["nobody", "unlicensed", "77", "88"] {
        assert!(line.contains(id), "{id}: {line}");
    }

    let run = send().args(["--allow-partial", "--output", "json"]).run().assert_code(0);
    let told = document(&run);
    assert_eq!((&told["ok"], &told["status"]), (&json!(true), &json!("partial")));
    assert_eq!(told["invaliduser"], json!(["nobody"]));
    assert_eq!(wecom.messages().len(), 3);
}

#[test]
fn a_refusal_of_all_lists_them_too() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let run = env.cmd(["app-send", "-u", "nobody", "hello", "--output", "json", "--allow-partial"]);
    let told = document(&run.app_credentials().base_url(&wecom).run().assert_code(5));
    assert_eq!((&told["status"], &told["errcode"]), (&json!("refused"), &json!(81013)));
    assert_eq!(told["invaliduser"], json!(["nobody"]));
    assert_eq!(wecom.messages().len(), 0);
}

#[test]
fn the_address_that_wecom_saw_is_told() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    wecom.trust_no_ip();
    let told = document(&Way::AppSend.json(&env, &wecom).run().assert_code(4));
    assert_eq!((&told["errcode"], &told["seen_ip"]), (&json!(60020), &json!(SEEN_IP)));
    let hint = told["hint"].as_str().unwrap();
    assert!(hint.contains(SEEN_IP) && hint.contains("企业可信IP"), "{hint}");
}

#[test]
fn what_a_success_brings() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let config = format!(
        "[profiles.ops]\ncorp_id = \"ww0000000000000000\"\nagent_id = {AGENT_ID}\nsecret_file = \"ops.secret\"\n\
         to_user = [\"zhangsan\"]\n"
    );
    env.file(env.config_file().with_file_name("ops.secret"), crate::support::fake::SECRET);
    let run = |args: &[&str]| env.cmd(args.iter().copied()).config(&config).args(["--output", "json"]).base_url(&wecom);
    let sent = document(&run(&["app-send", "hello"]).run().assert_code(0));
    assert_eq!((&sent["status"], &sent["profile"], &sent["route"]), (&json!("sent"), &json!("ops"), &json!("app")));
    assert_eq!((&sent["errcode"], &sent["errmsg"], &sent["attempts"]), (&json!(0), &json!("ok"), &json!(1)));
    let part = &sent["parts"][0];
    assert_eq!((&part["index"], &part["kind"], &part["status"]), (&json!(1), &json!("message"), &json!("sent")));
    assert!(part["msgid"].as_str().is_some_and(|id| !id.is_empty()) && part["response_code"].is_null(), "{part}");

    let token = document(&run(&["get-token"]).may_show_token().run().assert_code(0));
    assert_eq!((&token["status"], &token["attempts"], &token["parts"]), (&json!("ok"), &json!(0), &json!([])));
    assert_eq!((&token["from_cache"], &token["errcode"]), (&json!(true), &Value::Null));
    assert_eq!(token["access_token"], wecom.secrets().tokens()[0].as_str());
    assert!(token["expires_in"].as_u64().is_some_and(|s| s > 7000 && s <= 7200), "{token}");
    let token = document(&run(&["get-token", "--refresh"]).may_show_token().run().assert_code(0));
    assert_eq!((&token["from_cache"], &token["errcode"], &token["errmsg"]), (&json!(false), &json!(0), &json!("ok")));

    let path = env.file("report.txt", "a report of more than five bytes");
    let media = document(&run(&["upload-media"]).arg(path).run().assert_code(0));
    assert_eq!((&media["status"], &media["type"], &media["route"]), (&json!("ok"), &json!("file"), &json!("app")));
    assert_eq!((&media["errcode"], &media["errmsg"]), (&json!(0), &json!("ok")));
    assert_eq!(media["media_id"], wecom.uploads()[0].media_id.as_str());
    assert!(media["created_at"].is_string() || media["created_at"].is_u64(), "{media}");
    assert_eq!(wecom.count(Endpoint::MediaUpload), 1);
}
