//! Template cards by options: what each needs and has no place for, and the ids that name them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{PICTURE, URL, bodies, delivered, refused};
use crate::support::fake::{Endpoint, Reply};
use crate::support::{CARD_ROUTES, Cmd, Run, Scene};

const BUTTONS: [&str; 7] = ["--card", "button_interaction", "--title", "Disk", "--button", "ack=Got it:2", "full"];

#[test]
fn each_option_has_its_place() {
    let scene = Scene::new();
    let args = [
        "--card",
        "text_notice",
        "--title",
        "Disk",
        "--level",
        "critical",
        "--source",
        "node",
        "--quote",
        "said",
        "--emphasis",
        "98%=used",
        "--jump",
        "runbook=https://example.test/r?a=b",
        "--field",
        "host=web-1",
        "--url",
        URL,
        "--btntxt",
        "open",
        "full",
    ];
    let jumps = json!([
        {"type": 1, "title": "open", "url": URL},
        {"type": 1, "title": "runbook", "url": "https://example.test/r?a=b"},
    ]);
    let card = json!({
        "card_type": "text_notice",
        "source": {"desc": "node", "desc_color": 2},
        "main_title": {"title": "[CRITICAL] Disk"},
        "quote_area": {"quote_text": "said"},
        "emphasis_content": {"title": "98%", "desc": "used"},
        "sub_title_text": "full",
        "horizontal_content_list": [{"keyname": "host", "value": "web-1"}],
        "jump_list": jumps,
        "card_action": {"type": 1, "url": URL},
    });
    for route in CARD_ROUTES {
        let sent = delivered(&scene, "notice", scene.send(route, &args));
        assert_eq!(sent, [json!({"msgtype": "template_card", "template_card": card})], "{}", route.as_str());
    }
    let interactive = |args: &[&str]| {
        let mut card =
            delivered(&scene, "interactive", scene.send(Channel::App, args)).remove(0)["template_card"].take();
        assert!(card.as_object_mut().unwrap().shift_remove("task_id").is_some(), "{card}");
        card
    };
    let buttons = interactive(&[
        "--card",
        "button_interaction",
        "--title",
        "Disk",
        "--button",
        "ack=Got it:2",
        "--button",
        "later=At 10:30",
    ]);
    assert_eq!(
        buttons["button_list"],
        json!([{"text": "Got it", "style": 2, "key": "ack"}, {"text": "At 10:30", "key": "later"}])
    );
    let list = ["--card", "button_interaction", "--title", "Disk", "--button", "mute=Mute", "--option", "2h=2 hours"];
    let options = json!([{"id": "2h", "text": "2 hours"}]);
    assert_eq!(interactive(&list)["button_selection"], json!({"question_key": "choice", "option_list": options}));
    let vote =
        interactive(&["--card", "vote_interaction", "--title", "When", "--option", "a=Now", "--option", "b=Later"]);
    let choices =
        json!([{"id": "a", "text": "Now", "is_checked": false}, {"id": "b", "text": "Later", "is_checked": false}]);
    assert_eq!(vote["checkbox"], json!({"question_key": "choice", "option_list": choices}));
    let select = interactive(&["--card", "multiple_interaction", "--title", "When", "--option", "a=Now"]);
    assert_eq!(select["select_list"], json!([{"question_key": "choice", "option_list": [{"id": "a", "text": "Now"}]}]));
    assert_eq!(select["submit_button"], json!({"text": "Submit", "key": "submit"}));
}

