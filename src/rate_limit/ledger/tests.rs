//! What a pacing file says, at every moment and after every kind of damage.

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_790_000_000_000;
const HOLD: u64 = 62_000;

fn taken(lane: Lane, ends: &[u64]) -> Ledger {
    let mut ledger = Ledger::default();
    for (id, end) in ends.iter().enumerate() {
        ledger.hold(id as u64, &[lane], end - NOW, NOW);
    }
    ledger
}

fn written(ledger: &Ledger, now: u64) -> Ledger {
    Ledger::parse(&ledger.to_line().unwrap(), now)
}

fn pace(ms: u64) -> Wait {
    Wait { ms, reason: Reason::Pace, pause_ms: 0 }
}

#[test]
fn a_slot_is_taken_in_every_lane_or_in_none() {
    let mut ledger = taken(Lane(1), &[NOW + 500]);
    assert_eq!(ledger.take(9, &[Lane(1), Lane(2)], 1, HOLD, NOW), Err(pace(500)));
    assert_eq!(ledger, taken(Lane(1), &[NOW + 500]));
    assert_eq!(ledger.take(9, &[Lane(2), Lane(3)], 1, HOLD, NOW), Ok(()));
    assert_eq!(ledger.take(10, &[Lane(1), Lane(3)], 1, HOLD, NOW), Err(pace(HOLD)));
    assert_eq!(ledger.take(10, &[], 1, HOLD, NOW), Ok(()), "no lane, nothing to wait for");
}

#[test]
fn what_is_used_up_is_told_by_the_fullest_lane() {
    let mut ledger = taken(Lane(1), &[NOW + 300, NOW + 100]);
    ledger.hold(7, &[Lane(1), Lane(2)], HOLD, NOW);
    assert_eq!((ledger.most_taken(), ledger.blocked_for(NOW)), (3, None));
    ledger.block(500, NOW);
    assert_eq!(ledger.blocked_for(NOW + 100), Some(Duration::from_millis(400)));
    assert_eq!(ledger.blocked_for(NOW + 500), None);
    assert_eq!(Ledger::default().most_taken(), 0);
}

#[test]
fn who_paces_by_less_waits_for_more_to_end() {
    let ledger = taken(Lane(1), &[NOW + 300, NOW + 100, NOW + 200]);
    for (count, expected) in [(1, Some(300)), (2, Some(200)), (3, Some(100)), (4, None), (0, Some(300))] {
        assert_eq!(ledger.wait(&[Lane(1)], count, NOW), expected.map(pace), "{count}");
    }
}

#[test]
fn a_slot_is_prolonged_freed_and_back_again() {
    let mut ledger = taken(Lane(1), &[NOW + 10]);
    ledger.hold(0, &[Lane(1)], 20, NOW + 5);
    assert_eq!(ledger, {
        let mut other = Ledger::default();
        other.hold(0, &[Lane(1)], 20, NOW + 5);
        other
    });
    ledger.free(7);
    assert_eq!(ledger.wait(&[Lane(1)], 1, NOW + 5), Some(pace(20)));
    ledger.free(0);
    assert_eq!(ledger, Ledger::default());
    ledger.hold(0, &[Lane(1)], 30, NOW + 6);
    assert_eq!(ledger.wait(&[Lane(1)], 1, NOW + 6), Some(pace(30)));
}

#[test]
fn a_pause_holds_for_all_and_is_never_shortened() {
    let mut ledger = Ledger::default();
    ledger.block(60_000, NOW);
    ledger.block(1_000, NOW + 10);
    let wait = Wait { ms: 59_000, reason: Reason::Block, pause_ms: 60_000 };
    assert_eq!(written(&ledger, NOW + 1_000).wait(&[Lane(5)], 1, NOW + 1_000), Some(wait));
    assert_eq!(ledger.wait(&[], 1, NOW + 60_000), None);
    ledger.hold(1, &[Lane(5)], 70_000, NOW);
    assert_eq!(ledger.wait(&[Lane(5)], 1, NOW), Some(pace(70_000)), "what ends last counts");
    ledger.block(u64::MAX, NOW);
    assert!(written(&ledger, NOW).block.is_some_and(|block| block.until - NOW == LONGEST_MS));
}

#[test]
fn what_is_over_vanishes_with_its_lane() {
    let mut ledger = taken(Lane(1), &[NOW + 10, NOW + 20]);
    ledger.block(15, NOW);
    assert_eq!(written(&ledger, NOW + 9), ledger);
    assert_eq!(written(&ledger, NOW + 15).slots.len(), 1);
    assert_eq!(written(&ledger, NOW + 15).block, None);
    assert_eq!(written(&ledger, NOW + 20), Ledger::default());
}

#[test]
fn only_the_first_whole_line_counts() {
    let line = taken(Lane(1), &[NOW + 10]).to_line().unwrap();
    let expected = Ledger::parse(&line, NOW);
    assert_eq!(expected.slots.len(), 1);
    assert_eq!(Ledger::parse(&[&line[..], b"...}]}\n{\xff"].concat(), NOW), expected);
    assert_eq!(Ledger::parse(&line[..line.len() - 1], NOW), Ledger::default());
    assert_eq!(Ledger::parse(&[b"\n", &line[..]].concat(), NOW), Ledger::default());
}

#[test]
fn a_clock_set_back_holds_nobody_up() {
    let mut ledger = taken(Lane(1), &[NOW + HOLD]);
    ledger.block(60_000, NOW);
    let (a_little, a_lot) = (NOW - CLOCK_BOUND_MS, NOW - CLOCK_BOUND_MS - 1);
    assert_eq!(written(&ledger, a_little), ledger);
    assert_eq!(written(&ledger, a_lot), Ledger::default());
}

