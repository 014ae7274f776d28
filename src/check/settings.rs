//! `check` of the settings: config file, profile, permissions, credentials.

use crate::channel::{Addressing, Channel, CredentialKind};
use crate::config::{BaseUrl, Exposure, Language, SecretSource, Settings, exposed_secret, who_may_read};
use crate::error::Error;
use crate::sanitize::first_items;
use crate::secret::Secret;
use crate::send::{Session, Target, conversations_of};

use super::CheckedTarget;
use super::report::CheckReport;

/// How many conversations of an aibot are shown.
const SHOWN_CONVERSATIONS: usize = 4;

/// Looks at where the settings come from.
pub(super) fn look(session: &mut Session<'_>, report: &mut CheckReport) {
    let (config, settings) = (session.config, &session.settings);
    report.ok("config", config.about_file());
    report.ok("profile", config.about_profile(settings.profile.as_deref()));
    if !settings.language_is_set {
        // Cron and services have no locale.
        let reason = match settings.language {
            Language::English => "not set: messages are in English; set language to zh for Chinese",
            Language::Chinese => {
                "not set: messages are in Chinese by the locale, but in English under cron and systemd; set language to zh"
            }
        };
        report.skip("language", reason);
    }
    let of_config = config.who_may_read_file().map(|who| format!("the config file can be read by {who}"));
    let files: Vec<_> = settings.secret_sources().filter_map(SecretSource::file).collect();
    let of_files = files.iter().filter_map(|path| Some(format!("{} by {}", path.display(), who_may_read(path)?)));
    let readers: Vec<String> = of_config.into_iter().chain(of_files).collect();
    let of_config = config.exposure();
    if let Some(exposure) = &of_config {
        // It is in the table already.
        session.warnings.retain(|warning| *warning != exposure.to_string());
    }
    let exposures: Vec<_> = of_config.into_iter().chain(files.into_iter().filter_map(exposed_secret)).collect();
    let is_exposed = !exposures.is_empty();
    for Exposure { what, advice } in exposures {
        report.warn("permissions", what, advice);
    }
    if !is_exposed && readers.is_empty() {
        report.skip("permissions", "no setting comes from a file");
    } else if !is_exposed {
        report.ok("permissions", readers.join(", "));
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
        let mut checked = CheckedTarget {
            target: session.own_target(*channel),
            login: None,
            base_url: base_url(&session.settings, *channel),
            courier: None,
            blocked: Some(name_of_credential(*channel)),
        };
        log_in_to(&mut checked, session, report).await;
        targets.push(checked);
    }
    targets
}

/// Where the API of a channel is, as far as no credential says it.
fn base_url(settings: &Settings, channel: Channel) -> BaseUrl {
    match channel.facts().credential {
        CredentialKind::AppToken | CredentialKind::WebhookKey => settings.base_url_or_default(),
        // Where it is not known, the credentials are told to be of no use.
        CredentialKind::Aibot => settings.aibot_base_url().unwrap_or_default(),
    }
}

/// What the credentials of that channel are called in the table.
fn name_of_credential(channel: Channel) -> &'static str {
    match channel.facts().credential {
        CredentialKind::AppToken => "app_credentials",
        CredentialKind::WebhookKey => "webhook_key",
        CredentialKind::Aibot => "aibot_credentials",
    }
}

