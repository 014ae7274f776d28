//! All words that a receiver can read, held against `tests/golden/words`, which people have read. What senders write in
//! these cases is Chinese in one language and English in the other, so that a word of the program's in the wrong language is
//! seen. `WECOM_ALERT_TEST_BLESS=1` writes the files anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::{LANGUAGES, in_language, new_scene};
use crate::support::fake::{Arrived, Endpoint, Reply};
use crate::support::{Cmd, Scene, at_once, entry};

/// What of a message is no word: addresses, ids and names of WeCom.
const NO_WORDS: [&str; 12] = [
    "url",
    "picurl",
    "media_id",
    "task_id",
    "card_type",
    "question_key",
    "key",
    "id",
    "base64",
    "md5",
    "msgtype",
    "type",
];

/// What may be in a Chinese message: names, and words of WeCom, of systems and of the tests themselves.
const NAMES: [&str; 23] = [
    "<font color=\"warning\">",
    "<font color=\"info\">",
    "<font color=\"comment\">",
    "</font>",
    "<div class=\"gray\">",
    "<div class=\"highlight\">",
    "</div>",
    "HOST",
    "TIME",
    "wecom-alert",
    "SIGKILL",
    "SIGTERM",
    "Alertmanager",
    "Grafana",
    "Bitbucket Pipelines",
    "cron 和 systemd 下的 PATH",
    "shell",
    "sh -c",
    "Windows",
    "Unix",
    "webhook",
    ".txt",
    "命令：cd",
];

struct Book {
    language: &'static str,
    shown: String,
}

impl Book {
    /// What the sender writes.
    fn own<'t>(&self, english: &'t str, chinese: &'t str) -> &'t str {
        if self.language == "zh" { chinese } else { english }
    }

    /// Adds what arrives in a scene.
    fn case(&mut self, name: &str, act: impl FnOnce(&Self, &Scene)) {
        let scene = new_scene();
        act(self, &scene);
        writeln!(self.shown, "=== {name}").unwrap();
        for message in scene.wecom.messages() {
            assert_eq!(message.remarks, [""; 0], "{name}: {message:?}");
            writeln!(self.shown, "--- {}", message.msgtype).unwrap();
            words_of(&message, &mut self.shown);
        }
        for upload in scene.wecom.uploads() {
            let name = masked(&String::from_utf8(upload.filename).unwrap());
            writeln!(self.shown, "--- the file {name}").unwrap();
        }
    }

    fn send(&self, scene: &Scene, args: &[&str]) -> Cmd {
        in_language(scene.group(args), self.language)
    }

