//! Formats a command line for an alert: quoted for a shell, on one line, with what looks like a secret masked. Pure.
//!
//! Users of this machine can list processes and see the real command line. Members of a group cannot, and only need to
//! know which command it is.

use std::ffi::OsString;
use std::path::Path;

use crate::sanitize::{excerpt, one_line, quote_for_shell, replace_logins};
use crate::secret::MASKED;
use crate::words::Words;

/// Words in the name of a secret.
const SECRET_WORDS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "credential",
    "authorization",
];

/// Programs that read `-pSECRET` as a password: what their names begin with.
const PASSWORD_BY_P: [&str; 3] = ["mysql", "mariadb", "sshpass"];

/// Words that begin a line of a crontab and are no programs.
const SHELL_WORDS: [&str; 12] =
    [".", "cd", "eval", "exec", "export", "for", "if", "set", "source", "ulimit", "umask", "while"];

/// The most characters of a command line that are shown.
const LONGEST: usize = 200;

/// The command line, masked and truncated.
pub(super) fn shown(command: &[OsString]) -> String {
    let mut masker = WordMasker::default();
    let words = command.iter().map(|word| quoted(&masker.masked(&word.to_string_lossy())));
    excerpt(&one_line(&words.collect::<Vec<_>>().join(" ")), LONGEST)
}

/// A program's name without its folder.
pub(super) fn base_name(program: &str) -> String {
    match program {
        "" => "''".to_owned(),
        _ => one_line(&Path::new(program).file_name().unwrap_or(program.as_ref()).to_string_lossy()),
    }
}

/// What to do where there is no such program: a shell is missing, or a short PATH is the usual reason.
pub(super) fn hint_if_missing(program: &str, words: &Words) -> &'static str {
    if program.is_empty() {
        words.has_no_name
    } else if program.ends_with('\r') {
        words.has_windows_line_ends
    } else if SHELL_WORDS.contains(&program) {
        words.is_shell_word
    } else if program.contains(|c: char| c.is_whitespace() || ";&|<>$`(".contains(c)) {
        words.is_shell_line
    } else if Path::new(program).components().count() == 1 {
        words.needs_whole_path
    } else {
        ""
    }
}

/// What the next word is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Plain,
    /// A secret.
    Secret,
    /// A secret, if a colon comes before it: its name was in quotes, as in JSON.
    Named,
    /// `user:password`.
    Login,
}

/// Masks what looks like a secret in the words of a command line, in their order, since a word can announce a secret in
/// the next one. `secret::Mask` replaces known secrets; here none is known.
#[derive(Default)]
struct WordMasker {
    next: Next,
    /// Which of [`PASSWORD_BY_P`] the words belong to.
    program: Option<&'static str>,
}

impl WordMasker {
    /// A word with its secrets masked. It may be a whole script, with words of its own.
    fn masked(&mut self, word: &str) -> String {
        let is_border = |c: char| c.is_whitespace() || "?&;'\"".contains(c);
        let pieces = word.split_inclusive(is_border).map(|piece| {
            let border = piece.char_indices().next_back().filter(|(_, c)| is_border(*c));
            let (text, border) = piece.split_at(border.map_or(piece.len(), |(at, _)| at));
            if text.is_empty() { border.to_owned() } else { format!("{}{border}", self.masked_piece(text)) }
        });
        pieces.collect()
    }

    fn masked_piece(&mut self, piece: &str) -> String {
        match std::mem::take(&mut self.next) {
            Next::Secret if is_scheme(piece) => {
                self.next = Next::Secret;
                return piece.to_owned();
            }
            Next::Secret if !piece.starts_with('-') => return MASKED.to_owned(),
            Next::Named if piece == ":" => {
                self.next = Next::Secret;
                return piece.to_owned();
            }
            Next::Login if piece.contains(':') => return without_password(piece),
            _ => {}
        }
        if let Some((name, value)) = piece.split_once('=')
            && is_secret(name)
        {
            if value.is_empty() {
                // The value is in quotes: the next piece.
                self.next = Next::Secret;
                return piece.to_owned();
            }
            return format!("{name}={MASKED}");
        }
        if piece.starts_with("--user=") || piece.starts_with("-u") && piece.contains(':') {
            return without_password(piece);
        }
        self.program = program_with_password(piece).or(self.program);
        if self.program.is_some() && piece.starts_with("-p") && piece.len() > 2 {
            return format!("-p{MASKED}");
        }
        self.next = self.announced(piece);
        without_login(piece)
    }

    /// What a word that is no secret itself announces.
    fn announced(&self, piece: &str) -> Next {
        match piece {
            "-u" | "--user" => Next::Login,
            "-p" if self.program == Some("sshpass") => Next::Secret,
            "Bearer" | "Basic" => Next::Secret,
            header if header.ends_with(':') && is_secret(header) => Next::Secret,
            option if option.starts_with('-') => match !option.contains('=') && is_secret(option) {
                true => Next::Secret,
                false => Next::Plain,
            },
            name if is_secret(name) => Next::Named,
            _ => Next::Plain,
        }
    }
}

