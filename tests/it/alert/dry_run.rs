//! `--dry-run` of alerts: everything that would be sent is shown, and nothing is.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{PNG, URL};
use crate::support::{HTTP_ROUTES, Scene, send_endpoint};

fn planned(scene: &Scene, route: Channel, args: &[&str]) -> Vec<Value> {
    let run = scene.send(route, args).arg("--dry-run").run().assert_code(0);
    assert_eq!((run.json()["status"].as_str(), scene.wecom.connections()), (Some("dry_run"), 0), "{}", run.all());
    assert!(!scene.env.state().exists() && !scene.env.cache().exists());
    run.json()["requests"].as_array().unwrap().clone()
}

#[test]
fn it_shows_all_parts_in_order() {
    let scene = Scene::new();
    scene.env.file("a.log", "a log file");
    scene.env.file("b.png", PNG);
    let args = [
        "-t",
        "markdown_v2",
        "--prefix",
        "[prod]",
        "--title",
        "Disk",
        "--mention",
        "lisi",
        "--attach",
        "a.log",
        "--attach",
        "b.png",
        "full",
    ];
    let requests = planned(&scene, Channel::Webhook, &args);
    let bodies: Vec<_> = requests.iter().map(|request| request["body"].clone()).collect();
    assert_eq!(bodies[0]["markdown_v2"]["content"], "[prod]\n\n# Disk\n\n```\nfull\n```");
    assert_eq!(bodies[1], json!({"msgtype": "text", "text": {"content": "[prod] Disk", "mentioned_list": ["lisi"]}}));
    assert_eq!(
        bodies[2]["media"],
        json!({"filename": "a.log", "content_type": "application/octet-stream", "bytes": 10})
    );
    assert_eq!((&bodies[3]["msgtype"], &bodies[4]["msgtype"], bodies.len()), (&"file".into(), &"image".into(), 5));
    assert!(requests.iter().all(|request| !request["path"].as_str().unwrap().contains("key")), "{requests:?}");
}

#[test]
fn a_card_has_a_task_id_and_its_rest_behind_it() {
    let scene = Scene::new();
    let args = [
        "--card",
        "button_interaction",
        "--title",
        "Disk",
        "--button",
        "ack=A",
        "--field",
        &format!("log={}", "x".repeat(400)),
    ];
    let requests = planned(&scene, Channel::App, &[&args[..], &["full"]].concat());
    assert_eq!(requests.len(), 2);
    assert!(requests[0]["body"]["template_card"]["task_id"].as_str().unwrap().starts_with("alert-"), "{requests:?}");
    assert!(requests[1]["body"]["text"]["content"].as_str().unwrap().contains("full"), "{requests:?}");
}

#[test]
fn long_alerts_are_cut_as_they_would_be() {
    let scene = Scene::new();
    let text = "0123456789 disk full\n".repeat(100);
    for (mode, count) in [("split", 2), ("file", 3), ("truncate", 1)] {
        let requests = planned(&scene, Channel::App, &["-t", "text", "--title", "Disk", "--on-long", mode, &text]);
        assert_eq!(requests.len(), count, "{mode}");
    }
    let run = scene
        .send(Channel::App, &["-t", "text", "--title", "Disk", "--on-long", "fail", "--dry-run", &text])
        .run()
        .assert_code(2);
    assert_eq!(run.json().get("requests"), None);
}

/// The credentials are at hand in all of these and shown in none: each run is searched for them.
#[test]
fn no_secret_is_shown_with_any_option() {
    let scene = Scene::new();
    scene.env.file("a.log", "a log file");
    for route in HTTP_ROUTES {
        for args in
            [&["--title", "Disk", "--url", URL][..], &["--card", "text_notice", "--url", URL], &["--attach", "a.log"]]
        {
            for more in [&["-v"][..], &["--dry-run"], &["-v", "--prefix", "{profile} {host}"]] {
                scene.send(route, args).args(more).arg("full").run().assert_code(0);
            }
            scene.wecom.script(send_endpoint(route), [crate::support::fake::Reply::errcode(40201, "spam")]);
            assert_ne!(scene.send(route, args).args(["-v", "full"]).run().code, Some(0));
        }
    }
}
