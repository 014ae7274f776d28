//! The exact text of each format, without cards.

use super::super::{Alert, Fitted, Level, prefix_before};
use super::{HOSTILE, disk_full, fields, link, titled};
use crate::channel::Markup;

fn hostile() -> Alert {
    Alert {
        fields: fields(&[("k|1", HOSTILE)]),
        body: Some(format!("{HOSTILE}\n```\n  # x")),
        link: link("https://example.com/", Some("a]b")),
        ..titled(Some(Level::Warning), HOSTILE)
    }
}

#[test]
fn text() {
    let expected =
        "prod [CRITICAL] Disk full\nhost: web-1\nlog: x\ny|z\n\n98 % used\n/dev/sda1_x\nhttps://example.com/a(1)";
    assert_eq!(disk_full().text().joined(), expected);
    let expected = format!("[WARNING] {HOSTILE}\nk|1: {HOSTILE}\n\n{HOSTILE}\n```\n  # x\na]b: https://example.com/");
    assert_eq!(hostile().text().joined(), expected);
}

#[test]
fn markdown() {
    let expected = "prod <font color=\"warning\">**[CRITICAL] Disk full**</font>\n\
        > host: web-1\n> log: x\n> y|z\n\n98 % used\n/dev/sda1_x\n[Details](https://example.com/a%281%29)";
    assert_eq!(disk_full().markdown().joined(), expected);
    let code = format!("``{HOSTILE}``");
    let expected = format!(
        "<font color=\"warning\">**[WARNING]**</font> {code}\n> k|1: {code}\n\n{code}\n` ``` `\n`  # x`\n\
         a]b [Details](https://example.com/)"
    );
    assert_eq!(hostile().markdown().joined(), expected);
}

/// Code cannot be tapped.
#[test]
fn links_in_the_body_stand_outside_code() {
    let body = "disk  98%\nrunbook_url: https://example.com/r_(1)\nsee  https://example.com/x\n\nhttps://example.com/2\n\
        a[b]: https://example.com/3\n\nlast: http";
    let alert = Alert { body: Some(body.to_owned()), has_links_in_body: true, ..titled(None, "T") };
    assert_eq!(alert.text().joined(), format!("T\n{body}"));
    assert_eq!(
        alert.markdown().joined(),
        "**T**\n`disk  98%`\n[runbook_url](https://example.com/r_%281%29)\n`see  https://example.com/x`\n\n\
         [Details](https://example.com/2)\na[b] [Details](https://example.com/3)\n\n`last: http`"
    );
    assert_eq!(
        alert.markdown_v2().joined(),
        "# T\n\n```\ndisk  98%\n```\n\n- [runbook_url](https://example.com/r_%281%29)\n\n```\nsee  https://example.com/x\n```\n\n\
         - [Details](https://example.com/2)\n- [a\\[b\\]](https://example.com/3)\n\n```\nlast: http\n```"
    );
    // A text of the sender's own shows as it is.
    let own = Alert { has_links_in_body: false, ..alert };
    assert_eq!(own.markdown_v2().joined(), format!("# T\n\n```\n{body}\n```"));
}

#[test]
fn markdown_v2() {
    let expected = "prod\n\n# [CRITICAL] Disk full\n\n| host | web-1 |\n| :-- | :-- |\n\
        | log | x y\\|z |\n\n```\n98 % used\n/dev/sda1_x\n```\n\n[Details](https://example.com/a%281%29)";
    assert_eq!(disk_full().markdown_v2().joined(), expected);
    let escaped = "a\\<b> \\*c\\* \\|d\\| \\`e\\` $x=y$ \\[f\\](g) \\\\\\_ \\&lt; 磁盘 🚨";
    let expected = format!(
        "# [WARNING] {escaped}\n\nk\\|1: {escaped}\n\n\
         ````\n{HOSTILE}\n```\n  # x\n````\n\n[a\\]b](https://example.com/)"
    );
    assert_eq!(hostile().markdown_v2().joined(), expected);
}

