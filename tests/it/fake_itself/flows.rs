//! What goes well: tokens, messages to members and groups, limits, and the log of it all.

use serde_json::json;

use super::*;
use crate::support::fake::{Endpoint, Outcome, Route, SEEN_IP};

#[test]
fn gives_the_same_token_until_it_is_revoked() {
    let wecom = FakeWecom::start();
    let first = get(&wecom, &token_target());
    assert_eq!((first.status, first.errcode(), &first.json()["expires_in"]), (200, 0, &json!(7200)));
    let first = token(&wecom);
    assert_eq!(first.len(), 214);
    assert_eq!(token(&wecom), first);
    wecom.revoke_tokens();
    let second = token(&wecom);
    assert_ne!(second, first);
    wecom.same_token_on_refresh(false);
    assert_ne!(token(&wecom), second);
    assert_eq!(wecom.count(Endpoint::GetToken), 5);
    let outcomes: Vec<_> = wecom.requests().into_iter().map(|seen| seen.outcome).collect();
    assert_eq!(outcomes[0], Outcome::Token { new: true });
    assert_eq!(outcomes[1], Outcome::Token { new: false });
}

#[test]
fn refuses_bad_credentials_each_in_its_way() {
    let wecom = FakeWecom::builder().contact_secret(CORP_ID, "test-contact-secret").start();
    let code = |query: &str| get(&wecom, &format!("/cgi-bin/gettoken?{query}")).errcode();
    assert_eq!(code("corpsecret=x"), 41002);
    assert_eq!(code("corpid=wwother&corpsecret=x"), 40013);
    assert_eq!(code(&format!("corpid={CORP_ID}")), 41004);
    assert_eq!(code(&format!("corpid={CORP_ID}&corpsecret=wrong")), 40001);
    let contact = get(&wecom, &format!("/cgi-bin/gettoken?corpid={CORP_ID}&corpsecret=test-contact-secret")).json();
    let target = format!("/cgi-bin/message/send?access_token={}", contact["access_token"].as_str().unwrap());
    assert_eq!(post(&wecom, &target, "application/json", b"{}").errcode(), 48002);
    wecom.rotate_secret(SECRET, "test-secret-new");
    assert_eq!(get(&wecom, &token_target()).errcode(), 40001);
}

#[test]
fn refuses_bad_tokens_each_in_its_way() {
    let wecom = FakeWecom::builder().app(CORP_ID, 1_000_003, "test-other-secret").start();
    let old = token(&wecom);
    let body = with_payload("text", json!({"content": "hi"}));
    let code = |query: &str, body: &Value| {
        let target = format!("/cgi-bin/message/send{query}");
        post(&wecom, &target, "application/json", body.to_string().as_bytes()).errcode()
    };
    assert_eq!(code("", &body), 41001);
    assert_eq!(code("?access_token=", &body), 41001);
    assert_eq!(code("?access_token=unknown", &body), 40014);
    wecom.expire_tokens();
    assert_eq!(code(&format!("?access_token={old}"), &body), 42001);
    let new = token(&wecom);
    assert_eq!(code(&format!("?access_token={new}"), &body), 0);
    let with_agent = |agent: Value| {
        let mut body = body.clone();
        body["agentid"] = agent;
        code(&format!("?access_token={new}"), &body)
    };
    assert_eq!(with_agent(json!(1_000_003)), 301_002);
    assert_eq!(with_agent(json!(7)), 40056);
    wecom.disable_app(true);
    assert_eq!(code(&format!("?access_token={new}"), &body), 50003);
    wecom.trust_no_ip();
    let refused = get(&wecom, &token_target()).json();
    assert_eq!(refused["errcode"], 60020);
    assert!(refused["errmsg"].as_str().unwrap().contains(&format!("from ip: {SEEN_IP},")));
}

#[test]
fn a_token_lives_as_long_as_it_says() {
    let wecom = FakeWecom::builder().token_lifetime(Duration::ZERO).token_length(512).start();
    let token = token(&wecom);
    assert_eq!(token.len(), 512);
    let target = format!("/cgi-bin/message/send?access_token={token}");
    assert_eq!(post(&wecom, &target, "application/json", b"{}").errcode(), 42001);
}

#[test]
fn delivers_and_lists_whom_it_cannot_reach() {
    let wecom = FakeWecom::start();
    let mut body = with_payload("text", json!({"content": "磁盘满了"}));
    body["touser"] = json!("ZhangSan|Nobody|unlicensed");
    body["toparty"] = json!("1|77");
    let answer = send(&wecom, &body).json();
    assert_eq!(answer["errcode"], 0);
    assert_eq!(answer["invaliduser"], "nobody");
    assert_eq!(answer["invalidparty"], "77");
    assert_eq!(answer["unlicenseduser"], "unlicensed");
    assert!(answer["msgid"].is_string() && answer.get("response_code").is_none());
    let messages = wecom.messages();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].route, Route::App { agent_id: AGENT_ID });
    assert_eq!(
        (messages[0].users.as_slice(), messages[0].parties.as_slice()),
        (&["ZhangSan".to_owned()][..], &["1".to_owned()][..])
    );
    assert_eq!(messages[0].payload()["content"], "磁盘满了");
    assert_eq!(messages[0].remarks, ["not delivered to nobody, 77, unlicensed"]);
    assert_eq!(messages[0].raw, body.to_string().into_bytes());

    body["touser"] = json!("nobody");
    body["toparty"] = json!("");
    let answer = send(&wecom, &body).json();
    assert_eq!((&answer["errcode"], &answer["invaliduser"]), (&json!(81013), &json!("nobody")));
    body["touser"] = json!("@all");
    assert_eq!(send(&wecom, &body).errcode(), 0);
    assert_eq!(wecom.messages().len(), 2);
}

