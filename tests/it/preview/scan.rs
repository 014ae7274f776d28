//! A simple and strict reading of a page: only the elements and attributes that the page itself uses, each in its one
//! spelling. Whatever a message could slip in would be something else.

const TAGS: [&str; 54] = [
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "main",
    "nav",
    "section",
    "article",
    "h1",
    "h2",
    "h3",
    "p",
    "ul",
    "ol",
    "li",
    "div",
    "span",
    "small",
    "pre",
    "code",
    "strong",
    "em",
    "del",
    "a",
    "br",
    "hr",
    "img",
    "table",
    "tr",
    "th",
    "td",
    "blockquote",
    "form",
    "button",
    "input",
    "select",
    "option",
    "label",
    "details",
    "summary",
    "dl",
    "dt",
    "dd",
    "/",
    "!DOCTYPE",
    "tbody",
    "i",
    "b",
    "u",
    "figure",
    "nobr",
];

const ATTRIBUTES: [&str; 31] = [
    "class",
    "dir",
    "lang",
    "title",
    "href",
    "rel",
    "target",
    "alt",
    "src",
    "method",
    "data-task-id",
    "data-key",
    "data-question",
    "type",
    "name",
    "value",
    "checked",
    "selected",
    "open",
    "id",
    "aria-labelledby",
    "aria-label",
    "aria-hidden",
    "role",
    "tabindex",
    "start",
    "charset",
    "content",
    "http-equiv",
    "html",
    "colspan",
];

/// Fails at anything that the page does not write itself; `what` says which page.
#[track_caller]
pub(crate) fn assert_harmless(html: &str, what: &str) {
    let mut rest = html;
    while let Some((text, behind)) = rest.split_once('<') {
        assert_text(text, what);
        let tag = behind.split('>').next().unwrap();
        let (tag, behind) = (tag, &behind[tag.len() + 1..]);
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        assert!(TAGS.contains(&name), "{what}: <{tag}>");
        if !tag.starts_with('/') {
            assert_attributes(&tag[name.len()..], what);
        }
        rest = behind;
        if name == "style" && !tag.starts_with('/') {
            // Our own: a message cannot end it, since nothing of it is before.
            let (style, behind) = behind.split_once("</style>").unwrap();
            assert!(!style.contains(['<', '\\']) && !style.contains("url(") && !style.contains("@import"), "{what}");
            rest = behind;
        }
    }
    assert_text(rest, what);
}

#[track_caller]
fn assert_attributes(mut rest: &str, what: &str) {
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let name = rest.split(['=', ' ']).next().unwrap();
        assert!(ATTRIBUTES.contains(&name), "{what}: attribute {name:?} of {rest:?}");
        rest = &rest[name.len()..];
        if let Some(behind) = rest.strip_prefix("=\"") {
            let (value, behind) = behind.split_once('"').unwrap_or_else(|| panic!("{what}: {rest:?}"));
            assert_text(value, what);
            match name {
                "href" => assert!(
                    ["http://", "https://", "#"].iter().any(|start| value.to_ascii_lowercase().starts_with(start)),
                    "{what}: {value}"
                ),
                "src" => assert!(
                    ["data:image/png;base64,", "data:image/jpeg;base64,"].iter().any(|start| value.starts_with(start)),
                    "{what}: {value}"
                ),
                _ => {}
            }
            rest = behind;
        }
    }
}

/// Text and values hold no sign that HTML could take for anything else.
#[track_caller]
fn assert_text(text: &str, what: &str) {
    assert!(!text.contains('>') && !text.contains('\0'), "{what}: {text:?}");
    for behind in text.split('&').skip(1) {
        let is_known = ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|entity| behind.starts_with(entity));
        assert!(is_known, "{what}: &{behind:?}");
    }
}
