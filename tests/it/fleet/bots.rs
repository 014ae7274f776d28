//! One aibot on several machines: one connection, and each question gets its own answer wherever it was asked.

use std::time::Duration;

use redis::{Connection, cmd};

use super::Fleet;
use crate::support::fake::AIBOT_ID;
use crate::support::{Cmd, Running, send_signal, wait_for, wait_until};

impl Fleet {
    /// Any command of the bot on a machine.
    fn bot(&self, machine: usize, args: &[&str]) -> Cmd {
        let cmd = self.machines[machine].cmd(args.iter().copied()).aibot(&self.wecom);
        cmd.env("WECOM_ALERT_SHARED_STATE", self.store.url()).stdin_null()
    }

    /// A question to zhangsan that waits on that machine; its card is there.
    fn asking(&self, machine: usize) -> Running {
        let before = self.cards();
        let asking = self.bot(machine, &["ask", "-v", "-u", "zhangsan", "--wait", "1h", "question"]).spawn();
        wait_until("the card", || self.cards() > before);
        asking
    }

    fn cards(&self) -> usize {
        self.wecom.aibot(AIBOT_ID).cards().len()
    }

    /// Somebody presses the button of that card.
    fn press(&self, card: usize) {
        let task_id = self.wecom.aibot(AIBOT_ID).cards()[card].task_id.clone();
        self.wecom.aibot(AIBOT_ID).press(&task_id, "ack", "zhangsan");
    }

    /// The same again and again until the question is answered: a press is lost while nobody has the connection.
    fn press_until_answered(&self, card: usize, asking: &mut Running) {
        let task_id = self.wecom.aibot(AIBOT_ID).cards()[card].task_id.clone();
        let mut pressed_at = std::time::Instant::now();
        let _ = self.wecom.aibot(AIBOT_ID).press(&task_id, "ack", "zhangsan");
        wait_until("the answer", || {
            if pressed_at.elapsed() > Duration::from_secs(2) {
                pressed_at = std::time::Instant::now();
                let bot = self.wecom.aibot(AIBOT_ID);
                if bot.is_subscribed() && asking.ended().is_none() {
                    bot.press_stale(&task_id, "ack", "zhangsan");
                }
            }
            asking.ended().is_some()
        });
    }

    fn subscriptions(&self) -> usize {
        self.wecom.aibot(AIBOT_ID).subscriptions()
    }

    fn texts(&self) -> Vec<String> {
        self.wecom.messages().iter().map(|message| message.body.to_string()).collect()
    }
}

fn answered(asking: Running) -> String {
    let run = asking.wait().assert_code(0);
    assert_eq!(run.stdout, "ack\n", "{}", run.all());
    run.stderr
}

#[test]
fn two_machines_ask_by_one_connection_and_each_gets_its_own_answer() {
    let Some(fleet) = Fleet::start() else { return };
    let mut first = fleet.asking(0);
    let second = fleet.asking(1);
    fleet.bot(2, &["aibot-send", "-u", "zhangsan", "a text of a third machine"]).run().assert_code(0);
    assert_eq!(fleet.subscriptions(), 1);
    let checked = fleet.bot(3, &["check"]).run();
    let has_it = format!("process {} of machine", first.id());
    assert!(checked.all().contains(&has_it), "{}", checked.all());
    // What goes through the store can be read by nobody who does not know the secret.
    let kept = fleet.store.keys();
    assert!(kept.iter().any(|key| key.contains(":aibot:holder")), "{kept:?}");
    fleet.press(1);
    answered(second);
    assert!(first.ended().is_none(), "it waits for its own answer");
    fleet.press(0);
    answered(first);
    let texts = fleet.texts();
    assert_eq!(texts.iter().filter(|text| text.contains("a text of a third machine")).count(), 1);
    // The lease was given back: the next one need not wait for its end.
    fleet.bot(1, &["aibot-send", "-u", "zhangsan", "after"]).run().assert_code(0);
    assert_eq!(fleet.subscriptions(), 2);
}

#[test]
fn another_machine_takes_over_from_a_killed_holder() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.wecom.expect_unexpected();
    let mut holder = fleet.asking(0);
    let waiting = fleet.asking(1);
    holder.kill();
    wait_until("another connection", || fleet.subscriptions() == 2);
    wait_until("its subscription", || fleet.wecom.aibot(AIBOT_ID).is_subscribed());
    fleet.press(1);
    let told = answered(waiting);
    assert!(told.contains("interrupted"), "{told}");
    assert_eq!(fleet.cards(), 2, "no card is sent twice");
}

