//! Which conversations of an aibot ever took a message of this machine. WeCom answers 846607 where nobody has written to the
//! aibot yet, and where there were too many messages (document path 101463): only this tells the two apart.
//!
//! Each is an empty file, named by a fingerprint.

use crate::blocking::off_loop;
use crate::fingerprint::fingerprint;
use crate::store::Folder;

/// The folder below the state folder.
const FOLDER: &str = "aibot-conversations";

/// The conversations of one aibot.
#[derive(Clone)]
pub(crate) struct Conversations {
    folder: Option<Folder>,
    bot_id: String,
}

impl Conversations {
    /// Those of this bot, kept below `state`.
    pub(crate) fn new(state: Option<&Folder>, bot_id: &str) -> Self {
        Self { folder: state.map(|state| state.within(FOLDER)), bot_id: bot_id.to_owned() }
    }

    /// Notes that a message was taken. What cannot be noted costs a hint, later.
    pub(crate) async fn note(&self, chatid: &str) {
        let Some(folder) = self.folder.clone() else { return };
        let name = self.name(chatid);
        let noting = move || {
            if folder.length_of(&name).is_err() {
                // This makes the file.
                drop(folder.try_lock(&name));
            }
        };
        let _ = off_loop(noting).await;
    }

    /// Whether no message was ever taken there; `false` where that cannot be known, since none could be noted.
    pub(crate) async fn never_took(&self, chatid: &str) -> bool {
        let Some(folder) = self.folder.clone() else { return false };
        let name = self.name(chatid);
        let look = move || match folder.length_of(&name) {
            Ok(_) => false,
            Err(error) => error.kind() == std::io::ErrorKind::NotFound && folder.try_out().is_ok(),
        };
        off_loop(look).await.unwrap_or(false)
    }

    fn name(&self, chatid: &str) -> String {
        let print = fingerprint([self.bot_id.as_str(), chatid]);
        print.get(..32).unwrap_or(&print).to_owned()
    }
}
