//! What may happen to the sandbox's aibot.

use std::str::FromStr;

use crate::fake::{AIBOT_ID, AIBOT_LIMITS, FakeWecom};

/// What happens to the aibot or how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mishap {
    Kick,
    Drop,
    HalfDead,
    Repeat,
    KeepOldSockets,
    EncryptIds,
    RefuseGroups,
    OtherKinds,
    Limits,
}

pub(crate) const MISHAPS: [(&str, Mishap, &str); 9] = [
    ("kick", Mishap::Kick, "somebody elsewhere takes the aibot over"),
    ("drop", Mishap::Drop, "the connection of the aibot is cut"),
    ("half-dead", Mishap::HalfDead, "heartbeats are answered, nothing else comes or is taken"),
    ("repeat", Mishap::Repeat, "the latest event comes once more"),
    ("keep-old", Mishap::KeepOldSockets, "a connection that was taken over stays open, half-dead"),
    ("encrypt-ids", Mishap::EncryptIds, "the aibot sees wo… in the place of userids"),
    ("refuse-groups", Mishap::RefuseGroups, "the aibot may not write to groups (846607)"),
    ("other-kinds", Mishap::OtherKinds, "a card may change into one of another kind"),
    ("limits", Mishap::Limits, "30 messages a minute and 1000 an hour per conversation; more are 846607"),
];

impl Mishap {
    pub(crate) fn carry_out(self, wecom: &FakeWecom) {
        let bot = wecom.aibot(AIBOT_ID);
        match self {
            Self::Kick => bot.kick(),
            Self::Drop => bot.drop_connection(),
            Self::HalfDead => bot.make_half_dead(),
            Self::Repeat => bot.repeat_event(),
            Self::KeepOldSockets => bot.set(|bot| bot.keeps_old_sockets = true),
            Self::EncryptIds => bot.set(|bot| bot.has_encrypted_ids = true),
            Self::RefuseGroups => bot.set(|bot| bot.refuses_group_pushes = true),
            Self::OtherKinds => bot.set(|bot| bot.takes_other_kinds = true),
            Self::Limits => bot.set(|bot| bot.limits = AIBOT_LIMITS.to_vec()),
        }
    }

    pub(crate) fn describe(self) -> &'static str {
        MISHAPS.iter().find(|(_, mishap, _)| *mishap == self).map_or("", |(_, _, words)| words)
    }

    /// Ends what lasts; the others are over once they have happened.
    pub(crate) fn end(self, wecom: &FakeWecom) {
        wecom.aibot(AIBOT_ID).set(|bot| match self {
            Self::KeepOldSockets => bot.keeps_old_sockets = false,
            Self::EncryptIds => bot.has_encrypted_ids = false,
            Self::RefuseGroups => bot.refuses_group_pushes = false,
            Self::OtherKinds => bot.takes_other_kinds = false,
            Self::Limits => bot.limits.clear(),
            Self::Kick | Self::Drop | Self::HalfDead | Self::Repeat => {}
        });
    }

    /// Whether it goes on until it is ended, and does not only happen.
    pub(crate) fn lasts(self) -> bool {
        !matches!(self, Self::Kick | Self::Drop | Self::HalfDead | Self::Repeat)
    }

    /// Whether it goes on now.
    pub(crate) fn is_on(self, wecom: &FakeWecom) -> bool {
        wecom.aibot(AIBOT_ID).set(|bot| match self {
            Self::KeepOldSockets => bot.keeps_old_sockets,
            Self::EncryptIds => bot.has_encrypted_ids,
            Self::RefuseGroups => bot.refuses_group_pushes,
            Self::OtherKinds => bot.takes_other_kinds,
            Self::Limits => !bot.limits.is_empty(),
            Self::Kick | Self::Drop | Self::HalfDead | Self::Repeat => false,
        })
    }
}

impl FromStr for Mishap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = MISHAPS.iter().find(|(name, _, _)| *name == text).map(|(_, mishap, _)| *mishap);
        let names = || MISHAPS.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ");
        known.ok_or_else(|| format!("{text:?} is not one of {}", names()))
    }
}

/// Makes the aibot as it was at the start.
pub(crate) fn set_normal(wecom: &FakeWecom) {
    MISHAPS.iter().for_each(|(_, mishap, _)| mishap.end(wecom));
}
