//! Repetitions: what --at-most-once still repeats, what several attempts mean together, and what is sent again.

use wecom_alert::channel::Channel;

use super::{End, app, disk_full, group, sent_and_delivered};
use crate::document::assert_says;
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom, OnConnect, Reply};
use crate::support::{Cmd, Scene, at_once, on_each_route, send_endpoint, upload_endpoint};

const CAREFULLY: [&str; 3] = ["--at-most-once", "--retries", "1"];

#[test]
fn at_most_once_retries_what_cannot_have_arrived() {
    let busy = |code| Reply::errcode(code, "system busy");
    let headers = vec![("Retry-After".to_owned(), "1".to_owned())];
    let too_many = Reply::Http { status: 429, headers, body: Vec::new() };
    let cases = [
        ("-1", busy(-1), End::new(7, 2).errcode(-1)),
        ("6000", busy(6000), End::new(7, 2).errcode(6000)),
        ("429", too_many, End::new(8, 2).retry_after_s(1)),
    ];
    at_once(on_each_route(cases), |(route, (name, reply, end))| {
        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [reply.clone()]);
        End::new(0, 2).check(name, &disk_full(&scene, route).args(CAREFULLY).run());
        assert_eq!(sent_and_delivered(&scene), (2, 1), "{name}");
        scene.wecom.always(send_endpoint(route), reply);
        end.check(name, &disk_full(&scene, route).args(CAREFULLY).run());
        assert_eq!(sent_and_delivered(&scene), (4, 1), "{name}");
    });
    let scene = Scene::with(FakeWecom::builder().tls(Certificate::Good).start());
    let ca = scene.env.file("ca.pem", scene.wecom.ca_pem());
    scene.wecom.on_connections([OnConnect::Reset]);
    End::new(0, 2).check("unreached", &group(&scene, &CAREFULLY).arg("--ca-file").arg(ca).run());
    assert_eq!((sent_and_delivered(&scene), scene.wecom.connections()), ((1, 1), 2));
}

#[test]
fn at_most_once_retries_nothing_that_may_have_arrived() {
    let cases = [
        ("502", Reply::status(502)),
        ("portal page", Reply::PortalPage),
        ("cut", Reply::CutBody { declared: 500, sent: 9 }),
        ("cut, but taken", Reply::accept_then(Reply::CutAfterHeaders)),
        ("no answer", Reply::HangAfterReading),
        ("closed", Reply::CloseAfterReading),
        ("reset, but taken", Reply::accept_then(Reply::ResetAfterReading)),
    ];
    at_once(on_each_route(cases), |(route, (name, reply))| {
        let scene = Scene::new();
        scene.warm();
        let arrives = usize::from(reply.is_judged());
        let limit = reply.hangs().then_some("--timeout=500ms");
        scene.wecom.script(send_endpoint(route), [reply]);
        let told = End::new(9, 1).check(name, &disk_full(&scene, route).args(CAREFULLY).args(limit).run());
        assert_eq!(told["parts"][0]["status"], "unknown", "{name}");
        assert_eq!(sent_and_delivered(&scene), (1, arrives), "{name}");
    });
}

/// No message goes over a connection that was used before: the server may close it while the message is on its way.
#[test]
fn at_most_once_is_not_left_in_doubt_by_a_server_that_closes_connections() {
    let scene = Scene::new();
    const ROUNDS: usize = 150;
    scene.wecom.always(Endpoint::GetToken, Reply::CloseAfterAnswer);
    at_once(0..ROUNDS, |round| {
        let run = app(&scene, &["--at-most-once", "--no-cache"]).run();
        End::new(0, 1).check(&format!("round {round}"), &run);
    });
    assert_eq!(sent_and_delivered(&scene), (ROUNDS, ROUNDS));
    assert_eq!(scene.wecom.connections(), 2 * ROUNDS);
}

