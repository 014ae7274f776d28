//! What the settings are made of: config file, profile, permissions, credentials.

use crate::channel::{Channel, CredentialKind};
use crate::config::{SecretSource, who_may_read};
use crate::error::Error;
use crate::secret::Secret;
use crate::send::Session;

use super::CheckedTarget;
use super::report::CheckReport;

/// Looks at where the settings come from.
pub(super) fn look(session: &mut Session<'_>, report: &mut CheckReport) {
    let (config, settings) = (session.config, &session.settings);
    report.ok("config", config.about_file());
    report.ok("profile", config.about_profile(settings.profile.as_deref()));
    let of_config = config.who_may_read_file().map(|who| format!("the config file can be read by {who}"));
    let sources = [&settings.secret, &settings.webhook].into_iter().flatten();
    let files = sources.filter_map(SecretSource::file);
    let of_files = files.filter_map(|path| Some(format!("{} by {}", path.display(), who_may_read(path)?)));
    let readers: Vec<String> = of_config.into_iter().chain(of_files).collect();
    match config.exposure() {
        Some(exposure) => {
            // It stands in the table: to say it twice would be once too often.
            session.warnings.retain(|warning| *warning != exposure.to_string());
            report.warn("permissions", exposure.what, exposure.advice);
        }
        None if readers.is_empty() => report.skip("permissions", "nothing of the settings stands in a file"),
        None => report.ok("permissions", readers.join(", ")),
    }
}

/// Reads the credentials of these channels. A dry run takes only what is at hand.
pub(super) async fn log_in(
    session: &Session<'_>,
    channels: &[Channel],
    report: &mut CheckReport,
) -> Vec<CheckedTarget> {
    if channels.is_empty() {
        lack(session, "credentials", &session.settings.missing_credentials(), report);
    }
    let mut targets = Vec::new();
    for channel in channels {
        let mut checked = CheckedTarget::new(session, *channel);
        match channel.facts().credential {
            CredentialKind::AppToken => log_in_app(&mut checked, session, report).await,
            CredentialKind::WebhookKey => log_in_webhook(&mut checked, session, report).await,
        }
        targets.push(checked);
    }
    targets
}

async fn log_in_app(checked: &mut CheckedTarget, session: &Session<'_>, report: &mut CheckReport) {
    let settings = &session.settings;
    if !settings.lacking_for_app(false).is_empty() {
        lack(session, "app_credentials", &settings.missing(&settings.lacking_for_app(true)), report);
    } else if settings.dry_run {
        report.ok("app_credentials", about_app(session, None));
    } else {
        match checked.target.log_in(None).await {
            Ok(login) => {
                report.ok("app_credentials", about_app(session, Some(login.credential_info.length)));
                checked.login = Some(login);
            }
            Err(error) => report.fail("app_credentials", &error),
        }
    }
}

async fn log_in_webhook(checked: &mut CheckedTarget, session: &Session<'_>, report: &mut CheckReport) {
    let settings = &session.settings;
    if settings.webhook.is_none() {
        return lack(session, "webhook_key", &settings.missing(&["webhook"]), report);
    }
    if settings.dry_run {
        return match checked.target.webhook_at_hand() {
            Ok(Some(webhook)) => {
                look_at_key(&webhook.key, session, report);
                checked.base_url = settings.webhook_base_url(&webhook);
            }
            Ok(None) => report.skip("webhook_key", "a dry run reads no file for it and runs no command"),
            Err(error) => report.fail("webhook_key", &error),
        };
    }
    match checked.target.log_in(None).await {
        Ok(login) => {
            login.webhook_key().into_iter().for_each(|key| look_at_key(key, session, report));
            checked.login = Some(login);
        }
        Err(error) => report.fail("webhook_key", &error),
    }
}

/// Says what is missing. A dry run does without.
fn lack(session: &Session<'_>, name: &'static str, error: &Error, report: &mut CheckReport) {
    if session.settings.dry_run {
        report.warn(name, error.message(), error.hint().unwrap_or_default());
    } else {
        report.fail(name, error);
    }
}

fn about_app(session: &Session<'_>, length: Option<usize>) -> String {
    let settings = &session.settings;
    let corp_id = settings.corp_id.as_ref().map(|id| format!("corp_id {} from {}", id.value, id.origin));
    let agent_id = settings.agent_id.as_ref().map(|id| format!("agent_id {} from {}", id.value, id.origin));
    let length = length.map(|length| format!(", {length} bytes long")).unwrap_or_default();
    let secret = settings.secret.as_ref().map(|source| format!("secret from {}{length}", source.origin()));
    [corp_id, agent_id, secret].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The shape of a key is never a reason to refuse it, but a good clue.
fn look_at_key(key: &Secret, session: &Session<'_>, report: &mut CheckReport) {
    let origin = session.settings.webhook.as_ref().map_or("", SecretSource::origin);
    let from = format!("from {origin}, {} bytes long", key.len());
    if looks_like_a_key(key.expose()) {
        return report.ok("webhook_key", format!("{from}, of the usual shape"));
    }
    let hint =
        "compare it with what stands after key= in the webhook URL that the group shows (消息推送), up to the next &";
    report.warn("webhook_key", format!("{from}, not of the usual shape (8-4-4-4-12 hexadecimal digits)"), hint);
}

/// Whether it is a UUID.
fn looks_like_a_key(key: &str) -> bool {
    let groups: Vec<&str> = key.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_shape() {
        assert!(looks_like_a_key("00000000-0000-4000-8000-00000000000a"));
        assert!(looks_like_a_key("ABCDEF00-0000-4000-8000-00000000000A"));
        for key in ["", "test-key-1", "00000000-0000-4000-8000-00000000000", "00000000-0000-4000-8000-00000000000g"] {
            assert!(!looks_like_a_key(key), "{key}");
        }
        assert!(!looks_like_a_key("000000000-000-4000-8000-000000000001"));
    }
}
