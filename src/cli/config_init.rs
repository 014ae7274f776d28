//! `config init`: asks for what a first config file needs, and writes it. Answers are lines of stdin; on a terminal, secrets are not
//! shown while they are typed.

use std::ffi::OsStr;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use wecom_alert::config::{Environment, Overrides, Setting, Starter, config_file_to_make, report_settings};
use wecom_alert::error::{Error, Result, Signal, Status};
use wecom_alert::store::write_new;

use super::keyboard::{Keyboard, Line};
use super::output;

/// Asks, and writes the files where the other commands look for them. Returns the name of the profile.
pub(crate) fn config_init(overrides: &Overrides, environment: &Environment) -> Result<String> {
    if overrides.has(Setting::DryRun) {
        return Err(Error::usage("config init has no dry run", "it never writes over a file that is there"));
    }
    let path = config_file_to_make(overrides, environment)?;
    let how = report_settings(overrides, environment);
    let profile = how.profile.as_deref().unwrap_or("main");
    let mut starter = Starter::new(profile)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let secret_files = starter.possible_secret_files().map(|name| folder.join(name));
    refuse_existing(&path, &secret_files, environment)?;
    let mut questions = Questions { keyboard: Keyboard::open(), is_terminal: io::stdin().is_terminal() };
    questions.say(&format!("This writes {}, and files with secrets beside it.", path.display()));
    questions.ask_all(&mut starter, how.language.as_str())?;
    for (name, secret) in starter.secret_files() {
        write(&folder.join(name), &format!("{}\n", secret.expose()))?;
    }
    write(&path, &starter.config_file())?;
    let variables = environment.variables_before_file();
    if !variables.is_empty() {
        questions.say(&format!(
            "warning: these variables are set, and are used in place of what the file says until you unset them: {}",
            variables.join(", ")
        ));
    }
    questions.say("Written. This is what wecom-alert check says of it:");
    Ok(profile.to_owned())
}

fn write(path: &Path, text: &str) -> Result<()> {
    write_new(path, text.as_bytes()).map_err(|error| {
        Error::config(format!("{} cannot be written: {error}", path.display()), "name another place with --config FILE")
    })
}

/// Nothing is ever written over. This is looked at before the first question.
fn refuse_existing(config_file: &Path, secret_files: &[PathBuf], environment: &Environment) -> Result<()> {
    let exists = |path: &&Path| path.symlink_metadata().is_ok();
    let secret_files = secret_files.iter().map(PathBuf::as_path).filter(exists);
    let there: Vec<_> = Some(config_file).filter(exists).into_iter().chain(secret_files).collect();
    let Some(first) = there.first() else { return Ok(()) };
    let names = there.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let advice = if *first == config_file && environment.is_system_config(config_file) {
        // A new one would be for root alone, and not for the group that may read this one.
        "write a webhook or an app into it with an editor, or leave --config out for a file of your own".to_owned()
    } else if *first == config_file {
        let what = |path: &Path| match path.extension().and_then(OsStr::to_str) {
            Some("webhook") => format!("{} for the webhook, ", path.display()),
            Some("secret") => format!("{} for the Secret, ", path.display()),
            Some("aibot-secret") => format!("{} for the Secret of the aibot, ", path.display()),
            _ => format!("{} for corp_id and the rest, ", path.display()),
        };
        let edit: String = there.iter().map(|path| what(path)).collect();
        format!("edit {edit}or delete {names} and start again, or name another file with --config FILE")
    } else {
        format!("delete {names} and start again, or choose another profile name with -P NAME")
    };
    Err(Error::config(format!("{} is there already, and is not written over", first.display()), advice))
}

/// What is asked, in order.
struct Questions {
    keyboard: Keyboard,
    is_terminal: bool,
}

impl Questions {
    fn ask_all(&mut self, starter: &mut Starter, language: &str) -> Result<()> {
        let question = "Send by 1 webhook (消息推送), 2 app (应用), 3 both or 4 aibot (智能机器人) [webhook]";
        let (webhook, app, aibot) =
            self.until_right(question, false, |answer| match answer.to_ascii_lowercase().as_str() {
                "" | "1" | "webhook" | "w" | "群机器人" | "机器人" | "消息推送" | "群" => {
                    Ok((true, false, false))
                }
                "2" | "app" | "a" | "应用" | "自建应用" => Ok((false, true, false)),
                "3" | "both" | "b" | "两者" | "都要" => Ok((true, true, false)),
                "4" | "aibot" | "智能机器人" => Ok((false, false, true)),
                _ => Err(Error::usage("that is none of the four", "answer webhook, app, both or aibot")),
            })?;
        if webhook {
            self.until_right("URL or key of the webhook, from the group's 消息推送", true, |answer| {
                starter.webhook(answer)
            })?;
        }
        if app {
            self.ask_for_app(starter)?;
        }
        if aibot {
            self.ask_for_aibot(starter)?;
        }
        self.until_right(&format!("Language of messages and manual, en or zh [{language}]"), false, |answer| {
            starter.language(if answer.is_empty() { language } else { answer })
        })
    }

    fn ask_for_app(&mut self, starter: &mut Starter) -> Result<()> {
        self.until_right("Corp id (我的企业 → 企业信息 → 企业ID)", false, |answer| {
            starter.corp_id(answer)
        })?;
        self.until_right("Agent id (应用管理 → the app → AgentId)", false, |answer| starter.agent_id(answer))?;
        self.until_right("Secret of the app", true, |answer| starter.secret(answer))?;
        starter.to_user(&self.ask("Userids who get the alerts by default, or @all [nobody]", false)?);
        Ok(())
    }

    fn ask_for_aibot(&mut self, starter: &mut Starter) -> Result<()> {
        let question = "BotID (管理后台 → 智能机器人 → the bot → API 模式 → 长连接)";
        self.until_right(question, false, |answer| starter.aibot_id(answer))?;
        self.until_right("Secret of the aibot", true, |answer| starter.aibot_secret(answer))?;
        starter.aibot_user(&self.ask("Userids who get the messages by default [nobody]", false)?);
        Ok(())
    }

    /// Asks until the answer is right; what does not come from a terminal is asked for once.
    fn until_right<T>(
        &mut self,
        question: &str,
        is_secret: bool,
        mut read: impl FnMut(&str) -> Result<T>,
    ) -> Result<T> {
        loop {
            match read(&self.ask(question, is_secret)?) {
                Ok(read) => return Ok(read),
                Err(error) => self.complain(error)?,
            }
        }
    }

    fn complain(&self, error: Error) -> Result<()> {
        if !self.is_terminal {
            return Err(error.with_status(Status::Usage));
        }
        self.say(&format!("{}: {}", error.message(), error.hint().unwrap_or_default()));
        Ok(())
    }

    fn ask(&mut self, question: &str, is_secret: bool) -> Result<String> {
        match self.keyboard.line(question, is_secret) {
            Line::Typed(line) => Ok(line.trim().to_owned()),
            Line::Ended => Err(Error::usage(
                format!("the input ended before the answer to: {}", question),
                "answer each question on a line; nothing was written",
            )),
            Line::Interrupted => {
                Err(Error::new(Status::Interrupted(Signal::Interrupt), "stopped; nothing was written")
                    .with_hint("run it again"))
            }
        }
    }

    fn say(&self, text: &str) {
        let _ = output::to_stderr(format!("{text}\n").as_bytes());
    }
}
