//! What the options of `ask` may be, and what its dry run shows.

use serde_json::json;

use super::{ask, end, scene, written};
use crate::support::at_once;
use crate::support::fake::AIBOT_ID;

#[test]
fn what_contradicts_is_refused_before_anything_is_asked() {
    let scene = written(scene());
    at_once(
        [
            (&["--confirm", "--button", "a=A"][..], "--confirm has its own two buttons"),
            (&["--confirm", "--decline", "no"], "--confirm has its own two buttons"),
            (&["--decline", "no"], "nothing with the key"),
            (&["--button", "a=A", "--button", "b=B", "--option", "x=X"], "either --button or --option"),
            (&["--card", "button_interaction", "--button", "a=A", "--option", "x=X"], "either --button or --option"),
            (&["--card", "vote_interaction", "--button", "a=A"], "either --button or --option"),
            (&["--card", "text_notice", "--url", "https://example.com"], "nothing can be pressed"),
            (&["--only", ""], "--only: \"\" is no userid"),
            (&["--only", "@all"], "is no userid"),
            (&["--wait", "73h"], "longer than 72 hours"),
            (&["--wait", "soon"], "--wait: a duration is expected"),
            (&["--remind", "59s"], "--remind is shorter than a minute"),
            (&["--wait", "1m", "--escalate", "lead@2m"], "comes when --wait is over"),
            (&["--escalate", "lead@72h"], "comes when --wait is over"),
            (&["--confirm", "--escalate", "ops:aibot/NightWatch@5m"], "may be a group"),
            (&["--id", ""], "--id names nothing"),
            (&["--outbox"], "--outbox does not go with ask"),
            (&["--cooldown", "5m"], "--cooldown does not go with ask"),
            (&["--skip-empty"], "--skip-empty does not go with ask"),
            (&["--allow-partial"], "--allow-partial does not go with ask"),
            (&["-P", "group", "--confirm"], "where anybody could press"),
        ],
        |(args, told)| {
            let run = ask(&scene, &["--title", "disk full"]).args(args.iter().copied()).run().assert_code(2);
            assert!(run.json()["message"].as_str().unwrap().contains(told), "{args:?}: {}", run.all());
        },
    );
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[test]
fn what_only_decorates_keeps_no_question_back() {
    let scene = scene().profile("ops", "escalate = ['nowhere at all', 'lead@1h']\noutbox = true\ncooldown = '1h'");
    let run = ask(&scene, &["--title", "x", "--tell", "nobody", "--wait", "1s"]).run().assert_code(10);
    let warnings = run.json()["warnings"].to_string();
    for told in ["has no time", "--tell", "comes when --wait is over"] {
        assert!(warnings.contains(told), "{told}: {warnings}");
    }
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 1);
    // Nothing holds the same question back the second time.
    ask(&scene, &["--title", "x", "--wait", "1s"]).run().assert_code(10);
    assert_eq!(scene.wecom.aibot(AIBOT_ID).cards().len(), 2);
}

#[test]
fn the_button_that_is_there_unasked_draws_no_warning() {
    let scene = scene();
    for args in [&["x", "--dry-run"][..], &["x", "--wait", "1s", "--also", "lead"]] {
        assert_eq!(ask(&scene, args).run().assert_code(10).json()["warnings"], json!([]));
    }
}

#[test]
fn a_full_width_sign_draws_a_warning() {
    let scene = scene();
    let args = ["--title", "x", "--button", "a＝Go", "--button", "b=Stop：2", "--field", "host＝web-1", "--wait", "1s"];
    let run = ask(&scene, &args).run().assert_code(10);
    let document = run.json();
    let warnings: Vec<&str> =
        document["warnings"].as_array().unwrap().iter().filter_map(|text| text.as_str()).collect();
    for told in ["\"a＝Go\": the full-width ＝ is read as =", "：2 is shown as text", "\"host＝web-1\""] {
        assert_eq!(warnings.iter().filter(|warning| warning.contains(told)).count(), 1, "{told}: {warnings:?}");
    }
    let sent = scene.wecom.aibot(AIBOT_ID).cards()[0].sent.clone();
    assert_eq!((&sent["button_list"][0]["text"], &sent["button_list"][1]["text"]), (&json!("Go"), &json!("Stop：2")));
}

#[test]
fn a_dry_run_shows_the_plan_and_is_no_answer() {
    let scene = scene();
    let args = ["--title", "disk full", "--dry-run", "--escalate", "room:webhook@15m", "--escalate", "lead@5m"];
    let run = ask(&scene, &args).run().assert_code(10);
    assert_eq!(end(&run), (10, "unanswered".to_owned(), None));
    let document = run.json();
    let targets: Vec<_> = document["steps"].as_array().unwrap().iter().map(|step| &step["target"]).collect();
    assert_eq!(targets, [&json!("ops:aibot/zhangsan"), &json!("lead:aibot/lisi"), &json!("room:webhook")]);
    assert_eq!(document["requests"].as_array().unwrap().len(), 3);
    let run = scene.bare(&["ask"]).args(args).stdin_null().run().assert_code(10);
    assert!(run.stdout.contains("lead:aibot/lisi") && run.stdout.contains("button_list"), "{}", run.all());
    assert_eq!(scene.wecom.requests().len(), 0);
}
