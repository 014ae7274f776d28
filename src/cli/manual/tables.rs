//! The tables of the manual that are made of the code. They are checked in, so that a forge shows them; this test holds them
//! against the code. Rows, and the columns with names, defaults and numbers, are the code's; the columns with words are those of
//! the page, in its language, and begin as the code's own.

use std::fs;
use std::path::Path;

use clap::Command;

use wecom_alert::channel::{Channel, MsgType};
use wecom_alert::config::{OptionGroup, Setting};
use wecom_alert::delivery::{CodeKind, Explanation};
use wecom_alert::error::{EXIT_CODES, ExitCodeRow};
use wecom_alert::explain::{explain, known_errcodes};
use wecom_alert::message::media::{self, MediaKind};

use super::super::args::{definition, is_own};
use super::markdown::cells;
use super::topic::every_page;

/// With it the test writes the pages anew, as for golden files.
const BLESS: &str = "WECOM_ALERT_TEST_BLESS";

/// A table that stands between the comments of its name.
struct Made {
    name: &'static str,
    head: &'static [&'static str],
    rows: Vec<Row>,
}

/// A row: what the code says, and what the page may say in its own words.
struct Row {
    code: Vec<String>,
    words: Vec<String>,
}

fn made() -> [Made; 6] {
    [
        Made { name: "settings", head: &["option", "variable", "key", "default", "meaning"], rows: settings() },
        Made {
            name: "message-options",
            head: &["option", "key", "for", "default", "meaning"],
            rows: message_options(),
        },
        Made { name: "variables", head: &["variable", "option", "key"], rows: variables() },
        Made { name: "exit-codes", head: &["code", "status", "meaning", "what to do"], rows: exit_codes() },
        Made { name: "errcodes", head: &["errcode", "exit code", "meaning", "what to do"], rows: errcodes() },
        Made { name: "limits", head: &["type", "app", "webhook", "chat", "aibot", "what"], rows: limits() },
    ]
}

/// Whether a setting belongs to no message: to the connection, the credentials, the recipients.
fn is_general(setting: Setting) -> bool {
    matches!(
        setting.row().group,
        OptionGroup::Global | OptionGroup::Recipients | OptionGroup::Chat | OptionGroup::Aibot
    )
}

fn settings() -> Vec<Row> {
    let general = Setting::ALL.iter().copied().filter(|setting| is_general(*setting));
    let row = |setting: Setting| Row {
        code: vec![
            option(setting),
            literal(setting.row().variable.unwrap_or_default()),
            key(setting),
            default(setting),
        ],
        words: vec![setting.row().help.trim().to_owned()],
    };
    // Options of the parser itself.
    let of_parser = [("-h", "--help", "print help"), ("-V", "--version", "print the version")];
    let of_parser = of_parser.map(|(short, long, help)| Row {
        code: vec![format!("{}, {}", literal(short), literal(long)), String::new(), String::new(), String::new()],
        words: vec![help.to_owned()],
    });
    general.map(row).chain(of_parser).collect()
}

fn variables() -> Vec<Row> {
    let named = Setting::ALL.iter().filter_map(|setting| Some((*setting, setting.row().variable?)));
    let row = |(setting, variable): (Setting, &str)| Row {
        code: vec![literal(variable), option(setting), key(setting)],
        words: Vec::new(),
    };
    named.map(row).collect()
}

/// The options that only some commands have, in the order of help.
fn message_options() -> Vec<Row> {
    fn collect(command: &Command, path: &str, options: &mut Vec<(String, Row)>) {
        for arg in command.get_arguments().filter(|arg| is_own(arg) && !arg.is_hide_set()) {
            let Some(long) = arg.get_long() else { continue };
            let setting = arg.get_id().as_str().parse::<Setting>().ok();
            if setting.is_some_and(is_general) {
                continue;
            }
            let names = arg.get_value_names().filter(|_| arg.get_action().takes_values()).unwrap_or_default();
            let value = names.first().map(|name| name.to_string()).unwrap_or_default();
            let is_bare = arg.get_num_args().is_some_and(|count| count.min_values() == 0) && !value.is_empty();
            let long_and_value = match (value.is_empty(), is_bare) {
                (true, _) => format!("--{long}"),
                (false, true) => format!("--{long}[={value}]"),
                (false, false) => format!("--{long} {value}"),
            };
            let short = arg.get_short().map(|short| format!("{}, ", literal(&format!("-{short}")))).unwrap_or_default();
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let row = Row {
                code: vec![
                    format!("{short}{}", literal(&long_and_value)),
                    setting.map(key).unwrap_or_default(),
                    path.to_owned(),
                    setting.map(default).unwrap_or_default(),
                ],
                words: vec![escaped(help.split(" [env: ").next().unwrap_or_default())],
            };
            // An option of several commands stands there once, but for those that share only the name.
            let same = |(known, known_row): &&mut (String, Row)| {
                known == long && (setting.is_some() || known_row.words == row.words)
            };
            match options.iter_mut().find(same) {
                Some((_, known)) => known.code[2].push_str(&format!(", {path}")),
                None => options.push((long.to_owned(), row)),
            }
        }
        for below in command.get_subcommands() {
            collect(below, &format!("{path} {}", below.get_name()), options);
        }
    }
    let mut options = Vec::new();
    for command in definition().get_subcommands() {
        let channel = Channel::ALL.iter().find(|channel| channel.facts().command == command.get_name());
        collect(command, channel.map_or(command.get_name(), |channel| channel.as_str()), &mut options);
    }
    let sends = Channel::ALL.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(", ");
    let short = |mut row: Row| {
        row.code[2] = row.code[2].replace(&sends, "`*-send`");
        row
    };
    options.into_iter().map(|(_, row)| short(row)).collect()
}

