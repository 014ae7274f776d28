//! A command line as people see it: quoted as a shell would need it, on one line, and without what looks like a secret.
//! Pure.
//!
//! Whoever may list processes sees the real one. The members of a group may not, and need only know which it is.

use std::ffi::OsString;
use std::path::Path;

use wecom_alert::harmless::one_line;

/// What stands where a secret may have stood.
const MASKED: &str = "***";

/// What the name of a secret has in it.
const SECRET_WORDS: [&str; 9] =
    ["password", "passwd", "passphrase", "secret", "token", "apikey", "api-key", "api_key", "credential"];

/// More is cut off, in characters.
const LONGEST: usize = 200;

/// The line, shortened.
pub(super) fn shown(command: &[OsString]) -> String {
    let mut next = Next::AsItIs;
    let words = command.iter().map(|word| quoted(&redacted(&word.to_string_lossy(), &mut next)));
    let line = one_line(&words.collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(LONGEST) {
        None => line,
        Some((cut, _)) => format!("{}…", &line[..cut]),
    }
}

/// The program's name without its folder.
pub(super) fn base_name(command: &[OsString]) -> String {
    let program = command.first().map(Path::new).unwrap_or(Path::new(""));
    one_line(&program.file_name().unwrap_or(program.as_os_str()).to_string_lossy())
}

/// What comes behind a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    AsItIs,
    /// A secret.
    Secret,
    /// `user:password`.
    Login,
}

/// A word without its secrets. It may be a whole script, with words of its own.
fn redacted(word: &str, next: &mut Next) -> String {
    let is_border = |c: char| c.is_whitespace() || "?&;'\"".contains(c);
    let pieces = word.split_inclusive(is_border).map(|piece| {
        let border = piece.char_indices().next_back().filter(|(_, c)| is_border(*c));
        let (text, border) = piece.split_at(border.map_or(piece.len(), |(at, _)| at));
        if text.is_empty() { border.to_owned() } else { format!("{}{border}", redacted_piece(text, next)) }
    });
    pieces.collect()
}

fn redacted_piece(piece: &str, next: &mut Next) -> String {
    match std::mem::replace(next, Next::AsItIs) {
        Next::Secret if !piece.starts_with('-') => return MASKED.to_owned(),
        Next::Login => {
            if let Some((user, _)) = piece.split_once(':') {
                return format!("{user}:{MASKED}");
            }
        }
        Next::Secret | Next::AsItIs => {}
    }
    if let Some((name, value)) = piece.split_once('=')
        && is_secret(name)
    {
        if value.is_empty() {
            // It stands in quotes behind it.
            *next = Next::Secret;
            return piece.to_owned();
        }
        return format!("{name}={MASKED}");
    }
    *next = match piece {
        "-u" | "--user" => Next::Login,
        "Bearer" | "Basic" => Next::Secret,
        option if option.starts_with('-') && !option.contains('=') && is_secret(option) => Next::Secret,
        _ => Next::AsItIs,
    };
    without_login(piece)
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "key" || !name.starts_with("--no-") && SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// `scheme://user:password@host` without user and password.
fn without_login(piece: &str) -> String {
    let Some((scheme, rest)) = piece.split_once("://") else { return piece.to_owned() };
    let host = rest.split('/').next().unwrap_or(rest);
    match host.rfind('@') {
        Some(at) if host[..at].contains(':') => format!("{scheme}://{MASKED}{}", &rest[at..]),
        _ => piece.to_owned(),
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-*".contains(c);
    if !word.is_empty() && (word == MASKED || word.chars().all(is_plain) && !word.replace(MASKED, "").contains('*')) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> String {
        shown(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_quoted_where_a_shell_needs_that() {
        for (words, expected) in [
            (&["ls", "-l", "/data/备份"][..], "ls -l /data/备份"),
            (&["echo", "", "a b", "it's", "$HOME", "*"], r"echo '' 'a b' 'it'\''s' '$HOME' '*'"),
            (&["sh", "-c", "a\n\tb\x1b[2J"], "sh -c 'a  b [2J'"),
        ] {
            assert_eq!(of(words), expected);
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_left_out() {
        for (words, expected) in [
            (&["mysqldump", "--password=hunter2", "db"][..], "mysqldump --password=*** db"),
            (&["x", "--api-token", "hunter2", "--no-password", "y"], "x --api-token *** --no-password y"),
            (&["env", "DB_PASSWORD=hunter2", "backup"], "env DB_PASSWORD=*** backup"),
            (&["curl", "-u", "me:hunter2", "https://a.example/"], "curl -u me:*** https://a.example/"),
            (&["curl", "https://me:hunter2@a.example/b@c"], "curl https://***@a.example/b@c"),
            (&["curl", "https://a.example/send?key=hunter2&x=1"], "curl 'https://a.example/send?key=***&x=1'"),
            (&["curl", "-H", "Authorization: Bearer hunter2"], "curl -H 'Authorization: Bearer ***'"),
            (&["sh", "-c", "mysql --password='hunter2' db"], r"sh -c 'mysql --password='\''***'\'' db'"),
            (&["x", "--secret", "-v", "y"], "x --secret -v y"),
            (&["tar", "-u", "file"], "tar -u file"),
        ] {
            assert_eq!(of(words), expected);
        }
    }

    #[test]
    fn a_long_one_is_cut() {
        let line = of(&["echo", &"磁".repeat(500)]);
        assert_eq!(line.chars().count(), LONGEST + 1);
        assert!(line.ends_with("磁…"));
    }

    #[test]
    fn the_base_name() {
        for (program, name) in [("/opt/bin/backup", "backup"), ("backup", "backup"), ("a\nb", "a b"), ("/", "/")] {
            assert_eq!(base_name(&[program.into()]), name);
        }
        assert_eq!(base_name(&[]), "");
    }
}
