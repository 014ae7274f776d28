//! What WeCom, or something in its place, answers: each fault named, with its remedy and its exit code.

use std::time::Duration;

use super::{app, checked};
use crate::support::fake::{Endpoint, FakeWecom, OnConnect, Reply, SEEN_IP};
use crate::support::{Scene, at_once};

/// What hangs on the token.
const AFTER_TOKEN: [&str; 4] = ["agent", "reach", "recipients", "send_app"];

#[test]
fn credentials_that_are_wrong() {
    let wrong = "test-secret-that-is-wrong";
    for (variable, value, code) in
        [("WECOM_ALERT_SECRET", wrong, "40001"), ("WECOM_ALERT_CORP_ID", "ww9999999999999999", "40013")]
    {
        let scene = Scene::new();
        let told = checked(&scene, code, app(&scene, &[]).env(variable, value).secret(wrong), 4, "auth");
        told.has("token", "failed", &[code, "我的企业"]).skips(&AFTER_TOKEN, "token failed");
        told.has("ip", "skipped", &[SEEN_IP, "does not say"]).has("clock", "ok", &[]).has("tcp", "ok", &[]);
        assert_eq!(told.document["seen_ip"], SEEN_IP);
        assert_eq!(scene.wecom.requests().len(), 1, "asked once");
    }
}

#[test]
fn refusals_of_the_token() {
    for (errcode, code, status, part) in [
        (40091, 4, "auth", "Secret"),
        (45009, 8, "rate_limited", "an hour"),
        (50003, 4, "auth", "应用管理"),
        (-1, 7, "temporary", "again"),
    ] {
        let scene = Scene::new();
        scene.wecom.script(Endpoint::GetToken, [Reply::errcode(errcode, "no")]);
        let case = errcode.to_string();
        let told = checked(&scene, &case, app(&scene, &[]), code, status);
        told.has("token", "failed", &[&case, part]).skips(&AFTER_TOKEN, "token failed");
        assert_eq!(told.document["errcode"], errcode);
        assert_eq!(scene.wecom.requests().len(), 1, "{case}: asked once");
    }
}

#[test]
fn refusals_of_the_agent() {
    for (errcode, code, status, part) in
        [(50003, 4, "auth", "应用管理"), (301_002, 4, "auth", "agent_id 1000002"), (45009, 8, "rate_limited", "60 s")]
    {
        let scene = Scene::new();
        scene.wecom.script(Endpoint::AgentGet, [Reply::errcode(errcode, "no")]);
        let case = errcode.to_string();
        let told = checked(&scene, &case, app(&scene, &[]), code, status);
        told.has("token", "ok", &[]).has("agent", "failed", &[&case, part]);
        told.skips(&["reach", "recipients", "send_app"], "agent failed");
        assert_eq!(scene.wecom.count(Endpoint::AgentGet), 1, "{case}: asked once");
    }
}

#[test]
fn an_agent_id_of_another_app() {
    let scene = Scene::with(FakeWecom::builder().app("ww0000000000000000", 1_000_003, "test-other-secret").start());
    let told = checked(&scene, "another", app(&scene, &["--agent-id", "1000003"]), 4, "auth");
    told.has("agent", "failed", &["301002", "agent_id 1000003"]);
    let told = checked(&scene, "none", app(&scene, &[]).without_env("WECOM_ALERT_AGENT_ID"), 3, "config");
    told.has("agent", "failed", &["agent_id is not set", "WECOM_ALERT_AGENT_ID"]).has("token", "ok", &[]);
}

#[test]
fn an_app_that_is_disabled() {
    let scene = Scene::new();
    scene.wecom.close_app(true);
    let told = checked(&scene, "closed", app(&scene, &["--send"]), 4, "auth");
    told.has("agent", "failed", &["告警 is disabled", "启用"]).has("reach", "ok", &["3 members"]);
    told.skips(&["send_app"], "agent failed");
    scene.wecom.disable_app(true);
    checked(&scene, "no token", app(&scene, &["--no-cache"]), 4, "auth").has("token", "failed", &["50003", "应用管理"]);
    assert_eq!(scene.wecom.messages().len(), 0);
}