#[test]
fn what_a_card_cannot_do_is_said_with_what_to_use_instead() {
    let scene = Scene::new();
    let (app, group) = (Channel::App, Channel::Webhook);
    let many = |option: &'static str, count: usize| -> Vec<String> {
        (0..count).flat_map(|number| [option.to_owned(), format!("k{number}=https://example.test/{number}")]).collect()
    };
    type Case<'a> = (Channel, &'a str, &'a [&'a str], Vec<String>, &'a str, &'a str);
    let none = Vec::new;
    let cases: [Case; 25] = [
        (group, "button_interaction", &[], many("--button", 1), "no button_interaction cards", "app-send"),
        (
            group,
            "vote_interaction",
            &[],
            many("--option", 1),
            "a webhook has no vote_interaction cards",
            "--card text_notice or",
        ),
        (group, "multiple_interaction", &[], many("--option", 1), "a webhook has no multiple_interaction", "app-send"),
        (
            group,
            "text_notice",
            &["--url", URL],
            many("--button", 1),
            "no place for --button",
            "button_interaction with app-send",
        ),
        (
            group,
            "text_notice",
            &["--url", URL, "--task-id", "t-1"],
            none(),
            "no place for --task-id",
            "leave --task-id out",
        ),
        (
            group,
            "text_notice",
            &[],
            none(),
            "a text_notice card needs a link",
            "add --url, or send it with -t markdown",
        ),
        (app, "text_notice", &[], none(), "a text_notice card needs a link", "button_interaction"),
        (app, "news_notice", &[], none(), "a news_notice card needs a link", "--url"),
        (
            app,
            "news_notice",
            &["--url", URL],
            none(),
            "a news_notice card needs a picture",
            "--picurl, or use --card text_notice",
        ),
        (group, "news_notice", &["--url", URL], none(), "a news_notice card needs a picture", "--picurl"),
        (app, "button_interaction", &[], none(), "a button_interaction card needs buttons", "--button KEY=TEXT"),
        (app, "vote_interaction", &[], none(), "a vote_interaction card needs options", "--option ID=TEXT"),
        (app, "multiple_interaction", &[], none(), "a multiple_interaction card needs options", "--option ID=TEXT"),
        (
            app,
            "text_notice",
            &["--url", URL],
            many("--button", 1),
            "no place for --button",
            "--card button_interaction",
        ),
        (
            app,
            "text_notice",
            &["--url", URL, "--option", "a=A"],
            none(),
            "no place for --option",
            "vote_interaction or",
        ),
        (
            app,
            "button_interaction",
            &["--button", "a=A"],
            many("--option", 11),
            "at most 10 options, not 11",
            "leave an --option out",
        ),
        (
            app,
            "news_notice",
            &["--url", URL, "--picurl", PICTURE, "--emphasis", "1=x"],
            none(),
            "no place for --emphasis",
            "text_notice",
        ),
        (app, "text_notice", &["--url", URL, "--picurl", PICTURE], none(), "no place for --picurl", "news_notice"),
        (app, "vote_interaction", &["--url", URL], many("--option", 1), "no place for --url", "text_notice"),
        (app, "vote_interaction", &["--quote", "q"], many("--option", 1), "no place for --quote", "button_interaction"),
        (
            app,
            "button_interaction",
            &["--url", URL, "--btntxt", "open"],
            many("--button", 1),
            "no place for --btntxt",
            "leave --btntxt out",
        ),
        (app, "button_interaction", &[], many("--button", 7), "at most 6 buttons, not 7", "leave a --button out"),
        (app, "vote_interaction", &[], many("--option", 21), "at most 20 options, not 21", "leave an --option out"),
        (
            app,
            "multiple_interaction",
            &[],
            many("--option", 11),
            "at most 10 options, not 11",
            "--card vote_interaction",
        ),
        (app, "text_notice", &["--url", URL], many("--jump", 4), "at most 3 links", "leave a --jump out"),
    ];
    for (route, card, args, more, message, hint) in cases {
        let case = format!("{} {card} {args:?} {more:?}", route.as_str());
        let cmd = scene.send(route, &["--card", card, "--title", "Disk"]).args(args).args(more).arg("full");
        let said = refused(&scene, &case, cmd);
        assert!(said.0.contains(message) && said.1.contains(hint), "{case}: {said:?}");
    }
    let untitled = scene.send(app, &["--card", "vote_interaction", "--option", "a=A", "full"]);
    let (message, hint) = refused(&scene, "untitled", untitled);
    assert!(message.contains("needs a title") && hint.contains("--title"), "{message}");
}

