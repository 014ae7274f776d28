//! Who an app message is for: members, departments and tags, as lists and as the strings of message/send
//! (document path 90236). Sources and defaults are not known here.

use super::finding::{At, Finding, shown};
use crate::sanitize::{half_width, unwrapped};

/// Everybody whom the app may see.
pub const ALL: &str = "@all";

/// What stands between two ids of one value. None of these can be part of an id.
const SEPARATORS: [char; 8] = [',', '|', ';', '，', '、', '；', '｜', '\n'];

/// The ids that a value names, each without what stands around it. `@ALL` is [`ALL`]: no id begins with `@`.
pub fn ids(value: &str) -> impl Iterator<Item = &str> {
    // In one pair of quotes, or each id in its own.
    let inner = unwrapped(value);
    let list = if inner.contains(['"', '\'', '”', '’', '」']) { value } else { inner };
    list.trim().split(SEPARATORS).map(unwrapped).map(|id| {
        let is_all = id.strip_prefix(['@', '＠']).is_some_and(|name| name.eq_ignore_ascii_case("all"));
        if is_all { ALL } else { id }
    })
}

/// The warning for an id that may be meant as [`ALL`], if it is one. Members may have such ids.
pub fn nearly_all(id: &str) -> Option<String> {
    id.eq_ignore_ascii_case("all").then(|| format!("{} is the id of a member: everybody is {ALL}", shown(id)))
}

/// One of the three lists of recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecipientKind {
    /// userids, or `@all`.
    User,
    /// Department ids.
    Party,
    /// Tag ids.
    Tag,
}

impl RecipientKind {
    /// All lists, in the order of the fields.
    pub const ALL: [Self; 3] = [Self::User, Self::Party, Self::Tag];

    /// The field of the body.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "touser",
            Self::Party => "toparty",
            Self::Tag => "totag",
        }
    }

    /// Where the right ids are to be found.
    fn advice(self) -> &'static str {
        match self {
            Self::User => {
                "use the 账号 of 通讯录 → the member, not the name; separate several by commas, or by | in a payload"
            }
            Self::Party => {
                "use the number of 通讯录 → the department; separate several by commas, or by | in a payload"
            }
            Self::Tag => "use the number of 通讯录 → 标签; separate several by commas, or by | in a payload",
        }
    }

    /// What to do where a name stands in place of a number.
    fn number_hint(self) -> &'static str {
        match self {
            Self::Tag => "give its number: wecom-alert list-tags shows all with their names",
            Self::User | Self::Party => {
                "give its number: wecom-alert list-departments shows all with their names; the root is 1"
            }
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::User => "userids",
            Self::Party => "department ids",
            Self::Tag => "tag ids",
        }
    }

    /// The most ids per call (document path 90236): more members are answered with 40032, more departments with 82002, more tags with
    /// 82003.
    pub(super) fn most(self) -> usize {
        match self {
            Self::User => 1000,
            Self::Party | Self::Tag => 100,
        }
    }

    fn problem(self, id: &str) -> Option<String> {
        match self {
            Self::User if id == ALL => None,
            Self::User => userid_problem(id),
            Self::Party => number_problem(id).or_else(|| {
                let fits = id.parse::<u32>().is_ok_and(|id| id >= 1);
                (!fits).then(|| format!("must be between 1 and {}", u32::MAX))
            }),
            Self::Tag => number_problem(id)
                .or_else(|| id.parse::<i64>().is_err().then(|| "must be an integer of at most 64 bits".to_owned())),
        }
    }
}

/// The recipients of an app message: a list for each [`RecipientKind`], in the order given and without repetitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients([Vec<String>; 3]);

