//! Whom a message to a group calls, and how its type can do that: lists in text, `<@userid>` in markdown, and for all
//! else a short text behind it (document path 99110).

use serde_json::json;

use crate::channel::{Channel, MsgType};
use crate::config::{MentionFallback, Settings};
use crate::error::{Error, Result};
use crate::message::recipients::{ALL, userid_problem};
use crate::message::{Part, body_of};

use super::draft::{Draft, Material};

/// Members and mobile numbers, `@all` among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    users: Vec<String>,
    mobiles: Vec<String>,
}

/// Mentions as a message of one type makes them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// In the lists of the text itself.
    listed: Mentions,
    /// Behind the text of the first part, with what keeps it apart; empty for nobody.
    pub(super) inline: String,
    /// By a short text behind the message.
    behind: Mentions,
}

impl Mentions {
    /// Those whom this draft is to call. A payload says itself whom it calls, unless options do.
    pub(super) fn of(draft: &Draft, channel: Channel, settings: &Settings) -> Result<Self> {
        let is_settings_alone = matches!(draft.material, Material::Payload(_)) && !draft.given.mentions;
        if !channel.facts().mentions || is_settings_alone {
            return Ok(Self::default());
        }
        Ok(Self {
            users: read("--mention", &settings.mention)?,
            mobiles: read("--mention-mobile", &settings.mention_mobile)?,
        })
    }

    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.mobiles.is_empty()
    }

    /// Decides how this message calls them.
    pub(super) fn settle(self, draft: &Draft, settings: &Settings, warnings: &mut Vec<String>) -> Result<Settled> {
        let mut settled = Settled::default();
        if draft.is_wordless() {
            // A short text before the files is the message.
            settled.behind = self;
            return Ok(settled);
        }
        let is_markdown = !draft.is_payload() && draft.msgtype == MsgType::Markdown;
        match draft.msgtype {
            // What a payload says is not ours to edit.
            _ if draft.is_payload() => settled.behind = self,
            MsgType::Text => settled.listed = self,
            MsgType::Markdown => {
                let (all, members): (Vec<_>, Vec<_>) = self.users.into_iter().partition(|user| user == ALL);
                if !members.is_empty() {
                    check_members(&members, settings, warnings)?;
                    let calls: Vec<_> = members.iter().map(|member| format!("<@{member}>")).collect();
                    settled.inline = format!("\n\n{}", calls.join(" "));
                }
                settled.behind = Self { users: all, mobiles: self.mobiles };
            }
            _ => settled.behind = self,
        }
        if settled.behind.is_empty() {
            return Ok(settled);
        }
        let whom = if is_markdown { "@all and mobile numbers" } else { "anybody" };
        let what = if draft.is_payload() {
            "a payload".to_owned()
        } else {
            format!("a message of type {}", draft.msgtype.as_str())
        };
        match settings.mention_fallback {
            MentionFallback::Text => {}
            MentionFallback::Ignore => {
                warnings.push(format!("{what} cannot mention {whom}: left out"));
                settled.behind = Self::default();
            }
            MentionFallback::Fail => {
                return Err(Error::usage(
                    format!("{what} cannot mention {whom}"),
                    "send it with -t text, or let a short text behind it mention: --mention-fallback text",
                ));
            }
        }
        Ok(settled)
    }

    /// The fields of a text that calls them.
    fn put(&self, text: &mut serde_json::Value) {
        for (field, list) in [("mentioned_list", &self.users), ("mentioned_mobile_list", &self.mobiles)] {
            if !list.is_empty() {
                text[field] = json!(list);
            }
        }
    }
}

impl Settled {
    /// Calls them: in the first part, or by a text behind all of them, whose words `herald` gives.
    pub(super) fn call(&self, parts: &mut Vec<Part>, herald: impl FnOnce() -> String) {
        if let Some(text) = parts
            .first_mut()
            .and_then(|part| part.body.get_mut(MsgType::Text.as_str()))
            .filter(|_| !self.listed.is_empty())
        {
            self.listed.put(text);
        }
        if !self.behind.is_empty() {
            let mut text = json!({ "content": herald() });
            self.behind.put(&mut text);
            parts.push(Part::message(body_of(MsgType::Text, &text)));
        }
    }
}

/// Holds those whom markdown calls against the rules: it shows anything else as words, and calls nobody.
fn check_members(members: &[String], settings: &Settings, warnings: &mut Vec<String>) -> Result<()> {
    let problem = members.iter().find_map(|member| Some((member, userid_problem(member)?)));
    let Some((member, problem)) = problem else { return Ok(()) };
    let problem = format!("--mention {member:?}: a userid {problem}");
    if settings.no_validate {
        warnings.push(problem);
        return Ok(());
    }
    Err(Error::usage(problem, "give the member's id (账号 in the admin console), not the name; nothing was sent"))
}

/// Mentions as WeCom wants them: one item each, although people write them with commas too.
fn read(option: &str, given: &[String]) -> Result<Vec<String>> {
    let mut list = Vec::new();
    for id in given.iter().flat_map(|value| value.split([',', '|'])).map(str::trim) {
        if id.is_empty() {
            return Err(Error::usage(format!("{option} is empty"), "give a member's id, a mobile number, or @all"));
        }
        list.push(id.to_owned());
    }
    Ok(list)
}
