//! Messages that want to run a script on the sandbox's page.

use serde_json::{Value, json};

use super::Sandbox;
use crate::support::browser::Browser;

/// Each runs in a page that does not escape it.
const HOSTILE: [&str; 8] = [
    "<img src=x onerror=\"window.hostile=1\">",
    "\"><img src=x onerror=window.hostile=1>",
    "'><svg><animate onbegin=window.hostile=1 attributeName=x dur=1s></svg>",
    "</pre></details><img src=x onerror=window.hostile=1>",
    "<iframe srcdoc=\"<script>parent.hostile=1</script>\"></iframe>",
    "</textarea></title></style></select></option><img src=x onerror=window.hostile=1>",
    "[a](javascript:window.hostile=1) <a href=\"javascript:window.hostile=1\">b</a><img src=x onerror=window.hostile=1>",
    "<details open ontoggle=window.hostile=1>x</details><img src=x onerror=window.hostile=1>",
];

/// Whether the page has an element, an attribute or an address that could run something.
const LIVE: &str = "[...document.querySelectorAll('#log *')].filter((element) => \
    /^(script|iframe|object|embed|base|link|meta|style)$/i.test(element.tagName) || \
    [...element.attributes].some(({name, value}) => name.startsWith('on') || name === 'srcdoc' || /^(xlink:)?(href|src|action|formaction|to|values)$/.test(name) && /^\\s*javascript:/i.test(value)) \
    ).map((element) => element.outerHTML)";

#[test]
fn a_hostile_message_runs_no_script() {
    let Some(browser) = Browser::start() else { return };
    // Each of them is one.
    for payload in HOSTILE {
        browser.open("data:text/html,<p>a page</p>");
        browser.value(&format!("document.body.innerHTML = {}", json!(payload)));
        browser.wait_for("window.hostile");
    }
    let sandbox = Sandbox::start(&[]);
    browser.set_screen(1280, 800, false);
    browser.open(&sandbox.url());
    let mut sent = 0;
    for payload in HOSTILE {
        for body in bodies(payload) {
            // What WeCom refuses is shown as well.
            sandbox.webhook(&body);
            sent += 1;
        }
    }
    browser.click("#with-requests");
    browser.wait_for(&format!("document.querySelectorAll('#log details').length >= {sent}"));
    browser.value("document.querySelectorAll('#log details').forEach((details) => (details.open = true))");
    browser.value("new Promise((done) => setTimeout(done, 300))");
    assert_eq!(browser.value("typeof window.hostile"), "undefined");
    assert_eq!(browser.value(LIVE), json!([]));
    // They are there, as text.
    assert_eq!(browser.value("document.querySelector('#log').textContent.includes('onerror=window.hostile=1')"), true);
}

fn bodies(payload: &str) -> Vec<Value> {
    let card = json!({
        "card_type": "text_notice", "source": {"desc": payload}, "main_title": {"title": payload, "desc": payload},
        "emphasis_content": {"title": payload, "desc": payload}, "quote_area": {"title": payload, "quote_text": payload},
        "sub_title_text": payload, "horizontal_content_list": [{"keyname": payload, "value": payload}],
        "jump_list": [{"type": 1, "title": payload, "url": "javascript:window.hostile=1"}],
        "card_action": {"type": 1, "url": payload},
    });
    vec![
        json!({"msgtype": "text", "text": {"content": payload, "mentioned_list": [payload]}}),
        json!({"msgtype": "markdown", "markdown": {"content": payload}}),
        json!({"msgtype": "markdown_v2", "markdown_v2": {"content": payload}}),
        json!({"msgtype": "news", "news": {"articles": [{"title": payload, "description": payload, "url": payload, "picurl": payload}]}}),
        json!({"msgtype": "file", "file": {"media_id": payload}}),
        json!({"msgtype": "template_card", "template_card": card}),
        json!({"msgtype": payload, (payload): {"content": payload}}),
    ]
}