fn exit_codes() -> Vec<Row> {
    let row = |row: &ExitCodeRow| {
        let statuses: Vec<_> = row.statuses.iter().map(|status| literal(status.as_str())).collect();
        Row {
            code: vec![row.code.to_string(), statuses.join(", ")],
            words: vec![escaped(row.meaning), escaped(row.next)],
        }
    };
    EXIT_CODES.iter().map(row).collect()
}

/// The errcodes that a sender can meet: those of calls that this program never makes are left out.
fn errcodes() -> Vec<Row> {
    let explained = known_errcodes().filter(|code| *code != 0).flat_map(|code| explain(&code.to_string()).unwrap());
    let own = explained.filter(|known| known.kind == CodeKind::Errcode && !known.next.contains("this code belongs to"));
    let row = |known: Explanation| Row {
        code: vec![known.code.to_string(), known.ends_with.map(|(code, _)| code.to_string()).unwrap_or_default()],
        words: vec![escaped(&known.meaning), escaped(known.next)],
    };
    own.map(row).collect()
}

fn limits() -> Vec<Row> {
    let types = Channel::ALL.iter().flat_map(|channel| channel.facts().types);
    let mut known: Vec<MsgType> = Vec::new();
    types.for_each(|msgtype| {
        if !known.contains(msgtype) {
            known.push(*msgtype)
        }
    });
    let text = |msgtype: MsgType| {
        let limit = |channel: &Channel| {
            let bytes = msgtype.text_bytes(*channel).filter(|_| channel.has_type(msgtype));
            bytes.map_or_else(|| "-".to_owned(), |bytes| format!("{bytes} B"))
        };
        Row {
            code: std::iter::once(literal(msgtype.as_str())).chain(Channel::ALL.iter().map(limit)).collect(),
            words: vec!["text".to_owned()],
        }
    };
    let rate = |channel: &Channel| literal(&format!("{}/1m", channel.facts().messages_per_minute));
    let rates = Row {
        code: std::iter::once(literal("--rate")).chain(Channel::ALL.iter().map(rate)).collect(),
        words: vec!["messages a minute".to_owned()],
    };
    let with_text = known.into_iter().filter(|msgtype| msgtype.facts().text.is_some());
    let files = [
        ("--image", MediaKind::Image, &b"\x89PNG\r\n\x1a\n"[..]),
        ("--voice", MediaKind::Voice, b"#!AMR\n"),
        ("--video", MediaKind::Video, b"\0\0\0\x10ftypmp42\0\0\0\0"),
        ("--file", MediaKind::File, b"text of a file"),
    ];
    let file = |(option, kind, head): (&str, MediaKind, &[u8])| {
        let takes = |channel: Channel, mb: u64| match kind {
            MediaKind::Image if channel.has_inline_pictures() => media::check_webhook_image(head, mb << 20).is_ok(),
            _ => media::check(channel, kind, head, mb << 20).is_ok(),
        };
        let largest = |channel: &Channel| (1..100).rev().find(|mb| takes(*channel, *mb));
        let limit = |channel: &Channel| largest(channel).map_or_else(|| "-".to_owned(), |mb| format!("{mb} MB"));
        Row {
            code: std::iter::once(literal(option)).chain(Channel::ALL.iter().map(limit)).collect(),
            words: vec!["file".to_owned()],
        }
    };
    with_text.map(text).chain(files.map(file)).chain([rates]).collect()
}

/// `-P`, `--profile NAME`.
fn option(setting: Setting) -> String {
    let row = setting.row();
    if row.option.is_empty() {
        return String::new();
    }
    let long = match (row.value_name, row.bare) {
        ("", _) => row.option.to_owned(),
        (value, Some(_)) => format!("{}[={value}]", row.option),
        (value, None) => format!("{} {value}", row.option),
    };
    let short = row.short.map(|short| format!("{}, ", literal(&format!("-{short}")))).unwrap_or_default();
    format!("{short}{}", literal(&long))
}

