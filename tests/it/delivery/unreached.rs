//! Before the connection stands nothing can have arrived: repeated whatever was asked for, and told as what it is.

use wecom_alert::channel::Channel;

use super::{End, disk_full, group, sent_and_delivered};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom, OnConnect, closed_port};
use crate::support::{Scene, at_once, on_each_route};

/// Sends that are attempted: an app without a token does not get that far.
fn attempts(route: Channel, tries: usize) -> usize {
    if route == Channel::Webhook { tries } else { 0 }
}

/// A fake over TLS, and a file with its authority.
fn over_tls(certificate: Certificate) -> Scene {
    let scene = Scene::with(FakeWecom::builder().tls(certificate).start());
    scene.env.file("ca.pem", scene.wecom.ca_pem());
    scene
}

#[test]
fn nobody_listens_or_the_name_is_unknown() {
    let refused = format!("http://127.0.0.1:{}", closed_port());
    at_once(on_each_route([refused.as_str(), "http://no-such.invalid"]), |(route, base_url)| {
        for (retries, tries) in [("0", 1), ("1", 2)] {
            let scene = Scene::new();
            let limits = ["--connect-timeout", "2s", "--retries", retries, "--base-url", base_url];
            let run = disk_full(&scene, route).args(limits).run();
            End::new(7, attempts(route, tries)).check(base_url, &run);
            assert_eq!(scene.wecom.connections(), 0);
        }
    });
}

#[test]
fn a_handshake_that_fails_and_one_that_does_not() {
    // How many connections fail, the retries, and the limit of a connection, which the good one must meet.
    let turns = [(9, "0", "1s"), (9, "1", "1s"), (1, "1", "3s")];
    let cases = [OnConnect::Hang, OnConnect::Reset, OnConnect::Close];
    let cases = cases.into_iter().flat_map(|case| turns.map(|turn| (case, turn)));
    at_once(on_each_route(cases), |(route, (on_connect, (failures, retries, limit)))| {
        let case = format!("{on_connect:?} {}, {failures} times, {retries} retries", route.as_str());
        let scene = over_tls(Certificate::Good);
        scene.wecom.on_connections(vec![on_connect; failures]);
        let limits = ["--ca-file", "ca.pem", "--connect-timeout", limit, "--retries", retries];
        let run = disk_full(&scene, route).args(limits).run();
        let requests = if route == Channel::Webhook { 1 } else { 2 };
        let (end, seen) = match (failures, retries) {
            (9, "0") => (End::new(7, attempts(route, 1)), (1, 0, (0, 0))),
            (9, _) => (End::new(7, attempts(route, 2)), (2, 0, (0, 0))),
            _ => (End::new(0, attempts(route, 2).max(1)), (2, requests, (1, 1))),
        };
        end.check(&case, &run);
        let (wecom, counts) = (&scene.wecom, sent_and_delivered(&scene));
        assert_eq!((wecom.connections(), wecom.requests().len(), counts), seen, "{case}");
    });
}

/// Without TLS the connection stands as soon as it is there: a message may have arrived, a token is only late.
#[test]
fn a_server_that_accepts_and_never_reads() {
    at_once(on_each_route([("0", 1), ("1", 2)]), |(route, (retries, tries))| {
        let scene = Scene::new();
        scene.wecom.on_connections(vec![OnConnect::Hang; 9]);
        let run = disk_full(&scene, route).args(["--timeout", "1s", "--retries", retries]).run();
        let code = if route == Channel::Webhook { 9 } else { 7 };
        End::new(code, attempts(route, tries)).check(route.as_str(), &run);
        assert_eq!((scene.wecom.connections(), scene.wecom.requests().len()), (tries, 0));
    });
}

#[test]
fn a_certificate_that_is_not_trusted_is_asked_for_once() {
    let certificates = [Certificate::WrongName, Certificate::Expired, Certificate::UnknownCa];
    at_once(on_each_route(certificates), |(route, certificate)| {
        let scene = over_tls(certificate);
        let run = disk_full(&scene, route).args(["--ca-file", "ca.pem", "--retries", "3"]).run();
        End::new(3, attempts(route, 1)).check(&format!("{certificate:?}"), &run);
        assert_eq!((scene.wecom.connections(), scene.wecom.requests().len()), (1, 0), "{certificate:?}");
    });
}

/// What never stood takes no slot: the one there is is left for the attempt that comes through.
#[test]
fn an_attempt_without_a_connection_gives_its_slot_back() {
    let scene = over_tls(Certificate::Good);
    scene.wecom.on_connections([OnConnect::Reset]);
    let limits = ["--ca-file", "ca.pem", "--retries", "1", "--rate", "1/1h", "--deadline", "30s"];
    End::new(0, 2).check("one slot", &group(&scene, &limits).run());
    assert_eq!(sent_and_delivered(&scene), (1, 1));
    // But now it is taken.
    let run = group(&scene, &["--ca-file", "ca.pem", "--rate", "1/1h"]).run();
    assert_eq!((run.code, scene.wecom.count(Endpoint::WebhookSend)), (Some(8), 1), "{}", run.all());
}
