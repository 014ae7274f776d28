//! The content of a rate limit file, at every moment and after every kind of damage.

use proptest::prelude::*;

use super::*;
use crate::clock::in_ms;

const NOW: u64 = 1_790_000_000_000;
const HOLD: u64 = 62_000;

fn taken(bucket: Bucket, ends: &[u64]) -> Window {
    let mut window = Window::default();
    for (id, end) in ends.iter().enumerate() {
        window.hold(id as u64, &[bucket], end - NOW, NOW);
    }
    window
}

fn written(window: &Window, now: u64) -> Window {
    Window::parse(&window.to_line().unwrap(), now)
}

/// What asks for one permit, and does not wait for it.
fn claim(id: u64, buckets: &[Bucket], count: u32, hold_ms: u64) -> Claim<'_> {
    Claim { id, urgency: Urgency::default(), buckets, count, hold_ms, patience_ms: 0 }
}

fn pace(ms: u64) -> RateExceeded {
    RateExceeded { retry_after: Duration::from_millis(ms), limited_by: LimitedBy::Rate }
}

#[test]
fn a_permit_is_taken_in_every_bucket_or_in_none() {
    let mut window = taken(Bucket(1), &[NOW + 500]);
    assert_eq!(window.take(claim(9, &[Bucket(1), Bucket(2)], 1, HOLD), NOW), Err(pace(500)));
    assert_eq!(window, taken(Bucket(1), &[NOW + 500]));
    assert_eq!(window.take(claim(9, &[Bucket(2), Bucket(3)], 1, HOLD), NOW), Ok(()));
    assert_eq!(window.take(claim(10, &[Bucket(1), Bucket(3)], 1, HOLD), NOW), Err(pace(HOLD)));
    assert_eq!(window.take(claim(10, &[], 1, HOLD), NOW), Ok(()), "no bucket, nothing to wait for");
}

#[test]
fn the_fullest_bucket_gives_the_permits_taken() {
    let mut window = taken(Bucket(1), &[NOW + 300, NOW + 100]);
    window.hold(7, &[Bucket(1), Bucket(2)], HOLD, NOW);
    assert_eq!((window.most_taken(), window.blocked_for(NOW)), (3, None));
    window.block(500, NOW);
    assert_eq!(window.blocked_for(NOW + 100), Some(Duration::from_millis(400)));
    assert_eq!(window.blocked_for(NOW + 500), None);
    assert_eq!(Window::default().most_taken(), 0);
}

#[test]
fn a_lower_limit_waits_for_more_permits_to_end() {
    let window = taken(Bucket(1), &[NOW + 300, NOW + 100, NOW + 200]);
    for (count, expected) in [(1, Some(300)), (2, Some(200)), (3, Some(100)), (4, None), (0, Some(300))] {
        assert_eq!(window.wait(&[Bucket(1)], count, NOW), expected.map(pace), "{count}");
    }
}

#[test]
fn a_permit_is_prolonged_freed_and_back_again() {
    let mut window = taken(Bucket(1), &[NOW + 10]);
    window.hold(0, &[Bucket(1)], 20, NOW + 5);
    assert_eq!(window, {
        let mut other = Window::default();
        other.hold(0, &[Bucket(1)], 20, NOW + 5);
        other
    });
    window.free(7);
    assert_eq!(window.wait(&[Bucket(1)], 1, NOW + 5), Some(pace(20)));
    window.free(0);
    assert_eq!(window, Window::default());
    window.hold(0, &[Bucket(1)], 30, NOW + 6);
    assert_eq!(window.wait(&[Bucket(1)], 1, NOW + 6), Some(pace(30)));
}

#[test]
fn a_pause_holds_for_all_and_is_never_shortened() {
    let mut window = Window::default();
    window.block(60_000, NOW);
    window.block(1_000, NOW + 10);
    let limited_by = LimitedBy::Block { whole: Duration::from_secs(60) };
    let wait = RateExceeded { retry_after: Duration::from_secs(59), limited_by };
    assert_eq!(written(&window, NOW + 1_000).wait(&[Bucket(5)], 1, NOW + 1_000), Some(wait));
    assert_eq!(window.wait(&[], 1, NOW + 60_000), None);
    window.hold(1, &[Bucket(5)], 70_000, NOW);
    assert_eq!(window.wait(&[Bucket(5)], 1, NOW), Some(pace(70_000)), "what ends last counts");
    window.block(u64::MAX, NOW);
    assert!(written(&window, NOW).block.is_some_and(|block| block.until - NOW == LONGEST_MS));
}