#[test]
fn options_of_cards_ask_for_a_card() {
    let scene = Scene::new();
    for (option, value, card) in [
        ("--source", "node", "text_notice"),
        ("--emphasis", "1=x", "text_notice"),
        ("--quote", "q", "text_notice"),
        ("--jump", "a=https://example.test/", "text_notice"),
        ("--button", "a=A", "button_interaction"),
        ("--option", "a=A", "vote_interaction"),
        ("--task-id", "t-1", "text_notice"),
    ] {
        for more in [&[][..], &["-t", "markdown"]] {
            let (message, hint) =
                refused(&scene, option, scene.send(Channel::App, more).args(["--title", "t", option, value, "full"]));
            assert!(message.contains(&format!("{option} is only for template cards")), "{message}");
            assert!(hint.contains(&format!("--card {card}")), "{option}: {hint}");
        }
    }
    let (message, hint) =
        refused(&scene, "type", scene.send(Channel::App, &["-t", "markdown", "--card", "text_notice", "full"]));
    assert!(
        message.contains("-t markdown does not go with --card") && hint.contains("leave -t out"),
        "{message} {hint}"
    );
    let (message, hint) =
        refused(&scene, "which", scene.send(Channel::App, &["-t", "template_card", "--title", "t", "full"]));
    assert!(message.contains("which card it is") && hint.contains("--card"), "{message}");
    for (option, wrong) in
        [("--button", "ack"), ("--button", "ack=:2"), ("--option", "=x"), ("--jump", "a="), ("--emphasis", "98%")]
    {
        let (message, hint) = refused(&scene, wrong, scene.send(Channel::App, &BUTTONS).args([option, wrong]));
        assert!(
            message.contains(&format!("{option} {wrong:?} is not of the form")) && hint.contains(option),
            "{message}"
        );
    }
    let run = scene.send(Channel::App, &["--card", "no_card", "full"]).run().assert_code(2);
    assert!(run.json()["message"].as_str().unwrap().contains("no_card"), "{}", run.all());
}

fn task_ids(run: &Run) -> Vec<Value> {
    run.json()["parts"].as_array().unwrap().iter().map(|part| part["task_id"].clone()).collect()
}

#[test]
fn every_message_has_a_task_id_of_its_own() {
    let scene = Scene::new();
    let cmd = |more: &[&str]| -> Cmd { scene.send(Channel::App, &BUTTONS).args(more) };
    let told: Vec<Value> = (0..4).flat_map(|_| task_ids(&cmd(&[]).run().assert_code(0))).collect();
    let sent: Vec<Value> = bodies(&scene).iter().map(|body| body["template_card"]["task_id"].clone()).collect();
    assert_eq!(told, sent);
    let unique: BTreeSet<_> = told.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(unique.len(), 4, "{told:?}");
    let is_fine =
        |id: &str| id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-@".contains(&byte));
    assert!(unique.iter().all(|id| is_fine(id)), "{unique:?}");
    // One that is given is kept, also on a notice; WeCom refuses it the second time.
    let run = cmd(&["--task-id", "deploy-7@web"]).run().assert_code(0);
    assert_eq!(task_ids(&run), ["deploy-7@web"]);
    let run = cmd(&["--task-id", "deploy-7@web"]).run().assert_code(5);
    assert_eq!((&run.json()["errcode"], task_ids(&run)), (&42014.into(), vec!["deploy-7@web".into()]));
    let notice = ["--card", "text_notice", "--url", URL, "full"];
    assert_eq!(task_ids(&scene.send(Channel::App, &notice).args(["--task-id", "n-1"]).run().assert_code(0)), ["n-1"]);
    assert_eq!(task_ids(&scene.send(Channel::App, &notice).run().assert_code(0)), [Value::Null]);
    let (message, _) = refused(&scene, "alphabet", cmd(&["--task-id", "a.b c"]));
    assert!(message.contains("task_id"), "{message}");
    // What has no room goes behind it without one.
    let run = cmd(&[]).arg("--field").arg(format!("log={}", "x".repeat(500))).run().assert_code(0);
    assert!(matches!(&task_ids(&run)[..], [Value::String(_), Value::Null]), "{}", run.all());
}

