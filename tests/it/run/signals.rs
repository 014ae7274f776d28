//! Signals are the command's: they are handed on, and we live until it has ended.

use std::fs::File;

use super::{assert_says_only, assert_silent, assert_told, has, number_in, run_command, sh};
use crate::second_signal::{ended_by, ended_by_each, full_pipe, is_written};
use crate::support::fake::{Endpoint, Reply};
use crate::support::{Cmd, Scene, at_once, is_alive, make_fifo, send_signal, wait_until};

#[test]
fn signals_are_handed_on() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131), ("USR1", 138)] {
        let scene = Scene::new();
        let running = sh(&scene, &[], "echo $$ > id; exec sleep 60").leads_group().spawn();
        let id = number_in(&scene, "id");
        send_signal(signal, running.id());
        // A dump of core is none of our business, but some shells tell of it.
        assert_eq!(running.wait().code, Some(code), "{signal}");
        assert!(!is_alive(id), "{signal}");
        assert_told(&scene, &[&format!("sh killed by SIG{signal}")]);
    }
}

#[test]
fn a_command_may_end_in_its_own_time() {
    let scene = Scene::new();
    let script = "trap 'echo asked; touch asked; until test -e go; do sleep 0.01; done; exit 7' TERM; \
                  touch begun; while :; do sleep 0.01; done";
    let running = sh(&scene, &[], script).leads_group().spawn();
    wait_until("the command to begin", || has(&scene, "begun"));
    send_signal("TERM", running.id());
    wait_until("the signal to reach the command", || has(&scene, "asked"));
    assert_silent(&scene);
    scene.env.file("go", "");
    assert_says_only(&running.wait(), 7, "asked\n", "");
    assert_told(&scene, &["exit code 7"]);
}

#[test]
fn a_command_may_take_a_signal_for_something_else() {
    let scene = Scene::new();
    let script = "trap 'echo reloaded; touch reloaded' HUP; touch begun; until test -e go; do sleep 0.01; done";
    let running = sh(&scene, &[], script).leads_group().spawn();
    wait_until("the command to begin", || has(&scene, "begun"));
    send_signal("HUP", running.id());
    wait_until("the signal to reach the command", || has(&scene, "reloaded"));
    scene.env.file("go", "");
    assert_says_only(&running.wait(), 0, "reloaded\n", "");
    assert_silent(&scene);
}

/// The command belongs to our group, as it would without us.
#[test]
fn killing_the_process_group_kills_the_command() {
    let scene = Scene::new();
    let running = sh(&scene, &[], "echo $$ > id; exec sleep 60").leads_group().spawn();
    let id = number_in(&scene, "id");
    send_signal("KILL", -i64::from(running.id()));
    assert_eq!(running.wait().code, None);
    wait_until("the end of the process", || !is_alive(id));
}

/// With a time limit the command leads a group of its own: what is meant for us reaches all of it.
#[test]
fn a_group_gets_signals_as_a_whole() {
    let scene = Scene::new();
    let script = "sleep 60 & echo $! > other; wait";
    let running = sh(&scene, &["--time-limit", "1m"], script).leads_group().spawn();
    let other = number_in(&scene, "other");
    send_signal("TERM", -i64::from(running.id()));
    assert_eq!(running.wait().code, Some(143));
    wait_until("the end of the process", || !is_alive(other));
}

/// As with nohup: what was ignored when we were started is ignored by the command, too.
#[cfg(target_os = "linux")]
#[test]
fn an_ignored_signal_stays_ignored_by_the_command() {
    let scene = Scene::new();
    let binary = env!("CARGO_BIN_EXE_wecom-alert");
    let inner = "trap \"touch heard\" USR1; touch begun; until test -e heard; do sleep 0.01; done; echo well";
    let outer = format!("trap '' HUP; exec {binary} run -- /bin/sh -c '{inner}'");
    let running = run_command(&scene, &[], &["/bin/sh", "-c", &outer]).leads_group().spawn();
    wait_until("the command to begin", || has(&scene, "begun"));
    // They are handed on one after the other.
    send_signal("HUP", running.id());
    send_signal("USR1", running.id());
    // The outer one hands it on to the inner one, which does not hear it.
    assert_says_only(&running.wait(), 0, "well\n", "");
}

