//! Every type of message by options, to the byte, and what an aibot does not have.

use serde_json::{Value, json};

use super::{bodies, last};
use crate::document::{assert_document, assert_says, warnings};
use crate::sent::{AMR, MP4, PNG};
use crate::support::Scene;
use crate::support::fake::Endpoint;

const TO: &str = r#""chatid":"zhangsan","chat_type":1"#;

#[test]
fn a_text_is_markdown_that_shows_it_as_it_is() {
    let scene = Scene::new();
    for (text, shown) in [
        ("disk full on web-3", "disk full on web-3"),
        ("磁盘已满 95%", "磁盘已满 95%"),
        ("**not** <b>bold</b>", "```\n**not** <b>bold</b>\n```"),
        ("# no heading", "```\n# no heading\n```"),
        ("two\nlines", "```\ntwo\nlines\n```"),
        ("a  b", "```\na  b\n```"),
        ("has ``` in it", "````\nhas ``` in it\n````"),
    ] {
        let run = scene.aibot(&[text]).run();
        assert_document(&run, text, 0, &json!({"status": "sent", "route": "aibot"}));
        assert_eq!(run.stderr, "", "{text}");
        let content = json!(shown).to_string();
        assert_eq!(last(&scene), format!(r#"{{"msgtype":"markdown","markdown":{{"content":{content}}},{TO}}}"#));
    }
    assert_eq!(scene.wecom.complaints(), Vec::<String>::new());
}

#[test]
fn markdown_is_that_of_markdown_v2_without_colours() {
    let scene = Scene::new();
    for (msgtype, text, shown) in [
        ("markdown", "# Full\n\n| a | b |\n| - | - |", "# Full\n\n| a | b |\n| - | - |"),
        ("markdown_v2", "**full**", "**full**"),
        ("markdown", "**<font color=\"warning\">full</font>** `<font x>`", "**full** `<font x>`"),
    ] {
        let run = scene.aibot(&["-t", msgtype, text]).run().assert_code(0);
        assert_eq!(scene.wecom.messages().pop().unwrap().body["markdown"]["content"], shown);
        let document = run.json();
        let told = warnings(&document);
        assert_eq!(told.len(), usize::from(text.contains("color=")), "{told:?}");
        assert!(told.iter().all(|told| told.contains("<font> (line 1) gives no colour")), "{told:?}");
    }
    // A payload is never edited, and may say how it is to be judged.
    let payload = r#"{"content": "<font color=\"info\">x</font>", "feedback": {"id": "f-1"}}"#;
    scene.aibot(&["-t", "markdown_v2", "--payload", "-"]).stdin(payload).run().assert_code(0);
    let whole = format!(r#"{{"msgtype":"markdown_v2","markdown_v2":{payload}}}"#);
    scene.aibot(&["--payload", "-"]).stdin(whole.as_str()).run().assert_code(0);
    let expected = json!({"content": "<font color=\"info\">x</font>", "feedback": {"id": "f-1"}});
    for message in scene.wecom.messages().iter().rev().take(2) {
        assert_eq!((message.msgtype.as_str(), message.payload()), ("markdown", &expected));
    }
}

#[test]
fn an_alert_of_options_has_a_heading_a_table_and_a_block() {
    let scene = Scene::new();
    let alert = ["--title", "Disk full", "--level", "critical", "--field", "host=web-3", "--field", "used=95%"];
    scene.aibot(&alert).args(["--url", "https://example.test/1", "/dev/sda1 is\nfull"]).run().assert_code(0);
    let expected = "# 🔴 [CRITICAL] Disk full\n\n| host | web-3 |\n| :-- | :-- |\n| used | 95% |\n\n```\n/dev/sda1 is\nfull\n```\n\n\
                    [Details](https://example.test/1)";
    let message = scene.wecom.messages().pop().unwrap();
    assert_eq!(message.payload()["content"].as_str().unwrap().replace("🔴 ", ""), expected.replace("🔴 ", ""));
}

#[test]
fn every_card_goes_out_to_the_byte() {
    let scene = Scene::new();
    let url = "https://example.test/1";
    for (args, card) in [
        (
            &["--card", "text_notice", "--title", "Disk", "--url", url, "full"][..],
            r#""card_type":"text_notice","main_title":{"title":"Disk"},"sub_title_text":"full","card_action":{"type":1,"url":"https://example.test/1"}"#,
        ),
        (
            &[
                "--card",
                "news_notice",
                "--title",
                "Disk",
                "--url",
                url,
                "--picurl",
                "https://example.test/2.png",
                "full",
            ],
            r#""card_type":"news_notice","main_title":{"title":"Disk","desc":"full"},"card_image":{"url":"https://example.test/2.png"},"card_action":{"type":1,"url":"https://example.test/1"}"#,
        ),
        (
            &["--card", "button_interaction", "--title", "Disk", "--task-id", "t-1", "--button", "ack=Take:1", "full"],
            r#""card_type":"button_interaction","task_id":"t-1","main_title":{"title":"Disk"},"sub_title_text":"full","button_list":[{"text":"Take","style":1,"key":"ack"}]"#,
        ),
        (
            &["--card", "vote_interaction", "--title", "Disk", "--task-id", "t-2", "--option", "a=Grow", "full"],
            r#""card_type":"vote_interaction","task_id":"t-2","main_title":{"title":"Disk","desc":"full"},"checkbox":{"question_key":"choice","option_list":[{"id":"a","text":"Grow","is_checked":false}]},"submit_button":{"text":"Submit","key":"submit"}"#,
        ),
        (
            &["--card", "multiple_interaction", "--title", "Disk", "--task-id", "t-3", "--option", "a=Grow", "full"],
            r#""card_type":"multiple_interaction","task_id":"t-3","main_title":{"title":"Disk","desc":"full"},"select_list":[{"question_key":"choice","option_list":[{"id":"a","text":"Grow"}]}],"submit_button":{"text":"Submit","key":"submit"}"#,
        ),
    ] {
        let run = scene.aibot(args).run();
        assert_document(&run, &format!("{args:?}"), 0, &json!({"status": "sent", "warnings": []}));
        assert_eq!(
            last(&scene),
            format!(r#"{{"msgtype":"template_card","template_card":{{{card}}},{TO}}}"#),
            "{args:?}"
        );
    }
    // Where it is needed and not given it is made up; a notice has none.
    scene.aibot(&["--card", "button_interaction", "--title", "x", "--button", "a=b"]).run().assert_code(0);
    let made = scene.wecom.messages().pop().unwrap().body["template_card"]["task_id"].clone();
    assert!(made.as_str().unwrap().starts_with("alert-"), "{made}");
}

#[test]
fn what_has_no_room_on_a_card_follows_as_it_is() {
    let scene = Scene::new();
    let text = format!("{}\n# end", "word ".repeat(60));
    scene.aibot(&["--card", "button_interaction", "--title", "x", "--button", "a=b", &text]).run().assert_code(0);
    let [card, rest] = &scene.wecom.messages()[..] else { panic!("{:?}", bodies(&scene)) };
    assert_eq!((card.msgtype.as_str(), rest.msgtype.as_str()), ("template_card", "markdown"));
    assert!(rest.payload()["content"].as_str().unwrap().ends_with("# end\n```"), "{}", rest.body);
}

#[test]
fn each_file_is_uploaded_in_chunks_and_sent() {
    let scene = Scene::new();
    for (args, content, expected) in [
        (&["--image"][..], PNG, r#""msgtype":"image","image":{"media_id":"ID"}"#),
        (&["--voice"], AMR, r#""msgtype":"voice","voice":{"media_id":"ID"}"#),
        (
            &["--title", "Door", "opened", "--video"],
            MP4,
            r#""msgtype":"video","video":{"media_id":"ID","title":"Door","description":"opened"}"#,
        ),
        (&["--file"], b"a report", r#""msgtype":"file","file":{"media_id":"ID"}"#),
    ] {
        let file = scene.env.file("sample.bin", content);
        scene.aibot(args).arg(file).run().assert_code(0);
        let upload = scene.wecom.uploads().pop().unwrap();
        assert_eq!(upload.bytes, content, "{args:?}");
        assert_eq!(last(&scene), format!("{{{expected},{TO}}}").replace("ID", &upload.media_id), "{args:?}");
    }
    // One that is there already.
    let report = scene.env.file("report.txt", "a report");
    let cmd = scene.cmd(&["upload-media", "--route", "aibot"]).aibot(&scene.wecom).arg(report);
    let id = cmd.run().assert_code(0).json()["media_id"].as_str().unwrap().to_owned();
    scene.aibot(&["-t", "file", "--media-id", &id]).run().assert_code(0);
    assert!(last(&scene).contains(&id));
    // Behind a text, one upload for all recipients.
    let before = scene.wecom.uploads().len();
    let log = scene.env.file("job.log", "a log of the job");
    scene.aibot(&["-u", "lisi", "look", "--attach"]).arg(log).run().assert_code(0);
    assert_eq!(scene.wecom.uploads().len(), before + 1);
    let sent: Vec<_> = scene.wecom.messages().iter().rev().take(4).map(|message| message.msgtype.clone()).collect();
    assert_eq!(sent, ["file", "file", "markdown", "markdown"]);
}

#[test]
fn files_over_usual_sizes_draw_a_warning_and_over_50_mb_an_error() {
    let scene = Scene::new();
    let voice = scene.env.sized_file("v.amr", AMR, (2 << 20) + 1);
    // It is too long to be played, which is an error of its own: only the size is looked at here.
    let file = scene.env.sized_file("f.bin", b"report", (20 << 20) + 1);
    let run = scene.aibot(&["--dry-run", "--file"]).arg(file).run().assert_code(0).json();
    assert_says(&json!({"message": warnings(&run).join(" ")}), "file", "message", &["more than 20 MB"]);
    assert_eq!(run["requests"][0]["method"], "WS");
    assert_eq!(run["requests"][0]["path"], "aibot_upload_media_init");
    let large = scene.env.sized_file("g.bin", b"report", (50 << 20) + 1);
    let run = scene.aibot(&["--dry-run", "--file"]).arg(large).run();
    let told = assert_document(&run, "large", 2, &json!({"status": "usage"}));
    assert_says(&told, "large", "message", &["50 MB", "an aibot"]);
    let run = scene.aibot(&["--dry-run", "--voice"]).arg(voice).run().assert_code(2).json();
    assert!(run["message"].as_str().unwrap().contains("plays"), "{run}");
}

#[test]
fn what_an_aibot_does_not_have_is_said_before_anything_is_sent() {
    let scene = Scene::new();
    for (args, parts) in [
        (&["-t", "text", "x"][..], ["no plain text", "leave -t out"]),
        (&["-t", "textcard", "--title", "x", "--url", "https://e.test", "y"], ["textcard", "app-send"]),
        (&["-t", "news", "--title", "x", "--url", "https://e.test", "y"], ["news", "app-send"]),
    ] {
        let run = scene.aibot(args).run();
        let told = assert_document(&run, &format!("{args:?}"), 2, &json!({"status": "usage"}));
        let said = format!("{} {}", told["message"], told["hint"]);
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
    for (option, part) in [("--safe", "app-send"), ("--to-party=1", "-u ID"), ("--id-trans", "app-send")] {
        let told = scene.aibot(&[option, "x"]).run().assert_code(2).json();
        assert!(told["hint"].as_str().unwrap().contains(part), "{told}");
    }
    for payload in [
        json!({"msgtype": "text", "text": {"content": "x"}}),
        json!({"msgtype": "template_card", "template_card": {"card_type": "text_notice", "main_title": {"title": "x"},
            "card_action": {"type": 1, "url": "https://e.test"},
            "horizontal_content_list": [{"keyname": "a", "type": 2, "value": "b", "media_id": "c"}]}}),
        json!({"msgtype": "template_card", "template_card": {"card_type": "button_interaction", "task_id": "t",
            "main_title": {"title": "x"}, "button_list": [{"type": 0, "text": "a", "key": "b"}]}}),
        json!({"msgtype": "template_card", "template_card": {"card_type": "vote_interaction", "task_id": "t",
            "main_title": {"title": "x"}, "submit_button": {"text": "a", "key": "b"},
            "checkbox": {"question_key": "q", "disable": true, "option_list": [{"id": "a", "text": "b", "is_checked": false}]}}}),
    ] {
        scene.aibot(&["--payload", "-"]).stdin(payload.to_string().as_str()).run().assert_code(2);
    }
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[test]
fn a_mention_is_a_warning() {
    let scene = Scene::new();
    for args in [&["--mention", "lisi", "x"][..], &["-t", "markdown", "<@lisi> x"]] {
        let document = scene.aibot(args).run().assert_code(0).json();
        let told = warnings(&document);
        assert!(told.len() == 1 && told[0].contains("mention"), "{told:?}");
    }
}

#[test]
fn a_dry_run_shows_the_commands() {
    let scene = Scene::new();
    let run = scene.aibot(&["--dry-run", "-u", "lisi", "--chat", "wr1", "x"]).run().assert_code(0).json();
    let body = |chatid: &str, kind: i64| json!({"msgtype": "markdown", "markdown": {"content": "x"}, "chatid": chatid, "chat_type": kind});
    let request = |body: Value| json!({"method": "WS", "path": "aibot_send_msg", "body": body});
    assert_eq!(
        run["requests"],
        json!([request(body("zhangsan", 1)), request(body("lisi", 1)), request(body("wr1", 2))])
    );
    assert_eq!(scene.wecom.count(Endpoint::AibotConnect), 0);
}

#[test]
fn a_long_text_goes_in_parts_or_as_a_file() {
    let scene = Scene::new();
    let text = "a line of a log that is long\n".repeat(1500);
    scene.aibot(&[]).stdin(text.as_str()).run().assert_code(0);
    let parts: Vec<_> = bodies(&scene).iter().map(String::len).collect();
    assert_eq!(parts.len(), 3, "{parts:?}");
    assert!(scene.wecom.messages().iter().all(|part| part.payload()["content"].as_str().unwrap().len() <= 20_480));
    scene.aibot(&["--on-long", "file"]).stdin(text.as_str()).run().assert_code(0);
    let sent: Vec<_> = scene.wecom.messages().iter().skip(3).map(|message| message.msgtype.clone()).collect();
    assert_eq!(sent, ["markdown", "file"]);
}
