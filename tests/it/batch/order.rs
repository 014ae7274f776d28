//! Order, pace and what slow targets hold up.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use serde_json::json;

use super::{OTHER_KEY, batch, results, scene};
use crate::support::fake::{Endpoint, Reply, Route, WEBHOOK_KEY};
use crate::support::{make_fifo, send_signal};

/// Lines for that profile, numbered.
fn lines(profile: &str, count: usize) -> String {
    (0..count).map(|n| json!({"profile": profile, "text": format!("{profile} {n}")}).to_string() + "\n").collect()
}

#[test]
fn each_target_gets_its_alerts_in_order_and_one_at_a_time() {
    let scene = scene();
    let interleaved: String = (0..40)
        .map(|n| json!({"profile": (["room", "other"][n % 2]), "text": format!("{n:02}")}).to_string() + "\n")
        .collect();
    let run = batch(&scene, &["--rate", "off"], &interleaved).run().assert_code(0);
    assert_eq!(results(&run).len(), 40);
    for key in [WEBHOOK_KEY, OTHER_KEY] {
        let texts: Vec<String> = scene
            .wecom
            .messages()
            .iter()
            .filter(|message| message.route == Route::Webhook { key: key.to_owned() })
            .map(|message| message.payload()["content"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(texts.len(), 20, "{texts:?}");
        assert!(texts.is_sorted(), "{texts:?}");
    }
    assert!(scene.wecom.most_at_once() <= 2);
}

#[test]
fn results_keep_the_order_of_the_lines_if_asked() {
    let scene = scene();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::delayed(Duration::from_millis(300), Reply::Normal)]);
    let input = format!("{}{}bad\n{}", lines("room", 3), lines("other", 20), lines("other", 3));
    let run = batch(&scene, &["--rate", "off", "--keep-order"], &input).run().assert_code(6);
    let ids: Vec<u64> = results(&run).iter().map(|result| result["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=27).collect::<Vec<_>>());
}

#[test]
fn a_slow_target_does_not_stop_the_others() {
    let scene = scene();
    // One webhook is over its rate: its lines wait for long, and are more than have room in memory.
    let slow = lines("room", 3000);
    let input = format!(
        "{slow}{}",
        lines("app", 5).replace("\"profile\":\"app\"", "\"profile\":\"app\",\"to_user\":\"zhangsan\"")
    );
    let mut running = batch(&scene, &["--rate", "1/1m", "--deadline", "10m"], &input).spawn();
    crate::support::wait_until("the others", || scene.wecom.count(Endpoint::MessageSend) >= 1);
    assert!(running.ended().is_none());
    assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 1);
    send_signal("TERM", running.id());
    let run = running.wait().assert_code(143);
    let told = results(&run);
    assert_eq!(told.len(), 3005);
    assert!(told.iter().filter(|result| result["status"] == "interrupted").count() >= 2999);
}

#[test]
fn requests_go_on_while_lines_come_fast() {
    let scene = scene();
    let pipe = scene.env.home().join("lines");
    make_fifo(&pipe);
    let running = batch(&scene, &["--rate", "off", pipe.to_str().unwrap()], "").spawn();
    let mut input = File::options().write(true).open(&pipe).unwrap();
    let (hundred, mut hundreds) = (lines("room", 100), 0);
    while scene.wecom.count(Endpoint::WebhookSend) < 50 {
        hundreds += 1;
        assert!(hundreds < 1000, "{} of 100000", scene.wecom.count(Endpoint::WebhookSend));
        input.write_all(hundred.as_bytes()).unwrap();
    }
    send_signal("TERM", running.id());
    running.wait().assert_code(143);
}

#[test]
fn no_more_requests_than_asked_for_are_under_way() {
    let scene = scene();
    scene.wecom.always(Endpoint::MessageSend, Reply::delayed(Duration::from_millis(20), Reply::Normal));
    let users = ["zhangsan", "lisi", "zhangsan|lisi", "lisi|zhangsan"];
    let input: String = (0..40)
        .map(|n| json!({"profile": "app", "to_user": (users[n % 4]), "text": format!("{n}")}).to_string() + "\n")
        .collect();
    for jobs in ["1", "2"] {
        let before = scene.wecom.count(Endpoint::MessageSend);
        batch(&scene, &["--rate", "off", "--jobs", jobs], &input).run().assert_code(0);
        assert_eq!(scene.wecom.count(Endpoint::MessageSend) - before, 40);
        assert!(scene.wecom.most_at_once() <= jobs.parse().unwrap(), "{jobs}");
    }
}
