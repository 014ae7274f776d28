//! Several processes and one bot: each process is an event loop of its own in a thread, WeCom a server on loopback.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc as std_mpsc;
use std::thread::JoinHandle;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::api::{ClientOptions, Trust};
use crate::config::{BaseUrl, ProxySetting};
use crate::error::Status;
use crate::secret::Mask;

const BOT: &str = "aibTestBot";
const SECRET: &str = "test-aibot-secret";

/// Whatever takes longer is hung.
const PATIENCE: Duration = Duration::from_secs(30);

/// WeCom, for this test.
#[derive(Default)]
struct Wecom {
    address: String,
    /// How many connections there ever were, how many are subscribed now, and how many were taken over.
    connections: usize,
    subscribed: BTreeMap<usize, mpsc::UnboundedSender<Message>>,
    kicks: usize,
    /// What arrived: the texts of messages.
    texts: Vec<String>,
    unanswered: usize,
    /// So many of the next requests are refused as if another connection had the bot.
    untold: usize,
    /// The `req_id`s of updates.
    updates: Vec<String>,
}

type Shown = Arc<Mutex<Wecom>>;

/// Starts a server.
fn wecom() -> Shown {
    let shown: Shown = Arc::default();
    let (sender, address) = std_mpsc::channel();
    let server = Arc::clone(&shown);
    std::thread::spawn(move || {
        event_loop().block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = {
                    let mut wecom = locked(&server);
                    wecom.connections += 1;
                    wecom.connections
                };
                tokio::spawn(connected(Arc::clone(&server), stream, number));
            }
        });
    });
    locked(&shown).address = format!("http://{}", address.recv().unwrap());
    shown
}

async fn connected(wecom: Shown, stream: tokio::net::TcpStream, number: usize) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let (sender, mut unsent) = mpsc::unbounded_channel::<Message>();
    loop {
        let frame = tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(frame))) => frame,
                Some(Ok(_)) => continue,
                _ => break,
            },
            Some(message) = unsent.recv() => {
                let is_close = message.is_close();
                let _ = socket.send(message).await;
                if is_close { break } else { continue }
            }
        };
        let frame: Value = serde_json::from_str(&frame).unwrap();
        let req_id = frame["headers"]["req_id"].as_str().unwrap().to_owned();
        let mut errcode = 0;
        match frame["cmd"].as_str().unwrap() {
            "aibot_subscribe" if frame["body"]["secret"] != SECRET => errcode = 853_000,
            "aibot_subscribe" => {
                let mut wecom = locked(&wecom);
                let others = std::mem::take(&mut wecom.subscribed);
                wecom.kicks += others.len();
                others.values().for_each(kick);
                wecom.subscribed.insert(number, sender.clone());
            }
            "never" => {
                locked(&wecom).unanswered += 1;
                continue;
            }
            _ if locked(&wecom).untold > 0 => {
                locked(&wecom).untold -= 1;
                errcode = 846_609;
            }
            AIBOT_UPDATE => locked(&wecom).updates.push(req_id.clone()),
            _ => {
                let text = frame["body"]["text"].as_str().unwrap_or_default().to_owned();
                locked(&wecom).texts.push(text);
            }
        }
        let answer = json!({"headers": {"req_id": req_id}, "errcode": errcode, "errmsg": "ok", "body": {"n": number}});
        if socket.send(Message::text(answer.to_string())).await.is_err() {
            break;
        }
    }
    locked(&wecom).subscribed.remove(&number);
}

fn kick(to: &mpsc::UnboundedSender<Message>) {
    event(to, "m", &json!({"eventtype": "disconnected_event"}));
    let _ = to.send(Message::Close(None));
}

fn event(to: &mpsc::UnboundedSender<Message>, msgid: &str, event: &Value) {
    let body = json!({"msgid": msgid, "from": {"userid": "zhangsan"}, "msgtype": "event", "event": event});
    let frame = json!({"cmd": "aibot_event_callback", "headers": {"req_id": format!("r-{msgid}")}, "body": body});
    let _ = to.send(Message::text(frame.to_string()));
}