/// Whether a word names the kind of the secret that follows, as in `Authorization: token …`.
fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "token"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

fn program_with_password(piece: &str) -> Option<&'static str> {
    let name = piece.rsplit('/').next().unwrap_or(piece);
    PASSWORD_BY_P.into_iter().find(|program| name.starts_with(program))
}

fn without_password(login: &str) -> String {
    login.split_once(':').map_or_else(|| login.to_owned(), |(user, _)| format!("{user}:{MASKED}"))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "key"
        || name.trim_start_matches('-') == "pass"
        || name.ends_with("_pass")
        || !name.starts_with("--no-") && SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// URLs without user and password. In web addresses a user without a password is usually a token.
fn without_login(piece: &str) -> String {
    replace_logins(piece, |scheme, login| (login.contains(':') || scheme.starts_with("http")).then_some("***@"))
}

fn quoted(word: &str) -> String {
    let has_only_masks = !word.replace(MASKED, "").contains('*');
    quote_for_shell(word, |c| c.is_alphanumeric() || "_@%+=:,./-".contains(c) || (c == '*' && has_only_masks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> String {
        shown(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_command_line_is_quoted_for_a_shell() {
        for (words, expected) in [
            (&["ls", "-l", "/data/备份"][..], "ls -l /data/备份"),
            (&["echo", "", "a b", "it's", "$HOME", "*"], r"echo '' 'a b' 'it'\''s' '$HOME' '*'"),
            (&["sh", "-c", "a\n\tb\x1b[2J"], "sh -c 'a  b [2J'"),
        ] {
            assert_eq!(of(words), expected);
        }
    }

    #[test]
    fn the_name_of_a_program_has_no_folder() {
        for (program, name) in [
            ("backup", "backup"),
            ("/usr/local/bin/backup", "backup"),
            ("/opt/my app/run it", "run it"),
            ("..", ".."),
            ("a\nb", "a b"),
            ("/", "/"),
            ("", "''"),
        ] {
            assert_eq!(base_name(program), name);
        }
    }

    #[test]
    fn secrets_are_masked() {
        for (words, expected) in [
            (&["mysqldump", "--password=hunter2", "db"][..], "mysqldump --password=*** db"),
            (&["x", "--api-token", "hunter2", "--no-password", "y"], "x --api-token *** --no-password y"),
            (&["env", "DB_PASSWORD=hunter2", "backup"], "env DB_PASSWORD=*** backup"),
            (&["curl", "-u", "me:hunter2", "https://a.example/"], "curl -u me:*** https://a.example/"),
            (&["curl", "https://me:hunter2@a.example/b@c"], "curl https://***@a.example/b@c"),
            (&["curl", "https://a.example/send?key=hunter2&x=1"], "curl 'https://a.example/send?key=***&x=1'"),
            (&["curl", "-H", "Authorization: Bearer hunter2"], "curl -H 'Authorization: Bearer ***'"),
            (&["sh", "-c", "mysql --password='hunter2' db"], r"sh -c 'mysql --password='\''***'\'' db'"),
            (&["env", "MYSQL_PWD=hunter2", "DB_PASS=hunter2", "x"], "env MYSQL_PWD=*** DB_PASS=*** x"),
            (&["x", "--pass", "hunter2", "--pass=hunter2"], "x --pass *** --pass=***"),
            (&["/opt/bin/mysqldump", "-uroot", "-phunter2", "db"], "/opt/bin/mysqldump -uroot -p*** db"),
            (&["sshpass", "-p", "hunter2", "ssh", "a"], "sshpass -p *** ssh a"),
            (&["mkdir", "-p", "a"], "mkdir -p a"),
            (&["curl", "--user=me:hunter2", "-ume:hunter2"], "curl --user=me:*** -ume:***"),
            (&["git", "clone", "https://hunter2@a.example/b"], "git clone https://***@a.example/b"),
            (&["git", "clone", "ssh://git@a.example/b"], "git clone ssh://git@a.example/b"),
            (&["curl", "-H", "PRIVATE-TOKEN: hunter2"], "curl -H 'PRIVATE-TOKEN: ***'"),
            (&["curl", "-H", "Authorization: token hunter2"], "curl -H 'Authorization: token ***'"),
            (&["curl", "-H", "Authorization: hunter2"], "curl -H 'Authorization: ***'"),
            (&["curl", "-d", r#"{"password": "hunter2","a":"b"}"#], r#"curl -d '{"password": "***","a":"b"}'"#),
            (&["deploy", "token", "service"], "deploy token service"),
            (&["x", "--secret", "-v", "y"], "x --secret -v y"),
            (&["tar", "-u", "file"], "tar -u file"),
        ] {
            assert_eq!(of(words), expected);
        }
    }

    #[test]
    fn a_long_command_line_is_truncated() {
        let line = of(&["echo", &"磁".repeat(500)]);
        assert_eq!(line.chars().count(), LONGEST + 1);
        assert!(line.ends_with("磁…"));
    }
}
