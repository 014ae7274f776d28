//! Times in state files are data: no value of them ends a command with a panic or costs an alert.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::document::warnings;
use crate::support::fake::{Endpoint, Reply};
use crate::support::{Scene, entry};

/// Beyond the calendar, beyond what a clock holds, and what is no time at all.
fn absurd() -> Vec<Value> {
    let large = [253_402_300_800_000, 8_210_266_876_800_000, i64::MAX as u64, u64::MAX];
    large.into_iter().map(Value::from).chain([json!(0), json!(-1), json!(1e300), json!("soon"), json!(null)]).collect()
}

/// The only file of that kind in a folder.
fn file(folder: &Path, extension: &str) -> PathBuf {
    let found = fs::read_dir(folder).unwrap().map(|found| found.unwrap().path());
    let found: Vec<_> = found.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Puts that value at a place in a JSON file, and nothing else.
fn put(file: &Path, pointer: &str, value: &Value) {
    let mut content: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    *content.pointer_mut(pointer).unwrap() = value.clone();
    fs::write(file, format!("{content}\n")).unwrap();
}

#[test]
fn in_a_cooldown() {
    for value in absurd() {
        for place in ["/passed_at", "/held", "/ends_at"] {
            let scene = Scene::new();
            let send = || scene.group(&["disk full", "--cooldown", "1h"]).run().assert_code(0).json();
            assert_eq!(send()["status"], "sent");
            assert_eq!(send()["status"], "skipped");
            put(&file(&scene.env.state().join("cooldown"), "json"), place, &value);
            let told = send();
            let is_damaged = place == "/passed_at" && value != 0;
            assert!(told["status"] == "sent" || !is_damaged, "{place} {value}: {told}");
            let says_so = warnings(&told).iter().any(|warning| warning.contains("is ignored: it is damaged"));
            assert!(says_so || !is_damaged, "{place} {value}: {told}");
            assert_eq!(send()["status"], "skipped", "{place} {value}: it is mended");
        }
    }
}

#[cfg(unix)]
#[test]
fn in_the_change_of_a_command() {
    for value in absurd() {
        for (code, alerts) in [(3, 2), (0, 1)] {
            let scene = Scene::new();
            let run = |code: i32| {
                let run = scene.cmd(&["run", "-t", "text", "--on", "change", "--name", "job", "--"]);
                run.args(["/bin/sh", "-c", &format!("exit {code}")]).run().assert_code(code).json()
            };
            assert_eq!(run(3)["status"], "sent");
            put(&file(&scene.env.state().join("change"), "json"), "/since_ms", &value);
            let told = run(code);
            if value != 0 {
                assert_eq!(scene.texts().len(), alerts, "{value}: {told}");
                assert!(warnings(&told).iter().any(|warning| warning.contains("it is damaged")), "{value}: {told}");
            }
        }
    }
}

#[test]
fn in_an_entry_of_the_outbox() {
    for value in absurd() {
        for (name, field) in [("entry.json", "queued_at_ms"), ("progress.json", "last_attempt_ms")] {
            let scene = Scene::new();
            for text in ["first", "second"] {
                scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
                scene.group(&["--outbox", "--retries", "0", text]).run().assert_code(0);
            }
            let mut ids: Vec<_> =
                fs::read_dir(scene.env.state().join("outbox/waiting")).unwrap().map(|id| id.unwrap().path()).collect();
            ids.sort();
            entry::change(&ids[0].join(name), |lines| lines[0][field] = value.clone());
            let list = || scene.cmd(&["outbox", "list"]).run();
            assert!([Some(0), Some(7)].contains(&list().code), "{value}\n{}", list().all());
            let flushed = scene.cmd(&["outbox", "flush"]).run();
            assert_ne!(flushed.code, Some(1), "{field} {value}\n{}", flushed.all());
            assert!(scene.texts().iter().any(|text| text.ends_with("second")), "{field} {value}\n{}", flushed.all());
            assert_ne!(list().code, Some(1), "{field} {value}\n{}", list().all());
            let text = scene.env.cmd(["outbox", "list"]).run();
            assert_ne!(text.code, Some(1), "{field} {value}\n{}", text.all());
            for id in &ids {
                let dropped = scene.cmd(&["outbox", "drop"]).arg(id.file_name().unwrap()).run();
                assert_ne!(dropped.code, Some(1), "{field} {value}\n{}", dropped.all());
            }
        }
    }
}

#[test]
fn in_the_rate_limit_and_the_token_cache() {
    for value in absurd() {
        let scene = Scene::new();
        let send = || scene.app(&["disk full", "--rate", "20/1m"]);
        send().run().assert_code(0);
        for place in ["/slots/0/held/since", "/slots/0/held/until"] {
            put(&file(&scene.env.state().join("pacing"), "json"), place, &value);
            send().run().assert_code(0);
        }
        for place in ["/obtained_at", "/expires_at"] {
            put(&file(&scene.env.cache(), "json"), place, &value);
            send().run().assert_code(0);
        }
        scene.cmd(&["check", "--route", "app"]).run().assert_code(0);
        scene.cmd(&["get-token"]).may_show_token().run().assert_code(0);
    }
}

/// What a server asks for is data too.
#[test]
fn in_the_head_of_an_answer() {
    let limited = |wait: &str| Reply::Http {
        status: 429,
        headers: vec![("Retry-After".to_owned(), wait.to_owned()), ("Date".to_owned(), wait.to_owned())],
        body: Vec::new(),
    };
    for wait in ["0", "18446744073709551615", "99999999999999999999", "-1", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let scene = Scene::new();
        scene.wecom.script(Endpoint::WebhookSend, [limited(wait)]);
        let run = scene.group(&["disk full", "--retries", "1", "--deadline", "2s"]).run();
        assert!([Some(0), Some(8)].contains(&run.code), "{wait}\n{}", run.all());
    }
}
