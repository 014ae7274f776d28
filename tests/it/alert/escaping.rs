//! A log line shows as itself in every type, whatever is in it.

use wecom_alert::channel::Channel;

use super::{URL, delivered, text_in};
use crate::support::{CARD_ROUTES, HTTP_ROUTES, Scene};

/// Lines of which each means something in some type.
const HOSTILE: [&str; 12] = [
    "a <b>c</b> <@all> <font color=\"info\">",
    "**bold** 2*3*4",
    "| a | b |",
    "`code` ``x``",
    "$userName=zhangsan$",
    "[a](https://evil.test) ![b](c)",
    "# heading #",
    "> quote",
    "```",
    "&lt; &#39; &amp;",
    "_italic_ ~~gone~~ \\*",
    "<br></div> <!-- -->",
];

/// The inline code that a line is, as CommonMark reads it.
fn read_code(line: &str) -> &str {
    let fence = &line[..line.bytes().take_while(|byte| *byte == b'`').count()];
    let inner = line.strip_prefix(fence).and_then(|rest| rest.strip_suffix(fence)).unwrap();
    let is_padded = inner.starts_with(" `") || inner.ends_with("` ");
    if is_padded { &inner[1..inner.len() - 1] } else { inner }
}

#[test]
fn in_text_nothing_is_touched_but_mentions_and_links() {
    let scene = Scene::new();
    for route in HTTP_ROUTES {
        let sent = delivered(
            &scene,
            "text",
            scene.send(route, &["-t", "text", "--title", HOSTILE[0]]).stdin(HOSTILE.join("\n")),
        );
        let shown = format!("{}\n{}", HOSTILE[0], HOSTILE.join("\n")).replace("<@", "<\u{200b}@");
        assert_eq!(text_in(&sent[0]), shown);
    }
}

#[test]
fn in_markdown_every_such_line_is_inline_code() {
    let scene = Scene::new();
    for route in HTTP_ROUTES {
        let sent = delivered(
            &scene,
            "markdown",
            scene.send(route, &["-t", "markdown", "--level", "ok", "--field", "k=v"]).stdin(HOSTILE.join("\n")),
        );
        let (_, body) = text_in(&sent[0]).split_once("\n\n").unwrap();
        let plain = ["| a | b |", "$userName=zhangsan$"];
        let read: Vec<_> =
            body.split('\n').map(|line| if plain.contains(&line) { line } else { read_code(line) }).collect();
        assert_eq!(read, HOSTILE);
        for line in HOSTILE {
            let args = ["-t", "markdown", "--title", line, "--field", &format!("{line}={line}")];
            let sent = delivered(&scene, line, scene.send(route, &args).stdin(""));
            let shown = text_in(&sent[0]);
            let bare: String = shown.split('`').step_by(2).collect();
            assert!(
                !bare.contains("<b>") && !bare.contains("<@") && !bare.contains("](") && !bare.contains("<font"),
                "{shown}"
            );
        }
    }
}

#[test]
fn in_markdown_v2_the_body_is_fenced_and_the_rest_has_backslashes() {
    let scene = Scene::new();
    let body = format!("{}\n`````", HOSTILE.join("\n"));
    let sent =
        delivered(&scene, "body", scene.send(Channel::Webhook, &["-t", "markdown_v2", "--title", "t"]).stdin(&*body));
    assert_eq!(text_in(&sent[0]), format!("# t\n\n``````\n{body}\n``````"));
    for line in HOSTILE {
        let field = format!("key={line}");
        let sent = delivered(
            &scene,
            line,
            scene
                .send(Channel::Webhook, &["-t", "markdown_v2", "--title", line, "--field", "a=b", "--field", &field])
                .stdin(""),
        );
        let lines: Vec<_> = text_in(&sent[0]).split('\n').collect();
        let (title, row) = (lines[0].strip_prefix("# ").unwrap(), lines[4]);
        let cell = row.strip_prefix("| key | ").and_then(|row| row.strip_suffix(" |")).unwrap();
        for shown in [title, cell] {
            // Take the backslashes away and it is what it was; no bare sign is left.
            assert_eq!(shown.replace("\\\\", "\u{1}").replace('\\', "").replace('\u{1}', "\\"), line);
            let bare = shown.replace("\\\\", "");
            for sign in ["|", "`", "<b", "<@", "</", "](", "&lt;", "~~", "_i"] {
                assert_eq!(bare.matches(sign).count(), bare.matches(&format!("\\{sign}")).count(), "{sign} in {shown}");
            }
        }
    }
}

#[test]
fn in_a_textcard_tags_and_entities_are_words() {
    let scene = Scene::new();
    for line in HOSTILE {
        let args = ["-t", "textcard", "--title", line, "--url", URL, "--field", &format!("k={line}"), line];
        let sent = delivered(&scene, line, scene.send(Channel::App, &args));
        let description = text_in(&sent[0]);
        let inner =
            description.replace("<div class=\"gray\">", "").replace("<div class=\"normal\">", "").replace("</div>", "");
        assert!(!inner.contains("</") && !inner.contains("<b") && !inner.contains("<!"), "{description}");
        assert_eq!(inner.replace("&lt;", "<").replace("&amp;", "&"), format!("k: {line}{line}"));
        assert_eq!(sent[0]["textcard"]["title"], line);
    }
}

#[test]
fn articles_and_cards_have_no_markup() {
    let scene = Scene::new();
    for route in HTTP_ROUTES {
        for line in HOSTILE {
            let args = ["-t", "news", "--title", line, "--url", URL, "--field", &format!("k={line}"), line];
            let sent = delivered(&scene, line, scene.send(route, &args));
            let article = &sent[0]["news"]["articles"][0];
            assert_eq!((&article["title"], text_in(&sent[0])), (&line.into(), &*format!("k: {line}\n{line}")));
            if !CARD_ROUTES.contains(&route) {
                continue;
            }
            let args = [
                "--card",
                "text_notice",
                "--url",
                URL,
                "--field",
                &format!("a long name={line}"),
                "--quote",
                line,
                line,
            ];
            let sent = delivered(&scene, line, scene.send(route, &args));
            let card = &sent[0]["template_card"];
            assert_eq!(card["sub_title_text"], format!("a long name: {line}\n{line}"));
            assert_eq!(card["quote_area"]["quote_text"], line);
        }
    }
}
