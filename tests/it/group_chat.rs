//! `chat-create`, `chat-get` and `chat-update`: group chats that the app makes.

use serde_json::{Value, json};

use crate::document::{assert_document, assert_says, warnings};
use crate::results::document;
use crate::support::fake::{AGENT_ID, CHAT_ID, CORP_ID, Chat, Endpoint, FakeWecom, Reply};
use crate::support::{Cmd, Run, Scene};

/// `chat-create` with the three members that are always there.
fn create(scene: &Scene, args: &[&str]) -> Cmd {
    scene.cmd(&["chat-create", "--member", "zhangsan,lisi", "--member", "wangwu"]).args(args.iter().copied())
}

fn update(scene: &Scene, args: &[&str]) -> Cmd {
    scene.cmd(&["chat-update", CHAT_ID]).args(args.iter().copied())
}

/// The same command as a person sees it, without the JSON.
fn text(scene: &Scene, args: &[&str]) -> Run {
    scene.bare(args).base_url(&scene.wecom).app_credentials().run()
}

fn chat(scene: &Scene, id: &str) -> Chat {
    scene.wecom.chats().into_iter().find(|chat| chat.id == id).unwrap()
}

/// The bodies that an endpoint saw, byte by byte.
fn bodies(scene: &Scene, endpoint: Endpoint) -> Vec<String> {
    let seen = scene.wecom.requests().into_iter().filter(|seen| seen.endpoint == endpoint);
    seen.map(|seen| String::from_utf8(seen.body).unwrap()).collect()
}

#[test]
fn makes_a_chat_and_prints_its_id() {
    let scene = Scene::new();
    let args = ["chat-create", "--chat", "ops1", "--name", "值班群", "--owner", "lisi", "--member", "zhangsan"];
    let run = text(&scene, &args).assert_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("ops1\n", ""));
    let body = r#"{"name":"值班群","owner":"lisi","userlist":["zhangsan","lisi"],"chatid":"ops1"}"#;
    assert_eq!(bodies(&scene, Endpoint::AppchatCreate), [body]);
    let made = chat(&scene, "ops1");
    assert_eq!((made.name.as_str(), made.owner.as_str(), made.agent_id), ("值班群", "lisi", AGENT_ID));

    let run = create(&scene, &[]).run();
    let told =
        assert_document(&run, "random", 0, &json!({"status": "ok", "route": "app", "created": true, "errcode": 0}));
    assert_eq!(bodies(&scene, Endpoint::AppchatCreate)[1], r#"{"userlist":["zhangsan","lisi","wangwu"]}"#);
    assert_eq!(chat(&scene, told["chatid"].as_str().unwrap()).members, ["zhangsan", "lisi", "wangwu"]);
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 1);
}

