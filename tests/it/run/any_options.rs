//! `run` alerts, whatever its options are: what only decorates may be wrong, missing or empty.

use std::time::{Duration, SystemTime};

use super::{assert_silent, assert_told, has, sh};
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

/// What only decorates is left out; the recipients of the settings count where a roster script gave none.
#[test]
fn what_only_decorates_may_be_wrong() {
    for (options, told, said) in [
        (&["--mention", ""][..], "", ""),
        (&["--level", ""], "[CRITICAL]", ""),
        (&["--level", "sideways"], "[CRITICAL]", "--level \"sideways\" is not a known level"),
        (&["--mention", "张三"], "", "--mention \"张三\": a userid may hold"),
        (&["--ci=nosuch"], "", "--ci \"nosuch\" is no CI system"),
        (&["--fallback", "nowhere"], "", "the fallback cannot be used: --fallback: "),
        (&["--also", "nowhere"], "", "error[partial]: run: 1 of 2 targets were reached; nowhere"),
        (&["-u", ""], "", "--to-user is empty: the recipients of the settings count"),
    ] {
        let scene = Scene::new();
        let run = sh(&scene, options, "exit 3").run().assert_code(3);
        assert_told(&scene, &["exit code: 3", told]);
        assert!(run.stderr.contains(said) && (run.stderr.is_empty() == said.is_empty()), "{}", run.all());
    }
    // On a good day too: nobody would look for it otherwise.
    for option in ["--also", "--fallback"] {
        let scene = Scene::new();
        let run = sh(&scene, &[option, "nowhere"], "exit 0").run().assert_code(0);
        assert!(
            run.stderr.contains(&format!("warning: {option}: ")) && run.stderr.contains("nowhere"),
            "{}",
            run.all()
        );
    }
}

/// A roster script that failed: the app's alert goes to those of the profile.
#[test]
fn without_a_roster_the_recipients_of_the_profile_count() {
    for options in [&["-u", ""][..], &["-u", " , ", "--to-party", ""]] {
        let scene = Scene::new().profile("main", "to_user = 'lisi'");
        let cmd = scene.env.cmd(["run"]).args(options.iter().copied()).args(["--", "/bin/sh", "-c", "exit 3"]);
        let run = cmd.base_url(&scene.wecom).app_credentials().config(&scene.config).run().assert_code(3);
        assert!(
            run.stderr.contains("warning: --to-user is empty: the recipients of the settings count"),
            "{}",
            run.all()
        );
        assert_eq!(scene.wecom.messages()[0].body["touser"], "lisi");
    }
}

/// What is wrong on the command line is said before anything is run.
#[test]
fn a_wrong_option_is_refused_before_anything_is_run() {
    for (options, said) in [
        (&["--timeout", "5"][..], "--timeout: the duration has no unit"),
        (&["--cooldown", "10"], "--cooldown: the duration has no unit"),
        (&["--jitter", "5"], "--jitter: the duration has no unit"),
        (&["--rate", "5"], "--rate: a rate is expected"),
        (&["--retries", "500"], "--retries: retries is no whole number"),
        (&["--on-long", "fil"], "--on-long: it is none of"),
        (&["--card", "text_notice"], "a text_notice card needs a link"),
        (&["--source", "cron"], "--source is for template cards alone"),
        (&["--filename", "x.txt"], "--filename has no file to name"),
        (&["--profile", "nowhere"], "nowhere"),
        (&["--config", "nowhere.toml"], "nowhere.toml"),
        (&["--ca-file", "nowhere.pem"], "nowhere.pem"),
        (&["--timeout", "$TIMEOUT"], "TIMEOUT was not expanded"),
        (&["--route", "app"], "not set"),
    ] {
        let scene = Scene::new();
        let cmd = scene.env.cmd(["run"]).args(options.iter().copied()).args(["--", "touch", "ran"]);
        let run = cmd.base_url(&scene.wecom).webhook().run().assert_code(2);
        assert!(run.stderr.starts_with("wecom-alert: error[usage]: run") && run.stderr.contains(said), "{}", run.all());
        assert!(run.stderr.contains("(the command was not run)"), "{}", run.all());
        assert!(!has(&scene, "ran"), "{options:?}");
        assert_silent(&scene);
    }
}

/// The settings may hold what an option may not: the file is somebody else's.
#[test]
fn a_wrong_setting_never_stops_the_command() {
    for config in ["timeout = 5", "jitter = '5'", "on_long = 'fil'", "cooldown = '10'"] {
        let scene = Scene::new();
        let cmd = scene.env.cmd(["run", "--", "/bin/sh", "-c", "exit 3"]).base_url(&scene.wecom).webhook();
        let run = cmd.config(config).run().assert_code(3);
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.all());
        assert!(run.stderr.starts_with("wecom-alert: warning: "), "{}", run.all());
        assert_eq!(scene.sends(), 1, "{config}");
    }
}
