//! What explains the program: help in two lengths, completions, manual pages.

use std::process::{Command, Stdio};

use crate::support::{Run, TestEnv, needs};

/// Every command, and the program itself.
pub(crate) const COMMANDS: [&[&str]; 34] = [
    &["app-send"],
    &["webhook-send"],
    &["chat-send"],
    &["aibot-send"],
    &["preview"],
    &["ask"],
    &["answer"],
    &["listen"],
    &["batch"],
    &["chat-create"],
    &["chat-get"],
    &["chat-update"],
    &["recall"],
    &["update-card"],
    &["list-departments"],
    &["list-members"],
    &["list-tags"],
    &["list-tag-members"],
    &["upload-media"],
    &["get-userid"],
    &["get-token"],
    &["run"],
    &["check"],
    &["outbox"],
    &["outbox", "list"],
    &["outbox", "drop"],
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
    let help = text(&["--help"]);
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that begins further to the right is the rest of the one before it.
    for line in list.filter(|line| !line.starts_with("   ")) {
        let (name, what) = line.trim().split_once(' ').unwrap();
        let own = text(&[name, "-h"]);
        assert!(own.lines().next().unwrap().starts_with(what.trim()), "{name}: {own}");
        assert!(
            text(&["man", name]).replace("\\*(Aq", "'").replace('\\', "").contains(&format!("- {}", what.trim())),
            "{name}"
        );
    }
    // Recipients of the settings get alerts: whose card changes is named.
    for help in [text(&["update-card", "--help"]), text(&["man", "update-card"])] {
        assert!(help.contains("user") && !help.contains("WECOM_ALERT_TO_"), "{help}");
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
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"] {
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
    let told =
        "wecom-alert: error[usage]: man: there is no command or topic \"app-snd\"\nhint: the nearest one is app-send;";
    assert!(wrong.stderr.starts_with(told), "{}", wrong.stderr);
    let far = run(&["man", "printer"]).assert_code(2).stderr;
    assert!(far.contains("hint: wecom-alert help lists ") && !far.contains("nearest"), "{far}");
    assert!(run(&["man", "get-token", "x"]).assert_code(2).stderr.contains("has no commands of its own"));
}

const TOPICS: [&str; 20] = [
    "config",
    "delivery",
    "outbox",
    "fleet",
    "chat",
    "aibot",
    "directory",
    "run",
    "ask",
    "listen",
    "batch",
    "json",
    "errors",
    "limits",
    "cards",
    "preview",
    "templates",
    "feeds",
    "ci",
    "security",
];

#[test]
fn help_shows_the_topics_of_the_manual_in_two_languages() {
    let list = text(&["help"]);
    for topic in TOPICS {
        let english = text(&["help", topic]);
        let chinese = text(&["--language", "zh", "help", topic]);
        let is_chinese = |text: &str| text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count() > 100;
        assert!(english.lines().count() > 10 && !english.contains("<!--") && !english.contains('\x1b'), "{english}");
        assert!(!is_chinese(english.lines().next().unwrap()) && is_chinese(&chinese), "{chinese}");
        assert!(list.contains(&format!("\n  {topic} ")), "{list}");
    }
    // A long name does not run into what it is about.
    for entry in list.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' ')) {
        let (name, about) = entry.split_once("  ").unwrap();
        assert!(!name.contains(|c: char| c == ' ' || c.is_uppercase()) && !about.is_empty(), "{list}");
    }
    // The result is text, whatever is asked for.
    assert_eq!(text(&["--output", "json", "help", "limits"]), text(&["help", "limits"]));
    let wrong = run(&["help", "delivry"]).assert_code(2).stderr;
    assert!(wrong.contains("there is no command or topic \"delivry\"\nhint: the nearest one is delivery;"), "{wrong}");
    for (word, topic) in [
        ("cron", "run"),
        ("GitLab", "ci"),
        ("alertmanager", "feeds"),
        ("exit", "errors"),
        ("卡片", "cards"),
        ("群聊", "chat"),
        ("智能机器人", "aibot"),
        ("approval", "ask"),
        ("departments", "directory"),
        ("部门", "directory"),
    ] {
        assert_eq!(text(&["help", word]), text(&["help", topic]), "{word}");
    }
    let wrong = run(&["help", "60020"]).assert_code(2).stderr;
    assert!(wrong.ends_with("\nhint: look at: wecom-alert explain 60020\n"), "{wrong}");
}

