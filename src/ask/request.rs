//! What the command line asks for: plain data, before anything is read.

use crate::channel::Channel;
use crate::send::Request;

/// A question to be asked. Its targets, and who gets it later, are settings.
#[derive(Debug, Clone)]
pub struct AskRequest {
    /// What is asked, with buttons and choices. Its channel is `channel`, else found from the settings.
    pub alert: Request,
    /// The channel that was asked for.
    pub channel: Option<Channel>,
    /// Keys that end with exit code 11.
    pub decline: Vec<String>,
    /// Whether there are two buttons, yes and no; `Some(Some(…))` has their texts, with a comma between them.
    pub confirm: Option<Option<String>>,
    /// Whether anybody in a group may confirm.
    pub anyone: bool,
    /// Whose press counts.
    pub only: Vec<String>,
    /// Whose does not.
    pub not: Vec<String>,
    /// How long it is open, as written.
    pub wait: Option<String>,
    /// The time between two cards in one place, as written.
    pub remind: Option<String>,
    /// Profiles that are told who answered what.
    pub tell: Vec<String>,
    /// The user's own name for it.
    pub id: Option<String>,
    /// Whether a command on this machine may answer, whoever is asked.
    pub allow_local_answer: bool,
    /// Whether a running `listen` is to wait for the answer.
    pub detach: bool,
}
