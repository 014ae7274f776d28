//! WeCom as it calls a callback address: verifications, presses on cards, events and messages, encrypted and signed, with its
//! retries (document paths 90930, 90238 and 90240; of an aibot 101039).

mod http;
mod seal;

use std::time::Duration;

use serde_json::{Value, json};

use super::aibot::{AIBOT_ID, Click, click_by_callback};
use super::app_cards;
use super::judge::answer_by_callback;
use super::server::lock;
use super::{AGENT_ID, CORP_ID, FakeWecom};

pub use http::Answer;
pub use seal::Keys;

/// What the app's 接收消息 is set up with.
pub const CALLBACK_TOKEN: &str = "testCallbackToken1";
pub const CALLBACK_AES_KEY: &str = "testCallbackAesKey0000000000000000000000001";
/// The same of the aibot, for tests in which it is set to a URL.
pub const AIBOT_CALLBACK_TOKEN: &str = "testAibotCallbackToken1";
pub const AIBOT_CALLBACK_AES_KEY: &str = "testAibotCallbackAesKey00000000000000000001";

/// The callback address of an app or an aibot.
pub struct Callback<'a> {
    wecom: &'a FakeWecom,
    url: String,
    /// What requests are signed and encrypted with.
    pub keys: Keys,
    /// By how much the `timestamp` of a request is ahead of WeCom's clock.
    pub ahead_s: i64,
    /// How long ago the event was.
    pub created_ago_s: i64,
    /// Between one attempt and the next.
    pub pause: Duration,
    is_aibot: bool,
}

/// A request that may be sent, also more than once or after a change.
#[derive(Debug, Clone)]
pub struct CallbackRequest {
    pub method: &'static str,
    /// Without the question mark.
    pub query: String,
    pub body: String,
    /// Of a press on an app's card.
    pub response_code: String,
    /// Of a press on an aibot's card.
    pub req_id: String,
}

/// What became of an event: each attempt.
#[derive(Debug)]
pub struct Delivered {
    pub attempts: Vec<Result<Answer, String>>,
    pub response_code: String,
}

impl Delivered {
    /// Whether it was taken in the end.
    pub fn is_taken(&self) -> bool {
        self.attempts.last().is_some_and(|attempt| attempt.as_ref().is_ok_and(|answer| answer.status == 200))
    }
}

impl FakeWecom {
    /// The app's callback address, such as `http://127.0.0.1:8680/`.
    pub fn callback(&self, url: &str) -> Callback<'_> {
        let keys = Keys::new(CALLBACK_TOKEN, CALLBACK_AES_KEY, CORP_ID);
        let pause = Duration::ZERO;
        Callback { wecom: self, url: url.to_owned(), keys, ahead_s: 0, created_ago_s: 0, pause, is_aibot: false }
    }

    /// The callback address of the aibot, which then has no long connection.
    pub fn aibot_callback(&self, url: &str) -> Callback<'_> {
        let keys = Keys::new(AIBOT_CALLBACK_TOKEN, AIBOT_CALLBACK_AES_KEY, "");
        Callback { keys, is_aibot: true, ..self.callback(url) }
    }
}

