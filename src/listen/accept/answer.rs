//! What a sender is told of an outcome, so that its own retries do what is right. Pure.

use hyper::StatusCode;

use crate::delivery::Outcome;
use crate::error::Status;

/// The status of the answer. `at_most_once` says that the alert must not arrive twice.
///
/// Alertmanager takes any 2xx for a success, tries again at once, and for as long as the group_interval lasts, after any
/// 5xx, and after all else (429 too) not before the next group_interval: then the same alerts are new to it. Grafana takes
/// any 2xx for a success and tries again at the next group_interval after all else. So only a 2xx makes either of them
/// stop, and only a 5xx makes Alertmanager try again soon.
pub(super) fn status_of(outcome: &Outcome, at_most_once: bool) -> StatusCode {
    match outcome.status {
        Status::Sent
        | Status::Skipped
        | Status::Ok
        | Status::DryRun
        | Status::Asked
        | Status::Answered
        | Status::Declined
        | Status::Unanswered => StatusCode::OK,
        Status::Queued => StatusCode::ACCEPTED,
        // Those who have it would get it again, with every try.
        Status::Partial => StatusCode::OK,
        Status::Unknown if at_most_once => StatusCode::ACCEPTED,
        // Rather twice than not at all.
        Status::Unknown | Status::Temporary | Status::RateLimited => StatusCode::SERVICE_UNAVAILABLE,
        // Nothing is wrong with the alert: it can go out once the settings are corrected here or in the console.
        Status::Auth | Status::Config | Status::Interrupted(_) => StatusCode::SERVICE_UNAVAILABLE,
        Status::Usage | Status::Refused => StatusCode::BAD_REQUEST,
        Status::Error => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Signal;

    #[test]
    fn who_has_to_try_again_is_told_so_and_nobody_else() {
        for (status, answered) in [
            (Status::Sent, 200),
            (Status::Skipped, 200),
            (Status::Partial, 200),
            (Status::Queued, 202),
            (Status::Usage, 400),
            (Status::Refused, 400),
            (Status::Temporary, 503),
            (Status::RateLimited, 503),
            (Status::Unknown, 503),
            (Status::Auth, 503),
            (Status::Config, 503),
            (Status::Interrupted(Signal::Terminate), 503),
            (Status::Error, 500),
        ] {
            assert_eq!(status_of(&Outcome::new(status), false), answered, "{status:?}");
        }
        // A second copy was ruled out.
        assert_eq!(status_of(&Outcome::new(Status::Unknown), true), 202);
        assert_eq!(status_of(&Outcome::new(Status::Temporary), true), 503);
    }
}