#[test]
fn expired_permits_are_removed_with_their_bucket() {
    let mut window = taken(Bucket(1), &[NOW + 10, NOW + 20]);
    window.block(15, NOW);
    assert_eq!(written(&window, NOW + 9), window);
    assert_eq!(written(&window, NOW + 15).permits.len(), 1);
    assert_eq!(written(&window, NOW + 15).block, None);
    assert_eq!(written(&window, NOW + 20), Window::default());
}

#[test]
fn only_the_first_whole_line_counts() {
    let line = taken(Bucket(1), &[NOW + 10]).to_line().unwrap();
    let expected = Window::parse(&line, NOW);
    assert_eq!(expected.permits.len(), 1);
    assert_eq!(Window::parse(&[&line[..], b"...}]}\n{\xff"].concat(), NOW), expected);
    assert_eq!(Window::parse(&line[..line.len() - 1], NOW), Window::default());
    assert_eq!(Window::parse(&[b"\n", &line[..]].concat(), NOW), Window::default());
}

#[test]
fn a_clock_set_back_delays_no_request() {
    let mut window = taken(Bucket(1), &[NOW + HOLD]);
    window.block(60_000, NOW);
    let (a_little, a_lot) = (NOW - CLOCK_BOUND_MS, NOW - CLOCK_BOUND_MS - 1);
    assert_eq!(written(&window, a_little), window);
    assert_eq!(written(&window, a_lot), Window::default());
}

#[test]
fn impossible_entries_are_dropped() {
    for (since, until) in [(NOW, NOW + LONGEST_MS + 1), (0, NOW + 1), (NOW, u64::MAX), (u64::MAX, u64::MAX)] {
        let span = format!("{{\"since\":{since},\"until\":{until}}}");
        let line = format!("{{\"block\":{span},\"slots\":[{{\"id\":1,\"held\":{span},\"lanes\":[1]}}]}}\n");
        assert_eq!(Window::parse(line.as_bytes(), NOW), Window::default(), "{line}");
    }
}

#[test]
fn buckets_are_apart_but_for_case() {
    let user = Bucket::of(RecipientKind::User, "ZhangSan");
    assert_eq!(user, Bucket::of(RecipientKind::User, "zhangsan"));
    let others = [
        Bucket::of(RecipientKind::User, "zhangsa"),
        Bucket::of(RecipientKind::User, "@all"),
        Bucket::of(RecipientKind::Party, "zhangsan"),
        Bucket::of(RecipientKind::Tag, "zhangsan"),
        Bucket::GROUP,
    ];
    for (index, other) in others.iter().enumerate() {
        assert!(*other != user && !others[..index].contains(other), "{index}");
    }
}

const WARNING: Urgency = Urgency(1);
const CRITICAL: Urgency = Urgency(2);

fn waiting(id: u64, urgency: Urgency, buckets: &[Bucket]) -> Claim<'_> {
    Claim { urgency, patience_ms: HOLD, ..claim(id, buckets, 2, HOLD) }
}

#[test]
fn critical_goes_first_then_warning_then_the_rest() {
    let group = &[Bucket::GROUP];
    let mut window = taken(Bucket::GROUP, &[NOW + 1_000, NOW + 20_000]);
    for (id, urgency) in [(10, Urgency::default()), (11, WARNING), (12, CRITICAL)] {
        assert_eq!(window.take(waiting(id, urgency, group), NOW), Err(pace(1_000)));
    }
    assert_eq!(window.waiting.len(), 2, "the lowest urgency is not written");
    // One is free: whoever comes first leaves it to those before.
    let at = NOW + 1_000;
    let mut window = written(&window, at);
    assert_eq!(window.take(waiting(10, Urgency::default(), group), at), Err(pace(LOOK_AGAIN_MS)));
    assert_eq!(window.take(waiting(11, WARNING, group), at), Err(pace(LOOK_AGAIN_MS)));
    assert_eq!(window.take(waiting(12, CRITICAL, group), at), Ok(()));
    let at = NOW + 20_000;
    let mut window = written(&window, at);
    // The warning was last heard of long ago.
    assert_eq!(window.waiting, []);
    assert_eq!(window.take(waiting(10, Urgency::default(), group), at), Ok(()));
}