/// Somebody presses a button.
fn press(wecom: &Shown, msgid: &str, task_id: &str) {
    let pressed = json!({"event_key": "ack", "task_id": task_id});
    let told = json!({"eventtype": "template_card_event", "template_card_event": pressed});
    locked(wecom).subscribed.values().for_each(|to| event(to, msgid, &told));
}

fn event_loop() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A process of its own with that secret: what it is told to do, it does side by side.
struct Process {
    work: mpsc::UnboundedSender<Work>,
    thread: Option<JoinHandle<()>>,
    link: Link,
    details: Arc<Mutex<Vec<String>>>,
}

type Work = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Process {
    fn start(wecom: &Shown, state: Option<&Path>, secret: &str) -> Self {
        Self::with_deadline(wecom, state, secret, PATIENCE)
    }

    fn with_deadline(wecom: &Shown, state: Option<&Path>, secret: &str, deadline: Duration) -> Self {
        let details: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = Arc::clone(&details);
        let observer = Observer::new(move |event| {
            if let crate::event::Event::Detail(line) = event {
                locked(&told).push(line.to_string());
            }
        });
        let options = ClientOptions {
            base_url: BaseUrl::parse(&locked(wecom).address).unwrap(),
            proxy: ProxySetting::Off,
            trust: Trust::new(None),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(20),
            deadline: Instant::now() + deadline,
        };
        let client = Client::new(options, Mask::default(), observer.clone());
        let state = state.map(Folder::shared_if_made_so);
        // Not by `Link::new`: these are several processes.
        let shared = Shared::new(client.clone(), BOT.to_owned(), Secret::new(secret), (state, None), observer);
        let (work, mut works) = mpsc::unbounded_channel::<Work>();
        let thread = std::thread::spawn(move || {
            let runtime = event_loop();
            runtime.block_on(async move {
                while let Some(work) = works.recv().await {
                    tokio::spawn(work);
                }
            });
            // As a kill does it: nothing is brought to an end.
            runtime.shutdown_background();
        });
        Self { work, thread: Some(thread), link: Link { client, shared: Arc::new(shared) }, details }
    }

    /// Starts something; its result comes when it is there.
    fn go<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> std_mpsc::Receiver<T> {
        let (sender, result) = std_mpsc::channel();
        self.work.send(Box::pin(async move { drop(sender.send(work.await)) })).unwrap();
        result
    }

    /// Sends a text.
    fn send(&self, text: &str) -> std_mpsc::Receiver<Result<Reply, CallError>> {
        self.ask("send", text)
    }

    fn ask(&self, cmd: &'static str, text: &str) -> std_mpsc::Receiver<Result<Reply, CallError>> {
        let (link, body) = (self.link.clone(), json!({ "text": text }));
        self.go(async move { link.request(cmd, body).await })
    }

    /// Watches some cards, and hands on what it sees.
    fn watch(&self, task_ids: &[&str], others: bool) -> std_mpsc::Receiver<Seen> {
        let (link, task_ids) = (self.link.clone(), task_ids.iter().map(|id| (*id).to_owned()).collect());
        let (sender, seen) = std_mpsc::channel();
        drop(self.go(async move {
            let mut watch = link.watch_also(task_ids, others, false);
            loop {
                let seen = watch.next().await;
                // What follows tells it too.
                if !matches!(seen, Seen::Down) && sender.send(seen).is_err() {
                    break;
                }
            }
        }));
        seen
    }

    fn leave(&self) {
        let link = self.link.clone();
        self.go(async move { link.leave().await }).recv_timeout(PATIENCE).unwrap();
    }

    fn warnings(&self) -> Vec<String> {
        locked(&self.link.shared.bot.warnings).clone()
    }
}