#[test]
fn a_signal_while_the_alert_is_under_way_ends_only_that() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let running = sh(&scene, &[], "exit 3").leads_group().spawn();
    wait_until("the request", || scene.wecom.count(Endpoint::WebhookSend) == 1);
    send_signal("TERM", running.id());
    let run = running.wait();
    assert_eq!(run.code, Some(3), "{}", run.all());
    assert!(run.stderr.starts_with("wecom-alert: error[interrupted]: run: stopped by SIGTERM"), "{}", run.all());
}

/// As when a service is stopped or a terminal says Ctrl-C: the same signal comes to all, to us a little later than to the
/// command that it ends. Which of the two is first is chance: so often that one would be lost.
#[test]
fn a_signal_to_the_whole_group_does_not_stop_the_alert() {
    let scene = Scene::new();
    at_once(0..24, |at| {
        let script = format!("echo $$ > id-{at}; exec sleep 60 >&- 2>&-");
        let running = sh(&scene, &["--rate", "off"], &script).leads_group().spawn();
        number_in(&scene, &format!("id-{at}"));
        send_signal("TERM", -i64::from(running.id()));
        assert_says_only(&running.wait(), 143, "", "");
    });
    assert_eq!(scene.texts().len(), 24);
}

/// A shell starts what it puts behind with SIGINT ignored. That is meant for the alert as well.
#[cfg(target_os = "linux")]
#[test]
fn an_ignored_signal_does_not_stop_the_alert() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let inner = "run -t text --retries 0 --timeout 3s -- false";
    let outer = format!("trap '' INT; echo $$ > id; exec {} {inner}", env!("CARGO_BIN_EXE_wecom-alert"));
    let running = sh(&scene, &["--on", "success"], &outer).leads_group().spawn();
    let id = number_in(&scene, "id");
    wait_until("the request", || scene.wecom.count(Endpoint::WebhookSend) == 1);
    send_signal("INT", id);
    let run = running.wait();
    assert_eq!(run.code, Some(1), "{}", run.all());
    assert!(run.stderr.starts_with("wecom-alert: error[unknown]: run: "), "{}", run.all());
}

/// `run` with its report to that stdout; what is logged is logged right before it.
fn report_to(scene: &Scene, stdout: &File, options: &[&str], script: &str) -> Cmd {
    let options = [&["--output", "json", "--log-file", "log"], options].concat();
    sh(scene, &options, script).stdout_into(stdout).leads_group()
}

#[test]
fn after_the_end_of_the_command_signals_have_their_usual_effect() {
    for signal in ["HUP", "QUIT", "USR1", "USR2", "INT", "TERM"] {
        let scene = Scene::new();
        let (_reader, stdout) = full_pipe();
        let log = scene.env.home().join("log");
        let running = report_to(&scene, &stdout, &[], "exit 3").spawn();
        let ended = ended_by_each(running, &[(signal, &|| is_written(&log))]);
        assert_eq!(ended, Some(format!("SIG{signal}")));
        assert_told(&scene, &["exit code 3"]);
    }
}

#[test]
fn a_command_that_cannot_be_started_leaves_signals_as_they_are() {
    for signal in ["HUP", "TERM"] {
        let scene = Scene::new();
        let (_reader, stdout) = full_pipe();
        let log = scene.env.home().join("log");
        let running =
            run_command(&scene, &["--output", "json", "--log-file", "log"], &["./missing"]).stdout_into(&stdout);
        let ended = ended_by_each(running.spawn(), &[(signal, &|| is_written(&log))]);
        assert_eq!(ended, Some(format!("SIG{signal}")));
    }
}

#[test]
fn while_the_alert_is_under_way_a_hangup_ends_it() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let running = sh(&scene, &[], "exit 3").leads_group().spawn();
    let is_sent = || scene.wecom.count(Endpoint::WebhookSend) == 1;
    assert_eq!(ended_by_each(running, &[("HUP", &is_sent)]), Some("SIGHUP".to_owned()));
}

