//! `listen` killed again and again: what becomes of events then.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Listening, command, listen, scene, script, send_card, started, wait_for_face};
use crate::support::{Scene, wait_until};

const EVENTS: usize = 500;
const KILLS: usize = 12;
const JOBS: usize = 4;

fn restarted(scene: &Scene, address: &str, args: &[&str]) -> Listening {
    let base = ["-P", "urlbot", "listen", "--http", address, "--messages", "--jobs", "4"];
    started(scene, command(scene, &base).args(args.iter().copied()))
}

/// Many events while `listen` is killed at random. Returns how often each one that was acknowledged was handled.
fn handled_in_spite_of_kills(options: &[&str]) -> BTreeMap<String, usize> {
    let scene = scene();
    let program = script(&scene, "act", "exec sed -n 's/.*\"text\":\"\\([^\"]*\\)\".*/\\1/p' >> \"$HOME/runs\"");
    let args: Vec<&str> = options.iter().copied().chain(["--", &program]).collect();
    let mut listening = restarted(&scene, "127.0.0.1:0", &args);
    let address = listening.address.clone();
    let sent = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for sender in 0..2 {
            let (scene, address, sent) = (&scene, &address, &sent);
            scope.spawn(move || {
                let callback = scene.wecom.aibot_callback(&format!("http://{address}/"));
                for number in (sender..EVENTS).step_by(2) {
                    let word = callback.word("zhangsan", &format!("event-{number}"));
                    wait_until("the acknowledgement", || callback.send(&word).is_ok_and(|answer| answer.status == 200));
                    sent.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for kill in 1..=KILLS {
            let some = fastrand::usize(..EVENTS / KILLS);
            wait_until("more events", || sent.load(Ordering::SeqCst) >= (kill - 1) * EVENTS / KILLS + some);
            listening.running.kill();
            wait_until("its end", || listening.running.ended().is_some());
            listening = restarted(&scene, &address, &args);
        }
    });
    let runs = || fs::read_to_string(scene.env.home().join("runs")).unwrap_or_default();
    let is_quiet = || {
        // Beside them are drafts that killed processes left.
        let files = fs::read_dir(scene.env.state().join("cards")).unwrap().flatten().map(|file| file.path());
        let mut cards = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
        let open = |text: &str| text.contains("\"new\"") || text.contains("\"running\"");
        !cards.any(|path| fs::read_to_string(path).is_ok_and(|text| open(&text)))
    };
    wait_until("the end of all events", is_quiet);
    listening.stop();
    let mut counts: BTreeMap<String, usize> = (0..EVENTS).map(|number| (format!("event-{number}"), 0)).collect();
    runs().lines().for_each(|line| *counts.entry(line.to_owned()).or_default() += 1);
    counts
}

#[test]
fn each_event_is_handled_at_least_once() {
    let counts = handled_in_spite_of_kills(&[]);
    assert_eq!(counts.len(), EVENTS);
    let lost: Vec<_> = counts.iter().filter(|(_, runs)| **runs == 0).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let twice: usize = counts.values().map(|runs| runs - 1).sum();
    assert!(twice <= KILLS * JOBS, "{twice} double runs by {KILLS} kills");
}

#[test]
fn each_event_is_handled_at_most_once_if_that_is_asked_for() {
    let counts = handled_in_spite_of_kills(&["--at-most-once"]);
    assert!(counts.values().all(|runs| *runs <= 1), "{counts:?}");
    let lost = counts.values().filter(|runs| **runs == 0).count();
    assert!(lost <= KILLS * JOBS, "{lost} lost by {KILLS} kills");
}

#[test]
fn a_press_that_was_under_way_is_taken_up_and_its_card_says_what_came_of_it() {
    for (option, on_card, attempts) in
        [(None, "done at attempt 2", 2), (Some("--at-most-once"), "it was interrupted", 1)]
    {
        let scene = scene();
        let program = script(
            &scene,
            "act",
            "attempt=$(grep -o '\"attempt\":[0-9]*' | cut -d : -f 2); echo x >> \"$HOME/begun\"\n\
             [ \"$attempt\" = 1 ] && [ ! -e \"$HOME/go\" ] && exec sleep 3\necho \"done at attempt $attempt\"",
        );
        let args: Vec<&str> = option.into_iter().chain(["--", &program]).collect();
        let mut listening = listen(&scene, &args);
        send_card(&scene, "t-1");
        assert!(listening.callback(&scene).press("t-1", "ack", "zhangsan").is_taken());
        let begun = || fs::read_to_string(scene.env.home().join("begun")).unwrap_or_default().lines().count();
        wait_until("the run", || begun() == 1);
        wait_for_face(&scene, 0, "lisi", "it is being worked on");
        listening.running.kill();
        wait_until("its end", || listening.running.ended().is_some());
        scene.env.file("go", "");
        let again = listen(&scene, &args);
        wait_for_face(&scene, 0, "lisi", on_card);
        assert_eq!(begun(), attempts);
        again.stop();
    }
}
