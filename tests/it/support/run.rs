//! One call of the real binary: what goes in, what came out, and a limit on its patience.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use super::fake::{AGENT_ID, AIBOT_ID, AIBOT_SECRET, CORP_ID, FakeWecom, SECRET, Secrets, WEBHOOK_KEY};
#[cfg(target_os = "linux")]
use super::needs_that;
use super::{is_root, needs, wait_for, wait_until};

/// What the binary finds at its standard input.
#[derive(Debug)]
enum Stdin {
    /// Nothing, at once.
    Null,
    /// No open descriptor at all.
    Closed,
    Bytes(Vec<u8>),
    /// A pipe into which nobody writes and which nobody closes.
    Open,
    /// A file, or the end of a pipe whose other end the test keeps.
    From(Stdio),
}

/// Where its standard output leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stdout {
    Captured,
    Closed,
    /// A pipe that nobody reads any more.
    Broken,
    /// A device on which no room is left.
    Full,
}

/// A call being put together.
#[must_use]
pub(crate) struct Cmd {
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    folder: PathBuf,
    config_file: PathBuf,
    stdin: Stdin,
    stdout: Stdout,
    sources: Vec<Secrets>,
    secrets: Vec<String>,
    may_show_token: bool,
    /// Where stdout and stderr lead instead.
    files: [Option<File>; 2],
    leads_group: bool,
    /// What a shell does before it becomes the binary.
    before: String,
    /// A program that starts the binary, with its arguments.
    through: String,
}

