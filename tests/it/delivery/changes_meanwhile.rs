//! What changes while an alert is on its way: a quota used up by others, tokens revoked, files expired, secrets reset.

use std::time::{Duration, Instant};

use serde_json::json;
use wecom_alert::channel::Channel;

use super::{End, app, disk_full, group, sent_and_delivered};
use crate::document::{assert_document, assert_says};
use crate::support::fake::{Change, Endpoint, Reply, SECRET};
use crate::support::{Cmd, HTTP_ROUTES, Scene, at_once, send_endpoint, upload_endpoint};

const NEW_SECRET: &str = "test-secret-0000000000000000000000000000002";

/// Two parts with either route's limit.
fn long_text() -> String {
    (0..60).map(|line| format!("line {line:03} of a text that is too long for one message\n")).collect()
}

fn limited(errcode: i64) -> Reply {
    Reply::errcode(errcode, "api freq out of limit")
}

/// The requests that carried a message.
fn times(scene: &Scene, route: Channel) -> Vec<Instant> {
    let seen = scene.wecom.requests();
    seen.iter().filter(|seen| seen.endpoint == send_endpoint(route)).map(|seen| seen.at).collect()
}

#[test]
fn a_webhook_over_its_limit_waits_for_the_period_that_the_rate_names() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [limited(45009)]);
    End::new(0, 2).check("45009 then free", &group(&scene, &["--rate", "20/2s", "--retries", "1"]).run());
    let times = times(&scene, Channel::Webhook);
    assert!(times[1] - times[0] >= Duration::from_secs(2), "it came back before");
    assert_eq!(sent_and_delivered(&scene), (2, 1));

    // Asked once, it is told.
    scene.wecom.script(Endpoint::WebhookSend, [limited(45009)]);
    let run = group(&scene, &["--rate", "20/2s"]).run();
    let told = End::new(8, 1).errcode(45009).retry_after_s(2).check("45009", &run);
    assert_says(&told, "45009", "hint", &["--rate"]);
    assert_eq!(sent_and_delivered(&scene), (3, 1));
}

/// A minute is what WeCom says: no rate of an app, and no longer period, changes that.
#[test]
fn other_limits_block_for_a_minute() {
    let cases = [
        (Channel::App, 45009, "20/2s"),
        (Channel::App, 45033, "20/2s"),
        (Channel::Webhook, 45033, "20/2s"),
        (Channel::Webhook, 45009, "20/1h"),
        (Channel::Webhook, 45009, "20/1m"),
    ];
    at_once(cases, |(route, errcode, rate)| {
        let scene = Scene::new();
        scene.wecom.always(send_endpoint(route), limited(errcode));
        let run = disk_full(&scene, route).args(["--rate", rate, "--retries", "3", "--deadline", "20s"]).run();
        End::new(8, 1).errcode(errcode).retry_after_s(60).check(rate, &run);
        assert_eq!(sent_and_delivered(&scene), (1, 0), "{} {errcode} {rate}", route.as_str());
    });
}

#[test]
fn a_block_holds_for_every_process_of_the_machine() {
    let cases = [(Channel::App, 45009), (Channel::App, 45033), (Channel::Webhook, 45009), (Channel::Webhook, 45033)];
    at_once(cases, |(route, errcode)| {
        let case = format!("{} {errcode}", route.as_str());
        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [limited(errcode)]);
        let send = |rate: &str| disk_full(&scene, route).args(["--rate", rate, "--retries", "3", "--deadline", "20s"]);
        End::new(8, 1).errcode(errcode).retry_after_s(60).check(&case, &send("20/1m").run());
        for more in [&[][..], &["--on-rate-limit", "fail"]] {
            let run = send("20/1m").args(more.iter().copied()).run();
            let told =
                assert_document(&run, &case, 8, &json!({"status": "rate_limited", "attempts": 0, "errcode": null}));
            let wait = told["retry_after_s"].as_u64().unwrap();
            assert!((30..=60).contains(&wait), "{case}: {told}");
            assert_says(&told, &case, "message", &["WeCom asked for fewer"]);
        }
        assert_eq!(sent_and_delivered(&scene), (1, 0), "{case}: nobody else asked");
        End::new(0, 1).check(&case, &send("off").run());
        assert_eq!(sent_and_delivered(&scene), (2, 1), "{case}: who does not pace asks again");
    });
}

/// It tells one webhook from another.
#[test]
fn a_block_does_not_affect_other_webhooks() {
    let scene = Scene::with(crate::support::fake::FakeWecom::builder().webhook("test-key-of-another-room").start());
    scene.wecom.script(Endpoint::WebhookSend, [limited(45009)]);
    group(&scene, &["--rate", "20/1m"]).run().assert_code(8);
    let other = group(&scene, &["--rate", "20/1m"]).env("WECOM_ALERT_WEBHOOK", "test-key-of-another-room");
    End::new(0, 1).check("another room", &other.run());
    End::new(0, 1).check("the app", &app(&scene, &["--rate", "20/1m"]).run());
}