#[test]
fn what_nobody_can_have_written_is_dropped() {
    for (since, until) in [(NOW, NOW + LONGEST_MS + 1), (0, NOW + 1), (NOW, u64::MAX), (u64::MAX, u64::MAX)] {
        let span = format!("{{\"since\":{since},\"until\":{until}}}");
        let line = format!("{{\"block\":{span},\"slots\":[{{\"id\":1,\"held\":{span},\"lanes\":[1]}}]}}\n");
        assert_eq!(Ledger::parse(line.as_bytes(), NOW), Ledger::default(), "{line}");
    }
}

#[test]
fn lanes_are_apart_but_for_case() {
    let user = Lane::of(RecipientKind::User, "ZhangSan");
    assert_eq!(user, Lane::of(RecipientKind::User, "zhangsan"));
    let others = [
        Lane::of(RecipientKind::User, "zhangsa"),
        Lane::of(RecipientKind::User, "@all"),
        Lane::of(RecipientKind::Party, "zhangsan"),
        Lane::of(RecipientKind::Tag, "zhangsan"),
        Lane::GROUP,
    ];
    for (index, other) in others.iter().enumerate() {
        assert!(*other != user && !others[..index].contains(other), "{index}");
    }
}

/// Something that a process does: after how long, which slot, in which lanes (as bits), and what.
type Step = (u64, u64, u8, u8);

fn lanes_of(bits: u8) -> Vec<Lane> {
    (0..4).filter(|bit| bits >> bit & 1 == 1).map(Lane).collect()
}

fn taken_in(ledger: &Ledger, lane: Lane, now: u64) -> usize {
    ledger.slots.iter().filter(|slot| slot.held.until > now && slot.lanes.contains(&lane)).count()
}

proptest! {
    #[test]
    fn no_lane_ever_has_more_than_its_count(
        count in 1_u32..4,
        steps in proptest::collection::vec((0_u64..40, 0_u64..20, 0_u8..16, 0_u8..6), 0..60),
    ) {
        let (mut now, mut ledger) = (NOW, Ledger::default());
        // Those that a process believes to have.
        let mut own: Vec<(u64, Vec<Lane>)> = Vec::new();
        for (id, (pause, pick, bits, action)) in (0..).zip::<Vec<Step>>(steps) {
            now += pause;
            ledger = written(&ledger, now);
            let lanes = lanes_of(bits);
            match action {
                0..=2 => if ledger.take(id, &lanes, count, 100, now).is_ok() {
                    own.push((id, lanes));
                },
                // As long as it is there, it may be prolonged.
                3 => if let Some((id, lanes)) = own.iter().find(|(id, _)| ledger.slots.iter().any(|slot| slot.id == *id)) {
                    ledger.hold(*id, lanes, 100, now);
                },
                4 => ledger.free(pick),
                _ => ledger.block(pick, now),
            }
            for lane in lanes_of(15) {
                prop_assert!(taken_in(&ledger, lane, now) <= count as usize);
            }
        }
    }

    #[test]
    fn the_time_named_is_the_first_at_which_there_is_a_slot(
        count in 1_u32..4,
        held in proptest::collection::vec((1_u64..200, 0_u8..16), 0..12),
        pause in 0_u64..200,
        bits in 0_u8..16,
    ) {
        let mut ledger = Ledger::default();
        for (id, (ms, bits)) in (0..).zip(held) {
            ledger.hold(id, &lanes_of(bits), ms, NOW);
        }
        ledger.block(pause, NOW);
        let lanes = lanes_of(bits);
        let can = |now| written(&ledger, now).take(99, &lanes, count, 100, now);
        let first = (0..=200).find(|ms| can(NOW + ms).is_ok());
        prop_assert_eq!(first, Some(can(NOW).map_or_else(|wait| wait.ms, |()| 0)));
    }

    #[test]
    fn any_bytes_are_a_ledger(content in proptest::collection::vec(any::<u8>(), 0..200), now in any::<u64>()) {
        let mut ledger = Ledger::parse(&content, now);
        let _ = ledger.take(1, &[Lane(0)], 1, HOLD, now);
    }

    #[test]
    fn any_numbers_are_a_ledger(
        numbers in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()), 0..8),
        ms in any::<u64>(),
        now in any::<u64>(),
    ) {
        let slots: Vec<String> = numbers
            .iter()
            .map(|(id, since, until, lane)| {
                format!("{{\"id\":{id},\"held\":{{\"since\":{since},\"until\":{until}}},\"lanes\":[{lane},{lane},0]}}")
            })
            .collect();
        let mut ledger = Ledger::parse(format!("{{\"slots\":[{}]}}\n", slots.join(",")).as_bytes(), now);
        ledger.block(ms, now);
        let wait = ledger.take(1, &[Lane(0)], 1, ms, now).err().map_or(0, |wait| wait.ms);
        prop_assert!(wait <= LONGEST_MS + CLOCK_BOUND_MS);
        ledger.hold(1, &[Lane(0)], ms, now);
    }

    #[test]
    fn what_is_written_is_read_back(
        held in proptest::collection::vec((any::<u64>(), 1_u64..LONGEST_MS, proptest::collection::vec(any::<u64>(), 0..5)), 0..8),
    ) {
        let mut ledger = Ledger::default();
        for (id, ms, lanes) in held {
            let lanes: Vec<Lane> = lanes.into_iter().map(Lane).collect();
            ledger.hold(id, &lanes, ms, NOW);
        }
        prop_assert_eq!(written(&ledger, NOW), ledger);
    }
}
