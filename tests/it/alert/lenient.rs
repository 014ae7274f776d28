//! What only decorates an alert may be wrong or empty: it goes without that, and a warning says so.

use serde_json::{Value, json};
use wecom_alert::channel::Channel;

use super::{delivered, refused};
use crate::support::{Cmd, HTTP_ROUTES, ROUTES, Scene};

/// The empty variables of scripts.
#[test]
fn an_empty_option_counts_as_not_given() {
    let options = [
        "--url",
        "--picurl",
        "--btntxt",
        "--mention",
        "--mention-mobile",
        "--level",
        "--cooldown",
        "--cooldown-key",
        "--also",
        "--fallback",
        "--title",
        "--prefix",
        "--field",
        "--source",
        "--quote",
        "--jump",
        "--emphasis",
        "--attach",
        "--filename",
        "--timeout",
        "--deadline",
        "--jitter",
        "--rate",
        "--retries",
        "--on-long",
        "--log-file",
        "--if-empty",
        "--encoding",
    ];
    for route in HTTP_ROUTES {
        let scene = Scene::new();
        let is_known = |option: &&&str| route != Channel::App || !option.starts_with("--mention");
        for option in options.iter().filter(is_known) {
            let body = delivered(&scene, option, scene.send(route, &[option, "", "full"]));
            assert_eq!(body, [json!({"msgtype": "text", "text": {"content": "full"}})], "{option}");
        }
    }
    let scene = Scene::new();
    // What decides whom it reaches must be right.
    for option in ["-u", "--to-party", "--to-tag", "-P", "--config", "--base-url", "--corp-id", "--agent-id"] {
        refused(&scene, option, scene.cmd(&["app-send", option, "", "full"]));
    }
}

/// Runs a command that must send with one warning; gives that and what arrived.
#[track_caller]
fn warned(scene: &Scene, cmd: Cmd) -> (String, Vec<Value>) {
    let before = super::bodies(scene).len();
    let run = cmd.run().assert_code(0);
    let told = run.json();
    let [warning] = told["warnings"].as_array().unwrap().as_slice() else { panic!("{}", run.all()) };
    (warning.as_str().unwrap().to_owned(), super::bodies(scene).split_off(before))
}

#[test]
fn a_wrong_decoration_is_left_out() {
    let long = "x".repeat(121);
    let cases: [(&[&str], &str); 12] = [
        (
            &["--level", "sev9"],
            "--level \"sev9\" is not a known level (info, ok, warning, critical): the level is left out",
        ),
        (
            &["--level", "Waring"],
            "--level \"Waring\" is not a known level (info, ok, warning, critical; did you mean warning?)",
        ),
        (
            &["--level", "eror"],
            "--level \"eror\" is not a known level (info, ok, warning, critical; did you mean error?)",
        ),
        (&["--prefix", &long], "--prefix: it has 121 bytes, and at most 120 are allowed: it is left out"),
        (&["--btntxt", "more"], "--btntxt has no link to be the label of: it is left out"),
        (&["--ci=nosuch"], "--ci \"nosuch\" is not a CI system: nothing is added"),
        (&["--ci=gitlab"], "--ci=gitlab: this is not a job of GitLab CI"),
        (&["--cooldown-key", "x"], "--cooldown-key: it needs `cooldown`, which is not set: it is left out"),
        (&["--fallback", "nowhere"], "the fallback cannot be used: "),
        (&["--fallback", ":app"], "--fallback: the profile's name is missing"),
        (&["--also", ":app"], "--also: the profile's name is missing"),
        (&["--picurl", "no picture"], "--picurl must begin with http:// or https://: it is shown as text"),
    ];
    for route in ROUTES {
        let scene = Scene::new();
        for (options, said) in cases {
            let (warning, bodies) = warned(&scene, scene.send(route, options).arg("disk full"));
            assert!(warning.starts_with(said), "{warning}");
            let [body] = bodies.as_slice() else { panic!("{options:?}: {bodies:?}") };
            assert!(body.to_string().contains("disk full"), "{body}");
            // Somebody who looks is told.
            let run = scene.send(route, options).args(["--dry-run", "disk full"]).run();
            assert!(matches!(run.code, Some(2 | 3)), "{options:?}: {}", run.all());
        }
    }
}

