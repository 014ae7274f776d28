//! `--time-limit`: a command that hangs is ended, with all that it has started, and told of.

use super::{Scene, assert_says_only, is_alive, until};

#[test]
fn a_hung_command_is_ended() {
    let scene = Scene::new();
    let run = scene.command(&["--time-limit", "300ms", "--name", "nightly"], &["sleep", "60"]).run();
    assert_says_only(&run, 124, "", "");
    let text = scene.assert_told(&["nightly timed out after 0.3s\n", "ended by: SIGTERM", "command: sleep 60"]);
    assert!(!text.contains("failed") && !text.contains("SIGKILL"), "{text}");
}

#[test]
fn who_ends_in_time_has_no_limit() {
    let scene = Scene::new();
    assert_says_only(&scene.sh(&["--time-limit", "1m"], "exit 0").run(), 0, "", "");
    scene.assert_silent();
    assert_says_only(&scene.sh(&["--time-limit", "1m"], "exit 5").run(), 5, "", "");
    scene.assert_told(&["exit code 5"]);
}

#[test]
fn a_command_that_takes_it_well_has_timed_out_all_the_same() {
    let scene = Scene::new();
    let script = "trap 'echo tidied up; exit 0' TERM; echo begun; while :; do sleep 0.01; done";
    let run = scene.sh(&["--time-limit", "500ms"], script).run();
    // What the shell says of its own child is of no interest.
    assert_eq!((run.code, run.stdout.as_str()), (Some(124), "begun\ntidied up\n"), "{}", run.all());
    scene.assert_told(&["timed out after 0.5s", "begun\n", "tidied up"]);
}

#[test]
fn all_that_it_has_started_is_ended_with_it() {
    let scene = Scene::new();
    let script = "(sleep 60; touch late) & echo $! > one; sh -c 'echo $$ > two; exec sleep 60' | cat";
    let run = scene.sh(&["--time-limit", "1s"], script).run();
    assert_eq!(run.code, Some(124), "{}", run.all());
    for name in ["one", "two"] {
        let id = scene.number_in(name);
        until(|| !is_alive(id));
    }
    assert!(!scene.has("late"));
    scene.assert_told(&["timed out after 1s"]);
}

/// Ten seconds later, as the help says.
#[test]
fn a_command_that_does_not_want_to_end_is_killed() {
    let scene = Scene::new();
    let script = "trap '' TERM; sleep 60 & echo $! > other; echo begun; while :; do sleep 0.1; done";
    let run = scene.sh(&["--time-limit", "300ms"], script).run();
    assert_says_only(&run, 124, "begun\n", "");
    let other = scene.number_in("other");
    until(|| !is_alive(other));
    scene.assert_told(&["timed out after 0.3s", "ended by: SIGKILL", "begun"]);
}
