//! A first config file: what `config init` asked for, as TOML and files with secrets beside it. Pure.

use serde_json::json;

use super::choice::Language;
use super::parse::parse_agent_id;
use super::webhook_key::Webhook;
use crate::error::{Error, Result};
use crate::message::recipients;
use crate::sanitize::unwrapped;
use crate::secret::{Secret, secret_in_place_of_id};

/// What is known of the first profile.
pub struct Starter {
    profile: String,
    webhook: Option<Secret>,
    app: StarterApp,
    aibot: StarterAibot,
    language: Option<String>,
}

/// The app of the first profile, value by value.
#[derive(Default)]
struct StarterApp {
    corp_id: String,
    agent_id: i64,
    secret: Option<Secret>,
    to_user: Vec<String>,
}

/// The aibot of the first profile, value by value.
#[derive(Default)]
struct StarterAibot {
    bot_id: String,
    secret: Option<Secret>,
    users: Vec<String>,
}

impl Starter {
    /// A file for a profile of this name; its name is part of the names of files.
    ///
    /// # Errors
    ///
    /// Exit 2 for a name that is no plain word.
    pub fn new(profile: &str) -> Result<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if profile.is_empty() || !profile.chars().all(is_plain) {
            return Err(Error::usage(
                "the name of the profile is not a plain word",
                "write it of letters, digits, - and _, as in: -P ops",
            ));
        }
        Ok(Self {
            profile: profile.to_owned(),
            webhook: None,
            app: StarterApp::default(),
            aibot: StarterAibot::default(),
            language: None,
        })
    }

    /// Adds the language of the program's own words: `en` or `zh`.
    ///
    /// # Errors
    ///
    /// Exit 3 for any other one.
    pub fn language(&mut self, name: &str) -> Result<()> {
        Language::parse(name)?;
        self.language = Some(name.to_owned());
        Ok(())
    }

    /// Adds a webhook, by its key or URL.
    ///
    /// # Errors
    ///
    /// Exit 3 for what is neither, or belongs to another product.
    pub fn webhook(&mut self, text: &str) -> Result<()> {
        let webhook = Secret::new(text.trim());
        Webhook::parse(&webhook, "the webhook")?;
        self.webhook = Some(webhook);
        Ok(())
    }

    /// Sets the corp of the app.
    ///
    /// # Errors
    ///
    /// Exit 3 for what is not one word, or cannot be a corp id, such as a Secret.
    pub fn corp_id(&mut self, text: &str) -> Result<()> {
        let word = one_word(text, "corp id")?;
        let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_plain || word.bytes().all(|byte| byte.is_ascii_digit()) || secret_in_place_of_id(word).is_some() {
            return Err(Error::config(
                "that is no corp id",
                "a corp id has 18 characters and begins with ww; is this the Secret? Copy it from 我的企业 → 企业信息 → 企业ID",
            ));
        }
        self.app.corp_id = word.to_owned();
        Ok(())
    }

    /// Sets the id of the app.
    ///
    /// # Errors
    ///
    /// Exit 3 for what is not a positive number.
    pub fn agent_id(&mut self, text: &str) -> Result<()> {
        self.app.agent_id = parse_agent_id(unwrapped(text))?;
        Ok(())
    }

    /// Sets the secret of the app: with it, the file has an app.
    ///
    /// # Errors
    ///
    /// Exit 3 for what is not one word, or is a corp id or an agent id.
    pub fn secret(&mut self, text: &str) -> Result<()> {
        let word = one_word(text, "secret")?;
        if word == self.app.corp_id || looks_like_corp_id(word) || word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::config(
                "that is an id, not the Secret",
                "the Secret has 43 characters: copy it from 应用管理 → the app → Secret",
            ));
        }
        self.app.secret = Some(Secret::new(word));
        Ok(())
    }

    /// Sets who gets the app's messages by default, divided by commas; nobody if it is empty.
    pub fn to_user(&mut self, text: &str) {
        self.app.to_user = ids(text);
    }

    /// Sets the BotID of the aibot.
    ///
    /// # Errors
    ///
    /// Exit 3 for what is not one word.
    pub fn aibot_id(&mut self, text: &str) -> Result<()> {
        self.aibot.bot_id = one_word(text, "BotID")?.to_owned();
        Ok(())
    }

    /// Sets the secret of the aibot: with it, the file has an aibot.
    ///
    /// # Errors
    ///
    /// Exit 3 for what is not one word, or is the BotID.
    pub fn aibot_secret(&mut self, text: &str) -> Result<()> {
        let word = one_word(text, "secret")?;
        if word == self.aibot.bot_id {
            return Err(Error::config(
                "that is the BotID, not the Secret",
                "copy the Secret from 管理后台 → 智能机器人 → the bot → API 模式 → 长连接",
            ));
        }
        self.aibot.secret = Some(Secret::new(word));
        Ok(())
    }

    /// Sets who gets the aibot's messages by default, divided by commas; nobody if it is empty.
    pub fn aibot_user(&mut self, text: &str) {
        self.aibot.users = ids(text);
    }

    /// The config file.
    pub fn config_file(&self) -> String {
        let mut file =
            "# Written by wecom-alert config init; wecom-alert config example shows every setting.\n".to_owned();
        let profile = &self.profile;
        file.push_str(&format!("default_profile = \"{profile}\"\n"));
        if let Some(language) = &self.language {
            file.push_str(&format!("language = \"{language}\"\n"));
        }
        file.push_str(&format!("\n[profiles.{profile}]\n"));
        if self.webhook.is_some() {
            file.push_str(&format!("webhook_file = {}\n", json!(self.file_of("webhook"))));
        }
        if let app @ StarterApp { secret: Some(_), .. } = &self.app {
            // A JSON string is a TOML string.
            file.push_str(&format!("corp_id = {}\n", json!(app.corp_id)));
            file.push_str(&format!("agent_id = {}\n", app.agent_id));
            file.push_str(&format!("secret_file = {}\n", json!(self.file_of("secret"))));
            if !app.to_user.is_empty() {
                file.push_str(&format!("to_user = {}\n", json!(app.to_user)));
            }
        }
        if let aibot @ StarterAibot { secret: Some(_), .. } = &self.aibot {
            file.push_str(&format!("aibot_id = {}\n", json!(aibot.bot_id)));
            file.push_str(&format!("aibot_secret_file = {}\n", json!(self.file_of("aibot-secret"))));
            if !aibot.users.is_empty() {
                file.push_str(&format!("aibot_user = {}\n", json!(aibot.users)));
            }
        }
        file
    }

    /// The files beside it, each with its secret.
    pub fn secret_files(&self) -> Vec<(String, &Secret)> {
        let webhook = self.webhook.as_ref().map(|webhook| (self.file_of("webhook"), webhook));
        let secret = self.app.secret.as_ref().map(|secret| (self.file_of("secret"), secret));
        let aibot = self.aibot.secret.as_ref().map(|secret| (self.file_of("aibot-secret"), secret));
        webhook.into_iter().chain(secret).chain(aibot).collect()
    }

    /// The names that these files can have.
    pub fn possible_secret_files(&self) -> [String; 3] {
        ["webhook", "secret", "aibot-secret"].map(|what| self.file_of(what))
    }

    fn file_of(&self, what: &str) -> String {
        format!("{}.{what}", self.profile)
    }
}

