//! Unit tests of the rate limit: several processes that share one file, with a clock of the test.

use std::cell::RefCell;
use std::future::{pending, ready};
use std::sync::Mutex;

use super::*;
use crate::fingerprint;
use crate::message::recipients::RecipientKind;
use crate::secret::Secret;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(3_600);

/// The clock for deadlines has finer steps than the one in the file.
const STEP: Duration = Duration::from_millis(2);

/// State folder of a machine, and what its processes said.
struct Machine {
    root: tempfile::TempDir,
    said: Arc<Mutex<Vec<String>>>,
}

impl Machine {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), said: Arc::default() }
    }

    fn observer(&self) -> Observer {
        let said = Arc::clone(&self.said);
        Observer::new(move |notice| {
            if let crate::event::Event::Detail(line) = notice {
                said.lock().unwrap().push(line.to_string());
            }
        })
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    fn state(&self) -> Folder {
        Folder::private(self.root.path().join("state"))
    }

    /// What one process has of the same target.
    fn limiter(&self, count: u32, hold: Duration) -> RateLimiter {
        RateLimiter::with_hold(Some(&self.state()), "target", count, hold, self.observer())
    }

    fn folder(&self) -> Folder {
        self.state().within("pacing")
    }

    /// Keeps the file locked until it is dropped.
    fn lock(&self) -> crate::store::Guard {
        self.folder().try_lock("target.json").unwrap().unwrap()
    }

    fn content(&self) -> String {
        std::fs::read_to_string(self.folder().file("target.json")).unwrap()
    }

    /// When the one permit that is taken frees, if no process writes at this moment.
    fn end_of_permit(&self) -> u64 {
        let window: serde_json::Value = serde_json::from_str(&self.content()).unwrap();
        assert_eq!(window["slots"].as_array().unwrap().len(), 1);
        window["slots"][0]["held"]["until"].as_u64().unwrap()
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test)
}

fn later() -> Instant {
    Instant::now() + LONG
}

async fn try_one(limiter: &RateLimiter) -> Result<Permit, RateExceeded> {
    limiter.take(&[Bucket::GROUP], None, false, later()).await
}

async fn wait_for_one(limiter: &RateLimiter) -> Permit {
    limiter.take(&[Bucket::GROUP], None, true, later()).await.unwrap()
}

#[test]
fn processes_share_the_permits() {
    let machine = Machine::new();
    run(async {
        let (one, other) = (machine.limiter(3, LONG), machine.limiter(3, LONG));
        let _held = [try_one(&one).await.unwrap(), try_one(&other).await.unwrap(), try_one(&one).await.unwrap()];
        for limiter in [&one, &other] {
            let refused = try_one(limiter).await.unwrap_err();
            assert_eq!(refused.limited_by, LimitedBy::Rate);
            assert!(refused.retry_after <= LONG && refused.retry_after > LONG / 2, "{refused:?}");
        }
    });
    assert_eq!(machine.said(), [""; 0]);
}

#[test]
fn a_permit_is_free_a_period_after_its_request() {
    let machine = Machine::new();
    run(async {
        let (one, other) = (machine.limiter(1, SHORT), machine.limiter(1, SHORT));
        let mut permit = try_one(&one).await.unwrap();
        let ended = permit.during(async { Instant::now() }).await;
        drop(permit);
        let _permit = wait_for_one(&other).await;
        assert!(ended.elapsed() + STEP >= SHORT, "{:?}", ended.elapsed());
    });
    assert!(machine.said().iter().all(|line| line.starts_with("1 messages")), "{:?}", machine.said());
}

#[test]
fn a_killed_process_leaves_its_permit_for_a_period() {
    let machine = Machine::new();
    run(async {
        let taken = Instant::now();
        std::mem::forget(try_one(&machine.limiter(1, SHORT)).await.unwrap());
        let other = machine.limiter(1, SHORT);
        let _permit = wait_for_one(&other).await;
        assert!(taken.elapsed() + STEP >= SHORT, "{:?}", taken.elapsed());
    });
}

#[test]
fn a_long_request_keeps_its_permit() {
    let machine = Machine::new();
    run(async {
        let mut permit = try_one(&machine.limiter(1, SHORT)).await.unwrap();
        let first = machine.end_of_permit();
        let is_renewed = async {
            while machine.end_of_permit() == first {
                tokio::time::sleep(STEP).await;
            }
        };
        permit.during(tokio::time::timeout(LONG / 60, is_renewed)).await.unwrap();
        assert!(machine.end_of_permit() > first);
    });
}