#[test]
fn an_address_that_wecom_does_not_trust() {
    let scene = Scene::new();
    scene.wecom.trust_no_ip();
    let told = checked(&scene, "gettoken", app(&scene, &[]), 4, "auth");
    told.has("token", "failed", &["60020", SEEN_IP, "企业可信IP"]).has("ip", "failed", &[SEEN_IP, "企业可信IP"]);
    assert_eq!(told.document["seen_ip"], SEEN_IP);
    scene.wecom.trust_every_ip();
    checked(&scene, "trusted", app(&scene, &[]), 0, "ok").skips(&["ip"], "only when it refuses");
    scene.wecom.trust_no_ip();
    let told = checked(&scene, "agent/get", app(&scene, &[]), 4, "auth");
    told.has("token", "ok", &["cache"]).has("agent", "failed", &["60020"]).has("ip", "failed", &[SEEN_IP]);
}

#[test]
fn a_cached_token_that_wecom_forgot() {
    let scene = Scene::new();
    checked(&scene, "first", app(&scene, &[]), 0, "ok");
    scene.wecom.revoke_tokens();
    let told = checked(&scene, "forgotten", app(&scene, &[]), 0, "ok");
    told.has("agent", "warning", &["again"]).skips(&["reach", "recipients"], "not asked");
    checked(&scene, "after that", app(&scene, &[]), 0, "ok").has("agent", "ok", &[]).has("token", "ok", &["cache"]);
    assert_eq!((scene.wecom.count(Endpoint::GetToken), scene.wecom.count(Endpoint::AgentGet)), (2, 3));
}

#[test]
fn answers_that_are_not_wecoms() {
    let cases = [
        ("portal", Reply::PortalPage, 7, "temporary", "something between"),
        ("502", Reply::status(502), 7, "temporary", "something between"),
        ("404", Reply::status(404), 3, "config", "--base-url"),
        ("407", Reply::status(407), 3, "config", "--proxy"),
        ("429", Reply::status(429), 8, "rate_limited", "wait"),
        ("redirect", Reply::Redirect("https://portal.invalid/login".to_owned()), 7, "temporary", "portal.invalid"),
        ("reset", Reply::ResetAfterReading, 7, "temporary", "try again"),
        ("closed", Reply::CloseAfterReading, 7, "temporary", "try again"),
        ("cut", Reply::CutBody { declared: 500, sent: 5 }, 7, "temporary", "cut off"),
        ("hang", Reply::HangAfterReading, 7, "temporary", "--timeout"),
        ("oversized", Reply::Oversized(2_000_000), 7, "temporary", "longer"),
        ("not UTF-8", Reply::NotUtf8, 7, "temporary", "not an answer of WeCom"),
    ];
    at_once(cases, |(case, reply, code, status, part)| {
        for endpoint in [Endpoint::GetToken, Endpoint::AgentGet] {
            let scene = Scene::new();
            scene.wecom.script(endpoint, [reply.clone()]);
            let name = if endpoint == Endpoint::GetToken { "token" } else { "agent" };
            let args: &[&str] = if reply.hangs() { &["--timeout", "1s"] } else { &[] };
            let told = checked(&scene, &format!("{case} {name}"), app(&scene, args), code, status);
            told.has(name, "failed", &[part]).skips(&["reach", "recipients", "send_app"], &format!("{name} failed"));
            assert_eq!(scene.wecom.count(endpoint), 1, "{case}: asked once");
        }
    });
}

