//! Signals: what is under way ends, what was read and not sent is told, and the rest is named.

use serde_json::{Value, json};

use super::{batch, of, results, scene};
use crate::support::fake::{Endpoint, Reply};
use crate::support::{send_signal, wait_until};

#[test]
fn a_signal_ends_it_and_names_what_was_not_sent() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let scene = scene();
        scene
            .wecom
            .script(Endpoint::WebhookSend, [Reply::delayed(std::time::Duration::from_millis(800), Reply::Normal)]);
        let input: String =
            (0..5).map(|n| json!({"id": format!("l{n}"), "text": n.to_string()}).to_string() + "\n").collect();
        let running = batch(&scene, &["--rate", "off"], &input).spawn();
        wait_until("the first request", || scene.wecom.count(Endpoint::WebhookSend) == 1);
        send_signal(signal, running.id());
        let run = running.wait().assert_code(code);
        let told = results(&run);
        assert_eq!(told.len(), 5, "{}", run.all());
        assert_eq!(of(&told, "l0")["status"], "sent", "what is under way ends: {told:?}");
        for id in ["l1", "l2", "l3", "l4"] {
            let result = of(&told, id);
            assert_eq!((&result["status"], &result["exit_code"]), (&json!("interrupted"), &Value::from(code)));
            assert!(result["message"].as_str().unwrap().contains("nothing had been sent"), "{result}");
        }
        assert_eq!(scene.wecom.count(Endpoint::WebhookSend), 1);
        assert!(run.stderr.contains(&format!("stopped by SIG{signal}")), "{}", run.stderr);
        assert!(run.stderr.contains("4 lines that were read are interrupted"), "{}", run.stderr);
    }
}

#[test]
fn a_request_without_an_answer_is_not_waited_for_long() {
    let scene = scene();
    scene.wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
    let running = batch(&scene, &["--timeout", "60s"], "{\"text\": \"hangs\"}\n").spawn();
    wait_until("the request", || scene.wecom.count(Endpoint::WebhookSend) == 1);
    send_signal("TERM", running.id());
    let run = running.wait().assert_code(143);
    let told = results(&run);
    assert_eq!(told[0]["status"], "interrupted");
    assert!(told[0]["hint"].as_str().unwrap().contains("may have arrived"), "{told:?}");
    assert!(run.stderr.contains("all lines were read"), "{}", run.stderr);
}

#[test]
fn the_first_line_that_was_not_read_is_named() {
    let scene = scene();
    scene.wecom.always(Endpoint::WebhookSend, Reply::HangAfterReading);
    let input = "{\"text\": \"x\"}\n".repeat(10_000);
    let running = batch(&scene, &["--timeout", "60s", "--keep-order"], &input).spawn();
    wait_until("the request", || scene.wecom.count(Endpoint::WebhookSend) == 1);
    // Results in order have a window, beyond which nothing is read.
    std::thread::sleep(std::time::Duration::from_millis(500));
    send_signal("TERM", running.id());
    let run = running.wait().assert_code(143);
    let told = results(&run);
    let ids: Vec<u64> = told.iter().map(|result| result["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>());
    assert!(ids.len() < 10_000);
    assert!(
        run.stderr.contains(&format!("line {} of stdin is the first that was not read", ids.len() + 1)),
        "{}",
        run.stderr
    );
}
