//! Which known name a mistyped one was meant to be. Pure.

/// The known name nearest to `name`, upper or lower case and `-` or `_` being the same; `None` if none is known.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = plain(name);
    let distance = |candidate: &&str| strsim::damerau_levenshtein(&name, &plain(candidate));
    known.into_iter().min_by_key(distance)
}

/// Whether `name` reads as a slip of the pen for `known`, so that repeating it shows nothing but a name.
pub fn is_near(name: &str, known: &str) -> bool {
    strsim::damerau_levenshtein(&plain(name), &plain(known)) * 3 <= known.len() + 1
}

/// Cut to a length that no name has, since the comparison takes time and memory by the square.
fn plain(name: &str) -> String {
    name.chars().take(64).map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_slip() {
        let known = ["timeout", "connect_timeout", "to_user"];
        assert_eq!(nearest("tiemout", known), Some("timeout"));
        assert_eq!(nearest("Connect-Timeout", known), Some("connect_timeout"));
        assert_eq!(nearest("touser", known), Some("to_user"));
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn a_credential_is_no_slip() {
        assert!(is_near("secrt", "secret"));
        assert!(is_near("corp-id", "corp_id"));
        assert!(!is_near("test-secret-1", "secret"));
        assert!(!is_near(&"s".repeat(100_000), "secret"));
    }
}
