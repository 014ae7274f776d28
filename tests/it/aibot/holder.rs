//! One connection for all processes of a machine: each runs by itself, and the server sees one connection.

use std::os::unix::fs::{PermissionsExt as _, chown};

use crate::support::fake::{AIBOT_ID, AIBOT_SECRET, Endpoint};
use crate::support::{Cmd, Running, Scene, at_once, is_root, needs, wait_for, wait_until};

/// A question to zhangsan that waits: its process holds the connection, or uses that of another one.
fn ask(scene: &Scene) -> Cmd {
    scene.bare(&["ask", "-u", "zhangsan", "--wait", "1h", "question"]).aibot(&scene.wecom)
}

/// How many cards there are.
fn cards(scene: &Scene) -> usize {
    scene.wecom.aibot(AIBOT_ID).cards().len()
}

/// Starts a question and waits until its card is there.
fn asking(scene: &Scene, ask: Cmd) -> Running {
    let before = cards(scene);
    let running = ask.spawn();
    wait_until("the card", || cards(scene) > before);
    running
}

/// Presses the button of that card.
fn press(scene: &Scene, card: usize) {
    let task_id = scene.wecom.aibot(AIBOT_ID).cards()[card].task_id.clone();
    scene.wecom.aibot(AIBOT_ID).press(&task_id, "ack", "zhangsan");
}

fn connections(scene: &Scene) -> usize {
    scene.wecom.aibot(AIBOT_ID).subscriptions()
}

/// How often each of the texts arrived.
fn arrived(scene: &Scene, texts: &[String]) -> Vec<usize> {
    let bodies: Vec<String> = scene.wecom.messages().iter().map(|message| message.body.to_string()).collect();
    texts.iter().map(|text| bodies.iter().filter(|body| body.contains(text.as_str())).count()).collect()
}

#[test]
fn many_processes_share_one_connection() {
    let scene = Scene::new();
    let first = asking(&scene, ask(&scene));
    let texts: Vec<String> = (0..24).map(|number| format!("text-{number:02}.")).collect();
    at_once(&texts, |text| drop(scene.aibot(&[text]).run().assert_code(0)));
    assert_eq!(arrived(&scene, &texts), [1; 24]);
    let second = asking(&scene, ask(&scene).arg("--id").arg("second"));
    assert_eq!(connections(&scene), 1);
    // The process that uses the connection of another one gets its own answer.
    press(&scene, 1);
    assert_eq!(second.wait().assert_code(0).stdout, "ack\n");
    press(&scene, 0);
    assert_eq!(first.wait().assert_code(0).stdout, "ack\n");
    scene.aibot(&["after"]).run().assert_code(0);
    assert_eq!(connections(&scene), 2, "the connection ended with its last holder");
}

/// The holder is killed again and again while others send.
#[test]
fn killed_holders_cost_no_message() {
    const KILLS: usize = 5;
    let scene = Scene::new();
    scene.wecom.expect_unexpected();
    let texts: Vec<String> = (0..40).map(|number| format!("text-{number:02}.")).collect();
    let mut holder = asking(&scene, ask(&scene));
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| {
            at_once(&texts, |text| {
                let run = scene.aibot(&["--retries", "8", text]).run();
                assert!(run.code == Some(0), "{}", run.all());
            });
        });
        for number in 0..KILLS {
            let wanted = (number + 1) * texts.len() / (KILLS + 1);
            wait_until("some to arrive", || {
                sent.is_finished() || arrived(&scene, &texts).iter().filter(|times| **times > 0).count() >= wanted
            });
            holder.kill();
            holder = ask(&scene).spawn();
        }
        sent.join().unwrap();
    });
    let arrived = arrived(&scene, &texts);
    assert!(arrived.iter().all(|times| *times >= 1), "{arrived:?}");
    // At most eight send at a time.
    let twice: usize = arrived.iter().map(|times| times - 1).sum();
    assert!(twice <= 8 * KILLS, "{arrived:?}");
    holder.kill();
}

#[test]
fn a_waiting_question_survives_the_death_of_the_holder() {
    let scene = Scene::new();
    scene.wecom.expect_unexpected();
    let mut holder = asking(&scene, ask(&scene));
    let waiting = asking(&scene, ask(&scene).arg("--id").arg("second"));
    holder.kill();
    wait_until("another connection", || connections(&scene) == 2);
    wait_until("its subscription", || scene.wecom.aibot(AIBOT_ID).is_subscribed());
    press(&scene, 1);
    let told = waiting.wait().assert_code(0);
    assert_eq!(told.stdout, "ack\n");
    assert!(told.stderr.contains("interrupted"), "{}", told.all());
    assert_eq!(cards(&scene), 2, "no card is sent twice");
}