/// It wakes when its lease has long been somebody else's: it does not fight for the connection.
#[test]
fn a_holder_that_was_stopped_becomes_one_of_the_others() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.wecom.expect_unexpected();
    let stopped = fleet.asking(0);
    let mut waiting = fleet.asking(1);
    send_signal("STOP", stopped.id());
    wait_until("another connection", || fleet.subscriptions() == 2);
    send_signal("CONT", stopped.id());
    // By the connection of the other machine.
    let mut stopped = stopped;
    fleet.press_until_answered(0, &mut stopped);
    answered(stopped);
    assert!(waiting.ended().is_none());
    assert_eq!(fleet.subscriptions(), 2, "there is no war");
    fleet.press_until_answered(1, &mut waiting);
    answered(waiting);
    assert_eq!(fleet.cards(), 2, "no card is sent twice");
}

#[test]
fn while_the_store_is_down_the_last_holder_stays() {
    let Some(mut fleet) = Fleet::start() else { return };
    let holder = fleet.asking(0);
    fleet.bot(1, &["aibot-send", "-u", "zhangsan", "first"]).run().assert_code(0);
    fleet.store.kill();
    // This machine knows who has the bot, and does not take it over.
    let run = fleet.bot(1, &["aibot-send", "-u", "zhangsan", "second"]).run().assert_code(7);
    assert!(run.stderr.contains("has the connection of the aibot, as far as is known here"), "{}", run.all());
    // The holder's own machine goes on.
    fleet.bot(0, &["aibot-send", "-u", "zhangsan", "third"]).run().assert_code(0);
    fleet.press(0);
    answered(holder);
    assert_eq!(fleet.subscriptions(), 1);
}

#[test]
fn a_question_outlives_a_store_that_comes_back_empty() {
    let Some(mut fleet) = Fleet::start() else { return };
    fleet.wecom.expect_unexpected();
    let mut holder = fleet.asking(0);
    let mut waiting = fleet.asking(1);
    fleet.store.kill();
    fleet.store.start_again();
    fleet.press_until_answered(1, &mut waiting);
    answered(waiting);
    fleet.press_until_answered(0, &mut holder);
    answered(holder);
    assert_eq!(fleet.cards(), 2);
}

/// Somebody who can write to the store, and does not know the secret.
#[test]
fn what_others_put_into_the_store_answers_nothing() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.wecom.expect_unexpected();
    let mut holder = fleet.asking(0);
    let mut waiting = fleet.asking(1);
    let mut store = fleet.store.connection();
    let old = wait_for("keys", || {
        let old = dumps(&mut store);
        (!old.is_empty()).then_some(old)
    });
    for _ in 0..3 {
        for (key, dump) in &old {
            let _: redis::Value = cmd("RESTORE").arg(key).arg(0).arg(dump).arg("REPLACE").query(&mut store).unwrap();
        }
        for key in fleet.store.keys() {
            let kind: String = cmd("TYPE").arg(&key).query(&mut store).unwrap();
            let words: &[&str] = if kind == "list" { &["RPUSH", &key, "forged"] } else { &["SET", &key, "forged"] };
            let mut forging = cmd(words[0]);
            words[1..].iter().for_each(|word| {
                forging.arg(*word);
            });
            let _: redis::Value = forging.query(&mut store).unwrap();
        }
        std::thread::sleep(Duration::from_millis(300));
        let _: redis::Value = cmd("FLUSHDB").query(&mut store).unwrap();
    }
    assert!(holder.ended().is_none() && waiting.ended().is_none());
    fleet.press_until_answered(1, &mut waiting);
    answered(waiting);
    fleet.press_until_answered(0, &mut holder);
    answered(holder);
}

fn dumps(store: &mut Connection) -> Vec<(String, Vec<u8>)> {
    let keys: Vec<String> = cmd("KEYS").arg("*").query(store).unwrap();
    let dump = |key: String| {
        let dump: Option<Vec<u8>> = cmd("DUMP").arg(&key).query(store).unwrap();
        Some((key, dump?))
    };
    keys.into_iter().filter_map(dump).collect()
}
