//! Somebody whose userid is to be looked up: by mobile number (document path 95402) or by mail address (document path
//! 95895), as people write them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::finding::{Finding, shown};
use super::recipients::ids;
use crate::sanitize::{half_width, is_harmful};

/// The shortest mobile number that is taken for one whatever stands between its digits.
const FEWEST_DIGITS: usize = 8;

/// The digits of a number of another country, with its code. What a look-up takes, 5 to 32 bytes, is more (document path 95402).
const FOREIGN_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// What a mail address of a member has, in bytes (document path 90195).
const EMAIL_BYTES: std::ops::RangeInclusive<usize> = 6..=64;

/// What somebody is looked up by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Person {
    /// A mobile number as WeCom keeps it: eleven digits for one of mainland China, else with `+` and the country's code.
    Mobile(String),
    /// A mail address, as it was written.
    Email(String),
}

/// The kinds of [`Person`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonKind {
    /// By mobile number.
    Mobile,
    /// By mail address.
    Email,
}

impl PersonKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mobile, Self::Email];

    fn finding(self, problem: String, hint: &str) -> Finding {
        Finding { path: self.setting().to_owned(), problem, hint: Some(hint.to_owned()), kept: None }
    }

    /// The setting that names some.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Mobile => "to_mobile",
            Self::Email => "to_email",
        }
    }
}

impl Person {
    /// The people whom one value names, separated as ids are, each with what is wrong with it: what can be no number or no
    /// address is not looked up, since WeCom counts misses.
    ///
    /// # Errors
    ///
    /// An empty value or item.
    pub fn read(kind: PersonKind, value: &str) -> Result<Vec<(Self, Option<Finding>)>, Finding> {
        let one = |item: &str| {
            if item.is_empty() {
                let problem = format!("an item is empty in {}", shown(value));
                return Err(kind.finding(problem, "separate them by single commas"));
            }
            let person = match kind {
                PersonKind::Mobile => Self::Mobile(bare_number(item)),
                PersonKind::Email => Self::Email(half_width(item)),
            };
            if person.is_possible() {
                return Ok((person, None));
            }
            let (what, hint) = match kind {
                PersonKind::Mobile => (
                    "mobile number",
                    "a number of mainland China has 11 digits and begins with 1, others begin with + or 00, such as \
                     +852 9123 4567; a userid needs no look-up",
                ),
                PersonKind::Email => {
                    ("mail address", "give a mail address such as zhangsan@example.com; a userid needs no look-up")
                }
            };
            let finding = kind.finding(format!("{} is no {what}", shown(item)), hint);
            let written = match kind {
                PersonKind::Mobile => Self::Mobile(item.to_owned()),
                PersonKind::Email => Self::Email(item.to_owned()),
            };
            Ok((written, Some(finding)))
        };
        ids(value).map(one).collect()
    }

    /// Whether there can be somebody with that number or address.
    pub fn is_possible(&self) -> bool {
        match self {
            Self::Mobile(number) => match number.strip_prefix('+') {
                Some(digits) => {
                    is_digits(digits)
                        && FOREIGN_DIGITS.contains(&digits.len())
                        && !digits.starts_with('0')
                        && !digits.starts_with("86")
                }
                None => is_of_mainland(number),
            },
            Self::Email(address) => is_address(address),
        }
    }

    /// By what it is.
    pub fn kind(&self) -> PersonKind {
        match self {
            Self::Mobile(_) => PersonKind::Mobile,
            Self::Email(_) => PersonKind::Email,
        }
    }

    /// The same for everybody who is the same person: the case of a mail address does not matter.
    pub fn key(&self) -> String {
        match self {
            Self::Mobile(number) => number.clone(),
            Self::Email(address) => address.to_lowercase(),
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Mobile(text) | Self::Email(text)) = self;
        f.write_str(text)
    }
}

