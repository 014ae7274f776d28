//! A cache that cannot be used costs a call, never an alert, and is told of only when somebody wants to know.

use serde_json::{Value, json};

use super::*;
use crate::document::assert_document;
use crate::support::fake::{AGENT_ID, CORP_ID};
use crate::support::{Cmd, Run, TestEnv, make_fifo};

/// The alert went out with a token asked for anew; the trouble is told under `-v` and only there.
fn assert_costs_a_call(case: &str, wecom: &FakeWecom, call: impl Fn() -> Cmd) -> Run {
    let before = (wecom.count(Endpoint::GetToken), wecom.messages().len());
    let run = call().arg("-v").run();
    assert_document(&run, case, 0, &json!({"status": "sent", "attempts": 1, "message": null, "warnings": []}));
    let after = (wecom.count(Endpoint::GetToken), wecom.messages().len());
    assert_eq!(after, (before.0 + 1, before.1 + 1), "{case}: one gettoken, one message");
    let told = run.stderr.lines().filter(|line| line.contains("token cache")).count();
    assert_eq!(told, 1, "{case}: told once under -v\n{}", run.stderr);
    run
}

/// As above, and so it stays, silently, without `-v`.
fn assert_never_usable(case: &str, wecom: &FakeWecom, call: impl Fn() -> Cmd) {
    assert_costs_a_call(case, wecom, &call);
    let before = wecom.count(Endpoint::GetToken);
    let run = call().run();
    assert_document(&run, case, 0, &json!({"status": "sent", "warnings": []}));
    assert_eq!(run.stderr, "", "{case}: silent without -v");
    assert_eq!(wecom.count(Endpoint::GetToken), before + 1, "{case}");
}

#[test]
fn a_damaged_file_is_replaced() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    warm(&env, &wecom);
    let file = token_file(&env);
    let good = fs::read(&file).unwrap();
    let changed = |field: &str, value: Value| {
        let mut entry: Value = serde_json::from_slice(&good).unwrap();
        let known = entry.as_object_mut().unwrap().insert(field.to_owned(), value);
        assert!(known.is_some(), "the file has no field {field}");
        entry.to_string().into_bytes()
    };
    let mut cases = vec![
        ("empty".to_owned(), Vec::new()),
        ("not JSON".to_owned(), b"\x00\xff\xfe garbage".to_vec()),
        ("another document".to_owned(), b"{}".to_vec()),
        ("a list".to_owned(), b"[]".to_vec()),
        ("twice".to_owned(), [good.as_slice(), good.as_slice()].concat()),
        ("another app's".to_owned(), changed("key", json!("0".repeat(64)))),
        ("no token".to_owned(), changed("access_token", json!(""))),
        ("a number for the token".to_owned(), changed("access_token", json!(7))),
        ("a negative time".to_owned(), changed("expires_at", json!(-1))),
        ("a large one".to_owned(), [good.as_slice(), " ".repeat(256 * 1024).as_bytes()].concat()),
    ];
    for length in [1, good.len() / 3, good.len() / 2, good.len() - 1] {
        cases.push((format!("cut to {length} bytes"), good[..length].to_vec()));
    }
    for (case, content) in cases {
        fs::write(&file, content).unwrap();
        assert_costs_a_call(&case, &wecom, || send(&env, &wecom));
        let asked = wecom.count(Endpoint::GetToken);
        let run = send(&env, &wecom).run().assert_code(0);
        assert_eq!((wecom.count(Endpoint::GetToken), run.stderr.as_str()), (asked, ""), "{case}: it is whole again");
    }
    // Its beginning alone must not be read to its end.
    fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
    assert_costs_a_call("a terabyte", &wecom, || send(&env, &wecom));
    assert_eq!(names(&env.cache()).len(), 2, "nothing is left over");
}

#[test]
fn a_token_out_of_the_future_is_not_trusted() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    warm(&env, &wecom);
    let file = token_file(&env);
    let mut entry: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for field in ["obtained_at", "expires_at"] {
        entry[field] = json!(entry[field].as_u64().unwrap() + 100_000);
    }
    fs::write(&file, entry.to_string()).unwrap();
    send(&env, &wecom).run().assert_code(0);
    assert_eq!(wecom.count(Endpoint::GetToken), 2);
}

#[test]
fn the_file_of_another_app_is_not_used_under_a_name_of_ours() {
    const OTHER: &str = "test-secret-of-the-other-app";
    let wecom = FakeWecom::builder().app(CORP_ID, 1_000_003, OTHER).start();
    let (env, other) = (TestEnv::new(), TestEnv::new());
    warm(&env, &wecom);
    let others = |env: &TestEnv| {
        send(env, &wecom).env("WECOM_ALERT_SECRET", OTHER).env("WECOM_ALERT_AGENT_ID", "1000003").run().assert_code(0)
    };
    others(&other);
    fs::copy(token_file(&other), token_file(&env)).unwrap();
    // With the other app's token WeCom would answer 301002, or send in the other app's name.
    assert_costs_a_call("a foreign file", &wecom, || send(&env, &wecom));
    let agents: Vec<_> = wecom.messages().iter().map(|message| message.body["agentid"].clone()).collect();
    assert_eq!(agents, [json!(AGENT_ID), json!(1_000_003), json!(AGENT_ID)]);
}