#[test]
fn more_permits_than_those_who_go_first_need_are_free_for_all() {
    let group = &[Bucket::GROUP];
    let mut window = taken(Bucket::GROUP, &[NOW + 1_000, NOW + 1_000]);
    assert!(window.take(waiting(11, CRITICAL, group), NOW).is_err());
    let at = NOW + 1_000;
    let mut window = written(&window, at);
    assert_eq!(window.take(waiting(10, Urgency::default(), group), at), Ok(()));
    assert_eq!(window.take(waiting(13, Urgency::default(), group), at), Err(pace(LOOK_AGAIN_MS)));
    // Another recipient's are not theirs.
    assert_eq!(window.take(waiting(13, Urgency::default(), &[Bucket(7)]), at), Ok(()));
    assert_eq!(window.take(waiting(11, CRITICAL, group), at), Ok(()));
    assert_eq!(window.waiting, []);
}

#[test]
fn who_does_not_wait_keeps_nobody_back() {
    let group = &[Bucket::GROUP];
    let mut window = taken(Bucket::GROUP, &[NOW + 1_000, NOW + 1_000]);
    assert!(window.take(Claim { patience_ms: 999, ..waiting(11, CRITICAL, group) }, NOW).is_err());
    assert_eq!(window.waiting, []);
    assert!(window.take(waiting(11, CRITICAL, group), NOW).is_err());
    // Its time is over.
    assert!(window.take(Claim { patience_ms: 0, ..waiting(11, CRITICAL, group) }, NOW + 1).is_err());
    assert_eq!(window.waiting, []);
}

/// Something that a process does: after how long, which permit, in which buckets (as bits), and what.
type Step = (u64, u64, u8, u8);

fn buckets_of(bits: u8) -> Vec<Bucket> {
    (0..4).filter(|bit| bits >> bit & 1 == 1).map(Bucket).collect()
}

fn taken_in(window: &Window, bucket: Bucket, now: u64) -> usize {
    window.permits.iter().filter(|permit| permit.held.until > now && permit.buckets.contains(&bucket)).count()
}

