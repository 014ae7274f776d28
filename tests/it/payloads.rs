//! The bodies in `examples/payloads`: they keep the rules, and together hold
//! every msgtype, card type and field that WeCom publishes. The lists here are written from the official pages
//! (document paths 90236, 99110, 90248, 101463 and 101032), apart from the code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at its first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use strum::VariantArray;
use wecom_alert::channel::{Channel, MsgType};
use wecom_alert::message::{Findings, check_body};

const APP_FIELDS: &[(&str, &str)] = &[
    ("", "touser toparty totag agentid safe enable_id_trans enable_duplicate_check duplicate_check_interval"),
    ("", "msgtype text image voice video file textcard news mpnews markdown miniprogram_notice template_card"),
    ("text", "content"),
    ("image", "media_id"),
    ("voice", "media_id"),
    ("video", "media_id title description"),
    ("file", "media_id"),
    ("textcard", "title description url btntxt"),
    ("news", "articles"),
    ("news.articles[]", "title description url picurl appid pagepath"),
    ("mpnews", "articles"),
    ("mpnews.articles[]", "title thumb_media_id author content_source_url content digest"),
    ("markdown", "content"),
    ("miniprogram_notice", "appid page title description emphasis_first_item content_item"),
    ("miniprogram_notice.content_item[]", "key value"),
    ("template_card", "action_menu task_id button_selection button_list checkbox select_list submit_button"),
    ("template_card.action_menu", "desc action_list"),
    ("template_card.action_menu.action_list[]", "text key"),
    ("template_card.button_selection", "question_key title option_list selected_id"),
    ("template_card.button_selection.option_list[]", "id text"),
    ("template_card.button_list[]", "type text style key url"),
    ("template_card.checkbox", "question_key mode option_list"),
    ("template_card.checkbox.option_list[]", "id text is_checked"),
    ("template_card.select_list[]", "question_key title option_list selected_id"),
    ("template_card.select_list[].option_list[]", "id text"),
    ("template_card.submit_button", "text key"),
    ("template_card.horizontal_content_list[]", "media_id"),
];

const WEBHOOK_FIELDS: &[(&str, &str)] = &[
    ("", "msgtype text markdown markdown_v2 image news file voice template_card"),
    ("text", "content mentioned_list mentioned_mobile_list"),
    ("markdown", "content"),
    ("markdown_v2", "content"),
    ("image", "base64 md5"),
    ("news", "articles"),
    ("news.articles[]", "title description url picurl"),
    ("file", "media_id"),
    ("voice", "media_id"),
    ("template_card.horizontal_content_list[]", "media_id"),
];

const CHAT_FIELDS: &[(&str, &str)] = &[
    ("", "chatid safe"),
    ("", "msgtype text image voice video file textcard news mpnews markdown"),
    ("text", "content mentioned_list"),
    ("image", "media_id"),
    ("voice", "media_id"),
    ("video", "media_id title description"),
    ("file", "media_id"),
    ("textcard", "title description url btntxt"),
    ("news", "articles"),
    ("news.articles[]", "title description url picurl"),
    ("mpnews", "articles"),
    ("mpnews.articles[]", "title thumb_media_id author content_source_url content digest"),
    ("markdown", "content"),
];

const AIBOT_FIELDS: &[(&str, &str)] = &[
    ("", "chatid chat_type msgtype markdown image voice video file template_card"),
    ("markdown", "content feedback"),
    ("markdown.feedback", "id"),
    ("image", "media_id"),
    ("voice", "media_id"),
    ("video", "media_id title description"),
    ("file", "media_id"),
    ("template_card", "action_menu task_id button_selection button_list checkbox select_list submit_button feedback"),
    ("template_card.feedback", "id"),
    ("template_card.action_menu", "desc action_list"),
    ("template_card.action_menu.action_list[]", "text key"),
    ("template_card.button_selection", "question_key title option_list selected_id"),
    ("template_card.button_selection.option_list[]", "id text"),
    ("template_card.button_list[]", "text style key"),
    ("template_card.checkbox", "question_key mode option_list"),
    ("template_card.checkbox.option_list[]", "id text is_checked"),
    ("template_card.select_list[]", "question_key title option_list selected_id"),
    ("template_card.select_list[].option_list[]", "id text"),
    ("template_card.submit_button", "text key"),
    ("template_card.jump_list[]", "question"),
];

const CARD_FIELDS_OF_ALL: &[(&str, &str)] = &[
    ("template_card", "card_type source main_title quote_area emphasis_content sub_title_text image_text_area"),
    ("template_card", "card_image vertical_content_list horizontal_content_list jump_list card_action"),
    ("template_card.source", "icon_url desc desc_color"),
    ("template_card.main_title", "title desc"),
    ("template_card.quote_area", "type url appid pagepath title quote_text"),
    ("template_card.emphasis_content", "title desc"),
    ("template_card.image_text_area", "type url appid pagepath title desc image_url"),
    ("template_card.card_image", "url aspect_ratio"),
    ("template_card.vertical_content_list[]", "title desc"),
    ("template_card.horizontal_content_list[]", "type keyname value url userid"),
    ("template_card.jump_list[]", "type title url appid pagepath"),
    ("template_card.card_action", "type url appid pagepath"),
];

