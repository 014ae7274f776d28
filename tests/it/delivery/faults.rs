//! Every fault of an answer, once and for good, with and without repetition: exit code, document, requests, arrivals.

use std::time::{Duration, SystemTime};

use wecom_alert::channel::Channel;

use super::{End, disk_full, group, sent_and_delivered};
use crate::support::fake::Reply;
use crate::support::{HTTP_ROUTES, Scene, at_once, on_each_route, send_endpoint};

/// More than any answer may be.
const TOO_LONG: usize = 1024 * 1024 + 1;

/// What a message meets, and what follows from it.
#[derive(Debug, Clone)]
struct Fault {
    name: &'static str,
    reply: Reply,
    code: i32,
    errcode: Option<i64>,
    retry_after_s: Option<u64>,
    /// Whether it is tried again within the limits that these tests set.
    repeats: bool,
    /// Whether the message arrives all the same.
    arrives: bool,
}

impl Fault {
    fn new(name: &'static str, reply: Reply, code: i32) -> Self {
        let repeats = matches!(code, 7..=9);
        Self { name, reply, code, errcode: None, retry_after_s: None, repeats, arrives: false }
    }

    fn errcode(code: i64, errmsg: &'static str, exit_code: i32) -> Self {
        Self { errcode: Some(code), ..Self::new(errmsg, Reply::errcode(code, errmsg), exit_code) }
    }

    fn arrives(self) -> Self {
        Self { arrives: true, ..self }
    }

    /// A wait is asked for, of which the deadline leaves no room.
    fn blocks(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), repeats: false, ..self }
    }

    fn end(&self, attempts: usize) -> End {
        End::new(self.code, attempts).errcode(self.errcode).retry_after_s(self.retry_after_s)
    }

    /// What a call needs that meets it: only where nothing ever comes is there a limit that this machine's load may meet.
    fn limits(&self, retries: usize, timeout: &str) -> Vec<String> {
        let mut limits = vec![format!("--retries={retries}"), "--deadline=30s".to_owned()];
        if self.reply.hangs() {
            limits.push(format!("--timeout={timeout}"));
        }
        limits
    }

    fn attempts(&self, retries: usize) -> usize {
        if self.repeats { 1 + retries } else { 1 }
    }
}

fn too_many(retry_after: &str) -> Reply {
    let headers = vec![("Retry-After".to_owned(), retry_after.to_owned())];
    Reply::Http { status: 429, headers, body: Vec::new() }
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::new("hang before the body is read", Reply::HangBeforeReading, 9),
        Fault::new("hang after the request", Reply::HangAfterReading, 9),
        Fault::new("taken, but never answered", Reply::accept_then(Reply::HangAfterReading), 9).arrives(),
        Fault::new("reset before", Reply::ResetBefore, 9),
        Fault::new("reset after", Reply::ResetAfterReading, 9),
        Fault::new("closed after", Reply::CloseAfterReading, 9),
        Fault::new("taken, then reset", Reply::accept_then(Reply::ResetAfterReading), 9).arrives(),
        Fault::new("502", Reply::status(502), 7),
        Fault::new("503, but taken", Reply::accept_then(Reply::status(503)), 7).arrives(),
        Fault::new("404", Reply::status(404), 3),
        Fault::new("407", Reply::status(407), 3),
        Fault::new("408", Reply::status(408), 7),
        Fault::new("429", Reply::status(429), 8),
        Fault { retry_after_s: Some(1), ..Fault::new("429, again in 1 s", too_many("1"), 8) },
        Fault::new("429, again in an hour", too_many("3600"), 8).blocks(3600),
        Fault::new("portal page", Reply::PortalPage, 7),
        Fault::new("redirect", Reply::Redirect("https://portal.example/login".into()), 7),
        Fault::new("cut JSON", Reply::CutBody { declared: 500, sent: 9 }, 7),
        Fault::new("no body", Reply::CutAfterHeaders, 7),
        Fault::new("oversized", Reply::Oversized(TOO_LONG), 7),
        Fault::new("oversized, in chunks", Reply::OversizedChunked(TOO_LONG), 7),
        Fault::new("not UTF-8", Reply::NotUtf8, 7),
        Fault::errcode(-1, "system busy", 7),
        Fault::errcode(6000, "data version conflict", 7),
        Fault::errcode(45009, "api freq out of limit", 8).blocks(60),
        Fault::errcode(45033, "api concurrent out of limit", 8).blocks(60),
        Fault::errcode(40008, "invalid message type", 5),
    ]
}

/// All of them on both routes, and so many repetitions.
fn in_every_way(retries: usize, check: impl Fn(Fault, Channel, Scene, &str) + Sync) {
    at_once(on_each_route(faults()), |(route, fault)| {
        let scene = Scene::new();
        if route == Channel::App {
            scene.warm();
        }
        let name = format!("{} on the route {}, {retries} retries", fault.name, route.as_str());
        check(fault, route, scene, &name);
    });
}

