//! Mentions of group members, in the way that the message type allows: lists in text, `<@userid>` in markdown, and for
//! all other types a short text after the message (document path 99110).

use serde_json::{Value, json};

use crate::channel::{Addressing, MsgType};
use crate::config::{MentionFallback, Setting};
use crate::error::{Error, Result};
use crate::message::app::AppText;
use crate::message::person::{PersonKind, mobile_number, seeming_person};
use crate::message::recipients::{ALL, ids, nearly_all, userid_problem};
use crate::message::{Part, body_of};

use super::draft::Draft;
use super::target::Target;

/// Whom a message mentions, by each of the three ways.
#[derive(Default)]
pub(super) struct Mentions {
    /// In the lists of the text itself.
    listed: People,
    /// In the markdown of the first part, after its text; empty for nobody.
    pub(super) inline: String,
    /// By a short text after the message.
    behind: People,
}

/// Members and mobile numbers, `@all` among them.
#[derive(Default)]
struct People {
    users: Vec<String>,
    mobiles: Vec<String>,
}

impl Mentions {
    /// The mentions of options and settings, by the way that the draft's type has. Those of settings are not added to a
    /// payload, which has its own.
    pub(super) fn of(draft: &Draft, target: &mut Target) -> Result<Self> {
        let mut mentions = Self::default();
        let settings = &target.settings;
        let is_by_option = settings.is_option(Setting::Mention) || settings.is_option(Setting::MentionMobile);
        if !target.channel.facts().mentions
            && is_by_option
            && target.channel.facts().addressing == Addressing::Conversation
        {
            let noun = target.channel.facts().noun;
            target.warnings.push(format!("{noun} cannot mention anybody: left out; name who gets it with -u"));
        }
        if !target.channel.facts().mentions || draft.is_payload() && !is_by_option {
            return Ok(mentions);
        }
        let mut people = People {
            users: usable(Setting::Mention, target, |id| {
                userid_problem(id).filter(|_| id != ALL).map(|problem| format!("a userid {problem}"))
            })?,
            mobiles: usable(Setting::MentionMobile, target, |number| {
                number.contains(char::is_whitespace).then(|| "it is not a phone number".to_owned())
            })?,
        };
        let facts = target.channel.facts();
        if !facts.mobile_mentions && !people.mobiles.is_empty() {
            people.mobiles.clear();
            let noun = facts.noun;
            if target.settings.mention_fallback == MentionFallback::Fail {
                return Err(Error::usage(
                    format!("{noun} cannot mention mobile numbers"),
                    "give the member's userid with --mention: get-userid --mobile prints it",
                ));
            }
            target.warnings.push(format!("{noun} cannot mention mobile numbers: left out; --mention takes userids"));
        }
        // WeCom mentions nobody then, and does not say so.
        let number = people.users.iter().find(|id| seeming_person(id) == Some(PersonKind::Mobile));
        if let Some(number) = number.filter(|_| !target.settings.no_validate) {
            let instead = if facts.mobile_mentions {
                "--mention-mobile takes it"
            } else {
                "get-userid --mobile prints the userid"
            };
            target
                .warnings
                .push(format!("--mention {number}: this looks like a mobile number, not a userid: {instead}"));
        }
        let (mut what, mut whom) = (format!("a message of type {}", draft.msgtype.as_str()), "anybody");
        match draft.msgtype {
            // The short text is then the message, before the files.
            _ if draft.is_wordless() => return Ok(Self { behind: people, ..mentions }),
            _ if draft.is_payload() => {
                "a payload".clone_into(&mut what);
                mentions.behind = people;
            }
            MsgType::Text => mentions.listed = people,
            MsgType::Markdown => {
                whom = "@all and mobile numbers";
                let (all, members): (Vec<_>, Vec<_>) = people.users.into_iter().partition(|user| user == ALL);
                if !members.is_empty() {
                    check_members(&members, target)?;
                    let calls: Vec<_> = members.iter().map(|member| format!("<@{member}>")).collect();
                    mentions.inline = format!("\n\n{}", calls.join(" "));
                }
                mentions.behind = People { users: all, mobiles: people.mobiles };
            }
            _ => mentions.behind = people,
        }
        if mentions.behind.is_empty() {
            return Ok(mentions);
        }
        match target.settings.mention_fallback {
            MentionFallback::Text => {}
            MentionFallback::Ignore => {
                target.warnings.push(format!("{what} cannot mention {whom}: left out"));
                mentions.behind = People::default();
            }
            MentionFallback::Fail => {
                return Err(Error::usage(
                    format!("{what} cannot mention {whom}"),
                    "send it with -t text, or let a short text after it mention them: --mention-fallback text",
                ));
            }
        }
        Ok(mentions)
    }

