//! What machines share while the store is there: token, slots, blocks, cooldowns, look-ups. And what the store sees of it.

use std::time::{Duration, Instant};

use redis::cmd;
use serde_json::json;

use super::{Fleet, MACHINES, passes};
use crate::document::assert_document;
use crate::support::fake::{AGENT_ID, CORP_ID, Endpoint, FakeWecom, Outcome, Reply, SECRET, WEBHOOK_KEY};
use crate::support::{Cmd, at_once, is_root, needs};

/// Each machine runs so many.
const EACH: usize = 25;

#[test]
fn eight_machines_ask_for_one_token() {
    let Some(fleet) = Fleet::start() else { return };
    // Slow enough that one of each machine is there before it answers.
    let slow = || [Reply::delayed(Duration::from_millis(700), Reply::Normal)];
    fleet.wecom.script(Endpoint::GetToken, slow());
    at_once(0..MACHINES * EACH, |number| passes(fleet.app(number, &format!("alert {number}"))));
    assert_eq!(fleet.wecom.count(Endpoint::GetToken), 1);
    assert_eq!(fleet.wecom.messages().len(), MACHINES * EACH);

    fleet.wecom.revoke_tokens();
    fleet.wecom.script(Endpoint::GetToken, slow());
    at_once(0..MACHINES * 2, |number| passes(fleet.app(number, &format!("again {number}"))));
    assert_eq!(fleet.wecom.count(Endpoint::GetToken), 2, "one more after the revocation");
    assert_eq!(fleet.wecom.messages().len(), MACHINES * (EACH + 2));
    let unused = fleet.machines.iter().filter(|machine| machine.cache().exists()).count();
    assert_eq!(unused, 0, "no machine kept a token of its own");
}

/// A machine that was paused with the lease in its hands writes nothing over what came later.
#[test]
fn a_late_holder_writes_no_older_token_over_a_newer_one() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.wecom.same_token_on_refresh(false);
    fleet.wecom.script(Endpoint::GetToken, [Reply::delayed(Duration::from_millis(1500), Reply::Normal)]);
    let late = fleet.app(0, "late").spawn();
    crate::support::wait_until("its request", || fleet.wecom.count(Endpoint::GetToken) == 1);
    // As if it had been stopped for longer than a lease lasts.
    let mut connection = fleet.store.connection();
    let leases: Vec<String> = cmd("KEYS").arg("*:token:lease").query(&mut connection).unwrap();
    let _: u64 = cmd("DEL").arg(&leases).query(&mut connection).unwrap();
    passes(fleet.app(1, "newer"));
    let newer: Vec<u8> = cmd("GET").arg(token_key(&fleet)).query(&mut connection).unwrap();
    late.wait().assert_code(0);
    let kept: Vec<u8> = cmd("GET").arg(token_key(&fleet)).query(&mut connection).unwrap();
    assert!(kept == newer, "the token of the late one is not kept");
}

fn token_key(fleet: &Fleet) -> String {
    fleet.store.keys().into_iter().find(|key| key.ends_with(":token")).unwrap()
}

#[test]
fn a_token_that_was_refused_is_renewed_once_for_all() {
    let Some(fleet) = Fleet::start() else { return };
    passes(fleet.app(0, "first"));
    fleet.wecom.revoke_tokens();
    passes(fleet.app(1, "second"));
    passes(fleet.app(2, "third"));
    assert_eq!(fleet.wecom.count(Endpoint::GetToken), 2);
    let refused = fleet.wecom.requests().iter().filter(|seen| matches!(seen.outcome, Outcome::Refused { .. })).count();
    assert_eq!(refused, 1, "the third knew of it");
}

#[test]
fn one_webhook_takes_no_more_than_the_rate_from_all_machines() {
    let Some(fleet) = Fleet::start() else { return };
    let period = Duration::from_secs(1);
    fleet.wecom.webhook_limit(20, period);
    let send = |number: usize| fleet.group(number, &format!("alert {number}")).env("WECOM_ALERT_RATE", "20/1s");
    at_once(0..45, |number| passes(send(number)));
    let arrived: Vec<Instant> = fleet.wecom.requests().iter().map(|seen| seen.at).collect();
    assert_eq!(arrived.len(), 45);
    for (index, at) in arrived.iter().enumerate() {
        let within = arrived[index..].iter().filter(|other| **other - *at < period).count();
        assert!(within <= 20, "{within} in a period");
    }
    let refused = fleet.wecom.requests().iter().filter(|seen| matches!(seen.outcome, Outcome::Refused { .. })).count();
    assert_eq!(refused, 0);
}