/// Those that come right after the end are the command's, so it is told more than once.
#[test]
fn while_the_rest_of_the_output_is_passed_on_a_hangup_ends_it() {
    let scene = Scene::new();
    let (_reader, stdout) = full_pipe();
    let running = report_to(&scene, &stdout, &[], "echo more; echo $$ > id; exit 3").spawn();
    let (id, own) = (number_in(&scene, "id"), running.id());
    wait_until("the end of the process", || !is_alive(id));
    assert_eq!(ended_by(running, || send_signal("HUP", own)), Some("SIGHUP".to_owned()));
    assert_silent(&scene);
}

#[test]
fn a_second_signal_ends_the_passing_on_of_output_that_nobody_reads() {
    let scene = Scene::new();
    let (_reader, stdout) = full_pipe();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let is_sent = || scene.wecom.count(Endpoint::WebhookSend) == 1;
    let log = scene.env.home().join("log");
    let running = report_to(&scene, &stdout, &["--timeout", "1m"], "echo more; exit 3").spawn();
    let ended = ended_by_each(running, &[("TERM", &is_sent), ("TERM", &|| is_written(&log))]);
    assert_eq!(ended, Some("SIGTERM".to_owned()));
}

/// The first one ends only the passing on, the next one the report that has no room either.
#[test]
fn signals_end_the_passing_on_and_then_the_report() {
    let scene = Scene::new();
    let (_reader, stdout) = full_pipe();
    let running = report_to(&scene, &stdout, &[], "echo more; exit 3").spawn();
    let own = running.id();
    let ended = ended_by(running, || {
        if !scene.texts().is_empty() {
            send_signal("TERM", own);
        }
    });
    assert_eq!(ended, Some("SIGTERM".to_owned()));
}

#[cfg(target_os = "linux")]
#[test]
fn an_ignored_signal_stays_ignored_after_the_end_of_the_command() {
    for signal in ["HUP", "INT"] {
        let scene = Scene::new();
        let (reader, stdout) = full_pipe();
        let log = scene.env.home().join("log");
        let running = report_to(&scene, &stdout, &[], "exit 3").ignoring(signal).spawn();
        let own = running.id();
        drop(stdout);
        let mut reader = Some(reader);
        let ended = ended_by(running, || {
            if is_written(&log)
                && let Some(mut reader) = reader.take()
            {
                send_signal(signal, own);
                std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
            }
        });
        assert_eq!(ended, None, "{signal}");
    }
}

/// Those whom the command has started get signals as long as they have time to end.
#[test]
fn the_rest_of_a_timed_out_group_gets_signals() {
    let scene = Scene::new();
    let script = "(trap '' TERM; exec sleep 60) & echo $! > other; echo $$ > id; exec sleep 60";
    let running = sh(&scene, &["--time-limit", "1s"], script).leads_group().spawn();
    let (id, other) = (number_in(&scene, "id"), number_in(&scene, "other"));
    wait_until("the end of the process", || !is_alive(id));
    assert!(is_alive(other));
    send_signal("HUP", running.id());
    assert_eq!(running.wait().code, Some(124));
    assert!(!is_alive(other));
    assert_told(&scene, &["timed out after 1s", "ended by: SIGTERM"]);
}

/// Between the command's end and the alert, while the settings are read: what the command ended with is not lost.
#[test]
fn a_signal_after_the_commands_end_interrupts_the_alert() {
    let scene = Scene::new();
    let config = scene.env.home().join("slow.toml");
    make_fifo(&config);
    let cmd = sh(&scene, &["--output", "json", "--config", config.to_str().unwrap()], "touch ended; exit 3");
    let running = cmd.spawn();
    // It opens only when our side reads it.
    let file = std::fs::OpenOptions::new().write(true).open(&config).unwrap();
    assert!(has(&scene, "ended"));
    send_signal("TERM", running.id());
    drop(file);
    let run = running.wait();
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stdout.contains("\"status\":\"interrupted\""), "{}", run.stdout);
    assert_silent(&scene);
}