#[test]
fn a_token_revoked_between_two_parts_is_replaced() {
    for retries in ["0", "3"] {
        let scene = Scene::new();
        scene.wecom.script(Endpoint::MessageSend, [Reply::meanwhile(Change::RevokeTokens)]);
        let args = ["app-send", "-u", "zhangsan", "--on-long", "split", "--retries", retries];
        let run = scene.cmd(&args).stdin(long_text()).run();
        let told = End::new(0, 3).check("revoked", &run);
        assert_eq!((told["parts"].as_array().unwrap().len(), sent_and_delivered(&scene)), (2, (3, 2)), "{told}");
        assert_eq!(scene.wecom.count(Endpoint::GetToken), 2);
        let texts = scene.wecom.messages();
        let texts: Vec<_> = texts.iter().map(|message| message.payload()["content"].as_str().unwrap()).collect();
        assert!(texts[0].contains("(1/2)") && texts[0].contains("line 000"), "{texts:?}");
        assert!(texts[1].contains("(2/2)") && texts[1].contains("line 059"), "{texts:?}");
    }
}

#[test]
fn a_file_that_expired_is_refused_once() {
    at_once(HTTP_ROUTES, |route| {
        let case = route.as_str();
        let scene = Scene::new();
        let file = scene.env.file("report.txt", "a report of more than five bytes");
        // Sent before, and gone.
        let run = scene.cmd(&["upload-media", "--route", route.as_str()]).arg(&file).run().assert_code(0);
        let media_id = run.json()["media_id"].as_str().unwrap().to_owned();
        scene.wecom.expire_media();
        let command = |more: &[&str]| scene.send(route, &["--retries", "3"]).args(more);
        let run = command(&["-t", "file", "--media-id", &media_id]).run();
        End::new(5, 1).errcode(40007).check(case, &run);
        assert_eq!(sent_and_delivered(&scene), (1, 0), "{case}");
        // Gone between the upload and the message that carries it.
        scene.wecom.script(upload_endpoint(route), [Reply::meanwhile(Change::ExpireMedia)]);
        let run = command(&["--file"]).arg(&file).run();
        End::new(5, 1).errcode(40007).check(case, &run);
        assert_eq!((sent_and_delivered(&scene), scene.wecom.uploads().len()), ((2, 0), 2), "{case}");
        End::new(0, 1).check(case, &command(&["--file"]).arg(&file).run());
    });
}

/// An app whose secret stands in a file.
fn by_file(scene: &Scene, cmd: Cmd) -> Cmd {
    cmd.without_env("WECOM_ALERT_SECRET")
        .env("WECOM_ALERT_SECRET_FILE", scene.env.home().join("secret"))
        .secret(NEW_SECRET)
}

fn rotation() -> Change {
    Change::RotateSecret { old: SECRET.to_owned(), new: NEW_SECRET.to_owned() }
}

#[test]
fn a_secret_reset_between_two_commands() {
    let scene = Scene::new();
    let send = || by_file(&scene, app(&scene, &["--retries", "3"])).run();
    scene.env.file("secret", SECRET);
    End::new(0, 1).check("before", &send());
    scene.wecom.rotate_secret(SECRET, NEW_SECRET);
    // The cached token is refused, and the old secret too: told once, since wrong secrets block the address.
    let told = End::new(4, 1).errcode(40014).check("the file is the old one", &send());
    assert_says(&told, "the file is the old one", "message", &["no new token could be fetched"]);
    assert_eq!((sent_and_delivered(&scene), scene.wecom.count(Endpoint::GetToken)), ((2, 1), 2));
    scene.env.file("secret", NEW_SECRET);
    End::new(0, 1).check("the file is the new one", &send());
    assert_eq!((sent_and_delivered(&scene), scene.wecom.count(Endpoint::GetToken)), ((3, 2), 3));
}

/// The command holds the secret that it began with: what it could not send is told, and the next one sends.
#[test]
fn a_secret_reset_during_a_command() {
    let scene = Scene::new();
    let args = ["app-send", "-u", "zhangsan", "--on-long", "split", "--retries", "3"];
    scene.env.file("secret", SECRET);
    scene.wecom.script(Endpoint::MessageSend, [Reply::meanwhile(rotation())]);
    let run = by_file(&scene, scene.cmd(&args)).stdin(long_text()).run();
    let told = End::new(6, 2).errcode(40014).check("during", &run);
    let parts: Vec<_> = told["parts"].as_array().unwrap().iter().map(|part| &part["status"]).collect();
    assert_eq!(parts, ["sent", "auth"]);
    assert_says(&told, "during", "message", &["part 2"]);
    assert_eq!((sent_and_delivered(&scene), scene.wecom.count(Endpoint::GetToken)), ((2, 1), 2));
    scene.env.file("secret", NEW_SECRET);
    End::new(0, 2).check("afterwards", &by_file(&scene, scene.cmd(&args)).stdin(long_text()).run());
    assert_eq!(sent_and_delivered(&scene), (4, 3));
}