/// WeCom's refusal holds for all machines.
#[test]
fn a_block_counts_for_all_machines() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.wecom.script(Endpoint::WebhookSend, [Reply::errcode(45009, "api freq out of limit")]);
    let send =
        |machine| fleet.group(machine, "full").args(["--on-rate-limit", "fail"]).env("WECOM_ALERT_RATE", "20/1m");
    assert_document(&send(0).run(), "refused", 8, &json!({"errcode": 45009}));
    assert_document(&send(1).run(), "blocked", 8, &json!({"attempts": 0, "errcode": null}));
    assert_eq!(fleet.wecom.count(Endpoint::WebhookSend), 1);
}

#[test]
fn a_slot_that_was_not_used_is_given_back() {
    let Some(fleet) = Fleet::start() else { return };
    let rate = |cmd: Cmd| cmd.env("WECOM_ALERT_RATE", "1/1h").args(["--on-rate-limit", "fail"]);
    let closed = format!("http://127.0.0.1:{}", crate::support::fake::closed_port());
    let nowhere = rate(fleet.group(0, "x")).env("WECOM_ALERT_BASE_URL", closed).run();
    nowhere.assert_code(7);
    passes(rate(fleet.group(1, "full")));
    assert_document(&rate(fleet.group(2, "full")).run(), "taken", 8, &json!({"attempts": 0}));
}

#[test]
fn a_cooldown_of_the_fleet_lets_one_pass() {
    let Some(fleet) = Fleet::start() else { return };
    let cooled = |machine: usize| {
        fleet
            .group(machine, "disk full")
            .args(["--cooldown", "1h", "--cooldown-scope", "fleet"])
            .run()
            .assert_code(0)
            .json()
    };
    let results = at_once(0..MACHINES * 3, cooled);
    let sent = results.iter().filter(|result| result["status"] == "sent").count();
    assert_eq!((sent, fleet.wecom.messages().len()), (1, 1), "{results:?}");
    // The next that passes tells of the others, wherever they were held back.
    let next = fleet.group(5, "disk full").args(["--cooldown", "1ms", "--cooldown-scope", "fleet"]).run();
    let next = assert_document(&next, "the next", 0, &json!({"status": "sent"}));
    assert!(next["held_back"].as_u64().unwrap() > 0, "{next}");
}

/// The same key for two targets is two cooldowns, and what one host sends holds none of another one back.
#[test]
fn a_cooldown_is_one_for_a_target_and_a_host() {
    let Some(fleet) = Fleet::start() else { return };
    let keyed = |cmd: Cmd| cmd.args(["--cooldown", "1h", "--cooldown-key", "disk", "--cooldown-scope", "fleet"]);
    passes(keyed(fleet.group(0, "a")));
    passes(keyed(fleet.app(1, "a")));
    passes(keyed(fleet.cmd(1, &["app-send", "-u", "lisi", "a"])));
    assert_document(&keyed(fleet.group(2, "b")).run(), "held", 0, &json!({"status": "skipped", "held_back": 1}));
    if !is_root() || !needs("unshare") {
        return;
    }
    let on = |host: &str, machine: usize| {
        let named = format!("unshare --uts /bin/sh -c \"hostname {host}\"' && exec \"$0\" \"$@\"' ");
        fleet.group(machine, "host").args(["--cooldown", "1h"]).through(&named)
    };
    passes(on("one", 3));
    passes(on("two", 4));
    assert_document(&on("two", 4).run(), "held", 0, &json!({"status": "skipped"}));
    assert_eq!(fleet.wecom.messages().len(), 5);
}

#[test]
fn somebody_is_looked_up_once_for_all_machines() {
    let Some(fleet) = Fleet::with(FakeWecom::start(), &[]) else { return };
    for machine in 0..3 {
        fleet.cmd(machine, &["get-userid", "--mobile", "13800000000"]).run();
        fleet.cmd(machine, &["get-userid", "--mobile", "13800000009"]).run();
    }
    assert_eq!(fleet.wecom.look_ups("13800000009"), 1, "that nobody was found is known too");
}

