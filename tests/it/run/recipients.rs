//! Whom the alert of a run reaches: what cannot be reached is told, and never keeps the command from running.

use serde_json::Value;

use crate::document::warnings;
use crate::support::fake::{AGENT_ID, CHAT_ID, CORP_ID, Endpoint, SECRET, WEBHOOK_KEY};
use crate::support::{Run, Scene};

/// The credentials of both routes.
fn both() -> String {
    format!("corp_id = '{CORP_ID}'\nagent_id = {AGENT_ID}\nsecret = '{SECRET}'\nwebhook = '{WEBHOOK_KEY}'")
}

/// A failing command, by the config file alone.
fn run(scene: &Scene, options: &[&str]) -> Run {
    let args = [&["run", "--output", "json"][..], options, &["--", "/bin/sh", "-c", ": > ran; exit 3"]].concat();
    scene.bare(&args).base_url(&scene.wecom).run()
}

#[test]
fn recipients_that_the_channel_does_not_reach_are_named() {
    for (options, named, other, endpoint) in [
        (
            &["--chat", CHAT_ID, "-u", "zhangsan"][..],
            "--to-user is left out: the alert goes by chat;",
            "app",
            Endpoint::AppchatSend,
        ),
        (
            &["--chat", CHAT_ID, "--to-party", "2", "--to-mobile", "13800000001"],
            "--to-party, --to-mobile are left out: the alert goes by chat;",
            "app",
            Endpoint::AppchatSend,
        ),
        (
            &["--route", "app", "--chat", CHAT_ID],
            "--chat is left out: the alert goes by app;",
            "chat",
            Endpoint::MessageSend,
        ),
        (
            &["--route", "webhook", "--chat", CHAT_ID],
            "--chat is left out: the alert goes by webhook;",
            "chat",
            Endpoint::WebhookSend,
        ),
        (
            &["--route", "webhook", "-u", "zhangsan"],
            "--to-user is left out: the alert goes by webhook;",
            "app",
            Endpoint::WebhookSend,
        ),
    ] {
        let scene = Scene::new().profile("ops", &format!("{}\nto_user = 'zhangsan'", both()));
        let ran = run(&scene, options).assert_code(3);
        let told = ran.json();
        let wanted = format!("{named} to reach both, set them in a profile and add it, as in --also ops:{other}");
        assert_eq!(warnings(&told), [wanted.as_str()], "{}", ran.all());
        assert_eq!((told["status"].as_str(), scene.sends(), scene.wecom.count(endpoint)), (Some("sent"), 1, 1));
        // It is said before the command runs, and on a good day too.
        let text = [&["run"][..], options, &["--", "/bin/sh", "-c", "echo job >&2"]].concat();
        let ran = scene.bare(&text).base_url(&scene.wecom).run().assert_code(0);
        assert_eq!(ran.stderr, format!("wecom-alert: warning: {wanted}\njob\n"));
        assert_eq!(scene.sends(), 1);
    }
}

#[test]
fn recipients_that_any_target_takes_are_no_warning() {
    let ops = format!("{}\nchat = '{CHAT_ID}'", both());
    for options in [
        &["--chat", CHAT_ID, "-u", "zhangsan", "--also", "ops:app"][..],
        &["--route", "app", "-u", "zhangsan", "--also", "ops:chat"],
        &["-u", "zhangsan", "--also", "ops:chat"],
    ] {
        let scene = Scene::new().profile("ops", &ops);
        let told = run(&scene, options).assert_code(3).json();
        assert_eq!(
            (told["status"].as_str(), &told["warnings"]),
            (Some("sent"), &Value::from(Vec::<Value>::new())),
            "{told}"
        );
        assert_eq!(
            scene.wecom.messages()[0].body["touser"].as_str().or(scene.wecom.messages()[1].body["touser"].as_str()),
            Some("zhangsan")
        );
        assert_eq!(scene.wecom.count(Endpoint::AppchatSend), 1, "{told}");
    }
    // A profile's own recipients count there, and the option's are told to be left out.
    let scene = Scene::new().profile("ops", &format!("{ops}\nto_user = 'lisi'"));
    let told = run(&scene, &["--chat", CHAT_ID, "-u", "zhangsan", "--also", "ops:app"]).assert_code(3).json();
    assert!(warnings(&told)[0].starts_with("--to-user is left out: "), "{told}");
}

/// A mistyped key or variable may be what was to give the channel its recipients: the option is right.
#[test]
fn a_mistyped_recipient_never_stops_the_command() {
    for (route, key, variable, nearest) in [
        ("app", "to_moblie = '13800000001'", "", "to_mobile"),
        ("chat", "chta = 'oncall'", "", "chat"),
        ("app", "to_user_command = 'duty'", "", "to_user_command"),
        ("app", "", "WECOM_ALERT_TO_USR", "WECOM_ALERT_TO_USER"),
        ("chat", "", "WECOM_ALERT_CHTA", "WECOM_ALERT_CHAT"),
    ] {
        let scene = Scene::new().profile("ops", &format!("{}\n{key}", both()));
        let args = ["run", "--route", route, "--", "/bin/sh", "-c", ": > ran; echo job >&2; exit 3"];
        let cmd = scene.bare(&args).base_url(&scene.wecom);
        let cmd = if variable.is_empty() { cmd } else { cmd.env(variable, "zhangsan") };
        let ran = cmd.run().assert_code(3);
        assert!(super::has(&scene, "ran"), "{}", ran.all());
        let before = ran.stderr.split_once("job\n").unwrap().0;
        assert!(before.contains(nearest) && before.contains("nobody would be told of its failure"), "{}", ran.all());
        assert!(
            ran.stderr.ends_with(" (nobody was told of the failure)\n") || ran.stderr.contains(NOBODY),
            "{}",
            ran.all()
        );
        assert_eq!(scene.sends(), 0);
    }
    // Without a mistake in the settings the words are plainly wrong.
    for route in ["app", "chat"] {
        let scene = Scene::new().profile("ops", &both());
        let ran = run(&scene, &["--route", route]).assert_code(2);
        assert!(!super::has(&scene, "ran"), "{}", ran.all());
    }
    // Who may read the file is another matter.
    let scene = Scene::new();
    let file = scene.env.file("exposed.toml", format!("[profiles.ops]\n{}", both()));
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    scene.bare(&["--config", "exposed.toml", "run", "--route", "app", "--", "true"]).run().assert_code(2);
    // Another mistake in the options is refused all the same.
    let scene = Scene::new().profile("ops", &format!("{}\nto_usr = 'zhangsan'", both()));
    run(&scene, &["--route", "webhook", "--card", "text_notice"]).assert_code(2);
    assert!(!super::has(&scene, "ran"));
}

/// What follows where the alert could not go out.
const NOBODY: &str = "(nobody was told of the failure)";