/// Ends as if killed.
impl Drop for Process {
    fn drop(&mut self) {
        let (work, _) = mpsc::unbounded_channel();
        self.work = work;
        self.thread.take().into_iter().for_each(|thread| thread.join().unwrap());
    }
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[track_caller]
fn done<T>(result: std_mpsc::Receiver<T>) -> T {
    result.recv_timeout(PATIENCE).unwrap()
}

#[track_caller]
fn pressed(seen: &std_mpsc::Receiver<Seen>) -> Press {
    match seen.recv_timeout(PATIENCE).unwrap() {
        Seen::Press(press) => *press,
        other => panic!("{other:?}"),
    }
}

fn texts(wecom: &Shown) -> Vec<String> {
    let mut texts = locked(wecom).texts.clone();
    texts.sort();
    texts
}

fn is_subscribed(wecom: &Shown) -> bool {
    !locked(wecom).subscribed.is_empty()
}

#[test]
fn all_processes_share_one_connection_and_the_next_one_takes_over() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let start = || Process::start(&wecom, Some(state.path()), SECRET);
    let processes: Vec<Process> = (0..8).map(|_| start()).collect();
    let sent: Vec<_> = processes.iter().enumerate().map(|(number, one)| one.send(&format!("a{number}"))).collect();
    let answers: Vec<u64> = sent.into_iter().map(|sent| done(sent).unwrap().fields["n"].as_u64().unwrap()).collect();
    assert_eq!(answers, [1; 8]);
    assert_eq!(texts(&wecom).len(), 8);
    // Each leaves in turn, also those that are not the holder.
    for (number, one) in processes.iter().enumerate() {
        one.leave();
        let next = &processes[(number + 1) % 8];
        done(next.send("b")).unwrap();
    }
    let wecom = locked(&wecom);
    assert_eq!((wecom.texts.len(), wecom.kicks), (16, 0));
    assert!(wecom.connections <= 9, "{}", wecom.connections);
}

#[test]
fn whoever_is_queued_is_served_before_the_holder_leaves() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let holder = Process::start(&wecom, Some(state.path()), SECRET);
    done(holder.send("first")).unwrap();
    let other = Process::start(&wecom, Some(state.path()), SECRET);
    let sent: Vec<_> = (0..200).map(|number| other.send(&format!("{number:03}"))).collect();
    holder.leave();
    sent.into_iter().for_each(|sent| drop(done(sent).unwrap()));
    let arrived = texts(&wecom);
    let expected: Vec<String> = (0..200).map(|number| format!("{number:03}")).chain(["first".to_owned()]).collect();
    assert_eq!(arrived, expected, "each once");
    assert_eq!(locked(&wecom).kicks, 0);
}

#[test]
fn a_killed_holder_costs_no_request_that_wecom_had_not_read() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    for round in 0..5 {
        let holder = Process::start(&wecom, Some(state.path()), SECRET);
        done(holder.send("first")).unwrap();
        let others: Vec<Process> = (0..4).map(|_| Process::start(&wecom, Some(state.path()), SECRET)).collect();
        let unanswered = others[0].ask("never", "");
        let sent: Vec<_> = (0..40)
            .map(|number| {
                let text = format!("{round} {number}");
                (others[number % 4].send(&text), text)
            })
            .collect();
        wait_until("some to arrive", || texts(&wecom).iter().any(|text| text.starts_with(&format!("{round} "))));
        wait_until("the one without an answer", || locked(&wecom).unanswered > round);
        drop(holder);
        for (sent, text) in sent {
            let times = || texts(&wecom).iter().filter(|arrived| **arrived == text).count();
            match done(sent) {
                Ok(_) => assert_eq!(times(), 1, "{text}"),
                Err(CallError::Silent { .. }) => assert!(times() <= 1, "{text}"),
                Err(other) => panic!("{text}: {other:?}"),
            }
        }
        assert!(matches!(done(unanswered), Err(CallError::Silent { .. })));
        for other in &others {
            other.leave();
        }
    }
    assert_eq!(locked(&wecom).kicks, 0);
}

