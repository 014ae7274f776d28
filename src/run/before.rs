//! What is looked at before the command of `run` runs: a wrong option is refused while somebody is there to correct it.
//!
//! No secret is read, nothing is sent or written. Mistakes in the config file and in variables never stop the command.

use crate::config::{Config, Environment, Overrides, Setting, Settings};
use crate::error::{Error, Result, Status};
use crate::event::Observer;
use crate::process::{CommandEnd, CommandReport};
use crate::secret::Mask;
use crate::send::{self, AlertFields, Session};

use super::{FinishedCommand, RunRequest, channel, job, with_words};

/// Refuses options with which nobody could be told of a failure.
///
/// # Errors
///
/// Usage.
pub fn check_options(request: &RunRequest, overrides: &Overrides, env: &Environment, mask: &Mask) -> Result<()> {
    job(request)?;
    send::check_sources(&request.alert.input)?;
    let Some(config) = Config::peek(overrides, env)? else { return Ok(()) };
    // What fails without the options too is no mistake in them.
    let plain_overrides = overrides.only(&[Setting::Config, Setting::Profile]);
    let settings = match config.peek_settings() {
        Ok(settings) => settings,
        Err(error) => {
            let plain = Config::peek(&plain_overrides, env)?.map(|config| config.peek_settings());
            return if matches!(plain, Some(Ok(_))) { Err(as_usage(error)) } else { Ok(()) };
        }
    };
    if settings.is_option(Setting::CaFile)
        && let Some(path) = settings.ca_file.as_deref().filter(|path| !path.exists() || path.is_dir())
    {
        let message = format!("--ca-file: there is no file {}", path.display());
        return Err(Error::usage(message, "correct the path, or leave the option out"));
    }
    let Err(error) = imagine_failure(request, &config, settings, mask) else { return Ok(()) };
    let mut plain = RunRequest { channel: None, ..request.clone() };
    plain.alert.alert = AlertFields::default();
    let Some(config) = Config::peek(&plain_overrides, env)? else { return Ok(()) };
    let imagined = config.peek_settings().and_then(|settings| imagine_failure(&plain, &config, settings, mask));
    if imagined.is_ok() { Err(as_usage(error)) } else { Ok(()) }
}

fn as_usage(error: Error) -> Error {
    error.with_status(Status::Usage)
}

/// Makes the alert of a failure, without its files, which the command may still write.
fn imagine_failure(request: &RunRequest, config: &Config<'_>, settings: Settings, mask: &Mask) -> Result<()> {
    let mut session = Session::new(config, (settings, Vec::new()), mask.clone(), Observer::new(|_| {}));
    let channel = channel(&session.settings, request)?;
    session.own_target(channel).require_credentials(None)?;
    let finished = FinishedCommand::new(request, CommandReport::without_output(CommandEnd::Exit(1)));
    let mut alert = request.alert.clone();
    alert.channel = channel;
    alert.input.attach.clear();
    alert.input.filename.clear();
    let alert = with_words(&session, alert, &finished, None);
    send::rehearse(&mut session, &alert)
}
