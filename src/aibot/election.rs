//! The look for the holder of the connection: another process, or this one if the lock is free.

use std::sync::Arc;

use super::Bot;
use super::greeting::{Refused, Talk, greet_holder};
use super::lease::{BotLease, Fleet, FleetHolder, LastHolder, LeaseFound};
use super::place::{MeetingPlace, Seat};
use super::protocol::{LONGEST_LINE, ToClient};
use super::relay::dial;
use crate::error::{Error, Result, Status};
use crate::shared_state::StoreDown;

/// What a look for a holder has found.
pub(super) enum HolderFound {
    /// This process is it; among all machines too, where it has a lease.
    Elected(Option<Seat>, Option<Arc<BotLease>>),
    /// So it is, but others on this machine cannot see it, for this reason.
    Alone(String, Option<Arc<BotLease>>),
    Reached(Box<Talk>),
    /// It is not to be reached at this moment.
    NotYet(String),
    /// The same: it is stopped, or hangs.
    Stopped(String),
    /// It is on another machine, and cannot be reached as long as the store is down.
    Elsewhere(Error),
    /// It does not take this process.
    Refused(Error),
}

/// Looks once for a holder, at all places where one may be, on this machine and then on the others. Who `is_patient` asks the
/// store for it although it was down just now.
pub(super) async fn look(bot: Arc<Bot>, places: Arc<[Arc<MeetingPlace>]>, is_patient: bool) -> HolderFound {
    let found = look_here(&bot, &places).await;
    let Some(fleet) = &bot.fleet else { return found };
    let fleet = if is_patient { fleet.patient() } else { fleet.clone() };
    match found {
        HolderFound::Elected(seat, _) => match look_elsewhere(&bot, &fleet, seat).await {
            Ok((seat, lease)) => HolderFound::Elected(seat, Some(lease)),
            Err(found) => found,
        },
        HolderFound::Alone(why, _) => match look_elsewhere(&bot, &fleet, None).await {
            Ok((_, lease)) => HolderFound::Alone(why, Some(lease)),
            Err(found) => found,
        },
        // Another machine's process may have taken over from it, or this one can.
        HolderFound::Stopped(why) => match look_elsewhere(&bot, &fleet, None).await {
            Ok((_, lease)) if lease.is_sure() => HolderFound::Elected(None, Some(lease)),
            Ok(_) | Err(HolderFound::Elsewhere(_)) => HolderFound::Stopped(why),
            Err(found) => found,
        },
        found => found,
    }
}

/// Becomes the holder among all machines, or finds it.
async fn look_elsewhere(
    bot: &Bot,
    fleet: &Fleet,
    seat: Option<Seat>,
) -> std::result::Result<(Option<Seat>, Arc<BotLease>), HolderFound> {
    let last = seat.as_ref().and_then(Seat::last_holder);
    let note = |holder: LastHolder| {
        if let Some(seat) = &seat
            && last.as_ref() != Some(&holder)
        {
            seat.note_holder(&holder);
        }
    };
    match fleet.take(last.as_ref()).await {
        Ok(LeaseFound::Taken(lease)) => {
            note(lease.as_last());
            Ok((seat, lease))
        }
        Ok(LeaseFound::HeldBy(holder)) => {
            note(LastHolder { fence: holder.fence, host: holder.host.clone(), is_here: false });
            // Others of this machine reach it by themselves.
            drop(seat);
            Err(reach_far(bot, fleet, &holder).await)
        }
        Ok(LeaseFound::HeldByUnknown) => Err(HolderFound::NotYet(
            "another machine's process holds the connection, with another secret of the aibot, or another version of \
             wecom-alert"
                .to_owned(),
        )),
        Err(StoreDown) => match last {
            Some(LastHolder { is_here: false, host, .. }) => Err(HolderFound::Elsewhere(Error::temporary(
                format!(
                    "machine {host} has the connection of the aibot, as far as is known here, and is reached by the shared \
                     state, which is down"
                ),
                "bring the shared state back; or send by another channel meanwhile (fallback, also)",
            ))),
            last => Ok((seat, fleet.unsure(last.as_ref()))),
        },
    }
}

/// Connects to a holder on another machine.
async fn reach_far(bot: &Bot, fleet: &Fleet, holder: &FleetHolder) -> HolderFound {
    let who = format!("process {} of machine {}", holder.process, holder.host);
    let Ok(stream) = dial(fleet, &holder.door).await else {
        return HolderFound::NotYet(format!("{who} holds the connection, and the shared state failed"));
    };
    match greet_holder(stream, &bot.id, &bot.secret).await {
        Ok(talk) => HolderFound::Reached(Box::new(talk.far())),
        Err(Refused::Version(_)) => HolderFound::Refused(Error::temporary(
            format!("{who} holds the connection of this aibot, and speaks another version of its protocol"),
            "use the same version of wecom-alert on all machines",
        )),
        Err(_) => HolderFound::NotYet(format!("{who} holds the connection, and does not answer")),
    }
}

