//! Members looked up by mobile number or mail address: with a cache that all processes share, since WeCom shuts the look-up
//! after too many wrong ones.

mod cache;
mod command;
#[cfg(unix)]
mod outbox;
#[cfg(unix)]
mod roster;
mod sending;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::fake::{Endpoint, Person};
use crate::support::{Cmd, Scene};

/// Numbers of the fake's directory, and one that nobody has.
const ZHANGSAN: &str = "13800000000";
const LISI: &str = "13800000001";
const NOBODY: &str = "13900000000";

/// `app-send` to nobody yet, its result as JSON.
fn send(scene: &Scene, args: &[&str]) -> Cmd {
    scene.cmd(&["app-send", "disk full"]).args(args)
}

/// How many look-ups were made, by number and by mail.
fn count(scene: &Scene) -> usize {
    [Endpoint::UserGetUserid, Endpoint::UserGetUseridByEmail].map(|endpoint| scene.wecom.count(endpoint)).iter().sum()
}

/// `touser` of each message that arrived.
fn touser(scene: &Scene) -> Vec<Value> {
    scene.wecom.messages().iter().map(|message| message.body["touser"].clone()).collect()
}

/// The file with what is known of people.
fn cache_file(scene: &Scene) -> PathBuf {
    let names = fs::read_dir(scene.env.cache()).unwrap().map(|entry| entry.unwrap().path());
    let is_cache = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("people-") && name.ends_with(".json")
    };
    let files: Vec<_> = names.filter(is_cache).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// Makes all that is known so many seconds older.
fn age(scene: &Scene, seconds: u64) {
    fn moved(value: &mut Value, seconds: u64) {
        match value {
            Value::Number(at) => *value = json!(at.as_u64().unwrap() - seconds),
            Value::Array(items) => items.iter_mut().for_each(|item| moved(item, seconds)),
            Value::Object(fields) => fields.values_mut().for_each(|field| moved(field, seconds)),
            _ => {}
        }
    }
    let file = cache_file(scene);
    let mut content: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    moved(&mut content, seconds);
    fs::write(&file, content.to_string()).unwrap();
}

/// A member with that number.
fn with_mobile(number: &str) -> Person {
    Person { name: "新人".to_owned(), departments: vec![1], mobile: Some(number.to_owned()), ..Person::default() }
}
