//! An alert that waits keeps its language.

use super::{in_language, new_scene};
use crate::support::fake::{Endpoint, Reply};
use crate::support::{Scene, entry};

/// Stores an alert in that language that waited for 37 minutes; returns its folder.
fn store(scene: &Scene, language: &str) -> std::path::PathBuf {
    scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
    let told = in_language(scene.group(&["--outbox", "disk full"]), language).run().assert_code(0).json();
    let folder = scene.env.state().join("outbox/waiting").join(told["outbox_id"].as_str().unwrap());
    entry::age(&folder, 37 * 60_000);
    folder
}

#[test]
fn its_marks_are_in_the_language_that_it_was_stored_in() {
    for (language, other, start) in [("zh", "en", "【延迟 37 分钟，原发送时间 "), ("en", "zh", "[delayed 37m, ")]
    {
        let scene = new_scene();
        store(&scene, language);
        in_language(scene.cmd(&["outbox", "flush"]), other).run().assert_code(0);
        let texts = scene.texts();
        assert!(texts.len() == 1 && texts[0].starts_with(start) && texts[0].ends_with("disk full"), "{texts:?}");
    }
}

/// Older versions knew one language.
#[test]
fn an_entry_without_a_language_is_english() {
    let scene = new_scene();
    let folder = store(&scene, "zh");
    entry::change(&folder.join("entry.json"), |lines| {
        let language = lines[0].as_object_mut().unwrap().remove("language");
        assert_eq!(language, Some("zh".into()));
    });
    in_language(scene.cmd(&["outbox", "flush"]), "zh").run().assert_code(0);
    let texts = scene.texts();
    assert!(texts[0].starts_with("[delayed 37m, "), "{texts:?}");
    // What an English alert is stored as, they can read as before.
    let folder = store(&scene, "en");
    entry::change(&folder.join("entry.json"), |lines| assert_eq!(lines[0].get("language"), None));
}

/// Chinese takes more bytes: a text that fills its message is split for its mark.
#[test]
fn a_full_text_has_room_for_its_mark() {
    let scene = new_scene();
    for text in ["x".repeat(2048), "磁".repeat(682)] {
        scene.wecom.script(Endpoint::WebhookSend, [Reply::status(502)]);
        let told = in_language(scene.group(&["--outbox", &text]), "zh").run().assert_code(0).json();
        let folder = scene.env.state().join("outbox/waiting").join(told["outbox_id"].as_str().unwrap());
        entry::age(&folder, 37 * 60_000);
        let before = scene.texts().len();
        in_language(scene.cmd(&["outbox", "flush"]), "zh").run().assert_code(0);
        let texts = scene.texts().split_off(before);
        assert!(texts.len() == 2 && texts.iter().all(|text| text.len() <= 2048), "{texts:?}");
        assert!(texts[0].starts_with("(1/2) 【延迟 37 分钟，原发送时间 "), "{texts:?}");
    }
}