/// Neither agent_id nor a chat of the settings is needed, or counts.
#[test]
fn a_new_chat_needs_no_agent_and_takes_no_id_of_the_settings() {
    let scene = Scene::new();
    let run = create(&scene, &[]).without_env("WECOM_ALERT_AGENT_ID").env("WECOM_ALERT_CHAT", "ops1").run();
    assert_document(&run, "settings", 0, &json!({"created": true}));
    assert_eq!(bodies(&scene, Endpoint::AppchatCreate), [r#"{"userlist":["zhangsan","lisi","wangwu"]}"#]);
}

/// As a script that runs at each start of a machine.
#[test]
fn a_chat_of_a_chosen_id_is_made_once() {
    let scene = Scene::new();
    for (turn, is_new) in [true, false, false].into_iter().enumerate() {
        let run = create(&scene, &["--chat", "ops1"]).run();
        let told = assert_document(
            &run,
            "again",
            0,
            &json!({"chatid": "ops1", "created": is_new, "added": [], "missing": [], "warnings": []}),
        );
        assert_eq!(told["message"], Value::Null, "{turn}");
    }
    assert_eq!(scene.wecom.chats().iter().filter(|chat| chat.id == "ops1").count(), 1);
    assert_eq!((scene.wecom.count(Endpoint::AppchatGet), scene.wecom.count(Endpoint::AppchatUpdate)), (2, 0));

    // Who is not in it is named, and added where that is asked for. Nobody is removed.
    scene.wecom.add_users(["zhaoliu", "sunqi"]);
    let more = ["--chat", "ops1", "--member", "ZhaoLiu,sunqi"];
    let run = create(&scene, &more).run();
    let told = assert_document(
        &run,
        "more",
        0,
        &json!({"status": "ok", "created": false, "added": [], "missing": ["ZhaoLiu", "sunqi"]}),
    );
    let warning = "the chat ops1 exists already, and these are not in it: ZhaoLiu, sunqi; --sync adds them";
    assert_eq!(warnings(&told), [warning]);
    let run = create(&scene, &[&more[..], &["--sync"]].concat()).run();
    let added = json!({"created": false, "added": ["ZhaoLiu", "sunqi"], "missing": [], "warnings": []});
    assert_document(&run, "sync", 0, &added);
    assert_eq!(bodies(&scene, Endpoint::AppchatUpdate), [r#"{"chatid":"ops1","add_user_list":["ZhaoLiu","sunqi"]}"#]);
    assert_eq!(chat(&scene, "ops1").members.len(), 5);
    let run = scene.cmd(&["chat-create", "--chat", "ops1", "--member", "lisi,wangwu", "--sync"]).run();
    assert_document(&run, "fewer", 0, &json!({"created": false, "warnings": []}));
    assert_eq!((chat(&scene, "ops1").members.len(), scene.wecom.count(Endpoint::AppchatUpdate)), (5, 1));
}

/// A chat keeps the name and the owner that it has.
#[test]
fn another_name_or_owner_of_a_chat_that_exists_is_told() {
    let scene = Scene::new();
    let long = "值".repeat(60);
    for (id, name) in [("ops1", "值班群"), ("ops2", &*long)] {
        create(&scene, &["--chat", id, "--name", name, "--owner", "lisi"]).run().assert_code(0);
    }
    for (args, told) in [
        (&["--chat", "ops1", "--name", "值班群", "--owner", "LiSi"][..], ""),
        (&["--chat", "ops1"], ""),
        (&["--chat", "ops1", "--name", "On call"], "its name is \"值班群\""),
        (&["--chat", "ops1", "--owner", "wangwu", "--sync"], "its owner is lisi"),
        (&["--chat", "ops1", "--name", "On call", "--owner", "wangwu"], "its name is \"值班群\", its owner is lisi"),
    ] {
        let run = create(&scene, args).run();
        let document = assert_document(&run, told, 0, &json!({"created": false}));
        let wanted = format!("the chat ops1 exists already, and {told}: chat-update ops1 changes that");
        let wanted = if told.is_empty() { vec![] } else { vec![wanted.as_str()] };
        assert_eq!(warnings(&document), wanted);
    }
    // Of a long name WeCom keeps the beginning.
    let run = create(&scene, &["--chat", "ops2", "--name", &long]).run();
    assert_eq!(warnings(&run.assert_code(0).json()), ["the name has 60 characters, and WeCom keeps 50"]);
    assert_eq!(scene.wecom.count(Endpoint::AppchatUpdate), 0);
}

/// Members are often known by their mobile numbers alone.
#[test]
fn who_is_no_userid_is_looked_up_first() {
    let scene = Scene::new();
    create(&scene, &["--chat", "ops1"]).run().assert_code(0);
    for (args, code, hint) in [
        (&["chat-create", "--member", "zhangsan,13800000003"][..], 5, "get-userid --mobile"),
        (&["chat-create", "--member", "zhangsan", "--owner", "lisi@example.com"], 5, "get-userid --email"),
        (&["chat-create", "--member", "zhangsan,+86 13800000003"], 2, "get-userid --mobile"),
        (&["chat-create", "--chat", "ops1", "--member", "zhangsan,13800000003", "--sync"], 6, "get-userid --mobile"),
        (&["chat-update", "ops1", "--add", "13800000003"], 5, "get-userid --mobile"),
        (&["chat-create", "--member", "lisi,"], 2, "one found nobody"),
        (&["chat-update", "ops1", "--add", ""], 2, "one found nobody"),
    ] {
        let run = scene.cmd(args).run().assert_code(code);
        assert_says(&run.json(), hint, "hint", &[hint]);
    }
    for args in [&["chat-create", "--member", "zhangsan,nobody"][..], &["chat-update", "ops1", "--add", "nobody"]] {
        let told = scene.cmd(args).run().assert_code(5).json();
        assert!(!told["hint"].as_str().unwrap().contains("get-userid"), "{told}");
    }
}

#[test]
fn a_name_in_place_of_an_id_is_told() {
    let scene = Scene::new();
    let looks = "\"值班群\" looks like the name of a chat: its id is what chat-create printed";
    for args in [
        &["chat-send", "--chat", "值班群", "x"][..],
        &["chat-get", "值班群"],
        &["chat-update", "值班群", "--name", "x"],
    ] {
        let told = scene.cmd(args).run().assert_code(5).json();
        assert!(warnings(&told)[0].ends_with(looks), "{told}");
    }
    let told = scene.cmd(&["chat-create", "--chat", "值班群", "--member", "a,b"]).run().assert_code(2).json();
    assert_says(&told, "create", "hint", &["--name"]);
}

/// The chat is there, and the script can go on with its id.
#[test]
fn a_failed_sync_prints_the_id_all_the_same() {
    let scene = Scene::new();
    create(&scene, &["--chat", "ops1"]).run().assert_code(0);
    let args = ["chat-create", "--chat", "ops1", "--member", "zhangsan,nobody", "--sync"];
    let run = text(&scene, &args).assert_code(6);
    assert_eq!(run.stdout, "ops1\n");
    assert!(
        run.stderr.contains("the chat ops1 exists, but nobody could not be added: WeCom answered 86216"),
        "{}",
        run.all()
    );
    let run = scene.cmd(&args).run();
    assert_document(
        &run,
        "sync",
        6,
        &json!({
            "status": "partial",
            "chatid": "ops1",
            "created": false,
            "errcode": 86216,
            "added": [],
            "missing": ["nobody"]
        }),
    );
}

#[test]
fn a_chat_of_another_app_is_no_success() {
    let wecom = FakeWecom::builder()
        .app(CORP_ID, 1_000_003, "test-other-secret")
        .chat("ops1", 1_000_003, ["zhangsan", "lisi"])
        .start();
    let scene = Scene::with(wecom);
    let run = create(&scene, &["--chat", "ops1"]).run();
    let told = assert_document(&run, "other", 4, &json!({"status": "auth", "errcode": 86008}));
    assert_says(&told, "other", "hint", &["the app that created the chat"]);
    assert!(told.get("chatid").is_none(), "{told}");
}

#[test]
fn breaks_no_rule_unless_it_is_told_to() {
    let scene = Scene::new();
    let many: Vec<String> = (0..2000).map(|at| format!("u{at}")).collect();
    let many = many.join(",");
    for (args, part) in [
        (&["--member", "zhangsan"][..], "1 member is named, and a new chat needs 2 to 1999"),
        (&["--member", "zhangsan,ZhangSan", "--owner", "zhangsan"], "1 member is named"),
        (&["--member", &many], "2000 members are named"),
        (&["--member", "zhangsan,张三"], "--member: \"张三\" may hold letters"),
        (&["--member", "zhangsan,"], "--member: an id is empty"),
        (&["--member", "zhangsan,@all"], "--member: \"@all\""),
        (&["--member", "zhangsan,lisi", "--owner", "a,b"], "--owner names several members"),
        (&["--member", "zhangsan,lisi", "--chat", "ops-1"], "--chat: \"ops-1\" cannot be the id"),
        // A variable that is empty must not make a chat at each run.
        (&["--member", "zhangsan,lisi", "--chat", ""], "--chat: \"\" cannot be the id"),
        (&["--member", "zhangsan,lisi", "--sync"], "--chat"),
        (&["--name", "x"], "--member"),
    ] {
        let run = scene.cmd(&["chat-create"]).args(args.iter().copied()).run();
        let told = assert_document(&run, part, 2, &json!({"status": "usage"}));
        assert_says(&told, part, "message", &[part]);
    }
    assert_eq!(scene.wecom.requests().len(), 0);
    // WeCom decides.
    let run = scene.cmd(&["chat-create", "--no-validate", "--member", "zhangsan", "--chat", "ops-1"]).run();
    let told = assert_document(&run, "unchecked", 5, &json!({"errcode": 86001}));
    assert_eq!(warnings(&told).len(), 2, "{told}");
    // Only its end is lost.
    let long = "告".repeat(51);
    let run = create(&scene, &["--name", &long, "--chat", "ops2"]).run();
    let told = assert_document(&run, "long", 0, &json!({"created": true}));
    assert_eq!(warnings(&told), ["the name has 51 characters, and WeCom keeps 50"]);
    assert_eq!(chat(&scene, "ops2").name.chars().count(), 50);
    // An owner who is no --member counts.
    scene.cmd(&["chat-create", "--member", "zhangsan", "--owner", "lisi"]).run().assert_code(0);
}

/// Without an id of its own a repetition could make a second chat.
#[test]
fn without_an_answer_only_a_chosen_id_is_tried_again() {
    let lost = || [Reply::accept_then(Reply::CloseAfterReading)];
    let scene = Scene::new();
    scene.wecom.script(Endpoint::AppchatCreate, lost());
    let told = assert_document(
        &create(&scene, &["--retries", "3"]).run(),
        "random",
        9,
        &json!({"status": "unknown", "retryable": false, "errcode": null}),
    );
    assert_says(&told, "random", "hint", &["there may be a new chat now", "--chat ID"]);
    assert_eq!(scene.wecom.count(Endpoint::AppchatCreate), 1);
    scene.wecom.script(Endpoint::AppchatCreate, [Reply::PortalPage]);
    let run = create(&scene, &["--retries", "3"]).run();
    assert_document(&run, "garbled", 9, &json!({"status": "unknown"}));
    assert_eq!(scene.wecom.count(Endpoint::AppchatCreate), 2);
    // No connection, no chat.
    let run = create(&scene, &[]).env("WECOM_ALERT_BASE_URL", "http://127.0.0.1:1").run();
    assert_document(&run, "closed", 7, &json!({"status": "temporary"}));

    scene.wecom.script(Endpoint::AppchatCreate, lost());
    let run = create(&scene, &["--chat", "ops1", "--retries", "1"]).run();
    assert_document(&run, "chosen", 0, &json!({"chatid": "ops1", "created": true, "warnings": []}));
    scene.wecom.script(Endpoint::AppchatCreate, lost());
    let told = assert_document(&create(&scene, &["--chat", "ops2"]).run(), "once", 7, &json!({"status": "temporary"}));
    assert_says(&told, "once", "hint", &["try again, which is safe"]);
    let run = create(&scene, &["--chat", "ops2"]).run();
    assert_document(&run, "again", 0, &json!({"chatid": "ops2", "created": false}));
}

#[test]
fn refusals_of_wecom_are_explained() {
    let scene = Scene::new();
    let run = scene.cmd(&["chat-create", "--member", "zhangsan,nobody"]).run();
    assert_document(&run, "member", 5, &json!({"status": "refused", "errcode": 86007}));
    scene.wecom.hide_root();
    for args in [
        &["chat-create", "--member", "zhangsan,lisi"][..],
        &["chat-get", CHAT_ID],
        &["chat-update", CHAT_ID, "--name", "x"],
    ] {
        let told = assert_document(&scene.cmd(args).run(), args[0], 4, &json!({"status": "auth", "errcode": 48002}));
        assert_says(&told, args[0], "hint", &["可见范围", "the root department", "write to everybody"]);
    }
    scene.wecom.script(Endpoint::AppchatCreate, [Reply::errcode(45009, "api freq out of limit")]);
    assert_document(&create(&scene, &[]).run(), "rate", 8, &json!({"status": "rate_limited"}));
}

#[test]
fn a_stale_token_is_replaced() {
    let scene = Scene::new();
    scene.warm();
    for args in [
        &["chat-create", "--member", "zhangsan,lisi"][..],
        &["chat-get", CHAT_ID],
        &["chat-update", CHAT_ID, "--name", "x"],
    ] {
        scene.wecom.revoke_tokens();
        scene.cmd(args).run().assert_code(0);
    }
    assert_eq!(scene.wecom.count(Endpoint::GetToken), 4);
}

/// Old clients show a chat only when there is a message in it.
#[test]
fn a_new_chat_gets_its_first_message_once() {
    let scene = Scene::new();
    let hello = ["--chat", "ops1", "--hello", "告警会发到这里\r\n"];
    assert_document(&create(&scene, &hello).run(), "new", 0, &json!({"chatid": "ops1", "created": true, "errcode": 0}));
    let body = r#"{"chatid":"ops1","msgtype":"text","text":{"content":"告警会发到这里"}}"#;
    assert_eq!(bodies(&scene, Endpoint::AppchatSend), [body]);
    assert_document(&create(&scene, &hello).run(), "again", 0, &json!({"chatid": "ops1", "created": false}));
    assert_eq!(scene.wecom.messages().len(), 1);
    // The chat is there: its id is printed whatever became of the message.
    scene.wecom.script(Endpoint::AppchatSend, [Reply::errcode(45009, "api freq out of limit")]);
    let args = ["chat-create", "--chat", "ops2", "--member", "zhangsan,lisi", "--hello", "x"];
    let run = text(&scene, &args).assert_code(6);
    assert_eq!(run.stdout, "ops2\n");
    assert!(
        run.stderr.contains("the chat ops2 was made, but its first message was not sent: WeCom answered 45009"),
        "{}",
        run.all()
    );
    assert!(run.stderr.contains("then: wecom-alert chat-send --chat ops2 TEXT\n"), "{}", run.all());
    let long = "x".repeat(2049);
    for (text, part) in
        [("", "--hello says nothing"), (" \n", "--hello says nothing"), (&*long, "--hello has 2049 bytes")]
    {
        let told = assert_document(&create(&scene, &["--hello", text]).run(), part, 2, &json!({"status": "usage"}));
        assert_says(&told, part, "message", &[part]);
    }
    assert_eq!(scene.wecom.chats().len(), 3);
    let run = create(&scene, &["--chat", "ops3", "--hello", "x", "--dry-run"]).run().assert_code(0);
    let request = json!({"method": "POST", "path": "/cgi-bin/appchat/send", "body": {"chatid": "ops3", "msgtype": "text", "text": {"content": "x"}}});
    assert_eq!(document(&run)["requests"][1], request);
}

#[test]
fn describes_a_chat() {
    let scene = Scene::new();
    let run = text(&scene, &["chat-get", CHAT_ID]).assert_code(0);
    assert_eq!((run.stdout, run.stderr.as_str()), (format!("{CHAT_ID}\t值班群\tzhangsan\tzhangsan,lisi,wangwu\n"), ""));
    let run = scene.cmd(&["chat-get", CHAT_ID]).run();
    let about =
        json!({"chatid": CHAT_ID, "name": "值班群", "owner": "zhangsan", "userlist": ["zhangsan", "lisi", "wangwu"]});
    assert_document(&run, "get", 0, &json!({"status": "ok", "route": "app", "errcode": 0, "chat": about}));
    let asked = scene.wecom.requests().into_iter().find(|seen| seen.endpoint == Endpoint::AppchatGet).unwrap();
    assert_eq!((asked.method.as_str(), asked.parameter("chatid"), asked.body.len()), ("GET", Some(CHAT_ID), 0));
    assert_document(&scene.cmd(&["chat-get", "nosuch"]).run(), "unknown", 5, &json!({"errcode": 86003}));
    assert_document(
        &scene.cmd(&["chat-get"]).run(),
        "none",
        2,
        &json!({"status": "usage", "message": "no chat is named"}),
    );
    // The chat of the settings.
    let run = scene.cmd(&["chat-get"]).env("WECOM_ALERT_CHAT", CHAT_ID).run();
    assert_eq!(assert_document(&run, "settings", 0, &json!({"status": "ok"}))["chat"]["chatid"], CHAT_ID);
    let run =
        scene.cmd(&["chat-update", "--name", "x", "--dry-run"]).env("WECOM_ALERT_CHAT", CHAT_ID).run().assert_code(0);
    assert_eq!(document(&run)["requests"][0]["body"]["chatid"], CHAT_ID);
    // A name from outside cannot forge a field or a line.
    scene.wecom.script(
        Endpoint::AppchatGet,
        [Reply::Json(
            json!({"errcode": 0, "errmsg": "ok", "chat_info": {"chatid": "x", "name": "a\tb\nc\u{1b}[2J", "owner": "o",
            "userlist": ["o"]}}),
        )],
    );
    let line = text(&scene, &["chat-get", "x"]).assert_code(0).stdout;
    assert_eq!(
        (line.matches('\t').count(), line.matches('\n').count(), line.contains('\u{1b}')),
        (3, 1, false),
        "{line:?}"
    );
}

#[test]
fn changes_a_chat_and_prints_nothing() {
    let scene = Scene::new();
    scene.wecom.add_users(["zhaoliu"]);
    let run = text(
        &scene,
        &["chat-update", CHAT_ID, "--name", "二线", "--owner", "lisi", "--add", "zhaoliu", "--remove", "zhangsan"],
    );
    let run = run.assert_code(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let body = format!(
        r#"{{"chatid":"{CHAT_ID}","name":"二线","owner":"lisi","add_user_list":["zhaoliu"],"del_user_list":["zhangsan"]}}"#
    );
    assert_eq!(bodies(&scene, Endpoint::AppchatUpdate), [body]);
    let changed = chat(&scene, CHAT_ID);
    assert_eq!((changed.name.as_str(), changed.owner.as_str()), ("二线", "lisi"));
    assert_eq!(changed.members, ["lisi", "wangwu", "zhaoliu"]);
    let run = update(&scene, &["--remove", "lisi"]).run();
    let told = assert_document(&run, "owner", 5, &json!({"status": "refused", "errcode": 86203}));
    assert_says(&told, "owner", "hint", &["--owner"]);
    let run = update(&scene, &["--remove", "zhangsan"]).run();
    let told = assert_document(&run, "gone", 5, &json!({"errcode": 86216}));
    assert_says(&told, "gone", "hint", &["remove only members of the chat"]);
}

#[test]
fn a_change_that_says_nothing_or_contradicts_itself_is_not_sent() {
    let scene = Scene::new();
    for (args, part) in [
        (&[][..], "nothing is to change"),
        (&["--name", ""], "nothing is to change"),
        (&["--add", ""], "--add: an id is empty"),
        (&["--owner", "lisi", "--remove", "LiSi"], "lisi is to be removed, and"),
        (&["--add", "a,lisi", "--remove", "lisi"], "lisi is to be removed, and"),
        (&["--owner", "a,b"], "--owner names several members"),
        (&["--add", "张三"], "--add: \"张三\""),
    ] {
        let told = assert_document(&update(&scene, args).run(), part, 2, &json!({"status": "usage"}));
        assert_says(&told, part, "message", &[&part.replace("lisi is", "is")]);
    }
    assert_eq!(scene.wecom.requests().len(), 0);
}

/// Who has left cannot be removed once more: then nobody knows, and it is not tried again.
#[test]
fn a_removal_without_an_answer_is_unknown() {
    let scene = Scene::new();
    let lost = || [Reply::accept_then(Reply::CloseAfterReading)];
    scene.wecom.script(Endpoint::AppchatUpdate, lost());
    let told = assert_document(
        &update(&scene, &["--remove", "lisi", "--retries", "2"]).run(),
        "remove",
        9,
        &json!({"status": "unknown"}),
    );
    assert_says(&told, "remove", "hint", &["look before you try again"]);
    scene.wecom.script(Endpoint::AppchatUpdate, lost());
    update(&scene, &["--add", "lisi", "--retries", "1"]).run().assert_code(0);
    assert_eq!(scene.wecom.count(Endpoint::AppchatUpdate), 3);
}

#[test]
fn dry_runs_show_the_requests() {
    let scene = Scene::new();
    let planned = |args: &[&str]| {
        let run = scene.bare(&["--dry-run", "--output", "json"]).args(args.iter().copied()).run().assert_code(0);
        document(&run)["requests"].clone()
    };
    let create = planned(&["chat-create", "--chat", "ops1", "--member", "zhangsan,lisi"]);
    let body = json!({"userlist": ["zhangsan", "lisi"], "chatid": "ops1"});
    assert_eq!(create, json!([{"method": "POST", "path": "/cgi-bin/appchat/create", "body": body}]));
    let get = planned(&["chat-get", "ops1"]);
    assert_eq!(get, json!([{"method": "GET", "path": "/cgi-bin/appchat/get?chatid=ops1", "body": null}]));
    let update = planned(&["chat-update", "ops1", "--remove", "lisi"]);
    let body = json!({"chatid": "ops1", "del_user_list": ["lisi"]});
    assert_eq!(update, json!([{"method": "POST", "path": "/cgi-bin/appchat/update", "body": body}]));
    assert_eq!(scene.wecom.requests().len(), 0);
}

#[cfg(unix)]
#[test]
fn who_stops_it_is_told_that_it_may_have_been_done() {
    let scene = Scene::new();
    scene.wecom.script(Endpoint::AppchatCreate, [Reply::accept_then(Reply::HangAfterReading)]);
    let running = create(&scene, &[]).spawn();
    crate::support::wait_until("the request", || scene.wecom.count(Endpoint::AppchatCreate) == 1);
    crate::support::send_signal("TERM", running.id());
    let told = assert_document(&running.wait(), "stopped", 143, &json!({"status": "interrupted"}));
    assert_says(&told, "stopped", "message", &["stopped by SIGTERM: its request may have been under way"]);
    assert_says(&told, "stopped", "hint", &["look what became of it"]);
}

/// The example: three people are looked up, the chat is made once, text and Markdown go to it, and a message of the app is
/// taken back.
#[cfg(unix)]
#[test]
fn the_example_of_a_scheduler_runs_twice() {
    let scene = Scene::new();
    if !crate::support::needs("jq") {
        return;
    }
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/group-chat.sh");
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_wecom-alert")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.display());
    let log = scene.env.file("backup.log", "step 1\nno space left on device\n");
    let run = |args: &[&str]| {
        let cmd =
            scene.env.cmd(["run", "--", "/bin/sh"]).arg(&script).args(args.iter().copied()).base_url(&scene.wecom);
        // Nobody has the last number: that keeps nothing back.
        let people = "13800000000 13800000001 +86-138-0000-0002 13800009999";
        cmd.app_credentials().env("PATH", &path).env("WECOM_ONCALL", people).run().assert_code(0)
    };
    for _ in 0..2 {
        run(&["failed", "nightly backup", log.to_str().unwrap()]);
    }
    assert_eq!(chat(&scene, "oncall").members, ["zhangsan", "lisi", "wangwu"]);
    assert_eq!(scene.wecom.count(Endpoint::UserGetUserid), 4, "looked up once");
    let texts = scene.texts();
    assert_eq!(texts.len(), 1 + 2 * 3, "{texts:?}");
    assert_eq!(texts.iter().filter(|text| *text == "Failed jobs are told here.").count(), 1, "{texts:?}");
    assert!(texts[2].contains("no space left on device"), "{texts:?}");
    run(&["recovered", "nightly backup"]);
    assert_eq!(scene.wecom.recalled().len(), 2, "both messages of the app");
    assert!(scene.texts().last().unwrap().contains("nightly backup has recovered"));
}
