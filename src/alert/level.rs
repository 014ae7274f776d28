//! How bad an alert is: the four levels, and the words that people and monitoring systems write for them.

use std::str::FromStr;

use strum::VariantArray;

use crate::error::Error;
use crate::suggest::{is_near, nearest};
use crate::words::Words;

/// How bad it is, from calm to loud. Read from any word that people write for it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    strum::IntoStaticStr,
    strum::VariantArray,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Level {
    /// For the record.
    Info,
    /// All is well, or well again.
    Ok,
    /// Somebody should look.
    Warning,
    /// Somebody must act.
    Critical,
}

/// The words for each level, in lower case: those of `--level` and those of severities in notifications alike.
const WORDS: [(Level, &[&str]); 4] = [
    (
        Level::Info,
        &[
            "info",
            "information",
            "informational",
            "notice",
            "none",
            "debug",
            "p4",
            "p5",
            "sev4",
            "sev5",
            "4",
            "5",
            "信息",
            "提示",
            "通知",
            "提醒",
        ],
    ),
    (Level::Ok, &["ok", "resolved", "recovered", "recovery", "success", "正常", "恢复", "已恢复", "成功"]),
    (
        Level::Warning,
        &[
            "warning", "warn", "minor", "medium", "average", "moderate", "low", "degraded", "p2", "p3", "sev2", "sev3",
            "2", "3", "警告", "预警", "注意", "次要", "一般", "中", "低",
        ],
    ),
    (
        Level::Critical,
        &[
            "critical",
            "crit",
            "error",
            "err",
            "fatal",
            "alert",
            "emerg",
            "emergency",
            "panic",
            "major",
            "high",
            "urgent",
            "severe",
            "disaster",
            "page",
            "p0",
            "p1",
            "sev0",
            "sev1",
            "0",
            "1",
            "严重",
            "紧急",
            "错误",
            "致命",
            "重要",
            "危急",
            "灾难",
            "故障",
            "高",
        ],
    ),
];

impl Level {
    /// The name in options.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The level that a word names, in either case; `None` for an unknown word.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase();
        WORDS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(level, _)| *level)
    }

    /// The word before the title: all that a type without colours shows.
    pub(super) fn label(self, words: &Words) -> &'static str {
        match self {
            Self::Info => words.info,
            Self::Ok => words.ok,
            Self::Warning => words.warning,
            Self::Critical => words.critical,
        }
    }

    /// The font colour in `markdown`: grey, green or orange, for there is no red (document path 90236).
    pub fn font_color(self) -> &'static str {
        match self {
            Self::Info => "comment",
            Self::Ok => "info",
            Self::Warning | Self::Critical => "warning",
        }
    }

    /// Whether somebody has to do something.
    pub fn is_alarm(self) -> bool {
        matches!(self, Self::Warning | Self::Critical)
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::from_word(word).ok_or_else(|| {
            // A word of one sign or with a number in it is near to any other.
            let is_plain = |known: &&str| known.len() > 3 && known.chars().all(char::is_alphabetic);
            let known = WORDS.iter().flat_map(|(_, words)| words.iter().copied()).filter(is_plain);
            let meant = nearest(word, known).filter(|known| is_near(word, known));
            let meant = meant.map(|known| format!("; did you mean {known}?")).unwrap_or_default();
            let levels = Self::VARIANTS.iter().map(|level| level.as_str()).collect::<Vec<_>>().join(", ");
            Error::usage(
                format!("--level {word:?} is not a known level ({levels}{meant})"),
                "write --level info, --level ok, --level warning or --level critical",
            )
        })
    }
}
