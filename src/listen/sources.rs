//! Where events come from: the callback of the app, the callback or the connection of the aibot, as options and profile say.

use std::net::TcpListener;

use super::accept::AcceptAddress;
use super::callback_gate::GateKeys;
use super::options::ListenRequest;
use super::server::bind;
use crate::aibot::Link;
use crate::cards::{CardStore, Listener};
use crate::channel::Channel;
use crate::config::{CallbackSettings, DEFAULT_LISTEN, Settings};
use crate::error::{Error, Result};
use crate::send::{Login, Session};
use crate::store::Folder;

/// All sources.
#[derive(Default)]
pub(super) struct EventSources {
    /// The address, and what opens requests to it.
    pub(super) http: Option<(TcpListener, GateKeys)>,
    /// The address where alerts are taken.
    pub(super) accept: Option<AcceptAddress>,
    /// The connection of the aibot.
    pub(super) link: Option<Link>,
    /// The cards of each channel that events come from.
    pub(super) stores: Vec<(Channel, CardStore)>,
    /// The credential of each.
    pub(super) logins: Vec<(Channel, Login)>,
    /// Tells other processes that these events are received.
    _listeners: Vec<Listener>,
}

/// What is to be received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wanted {
    app: bool,
    aibot_callback: bool,
    connection: bool,
}

impl EventSources {
    /// Opens what options and profile name.
    ///
    /// # Errors
    ///
    /// Exit 3 where there is nothing to receive, settings lack something, the address cannot be used, or another process
    /// receives these events already.
    pub(super) async fn open(session: &mut Session<'_>, request: &ListenRequest, state: &Folder) -> Result<Self> {
        let wanted = wanted(request, &session.settings)?;
        let mut sources = Self::default();
        let mut keys = GateKeys::default();
        if wanted.app {
            keys.app = session.own_target(Channel::App).callback_keys().await?;
            sources.receive(session, state, Channel::App).await?;
        }
        if wanted.aibot_callback {
            keys.aibot = session.own_target(Channel::Aibot).callback_keys().await?;
        }
        if wanted.aibot_callback || wanted.connection {
            sources.receive(session, state, Channel::Aibot).await?;
        }
        if wanted.app || wanted.aibot_callback {
            let set = session.settings.callback_listen.as_ref().map(|address| address.value.to_string());
            let address = request.http.clone().or(set).unwrap_or_else(|| DEFAULT_LISTEN.to_string());
            sources.http = Some((bind(address.trim(), "--http")?, keys));
        }
        if let Some(address) = &request.accept {
            sources.accept = Some(AcceptAddress::open(address.trim(), &session.settings, &session.mask).await?);
        }
        if wanted.connection {
            let mut target = session.own_target(Channel::Aibot);
            sources.link = target.link().await?;
            session.warnings.append(&mut target.warnings);
        }
        Ok(sources)
    }

    /// Becomes the process that receives events of this channel.
    async fn receive(&mut self, session: &Session<'_>, state: &Folder, channel: Channel) -> Result<()> {
        let target = session.own_target(channel);
        target.require_credentials(None)?;
        let login = target.log_in(None).await?;
        let shared = session.shared_state().map(|shared| login.namespace(&shared));
        let store = CardStore::of(state, &login.card_owner()).shared_by(shared);
        let listener = store.listen().await?.ok_or_else(|| {
            let (what, id) = match channel {
                Channel::Aibot => ("aibot", session.settings.aibot_id.as_ref().map(|id| id.value.clone())),
                _ => ("app", session.settings.agent_id.as_ref().map(|id| id.value.to_string())),
            };
            Error::config(
                format!("another listen receives the events of {what} {}", id.unwrap_or_default()),
                "one process with this state folder is enough: end the other one, or let it do this too",
            )
        })?;
        self._listeners.push(listener);
        self.stores.push((channel, store));
        self.logins.push((channel, login));
        Ok(())
    }

    /// What it listens to, for people.
    pub(super) fn shown(&self) -> String {
        let mut shown = Vec::new();
        if let Some((bound, keys)) = &self.http {
            let of = [(keys.app.is_some(), "the app"), (keys.aibot.is_some(), "the aibot")];
            let of: Vec<&str> = of.into_iter().filter_map(|(is_there, name)| is_there.then_some(name)).collect();
            let address = bound.local_addr().map(|address| address.to_string()).unwrap_or_default();
            shown.push(format!("callbacks of {} at http://{address}", of.join(" and ")));
        }
        if self.link.is_some() {
            shown.push("the connection of the aibot".to_owned());
        }
        if let Some(AcceptAddress { bound, .. }) = &self.accept {
            let address = bound.local_addr().map(|address| address.to_string()).unwrap_or_default();
            shown.push(format!("alerts at http://{address}"));
        }
        shown.join(", ")
    }
}

/// What options name, else all of it that the profile has. An aibot has callbacks or a connection, never both (document path
/// 101463): with keys for callbacks it has those.
fn wanted(request: &ListenRequest, settings: &Settings) -> Result<Wanted> {
    let has = |callback: &CallbackSettings| callback.token.is_some() || callback.aes_key.is_some();
    let has_connection = settings.credential(Channel::Aibot).is_some();
    let (app, aibot_callback) = (has(&settings.callback), has(&settings.aibot_callback));
    let unasked = !request.aibot && request.http.is_none() && request.accept.is_none();
    let wanted = Wanted {
        app: app && (unasked || request.http.is_some()),
        aibot_callback: aibot_callback && !request.aibot && (unasked || request.http.is_some()),
        connection: request.aibot || (unasked && has_connection && !aibot_callback),
    };
    if request.http.is_some() && !wanted.app && !wanted.aibot_callback {
        return Err(Error::config(
            "--http: the keys of the callback are not set",
            "set callback_token_file and callback_aes_key_file to files with Token and EncodingAESKey, as they stand under 接收消息 in the \
             console",
        ));
    }
    if wanted == Wanted::default() && request.accept.is_none() {
        return Err(Error::config(
            "there is nothing to listen to: neither the keys of a callback nor an aibot are set",
            "set callback_token_file and callback_aes_key_file (the app, 接收消息), or aibot_id and aibot_secret_file; to take alerts by HTTP: \
             --accept ADDRESS:PORT",
        ));
    }
    Ok(wanted)
}
