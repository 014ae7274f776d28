//! The program that is run: what it gets, what it must not get, and how it fails.

use std::fs;

use super::{command, listen, scene, script, send_card, started, wait_for_face};
use crate::support::fake::{AIBOT_SECRET, SECRET};
use crate::support::fake::{CALLBACK_AES_KEY, CALLBACK_TOKEN};
use crate::support::{is_alive, wait_for};

#[test]
fn it_has_the_event_in_variables_and_no_credentials() {
    let scene = scene();
    let program = script(&scene, "act", "env > \"$HOME/env\"; echo told on stderr >&2; echo done");
    let cmd = command(&scene, &["listen", "--http", "127.0.0.1:0", "--", &program])
        .env("WECOM_ALERT_SECRET", SECRET)
        .env("WECOM_ALERT_AIBOT_SECRET", AIBOT_SECRET)
        .env("WECOM_ALERT_CALLBACK_TOKEN", CALLBACK_TOKEN)
        .env("WECOM_ALERT_CALLBACK_AES_KEY", CALLBACK_AES_KEY)
        .env("NOTIFY_SOCKET", "/nonexistent")
        .env("PLAIN", "stays");
    let listening = started(&scene, cmd);
    send_card(&scene, "t-1");
    listening.callback(&scene).press("t-1", "mute", "lisi");
    wait_for_face(&scene, 0, "zhangsan", "done");
    let env = fs::read_to_string(scene.env.home().join("env")).unwrap();
    for line in [
        "WECOM_ALERT_EVENT_KEY=mute",
        "WECOM_ALERT_EVENT_TASK_ID=t-1",
        "WECOM_ALERT_EVENT_USERID=lisi",
        "WECOM_ALERT_EVENT_CHANNEL=app",
        "PLAIN=stays",
    ] {
        assert!(env.lines().any(|known| known == line), "{line}: {env}");
    }
    for secret in [SECRET, AIBOT_SECRET, CALLBACK_TOKEN, CALLBACK_AES_KEY, "NOTIFY_SOCKET"] {
        assert!(!env.contains(secret), "{env}");
    }
    let (_, told) = listening.stop();
    assert!(told.contains("told on stderr\n"), "{told}");
}

#[test]
fn a_failure_is_told_on_the_card_and_on_stderr() {
    let scene = scene();
    let program = script(
        &scene,
        "act",
        "case $WECOM_ALERT_EVENT_TASK_ID in\n\
         fails) echo no route to web-3; exit 3;;\nkilled) kill -9 $$;;\n\
         hangs) sleep 3600 & echo $! > \"$HOME/left\"; sleep 3600;;\ngone) rm \"$0\";; esac",
    );
    let listening = listen(&scene, &["--exec-timeout", "1s", "--", &program]);
    for (number, (task_id, on_card, on_stderr)) in [
        ("fails", "failed: exit code 3: no route to web-3", "it failed with exit code 3"),
        ("killed", "killed by SIGKILL", "it was killed by SIGKILL"),
        ("hangs", "timed out after 1", "it was ended at its time limit of 1"),
        ("gone", "✓ zhangsan", ""),
        ("nothing", "could not be started", "it cannot be started"),
    ]
    .into_iter()
    .enumerate()
    {
        send_card(&scene, task_id);
        assert!(listening.callback(&scene).press(task_id, "ack", "zhangsan").is_taken());
        wait_for_face(&scene, number, "lisi", on_card);
        listening.wait_for_stderr(on_stderr);
    }
    let left = fs::read_to_string(scene.env.home().join("left")).unwrap().trim().parse().unwrap();
    wait_for("the end of what it started", || (!is_alive(left)).then_some(()));
    listening.stop();
}

#[test]
fn what_it_says_is_shown_as_one_harmless_line() {
    let scene = scene();
    let program = script(&scene, "act", "printf 'a\\033[31mb\\tc\\377 token-of-the-test %0300d\\n' 7; exec sleep 0");
    let cmd = command(&scene, &["listen", "--http", "127.0.0.1:0", "--", &program]);
    let listening = started(&scene, cmd);
    send_card(&scene, "t-1");
    listening.callback(&scene).press("t-1", "ack", "zhangsan");
    let seen = wait_for_face(&scene, 0, "lisi", "token-of-the-test");
    let text = seen["sub_title_text"].as_str().unwrap();
    let said = text.split('\n').nth(1).unwrap();
    assert!(said.starts_with("a [31mb c\u{fffd} token") && said.ends_with('…'), "{said}");
    assert!(said.chars().count() <= 201, "{said}");
    listening.stop();
}

#[test]
fn so_many_run_at_a_time() {
    let scene = scene();
    let program = script(
        &scene,
        "act",
        "mkdir \"$HOME/$$.running\"; ls -d \"$HOME\"/*.running | wc -l >> \"$HOME/most\"; sleep 0.2; rmdir \"$HOME/$$.running\"; echo done",
    );
    let listening = listen(&scene, &["--jobs", "2", "--", &program]);
    for number in 0..8 {
        send_card(&scene, &format!("t-{number}"));
    }
    for number in 0..8 {
        listening.callback(&scene).press(&format!("t-{number}"), "ack", "zhangsan");
    }
    for number in 0..8 {
        wait_for_face(&scene, number, "lisi", "done");
    }
    let most = fs::read_to_string(scene.env.home().join("most")).unwrap();
    let most: Vec<usize> = most.lines().map(|line| line.trim().parse().unwrap()).collect();
    assert!(most.len() == 8 && most.iter().all(|count| *count <= 2), "{most:?}");
    listening.stop();
}