impl Cmd {
    pub(super) fn new(
        args: Vec<OsString>,
        env: Vec<(OsString, OsString)>,
        folder: &Path,
        config_file: PathBuf,
    ) -> Self {
        Self {
            args,
            env,
            folder: folder.to_owned(),
            config_file,
            stdin: Stdin::Null,
            stdout: Stdout::Captured,
            sources: Vec::new(),
            secrets: vec![SECRET.to_owned(), WEBHOOK_KEY.to_owned(), AIBOT_SECRET.to_owned()],
            may_show_token: false,
            files: [None, None],
            leads_group: false,
            before: String::new(),
            through: String::new(),
        }
    }

    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable; the last one of a name counts.
    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.env.retain(|(given, _)| given != name);
        self
    }

    /// The folder in which it runs, instead of the home.
    pub(crate) fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = folder.into();
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    pub(crate) fn stdin_null(mut self) -> Self {
        self.stdin = Stdin::Null;
        self
    }

    pub(crate) fn stdin_closed(mut self) -> Self {
        self.stdin = Stdin::Closed;
        self
    }

    /// A pipe that stays open and silent: whoever reads it waits for ever.
    pub(crate) fn stdin_open(mut self) -> Self {
        self.stdin = Stdin::Open;
        self
    }

    /// A file, or the end of a pipe whose other end the test keeps.
    pub(crate) fn stdin_from(mut self, source: impl Into<Stdio>) -> Self {
        self.stdin = Stdin::From(source.into());
        self
    }

    pub(crate) fn stdout_closed(mut self) -> Self {
        self.stdout = Stdout::Closed;
        self
    }

    pub(crate) fn stdout_broken(mut self) -> Self {
        self.stdout = Stdout::Broken;
        self
    }

    pub(crate) fn stdout_full(mut self) -> Self {
        self.stdout = Stdout::Full;
        self
    }

    /// Its stdout goes into that file, and is not captured.
    pub(crate) fn stdout_into(mut self, file: &File) -> Self {
        self.files[0] = Some(file.try_clone().unwrap());
        self
    }

    /// Its stderr goes into that file, and is not captured.
    pub(crate) fn stderr_into(mut self, file: &File) -> Self {
        self.files[1] = Some(file.try_clone().unwrap());
        self
    }

    /// It leads a process group, as a shell's job does.
    pub(crate) fn leads_group(mut self) -> Self {
        self.leads_group = true;
        self
    }

    /// It starts with that signal ignored, as under nohup.
    pub(crate) fn ignoring(self, signal: &str) -> Self {
        self.after(&format!("trap '' {signal}"))
    }

    /// A shell does this first, and then becomes the binary.
    pub(crate) fn after(mut self, shell: &str) -> Self {
        self.before = format!("{}{shell}; ", self.before);
        self
    }

    /// It has so many KiB of address space, on systems that can say so; to want more ends it.
    pub(crate) fn most_memory(self, kib: usize) -> Self {
        // Each thread would set aside a lot for a heap of its own, whether it needs that or not.
        self.after(&format!("ulimit -v {kib}")).env("MALLOC_ARENA_MAX", "1")
    }

    /// It is held to the modes of files, also where the tests are run by root. `None` where that cannot be had.
    #[cfg(unix)]
    pub(crate) fn held_to_modes(mut self) -> Option<Self> {
        if is_root() {
            self.through = "setpriv --bounding-set=-all --inh-caps=-all -- ".to_owned();
            return needs("setpriv").then_some(self);
        }
        Some(self)
    }

    /// Is started by that program, given with its arguments and a blank.
    pub(crate) fn through(mut self, program: &str) -> Self {
        self.through.push_str(program);
        self
    }

    /// Is run as another user, with one more group; only root can do that.
    pub(crate) fn by_user(mut self, user: u32, group: u32) -> Self {
        self.through = format!("setpriv --reuid={user} --regid={user} --groups={group} -- ");
        self
    }

    /// It finds the names of this file in place of those of `/etc/hosts`. `None` where that cannot be had.
    #[cfg(target_os = "linux")]
    pub(crate) fn hosts(self, file: &Path) -> Option<Self> {
        let namespace = if is_root() { "unshare --mount" } else { "unshare --map-root-user --mount" };
        let mount = format!("mount --bind '{}' /etc/hosts", file.display());
        let trial = Command::new("/bin/sh").arg("-c").arg(format!("{namespace} /bin/sh -c \"{mount}\"")).output();
        let is_possible = trial.is_ok_and(|trial| trial.status.success());
        let cmd = self.through(&format!("{namespace} /bin/sh -c \"{mount}\"' && exec \"$0\" \"$@\"' "));
        needs_that(is_possible, "unshare and mount, and the right to use them").then_some(cmd)
    }

    /// Writes this as the user's config file.
    pub(crate) fn config(self, toml: &str) -> Self {
        super::write_private(&self.config_file, toml.as_bytes());
        self
    }

    /// Talks to that fake, and must show none of its secrets.
    pub(crate) fn base_url(self, wecom: &FakeWecom) -> Self {
        let url = wecom.base_url();
        self.keeps_secret(wecom).env("WECOM_ALERT_BASE_URL", url)
    }

    /// Must show none of that fake's secrets, however it comes to talk to it.
    pub(crate) fn keeps_secret(mut self, wecom: &FakeWecom) -> Self {
        self.sources.push(wecom.secrets());
        self
    }

    /// Must not show this either.
    pub(crate) fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// The app that the fake always knows, through the environment.
    pub(crate) fn app_credentials(self) -> Self {
        self.env("WECOM_ALERT_CORP_ID", CORP_ID)
            .env("WECOM_ALERT_AGENT_ID", AGENT_ID.to_string())
            .env("WECOM_ALERT_SECRET", SECRET)
    }

    /// The webhook that the fake always knows, through the environment.
    pub(crate) fn webhook(self) -> Self {
        self.env("WECOM_ALERT_WEBHOOK", WEBHOOK_KEY)
    }

    /// The aibot that the fake always knows, and where it is reached, through the environment.
    pub(crate) fn aibot(self, wecom: &FakeWecom) -> Self {
        self.keeps_secret(wecom)
            .env("WECOM_ALERT_AIBOT_URL", wecom.aibot_url())
            .env("WECOM_ALERT_AIBOT_ID", AIBOT_ID)
            .env("WECOM_ALERT_AIBOT_SECRET", AIBOT_SECRET)
    }

    /// Access tokens may appear in the output: it is get-token's, and it went well.
    pub(crate) fn may_show_token(mut self) -> Self {
        self.may_show_token = true;
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Run {
        self.spawn().wait()
    }

    /// Starts it, for many at once.
    pub(crate) fn spawn(mut self) -> Running {
        let binary = env!("CARGO_BIN_EXE_wecom-alert");
        let redirections = [
            (matches!(self.stdin, Stdin::Closed), "<&-"),
            (self.stdout == Stdout::Closed, ">&-"),
            (self.stdout == Stdout::Full, ">/dev/full"),
        ];
        let redirections: String = redirections.iter().filter(|(on, _)| *on).map(|(_, text)| *text).collect();
        let through = &self.through;
        let line = format!("{}exec {through}\"$0\" \"$@\" {redirections}", self.before);
        let mut command = if line == "exec \"$0\" \"$@\" " {
            Command::new(binary)
        } else {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(line).arg(binary);
            shell
        };
        command.args(&self.args).env_clear().envs(self.env.iter().cloned()).current_dir(&self.folder);
        // Taken out, so that nobody but the child holds what it reads from.
        let mut bytes = None;
        command.stdin(match std::mem::replace(&mut self.stdin, Stdin::Null) {
            Stdin::Null | Stdin::Closed => Stdio::null(),
            Stdin::From(source) => source,
            Stdin::Open => Stdio::piped(),
            Stdin::Bytes(given) => {
                bytes = Some(given);
                Stdio::piped()
            }
        });
        command.stdout(match self.stdout {
            // The reader is gone before the binary begins, however quick it is.
            Stdout::Broken => Stdio::from(std::io::pipe().unwrap().1),
            Stdout::Captured | Stdout::Closed | Stdout::Full => Stdio::piped(),
        });
        command.stderr(Stdio::piped());
        let [out, err] = std::mem::take(&mut self.files);
        if let Some(file) = out {
            command.stdout(file);
        }
        if let Some(file) = err {
            command.stderr(file);
        }
        #[cfg(unix)]
        if self.leads_group {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut open = Vec::new();
        if let Some(mut pipe) = child.stdin.take() {
            match bytes {
                Some(bytes) => drop(std::thread::spawn(move || pipe.write_all(&bytes))),
                None => open.push(pipe),
            }
        }
        let stdout = child.stdout.take().map(collect);
        let stderr = child.stderr.take().map(collect);
        Running { child, cmd: self, stdout, stderr, _open: open }
    }

    fn check_secrets(&self, run: &Run) {
        let standing = self.sources.iter().flat_map(Secrets::standing).chain(self.secrets.iter().cloned());
        let tokens = self.sources.iter().filter(|_| !self.may_show_token).flat_map(Secrets::tokens);
        let secrets: Vec<_> = standing.chain(tokens).collect();
        if let Some(secret) = find_leak(&run.all(), &secrets) {
            panic!("a secret ({secret}) is shown:\n{}", run.all());
        }
    }
}

/// A call under way.
pub(crate) struct Running {
    child: Child,
    cmd: Cmd,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    _open: Vec<std::process::ChildStdin>,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it had resident so far, in KiB, but for the pages of the program's own file, of which a build
    /// for tests has many times more. 0 where nobody tells.
    pub(crate) fn peak_memory(&self) -> usize {
        memory(self.id()).unwrap_or_default()
    }

    /// The same up to its end.
    pub(crate) fn watch_memory(&self) -> usize {
        let mut most = 0;
        wait_until("its end", || {
            let now = memory(self.id());
            most = most.max(now.unwrap_or_default());
            now.is_none()
        });
        most
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills it without a warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits for its end, within limits.
    pub(crate) fn wait(mut self) -> Run {
        let what = format!("the end of {:?}", self.cmd.args);
        let status = wait_for(&what, || self.child.try_wait().unwrap());
        let text = |reader: Option<JoinHandle<Vec<u8>>>| {
            let bytes = reader.map(|reader| reader.join().unwrap()).unwrap_or_default();
            String::from_utf8(bytes).unwrap_or_else(|error| panic!("output that is not UTF-8: {error}"))
        };
        let run = Run { code: status.code(), stdout: text(self.stdout.take()), stderr: text(self.stderr.take()) };
        self.cmd.check_secrets(&run);
        run
    }
}

/// One that a failing test leaves behind is ended.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as exactly one JSON document.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not exactly one JSON document: {error}\n{}", self.all()))
    }

    /// Fails with all output when it ended otherwise.
    pub(crate) fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code\n{}", self.all());
        self
    }

    /// Both outputs, for messages and searches.
    pub(crate) fn all(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
    }
}