/// The number in `+86 138-0000-0000` or in full-width digits, as a member's entry has it; `None` for anything else.
pub fn mobile_number(written: &str) -> Option<String> {
    let number = bare_number(written);
    let digits = number.strip_prefix('+').unwrap_or(&number);
    (is_digits(digits) && digits.len() >= FEWEST_DIGITS).then_some(number)
}

/// What somebody may well be meant by whose userid this can hardly be: a mobile number or mail address. Some members have such
/// userids.
pub fn seeming_person(id: &str) -> Option<PersonKind> {
    PersonKind::ALL.into_iter().find(|kind| match kind {
        PersonKind::Mobile => {
            mobile_number(id).is_some_and(|number| is_of_mainland(&number) || id.starts_with(['+', '＋']))
        }
        PersonKind::Email => is_address(&half_width(id)),
    })
}

/// The hint for what stands where a userid belongs and seems to be a mobile number or mail address.
pub fn look_up_hint(id: &str) -> Option<&'static str> {
    Some(match seeming_person(id)? {
        PersonKind::Mobile => {
            "a mobile number is no userid: wecom-alert get-userid --mobile NUMBER prints the member's"
        }
        PersonKind::Email => "a mail address is no userid: wecom-alert get-userid --email ADDRESS prints the member's",
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_of_mainland(number: &str) -> bool {
    is_digits(number) && number.len() == 11 && number.starts_with('1')
}

/// A number without what stands between its digits, and without the code of mainland China, whose numbers have eleven
/// digits and begin with 1.
fn bare_number(written: &str) -> String {
    let is_shape = |c: char| {
        c.is_whitespace()
            || is_harmful(c)
            || matches!(c, '-' | '(' | ')' | '.' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}')
    };
    let number: String = half_width(written).chars().filter(|c| !is_shape(*c)).collect();
    // As it is dialled from abroad.
    let abroad = number.strip_prefix("00").filter(|rest| !rest.starts_with('0')).map(|rest| format!("+{rest}"));
    let number = abroad.unwrap_or(number);
    let national = ["+86", "86"].iter().find_map(|code| number.strip_prefix(code));
    national.filter(|rest| is_of_mainland(rest)).map(str::to_owned).unwrap_or(number)
}

/// Whether it can be a mail address: WeCom knows which there are.
fn is_address(text: &str) -> bool {
    let is_word = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    let halves = text.split_once('@').filter(|(name, host)| is_word(name) && is_word(host));
    EMAIL_BYTES.contains(&text.len())
        && halves.is_some_and(|(name, host)| !name.contains(['<', '>']) && !host.contains(['@', '<', '>']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one(kind: PersonKind, value: &str) -> Result<String, String> {
        let read = Person::read(kind, value).map_err(|finding| finding.to_string())?;
        if let Some(finding) = read.iter().find_map(|(_, finding)| finding.as_ref()) {
            return Err(finding.to_string());
        }
        Ok(read.iter().map(|(person, _)| person.to_string()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn numbers_in_the_forms_that_people_write() {
        for (written, number) in [
            ("13800000000", "13800000000"),
            ("+86 138-0000-0000", "13800000000"),
            ("0086 13800000000", "13800000000"),
            ("86-138 0000 0000", "13800000000"),
            ("(+86)138.0000.0000", "13800000000"),
            ("１３８００００００００", "13800000000"),
            ("＋８６ （138）0000－0000", "13800000000"),
            ("\u{202a}+86 138 0000 0000\u{202c}", "13800000000"),
            ("138\u{a0}0000\u{2011}0000", "13800000000"),
            ("+852 9123 4567", "+85291234567"),
            ("00852 9123 4567", "+85291234567"),
            ("+1 (555) 010-0000", "+15550100000"),
            ("+29 0123", "+290123"),
            ("+123456789012345", "+123456789012345"),
        ] {
            assert_eq!(one(PersonKind::Mobile, written).as_deref(), Ok(number), "{written}");
        }
        assert_eq!(one(PersonKind::Mobile, "13800000000，138 0000 0001").as_deref(), Ok("13800000000 13800000001"));
    }

    #[test]
    fn what_is_no_number_or_address_is_named() {
        for bad in [
            "zhangsan",
            "1234",
            "12345",
            "+",
            "138x0000000",
            "1380000000",
            "138000000002",
            "23800000000",
            "8613800000",
            "1380000000+",
            "++8613800000000",
            "+86 1380000000",
            "0086 138000000002",
            "+861",
            "+1234",
            "+1234567890123456",
            "+012345",
            "91234567",
            "@all",
            "11111111111111111111111111111111",
        ] {
            assert!(one(PersonKind::Mobile, bad).unwrap_err().contains("is no mobile number"), "{bad}");
        }
        for bad in
            ["zhangsan", "@example.com", "a@", "a@b@example.com", "a b@example.com", "Zhang <z@example.com>", "@all"]
        {
            assert!(one(PersonKind::Email, bad).unwrap_err().contains("is no mail address"), "{bad}");
        }
        for (kind, empty) in [(PersonKind::Mobile, ""), (PersonKind::Mobile, "13800000000,"), (PersonKind::Email, " ")]
        {
            let told = one(kind, empty).unwrap_err();
            assert!(told.contains("an item is empty"), "{told}");
        }
        assert_eq!(one(PersonKind::Mobile, "x").unwrap_err(), "to_mobile: \"x\" is no mobile number");
    }

    #[test]
    fn what_is_meant_by_a_userid_of_nobody() {
        for (written, kind) in [
            ("13800000001", Some(PersonKind::Mobile)),
            ("+8613800000001", Some(PersonKind::Mobile)),
            ("lisi@example.com", Some(PersonKind::Email)),
            ("lisi", None),
            ("1001", None),
            ("@all", None),
        ] {
            assert_eq!(seeming_person(written), kind, "{written}");
        }
    }

    #[test]
    fn an_address_is_kept_as_it_was_written_and_its_case_tells_nobody_apart() {
        let read = Person::read(PersonKind::Email, " Zhang.San＠Example.com ").unwrap();
        assert_eq!(read, [(Person::Email("Zhang.San@Example.com".to_owned()), None)]);
        assert_eq!(read[0].0.key(), "zhang.san@example.com");
    }

    #[test]
    fn numbers_and_addresses_are_told_from_userids() {
        for (id, option) in [
            ("13800000003", "--mobile"),
            ("+86 138 0000 0003", "--mobile"),
            ("１３８００００００００", "--mobile"),
            ("lisi@example.com", "--email"),
        ] {
            assert!(look_up_hint(id).is_some_and(|hint| hint.contains(option)), "{id}");
        }
        for id in ["lisi", "1001", "20240017", "张三", "@all", ""] {
            assert_eq!(look_up_hint(id), None, "{id}");
        }
    }

    proptest! {
        #[test]
        fn what_stands_between_the_digits_of_a_number_does_not_matter(
            code in prop::sample::select(vec!["", "+86", "0086", "86", "＋８６", "(+86)"]),
            digits in "1[3-9][0-9]{9}",
            between in "[ ()./\u{a0}\u{2011}-]{0,3}",
            is_wide: bool,
        ) {
            let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).unwrap();
            let shown: String = digits.chars().map(|c| if is_wide { wide(c) } else { c }).flat_map(|c| [c.to_string(), between.clone()]).collect();
            let written = format!("{code}{between}{shown}");
            prop_assert_eq!(one(PersonKind::Mobile, &written), Ok(digits.clone()));
            prop_assert_eq!(mobile_number(&written), Some(digits));
        }

        #[test]
        fn a_number_is_read_once_and_for_all(written in "\\PC{0,40}") {
            if let Ok(read) = Person::read(PersonKind::Mobile, &written) {
                for (person, _) in read.into_iter().filter(|(_, finding)| finding.is_none()) {
                    prop_assert!((5..=32).contains(&person.to_string().len()));
                    prop_assert_eq!(Person::read(PersonKind::Mobile, &person.to_string()), Ok(vec![(person, None)]));
                }
            }
        }
    }
}
