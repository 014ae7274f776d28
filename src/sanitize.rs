//! Makes text from outside safe to show: on one line, without control characters, cut to a length with an ellipsis
//! (`…`), without the log-in in a URL; and shell quoting (`quote_for_shell`). Message text is cleaned in `input::clean`
//! and escaped in `alert::escape`; known secrets are masked by `secret::Mask`.

use std::fmt::Display;
use std::net::IpAddr;

/// Whether a character, shown as it is, could break the line, take a terminal over or make a text look like another one:
/// control characters, line separators, marks that turn the direction of text, the byte-order mark.
pub fn is_harmful(c: char) -> bool {
    is_break(c)
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Pairs of quotes that env files, copying and input methods leave around a value.
const QUOTES: [(char, char); 5] = [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’'), ('「', '」')];

/// A value without what quoting, copying and saving leave around it: white space, signs that cannot be seen, NUL, and one pair
/// of quotes.
///
/// `docker --env-file` keeps quotes that a shell takes off, chats and web pages add signs of no width, Windows adds a
/// carriage return or a byte-order mark. None of them belongs to any credential, id, number, address or path.
pub fn unwrapped(text: &str) -> &str {
    let trim = |text| str::trim_matches(text, |c: char| c.is_whitespace() || c == '\0' || is_invisible(c));
    let text = trim(text);
    let quoted = QUOTES.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    quoted.map_or(text, trim)
}

/// Whether a character takes no room on a screen: joiners, soft hyphens, marks of direction and byte order.
fn is_invisible(c: char) -> bool {
    is_harmful(c) && !is_break(c) || matches!(c, '\u{00ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}')
}

/// Full-width letters, digits and signs as the usual ones: an input method may have made them.
pub fn half_width(text: &str) -> String {
    let narrow = |c: char| char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c);
    text.chars().map(|c| if matches!(c, '！'..='～') { narrow(c) } else { c }).collect()
}

/// The text on one line: a blank for what would break it, nothing for what could not be seen.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if is_break(c) { ' ' } else { c }).filter(|c| !is_harmful(*c)).collect()
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The first `longest` characters, and `…` where there are more.
pub fn excerpt(text: &str, longest: usize) -> String {
    let (start, dots) = truncate(text, longest);
    format!("{start}{dots}")
}

/// The first `longest` characters, and apart from them `…` where there are more, else nothing: for callers that quote or
/// escape the text before they put the two together.
pub fn truncate(text: &str, longest: usize) -> (&str, &'static str) {
    match text.char_indices().nth(longest) {
        Some((end, _)) => (text.get(..end).unwrap_or_default(), "…"),
        None => (text, ""),
    }
}

/// The length of a text in Chinese characters: of those of ASCII two take the room of one.
pub fn chinese_chars(text: &str) -> usize {
    let halves = text.chars().filter(char::is_ascii).count();
    text.chars().count() - halves + halves.div_ceil(2)
}

/// The first `most` items with commas between them, and `…` where there are more.
pub fn first_items(items: impl IntoIterator<Item = impl Display>, most: usize) -> String {
    let mut items = items.into_iter();
    let shown: Vec<_> = items.by_ref().take(most).map(|item| item.to_string()).collect();
    let more = if items.next().is_some() { ", …" } else { "" };
    shown.join(", ") + more
}

/// The text with the log-in (`user:password@`) of each URL in it replaced. `replacement` gets the text before `://` and
/// the log-in without its `@`, and gives what to write in place of both, or `None` to leave the log-in where it is.
pub fn replace_logins(text: &str, replacement: impl Fn(&str, &str) -> Option<&'static str>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("://") {
        kept.push_str(before);
        kept.push_str("://");
        rest = behind;
        let word = behind.split(char::is_whitespace).next().unwrap_or_default();
        let authority = word.split('/').next().unwrap_or_default();
        // What is no port behind the colon is a password, with a slash in it.
        let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
        let is_password = !authority.contains(['@', '[']) && port.contains(|c: char| !c.is_ascii_digit());
        let authority = if is_password { word } else { authority };
        if let Some((login, _)) = authority.rsplit_once('@')
            && let Some(replacement) = replacement(before, login)
        {
            kept.push_str(replacement);
            rest = behind.get(login.len() + 1..).unwrap_or_default();
        }
    }
    kept + rest
}

/// The text with `…` for each address in it: URLs, IP addresses, names of hosts, host and port.
pub fn without_addresses(text: &str) -> String {
    let hidden = |word: &str| {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '[' | ']' | '/'));
        match word.split_once(core) {
            Some((before, after)) if is_address(core) => format!("{before}…{after}"),
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(hidden).collect::<Vec<_>>().join(" ")
}