/// What a process has had in memory, in KiB; `None` when it has ended, or where nobody tells.
fn memory(id: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok()
    };
    Some(of("VmHWM:")?.saturating_sub(of("RssFile:")?))
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

/// The first secret that the text holds, plain or percent-encoded in either case.
fn find_leak<'a>(text: &str, secrets: &'a [String]) -> Option<&'a String> {
    secrets.iter().find(|secret| {
        let encoded = percent_encoded(secret);
        [secret.as_str(), &encoded, &with_lower_case_escapes(&encoded)].iter().any(|form| text.contains(form))
    })
}

fn with_lower_case_escapes(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| format!("{text}%{}{}", piece[..2].to_lowercase(), &piece[2..]))
}

fn percent_encoded(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::TestEnv;
    use super::*;

    #[test]
    fn finds_a_secret_in_every_form() {
        let secrets = ["test/S=1".to_owned()];
        for text in ["a test/S=1 b", "key=test%2FS%3D1", "key=test%2fS%3d1"] {
            assert_eq!(find_leak(text, &secrets), Some(&secrets[0]), "{text}");
        }
        assert_eq!(find_leak("test/S", &secrets), None);
    }

    #[test]
    fn several_documents_are_not_one() {
        let run = |stdout: &str| Run { code: Some(0), stdout: stdout.into(), stderr: String::new() };
        assert_eq!(run("{\"ok\": true}\n").json()["ok"], true);
        assert!(std::panic::catch_unwind(|| run("{}\n{}").json()).is_err());
        assert!(std::panic::catch_unwind(|| run("").assert_code(1)).is_err());
    }

    #[test]
    fn a_call_sees_nothing_of_this_process() {
        let env = TestEnv::new();
        let cmd = env.cmd(["a"]).arg("b").env("HOME", "/nowhere").without_env("PATH");
        assert!(cmd.env.iter().all(|(name, _)| name != "PATH"));
        assert_eq!(cmd.args, ["a", "b"]);
        assert!(env.cmd::<&str>([]).run().code.is_some());
    }
}
