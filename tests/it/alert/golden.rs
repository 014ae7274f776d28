//! Real alerts in every type that can carry them, as WeCom gets them: taken without a complaint or a remark, and the same
//! as the files below `tests/golden/alerts`, which people have read. `WECOM_ALERT_TEST_BLESS=1` writes those files anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wecom_alert::channel::Channel;

use super::scenes::{self, Told};
use crate::document::warnings;
use crate::preview::scan::assert_harmless;
use crate::support::fake::{Arrived, Outcome, Upload};
use crate::support::{CARD_ROUTES, HTTP_ROUTES, Scene, TestEnv, at_once};

/// A name for what a message is, and what asks for it.
struct Kind {
    name: &'static str,
    args: &'static [&'static str],
    routes: &'static [Channel],
    /// What of an alert it has no place for.
    without: &'static [&'static str],
}

const KINDS: [Kind; 10] = [
    Kind { name: "text", args: &["-t", "text"], routes: &HTTP_ROUTES, without: &[] },
    Kind { name: "markdown", args: &["-t", "markdown"], routes: &HTTP_ROUTES, without: &[] },
    Kind { name: "markdown_v2", args: &["-t", "markdown_v2"], routes: &[Channel::Webhook], without: &[] },
    Kind { name: "textcard", args: &["-t", "textcard"], routes: &BY_APP, without: &[] },
    Kind { name: "news", args: &["-t", "news"], routes: &HTTP_ROUTES, without: &[] },
    Kind { name: "text_notice", args: &["--card", "text_notice"], routes: &CARD_ROUTES, without: &["--picurl"] },
    Kind { name: "news_notice", args: &["--card", "news_notice"], routes: &CARD_ROUTES, without: &["--emphasis"] },
    Kind {
        name: "button_interaction",
        args: &["--card", "button_interaction", "--button", "ack=我来处理", "--button", "mute=静默 1 小时:3"],
        routes: &[Channel::App],
        without: &["--picurl", "--btntxt", "--jump", "--emphasis"],
    },
    Kind {
        name: "vote_interaction",
        args: &["--card", "vote_interaction", "--option", "now=Now", "--option", "day=In the morning"],
        routes: &[Channel::App],
        without: NO_QUESTION,
    },
    Kind {
        name: "multiple_interaction",
        args: &["--card", "multiple_interaction", "--option", "now=Now", "--option", "day=In the morning"],
        routes: &[Channel::App],
        without: NO_QUESTION,
    },
];

/// The routes that an app's token opens.
const BY_APP: [Channel; 2] = [Channel::App, Channel::Chat];

/// What cards with a question have no place for.
const NO_QUESTION: &[&str] = &["--picurl", "--url", "--btntxt", "--jump", "--emphasis", "--quote"];

/// Lines of a shortened text that are shown: how it begins and ends, whatever this machine is called.
const SHOWN: [usize; 2] = [5, 2];

impl Kind {
    fn can_carry(&self, told: &Told) -> bool {
        self.name != "news_notice" || told.picurl.is_some() || told.feed.is_some()
    }

    /// The options for this alert as this type.
    fn args(&self, told: &Told) -> Vec<String> {
        let options = told.options(self.args[0] == "--card").into_iter();
        let options = options.filter(|(option, _)| !self.without.contains(option));
        let options = options.flat_map(|(option, value)| [option.to_owned(), value]);
        self.args.iter().map(|arg| (*arg).to_owned()).chain(options).collect()
    }
}

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/alerts")
}

#[test]
fn every_alert_in_every_type() {
    at_once(&scenes::ALL, |told| {
        let scene = Scene::new();
        let mut files = Vec::new();
        for kind in KINDS.iter().filter(|kind| kind.can_carry(told)) {
            let name = format!("{}.txt", kind.name);
            check(&folder().join(told.name).join(&name), &on_its_routes(&scene, told, kind));
            files.push(name);
        }
        // A file that nothing is held against would be read in vain.
        for file in fs::read_dir(folder().join(told.name)).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(name == "body.txt" || files.contains(&name), "{}: nothing is called {name}", told.name);
        }
    });
}

/// What each route gets, once for those that get the same.
fn on_its_routes(scene: &Scene, told: &Told, kind: &Kind) -> String {
    let mut all: Vec<(String, String)> = Vec::new();
    for route in kind.routes {
        let shown = sent(scene, told, kind, *route);
        match all.iter_mut().find(|(_, known)| *known == shown) {
            Some((names, _)) => names.push_str(&format!(" and {route}")),
            None => all.push((route.to_string(), shown)),
        }
    }
    all.iter().map(|(names, shown)| format!("=== {names}\n{shown}")).collect()
}

#[track_caller]
fn check(path: &Path, shown: &str) {
    if std::env::var_os("WECOM_ALERT_TEST_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, shown).unwrap();
    }
    let golden = fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    assert!(golden == shown, "{}: expected\n{golden}\nbut sent\n{shown}", path.display());
}

#[test]
fn every_alert_in_every_type_is_a_page() {
    at_once(&scenes::ALL, |told| {
        let env = TestEnv::new();
        for kind in KINDS.iter().filter(|kind| kind.can_carry(told)) {
            for route in kind.routes {
                let case = format!("{} {} {route}", told.name, kind.name);
                let cmd = env.cmd(["preview", "--route", route.as_str()]).args(kind.args(told)).stdin(told.body());
                let page = cmd.run().assert_code(0).stdout;
                assert_harmless(&page, &case);
                assert!(page.contains("class=\"bubble") && !page.contains("unreadable\""), "{case}");
            }
        }
    });
}

