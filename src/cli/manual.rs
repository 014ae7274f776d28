//! What explains the program: help, the topics of the manual, shell completions and man pages.

mod topic;

use std::ffi::OsString;
use std::io;
use std::iter;

use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use wecom_alert::config::Language;
use wecom_alert::error::{Error, Result};
use wecom_alert::suggest::{is_near, nearest};

use super::args::{Cli, definition, is_rare};
use super::output;
use topic::{TOPICS, Topic};

/// The last line of short help.
const MORE: &str = "--help shows all options; wecom-alert man COMMAND gives them as a manual page.";

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
pub(crate) fn help(about: &[String], language: Language) -> Result<String> {
    match about {
        [] => return Ok(list_of_help(language)),
        [name] => {
            if let Some(topic) = Topic::named(name) {
                return Ok(topic_page(topic, language));
            }
        }
        _ => {}
    }
    let root = definition();
    let mut command = &root;
    for name in about {
        command = command.find_subcommand(name).ok_or_else(|| nothing_to_help_with(command, name))?;
    }
    let line = iter::once("wecom-alert").chain(about.iter().map(String::as_str)).chain(["--help"]);
    Ok(Cli::command().try_get_matches_from(line).err().map(|help| help.render().to_string()).unwrap_or_default())
}

fn list_of_help(language: Language) -> String {
    let mut text = "Commands (wecom-alert COMMAND --help):\n".to_owned();
    for command in definition().get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("  {:14}{about}\n", command.get_name()));
    }
    text.push_str("\nTopics (wecom-alert help TOPIC):\n");
    for topic in &TOPICS {
        text.push_str(&format!("  {:14}{}\n", topic.name, topic.about(language)));
    }
    text
}

/// The page of a topic. Where a command has the same name, the first line says how to get its options.
fn topic_page(topic: &Topic, language: Language) -> String {
    let page = topic.page(language);
    if definition().find_subcommand(topic.name).is_none() {
        return page.to_owned();
    }
    let name = topic.name;
    match language {
        Language::English => format!("For the options of the command: wecom-alert {name} --help\n\n{page}"),
        Language::Chinese => format!("命令选项：wecom-alert {name} --help\n\n{page}"),
    }
}

fn nothing_to_help_with(command: &Command, name: &str) -> Error {
    if command.get_name() != "wecom-alert" {
        return no_such_command(command, name);
    }
    let known = command.get_subcommands().map(Command::get_name).chain(TOPICS.iter().map(|topic| topic.name));
    let near = nearest(name, known).filter(|known| is_near(name, known));
    let hint = match near {
        Some(near) => format!("the nearest one is {near}; wecom-alert help lists all"),
        None => "wecom-alert help lists commands and topics".to_owned(),
    };
    Error::usage(format!("there is no command or topic {name:?}"), hint)
}

/// The manual page of a command, or of the program.
/// An error of usage if there is no such command.
pub(crate) fn page(names: &[String]) -> Result<Vec<u8>> {
    let root = definition();
    let mut command = &root;
    for name in names {
        command = command.find_subcommand(name).ok_or_else(|| no_such_command(command, name))?;
    }
    render(command).map_err(|error| Error::defect(format!("the manual page cannot be made: {error}")))
}

fn render(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let source = format!("wecom-alert {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).manual("wecom-alert").source(source);
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    // The synopsis of the crate lists all options; the usage line is shorter.
    let usage = command.clone().render_usage().to_string();
    let mut synopsis = Roff::new();
    synopsis.control("SH", ["SYNOPSIS"]).text([roman(usage.trim_start_matches("Usage:").trim())]);
    synopsis.to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    man.render_extra_section(&mut page)?;
    Ok(page)
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
    let command = command.mut_args(|arg: Arg| if is_rare(&arg) { arg.hide(true) } else { arg }).after_help(below);
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
            command.get_subcommands().for_each(check);
        }
        Cli::command().get_subcommands().for_each(check);
    }
}