fn key(setting: Setting) -> String {
    if setting == Setting::Profile {
        return literal("default_profile");
    }
    if setting.row().is_in_file { literal(setting.name()) } else { String::new() }
}

/// The default, as the example of a config file shows it; what that only describes stands here.
fn default(setting: Setting) -> String {
    match setting {
        Setting::BaseUrl => return literal(wecom_alert::config::BaseUrl::default().as_str()),
        Setting::Rate => {
            let rate = |channel: &Channel| {
                format!("{} ({channel})", literal(&format!("{}/1m", channel.facts().messages_per_minute)))
            };
            return Channel::ALL.iter().map(rate).collect::<Vec<_>>().join(", ");
        }
        Setting::CacheDir => return literal("$XDG_CACHE_HOME/wecom-alert"),
        Setting::StateDir => return literal("$XDG_STATE_HOME/wecom-alert"),
        _ => {}
    }
    let example = include_str!("../../../config.example.toml");
    let top = example.split("\n[").next().unwrap();
    let value = top.lines().find_map(|line| line.strip_prefix(setting.name())?.strip_prefix(" = "));
    value
        .map(|value| value.trim_matches('"'))
        .filter(|value| !matches!(*value, "false" | "[]"))
        .map(literal)
        .unwrap_or_default()
}

fn literal(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", escaped(text)) }
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

impl Made {
    /// The lines of the table, with the words of the rows that stand there.
    fn lines(&self, present: &[&str]) -> Vec<String> {
        let present: Vec<Vec<&str>> = present.iter().map(|row| cells(row)).collect();
        let head = present.first().filter(|head| head.len() == self.head.len()).cloned().unwrap_or(self.head.to_vec());
        let row_words = self.rows.first().map_or(0, |row| row.words.len());
        let rows = || present.iter().skip(2).filter(|cells| cells.len() > row_words);
        let known = |row: &Row| {
            let same = rows().find(|cells| cells.iter().zip(&row.code).all(|(cell, code)| cell == code));
            same.or_else(|| rows().find(|cells| names(cells).contains(&names(&row.code).pop().unwrap_or_default())))
        };
        let line = |cells: &[&str]| {
            let cells: String =
                cells.iter().map(|cell| if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") }).collect();
            format!("|{cells}")
        };
        let mut lines = vec![line(&head), format!("|{}", "---|".repeat(head.len()))];
        for row in &self.rows {
            let code: Vec<&str> = row.code.iter().map(String::as_str).collect();
            let words = known(row).map(|cells| cells[cells.len() - row.words.len()..].to_vec());
            let words = words.unwrap_or_else(|| row.words.iter().map(String::as_str).collect());
            lines.push(line(&[code, words].concat()));
        }
        lines
    }
}

/// What a row is known by: the words with which the parts of its first cell begin.
fn names(cells: &[impl AsRef<str>]) -> Vec<String> {
    let first = cells.iter().map(AsRef::as_ref).find(|cell| !cell.is_empty()).unwrap_or_default();
    let parts = first.split([',', '、', ';']).map(|part| part.trim().trim_matches('`'));
    parts.filter_map(|part| part.split([' ', '=', '[', '`']).next()).map(str::to_owned).collect()
}

/// The page with its tables made anew.
fn renewed(page: &str, seen: &mut Vec<String>) -> String {
    let tables = made();
    let lines: Vec<&str> = page.lines().collect();
    let mut renewed: Vec<String> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        renewed.push(lines[at].to_owned());
        let name = lines[at].strip_prefix("<!-- table: ").and_then(|rest| rest.strip_suffix(" -->"));
        at += 1;
        let Some(table) = name.and_then(|name| tables.iter().find(|table| table.name == name)) else { continue };
        seen.push(table.name.to_owned());
        let end = lines[at..].iter().position(|line| *line == "<!-- end of table -->").expect("the table has an end");
        renewed.extend(table.lines(&lines[at..at + end]));
        at += end;
    }
    renewed.join("\n") + "\n"
}

#[test]
fn tables_say_what_the_code_says() {
    let bless = std::env::var_os(BLESS).is_some();
    let mut seen = Vec::new();
    for (name, page) in every_page() {
        let renewed = renewed(&page, &mut seen);
        if bless {
            fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manual").join(&name), &renewed).unwrap();
            continue;
        }
        let differs = page.lines().zip(renewed.lines()).find(|(is, should)| is != should);
        assert!(
            page == renewed,
            "src/manual/{name} is not what the code says: {differs:?}. {BLESS}=1 cargo test --bin wecom-alert manual renews it"
        );
    }
    // Each table stands once in each language.
    seen.sort();
    let mut names: Vec<_> = made().iter().chain(&made()).map(|table| table.name.to_owned()).collect();
    names.sort();
    assert_eq!(seen, names);
}
