//! `SSL_CERT_DIR` beside `SSL_CERT_FILE`: the folder counts as well, but is read only where the file does not suffice.

use std::fs::{File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::results::{Way, document};
use crate::support::fake::FakeWecom;
use crate::support::fake::tls::Certificate;
use crate::support::{Cmd, TestEnv, make_fifo};

/// A send, an upload and what needs both: app and webhook.
const WAYS: [Way; 4] = [Way::WebhookSend, Way::AppSend, Way::AppUpload, Way::UploadToSend];

/// A fake with TLS, another authority's certificate in `other.pem`, its own in `ca.pem`, and an empty folder `certs`.
fn scene() -> (TestEnv, FakeWecom) {
    let (env, wecom) = (TestEnv::new(), FakeWecom::builder().tls(Certificate::Good).start());
    env.file("ca.pem", wecom.ca_pem());
    env.file("other.pem", other_authority(Certificate::UnknownCa));
    std::fs::create_dir(env.home().join("certs")).unwrap();
    (env, wecom)
}

/// The certificate of an authority that signed nothing here: of the same name as the fake's, if the server's is good.
fn other_authority(certificate: Certificate) -> String {
    FakeWecom::builder().tls(certificate).start().ca_pem().to_owned()
}

fn roots(cmd: Cmd, env: &TestEnv, file: &str, folder: &Path) -> Cmd {
    cmd.env("SSL_CERT_FILE", env.home().join(file)).env("SSL_CERT_DIR", folder)
}

fn long_ago() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)
}

/// Lets a folder look as if nobody had read it for decades.
fn age(folder: &Path) {
    File::open(folder).unwrap().set_times(FileTimes::new().set_accessed(long_ago())).unwrap();
}

fn is_untouched(folder: &Path) -> bool {
    folder.metadata().unwrap().accessed().unwrap() == long_ago()
}

/// Whether this file system notes when a folder is read.
fn reads_show(env: &TestEnv) -> bool {
    let folder = env.file("probe/x", "").parent().unwrap().to_owned();
    age(&folder);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    !is_untouched(&folder)
}

fn fifo(path: &Path) {
    make_fifo(path);
}

#[test]
fn an_authority_of_the_folder_is_trusted_too() {
    for way in WAYS {
        let (env, wecom) = scene();
        let folder = env.file("certs/1.pem", wecom.ca_pem()).parent().unwrap().to_owned();
        age(&folder);
        let run = roots(way.json(&env, &wecom), &env, "other.pem", &folder).run();
        assert_eq!(run.code, Some(0), "{way:?}\n{}", run.all());
        assert_eq!((wecom.connections(), wecom.failed_handshakes()), (2, 1), "{way:?}");
        assert_eq!(is_untouched(&folder), !reads_show(&env), "{way:?}");
    }
    // As is one of several folders, and one beside a file that does not exist.
    let (env, wecom) = scene();
    env.file("more/1.pem", wecom.ca_pem());
    let folders = std::env::join_paths(["missing", "certs", "more"].map(|name| env.home().join(name))).unwrap();
    env.file("namesake.pem", other_authority(Certificate::Good));
    for (file, failed) in [("other.pem", 1), ("missing.pem", 1), ("certs", 1), ("namesake.pem", 2)] {
        roots(Way::WebhookSend.json(&env, &wecom), &env, file, Path::new(&folders)).run().assert_code(0);
        assert_eq!(wecom.failed_handshakes(), failed, "{file}");
    }
}