#[test]
fn another_secret_is_refused_by_both_sides_and_named() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let holder = Process::start(&wecom, Some(state.path()), SECRET);
    done(holder.send("first")).unwrap();
    let other = Process::start(&wecom, Some(state.path()), "test-aibot-secret-of-before");
    let seen = other.watch(&["t"], false);
    let Err(CallError::Setup(error)) = done(other.send("second")) else { panic!() };
    assert_eq!(error.status(), Status::Auth);
    let id = std::process::id();
    assert!(error.message().starts_with(&format!("process {id} of user ")), "{error}");
    assert!(matches!(done(seen), Seen::Lost(error) if error.status() == Status::Auth));
    wait_until("a warning", || !holder.warnings().is_empty());
    let warnings = holder.warnings();
    assert!(
        warnings[0].contains(&format!("process {id} of user ")) && warnings[0].contains("another secret"),
        "{warnings:?}"
    );
    done(holder.send("third")).unwrap();
    assert_eq!(texts(&wecom), ["first", "third"]);
    for process in [&holder, &other] {
        let told = locked(&process.details).join("\n");
        assert!(!told.contains("test-aibot-secret"), "{told}");
    }
}

#[test]
fn a_refused_bot_is_refused_once_for_all() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let process = Process::start(&wecom, Some(state.path()), "test-aibot-secret-of-before");
    let seen = process.watch(&["t"], false);
    for _ in 0..3 {
        let refused = done(process.send("no")).unwrap_err();
        assert_eq!(refused.refusal().unwrap().answer.errcode, 853_000);
    }
    assert!(matches!(done(seen), Seen::Lost(error) if error.answer().unwrap().errcode == 853_000));
    assert_eq!(locked(&wecom).connections, 1);
    // A process with the right secret takes the seat, and the refused one stays refused.
    let right = Process::start(&wecom, Some(state.path()), SECRET);
    done(right.send("yes")).unwrap();
    assert!(done(process.send("no")).unwrap_err().refusal().is_some());
    done(Process::start(&wecom, Some(state.path()), SECRET).send("by that connection")).unwrap();
    assert_eq!(texts(&wecom), ["by that connection", "yes"]);
    let wecom = locked(&wecom);
    assert_eq!((wecom.connections, wecom.kicks), (2, 0));
}

#[test]
fn presses_reach_who_watches_for_them_over_gaps() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let start = || Process::start(&wecom, Some(state.path()), SECRET);
    let (holder, one, two) = (start(), start(), start());
    done(holder.send("first")).unwrap();
    let (seen_by_one, seen_by_two) = (one.watch(&["a", "b"], false), two.watch(&["b"], false));
    // What is sent after a watch was made is sent when the watch is there.
    [&one, &two].into_iter().for_each(|process| drop(done(process.send("card")).unwrap()));
    press(&wecom, "m1", "a");
    press(&wecom, "m1", "a");
    press(&wecom, "m2", "b");
    assert_eq!(pressed(&seen_by_one).msgid, "m1");
    let again = pressed(&seen_by_one);
    assert_eq!((again.msgid.as_str(), again.userid.as_str(), again.key.as_str()), ("m2", "zhangsan", "ack"));
    assert_eq!(pressed(&seen_by_two).msgid, "m2");
    // The press is answered under its own id.
    let link = two.link.clone();
    done(two.go(async move { link.respond(&again, json!({})).await })).unwrap();
    assert_eq!(locked(&wecom).updates, ["r-m2"]);
    drop(holder);
    for seen in [&seen_by_one, &seen_by_two] {
        let gap = seen.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(gap, Seen::Gap { from_ms, to_ms } if from_ms <= to_ms), "{gap:?}");
    }
    press(&wecom, "m3", "b");
    assert_eq!((pressed(&seen_by_one).msgid, pressed(&seen_by_two).msgid), ("m3".into(), "m3".into()));
    // The connection ends: it is made again without being asked for.
    locked(&wecom).subscribed.values().for_each(|to| drop(to.send(Message::Close(None))));
    assert!(matches!(done(seen_by_one), Seen::Gap { .. }));
    assert_eq!(locked(&wecom).kicks, 0);
}

