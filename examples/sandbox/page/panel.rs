//! The faults of the sandbox as switches and buttons. Each sends a line that could be typed into the sandbox as well.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::entries::escape;
use crate::aibot::MISHAPS;
use crate::fake::{Endpoint, FakeWecom, USERS};
use crate::orders::ERRCODES;

/// What is on or off.
struct Switch {
    words: &'static str,
    on: &'static str,
    off: &'static str,
    is_on: fn(&FakeWecom) -> bool,
}

const SWITCHES: [Switch; 3] = [
    Switch {
        words: "this machine's address is refused (60020)",
        on: "refuse-ip",
        off: "accept-ip",
        is_on: FakeWecom::trusts_no_ip,
    },
    Switch { words: "the app is disabled (50003)", on: "disable", off: "enable", is_on: FakeWecom::is_app_disabled },
    Switch {
        words: "a webhook takes 20 messages a minute; more are 45009",
        on: "limit 20/60s",
        off: "limit off",
        is_on: |wecom| wecom.limit_of_webhooks().is_some(),
    },
];

/// What happens once.
const HAPPENINGS: [(&str, &str); 2] =
    [("expire", "all tokens go out of date (42001)"), ("revoke", "all tokens become unknown (40014)")];

/// Statuses of HTTP that are worth trying.
const STATUSES: [(u16, &str); 4] =
    [(429, "too many requests"), (500, "internal server error"), (502, "bad gateway"), (503, "service unavailable")];

/// The switches, all off: [`state`] says which are on.
pub(super) fn html() -> String {
    let mut html =
        String::from("<h3>Answers of WeCom</h3>\n<form id=\"answer\">\n<label>Answer <select name=\"code\">");
    for (code, words) in ERRCODES {
        let selected = if code == 45009 { " selected" } else { "" };
        let _ = write!(html, "<option value=\"answer {code}\"{selected}>{code} {}</option>", escape(words));
    }
    for (status, words) in STATUSES {
        let _ = write!(html, "<option value=\"answer {status}\">HTTP {status} {words}</option>");
    }
    html += "<option value=\"hang\">nothing at all</option></select></label>\n<label>to <select name=\"endpoint\">\
             <option value=\"send\">every send</option><option value=\"all\">everything</option>";
    for endpoint in Endpoint::KNOWN.map(Endpoint::name) {
        let _ = write!(html, "<option>{endpoint}</option>");
    }
    html += "</select></label>\n<label>times <input name=\"times\" type=\"number\" min=\"1\" max=\"99\" \
             placeholder=\"all\"></label>\n<button>Set</button>\n</form>\n<ul id=\"scripted\"></ul>\n";
    html += "<h3>App and webhook</h3>\n";
    for Switch { words, on, off, .. } in &SWITCHES {
        switch(&mut html, words, on, off);
    }
    for (order, words) in HAPPENINGS {
        button(&mut html, words, order);
    }
    html += "<h3>Aibot</h3>\n";
    for (name, mishap, words) in MISHAPS {
        match mishap.lasts() {
            true => switch(&mut html, words, &format!("aibot {name}"), &format!("aibot {name} off")),
            false => button(&mut html, words, &format!("aibot {name}")),
        }
    }
    html += "<form id=\"word\">\n<label>Write to the aibot as <select name=\"user\">";
    for user in USERS {
        let _ = write!(html, "<option>{user}</option>");
    }
    html += "</select></label>\n<label>these words <input name=\"words\" required></label>\n<button>Write</button>\n</form>\n\
             <h3>Everything</h3>\n";
    button(&mut html, "everything is normal again (but for limits)", "normal");
    html
}

/// As the beginning of a line, escaped.
fn line(words: &str) -> String {
    let (first, rest) = words.split_at(words.len().min(1));
    escape(&format!("{}{rest}", first.to_uppercase()))
}

fn switch(html: &mut String, words: &str, on: &str, off: &str) {
    let _ = writeln!(
        html,
        "<label class=\"switch\"><input type=\"checkbox\" role=\"switch\" data-on=\"{on}\" data-off=\"{off}\">\
         <span>{}</span></label>",
        line(words)
    );
}

fn button(html: &mut String, words: &str, order: &str) {
    let _ = writeln!(html, "<button type=\"button\" class=\"order\" data-order=\"{order}\">{}</button>", line(words));
}

/// The orders that are in force, and the answers that are set.
pub(super) fn state(wecom: &FakeWecom) -> Value {
    let plain = SWITCHES.iter().filter(|switch| (switch.is_on)(wecom)).map(|switch| switch.on.to_owned());
    let of_aibot = MISHAPS.iter().filter(|(_, mishap, _)| mishap.is_on(wecom));
    let on: Vec<String> = plain.chain(of_aibot.map(|(name, _, _)| format!("aibot {name}"))).collect();
    let scripted = wecom.scripted().into_iter().map(|(endpoint, what, times)| {
        let what = what.split(',').next().unwrap_or_default();
        let times = times.map_or_else(String::new, |times| format!(", {times} more"));
        json!({"endpoint": endpoint.name(), "words": format!("{}: {what}{times}", endpoint.name())})
    });
    json!({"on": on, "scripted": scripted.collect::<Vec<_>>()})
}
