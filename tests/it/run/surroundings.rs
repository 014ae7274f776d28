//! `run` where the system has little left, and what of our surroundings the command gets: it runs wherever a shell could
//! run it, and its exit code is ours.

use super::{assert_told, has, number_in, run_command, sh};
use crate::support::{Scene, is_alive, is_root, needs, needs_that, wait_until};

#[test]
fn the_command_runs_with_few_descriptors() {
    for most in 4..=20 {
        let scene = Scene::new();
        let run = sh(&scene, &[], "echo done; exit 5").after(&format!("ulimit -n {most}")).run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(5), "done\n"), "{most}: {}", run.all());
        assert!(!run.stderr.contains("defect"), "{most}: {}", run.stderr);
        // Its end is told by an alert, or why there is none.
        let texts = scene.texts();
        assert!(texts.len() == 1 || run.stderr.contains("error["), "{most}: {texts:?} {}", run.stderr);
        let has_output = texts.iter().any(|text| text.contains("done"));
        assert!(has_output || run.stderr.contains("Too many open files"), "{most}: {texts:?} {}", run.stderr);
    }
}

#[test]
fn a_time_limit_is_kept_with_few_descriptors() {
    let scene = Scene::new();
    // Its end is awaited.
    let run = run_command(&scene, &["--time-limit", "300ms"], &["sleep", "60"]).after("ulimit -n 5").run();
    assert_eq!(run.code, Some(124), "{}", run.all());
}

#[test]
fn a_send_with_few_descriptors_names_the_limit() {
    for most in 4..=8 {
        let scene = Scene::new();
        let run = scene.env.cmd(["webhook-send", "text"]).base_url(&scene.wecom).webhook();
        let run = run.after(&format!("ulimit -n {most}")).run();
        assert!(matches!(run.code, Some(0 | 3 | 7)), "{most}: {}", run.all());
        assert!(run.code == Some(0) || run.stderr.contains("Too many open files"), "{most}: {}", run.stderr);
    }
}

/// One process more than the program itself: there is none for a thread.
#[cfg(target_os = "linux")]
#[test]
fn the_command_runs_where_there_are_no_threads() {
    use std::os::unix::fs::PermissionsExt;
    if !needs_that(is_root(), "root, to become a user with a limit of its own") || !needs("setpriv") {
        return;
    }
    let scene = Scene::new();
    for folder in [scene.env.home(), scene.env.home().parent().unwrap().to_path_buf()] {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let run = sh(&scene, &[], "echo done; exit 5").after("ulimit -u 2");
    let run = run.by_user(48_211, 48_211).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(5), "done\n"), "{}", run.all());
    let text = assert_told(&scene, &["exit code 5"]);
    assert!(text.contains("done") || run.stderr.contains("the output of the command is not in the alert"));
}

#[cfg(target_os = "linux")]
#[test]
fn the_command_runs_in_little_address_space() {
    let scene = Scene::new();
    let run = sh(&scene, &[], "echo done; exit 5").after("ulimit -v 65536").run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(5), "done\n"), "{}", run.all());
    assert_told(&scene, &["exit code 5", "done"]);
}

#[test]
fn secrets_are_inherited_unless_the_environment_is_to_be_clean() {
    let script = "echo \"${WECOM_ALERT_WEBHOOK:+webhook} ${WECOM_ALERT_SECRET:+secret} ${WECOM_ALERT_PROXY:+proxy} \
        ${WECOM_ALERT_BASE_URL:+url} ${WECOM_ALERT_DEADLINE:+deadline} ${OTHER}\"";
    let scene = Scene::new();
    let plain = scene.wecom.base_url();
    let with_login = plain.replace("://", "://user:made-up@");
    // Where the settings are wrong the alert fails; what the command gets is the same.
    for (options, base_url, arrives, expected) in [
        (&[][..], &plain, true, "webhook secret proxy url deadline other\n"),
        (&["--clean-env"], &plain, true, "   url deadline other\n"),
        (&["--clean-env"], &with_login, false, "    deadline other\n"),
        (&["--clean-env"], &format!("{plain}/?key=made-up"), false, "    deadline other\n"),
    ] {
        let scene = Scene::with(crate::support::fake::FakeWecom::start());
        let base_url = base_url.replace(&plain, &scene.wecom.base_url());
        let run = sh(&scene, options, &format!("{script}; exit 5")).env("WECOM_ALERT_BASE_URL", base_url);
        let run = run.env("WECOM_ALERT_SECRET", "made-up").env("WECOM_ALERT_PROXY", "none").env("OTHER", "other");
        let run = run.env("WECOM_ALERT_DEADLINE", "20s").run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(5), expected), "{}", run.stderr);
        if arrives {
            // The alert has its own.
            assert_told(&scene, &["exit code 5"]);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_time_limit_reaches_what_has_a_session_of_its_own() {
    let scene = Scene::new();
    let script = "setsid sh -c 'echo $$ > one; exec sleep 60' & (setsid sh -c 'echo $$ > two; exec sleep 60' &); \
        setsid sh -c 'trap \"\" TERM; (echo $PPID > three; setsid sleep 60 & echo $! > three; wait)' & sleep 60";
    let run = sh(&scene, &["--time-limit", "1s"], script).run();
    assert_eq!(run.code, Some(124), "{}", run.all());
    for name in ["one", "two", "three"] {
        let id = number_in(&scene, name);
        wait_until("the end of the process", || !is_alive(id));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_daemon_outlives_a_command_that_ends_by_itself() {
    let scene = Scene::new();
    let script = "(setsid sh -c 'echo $$ > daemon; touch up; while test ! -e go; do sleep 0.01; done' > /dev/null 2>&1 &); \
        while test ! -e up; do sleep 0.01; done; for i in 1 2 3; do (true &); done; exit 0";
    let run = sh(&scene, &["--time-limit", "1m"], script).run();
    assert_eq!(run.code, Some(0), "{}", run.all());
    let daemon = number_in(&scene, "daemon");
    assert!(is_alive(daemon) && has(&scene, "up"));
    scene.env.file("go", "");
    wait_until("the end of the daemon", || !is_alive(daemon));
}

/// As in a container, where nobody else lets processes go that have ended without a parent.
#[cfg(target_os = "linux")]
#[test]
fn as_the_first_process_it_leaves_no_zombies() {
    let scene = Scene::new();
    let namespace = if is_root() { "unshare" } else { "unshare --map-root-user" };
    let namespace = format!("{namespace} --fork --kill-child --pid --mount-proc");
    let trial = std::process::Command::new("/bin/sh").arg("-c").arg(format!("{namespace} true")).output();
    if !needs_that(trial.is_ok_and(|trial| trial.status.success()), "unshare, and the right to use it") {
        return;
    }
    let orphan = r#"id=$(/bin/sh -c 'sleep 0.05 >/dev/null & echo $!')
        tries=0
        while [ -e "/proc/$id" ] && [ $tries -lt 500 ]; do sleep 0.02; tries=$((tries + 1)); done
        [ ! -e "/proc/$id" ] || exit 9
        exit 3"#;
    let run = sh(&scene, &[], orphan).through(&format!("{namespace} ")).run();
    assert_eq!(run.code, Some(3), "{}", run.all());
    assert_told(&scene, &["exit code 3"]);
}