#[test]
fn something_else_in_the_place_of_a_file() {
    type Put = fn(&Path);
    let folder: Put = |path| {
        fs::create_dir_all(path.join("not-empty")).unwrap();
    };
    let fifo: Put = |path| make_fifo(path);
    let dangling: Put = |path| std::os::unix::fs::symlink("nowhere/at/all", path).unwrap();
    let cycle: Put = |path| std::os::unix::fs::symlink(path.file_name().unwrap(), path).unwrap();
    for (case, put) in [("a folder", folder), ("a FIFO", fifo), ("a link to nothing", dangling), ("a cycle", cycle)] {
        for extension in ["json", "lock"] {
            let (env, wecom) = (TestEnv::new(), FakeWecom::start());
            warm(&env, &wecom);
            let path = token_file(&env).with_extension(extension);
            let token = token_file(&env);
            fs::remove_file(&token).unwrap();
            let _ = fs::remove_file(&path);
            put(&path);
            let asked = wecom.count(Endpoint::GetToken);
            for args in [&[][..], &["-v"]] {
                let run = send(&env, &wecom).args(args.iter().copied()).run();
                assert_document(&run, &format!("{case} as {extension}"), 0, &json!({"status": "sent", "warnings": []}));
                assert!(!args.is_empty() || run.stderr.is_empty(), "{case} as {extension}: {}", run.stderr);
            }
            let asked = wecom.count(Endpoint::GetToken) - asked;
            assert!((1..=2).contains(&asked), "{case} as {extension}: {asked}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let file = env.file("a-file", "in the way");
    let mut places = vec![file.clone(), file.join("below"), PathBuf::from("/dev/null/below")];
    if cfg!(target_os = "linux") {
        // Refused even to root.
        places.push("/proc/wecom-alert/cache".into());
    }
    for place in places {
        let case = place.display().to_string();
        assert_never_usable(&case, &wecom, || send(&env, &wecom).env("WECOM_ALERT_CACHE_DIR", &place));
    }
    assert_eq!(fs::read(&file).unwrap(), b"in the way");
    let usual = TestEnv::new();
    fs::write(usual.cache(), "in the way").unwrap();
    assert_never_usable("a file as the usual folder", &wecom, || send(&usual, &wecom));
}

#[test]
fn a_folder_that_takes_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let folder = env.home().join("read-only");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let call = || send(&env, &wecom).env("WECOM_ALERT_CACHE_DIR", &folder).held_to_modes();
    if call().is_some() {
        assert_never_usable("read-only", &wecom, || call().unwrap());
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn without_a_home_folder() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    let homeless = || {
        let cmd = send(&env, &wecom);
        ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"].into_iter().fold(cmd, Cmd::without_env)
    };
    let no_home: fn(Cmd) -> Cmd = |cmd| cmd;
    let empty_home: fn(Cmd) -> Cmd = |cmd| cmd.env("HOME", "");
    let relative_home: fn(Cmd) -> Cmd = |cmd| cmd.env("HOME", "not/absolute");
    for (at, home) in [no_home, empty_home, relative_home].into_iter().enumerate() {
        // What each command costs is worth a warning: WeCom limits how often tokens are asked for.
        let run = home(homeless()).run();
        let told = run.assert_code(0).json();
        let warnings = told["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{told}");
        assert!(warnings[0].as_str().unwrap().contains("WECOM_ALERT_CACHE_DIR"), "{told}");
        assert_eq!(wecom.count(Endpoint::GetToken), at + 1);
    }
    assert_eq!(names(&env.home()), Vec::<String>::new(), "nothing was left in the working folder");
    // Whoever wants no cache is not told that there is none.
    let run = homeless().args(["-v", "--no-cache"]).run().assert_code(0);
    assert!(!run.stderr.contains("cached") && run.json()["warnings"] == json!([]), "{}", run.stderr);
}

/// No byte can be written to any file, as on a disk without room. Pipes and sockets are not files.
#[test]
fn a_disk_without_room() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for args in [&[][..], &["-v"]] {
        let cmd = env.cmd(["app-send", "-u", "zhangsan", "disk full"]).args(args.iter().copied());
        let cmd = cmd.base_url(&wecom).app_credentials().after("trap '' XFSZ; ulimit -f 0");
        let stderr = cmd.run().assert_code(0).stderr;
        assert_eq!(stderr.contains("cannot be written: File too large"), !args.is_empty(), "{stderr}");
        assert!(!args.is_empty() || stderr.is_empty(), "{stderr}");
    }
    assert_eq!((wecom.count(Endpoint::GetToken), wecom.messages().len()), (2, 2));
    let left = names(&env.cache());
    assert!(left.iter().all(|name| name.ends_with(".lock")), "no half file is left: {left:?}");
}
