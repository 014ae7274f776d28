//! `--time-limit`: a command that hangs is ended, with all that it has started, and told of.

use super::{assert_says_only, assert_silent, assert_told, has, number_in, run_command, sh};
use crate::support::{Scene, is_alive, wait_until};

#[test]
fn a_hung_command_is_ended() {
    let scene = Scene::new();
    let run = run_command(&scene, &["--time-limit", "300ms", "--name", "nightly"], &["sleep", "60"]).run();
    assert_says_only(&run, 124, "", "wecom-alert: run: nightly timed out after 0.3s and was ended by SIGTERM\n");
    let text = assert_told(&scene, &["nightly timed out after 0.3s\n", "ended by: SIGTERM", "command: sleep 60"]);
    assert!(!text.contains("failed") && !text.contains("SIGKILL"), "{text}");
}

#[test]
fn who_ends_in_time_has_no_limit() {
    let scene = Scene::new();
    assert_says_only(&sh(&scene, &["--time-limit", "1m"], "exit 0").run(), 0, "", "");
    assert_silent(&scene);
    assert_says_only(&sh(&scene, &["--time-limit", "1m"], "exit 5").run(), 5, "", "");
    assert_told(&scene, &["exit code 5"]);
}

#[test]
fn a_command_that_takes_it_well_has_timed_out_all_the_same() {
    let scene = Scene::new();
    let script = "trap 'echo tidied up; exit 0' TERM; echo begun; while :; do sleep 0.01; done";
    let run = sh(&scene, &["--time-limit", "500ms"], script).run();
    // What the shell says of its own child is of no interest.
    assert_eq!((run.code, run.stdout.as_str()), (Some(124), "begun\ntidied up\n"), "{}", run.all());
    assert_told(&scene, &["timed out after 0.5s", "begun\n", "tidied up"]);
}

#[test]
fn all_that_it_has_started_is_ended_with_it() {
    let scene = Scene::new();
    let script = "(sleep 60; touch late) & echo $! > one; sh -c 'echo $$ > two; exec sleep 60' | cat";
    let run = sh(&scene, &["--time-limit", "1s"], script).run();
    assert_eq!(run.code, Some(124), "{}", run.all());
    for name in ["one", "two"] {
        let id = number_in(&scene, name);
        wait_until("the end of the process", || !is_alive(id));
    }
    assert!(!has(&scene, "late"));
    assert_told(&scene, &["timed out after 1s"]);
}

/// Ten seconds later, as the help says.
#[test]
fn a_command_that_does_not_want_to_end_is_killed() {
    let scene = Scene::new();
    let script = "trap '' TERM; sleep 60 & echo $! > other; echo begun; while :; do sleep 0.1; done";
    let run = sh(&scene, &["--time-limit", "300ms"], script).run();
    assert_says_only(&run, 124, "begun\n", "wecom-alert: run: sh timed out after 0.3s and was ended by SIGKILL\n");
    let other = number_in(&scene, "other");
    wait_until("the end of the process", || !is_alive(other));
    assert_told(&scene, &["timed out after 0.3s", "ended by: SIGKILL", "begun"]);
}