/// Without a repetition and with one that meets the same.
fn for_good(retries: usize) {
    in_every_way(retries, |fault, route, scene, name| {
        scene.wecom.always(send_endpoint(route), fault.reply.clone());
        let attempts = fault.attempts(retries);
        let run = disk_full(&scene, route).args(fault.limits(retries, "1500ms")).run();
        let told = fault.end(attempts).check(name, &run);
        assert_eq!(told["parts"][0]["status"], told["status"], "{name}");
        let arrived = if fault.arrives { attempts } else { 0 };
        assert_eq!(sent_and_delivered(&scene), (attempts, arrived), "{name}: requests, arrived");
        assert!(!scene.env.state().exists(), "{name}: nothing is kept where nothing is paced");
    });
}

#[test]
fn each_fault_without_retries() {
    for_good(0);
}

#[test]
fn each_lasting_fault_with_a_retry() {
    for_good(1);
}

#[test]
fn each_passing_fault_with_a_retry() {
    in_every_way(1, |fault, route, scene, name| {
        scene.wecom.script(send_endpoint(route), [fault.reply.clone()]);
        let run = disk_full(&scene, route).args(fault.limits(1, "3s")).run();
        let end = if fault.repeats { End::new(0, 2) } else { fault.end(1) };
        end.check(name, &run);
        let arrived = usize::from(fault.repeats) + usize::from(fault.arrives);
        assert_eq!(sent_and_delivered(&scene), (end.attempts, arrived), "{name}: requests, arrived");
    });
}

#[test]
fn a_retry_sends_the_same_bytes() {
    at_once(HTTP_ROUTES, |route| {
        let scene = Scene::new();
        scene.wecom.script(send_endpoint(route), [Reply::status(502)]);
        disk_full(&scene, route).args(["--retries", "1"]).run().assert_code(0);
        let seen = scene.wecom.requests();
        let bodies: Vec<_> =
            seen.iter().filter(|seen| seen.endpoint == send_endpoint(route)).map(|s| &s.body).collect();
        assert!(bodies.len() == 2 && bodies[0] == bodies[1], "{bodies:?}");
    });
}

#[test]
fn the_answer_that_drips_past_the_deadline() {
    at_once(HTTP_ROUTES, |route| {
        let scene = Scene::new();
        scene.warm();
        scene.wecom.always(send_endpoint(route), Reply::Drip(Duration::from_millis(100)));
        let run = disk_full(&scene, route).args(["--deadline", "3s", "--retries", "3"]).run();
        let told = End::new(9, 1).check(route.as_str(), &run);
        assert!(told["hint"].as_str().unwrap().contains("--deadline"), "{told}");
        assert_eq!(sent_and_delivered(&scene), (1, 1), "it was taken, and is not sent again");
    });
}

/// As RFC 9110 has dates.
fn http_date(at: SystemTime) -> String {
    chrono::DateTime::<chrono::Utc>::from(at).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[test]
fn a_retry_after_date_is_respected() {
    at_once(HTTP_ROUTES, |route| {
        let scene = Scene::new();
        scene.warm();
        let at = SystemTime::now() + Duration::from_secs(3);
        scene.wecom.script(send_endpoint(route), [too_many(&http_date(at))]);
        let run = disk_full(&scene, route).args(["--retries", "1"]).run();
        End::new(0, 2).check(route.as_str(), &run);
        // A date has whole seconds.
        let margin = Duration::from_millis(1_000);
        assert!(SystemTime::now() >= at - margin, "{}: it came back before", route.as_str());
        assert_eq!(sent_and_delivered(&scene), (2, 1));
    });
}

#[test]
fn a_retry_after_date_past_the_deadline_is_reported() {
    at_once(HTTP_ROUTES, |route| {
        let scene = Scene::new();
        scene.warm();
        let at = SystemTime::now() + Duration::from_secs(3600);
        scene.wecom.always(send_endpoint(route), too_many(&http_date(at)));
        let run = disk_full(&scene, route).args(["--retries", "3"]).run().assert_code(8);
        let told = run.json();
        let wait = told["retry_after_s"].as_u64().unwrap();
        End::new(8, 1).retry_after_s(wait).check(route.as_str(), &run);
        assert!((3500..=3600).contains(&wait), "{told}");
        assert_eq!(sent_and_delivered(&scene), (1, 0));
    });
}

/// Of what is no time to wait nothing is known, and the wait is our own.
#[test]
fn an_invalid_or_past_retry_after_is_ignored() {
    let cases = [("0", Some(0)), ("Thu, 01 Jan 1970 00:00:10 GMT", Some(0)), ("-5", None), ("soon", None)];
    at_once(cases, |(value, expected)| {
        let scene = Scene::new();
        scene.wecom.script(send_endpoint(Channel::Webhook), [too_many(value), too_many(value)]);
        End::new(8, 1).retry_after_s(expected).check(value, &group(&scene, &[]).run());
        End::new(0, 2).check(value, &group(&scene, &["--retries", "1"]).run());
        assert_eq!(sent_and_delivered(&scene), (3, 1), "{value}");
    });
}
