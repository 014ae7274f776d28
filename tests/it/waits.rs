//! Every wait ends shortly after the deadline, also for what nobody writes and what nobody reads, and signals are heard in
//! each. Waits for the network and for locks are in `delivery::deadline` and `delivery::stopped`.

use std::fs;
use std::time::{Duration, Instant};

use crate::second_signal::full_pipe;
use crate::support::fake::{Endpoint, Reply};
use crate::support::{Cmd, Run, Scene, at_once, is_alive, make_fifo, send_signal, wait_for, wait_until};

/// Commands with the exit code that they have where all is well, and where their settings cannot be read.
const COMMANDS: [(&[&str], i32, i32); 8] = [
    (&["webhook-send", "disk full"], 0, 3),
    (&["app-send", "-u", "zhangsan", "disk full"], 0, 3),
    (&["get-token"], 0, 3),
    (&["upload-media", "--route", "app", "disk.txt"], 0, 3),
    (&["check", "--route", "webhook"], 0, 3),
    (&["outbox", "flush"], 0, 3),
    (&["run", "-t", "text", "--route", "webhook", "--", "/bin/sh", "-c", "exit 3"], 3, 3),
    (&["run", "-t", "text", "--route", "webhook", "--on", "success", "--", "/bin/sh", "-c", "exit 0"], 0, 0),
];

/// A command with its options before those of the command of `run`.
fn cmd(scene: &Scene, command: &[&str], options: &[&str]) -> Cmd {
    scene.env.file("disk.txt", "disk full");
    let (name, rest) = command.split_first().unwrap();
    let cmd = scene.env.cmd([*name]).args(options.iter().copied()).args(rest.iter().copied());
    let cmd = if *name == "get-token" { cmd.may_show_token() } else { cmd };
    cmd.base_url(&scene.wecom).app_credentials().webhook()
}

/// Runs with a deadline of two seconds; it is over soon after. The slack is for a busy machine.
#[track_caller]
fn in_time(state: &str, cmd: Cmd, code: i32) -> Run {
    let since = Instant::now();
    let run = cmd.env("WECOM_ALERT_DEADLINE", "2s").run();
    let took = since.elapsed();
    println!("{state}: {took:.2?}");
    assert_eq!(run.code, Some(code), "{state}\n{}", run.all());
    assert!(took < Duration::from_secs(5), "{state}: {took:?}\n{}", run.all());
    run
}

#[test]
fn for_a_config_file_that_nobody_writes() {
    at_once(COMMANDS, |(command, _, code)| {
        let scene = Scene::new();
        make_fifo(&scene.env.home().join("config"));
        for options in [&["--config", "config"][..], &["--config", "config", "--output", "json"]] {
            let run = in_time(&format!("{command:?} config"), cmd(&scene, command, options), code);
            assert!(run.all().contains("before the deadline"), "{command:?}\n{}", run.all());
        }
    });
}

#[test]
fn a_config_file_may_be_a_pipe() {
    at_once(COMMANDS, |(command, code, _)| {
        let scene = Scene::new();
        let pipe = scene.env.home().join("config");
        make_fifo(&pipe);
        let writer = std::thread::spawn(move || fs::write(pipe, "retries = 0\n[profiles.ops]\n"));
        in_time(&format!("{command:?} config that comes"), cmd(&scene, command, &["--config", "config"]), code);
        writer.join().unwrap().unwrap();
    });
}

#[test]
fn for_certificates_and_credentials_that_nobody_writes() {
    let variables = ["WECOM_ALERT_CA_FILE", "WECOM_ALERT_WEBHOOK_FILE", "WECOM_ALERT_SECRET_FILE"];
    let cases = COMMANDS.into_iter().flat_map(|command| variables.map(|variable| (command, variable)));
    at_once(cases, |((command, well, failed), variable)| {
        let scene = Scene::new();
        let pipe = scene.env.home().join("pipe");
        make_fifo(&pipe);
        let is_app = matches!(command[0], "app-send" | "get-token" | "upload-media");
        let is_used = match variable {
            "WECOM_ALERT_CA_FILE" => command[0] != "outbox",
            "WECOM_ALERT_SECRET_FILE" => is_app,
            _ => !is_app && command[0] != "outbox",
        };
        let own = variable.trim_end_matches("_FILE");
        let cmd = cmd(&scene, command, &[]).without_env(own).env(variable, pipe);
        let cmd = if command[0] == "outbox" { cmd.without_env("WECOM_ALERT_CORP_ID") } else { cmd };
        let code = match (is_used, variable, command[0]) {
            (false, ..) => well,
            (true, _, "run") => failed,
            // Trying again later may help: a disk may be slow.
            (true, "WECOM_ALERT_CA_FILE", _) => 7,
            _ => failed,
        };
        in_time(&format!("{command:?} {variable}"), cmd, code);
    });
}

#[test]
fn a_proxy_file_is_no_pipe() {
    at_once(COMMANDS, |(command, _, code)| {
        let scene = Scene::new();
        make_fifo(&scene.env.home().join("pipe"));
        let pipe = scene.env.home().join("pipe");
        let config = format!("proxy_file = {pipe:?}\n");
        let run = in_time(&format!("{command:?} proxy_file"), cmd(&scene, command, &[]).config(&config), code);
        assert!(run.stderr.contains("it is not a regular file"), "{command:?}\n{}", run.all());
    });
}

