//! Property tests: texts of everything that is hard to cut.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use unicode_segmentation::UnicodeSegmentation;

use super::super::*;
use super::reading::{is_balanced, join, unmarked};
use crate::config::Keep;
use crate::words::Language;

/// Pieces of markup, whole and broken, in any order.
pub(super) fn chaos() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "磁盘已满",
        "字",
        "a",
        "é",
        "e\u{301}\u{302}",
        "👨‍👩‍👧‍👦",
        "🇨🇳",
        "🇩🇪🇫🇷",
        "👍🏽",
        "❤️",
        "क्षि",
        "\u{200d}",
        "한국",
        "\n",
        "\n",
        "\n\n",
        " ",
        "  \n",
        "\t",
        "```\n",
        "```rust\n",
        "\n```\n",
        "\n~~~\n",
        "~~~ text\n",
        "\n````md\n",
        "\n````\n",
        "   ```sh\n",
        "```",
        "<font color=\"warning\">",
        "</font>",
        "<font color=\"info\">ok</font>",
        "<font",
        ">",
        "[link](https://x.example/a_(b))",
        "[",
        "](",
        ")",
        "(",
        "![x](y)",
        "`code`",
        "``a ` b``",
        "`",
        "```x```",
        "\\",
        "> quote\n",
        "# 标题\n",
        "| a | b |\n|---|---|\n",
    ]);
    let piece = prop_oneof![6 => pieces.prop_map(str::to_owned), 1 => "[a-z ]{1,90}", 1 => "[中文字 ]{1,40}"];
    vec(piece, 0..90).prop_map(|pieces| pieces.concat().trim_end_matches('\n').to_owned())
}

/// Text whose markup is sound.
#[derive(Debug, Clone)]
pub(super) struct Sound {
    pub(super) text: String,
    /// Links, code, fonts and short blocks.
    whole: Vec<Range<usize>>,
}

/// Sound markup, no single thing longer than 80 bytes but for fenced blocks.
pub(super) fn sound() -> impl Strategy<Value = Sound> {
    let words = select(vec![
        "磁盘已满",
        "word ",
        "👨‍👩‍👧‍👦",
        "🇨🇳",
        "e\u{301}",
        "\n",
        "\n\n",
        "> 引用\n",
        "| a | b |\n",
        "  ",
        "\n### t\n",
        "long".repeat(20).leak(),
        "长".repeat(60).leak(),
    ]);
    let whole = select(vec![
        "[link](https://x.example/a_(b)?c=1)",
        "![图](https://x.example/p.png)",
        "[a [b] `c`](d)",
        "`code`",
        "``a ` b``",
        "```x y```",
        "<font color=\"warning\">警告 90%</font>",
        "<FONT color=\"info\">two\nlines [l](u) `c`</FONT>",
    ]);
    let lines = select(vec![
        "line of code\n",
        "\n",
        "x``` `y` [a](b\n",
        "``` no end\n",
        "# 注释 <font>\n",
        "👍🏽👍🏽\n",
        "~~~\n",
        "a``````````````b".repeat(12).leak(),
    ]);
    let fence = (select(vec!["```", "````", "  ```"]), select(vec!["", "sh", " rust x"]), vec(lines, 1..25));
    let fence = fence.prop_map(|(run, info, lines)| format!("{run}{info}\n{}\n{run}\n", lines.concat().trim_end()));
    let piece = prop_oneof![
        6 => words.prop_map(|word| (word.to_owned(), false)),
        4 => whole.prop_map(|whole| (whole.to_owned(), true)),
        1 => fence.prop_map(|fence| (fence, true)),
    ];
    vec(piece, 1..50).prop_map(|pieces| {
        let (mut text, mut whole) = (String::new(), Vec::new());
        for (piece, is_whole) in pieces {
            if piece.contains("```") && piece.ends_with('\n') && !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            } else if text.ends_with('`') {
                text.push(' ');
            }
            let start = text.len();
            text.push_str(&piece);
            if is_whole {
                whole.push(start..text.len());
            }
        }
        text.truncate(text.trim_end_matches('\n').len());
        Sound { text, whole }
    })
}

pub(super) fn any_markup() -> impl Strategy<Value = Markup> {
    select(vec![Markup::Plain, Markup::Markdown, Markup::MarkdownV2])
}

pub(super) fn any_language() -> impl Strategy<Value = Language> {
    select(vec![Language::English, Language::Chinese])
}

