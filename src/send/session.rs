//! What all targets of one command share: config, warnings, deadline (the timeout of the whole command), mask,
//! observer, couriers.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use crate::blocking::off_loop;
use crate::channel::Channel;
use crate::ci;
use crate::config::{Config, Settings, TargetName};
use crate::delivery::{Accounts, Courier};
use crate::error::{Error, Result, Status};
use crate::event::Observer;
use crate::secret::{Mask, secret_in_place_of_id};
use crate::shared_state::SharedState;
use crate::store::Folder;

use super::choose_channel::{only_channel, several_channels};
use super::couriers::Couriers;
use super::request::Request;
use super::target::{Target, require_state_of, state_of};
use crate::api::Trust;

/// The state that all targets of one command share.
pub struct Session<'c> {
    /// For the settings of further targets.
    pub config: &'c Config<'c>,
    /// Those of the command's own target.
    pub settings: Box<Settings>,
    /// The channel of that target, once it is known.
    pub channel: Option<Channel>,
    /// One sentence each, for the report.
    pub warnings: Vec<String>,
    /// Masks secrets in all that is reported.
    pub mask: Mask,
    /// Receives events: attempts, uploads, caches that cannot be used.
    pub observer: Observer,
    /// What was sent so far, to all targets.
    pub accounts: Accounts,
    /// What the log file records of the message, once it has been read.
    pub logged: Option<LoggedMessage>,
    /// Those that have delivered: for what waits in the outbox and for other alerts, so that they use the connection, the
    /// credential and the trusted certificates that are there already.
    pub(crate) couriers: Couriers,
    /// The CA file that counts no more.
    unusable_ca_file: Option<PathBuf>,
    deadline: Instant,
}

/// What a log may record of a message, whose text may be confidential.
#[derive(Debug, Clone)]
pub struct LoggedMessage {
    /// Its message type.
    pub msgtype: String,
    /// The length of the text or payload in bytes, and its SHA-256; `None` for a message without either.
    pub text: Option<(usize, String)>,
}

impl<'c> Session<'c> {
    /// A run with the settings that [`Config::resolve`] gave, and its warnings.
    pub fn new(
        config: &'c Config<'c>,
        (settings, warnings): (Settings, Vec<String>),
        mask: Mask,
        observer: Observer,
    ) -> Self {
        let deadline = Instant::now() + settings.deadline;
        mask_long_id(&settings, &mask);
        Self {
            config,
            settings: Box::new(settings),
            channel: None,
            warnings,
            mask,
            observer,
            accounts: Accounts::default(),
            logged: None,
            couriers: Couriers::default(),
            unusable_ca_file: None,
            deadline,
        }
    }

    /// A session for one of many alerts that a process sends. Its settings, deadline, warnings and accounts are its own, and
    /// `config` is that of its settings; couriers, certificates, mask and observer are shared with this one. What
    /// [`Couriers::share_among_many`] says is to be kept for all alerts is kept for it too.
    pub(crate) fn for_alert<'l>(&self, config: &'l Config<'l>, resolved: (Settings, Vec<String>)) -> Session<'l> {
        let own = Session::new(config, resolved, self.mask.clone(), self.observer.clone());
        Session { couriers: self.couriers.clone(), unusable_ca_file: self.unusable_ca_file.clone(), ..own }
    }

    /// Reads the trusted certificates now; a CA file that cannot be used counts no more, and a warning says so.
    pub(crate) async fn leave_out_unusable_ca_file(&mut self) {
        if self.settings.ca_file.is_some()
            && let Err(error) = self.couriers.trust(&self.settings.ca_file).read_first_roots(self.deadline).await
            && error.status() == Status::Config
        {
            self.warnings.push(without_ca_file(&error));
            self.unusable_ca_file = self.settings.ca_file.take();
        }
    }

    /// The command's own target, on this channel.
    pub(crate) fn own_target(&self, channel: Channel) -> Target {
        self.target(Settings::clone(&self.settings), channel)
    }

    /// A target of this command. The deadline, the outbox, the state folder and the language are those of the
    /// command.
    pub(crate) fn target(&self, mut settings: Settings, channel: Channel) -> Target {
        settings.outbox = self.settings.outbox;
        settings.state_dir.clone_from(&self.settings.state_dir);
        if self.unusable_ca_file.is_some() && settings.ca_file == self.unusable_ca_file {
            settings.ca_file = None;
        }
        mask_long_id(&settings, &self.mask);
        // An alert is in one language, wherever it goes.
        settings.language = self.settings.language;
        let trust = self.couriers.trust(&settings.ca_file);
        let shared_state = self.shared_state_of(&settings, &trust);
        Target {
            channel,
            warnings: Vec::new(),
            lost: Vec::new(),
            people: Vec::new(),
            has_open_recipients: false,
            level: None,
            tells_of_command: false,
            deadline: self.deadline,
            trust,
            shared_state,
            mask: self.mask.clone(),
            observer: self.observer.clone(),
            login: OnceCell::new(),
            couriers: self.couriers.clone(),
            settings: Box::new(settings),
        }
    }

    /// A courier to the command's own target, whose warnings the session takes.
    pub(crate) async fn own_courier(&mut self, mut target: Target) -> Result<Box<Courier>> {
        let courier = target.courier(None).await;
        self.warnings.append(&mut target.warnings);
        courier
    }

    /// A courier of the profile's app, for questions about members that may take so long; `None` where it has no app.
    pub(crate) async fn app_courier(&self, limit: Duration) -> Option<Box<Courier>> {
        if !self.settings.lacking_for_app(false).is_empty() {
            return None;
        }
        let mut target = self.own_target(Channel::Chat);
        target.deadline = Instant::now() + limit;
        target.courier(None).await.ok()
    }

