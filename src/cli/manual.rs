//! What explains the program: help, the topics of the manual, shell completions and man pages.

mod man_page;
mod markdown;
mod roff;
#[cfg(test)]
mod tables;
mod terminal;
mod topic;

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::iter;

use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;

use wecom_alert::config::{Environment, Language};
use wecom_alert::error::{Error, Result};
use wecom_alert::suggest::{is_near, nearest};

use super::args::{Cli, definition, is_rare};
use super::output;
use super::wrap::{WIDTH, hanging};
use terminal::Display;
use topic::{TOPICS, Topic, topics_about};

/// The last line of short help.
const MORE: &str = "--help shows all options; wecom-alert man COMMAND gives them as a manual page.";

/// The widest text that is still read with ease.
const WIDEST: usize = 120;

/// A narrower terminal breaks the lines itself.
const NARROWEST: usize = 40;

/// The completions for a shell.
pub(crate) fn completions(shell: Shell) -> Vec<u8> {
    let mut root = Cli::command();
    let name = root.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut root, name, &mut script);
    // For bash the generator (4.6) writes a name with a hyphen in two ways, so that no case of the script matches.
    String::from_utf8_lossy(&script).replace("wecom__subcmd__alert", "wecom__alert").into_bytes()
}

/// What `help` shows: a topic of the manual, the long help of a command, or the list of both.
/// An error of usage if there is neither.
pub(crate) fn help(about: &[String], language: Language, environment: &Environment) -> Result<String> {
    let display = display(environment);
    match about {
        [] => return Ok(list_of_help(language, display)),
        [name] => {
            let by_word = || Topic::named(topics_about(name)?.first()?);
            if let Some(topic) = Topic::named(name).or_else(by_word) {
                return Ok(topic_page(topic, language, display));
            }
        }
        _ => {}
    }
    let root = definition();
    let mut command = &root;
    for name in about {
        command = command.find_subcommand(name).ok_or_else(|| nothing_of_that_name(command, name))?;
    }
    let line = iter::once("wecom-alert").chain(about.iter().map(String::as_str)).chain(["--help"]);
    Ok(Cli::command().try_get_matches_from(line).err().map(|help| help.render().to_string()).unwrap_or_default())
}

/// How stdout shows text: as wide as `COLUMNS` or the terminal says.
fn display(environment: &Environment) -> Display {
    let is_terminal = io::stdout().is_terminal();
    let asked = environment.variable("COLUMNS").and_then(|columns| columns.parse().ok());
    let own = || if is_terminal { terminal_columns().map(|columns| columns.min(WIDEST)) } else { None };
    let width = asked.or_else(own).unwrap_or(WIDTH).max(NARROWEST);
    Display { width, bold: is_terminal && environment.allows_colours() }
}

#[cfg(unix)]
fn terminal_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(size.ws_col.into()).filter(|columns| *columns > 0)
}

/// Elsewhere the width is not known.
#[cfg(not(unix))]
fn terminal_columns() -> Option<usize> {
    None
}

fn list_of_help(language: Language, display: Display) -> String {
    let [commands, topics] = match language {
        Language::English => ["Commands (wecom-alert COMMAND --help):", "Topics (wecom-alert help TOPIC):"],
        Language::Chinese => ["命令（wecom-alert COMMAND --help）：", "主题（wecom-alert help TOPIC）："],
    };
    let root = definition();
    let names = root.get_subcommands().map(Command::get_name).chain(TOPICS.iter().map(|topic| topic.name));
    let width = names.map(str::len).max().unwrap_or_default() + 2;
    let entry =
        |name: &str, about: &str| format!("  {name:width$}{}\n", hanging(about, width + 2, width + 2, display.width));
    let about = |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    let commands = iter::once(format!("{commands}\n"))
        .chain(root.get_subcommands().map(|command| entry(command.get_name(), &about(command))));
    let topics =
        iter::once(format!("\n{topics}\n")).chain(TOPICS.iter().map(|topic| entry(topic.name, topic.about(language))));
    commands.chain(topics).collect()
}

/// The page of a topic. Where a command has the same name, the first line says how to get its options.
fn topic_page(topic: &Topic, language: Language, display: Display) -> String {
    let page = terminal::render(&markdown::parse(topic.page(language)), display);
    if definition().find_subcommand(topic.name).is_none() {
        return page;
    }
    let name = topic.name;
    match language {
        Language::English => format!("For the options of the command: wecom-alert {name} --help\n\n{page}"),
        Language::Chinese => format!("命令的选项：wecom-alert {name} --help\n\n{page}"),
    }
}

