//! The man pages of the commands, made of the definition of their options. Those of the topics are their Markdown.

use clap::{Arg, Command};

use wecom_alert::config::{Language, Setting};
use wecom_alert::sort;

use super::markdown::{Block, Look, Span, Table, Text, parse};
use super::roff;
use super::topic::{TOPICS, Topic, section};
use crate::cli::args::variable_of;

/// Variables that other programs have too.
const USUAL_VARIABLES: [(&str, &str); 5] = [
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY", "The proxy, unless --proxy or its setting names one"),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "Trusted certificates in place of the system's"),
    ("XDG_CONFIG_HOME, XDG_CACHE_HOME, XDG_STATE_HOME", "Folders in place of ~/.config, ~/.cache and ~/.local/state"),
    ("LC_ALL, LC_MESSAGES, LANG", "The language of messages and manual, unless --language or its setting names one"),
    ("NO_COLOR", "No colours and no bold text"),
];

const FILES: [(&str, &str); 4] = [
    ("~/.config/wecom-alert/config.toml", "Settings of the user"),
    ("/etc/wecom-alert/config.toml", "Settings that count for users without a file of their own"),
    ("~/.cache/wecom-alert/", "Access tokens"),
    ("~/.local/state/wecom-alert/", "What processes share: rate limits, outbox, cooldowns"),
];

/// Topics that concern a command, beside that of its own name.
const FURTHER_TOPICS: [(&str, &[&str]); 9] = [
    ("app-send", &["cards", "delivery", "feeds", "limits", "outbox", "templates"]),
    ("webhook-send", &["cards", "delivery", "feeds", "limits", "outbox", "templates"]),
    ("run", &["delivery", "outbox"]),
    ("aibot-send", &["aibot", "cards", "delivery", "feeds", "limits", "outbox", "templates"]),
    ("chat-create", &["chat"]),
    ("chat-get", &["chat"]),
    ("chat-update", &["chat"]),
    ("recall", &["delivery"]),
    ("update-card", &["cards"]),
];

/// The man page of a topic.
pub(super) fn topic_page(topic: &Topic, language: Language) -> String {
    let name = format!("wecom-alert-{}", topic.name);
    let others = TOPICS.iter().map(|other| other.name).filter(|other| *other != topic.name);
    let mut blocks = parse(topic.page(language));
    blocks.extend(see_also(&[], others));
    roff::render(&name, section(topic.name), topic.about(language), &blocks)
}

/// The man page of a command; `path` are the words behind the program's name.
pub(super) fn command_page(command: &Command, path: &[String]) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let mut page = vec![
        heading("Synopsis"),
        paragraph(usage.trim_start_matches("Usage:").trim()),
        heading("Description"),
        paragraph(&about),
    ];
    let (mut examples, mut own_codes) = (None, None);
    for part in after_help(command).split("\n\n") {
        let below = part.split_once('\n').map(|(_, below)| below).unwrap_or_default();
        match part {
            part if part.starts_with("Example") => examples = Some(below.to_owned()),
            // Those of the program stand below.
            part if part.starts_with("Exit codes:\n") => {}
            part if part.starts_with("Exit codes: ") => own_codes = Some(paragraph(&one_line(part))),
            part => page.push(paragraph(&one_line(part))),
        }
    }
    page.extend(options(command));
    page.extend(commands(command, path));
    if let Some(examples) = examples {
        let lines = examples.lines().map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned());
        page.extend([heading("Examples"), Block::Code(lines.collect())]);
    }
    page.push(heading("Exit status"));
    page.extend(own_codes);
    page.push(exit_codes());
    page.extend([heading("Environment"), entries(variables(command))]);
    let pair = |(term, about): &(&str, &str)| (code(term), plain(about));
    page.extend([heading("Files"), entries(FILES.iter().map(pair).collect())]);
    let further = FURTHER_TOPICS.iter().find(|(name, _)| path.first().is_some_and(|own| own == name));
    let own = path.first().filter(|name| Topic::named(name).is_some()).map(String::as_str);
    let mut topics: Vec<&str> = match path {
        [] => TOPICS.iter().map(|topic| topic.name).collect(),
        _ => ["config", "errors"]
            .into_iter()
            .chain(own)
            .chain(further.iter().flat_map(|(_, topics)| topics.iter().copied()))
            .collect(),
    };
    sort::sort(&mut topics);
    topics.dedup();
    let above: &[&str] = if path.is_empty() { &[] } else { &["wecom-alert"] };
    page.extend(see_also(above, topics.into_iter()));
    roff::render(&page_name(path), 1, &about, &page)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `wecom-alert-outbox-flush`.
fn page_name(path: &[String]) -> String {
    std::iter::once("wecom-alert").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join("-")
}

fn after_help(command: &Command) -> String {
    command.get_after_help().map(ToString::to_string).unwrap_or_default()
}