/// As one that is stopped: it has the lock and the socket, and does nothing.
#[test]
fn a_holder_that_hangs_is_noticed() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let start = || Process::start(&wecom, Some(state.path()), SECRET);
    let (holder, other) = (start(), start());
    done(holder.send("first")).unwrap();
    let seen = other.watch(&["a"], false);
    done(other.send("card")).unwrap();
    let (go_on, stopped) = std_mpsc::channel::<()>();
    drop(holder.go(async move { stopped.recv().unwrap_or_default() }));
    let unsent = other.send("later");
    let told = || locked(&other.details).join("\n");
    wait_until("its silence to be noticed", || told().contains("says nothing any more"));
    assert!(seen.try_recv().is_err());
    go_on.send(()).unwrap();
    assert!(matches!(seen.recv_timeout(PATIENCE).unwrap(), Seen::Gap { .. }));
    done(unsent).unwrap();
    press(&wecom, "m", "a");
    assert_eq!(pressed(&seen).msgid, "m");
    assert_eq!(
        (texts(&wecom), locked(&wecom).connections),
        (["card", "first", "later"].map(str::to_owned).to_vec(), 1)
    );
}

#[test]
fn a_press_that_one_does_not_know_is_offered_to_the_next() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let start = || Process::start(&wecom, Some(state.path()), SECRET);
    let (holder, one, two) = (start(), start(), start());
    done(holder.send("first")).unwrap();
    let (sender, declined) = std_mpsc::channel();
    let link = one.link.clone();
    drop(one.go(async move {
        let mut watch = link.watch_others(false);
        while let Seen::Press(press) = watch.next().await {
            watch.decline()((*press).clone());
            sender.send(*press).unwrap();
        }
    }));
    done(one.send("it watches")).unwrap();
    let seen = two.watch(&[], true);
    done(two.send("it watches")).unwrap();
    press(&wecom, "m", "unknown");
    assert_eq!(pressed(&seen).task_id, "unknown");
    assert_eq!(done(declined).msgid, "m");
    let link = two.link.clone();
    let declining = two.go(async move {
        link.watch_also(Vec::new(), false, false).decline()(Press { task_id: "unknown".into(), ..Press::default() })
    });
    done(declining);
    wait_until("a word about it", || {
        locked(&holder.details).iter().any(|line| line.contains("no process of this machine knows"))
    });
}

/// The folder of the machine was made after a process had become the holder by the folder of the state.
#[test]
fn a_holder_in_the_other_place_keeps_the_connection() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let holder = Process::start(&wecom, Some(state.path()), SECRET);
    done(holder.send("first")).unwrap();
    let place = |folder: &Path| {
        let address = holder.link.client.options.base_url.as_str().to_owned();
        Arc::new(MeetingPlace::all(Some(&Folder::shared_if_made_so(folder)), &address, BOT).pop().unwrap())
    };
    let machine = tempfile::tempdir().unwrap();
    let both: Arc<[_]> = [place(machine.path()), place(state.path())].into();
    let bot = Arc::clone(&holder.link.shared.bot);
    assert!(done(holder.go(election::looks_to_another(bot, both))));
}

#[test]
fn a_taken_over_connection_is_left_alone_for_a_while() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let process = Process::start(&wecom, Some(state.path()), SECRET);
    let seen = process.watch(&["a"], false);
    done(process.send("first")).unwrap();
    locked(&wecom).subscribed.values().for_each(kick);
    wait_until("the end of the connection", || !is_subscribed(&wecom));
    wait_until("a warning", || !process.warnings().is_empty());
    // Whose deadline is before the next try is told so at once, in other processes too.
    for _ in 0..2 {
        let other = Process::with_deadline(&wecom, Some(state.path()), SECRET, Duration::from_secs(20));
        let Err(CallError::Setup(error)) = done(other.send("second")) else { panic!() };
        assert_eq!(error.status(), Status::Temporary);
        assert!(error.message().starts_with("another program has taken over the connection"), "{error}");
        assert!(error.hint().unwrap().contains("one connection at a time"), "{error}");
    }
    // So is the next holder.
    drop(process);
    let next = Process::with_deadline(&wecom, Some(state.path()), SECRET, Duration::from_secs(20));
    assert!(matches!(done(next.send("third")), Err(CallError::Setup(_))));
    assert!(seen.try_recv().is_err(), "nothing was seen, and nothing is lost yet");
    assert_eq!(texts(&wecom), ["first"]);
    assert_eq!(locked(&wecom).connections, 1);
}

