//! What is released, `examples/package`: the script that installs the program, and files that have to agree with each other.
//! What needs a release build is tested by `examples/package/test.sh`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;

use ring::digest::{SHA256, digest};

use crate::support::fake::WEBHOOK_KEY;
use crate::support::{Scene, TestEnv, needs};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(top().join(name)).unwrap()
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A file of the server, and how many of its bytes arrive.
type Served = (Vec<u8>, usize);

/// Serves files under their names on loopback, one connection after the other.
fn serve(files: BTreeMap<String, Served>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let files = Arc::new(files);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(request) = lines.next() else { continue };
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let name = request.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
            let (status, (body, arrives)) = match files.get(&name) {
                Some(served) => ("200 OK", served.clone()),
                None => ("404 Not Found", (Vec::new(), 0)),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // A client that gave up is no fault of the server.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..arrives]));
        }
    });
    address
}

/// A server that takes a request and answers nothing, for as long as the test runs.
#[cfg(target_os = "linux")]
fn stall() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

/// A folder for an installation, with a server that has the archive for this machine and its sum.
struct Release {
    folder: tempfile::TempDir,
    archive: String,
    files: BTreeMap<String, Served>,
}

impl Release {
    /// The program in it is a script that tells its version.
    fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = format!("wecom-alert-{}-unknown-linux-musl.tar.gz", std::env::consts::ARCH);
        write_program(&folder.path().join("wecom-alert"), program);
        let at = folder.path().join(&archive);
        let run = Command::new("tar").arg("-czf").arg(&at).arg("-C").arg(folder.path()).arg("wecom-alert").status();
        assert!(run.unwrap().success());
        let bytes = fs::read(&at).unwrap();
        let sum: String = digest(&SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let sums = format!("{}  other.deb\n{sum}  {archive}\n", "0".repeat(64)).into_bytes();
        let files = [(archive.clone(), bytes), ("SHA256SUMS".to_owned(), sums)];
        let files = files.map(|(name, bytes)| (name, (bytes.clone(), bytes.len()))).into();
        Self { folder, archive, files }
    }

    fn serve(&self) -> String {
        serve(self.files.clone())
    }