#[test]
fn help_takes_the_language_of_the_locale_and_the_width_of_columns() {
    let page = |variables: &[(&str, &str)]| {
        let env = TestEnv::new();
        let cmd = env.cmd(["help", "delivery"]);
        let cmd = variables.iter().fold(cmd, |cmd, (name, value)| cmd.env(*name, *value));
        cmd.run().assert_code(0).stdout
    };
    let (english, chinese) = (page(&[]), page(&[("WECOM_ALERT_LANGUAGE", "zh")]));
    assert_ne!(english, chinese);
    assert_eq!(page(&[("LANG", "zh_CN.UTF-8")]), chinese);
    assert_eq!(page(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "en_GB.UTF-8")]), english);
    assert_eq!(page(&[("LANG", "zh_CN.UTF-8"), ("WECOM_ALERT_LANGUAGE", "en")]), english);
    // A config file that is broken may still say it.
    let env = TestEnv::new();
    let cmd = env.cmd(["help", "delivery"]).config("language = 'zh'\ntimeout = true\n");
    assert_eq!(cmd.run().assert_code(0).stdout, chinese);
    // Code keeps its lines.
    let is_text = |line: &&str| !line.starts_with("    ");
    let longest = |text: &str| text.lines().filter(is_text).map(|line| line.chars().count()).max().unwrap();
    assert!((61..=80).contains(&longest(&english)), "{english}");
    assert!(longest(&page(&[("COLUMNS", "60")])) <= 60);
    assert!((81..=120).contains(&longest(&page(&[("COLUMNS", "120")]))));
}

#[test]
fn help_of_a_topic_that_is_a_command_names_its_options() {
    for topic in ["run", "outbox"] {
        let page = text(&["help", topic]);
        assert_eq!(page.lines().next().unwrap(), format!("For the options of the command: wecom-alert {topic} --help"));
    }
    assert_eq!(text(&["help", "outbox", "flush"]), text(&["outbox", "flush", "--help"]));
}

#[test]
fn there_is_a_manual_page_for_each_topic() {
    for topic in TOPICS {
        let section = if topic == "config" { "5" } else { "7" };
        let page = text(&["man", section, topic]);
        assert!(page.contains(&format!("\n.TH wecom-alert-{topic} {section} ")), "{page}");
        assert!(page.contains(&format!("\n.SH NAME\nwecom\\-alert\\-{topic} \\- ")), "{page}");
        assert!(page.contains("\n.SH \"SEE ALSO\"\n"), "{page}");
        assert!(text(&["--language", "zh", "man", section, topic]).contains("\\:"), "{topic}");
    }
    assert_eq!(text(&["man", "delivery"]), text(&["man", "7", "delivery"]));
    assert!(text(&["man", "run"]).contains(".TH wecom-alert-run 1 "));
    assert_eq!(text(&["man", "1", "run"]), text(&["man", "run"]));
    let wrong = run(&["man", "3", "config"]).assert_code(2).stderr;
    assert!(wrong.contains("there is no page config(3)"), "{wrong}");
}

#[test]
fn manual_pages_of_commands_are_complete() {
    for command in COMMANDS {
        let page = text(&[&["man"], command].concat());
        for section in ["EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"] {
            let is_there = page.contains(&format!(".SH {section}\n")) || page.contains(&format!(".SH \"{section}\"\n"));
            assert!(is_there, "{command:?} lacks {section}: {page}");
        }
        assert!(!page.contains(".SH EXTRA"), "{page}");
        for none in ["completions(1)", "man(1)", "help(1)"] {
            assert!(!page.contains(none), "{command:?} refers to {none}");
        }
    }
}

/// By the formatter itself, where there is one: it says nothing, and what it makes fits.
#[cfg(unix)]
#[test]
fn manual_pages_are_sound() {
    if !needs("groff") {
        return;
    }
    let topics = TOPICS.map(|topic| vec!["man", if topic == "config" { "5" } else { "7" }, topic]);
    let pages = topics.into_iter().chain(COMMANDS.iter().map(|command| [&["man"], *command].concat()));
    for args in pages
        .flat_map(|args| [[&["--language", "en"], &args[..]].concat(), [&["--language", "zh"], &args[..]].concat()])
    {
        let mut groff = Command::new("groff");
        let groff = groff.args(["-k", "-man", "-Tutf8", "-ww", "-Wbreak", "-rLL=80n", "-P-c"]).stdin(Stdio::piped());
        let mut child = groff.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let page = text(&args);
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, page.as_bytes()).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(complaints, "", "{args:?}");
    }
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
