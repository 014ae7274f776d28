//! How the end of a command is reported. The commands write nothing: it would appear among the results of the tests.
#![cfg(unix)]

use super::*;

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(60);

fn job(program: &str, arguments: &[&str]) -> Job {
    Job {
        program: program.into(),
        arguments: arguments.iter().map(OsString::from).collect(),
        hidden: Vec::new(),
        tail_lines: 10,
        time_limit: None,
        grace: LONG,
        adopts: false,
    }
}

fn script(script: &str) -> Job {
    job("/bin/sh", &["-c", script])
}

fn outcome(job: &Job) -> CommandReport {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(job))
}

fn how(job: &Job) -> CommandEnd {
    outcome(job).end
}

#[test]
fn how_it_ended() {
    for (command, expected, code) in [
        ("exit 0", CommandEnd::Exit(0), 0),
        ("exit 3", CommandEnd::Exit(3), 3),
        ("exit 255", CommandEnd::Exit(255), 255),
        ("kill -KILL $$", CommandEnd::Signal(9), 137),
        ("kill -TERM $$", CommandEnd::Signal(15), 143),
    ] {
        let how = how(&script(command));
        assert_eq!(how.exit_code(), code, "{command}");
        assert_eq!(how, expected, "{command}");
    }
}

#[test]
fn a_command_that_cannot_be_started_has_code_126_or_127() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "exit 7\n").unwrap();
    for (program, code) in
        [("no-such-program", 127), ("/no/such/program", 127), ("/dev", 126), (text.to_str().unwrap(), 126)]
    {
        let end = how(&job(program, &[]));
        assert!(matches!(end, CommandEnd::NotStarted { .. }), "{program}: {end:?}");
        assert_eq!(end.exit_code(), code, "{program}: {end:?}");
    }
    assert_eq!(how(&script("exit 127")), CommandEnd::Exit(127), "the command itself can say so too");
}

#[test]
fn a_script_that_does_not_say_what_runs_it_is_run_by_the_shell() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    std::fs::write(&script, "exit $(($1 + 1))\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(how(&job(script.to_str().unwrap(), &["6"])), CommandEnd::Exit(7));
}

#[test]
fn a_time_limit_is_kept() {
    let limit = Some(SHORT);
    let timed_out = |force| CommandEnd::TimedOut { limit: SHORT, force };
    let asked = how(&Job { time_limit: limit, ..job("/bin/sleep", &["60"]) });
    assert_eq!((asked.exit_code(), asked), (124, timed_out(Force::Asked)));
    let in_order = Job { time_limit: limit, ..script("trap 'exit 0' TERM; while :; do sleep 0.01; done") };
    assert_eq!(how(&in_order), timed_out(Force::Asked), "however well it takes it");
    let deaf = Job { time_limit: limit, grace: SHORT, ..script("trap '' TERM; while :; do sleep 0.01; done") };
    assert_eq!(how(&deaf), timed_out(Force::Killed));
    assert_eq!(how(&Job { time_limit: Some(LONG), ..script("exit 4") }), CommandEnd::Exit(4));
}

/// A command that gets no signal from us, as one that has become root's, or that waits for a dead disk.
#[test]
fn a_command_that_cannot_be_ended_is_given_up() {
    let job = Job { time_limit: Some(SHORT), grace: SHORT, ..job("/bin/sleep", &["60"]) };
    // It gets no signal of ours: another process gets them all.
    let mut other = std::process::Command::new("/bin/sleep").arg("60").spawn().unwrap();
    let end = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut command = RunningCommand::start(&job).unwrap();
        (command.id, command.leads_group) = (other.id(), false);
        let end = command.watch(&job).await;
        command.child.start_kill().unwrap();
        end
    });
    assert_eq!(end, CommandEnd::TimedOut { limit: SHORT, force: Force::StillRunning(other.id()) });
    assert!(!other.wait().unwrap().success());
}

#[test]
fn a_stopped_command_is_ended_as_well() {
    let stopped = Job { time_limit: Some(SHORT), ..script("kill -STOP $$") };
    assert_eq!(how(&stopped), CommandEnd::TimedOut { limit: SHORT, force: Force::Asked });
}

#[test]
fn processes_that_keep_the_output_open_are_not_waited_for() {
    let ended = outcome(&script("sleep 60 & exit 5"));
    assert_eq!(ended.end, CommandEnd::Exit(5));
    assert!(ended.duration < Duration::from_secs(50));
}

#[test]
fn a_command_that_closes_its_output_is_waited_for() {
    let ended = outcome(&script("exec >&- 2>&-; sleep 0.3; exit 6"));
    assert_eq!(ended.end, CommandEnd::Exit(6));
    assert!(ended.duration >= Duration::from_millis(300));
    assert_eq!(ended.tail, CapturedOutput::default());
}
