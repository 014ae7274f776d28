//! Slots that all processes of the machine share: nothing is refused, nothing is dropped, and nobody is in the way of
//! those who have another target.

use std::time::Duration;

use serde_json::json;
use wecom_alert::channel::Channel;

use super::{End, disk_full, group, sent_and_delivered};
use crate::document::{assert_document, assert_says};
use crate::support::fake::{Endpoint, FakeWecom, Outcome, Reply, USERS};
use crate::support::{
    Cmd, HTTP_ROUTES, ROUTES, Run, Running, Scene, at_once, send_endpoint, upload_endpoint, wait_until,
};

const CROWD: usize = 40;

/// What both sides of a crowd know of the limit.
const PERIOD: Duration = Duration::from_secs(2);

/// There is one slot, and for the length of a test no other.
const ONE: [&str; 4] = ["--rate", "1/1h", "--on-rate-limit", "fail"];

/// A send that found no slot: no request, and it says for how long there will be none.
#[track_caller]
fn assert_no_slot(case: &str, run: &Run, wait: std::ops::RangeInclusive<u64>) {
    let told = assert_document(run, case, 8, &json!({"status": "rate_limited", "attempts": 0, "errcode": null}));
    let said = told["retry_after_s"].as_u64().unwrap();
    assert!(wait.contains(&said), "{case}: {said} s");
    assert_says(&told, case, "message", &["--rate"]);
    assert_eq!((run.stderr.as_str(), &told["retryable"]), ("", &json!(true)), "{case}");
}

#[test]
fn forty_processes_stay_within_the_limit() {
    for route in HTTP_ROUTES {
        let scene = Scene::new();
        match route {
            Channel::App => scene.wecom.member_limit(20, PERIOD),
            Channel::Webhook => scene.wecom.webhook_limit(20, PERIOD),
            Channel::Chat => scene.wecom.chat_member_limit(20, PERIOD),
            Channel::Aibot => {}
        }
        scene.warm();
        at_once(0..CROWD, |_| {
            let run = disk_full(&scene, route).args(["--rate", "20/2s", "--deadline", "50s"]).run();
            End::new(0, 1).check(route.as_str(), &run);
        });
        assert_eq!(sent_and_delivered(&scene), (CROWD, CROWD), "{}", route.as_str());
        assert!(scene.wecom.dropped().is_empty(), "{:?}", scene.wecom.dropped());
        let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused { .. } | Outcome::Dropped);
        assert!(!scene.wecom.requests().iter().any(|seen| refused(&seen.outcome)));
        let messages = scene.wecom.messages();
        let users: &[&str] = match route {
            Channel::App => &["zhangsan"],
            Channel::Webhook => &[],
            Channel::Chat => &USERS,
            Channel::Aibot => &[],
        };
        assert!(messages.iter().all(|message| message.users == users));
    }
}

#[test]
fn without_a_slot_it_fails_at_once_if_asked_or_past_the_deadline() {
    at_once(ROUTES, |route| {
        let case = route.as_str();
        let scene = Scene::new();
        let send = |args: &[&str]| disk_full(&scene, route).args(["--rate", "1/1h"]).args(args).run();
        End::new(0, 1).check(case, &send(&[]));
        assert_no_slot(case, &send(&["--on-rate-limit", "fail"]), 3500..=3602);
        // Retries make no slot.
        assert_no_slot(case, &send(&["--on-rate-limit", "fail", "--retries", "100"]), 3500..=3602);
        assert_no_slot(case, &send(&["--deadline", "50s", "--retries", "100"]), 3500..=3602);
        assert_eq!(sent_and_delivered(&scene), (1, 1), "{case}");
    });
}

