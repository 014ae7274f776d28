//! Somebody whose userid is to be looked up: by mobile number (document path 95402) or by mail address (document path
//! 95895), as people write them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::finding::{Finding, shown};
use super::recipients::ids;
use crate::sanitize::{half_width, is_harmful};

/// The shortest mobile number that is taken for one whatever stands between its digits.
const FEWEST_DIGITS: usize = 8;

/// What a look-up by mobile number takes, in bytes (document path 95402).
const MOBILE_BYTES: std::ops::RangeInclusive<usize> = 5..=32;

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

    /// The setting that names some.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Mobile => "to_mobile",
            Self::Email => "to_email",
        }
    }
}

impl Person {
    /// The people whom one value names, separated as ids are.
    ///
    /// # Errors
    ///
    /// An empty value or item, and what can be no number or no address: WeCom counts wrong look-ups.
    pub fn read(kind: PersonKind, value: &str) -> Result<Vec<Self>, Finding> {
        ids(value).map(|item| Self::one(kind, item, value)).collect()
    }

    fn one(kind: PersonKind, item: &str, value: &str) -> Result<Self, Finding> {
        let wrong = |problem: String, hint: &str| Finding {
            path: kind.setting().to_owned(),
            problem,
            hint: Some(hint.to_owned()),
        };
        if item.is_empty() {
            return Err(wrong(format!("an item is empty in {}", shown(value)), "separate them by single commas"));
        }
        match kind {
            PersonKind::Mobile => {
                let number = bare_number(item);
                let is_number = is_digits(&number) && MOBILE_BYTES.contains(&number.len());
                let hint = "give a mobile number such as 13800000000 or +852 9123 4567; a userid goes with -u";
                let no_number = || wrong(format!("{} is no mobile number", shown(item)), hint);
                if is_number { Ok(Self::Mobile(number)) } else { Err(no_number()) }
            }
            PersonKind::Email => {
                let address = half_width(item);
                let hint = "give a mail address such as zhangsan@example.com; a userid goes with -u";
                let no_address = || wrong(format!("{} is no mail address", shown(item)), hint);
                if is_address(&address) { Ok(Self::Email(address)) } else { Err(no_address()) }
            }
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
    let digits = number.trim_start_matches('+').len();
    (is_digits(&number) && digits >= FEWEST_DIGITS).then_some(number)
}

/// The hint for what stands where a userid belongs and may well be a mobile number or a mail address. Some members have
/// such userids.
pub fn look_up_hint(id: &str) -> Option<&'static str> {
    let is_mobile = || mobile_number(id).is_some_and(|number| number.starts_with('+') || number.len() == 11);
    let is_email = || is_address(&half_width(id)).then_some(());
    if is_mobile() {
        return Some("a mobile number is no userid: wecom-alert get-userid --mobile NUMBER prints the member's");
    }
    is_email().map(|()| "a mail address is no userid: wecom-alert get-userid --email ADDRESS prints the member's")
}

fn is_digits(number: &str) -> bool {
    let digits = number.strip_prefix('+').unwrap_or(number);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
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
    national.filter(|rest| rest.len() == 11 && rest.starts_with('1')).map(str::to_owned).unwrap_or(number)
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
        Ok(read.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
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
            // Of no country that is known: as it is.
            ("8613800000", "8613800000"),
            ("12345", "12345"),
        ] {
            assert_eq!(one(PersonKind::Mobile, written).as_deref(), Ok(number), "{written}");
        }
        assert_eq!(one(PersonKind::Mobile, "13800000000，138 0000 0001").as_deref(), Ok("13800000000 13800000001"));
    }

    #[test]
    fn what_is_no_number_or_address_is_named() {
        let long = "1".repeat(33);
        for bad in ["zhangsan", "1234", "+", "138x0000000", "1380000000+", "++8613800000000", long.as_str(), "@all"] {
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
    fn an_address_is_kept_as_it_was_written_and_its_case_tells_nobody_apart() {
        let read = Person::read(PersonKind::Email, " Zhang.San＠Example.com ").unwrap();
        assert_eq!(read, [Person::Email("Zhang.San@Example.com".to_owned())]);
        assert_eq!(read[0].key(), "zhang.san@example.com");
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
                for person in read {
                    prop_assert!(MOBILE_BYTES.contains(&person.to_string().len()));
                    prop_assert_eq!(Person::read(PersonKind::Mobile, &person.to_string()), Ok(vec![person]));
                }
            }
        }
    }
}
