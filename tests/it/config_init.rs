//! `config init` and `config example`: the first config file, asked for and written, and an example with every setting.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::document::{assert_document, assert_says};
use crate::support::fake::{AGENT_ID, AIBOT_ID, AIBOT_SECRET, CORP_ID, SECRET, WEBHOOK_KEY};
use crate::support::{Cmd, Scene, TestEnv, needs_terminal, wait_until};

fn init(scene: &Scene, answers: &str) -> Cmd {
    scene.env.cmd(["config", "init"]).base_url(&scene.wecom).stdin(answers)
}

fn beside(scene: &Scene, name: &str) -> PathBuf {
    scene.env.config_file().with_file_name(name)
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn answers_become_a_file_that_works() {
    let scene = Scene::new();
    let app = format!("{CORP_ID}\n{AGENT_ID}\n{SECRET}\nzhangsan, lisi\n");
    let answers = format!("both\n  {WEBHOOK_KEY} \n{app}zh\n");
    let run = init(&scene, &answers).run().assert_code(0);
    assert!(run.stdout.contains("✓ token") && run.stdout.contains("✓ webhook key"), "{}", run.all());
    let config = read(scene.env.config_file());
    let expected = format!(
        "default_profile = \"main\"\nlanguage = \"zh\"\n\n[profiles.main]\nwebhook_file = \"main.webhook\"\n\
         corp_id = \"{CORP_ID}\"\nagent_id = {AGENT_ID}\nsecret_file = \"main.secret\"\nto_user = [\"zhangsan\",\"lisi\"]\n"
    );
    assert!(config.ends_with(&expected), "{config}");
    assert_eq!(read(beside(&scene, "main.webhook")), format!("{WEBHOOK_KEY}\n"));
    assert_eq!(read(beside(&scene, "main.secret")), format!("{SECRET}\n"));
    #[cfg(unix)]
    for name in ["config.toml", "main.webhook", "main.secret"] {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(beside(&scene, name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    for command in ["webhook-send", "app-send"] {
        scene.env.cmd([command, "hello"]).base_url(&scene.wecom).run().assert_code(0);
    }
    assert_eq!(scene.texts(), ["hello", "hello"]);
}

#[test]
fn an_aibot_is_asked_for_too() {
    let scene = Scene::new();
    let cmd = init(&scene, &format!("4\n{AIBOT_ID}\n{AIBOT_SECRET}\nzhangsan\nzh\n"));
    let run = cmd.env("WECOM_ALERT_AIBOT_URL", scene.wecom.aibot_url()).run().assert_code(0);
    assert!(!run.all().contains(AIBOT_SECRET), "{}", run.all());
    let config = read(scene.env.config_file());
    let expected = format!(
        "[profiles.main]\naibot_id = \"{AIBOT_ID}\"\naibot_secret_file = \"main.aibot-secret\"\naibot_user = [\"zhangsan\"]\n"
    );
    assert!(config.ends_with(&expected), "{config}");
    assert_eq!(read(beside(&scene, "main.aibot-secret")), format!("{AIBOT_SECRET}\n"));
    let sending = scene.env.cmd(["aibot-send", "hello"]).env("WECOM_ALERT_AIBOT_URL", scene.wecom.aibot_url());
    sending.run().assert_code(0);
    assert_eq!(scene.wecom.messages().len(), 1);
}

#[test]
fn the_least_is_a_webhook() {
    let scene = Scene::new();
    let file = scene.env.home().join("of my own/wecom.toml");
    let url = format!("{}/cgi-bin/webhook/send?key={WEBHOOK_KEY}", scene.wecom.base_url());
    let run = scene.env.cmd(["config", "init", "-P", "ops", "--output", "json", "--config"]).arg(&file);
    let run = run.stdin(format!("\n{url}\n\n")).run();
    let told: Value = assert_document(&run, "the check", 0, &json!({"status": "ok", "profile": "ops"}));
    assert!(told["checks"].is_array(), "{told}");
    assert!(read(file.clone()).contains("[profiles.ops]\nwebhook_file = \"ops.webhook\"\n"), "{}", read(file));
    let file = scene.env.home().join("of my own/wecom.toml");
    scene.env.cmd(["webhook-send", "hello", "--config"]).arg(&file).run().assert_code(0);
    assert_eq!(scene.texts(), ["hello"]);
}

#[test]
fn the_first_answer_may_be_a_number_or_chinese() {
    for (answer, kinds) in [("1", "w"), ("群机器人", "w"), ("机器人", "w"), ("2", "a"), ("应用", "a"), ("3", "wa")]
    {
        let scene = Scene::new();
        let webhook = if kinds.contains('w') { format!("{WEBHOOK_KEY}\n") } else { String::new() };
        let app = if kinds.contains('a') { format!("{CORP_ID}\n{AGENT_ID}\n{SECRET}\n\n") } else { String::new() };
        init(&scene, &format!("{answer}\n{webhook}{app}\n")).run().assert_code(0);
        let config = read(scene.env.config_file());
        let written = [("webhook_file", 'w'), ("secret_file", 'a')];
        assert!(written.iter().all(|(key, kind)| config.contains(key) == kinds.contains(*kind)), "{answer}: {config}");
    }
}

#[test]
fn nothing_is_written_over_and_nothing_half() {
    let scene = Scene::new();
    scene.env.cmd(["check"]).config("# mine\n").run();
    let run = init(&scene, "webhook\nk\nen\n").run().assert_code(3);
    assert!(run.stderr.contains("config.toml is there already, and is not written over"), "{}", run.all());
    assert_eq!(read(scene.env.config_file()), "# mine\n");
    fs::remove_file(scene.env.config_file()).unwrap();
    fs::write(beside(&scene, "main.webhook"), "mine").unwrap();
    init(&scene, "webhook\nk\nen\n").run().assert_code(3);
    assert_eq!(read(beside(&scene, "main.webhook")), "mine");
    fs::remove_file(beside(&scene, "main.webhook")).unwrap();
    for (answers, said) in [
        ("", "the input ended before the answer to: Send by "),
        ("fax\n", "that is none of the four"),
        ("webhook\nhttps://oapi.dingtalk.com/robot/send?access_token=x\n", "DingTalk"),
        ("webhook\nkey-1\nfr\n", "no such language"),
        ("app\nww1\nnumber\n", "agent_id is a positive whole number"),
        ("app\nww1\n1000002\n", "the input ended before the answer to: Secret of the app"),
    ] {
        let run = init(&scene, answers).run().assert_code(2);
        assert!(run.stderr.contains(said), "{answers:?}\n{}", run.all());
        let left: Vec<_> = fs::read_dir(scene.env.config_file().parent().unwrap()).unwrap().collect();
        assert!(left.is_empty(), "{answers:?}: {left:?}");
    }
    let told = assert_document(&init(&scene, "").args(["--dry-run", "--output", "json"]).run(), "dry", 2, &json!({}));
    assert_says(&told, "dry", "message", &["no dry run"]);
}

/// A Secret in the place of an id is neither written nor shown, and the files are looked at before the first question.
#[test]
fn swapped_answers_are_refused() {
    let scene = Scene::new();
    for (answers, said) in [
        (format!("app\n{SECRET}\n{AGENT_ID}\n{CORP_ID}\n\n\n"), "is this the Secret?"),
        (format!("app\n{AGENT_ID}\n"), "that is no corp id"),
        (format!("app\n{CORP_ID}\n{SECRET}\n"), "an agent_id is a positive whole number"),
        (format!("app\n{CORP_ID}\n{AGENT_ID}\n{CORP_ID}\n\n\n"), "that is an id, not the Secret"),
    ] {
        let run = init(&scene, &answers).run().assert_code(2);
        assert!(run.stderr.contains(said) && !run.all().contains(SECRET), "{answers:?}\n{}", run.all());
        assert!(!scene.env.config_file().exists(), "{answers:?}");
    }
    fs::create_dir_all(scene.env.config_file().parent().unwrap()).unwrap();
    fs::write(beside(&scene, "main.secret"), "mine").unwrap();
    let run = init(&scene, "app\n").run().assert_code(3);
    assert!(run.stderr.contains("main.secret is there already") && !run.stderr.contains("Send by"), "{}", run.all());
    fs::write(scene.env.config_file(), "# mine\n").unwrap();
    let run = init(&scene, "app\n").run().assert_code(3);
    let said = ["config.toml for corp_id and the rest, ", "main.secret for the Secret, or delete ", "start again"];
    assert!(said.iter().all(|said| run.stderr.contains(said)), "{}", run.all());
}

/// The check afterwards looks at the new file, and a warning names the variables that stand in its way.
#[test]
fn variables_do_not_hide_what_was_written() {
    let scene = Scene::new();
    let answers = format!("app\n{CORP_ID}\n{AGENT_ID}\ntest-wrong\n\n\n");
    let init = init(&scene, &answers).env("WECOM_ALERT_CORP_ID", CORP_ID).env("WECOM_ALERT_SECRET", SECRET);
    let run = init.env("WECOM_ALERT_AGENT_ID", "1000002").secret("test-wrong").run().assert_code(4);
    assert!(run.stdout.contains("✗ token") && !run.stdout.contains("Nothing is wrong"), "{}", run.all());
    let named = "warning: these variables are set, and are used in place of what the file says until you unset them: \
                 WECOM_ALERT_CORP_ID, WECOM_ALERT_AGENT_ID, WECOM_ALERT_BASE_URL, WECOM_ALERT_SECRET\n";
    assert!(run.stderr.contains(named), "{}", run.all());
}

/// Its exit code is that of the check.
#[test]
fn a_wrong_secret_is_found_at_once() {
    let scene = Scene::new();
    let run = init(&scene, &format!("app\n{CORP_ID}\n{AGENT_ID}\ntest-wrong\n\n\n")).secret("test-wrong").run();
    let run = run.assert_code(4);
    assert!(
        run.stdout.contains("✗ token") && run.stderr.contains("error[auth]: check (profile main): "),
        "{}",
        run.all()
    );
}

#[test]
fn a_secret_is_not_shown_while_it_is_typed() {
    if !needs_terminal() {
        return;
    }
    let scene = Scene::new();
    let mut terminal = Terminal::start(&scene);
    terminal.answer("Send by ", "电话");
    // What is wrong is asked for again, and only that.
    terminal.answer("answer webhook, app, both or aibot\r\nSend by ", "应用");
    terminal.answer("Corp id", CORP_ID);
    terminal.answer("Agent id", "no number");
    terminal.answer("(应用管理)\r\nAgent id", &AGENT_ID.to_string());
    terminal.answer("Secret of the app (not shown): ", "test-typed secret");
    terminal.answer("copy it again from the admin console\r\nSecret of the app (not shown): ", SECRET);
    terminal.answer("Userids", "zhangsan");
    terminal.answer("Language of messages and manual", "");
    let text = terminal.end();
    assert!(!text.contains("test-typed") && !text.contains(SECRET), "{text}");
    assert!(text.contains("no number") && text.contains("token"), "what is no secret is shown: {text}");
    assert_eq!(read(beside(&scene, "main.secret")), format!("{SECRET}\n"));
}

/// A terminal with `config init` in it.
struct Terminal {
    child: std::process::Child,
    shown: Arc<Mutex<String>>,
    /// How much of that was answered.
    answered: usize,
    reader: std::thread::JoinHandle<()>,
}

impl Terminal {
    fn start(scene: &Scene) -> Self {
        let mut command = Command::new("script");
        command
            .args(["-qec", &format!("'{}' config init", env!("CARGO_BIN_EXE_wecom-alert")), "/dev/null"])
            .env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", scene.env.home()).env("SHELL", "/bin/sh");
        let config = scene.env.config_file().parent().unwrap().parent().unwrap().to_path_buf();
        command.env("XDG_CONFIG_HOME", config).env("WECOM_ALERT_BASE_URL", scene.wecom.base_url());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut stdout, writing) = (child.stdout.take().unwrap(), Arc::clone(&shown));
        let reader = std::thread::spawn(move || {
            let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = stdout.read(&mut piece) {
                bytes.extend_from_slice(&piece[..read]);
                *writing.lock().unwrap() = String::from_utf8_lossy(&bytes).into_owned();
            }
        });
        Self { child, shown, answered: 0, reader }
    }

    /// Waits for the question, and types the answer.
    fn answer(&mut self, question: &str, line: &str) {
        wait_until(question, || self.shown.lock().unwrap()[self.answered..].contains(question));
        self.answered = self.shown.lock().unwrap().len();
        self.child.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// All that was shown.
    fn end(mut self) -> String {
        self.child.wait().unwrap();
        self.reader.join().unwrap();
        self.shown.lock().unwrap().clone()
    }
}

#[test]
fn the_example_has_every_setting() {
    let env = TestEnv::new();
    let example = env.cmd(["config", "example"]).env("WECOM_ALERT_CONFIG", "/nonexistent").run().assert_code(0);
    assert_eq!((example.stdout.as_str(), example.stderr.as_str()), (include_str!("../../config.example.toml"), ""));
}
