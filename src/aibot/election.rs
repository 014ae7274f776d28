//! The look for the holder of the connection: another process, or this one if the lock is free.

use std::sync::Arc;

use super::Bot;
use super::greeting::{Refused, Talk, greet_holder};
use super::place::{MeetingPlace, Seat};
use super::protocol::{LONGEST_LINE, ToClient};
use crate::error::{Error, Result, Status};

/// What a look for a holder has found.
pub(super) enum HolderFound {
    /// This process is it.
    Elected(Option<Seat>),
    /// So it is, but others cannot see it, for this reason.
    Alone(String),
    Reached(Box<Talk>),
    /// It is not to be reached at this moment.
    NotYet(String),
    /// It does not take this process.
    Refused(Error),
}

/// Looks once for a holder, at all places where one may be.
pub(super) async fn look(bot: Arc<Bot>, places: Arc<[Arc<MeetingPlace>]>) -> HolderFound {
    let mut faults = Vec::new();
    for (number, place) in places.iter().enumerate() {
        match place.try_lock() {
            Ok(Some(seat)) => {
                // One from before this folder was there has the connection, and keeps it.
                for other in places.iter().skip(number + 1) {
                    if let found @ (HolderFound::Reached(_) | HolderFound::Refused(_)) = reach(&bot, other).await {
                        return found;
                    }
                }
                return HolderFound::Elected(Some(seat));
            }
            Ok(None) => return reach(&bot, place).await,
            Err(error) => {
                // A socket in a folder where nothing can be made may have a holder.
                if let found @ (HolderFound::Reached(_) | HolderFound::Refused(_)) = reach(&bot, place).await {
                    return found;
                }
                faults.push(format!("{} ({error})", place.shown()));
            }
        }
    }
    if faults.is_empty() {
        return HolderFound::Elected(None);
    }
    HolderFound::Alone(format!(
        "the processes of this machine cannot share the aibot's connection, and may take it from each other: make the folder usable, or \
         set state_dir to another one: {}",
        faults.join(", ")
    ))
}

/// Whether a look finds another process.
#[cfg(test)]
pub(super) async fn looks_to_another(bot: Arc<Bot>, places: Arc<[Arc<MeetingPlace>]>) -> bool {
    matches!(look(bot, places).await, HolderFound::Reached(_))
}

/// The holder of the connection, where another process of this machine is it: its process id, and since when it is
/// subscribed, in Unix milliseconds, if it is. Nothing is sent to WeCom. Fails where it does not take this process.
pub(super) async fn holder_of(bot: &Bot) -> Result<Option<(u32, Option<u64>)>> {
    for place in bot.places() {
        match reach(bot, &place).await {
            HolderFound::Reached(mut talk) => match talk.lines.next(LONGEST_LINE).await {
                Ok(ToClient::Welcome { process, up_since_ms }) => return Ok(Some((process, up_since_ms))),
                _ => return Ok(None),
            },
            HolderFound::Refused(error) => return Err(error),
            HolderFound::Elected(_) | HolderFound::Alone(_) | HolderFound::NotYet(_) => {}
        }
    }
    Ok(None)
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
        Err(Refused::Silent) => HolderFound::NotYet(format!("{who} holds the connection, and does not answer")),
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
