//! What the settings are made of: config file, profile, permissions, credentials.

use wecom_alert::config::{BaseUrl, SecretSource, Webhook, who_may_read};
use wecom_alert::error::{Error, Result};
use wecom_alert::message::Route;

use super::sheet::Sheet;
use crate::cli::session::{AppLogin, Session, WebhookLogin};

/// The credentials that could be read.
#[derive(Default)]
pub(super) struct Logins {
    pub(super) app: Option<AppLogin>,
    pub(super) webhook: Option<WebhookLogin>,
    /// Where the webhook's API is, for a dry run, which reads no credential that is not at hand.
    base_url_of_webhook: Option<BaseUrl>,
}

impl Logins {
    /// Where the API of that route is, as far as the credential had to be read for it.
    pub(super) fn base_url_of(&self, route: Route) -> Option<BaseUrl> {
        self.base_url_of_webhook.clone().filter(|_| route == Route::Webhook)
    }
}

/// Looks at where the settings come from.
pub(super) fn look(session: &mut Session<'_>, sheet: &mut Sheet) {
    let (config, settings) = (session.config, &session.settings);
    sheet.ok("config", config.about_file());
    sheet.ok("profile", config.about_profile(settings.profile.as_deref()));
    let of_config = config.who_may_read_file().map(|who| format!("the config file can be read by {who}"));
    let sources = [&settings.secret, &settings.webhook].into_iter().flatten();
    let files = sources.filter_map(SecretSource::file);
    let of_files = files.filter_map(|path| Some(format!("{} by {}", path.display(), who_may_read(path)?)));
    let readers: Vec<String> = of_config.into_iter().chain(of_files).collect();
    match config.exposure() {
        Some(exposure) => {
            // It stands in the table: to say it twice would be once too often.
            session.warnings.retain(|warning| *warning != exposure.to_string());
            sheet.warn("permissions", exposure.what, exposure.advice);
        }
        None if readers.is_empty() => sheet.skip("permissions", "nothing of the settings stands in a file"),
        None => sheet.ok("permissions", readers.join(", ")),
    }
}

/// Reads the credentials of these routes. A dry run takes only what is at hand.
pub(super) async fn log_in(session: &Session<'_>, routes: &[Route], sheet: &mut Sheet) -> Logins {
    let mut logins = Logins::default();
    if routes.is_empty() {
        lack(session, "credentials", &session.settings.missing_credentials(), sheet);
    }
    if routes.contains(&Route::App) {
        let settings = &session.settings;
        if !settings.lacking_for_app(false).is_empty() {
            lack(session, "app_credentials", &settings.missing(&settings.lacking_for_app(true)), sheet);
        } else if settings.dry_run {
            sheet.ok("app_credentials", about_app(session, None));
        } else {
            match session.app_login(None).await {
                Ok(login) => {
                    sheet.ok("app_credentials", about_app(session, Some(login.provenance.length)));
                    logins.app = Some(login);
                }
                Err(error) => sheet.fail("app_credentials", &error),
            }
        }
    }
    if routes.contains(&Route::Webhook) {
        match webhook_login(session).await {
            Ok(Some((webhook, login))) => {
                look_at_key(&webhook, session, sheet);
                logins.base_url_of_webhook = Some(session.settings.webhook_base_url(&webhook));
                logins.webhook = login;
            }
            Ok(None) => sheet.skip("webhook_key", "a dry run reads no file for it and runs no command"),
            Err(error) if session.settings.webhook.is_none() => lack(session, "webhook_key", &error, sheet),
            Err(error) => sheet.fail("webhook_key", &error),
        }
    }
    logins
}

/// Says what is missing. A dry run does without.
fn lack(session: &Session<'_>, name: &'static str, error: &Error, sheet: &mut Sheet) {
    if session.settings.dry_run {
        sheet.warn(name, error.message(), error.hint().unwrap_or_default());
    } else {
        sheet.fail(name, error);
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

/// The webhook, and what is needed to send to it; nothing where a dry run would have to read it first.
async fn webhook_login(session: &Session<'_>) -> Result<Option<(Webhook, Option<WebhookLogin>)>> {
    if !session.settings.dry_run {
        let login = session.webhook_login().await?;
        return Ok(Some((login.webhook.clone(), Some(login))));
    }
    let source = session.settings.webhook.as_ref().ok_or_else(|| session.settings.missing(&["webhook"]))?;
    let Some(text) = source.at_hand() else { return Ok(None) };
    let webhook = Webhook::parse(text, source.origin())?;
    session.mask.add(&webhook.key);
    Ok(Some((webhook, None)))
}

/// The shape of a key is never a reason to refuse it, but a good clue.
fn look_at_key(webhook: &Webhook, session: &Session<'_>, sheet: &mut Sheet) {
    let origin = session.settings.webhook.as_ref().map_or("", SecretSource::origin);
    let from = format!("from {origin}, {} bytes long", webhook.key.len());
    if looks_like_a_key(webhook.key.expose()) {
        return sheet.ok("webhook_key", format!("{from}, of the usual shape"));
    }
    let hint =
        "compare it with what stands after key= in the webhook URL that the group shows (消息推送), up to the next &";
    sheet.warn("webhook_key", format!("{from}, not of the usual shape (8-4-4-4-12 hexadecimal digits)"), hint);
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
