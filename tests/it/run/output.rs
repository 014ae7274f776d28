//! What the command reads and writes: the same bytes as without us, while they come.

use std::fs::{self, File};
use std::io::{Read, Write};

use super::{assert_says_only, assert_silent, assert_told, has, number_in, run_command, sh};
use crate::support::{Scene, is_alive, wait_until};

/// Every byte there is, with line breaks of all kinds and none at the end.
fn all_bytes() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    bytes.extend(b"\r\n\n\r\x1b[31m\xff\xfe\0");
    bytes
}

#[test]
fn every_byte_passes_on_both_streams() {
    let scene = Scene::new();
    scene.env.file("bytes", all_bytes());
    for is_one_file in [false, true] {
        let file = |name: &str| File::create(scene.env.home().join(name)).unwrap();
        let (out, err) = (file("out"), file("err"));
        let cmd = sh(&scene, &[], "cat bytes; cat bytes >&2").stdout_into(&out);
        cmd.stderr_into(if is_one_file { &out } else { &err }).run().assert_code(0);
        let got = |name: &str| fs::read(scene.env.home().join(name)).unwrap();
        if is_one_file {
            assert!(got("out") == [all_bytes(), all_bytes()].concat(), "in order, as with 2>&1");
            assert!(got("err").is_empty());
        } else {
            assert!(got("out") == all_bytes() && got("err") == all_bytes());
        }
    }
    assert_silent(&scene);
}

#[test]
fn output_is_passed_on_while_the_command_runs() {
    let scene = Scene::new();
    let out = File::create(scene.env.home().join("out")).unwrap();
    let running = sh(&scene, &[], "echo first; printf half; until test -e go; do sleep 0.01; done").stdout_into(&out);
    let running = running.spawn();
    wait_until("the output", || fs::read_to_string(scene.env.home().join("out")).unwrap() == "first\nhalf");
    scene.env.file("go", "");
    running.wait().assert_code(0);
}

#[test]
fn stdin_is_the_commands() {
    let scene = Scene::new();
    let run = run_command(&scene, &[], &["cat"]).stdin("line 1\nline 2").run();
    assert_says_only(&run, 0, "line 1\nline 2", "");
    let run = sh(&scene, &["--time-limit", "1m"], "read x; echo \"$x\"").stdin("hello\n").run();
    assert_says_only(&run, 0, "hello\n", "");
    let run = run_command(&scene, &[], &["cat"]).stdin_closed().run();
    assert_says_only(&run, 0, "", "");
}

#[test]
fn environment_and_folder_are_the_commands() {
    let scene = Scene::new();
    let run = sh(&scene, &[], "echo \"$GREETING\"; pwd").env("GREETING", "hello").in_folder("/").run();
    assert_says_only(&run, 0, "hello\n/\n", "");
}

#[test]
fn arguments_are_passed_as_they_are() {
    let scene = Scene::new();
    let arguments = ["printf", "%s|", "a b", "", "--on", "-q", "$HOME", "--", "*"];
    assert_says_only(&run_command(&scene, &[], &arguments).run(), 0, "a b||--on|-q|$HOME|--|*|", "");
}

#[test]
fn output_that_nobody_reads_does_not_end_the_command() {
    let scene = Scene::new();
    let script = "i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789 || exit 9; i=$((i+1)); \
                  done; touch done; exit 3";
    let run = sh(&scene, &[], script).stdout_broken().run();
    assert_says_only(&run, 3, "", "");
    assert!(has(&scene, "done"));
    assert_told(&scene, &["exit code 3", "[last 20 of 3000 lines]"]);
}

#[test]
fn output_that_has_no_room_is_told() {
    let scene = Scene::new();
    let run = sh(&scene, &[], "echo lost; echo heard >&2; touch done").stdout_full().run();
    assert_eq!(run.code, Some(0));
    assert!(has(&scene, "done"));
    assert!(run.stderr.starts_with("heard\nwecom-alert: warning: not all of the command's stdout"), "{}", run.all());
    let run = sh(&scene, &[], "echo lost; exit 3").stdout_closed().run();
    assert_eq!(run.code, Some(3));
    assert_told(&scene, &["exit code 3", "lost"]);
}

