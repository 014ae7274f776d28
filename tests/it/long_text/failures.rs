//! Parts that do not arrive: what is tried all the same, and what the caller is told.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{TEXT, asked, lines};
use crate::document::{assert_document, assert_says};
use crate::support::fake::Reply;
use crate::support::{Cmd, HTTP_ROUTES, Scene, at_once, send_endpoint, upload_endpoint};

fn spam() -> Reply {
    Reply::errcode(40201, "content is spam")
}

/// A text of three parts.
fn in_three(scene: &Scene, route: Channel) -> Cmd {
    scene.send(route, &[]).stdin(lines(TEXT * 5 / 2))
}

/// A text that goes as a message and a file.
fn with_file(scene: &Scene, route: Channel) -> Cmd {
    scene.send(route, &[]).stdin(lines(TEXT * 7))
}

fn statuses(told: &Value) -> Vec<&str> {
    told["parts"].as_array().unwrap().iter().map(|part| part["status"].as_str().unwrap()).collect()
}

/// The first letters of what arrived.
fn arrived(scene: &Scene) -> Vec<String> {
    scene
        .wecom
        .messages()
        .iter()
        .map(|message| message.payload()["content"].as_str().map_or("file", |text| &text[..5]).to_owned())
        .collect()
}

#[test]
fn a_part_that_is_refused_does_not_keep_the_others() {
    for route in HTTP_ROUTES {
        let case = route.as_str();
        for allowed in [false, true] {
            let scene = Scene::new();
            scene.wecom.script(send_endpoint(route), [Reply::Normal, spam()]);
            let option = allowed.then_some("--allow-partial");
            let run = in_three(&scene, route).args(option).run();
            let expected = json!({"status": "partial", "errcode": 40201, "attempts": 3});
            let told = assert_document(&run, case, if allowed { 0 } else { 6 }, &expected);
            assert_says(&told, case, "message", &["2 of 3 parts", "part 2 of 3", "spam"]);
            assert!(!told["message"].as_str().unwrap().contains("part 3 of 3"), "{case}: {told}");
            assert_eq!(statuses(&told), ["sent", "refused", "sent"], "{case}");
            assert_eq!(told["parts"][1]["errcode"], 40201, "{case}");
            assert_eq!(told["targets"][0]["status"], "partial", "{case}");
            assert_eq!(arrived(&scene), ["(1/3)", "(3/3)"], "{case}");
        }
    }
}

#[test]
fn a_part_that_fails_for_now_keeps_the_rest_from_being_tried() {
    type Case = (Reply, &'static [&'static str], &'static str);
    let cases: [Case; 4] = [
        (Reply::status(502), &[], "temporary"),
        (Reply::errcode(-1, "system busy"), &[], "temporary"),
        (Reply::HangAfterReading, &["--timeout", "1s"], "unknown"),
        (Reply::errcode(45009, "api freq out of limit"), &[], "rate_limited"),
    ];
    at_once(cases, |(reply, args, status)| {
        for route in HTTP_ROUTES {
            let (scene, case) = (Scene::new(), format!("{} {status}", route.as_str()));
            scene.wecom.script(send_endpoint(route), [Reply::Normal, reply.clone()]);
            let run = in_three(&scene, route).args(args).run();
            let told = assert_document(&run, &case, 6, &json!({"status": "partial", "attempts": 2, "outbox_id": null}));
            assert_eq!(statuses(&told), ["sent", status, "skipped"], "{case}");
            assert_says(&told, &case, "message", &["1 of 3 parts", "part 2 of 3", "part 3 of 3"]);
            assert_eq!((arrived(&scene), asked(&scene, route)), (vec!["(1/3)".to_owned()], [2, 0]), "{case}");
        }
    });
}