#[test]
fn the_same_body_is_delivered_once_when_asked_so() {
    let wecom = FakeWecom::start();
    let mut body = with_payload("template_card", card_rules::button_card("t-1"));
    body["enable_duplicate_check"] = json!(1);
    let first = send(&wecom, &body).json();
    assert!(first["response_code"].is_string());
    assert_eq!(send(&wecom, &body).json(), first);
    assert_eq!((wecom.messages().len(), wecom.suppressed()), (1, 1));
    body["touser"] = json!("lisi");
    assert_eq!(send(&wecom, &body).errcode(), 42014, "the task_id repeats in another body");
}

#[test]
fn groups_have_a_loud_limit_and_members_a_silent_one() {
    let wecom = FakeWecom::start();
    wecom.webhook_limit(2, Duration::from_secs(3600));
    let codes: Vec<_> = (0..3).map(|_| send_to_group(&wecom, "text", json!({"content": "x"})).errcode()).collect();
    assert_eq!(codes, [0, 0, 45009]);
    assert_eq!(wecom.messages().len(), 2);
    wecom.member_limit(1, Duration::from_secs(3600));
    let codes: Vec<_> = (0..2).map(|_| send_payload(&wecom, "text", json!({"content": "x"})).errcode()).collect();
    assert_eq!(codes, [0, 0]);
    assert_eq!((wecom.messages().len(), wecom.dropped()), (3, vec!["zhangsan".to_owned()]));
}

#[test]
fn a_removed_bot_and_a_whole_url_as_key_are_93000() {
    let wecom = FakeWecom::start();
    let target = format!("/cgi-bin/webhook/send?key={}", "https%3A%2F%2Fx%2F");
    assert_eq!(post(&wecom, &target, "application/json", b"{}").errcode(), 93000);
    wecom.remove_webhook(WEBHOOK_KEY);
    assert_eq!(send_to_group(&wecom, "text", json!({"content": "x"})).errcode(), 93000);
}

#[test]
fn a_prefix_belongs_before_cgi_bin() {
    let wecom = FakeWecom::builder().prefix("/relay").start();
    assert!(wecom.base_url().ends_with("/relay"));
    assert_eq!(get(&wecom, &format!("/relay{}", token_target())).errcode(), 0);
    wecom.expect_unexpected();
    assert_eq!(get(&wecom, &token_target()).status, 404);
}

#[test]
fn a_connection_serves_many_requests() {
    let wecom = FakeWecom::start();
    let mut stream = connect(wecom.address());
    let one = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", token_target());
    let last = one.replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n");
    let bytes = exchange(&mut stream, format!("{one}{one}{last}").as_bytes()).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap().matches("HTTP/1.1 200 OK").count(), 3);
    assert_eq!((wecom.connections(), wecom.count(Endpoint::GetToken)), (1, 3));
    assert!(wecom.requests().iter().all(|seen| seen.connection == 1));
}

#[test]
fn stands_250_connections_at_once() {
    let wecom = FakeWecom::start();
    let streams: Vec<_> = (0..250).map(|_| connect(wecom.address())).collect();
    let request = format!("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", token_target());
    for stream in streams {
        assert_eq!(Got::parse(&exchange(stream, request.as_bytes()).unwrap()).errcode(), 0);
    }
    assert_eq!(wecom.connections(), 250);
}

#[test]
fn tells_of_an_app_and_its_range() {
    let wecom = FakeWecom::builder().clock_ahead_s(3600).start();
    wecom.close_app(true);
    let about = |query: &str| get(&wecom, &format!("/cgi-bin/agent/get?access_token={}{query}", token(&wecom)));
    let told = about(&format!("&agentid={AGENT_ID}"));
    let document = told.json();
    assert_eq!((told.errcode(), &document["close"], &document["name"]), (0, &json!(1), &json!("告警")));
    assert_eq!(document["allow_userinfos"]["user"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&document["allow_partys"], &document["allow_tags"]),
        (&json!({"partyid": [1, 2]}), &json!({"tagid": [1]}))
    );
    assert!(told.head.contains("\r\nDate: ") && told.head.contains(" GMT"), "{}", told.head);
    assert_eq!((about("&agentid=1000009").errcode(), about("").errcode()), (301_002, 40056));
    assert_eq!(get(&wecom, "/cgi-bin/agent/get?agentid=1").errcode(), 41001);
    assert_eq!(wecom.complaints(), [""; 0]);
    wecom.expect_unexpected();
    post(&wecom, "/cgi-bin/agent/get", "application/json", b"{}");
    about("&agentid=1000002&debug=1");
    assert_eq!(wecom.complaints().len(), 2, "{:?}", wecom.complaints());
}
