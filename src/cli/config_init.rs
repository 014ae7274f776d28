//! `config init`: asks for what a first config file needs, and writes it. Answers are lines of stdin; on a terminal, secrets are not
//! shown while they are typed.

use std::io::{self, IsTerminal};
use std::path::Path;

use wecom_alert::config::{Environment, Overrides, Setting, Starter, config_file_to_make, report_settings};
use wecom_alert::error::{Error, Result, Signal, Status};
use wecom_alert::store::write_new;

use super::keyboard::{Keyboard, Line};
use super::output;

/// Asks, and writes the files where the other commands look for them.
pub(crate) fn config_init(overrides: &Overrides, environment: &Environment) -> Result<()> {
    if overrides.has(Setting::DryRun) {
        return Err(Error::usage("config init has no dry run", "it never writes over a file that is there"));
    }
    let path = config_file_to_make(overrides, environment)?;
    refuse_existing(&path)?;
    let how = report_settings(overrides, environment);
    let mut starter = Starter::new(how.profile.as_deref().unwrap_or("main"))?;
    let mut questions = Questions { keyboard: Keyboard::open(), is_terminal: io::stdin().is_terminal() };
    questions.say(&format!("This writes {}, and files with secrets beside it.", path.display()));
    questions.ask_all(&mut starter, how.language.as_str())?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let secrets = starter.secret_files();
    secrets.iter().try_for_each(|(name, _)| refuse_existing(&folder.join(name)))?;
    for (name, secret) in secrets {
        write(&folder.join(name), &format!("{}\n", secret.expose()))?;
    }
    write(&path, &starter.config_file())?;
    questions.say("Written. This is what wecom-alert check says of it:");
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    write_new(path, text.as_bytes()).map_err(|error| {
        Error::config(format!("{} cannot be written: {error}", path.display()), "name another place with --config FILE")
    })
}

/// Nothing is ever written over.
fn refuse_existing(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Error::config(
        format!("{} is there already, and is not written over", path.display()),
        "edit it (wecom-alert config example shows every setting; wecom-alert check looks at it), or name another file with \
         --config FILE",
    ))
}

/// What is asked, in order.
struct Questions {
    keyboard: Keyboard,
    is_terminal: bool,
}

impl Questions {
    fn ask_all(&mut self, starter: &mut Starter, language: &str) -> Result<()> {
        let (webhook, app) =
            self.until_right("Send by 1 webhook (群机器人), 2 app (应用) or 3 both [webhook]", false, |answer| {
                match answer.to_ascii_lowercase().as_str() {
                    "" | "1" | "webhook" | "w" | "群机器人" | "机器人" | "消息推送" | "群" => {
                        Ok((true, false))
                    }
                    "2" | "app" | "a" | "应用" | "自建应用" => Ok((false, true)),
                    "3" | "both" | "b" | "两者" | "都要" => Ok((true, true)),
                    _ => Err(Error::usage("that is not webhook, app or both", "answer webhook, app or both")),
                }
            })?;
        if webhook {
            self.until_right("URL or key of the webhook, from the group's 消息推送", true, |answer| {
                starter.webhook(answer)
            })?;
        }
        if app {
            self.ask_for_app(starter)?;
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
