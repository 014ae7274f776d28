//! The sandbox's page at the address of the stand-in: what arrives, cards to press, faults as switches.
//!
//! Any page of the web can send requests to loopback. So a request must name this machine (`Host`), which ends DNS
//! rebinding, and one that changes something must come from this page (`Origin`) and know the token of this run.

mod entries;
mod feed;
mod panel;

use std::io;

use serde_json::{Value, json};
use wecom_alert::preview;

use crate::Sandbox;
use crate::cards::Press;
use crate::fake::wire::{Answer, Conn, Head};
use crate::fake::{Event, Outcome};
use entries::Files;
use feed::Feed;

const INDEX: &str = include_str!("index.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const ICON: &str = include_str!("icon.svg");

/// Nothing but the files of this page: what a message holds is escaped, and could load or run nothing if it were not.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page of one run.
pub(crate) struct Page {
    prefix: String,
    token: String,
    feed: Feed,
    files: Files,
}

impl Page {
    /// For a stand-in with this path before `/cgi-bin`.
    pub(crate) fn new(prefix: &str) -> Result<Self, String> {
        let mut bytes = [0; 16];
        let random = ring::rand::SystemRandom::new();
        ring::rand::SecureRandom::fill(&random, &mut bytes).map_err(|_| "this system has no random numbers")?;
        let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let run = token[..8].to_owned();
        Ok(Self { prefix: prefix.to_owned(), token, feed: Feed::new(run), files: Files::default() })
    }

    /// Shows a request with what became of it; of a card its number.
    pub(crate) fn show_event(&self, sandbox: &Sandbox, event: &Event, card: Option<usize>) {
        if let Outcome::Uploaded(upload) = &event.seen.outcome {
            self.files.add(upload);
        }
        if let Some(entry) = entries::of_event(event, card, &self.files) {
            self.feed.add("entry", &entry);
        }
        if let (Outcome::CardChanged(_), Some(number)) = (&event.seen.outcome, card)
            && let Some(card) = sandbox.cards.get(number)
            && let Some(faces) = card.faces(sandbox.wecom())
        {
            let html = entries::faces(card.channel(), &faces);
            self.feed.add("card", &json!({"card": number, "html": html}));
        }
        self.show_state(sandbox);
    }

    /// Shows what somebody did here.
    pub(crate) fn show_note(&self, sandbox: &Sandbox, words: &str) {
        self.feed.add("entry", &entries::note(words));
        self.show_state(sandbox);
    }

    fn show_state(&self, sandbox: &Sandbox) {
        self.feed.set_state(&panel::state(sandbox.wecom()));
    }

    /// Answers a request that is for the page, and gives any other back.
    pub(crate) fn serve(&self, sandbox: &Sandbox, head: &Head, conn: &mut Conn) -> Option<io::Result<()>> {
        let path = head.target.strip_prefix(&self.prefix)?.split('?').next()?;
        let is_ours = path == "/" && head.header("upgrade").is_none() || path.starts_with("/sandbox/");
        is_ours.then(|| self.answer(sandbox, path, head, conn))
    }

    fn answer(&self, sandbox: &Sandbox, path: &str, head: &Head, conn: &mut Conn) -> io::Result<()> {
        let body = conn.read_body(head)?;
        let file = |kind: &str, text: &str| Answer::new(200, kind, text);
        let answer = match (head.method.as_str(), path) {
            _ if !is_loopback(head.header("host").unwrap_or_default()) => {
                plain(403, "This page is served to 127.0.0.1 and localhost alone.")
            }
            ("GET", "/") => {
                let page = INDEX.replace("{TOKEN}", &self.token).replace("{PANEL}", &panel::html());
                file("text/html; charset=utf-8", &page)
            }
            ("GET", "/sandbox/page.css") => file("text/css; charset=utf-8", &[preview::STYLE, STYLE].concat()),
            ("GET", "/sandbox/page.js") => file("text/javascript; charset=utf-8", SCRIPT),
            ("GET", "/sandbox/icon.svg") => file("image/svg+xml", ICON),
            ("GET", "/sandbox/events") => {
                self.show_state(sandbox);
                return self.feed.stream(conn, head.header("last-event-id").unwrap_or_default());
            }
            ("POST", "/sandbox/order" | "/sandbox/press") if !self.is_from_the_page(sandbox, head) => {
                plain(403, "Only the sandbox's own page can change anything.")
            }
            ("POST", "/sandbox/order") => told(order(sandbox, &body)),
            ("POST", "/sandbox/press") => told(press(sandbox, &body)),
            _ => plain(404, "Nothing is there."),
        };
        conn.send(&guarded(answer).closing(conn.is_closing()).to_bytes())
    }

    /// Whether that comes from a page of this very address which knows the token.
    fn is_from_the_page(&self, sandbox: &Sandbox, head: &Head) -> bool {
        let scheme = if sandbox.wecom().ca_pem().is_empty() { "http" } else { "https" };
        let origin = format!("{scheme}://{}", head.header("host").unwrap_or_default());
        head.header("origin") == Some(origin.as_str()) && head.header("x-sandbox-token") == Some(self.token.as_str())
    }
}

/// Whether a `Host` is a name of loopback, with whatever port leads here.
fn is_loopback(host: &str) -> bool {
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    matches!(name, "127.0.0.1" | "localhost") && port.parse::<u16>().is_ok()
}

fn plain(status: u16, words: &str) -> Answer {
    Answer::new(status, "text/plain; charset=utf-8", words)
}

/// What came of an order, in words.
fn told(told: Result<String, String>) -> Answer {
    let status = if told.is_ok() { 200 } else { 400 };
    let (Ok(words) | Err(words)) = told;
    plain(status, &words)
}

/// With the headers that every answer of the page has.
fn guarded(mut answer: Answer) -> Answer {
    let headers = [
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    ];
    answer.headers.extend(headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    answer
}

/// A line as on standard input.
fn order(sandbox: &Sandbox, body: &[u8]) -> Result<String, String> {
    sandbox.order(&String::from_utf8_lossy(body).parse()?)
}

/// A press of a card: its number, the key, who presses, and `QUESTION=OPTION` for each option.
fn press(sandbox: &Sandbox, body: &[u8]) -> Result<String, String> {
    let fields: Value = serde_json::from_slice(body).map_err(|_| "a press is a JSON object")?;
    let text = |name: &str| fields[name].as_str().map(str::to_owned).ok_or_else(|| format!("{name} is missing"));
    let number = fields["card"].as_u64().and_then(|number| usize::try_from(number).ok());
    let options = fields["options"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let press = Press { key: text("key")?, userid: text("user")?, options: options.collect() };
    sandbox.order(&crate::Order::Press { number: number.ok_or("card is missing")?, press })
}
