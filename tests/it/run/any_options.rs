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
    assert_told(&scene, &["attachment: \"pipe\" is not a regular file, and nothing came from it for 1s"]);
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

/// What only decorates is left out; the configured recipients are used where a roster script gave none.
#[test]
fn what_only_decorates_may_be_wrong() {
    for (options, told, said) in [
        (&["--mention", ""][..], "", ""),
        (&["--level", ""], "[CRITICAL]", ""),
        (&["--level", "sideways"], "[CRITICAL]", "--level \"sideways\" is not a known level"),
        (&["--mention", "张三"], "", "--mention \"张三\": a userid may hold"),
        (&["--ci=nosuch"], "", "--ci \"nosuch\" is not a CI system"),
        (&["--fallback", "nowhere"], "", "the fallback cannot be used: --fallback: "),
        (&["--also", "nowhere"], "", "error[partial]: run: 1 of 2 targets were reached; nowhere"),
        (&["-u", ""], "", "--to-user is empty: the configured recipients are used"),
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
            run.stderr.contains("warning: --to-user is empty: the configured recipients are used"),
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
        (&["--retries", "500"], "--retries: retries is not a whole number"),
        (&["--on-long", "fil"], "--on-long: it is not auto"),
        (&["--card", "text_notice"], "a text_notice card needs a link"),
        (&["--source", "cron"], "--source is only for template cards"),
        (&["--filename", "x.txt"], "--filename has no file to name"),
        (&["--timeout", "$TIMEOUT"], "TIMEOUT was not expanded"),
        (&["--route", "app"], "not set"),
    ] {
        let scene = Scene::new();
        let cmd = scene.env.cmd(["run"]).args(options.iter().copied()).args(["--", "touch", "ran"]);
        let run = cmd.base_url(&scene.wecom).webhook().run().assert_code(2);
        assert!(run.stderr.starts_with("wecom-alert: error[usage]: run") && run.stderr.contains(said), "{}", run.all());
        let first = run.stderr.lines().next().unwrap();
        assert!(first.contains(": run: the command was not run: "), "{}", run.all());
        assert!(!has(&scene, "ran"), "{options:?}");
        assert_silent(&scene);
    }
}