#[test]
fn for_a_reader_of_stdout() {
    let forms = [&[][..], &["--output", "json"], &["-v"], &["--dry-run"]];
    let cases = COMMANDS.into_iter().flat_map(|command| forms.map(|form| (command, form)));
    at_once(cases, |((command, code, _), form)| {
        // `run` waits for whoever reads what its command wrote, and here that wrote nothing.
        let scene = Scene::new();
        let (_reader, full) = full_pipe();
        let is_dry = form.contains(&"--dry-run");
        let prints = form.contains(&"json") || is_dry || matches!(command[0], "get-token" | "upload-media" | "check");
        let code = match command[0] {
            "outbox" if is_dry => 2,
            // Data that were asked for and that nobody gets.
            "get-token" | "upload-media" | "check" | "outbox" if prints => 3,
            _ if is_dry => 3,
            _ => code,
        };
        let cmd = cmd(&scene, command, form).stdout_into(&full);
        in_time(&format!("{command:?} {form:?} stdout"), cmd, code);
    });
}

#[test]
fn for_a_reader_of_stderr() {
    let forms = [&[][..], &["--output", "json"], &["-v"]];
    let cases = COMMANDS.into_iter().flat_map(|command| forms.map(|form| (command, form)));
    at_once(cases, |((command, code, _), form)| {
        let scene = Scene::new();
        let (_reader, full) = full_pipe();
        in_time(&format!("{command:?} {form:?} stderr"), cmd(&scene, command, form).stderr_into(&full), code);
        let sends = usize::from(command[0].ends_with("-send") || command[0] == "run");
        assert_eq!(scene.texts().len(), sends, "{command:?} {form:?}: the alert goes out all the same");
    });
}

#[test]
fn a_failure_that_nobody_reads_keeps_its_exit_code() {
    for (reply, code) in [(Reply::errcode(93000, "x"), 4), (Reply::status(404), 3), (Reply::status(502), 7)] {
        for form in [&["--retries", "0"][..], &["--retries", "0", "--output", "json"]] {
            let scene = Scene::new();
            scene.wecom.always(Endpoint::WebhookSend, reply.clone());
            let (_reader, full) = full_pipe();
            let cmd = cmd(&scene, COMMANDS[0].0, form).stdout_into(&full).stderr_into(&full);
            in_time(&format!("{code} {form:?}"), cmd, code);
        }
    }
    let scene = Scene::new();
    let (_reader, full) = full_pipe();
    in_time("usage", scene.env.cmd(["webhook-send", "--bogus"]).stderr_into(&full), 2);
}

/// A pipe that is read slowly is no pipe that nobody reads: nothing is lost.
#[test]
fn a_slow_reader_gets_everything() {
    let scene = Scene::new();
    let (mut reader, full) = full_pipe();
    let running = scene.env.cmd(["man", "webhook-send"]).stdout_into(&full).spawn();
    drop(full);
    let mut got = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut got).unwrap();
    assert_eq!(running.wait().code, Some(0));
    let page = scene.env.cmd(["man", "webhook-send"]).run().assert_code(0).stdout;
    assert!(got.ends_with(page.as_bytes()) && page.len() > 4096);
}

/// While `run` waits after the end of its command.
#[test]
fn signals_are_heard_while_settings_are_read() {
    let variables = ["WECOM_ALERT_CONFIG", "WECOM_ALERT_CA_FILE", "WECOM_ALERT_WEBHOOK_FILE"];
    let cases = variables.into_iter().flat_map(|variable| ["TERM", "INT", "HUP"].map(|signal| (variable, signal)));
    at_once(cases, |(variable, signal)| {
        let scene = Scene::new();
        let pipe = scene.env.home().join("pipe");
        make_fifo(&pipe);
        let command = ["run", "-t", "text", "--route", "webhook", "--", "/bin/sh", "-c", "echo $$ > id; exit 3"];
        let cmd = cmd(&scene, &command, &[]).leads_group().env("WECOM_ALERT_DEADLINE", "10m");
        let cmd = if variable == "WECOM_ALERT_WEBHOOK_FILE" { cmd.without_env("WECOM_ALERT_WEBHOOK") } else { cmd };
        let mut running = cmd.env(variable, pipe).spawn();
        // What comes before is the command's.
        let id = wait_for("the command", || fs::read_to_string(scene.env.home().join("id")).ok()?.trim().parse().ok());
        wait_until("the end of the command", || !is_alive(id));
        wait_until("the end of the call", || {
            let ended = running.ended().is_some();
            if !ended {
                send_signal(signal, running.id());
            }
            ended
        });
        let run = running.wait();
        // The next one after the first, and SIGHUP at once, have their usual effect.
        let codes = if signal == "HUP" { [None; 2] } else { [Some(3), None] };
        assert!(codes.contains(&run.code), "{variable} {signal}\n{}", run.all());
    });
}

/// A defect of ours is told, and leaves the exit code to the command.
#[test]
#[cfg(debug_assertions)]
fn a_panic_leaves_the_exit_code_of_the_command() {
    let cases = [("alert", "echo said; exit 3", 3, "said\n"), ("running", "sleep 0.3; echo said; exit 5", 5, "said\n")];
    at_once(cases, |(place, script, code, stdout)| {
        for (options, code) in [(&[][..], code), (&["--alert-exit"], 1)] {
            let scene = Scene::new();
            let command = ["run", "-t", "text", "--route", "webhook", "--", "/bin/sh", "-c", script];
            let run = cmd(&scene, &command, options).env("TEST_PANIC_IN_WECOM_ALERT", place).run().assert_code(code);
            assert_eq!(run.stdout, stdout, "{place}");
            assert!(
                run.stderr.contains("error[error]: ") && run.stderr.contains("this program broke at "),
                "{}",
                run.all()
            );
        }
    });
}