/// The ids that are divided by commas.
fn ids(text: &str) -> Vec<String> {
    recipients::ids(text).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// Whether it has the usual shape: `ww`, `wx` or the like, and 16 hexadecimal digits.
fn looks_like_corp_id(word: &str) -> bool {
    let digits = word.strip_prefix('w').and_then(|rest| rest.strip_prefix(|c: char| c.is_ascii_lowercase()));
    digits.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn one_word<'a>(text: &'a str, what: &str) -> Result<&'a str> {
    let text = unwrapped(text);
    let is_word = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let refused =
        || Error::config(format!("the {what} is empty or has blanks in it"), "copy it again from the admin console");
    is_word.then_some(text).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_both() {
        let mut starter = Starter::new("main").unwrap();
        starter.webhook(" key-1 ").unwrap();
        starter.language("zh").unwrap();
        starter.corp_id("ww0000").unwrap();
        starter.agent_id(" 1000002 ").unwrap();
        starter.secret("test-secret").unwrap();
        starter.to_user("zhangsan, lisi");
        let expected = "default_profile = \"main\"\nlanguage = \"zh\"\n\n[profiles.main]\nwebhook_file = \"main.webhook\"\ncorp_id = \"ww0000\"\n\
                        agent_id = 1000002\nsecret_file = \"main.secret\"\nto_user = [\"zhangsan\",\"lisi\"]\n";
        assert!(starter.config_file().ends_with(expected), "{}", starter.config_file());
        let files: Vec<_> =
            starter.secret_files().iter().map(|(name, secret)| (name.clone(), secret.expose().to_owned())).collect();
        assert_eq!(
            files,
            [("main.webhook", "key-1"), ("main.secret", "test-secret")]
                .map(|(name, secret)| (name.to_owned(), secret.to_owned()))
        );
    }

    #[test]
    fn what_cannot_be_right_is_refused() {
        let mut starter = Starter::new("main").unwrap();
        assert!(starter.webhook("https://oapi.dingtalk.com/robot/send?access_token=x").is_err());
        assert!(starter.webhook("").is_err() && starter.language("fr").is_err());
        assert!(Starter::new("a/b").is_err() && Starter::new("").is_err());
        for text in ["", "a b"] {
            assert!(starter.corp_id(text).is_err() && starter.secret(text).is_err(), "{text}");
        }
        // Swapped, or one in the other's place.
        for text in
            ["test-secret-0000000000000000000000000000001", "1000002", "企业", "000000000000000000000000000000000"]
        {
            assert!(starter.corp_id(text).is_err(), "{text}");
        }
        for text in ["ww0000000000000000", "wx0000000000000000", "1000002"] {
            assert!(starter.secret(text).is_err(), "{text}");
        }
        for text in ["", "x", "0", "-1", "告警"] {
            assert!(starter.agent_id(text).is_err(), "{text}");
        }
        assert!(starter.secret_files().is_empty());
    }
}
