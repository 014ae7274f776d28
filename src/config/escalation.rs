//! The steps of `--escalate`: who gets a question that nobody has answered, and after how long. Pure.

use std::str::FromStr;
use std::time::Duration;

use super::choice::TargetName;
use super::parse::parse_duration_up_to;
use crate::error::{Error, Result};
use crate::message::recipients::ids;
use crate::sanitize::{half_width, unwrapped};

/// The longest wait of a question, in hours.
pub const LONGEST_WAIT_HOURS: u64 = 72;

/// A target that gets a question later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscalationStep {
    /// The profile, with a channel where that is said.
    pub target: TargetName,
    /// Whom there; empty: the recipients of the profile.
    pub ids: Vec<String>,
    /// So long after the start; at most [`LONGEST_WAIT_HOURS`].
    pub after: Duration,
}

const FORM: &str =
    "write PROFILE@DURATION, PROFILE:CHANNEL@DURATION or PROFILE:CHANNEL/ID,ID@DURATION, such as `lead@5m`";

impl EscalationStep {
    /// Reads `PROFILE[:CHANNEL][/ID,…]@DURATION`. `is_profile` tells names of the config file: such a name counts as a whole.
    ///
    /// # Errors
    ///
    /// Exit 3 for anything else.
    pub(super) fn read(text: &str, is_profile: impl Fn(&str) -> bool) -> Result<Self> {
        let text = unwrapped(text);
        let (target, after) = text
            .rsplit_once(['@', '＠'])
            .ok_or_else(|| Error::config("the step of an escalation has no time", FORM))?;
        let after = half_width(after.trim());
        let after = parse_duration_up_to(LONGEST_WAIT_HOURS, &after)?;
        let target = target.trim();
        let (name, given) = match target.rsplit_once('/') {
            Some((name, given)) if !is_profile(target) => (name, Some(given)),
            _ => (target, None),
        };
        let ids: Vec<String> = given.into_iter().flat_map(ids).map(str::to_owned).collect();
        if ids.iter().any(String::is_empty) {
            return Err(Error::config("the step of an escalation has an empty id", FORM));
        }
        let target = match is_profile(name) {
            true => TargetName { profile: name.to_owned(), channel: None },
            false => TargetName::from_str(name)?,
        };
        Ok(Self { target, ids, after })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::channel::Channel;

    fn read(text: &str) -> Result<EscalationStep> {
        EscalationStep::read(text, |name| ["a@b", "team/night", "ops:chat"].contains(&name))
    }

    fn step(profile: &str, channel: Option<Channel>, ids: &[&str], after: u64) -> EscalationStep {
        EscalationStep {
            target: TargetName { profile: profile.to_owned(), channel },
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            after: Duration::from_secs(after),
        }
    }

    #[test]
    fn a_step_is_read() {
        for (text, expected) in [
            ("lead@5m", step("lead", None, &[], 300)),
            (" room:webhook @ 1h30m ", step("room", Some(Channel::Webhook), &[], 5400)),
            ("ops:app/zhangsan,lisi@90s", step("ops", Some(Channel::App), &["zhangsan", "lisi"], 90)),
            ("ops/li.si@corp@1m", step("ops", None, &["li.si@corp"], 60)),
            ("a@b@1m", step("a@b", None, &[], 60)),
            ("team/night@1m", step("team/night", None, &[], 60)),
            ("team/night/lisi@1m", step("team/night", None, &["lisi"], 60)),
            ("ops:chat@1m", step("ops:chat", None, &[], 60)),
            ("值班＠５m", step("值班", None, &[], 300)),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_step_is_refused() {
        for text in ["", "lead", "lead@", "@5m", "lead@5", "lead@soon", "lead@73h", "lead@0s", "ops/@1m", "ops/a,,b@1m"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = read(&text);
        }
    }
}
