//! A group chat: whether the app may use chats at all, whether there is this one, and what that costs.

use super::{app, checked};
use crate::support::Scene;
use crate::support::fake::{CHAT_ID, CORP_ID, Endpoint, FakeWecom};

#[test]
fn a_chat_is_proven_by_one_call() {
    let scene = Scene::new();
    for (args, messages) in [(&["--route", "chat"][..], 0), (&["--route", "chat", "--send"], 1), (&[], 1)] {
        let case = format!("{args:?}");
        let before = scene.wecom.count(Endpoint::AppchatGet);
        let told = checked(&scene, &case, app(&scene, args).env("WECOM_ALERT_CHAT", CHAT_ID), 0, "ok");
        assert_eq!(scene.wecom.count(Endpoint::AppchatGet) - before, 1, "{case}");
        assert_eq!(scene.wecom.messages().len(), messages, "{case}");
        told.has("chat_range", "ok", &["root department", "everybody in the company"]);
        told.has("chat", "ok", &[CHAT_ID, "3 members"]);
    }
    let sent = &scene.wecom.messages()[0];
    assert_eq!(sent.body["chatid"], CHAT_ID);
}

#[test]
fn what_is_wrong_with_a_chat_has_its_next_step() {
    let other = "test-secret-of-another-app";
    let scene = Scene::with(FakeWecom::builder().app(CORP_ID, 1_000_099, other).start());
    scene.wecom.add_chat("theirs", 1_000_099, ["lisi", "wangwu"]);
    let check = |chat: &str| app(&scene, &["--route", "chat"]).env("WECOM_ALERT_CHAT", chat);
    checked(&scene, "unknown", check("nothere"), 5, "refused").has("chat", "failed", &["86003"]);
    checked(&scene, "theirs", check("theirs"), 4, "auth").has("chat", "failed", &["86008"]);
    let without_agent = check(CHAT_ID).without_env("WECOM_ALERT_AGENT_ID");
    let told = checked(&scene, "no agent", without_agent, 0, "ok");
    told.has("chat_range", "skipped", &["agent_id"]);
    told.has("chat", "ok", &[CHAT_ID]);
    let unset = app(&scene, &["--route", "chat"]);
    checked(&scene, "unset", unset, 0, "ok").has("chat", "skipped", &["--chat", "chat-create"]);
    scene.wecom.hide_root();
    let told = checked(&scene, "no root", check(CHAT_ID), 4, "auth");
    told.has("chat_range", "failed", &["not visible to the root department"]);
    told.has("chat", "failed", &["48002"]);
}