impl Recipients {
    /// Adds what one value names: see [`ids`]. What is in the list already is not added again. Numbers may be written in
    /// full-width digits.
    ///
    /// # Errors
    ///
    /// An empty value or id, and a department or tag that is no number; nothing is added then. The alphabet of userids,
    /// ranges, numbers of recipients and `@all` beside others are left to [`super::check_body`].
    pub fn add(&mut self, kind: RecipientKind, value: &str) -> Result<(), Finding> {
        let finding = |problem, hint: &str| Finding {
            path: kind.as_str().to_owned(),
            problem,
            hint: Some(hint.to_owned()),
            kept: None,
        };
        let read = |id: &str| if kind == RecipientKind::User { id.to_owned() } else { half_width(id) };
        let ids: Vec<String> = ids(value).map(read).collect();
        for id in &ids {
            if id.is_empty() {
                let problem = format!("an id is empty in {}", shown(value));
                return Err(finding(problem, "separate the ids by single commas"));
            }
            if kind != RecipientKind::User
                && let Some(problem) = number_problem(id)
            {
                return Err(finding(format!("{} {problem}", shown(id)), kind.number_hint()));
            }
        }
        let list = &mut self.0[kind as usize];
        for id in ids {
            if !list.contains(&id) {
                list.push(id);
            }
        }
        Ok(())
    }

    /// The ids of one kind.
    pub fn of(&self, kind: RecipientKind) -> &[String] {
        &self.0[kind as usize]
    }

    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// The field of a body for this list: ids joined with `|`; `None` without any.
    pub fn joined(&self, kind: RecipientKind) -> Option<String> {
        let ids = self.of(kind);
        (!ids.is_empty()).then(|| ids.join("|"))
    }
}

/// Checks one of the three fields of a body: how many ids, and each of them.
pub(super) fn check_field(kind: RecipientKind, value: &str, at: &mut At<'_>) {
    if value.is_empty() {
        return;
    }
    let ids: Vec<&str> = value.split('|').collect();
    at.count(ids.len(), kind.noun(), 1..=kind.most());
    if kind == RecipientKind::User && ids.contains(&ALL) && ids.len() > 1 {
        at.error_with_hint("@all is among other userids", "use only @all, or leave it out");
    }
    for (index, id) in ids.iter().enumerate() {
        if let Some(warning) = nearly_all(id) {
            at.warn(warning);
        }
        if let Some(problem) = kind.problem(id) {
            let problem = format!("id {} of {}, {}, {problem}", index + 1, ids.len(), shown(id));
            at.error_with_hint(problem, kind.advice());
        }
    }
}

impl At<'_> {
    /// A single userid.
    pub(super) fn userid(&mut self, id: &str) {
        if let Some(problem) = userid_problem(id) {
            self.error(format!("userid {} {problem}", shown(id)));
        }
    }
}

/// What is wrong with a userid, if anything: letters, digits, `_-@.`, 1 to 64 bytes (document path 90195).
pub fn userid_problem(id: &str) -> Option<String> {
    if id.is_empty() {
        return Some("is empty".to_owned());
    }
    if id.len() > 64 {
        return Some(format!("has {} bytes, the limit is 64", id.len()));
    }
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@' | b'.')) {
        return Some("may hold letters, digits, _, -, @ and . only".to_owned());
    }
    (!id.starts_with(|first: char| first.is_ascii_alphanumeric()))
        .then(|| "must begin with a letter or digit".to_owned())
}