/// The shell takes an empty variable that is not in quotes away, and the next word may be taken for its value.
#[test]
fn the_hint_asks_whether_a_variable_is_empty() {
    let quoted = "is a variable empty? quote it, and it is ignored: --mention \"$VARIABLE\"";
    for (words, hint) in [
        (&["--mention", "--", "touch", "ran"][..], quoted),
        (&["--mention", "--title", "Backup", "--", "touch", "ran"], quoted),
        (&["--on", "--", "touch", "ran"], "is a variable empty? quote it, and it is ignored: --on "),
        (&["--"], "is a variable empty? the command goes after --"),
    ] {
        let scene = Scene::new();
        let run = scene.cmd(&["run", "--output", "text"]).args(words.iter().copied()).run().assert_code(2);
        assert!(run.stderr.starts_with("wecom-alert: error[usage]: run: the command was not run: "), "{}", run.all());
        assert!(run.stderr.lines().nth(1).unwrap().starts_with(&format!("hint: {hint}")), "{}", run.all());
        assert!(!has(&scene, "ran"));
        assert_silent(&scene);
    }
    // A program whose name is empty is a failed command like any other: its alert goes out.
    let scene = Scene::new();
    let run = super::run_command(&scene, &[], &["", "--all"]).run().assert_code(127);
    assert!(run.stderr.starts_with("wecom-alert: run: '' could not be started: "), "{}", run.all());
    assert!(run.stderr.contains("the name of the program is empty: is a variable empty?"), "{}", run.all());
    assert_told(&scene, &["'' could not be started", "is a variable empty?"]);
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

/// A profile with a webhook, and one that `--also` may name.
const TWO_PROFILES: &str = "webhook = '00000000-0000-4000-8000-000000000001'";

/// What the command said stands on the second line, so what was warned about was said before it ran, and not again.
#[track_caller]
fn assert_warned_before(run: &crate::support::Run, said: &str) {
    let lines: Vec<_> = run.stderr.lines().collect();
    let is_warning = lines[0].starts_with("wecom-alert: warning: ") && lines[0].contains(said);
    assert!(is_warning && lines[1] == "job", "{}", run.all());
    assert_eq!(run.stderr.matches("warning: ").count(), 1, "{}", run.all());
}

/// A file or a profile may have gone since the crontab was written.
#[test]
fn a_file_that_is_gone_does_not_stop_the_command() {
    let by_environment = "the credentials of the environment are used; ";
    for (options, config, said) in [
        (&["--config", "nowhere.toml"][..], "", &["there is no file nowhere.toml: ", by_environment][..]),
        (&["--profile", "nowhere"], "", &["no config file to take profile `nowhere` from: ", by_environment]),
        (&["--profile", "opps"], "[profiles.ops]", &["no profile `opps` in ", by_environment, "the nearest is `ops`"]),
        (&[], "default_profile = 'opps'\n[profiles.ops]", &[by_environment, "the nearest is `ops`"]),
        (&[], "rate = ", &["the config file is not valid TOML: ", by_environment]),
        (&[], "[profiles.ops]\nrates = '5/1m'", &["the nearest known key is `rate`: it is left out"]),
        (
            &["--ca-file", "nowhere.pem"],
            "",
            &["the CA file nowhere.pem cannot be used: ", "only the system's certificates"],
        ),
        (&["--ca-file", "."], "", &["the CA file . cannot be used: "]),
        (&["--ca-file", "junk.pem"], "", &["holds no PEM certificate: only the system's certificates are used"]),
        (&[], "ca_file = 'nowhere.pem'", &["nowhere.pem cannot be used: ", "only the system's certificates"]),
    ] {
        for code in [0, 3] {
            let scene = Scene::new();
            scene.env.file("junk.pem", "junk");
            let cmd = sh(&scene, options, &format!("echo job >&2; exit {code}"));
            let cmd = if config.is_empty() { cmd } else { cmd.config(config) };
            let run = cmd.run().assert_code(code);
            said.iter().for_each(|said| assert_warned_before(&run, said));
            assert_eq!(run.stderr.lines().count(), 2, "{}", run.all());
            if code == 0 { assert_silent(&scene) } else { drop(assert_told(&scene, &["exit code: 3"])) }
        }
    }
}

/// Nothing says whom it would reach: that is told before the command runs, and after its failure again, as an error.
#[test]
fn without_a_target_the_command_runs_and_nobody_is_alerted() {
    let ops = format!("[profiles.ops]\n{TWO_PROFILES}");
    let broken = format!("{ops}\nrate = ");
    for (options, config, said) in [
        (&["--config", "nowhere.toml"][..], "", "--config: there is no file nowhere.toml"),
        (&["--profile", "opps"], &ops, "--profile: there is no profile `opps` in "),
        (&[], &broken, "the config file is not valid TOML: "),
    ] {
        let scene = Scene::new();
        let args = ["--", "/bin/sh", "-c", "echo job >&2; exit 3"];
        let cmd = scene.env.cmd(["run"]).args(options.iter().copied()).args(args).base_url(&scene.wecom);
        let run = if config.is_empty() { cmd } else { cmd.config(config) }.run().assert_code(3);
        assert_warned_before(&run, "nobody would be told of its failure");
        assert_warned_before(&run, said);
        let after = run.stderr.split_once("job\n").unwrap().1;
        assert!(after.starts_with("wecom-alert: error[config]: run") && after.contains(said), "{}", run.all());
        assert!(after.ends_with(" (nobody was told of the failure)\n"), "{}", run.all());
        assert_eq!(after.lines().count(), 2, "{}", run.all());
        assert_silent(&scene);
    }
}

/// A profile of `--also` or `--fallback` never takes the credentials of the environment.
#[test]
fn a_further_target_that_is_gone_is_told_before_the_command_runs() {
    for option in ["--also", "--fallback"] {
        let scene = Scene::new().profile("ops", TWO_PROFILES);
        let run_by_file = |script: &str| {
            let cmd = scene.bare(&["run", "-t", "text", "-P", "ops", option, "oops", "--", "/bin/sh", "-c", script]);
            cmd.base_url(&scene.wecom).run()
        };
        let run = run_by_file("echo job >&2").assert_code(0);
        assert_warned_before(&run, &format!("{option}: there is no profile `oops` in "));
        let run = run_by_file("exit 3").assert_code(3);
        assert_told(&scene, &["exit code: 3"]);
        assert_eq!(run.stderr.matches("an alert would not reach it").count(), 1, "{}", run.all());
    }
}

/// Where somebody reads the errors, an unknown key is one; a run tells what it can.
#[test]
fn an_unknown_key_costs_no_alert_of_a_run() {
    let scene = Scene::new().profile("ops", &format!("{TWO_PROFILES}\ntitel = 'T'\ntitle = 'Nightly'"));
    let run = scene.bare(&["run", "--output", "json", "--", "/bin/sh", "-c", "exit 3"]).base_url(&scene.wecom).run();
    let warnings = run.assert_code(3).json()["warnings"].clone();
    assert_eq!(warnings.as_array().unwrap().len(), 1, "{warnings}");
    assert!(warnings[0].as_str().unwrap().contains("`titel` of profile ops; the nearest known key is `title`"));
    assert!(scene.wecom.messages()[0].body.to_string().contains("Nightly"));
    for args in [&["run", "--dry-run", "--", "true"][..], &["webhook-send", "x"], &["check"]] {
        let run = scene.bare(args).base_url(&scene.wecom).run().assert_code(3);
        assert!(run.all().contains("unknown key `titel`"), "{}", run.all());
    }
    assert_eq!(scene.sends(), 1);
}

/// A variable in the script may be empty: what would be missed is told before the command runs.
#[test]
fn an_empty_option_counts_as_not_given() {
    let telling = ["-t", "-P", "--proxy", "--base-url", "--ca-file", "--config", "--on", "--route", "--tail-lines"];
    let more = ["--time-limit", "--card", "--corp-id", "--agent-id"];
    for option in telling.into_iter().chain(more) {
        let scene = Scene::new();
        let cmd = scene.env.cmd(["run", option, "", "--", "/bin/sh", "-c", "echo job >&2; exit 3"]);
        let run = cmd.base_url(&scene.wecom).webhook().run().assert_code(3);
        assert_warned_before(&run, " is empty: ignored");
        assert_eq!(scene.sends(), 1, "{option}");
        let cmd = scene.env.cmd(["run", "--dry-run", option, "", "--", "touch", "ran"]);
        let run = cmd.base_url(&scene.wecom).webhook().run().assert_code(2);
        assert!(run.stderr.contains("the value is empty"), "{}", run.all());
        assert_eq!(scene.sends(), 1, "{option}");
    }
    for option in ["--also", "--fallback"] {
        let scene = Scene::new();
        let run = sh(&scene, &[option, ""], "exit 3").run().assert_code(3);
        let told = format!("wecom-alert: warning: {option} is empty: ignored\n");
        assert_eq!(run.stderr, told, "{}", run.all());
        let sent = scene.env.cmd(["webhook-send", option, "", "text"]).base_url(&scene.wecom).webhook().run();
        assert_eq!((sent.code, sent.stderr), (Some(0), told), "{option}");
        assert_eq!(scene.sends(), 2, "{option}");
    }
    for option in ["--output", "--button", "--option", "--ci=", "--attach", "--name", "--mention"] {
        let scene = Scene::new();
        let value = if option.ends_with('=') { &[][..] } else { &[""] };
        let run = sh(&scene, &[&[option], value].concat(), "exit 3").run();
        super::assert_says_only(&run, 3, "", "");
        assert_told(&scene, &["exit code: 3"]);
    }
}

/// The alert goes as what can be made without the link.
#[test]
fn a_card_whose_link_is_empty_goes_as_another_type() {
    for (options, said) in [
        (&["--card", "text_notice", "--url", ""][..], "a text_notice card needs a link: sent as markdown"),
        (&["--card", "news_notice", "--url", "http://x.test/1", "--picurl", ""], "needs a picture: sent as markdown"),
        (&["-t", "news", "--url", ""], "an article needs a link: sent as markdown"),
    ] {
        let scene = Scene::new();
        let cmd = scene.env.cmd(["run"]).args(options.iter().copied()).args(["--", "/bin/sh", "-c", "exit 3"]);
        let run = cmd.base_url(&scene.wecom).webhook().run().assert_code(3);
        assert!(run.stderr.contains(said) && run.stderr.lines().count() == 1, "{}", run.all());
        assert!(assert_told(&scene, &["exit code: 3"]).contains("failed: exit code 3"));
    }
}
