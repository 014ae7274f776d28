//! What is looked at before the command of `run` runs: a wrong option is refused while somebody is there to correct it.
//! Files and profiles may come and go after the command line was written: what is wrong with them is a warning.
//!
//! No secret is read, nothing is sent or written. Mistakes in the config file and in variables never stop the command.

use crate::api::check_ca_file;
use crate::config::{Config, Environment, Overrides, ReportSettings, Setting, Settings, report_settings};
use crate::error::{Error, Result, Status};
use crate::event::Observer;
use crate::process::{CommandEnd, CommandReport};
use crate::secret::Mask;
use crate::send::{self, AlertFields, Session, channel_for_alert};

use super::{FinishedCommand, RunRequest, job, left_out, with_words};

/// What is known before the command runs.
#[derive(Debug)]
pub struct Preview {
    /// What is wrong and does not stop the command, one sentence each.
    pub warnings: Vec<String>,
    /// How that is to be printed.
    pub how: ReportSettings,
}

/// Refuses options with which nobody could be told of a failure.
///
/// # Errors
///
/// Usage.
pub fn look_before(request: &RunRequest, overrides: &Overrides, env: &Environment, mask: &Mask) -> Result<Preview> {
    job(request)?;
    send::check_sources(&request.alert.input)?;
    let mut preview = Preview { warnings: Vec::new(), how: report_settings(overrides, env) };
    let Some(config) = Config::peek(overrides, env)? else { return Ok(preview) };
    // What fails without the options too is no mistake in them.
    let plain_overrides = overrides.only(&[Setting::Config, Setting::Profile]);
    let settings = match config.peek_settings() {
        Ok((settings, warnings)) => {
            preview.how = ReportSettings::from(&settings);
            preview.warnings = warnings;
            settings
        }
        Err(error) => {
            let plain = Config::peek(&plain_overrides, env)?.map(|config| config.peek_settings());
            if matches!(plain, Some(Ok(_))) {
                return Err(as_usage(error));
            }
            preview.warnings = config.take_mistakes();
            preview.warnings.push(reaches_nobody(&error));
            return Ok(preview);
        }
    };
    if let Some(Err(error)) = settings.ca_file.as_deref().map(check_ca_file) {
        preview.warnings.push(send::without_ca_file(&error));
    }
    let error = match imagine_failure(request, &config, settings, mask) {
        Ok(warnings) => {
            preview.warnings.extend(warnings);
            return Ok(preview);
        }
        Err(error) => error,
    };
    let mut plain = RunRequest { channel: None, ..request.clone() };
    plain.alert.alert = AlertFields::default();
    let Some(config) = Config::peek(&plain_overrides, env)? else { return Ok(preview) };
    let imagined = config.peek_settings().and_then(|(settings, warnings)| {
        let exposure = config.exposure().map(|exposure| exposure.to_string());
        if warnings.iter().any(|warning| Some(warning) != exposure.as_ref()) {
            // The channel may lack what a mistyped key or variable was to give it.
            plain.channel = request.channel;
        }
        imagine_failure(&plain, &config, settings, mask)
    });
    if imagined.is_ok() {
        return Err(as_usage(error));
    }
    preview.warnings.push(reaches_nobody(&error));
    Ok(preview)
}

fn as_usage(error: Error) -> Error {
    error.with_status(Status::Usage)
}

fn reaches_nobody(error: &Error) -> String {
    format!("{error}: the command runs, but nobody would be told of its failure")
}

/// Makes the alert of a failure, without its files, which the command may still write. Returns what it would lack.
fn imagine_failure(request: &RunRequest, config: &Config<'_>, settings: Settings, mask: &Mask) -> Result<Vec<String>> {
    let mut session = Session::new(config, (settings, Vec::new()), mask.clone(), Observer::new(|_| {}));
    let channel = channel_for_alert(&session.settings, request.channel)?;
    let target = session.own_target(channel);
    target.require_credentials(None)?;
    let finished = FinishedCommand::new(request, CommandReport::without_output(CommandEnd::Exit(1)));
    let mut alert = request.alert.clone();
    alert.channel = channel;
    alert.input.attach.clear();
    alert.input.filename.clear();
    let alert = with_words(&session, alert, &finished, None);
    send::rehearse(&mut session, &alert)?;
    let own = target.check_credential_file().err().map(|error| reaches_nobody(&error));
    let recipients = send::missing_recipients(target).unwrap_or_else(|error| vec![reaches_nobody(&error)]);
    let unread = left_out(&session, channel);
    Ok(own.into_iter().chain(recipients).chain(send::missing_targets(&session)).chain(unread).collect())
}