#[test]
fn every_file_keeps_the_rules() {
    for channel in Channel::ALL.iter().copied() {
        for (name, body) in bodies(channel) {
            let name = format!("{}/{name}", channel.as_str());
            assert_eq!(check_body(channel, &body), Findings::default(), "{name}");
            let is_addressed = match channel {
                Channel::App => body["touser"].is_string() && body["agentid"] == 1000002,
                Channel::Webhook => true,
                Channel::Chat => body["chatid"] == "oncall",
                Channel::Aibot => body["chatid"].is_string() && body["chat_type"].is_number(),
            };
            assert!(is_addressed, "{name}");
        }
    }
}

#[test]
fn there_is_one_file_for_each_type() {
    for (channel, types, cards) in [
        (
            Channel::App,
            "text image voice video file textcard news mpnews markdown miniprogram_notice",
            "text_notice news_notice button_interaction vote_interaction multiple_interaction",
        ),
        (Channel::Webhook, "text markdown markdown_v2 image news file voice", "text_notice news_notice"),
        (Channel::Chat, "text image voice video file textcard news mpnews markdown", ""),
        (
            Channel::Aibot,
            "markdown image voice video file",
            "text_notice news_notice button_interaction vote_interaction multiple_interaction",
        ),
    ] {
        let cards = cards.split_whitespace().map(|card_type| format!("template_card_{card_type}"));
        let expected: BTreeSet<_> = types.split(' ').map(str::to_owned).chain(cards).collect();
        let bodies = bodies(channel);
        assert_eq!(bodies.keys().cloned().collect::<BTreeSet<_>>(), expected);
        for (name, body) in bodies {
            let msgtype = body["msgtype"].as_str().unwrap();
            let card_type = body["template_card"]["card_type"].as_str();
            assert_eq!(card_type.map_or(msgtype.to_owned(), |card_type| format!("{msgtype}_{card_type}")), name);
        }
    }
}

#[test]
fn the_files_together_use_every_field() {
    for (channel, fields, card_fields) in [
        (Channel::App, APP_FIELDS, CARD_FIELDS_OF_ALL),
        (Channel::Webhook, WEBHOOK_FIELDS, CARD_FIELDS_OF_ALL),
        (Channel::Aibot, AIBOT_FIELDS, CARD_FIELDS_OF_ALL),
        (Channel::Chat, CHAT_FIELDS, &[]),
    ] {
        let mut used = BTreeSet::new();
        bodies(channel).values().for_each(|body| collect_fields(body, "", &mut used));
        let published: BTreeSet<_> = fields
            .iter()
            .chain(card_fields)
            .flat_map(|(place, names)| names.split(' ').map(move |name| format!("{place}.{name}")))
            .collect();
        assert_eq!(used, published);
    }
}

#[test]
fn a_file_with_any_field_misspelt_is_refused_at_its_path() {
    for channel in Channel::ALL.iter().copied() {
        for (name, body) in bodies(channel) {
            for pointer in objects(&body, "") {
                let mut body = body.clone();
                body.pointer_mut(&pointer).unwrap()["no_such_field"] = json!(1);
                let findings = check_body(channel, &body);
                let [error] = &findings.errors[..] else { panic!("{name} {pointer}: {findings:?}") };
                assert!(error.path.ends_with("no_such_field"), "{name} {pointer}: {error}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_json_makes_the_checks_panic(value in any_json(), msgtype in any_msgtype()) {
        for channel in Channel::ALL.iter().copied() {
            check_body(channel, &value);
            check_body(channel, &json!({"msgtype": msgtype, msgtype: value, "touser": "a"}));
        }
    }

    /// Files with one value replaced: closer to real bodies than chance alone comes.
    #[test]
    fn no_value_makes_the_checks_panic(file in any_index(), place in any_index(), value in any_json()) {
        for channel in Channel::ALL.iter().copied() {
            let bodies = bodies(channel);
            let mut body = file.get(&bodies.values().collect::<Vec<_>>()).to_owned().clone();
            let mut pointers: Vec<String> = Vec::new();
            collect_values(&body, "", &mut pointers);
            let pointer: &String = place.get(&pointers);
            *body.pointer_mut(pointer).unwrap() = value.clone();
            check_body(channel, &body);
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..5i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![any::<String>(), "title|url|type|key|content|articles|card_type|option_list"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_index() -> impl Strategy<Value = prop::sample::Index> {
    any::<prop::sample::Index>()
}

fn any_msgtype() -> impl Strategy<Value = &'static str> {
    prop::sample::select(MsgType::names(MsgType::VARIANTS))
}

/// The files of a channel by their names without extension.
fn bodies(channel: Channel) -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/payloads").join(channel.as_str());
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: &Path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().strip_suffix(".json").unwrap().to_owned();
    entries.map(|path| (name(&path), read(&path))).collect()
}

fn collect_fields(value: &Value, place: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_fields(item, &format!("{place}[]"), into)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            let path = format!("{place}.{name}");
            collect_fields(value, path.trim_start_matches('.'), into);
            into.insert(path);
        }),
        _ => {}
    }
}

fn collect_values(value: &Value, pointer: &str, into: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| collect_values(item, &format!("{pointer}/{index}"), into));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| collect_values(field, &format!("{pointer}/{name}"), into));
        }
        _ => {}
    }
    into.push(pointer.to_owned());
}

fn objects(body: &Value, pointer: &str) -> Vec<String> {
    let mut pointers = Vec::new();
    collect_values(body, pointer, &mut pointers);
    pointers.retain(|pointer| body.pointer(pointer).is_some_and(Value::is_object));
    pointers
}