/// A second attempt is the same card.
#[test]
fn an_attempt_and_its_repetition_have_the_same_task_id() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
    let cmd = scene.send(Channel::App, &BUTTONS).env("WECOM_ALERT_RETRIES", "1");
    let told = task_ids(&cmd.run().assert_code(0));
    let asked: Vec<_> =
        scene.wecom.requests().into_iter().filter(|seen| seen.endpoint == Endpoint::MessageSend).collect();
    let ids: Vec<_> = asked.iter().map(|seen| seen.json()["template_card"]["task_id"].clone()).collect();
    assert_eq!(ids, [told[0].clone(), told[0].clone()]);
}

#[test]
fn an_app_without_callback_is_told_of_it() {
    let env = crate::support::TestEnv::new();
    let wecom = crate::support::fake::FakeWecom::builder().without_callback().start();
    let scene = Scene { env, wecom, config: String::new() };
    let run = scene.send(Channel::App, &BUTTONS).run();
    assert_eq!((run.json()["errcode"].as_i64(), run.code), (Some(43012), Some(4)), "{}", run.all());
    delivered(&scene, "notice", scene.send(Channel::App, &["--card", "text_notice", "--url", URL, "full"]));
}

#[test]
fn a_card_to_more_members_than_one_call_takes_has_an_id_in_each() {
    let users: Vec<String> = (0..2001).map(|number| format!("user{number}")).collect();
    for mode in [&[][..], &["--task-id", "disk@web-1"]] {
        let scene = Scene::new();
        scene.wecom.add_users(users.clone());
        let cmd = scene.cmd(&["app-send", "-u", &users.join(",")]).args(BUTTONS).args(mode);
        // The last call fails, and is made again by the outbox: with the id that it had.
        scene.wecom.script(Endpoint::MessageSend, [Reply::Normal, Reply::Normal, Reply::status(502)]);
        let told = cmd.arg("--outbox").run().assert_code(0).json();
        assert_eq!(told["status"], "queued", "{mode:?}: {told}");
        scene.cmd(&["outbox", "flush"]).run().assert_code(0);
        let messages = scene.wecom.messages();
        let ids: Vec<_> = messages.iter().map(|message| message.body["template_card"]["task_id"].clone()).collect();
        let first = told["parts"][0]["task_id"].as_str().unwrap();
        assert_eq!(ids, [first.to_owned(), format!("{first}-2"), format!("{first}-3")], "{mode:?}");
        let asked = scene.wecom.requests().into_iter().filter(|request| request.endpoint == Endpoint::MessageSend);
        let tried: Vec<_> = asked.map(|request| request.json()["template_card"]["task_id"].clone()).collect();
        assert_eq!((tried.len(), &tried[2]), (4, &tried[3]), "{mode:?}");
        let reached: usize = messages.iter().map(|message| message.users.len()).sum();
        assert_eq!(reached, users.len(), "{mode:?}");
    }
}

#[test]
fn what_says_nothing_is_not_on_the_card() {
    let scene = Scene::new();
    let args = ["--card", "text_notice", "--title", "Disk", "--url", URL, "--source", "", "--quote", " ", "full"];
    let card = delivered(&scene, "blank", scene.send(Channel::App, &args)).remove(0)["template_card"].take();
    assert_eq!((&card["source"], &card["quote_area"]), (&Value::Null, &Value::Null), "{card}");
}
