//! Builds the hint for an error code: the text of the table, completed with what the caller and the answer tell.
//!
//! No secret is used here: of a credential only its place and its length.

use std::time::Duration;

use super::warns_of_wrong_json;
use super::{errmsg_text, is_gettoken, is_look_up, is_of_aibot, is_webhook_send, lookup, seen_ip};
use crate::error::Answer;
use crate::sanitize::{excerpt, one_line};
use crate::secret::LONGEST_ID;

/// The most characters that a hint quotes from text that is not ours.
const QUOTED_CHARS: usize = 200;

/// What to do where a look-up by number or mail found nobody.
pub(crate) const NOT_FOUND: &str = "correct it (通讯录 → the member), or add the member to the visible range: 应用管理 → the app → 可见范围; do not \
    guess: too many misses shut the look-up for a day";

/// Where a credential was read from and how long it is: all that may be said of it.
#[derive(Debug, Clone)]
pub(crate) struct CredentialInfo {
    /// For people: a file, a variable, an option, a command.
    pub(crate) place: String,
    /// In bytes.
    pub(crate) length: usize,
    /// The app's id, for a call that carries one.
    pub(crate) agent_id: Option<i64>,
    /// What is known of the corp id that goes with a secret.
    pub(crate) corp_id: Option<CorpIdInfo>,
}

/// Where a corp id was read from and how long it is. It may be a Secret in the wrong place.
#[derive(Debug, Clone)]
pub(crate) struct CorpIdInfo {
    /// For people.
    pub(crate) place: String,
    /// In characters.
    pub(crate) length: usize,
}

impl CorpIdInfo {
    /// What to ask where it is much longer than the 18 characters of a corp id.
    pub(crate) fn doubt(&self) -> Option<String> {
        let Self { place, length } = self;
        let is_long = *length > LONGEST_ID;
        is_long.then(|| {
            let question = "were corp_id and Secret swapped?";
            format!("corp_id has {length} characters: {question} It is from {}", quoted(place))
        })
    }
}

/// What a hint can say beyond the code. All of it may be absent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HintContext<'a> {
    /// The path of the call, such as `gettoken`, `message/send` or `/cgi-bin/webhook/send`, without its query; for an aibot
    /// its `cmd`, such as `aibot_send_msg`.
    pub(crate) endpoint: &'a str,
    /// What is known of the credential of this call: an app's secret, or a webhook's key.
    pub(crate) credential: Option<&'a CredentialInfo>,
    /// The period of a webhook's limit, where the user says that it is not a minute.
    pub(crate) period: Option<Duration>,
}