    fn run(&self, scene: &Scene, args: &[&str], script: &str) -> Cmd {
        let name = self.own("job", "备份");
        let path = scene.env.file(name, format!("#!/bin/sh\n{script}\n"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(path, mode).unwrap();
        let cmd = scene.cmd(&["run", "-t", "text"]).args(args).arg("--").arg(format!("./{name}"));
        in_language(cmd, self.language)
    }
}

/// The texts of a message, a line each, without what no reader sees.
fn words_of(message: &Arrived, shown: &mut String) {
    fn walk(value: &Value, shown: &mut String) {
        match value {
            Value::String(text) => writeln!(shown, "{}", masked(text)).unwrap(),
            Value::Array(items) => items.iter().for_each(|item| walk(item, shown)),
            Value::Object(fields) => {
                let fields = fields.iter().filter(|(name, _)| !NO_WORDS.contains(&name.as_str()));
                fields.for_each(|(_, value)| walk(value, shown));
            }
            _ => {}
        }
    }
    walk(message.payload(), shown);
}

/// With other words for what no two runs have in common: times, the host, how long a command took.
fn masked(text: &str) -> String {
    const TIMES: [&str; 4] = ["dddd-dd-dd dd:dd:dd +dddd", "dddd-dd-dd dd:dd +dddd", "dd:dd +dddd", "dddddddd-dddddd"];
    let host = gethostname::gethostname().into_string().unwrap();
    let mut rest = text.to_owned();
    let mut shown = String::new();
    while let Some(next) = rest.chars().next() {
        let fits = |pattern: &str| {
            let same = |(c, sign): (char, char)| if sign == 'd' { c.is_ascii_digit() } else { c == sign };
            rest.chars().count() >= pattern.len() && rest.chars().zip(pattern.chars()).all(same)
        };
        let (word, taken) = match TIMES.into_iter().find(|pattern| fits(pattern)) {
            Some(pattern) => ("TIME".to_owned(), pattern.len()),
            None if rest.starts_with(&host) => ("HOST".to_owned(), host.len()),
            None => (next.to_string(), next.len_utf8()),
        };
        shown.push_str(&word);
        rest.drain(..taken);
    }
    for mark in ["[… ", "此处省略 "] {
        let pieces = shown.split(mark).enumerate().map(|(number, piece)| match number {
            0 => piece.to_owned(),
            _ => format!("9{}", piece.trim_start_matches(|c: char| c.is_ascii_digit())),
        });
        shown = pieces.collect::<Vec<_>>().join(mark);
    }
    for repeated in ["Disk full.\n", "磁盘已满。\n", "1111111111", "1234567\n"] {
        while let Some(at) = shown.find(&repeated.repeat(2)) {
            shown.replace_range(at..at + repeated.len(), "");
        }
    }
    let lines = shown.split('\n').map(|line| match line {
        // What an error says is none of these words.
        line if line.starts_with("attachment: ") && !line.contains(" before ") => "attachment: …",
        line if line.starts_with("duration: ") && !line.contains("1h") => "duration: …s",
        line if line.starts_with("耗时：") && !line.contains("1 小时") => "耗时：… 秒",
        line => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn levels_links_and_cards(book: &mut Book) {
    for level in ["critical", "warning", "ok", "info"] {
        book.case(level, |book, scene| {
            let title = book.own("Disk full", "磁盘已满");
            for msgtype in ["text", "markdown", "markdown_v2"] {
                let args = ["-t", msgtype, "--level", level, "--title", title, "--url", "https://example.com/1"];
                book.send(scene, &args).run().assert_code(0);
                let args = ["-t", msgtype, "--level", level, "--field", book.own("disk=/", "磁盘=/")];
                book.send(scene, &args).arg(book.own("text", "内容")).run().assert_code(0);
            }
        });
    }
    book.case("a link and a picture that are none", |book, scene| {
        let args =
            ["-t", "markdown", "--title", book.own("Disk full", "磁盘已满"), "--picurl", "https://example.com/1.png"];
        book.send(scene, &args).run().assert_code(0);
        let args = ["--title", book.own("Disk full", "磁盘已满"), "--url", "//1", "--picurl", "//2", "-t", "text"];
        in_language(scene.app(&args), book.language).run().assert_code(0);
    });
    book.case("a textcard and news", |book, scene| {
        let (title, field, text) =
            (book.own("Disk full", "磁盘已满"), book.own("disk=/", "磁盘=/"), book.own("text", "内容"));
        for msgtype in ["textcard", "news"] {
            let args = ["-t", msgtype, "--level", "critical", "--title", title, "--field", field, text];
            in_language(scene.app(&args), book.language).args(["--url", "https://example.com/1"]).run().assert_code(0);
        }
    });
    book.case("cards", |book, scene| {
        let (source, title, option) =
            (book.own("Disks", "磁盘"), book.own("Which?", "选哪个"), book.own("1=One", "1=一"));
        let args = ["--card", "vote_interaction", "--title", title, "--option", option, "--source", source];
        in_language(scene.app(&args), book.language).run().assert_code(0);
        let button = book.own("1=Mine", "1=我来处理");
        let args = ["--also", "room", "--card", "button_interaction", "--title", title, "--button", button];
        // What the group gets: which of two targets is the first nobody can say.
        scene.wecom.script(Endpoint::MessageSend, [Reply::errcode(60020, "not allow to access")]);
        in_language(scene.app(&args), book.language).args(["--source", source]).run().assert_code(6);
    });
    book.case("no profile", |book, scene| {
        let cmd = book.send(scene, &["--prefix", "[{profile}]", book.own("text", "内容")]);
        cmd.config("").run().assert_code(0);
    });
}

fn commands(book: &mut Book) {
    let ends = [
        ("exit code", &[][..], "exit 3"),
        ("success", &["--on", "success"], "exit 0"),
        ("signal", &[], "kill -KILL $$"),
        ("time limit", &["--time-limit", "100ms"], "exec sleep 60"),
        ("last lines", &["--tail-lines", "2"], "echo 1; echo 2; echo 3; exit 3"),
    ];
    for (name, args, script) in ends {
        book.case(name, |book, scene| drop(book.run(scene, args, script).run()));
    }
    book.case("a gap in a line", |book, scene| {
        let script = "head -c 300000 /dev/zero | tr '\\0' 1; exit 3";
        book.run(scene, &["--on-long", "truncate", "--tail-lines", "1"], script).run().assert_code(3);
    });
    book.case("recovery", |book, scene| {
        for script in ["exit 3", "exit 0"] {
            let _ = book.run(scene, &["--on", "change"], script).run();
        }
    });
    book.case("recovery with a title", |book, scene| {
        for script in ["exit 3", "exit 0"] {
            let title = book.own("Backup", "每日备份");
            let _ = book.run(scene, &["--on", "change", "--title", title], script).run();
        }
    });
    book.case("no such program", |book, scene| {
        for (program, code) in [("/1/2", 127), ("1", 127), ("1 2", 127), ("1\r", 127), ("cd", 127), ("/", 126)] {
            let args = ["run", "-t", "text", "--name", book.own("job", "备份"), "--", program];
            in_language(scene.cmd(&args), book.language).run().assert_code(code);
        }
    });
    book.case("files", |book, scene| {
        scene.env.file("1.txt", "");
        let old = scene.env.file("2.txt", "1234567890");
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        fs::File::options().write(true).open(old).unwrap().set_modified(long_ago).unwrap();
        scene.env.sized_file("3.txt", b"1", (20 << 20) + 1);
        fs::create_dir(scene.env.home().join("4")).unwrap();
        let files = ["0.txt", "1.txt", "2.txt", "3.txt", "4"];
        let args: Vec<&str> = files.iter().flat_map(|name| ["--attach", name]).collect();
        book.run(scene, &args, "exit 3").run().assert_code(3);
    });
}

fn notifications(book: &mut Book) {
    let alert = |book: &Book, status: &str, name: &str, place: &str| {
        json!({
            "status": status,
            "labels": {"alertname": name, book.own("zone", "机房"): place},
            "annotations": {"summary": book.own("look", "请处理"), book.own("runbook", "手册"): "https://example.com/9"},
            "startsAt": "2026-03-01T10:00:00Z", "endsAt": "2026-03-01T11:00:00Z",
            "generatorURL": "https://example.com/1",
        })
    };
    let whole = |alerts: Vec<Value>, left_out: u64| {
        json!({"version": "4", "status": "firing", "alerts": alerts, "truncatedAlerts": left_out,
            "externalURL": "https://example.com"})
    };
    let read = |book: &mut Book, name: &str, args: &[&str], told: Value| {
        book.case(name, |book, scene| {
            let args = [&["--from", "alertmanager"][..], args].concat();
            book.send(scene, &args).stdin(told.to_string()).run().assert_code(0);
        });
    };
    let name = book.own("Disk", "磁盘");
    let [firing, resolved] = ["firing", "resolved"].map(|status| alert(book, status, name, "1"));
    let other = alert(book, "firing", name, "2");
    read(book, "one that fires", &[], whole(vec![firing.clone()], 0));
    read(book, "one that is over", &[], whole(vec![resolved.clone()], 1));
    read(book, "several", &[], whole(vec![other.clone(), resolved.clone()], 2));
    let names = [["A", "B", "C", "D", "E"], ["甲", "乙", "丙", "丁", "戊"]];
    let names = &names[usize::from(book.language == "zh")];
    let many = names.iter().map(|name| alert(book, "firing", name, "1")).collect();
    read(book, "several names", &["-t", "text"], whole(many, 0));
    read(book, "no name", &["-t", "text"], whole(vec![json!({"labels": {"1": "2"}})], 0));
    let card = ["--card", "text_notice"];
    read(book, "a card", &card, whole(vec![other, resolved], 2));
    book.case("Grafana", |book, scene| {
        let alert = json!({
            "status": "firing", "labels": {"alertname": book.own("Disk", "磁盘")}, "startsAt": "2026-03-01T10:00:00Z",
            "values": {"1": 2}, "generatorURL": "https://example.com/1", "panelURL": "https://example.com/2",
            "dashboardURL": "https://example.com/3", "silenceURL": "https://example.com/4",
            "imageURL": "https://example.com/5.png",
        });
        let mut second = alert.clone();
        second["imageURL"] = json!("https://example.com/6.png");
        second["labels"]["1"] = json!("2");
        for alerts in [json!([alert.clone()]), json!([alert, second])] {
            let told = json!({"version": "1", "alerts": alerts, "externalURL": "https://example.com"}).to_string();
            for args in [&["--from", "grafana"][..], &["--from", "grafana", "-t", "text"]] {
                book.send(scene, args).stdin(told.clone()).run().assert_code(0);
            }
        }
        let told = json!({"version": "1", "alerts": [{"labels": {"1": "2"}, "imageURL": "https://example.com/5.png"}]});
        let button = book.own("1=Mine", "1=我来处理");
        let args = ["--from", "grafana", "--card", "button_interaction", "--button", button];
        in_language(scene.app(&args), book.language).stdin(told.to_string()).run().assert_code(0);
    });
}

fn ci_runs(book: &mut Book) {
    let started = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() - 3_620;
    for status in ["success", "failed", "canceled", ""] {
        book.case(&format!("a CI run: {status:?}"), |book, scene| {
            let variables = [
                ("GITLAB_CI", "true"),
                ("CI_PROJECT_PATH", book.own("ops/shop", "运维/商城")),
                ("CI_COMMIT_SHA", "0123456789012345678901234567890123456789"),
                (if status.is_empty() { "CI_COMMIT_TAG" } else { "CI_COMMIT_BRANCH" }, "1.0"),
                ("CI_COMMIT_AUTHOR", book.own("Li", "李四")),
                ("CI_JOB_NAME", book.own("tests", "测试")),
                ("CI_JOB_STATUS", status),
                ("CI_PIPELINE_URL", "https://example.com/1"),
            ];
            let cmd =
                variables.into_iter().fold(book.send(scene, &["--ci=auto"]), |cmd, (name, value)| cmd.env(name, value));
            let cmd = cmd.env("CI_PIPELINE_CREATED_AT", started.to_string());
            cmd.arg(book.own("see the log", "详见日志")).run().assert_code(0);
        });
    }
    book.case("Bitbucket", |book, scene| {
        let variables = [("BITBUCKET_BUILD_NUMBER", "6"), ("BITBUCKET_EXIT_CODE", "1")];
        let cmd =
            variables.into_iter().fold(book.send(scene, &["--ci=auto"]), |cmd, (name, value)| cmd.env(name, value));
        cmd.arg(book.own("see the log", "详见日志")).run().assert_code(0);
    });
}

fn long_texts(book: &mut Book) {
    let long = |book: &Book| book.own("Disk full.\n", "磁盘已满。\n").repeat(300);
    for on_long in ["truncate", "file"] {
        book.case(&format!("--on-long {on_long}"), |book, scene| {
            book.send(scene, &["--on-long", on_long, &long(book)]).run().assert_code(0);
        });
    }
    book.case("several files", |book, scene| {
        book.send(scene, &["--on-long", "file"]).stdin("1234567\n".repeat(2_600_000)).run().assert_code(0);
    });
}

fn marks(book: &mut Book) {
    let text = |book: &Book| book.own("disk full", "磁盘已满");
    book.case("late", |book, scene| {
        let file = scene.env.file("1.txt", "1234567890");
        for (minutes, args) in [(37, [text(book), "-q"]), (125, ["--file", file.to_str().unwrap()])] {
            scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
            let told = book.send(scene, &["--outbox"]).args(args).run().assert_code(0).json();
            let id = told["outbox_id"].as_str().unwrap();
            entry::age(&scene.env.state().join("outbox/waiting").join(id), minutes * 60_000);
            in_language(scene.cmd(&["outbox", "flush"]), book.language).run().assert_code(0);
        }
    });
    book.case("repeats", |book, scene| {
        for cooldown in ["1h", "1h", "1ms", "1h", "1h", "1ms"] {
            book.send(scene, &["--cooldown", cooldown, text(book)]).run().assert_code(0);
        }
    });
    book.case("fallback", |book, scene| {
        for reply in [Reply::errcode(60020, "not allow to access"), Reply::status(502)] {
            scene.wecom.script(Endpoint::MessageSend, [reply]);
            in_language(scene.app(&["--fallback", "room", text(book)]), book.language).run().assert_code(0);
        }
        scene.wecom.script(Endpoint::WebhookSend, [Reply::errcode(93000, "invalid webhook url")]);
        book.send(scene, &["--fallback", "room", text(book)]).run().assert_code(0);
        scene.wecom.script(Endpoint::AppchatSend, [Reply::errcode(86003, "chatid not exist")]);
        in_language(scene.chat(&["--fallback", "room", text(book)]), book.language).run().assert_code(0);
        scene.wecom.script(Endpoint::AibotSendMsg, [Reply::errcode(93006, "invalid chatid")]);
        in_language(scene.aibot(&["--fallback", "room", text(book)]), book.language).run().assert_code(0);
    });
    book.case("check --send", |book, scene| {
        let cmd = scene.cmd(&["check", "--send"]).env("WECOM_ALERT_TO_USER", "zhangsan");
        in_language(cmd, book.language).run().assert_code(0);
    });
}

fn written(language: &'static str) -> String {
    let mut book = Book { language, shown: String::new() };
    for part in [levels_links_and_cards, commands, notifications, ci_runs, long_texts, marks] {
        part(&mut book);
    }
    book.shown
}

#[test]
fn a_reader_finds_words_of_one_language() {
    let [english, chinese] = at_once(LANGUAGES, written).try_into().unwrap();
    for (language, shown) in LANGUAGES.into_iter().zip([&english, &chinese]) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/words").join(format!("{language}.txt"));
        if std::env::var_os("WECOM_ALERT_TEST_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, shown).unwrap();
        }
        let golden = fs::read_to_string(&path).unwrap_or_default();
        for (wanted, line) in golden.lines().zip(shown.lines()) {
            assert_eq!(line, wanted, "{}", path.display());
        }
        assert_eq!(&golden, shown, "{}", path.display());
    }
    let foreign: Vec<_> = english.lines().filter(|line| line.chars().any(is_chinese)).collect();
    assert_eq!(foreign, [""; 0]);
    let foreign: Vec<_> = chinese.lines().filter(|line| !line.starts_with(['=', '-']) && has_english(line)).collect();
    assert_eq!(foreign, [""; 0]);
}

/// Characters and punctuation.
fn is_chinese(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}')
}

/// Whether there is a word in it that is no name.
fn has_english(line: &str) -> bool {
    let line = NAMES.iter().fold(line.to_owned(), |line, name| line.replace(name, ""));
    let mut words = line.split([' ', '(', ')', '：', '\'']).filter(|word| !word.starts_with("https://"));
    words.any(|word| word.contains(|c: char| c.is_ascii_alphabetic()))
}
