//! The ids of entries: in the order of time, and unique among all processes that share a folder. Pure but for the dice.

/// So many letters tell two entries of the same millisecond and process number apart, as containers may make them.
const DICE: usize = 6;

/// The longest id that is looked for.
const LONGEST: usize = 64;

/// An id for this moment (Unix time in milliseconds) and process: `20261121T101530.123Z-4711-kqzvbd`.
pub(super) fn new_id(at_ms: u64, process: u32) -> String {
    let dice: String = std::iter::repeat_with(fastrand::lowercase).take(DICE).collect();
    format!("{}-{process}-{dice}", instant(at_ms))
}

/// Whether a name can be an id: nothing else is ever looked for, so that no name leads out of the folder.
pub(super) fn is_id(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    name.len() <= LONGEST && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.bytes().all(fits)
}

/// A moment in UTC, all of its numbers of fixed width: the order of such names is that of time.
fn instant(at_ms: u64) -> String {
    let (seconds, ms) = (at_ms / 1000, at_ms % 1000);
    let (year, month, day) = date(seconds / 86_400);
    let of_day = seconds % 86_400;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{ms:03}Z")
}

/// The Gregorian date of a day counted from 1970-01-01. Years are counted from March here, so that a leap day is the last
/// of its year, and in cycles of 400, after which the calendar repeats.
fn date(day: u64) -> (u64, u64, u64) {
    const CYCLE: u64 = 146_097;
    let from_0000 = day + 719_468;
    let in_cycle = from_0000 % CYCLE;
    let year_in_cycle = (in_cycle - in_cycle / 1460 + in_cycle / 36_524 - in_cycle / 146_096) / 365;
    let in_year = in_cycle - (365 * year_in_cycle + year_in_cycle / 4 - year_in_cycle / 100);
    let from_march = (5 * in_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_in_cycle + from_0000 / CYCLE * 400 + u64::from(month <= 2);
    (year, month, in_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (at_ms, shown) in [
            (0, "19700101T000000.000Z"),
            (951_782_400_000, "20000229T000000.000Z"),
            (951_868_799_999, "20000229T235959.999Z"),
            (1_709_251_199_001, "20240229T235959.001Z"),
            (1_735_689_599_000, "20241231T235959.000Z"),
            (1_795_256_130_123, "20261121T101530.123Z"),
            (4_107_542_400_000, "21000301T000000.000Z"),
        ] {
            assert_eq!(instant(at_ms), shown);
        }
    }

    #[test]
    fn ids_of_one_moment_differ() {
        let ids: std::collections::BTreeSet<String> = (0..100).map(|_| new_id(5, 1)).collect();
        assert_eq!(ids.len(), 100);
    }

    #[test]
    fn nothing_that_leads_elsewhere_is_an_id() {
        let long = "a".repeat(65);
        for name in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-f", "a b", "ä", "a\0", &long] {
            assert!(!is_id(name), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn ids_sort_by_time(one in 0..253_402_300_799_999_u64, other in 0..253_402_300_799_999_u64, process: u32) {
            let (first, second) = (new_id(one, process), new_id(other, 4_194_304));
            prop_assert!(is_id(&first) && is_id(&second));
            if one != other {
                prop_assert_eq!(one < other, first < second);
            }
        }
    }
}
