//! After an outage much may wait: that is a burden neither for memory nor for disk, and none for the server.

use std::fs::{self, File};
use std::path::Path;

use serde_json::json;
use wecom_alert::channel::Channel;

use super::{flush, flushed, list, queued, send, send_on, waiting};
use crate::document::assert_document;

use crate::support::fake::tls::Certificate;
use crate::support::fake::{Endpoint, FakeWecom, Reply, closed_port};
use crate::support::{Cmd, Run, Scene, at_once, make_fifo, wait_until};

/// So many alerts were accepted while nobody could be reached.
const MANY: usize = 60;

/// The largest picture that a webhook takes.
const PICTURE_BYTES: usize = 2 * 1024 * 1024;

/// A build for tests starts with less than 40 MiB of address space; this leaves 60 MiB to work with.
const LITTLE_KIB: usize = 100 * 1024;

/// `webhook-send --outbox` while nobody listens.
fn unheard(scene: &Scene, args: &[&str]) -> Cmd {
    unheard_on(scene, Channel::Webhook, args)
}

/// The same on that route.
fn unheard_on(scene: &Scene, route: Channel, args: &[&str]) -> Cmd {
    send_on(scene, route, args).env("WECOM_ALERT_BASE_URL", format!("http://127.0.0.1:{}", closed_port()))
}

/// Stores so many pictures, an even number, each as large as it may be.
fn store_pictures(scene: &Scene, count: usize) {
    let mut picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    picture.resize(PICTURE_BYTES, 7);
    let picture = scene.env.file("graph.png", picture);
    at_once([(); 2], |()| {
        for _ in 0..count / 2 {
            queued(scene, unheard(scene, &["--image"]).arg(&picture));
        }
    });
    assert_eq!((waiting(scene).len(), scene.wecom.connections()), (count, 0));
}

/// Stores so many short texts, one after the other.
fn store_texts(scene: &Scene, route: Channel, count: usize) -> Vec<String> {
    let texts: Vec<String> = (0..count).map(|number| format!("alert number {number}")).collect();
    for text in &texts {
        queued(scene, unheard_on(scene, route, &[text]));
    }
    texts
}

#[test]
fn a_full_outbox_needs_little_memory() {
    let scene = Scene::new();
    store_pictures(&scene, MANY);
    let group = |args: &[&str]| scene.env.cmd(args.iter().copied()).base_url(&scene.wecom).webhook();
    let cases = [
        ("outbox list", group(&["outbox", "list"])),
        ("check", group(&["check"])),
        ("a send", send(&scene, &["hello"])),
    ];
    let runs = cases.map(|(name, cmd)| (name, cmd.most_memory(LITTLE_KIB).run()));
    let failed: Vec<_> =
        runs.iter().filter(|(_, run)| run.code != Some(0)).map(|(name, run)| (name, run.code)).collect();
    assert!(failed.is_empty(), "not within {LITTLE_KIB} KiB: {failed:?}");
    let [(_, list), (_, check), (_, sent)] = &runs;
    assert_eq!(list.stdout.lines().count(), MANY, "{}", list.all());
    assert!(check.stdout.contains(&format!("{MANY} wait")), "{}", check.all());
    assert_document(sent, "a send", 0, &json!({"status": "sent", "attempts": 1}));
    assert_eq!(scene.texts()[0], "hello");
}

/// Who waits for the result of a send does not wait for the alerts that go along with it.
#[test]
fn a_send_reports_before_it_flushes_others() {
    let scene = Scene::new();
    let id = queued(&scene, unheard(&scene, &["it waits"]));
    scene.wecom.script(Endpoint::WebhookSend, [Reply::Normal, Reply::HangAfterReading]);
    let path = scene.env.file("report.json", "");
    let report = File::options().append(true).open(&path).unwrap();
    let mut sender = send(&scene, &["hello", "--timeout", "10m"]).stdout_into(&report).spawn();
    wait_until("the request", || scene.sends() == 2);
    let told = || fs::read_to_string(&path).unwrap();
    let while_it_goes_along = told();
    sender.kill();
    assert_eq!(sender.wait().code, None, "a signal ended it");
    let run = Run { code: Some(0), stdout: while_it_goes_along.clone(), stderr: String::new() };
    let expected = json!({"status": "sent", "attempts": 1, "outbox_id": null});
    assert_document(&run, "while another goes along", 0, &expected);
    assert_eq!(told(), while_it_goes_along, "nothing follows it");
    // Whoever was killed meanwhile has lost nothing.
    assert_eq!((scene.texts(), waiting(&scene)), (vec!["hello".to_owned()], vec![id]));
    flushed(&scene, "the other", flush(&scene), 0, [1, 0, 0]);
    assert_eq!(scene.texts(), ["hello", "it waits"]);
}

/// The length of all files in a folder and below.
fn bytes_in(folder: &Path) -> u64 {
    let of = |entry: fs::DirEntry| {
        let about = entry.metadata().unwrap();
        if about.is_dir() { bytes_in(&entry.path()) } else { about.len() }
    };
    fs::read_dir(folder).unwrap().map(|entry| of(entry.unwrap())).sum()
}

#[test]
fn stored_images_take_little_more_room_than_their_bytes() {
    // Each takes as much as the others, however many there are.
    const COUNT: usize = 6;
    let scene = Scene::new();
    store_pictures(&scene, COUNT);
    let room = || bytes_in(&scene.env.state()) as f64 / (COUNT * PICTURE_BYTES) as f64;
    let mut taken = vec![("accepted and tried once", room())];
    // Each has been tried by its sender; a flush tries the first once more, and leaves the others alone then.
    scene.wecom.always(Endpoint::WebhookSend, Reply::ResetBefore);
    for case in ["a failed flush", "another failed flush"] {
        flushed(&scene, case, flush(&scene), 7, [0, COUNT as u64, 0]);
        taken.push((case, room()));
    }
    let too_much: Vec<_> = taken.iter().filter(|(_, times)| *times > 1.4).collect();
    assert!(too_much.is_empty(), "more than 1.4 times their size: {too_much:.2?}");
    // What was noted is not lost.
    assert_eq!(list(&scene)[0]["attempts"], 3);
}

#[test]
fn a_flush_reuses_connections() {
    for (route, count) in [(Channel::Webhook, MANY), (Channel::Chat, 10)] {
        let scene = Scene::new();
        let texts = store_texts(&scene, route, count);
        flushed(&scene, "all", flush(&scene), 0, [count as u64, 0, 0]);
        assert_eq!(scene.texts(), texts);
        let connections = scene.wecom.connections();
        assert!(connections <= 3, "{connections} connections for {count} alerts to one group");
    }
}

/// What to trust comes from a pipe here, which gives it once: who asks a second time waits in vain.
#[test]
fn a_flush_reads_the_certificates_once() {
    let scene = Scene::with(FakeWecom::builder().tls(Certificate::Good).start());
    let texts = store_texts(&scene, Channel::Webhook, MANY);
    let pipe = scene.env.home().join("ca.pem");
    make_fifo(&pipe);
    let (path, pem) = (pipe.clone(), scene.wecom.ca_pem().to_owned());
    std::thread::spawn(move || fs::write(path, pem).unwrap());
    let cmd = flush(&scene).args(["--deadline", "20s", "--ca-file"]).arg(&pipe);
    flushed(&scene, "all", cmd, 0, [MANY as u64, 0, 0]);
    assert_eq!(scene.texts(), texts);
    let connections = scene.wecom.connections();
    assert!(connections <= 3, "{connections} connections for {MANY} alerts to one group");
}