#[test]
fn what_fails_first_decides_when_nothing_arrived() {
    for route in HTTP_ROUTES {
        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [Reply::status(502)]);
        let run = in_three(&scene, route).run();
        let told = assert_document(&run, "first", 7, &json!({"status": "temporary", "attempts": 1}));
        assert_eq!(statuses(&told), ["temporary", "skipped", "skipped"]);
        assert_eq!(asked(&scene, route), [1, 0]);

        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [spam(), spam(), spam()]);
        let run = in_three(&scene, route).arg("--allow-partial").run();
        let told = assert_document(&run, "all", 5, &json!({"status": "refused", "errcode": 40201, "attempts": 3}));
        assert_eq!(statuses(&told), ["refused"; 3]);
        assert_eq!(scene.wecom.messages().len(), 0);
    }
}

#[test]
fn a_part_that_is_tried_again_stays_in_its_place() {
    at_once(HTTP_ROUTES, |route| {
        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [Reply::Normal, Reply::status(502)]);
        let run = in_three(&scene, route).args(["--retries", "1"]).run();
        let told = assert_document(&run, route.as_str(), 0, &json!({"status": "sent", "attempts": 4}));
        assert_eq!(statuses(&told), ["sent"; 3]);
        assert_eq!(arrived(&scene), ["(1/3)", "(2/3)", "(3/3)"], "{route:?}");
    });
}

#[test]
fn members_who_get_no_part_are_named_once() {
    let scene = Scene::new();
    let run = in_three(&scene, Channel::App).args(["-u", "nobody"]).run();
    let expected = json!({"status": "partial", "invaliduser": ["nobody"], "attempts": 3});
    let told = assert_document(&run, "nobody", 6, &expected);
    assert_eq!(statuses(&told), ["partial"; 3]);
    assert_says(&told, "nobody", "message", &["nobody"]);
    assert_eq!(arrived(&scene).len(), 3);
}

#[test]
fn a_file_that_does_not_follow_is_named() {
    for route in HTTP_ROUTES {
        for (reply, status) in
            [(Reply::errcode(45001, "media too large"), "refused"), (Reply::status(502), "temporary")]
        {
            for allowed in [false, true] {
                let (scene, case) = (Scene::new(), format!("{} {status}", route.as_str()));
                scene.wecom.script(upload_endpoint(route), [reply.clone()]);
                let run = with_file(&scene, route).args(allowed.then_some("--allow-partial")).run();
                let code = if allowed { 0 } else { 6 };
                let told = assert_document(&run, &case, code, &json!({"status": "partial", "attempts": 1}));
                assert_says(&told, &case, "message", &["1 of 2 parts", "attachment alert-", ".txt"]);
                assert_eq!(statuses(&told), ["sent", status], "{case}");
                assert_eq!(told["parts"][1]["kind"], "attachment", "{case}");
                assert_eq!((asked(&scene, route), scene.wecom.messages().len()), ([1, 1], 1), "{case}");
            }
        }
    }
}

#[test]
fn the_message_of_a_file_that_arrived_may_be_refused() {
    for route in HTTP_ROUTES {
        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [Reply::Normal, spam()]);
        let told = assert_document(&with_file(&scene, route).run(), "file", 6, &json!({"attempts": 2}));
        assert_says(&told, "file", "message", &["attachment alert-", "spam"]);
        assert_eq!(statuses(&told), ["sent", "refused"]);
        assert_eq!(scene.wecom.messages().len(), 1);
    }
}

#[test]
fn the_file_goes_although_its_message_is_refused_but_not_when_nothing_gets_through() {
    for route in HTTP_ROUTES {
        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [spam()]);
        let told = assert_document(&with_file(&scene, route).run(), "refused", 6, &json!({"attempts": 2}));
        assert_eq!(statuses(&told), ["refused", "sent"]);
        assert_eq!((arrived(&scene), scene.wecom.uploads().len()), (vec!["file".to_owned()], 1));

        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [Reply::status(502)]);
        let told = assert_document(&with_file(&scene, route).run(), "down", 7, &json!({"attempts": 1}));
        assert_eq!(statuses(&told), ["temporary", "skipped"]);
        assert_eq!(asked(&scene, route), [1, 0]);
    }
}
