//! What a pacing file says: the slots taken, and the pause that WeCom asked for. Pure: whoever asks brings the time.
//!
//! Times are Unix milliseconds, and the clock may jump: what claims to have been written in the future, or to last longer
//! than anything can, is dropped.

use serde::{Deserialize, Serialize};

use crate::fingerprint::fingerprint;
use crate::message::recipients::RecipientKind;

/// How far ahead of the clock an entry may have been written: clocks are corrected by a little now and then.
const CLOCK_BOUND_MS: u64 = 5_000;

/// Nothing is kept for longer: a day, the longest period, and what is added to it.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1_000 + CLOCK_BOUND_MS;

/// What a rate counts on its own: the group of a webhook, or one recipient of an app. It does not give the recipient away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lane(u64);

impl Lane {
    /// The one lane of a webhook.
    pub const GROUP: Self = Self(0);

    /// The lane of a recipient as named: a member, a department, a tag, `@all`. WeCom ignores the case of ids.
    #[must_use]
    pub fn of(kind: RecipientKind, id: &str) -> Self {
        let print = fingerprint([kind.as_str(), &id.to_lowercase()]);
        let short = print.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        Self(short.unwrap_or_default())
    }
}

/// What holds a request back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The rate: its slots are taken.
    Pace,
    /// WeCom refused a request because of too many, and must be left alone for a while.
    Block,
}

/// How long there is no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    /// At the least; at most what is kept lasts.
    pub(super) ms: u64,
    pub(super) reason: Reason,
    /// How long the pause as a whole is that ends then; 0 for a slot.
    pub(super) pause_ms: u64,
}

/// The content of a pacing file.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
    #[serde(default)]
    block: Option<Span>,
    #[serde(default)]
    slots: Vec<Taken>,
}

/// Something that was written down at a time and holds until another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Span {
    since: u64,
    until: u64,
}

/// A slot, taken in one lane or more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Taken {
    id: u64,
    held: Span,
    lanes: Vec<Lane>,
}

impl Span {
    fn new(now: u64, ms: u64) -> Self {
        Self { since: now, until: now.saturating_add(ms.min(LONGEST_MS)) }
    }

    fn holds(self, now: u64) -> bool {
        let possible = self.since <= now.saturating_add(CLOCK_BOUND_MS);
        possible && self.until > now && self.until.saturating_sub(self.since) <= LONGEST_MS
    }
}

impl Ledger {
    /// What a file's first line says of the time from `now` on. What cannot be understood says nothing.
    pub(super) fn parse(content: &[u8], now: u64) -> Self {
        // Behind the line end there may be the rest of a longer line from before; without one it was never finished.
        let line = content.iter().position(|byte| *byte == b'\n').and_then(|end| content.get(..end));
        let mut ledger: Self = line.and_then(|line| serde_json::from_slice(line).ok()).unwrap_or_default();
        ledger.block = ledger.block.filter(|block| block.holds(now));
        ledger.slots.retain(|slot| slot.held.holds(now));
        ledger
    }

    /// The line to keep.
    pub(super) fn to_line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }

    /// Takes one slot in every lane, for `hold_ms`; or none, if one of `lanes`, sorted and each named once, has `count`
    /// taken or a pause holds.
    pub(super) fn take(&mut self, id: u64, lanes: &[Lane], count: u32, hold_ms: u64, now: u64) -> Result<(), Wait> {
        match self.wait(lanes, count, now) {
            Some(wait) => Err(wait),
            None => {
                self.hold(id, lanes, hold_ms, now);
                Ok(())
            }
        }
    }

    /// Lets a slot hold for `hold_ms` from now on. One that is no longer there is there again: its request was made.
    pub(super) fn hold(&mut self, id: u64, lanes: &[Lane], hold_ms: u64, now: u64) {
        let held = Span::new(now, hold_ms);
        match self.slots.iter_mut().find(|slot| slot.id == id) {
            Some(slot) => slot.held = held,
            None => self.slots.push(Taken { id, held, lanes: lanes.to_vec() }),
        }
    }

    /// Frees a slot at once.
    pub(super) fn free(&mut self, id: u64) {
        self.slots.retain(|slot| slot.id != id);
    }

    /// Nobody takes a slot for `ms` from now on, or for longer where that was said before.
    pub(super) fn block(&mut self, ms: u64, now: u64) {
        let block = Span::new(now, ms);
        if self.block.is_none_or(|old| old.until < block.until) {
            self.block = Some(block);
        }
    }

    /// How long there is no slot in some lane; `None` when every lane has one.
    fn wait(&self, lanes: &[Lane], count: u32, now: u64) -> Option<Wait> {
        let until = self.free_at(lanes, count.max(1) as usize).filter(|until| *until > now);
        let block = self.block.filter(|block| block.until > now && until.is_none_or(|until| until <= block.until));
        match block {
            Some(block) => Some(Wait {
                ms: block.until - now,
                reason: Reason::Block,
                pause_ms: block.until.saturating_sub(block.since),
            }),
            None => until.map(|until| Wait { ms: until - now, reason: Reason::Pace, pause_ms: 0 }),
        }
    }

    /// When the last of these lanes has fewer than `count` slots taken; `None` if they all have.
    fn free_at(&self, lanes: &[Lane], count: usize) -> Option<u64> {
        let mut ends = vec![Vec::new(); lanes.len()];
        for slot in &self.slots {
            for lane in &slot.lanes {
                if let Some(ends) = lanes.binary_search(lane).ok().and_then(|index| ends.get_mut(index)) {
                    ends.push(slot.held.until);
                }
            }
        }
        let free_at = |ends: &mut Vec<u64>| {
            // Others may pace by a higher count: as many must end as leave one less than this one's.
            let surplus = ends.len().checked_sub(count)?;
            Some(*ends.select_nth_unstable(surplus).1)
        };
        ends.iter_mut().filter_map(free_at).max()
    }
}

#[cfg(test)]
mod tests {
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
}