fn nothing_of_that_name(command: &Command, name: &str) -> Error {
    if command.get_name() != "wecom-alert" {
        return no_such_command(command, name);
    }
    let known = command.get_subcommands().map(Command::get_name).chain(TOPICS.iter().map(|topic| topic.name));
    let near = nearest(name, known).filter(|known| is_near(name, known));
    let hint = match near {
        _ if name.parse::<i64>().is_ok() => format!("look at: wecom-alert explain {name}"),
        Some(near) => format!("the nearest one is {near}; wecom-alert help lists all"),
        None => "wecom-alert help lists commands and topics".to_owned(),
    };
    Error::usage(format!("there is no command or topic {name:?}"), hint)
}

/// The man page of a command, of the program or of a topic. Where a command and a topic share a name, the section before it
/// says which, as for man itself: `man 7 run`. An error of usage if there is no such page.
pub(crate) fn page(words: &[String], language: Language) -> Result<Vec<u8>> {
    let section = words.first().filter(|_| words.len() > 1).and_then(|word| word.parse::<u8>().ok());
    let names = if section.is_some() { &words[1..] } else { words };
    let root = definition();
    if let [name] = names {
        let topic = Topic::named(name).filter(|_| match section {
            Some(section) => section == topic::section(name),
            None => root.find_subcommand(name).is_none(),
        });
        if let Some(topic) = topic {
            return Ok(man_page::topic_page(topic, language).into_bytes());
        }
        if let Some(section) = section.filter(|section| *section != 1) {
            let hint = "wecom-alert help lists commands, which are in section 1, and topics, in 7 (config in 5)";
            return Err(Error::usage(format!("there is no page {name}({section})"), hint));
        }
    }
    let mut command = &root;
    for name in names {
        command = command.find_subcommand(name).ok_or_else(|| nothing_of_that_name(command, name))?;
    }
    Ok(man_page::command_page(command, names).into_bytes())
}

/// The help for `-h`: common options only. `None` if these arguments ask for something else.
pub(crate) fn short_help(error: &clap::Error, arguments: &[OsString]) -> Option<clap::Error> {
    let is_help = error.kind() == ErrorKind::DisplayHelp;
    if !is_help || arguments.iter().skip(1).any(|word| word == "--help" || word == "help") {
        return None;
    }
    let root = without_rare(definition());
    root.try_get_matches_from(arguments).err().filter(|error| error.kind() == ErrorKind::DisplayHelp)
}

/// Writes the text to stdout. It is no error if the reader closes the pipe before the end, as `head` and pagers do.
pub(crate) fn write(bytes: &[u8]) -> io::Result<()> {
    match output::to_stdout(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn without_rare(command: Command) -> Command {
    let names: Vec<_> = command.get_subcommands().map(|own| own.get_name().to_owned()).collect();
    // The global options are those of every command.
    let below = [command.get_after_help().map(ToString::to_string), Some(MORE.to_owned())];
    let below = below.into_iter().flatten().collect::<Vec<_>>().join("\n\n");
    let of = command.get_name().to_owned();
    let command = command.mut_args(|arg: Arg| if is_rare(&of, &arg) { arg.hide(true) } else { arg }).after_help(below);
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, without_rare))
}

fn no_such_command(command: &Command, name: &str) -> Error {
    let known: Vec<_> = command.get_subcommands().map(Command::get_name).filter(|name| *name != "help").collect();
    let near = nearest(name, known.iter().copied()).filter(|known| is_near(name, known));
    let hint = match (near, known.is_empty()) {
        (Some(nearest), _) => format!("the nearest one is {nearest}; there are {}", known.join(", ")),
        (None, false) => format!("there are {}", known.join(", ")),
        (None, true) => format!("{} has no commands of its own", command.get_name()),
    };
    Error::usage(format!("there is no command {name:?}"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parser_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &Command) {
            let is_leaf = command.get_subcommands().next().is_none();
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(!is_leaf || help.contains("Example"), "{}", command.get_name());
            // What is wrapped cannot be copied.
            let too_long = help.lines().find(|line| line.starts_with("  ") && line.chars().count() > 80);
            assert_eq!(too_long, None, "{}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        Cli::command().get_subcommands().for_each(check);
    }
}