#[test]
fn the_best_type_of_every_alert() {
    for told in &scenes::ALL {
        let scene = Scene::new();
        // A group chat has the types of an app.
        for (route, best) in HTTP_ROUTES.into_iter().zip(told.best.into_iter().chain([told.best[0]])) {
            let args = told.options(false).into_iter().flat_map(|(option, value)| [option.to_owned(), value]);
            let before = scene.wecom.messages().len();
            scene.send(route, &[]).args(args).stdin(told.body()).run().assert_code(0);
            assert_eq!(scene.wecom.messages()[before].msgtype, best, "{} {}", told.name, route.as_str());
        }
    }
}

/// Sends it; what arrived must be as readers need it.
#[track_caller]
fn sent(scene: &Scene, told: &Told, kind: &Kind, route: Channel) -> String {
    let case = format!("{} {} {}", told.name, kind.name, route.as_str());
    let before = scene.wecom.requests().len();
    let run = scene.send(route, &[]).args(kind.args(told)).env("TZ", "CST-8").stdin(told.body()).run();
    assert_eq!(run.code, Some(0), "{case}\n{}", run.all());
    let mut shown = String::new();
    for warning in warnings(&run.json()) {
        let _ = writeln!(shown, "warning: {warning}");
    }
    for request in &scene.wecom.requests()[before..] {
        match &request.outcome {
            Outcome::Arrived(message) => {
                assert_eq!(message.remarks, [""; 0], "{case}: {:#}", message.body);
                show_message(&mut shown, message);
            }
            Outcome::Uploaded(file) => show_file(&mut shown, file),
            Outcome::Token { .. } => {}
            other => panic!("{case}: {other:?}"),
        }
    }
    shown
}

fn show_message(shown: &mut String, message: &Arrived) {
    let mut body = message.body.clone();
    if let Some(fields) = body.as_object_mut() {
        for common in ["touser", "agentid", "chatid"] {
            fields.shift_remove(common);
        }
    }
    show(shown, &body, 0);
    shown.push('\n');
}

fn show_file(shown: &mut String, file: &Upload) {
    let name = redacted(std::str::from_utf8(&file.filename).unwrap());
    let text = std::str::from_utf8(&file.bytes).unwrap();
    let _ = writeln!(shown, "--- {name}: {} bytes", file.bytes.len());
    show_lines(shown, &abridged(text), "│");
    shown.push_str("---\n");
}

/// JSON, but a text of several lines stands as those lines, behind `┆` if they end in `<br>`.
fn show(shown: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth + 1);
    let mut items = |brackets: [char; 2], items: Vec<(String, &Value)>| {
        shown.push(brackets[0]);
        for (index, (name, item)) in items.iter().enumerate() {
            let _ = write!(shown, "{}\n{indent}{name}", if index == 0 { "" } else { "," });
            show(shown, item, depth + 1);
        }
        let _ = write!(shown, "\n{}{}", "  ".repeat(depth), brackets[1]);
    };
    match value {
        Value::Object(fields) => {
            items(['{', '}'], fields.iter().map(|(name, item)| (format!("\"{name}\": "), item)).collect());
        }
        Value::Array(list) => items(['[', ']'], list.iter().map(|item| (String::new(), item)).collect()),
        Value::String(text) if text.contains('\n') => {
            shown.push('\n');
            show_lines(shown, &abridged(&redacted(text)), &format!("{indent}│"));
            shown.pop();
        }
        // What clients of textcards read as line breaks.
        Value::String(text) if text.contains("<br>") => {
            shown.push('\n');
            show_lines(shown, &abridged(&redacted(&text.replace("<br>", "\n"))), &format!("{indent}┆"));
            shown.pop();
        }
        Value::String(text) => {
            let _ = write!(shown, "{}", Value::from(redacted(text)));
        }
        other => {
            let _ = write!(shown, "{other}");
        }
    }
}

fn show_lines(shown: &mut String, lines: &[&str], margin: &str) {
    for line in lines {
        let _ = writeln!(shown, "{margin}{line}");
    }
}

/// What depends on time, machine and chance.
fn redacted(text: &str) -> String {
    let words = text.split_inclusive([' ', '\n']).map(|word| {
        let (bare, behind) = word.split_at(word.trim_end().len());
        if bare.starts_with("test-media-") {
            return format!("MEDIA_ID{behind}");
        }
        match bare.strip_prefix("alert-") {
            Some(name) if name.ends_with(".txt") => format!("alert-HOST-TIME.txt{behind}"),
            Some(id) if id.contains('-') && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') => {
                format!("alert-NEW{behind}")
            }
            _ => word.to_owned(),
        }
    });
    words.collect()
}

/// The lines, but few of a long text.
fn abridged(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.split('\n').collect();
    let [first, last] = SHOWN;
    match lines.iter().position(|line| line.contains(" bytes left out …]")) {
        Some(at) => {
            let note = if lines[at + 1].contains("alert-HOST") { &lines[at + 1..at + 2] } else { &[] };
            let parts =
                [&lines[..first.min(at)], &["⋮", "[… bytes left out …]"], note, &["⋮"], &lines[lines.len() - last..]];
            parts.concat()
        }
        None if lines.len() > 160 => [&lines[..first], &["⋮"], &lines[lines.len() - last..]].concat(),
        None => lines,
    }
}