#[test]
fn a_folder_that_is_not_needed_is_not_read() {
    for way in WAYS {
        let (env, wecom) = scene();
        let certs = env.home().join("certs");
        fifo(&certs.join("fifo"));
        env.file("certs/1.pem", wecom.ca_pem());
        fifo(&env.home().join("fifo"));
        age(&certs);
        for (number, folder) in ["certs", "fifo", "missing"].into_iter().enumerate() {
            let run =
                roots(way.json(&env, &wecom), &env, "ca.pem", &env.home().join(folder)).args(["--no-cache"]).run();
            assert_eq!(run.code, Some(0), "{way:?} {folder}\n{}", run.all());
            assert_eq!((wecom.connections(), wecom.failed_handshakes()), (number + 1, 0), "{way:?} {folder}");
        }
        let beside =
            roots(way.json(&env, &wecom), &env, "other.pem", &certs).args(["--no-cache", "--ca-file", "ca.pem"]);
        assert_eq!(beside.run().code, Some(0), "{way:?}");
        let dry = roots(way.json(&env, &wecom), &env, "other.pem", &certs).arg("--dry-run");
        if way.has_message() {
            dry.run().assert_code(0);
        }
        assert_eq!(wecom.failed_handshakes(), 0, "{way:?}");
        assert!(is_untouched(&certs), "{way:?}");
    }
}

#[test]
fn an_authority_in_neither_is_unknown() {
    for way in WAYS {
        let (env, wecom) = scene();
        let folders: [(PathBuf, usize); 4] = [
            (env.file("strangers/1.pem", other_authority(Certificate::UnknownCa)).parent().unwrap().to_owned(), 2),
            (env.home().join("certs"), 1),
            (env.file("text/1.pem", "no certificate at all\n").parent().unwrap().to_owned(), 1),
            (env.home().join("missing"), 1),
        ];
        for (folder, connections) in folders {
            let before = wecom.connections();
            let run = roots(way.json(&env, &wecom), &env, "other.pem", &folder).run().assert_code(3);
            let told = document(&run);
            let message = told["message"].as_str().unwrap();
            assert!(message.contains("not among the trusted roots"), "{way:?}: {message}");
            assert!(message.contains(&wecom.address().to_string()), "{way:?}: {message}");
            assert_eq!(told["retryable"], false, "{way:?}");
            assert!(told["hint"].as_str().unwrap().contains("--ca-file"), "{way:?}: {told}");
            assert_eq!((wecom.requests().len(), wecom.connections() - before), (0, connections), "{way:?} {folder:?}");
        }
    }
}

#[test]
fn without_any_certificate_both_faults_are_named() {
    let (env, wecom) = scene();
    env.file("text.pem", "no certificate at all\n");
    let run = roots(Way::WebhookSend.json(&env, &wecom), &env, "text.pem", &env.home().join("missing")).run();
    let told = document(&run.assert_code(3));
    let message = told["message"].as_str().unwrap();
    for part in
        ["SSL_CERT_FILE", "text.pem: there is no PEM certificate in it; ", "SSL_CERT_DIR", "missing: No such file"]
    {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(wecom.connections(), 0);
}

#[test]
fn check_reads_the_folder_as_well() {
    let (env, wecom) = scene();
    let check = |file, folder: &str| {
        let cmd = env.cmd(["check", "--output", "json"]).base_url(&wecom).app_credentials().webhook();
        let run = roots(cmd.arg("--no-cache"), &env, file, &env.home().join(folder)).run();
        let checks = document(&run)["checks"].as_array().unwrap().clone();
        let tls = checks.into_iter().find(|check| check["name"] == "tls").unwrap();
        (run.code, tls["status"].as_str().unwrap().to_owned(), tls["detail"].as_str().unwrap().to_owned())
    };
    let certs = env.file("certs/1.pem", wecom.ca_pem()).parent().unwrap().to_owned();
    let (code, status, detail) = check("other.pem", "certs");
    assert_eq!((code, status.as_str()), (Some(0), "ok"), "{detail}");
    assert!(detail.contains("TLS 1.3") && detail.contains("Throw-away CA of a test"), "{detail}");
    age(&certs);
    assert_eq!(check("ca.pem", "certs").0, Some(0));
    assert!(is_untouched(&certs));
    let (code, status, detail) = check("other.pem", "missing");
    assert_eq!((code, status.as_str()), (Some(3), "failed"), "{detail}");
    assert!(detail.contains("not among the trusted roots") && detail.contains("Throw-away CA of a test"), "{detail}");
}