#[test]
fn textcard() {
    let card = disk_full().textcard().unwrap();
    assert_eq!(card.rest, None);
    assert_eq!(card.content.title, "prod [CRITICAL] Disk full");
    assert_eq!(
        card.content.description,
        "<div class=\"gray\">host: web-1<br>log: x<br>y|z</div><div class=\"highlight\">98 % used</div>\
         <div class=\"normal\">/dev/sda1_x</div>"
    );
    assert_eq!((card.content.url.as_str(), card.content.btntxt), ("https://example.com/a(1)", None));

    let card = hostile().textcard().unwrap().content;
    let escaped = "a&lt;b> *c* |d| `e` $x=y$ [f](g) \\_ &amp;lt; 磁盘 🚨";
    let expected = format!(
        "<div class=\"gray\">k|1: {escaped}</div><div class=\"highlight\">{escaped}</div>\
         <div class=\"normal\">```<br>  # x</div>"
    );
    assert_eq!(card.description, expected);
    assert_eq!((card.title, card.btntxt), (format!("[WARNING] {HOSTILE}"), Some("a]b".to_owned())));
}

#[test]
fn news() {
    let alert = Alert { picurl: Some("https://example.com/p.png".to_owned()), ..disk_full() };
    let Fitted { content: article, rest } = alert.article().unwrap();
    assert_eq!(article.title, "prod [CRITICAL] Disk full");
    assert_eq!(article.description.as_deref(), Some("host: web-1\nlog: x\ny|z\n98 % used\n/dev/sda1_x"));
    assert_eq!(article.url.as_deref(), Some("https://example.com/a(1)"));
    assert_eq!(article.picurl, alert.picurl);
    assert_eq!(rest, None);

    let article = hostile().article().unwrap();
    let expected = format!("k|1: {HOSTILE}\n{HOSTILE}\n```\n  # x\na]b");
    assert_eq!(article.content.description.as_deref(), Some(expected.as_str()));
    let bare = Alert { link: link("https://example.com/", None), ..titled(None, "x") };
    assert_eq!(bare.article().unwrap().content.description, None);
}

#[test]
fn each_level_has_its_word_and_its_colour() {
    for (level, label, color) in [
        (Level::Info, "[INFO]", "comment"),
        (Level::Ok, "[OK]", "info"),
        (Level::Warning, "[WARNING]", "warning"),
        (Level::Critical, "[CRITICAL]", "warning"),
    ] {
        let alert = titled(Some(level), "Disk");
        assert_eq!(alert.text().joined(), format!("{label} Disk"));
        assert_eq!(alert.markdown().joined(), format!("<font color=\"{color}\">**{label} Disk**</font>"));
        assert_eq!(alert.markdown_v2().joined(), format!("# {label} Disk"));
    }
    let alert = titled(None, "Disk");
    assert_eq!(
        [alert.text(), alert.markdown(), alert.markdown_v2()].map(|its| its.joined()),
        ["Disk", "**Disk**", "# Disk"]
    );
}

#[test]
fn only_fields_are_an_alert() {
    let alert =
        Alert { fields: fields(&[("host", "web-1"), ("user", "")]), prefix: Some("p".to_owned()), ..<_>::default() };
    assert_eq!(alert.text().joined(), "p\nhost: web-1\nuser:");
    assert_eq!(alert.markdown().joined(), "p\n> host: web-1\n> user:");
    assert_eq!(alert.markdown_v2().joined(), "p\n\n| host | web-1 |\n| :-- | :-- |\n| user |  |");
}

#[test]
fn only_a_body_stays_as_it_is() {
    let alert = Alert { body: Some("\n **x**\n".to_owned()), ..Alert::default() };
    assert_eq!(alert.text().joined(), " **x**");
    assert_eq!(alert.markdown().joined(), "` **x**`");
    assert_eq!(alert.markdown_v2().joined(), "```\n **x**\n```");
    let alert = Alert { level: Some(Level::Ok), ..alert };
    assert_eq!(alert.text().joined(), "[OK]  **x**");
    assert_eq!(Alert { body: Some(" \n".to_owned()), ..Alert::default() }.text().joined(), "");
}