#[test]
fn it_waits_for_a_slot_within_the_deadline() {
    at_once(ROUTES, |route| {
        let scene = Scene::new();
        for verbose in [false, true] {
            let run = disk_full(&scene, route).args(["--rate", "1/500ms"]).args(verbose.then_some("-v")).run();
            End::new(0, 1).check_loud(route.as_str(), &run);
            assert_eq!(run.stderr.contains("waiting") && run.stderr.contains("for a slot"), verbose, "{}", run.stderr);
        }
        let seen = scene.wecom.requests();
        let times: Vec<_> = seen.iter().filter(|s| s.endpoint == send_endpoint(route)).map(|seen| seen.at).collect();
        assert!(times[1] - times[0] >= Duration::from_millis(2_500), "a period and two seconds");
    });
}

#[test]
fn each_recipient_has_its_own_limit_whatever_the_case() {
    let scene = Scene::new();
    let to = |recipients: &[&str]| scene.cmd(&["app-send", "disk full"]).args(recipients).args(ONE).run();
    for recipients in [&["-u", "zhangsan"], &["-u", "lisi"], &["--to-party", "1"], &["--to-tag", "1"], &["-u", "@all"]]
    {
        End::new(0, 1).check(&format!("{recipients:?}"), &to(recipients));
    }
    let sent = sent_and_delivered(&scene);
    for recipients in [
        &["-u", "zhangsan"][..],
        &["-u", "ZhangSan"],
        &["-u", "wangwu,LISI"],
        &["-u", "wangwu", "--to-party", "1"],
        &["--to-tag", "1"],
        &["-u", "@all"],
    ] {
        assert_no_slot(&format!("{recipients:?}"), &to(recipients), 3500..=3602);
    }
    assert_eq!((sent_and_delivered(&scene), sent), ((5, 5), (5, 5)));
    End::new(0, 1).check("who was refused with others has a slot still", &to(&["-u", "wangwu"]));
}

#[test]
fn each_target_has_its_own_limit() {
    let (room, agent) = ("test-key-of-another-room", 1_000_099);
    let wecom =
        FakeWecom::builder().webhook(room).app("ww0000000000000000", agent, "test-secret-of-another-app").start();
    let scene = Scene::with(wecom);
    let others = |cmd: Cmd| {
        cmd.env("WECOM_ALERT_WEBHOOK", room)
            .env("WECOM_ALERT_AGENT_ID", agent.to_string())
            .env("WECOM_ALERT_SECRET", "test-secret-of-another-app")
    };
    scene.wecom.add_chat("dayshift", agent, ["lisi", "wangwu"]);
    let runs = |route: Channel| {
        let other = match route {
            Channel::App | Channel::Webhook | Channel::Aibot => disk_full(&scene, route),
            Channel::Chat => scene.cmd(&["chat-send", "--chat", "dayshift", "disk full"]),
        };
        [disk_full(&scene, route).args(ONE).run(), others(other.args(ONE)).run()]
    };
    for route in HTTP_ROUTES {
        for run in runs(route) {
            End::new(0, 1).check(route.as_str(), &run);
        }
    }
    for route in HTTP_ROUTES {
        for run in runs(route) {
            assert_no_slot(route.as_str(), &run, 3500..=3602);
        }
    }
    assert_eq!(sent_and_delivered(&scene), (6, 6));
    // The key is the target, however it is given.
    let url = scene.wecom.webhook_url();
    assert_no_slot("as a URL", &group(&scene, &ONE).env("WECOM_ALERT_WEBHOOK", url).run(), 3500..=3602);
}

#[cfg(unix)]
#[test]
fn a_killed_process_leaves_its_slot_to_others() {
    at_once(ROUTES, |route| {
        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [Reply::HangAfterReading]);
        let mut running = disk_full(&scene, route).args(["--rate", "1/1s", "--timeout", "50s"]).spawn();
        wait_until("the request", || scene.sends() == 1);
        running.kill();
        assert_eq!(running.wait().code, None, "a signal ended it");
        let refused = disk_full(&scene, route).args(["--rate", "1/1s", "--on-rate-limit", "fail"]).run();
        // Its period and two seconds; that it has ended already, after a long stop of this test, is no fault.
        if refused.code != Some(0) {
            assert_no_slot(route.as_str(), &refused, 1..=3);
            End::new(0, 1).check(route.as_str(), &disk_full(&scene, route).args(["--rate", "1/1s"]).run());
        }
        assert_eq!(sent_and_delivered(&scene), (2, 1));
    });
}