#[test]
fn a_cancelled_request_may_have_been_made_and_one_given_back_was_not() {
    let machine = Machine::new();
    run(async {
        let (one, other) = (machine.limiter(1, LONG), machine.limiter(1, LONG));
        let mut unreached = try_one(&one).await.unwrap();
        unreached.during(ready(())).await;
        assert!(try_one(&other).await.is_err());
        unreached.give_back().await;
        try_one(&other).await.unwrap().give_back().await;

        let mut cancelled = try_one(&one).await.unwrap();
        let taken = machine.content();
        tokio::time::timeout(STEP, cancelled.during(pending::<()>())).await.unwrap_err();
        drop(cancelled);
        assert_ne!(machine.content(), taken, "it ends when it is cancelled");
        assert!(try_one(&other).await.is_err());
    });
}

#[test]
fn a_pause_holds_for_every_process() {
    let machine = Machine::new();
    run(async {
        let (one, other) = (machine.limiter(9, SHORT), machine.limiter(9, SHORT));
        one.block(LONG, later()).await;
        other.block(SHORT, later()).await;
        for limiter in [&one, &other] {
            let refused = try_one(limiter).await.unwrap_err();
            assert!(matches!(refused.limited_by, LimitedBy::Block { .. }));
            assert!(refused.retry_after <= LONG && refused.retry_after > LONG / 2, "{refused:?}");
        }
    });
    assert_eq!(machine.said(), [""; 0]);
}

#[test]
fn a_pause_ends() {
    let machine = Machine::new();
    run(async {
        let (one, other) = (machine.limiter(9, SHORT), machine.limiter(9, SHORT));
        let begun = Instant::now();
        one.block(SHORT, later()).await;
        let _permit = wait_for_one(&other).await;
        assert!(begun.elapsed() + STEP >= SHORT, "{:?}", begun.elapsed());
    });
    assert!(machine.said().iter().all(|line| line.starts_with("WeCom refused")), "{:?}", machine.said());
}

#[test]
fn a_wait_beyond_the_deadline_is_refused_at_once() {
    let machine = Machine::new();
    run(async {
        let limiter = machine.limiter(1, LONG);
        let _permit = try_one(&limiter).await.unwrap();
        let soon = Instant::now() + SHORT;
        let refused = limiter.take(&[Bucket::GROUP], None, true, soon).await.unwrap_err();
        assert!(refused.limited_by == LimitedBy::Rate && refused.retry_after > LONG / 2, "{refused:?}");
    });
    assert_eq!(machine.said(), [""; 0], "a wait is told");
}

#[test]
fn a_thousand_recipients_take_a_permit_each() {
    let machine = Machine::new();
    run(async {
        let limiter = machine.limiter(1, LONG);
        let bucket = |id: usize| Bucket::of(RecipientKind::User, &format!("user{id}"));
        // The same member twice is one.
        let buckets: Vec<Bucket> = (0..1_000).chain([0]).map(bucket).collect();
        let _permit = limiter.take(&buckets, None, false, later()).await.unwrap();
        assert!(limiter.take(&[bucket(1_000), bucket(999)], None, false, later()).await.is_err());
        let _other = limiter.take(&[bucket(1_000)], None, false, later()).await.unwrap();
    });
}

#[test]
fn many_at_once_never_pass_the_rate() {
    const COUNT: usize = 4;
    let machine = Machine::new();
    let requests = RefCell::new(Vec::new());
    run(futures_util::future::join_all((0..3 * COUNT).map(async |_| {
        let mut permit = wait_for_one(&machine.limiter(COUNT as u32, SHORT)).await;
        permit
            .during(async {
                let begun = Instant::now();
                tokio::time::sleep(STEP).await;
                requests.borrow_mut().push((begun, Instant::now()));
            })
            .await;
    })));
    let requests = requests.into_inner();
    assert_eq!(requests.len(), 3 * COUNT);
    for (now, _) in &requests {
        let taken = requests.iter().filter(|(begun, ended)| begun <= now && *ended + SHORT > *now + STEP).count();
        assert!(taken <= COUNT, "{taken}");
    }
}

#[test]
fn an_unusable_folder_is_reported_once_and_stops_no_alert() {
    let machine = Machine::new();
    std::fs::write(machine.state().path(), "a file").unwrap();
    run(async {
        let limiter = machine.limiter(1, LONG);
        for _ in 0..3 {
            try_one(&limiter).await.unwrap().during(ready(())).await;
        }
        limiter.block(LONG, later()).await;
    });
    let said = machine.said();
    assert!(said.len() == 1 && said[0].contains("target.json cannot be used"), "{said:?}");
}

