//! Alerts to several targets, after a failure, and again and again: `--also`, `--fallback`, `--cooldown`.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{URL, bodies, text_in};
use crate::document::{assert_document, warnings};
use crate::support::fake::{CORP_ID, Endpoint, Reply, SECRET, WEBHOOK_KEY};
use crate::support::{Cmd, Scene};

const KEYS: [&str; 2] = ["app", "room"];

fn config() -> String {
    format!(
        "[profiles.app]\ncorp_id = \"{CORP_ID}\"\nagent_id = 1000002\nsecret = \"{SECRET}\"\nto_user = \"lisi\"\nprefix = \"[app]\"\n\
         [profiles.room]\nwebhook = \"{WEBHOOK_KEY}\"\nprefix = \"[room]\"\n"
    )
}

/// A send from one profile to the other.
fn send(scene: &Scene, from: &str, how: &str, args: &[&str]) -> Cmd {
    let (command, to) = if from == "app" { ("app-send", KEYS[1]) } else { ("webhook-send", KEYS[0]) };
    let cmd = scene.env.cmd(["--output", "json", command, "-P", from]).args([how, to]).args(args);
    cmd.base_url(&scene.wecom).config(&config())
}

/// What each of both got.
fn got(scene: &Scene) -> [Vec<Value>; 2] {
    let (app, room) = scene.wecom.messages().into_iter().partition::<Vec<_>, _>(|message| !message.users.is_empty());
    [app, room].map(|messages| messages.into_iter().map(|message| message.body).collect())
}

#[test]
fn each_target_gets_its_own_best_type_and_prefix() {
    let columns = "a  b\nc  d";
    let cases: [(&[&str], &str, [&str; 2]); 6] = [
        (&["--title", "Disk"], columns, ["markdown", "markdown_v2"]),
        (&["--title", "Disk", "--url", URL], "full", ["textcard", "news"]),
        (&["-t", "textcard", "--title", "Disk", "--url", URL], columns, ["textcard", "markdown_v2"]),
        (&["-t", "markdown", "--title", "Disk"], columns, ["markdown", "markdown"]),
        (
            &["--card", "text_notice", "--title", "Disk", "--url", URL, "--task-id", "t-1"],
            "full",
            ["template_card", "template_card"],
        ),
        (&["--level", "ok"], "full", ["markdown", "markdown"]),
    ];
    for (args, text, expected) in cases {
        let scene = Scene::new();
        let run = send(&scene, "app", "--also", args).arg(text).run();
        assert_document(&run, &format!("{args:?}"), 0, &json!({"status": "sent", "warnings": []}));
        let [app, room] = got(&scene);
        assert_eq!([&app[0]["msgtype"], &room[0]["msgtype"]], expected.map(Value::from).each_ref(), "{args:?}");
        assert!(app[0].to_string().contains("[app]") && room[0].to_string().contains("[room]"), "{app:?} {room:?}");
        assert_eq!(room[0]["template_card"]["task_id"], Value::Null, "{args:?}");
    }
    // A group's own type has its nearest in an app.
    let scene = Scene::new();
    let run = send(&scene, "room", "--also", &["-t", "markdown_v2", "--title", "Disk"]).arg(columns).run();
    assert_document(&run, "v2", 0, &json!({"status": "sent", "warnings": []}));
    let [app, room] = got(&scene);
    assert_eq!([&app[0]["msgtype"], &room[0]["msgtype"]], [&Value::from("markdown"), &"markdown_v2".into()]);
    assert_eq!(text_in(&app[0]), "[app] **Disk**\n`a  b`\n`c  d`");
}

/// A target whose messages are confidential gets a type that can be so.
#[test]
fn a_further_app_may_ask_for_more() {
    let scene = Scene::new();
    let config = format!(
        "{}[profiles.board]\ncorp_id = \"{CORP_ID}\"\nagent_id = 1000002\nsecret = \"{SECRET}\"\nto_user = \"wangwu\"\nsafe = 1\n",
        config()
    );
    let cmd = scene.env.cmd([
        "--output", "json", "app-send", "-P", "app", "--also", "board", "--title", "Disk", "--level", "ok", "full",
    ]);
    assert_document(
        &cmd.base_url(&scene.wecom).config(&config).run(),
        "both",
        0,
        &json!({"status": "sent", "warnings": []}),
    );
    let mut told: Vec<_> = scene
        .wecom
        .messages()
        .into_iter()
        .map(|message| (message.users, message.msgtype, message.body["safe"].clone()))
        .collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [("lisi", "markdown", Value::Null), ("wangwu", "text", json!(1))];
    assert_eq!(told, expected.map(|(user, msgtype, safe)| (vec![user.to_owned()], msgtype.to_owned(), safe)));
}

