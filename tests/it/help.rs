//! What explains the program: help in two lengths, completions, manual pages.

use std::process::{Command, Stdio};

use crate::support::{Run, TestEnv, needs};

const COMMANDS: [&[&str]; 15] = [
    &["app-send"],
    &["webhook-send"],
    &["upload-media"],
    &["get-token"],
    &["run"],
    &["check"],
    &["outbox"],
    &["outbox", "flush"],
    &["outbox", "show"],
    &["config"],
    &["config", "init"],
    &["explain"],
    &["completions"],
    &["man"],
    &[],
];

fn run(args: &[&str]) -> Run {
    let env = TestEnv::new();
    // What explains needs no settings, so broken ones do no harm.
    env.cmd(args.iter().copied()).env("WECOM_ALERT_CONFIG", "/nonexistent").stdin_open().run()
}

fn text(args: &[&str]) -> String {
    let run = run(args).assert_code(0);
    assert_eq!(run.stderr, "", "{args:?}");
    run.stdout
}

#[test]
fn short_help_has_the_common_options_and_long_help_all() {
    for command in COMMANDS {
        let short = text(&[command, &["-h"]].concat());
        let long = text(&[command, &["--help"]].concat());
        for help in [&short, &long] {
            assert!(help.lines().all(|line| line.chars().count() <= 80), "{command:?}: over 80 columns");
            assert!(help.contains("Example") || help.contains("Exit codes"), "{command:?}");
        }
        // What the command is for comes first, then what all commands have.
        for help in [&short, &long] {
            let sections: Vec<&str> =
                help.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ')).collect();
            let global = sections.iter().position(|line| *line == "Global options:").unwrap();
            let after = &sections[global + 1..];
            assert!(after.iter().all(|line| line.starts_with("Example") || *line == "Exit codes:"), "{sections:?}");
        }
        assert!(short.contains("--dry-run") && long.contains("--dry-run"), "{command:?}");
        for rare in ["--ca-file", "--rate", "--no-validate"] {
            assert!(!short.contains(rare) && long.contains(rare), "{command:?} {rare}");
        }
        assert!(short.contains("--help shows all options") && !long.contains("shows all options"), "{command:?}");
    }
    // What a command does is said alike in the list and in its own help.
    for line in text(&["--help"]).lines().skip_while(|line| *line != "Commands:").skip(1).take(12) {
        let (name, what) = line.trim().split_once(' ').unwrap();
        let own = text(&[name, "-h"]);
        assert!(own.lines().next().unwrap().starts_with(what.trim()), "{name}: {own}");
        assert!(
            text(&["man", name]).replace("\\*(Aq", "'").replace('\\', "").contains(&format!("- {}", what.trim())),
            "{name}"
        );
    }
    let short = text(&["app-send", "-h"]);
    assert!(short.contains("--title") && short.contains("-u, --to-user") && !short.contains("--task-id"));
    assert!(short.lines().count() < 75, "{}", short.lines().count());
    assert_eq!(text(&["help", "app-send"]), text(&["app-send", "--help"]));
    // A word that only looks like it.
    assert_eq!(text(&["app-send", "-P", "x", "-h"]), short);
}

#[test]
fn there_are_completions_for_each_shell() {
    for (shell, sign) in [
        ("bash", "complete -F _wecom__alert"),
        ("zsh", "#compdef wecom-alert"),
        ("fish", "complete -c wecom-alert"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer"),
    ] {
        let script = text(&["completions", shell]);
        assert!(
            script.contains(sign) && script.contains("webhook-send") && script.contains("mention-fallback"),
            "{shell}"
        );
    }
    let wrong = run(&["completions", "ksh"]).assert_code(2);
    assert!(wrong.stderr.contains("bash, elvish, fish, powershell, zsh") && wrong.stdout.is_empty());
    assert!(run(&["completions"]).assert_code(2).stderr.contains("SHELL"));
}

/// By a real shell, where there is one.
#[cfg(unix)]
#[test]
fn bash_completes() {
    if !needs("bash") {
        return;
    }
    // `--lev` after app-send, which has such an option, and after get-token, which has none.
    let ask = "eval \"$(cat)\"; COMP_WORDS=(wecom-alert app-send --lev); COMP_CWORD=2; \
               _wecom__alert wecom-alert --lev app-send; echo \"${COMPREPLY[@]}\"; \
               COMP_WORDS=(wecom-alert get-token --lev); \
               _wecom__alert wecom-alert --lev get-token; echo \"${COMPREPLY[@]}\"; \
               COMP_WORDS=(wecom-alert webhook-send --level c); COMP_CWORD=3; \
               _wecom__alert wecom-alert c --level; echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    let bash = bash.args(["--norc", "-c", ask]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = bash.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text(&["completions", "bash"]).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "--level\n\ncritical\n");
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    for command in COMMANDS {
        let page = text(&[&["man"], command].concat());
        let name = [&["wecom-alert"], command].concat().join("-");
        assert!(page.contains(&format!(".TH {name} 1")), "{command:?}: {page}");
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "\"GLOBAL OPTIONS\""] {
            assert!(page.contains(&format!(".SH {section}\n")), "{command:?} lacks {section}");
        }
        let synopsis = page.split(".SH SYNOPSIS\n").nth(1).unwrap().lines().next().unwrap();
        assert!(synopsis.starts_with("wecom") && synopsis.len() < 80, "{command:?}: {synopsis}");
        assert!(page.contains("\\-\\-output"), "{command:?}");
        // It says what the command does, in the words of the list of commands.
        let Some((last, above)) = command.split_last() else { continue };
        let list = text(&[above, &["--help"]].concat());
        let entry = list.lines().find_map(|line| line.trim().strip_prefix(last)?.strip_prefix(' ')).unwrap().trim();
        let help = text(&[command, &["-h"]].concat());
        assert!(help.starts_with(entry), "{command:?}: {help}");
        assert!(
            page.contains(&format!("\\- {}", entry.replace('-', "\\-").replace('\'', "\\*(Aq"))),
            "{command:?}: {page}"
        );
    }
    let wrong = run(&["man", "app-snd"]).assert_code(2);
    let told = "wecom-alert: error[usage]: man: there is no command \"app-snd\"\nhint: the nearest one is app-send;";
    assert!(wrong.stderr.starts_with(told), "{}", wrong.stderr);
    let far = run(&["man", "printer"]).assert_code(2).stderr;
    assert!(far.contains("hint: there are app-send, ") && !far.contains("nearest"), "{far}");
    assert!(run(&["man", "get-token", "x"]).assert_code(2).stderr.contains("has no commands of its own"));
}

#[test]
fn a_closed_stdout_is_no_failure_and_a_full_disk_is() {
    for args in [&["completions", "bash"][..], &["man"], &["--help"]] {
        let env = TestEnv::new();
        let broken = env.cmd(args.iter().copied()).stdout_broken().run();
        assert_eq!((broken.code, broken.stderr.as_str()), (Some(0), ""), "{args:?}");
        let full = env.cmd(args.iter().copied()).stdout_full().run().assert_code(3);
        assert!(full.stderr.contains("cannot be written to stdout"), "{args:?}: {}", full.stderr);
    }
}