/// Columns and indents become code, all lines or none; empty ones stay.
#[test]
fn a_body_with_columns_is_code() {
    for (body, markdown) in [
        ("a  b\n\nc", "`a  b`\n\n`c`"),
        ("a\n\tat <b>", "`a`\n`\tat <b>`"),
        (" a\n  \nb`", "` a`\n\n`` b` ``"),
        ("a\nb", "a\nb"),
        ("a  b", "a  b"),
    ] {
        let alert = Alert { body: Some(body.to_owned()), ..Alert::default() };
        assert_eq!(alert.markdown().joined(), markdown);
    }
}

#[test]
fn a_prefix_is_separated_and_can_be_repeated() {
    let of = |prefix: &str| Alert { prefix: Some(prefix.to_owned()), body: Some("x".to_owned()), ..Alert::default() };
    assert_eq!(of("prod").text().joined(), "prod x");
    assert_eq!(of("prod ").text().joined(), "prod x");
    assert_eq!(of("【生产】").text().joined(), "【生产】x");
    assert_eq!(of(" ").text().joined(), "x");
    assert_eq!(of("a*b").markdown().joined(), "`a*b` x");
    assert_eq!(of("a*b").markdown_v2().prefix, "a\\*b\n\n");
    // The first line of a table stays above the others.
    let table = Alert { body: Some("a  b\nc  d".to_owned()), ..of("prod") };
    assert_eq!((&*table.text().prefix, &*table.markdown().prefix), ("prod\n", "prod\n"));
    assert_eq!(
        format!("{}{}", prefix_before(Markup::Plain, Some("prod"), "a  b\nc  d"), "a  b\nc  d"),
        "prod\na  b\nc  d"
    );
    assert_eq!(format!("{}{}", prefix_before(Markup::Plain, Some("prod"), "a b\nc d"), "a b\nc d"), "prod a b\nc d");
    let rendered = of("prod").text();
    assert_eq!((rendered.prefix.as_str(), rendered.text.as_str()), ("prod ", "x"));
    assert_eq!(Alert { body: None, ..of("prod") }.markdown_v2().joined(), "prod");
}

#[test]
fn a_picture_is_a_link_where_it_cannot_be_shown() {
    let alert = Alert { picurl: Some("https://example.com/p.png".to_owned()), ..titled(None, "x") };
    assert_eq!(alert.text().joined(), "x\nhttps://example.com/p.png");
    assert_eq!(alert.markdown().joined(), "**x**\n[Picture](https://example.com/p.png)");
    assert_eq!(alert.markdown_v2().joined(), "# x\n\n![](https://example.com/p.png)");
    let alert = Alert { link: link("https://example.com/", Some("open")), ..alert };
    assert_eq!(alert.textcard().unwrap().content.description, "<div class=\"normal\">https://example.com/p.png</div>");
    assert_eq!(alert.markdown().joined(), "**x**\n[open](https://example.com/)\n[Picture](https://example.com/p.png)");
}

#[test]
fn what_has_no_room_is_left_over() {
    let title = "磁".repeat(50);
    let alert = Alert {
        body: Some(format!("first\n{}\nlast", "x".repeat(500))),
        link: link("https://example.com/", None),
        ..titled(None, &title)
    };
    let card = alert.textcard().unwrap();
    assert_eq!(card.content.title, format!("{}…", "磁".repeat(41)));
    assert_eq!(card.content.description, format!("<div class=\"normal\">{title}<br>first<br>…</div>"));
    assert_eq!(card.rest.unwrap(), format!("{}\nlast", "x".repeat(500)));

    let article = alert.article().unwrap();
    assert_eq!(article.content.description, Some(format!("{title}\nfirst\n…")));
    assert_eq!(article.rest.unwrap(), format!("{}\nlast", "x".repeat(500)));

    let endless = Alert { body: Some("盘".repeat(600)), title: Some("t".to_owned()), ..alert };
    let article = endless.article().unwrap();
    let description = article.content.description.clone().unwrap();
    let shown = description.strip_suffix("\n…").unwrap();
    assert!(description.len() <= 512 && shown.len() > 500, "{}", description.len());
    assert_eq!(format!("{shown}{}", article.rest.unwrap()), "盘".repeat(600));
}
