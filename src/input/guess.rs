//! Which encoding one line is in, judged by its bytes alone. Pure: it decodes nothing for others.

use encoding_rs::GB18030;

use super::lossy::decode_with;

/// What a line is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    Utf8,
    Gb18030,
}

/// Decides for one line, without its line break.
///
/// Valid UTF-8 is UTF-8, always. For the rest two signs are weighed. Chinese text in GB18030 consists almost wholly of
/// everyday characters (GB 2312 level 1, punctuation), while UTF-8 misread as GB18030 gives rare ones five times out of six.
/// And damaged UTF-8 still shows whole characters of three bytes and more, which GB18030 forms by accident only. So:
///
/// 1. clean GB18030 of everyday characters alone is GB18030, though a short line may look like cut UTF-8 too;
/// 2. UTF-8 with broken bytes only at its ends is a cut;
/// 3. clean GB18030 is GB18030, unless it is mostly rare characters and whole UTF-8 characters stand in it;
/// 4. what is broken either way is what breaks less, GB18030 only with mostly everyday characters.
pub(super) fn guess(line: &[u8]) -> Guess {
    if std::str::from_utf8(line).is_ok() {
        return Guess::Utf8;
    }
    let broken_gb = decode_with(GB18030, line, &mut String::new(), |_| {});
    let Wide { all, everyday } = wide_characters(line);
    let mostly_everyday = all > 0 && everyday * 2 >= all;
    let is_gb = if broken_gb == 0 {
        everyday == all || (!is_cut_utf8(line) && (mostly_everyday || !has_whole_utf8(line)))
    } else {
        mostly_everyday && !is_cut_utf8(line) && broken_gb < broken_utf8(line)
    };
    if is_gb { Guess::Gb18030 } else { Guess::Utf8 }
}

/// How many bytes at the line's start can only be the rest of a cut UTF-8 character: 0 to 3.
pub(super) fn utf8_leftovers(line: &[u8]) -> usize {
    line.iter().take(3).take_while(|b| matches!(b, 0x80..=0xbf)).count()
}

/// How many bytes at the line's end begin a UTF-8 character that is cut: 0 to 3.
pub(super) fn utf8_unfinished(line: &[u8]) -> usize {
    (1..=line.len().min(3))
        .find(|&n| {
            let end = &line[line.len() - n..];
            std::str::from_utf8(end).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
        })
        .unwrap_or(0)
}

/// The length in bytes, 1, 2 or 4, that the first GB18030 character announces; the bytes may end before it does.
pub(super) fn gb18030_length(bytes: &[u8]) -> usize {
    match bytes {
        [0x81..=0xfe, 0x30..=0x39, ..] => 4,
        [0x81..=0xfe] | [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, ..] => 2,
        _ => 1,
    }
}

/// Whether nothing but the ends is broken UTF-8.
fn is_cut_utf8(line: &[u8]) -> bool {
    let whole = &line[utf8_leftovers(line)..];
    std::str::from_utf8(&whole[..whole.len() - utf8_unfinished(whole)]).is_ok()
}

fn broken_utf8(line: &[u8]) -> usize {
    line.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count()
}

/// Whether a whole character of three bytes or more stands in it.
fn has_whole_utf8(line: &[u8]) -> bool {
    line.utf8_chunks().any(|chunk| chunk.valid().chars().any(|c| c.len_utf8() >= 3))
}

/// The characters beyond ASCII, broken ones included, in a line read as GB18030.
struct Wide {
    all: usize,
    everyday: usize,
}

fn wide_characters(line: &[u8]) -> Wide {
    let mut wide = Wide { all: 0, everyday: 0 };
    let mut rest = line;
    while !rest.is_empty() {
        let length = gb18030_length(rest).min(rest.len());
        wide.all += usize::from(!rest[0].is_ascii());
        wide.everyday += usize::from(is_everyday(&rest[..length]));
        rest = &rest[length..];
    }
    wide
}