/// What happened arrives in a group too; what can be pressed cannot, and that is said.
#[test]
fn a_card_that_a_group_cannot_have_is_told_in_words() {
    let scene = Scene::new();
    let args = [
        "--card",
        "button_interaction",
        "--title",
        "Disk",
        "--source",
        "node",
        "--quote",
        "97 %",
        "--button",
        "ack=Got it",
        "full",
    ];
    let told = send(&scene, "app", "--also", &args).run().assert_code(0).json();
    let said = warnings(&told);
    assert!(
        said.len() == 1 && said[0].contains("a webhook has no button_interaction cards: sent as markdown"),
        "{said:?}"
    );
    let [app, room] = got(&scene);
    assert_eq!(app[0]["template_card"]["quote_area"]["quote_text"], "97 %");
    assert_eq!(text_in(&room[0]), "[room] **Disk**\n> source: node\n\n97 %\nfull");
}

#[test]
fn the_one_that_stands_in_says_so_before_the_alert() {
    let said = ["--title", "Disk", "--field", "a=b", "--url", URL, "full"];
    let lead = "[fallback: app temporary]";
    let cases: [(&[&str], String); 6] = [
        (&["-t", "text"], format!("[room] {lead}\nDisk\na: b\n\nfull\n{URL}")),
        (&["-t", "markdown"], format!("[room] {lead}\n**Disk**\n> a: b\n\nfull\n[Details]({URL})")),
        (&["-t", "news"], format!("a: b\n{lead}\nfull")),
        (&["-t", "textcard"], format!("[room] {lead}\n**Disk**\n> a: b\n\nfull\n[Details]({URL})")),
        (&["--card", "text_notice"], String::new()),
        (
            &["--card", "button_interaction", "--button", "ack=Got it"],
            format!("[room] {lead}\n**Disk**\n> a: b\n\nfull\n[Details]({URL})"),
        ),
    ];
    for (args, expected) in cases {
        let scene = Scene::new();
        scene.wecom.script(Endpoint::MessageSend, [Reply::status(502)]);
        let run = send(&scene, "app", "--fallback", args).args(said).run();
        assert_document(&run, &format!("{args:?}"), 0, &json!({"status": "sent"}));
        let [app, room] = got(&scene);
        assert_eq!((app.len(), room.len()), (0, 1), "{args:?}");
        if expected.is_empty() {
            assert_eq!(room[0]["template_card"]["sub_title_text"], format!("{lead}\nfull"));
        } else {
            assert_eq!(text_in(&room[0]), expected, "{args:?}");
        }
    }
}

#[test]
fn an_alert_is_the_same_whatever_its_task_id_is() {
    let scene = Scene::new();
    let base = [
        "app-send",
        "-u",
        "zhangsan",
        "--cooldown",
        "1h",
        "--card",
        "button_interaction",
        "--title",
        "Disk",
        "--button",
        "ack=A",
    ];
    let status =
        |more: &[&str]| scene.cmd(&base).args(more).run().assert_code(0).json()["status"].as_str().unwrap().to_owned();
    assert_eq!(status(&["full"]), "sent");
    assert_eq!(status(&["full"]), "skipped");
    assert_eq!(status(&["--task-id", "t-1", "full"]), "skipped");
    assert_eq!(scene.sends(), 1);
    // What it says makes it another.
    for more in [
        &["fuller"][..],
        &["--field", "a=b", "full"],
        &["--level", "critical", "full"],
        &["--url", URL, "full"],
        &["--quote", "97 %", "full"],
        &["--quote", "98 %", "full"],
        &["--source", "node", "full"],
    ] {
        assert_eq!((status(more).as_str(), status(more).as_str()), ("sent", "skipped"), "{more:?}");
    }
}

#[test]
fn the_next_alert_that_passes_tells_of_the_others() {
    for (args, place) in [(&["-t", "markdown"][..], "markdown"), (&["--card", "text_notice"], "template_card")] {
        let scene = Scene::new();
        let cmd = |cooldown: &str| {
            let cmd = scene.send(Channel::Webhook, &["--cooldown", cooldown, "--title", "Disk", "--url", URL, "full"]);
            cmd.args(args).env("TZ", "CST-8").run().assert_code(0)
        };
        cmd("1h");
        cmd("1h");
        cmd("1ms");
        let bodies = bodies(&scene);
        assert_eq!(bodies.len(), 2);
        let shown = bodies[1][place]["content"].as_str().or(bodies[1][place]["sub_title_text"].as_str()).unwrap();
        assert!(shown.starts_with("[1 repeat held back since ") && shown.contains("\n"), "{shown}");
        assert!(!bodies[0].to_string().contains("held back"), "{bodies:?}");
    }
}
