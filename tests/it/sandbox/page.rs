//! The sandbox's page by HTTP: what it serves, to whom, and what it lets change.

use serde_json::json;

use super::Sandbox;
use crate::support::wait_for;

#[test]
fn the_greeting_names_the_page_which_may_run_nothing_but_its_own_script() {
    let sandbox = Sandbox::start(&[]);
    sandbox.wait_for(&format!("In a browser, {}", sandbox.url()));
    let (status, head, page) = sandbox.get("/");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/html; charset=utf-8"), "{head}");
    let policy = head.lines().find(|line| line.starts_with("content-security-policy:")).unwrap();
    for rule in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !page.contains("{PANEL}") && !page.contains("{TOKEN}"), "{policy}");
    for (file, kind) in [("page.js", "text/javascript"), ("page.css", "text/css"), ("icon.svg", "image/svg+xml")] {
        let (status, head, _) = sandbox.get(&format!("/sandbox/{file}"));
        assert!(status == 200 && head.contains(kind) && head.contains("nosniff"), "{file}: {head}");
        assert!(page.contains(&format!("\"sandbox/{file}\"")), "{file}");
    }
    assert_eq!(sandbox.get("/sandbox/nothing").0, 404);
    // Looking at the page is no request to WeCom.
    assert!(!sandbox.printed.lock().unwrap().contains("COMPLAINT"));
}

#[test]
fn a_path_before_cgi_bin_stands_before_the_page_too() {
    let sandbox = Sandbox::start(&["--prefix", "/relay"]);
    assert!(sandbox.url().ends_with("/relay/"), "{}", sandbox.url());
    assert_eq!(sandbox.get("/sandbox/page.js").0, 200);
    assert_eq!(sandbox.post("/sandbox/order", "expire").0, 200);
    sandbox.cmd(&["webhook-send", "hello"]).run().assert_code(0);
    sandbox.events("").wait_for("hello");
}