#[test]
fn a_link_that_an_app_cannot_open_is_shown_as_text() {
    let scene = Scene::new();
    let (warning, bodies) = warned(&scene, scene.app(&["--title", "T", "--url", "wiki/disk", "full"]));
    assert!(warning.contains("--url must begin with http://"), "{warning}");
    assert!(bodies[0]["markdown"]["content"].as_str().unwrap().contains("link: "), "{bodies:?}");
    // It is the message itself in types that are a link.
    for options in [&["-t", "textcard"][..], &["-t", "news"], &["--card", "text_notice"]] {
        refused(&scene, "needed", scene.app(options).args(["--title", "T", "--url", "wiki/disk", "full"]));
    }
}

#[test]
fn a_mention_that_is_no_id_is_left_out() {
    let scene = Scene::new();
    for (msgtype, found) in [("text", "lisi"), ("markdown", "<@lisi>"), ("news", "lisi")] {
        let options =
            ["-t", msgtype, "--title", "T", "--url", "https://example.com/1", "--mention", "张三,lisi", "full"];
        let (warning, bodies) = warned(&scene, scene.group(&options));
        assert!(warning.starts_with("--mention \"张三\": a userid may hold letters"), "{warning}");
        let all = json!(bodies).to_string();
        assert!(all.contains(found) && !all.contains("张三"), "{all}");
        refused(&scene, msgtype, scene.group(&options).arg("--dry-run"));
    }
    let (warning, bodies) = warned(&scene, scene.group(&["--mention-mobile", "138 0013", "full"]));
    assert!(warning.contains("is not a phone number"), "{warning}");
    assert_eq!(bodies, [json!({"msgtype": "text", "text": {"content": "full"}})]);
}

/// The type that the settings name must be one that a text can have.
#[test]
fn a_wrong_type_in_the_settings_gives_way() {
    for (set, command) in [("markdwn", "webhook-send"), ("textcard", "webhook-send"), ("image", "app-send")] {
        let scene = Scene::new().profile("main", &format!("msgtype = \"{set}\""));
        let (warning, bodies) = warned(&scene, scene.cmd(&[command, "full"]).env("WECOM_ALERT_TO_USER", "zhangsan"));
        assert!(warning.contains("msgtype of profile main") && warning.ends_with("the best type counts"), "{warning}");
        assert_eq!(bodies, [json!({"msgtype": "text", "text": {"content": "full"}})]);
    }
}

/// A target that is not there is named, and the others get the alert.
#[test]
fn a_further_target_that_does_not_exist_is_named() {
    for route in ROUTES {
        let scene = Scene::new();
        let run = scene.send(route, &["--also", "nowhere", "full"]).run().assert_code(6);
        assert!(run.json()["message"].as_str().unwrap().contains("nowhere"), "{}", run.all());
        assert_eq!(scene.texts(), ["full"]);
    }
}

/// What the link, the title or a button was to be is not known: the rest arrives, with all that it says.
#[test]
fn an_alert_whose_type_lacks_an_empty_option_goes_as_another_type() {
    let scene = Scene::new();
    for (options, parts) in [
        (&["-t", "textcard", "--title", "T", "--url", ""][..], &["T", "full"][..]),
        (&["-t", "textcard", "--title", "", "--url", "https://example.test/1"], &["example.test/1", "full"]),
        (&["-t", "news", "--title", "T", "--url", ""], &["T", "full"]),
        (
            &["--card", "text_notice", "--title", "T", "--url", "", "--source", "cron", "--emphasis", "95%=used"],
            &["T", "full", "cron", "95%"],
        ),
        (&["--card", "button_interaction", "--title", "T", "--button", ""], &["T", "full"]),
    ] {
        let (warning, bodies) = warned(&scene, scene.app(options).arg("full"));
        assert!(warning.contains(" needs ") && warning.ends_with(": sent as markdown"), "{warning}");
        let [body] = bodies.as_slice() else { panic!("{options:?}: {bodies:?}") };
        parts.iter().for_each(|part| assert!(body.to_string().contains(part), "{body}"));
        // Somebody who looks is told, and so is who never gave a link.
        refused(&scene, "dry", scene.app(options).args(["--dry-run", "full"]));
        let given: Vec<_> = options.chunks(2).filter(|pair| !pair[1].is_empty()).flatten().copied().collect();
        refused(&scene, "not given", scene.app(&given).arg("full"));
    }
    for (options, said) in [(&["-t", ""][..], "--msgtype"), (&["--card", "", "--source", "cron"], "--card")] {
        let (warning, bodies) = warned(&scene, scene.app(options).arg("full"));
        assert_eq!(warning, format!("{said} is empty: ignored"));
        assert!(bodies[0].to_string().contains("full"), "{bodies:?}");
    }
}