/// Whether the word is a URL, an IP address or the name of a host, with or without a port and a path.
fn is_address(word: &str) -> bool {
    if word.contains("://") {
        return true;
    }
    let authority = word.split('/').next().unwrap_or_default();
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, ""));
    let has_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    };
    let has_domain = |host: &str| {
        let domain = host.rsplit_once('.').map_or("", |(_, domain)| domain);
        is_name(host) && domain.len() > 1 && domain.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_ip = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    is_ip(authority) || has_port && (is_ip(host) || is_name(host)) || has_domain(authority)
}

/// The word as a POSIX shell reads it back: as it is where all its characters are plain, else in single quotes.
///
/// Callers name the plain characters, since they differ on purpose: a command line that is only looked at is easiest to
/// read with few quotes, a path in a command that is to be copied is quoted whenever it is not ASCII.
pub fn quote_for_shell(word: &str, is_plain: impl Fn(char) -> bool) -> String {
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_on_its_line() {
        let text = "a\r\nb\x1b[31mc\u{202e}d\u{9b}e\u{2028}f\u{61c}\u{feff}\u{2066}\u{200f}g 界 👨‍👩‍👧";
        assert_eq!(one_line(text), "a  b [31mcd e fg 界 👨‍👩‍👧");
    }

    #[test]
    fn a_value_is_taken_out_of_what_stands_around_it() {
        for (before, after) in [
            ("", ""),
            ("\"", "\""),
            ("'", "'"),
            ("“", "”"),
            ("‘", "’"),
            ("「", "」"),
            (" \t", " \r\n"),
            ("\u{feff}", "\0\0"),
            ("\u{200b}", "\u{200d}\u{2060}\u{ad}\u{202c}"),
            ("\u{3000}\"\u{200b}", " \"\r"),
        ] {
            for value in ["test-secret", "a\"b", "", "密"] {
                assert_eq!(unwrapped(&format!("{before}{value}{after}")), value, "{before:?} {after:?}");
            }
        }
        for kept in ["\"a", "a\"", "\"", "\"a'", "“a\"", "(a)", "a\u{200b}b", "`a`"] {
            assert_eq!(unwrapped(kept), kept, "one pair, and a whole one");
        }
        assert_eq!(unwrapped("\"'a'\""), "'a'", "only one pair");
    }

    #[test]
    fn an_excerpt_counts_characters() {
        for (text, cut) in [("", ""), ("漢字", "漢字"), ("漢字a", "漢字a"), ("漢字ab", "漢字a…")] {
            assert_eq!(excerpt(text, 3), cut);
        }
        assert_eq!(truncate("abc", 2), ("ab", "…"));
        assert_eq!(truncate("abc", 3), ("abc", ""));
    }

    #[test]
    fn a_list_is_cut_after_its_first_items() {
        assert_eq!(first_items(["a", "b"], 2), "a, b");
        assert_eq!(first_items(["a", "b", "c"], 2), "a, b, …");
        assert_eq!(first_items([0; 0], 2), "");
    }

    #[test]
    fn logins_are_replaced_in_every_url() {
        let masked = |text| replace_logins(text, |_, _| Some("***@"));
        assert_eq!(masked("a http://u:p@w@h/x@y ssh://t@h:22 b"), "a http://***@h/x@y ssh://***@h:22 b");
        let web_only = |text| replace_logins(text, |before, _| before.ends_with("http").then_some(""));
        assert_eq!(web_only("http://t@h/ ssh://t@h"), "http://h/ ssh://t@h");
        assert_eq!(masked("http://u:p/w@h:1/x http://u:p@h"), "http://***@h:1/x http://***@h");
        for plain in [
            "http://h:80/a@b",
            "http://[::1]/a@b",
            "http://[fe80::a]:8/a@b",
            "",
            "u:p@h",
            "https://h/a@b",
            "://",
            "http:// u@h",
        ] {
            assert_eq!(masked(plain), plain);
        }
    }

    #[test]
    fn addresses_are_hidden() {
        for (text, expected) in [
            ("no connection to 127.0.0.1:9: refused (os error 111)", "no connection to …: refused (os error 111)"),
            ("HTTP 502 from wecom.corp.example/cgi-bin/send, which", "HTTP 502 from …, which"),
            ("through http://proxy:3128, by localhost:8080.", "through …, by …."),
            ("[::1]:443 and (fe80::1)", "… and (…)"),
            ("the name nothost.invalid could not", "the name … could not"),
        ] {
            assert_eq!(without_addresses(text), expected);
        }
        let kept = "file /etc/wecom-alert/main.secret: WeCom answered 40001, 1.5 s; e.g. 3/5 v0.2.0 磁盘.";
        assert_eq!(without_addresses(kept), kept);
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_that() {
        let quoted = |word| quote_for_shell(word, |c| c.is_ascii_alphanumeric() || c == '/');
        for (word, expected) in
            [("/etc/x", "/etc/x"), ("/a b/it's", r"'/a b/it'\''s'"), ("$HOME", "'$HOME'"), ("", "''")]
        {
            assert_eq!(quoted(word), expected);
        }
    }
}