/// Looks once on this machine.
async fn look_here(bot: &Bot, places: &[Arc<MeetingPlace>]) -> HolderFound {
    let mut faults = Vec::new();
    for (number, place) in places.iter().enumerate() {
        match place.try_lock() {
            Ok(Some(seat)) => {
                // One from before this folder was there has the connection, and keeps it.
                for other in places.iter().skip(number + 1) {
                    if let found @ (HolderFound::Reached(_) | HolderFound::Refused(_)) = reach(bot, other).await {
                        return found;
                    }
                }
                return HolderFound::Elected(Some(seat), None);
            }
            Ok(None) => return reach(bot, place).await,
            Err(error) => {
                // A socket in a folder where nothing can be made may have a holder.
                if let found @ (HolderFound::Reached(_) | HolderFound::Refused(_)) = reach(bot, place).await {
                    return found;
                }
                faults.push(format!("{} ({error})", place.shown()));
            }
        }
    }
    if faults.is_empty() {
        return HolderFound::Elected(None, None);
    }
    let why = format!(
        "the processes of this machine cannot share the aibot's connection, and may take it from each other: make the folder usable, or \
         set state_dir to another one: {}",
        faults.join(", ")
    );
    HolderFound::Alone(why, None)
}

/// Whether a look finds another process.
#[cfg(test)]
pub(super) async fn looks_to_another(bot: Arc<Bot>, places: Arc<[Arc<MeetingPlace>]>) -> bool {
    matches!(look(bot, places, false).await, HolderFound::Reached(_))
}

/// A process that holds the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KnownHolder {
    /// Its machine; `None` for this one.
    pub(crate) host: Option<String>,
    pub(crate) process: u32,
    /// Since when it has it, in Unix milliseconds, if it has it already.
    pub(crate) since_ms: Option<u64>,
}

/// The holder of the connection, where another process is it. Nothing is sent to WeCom. Fails where it does not take this
/// process.
pub(super) async fn holder_of(bot: &Bot) -> Result<Option<KnownHolder>> {
    for place in bot.places() {
        match reach(bot, &place).await {
            HolderFound::Reached(mut talk) => match talk.lines.next(LONGEST_LINE).await {
                Ok(ToClient::Welcome { process, up_since_ms }) => {
                    return Ok(Some(KnownHolder { host: None, process, since_ms: up_since_ms }));
                }
                _ => return Ok(None),
            },
            HolderFound::Refused(error) => return Err(error),
            _ => {}
        }
    }
    let Some(fleet) = &bot.fleet else { return Ok(None) };
    // While the store is down, check says that elsewhere.
    let holder = fleet.patient().holder().await.ok().flatten();
    Ok(holder.map(|FleetHolder { host, process, since_ms, .. }| KnownHolder {
        host: Some(host),
        process,
        since_ms: Some(since_ms),
    }))
}

/// Connects to the holder.
#[cfg(unix)]
async fn reach(bot: &Bot, place: &MeetingPlace) -> HolderFound {
    let stream = match place.connect().await {
        Ok(stream) => stream,
        Err(error) => {
            let what = "another process holds the connection, and cannot be reached";
            return HolderFound::NotYet(format!("{what} in {}: {error}", place.shown()));
        }
    };
    let who = match stream.peer_cred().map(|cred| (cred.pid(), cred.uid())) {
        Ok((Some(pid), uid)) => format!("process {pid} of user {uid}"),
        _ => "another process".to_owned(),
    };
    match greet_holder(stream, &bot.id, &bot.secret).await {
        Ok(talk) => HolderFound::Reached(Box::new(talk)),
        Err(Refused::Gone) => HolderFound::NotYet(format!("{who} holds the connection, and is about to end")),
        Err(Refused::Silent) => HolderFound::Stopped(format!("{who} holds the connection, and does not answer")),
        Err(Refused::Unproven) => HolderFound::Refused(
            Error::new(Status::Auth, format!("{who} holds the connection of this aibot, with another secret")).with_hint(
                "only the newest Secret counts (管理后台 → 智能机器人 → API 模式 → 长连接): correct aibot_secret here or in the profile of \
                 that process",
            ),
        ),
        Err(refused @ (Refused::Version(_) | Refused::Garbage)) => {
            let version = if let Refused::Version(version) = refused { format!(" ({version})") } else { String::new() };
            let what = format!("{who} holds the connection of this aibot, and speaks another version{version} of its protocol");
            HolderFound::Refused(Error::temporary(what, "end it, and start it with this version of wecom-alert"))
        }
    }
}

/// Without Unix sockets there is one process at a time.
#[cfg(not(unix))]
async fn reach(_bot: &Bot, place: &MeetingPlace) -> HolderFound {
    let what = "another process uses the aibot, and on this system only one can at a time";
    HolderFound::NotYet(format!("{what} (lock in {})", place.shown()))
}
