//! Truncated texts: what is kept, and whether the number of missing bytes is right.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::*;
use super::property::{any_language, any_markup, chaos, sound};
use super::reading::{blocks, is_balanced};
use crate::config::Keep;
use crate::words::Language;

/// The text before and after the notice, and the number in it.
fn taken_apart(short: &str, language: Language) -> (&str, usize, &str) {
    let (before, behind) = match language {
        Language::English => ("[… ", " bytes left out …]"),
        Language::Chinese => ("【此处省略 ", " 字节】"),
    };
    let (head, rest) = short.split_once(before).unwrap();
    let (number, tail) = rest.split_once(behind).unwrap();
    (head, number.parse().unwrap(), tail)
}

/// Whether the rest of a head is no more than the ends of what is open in it.
fn only_ends(text: &str, rest: &str) -> bool {
    let rest = rest.trim_end_matches('\n').trim_end_matches("</font>");
    let rest = rest.trim_start_matches('\n').trim_end_matches('\n');
    rest.is_empty() || blocks(text).iter().any(|block| block.run == rest)
}

/// Whether the beginning of a tail is no more than the beginnings of what is open in it.
fn only_beginnings(text: &str, start: &str) -> bool {
    let start = start.trim_start_matches('\n');
    let is_block = |start: &str| start.is_empty() || blocks(text).iter().any(|block| block.first_line == start);
    let mut start = start;
    loop {
        if is_block(start) || start == "\n" || is_block(start.trim_start_matches('\n')) {
            return true;
        }
        let Some((tag, rest)) = start.split_once('>') else { return false };
        if !tag.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case("<font")) {
            return false;
        }
        start = rest;
    }
}

/// Whether so many bytes can be what is missing.
fn is_true(text: &str, short: &str, language: Language) -> bool {
    let (head, missing, tail) = taken_apart(short, language);
    let heads: Vec<usize> = (0..=head.len())
        .filter(|kept| {
            head.is_char_boundary(*kept) && text.starts_with(&head[..*kept]) && only_ends(text, &head[*kept..])
        })
        .collect();
    let tails: Vec<usize> = (0..=tail.len())
        .filter(|start| tail.is_char_boundary(*start) && text.ends_with(&tail[*start..]))
        .filter(|start| only_beginnings(text, &tail[..*start]))
        .map(|start| tail.len() - start)
        .collect();
    heads.iter().any(|head| tails.iter().any(|tail| head + tail + missing == text.len()))
}

fn any_keep() -> impl Strategy<Value = Keep> {
    select(vec![Keep::Head, Keep::Tail, Keep::Both])
}

#[test]
fn a_font_that_ends_within_the_reserve_has_room_for_its_end() {
    let text =
        "<font color=\"warning\">``a ` b``字```rust\n``a ` b``aa aaaaaa  aaa aaaaa a aaa aa字\\<font color=\"warning\">\
                ``a ` b``\u{200d}🇨🇳![x](y)![x](y)\u{200d}\u{200d}</font>"
            .to_owned() + &"磁盘已满".repeat(12);
    for limit in 150..text.len() {
        for keep in [Keep::Head, Keep::Both] {
            let short = truncate(&text, limit, Markup::Markdown, keep, Language::English.words());
            assert!(short.len() <= limit, "{} of {limit}", short.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_number_is_true(text in chaos(), limit in 150_usize..500, markup in any_markup(), keep in any_keep(), language in any_language()) {
        // The notice is looked for by its bracket.
        let short = truncate(&text, limit, markup, keep, language.words());
        if text.len() <= limit {
            prop_assert_eq!(short, text);
        } else {
            prop_assert!(short.len() <= limit, "{} of {}", short.len(), limit);
            prop_assert!(is_true(&text, &short, language), "{text:?} became {short:?}");
        }
    }

    #[test]
    fn sound_markup_stays_sound(sound in sound(), limit in 300_usize..600, keep in any_keep(), language in any_language()) {
        let text = &sound.text;
        let short = truncate(text, limit, Markup::Markdown, keep, language.words());
        prop_assert!(short.len() <= limit);
        prop_assert!(is_balanced(&short), "{short:?}");
        if text.len() > limit {
            prop_assert!(is_true(text, &short, language), "{text:?} became {short:?}");
        }
    }

    #[test]
    fn a_long_font_is_ended_and_begun_again(words in 100_usize..300, limit in 150_usize..600, keep in any_keep(), language in any_language()) {
        let text = format!("<font color=\"warning\">{}</font>\nend", "满 ".repeat(words));
        prop_assume!(text.len() > limit);
        let short = truncate(&text, limit, Markup::Markdown, keep, language.words());
        prop_assert!(short.len() <= limit);
        prop_assert_eq!(short.matches("<font color=\"warning\">").count(), short.matches("</font>").count(), "{}", short);
    }
}
