//! `run` alerts, whatever its options are: what only decorates may be wrong, missing or empty.

use std::time::{Duration, SystemTime};

use super::{assert_silent, assert_told, sh};
use crate::support::fake::Endpoint;
use crate::support::{Scene, make_fifo};

/// A file that cannot be attached is named in the alert and on stderr.
#[test]
fn a_file_that_cannot_be_attached_does_not_keep_the_alert_back() {
    let large = "head -c 20971521 /dev/zero > large";
    for (file, script, said) in [
        ("report.html", "", "there is no file \"report.html\""),
        ("empty.log", ": > empty.log", "empty.log"),
        ("large", large, "large"),
        (".", "", "\".\" is a folder, not a file"),
        ("secret/report", "mkdir -p secret; chmod 0 secret", "\"secret/report\""),
    ] {
        let scene = Scene::new();
        let run = sh(&scene, &["--attach", file], &format!("{script}\nexit 3")).run().assert_code(3);
        let text = assert_told(&scene, &["exit code: 3", "\nattachment: ", said]);
        assert_eq!(text.matches("attachment: ").count(), 1, "{text}");
        assert!(run.stderr.contains("error[partial]: run: attachment ") && run.stderr.contains(said), "{}", run.all());
        assert_eq!(scene.wecom.count(Endpoint::WebhookUploadMedia), 0);
        // Not a word on a good day: the command may still write it.
        let run = sh(&scene, &["--attach", file], &format!("{script}\nexit 0")).run();
        super::assert_says_only(&run, 0, "", "");
    }
}

#[test]
fn a_pipe_that_nobody_writes_to_is_waited_for_until_the_deadline() {
    let scene = Scene::new();
    make_fifo(&scene.env.home().join("pipe"));
    sh(&scene, &["--deadline", "1s", "--attach", "pipe"], "exit 3").run().assert_code(3);
    assert_told(&scene, &["attachment: \"pipe\" is no plain file, and nothing came from it for 1s"]);
}

#[test]
fn the_outbox_keeps_an_alert_whose_attachment_is_missing() {
    let scene = Scene::new();
    let cmd = sh(&scene, &["--outbox", "--retries", "0", "--output", "json", "--attach", "nope"], "exit 3");
    let run = cmd.env("WECOM_ALERT_BASE_URL", "http://127.0.0.1:9").run().assert_code(3);
    let result = run.json();
    assert_eq!((&result["status"], &result["exit_code"]), (&"partial".into(), &6.into()), "{}", run.all());
    assert!(result["outbox_id"].is_string());
    assert_silent(&scene);
    scene.env.cmd(["outbox", "flush"]).base_url(&scene.wecom).webhook().run().assert_code(0);
    assert_told(&scene, &["exit code: 3", "attachment: there is no file \"nope\""]);
}

#[test]
fn an_attachment_from_before_the_run_is_marked() {
    let scene = Scene::new();
    let old = std::fs::File::create(scene.env.file("old.log", "x")).unwrap();
    std::io::Write::write_all(&mut &old, b"of yesterday").unwrap();
    old.set_modified(SystemTime::now() - Duration::from_secs(86_400)).unwrap();
    let options = ["--attach", "old.log", "--attach", "new.log"];
    let run = sh(&scene, &options, "echo just now > new.log; exit 3").run();
    super::assert_says_only(&run, 3, "", "");
    let texts = scene.texts();
    assert!(texts[0].contains("attachment: old.log is from before this run: it was last written on 20"), "{texts:?}");
    assert!(!texts[0].contains("new.log is"), "{texts:?}");
    assert_eq!(scene.wecom.count(Endpoint::WebhookUploadMedia), 2);
}