/// The options by their headings in help.
fn options(command: &Command) -> Vec<Block> {
    let mut groups: Vec<(&str, Vec<(Text, Text)>)> = Vec::new();
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let group = arg.get_help_heading().unwrap_or(if arg.is_positional() { "Arguments" } else { "Options" });
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let words = arg.get_possible_values();
        let words: Vec<_> =
            words.iter().map(|word| word.get_name()).filter(|_| !arg.is_hide_possible_values_set()).collect();
        let help = match arg.get_action().takes_values() && !words.is_empty() {
            true => format!("{help}: {}", words.join(" or ")),
            false => help,
        };
        let entry = (code(&synopsis(arg)), plain(&help));
        match groups.iter_mut().find(|(name, _)| *name == group) {
            Some((_, entries)) => entries.push(entry),
            None => groups.push((group, vec![entry])),
        }
    }
    let blocks = groups.into_iter().flat_map(|(name, list)| [Block::Heading(3, plain(name)), entries(list)]);
    std::iter::once(heading("Options")).chain(blocks).collect()
}

/// `-P, --profile NAME`.
fn synopsis(arg: &Arg) -> String {
    let value = arg.get_value_names().filter(|_| arg.get_action().takes_values()).and_then(|names| names.first());
    let value = value.map(ToString::to_string).unwrap_or_default();
    if arg.is_positional() {
        return value;
    }
    let long = arg.get_long().map(|long| format!("--{long}"));
    let names = arg.get_short().map(|short| format!("-{short}")).into_iter().chain(long).collect::<Vec<_>>().join(", ");
    match arg.get_num_args().map(|count| count.min_values()) {
        _ if value.is_empty() => names,
        Some(0) => format!("{names}[={value}]"),
        _ => format!("{names} {value}"),
    }
}

fn commands(command: &Command, path: &[String]) -> Vec<Block> {
    let below = command.get_subcommands().filter(|below| path.is_empty() || below.get_name() != "help");
    let words =
        |below: &Command| path.iter().map(String::as_str).chain([below.get_name()]).collect::<Vec<_>>().join(" ");
    let list: Vec<_> = below
        .map(|below| (code(&words(below)), plain(&below.get_about().map(ToString::to_string).unwrap_or_default())))
        .collect();
    if list.is_empty() { Vec::new() } else { vec![heading("Commands"), entries(list)] }
}

/// The exit codes, as the topic of errors has them.
fn exit_codes() -> Block {
    let page = Topic::named("errors").map(|topic| topic.page(Language::English)).unwrap_or_default();
    let table = page.split("<!-- table: exit-codes -->").nth(1).and_then(|rest| rest.split("<!--").next());
    let Some(Block::Table(table)) = parse(table.unwrap_or_default()).into_iter().next() else { return paragraph("") };
    let about = |cells: &[Text]| cells.join(&Span { text: ": ".to_owned(), look: Look::Plain });
    let rows = table.rows.iter().filter_map(|row| row.split_first().map(|(code, cells)| (code.clone(), about(cells))));
    entries(rows.collect())
}

/// The variables of the command's options, and of settings that have no option.
fn variables(command: &Command) -> Vec<(Text, Text)> {
    let is_here = |setting: &&Setting| {
        setting.row().option.is_empty() || command.get_arguments().any(|arg| arg.get_id() == setting.name())
    };
    let own = Setting::ALL
        .iter()
        .filter(is_here)
        .filter_map(|setting| Some((variable_of(*setting, command.get_name())?, setting.row().help.trim())));
    own.chain(USUAL_VARIABLES).map(|(name, about)| (code(name), plain(about))).collect()
}

/// The pages that say more.
fn see_also<'a>(commands: &[&str], topics: impl Iterator<Item = &'a str>) -> [Block; 2] {
    let commands = commands.iter().map(|name| [code(name), plain("(1)")].concat());
    let topics = topics.map(|name| vec![Span { text: name.to_owned(), look: Look::Topic }]);
    let pages: Vec<Text> = commands.chain(topics).collect();
    let text = pages.join(&Span { text: ", ".to_owned(), look: Look::Plain });
    [heading("See also"), Block::Paragraph(text)]
}

fn heading(title: &str) -> Block {
    Block::Heading(2, plain(title))
}

fn paragraph(text: &str) -> Block {
    Block::Paragraph(plain(text))
}

fn plain(text: &str) -> Text {
    vec![Span { text: text.to_owned(), look: Look::Plain }]
}

fn code(text: &str) -> Text {
    vec![Span { text: text.to_owned(), look: Look::Code }]
}

fn entries(list: Vec<(Text, Text)>) -> Block {
    Block::Table(Table {
        head: vec![Vec::new(), Vec::new()],
        rows: list.into_iter().map(|(term, about)| vec![term, about]).collect(),
    })
}