/// A request that hangs holds its slot beyond a period, and for a period after its end.
#[test]
fn a_slow_request_holds_its_slot() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::delayed(Duration::from_millis(2_800), Reply::Normal)]);
    let running = group(&scene, &["--rate", "1/500ms"]).spawn();
    wait_until("the request", || scene.sends() == 1);
    let second = group(&scene, &["--rate", "1/500ms", "--deadline", "40s"]).run();
    End::new(0, 1).check("the second", &second);
    End::new(0, 1).check("the first", &running.wait());
    let seen = scene.wecom.requests();
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(2_800 + 2_500), "{:?}", seen[1].at - seen[0].at);
}

#[test]
fn requests_without_a_message_take_no_slot() {
    let scene = Scene::new();
    let file = scene.env.file("report.txt", "a report of more than five bytes");
    for _ in 0..3 {
        for route in HTTP_ROUTES {
            let run = disk_full(&scene, route).args(ONE).arg("--dry-run").run();
            assert_document(&run, "dry run", 0, &json!({"status": "dry_run", "attempts": 0}));
            scene
                .cmd(&["upload-media", "--route", route.as_str()])
                .arg(&file)
                .args(["--rate", "1/1h"])
                .run()
                .assert_code(0);
        }
        scene.cmd(&["get-token", "--refresh", "--rate", "1/1h"]).may_show_token().run().assert_code(0);
    }
    assert!(!scene.env.state().exists(), "no slot was written");
    assert_eq!(sent_and_delivered(&scene), (0, 0));
    for route in HTTP_ROUTES {
        let uploads = scene.wecom.count(upload_endpoint(route));
        let run = scene.send(route, &["--file"]).arg(&file).args(ONE).run();
        End::new(0, 1).check("a file takes the slot of its message alone", &run);
        assert_eq!(scene.wecom.count(upload_endpoint(route)), uploads + 1);
    }
}

/// Each part is a message, each repetition a request.
#[test]
fn parts_and_retries_take_slots() {
    let scene = Scene::new();
    let text: String =
        (0..60).map(|line| format!("line {line:03} of a text that is too long for one message\n")).collect();
    let send = |rate| {
        let args = ["webhook-send", "--on-long", "split", "--rate", rate, "--on-rate-limit", "fail"];
        scene.cmd(&args).stdin(text.clone()).run()
    };
    let told =
        assert_document(&send("1/1h"), "one slot for two parts", 6, &json!({"status": "partial", "attempts": 1}));
    assert!(told["retry_after_s"].as_u64().unwrap() >= 3500, "{told}");
    assert_eq!((sent_and_delivered(&scene), &told["parts"][1]["status"]), ((1, 1), &json!("rate_limited")));
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let run = group(&scene, &["--retries", "1"]).args(ONE).run();
    assert_document(&run, "one slot for two attempts", 8, &json!({"attempts": 1}));
    assert_eq!(sent_and_delivered(&scene), (1, 0));
}

#[test]
fn the_deadline_starts_after_the_jitter() {
    let scene = Scene::new();
    let limits = ["--jitter", "5s", "--deadline", "2500ms"];
    let running: Vec<_> = (0..6).map(|_| group(&scene, &limits).spawn()).collect();
    for run in running.into_iter().map(Running::wait) {
        End::new(0, 1).check("after its jitter", &run);
    }
    let times: Vec<_> = scene.wecom.requests().iter().map(|seen| seen.at).collect();
    assert_eq!(sent_and_delivered(&scene), (6, 6));
    // Six that start together come together by a chance of one in a million.
    assert!(*times.iter().max().unwrap() - *times.iter().min().unwrap() > Duration::from_millis(200), "{times:?}");
}