    fn to(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// A folder that has the archive and its sum, as a mirror on a disk.
    fn mirror(&self) -> String {
        let folder = self.folder.path().join("a mirror");
        fs::create_dir(&folder).unwrap();
        for (name, (bytes, _)) in &self.files {
            fs::write(folder.join(name), bytes).unwrap();
        }
        folder.display().to_string()
    }

    /// A PATH of its own that has nothing but these tools of the system.
    fn path_of(&self, tools: &[&str]) -> String {
        let folder = self.folder.path().join(tools.join("-"));
        fs::create_dir(&folder).unwrap();
        for tool in tools {
            let found = ["/usr/local/bin", "/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool));
            let found = found.iter().find(|path| path.exists()).unwrap_or_else(|| panic!("no {tool}"));
            std::os::unix::fs::symlink(found, folder.join(tool)).unwrap();
        }
        folder.display().to_string()
    }

    /// Pipes the beginning of the script into a shell, as `curl … | sh` does.
    fn install(&self, from: &str, bytes: usize, variables: &[(&str, &str)]) -> Output {
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.folder.path().join("tools").display());
        let script = read("examples/package/install.sh");
        let mut shell = Command::new("/bin/sh");
        shell.env_clear().env("PATH", path).env("INSTALL_FROM", from).env("INSTALL_TO", self.to());
        shell.envs(variables.iter().copied()).stdin(std::process::Stdio::piped());
        shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut shell = shell.spawn().unwrap();
        shell.stdin.take().unwrap().write_all(&script.as_bytes()[..bytes.min(script.len())]).unwrap();
        shell.wait_with_output().unwrap()
    }

    fn refuses(&self, from: &str, words: &str, variables: &[(&str, &str)]) {
        let run = self.install(from, usize::MAX, variables);
        let told = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(!run.status.success() && told.contains(words), "{words}: {told}");
        assert!(self.installed().is_none_or(|files| files.is_empty()), "{words}");
    }

    /// What lies in the folder, if there is one.
    fn installed(&self) -> Option<Vec<String>> {
        let entries = fs::read_dir(self.to()).ok()?;
        Some(entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
    }
}

const PROGRAM: &str = "#!/bin/sh\necho wecom-alert 1.2.3\n";

#[cfg(target_os = "linux")]
#[test]
fn the_script_installs_what_has_the_right_sum() {
    if !needs("curl") {
        return;
    }
    let release = Release::new(PROGRAM);
    let from = release.serve();
    // Twice: the second time over the first one.
    for _ in 0..2 {
        let run = release.install(&from, usize::MAX, &[]);
        let told = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        assert!(told.contains("wecom-alert 1.2.3") && told.contains("is not in your PATH"), "{told}");
        assert_eq!(release.installed().unwrap(), ["wecom-alert"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_script_installs_nothing_else() {
    if !needs("curl") {
        return;
    }
    let whole = Release::new(PROGRAM);
    let from = whole.serve();
    whole.refuses(&from, "and should have 1234", &[("INSTALL_SHA256", "1234")]);
    whole.refuses("http://127.0.0.1:9", "cannot fetch http://127.0.0.1:9/wecom-alert-", &[]);

    let mut damaged = Release::new(PROGRAM);
    damaged.files.get_mut(&damaged.archive).unwrap().0[20] ^= 1;
    damaged.refuses(&damaged.serve(), "nothing was installed", &[]);
    let mut cut = Release::new(PROGRAM);
    cut.files.get_mut(&cut.archive).unwrap().1 -= 10;
    cut.refuses(&cut.serve(), "cannot fetch", &[]);
    let mut unnamed = Release::new(PROGRAM);
    unnamed.files.insert("SHA256SUMS".to_owned(), (b"0  other\n".to_vec(), 9));
    unnamed.refuses(&unnamed.serve(), "SHA256SUMS does not name", &[]);
    let foreign = Release::new("#!/nowhere/at/all\n");
    foreign.refuses(&foreign.serve(), "does not run here", &[]);

    // Another system, another processor.
    for (system, cpu, words) in
        [("Linux", "riscv64", "no program for riscv64"), ("Darwin", "arm64", "no program for Darwin")]
    {
        let release = Release::new(PROGRAM);
        let tools = release.folder.path().join("tools");
        fs::create_dir(&tools).unwrap();
        let uname = format!("#!/bin/sh\n[ \"$1\" = -m ] && echo {cpu} || echo {system}\n");
        write_program(&tools.join("uname"), &uname);
        release.refuses(&from, words, &[]);
    }
    // The script itself was cut on its way.
    let length = read("examples/package/install.sh").len();
    for bytes in [length / 4, length / 2, length - 10] {
        whole.install(&from, bytes, &[]);
        assert_eq!(whole.installed(), None, "{bytes} of {length} bytes");
    }
}

/// All that the script runs, but for what fetches.
const TOOLS: [&str; 14] =
    ["uname", "id", "mktemp", "rm", "cp", "mkdir", "chmod", "mv", "cut", "tr", "awk", "sha256sum", "tar", "gzip"];

#[cfg(target_os = "linux")]
#[test]
fn the_script_installs_from_a_folder_and_names_missing_tools() {
    let release = Release::new(PROGRAM);
    let mirror = release.mirror();
    let sum = String::from_utf8(release.files["SHA256SUMS"].0.clone()).unwrap();
    let sum = sum.lines().last().unwrap().split(' ').next().unwrap().to_owned();
    for lacking in ["gzip", "sha256sum", "tar"] {
        let tools: Vec<_> = TOOLS.into_iter().filter(|tool| *tool != lacking).collect();
        release.refuses(&mirror, &format!("needs {lacking}"), &[("PATH", &release.path_of(&tools))]);
    }
    let path = release.path_of(&TOOLS);
    release.refuses("http://127.0.0.1:9", "needs curl or wget", &[("PATH", &path)]);
    release.refuses("/no/such/folder", "cannot fetch /no/such/folder/wecom-alert-", &[("PATH", &path)]);
    let zeros = "0".repeat(64);
    release.refuses(&mirror, "INSTALL_SHA256 is of another version", &[("PATH", &path), ("INSTALL_SHA256", &zeros)]);

    for from in [mirror.clone(), format!("{mirror}/"), format!("file://{mirror}")] {
        for sum in ["", &sum, &sum.to_uppercase(), &format!("sha256:{sum}")] {
            let run = release.install(&from, usize::MAX, &[("PATH", &path), ("INSTALL_SHA256", sum)]);
            assert!(run.status.success(), "{from} {sum}: {}", String::from_utf8_lossy(&run.stderr));
            fs::remove_file(release.to().join("wecom-alert")).unwrap();
        }
    }
}

/// The limits are the script's; that they are short here is the test's.
#[cfg(target_os = "linux")]
#[test]
fn the_script_gives_up_a_server_that_stalls() {
    let from = stall();
    for (tool, limit, short) in
        [("curl", "--speed-limit 1 --speed-time 30", "--speed-time 1 --retry 0"), ("wget", "-T 30", "-T 1 -t 1")]
    {
        if !needs(tool) {
            continue;
        }
        let release = Release::new(PROGRAM);
        let path = release.path_of(&TOOLS);
        let real = release.path_of(&[tool]);
        let wrapper = format!(
            "#!/bin/sh\ncase \" $* \" in *' {limit} '*) exec '{real}/{tool}' {short} \"$@\" {short} ;; esac\nexit 99\n"
        );
        write_program(&Path::new(&path).join(tool), &wrapper);
        release.refuses(&from, &format!("cannot fetch {from}/wecom-alert-"), &[("PATH", &path)]);
    }
}

/// The first alert is two lines away, and the file as it comes is sound.
#[test]
fn the_config_file_of_the_packages() {
    let template = read("examples/package/config.toml");
    let scene = Scene::new();
    let state = scene.env.home().join("state");
    let template = template.replace("/var/lib/wecom-alert", &state.display().to_string()).replace("KEY", WEBHOOK_KEY);
    let send = |config: &str, args: &[&str]| {
        scene.env.cmd(args.iter().copied()).base_url(&scene.wecom).config(config).run().assert_code(0)
    };
    send(&template, &["--dry-run", "webhook-send", "hello"]);
    let begun = template.replace("\n#[profiles.main]\n#webhook", "\n[profiles.main]\nwebhook");
    assert_ne!(begun, template);
    send(&begun, &["webhook-send", "--outbox", "hello"]);
    assert_eq!(scene.texts(), ["hello"]);
    assert!(state.join("outbox").is_dir(), "{}", state.display());
    let is_key = |line: &str| line.starts_with("#[") || line.starts_with('#') && line.contains(" = ");
    let whole = |line: &str| if is_key(line) { line.trim_start_matches('#').to_owned() } else { line.to_owned() };
    let whole = template.lines().map(whole).collect::<Vec<_>>().join("\n");
    let run = send(&whole, &["--dry-run", "app-send", "hello"]);
    assert!(run.stdout.contains("1000002") && run.stdout.contains("zhangsan"), "{}", run.all());
}

/// Where a release is fetched from, archives have the names that the script gives them.
#[test]
fn archives_have_one_name() {
    let (build, manifest) = (read("examples/package/build.sh"), read("Cargo.toml"));
    for triple in ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-unknown-linux-gnu"] {
        assert!(build.contains(&format!("wecom-alert-{triple}.tar.gz")), "{triple}");
    }
    assert!(build.contains("finish \"wecom-alert-$1.tar.gz\""));
    let binstall = "pkg-url = \"{ repo }/releases/download/v{ version }/{ name }-{ target }{ archive-suffix }\"";
    assert!(manifest.contains(binstall), "cargo binstall");
    // Both READMEs fetch this version.
    for readme in ["README.md", "README.zh-CN.md"] {
        let (text, version) = (read(readme), env!("CARGO_PKG_VERSION"));
        let from = format!("from={}/releases/download/v{version}\n", env!("CARGO_PKG_REPOSITORY"));
        assert!(text.contains(&from), "{readme}");
        for name in [
            format!("wecom-alert_{version}-1_amd64.deb"),
            format!("wecom-alert-{version}-1.x86_64.rpm"),
            format!("wecom_alert-{version}-py3-none-manylinux2014_x86_64."),
            format!("wecom-alert-{version}-x86_64-oci.tar"),
        ] {
            assert!(text.contains(&format!("$from/{name}")), "{readme}: {name}");
        }
    }
    let release = format!("{}/releases/download/v{}", env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"));
    for hook in ["github-action/action.yml", "gitlab-component/templates/wecom-alert.yml"] {
        assert!(read(&format!("examples/hooks/{hook}")).contains(&release), "{hook}");
    }
    let install = read("examples/package/install.sh");
    assert!(install.contains(&format!("{}/releases/latest/download", env!("CARGO_PKG_REPOSITORY"))));
}

/// Code of others runs in a workflow only as the commit that was read; no job has rights that it was not given.
#[test]
fn workflows_are_pinned() {
    for workflow in ["ci.yml", "release.yml"] {
        let text = read(&format!(".github/workflows/{workflow}"));
        assert!(text.lines().any(|line| line.starts_with("permissions:")), "{workflow}");
        for used in text.lines().filter_map(|line| line.split_once("uses: ")) {
            let commit = used.1.split_once('@').unwrap().1.split(' ').next().unwrap();
            assert!(commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{workflow}: {}", used.1);
        }
    }
}

/// The packages bring the pages that the manual tells to make: those of the commands in the help, and of all topics.
#[test]
fn packages_bring_every_page() {
    let (build, manual) = (read("examples/package/build.sh"), read("src/manual/en/config.md"));
    let commands = r"--help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')";
    assert!(build.contains(commands) && manual.contains(commands));
    let script = format!("echo $(\"$0\" {commands}");
    let named = Command::new("sh").args(["-c", &script, env!("CARGO_BIN_EXE_wecom-alert")]).output().unwrap().stdout;
    let named = String::from_utf8(named).unwrap();
    assert!(named.starts_with("app-send ") && named.contains(" explain "), "{named}");
    let help = TestEnv::new().cmd(["--help"]).run().assert_code(0).stdout;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let listed = listed.filter(|line| !line.starts_with("   "));
    assert_eq!(named.split_whitespace().count(), listed.count(), "{named}");
    let topics = |text: &str, variable: &str| {
        let begin = format!("for {variable} in delivery ");
        let list = text.split_once(&begin).unwrap().1.split(';').next().unwrap().replace('\\', " ");
        list.split_whitespace().map(str::to_owned).chain(["delivery".to_owned()]).collect::<BTreeSet<_>>()
    };
    let pages = fs::read_dir(top().join("src/manual/en")).unwrap();
    let pages = pages.map(|page| page.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
    // The page on settings is in section 5.
    let pages = pages.filter(|page| page != "config").collect();
    assert_eq!(topics(&build, "name"), pages);
    assert_eq!(topics(&manual, "t"), pages);
}

/// The packages put the program and the script of the units elsewhere: build.sh changes the beginning of their paths.
#[test]
fn units_name_what_is_installed() {
    for unit in ["wecom-alert@.service", "wecom-alert-flush.service", "wecom-alert-listen.service"] {
        let text = read(&format!("examples/systemd/{unit}"));
        let start = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        assert!(
            start.starts_with("/usr/local/bin/wecom-alert ") || start.starts_with("/usr/local/libexec/wecom-alert/")
        );
        for line in ["User=wecom-alert", "StateDirectoryMode=2770", "ProtectSystem=strict"] {
            assert!(text.lines().any(|is| is == line), "{unit} lacks {line}");
        }
    }
    assert!(read("examples/systemd/tmpfiles.conf").contains("d /var/lib/wecom-alert 2770 wecom-alert wecom-alert"));
}