#[test]
fn without_a_folder_there_is_no_rate_limit() {
    let machine = Machine::new();
    run(async {
        let rate = Rate::Per { count: 1, period: LONG };
        let limiter = RateLimiter::new(None, &fingerprint::of_app("corp", 1), rate, machine.observer());
        for _ in 0..3 {
            try_one(&limiter).await.unwrap().during(ready(())).await;
        }
    });
    let said = machine.said();
    assert!(said.len() == 1 && said[0].contains("state_dir"), "{said:?}");
}

#[test]
fn a_file_locked_for_ever_stops_no_alert() {
    let machine = Machine::new();
    run(async {
        let limiter = machine.limiter(1, LONG);
        let guard = machine.lock();
        for _ in 0..3 {
            let soon = Instant::now() + SHORT;
            limiter.take(&[Bucket::GROUP], None, true, soon).await.unwrap().during(ready(())).await;
        }
        let said = machine.said();
        assert!(said.len() == 1 && said[0].contains("keeps it locked"), "{said:?}");
        drop(guard);
        let _permit = try_one(&limiter).await.unwrap();
        assert!(try_one(&limiter).await.is_err(), "it is used again");
    });
}

#[test]
fn a_file_with_foreign_content_is_replaced() {
    let machine = Machine::new();
    machine.folder().make_durably().unwrap();
    std::fs::write(machine.folder().file("target.json"), "no window\n".repeat(1_000)).unwrap();
    run(async {
        let limiter = machine.limiter(1, LONG);
        let _permit = try_one(&limiter).await.unwrap();
        assert!(try_one(&limiter).await.is_err());
    });
    assert_eq!(machine.content().lines().count(), 1);
}

#[test]
fn no_rate_touches_no_file() {
    let machine = Machine::new();
    run(async {
        let key = Secret::new("test-key");
        let limiter =
            RateLimiter::new(Some(&machine.state()), &fingerprint::of_webhook(&key), Rate::Off, machine.observer());
        for limiter in [limiter, RateLimiter(None)] {
            try_one(&limiter).await.unwrap().during(ready(())).await;
            limiter.block(LONG, later()).await;
            try_one(&limiter).await.unwrap().give_back().await;
        }
    });
    assert!(!machine.state().path().exists());
    assert_eq!(machine.said(), [""; 0]);
}

#[test]
fn each_target_has_a_file_that_does_not_name_it() {
    let machine = Machine::new();
    run(async {
        let state = machine.state();
        let rate = default_rate(Channel::Webhook);
        let limiters = [
            RateLimiter::new(
                Some(&state),
                &fingerprint::of_webhook(&Secret::new("test-key")),
                rate,
                machine.observer(),
            ),
            RateLimiter::new(
                Some(&state),
                &fingerprint::of_webhook(&Secret::new("test-key2")),
                rate,
                machine.observer(),
            ),
            RateLimiter::new(Some(&state), &fingerprint::of_app("corp", 1), rate, machine.observer()),
            RateLimiter::new(Some(&state), &fingerprint::of_app("corp", 2), rate, machine.observer()),
            RateLimiter::new(Some(&state), &fingerprint::of_app("corp2", 1), rate, machine.observer()),
        ];
        for limiter in &limiters {
            try_one(limiter).await.unwrap().during(ready(())).await;
        }
    });
    let names = machine.folder().names().unwrap();
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(names.iter().all(|name| name.len() == 37 && !name.contains("key") && !name.contains("corp")), "{names:?}");
}

#[test]
fn a_permit_holds_for_the_period_and_a_little_more() {
    let machine = Machine::new();
    run(async {
        let rate = Rate::Per { count: 1, period: LONG };
        let limiter =
            RateLimiter::new(Some(&machine.state()), &fingerprint::of_app("corp", 1), rate, machine.observer());
        try_one(&limiter).await.unwrap().during(ready(())).await;
        let retry_after = try_one(&limiter).await.unwrap_err().retry_after;
        assert!(retry_after <= LONG + MARGIN && retry_after > LONG, "{retry_after:?}");
    });
}

#[test]
fn waits_have_jitter() {
    let block = |whole| LimitedBy::Block { whole: Duration::from_millis(whole) };
    for (ms, limited_by, most) in [
        (0, LimitedBy::Rate, 5),
        (2_000, LimitedBy::Rate, 100),
        (86_400_000, LimitedBy::Rate, 1_000),
        (1, block(20_000), 2_000),
        (1, block(60_000), 5_000),
        (1, block(86_400_000), 5_000),
    ] {
        let wait = RateExceeded { retry_after: Duration::from_millis(ms), limited_by };
        let draws: Vec<Duration> = (0..200).map(|_| jitter(wait)).collect();
        assert!(draws.iter().all(|draw| *draw <= Duration::from_millis(most)), "{wait:?}");
        assert!(draws.iter().any(|draw| *draw != draws[0]), "{wait:?}");
    }
}
