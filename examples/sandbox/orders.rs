//! What can be ordered of the running sandbox, by a switch or by a line on its standard input.

use std::str::FromStr;
use std::time::Duration;

use crate::Sandbox;
use crate::aibot::{self, Mishap};
use crate::cards::{self, Press};
use crate::fake::{AIBOT_ID, Endpoint, FakeWecom, Reply};
use crate::switches;

/// Errcodes in WeCom's words.
pub(crate) const ERRCODES: [(i64, &str); 15] = [
    (-1, "system busy"),
    (40001, "invalid credential"),
    (40014, "invalid access_token"),
    (42001, "access_token expired"),
    (45009, "api freq out of limit"),
    (45033, "api concurrent out of limit"),
    (60020, "not allow to access from your ip"),
    (81013, "user & party & tag all invalid"),
    (93000, "invalid webhook url"),
    (93006, "invalid chatid"),
    (846_601, "the aibot is not in long connection mode"),
    (846_604, "req_id has expired"),
    (846_607, "aibot send msg frequency limit exceeded or no active conversation"),
    (846_609, "aibot websocket not subscribed"),
    (853_000, "invalid bot_id or secret"),
];

/// Which requests an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Target {
    /// message/send, webhook/send and aibot_send_msg.
    #[default]
    Sends,
    All,
    One(Endpoint),
}

impl Target {
    fn endpoints(self) -> Vec<Endpoint> {
        match self {
            Self::Sends => vec![Endpoint::MessageSend, Endpoint::WebhookSend, Endpoint::AibotSendMsg],
            Self::All => Endpoint::KNOWN.to_vec(),
            Self::One(endpoint) => vec![endpoint],
        }
    }

    fn name(self) -> String {
        self.endpoints().iter().map(|endpoint| endpoint.name()).collect::<Vec<_>>().join(", ")
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "send" => Ok(Self::Sends),
            "all" => Ok(Self::All),
            name => Endpoint::KNOWN
                .into_iter()
                .find(|endpoint| endpoint.name() == name)
                .map(Self::One)
                .ok_or_else(|| format!("{name:?} is no endpoint; --help lists them")),
        }
    }
}

/// One change of how the sandbox answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    Answer {
        code: i64,
        times: Option<usize>,
        target: Target,
    },
    Hang {
        times: Option<usize>,
        target: Target,
    },
    /// Forgets all that was ordered, or the answers of these endpoints.
    Normal(Option<Target>),
    Expire,
    Revoke,
    RefuseIp,
    AcceptIp,
    Disable,
    Enable,
    Limit(Option<(usize, Duration)>),
    /// Presses on the app's cards go there.
    Callback(String),
    Press {
        number: usize,
        press: Press,
    },
    Word {
        userid: String,
        words: String,
    },
    Aibot(Mishap),
    AibotNormal(Mishap),
}

impl Order {
    /// Changes the stand-in and says what is different now, or why it cannot be done.
    pub(crate) fn carry_out(&self, sandbox: &Sandbox) -> Result<String, String> {
        let wecom = sandbox.wecom();
        Ok(match self {
            Self::Answer { code, times, target } => {
                set(wecom, &reply(*code), *times, *target);
                format!("{} answered with {code} {}", target.name(), how_often(*times))
            }
            Self::Hang { times, target } => {
                set(wecom, &Reply::HangAfterReading, *times, *target);
                format!("{} not answered at all {}", target.name(), how_often(*times))
            }
            Self::Normal(Some(target)) => {
                target.endpoints().into_iter().for_each(|endpoint| wecom.normal(endpoint));
                format!("{} answered as ever", target.name())
            }
            Self::Normal(None) => {
                Endpoint::KNOWN.into_iter().for_each(|endpoint| wecom.normal(endpoint));
                wecom.trust_every_ip();
                wecom.disable_app(false);
                aibot::set_normal(wecom);
                "everything is normal again (but for limits)".into()
            }
            Self::Expire => {
                wecom.expire_tokens();
                "all tokens are out of date now".into()
            }
            Self::Revoke => {
                wecom.revoke_tokens();
                "all tokens are unknown now".into()
            }
            Self::RefuseIp => {
                wecom.trust_no_ip();
                "this machine's address is refused now".into()
            }
            Self::AcceptIp => {
                wecom.trust_every_ip();
                "this machine's address is trusted now".into()
            }
            Self::Disable => {
                wecom.disable_app(true);
                "the app is disabled now".into()
            }
            Self::Enable => {
                wecom.disable_app(false);
                "the app is enabled now".into()
            }
            Self::Limit(limit) => {
                wecom.set_webhook_limit(*limit);
                match limit {
                    Some((count, period)) => format!("a webhook takes {count} messages in {period:?} now"),
                    None => "a webhook takes any number of messages now".into(),
                }
            }
            Self::Callback(url) => {
                sandbox.set_callback(url);
                format!("presses on the app's cards go to {url} now")
            }
            Self::Press { number, press } => press.carry_out(sandbox, *number)?,
            Self::Word { userid, words } => {
                wecom.aibot(AIBOT_ID).written_by(userid, words);
                format!("{userid} has written to the aibot")
            }
            Self::Aibot(mishap) => {
                mishap.carry_out(wecom);
                mishap.describe().into()
            }
            Self::AibotNormal(mishap) => {
                mishap.end(wecom);
                format!("no longer: {}", mishap.describe())
            }
        })
    }
}

