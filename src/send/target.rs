//! A target: a channel with the settings and credentials of one profile.

use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use super::couriers::Couriers;
use super::login::{Login, LoginKey};
use crate::alert::Level;
use crate::api::Trust;
use crate::api::errcode::{CorpIdInfo, CredentialInfo};
use crate::blocking::{Work, off_loop};
use crate::callback::CallbackKeys;
use crate::channel::{Addressing, Channel, CredentialKind};
use crate::config::{Precedence, SecretSource, Settings, Webhook};
use crate::error::{Error, Result};
use crate::event::Observer;
use crate::fingerprint;
use crate::message::person::Person;
use crate::secret::{Mask, Secret};
use crate::shared_state::SharedState;
use crate::store::Folder;
use crate::token::AppCredentials;
use crate::words::MissingFile;

/// Where a message is sent: a channel, with the settings of one profile.
pub(crate) struct Target {
    /// Those of its profile, with the command's options and the environment.
    pub(crate) settings: Box<Settings>,
    pub(crate) channel: Channel,
    /// One sentence each, for the report.
    pub(crate) warnings: Vec<String>,
    /// What its message goes without.
    pub(super) lost: Vec<LostPart>,
    /// Those of its recipients who are looked up when the message is sent.
    pub(super) people: Vec<Person>,
    /// Whether not all recipients are known yet.
    pub(super) has_open_recipients: bool,
    /// How bad its alert is.
    pub(super) level: Option<Level>,
    /// Whether the alert is that of a command which has run: nobody can correct an option of it.
    pub(super) tells_of_command: bool,
    /// When all requests to it must have ended.
    pub(crate) deadline: Instant,
    pub(super) trust: Trust,
    pub(super) shared_state: Option<SharedState>,
    pub(super) mask: Mask,
    pub(super) observer: Observer,
    pub(super) login: OnceCell<Login>,
    /// Those that it may take one of, and what it is made of.
    pub(super) couriers: Couriers,
}

/// A file that was to be attached and cannot be, or the template that cannot be filled: the message goes without it.
#[derive(Debug, Clone)]
pub(super) struct LostPart {
    /// The file's name to show; `None` for the template.
    pub(super) file: Option<String>,
    /// What the receiver is told of it.
    pub(super) missing: MissingFile,
    /// Why it cannot be sent.
    pub(super) error: Error,
}

impl LostPart {
    /// Why it cannot be sent, with its name, and `before` before that, where the reason does not name it.
    pub(super) fn told(&self, before: &str) -> String {
        let why = self.error.message();
        match &self.file {
            Some(name) if !why.contains(name) => format!("{before}{name:?}: {why}"),
            _ => why.to_owned(),
        }
    }
}

impl Target {
    /// Fails with exit 3 where settings are missing that a message needs. `agent_id` is that of a payload, where the settings
    /// have none; so in all methods here.
    pub(crate) fn require_credentials(&self, agent_id: Option<i64>) -> Result<()> {
        let lacking = match self.channel {
            Channel::App => self.settings.lacking_for_app(agent_id.is_none()),
            Channel::Chat => self.settings.lacking_for_app(false),
            Channel::Webhook if self.settings.webhook.is_none() => vec!["webhook"],
            Channel::Webhook => Vec::new(),
            Channel::Aibot => self.settings.lacking_for_aibot(),
        };
        if lacking.is_empty() { Ok(()) } else { Err(self.settings.missing(&lacking)) }
    }

    /// Fails with exit 3 where the file of its credential is missing or empty, whose content is not read.
    pub(crate) fn check_credential_file(&self) -> Result<()> {
        self.settings.credential(self.channel).map_or(Ok(()), SecretSource::check_file)
    }

