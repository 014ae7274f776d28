//! The store goes away in the middle of sends, in each way that it can: every alert arrives once and late by little, one
//! warning says why, and afterwards all share again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Fleet, MACHINES, passes, passes_without_store};
use crate::document::{assert_document, warnings};
use crate::support::at_once;
use crate::support::fake::Endpoint;

/// How many alerts are sent around each outage.
const ALERTS: usize = 60;

/// What a send may take at the most, on a machine that is busy with other tests: many times what is promised.
const GENEROUS: Duration = Duration::from_secs(20);

/// Sends alerts from all machines; `fault` happens after a third of them. Returns how many were sent without the store.
fn send_through(fleet: &mut Fleet, fault: fn(&mut super::Server)) -> usize {
    let send = |fleet: &Fleet, number: usize| {
        let began = Instant::now();
        let cmd = if number.is_multiple_of(2) {
            fleet.app(number, &number.to_string())
        } else {
            fleet.group(number, &number.to_string())
        };
        let run = cmd.env("WECOM_ALERT_RATE", "1000/1m").run();
        assert!(began.elapsed() < GENEROUS, "{:?}", began.elapsed());
        let document = assert_document(&run, "sent", 0, &json!({"status": "sent"}));
        let told = warnings(&document);
        assert!(told.len() <= 1, "{told:?}");
        assert!(told.iter().all(|told| told.contains("this machine's own state serves")), "{told:?}");
        told.len()
    };
    let before: usize = at_once(0..ALERTS / 3, |number| send(fleet, number)).into_iter().sum();
    assert_eq!(before, 0, "while the store is there");
    fault(&mut fleet.store);
    let after: usize = at_once(ALERTS / 3..ALERTS, |number| send(fleet, number)).into_iter().sum();
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    for message in fleet.wecom.messages() {
        *arrived.entry(message.payload()["content"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(arrived.len() == ALERTS && arrived.values().all(|count| *count == 1), "{arrived:?}");
    after
}

/// All machines share again: none asks for a token of its own, and the next ones keep their slots in the store.
#[track_caller]
fn shares_again(fleet: &Fleet) {
    fleet.forget_outages();
    let _: String = fleet.store.call("FLUSHALL");
    let before = fleet.wecom.count(Endpoint::GetToken);
    for machine in 0..MACHINES {
        passes(fleet.app(machine, "afterwards").env("WECOM_ALERT_RATE", "1000/1m"));
    }
    assert_eq!(fleet.wecom.count(Endpoint::GetToken), before + 1);
    assert!(fleet.store.keys().iter().any(|key| key.contains(":slots:")));
}

#[test]
fn a_store_that_is_killed_and_comes_back_empty() {
    let Some(mut fleet) = Fleet::start() else { return };
    let without = send_through(&mut fleet, |store| store.kill());
    assert_eq!(without, ALERTS - ALERTS / 3);
    fleet.store.start_again();
    shares_again(&fleet);
}

#[test]
fn a_store_that_stands_still() {
    let Some(mut fleet) = Fleet::start() else { return };
    let without = send_through(&mut fleet, |store| store.stop());
    assert_eq!(without, ALERTS - ALERTS / 3);
    fleet.store.go_on();
    shares_again(&fleet);
}

#[test]
fn a_store_that_is_full() {
    let Some(mut fleet) = Fleet::start() else { return };
    let without = send_through(&mut fleet, |store| {
        let _: String = store.call("CONFIG SET maxmemory-policy noeviction");
        let _: String = store.call("CONFIG SET maxmemory 1");
    });
    assert_eq!(without, ALERTS - ALERTS / 3);
    let _: String = fleet.store.call("CONFIG SET maxmemory 0");
    shares_again(&fleet);
}

#[test]
fn a_store_that_becomes_a_replica() {
    let Some(mut fleet) = Fleet::start() else { return };
    let without = send_through(&mut fleet, |store| {
        let _: String = store.call("REPLICAOF 127.0.0.1 1");
    });
    assert_eq!(without, ALERTS - ALERTS / 3);
    let _: String = fleet.store.call("REPLICAOF NO ONE");
    shares_again(&fleet);
}

/// Nothing is said, since nothing is wrong: what was in it is fetched or begun anew.
#[test]
fn a_store_that_is_emptied() {
    let Some(mut fleet) = Fleet::start() else { return };
    let without = send_through(&mut fleet, |store| {
        store.kill();
        store.start_again();
    });
    assert_eq!(without, 0);
    assert_eq!(fleet.wecom.count(Endpoint::GetToken), 2, "one before and one after");
    let _: String = fleet.store.call("SCRIPT FLUSH");
    shares_again(&fleet);
}

/// The store goes while a request is under way: the alert has arrived, and nothing else changes.
#[test]
fn a_store_that_goes_while_a_request_is_under_way() {
    let Some(fleet) = Fleet::start() else { return };
    let slow = crate::support::fake::Reply::delayed(Duration::from_millis(800), crate::support::fake::Reply::Normal);
    fleet.wecom.script(Endpoint::WebhookSend, [slow]);
    let cmd = fleet.group(0, "full").args(["--cooldown", "1h"]).env("WECOM_ALERT_RATE", "20/1m");
    let running = cmd.spawn();
    crate::support::wait_until("its request", || fleet.wecom.count(Endpoint::WebhookSend) == 1);
    fleet.store.stop();
    let document = assert_document(&running.wait(), "sent", 0, &json!({"status": "sent"}));
    fleet.store.go_on();
    assert_eq!(warnings(&document).len(), 1, "{document}");
    // It is kept on this machine that it was sent.
    let repeat = fleet.group(0, "full").args(["--cooldown", "1h"]).run();
    let repeat: Value = assert_document(&repeat, "repeat", 0, &json!({"status": "skipped"}));
    assert_eq!(warnings(&repeat).len(), 1, "{repeat}");
}

/// One process finds out, and for a minute no other one of the machine waits; another machine finds out itself.
#[test]
fn nobody_on_the_machine_asks_again_for_a_minute() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.store.stop();
    passes_without_store(fleet.app(0, "first"), "300 ms");
    fleet.store.go_on();
    for _ in 0..2 {
        passes_without_store(fleet.app(0, "next"), "300 ms");
    }
    assert_eq!(fleet.store.keys(), [""; 0], "it was not asked");
    passes(fleet.app(1, "another machine"));
    // `check` finds that it is there again, and then all may ask.
    let checked = fleet.cmd(0, &["check"]).run().assert_code(0).json();
    assert!(checked["checks"].to_string().contains("shared_state"), "{checked}");
    passes(fleet.app(0, "afterwards"));
}

/// The clock was set back, or the file was damaged: the store is asked.
#[test]
fn an_old_or_damaged_note_of_an_outage_keeps_nobody_from_asking() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.store.stop();
    passes_without_store(fleet.app(0, "first"), "300 ms");
    fleet.store.go_on();
    let folder = fleet.machines[0].state().join("shared_state");
    let note = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    for content in ["", "{", "{\"until\":99999999999999,\"why\":\"x\"}\n", "{\"until\":1,\"why\":\"x\"}\n"] {
        std::fs::write(&note, content).unwrap();
        passes(fleet.app(0, "afterwards"));
    }
}
