//! The clock that processes have in common, in Unix milliseconds.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now; 0 on a clock that is set to before 1970.
#[must_use]
pub fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// The point in time of Unix milliseconds.
#[must_use]
pub fn at_ms(ms: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(ms)).unwrap_or(UNIX_EPOCH)
}