proptest! {
    #[test]
    fn no_bucket_ever_has_more_than_its_count(
        count in 1_u32..4,
        steps in proptest::collection::vec((0_u64..40, 0_u64..20, 0_u8..16, 0_u8..6), 0..60),
    ) {
        let (mut now, mut window) = (NOW, Window::default());
        // Those that a process believes to have.
        let mut own: Vec<(u64, Vec<Bucket>)> = Vec::new();
        for (id, (pause, pick, bits, action)) in (0..).zip::<Vec<Step>>(steps) {
            now += pause;
            window = written(&window, now);
            let buckets = buckets_of(bits);
            match action {
                0..=2 => if window.take(Claim { urgency: Urgency(action), patience_ms: pick, ..claim(id, &buckets, count, 100) }, now).is_ok() {
                    own.push((id, buckets));
                },
                // As long as it is there, it may be prolonged.
                3 => if let Some((id, buckets)) = own.iter().find(|(id, _)| window.permits.iter().any(|permit| permit.id == *id)) {
                    window.hold(*id, buckets, 100, now);
                },
                4 => window.free(pick),
                _ => window.block(pick, now),
            }
            for bucket in buckets_of(15) {
                prop_assert!(taken_in(&window, bucket, now) <= count as usize);
            }
        }
    }

    /// Somebody killed while waiting is waited for no longer than the bound, and the highest urgency for nobody.
    #[test]
    fn permits_are_kept_for_those_who_go_first_and_are_expected(
        count in 1_u32..4,
        held in proptest::collection::vec((1_u64..200, 0_u8..16), 0..8),
        others in proptest::collection::vec((0_u8..3, 0_u8..16), 0..6),
        urgency in (0_u8..3).prop_map(Urgency),
        pause in 0_u64..4_000,
        bits in 0_u8..16,
    ) {
        let mut window = Window::default();
        for (id, (ms, bits)) in (0..).zip(held) {
            window.hold(id, &buckets_of(bits), ms, NOW);
        }
        for (id, (urgency, bits)) in (100..).zip(others) {
            let buckets = buckets_of(bits);
            let _ = window.take(Claim { urgency: Urgency(urgency), patience_ms: HOLD, ..claim(id, &buckets, count, 100) }, NOW);
        }
        let at = NOW + pause;
        let mut window = written(&window, at);
        let buckets = buckets_of(bits);
        let is_open = |bucket: &Bucket| {
            let higher = window.waiting.iter().filter(|its| its.urgency > urgency && its.buckets.contains(bucket)).count();
            taken_in(&window, *bucket, at) + higher < count as usize
        };
        let is_free = buckets.iter().all(is_open);
        let took = window.take(Claim { urgency, ..claim(99, &buckets, count, 100) }, at);
        prop_assert_eq!(took.is_ok(), is_free, "{:?}", took);
        let later = at + 200 + LOOK_AGAIN_MS + LATE_MS;
        prop_assert_eq!(written(&window, later).take(claim(98, &buckets, count, 100), later), Ok(()));
    }

    #[test]
    fn the_time_named_is_the_first_at_which_there_is_a_permit(
        count in 1_u32..4,
        held in proptest::collection::vec((1_u64..200, 0_u8..16), 0..12),
        pause in 0_u64..200,
        bits in 0_u8..16,
    ) {
        let mut window = Window::default();
        for (id, (ms, bits)) in (0..).zip(held) {
            window.hold(id, &buckets_of(bits), ms, NOW);
        }
        window.block(pause, NOW);
        let buckets = buckets_of(bits);
        let can = |now| written(&window, now).take(claim(99, &buckets, count, 100), now);
        let first = (0..=200).find(|ms| can(NOW + ms).is_ok());
        prop_assert_eq!(first, Some(can(NOW).map_or_else(|wait| in_ms(wait.retry_after), |()| 0)));
    }

    #[test]
    fn any_bytes_can_be_read(content in proptest::collection::vec(any::<u8>(), 0..200), now in any::<u64>()) {
        let mut window = Window::parse(&content, now);
        let _ = window.take(claim(1, &[Bucket(0)], 1, HOLD), now);
    }

    #[test]
    fn any_numbers_can_be_read(
        numbers in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()), 0..8),
        ms in any::<u64>(),
        now in any::<u64>(),
    ) {
        let slots: Vec<String> = numbers
            .iter()
            .map(|(id, since, until, bucket)| {
                format!("{{\"id\":{id},\"held\":{{\"since\":{since},\"until\":{until}}},\"lanes\":[{bucket},{bucket},0]}}")
            })
            .collect();
        let mut window = Window::parse(format!("{{\"slots\":[{}]}}\n", slots.join(",")).as_bytes(), now);
        window.block(ms, now);
        let wait = window.take(claim(1, &[Bucket(0)], 1, ms), now).err().map_or(0, |wait| in_ms(wait.retry_after));
        prop_assert!(wait <= LONGEST_MS + CLOCK_BOUND_MS);
        window.hold(1, &[Bucket(0)], ms, now);
    }

    #[test]
    fn what_is_written_is_read_back(
        held in proptest::collection::vec((any::<u64>(), 1_u64..LONGEST_MS, proptest::collection::vec(any::<u64>(), 0..5)), 0..8),
    ) {
        let mut window = Window::default();
        for (id, ms, buckets) in held {
            let buckets: Vec<Bucket> = buckets.into_iter().map(Bucket).collect();
            window.hold(id, &buckets, ms, NOW);
            let urgency = Urgency((id % 3) as u8);
            let _ = window.take(Claim { urgency, patience_ms: u64::MAX, ..claim(id ^ 1, &buckets, 1, ms) }, NOW);
        }
        prop_assert_eq!(written(&window, NOW), window);
    }
}