#[test]
fn a_command_that_closes_its_output_is_watched_on() {
    let scene = Scene::new();
    let running =
        sh(&scene, &[], "echo bye; exec >&- 2>&-; touch closed; until test -e go; do sleep 0.01; done; exit 4");
    let running = running.spawn();
    wait_until("the command to close its output", || has(&scene, "closed"));
    assert_silent(&scene);
    scene.env.file("go", "");
    assert_says_only(&running.wait(), 4, "bye\n", "");
    assert_told(&scene, &["exit code 4", "bye"]);
}

#[test]
fn a_background_process_that_keeps_the_output_open_is_left_alone() {
    let scene = Scene::new();
    let run = sh(&scene, &[], "echo begun; (until test -e go; do sleep 0.01; done) & echo $! > id; exit 5").run();
    assert_says_only(&run, 5, "begun\n", "");
    assert!(is_alive(number_in(&scene, "id")), "it was no part of the command");
    assert_told(&scene, &["exit code 5", "begun"]);
    scene.env.file("go", "");
}

#[test]
fn a_slow_reader_gets_everything() {
    let scene = Scene::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let writer = File::from(std::os::fd::OwnedFd::from(writer));
    let script = "head -c 100000 /dev/zero; touch filled; until test -e go; do sleep 0.01; done; \
                  echo; echo the end; touch done; exit 6";
    let running = sh(&scene, &[], script).stdout_into(&writer).spawn();
    drop(writer);
    // More than a pipe holds: the last of it is still with us when the command has ended.
    wait_until("the first of the output", || has(&scene, "filled"));
    scene.env.file("go", "");
    wait_until("the command to end", || has(&scene, "done"));
    wait_until("the alert", || !scene.texts().is_empty());
    // The alert does not wait for it, and has it all the same.
    assert_told(&scene, &["exit code 6", "\nthe end"]);
    let mut got = Vec::new();
    reader.read_to_end(&mut got).unwrap();
    assert!(got.strip_suffix(b"\nthe end\n").is_some_and(|got| got == [0; 100_000]));
    running.wait().assert_code(6);
}

#[test]
fn prompts_without_a_line_break_are_passed_on() {
    let scene = Scene::new();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let out = File::create(scene.env.home().join("out")).unwrap();
    let running = sh(&scene, &[], "printf 'name? '; read name; echo \"hello $name\"").stdin_from(reader);
    let running = running.stdout_into(&out).spawn();
    let said = || fs::read_to_string(scene.env.home().join("out")).unwrap();
    wait_until("the question", || said() == "name? ");
    writer.write_all(b"you\n").unwrap();
    running.wait().assert_code(0);
    assert_eq!(said(), "name? hello you\n");
}

/// What we say has a line of its own, and where we say nothing, nothing is added.
#[test]
fn a_line_without_an_end_stays_apart_from_what_we_say() {
    let script = "printf out; printf err >&2; exit 3";
    let scene = Scene::new();
    assert_says_only(&sh(&scene, &[], script).run(), 3, "out", "err");
    let run = sh(&scene, &["--attach", "missing"], script).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), "out"), "{}", run.all());
    assert!(run.stderr.starts_with("err\nwecom-alert: error["), "{}", run.all());
    let run = sh(&scene, &["--output", "json"], script).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(3), "err"), "{}", run.all());
    assert!(run.stdout.starts_with("out\n{") && run.stdout.lines().count() == 2, "{}", run.all());
    // Both streams in one file: the last that came there counts.
    let file = File::create(scene.env.home().join("both")).unwrap();
    let cmd = sh(&scene, &["--attach", "missing"], "printf err >&2; printf out; exit 3");
    cmd.stdout_into(&file).stderr_into(&file).run().assert_code(3);
    let got = fs::read_to_string(scene.env.home().join("both")).unwrap();
    assert!(got.starts_with("errout\nwecom-alert: error["), "{got}");
}
