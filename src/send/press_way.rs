//! The way by which presses on the cards of a place come back, and by which these cards are changed: the connection of an
//! aibot, or the callback of an app, whose presses a `listen` receives and puts on disk.

use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::login::Login;
use super::target::Target;
use crate::aibot::Link;
use crate::api::UPDATE_CARD;
use crate::api::aibot::{AIBOT_UPDATE, Press};
use crate::cards::CardStore;
use crate::channel::Presses;
use crate::delivery::{Courier, Purpose, explain_connection};
use crate::error::{Error, Result};
use crate::message::card::CardChange;

/// How long the change of an app's card may take.
const TO_CHANGE: Duration = Duration::from_secs(10);

/// The way back of presses. Clones share one connection.
#[derive(Clone)]
pub(crate) struct PressWay {
    pub(crate) login: Login,
    /// Where it is known whether a `listen` receives the presses.
    cards: Option<CardStore>,
    kind: WayKind,
}

#[derive(Clone)]
enum WayKind {
    Connection(Box<Link>),
    Callback(Rc<AppCards>),
}

/// What changes the cards of an app.
struct AppCards {
    courier: Mutex<Box<Courier>>,
    agent_id: Option<i64>,
    has_keys: bool,
}

impl PressWay {
    /// The way of a target; `None` on a channel without one.
    pub(super) async fn of(mut target: Target) -> Result<Option<Self>> {
        let kind = match target.channel.presses() {
            Presses::None => return Ok(None),
            Presses::Connection => match target.link().await? {
                Some(link) => WayKind::Connection(Box::new(link)),
                None => return Ok(None),
            },
            Presses::Callback => WayKind::Callback(Rc::new(AppCards {
                courier: Mutex::new(target.courier(None).await?),
                agent_id: target.agent_id(None),
                has_keys: target.settings.callback.token.is_some() && target.settings.callback.aes_key.is_some(),
            })),
        };
        // It is at hand.
        let login = target.log_in(None).await?;
        Ok(Some(Self { cards: target.cards(&login), login, kind }))
    }

    /// The connection, where it is one.
    pub(crate) fn link(&self) -> Option<&Link> {
        match &self.kind {
            WayKind::Connection(link) => Some(link),
            WayKind::Callback(_) => None,
        }
    }

    /// Finds out whether a press on a card can come back. A connection finds that out itself; but where this process does not
    /// wait for the answer, a `listen` must.
    ///
    /// # Errors
    ///
    /// Exit 3, where no `listen` receives the presses.
    pub(crate) async fn check(&self, waits: bool) -> Result<()> {
        let has_keys = match &self.kind {
            WayKind::Connection(_) if waits => return Ok(()),
            WayKind::Connection(_) => true,
            WayKind::Callback(app) => app.has_keys,
        };
        if let Some(cards) = &self.cards
            // Questions are gone on with on their own machine.
            && if waits { cards.is_listened_to_anywhere().await } else { cards.is_listened_to().await }
        {
            return Ok(());
        }
        let what = match &self.kind {
            WayKind::Connection(_) => "no listen receives the presses on the aibot's cards here",
            WayKind::Callback(_) => "presses on an app's card come by callback, and no listen receives them here",
        };
        let hint = if has_keys {
            "run wecom-alert listen with this profile and state folder, as a service"
        } else {
            "give the profile an aibot (aibot_id and aibot_secret_file); or set callback_token_file and \
             callback_aes_key_file of 接收消息 and run wecom-alert listen"
        };
        Err(Error::config(what, hint))
    }

    /// Changes the card on which somebody pressed.
    ///
    /// # Errors
    ///
    /// Why it could not be changed: it is too late, or its code is used up.
    pub(crate) async fn respond(&self, press: &Press, change: &CardChange) -> Result<()> {
        match &self.kind {
            WayKind::Connection(link) => {
                let answered = link.respond(press, change.of_aibot()).await;
                answered.map(drop).map_err(|failure| explain_connection(&failure, AIBOT_UPDATE))
            }
            WayKind::Callback(_) => self.change(&press.response_code, change).await,
        }
    }

    /// Changes a card of an app by a response_code.
    ///
    /// # Errors
    ///
    /// As [`Self::respond`]; for a card of an aibot always.
    pub(crate) async fn change(&self, response_code: &str, change: &CardChange) -> Result<()> {
        let WayKind::Callback(app) = &self.kind else {
            return Err(Error::defect("a card of an aibot can be changed after a press alone"));
        };
        let body = change.of_app(app.agent_id, response_code);
        let mut courier = app.courier.lock().await;
        courier.client.options.deadline = Instant::now() + TO_CHANGE;
        let asked =
            courier.ask(UPDATE_CARD, Purpose::Once, async |client, token| client.update_card(token, &body).await);
        asked.await.map(drop)
    }
}
