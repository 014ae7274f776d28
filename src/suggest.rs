//! "Did you mean": the known name that a typo is nearest to. Pure.

/// The known name nearest to `name`, upper or lower case and `-` or `_` being the same; `None` if none is known.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = plain(name);
    let distance = |candidate: &&str| strsim::damerau_levenshtein(&name, &plain(candidate));
    known.into_iter().min_by_key(distance)
}

/// Whether `name` is a typo of `known`, and no secret that was pasted here: then an error may repeat it.
pub fn is_near(name: &str, known: &str) -> bool {
    strsim::damerau_levenshtein(&plain(name), &plain(known)) * 3 <= known.len() + 1
}

/// Truncated to more than any name has: the comparison takes time and memory by the square of the length.
fn plain(name: &str) -> String {
    name.chars().take(64).map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_typo() {
        let known = ["timeout", "connect_timeout", "to_user"];
        assert_eq!(nearest("tiemout", known), Some("timeout"));
        assert_eq!(nearest("Connect-Timeout", known), Some("connect_timeout"));
        assert_eq!(nearest("touser", known), Some("to_user"));
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn a_credential_is_no_typo() {
        assert!(is_near("secrt", "secret"));
        assert!(is_near("corp-id", "corp_id"));
        assert!(!is_near("test-secret-1", "secret"));
        assert!(!is_near(&"s".repeat(100_000), "secret"));
    }
}