fn number_problem(id: &str) -> Option<String> {
    let number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    (!number).then(|| "is not a number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Findings;

    fn errors(kind: RecipientKind, value: &str) -> Vec<String> {
        let mut findings = Findings::default();
        check_field(kind, value, &mut At::root(&mut findings).field(kind.as_str()));
        findings.errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn values_are_split_trimmed_and_kept_once() {
        let mut to = Recipients::default();
        assert!(to.is_empty() && to.joined(RecipientKind::User).is_none());
        to.add(RecipientKind::User, "zhangsan, lisi|zhangsan").unwrap();
        to.add(RecipientKind::User, " Lisi ").unwrap();
        to.add(RecipientKind::Party, "2 | 1").unwrap();
        to.add(RecipientKind::Party, "２、1０").unwrap();
        to.add(RecipientKind::Tag, "“7”").unwrap();
        assert!(!to.is_empty());
        assert_eq!(to.joined(RecipientKind::User).as_deref(), Some("zhangsan|lisi|Lisi"));
        assert_eq!(to.joined(RecipientKind::Party).as_deref(), Some("2|1|10"));
        assert_eq!(to.joined(RecipientKind::Tag).as_deref(), Some("7"));
    }

    #[test]
    fn ids_are_separated_as_people_write_lists() {
        for value in [
            "a,b",
            "a|b",
            "a、b",
            "a，b",
            "a； b",
            "a;b",
            "a｜b",
            "\"a,b\"",
            "「a」、「b」\r\n",
            "a\r\nb\n",
            "a\u{200b},b",
        ] {
            assert_eq!(ids(value).collect::<Vec<_>>(), ["a", "b"], "{value:?}");
        }
        for value in ["@all", "@ALL", "@All", "＠all", " '@ALL' "] {
            assert_eq!(ids(value).collect::<Vec<_>>(), [ALL], "{value}");
        }
        // These may be members.
        for value in ["all", "ALL", "all@all", "a b", "a.b", "@alle"] {
            assert_eq!(ids(value).collect::<Vec<_>>(), [value]);
        }
    }

    #[test]
    fn empty_ids_and_departments_that_are_no_numbers_are_refused_whole() {
        use RecipientKind::{Party, Tag, User};
        for (kind, value) in [
            (User, ""),
            (User, " "),
            (User, "a,,b"),
            (User, "a|"),
            (Party, "1,ops"),
            (Tag, "-1"),
            (Tag, "1.5"),
            (Party, "+1"),
        ] {
            let mut to = Recipients::default();
            let finding = to.add(kind, value).unwrap_err();
            assert_eq!(finding.path, kind.as_str(), "{value}");
            assert!(to.is_empty(), "{value}");
        }
        let finding = Recipients::default().add(Party, "1,ops").unwrap_err();
        assert_eq!(finding.to_string(), "toparty: \"ops\" is not a number");
        for (kind, command) in [(Party, "list-departments"), (Tag, "list-tags")] {
            let hint = Recipients::default().add(kind, "值班").unwrap_err().hint.unwrap();
            assert!(hint.contains(command), "{hint}");
        }
    }

    #[test]
    fn the_alphabet_of_userids() {
        for good in ["a", "0", "Zhang.San_1-2@example", &"x".repeat(64)] {
            assert_eq!(userid_problem(good), None, "{good}");
        }
        for bad in ["", "_a", "@a", ".a", "-a", "a b", "张三", "a|b", "a/b", &"x".repeat(65)] {
            assert!(userid_problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn numbers_of_recipients_have_limits() {
        let ids = |count: usize| vec!["1"; count].join("|");
        for (kind, most) in [(RecipientKind::User, 1000), (RecipientKind::Party, 100), (RecipientKind::Tag, 100)] {
            assert!(errors(kind, &ids(most)).is_empty());
            let found = errors(kind, &ids(most + 1));
            assert_eq!(found.len(), 1);
            assert!(found[0].ends_with(&format!("ids, the limit is {most}")), "{found:?}");
        }
    }

    #[test]
    fn ids_in_a_body() {
        use RecipientKind::{Party, Tag, User};
        for (kind, value) in [(User, "@all"), (User, "a|b"), (User, ""), (Party, "1|4294967295"), (Tag, "0|7")] {
            assert!(errors(kind, value).is_empty(), "{value}");
        }
        let all =
            [(User, "@all|a"), (User, "a | b"), (User, "a||b"), (User, "@ALL"), (Party, "0"), (Party, "4294967296")];
        for (kind, value) in all.into_iter().chain([(Party, "ops"), (Tag, "x"), (Tag, "9223372036854775808")]) {
            assert!(!errors(kind, value).is_empty(), "{value}");
        }
        assert_eq!(errors(User, "a|b c"), ["touser: id 2 of 2, \"b c\", may hold letters, digits, _, -, @ and . only"]);
    }
}
