//! The published rules for group chats of an app (document paths 90245 and 98913). Pure.

use crate::error::{Error, Result};
use crate::message::chat::{CHOSEN_ID_CHARS, is_chosen_id};
use crate::message::person::look_up_hint;
use crate::message::recipients::{ids, userid_problem};

/// The most members of a chat, not counting the app: the page says 2000, and counts it.
pub(super) const MOST_MEMBERS: usize = 1999;

/// The fewest members.
const FEWEST_MEMBERS: usize = 2;

/// The most bytes of a text in a chat.
const LONGEST_TEXT: usize = 2048;

/// So many characters of a name WeCom keeps.
const LONGEST_NAME: usize = 50;

/// The errcodes for userids that are none.
const WRONG_MEMBER: [i64; 6] = [40003, 40031, 60111, 86005, 86007, 86216];

/// Whether two userids are of the same member: WeCom gives them back in lower case.
pub(super) fn same_id(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The userids that the values of an option name, each once, and what is wrong with the first that cannot be one.
///
/// Fails for an empty one: a variable may be empty.
pub(super) fn userids(option: &str, values: &[String]) -> Result<(Vec<String>, Option<Error>)> {
    let (mut found, mut problem): (Vec<String>, Option<Error>) = (Vec::new(), None);
    for id in values.iter().flat_map(|value| ids(value)) {
        if id.is_empty() {
            let hint =
                "separate the ids by single commas; where a look-up such as get-userid gives them, one found nobody";
            return Err(Error::usage(format!("{option}: an id is empty"), hint));
        }
        if !found.iter().any(|known| same_id(known, id)) {
            found.push(id.to_owned());
        }
        problem = problem.or_else(|| {
            let what = userid_problem(id)?;
            let hint = "use the 账号 of 通讯录 → the member, not the name; separate several by commas";
            Some(Error::usage(format!("{option}: {id:?} {what}"), look_up_hint(id).unwrap_or(hint)))
        });
    }
    Ok((found, problem))
}

/// An error about members, with the hint that fits those who look like no userids.
pub(super) fn about_members<'a>(error: Error, mut members: impl Iterator<Item = &'a str>) -> Error {
    let is_about_members = error.answer().is_some_and(|answer| WRONG_MEMBER.contains(&answer.errcode));
    let hint = is_about_members.then(|| members.find_map(look_up_hint)).flatten();
    let Some(hint) = hint else { return error };
    let known = error.hint().map(|known| format!("{known}; ")).unwrap_or_default();
    error.with_hint(format!("{known}{hint}"))
}

/// What is wrong with the number of members of a new chat, if anything.
pub(super) fn count_problem(members: usize) -> Option<Error> {
    let hint = "an owner who is no --member counts too; the app itself does not";
    let is_sound = (FEWEST_MEMBERS..=MOST_MEMBERS).contains(&members);
    (!is_sound).then(|| {
        let named = if members == 1 { "1 member is".to_owned() } else { format!("{members} members are") };
        Error::usage(format!("{named} named, and a new chat needs {FEWEST_MEMBERS} to {MOST_MEMBERS}"), hint)
    })
}

/// What is wrong with the id chosen for a new chat, if anything.
pub(super) fn id_problem(id: &str) -> Option<Error> {
    (!is_chosen_id(id)).then(|| {
        Error::usage(
            format!("--chat: {id:?} cannot be the id of a chat"),
            format!("choose 1 to {CHOSEN_ID_CHARS} of the characters 0-9, a-z and A-Z; its name goes with --name"),
        )
    })
}

/// What is wrong with the text of a first message, if anything (document path 90248).
pub(super) fn hello_problem(text: &str) -> Option<Error> {
    let bytes = text.len();
    let is_long = bytes > LONGEST_TEXT;
    is_long.then(|| {
        let hint = "shorten it; chat-send splits a long text";
        Error::usage(format!("--hello has {bytes} bytes, and a text in a chat has room for {LONGEST_TEXT}"), hint)
    })
}

/// Whether a chat has the name asked for, as far as WeCom keeps it.
pub(super) fn same_name(asked: &str, name: &str) -> bool {
    asked.chars().take(LONGEST_NAME).eq(name.chars())
}

/// The warning about a name of which WeCom keeps only the beginning.
pub(super) fn name_warning(name: &str) -> Option<String> {
    let count = name.chars().count();
    let is_long = count > LONGEST_NAME;
    is_long.then(|| format!("the name has {count} characters, and WeCom keeps {LONGEST_NAME}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(values: &[&str]) -> (Vec<String>, Option<String>) {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let (ids, problem) = userids("--member", &values).unwrap();
        (ids, problem.map(|problem| problem.message().to_owned()))
    }

    #[test]
    fn members_are_named_once() {
        let (ids, problem) = found(&["zhangsan,lisi", "LISI", "wangwu|Zhangsan"]);
        assert_eq!((ids.join(" "), problem), ("zhangsan lisi wangwu".to_owned(), None));
        let (_, problem) = found(&["zhangsan", "张三", "@all"]);
        assert_eq!(problem.unwrap(), "--member: \"张三\" may hold letters, digits, _, -, @ and . only");
        assert!(found(&["@all"]).1.is_some());
        for empty in ["", " ", "a,,b", "a,"] {
            assert_eq!(userids("--add", &[empty.to_owned()]).unwrap_err().message(), "--add: an id is empty");
        }
    }

    #[test]
    fn a_chat_has_2_to_1999_members() {
        for (count, is_sound) in [(0, false), (1, false), (2, true), (1999, true), (2000, false)] {
            assert_eq!(count_problem(count).is_none(), is_sound, "{count}");
        }
    }

    #[test]
    fn the_alphabet_of_ids_and_the_length_of_names() {
        for (id, is_sound) in
            [("ops", true), ("0aZ", true), (&*"x".repeat(32), true), (&*"x".repeat(33), false), ("", false)]
        {
            assert_eq!(id_problem(id).is_none(), is_sound, "{id}");
        }
        for id in ["ops-room", "值班", "a b", "a_b"] {
            assert!(id_problem(id).is_some(), "{id}");
        }
        assert_eq!(name_warning(&"告".repeat(50)), None);
        assert_eq!(name_warning(&"告".repeat(51)).unwrap(), "the name has 51 characters, and WeCom keeps 50");
    }
}
