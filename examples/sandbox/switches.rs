//! The sandbox's command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::aibot::Mishap;
use crate::cards::{LaterPress, with_delay};
use crate::orders::{Order, Target};

pub(crate) const HELP: &str = "\
A stand-in for WeCom on loopback: checks requests as strictly as the published pages say, prints every message
as it arrives, and shows it on a page of its own, where cards can be pressed. Ctrl-C ends it.

Usage: cargo run --example sandbox -- [SWITCHES]

  --port N                a fixed port instead of a free one
  --prefix PATH           a path before /cgi-bin, as a relay has it
  --tls                   HTTPS, with a certificate made for this run
  --write-ca FILE         write the authority to trust there (implies --tls)
  --quiet                 only messages, files, refusals and complaints, not every request
  --token-lifetime S      tokens live so many seconds (default 7200)
  --expire-token-every S  all tokens go out of date every so many seconds
  --refuse-ip             refuse this machine's address (60020)
  --limit COUNT/DURATION  so many messages per webhook, such as 20/60s; more are 45009
  --answer CODE           answer with this errcode, or this HTTP status (100 to 599)
  --hang                  take requests and never answer
  --on ENDPOINT           which requests --answer and --hang are for: send (default: message/send, webhook/send and
                          aibot_send_msg), all, or one as it is called in WeCom's paths, such as gettoken,
                          message/send, media/upload, user/getuserid or department/list; of an aibot aibot (the
                          connection) or the cmd of a frame, such as aibot_subscribe or aibot_respond_update_msg
  --times N               for so many requests of each endpoint only, then normal again
  --press KEY:USER[:OPTION,…][@DURATION]
                          somebody presses every card that has such a key, such as ack:zhangsan@2s; repeatable
  --callback URL          where presses on the app's cards go (default http://127.0.0.1:8680/, where
                          wecom-alert listen is unless it is told otherwise)
  --aibot WHAT[@DURATION] what happens to the aibot, so long after the start: kick (taken over elsewhere), drop,
                          half-dead, repeat (the latest event again), keep-old (what was taken over stays open),
                          encrypt-ids, refuse-groups, other-kinds (a card may change its kind), limits (30 a
                          minute, 1000 an hour per conversation); repeatable

While it runs, these lines on its standard input change it:
  answer CODE [TIMES] [ENDPOINT]   hang [TIMES] [ENDPOINT]   normal [ENDPOINT]
  expire   revoke   refuse-ip   accept-ip   disable   enable   limit COUNT/DURATION   limit off
  press CARD KEY USER [OPTION,…], such as press 1 ack zhangsan   callback URL
  word USER TEXT (somebody writes to the aibot)   aibot WHAT   aibot WHAT off";

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    pub(crate) port: u16,
    pub(crate) prefix: String,
    pub(crate) tls: bool,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) quiet: bool,
    /// In seconds.
    pub(crate) token_lifetime: Option<u64>,
    /// In seconds.
    pub(crate) expire_every: Option<u64>,
    pub(crate) orders: Vec<Order>,
    pub(crate) presses: Vec<LaterPress>,
    /// Where presses on the app's cards go.
    pub(crate) callback: String,
    pub(crate) mishaps: Vec<(Mishap, Duration)>,
}

impl Switches {
    /// `None` when help is wanted.
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut switches = Self { callback: "http://127.0.0.1:8680/".to_owned(), ..Self::default() };
        let (mut answers, mut hangs) = (None, false);
        let (mut times, mut target) = (None, Target::default());
        while let Some(arg) = args.next() {
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (arg, None),
            };
            let mut value = || inline.clone().or_else(|| args.next()).ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--help" | "-h" => return Ok(None),
                "--port" => switches.port = number(&name, &value()?)?,
                "--prefix" => switches.prefix = prefix(&value()?),
                "--tls" => switches.tls = true,
                "--write-ca" => {
                    switches.ca_file = Some(value()?.into());
                    switches.tls = true;
                }
                "--quiet" | "-q" => switches.quiet = true,
                "--token-lifetime" => switches.token_lifetime = Some(number(&name, &value()?)?),
                "--expire-token-every" => match number(&name, &value()?)? {
                    0 => return Err("--expire-token-every takes at least 1 second".into()),
                    seconds => switches.expire_every = Some(seconds),
                },
                "--refuse-ip" => switches.orders.push(Order::RefuseIp),
                "--limit" => switches.orders.push(limit(&value()?)?),
                "--answer" => answers = Some(number(&name, &value()?)?),
                "--hang" => hangs = true,
                "--callback" => switches.callback = value()?,
                "--press" => switches.presses.push(value()?.parse()?),
                "--aibot" => {
                    let given = value()?;
                    let (what, after) = with_delay(&given);
                    switches.mishaps.push((what.parse()?, after));
                }
                "--on" => target = value()?.parse()?,
                "--times" => times = Some(number(&name, &value()?)?),
                _ => return Err(format!("{name} is no switch of the sandbox; --help lists them")),
            }
        }
        switches.orders.extend(answers.map(|code| Order::Answer { code, times, target }));
        if hangs {
            switches.orders.push(Order::Hang { times, target });
        }
        Ok(Some(switches))
    }
}

/// `20/60s`, `20/1m` or `20/60` as an order.
pub(crate) fn limit(text: &str) -> Result<Order, String> {
    let wrong = || format!("{text:?} is no limit such as 20/60s");
    let (count, period) = text.split_once('/').ok_or_else(wrong)?;
    let (digits, unit) = match period.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (period.strip_suffix('s').unwrap_or(period), 1),
    };
    let seconds = digits.parse::<u32>().map_err(|_| wrong())?;
    let period = Duration::from_secs(u64::from(seconds) * unit);
    Ok(Order::Limit(Some((count.parse().map_err(|_| wrong())?, period))))
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name} takes a number, not {value:?}"))
}

/// With one slash before it and none behind.
fn prefix(path: &str) -> String {
    match path.trim_matches('/') {
        "" => String::new(),
        path => format!("/{path}"),
    }
}