#[test]
fn messages_come_as_events_escaped_with_their_request_and_answer() {
    let sandbox = Sandbox::start(&[]);
    let mut events = sandbox.events("");
    sandbox.cmd(&["webhook-send", "<b>disk</b> & \"more\""]).run().assert_code(0);
    let seen = events.wait_for("event: entry");
    assert!(seen.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"), "{seen}");
    let seen = events.wait_for("Request and answer");
    assert!(seen.contains("\"place\":\"webhook: the group\"") && seen.contains("POST /cgi-bin/webhook/send"), "{seen}");
    assert!(seen.contains("&lt;b&gt;disk&lt;/b&gt; &amp; ") && !seen.contains("<b>disk"), "{seen}");
    assert!(seen.contains("&quot;errmsg&quot;: &quot;ok&quot;"), "{seen}");
    sandbox.cmd(&["app-send", "hello"]).run().assert_code(0);
    let seen = events.wait_for("app: zhangsan");
    assert!(seen.contains("gave a new token"), "{seen}");
    // Whoever comes back gets what they have not seen; whoever comes late gets all.
    let id = seen.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap();
    sandbox.cmd(&["webhook-send", "later"]).run().assert_code(0);
    let seen = sandbox.events(id).wait_for("later");
    assert!(!seen.contains("disk") && !seen.contains("restart"), "{seen}");
    let seen = sandbox.events("").wait_for("later");
    assert!(seen.contains("disk"), "{seen}");
    // The numbers of another run mean nothing here, and its token neither.
    let seen = sandbox.events("0123abcd-2").wait_for("later");
    assert!(seen.contains("event: restart") && seen.contains("disk"), "{seen}");
}

#[test]
fn a_press_ends_a_question_and_the_page_shows_the_card_as_it_is_then() {
    let sandbox = Sandbox::start(&[]);
    let mut events = sandbox.events("");
    let asking = sandbox.ask(&["--button", "ack=I do it", "--button", "mute=Mute", "98 % full"]).spawn();
    events.wait_for("data-card=");
    let (status, told) = sandbox.press(1, "nothing", "zhangsan");
    assert!(status == 400 && told.contains("nothing"), "{told}");
    let (status, told) = sandbox.press(2, "ack", "zhangsan");
    assert!(status == 400 && told.contains("there is no card 2"), "{told}");
    assert_eq!(sandbox.press(1, "ack", "zhangsan").1, "zhangsan pressed ack on card 1");
    let run = asking.wait().assert_code(0);
    assert_eq!(run.json()["answer"]["key"], "ack");
    let seen = events.wait_for("event: card");
    assert!(seen.contains("zhangsan pressed ack on card 1"), "{seen}");
    let changed = seen.split("event: card\n").nth(1).unwrap().lines().next().unwrap();
    assert!(!changed.contains("class=\\\"mark") && !changed.contains("notes"), "{changed}");
    sandbox.wait_for("# zhangsan pressed ack on card 1");
}

/// The rules of sends are not those of updates.
#[test]
fn an_updated_card_is_drawn_without_marks_with_its_replacement() {
    let sandbox = Sandbox::start(&[]);
    let mut events = sandbox.events("");
    let card = ["--card", "button_interaction", "--title", "Disk full", "--button", "ack=Ack", "--task-id", "t1"];
    sandbox.cmd(&["app-send"]).args(card).run().assert_code(0);
    events.wait_for("data-card=");
    sandbox.cmd(&["update-card", "--task-id", "t1", "--replace-name", "taken by lisi"]).run().assert_code(0);
    let seen = events.wait_for("event: card");
    let changed = seen.split("event: card\n").nth(1).unwrap().lines().next().unwrap();
    assert!(changed.contains("button replaced\\\">taken by lisi</span>") && !changed.contains("data-key"), "{changed}");
    assert!(!changed.contains("class=\\\"mark") && !changed.contains("notes"), "{changed}");
}

#[test]
fn a_press_reaches_listen() {
    let mut sandbox = Sandbox::start(&[]);
    let out = sandbox.env.home().join("events");
    let file = std::fs::File::create(&out).unwrap();
    let listening = sandbox.cmd(&["listen", "--http", "127.0.0.1:0"]).stderr_into(&file).stdin_null();
    let mut listening = listening.spawn();
    let address = wait_for("listen", || {
        let told = std::fs::read_to_string(&out).unwrap();
        assert!(listening.ended().is_none(), "{told}");
        let (_, rest) = told.split_once("http://")?;
        Some(rest.split([',', '\n', ' ', '/']).next()?.to_owned())
    });
    sandbox.types(&format!("callback http://{address}/"));
    sandbox.wait_for("presses on the app's cards go to");
    let mut events = sandbox.events("");
    let card = json!({
        "card_type": "button_interaction", "task_id": "task-1", "main_title": {"title": "Disk almost full"},
        "button_list": [{"text": "I do it", "key": "ack"}],
    });
    let payload = sandbox.env.file("card.json", card.to_string());
    let send = ["app-send", "-t", "template_card", "--payload", payload.to_str().unwrap()];
    sandbox.cmd(&send).run().assert_code(0);
    events.wait_for("data-card=");
    assert_eq!(sandbox.press(1, "ack", "zhangsan"), (200, "zhangsan pressed ack on card 1".to_owned()));
    crate::support::send_signal("TERM", listening.id());
    let run = listening.wait();
    assert!(run.stdout.contains("\"ack\"") && run.stdout.contains("task-1"), "{}", run.all());
}

#[test]
fn a_switch_makes_the_next_send_fail_and_shows_on_the_page() {
    let mut sandbox = Sandbox::start(&[]);
    let mut events = sandbox.events("");
    assert!(events.wait_for("event: state").contains("{\"on\":[],\"scripted\":[]}"));
    let send = |sandbox: &Sandbox, args: &[&str]| sandbox.cmd(args).run();
    send(&sandbox, &["app-send", "before"]).assert_code(0);
    let (status, told) = sandbox.post("/sandbox/order", "refuse-ip");
    assert_eq!((status, told.as_str()), (200, "this machine's address is refused now"));
    assert!(send(&sandbox, &["app-send", "during"]).assert_code(4).all().contains("60020"));
    let seen = events.wait_for("REFUSED message/send: 60020");
    assert!(
        seen.contains("{\"on\":[\"refuse-ip\"],\"scripted\":[]}") && seen.contains("\"kind\":\"trouble\""),
        "{seen}"
    );
    // A line on standard input is the same, and shows on the page too.
    sandbox.types("normal");
    events.wait_for("everything is normal again");
    send(&sandbox, &["app-send", "after"]).assert_code(0);
    // What is ordered for one request is over after that.
    assert_eq!(sandbox.post("/sandbox/order", "answer 93000 1 webhook/send").0, 200);
    events.wait_for("webhook/send: answered with 93000 invalid webhook url, 1 more");
    assert!(send(&sandbox, &["webhook-send", "lost"]).all().contains("93000"));
    send(&sandbox, &["webhook-send", "kept"]).assert_code(0);
    let seen = events.wait_for("kept");
    assert!(seen.rsplit("event: state").next().unwrap().contains("\"scripted\":[]"), "{seen}");
    let orders = [("aibot limits", "aibot limits"), ("limit 20/60s", "limit 20/60s"), ("disable", "disable")];
    for (order, shown) in orders {
        assert_eq!(sandbox.post("/sandbox/order", order).0, 200, "{order}");
        events.wait_for(&format!("\"{shown}\""));
    }
    for order in ["aibot limits off", "limit off", "enable"] {
        assert_eq!(sandbox.post("/sandbox/order", order).0, 200, "{order}");
    }
    let last = sandbox.events("").wait_for("the app is enabled now");
    assert!(last.contains("{\"on\":[],\"scripted\":[]}"), "{last}");
    let (status, told) = sandbox.post("/sandbox/order", "explode");
    assert!(status == 400 && told.contains("is no order"), "{told}");
}

#[test]
fn other_pages_cannot_change_anything_nor_read_it() {
    let sandbox = Sandbox::start(&[]);
    let own = format!("http://{}", sandbox.address);
    let port = sandbox.address.rsplit_once(':').unwrap().1;
    let post = |headers: &[(&str, &str)]| sandbox.request("POST", "/sandbox/order", headers, "disable").0;
    let token = ("X-Sandbox-Token", sandbox.token.as_str());
    for (why, headers) in [
        ("no origin", vec![token]),
        ("an origin elsewhere", vec![token, ("Origin", "https://attacker.example")]),
        ("an origin at another port", vec![token, ("Origin", "http://127.0.0.1:1")]),
        ("an origin that is hidden", vec![token, ("Origin", "null")]),
        ("no token", vec![("Origin", &own)]),
        ("another token", vec![("Origin", &own), ("X-Sandbox-Token", "0123456789abcdef0123456789abcdef")]),
        ("a name that leads here", vec![token, ("Host", "rebound.example"), ("Origin", "http://rebound.example")]),
    ] {
        assert_eq!(post(&headers), 403, "{why}");
    }
    assert_eq!(sandbox.request("GET", "/sandbox/order", &[token, ("Origin", &own)], "").0, 404);
    // DNS rebinding: the page and its events are for names of loopback.
    for host in [format!("rebound.example:{port}"), "127.0.0.1.example".into(), "[::1".into(), String::new()] {
        for path in ["/", "/sandbox/events", "/sandbox/page.js"] {
            let (status, _, body) = sandbox.request("GET", path, &[("Host", &host)], "");
            assert!(status == 403 && !body.contains(&sandbox.token), "{host} {path}: {status}");
        }
    }
    let (status, head, _) = sandbox.request("GET", "/", &[("Host", &format!("localhost:{port}"))], "");
    assert_eq!(status, 200);
    assert!(!head.contains("access-control") && head.contains("cross-origin-resource-policy: same-origin"), "{head}");
    sandbox.cmd(&["app-send", "the app is enabled"]).run().assert_code(0);
}

/// Faults that are for everything are not for the page, or nobody could end them there.
#[test]
fn the_page_works_while_everything_else_hangs() {
    let sandbox = Sandbox::start(&["--hang", "--on", "all"]);
    assert_eq!(sandbox.get("/").0, 200);
    assert_eq!(sandbox.post("/sandbox/order", "normal all").0, 200);
    sandbox.cmd(&["webhook-send", "hello"]).run().assert_code(0);
}
