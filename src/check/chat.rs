//! `check` of a group chat: whether the app is visible to the root department, and what WeCom knows of the chat.

use crate::api::APPCHAT_GET;
use crate::channel::{Addressing, Channel};
use crate::config::Settings;
use crate::delivery::{Courier, Purpose};
use crate::error::{Error, Status};

use super::report::CheckReport;

/// What is said of a group chat.
pub(super) const NAMES: [&str; 2] = ["chat_range", "chat"];

/// Whether a chat belongs to what is looked at: one is asked for, or the settings of the app have one.
pub(super) fn is_wanted(channel: Channel, settings: &Settings) -> bool {
    channel.facts().addressing == Addressing::Chat || settings.chat.is_some()
}

/// Asks WeCom for the chat. `sees_root` says whether the app is visible to the root department, where that is known.
pub(super) async fn look(
    courier: &mut Courier,
    settings: &Settings,
    sees_root: Option<bool>,
    report: &mut CheckReport,
) {
    match sees_root {
        Some(true) => report.ok(
            "chat_range",
            "visible to the root department, as group chats need: with its Secret one can write to everybody in the company",
        ),
        Some(false) => report.fail(
            "chat_range",
            &Error::new(Status::Auth, "the app is not visible to the root department, which group chats need").with_hint(
                "set 应用管理 → the app → 可见范围 to the root department; such an app can write to everybody: where one \
                 group is enough, use a webhook",
            ),
        ),
        None => report.skip(
            "chat_range",
            "not known: group chats need an app that is visible to the root department; agent_id lets check ask for that",
        ),
    }
    let Some(chat) = &settings.chat else {
        return report
            .skip("chat", "none is set: chat-send must name it with --chat; wecom-alert chat-create makes one");
    };
    let id = chat.value.as_str();
    match courier.ask(APPCHAT_GET, Purpose::Read, async |client, token| client.appchat_get(token, id).await).await {
        Ok(found) => {
            let name = if found.name.is_empty() { "without a name" } else { &found.name };
            report.ok("chat", format!("{id}: {name}, {} members", found.userlist.len()));
            report.answered(Some(found.answer));
        }
        Err(error) => report.fail("chat", &error),
    }
}
