//! Failures in the middle: another token, another try, or an error and no rows.

use super::{asked, lines, list};
use crate::support::fake::{Change, Directory, Endpoint, FakeWecom, Reply};
use crate::support::{Scene, at_once};

const ALL: [&str; 2] = ["list-members", "--recursive"];

/// Ten departments with three members each.
fn corp() -> Scene {
    Scene::with(FakeWecom::builder().directory(Directory::large(10, 30)).start())
}

/// Lets the fifth of the requests for members meet this, and all those after it.
fn fifth(scene: &Scene, reply: Reply) {
    let normal = vec![Reply::Normal; 4];
    scene.wecom.script(Endpoint::UserSimplelist, normal);
    scene.wecom.always(Endpoint::UserSimplelist, reply);
}

#[test]
fn a_failure_in_the_middle_lists_nobody() {
    let busy = |code| Reply::errcode(code, "as ordered");
    let cases = [
        ("a refusal", busy(60011), 5, "60011"),
        ("a credential", busy(60020), 4, "60020"),
        ("busy", busy(-1), 7, "-1"),
        ("too often", busy(45009), 8, "45009"),
        ("too many at once", busy(45033), 8, "45033"),
        ("a gateway", Reply::status(502), 7, "502"),
        ("a portal", Reply::PortalPage, 7, "not an answer of WeCom"),
        ("no answer", Reply::HangAfterReading, 7, "no answer"),
        ("cut", Reply::CutBody { declared: 500, sent: 9 }, 7, "cut off"),
    ];
    at_once(cases, |(name, reply, code, told)| {
        let scene = corp();
        fifth(&scene, reply);
        let run = list(&scene, &ALL).args(["--retries", "1", "--timeout", "500ms", "--deadline", "20s"]).run();
        let run = run.assert_code(code);
        assert_eq!(run.stdout, "", "{name}");
        let middle = "list-members: department 5, after 4 of 10 were read: ";
        let stderr = &run.stderr;
        assert!(stderr.contains(middle) && stderr.contains(told) && stderr.contains("\nhint: "), "{name}: {stderr}");
        let told = scene.cmd(&ALL).args(["--retries", "0", "--timeout", "500ms"]).run().json();
        assert!(told.get("members").is_none() && told["ok"] == false, "{name}: {told}");
    });
}

#[test]
fn what_passes_is_tried_again() {
    let scene = corp();
    let expected = lines(&scene, &ALL);
    assert_eq!(expected.lines().count(), 30);
    for reply in [Reply::errcode(-1, "system busy"), Reply::status(502), Reply::ResetAfterReading] {
        let before = scene.wecom.count(Endpoint::UserSimplelist);
        scene.wecom.script(Endpoint::UserSimplelist, [Reply::Normal, Reply::Normal, reply]);
        assert_eq!(lines(&scene, &["list-members", "--recursive", "--retries", "1"]), expected);
        // No department is read anew but the one that failed.
        assert_eq!(scene.wecom.count(Endpoint::UserSimplelist) - before, 11);
    }
}

#[test]
fn a_stale_token_is_replaced_in_the_middle() {
    let scene = corp();
    let expected = lines(&scene, &ALL);
    for (change, known) in [(Some(Change::RevokeTokens), 2), (None, 3)] {
        let reply = change.map_or_else(|| Reply::errcode(42001, "access_token expired"), Reply::meanwhile);
        if reply.is_judged() {
            scene.wecom.script(Endpoint::UserSimplelist, [Reply::Normal, Reply::Normal, reply]);
        } else {
            scene.wecom.expire_tokens();
        }
        assert_eq!(lines(&scene, &ALL), expected);
        assert_eq!(scene.wecom.count(Endpoint::GetToken), known);
    }
}

#[test]
fn names_of_a_tag_are_whole_or_an_error() {
    let scene = Scene::with(FakeWecom::builder().department(3, 1, "研发部").tag(1, "值班", &["lisi"], &[2, 3]).start());
    scene.wecom.script(Endpoint::DepartmentGet, [Reply::Normal, Reply::errcode(-1, "busy")]);
    let run = list(&scene, &["list-tag-members", "1", "--retries", "0"]).run().assert_code(7);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains("list-tag-members: the name of department 3: WeCom answered -1"), "{}", run.stderr);
}

#[test]
fn a_long_answer_is_read_whole() {
    let scene = Scene::with(FakeWecom::builder().directory(Directory::large(1, 20_000)).start());
    assert_eq!(lines(&scene, &["list-members"]).lines().count(), 20_000);
    scene.wecom.script(Endpoint::DepartmentGet, [Reply::Oversized(2 << 20)]);
    scene.wecom.script(Endpoint::TagGet, [Reply::Json(serde_json::json!({"errcode": 0, "partylist": [1]}))]);
    let run = list(&scene, &["list-tag-members", "1", "--retries", "0"]).run().assert_code(7);
    assert!(run.stderr.contains("the answer is longer than 1048576 bytes"), "{}", run.stderr);
}

#[test]
fn an_answer_without_the_list_is_an_empty_one() {
    let scene = Scene::new();
    scene.wecom.always(Endpoint::UserSimplelist, Reply::Json(serde_json::json!({"errcode": 0, "errmsg": "ok"})));
    let run = list(&scene, &["list-members", "2"]).run().assert_code(0);
    assert!(run.stdout.is_empty() && run.stderr.contains("nobody whom the app may see"), "{}", run.stderr);
    assert_eq!(asked(&scene.wecom).len(), 1);
}