#[test]
fn a_process_with_another_secret_is_told_so() {
    let scene = Scene::new();
    let holder = asking(&scene, ask(&scene));
    let other = "test-aibot-secret-000000000000000000000000";
    let run = scene.aibot(&["x"]).env("WECOM_ALERT_AIBOT_SECRET", other).secret(other).run().assert_code(4);
    let error = run.all();
    assert!(error.contains(&format!("process {} of user", holder.id())) && error.contains("another secret"), "{error}");
    assert!(error.contains("only the newest Secret counts"), "{error}");
    press(&scene, 0);
    let told = holder.wait().assert_code(0);
    assert!(told.stderr.contains("was refused the connection of the aibot"), "{}", told.all());
    assert!(!told.all().contains(AIBOT_SECRET));
    assert_eq!(connections(&scene), 1);
}

#[test]
fn a_state_folder_with_a_long_path_will_do() {
    let scene = Scene::new();
    let mut state = scene.env.home();
    state.extend(["a-folder-with-a-long-name"; 8]);
    assert!(state.as_os_str().len() > 200);
    let here = |cmd: Cmd| cmd.env("WECOM_ALERT_STATE_DIR", &state);
    let holder = asking(&scene, here(ask(&scene)));
    here(scene.aibot(&["x"])).run().assert_code(0);
    assert_eq!(connections(&scene), 1);
    press(&scene, 0);
    holder.wait().assert_code(0);
}

#[test]
fn what_lies_in_the_way_costs_no_message() {
    let scene = Scene::new();
    scene.aibot(&["first"]).run().assert_code(0);
    let folder = scene.env.state().join("aibot");
    let lock = wait_for("the lock", || {
        std::fs::read_dir(&folder).unwrap().find_map(|entry| {
            let path = entry.unwrap().path();
            (path.extension()? == "lock").then_some(path)
        })
    });
    let socket = lock.with_extension("sock");
    assert!(!socket.exists(), "it is removed at the end");
    let send = |what: &str| {
        let run = scene.bare(&["aibot-send", "-v", "-u", "zhangsan", what]).aibot(&scene.wecom).run().assert_code(0);
        run.stderr
    };
    // A socket that nobody listens to.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    send("stale");
    assert!(!socket.exists());
    std::fs::create_dir(&socket).unwrap();
    assert!(send("folder").contains("its socket cannot be made"));
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    assert!(send("lock").contains("warning: the processes of this machine cannot share the aibot's connection"));
    assert_eq!(connections(&scene), 4);
}

/// Two users of a group that shares the folder of the state.
#[test]
fn members_of_a_group_share_the_connection() {
    const GROUP: u32 = 20_001;
    if !is_root() || !needs("setpriv") {
        return;
    }
    let scene = Scene::new();
    let root = scene.env.home().parent().unwrap().to_owned();
    let open_to = |folder: &std::path::Path, mode| {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open_to(&root, 0o755);
    ["home", "config", "cache", "tmp"].iter().for_each(|folder| open_to(&root.join(folder), 0o777));
    let state = scene.env.state();
    std::fs::create_dir(&state).unwrap();
    chown(&state, None, Some(GROUP)).unwrap();
    open_to(&state, 0o2770);
    let holder = asking(&scene, ask(&scene).by_user(10_001, GROUP));
    scene.aibot(&["x"]).by_user(10_002, GROUP).run().assert_code(0);
    assert_eq!(connections(&scene), 1);
    press(&scene, 0);
    holder.wait().assert_code(0);
    // Who comes next may be the other one.
    let holder = asking(&scene, ask(&scene).by_user(10_002, GROUP));
    scene.aibot(&["y"]).by_user(10_001, GROUP).run().assert_code(0);
    assert_eq!(connections(&scene), 2);
    press(&scene, 1);
    holder.wait().assert_code(0);
}

#[test]
fn a_connection_that_was_taken_over_is_left_alone() {
    let scene = Scene::new();
    scene.wecom.expect_unexpected();
    let mut holder = asking(&scene, ask(&scene));
    scene.wecom.aibot(AIBOT_ID).kick();
    let run = wait_for("the end of the connection", || {
        let run = scene.aibot(&["--deadline", "5s", "x"]).run();
        // One that was under way may have arrived: 9.
        (!matches!(run.code, Some(0 | 9))).then_some(run)
    });
    let run = run.assert_code(7);
    let error = run.all();
    assert!(error.contains("another program has taken over") && error.contains("one connection at a time"), "{error}");
    let subscribed = scene.wecom.count(Endpoint::AibotSubscribe);
    // The next holder knows it too, whoever it is.
    holder.kill();
    for _ in 0..2 {
        scene.aibot(&["--deadline", "5s", "x"]).run().assert_code(7);
    }
    assert_eq!(scene.wecom.count(Endpoint::AibotSubscribe), subscribed, "there is no war");
}
