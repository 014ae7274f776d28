//! Who asks, and who answers on a machine: the user of this process, and the host.

#[cfg(unix)]
use std::fs;

use super::answer::Asker;
use crate::send::host;

/// The user who runs this process, and its host.
pub(super) fn this_process() -> Asker {
    Asker { unix_user: user(), host: host() }
}

/// The name of the user that the system runs this process for. Variables do not count: anybody may set them.
#[cfg(unix)]
fn user() -> String {
    let uid = rustix::process::geteuid().as_raw();
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(&known, uid).unwrap_or_else(|| format!("uid {uid}"))
}

/// The name that the session says.
#[cfg(not(unix))]
fn user() -> String {
    std::env::var("USERNAME").unwrap_or_else(|_| "unknown".to_owned())
}

/// The first name with this number in the list of users.
#[cfg(unix)]
fn name_of(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn users_are_named_by_their_number() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n# a remark\nalert:x:997:997::/:/bin/false\n";
        assert_eq!(name_of(passwd, 997).as_deref(), Some("alert"));
        assert_eq!(name_of(passwd, 1), None);
        assert!(!this_process().unix_user.is_empty());
    }
}