impl FromStr for Order {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        let words: Vec<_> = words.collect();
        let order = match (name, words.as_slice()) {
            ("answer", [code, rest @ ..]) => {
                let code = code.parse().map_err(|_| format!("{code:?} is neither an errcode nor an HTTP status"))?;
                let (times, target) = times_and_target(rest)?;
                Self::Answer { code, times, target }
            }
            ("hang", rest) => {
                let (times, target) = times_and_target(rest)?;
                Self::Hang { times, target }
            }
            ("limit", ["off"]) => Self::Limit(None),
            ("limit", [limit]) => switches::limit(limit)?,
            ("press", [number, key, userid, options @ ..]) => {
                let number =
                    number.trim_start_matches('#').parse().map_err(|_| format!("{number:?} is no card's number"))?;
                Self::Press { number, press: cards::press(key, userid, Some(&options.join(","))) }
            }
            ("word", [userid, words @ ..]) => Self::Word { userid: (*userid).to_owned(), words: words.join(" ") },
            ("aibot", [mishap]) => Self::Aibot(mishap.parse()?),
            ("aibot", [mishap, "off"]) => Self::AibotNormal(mishap.parse()?),
            ("callback", [url]) => Self::Callback((*url).to_owned()),
            ("normal", []) => Self::Normal(None),
            ("normal", [target]) => Self::Normal(Some(target.parse()?)),
            ("expire", []) => Self::Expire,
            ("revoke", []) => Self::Revoke,
            ("refuse-ip", []) => Self::RefuseIp,
            ("accept-ip", []) => Self::AcceptIp,
            ("disable", []) => Self::Disable,
            ("enable", []) => Self::Enable,
            _ => {
                return Err(format!(
                    "{line:?} is no order: answer CODE [TIMES] [ENDPOINT], hang [TIMES] [ENDPOINT], normal [ENDPOINT], \
                     expire, revoke, refuse-ip, accept-ip, disable, enable, limit COUNT/DURATION, limit off, callback URL, \
                     press CARD KEY USER [OPTION,…], word USER TEXT, aibot WHAT, aibot WHAT off"
                ));
            }
        };
        Ok(order)
    }
}

fn times_and_target(words: &[&str]) -> Result<(Option<usize>, Target), String> {
    let (mut times, mut target) = (None, Target::default());
    for word in words {
        match word.parse() {
            Ok(number) => times = Some(number),
            Err(_) => target = word.parse()?,
        }
    }
    Ok((times, target))
}

fn set(wecom: &FakeWecom, reply: &Reply, times: Option<usize>, target: Target) {
    for endpoint in target.endpoints() {
        match times {
            Some(times) => wecom.script(endpoint, vec![reply.clone(); times]),
            None => wecom.always(endpoint, reply.clone()),
        }
    }
}

fn how_often(times: Option<usize>) -> String {
    times.map_or_else(|| "from now on".into(), |times| format!("for the next {times} requests each"))
}

/// An HTTP status, or an errcode in WeCom's words where they are known.
fn reply(code: i64) -> Reply {
    if let Some(status) = u16::try_from(code).ok().filter(|status| (100..600).contains(status)) {
        return Reply::status(status);
    }
    let words = ERRCODES.iter().find(|(known, _)| *known == code).map_or("as ordered", |(_, words)| words);
    let ip = crate::fake::SEEN_IP;
    let more = "more info at https://open.work.weixin.qq.com/devtool/query?e=";
    Reply::errcode(code, &format!("{words}, hint: [sandbox], from ip: {ip}, {more}{code}"))
}