impl Callback<'_> {
    /// Saves the address in the console; else why it cannot be saved.
    pub fn verify(&self) -> Result<(), String> {
        let text = format!("{}", fastrand::u64(1_000_000_000_000_000_000..));
        let answer = self.send(&self.verification(&text))?;
        if answer.after > Duration::from_secs(1) {
            return Err("it took more than a second".to_owned());
        }
        match answer.status == 200 && answer.body == text.as_bytes() {
            true => Ok(()),
            false => Err(format!("{} {:?}", answer.status, String::from_utf8_lossy(&answer.body))),
        }
    }

    /// A verification with that text.
    pub fn verification(&self, text: &str) -> CallbackRequest {
        let (query, sealed) = self.sealed(text);
        let echostr: String = sealed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        CallbackRequest { method: "GET", query: format!("{query}&echostr={echostr}"), ..self.request(String::new()) }
    }

    /// A member presses a key of a card, which is named by its task_id.
    pub fn press(&self, task_id: &str, key: &str, userid: &str) -> Delivered {
        self.vote(task_id, key, userid, &[])
    }

    /// The same with the chosen options per question.
    pub fn vote(&self, task_id: &str, key: &str, userid: &str, chosen: &[(&str, &[&str])]) -> Delivered {
        self.deliver(&self.press_request(&Click { task_id, key, userid, chosen, on_any_face: false }).unwrap())
    }

    /// The request of a press; `Err` where nobody can press there.
    pub fn press_request(&self, click: &Click) -> Result<CallbackRequest, String> {
        let created = self.now() - self.created_ago_s;
        if self.is_aibot {
            let (req_id, mut body) = self.wecom.world(|world| click_by_callback(world, AIBOT_ID, click))?;
            body["create_time"] = json!(created);
            return Ok(CallbackRequest { req_id, ..self.post(&body.to_string()) });
        }
        let press = self.wecom.world(|world| app_cards::click(world, click))?;
        let mut fields = format!(
            "{}{}{}{}",
            cdata("EventKey", click.key),
            cdata("TaskId", click.task_id),
            cdata("CardType", &press.card_type),
            cdata("ResponseCode", &press.response_code)
        );
        if !click.chosen.is_empty() {
            let items = click.chosen.iter().map(|(question, ids)| {
                let ids: String = ids.iter().map(|id| cdata("OptionId", id)).collect();
                format!("<SelectedItem>{}<OptionIds>{ids}</OptionIds></SelectedItem>", cdata("QuestionKey", question))
            });
            fields += &format!("<SelectedItems>{}</SelectedItems>", items.collect::<String>());
        }
        let event = if press.is_menu { "template_card_menu_event" } else { "template_card_event" };
        let message = event_xml(click.userid, created, event, &fields);
        Ok(CallbackRequest { response_code: press.response_code, ..self.post(&message) })
    }

    /// Another event of an app, such as `inactive_alert`, with what that one holds.
    pub fn event(&self, event: &str, fields: &[(&str, &str)]) -> CallbackRequest {
        let fields: String = fields.iter().map(|(name, value)| cdata(name, value)).collect();
        self.post(&event_xml("sys", self.now() - self.created_ago_s, event, &fields))
    }

    /// A member writes to the aibot.
    pub fn word(&self, userid: &str, words: &str) -> CallbackRequest {
        let msgid = format!("test-word-{:06}", self.wecom.world(|world| world.next_serial()));
        let message = json!({
            "msgid": msgid, "aibotid": AIBOT_ID, "chattype": "single", "from": {"userid": userid}, "msgtype": "text",
            "text": {"content": words},
        });
        self.post(&message.to_string())
    }

    /// A request with that message, whatever it is.
    pub fn post(&self, message: &str) -> CallbackRequest {
        let (query, sealed) = self.sealed(message);
        let body = match self.is_aibot {
            true => json!({ "encrypt": sealed }).to_string(),
            false => format!(
                "<xml>{}{}{}</xml>",
                cdata("ToUserName", CORP_ID),
                cdata("Encrypt", &sealed),
                cdata("AgentID", &AGENT_ID.to_string())
            ),
        };
        CallbackRequest { query, ..self.request(body) }
    }

    /// Sends it as WeCom does: an app's up to three times until it is taken, an aibot's once, whose answer may change the
    /// card.
    pub fn deliver(&self, request: &CallbackRequest) -> Delivered {
        let mut attempts = Vec::new();
        for number in 0..if self.is_aibot { 1 } else { 3 } {
            if number > 0 {
                std::thread::sleep(self.pause);
            }
            let answer = self.send(request);
            let is_taken = answer.as_ref().is_ok_and(|answer| answer.status == 200);
            if let Ok(answer) = &answer
                && is_taken
                && self.is_aibot
                && !answer.body.is_empty()
            {
                self.take_answer(request, answer);
            }
            attempts.push(answer);
            if is_taken {
                break;
            }
        }
        Delivered { attempts, response_code: request.response_code.clone() }
    }

    /// Sends it once.
    pub fn send(&self, request: &CallbackRequest) -> Result<Answer, String> {
        http::send(request.method, &self.url, &request.query, &request.body)
    }

    /// An encrypted answer of an aibot's callback, which changes the card that was pressed.
    fn take_answer(&self, request: &CallbackRequest, answer: &Answer) {
        let read = || {
            let fields: Value = serde_json::from_slice(&answer.body).ok()?;
            let (sealed, timestamp) = (fields["encrypt"].as_str()?, fields["timestamp"].as_i64()?.to_string());
            let nonce = fields["nonce"].as_str().filter(|nonce| request.query.contains(&format!("nonce={nonce}")))?;
            let is_signed = fields["msgsignature"] == self.keys.sign(&timestamp, nonce, sealed);
            serde_json::from_str::<Value>(&self.keys.decrypt(sealed)?).ok().filter(|_| is_signed)
        };
        let mut world = lock(&self.wecom.shared.world);
        match read() {
            Some(message) => answer_by_callback(&mut world, AIBOT_ID, &request.req_id, &message),
            None => {
                world.complaints.push("an answer to an aibot's callback that is not sealed as its page says".into())
            }
        }
    }

    fn now(&self) -> i64 {
        chrono::Utc::now().timestamp() + self.wecom.world(|world| world.clock_ahead_s)
    }

    /// The signed query, and what is encrypted.
    fn sealed(&self, message: &str) -> (String, String) {
        let (timestamp, nonce) = ((self.now() + self.ahead_s).to_string(), fastrand::u32(..).to_string());
        let sealed = self.keys.encrypt(message);
        let signature = self.keys.sign(&timestamp, &nonce, &sealed);
        (format!("msg_signature={signature}&timestamp={timestamp}&nonce={nonce}"), sealed)
    }

    fn request(&self, body: String) -> CallbackRequest {
        let (query, response_code, req_id) = (String::new(), String::new(), String::new());
        CallbackRequest { method: "POST", query, body, response_code, req_id }
    }
}

impl CallbackRequest {
    /// The same, signed by somebody who does not know the Token.
    pub fn forged(&self) -> Self {
        let (before, rest) = self.query.split_once("msg_signature=").unwrap();
        let (signature, rest) = rest.split_at(40);
        let turned: String = signature.chars().rev().collect();
        Self { query: format!("{before}msg_signature={turned}{rest}"), ..self.clone() }
    }

    /// The same with its body cut off.
    pub fn cut(&self) -> Self {
        Self { body: self.body[..self.body.len() / 2].to_owned(), ..self.clone() }
    }

    /// The same with a body of that many bytes.
    pub fn padded(&self, length: usize) -> Self {
        Self { body: self.body.clone() + &" ".repeat(length - self.body.len()), ..self.clone() }
    }
}

fn event_xml(userid: &str, created: i64, event: &str, fields: &str) -> String {
    format!(
        "<xml>{}{}<CreateTime>{created}</CreateTime>{}{}{fields}<AgentID>{AGENT_ID}</AgentID></xml>",
        cdata("ToUserName", CORP_ID),
        cdata("FromUserName", userid),
        cdata("MsgType", "event"),
        cdata("Event", event),
    )
}

fn cdata(name: &str, text: &str) -> String {
    format!("<{name}><![CDATA[{text}]]></{name}>")
}