async fn log_in_to(checked: &mut CheckedTarget, session: &Session<'_>, report: &mut CheckReport) {
    let (settings, target) = (&session.settings, &checked.target);
    let name = name_of_credential(target.channel);
    let kind = target.channel.facts().credential;
    let lacking = match kind {
        // Without an agent_id the token can be looked at.
        CredentialKind::AppToken if settings.lacking_for_app(false).is_empty() => Vec::new(),
        CredentialKind::AppToken => {
            settings.lacking_for_app(target.channel.facts().addressing == Addressing::Recipients)
        }
        CredentialKind::WebhookKey if settings.webhook.is_none() => vec!["webhook"],
        CredentialKind::WebhookKey => Vec::new(),
        CredentialKind::Aibot => settings.lacking_for_aibot(),
    };
    if !lacking.is_empty() {
        lack(session, name, &settings.missing(&lacking), report);
    } else if settings.dry_run {
        match target.webhook_at_hand() {
            Ok(Some(webhook)) => {
                look_at_key(&webhook.key, session, report);
                checked.base_url = settings.webhook_base_url(&webhook);
            }
            Ok(None) if kind == CredentialKind::AppToken => look_at_app(target, None, report),
            Ok(None) if kind == CredentialKind::Aibot => look_at_aibot(target, None, report),
            Ok(None) => report.skip(name, "a dry run reads no file for it and runs no command"),
            Err(error) => report.fail(name, &error),
        }
    } else {
        match target.log_in(None).await {
            Ok(login) => {
                match login.webhook_key() {
                    Some(key) => look_at_key(key, session, report),
                    None if kind == CredentialKind::Aibot => {
                        look_at_aibot(target, Some(login.credential_info.length), report);
                    }
                    None => look_at_app(target, Some(login.credential_info.length), report),
                }
                checked.login = Some(login);
            }
            Err(error) => report.fail(name, &error),
        }
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

/// Says where the credentials of the app are from. A corp id is shown only if it can be one.
fn look_at_app(target: &Target, length: Option<usize>, report: &mut CheckReport) {
    let settings = &target.settings;
    let doubt = target.corp_id_info().and_then(|corp_id| corp_id.doubt());
    let corp_id = settings.corp_id.as_ref().map(|id| match doubt {
        None => format!("corp_id {} from {}", id.value, id.origin),
        Some(_) => format!("corp_id from {}", id.origin),
    });
    let place = |origin: &str| origin.split_once(' ').map(|(_, place)| place.to_owned());
    // Where both come from is said once.
    let is_same = settings.corp_id.as_ref().and_then(|id| place(&id.origin));
    let agent_id = settings.agent_id.as_ref().map(|id| match place(&id.origin) {
        Some(place) if Some(&place) == is_same.as_ref() => format!("agent_id {} from there", id.value),
        _ => format!("agent_id {} from {}", id.value, id.origin),
    });
    let length = length.map(|length| format!(" ({length} bytes)")).unwrap_or_default();
    let secret = settings.secret.as_ref().map(|source| format!("secret: {}{length}", source.place()));
    let detail = [corp_id, agent_id, secret].into_iter().flatten().collect::<Vec<_>>().join("; ");
    match doubt {
        None => report.ok("app_credentials", detail),
        Some(doubt) => report.warn("app_credentials", detail, doubt),
    }
}

/// Says where the credentials of the aibot are from, and that it is known where to connect.
fn look_at_aibot(target: &Target, length: Option<usize>, report: &mut CheckReport) {
    let settings = &target.settings;
    if let Err(error) = settings.aibot_base_url() {
        return report.fail("aibot_credentials", &error);
    }
    let length = length.map(|length| format!(" ({length} bytes)")).unwrap_or_default();
    let bot_id = settings.aibot_id.as_ref().map(|id| format!("aibot_id {} from {}", id.value, id.origin));
    let secret = settings.aibot_secret.as_ref().map(|source| format!("secret: {}{length}", source.place()));
    report.ok("aibot_credentials", [bot_id, secret].into_iter().flatten().collect::<Vec<_>>().join("; "));
    look_at_conversations(settings, report);
}

/// Says to whom its messages go.
fn look_at_conversations(settings: &Settings, report: &mut CheckReport) {
    let Some(to) = &settings.aibot_to else {
        return report.skip("aibot_recipients", "none are set: aibot-send must name them with -u or --chat");
    };
    match conversations_of(to) {
        Ok(conversations) => {
            report.ok("aibot_recipients", first_items(conversations.iter().map(|(_, id)| id), SHOWN_CONVERSATIONS))
        }
        Err(error) => report.fail("aibot_recipients", &error),
    }
}

/// A key of another shape is only a hint, never refused.
fn look_at_key(key: &Secret, session: &Session<'_>, report: &mut CheckReport) {
    let origin = session.settings.webhook.as_ref().map_or("", SecretSource::origin);
    let from = format!("from {origin}, {} bytes long", key.len());
    if looks_like_a_key(key.expose()) {
        return report.ok("webhook_key", format!("{from}, of the usual shape"));
    }
    let hint =
        "compare it with the part after key= in the webhook URL that the group shows (消息推送), up to the next &";
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