/// The widest mark of so many parts.
fn mark(parts: usize) -> usize {
    format!("({parts}/{parts})\n\n").len()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back(text in chaos(), limit in 110_usize..400, markup in any_markup()) {
        let parts = split(&text, limit, markup);
        prop_assert!(parts.iter().all(|part| part.len() <= limit), "{parts:?}");
        let cuts = join(&text, &parts, limit, markup);
        prop_assert_eq!(parts.len() == 1, text.len() <= limit);
        // Nothing here is a cluster longer than a part.
        let borders: Vec<usize> = text.grapheme_indices(true).map(|(at, cluster)| {
            assert!(cluster.len() + 20 < limit, "{cluster:?}");
            at
        }).collect();
        for cut in cuts {
            prop_assert!(borders.contains(&cut), "{cut} in {text:?}");
        }
        // White space alone is a part only where neither neighbour has room for it (and the widest mark).
        let is_blank = |index: usize| parts.len() > 1 && unmarked(&parts[index], index, parts.len(), markup).trim().is_empty();
        for index in (0..parts.len()).filter(|index| is_blank(*index)) {
            let other = [index.checked_sub(1), Some(index + 1)].into_iter().flatten().filter_map(|index| parts.get(index));
            let blank = unmarked(&parts[index], index, parts.len(), markup).len();
            prop_assert!(other.clone().all(|part| part.len() + blank + 2 > limit), "{parts:?}");
        }
    }

    #[test]
    fn any_limit_ends(text in chaos(), limit in 0_usize..100, markup in any_markup(), language in any_language()) {
        let parts = split(&text, limit, markup);
        prop_assert!(parts.len() <= text.len().max(1));
        for keep in [Keep::Head, Keep::Tail, Keep::Both] {
            let _ = truncate(&text, limit, markup, keep, language.words());
        }
    }

    #[test]
    fn what_belongs_together_stays(sound in sound(), limit in 120_usize..400, v2 in any::<bool>()) {
        let markup = if v2 { Markup::MarkdownV2 } else { Markup::Markdown };
        let Sound { text, whole } = &sound;
        prop_assert!(is_balanced(text));
        let parts = split(text, limit, markup);
        let cuts = join(text, &parts, limit, markup);
        // The marks may have been reckoned with one digit more than they need.
        let room = limit - mark(10 * parts.len());
        for span in whole.iter().filter(|span| span.len() <= room) {
            let inside = cuts.iter().find(|cut| span.start < **cut && **cut < span.end);
            prop_assert_eq!(inside, None, "{:?} of {:?}", &text[span.clone()], parts);
        }
        for (index, part) in parts.iter().enumerate() {
            prop_assert!(part.len() <= limit);
            prop_assert!(is_balanced(part), "part {} of {:?}", index + 1, parts);
        }
    }

    #[test]
    fn a_line_border_is_used_where_there_is_one(lines in vec("[a-z]{1,60}", 1..60), limit in 100_usize..300, markup in any_markup()) {
        let text = lines.join("\n");
        for cut in join(&text, &split(&text, limit, markup), limit, markup) {
            prop_assert!(text[..cut].ends_with('\n'), "{cut}");
        }
    }

    #[test]
    fn no_sign_of_a_textcard_is_cut(pieces in vec(select(vec!["<br>", "<br>", "&lt;a", "&amp;", "字", "👍🏽", " word", "<", "&", ";", "\n"]), 1..200), limit in 70_usize..200, language in any_language()) {
        let text = pieces.concat();
        let parts = split(&text, limit, Markup::Textcard);
        prop_assert!(parts.iter().all(|part| part.len() <= limit), "{parts:?}");
        let mut at = 0;
        for cut in join(&text, &parts, limit, Markup::Textcard) {
            for sign in ["<br>", "&lt;", "&amp;"] {
                let inside = text.match_indices(sign).find(|(start, _)| *start < cut && cut < start + sign.len());
                prop_assert_eq!(inside, None, "{:?}", &text[at..cut]);
            }
            at = cut;
        }
        for keep in [Keep::Head, Keep::Tail, Keep::Both] {
            let short = truncate(&text, limit, Markup::Textcard, keep, language.words());
            prop_assert!(short.len() <= limit, "{short:?}");
            let left = short.replace("<br>", "").replace("&lt;", "").replace("&amp;", "");
            let whole = text.replace("<br>", "").replace("&lt;", "").replace("&amp;", "");
            let halves = |text: &str| ["<b", "br>", "&l", "lt;", "&a", "amp;"].iter().any(|half| text.contains(half));
            prop_assert!(halves(&whole) || !halves(&left), "{text:?} became {short:?}");
        }
    }

    #[test]
    fn a_bound_refuses_what_has_more_parts(text in chaos(), limit in 110_usize..200, markup in any_markup(), most in 0_usize..12) {
        let parts = split(&text, limit, markup);
        let bounded = split_up_to(&text, limit, markup, most);
        // Ten parts have wider marks than nine, and rarely less room makes fewer parts.
        prop_assume!(most != 9);
        prop_assert_eq!(bounded, (parts.len() <= most).then_some(parts));
    }
}
