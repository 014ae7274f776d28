//! Senders on all routes killed at any moment while the server fails at random: nothing that was accepted is lost, and only what was in
//! flight arrives twice.

use std::collections::HashMap;
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use super::{failed, flush, folder, send_on, waiting};
use crate::document::assert_document;
use crate::support::fake::{FakeWecom, Reply};
use crate::support::{HTTP_ROUTES, Scene, entry, send_endpoint};

/// How many runs there are; more take longer.
const RUNS: usize = 40;

/// For more of them.
const RUNS_VARIABLE: &str = "WECOM_ALERT_TEST_KILLS";

/// A run that has not ended by then may be killed at any moment of its life.
const LONGEST_LIFE_MS: u64 = 60;

/// What becomes of a message, as the dice have it; the last one is taken, and nobody is told.
fn reply(rng: &mut Rng) -> Reply {
    match rng.u8(..10) {
        0..5 => Reply::Normal,
        5 => Reply::status(502),
        6 => Reply::errcode(-1, "system error"),
        7 => Reply::ResetBefore,
        _ => Reply::accept_then(Reply::HangAfterReading),
    }
}

fn is_lost(reply: &Reply) -> bool {
    matches!(reply, Reply::AcceptThen(_))
}

/// What a text ends with: a late one begins with more than its own.
fn text_of(run: usize) -> String {
    format!("alert number {run}.")
}

/// The texts of the entries that wait, whose owners are dead.
fn waiting_texts(scene: &Scene) -> Vec<String> {
    let text = |id: String| {
        let lines = entry::lines(&folder(scene, "waiting").join(id).join("entry.json"));
        lines[1]["text"]["content"].as_str().unwrap().to_owned()
    };
    waiting(scene).into_iter().map(text).collect()
}

#[test]
fn killed_senders_lose_nothing_that_was_accepted() {
    let runs = std::env::var(RUNS_VARIABLE).map_or(RUNS, |runs| runs.parse().unwrap());
    let seed = std::env::var("WECOM_ALERT_TEST_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("seed {seed}: to repeat it, WECOM_ALERT_TEST_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let scene = Scene::with(FakeWecom::start());
    // A killed client leaves half a request behind.
    scene.wecom.expect_unexpected();
    // A send takes up to five others along.
    let replies = HTTP_ROUTES.map(|_| (0..runs * 6).map(|_| reply(&mut rng)).collect::<Vec<_>>());
    for (route, replies) in HTTP_ROUTES.into_iter().zip(&replies) {
        scene.wecom.script(send_endpoint(route), replies.iter().cloned());
    }
    scene.warm();

    let (mut accepted, mut kills) = (vec![false; runs], 0);
    for (number, accepted) in accepted.iter_mut().enumerate() {
        let text = text_of(number);
        let mut sender =
            send_on(&scene, HTTP_ROUTES[number % HTTP_ROUTES.len()], &[&text, "--timeout", "40ms"]).spawn();
        std::thread::sleep(Duration::from_micros(rng.u64(..LONGEST_LIFE_MS * 1000)));
        sender.kill();
        let run = sender.wait();
        kills += usize::from(run.code.is_none());
        *accepted = match run.code {
            Some(code) => {
                assert_eq!(code, 0, "sent or queued, whatever the server does\n{}", run.all());
                true
            }
            None => waiting_texts(&scene).contains(&text),
        };
    }

    let asked = HTTP_ROUTES.map(|route| scene.wecom.count(send_endpoint(route)));
    let lost_answers: usize = replies
        .iter()
        .zip(asked)
        .map(|(replies, asked)| replies[..asked].iter().filter(|reply| is_lost(reply)).count())
        .sum();
    HTTP_ROUTES.into_iter().for_each(|route| scene.wecom.normal(send_endpoint(route)));
    for _ in 0..10 {
        if waiting(&scene).is_empty() {
            break;
        }
        assert_document(&flush(&scene).run(), "the last flush", 0, &json!({"remaining": 0, "failed": 0}));
    }
    assert_eq!((waiting(&scene), failed(&scene)), (vec![], vec![]));

    let mut arrivals: HashMap<usize, usize> = HashMap::new();
    for text in scene.texts() {
        let number = text.rsplit("alert number ").next().and_then(|end| end.strip_suffix('.')).unwrap();
        *arrivals.entry(number.parse().unwrap()).or_default() += 1;
    }
    let missing: Vec<_> =
        (0..runs).filter(|number| accepted[*number] && !arrivals.contains_key(number)).map(text_of).collect();
    let duplicates: usize = arrivals.values().map(|count| count - 1).sum();
    let all = accepted.iter().filter(|accepted| **accepted).count();
    println!(
        "{runs} runs, {kills} killed, {all} known to be accepted, {} arrived, {duplicates} duplicates, {lost_answers} \
         lost answers, {asked:?} requests",
        arrivals.len()
    );
    assert_eq!(missing, [""; 0], "seed {seed}: accepted, and never arrived");
    assert!(duplicates <= kills + lost_answers, "seed {seed}: {duplicates} > {kills} + {lost_answers}");
}
