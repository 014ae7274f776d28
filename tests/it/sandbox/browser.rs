//! The sandbox's page in a real browser.

use serde_json::json;

use super::Sandbox;
use crate::support::browser::Browser;

/// The places of a tab stop, one after the other, until one of that selector has the focus.
fn tab_to(browser: &Browser, selector: &str) {
    for _ in 0..200 {
        if browser.value(&format!("document.activeElement.matches({})", json!(selector))) == true {
            return;
        }
        browser.key("Tab");
    }
    panic!("no way to {selector} by the keyboard");
}

fn ask(sandbox: &Sandbox, title: &str) -> crate::support::Running {
    sandbox.ask(&["--button", "ack=I do it", "--button", "mute=Mute", title]).spawn()
}

#[test]
fn a_card_that_is_pressed_in_a_browser_ends_a_question_by_mouse_and_by_keyboard() {
    let Some(browser) = Browser::start() else { return };
    let sandbox = Sandbox::start(&[]);
    browser.open(&sandbox.url());
    browser.wait_for("document.querySelector('#connection').textContent === 'live'");
    let asking = ask(&sandbox, "first");
    browser.click("[data-card='1'] button[data-key=mute]");
    assert_eq!(asking.wait().assert_code(0).json()["answer"]["key"], "mute");
    browser.wait_for("!document.querySelector('[data-card=\"1\"] button[data-key=ack]')");
    browser.wait_for("document.querySelector('#told').textContent.includes('pressed mute on card 1')");
    for (number, key) in [(2, "Enter"), (3, " ")] {
        let asking = ask(&sandbox, &format!("question {number}"));
        let button = format!("[data-card='{number}'] button[data-key=ack]");
        browser.wait_for(&format!("document.querySelector({})", json!(button)));
        browser.value("document.activeElement.blur()");
        tab_to(&browser, &button);
        browser.key(key);
        assert_eq!(asking.wait().assert_code(0).json()["answer"]["key"], "ack");
        // The button is gone; whoever works with the keyboard goes on from its card.
        browser.wait_for(&format!("document.activeElement.dataset.card === '{number}'"));
    }
}

#[test]
fn a_switch_of_the_page_makes_the_next_send_fail() {
    let Some(browser) = Browser::start() else { return };
    let mut sandbox = Sandbox::start(&[]);
    browser.set_screen(360, 740, false);
    browser.open(&sandbox.url());
    browser.wait_for("document.querySelector('#connection').textContent === 'live'");
    browser.click("#open-panel");
    tab_to(&browser, "input[data-on=refuse-ip]");
    browser.key(" ");
    sandbox.wait_for("this machine's address is refused now");
    sandbox.cmd(&["app-send", "refused"]).run().assert_code(4);
    browser.wait_for("document.querySelector('.entry.trouble').textContent.includes('60020')");
    assert_eq!(browser.value("document.querySelector('input[data-on=refuse-ip]').checked"), true);
    sandbox.types("normal");
    browser.wait_for("!document.querySelector('input[data-on=refuse-ip]').checked");
    // An answer for sends, and its end.
    browser.click("#answer button");
    browser.wait_for("document.querySelectorAll('#scripted button').length === 3");
    browser.click("#scripted button");
    browser.wait_for("document.querySelectorAll('#scripted button').length === 2");
    sandbox.cmd(&["app-send", "taken"]).run().assert_code(0);
}

#[test]
fn a_thousand_messages_do_not_slow_the_page_down() {
    let Some(browser) = Browser::start() else { return };
    let sandbox = Sandbox::start(&["--quiet"]);
    browser.set_screen(1280, 800, false);
    browser.open(&sandbox.url());
    let mut works = Vec::new();
    for hundred in 0..10 {
        let before = browser.work();
        for number in 0..100 {
            let content =
                format!("# Message {hundred}{number:02}\n> disk of **web-{number}** is `98 %` full\n\n磁盘快满了");
            let answer = sandbox.webhook(&json!({"msgtype": "markdown", "markdown": {"content": content}}));
            assert_eq!(answer["errcode"], 0);
        }
        let count = (hundred + 1) * 100;
        browser.wait_for(&format!("document.querySelectorAll('#log .sent').length === {count}"));
        // What is to be drawn is drawn.
        browser.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        works.push(browser.work() - before);
    }
    // The first hundred have the start of everything in them.
    let (early, late): (f64, f64) = (works[1..4].iter().sum(), works[7..].iter().sum());
    assert!(late < 3.0 * early, "the page works more and more: {works:?}");
    // The newest is in sight, since nobody has scrolled away.
    browser
        .wait_for("document.querySelector('#log').lastElementChild.getBoundingClientRect().bottom <= innerHeight + 20");
    let counted = browser.value("document.querySelector('#places [data-place=\"webhook: the group\"] b').textContent");
    assert_eq!(counted, "1000");
}