/// GB 2312 rows 1 to 3 (punctuation, numbers, full-width letters), 9 (box drawing) and 16 to 55 (level 1 hanzi).
fn is_everyday(character: &[u8]) -> bool {
    matches!(character, [0xa1..=0xa3 | 0xa9 | 0xb0..=0xd7, 0xa1..=0xfe])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What stands in alerts, 1 to 10 characters long.
    const WORDS: [&str; 34] = [
        "中",
        "磁",
        "错",
        "警",
        "高",
        "低",
        "断",
        "磁盘",
        "告警",
        "错误",
        "失败",
        "恢复",
        "宕机",
        "阈值",
        "超时",
        "内存",
        "异常",
        "已停止",
        "服务器",
        "数据库",
        "磁盘已满",
        "连接超时",
        "服务异常",
        "内存不足",
        "紧急告警",
        "数据库宕机",
        "备份任务失败",
        "主机无法连接！",
        "磁盘使用率过高",
        "网站证书即将过期",
        "请尽快登录系统处理",
        "生产环境数据库已恢复",
        "【严重】",
        "│已用│",
    ];

    /// Where an alert word stands on its line.
    const PLACES: [(&str, &str); 8] = [
        ("", ""),
        ("/data ", ""),
        ("", " 95%"),
        ("[ERROR] ", " on db-01"),
        ("x", "x"),
        ("1", "2"),
        ("(", ")"),
        ("\t", ":"),
    ];

    fn gbk(text: &str) -> Vec<u8> {
        let (bytes, _, unmappable) = GB18030.encode(text);
        assert!(!unmappable, "{text}");
        bytes.into_owned()
    }

    #[test]
    fn alert_words_in_gbk() {
        for word in WORDS {
            for (before, after) in PLACES {
                let line = [before.as_bytes(), &gbk(word), after.as_bytes()].concat();
                assert_eq!(guess(&line), Guess::Gb18030, "{before}{word}{after} as {line:x?}");
            }
        }
    }

    #[test]
    fn alert_words_in_utf8() {
        for word in WORDS {
            for (before, after) in PLACES {
                assert_eq!(guess(format!("{before}{word}{after}").as_bytes()), Guess::Utf8, "{before}{word}{after}");
            }
        }
    }

    #[test]
    fn valid_utf8_is_utf8_even_where_it_may_be_gbk() {
        assert_eq!(guess(&gbk("状态: 停止")), Guess::Utf8);
        assert_eq!(guess("café Ünïcödé".as_bytes()), Guess::Utf8);
    }

    #[test]
    fn cut_utf8_is_utf8_wherever_it_is_cut() {
        let texts = [
            "生产环境数据库已恢复",
            "【严重】磁盘使用率过高：95%",
            "disk /数据 满 😀 retry",
            "Сервер недоступен",
            "└─已用│",
        ];
        for text in texts {
            let bytes = text.as_bytes();
            for start in 0..4 {
                for end in bytes.len() - 3..=bytes.len() {
                    assert_eq!(guess(&bytes[start..end]), Guess::Utf8, "{text} {start}..{end}");
                }
            }
        }
    }

    #[test]
    fn ascii_with_a_cut_character_at_its_end_is_utf8() {
        for text in ["disk 磁", "disk 😀", "disk é"] {
            let bytes = text.as_bytes();
            for end in 6..bytes.len() {
                assert_eq!(guess(&bytes[..end]), Guess::Utf8, "{text} up to {end}");
            }
        }
        assert_eq!(guess(b"\x80 disk"), Guess::Utf8);
        assert_eq!(guess(b"\x9f\x98\x80 disk"), Guess::Utf8);
    }

    #[test]
    fn rare_and_traditional_characters_in_gb18030() {
        for text in ["伺服器錯誤", "資料庫連線逾時", "㐀㐁㐂", "鑫淼犇 ok", "エラー", "价格 5€ 起"]
        {
            assert_eq!(guess(&gbk(text)), Guess::Gb18030, "{text}");
        }
    }

    #[test]
    fn damage_in_the_midst_leaves_the_encoding() {
        for junk in [&b"\xff"[..], b"\xe4", b"\xe4\xe4", b"\x80", b"\xc3\xff"] {
            let utf8 = ["磁盘".as_bytes(), junk, "已满，请处理".as_bytes()].concat();
            assert_eq!(guess(&utf8), Guess::Utf8, "{junk:x?}");
        }
        let cut_gbk = gbk("磁盘已满");
        assert_eq!(guess(&cut_gbk[..cut_gbk.len() - 1]), Guess::Gb18030);
        let broken_gbk = [&gbk("磁盘")[..], b"\xff", &gbk("已满，请处理")].concat();
        assert_eq!(guess(&broken_gbk), Guess::Gb18030);
    }

    #[test]
    fn junk_keeps_its_ascii() {
        assert_eq!(guess(b"\xff\xff GET \xfe\xff"), Guess::Utf8);
        assert_eq!(guess(b"\xe9t\xe9"), Guess::Utf8);
    }

    #[test]
    fn borders() {
        assert_eq!(utf8_unfinished(b"a\xe7\xa3"), 2);
        assert_eq!(utf8_unfinished("a磁".as_bytes()), 0);
        assert_eq!(utf8_unfinished(b"\xf0\x9f\x98"), 3);
        assert_eq!(utf8_unfinished(b""), 0);
        assert_eq!(utf8_leftovers(b"\x80\x80\x80\x80"), 3);
        assert_eq!(utf8_leftovers("磁".as_bytes()), 0);
    }

    proptest! {
        #[test]
        fn everyday_gbk_is_gb18030_unless_it_is_valid_utf8(
            characters in proptest::collection::vec((0xb0u8..=0xd7, 0xa1u8..=0xfe), 1..10),
        ) {
            let line: Vec<u8> = characters.iter().flat_map(|&(lead, trail)| [lead, trail]).collect();
            let expected = if std::str::from_utf8(&line).is_ok() { Guess::Utf8 } else { Guess::Gb18030 };
            prop_assert_eq!(guess(&line), expected);
        }

        #[test]
        fn chinese_utf8_is_known_by_two_whole_characters(
            text in "[一-龥]{4,12}", start in 0usize..3, end in 0usize..3, after in " ok|",
        ) {
            let bytes = text.as_bytes();
            let end = if after.is_empty() { end } else { 0 };
            let line = [&bytes[start..bytes.len() - end], after.as_bytes()].concat();
            prop_assert_eq!(guess(&line), Guess::Utf8);
        }
    }
}