#[test]
fn a_host_that_is_silent() {
    let scene = Scene::new();
    // The first connection is only looked at.
    scene.wecom.on_connections([OnConnect::Serve, OnConnect::Hang, OnConnect::Hang]);
    let told = checked(&scene, "hang", app(&scene, &["--timeout", "1s"]), 7, "temporary");
    told.has("tcp", "ok", &[]).has("token", "failed", &["--timeout"]).skips(&AFTER_TOKEN, "token failed");
}

#[test]
fn everything_ends_by_the_deadline() {
    let scene = Scene::new();
    scene.wecom.always(Endpoint::GetToken, Reply::delayed(Duration::from_secs(50), Reply::Normal));
    let told = checked(&scene, "deadline", app(&scene, &["--deadline", "2s"]).webhook(), 7, "temporary");
    told.has("token", "failed", &["--deadline"]).has("outbox", "ok", &[]);
}

#[test]
fn a_clock_that_is_wrong() {
    for (ahead_s, status, part) in
        [(-600, "warning", "10m ahead of"), (7_300, "warning", "2h 1m behind"), (5, "ok", "off by")]
    {
        let scene = Scene::with(FakeWecom::builder().clock_ahead_s(ahead_s).start());
        checked(&scene, part, app(&scene, &[]), 0, "ok").has("clock", status, &[part]);
    }
    // A refusal tells the time too; a portal does not.
    let scene = Scene::with(FakeWecom::builder().clock_ahead_s(-600).start());
    let told = checked(&scene, "refusal", app(&scene, &[]).env("WECOM_ALERT_SECRET", "wrong"), 4, "auth");
    told.has("clock", "warning", &["ahead"]);
    scene.wecom.script(Endpoint::GetToken, [Reply::PortalPage]);
    checked(&scene, "portal", app(&scene, &[]), 7, "temporary").skips(&["clock"], "no answer");
}

#[test]
fn recipients_that_the_app_cannot_reach() {
    let range = |users: &[&str], parties: &[&str]| Scene::with(FakeWecom::builder().range(users, parties, &[]).start());
    let scene = range(&["zhangsan", "lisi"], &[]);
    let told = checked(&scene, "some", app(&scene, &[]).env("WECOM_ALERT_TO_USER", "zhangsan,nobody"), 6, "partial");
    told.has("recipients", "failed", &["member nobody", "可见范围"]).has("agent", "ok", &[]);
    let told = checked(&scene, "all", app(&scene, &[]).env("WECOM_ALERT_TO_PARTY", "7"), 5, "refused");
    told.has("recipients", "failed", &["department 7"]);
    let named = app(&scene, &[]).env("WECOM_ALERT_TO_USER", "zhangsan,张三");
    checked(&scene, "a name", named, 2, "usage").has(
        "recipients",
        "failed",
        &["userid \"张三\" may hold letters", "账号"],
    );
    checked(&scene, "@all", app(&scene, &[]).env("WECOM_ALERT_TO_USER", "@all"), 0, "ok").has("recipients", "ok", &[]);
    checked(&scene, "none", app(&scene, &[]), 0, "ok").skips(&["recipients"], "-u");
    let scene = range(&[], &["1"]);
    let told = checked(&scene, "unknown", app(&scene, &[]).env("WECOM_ALERT_TO_USER", "nobody"), 0, "ok");
    told.has("recipients", "skipped", &["may hold member nobody"]).has("reach", "ok", &["no member, 1 department"]);
    scene.wecom.script(Endpoint::AgentGet, [Reply::Json(serde_json::json!({"errcode": 0, "name": "x"}))]);
    let told = checked(&scene, "untold", app(&scene, &[]).env("WECOM_ALERT_TO_USER", "nobody"), 0, "ok");
    told.has("agent", "ok", &["x is visible"]).skips(&["reach", "recipients"], "does not say");
    let scene = range(&[], &[]);
    checked(&scene, "nobody", app(&scene, &[]), 0, "ok").has("reach", "warning", &["nobody", "可见范围"]);
}
