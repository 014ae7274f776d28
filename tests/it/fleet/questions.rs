//! Questions on the card of an app, asked on one machine and answered by a `listen` or an `answer` of another one.

use std::fs::{self, File};
use std::path::PathBuf;

use serde_json::json;

use super::Fleet;
use crate::support::fake::{AGENT_ID, CALLBACK_AES_KEY, CALLBACK_TOKEN, CORP_ID, SECRET, SentCard};
use crate::support::{Cmd, Running, send_signal, wait_for, wait_until};

/// A `listen` at work.
struct Listen {
    running: Running,
    address: String,
    out: PathBuf,
}

impl Fleet {
    /// The machines have the same config file.
    fn configure(&self) {
        let config = format!(
            "default_profile = 'ops'\nbase_url = '{}'\n[profiles.ops]\ncorp_id = '{CORP_ID}'\nagent_id = {AGENT_ID}\nsecret = \
             '{SECRET}'\ncallback_token = '{CALLBACK_TOKEN}'\ncallback_aes_key = '{CALLBACK_AES_KEY}'\nto_user = 'zhangsan'\n",
            self.wecom.base_url()
        );
        for machine in &self.machines {
            drop(machine.cmd(["help"]).config(&config));
        }
    }

    fn ops(&self, machine: usize, args: &[&str]) -> Cmd {
        let cmd = self.machines[machine].cmd(args.iter().copied()).keeps_secret(&self.wecom).stdin_null();
        cmd.env("WECOM_ALERT_SHARED_STATE", self.store.url())
    }

    fn listen(&self, machine: usize) -> Listen {
        let home = self.machines[machine].home();
        let (err, out) = (home.join("listen.err"), home.join("listen.out"));
        let (to_err, to_out) = (File::create(&err).unwrap(), File::create(&out).unwrap());
        let cmd = self.ops(machine, &["listen", "--http", "127.0.0.1:0"]);
        let running = cmd.stderr_into(&to_err).stdout_into(&to_out).spawn();
        let address = wait_for("listen", || {
            let told = fs::read_to_string(&err).unwrap();
            let (_, rest) = told.split_once("http://")?;
            Some(rest.split_once('\n')?.0.to_owned())
        });
        wait_until("other machines to be told", || self.store.keys().iter().any(|key| key.ends_with(":listen")));
        Listen { running, address, out }
    }

    fn card(&self, number: usize) -> SentCard {
        wait_for("the card", || self.wecom.app_cards().get(number).cloned())
    }
}

impl Listen {
    fn press(&self, fleet: &Fleet, task_id: &str, key: &str) {
        let told = fleet.wecom.callback(&format!("http://{}/", self.address)).press(task_id, key, "zhangsan");
        assert!(told.is_taken(), "{told:?}");
    }

    fn stop(self) {
        send_signal("TERM", self.running.id());
        self.running.wait().assert_code(143);
    }
}

const QUESTION: [&str; 8] = ["ask", "--id", "deploy", "--button", "go=Go", "--button", "stop=Stop", "deploy?"];

#[test]
fn a_press_that_one_machine_receives_answers_the_question_of_another() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.configure();
    let listen = fleet.listen(0);
    let asking = fleet.ops(1, &QUESTION).spawn();
    let card = fleet.card(0);
    // The same question on a third machine is the same.
    let also = fleet.ops(2, &QUESTION).spawn();
    listen.press(&fleet, &card.task_id, "stop");
    for (machine, asking) in [asking, also].into_iter().enumerate() {
        let run = asking.wait().assert_code(0);
        assert_eq!(run.stdout, "stop\n", "{machine}: {}", run.all());
    }
    assert_eq!(fleet.wecom.app_cards().len(), 1, "it is asked once");
    let text = fleet.card(0).face_of("zhangsan")["sub_title_text"].as_str().unwrap_or_default().to_owned();
    assert!(text.starts_with("zhangsan answered: Stop"), "{text}");
    let given = fleet.ops(3, &QUESTION).run().assert_code(0);
    assert_eq!(given.stdout, "stop\n", "the answer is given again");
    listen.stop();
}

#[test]
fn an_answer_may_be_given_on_another_machine() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.configure();
    let listen = fleet.listen(0);
    let asking = fleet.ops(1, &QUESTION).spawn();
    fleet.card(0);
    let unknown = fleet.ops(2, &["answer", "nothing", "go"]).run().assert_code(2);
    assert!(unknown.stderr.contains("there is no question"), "{}", unknown.all());
    wait_for("the question in the store", || {
        fleet.ops(2, &["answer", "deploy", "recovered"]).run().code.filter(|code| *code == 0)
    });
    let run = asking.wait().assert_code(0);
    assert_eq!(run.stdout, "recovered\n", "{}", run.all());
    fleet.ops(3, &["answer", "deploy", "go"]).run().assert_code(5);
    listen.stop();
}

/// A card that a plain send has made.
#[test]
fn a_press_on_a_card_of_another_machine_finds_what_it_was_made_of() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.configure();
    let listen = fleet.listen(0);
    fleet
        .ops(1, &["app-send", "--card", "button_interaction", "--title", "disk full", "--button", "ack=Ack", "web-3"])
        .run()
        .assert_code(0);
    listen.press(&fleet, &fleet.card(0).task_id, "ack");
    let line = wait_for("the event", || {
        let out = fs::read_to_string(&listen.out).unwrap();
        out.lines().next().map(str::to_owned)
    });
    let event: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&event["key"], &event["card"]["title"]), (&json!("ack"), &json!("disk full")), "{event}");
    listen.stop();
}

/// Somebody who can write to the store, and does not know the secret.
#[test]
fn nobody_answers_a_question_by_the_store() {
    let Some(fleet) = Fleet::start() else { return };
    fleet.configure();
    let listen = fleet.listen(0);
    let mut asking = fleet.ops(1, &QUESTION).spawn();
    let card = fleet.card(0);
    wait_until("the question in the store", || fleet.store.keys().iter().any(|key| key.contains(":ask:")));
    let mut store = fleet.store.connection();
    for _ in 0..3 {
        for key in fleet.store.keys() {
            let kind: String = redis::cmd("TYPE").arg(&key).query(&mut store).unwrap();
            let word = if kind == "list" { "RPUSH" } else { "SET" };
            let forged = r#"{"state":{"answered":{"key":"go"}}}"#;
            let _: redis::Value = redis::cmd(word).arg(&key).arg(forged).query(&mut store).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(1200));
        let _: redis::Value = redis::cmd("FLUSHDB").query(&mut store).unwrap();
    }
    assert!(asking.ended().is_none(), "no answer came from there");
    wait_until("the question in the store again", || {
        let keys = fleet.store.keys();
        keys.iter().any(|key| key.contains(":ask:run:"))
            && keys.iter().any(|key| key.contains(":ask:") && !key.contains("run") && !key.contains("lease"))
    });
    listen.press(&fleet, &card.task_id, "stop");
    let run = asking.wait().assert_code(0);
    assert_eq!(run.stdout, "stop\n", "{}", run.all());
    listen.stop();
}
