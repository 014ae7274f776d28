//! The topics of the manual: the pages in `src/manual/`, in both languages.

use wecom_alert::config::Language;

/// A topic, and its page in each language. The pages are Markdown, and are read only when they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Topic {
    /// Its name on the command line.
    pub(super) name: &'static str,
    english: &'static str,
    chinese: &'static str,
}

macro_rules! topics {
    ($($name:literal)+) => {
        [$(Topic {
            name: $name,
            english: include_str!(concat!("../../manual/en/", $name, ".md")),
            chinese: include_str!(concat!("../../manual/zh/", $name, ".md")),
        }),+]
    };
}

/// All topics, in the order of the list.
pub(super) static TOPICS: [Topic; 20] = topics! {
    "config" "delivery" "outbox" "fleet" "run" "ask" "listen" "batch" "chat" "aibot" "directory" "json" "errors" "limits" "cards" "preview" "templates" "feeds" "ci" "security"
};

/// Words that people look for, and the topics that have them.
const KEYWORDS: [(&[&str], &[&str]); 19] = [
    (
        &["callback", "callbacks", "press", "presses", "click", "clicks", "handler", "nginx", "回调", "接收消息"],
        &["listen"],
    ),
    (&["ndjson", "jsonl", "bulk", "jobs", "批量"], &["batch"]),
    (&["cron", "crontab", "systemd", "timer", "watchdog", "定时任务"], &["run", "delivery"]),
    (&["gitlab", "github", "gitea", "forgejo", "jenkins", "drone", "actions", "pipeline"], &["ci"]),
    (&["grafana", "alertmanager", "prometheus", "monitoring", "监控"], &["feeds"]),
    (&["proxy", "secret", "secrets", "credential", "credentials", "token", "代理", "密钥"], &["config", "security"]),
    (&["webhook", "app", "profile", "environment", "variables", "language", "tls", "ca", "encoding"], &["config"]),
    (&["exit", "exit-code", "code", "codes", "errcode", "hint", "troubleshooting", "退出码", "错误码"], &["errors"]),
    (
        &["retry", "retries", "rate", "cooldown", "duplicates", "fallback", "also", "long", "log", "recall", "撤回"],
        &["delivery"],
    ),
    (
        &[
            "answer",
            "question",
            "approve",
            "approval",
            "button",
            "escalate",
            "escalation",
            "acknowledge",
            "审批",
            "认领",
        ],
        &["ask"],
    ),
    (&["bot", "robot", "botid", "websocket", "智能机器人", "机器人", "长连接"], &["aibot"]),
    (&["group", "groups", "chats", "appchat", "chatid", "群聊", "群"], &["chat"]),
    (
        &[
            "department",
            "departments",
            "member",
            "members",
            "tag",
            "tags",
            "userid",
            "mobile",
            "email",
            "roster",
            "oncall",
            "通讯录",
            "部门",
            "成员",
            "标签",
            "手机号",
            "邮箱",
            "值班",
        ],
        &["directory"],
    ),
    (&["flush", "queue", "queued", "failed", "发件箱"], &["outbox"]),
    (&["alert", "card", "markdown", "mention", "level", "title", "field", "attach", "卡片"], &["cards"]),
    (&["page", "html", "browser", "look", "looks", "预览"], &["preview"]),
    (&["jinja", "jinja2", "filter", "filters", "模板"], &["templates"]),
    (&["size", "sizes", "quota", "speed"], &["limits"]),
    (&["redis", "valkey", "machines", "hosts", "cluster", "shared-state", "多台机器", "集群"], &["fleet"]),
];

/// The topics where a word is found that is not the name of one.
pub(super) fn topics_about(word: &str) -> Option<&'static [&'static str]> {
    let word = word.to_lowercase();
    KEYWORDS.iter().find(|(words, _)| words.contains(&word.as_str())).map(|(_, topics)| *topics)
}

impl Topic {
    /// The topic of that name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        TOPICS.iter().find(|topic| topic.name == name)
    }

    /// Its page.
    pub(super) fn page(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.english,
            Language::Chinese => self.chinese,
        }
    }

    /// What it is about, in a phrase: the first line of its page.
    pub(super) fn about(&self, language: Language) -> &'static str {
        self.page(language).lines().next().unwrap_or_default().trim_start_matches('#').trim()
    }
}

/// The section of a topic's man page: 5 for files and formats, 7 for the rest.
pub(super) fn section(topic: &str) -> u8 {
    if topic == "config" { 5 } else { 7 }
}

/// All pages with their paths in `src/manual`, as they are on disk.
#[cfg(test)]
pub(super) fn every_page() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manual");
    let names = ["en", "zh"]
        .into_iter()
        .flat_map(|language| TOPICS.iter().map(move |topic| format!("{language}/{}.md", topic.name)));
    names.map(|name| (name.clone(), std::fs::read_to_string(folder.join(name)).unwrap())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most bytes that all pages have together: they are part of the program.
    const MOST_BYTES: usize = 340 * 1024;

    #[test]
    fn the_manual_stays_small() {
        let bytes: usize = TOPICS.iter().map(|topic| topic.english.len() + topic.chinese.len()).sum();
        assert!(bytes <= MOST_BYTES, "the pages in src/manual have {bytes} bytes");
    }

    #[test]
    fn a_keyword_leads_to_topics() {
        for (words, topics) in KEYWORDS {
            assert!(topics.iter().all(|name| Topic::named(name).is_some()), "{topics:?}");
            assert!(words.iter().all(|word| topics_about(word) == Some(topics)), "each word once: {words:?}");
        }
        assert_eq!(topics_about("printer"), None);
    }

    #[test]
    fn a_page_begins_with_what_it_is_about() {
        for topic in TOPICS {
            for language in [Language::English, Language::Chinese] {
                let (page, about) = (topic.page(language), topic.about(language));
                assert!(page.starts_with("# ") && !about.is_empty(), "{} {language:?}", topic.name);
                assert!(about.chars().count() <= 60 && !about.ends_with(['.', '。']), "{about}");
            }
        }
    }
}
