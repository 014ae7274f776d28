//! A corp of 3,000 members in 200 departments: one request at a time, and little memory.

use std::time::Duration;

use super::{asked, list};
use crate::support::Scene;
use crate::support::fake::{Directory, Endpoint, FakeWecom, Reply};

const ALL: [&str; 2] = ["list-members", "--recursive"];

fn large() -> Scene {
    Scene::with(FakeWecom::builder().directory(Directory::large(200, 3000)).start())
}

#[test]
fn one_request_is_under_way_at_any_time() {
    let scene = large();
    // Answers that take a while: whoever asked for the next meanwhile would be seen.
    scene.wecom.script(Endpoint::UserSimplelist, vec![Reply::delayed(Duration::from_millis(10), Reply::Normal); 50]);
    // A setting about messages does not matter here: 201 connections would take long.
    let run = list(&scene, &ALL).config("at_most_once = true\n").run().assert_code(0);
    assert_eq!(run.stdout.lines().count(), 3000);
    let mut ids: Vec<&str> = run.stdout.lines().map(|line| line.split('\t').next().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3000, "each once");
    let in_two = run.stdout.lines().filter(|line| line.rsplit('\t').next().unwrap().contains(','));
    assert_eq!(in_two.count(), 300);
    assert_eq!((scene.wecom.most_at_once(), asked(&scene.wecom).len()), (1, 201));
    assert_eq!((scene.wecom.count(Endpoint::GetToken), scene.wecom.connections()), (1, 1));
}

#[test]
fn departments_take_one_request() {
    let scene = large();
    let run = list(&scene, &["list-departments"]).run().assert_code(0);
    assert_eq!((run.stdout.lines().count(), asked(&scene.wecom).len()), (200, 1));
    let mut seen = vec!["0"];
    for line in run.stdout.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        assert!(columns.len() == 3 && seen.contains(&columns[1]), "{line} comes before its parent");
        seen.push(columns[0]);
    }
}

/// The last answer comes late, so that the last look is at a process that has all members.
#[test]
fn memory_stays_small() {
    for output in ["text", "json"] {
        let scene = large();
        let late = Reply::delayed(Duration::from_millis(200), Reply::Normal);
        scene.wecom.script(Endpoint::UserSimplelist, std::iter::repeat_n(Reply::Normal, 199).chain([late]));
        let running = list(&scene, &ALL).args(["--output", output]).spawn();
        let most = running.watch_memory();
        let run = running.wait().assert_code(0);
        assert!(run.stdout.contains("member2999"), "{output}");
        assert!(most > 0 && most < 24 * 1024, "{output}: {most} KiB at the peak");
    }
}

/// A listing that takes longer than the deadline is an error that says so.
#[test]
fn a_deadline_in_the_middle_leads_to_a_larger_one() {
    let scene = large();
    scene.wecom.always(Endpoint::UserSimplelist, Reply::delayed(Duration::from_millis(50), Reply::Normal));
    let run = list(&scene, &ALL).args(["--deadline", "2s"]).run().assert_code(7);
    assert_eq!(run.stdout, "");
    assert!(run.stderr.contains(" of 200 were read: ") && run.stderr.contains("deadline"), "{}", run.stderr);
    assert!(run.stderr.contains("\nhint: ") && run.stderr.contains("--deadline"), "{}", run.stderr);
}