/// The upload or the token that a message needs first, and the command that asks for it.
fn preparations(scene: &Scene) -> [(&'static str, Endpoint, Cmd); 3] {
    let file = scene.env.file("report.txt", "a report of more than five bytes");
    let upload = |route| {
        let command: &[&str] = if route == Channel::App { &["app-send", "-u", "zhangsan"] } else { &["webhook-send"] };
        scene.cmd(command).arg("--file").arg(&file)
    };
    [
        ("token", Endpoint::GetToken, app(scene, &[])),
        ("file of an app", upload_endpoint(Channel::App), upload(Channel::App)),
        ("file of a webhook", upload_endpoint(Channel::Webhook), upload(Channel::Webhook)),
    ]
}

/// A token fetched or a file uploaded twice reaches nobody: repeated in any case, and never unknown.
#[test]
fn tokens_and_uploads_are_retried_even_with_at_most_once() {
    let cases = [
        ("502", Reply::status(502)),
        ("cut", Reply::CutBody { declared: 500, sent: 9 }),
        ("no answer", Reply::HangAfterReading),
        ("closed", Reply::CloseAfterReading),
        ("reset before the end", Reply::ResetBefore),
        ("busy", Reply::errcode(-1, "system busy")),
    ];
    // Each with and without care, in each of the three preparations, once and for good.
    let turns = (0..12).map(|turn| (turn % 2 == 0, turn / 2 % 2 == 0, turn / 4));
    let cases = cases.into_iter().flat_map(|(name, reply)| turns.clone().map(move |turn| (name, reply.clone(), turn)));
    at_once(cases, |(name, reply, (carefully, once, index))| {
        let errcode = matches!(reply, Reply::Errcode(..)).then_some(-1);
        let scene = Scene::new();
        let (what, endpoint, cmd) = preparations(&scene).into_iter().nth(index).unwrap();
        let case = format!("{what}: {name}, once: {once}, carefully: {carefully}");
        let limit = if once { "--timeout=3s" } else { "--timeout=1s" };
        let cmd = cmd.args(["--retries", "1"]).args(reply.hangs().then_some(limit));
        let cmd = cmd.args(carefully.then_some("--at-most-once"));
        if once {
            scene.wecom.script(endpoint, [reply]);
            End::new(0, 1).check(&case, &cmd.run());
            assert_eq!((scene.wecom.count(endpoint), sent_and_delivered(&scene)), (2, (1, 1)), "{case}");
        } else {
            scene.wecom.always(endpoint, reply);
            End::new(7, 0).errcode(errcode).check(&case, &cmd.run());
            assert_eq!((scene.wecom.count(endpoint), sent_and_delivered(&scene)), (2, (0, 0)), "{case}");
        }
    });
}

#[test]
fn a_copy_is_dropped_by_the_duplicate_check() {
    let scene = Scene::new();
    for checked in [true, false] {
        scene.wecom.script(Endpoint::MessageSend, [Reply::accept_then(Reply::CloseAfterReading)]);
        let check: &[&str] = if checked { &["--duplicate-check", "10m"] } else { &[] };
        End::new(0, 2).check("replayed", &app(&scene, &["--retries", "1"]).args(check).run());
    }
    let seen = scene.wecom.requests();
    let bodies: Vec<_> = seen.iter().filter(|s| s.endpoint == Endpoint::MessageSend).map(|s| &s.body).collect();
    assert!(bodies[0] == bodies[1] && bodies[2] == bodies[3], "the same to the byte: {bodies:?}");
    assert_eq!(
        (sent_and_delivered(&scene), scene.wecom.suppressed()),
        ((4, 3), 1),
        "only who asks for it gets one copy"
    );
}

/// From a file, and from a standard input that is gone by then.
#[test]
fn an_upload_that_broke_off_arrives_whole() {
    let bytes: Vec<u8> = (0..500_000_usize).map(|at| (at % 251) as u8).collect();
    let cases = [(false, Reply::ResetBefore), (true, Reply::ResetBefore), (true, Reply::ResetAfterReading)];
    at_once(on_each_route(cases), |(route, (from_stdin, reply))| {
        let scene = Scene::new();
        scene.wecom.script(upload_endpoint(route), [reply]);
        let cmd = scene.send(route, &["--retries", "1", "--filename", "core.bin", "--file"]);
        let cmd =
            if from_stdin { cmd.arg("-").stdin(bytes.clone()) } else { cmd.arg(scene.env.file("core.bin", &bytes)) };
        End::new(0, 1).check(route.as_str(), &cmd.run());
        let uploads = scene.wecom.uploads();
        assert_eq!(
            (uploads.len(), scene.wecom.count(upload_endpoint(route)), sent_and_delivered(&scene)),
            (1, 2, (1, 1))
        );
        assert!(uploads[0].bytes == bytes && uploads[0].filename == b"core.bin");
    });
}

/// No answer first, and then what is given: how it ends, and after how many attempts.
#[test]
fn the_result_stays_unknown_until_wecom_answers() {
    let cases = [
        ("502", vec![Reply::status(502); 2], End::new(9, 3)),
        ("silence", vec![Reply::CloseAfterReading; 2], End::new(9, 3)),
        ("-1", vec![Reply::errcode(-1, "busy"); 2], End::new(7, 3).errcode(-1)),
        ("-1, then 502", vec![Reply::errcode(-1, "busy"), Reply::status(502)], End::new(7, 3)),
        ("refused", vec![Reply::errcode(40008, "invalid message type")], End::new(5, 2).errcode(40008)),
        ("limited", vec![Reply::errcode(45009, "freq")], End::new(8, 2).errcode(45009).retry_after_s(60)),
        ("free", vec![Reply::Normal], End::new(0, 2)),
    ];
    at_once(on_each_route(cases), |(route, (name, then, end))| {
        let scene = Scene::new();
        let replies = std::iter::once(Reply::CloseAfterReading).chain(then);
        scene.wecom.script(send_endpoint(route), replies);
        let run = disk_full(&scene, route).args(["--retries", "2", "--deadline", "30s"]).run();
        let told = end.check(name, &run);
        assert_eq!(sent_and_delivered(&scene), (end.attempts, usize::from(end.code == 0)), "{name}");
        if end.code == 9 {
            assert_says(&told, name, "hint", &["may have arrived"]);
        }
    });
}

#[test]
fn an_attempt_without_an_answer_is_not_forgotten_for_refused_connections() {
    for retries in ["0", "1"] {
        let scene = Scene::with(FakeWecom::builder().tls(Certificate::Good).start());
        scene.env.file("ca.pem", scene.wecom.ca_pem());
        scene.wecom.on_connections([OnConnect::Serve, OnConnect::Reset]);
        scene.wecom.script(Endpoint::WebhookSend, [Reply::accept_then(Reply::CloseAfterReading)]);
        let run = group(&scene, &["--ca-file", "ca.pem", "--retries", retries]).run();
        let attempts = if retries == "0" { 1 } else { 2 };
        let told = End::new(9, attempts).check(retries, &run);
        if attempts == 2 {
            assert_says(&told, retries, "message", &["no connection", "before that a request went out"]);
        }
        assert_says(&told, retries, "hint", &["may have arrived"]);
        assert_eq!((sent_and_delivered(&scene), scene.wecom.connections()), ((1, 1), attempts));
    }
}

#[test]
fn retries_are_reported_under_verbose_alone() {
    let cases = [("-v", Reply::status(502)), ("-v", Reply::errcode(-1, "busy")), ("-q", Reply::status(502))];
    at_once(cases, |(option, reply)| {
        let told = if option == "-v" { 1 } else { 0 };
        let scene = Scene::new();
        scene.wecom.script(Endpoint::WebhookSend, [reply]);
        let run = group(&scene, &["--retries", "1", option]).run();
        End::new(0, 2).check_loud(option, &run);
        let lines: Vec<_> = run.stderr.lines().filter(|line| line.contains("trying again in")).collect();
        assert_eq!(lines.len(), told, "{option}: {}", run.stderr);
        assert!(lines.iter().all(|line| line.contains("retry 1 of 1")), "{lines:?}");
        assert!(told > 0 || run.stderr.is_empty(), "{option}: {}", run.stderr);
    });
}

#[test]
fn retries_can_be_set_at_every_level() {
    at_once([("variable", 2), ("option", 1), ("file", 2)], |(name, expected)| {
        let scene = Scene::new();
        scene.wecom.always(Endpoint::WebhookSend, Reply::status(502));
        let cmd = match name {
            "variable" => group(&scene, &[]).env("WECOM_ALERT_RETRIES", "1"),
            "option" => group(&scene, &["--retries", "0"]).env("WECOM_ALERT_RETRIES", "1"),
            _ => group(&scene, &[]).without_env("WECOM_ALERT_RETRIES").config("retries = 1\n[profiles.room]\n"),
        };
        End::new(7, expected).check(name, &cmd.run());
        assert_eq!(sent_and_delivered(&scene), (expected, 0), "{name}");
    });
    let scene = Scene::new();
    for value in ["-1", "101", "many"] {
        let run = group(&scene, &[&format!("--retries={value}")]).run().assert_code(2);
        assert_says(&run.json(), value, "message", &["retries"]);
    }
    assert_eq!(sent_and_delivered(&scene), (0, 0));
}
