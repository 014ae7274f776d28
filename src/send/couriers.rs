//! Couriers that have delivered and may deliver more: one for each target, so that what waits for it in the outbox uses
//! the connection, the credential and the trusted certificates that are there already.

use super::target::Target;
use crate::channel::Channel;
use crate::config::SecretSource;
use crate::delivery::Courier;

/// Targets with their couriers.
#[derive(Default)]
pub(crate) struct Couriers(Vec<(Target, Courier)>);

impl Couriers {
    /// Keeps one for later.
    pub(crate) fn keep(&mut self, target: Target, courier: Courier) {
        self.0.push((target, courier));
    }

    /// Takes out the one that would be made for this target.
    pub(crate) fn take(&mut self, target: &Target) -> Option<Courier> {
        let at = self.0.iter().position(|(known, _)| identity(known) == identity(target))?;
        Some(self.0.swap_remove(at).1)
    }
}

/// What a courier is made of, as far as it can differ within a run.
fn identity(target: &Target) -> (Channel, Option<&str>, Option<&str>, Option<i64>, Option<&str>) {
    let settings = &target.settings;
    (
        target.channel,
        settings.profile.as_deref(),
        settings.corp_id.as_ref().map(|corp_id| corp_id.value.as_str()),
        settings.agent_id.as_ref().map(|agent_id| agent_id.value),
        settings.credential(target.channel).map(SecretSource::origin),
    )
}