    /// A further target by its name; errors name `origin`, the option or entry that names the target.
    pub(crate) fn further_target(&self, name: &TargetName, origin: &str) -> Result<Target> {
        let settings = self.config.resolve_target(name, origin)?;
        let channel = match name.channel {
            Some(channel) => channel,
            None => only_channel(&settings).map_err(|several| no_channel(name, origin, &several))?,
        };
        Ok(Target { warnings: self.config.take_mistakes(), ..self.target(settings, channel) })
    }

    /// The channel of a further target, as far as its name and its settings say.
    pub(crate) fn channel_of(&self, name: &TargetName) -> Option<Channel> {
        name.channel.or_else(|| only_channel(&self.config.resolve_target(name, "").ok()?).ok())
    }

    /// Starts the clock: the input has been read.
    pub fn start_clock(&mut self) {
        self.deadline = Instant::now() + self.settings.deadline;
    }

    /// When the command must end.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What several machines share, where a setting names it.
    pub(crate) fn shared_state(&self) -> Option<SharedState> {
        self.shared_state_of(&self.settings, &self.couriers.trust(&self.settings.ca_file))
    }

    /// What these settings share with other machines. Nobody is asked yet.
    fn shared_state_of(&self, settings: &Settings, trust: &Trust) -> Option<SharedState> {
        let source = settings.shared_state.as_ref()?;
        let make = || SharedState::new(source.clone(), trust.clone(), self.state(), self.mask.clone());
        Some(self.couriers.shared_state(source.origin(), &settings.ca_file, make))
    }

    /// What is to be told of the shared state, one sentence each; once.
    pub fn shared_state_warnings(&self) -> Vec<String> {
        self.couriers.shared_state_warnings()
    }

    /// The folder of what is kept between runs, where one is known.
    pub(crate) fn state(&self) -> Option<Folder> {
        state_of(&self.settings)
    }

    /// The same, or exit 3 where none is known.
    pub(crate) fn require_state(&self) -> Result<Folder> {
        require_state_of(&self.settings)
    }

    /// The CI run that this is a part of, if that is asked for. Outside of any it is a warning.
    pub(crate) fn ci_context(&mut self, request: &Request) -> Result<Option<ci::CiContext>> {
        let Some(wanted) = request.alert.ci.as_deref() else { return Ok(None) };
        if let Some(text) = request.input.text.as_deref().and_then(OsStr::to_str)
            && ci::is_name(text)
        {
            self.warnings
                .push(format!("{text} is sent as the text: the name of a CI system follows =, as in --ci={text}"));
        }
        let now = crate::clock::now_ms() / 1000;
        let context = match ci::context(wanted, request.own.is_some(), |name| self.config.variable(name), now) {
            Err(error) if !self.settings.dry_run => {
                self.warnings.push(format!("{error}: nothing is added"));
                return Ok(None);
            }
            context => context?,
        };
        if context.is_none() {
            self.warnings.push("--ci: no known CI system was found: nothing is added".to_owned());
        }
        Ok(context)
    }

    /// The name of the CI job whose command this tells of, if that is asked for and known.
    pub(crate) fn ci_job(&self, request: &Request) -> Option<String> {
        let wanted = request.alert.ci.as_deref()?;
        let context = ci::context(wanted, true, |name| self.config.variable(name), 0).ok()??;
        context.job().map(str::to_owned)
    }

    /// Reads the input for the command's own target, off the event loop: a pipe may stay open for long, and a signal must
    /// still be handled. The clock of the deadline starts when that is done.
    pub(crate) async fn read_input<T: Send + 'static>(
        &mut self,
        channel: Channel,
        work: impl FnOnce(&mut Target) -> Result<T> + Send + 'static,
    ) -> Result<(Target, T)> {
        self.read_input_if(channel, false, work).await
    }

    /// The same, but of what `is_at_hand` nothing has to be read: it is done here and now.
    pub(super) async fn read_input_if<T: Send + 'static>(
        &mut self,
        channel: Channel,
        is_at_hand: bool,
        work: impl FnOnce(&mut Target) -> Result<T> + Send + 'static,
    ) -> Result<(Target, T)> {
        self.channel = Some(channel);
        let mut target = self.own_target(channel);
        let reading = move || {
            let result = work(&mut target);
            (target, result)
        };
        let (mut target, result) = if is_at_hand { reading() } else { off_loop(reading).await? };
        self.warnings.append(&mut target.warnings);
        self.start_clock();
        target.deadline = self.deadline;
        Ok((target, result?))
    }
}

/// A Secret may stand in the place of the corp id.
fn mask_long_id(settings: &Settings, mask: &Mask) {
    let corp_id = settings.corp_id.as_ref().and_then(|corp_id| secret_in_place_of_id(&corp_id.value));
    corp_id.iter().for_each(|secret| mask.add(secret));
}

/// The warning where the CA file is left out.
pub(crate) fn without_ca_file(error: &Error) -> String {
    format!("{error}: only the system's certificates are used")
}

fn no_channel(name: &TargetName, origin: &str, several: &[Channel]) -> Error {
    let profile = &name.profile;
    if !several.is_empty() {
        let has = format!("{origin}: profile {profile} has");
        return several_channels(several, &has, "say which", &format!("{profile}:")).with_status(Status::Config);
    }
    Error::config(
        format!("{origin}: profile {profile} has no app and no webhook"),
        format!("set corp_id, agent_id and secret_file, or webhook_file, in profile {profile}"),
    )
}