/// A takeover of which nothing is said: requests are refused, and the connection stays.
#[test]
fn untold_takeovers_end_in_a_pause() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let process = Process::start(&wecom, Some(state.path()), SECRET);
    for _ in 0..2 {
        // It is made anew for the request, and tried again.
        done(process.send("first")).unwrap();
        locked(&wecom).untold = 1;
        done(process.send("again")).unwrap();
    }
    locked(&wecom).untold = 1;
    let other = Process::with_deadline(&wecom, Some(state.path()), SECRET, Duration::from_secs(20));
    let Err(CallError::Setup(error)) = done(other.send("no")) else { panic!() };
    assert!(error.message().starts_with("another program has taken over the connection"), "{error}");
    assert_eq!(locked(&wecom).connections, 3);
}

#[test]
fn who_wrote_to_the_bot_is_a_detail() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let process = Process::start(&wecom, Some(state.path()), SECRET);
    done(process.send("first")).unwrap();
    let body = json!({"msgid": "m", "chatid": "wrTestGroup", "chattype": "group", "from": {"userid": "lisi"},
        "msgtype": "text", "text": {"content": "what was said"}});
    let frame = json!({"cmd": "aibot_msg_callback", "headers": {"req_id": "r"}, "body": body}).to_string();
    locked(&wecom).subscribed.values().for_each(|to| drop(to.send(Message::text(frame.as_str()))));
    let told = || locked(&process.details).join("\n");
    wait_until("the detail", || told().contains("lisi wrote to the aibot in the group wrTestGroup"));
    assert!(!told().contains("what was said"));
}

#[test]
fn a_holder_is_looked_at_without_a_connection() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let start = |secret| Process::start(&wecom, Some(state.path()), secret);
    let look = |process: &Process| {
        let link = process.link.clone();
        done(process.go(async move { link.holder().await }))
    };
    let looker = start(SECRET);
    assert_eq!(look(&looker).unwrap(), None);
    let holder = start(SECRET);
    done(holder.send("first")).unwrap();
    let KnownHolder { host, process, since_ms } = look(&looker).unwrap().unwrap();
    assert_eq!(host, None, "it is this machine's");
    assert!(process == std::process::id() && since_ms.unwrap() <= crate::clock::now_ms());
    assert_eq!(look(&start("test-aibot-secret-of-before")).unwrap_err().status(), Status::Auth);
    drop(holder);
    assert_eq!(look(&looker).unwrap(), None, "a stale socket is nobody");
    assert_eq!(locked(&wecom).connections, 1);
}

/// Large requests of many, as files are uploaded.
#[test]
fn long_requests_of_many_arrive_whole() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let processes: Vec<Process> = (0..12).map(|_| Process::start(&wecom, Some(state.path()), SECRET)).collect();
    let text = |number: usize| format!("{number:02}").repeat(350_000);
    let sent: Vec<_> = processes.iter().enumerate().map(|(number, one)| one.send(&text(number))).collect();
    sent.into_iter().for_each(|sent| drop(done(sent).unwrap()));
    assert!(texts(&wecom) == (0..12).map(text).collect::<Vec<_>>());
    let Err(CallError::Setup(error)) = done(processes[0].send(&"a".repeat(2 << 20))) else { panic!() };
    assert_eq!(error.status(), Status::Refused);
}

#[test]
fn a_folder_that_cannot_be_used_is_a_warning_once() {
    let (wecom, state) = (wecom(), tempfile::tempdir().unwrap());
    let file = state.path().join("file");
    std::fs::write(&file, "").unwrap();
    let process = Process::start(&wecom, Some(&file), SECRET);
    done(process.send("one")).unwrap();
    done(process.send("two")).unwrap();
    let warnings = process.warnings();
    assert!(matches!(&warnings[..], [only] if only.contains("cannot share the aibot's connection")), "{warnings:?}");
}

#[test]
fn without_a_folder_a_process_is_alone() {
    let wecom = wecom();
    let process = Process::start(&wecom, None, SECRET);
    done(process.send("one")).unwrap();
    done(process.send("two")).unwrap();
    assert_eq!(locked(&wecom).connections, 1);
    assert!(locked(&process.details).iter().any(|line| line.contains("no folder for state is known")));
    process.leave();
    wait_until("the end of the connection", || !is_subscribed(&wecom));
}
