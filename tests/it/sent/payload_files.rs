//! `--payload`: the published examples and our own files arrive as given, whichever way they come in.

use std::path::Path;

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{assert_sent, assert_sent_silently, body_of, last, uploaded};
use crate::support::fake::{AGENT_ID, Endpoint, FakeWecom};
use crate::support::{HTTP_ROUTES, Scene};

/// How a payload comes in.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// The whole body, as a file.
    File,
    /// The whole body, through stdin.
    Stdin,
    /// The object under the msgtype, with `-t`.
    Object,
    /// That object through stdin.
    ObjectFromStdin,
}

#[test]
fn every_file_of_the_app_arrives_as_given() {
    arrives_every_way(Channel::App);
}

#[test]
fn every_file_of_the_webhook_arrives_as_given() {
    arrives_every_way(Channel::Webhook);
}

#[test]
fn every_file_of_the_group_chat_arrives_as_given() {
    arrives_every_way(Channel::Chat);
}

fn arrives_every_way(route: Channel) {
    for way in [Way::File, Way::Stdin, Way::Object, Way::ObjectFromStdin] {
        // A task_id must not come twice, so each way has a fake of its own.
        let scene = Scene::with(FakeWecom::builder().parties([3]).tags([7]).start());
        scene.wecom.add_chat("oncall", AGENT_ID, ["zhangsan", "lisi"]);
        let ids = ["image", "voice", "video", "file"].map(|kind| match (route, kind) {
            (Channel::Webhook, "image" | "video") => (kind, String::new()),
            _ => (kind, uploaded(&scene, route, kind)),
        });
        let examples = examples(route);
        for (name, mut body) in examples.clone() {
            let msgtype = body["msgtype"].as_str().unwrap().to_owned();
            use_ids(&mut body, &msgtype, "", &ids);
            send(&scene, route, way, &name, &msgtype, &body);
        }
        assert_eq!(scene.wecom.messages().len(), examples.len(), "{way:?}");
    }
}

fn send(scene: &Scene, route: Channel, way: Way, name: &str, msgtype: &str, body: &Value) {
    let case = format!("{}/{name} as {way:?}", route.as_str());
    let command = route.facts().command;
    let (given, expected) = match way {
        Way::File | Way::Stdin => (body.clone(), body.clone()),
        _ => (body[msgtype].clone(), body_of(route, msgtype, body[msgtype].clone())),
    };
    // As people write it, with line breaks and blanks.
    let text = serde_json::to_string_pretty(&given).unwrap();
    let file = scene.env.file(format!("{name}.json"), &text);
    let cmd = match way {
        Way::File => scene.cmd(&[command, "--payload"]).arg(file).stdin_open(),
        Way::Stdin => scene.cmd(&[command, "--payload", "-"]).stdin(text),
        Way::Object => scene.send(route, &["-t", msgtype, "--payload"]).arg(file).stdin_open(),
        Way::ObjectFromStdin => scene.send(route, &["-t", msgtype, "--payload", "-"]).stdin(text),
    };
    assert_sent_silently(&case, cmd.run());
    let arrived = last(scene, &case);
    assert_eq!(arrived.body, expected, "{case}");
    if matches!(way, Way::File | Way::Stdin) {
        // In the file's order, and without its blanks.
        assert_eq!(String::from_utf8(arrived.raw).unwrap(), expected.to_string(), "{case}");
    }
    assert!(arrived.remarks.is_empty(), "{case}: {:?}", arrived.remarks);
}

/// The shapes of the published webhook examples (document path 99110) that our files do not have.
#[test]
fn published_webhook_shapes_arrive_as_given() {
    let scene = Scene::new();
    let table = "| a | b |\n| :-- | --: |\n| 1 | 2 |";
    let image = scene.env.file("a.png", super::PNG);
    assert_sent_silently("image", scene.group(&["--image"]).arg(image).run());
    let picture = last(&scene, "image").body;
    let bodies = [
        (json!({"msgtype": "text", "text": {"content": "a", "mentioned_list": ["u1", "@all"]}}), 0),
        (json!({"msgtype": "text", "text": {"content": "a", "mentioned_mobile_list": ["13800000000", "@all"]}}), 0),
        (json!({"msgtype": "markdown", "markdown": {"content": "<font color=\"warning\">132</font>\n> a"}}), 0),
        (json!({"msgtype": "markdown_v2", "markdown_v2": {"content": table}}), 0),
        (picture, 0),
        (
            json!({"msgtype": "news", "news": {"articles": [
                {"title": "a", "description": "b", "url": "www.example.test", "picurl": "http://example.test/p.png"},
            ]}}),
            1,
        ),
        (
            json!({"msgtype": "template_card", "template_card": {
                "card_type": "news_notice",
                "main_title": {"title": "a"},
                "card_image": {"url": "https://example.test/p.png", "aspect_ratio": 2.25},
                "image_text_area": {"type": 1, "url": "https://example.test", "image_url": "https://example.test/q.png"},
                "card_action": {"type": 2, "appid": "wx0000000000000000", "pagepath": "pages/a"},
            }}),
            0,
        ),
    ];
    for (body, warnings) in bodies {
        let case = body.to_string();
        let document = assert_sent(&case, scene.group(&["--payload", "-"]).stdin(case.as_str()).run());
        assert_eq!(document["warnings"].as_array().unwrap().len(), warnings, "{case}: {}", document["warnings"]);
        assert_eq!(last(&scene, &case).body, body, "{case}");
    }
}

#[test]
fn strings_of_a_payload_are_not_edited() {
    let scene = Scene::new();
    let content = "  \n\ttwo  blanks \u{feff}\u{2028} $(x) \\n %s 😀\u{200d} trailing\n\n";
    for route in HTTP_ROUTES {
        let case = route.as_str();
        let payload = json!({"content": content});
        // Escapes and a byte order mark are JSON's and the file's, not the text's.
        let escaped = payload.to_string().replace('😀', "\\ud83d\\ude00").replace('\u{2028}', "\\u2028");
        let cmd = scene.send(route, &["--payload", "-", "--escapes"]).stdin(format!("\u{feff}{escaped}\r\n"));
        assert_sent_silently(case, cmd.run());
        let arrived = last(&scene, case);
        assert_eq!(arrived.body, body_of(route, "text", payload), "{case}");
        let raw = String::from_utf8(arrived.raw).unwrap();
        assert!(raw.contains('😀') && raw.contains('\u{2028}') && !raw.contains("\\u"), "{case}: {raw}");
    }
    assert_eq!(scene.wecom.count(Endpoint::MediaUpload) + scene.wecom.count(Endpoint::WebhookUploadMedia), 0);
}

/// Our own files of a route, by name.
fn examples(route: Channel) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/payloads").join(route.as_str());
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (name(path), serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())).collect()
}

/// Puts real ids where a file has fakes for them.
fn use_ids(value: &mut Value, msgtype: &str, field: &str, ids: &[(&str, String)]) {
    match value {
        Value::String(text) if text.starts_with("MEDIA-ID-OF-") => {
            let kind = match (field, msgtype) {
                ("thumb_media_id", _) => "image",
                (_, "template_card") => "file",
                (_, own) => own,
            };
            text.clone_from(&ids.iter().find(|(name, _)| *name == kind).unwrap().1);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| use_ids(item, msgtype, field, ids)),
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| use_ids(value, msgtype, name, ids)),
        _ => {}
    }
}