/// What to do next after this answer: one sentence without line breaks, for any `errmsg`.
///
/// It can quote up to 200 characters of `errmsg`, so known secrets are still to be masked in it.
pub(crate) fn hint_for(answer: &Answer, ctx: &HintContext<'_>) -> String {
    let code = answer.errcode;
    let Some(entry) = lookup(code) else {
        return format!("look error code {code} up at https://open.work.weixin.qq.com/devtool/query?e={code}");
    };
    let hint = entry.hint;
    match code {
        0 if warns_of_wrong_json(&answer.errmsg) => {
            "check the JSON type of every field of the payload (a number in place of text, for example) and that it is \
             UTF-8: WeCom could not read all of it, so the message may be missing; without --payload, please report this \
             as a defect of wecom-alert"
                .to_owned()
        }
        40001 | 40013 | 40014 | 40091 | 41001 | 42001 if ctx.endpoint.contains("webhook/") => {
            "check that the base URL leads to WeCom's own webhook call: a webhook has neither secret nor token".to_owned()
        }
        40001 | 40013 | 40091 if doubt_of_corp_id(ctx).is_some() => doubt_of_corp_id(ctx).unwrap_or_default(),
        40008 if is_of_aibot(ctx.endpoint) => {
            "use markdown, template_card, image, voice, video or file: an aibot has no plain text, without -t it sends \
             markdown; with --payload, correct the msgtype"
                .to_owned()
        }
        93006 if is_of_aibot(ctx.endpoint) => {
            "correct the id (capital letters count): of a member 账号 (通讯录 → the member), of a group the chatid that \
             the bot got when somebody wrote to it there"
                .to_owned()
        }
        40001 | 40091 | 41004 | 41024 | 853000 => match place_of(ctx) {
            Some(place) => format!("check the secret in {place}: {hint}; write the right one there"),
            None => hint.to_owned(),
        },
        40013 | 45031 => match (place_of(ctx), ctx.credential.and_then(|credential| credential.corp_id.as_ref())) {
            (Some(secret), Some(CorpIdInfo { place, .. })) => {
                format!("{hint}: look at {} and at the secret in {secret}", quoted(place))
            }
            (Some(secret), None) => format!("{hint}; the secret is in {secret}"),
            (None, _) => hint.to_owned(),
        },
        93000 | 93006 | 93019 => check_in_place(hint, "key", ctx),
        60020 | 301042 => trusted_ip(hint, &answer.errmsg),
        40058 if ctx.endpoint == "message/recall" => {
            "take the msgid from app-send as it is, and use the profile of the app that sent the message: no other app can recall it"
                .to_owned()
        }
        40035 | 40058 | 40063 | 40203 | 86220 => with_errmsg(hint, &answer.errmsg),
        40056 | 301002 => match ctx.credential.and_then(|credential| credential.agent_id) {
            Some(agent_id) => format!("{hint}; this call used agent_id {agent_id}"),
            None => hint.to_owned(),
        },
        45009 => frequency(hint, ctx).to_owned(),
        46004 if is_look_up(ctx.endpoint) => NOT_FOUND.to_owned(),
        48002 if ctx.endpoint.contains("appchat/") => {
            "set 应用管理 → the app → 可见范围 to the root department, which group chats need; the app can then write to everybody in \
             the company"
                .to_owned()
        }
        86203 | 86207 if ctx.endpoint.contains("appchat/update") => {
            "the owner must be a member: when you remove the owner, name a new one with --owner, and with --add if that one is not a member yet"
                .to_owned()
        }
        48002 if is_of_directory(ctx.endpoint) => {
            "use the secret of a self-built app (应用管理 → the app → Secret): this one may not read the directory".to_owned()
        }
        _ => hint.to_owned(),
    }
}

/// Whether the call reads departments, members or tags.
fn is_of_directory(endpoint: &str) -> bool {
    ["department/", "user/", "tag/"].iter().any(|group| endpoint.contains(group))
}

/// The hint with the place of the credential before it.
fn check_in_place(hint: &str, what: &str, ctx: &HintContext<'_>) -> String {
    place_of(ctx).map_or_else(|| hint.to_owned(), |place| format!("check the {what} in {place}: {hint}"))
}

fn place_of(ctx: &HintContext<'_>) -> Option<String> {
    ctx.credential.map(|CredentialInfo { place, length, .. }| format!("{} ({length} bytes)", quoted(place)))
}

fn doubt_of_corp_id(ctx: &HintContext<'_>) -> Option<String> {
    ctx.credential?.corp_id.as_ref()?.doubt()
}

fn trusted_ip(hint: &str, errmsg: &str) -> String {
    match seen_ip(errmsg) {
        Some(ip) => format!(
            "add {ip}, the address that WeCom saw, under 应用管理 → the app → 企业可信IP, then wait about a minute; or send \
             through a --proxy whose address is listed there"
        ),
        None => hint.to_owned(),
    }
}

fn with_errmsg(hint: &str, errmsg: &str) -> String {
    match quoted(errmsg_text(errmsg)) {
        said if said.is_empty() => hint.to_owned(),
        said => format!("{hint}; WeCom says: {said}"),
    }
}