    /// Adds the lists to the first part, and a text after all parts, whose content `short_text` gives.
    pub(super) fn add_to(&self, parts: &mut Vec<Part>, short_text: impl FnOnce() -> String) {
        if let Some(text) = parts.first_mut().and_then(|part| part.fields_mut().get_mut(MsgType::Text.as_str())) {
            self.listed.put(text);
        }
        if !self.behind.is_empty() {
            let mut body = body_of(MsgType::Text, &AppText { content: short_text() });
            self.behind.put(&mut body[MsgType::Text.as_str()]);
            parts.push(Part::message(body));
        }
    }
}

impl People {
    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.mobiles.is_empty()
    }

    /// Adds them to the fields of a text.
    fn put(&self, text: &mut Value) {
        for (field, list) in [("mentioned_list", &self.users), ("mentioned_mobile_list", &self.mobiles)] {
            if !list.is_empty() {
                text[field] = json!(list);
            }
        }
    }
}

/// Checks the userids that markdown mentions: it shows invalid ones as plain text, and nobody is notified.
fn check_members(members: &[String], target: &mut Target) -> Result<()> {
    target.warnings.extend(members.iter().filter_map(|member| Some(format!("--mention: {}", nearly_all(member)?))));
    let problem = members.iter().find_map(|member| Some((member, userid_problem(member)?)));
    let Some((member, problem)) = problem else { return Ok(()) };
    target.refuse(Error::usage(
        format!("--mention {member:?}: a userid {problem}"),
        "give the member's id (账号 in the admin console), not the name",
    ))
}

/// The userid in `@zhangsan`, as people write a mention. Words of other chats for everybody are no member: they are told as
/// they were written.
fn userid(written: &str) -> String {
    let id = written.trim_start_matches(['@', '＠']);
    let is_other = written == ALL || ["", "everyone", "here", "channel"].contains(&id.to_lowercase().as_str());
    if is_other { written.to_owned() } else { id.to_owned() }
}

/// The ids that a setting gives, one each: a value may hold several. A wrong one is left out, unless WeCom is to decide.
fn usable(setting: Setting, target: &mut Target, problem: impl Fn(&str) -> Option<String>) -> Result<Vec<String>> {
    let settings = &target.settings;
    let given = if setting == Setting::Mention { &settings.mention } else { &settings.mention_mobile };
    let list = given.iter().flat_map(|value| ids(value)).filter(|id| !id.is_empty());
    if settings.no_validate {
        return Ok(list.map(str::to_owned).collect());
    }
    let list: Vec<_> = match setting {
        Setting::Mention => list.map(userid).collect(),
        _ => list.map(|number| mobile_number(number).unwrap_or_else(|| number.to_owned())).collect(),
    };
    let (good, bad): (Vec<_>, Vec<_>) = list.into_iter().partition(|id| problem(id).is_none());
    for id in bad {
        let option = setting.row().option;
        let wrong = Error::usage(
            format!("{option} {id:?}: {}", problem(&id).unwrap_or_default()),
            "give the member's id (账号 in the admin console), not the name; a mobile number has no blanks",
        );
        target.leave_out(wrong, "nobody is mentioned for it")?;
    }
    Ok(good)
}