    /// Reads the credentials, once: their source may be a pipe. Fails with exit 3 where one is missing, unreadable or
    /// malformed.
    pub(crate) fn log_in(&self, agent_id: Option<i64>) -> Work<'_, Result<Login>> {
        Box::pin(async move {
            let login = self.login.get_or_try_init(async || {
                if let Some(known) = self.couriers.login(&self.courier_key(agent_id)) {
                    return Ok(known);
                }
                let login = match self.channel.facts().credential {
                    CredentialKind::AppToken => self.log_in_app(agent_id).await,
                    CredentialKind::WebhookKey => self.log_in_webhook().await,
                    CredentialKind::Aibot => self.log_in_aibot().await,
                }?;
                self.couriers.keep_login(self.courier_key(agent_id), &login);
                Ok(login)
            });
            login.await.cloned()
        })
    }

    /// What a courier to it is made of, as far as that can differ within a process.
    pub(super) fn courier_key(&self, agent_id: Option<i64>) -> String {
        let settings = &self.settings;
        let credential = settings.credential(self.channel).map_or("", SecretSource::origin);
        format!(
            "{} {} {} {credential}\n{}\n{}",
            self.channel,
            self.agent_id(agent_id).unwrap_or_default(),
            settings.at_most_once,
            settings.profile.as_deref().unwrap_or_default(),
            settings.corp_id.as_ref().map_or("", |corp_id| &corp_id.value),
        )
    }

    async fn log_in_app(&self, agent_id: Option<i64>) -> Result<Login> {
        let settings = &self.settings;
        let (Some(corp_id), Some(source)) = (&settings.corp_id, &settings.secret) else {
            return Err(settings.missing(&settings.lacking_for_app(false)));
        };
        let secret = self.load(source).await?;
        let agent_id = self.agent_id(agent_id);
        let credential_info =
            CredentialInfo { place: source.place(), length: secret.len(), agent_id, corp_id: self.corp_id_info() };
        // A chat needs no agent_id, and its id is in use once in a corp: its messages are counted together, with it or without.
        let identity = match self.channel.facts().addressing {
            Addressing::Chat => fingerprint::of_chats(&corp_id.value),
            Addressing::Recipients | Addressing::Credential | Addressing::Conversation => {
                of_app(&corp_id.value, agent_id)
            }
        };
        let key = LoginKey::App(AppCredentials { corp_id: corp_id.value.clone(), agent_id, secret });
        Ok(Login { base_url: settings.base_url_or_default(), credential_info, identity, key })
    }

    /// What reports may tell of the corp id.
    pub(crate) fn corp_id_info(&self) -> Option<CorpIdInfo> {
        let corp_id = self.settings.corp_id.as_ref()?;
        Some(CorpIdInfo { place: corp_id.origin.clone(), length: corp_id.value.chars().count() })
    }

    async fn log_in_webhook(&self) -> Result<Login> {
        let source = self.settings.webhook.as_ref().ok_or_else(|| self.settings.missing(&["webhook"]))?;
        let text = self.load(source).await?;
        let webhook = self.parse_webhook(&text, source)?;
        let credential_info =
            CredentialInfo { place: source.place(), length: webhook.key.len(), agent_id: None, corp_id: None };
        Ok(Login {
            base_url: self.settings.webhook_base_url(&webhook),
            credential_info,
            identity: fingerprint::of_webhook(&webhook.key),
            key: LoginKey::Webhook(webhook.key),
        })
    }

    async fn log_in_aibot(&self) -> Result<Login> {
        let settings = &self.settings;
        let (Some(bot_id), Some(source)) = (&settings.aibot_id, &settings.aibot_secret) else {
            return Err(settings.missing(&settings.lacking_for_aibot()));
        };
        let base_url = settings.aibot_base_url()?;
        let secret = self.load(source).await?;
        let credential_info =
            CredentialInfo { place: source.place(), length: secret.len(), agent_id: None, corp_id: None };
        let identity = fingerprint::of_aibot(&bot_id.value);
        Ok(Login { base_url, credential_info, identity, key: LoginKey::Aibot { bot_id: bot_id.value.clone(), secret } })
    }

    /// The agent that its calls name.
    pub(crate) fn agent_id(&self, of_payload: Option<i64>) -> Option<i64> {
        let own = self.settings.agent_id.as_ref().map(|agent| agent.value).or(of_payload);
        match self.channel.facts().credential {
            CredentialKind::AppToken => own,
            CredentialKind::WebhookKey | CredentialKind::Aibot => None,
        }
    }

    /// The webhook, where the settings themselves hold it, not a file or command.
    pub(crate) fn webhook_at_hand(&self) -> Result<Option<Webhook>> {
        let source = match self.channel.facts().credential {
            CredentialKind::AppToken | CredentialKind::Aibot => None,
            CredentialKind::WebhookKey => self.settings.webhook.as_ref(),
        };
        let at_hand = source.and_then(|source| Some((source.at_hand()?, source)));
        at_hand.map(|(text, source)| self.parse_webhook(text, source)).transpose()
    }

    fn parse_webhook(&self, text: &Secret, source: &SecretSource) -> Result<Webhook> {
        let webhook = Webhook::parse(text, source.origin())?;
        self.mask.add(&webhook.key);
        Ok(webhook)
    }

    /// The fingerprint of the target: of app and agent, or of the webhook's key. It tells targets apart where no profile
    /// names them.
    ///
    /// Group chats need no agent_id, and without one the apps of a corp look alike. The secret would tell them apart, but
    /// with a new secret no alert that waits would be sent any more. A chat takes nothing of another app: WeCom answers
    /// 86008, and the alert waits on.
    pub(crate) async fn identity(&self, agent_id: Option<i64>) -> Result<String> {
        Ok(match self.channel.facts().credential {
            CredentialKind::AppToken => {
                let corp_id = self.settings.corp_id.as_ref().map_or("", |corp_id| &corp_id.value);
                of_app(corp_id, self.agent_id(agent_id))
            }
            CredentialKind::WebhookKey => self.log_in(None).await?.identity,
            // Its secret may be a new one.
            CredentialKind::Aibot => {
                fingerprint::of_aibot(self.settings.aibot_id.as_ref().map_or("", |bot_id| &bot_id.value))
            }
        })
    }

    /// Whether its credentials are those of the environment, rather than of the profile.
    pub(crate) fn is_by_environment(&self) -> bool {
        self.settings.credential(self.channel).map(SecretSource::precedence) == Some(Precedence::Environment)
    }

    /// What several machines share, where its settings name it.
    pub(crate) fn shared_state(&self) -> Option<&SharedState> {
        self.shared_state.as_ref()
    }

    /// A broken rule is an error, or a warning with `no_validate`.
    pub(super) fn refuse(&mut self, error: Error) -> Result<()> {
        if !self.settings.no_validate {
            return Err(error);
        }
        self.warnings.push(error.message().to_owned());
        Ok(())
    }

    /// What only decorates does not keep an alert back: it goes without that, and a warning says so. In a dry run, whose
    /// reader can correct it, it is an error.
    pub(super) fn leave_out(&mut self, error: Error, instead: &str) -> Result<()> {
        if self.settings.dry_run {
            return Err(error);
        }
        self.warnings.push(format!("{error}: {instead}"));
        Ok(())
    }

    /// The keys of the callback of this channel, an app's or an aibot's (document path 90930). A dry run reads only what is at
    /// hand: `None` where that is not all.
    ///
    /// # Errors
    ///
    /// Exit 3 where one is not set, cannot be read, or is none.
    pub(crate) async fn callback_keys(&self) -> Result<Option<CallbackKeys>> {
        let settings = &self.settings;
        let is_aibot = matches!(self.channel.facts().credential, CredentialKind::Aibot);
        let (callback, name, receive_id) = if is_aibot {
            // Of a bot of one's own corp it is empty (document path 101033).
            (&settings.aibot_callback, "aibot_callback", "")
        } else {
            let corp_id = settings.corp_id.as_ref().ok_or_else(|| settings.missing(&["corp_id"]))?;
            (&settings.callback, "callback", corp_id.value.as_str())
        };
        let (Some(token), Some(aes_key)) = (&callback.token, &callback.aes_key) else {
            let lacks = if callback.token.is_none() { "token" } else { "aes_key" };
            return Err(Error::config(
                format!("{name}_{lacks} is not set"),
                format!("set {name}_{lacks}_file to a file with it: it stands under 接收消息 in the console"),
            ));
        };
        if settings.dry_run && (token.at_hand().is_none() || aes_key.at_hand().is_none()) {
            return Ok(None);
        }
        let (token, aes_key) = (self.load(token).await?, self.load(aes_key).await?);
        CallbackKeys::new(&token, &aes_key, receive_id).map(Some)
    }

    /// Reads a credential, off the event loop, until the deadline: its source may be a command.
    async fn load(&self, source: &SecretSource) -> Result<Secret> {
        let limit = self.deadline.saturating_duration_since(Instant::now());
        let secret = if source.at_hand().is_some() {
            source.load(limit)?
        } else {
            let source = source.clone();
            let origin = source.origin().to_owned();
            let loading = off_loop(move || source.load(limit));
            // A command is stopped at its limit; a file may be a pipe without a writer.
            let patience = limit + Duration::from_millis(200);
            let loaded = tokio::time::timeout(patience, loading).await.map_err(|_| {
                Error::config(
                    format!("{origin} did not give the credential before the deadline"),
                    "check the pipe or the command that gives it",
                )
            })?;
            loaded??
        };
        self.mask.add(&secret);
        Ok(secret)
    }
}

fn of_app(corp_id: &str, agent_id: Option<i64>) -> String {
    fingerprint::of_app(corp_id, agent_id.unwrap_or_default())
}

/// The folder of state that is kept between runs, where these settings name one.
pub(super) fn state_of(settings: &Settings) -> Option<Folder> {
    settings.state_dir.as_ref().map(Folder::shared_if_made_so)
}

pub(super) fn require_state_of(settings: &Settings) -> Result<Folder> {
    state_of(settings).ok_or_else(|| {
        Error::config(
            "no state folder (for the outbox, questions and cards) is known, since HOME is not set",
            "set WECOM_ALERT_STATE_DIR to a folder",
        )
    })
}