#[test]
fn the_store_gives_nothing_away() {
    let Some(fleet) = Fleet::start() else { return };
    passes(fleet.app(0, "a confidential alert").env("WECOM_ALERT_RATE", "20/1m").args(["--cooldown", "1h"]));
    passes(fleet.group(0, "a confidential alert").env("WECOM_ALERT_RATE", "20/1m").args(["--cooldown", "1h"]));
    fleet.cmd(0, &["get-userid", "--mobile", "13800000009"]).run();
    let mut connection = fleet.store.connection();
    let mut dump = Vec::new();
    let keys = fleet.store.keys();
    for key in &keys {
        dump.extend(key.as_bytes());
        let kind: String = cmd("TYPE").arg(key).query(&mut connection).unwrap();
        if kind == "string" {
            dump.extend(cmd("GET").arg(key).query::<Vec<u8>>(&mut connection).unwrap());
        } else {
            let members: Vec<Vec<u8>> = cmd("ZRANGE").arg(key).arg(0).arg(-1).query(&mut connection).unwrap();
            dump.extend(members.concat());
        }
        let life: i64 = cmd("PTTL").arg(key).query(&mut connection).unwrap();
        assert!(life > 0, "{key} stays for ever");
        assert!(key.starts_with("wecom-alert:{"), "{key}");
    }
    for kind in [":token", ":slots:", ":cooldown:", ":people"] {
        assert!(keys.iter().any(|key| key.contains(kind)), "{kind} is not there: {keys:?}");
    }
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let agent = AGENT_ID.to_string();
    let mut secrets = fleet.wecom.secrets().tokens();
    let known =
        [SECRET, WEBHOOK_KEY, CORP_ID, &host, &agent, "zhangsan", "13800000009", "confidential", "access_token"];
    secrets.extend(known.map(str::to_owned));
    for secret in secrets {
        let shown = dump.windows(secret.len()).any(|part| part == secret.as_bytes());
        // A short number may stand in a fingerprint by chance.
        assert!(!shown || secret.len() < 8, "{secret} is in the store");
    }
}

/// What somebody else puts into the store in place of a token is not used.
#[test]
fn nobody_who_can_write_to_the_store_makes_up_a_token() {
    let Some(fleet) = Fleet::start() else { return };
    passes(fleet.app(0, "first"));
    let mut connection = fleet.store.connection();
    let forged = r#"{"key":"x","access_token":"forged","obtained_at":1,"expires_at":99999999999}"#;
    let _: String = cmd("SET").arg(token_key(&fleet)).arg(forged).query(&mut connection).unwrap();
    passes(fleet.app(1, "second"));
    assert_eq!(fleet.wecom.count(Endpoint::GetToken), 2);
}

#[test]
fn check_tells_of_the_store() {
    let Some(fleet) = Fleet::start() else { return };
    let look = |code: i32| {
        let document = fleet.cmd(0, &["check"]).run().assert_code(code).json();
        let checks = document["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == "shared_state").unwrap()
    };
    let told = look(0);
    let detail = told["detail"].as_str().unwrap().to_owned();
    assert!(told["status"] == "ok" && detail.contains(&fleet.store.url()) && detail.contains(" ms"), "{told}");
    let _: String = fleet.store.call("CONFIG SET maxmemory 100mb");
    let _: String = fleet.store.call("CONFIG SET maxmemory-policy allkeys-lru");
    let told = look(0);
    assert!(told["status"] == "warning" && told["detail"].as_str().unwrap().contains("allkeys-lru"), "{told}");
    fleet.store.stop();
    let told = look(7);
    fleet.store.go_on();
    assert!(told["status"] == "failed" && told["detail"].as_str().unwrap().contains("no answer"), "{told}");
}

/// Without the setting nothing of it is done, and nobody is connected to but WeCom.
#[cfg(target_os = "linux")]
#[test]
fn without_the_setting_there_is_no_call_for_it() {
    let Some(fleet) = Fleet::start() else { return };
    if !needs("strace") {
        return;
    }
    let traced = |name: &str, cmd: Cmd| {
        let log = fleet.machines[0].home().join(name);
        cmd.through(&format!("strace -f -qq -o {} -- ", log.display())).run().assert_code(0);
        std::fs::read_to_string(log).unwrap()
    };
    let with = |cmd: Cmd| cmd.args(["--cooldown", "1ms"]).env("WECOM_ALERT_RATE", "20/1m");
    let port = format!("htons({})", fleet.store.port());
    let without = traced("without", with(fleet.app(0, "a")).without_env("WECOM_ALERT_SHARED_STATE"));
    let is_any = |log: &str| log.contains("shared_state") || log.contains(&port);
    assert!(!is_any(&without) && without.matches("sin_port=htons").count() >= 1, "{without}");
    assert!(is_any(&traced("with", with(fleet.app(0, "b")))), "that is how it is seen");
}