fn frequency<'a>(hint: &'a str, ctx: &HintContext<'_>) -> &'a str {
    if is_gettoken(ctx.endpoint) {
        "make sure that corp_id and secret are right, then wait an hour: after many wrong secrets WeCom blocks this IP's \
         gettoken calls that long; keep the token cache on, since every gettoken call counts"
    } else if is_look_up(ctx.endpoint) {
        "correct the numbers and addresses that find nobody: after too many of them WeCom shuts the look-up for a day; userids \
         (-u) need no look-up"
    } else if is_of_aibot(ctx.endpoint) {
        "wait a minute: an aibot may send 30 messages a minute and 1000 an hour to one conversation, and make 30 uploads a \
         minute"
    } else if is_webhook_send(ctx.endpoint) && ctx.period.is_some() {
        "wait until the period of --rate is over: the webhook's limit is for everybody who uses its key together"
    } else if ctx.endpoint.contains("webhook/") {
        "wait 60 s: a webhook accepts 20 messages a minute from all who use its key together"
    } else {
        hint
    }
}

/// Text that is not ours, on one line, without control characters and short.
fn quoted(text: &str) -> String {
    excerpt(one_line(text).trim(), QUOTED_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = ", hint: [1700000000_1_abcdef], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=1";

    fn answer(errcode: i64, errmsg: &str) -> Answer {
        Answer { errcode, errmsg: errmsg.to_owned() }
    }

    fn hint(errcode: i64, errmsg: &str, endpoint: &str) -> String {
        let info = CredentialInfo {
            place: "WECOM_ALERT_SECRET".to_owned(),
            length: 43,
            agent_id: Some(1_000_002),
            corp_id: None,
        };
        hint_for(&answer(errcode, errmsg), &HintContext { endpoint, credential: Some(&info), ..HintContext::default() })
    }

    fn assert_has(hint: &str, wanted: &[&str]) {
        for part in wanted {
            assert!(hint.contains(part), "{part:?} is missing in {hint:?}");
        }
    }

    #[test]
    fn an_untrusted_ip_is_named() {
        let errmsg = format!("not allow to access from your ip{TAIL}");
        for code in [60020, 301_042] {
            assert_has(&hint(code, &errmsg, "message/send"), &["203.0.113.7", "企业可信IP", "a minute"]);
            assert_has(&hint(code, "not allow to access", "message/send"), &["企业可信IP", "a minute"]);
        }
    }

    #[test]
    fn a_bad_secret_names_its_place_and_length() {
        for code in [40001, 40013, 40091, 41004, 45031] {
            let said = hint(code, "invalid credential", "gettoken");
            assert!(said.contains(" in WECOM_ALERT_SECRET (43 bytes)"), "{said}");
        }
        assert_has(&hint(40001, "", "gettoken"), &["check the secret in WECOM_ALERT_SECRET"]);
        assert_has(&hint(40001, "", "gettoken"), &["应用管理 → the app → Secret", "我的企业 → 企业信息"]);
        assert_has(&hint(40013, "", "gettoken"), &["我的企业 → 企业信息 → 企业ID"]);
    }

    #[test]
    fn an_aibot_is_told_what_holds_for_aibots() {
        let said = hint(853_000, "invalid bot_id or secret", "aibot_subscribe");
        assert_has(&said, &["WECOM_ALERT_SECRET (43 bytes)", "智能机器人", "API 模式 → 长连接", "BotID"]);
        assert_has(&hint(40008, "", "aibot_send_msg"), &["markdown", "no plain text"]);
        assert_has(&hint(93006, "invalid chatid", "aibot_send_msg"), &["capital letters", "chatid"]);
        assert!(!hint(93006, "invalid chatid", "aibot_send_msg").contains("webhook"));
        assert_has(&hint(45009, "", "aibot_upload_media_init"), &["30 uploads a minute"]);
        assert_has(&hint(846_607, "", "aibot_send_msg"), &["30 messages a minute", "write to the bot there once"]);
    }

    #[test]
    fn an_unknown_place_is_left_out() {
        let bare = HintContext { endpoint: "gettoken", ..HintContext::default() };
        let said = hint_for(&answer(40001, ""), &bare);
        assert_eq!(Some(said.as_str()), lookup(40001).map(|entry| entry.hint));
        let info = CredentialInfo { place: "a\nb".to_owned(), length: 0, agent_id: None, corp_id: None };
        let said = hint_for(&answer(40001, ""), &HintContext { credential: Some(&info), ..bare });
        assert!(said.starts_with("check the secret in a b (0 bytes): "), "{said}");
    }

    #[test]
    fn a_bad_webhook_says_which_part_is_the_key() {
        let info =
            CredentialInfo { place: "WECOM_ALERT_WEBHOOK".to_owned(), length: 36, agent_id: None, corp_id: None };
        let ctx = HintContext { endpoint: "webhook/send", credential: Some(&info), ..HintContext::default() };
        let said = hint_for(&answer(93000, "invalid webhook url"), &ctx);
        assert_has(&said, &["what follows key=", "消息推送", "check the key in WECOM_ALERT_WEBHOOK (36 bytes)"]);
    }

    #[test]
    fn a_bad_parameter_repeats_what_wecom_named() {
        let said = hint(40058, &format!("markdown.content exceed max length 4096{TAIL}"), "webhook/send");
        assert!(said.ends_with("; WeCom says: markdown.content exceed max length 4096"), "{said}");
        assert!(!hint(40058, "", "webhook/send").contains("WeCom says"));
    }

    #[test]
    fn quoted_text_is_short_and_on_one_line() {
        let said = hint(40058, &format!("a\r\nb\u{1b}[31m\u{2028}{}", "漢".repeat(500)), "webhook/send");
        assert!(!said.contains(|c: char| c.is_control() || c == '\u{2028}'), "{said}");
        let quoted = said.split("WeCom says: ").nth(1).unwrap();
        assert_eq!(quoted.chars().count(), QUOTED_CHARS + 1);
        assert!(quoted.starts_with("a  b [31m 漢") && quoted.ends_with("漢…"), "{quoted}");
        let exact = "漢".repeat(QUOTED_CHARS);
        assert!(hint(40058, &exact, "").ends_with(&exact));
    }

    #[test]
    fn the_endpoint_decides_what_a_frequency_limit_means() {
        assert_has(&hint(45009, "api freq out of limit", "/cgi-bin/gettoken"), &["wait an hour", "wrong secrets"]);
        assert_has(&hint(45009, "", "/cgi-bin/webhook/send"), &["60 s", "20 messages a minute"]);
        let ctx =
            HintContext { endpoint: "webhook/send", period: Some(Duration::from_secs(2)), ..HintContext::default() };
        let answer = Answer { errcode: 45009, errmsg: String::new() };
        assert_has(&hint_for(&answer, &ctx), &["--rate", "everybody"]);
        assert_has(&hint(45009, "", "message/send"), &["60 s", "60 min", "midnight", "30 days"]);
        assert_has(&hint(45033, "", "message/send"), &["fewer sends at the same time"]);
    }

    #[test]
    fn ids_and_permissions_name_their_page() {
        assert_has(&hint(301_002, "", "message/send"), &["the same app", "AgentId", "agent_id 1000002"]);
        assert_has(&hint(48002, "", "message/send"), &["应用管理 → the app → Secret", "通讯录同步"]);
        assert_has(&hint(48002, "", "tag/list"), &["应用管理 → the app → Secret", "directory"]);
        assert_has(&hint(48002, "", "appchat/send"), &["可见范围", "root department"]);
        assert_has(&hint(81013, "", "message/send"), &["可见范围", "--to-party"]);
        assert_has(&hint(43012, "", "message/send"), &["接收消息 → 设置API接收", "callback"]);
        assert_has(&hint(40007, "", "message/send"), &["3 days", "webhook"]);
        assert_has(&hint(40145, "", "message/send"), &["3 days"]);
        assert_has(&hint(44001, "", "media/upload"), &["one part named media", "filename*"]);
    }

    #[test]
    fn an_unknown_code_leads_to_the_look_up_page() {
        let said = hint(899_999, "what\nis this", "message/send");
        assert_eq!(said, "look error code 899999 up at https://open.work.weixin.qq.com/devtool/query?e=899999");
    }

    #[test]
    fn a_success_that_was_not_read_whole_is_explained() {
        assert_has(&hint(0, "ok. Warning: wrong json format. ", "message/send"), &["JSON type", "may be missing"]);
        assert!(!hint(0, "ok", "message/send").contains("JSON"));
    }
}
