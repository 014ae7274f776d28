//! Certificates: verified always, with the system's roots or those that a person names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::results::{Way, document};
use crate::support::fake::tls::Certificate;
use crate::support::fake::{FakeWecom, closed_port};
use crate::support::{Cmd, TestEnv, make_fifo};

/// A fake with such a certificate, and its authority in a file `ca.pem` of the home.
fn server(env: &TestEnv, certificate: Certificate) -> FakeWecom {
    let wecom = FakeWecom::builder().tls(certificate).start();
    env.file("ca.pem", wecom.ca_pem());
    wecom
}

fn send(env: &TestEnv, wecom: &FakeWecom) -> Cmd {
    Way::WebhookSend.json(env, wecom)
}

#[test]
fn a_certificate_that_cannot_be_trusted_is_a_fault_of_the_set_up() {
    for (certificate, reason, hint) in [
        (Certificate::UnknownCa, "its issuer is not among the trusted roots", "--ca-file"),
        (Certificate::Expired, "it has expired", "clock"),
        (Certificate::WrongName, "it is for another name", "--base-url"),
        (Certificate::OwnCaExpired, "it has expired", "clock"),
        (Certificate::OwnCaWrongName, "it is for another name", "--base-url"),
        (
            Certificate::OwnCaOfTwin,
            "it is a CA's own certificate (CA:TRUE), and the server shows it as its own",
            "basicConstraints=critical,CA:FALSE",
        ),
        (
            Certificate::OwnCaWithoutKey,
            "its signature, or that of the server which shows it, does not fit; a CA may have a new key",
            "--ca-file",
        ),
        (Certificate::NoName, "it names no host (it has no subjectAltName)", "-addext subjectAltName="),
        (Certificate::ForClients, "it is not for servers (its extendedKeyUsage lacks serverAuth)", "made anew"),
    ] {
        for way in Way::ALL {
            let env = TestEnv::new();
            let wecom = server(&env, certificate);
            let run = way.json(&env, &wecom).args(["--ca-file", "ca.pem"]).run().assert_code(3);
            let told = document(&run);
            assert_eq!((&told["status"], &told["retryable"]), (&json!("config"), &json!(false)), "{way:?}");
            let message = told["message"].as_str().unwrap();
            assert_eq!(
                message,
                format!("the certificate of {} was not accepted: {reason}", wecom.address()),
                "{way:?}"
            );
            assert!(told["hint"].as_str().unwrap().contains(hint), "{way:?}: {told}");
            assert_eq!((wecom.requests().len(), wecom.connections()), (0, 1), "{certificate:?} {way:?}");
        }
    }
}

/// As curl takes it: the server's own certificate is what the user trusts.
#[test]
fn a_certificate_that_was_named_itself_is_trusted_although_it_is_a_cas() {
    for way in Way::ALL {
        let env = TestEnv::new();
        let wecom = server(&env, Certificate::OwnCa);
        way.json(&env, &wecom).args(["--ca-file", "ca.pem"]).may_show_token().run().assert_code(0);
        // Nobody else's, and not without being named.
        let told = document(&way.json(&env, &wecom).arg("--no-cache").run().assert_code(3));
        assert!(told["message"].as_str().unwrap().ends_with("the server shows it as its own"), "{told}");
        assert!(told["hint"].as_str().unwrap().contains("--ca-file"), "{told}");
    }
}

/// However the file was saved, and in which form.
#[test]
fn a_ca_file_in_every_form() {
    let env = TestEnv::new();
    let wecom = server(&env, Certificate::Good);
    let pem = wecom.ca_pem().to_owned();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).unwrap();
    let utf16 =
        |encode: fn(u16) -> [u8; 2]| format!("\u{feff}{pem}").encode_utf16().flat_map(encode).collect::<Vec<u8>>();
    for (name, bytes) in [
        ("mark", format!("\u{feff}{pem}").into_bytes()),
        ("Windows line ends", pem.replace('\n', "\r\n").into_bytes()),
        ("indented", pem.lines().map(|line| format!("  {line}  \n")).collect::<String>().into_bytes()),
        ("UTF-16", utf16(u16::to_le_bytes)),
        ("UTF-16, the other way round", utf16(u16::to_be_bytes)),
        ("DER", der.clone()),
    ] {
        env.file("form.pem", bytes);
        let run = send(&env, &wecom).args(["--ca-file", "form.pem"]).run();
        assert_eq!(run.code, Some(0), "{name}\n{}", run.all());
    }
    for (name, bytes, message, hint) in [
        (
            "PKCS#7",
            b"-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n".to_vec(),
            "PKCS#7",
            "openssl pkcs7 -print_certs -in ",
        ),
        (
            "trusted",
            pem.replace(" CERTIFICATE", " TRUSTED CERTIFICATE").into_bytes(),
            "trusted certificate",
            "openssl x509 -in ",
        ),
        ("key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_vec(), "private key", "PEM"),
        ("PKCS#12", der[..100].to_vec(), "openssl pkcs12", "PEM"),
        ("the second is cut", [pem.as_bytes(), &pem.as_bytes()[..200]].concat(), "certificate 2 is damaged", "PEM"),
    ] {
        env.file("form.pem", bytes);
        let told = document(&send(&env, &wecom).args(["--ca-file", "form.pem"]).run().assert_code(3));
        let [told_message, told_hint] = ["message", "hint"].map(|field| told[field].as_str().unwrap().to_owned());
        assert!(told_message.contains(message) && told_hint.contains(hint), "{name}: {told}");
    }
}

#[test]
fn the_authority_must_be_known() {
    let env = TestEnv::new();
    let wecom = server(&env, Certificate::Good);
    let told = document(&send(&env, &wecom).run().assert_code(3));
    assert!(told["hint"].as_str().unwrap().contains("--ca-file"), "{told}");
    assert!(wecom.requests().is_empty());
}

#[test]
fn every_way_to_name_an_authority() {
    let env = TestEnv::new();
    let wecom = server(&env, Certificate::Good);
    let ca = env.home().join("ca.pem");
    env.file("certs/1.pem", wecom.ca_pem());
    let certs = env.home().join("certs");
    let others = FakeWecom::builder().tls(Certificate::Good).start();
    let two = env.file("two.pem", format!("# A comment\n{}\n{}", others.ca_pem(), wecom.ca_pem()));
    let cases: [(&str, Cmd); 7] = [
        ("--ca-file", send(&env, &wecom).arg("--ca-file").arg(&ca)),
        ("a bundle of two", send(&env, &wecom).arg("--ca-file").arg(&two)),
        ("WECOM_ALERT_CA_FILE", send(&env, &wecom).env("WECOM_ALERT_CA_FILE", &ca)),
        ("SSL_CERT_FILE", send(&env, &wecom).env("SSL_CERT_FILE", &ca)),
        ("SSL_CERT_DIR", send(&env, &wecom).env("SSL_CERT_DIR", &certs)),
        (
            "beside SSL_CERT_FILE",
            send(&env, &wecom).arg("--ca-file").arg(&ca).env("SSL_CERT_FILE", env.file("other.pem", others.ca_pem())),
        ),
        ("ca_file", {
            env.file(env.config_file().with_file_name("own.pem"), wecom.ca_pem());
            send(&env, &wecom).config("ca_file = \"own.pem\"\n[profiles.room]\n")
        }),
    ];
    for (number, (name, cmd)) in cases.into_iter().enumerate() {
        let run = cmd.run();
        assert_eq!(run.code, Some(0), "{name}\n{}", run.all());
        assert_eq!(wecom.messages().len(), number + 1, "{name}");
    }
    assert_eq!(others.connections(), 0);
}

#[test]
fn a_file_without_certificates_is_said_so_before_anything_is_sent() {
    let env = TestEnv::new();
    let wecom = server(&env, Certificate::Good);
    env.file("empty.pem", "");
    env.file("text.pem", "no certificate at all\n");
    env.file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    env.file("cut.pem", &wecom.ca_pem()[..100]);
    for name in ["missing.pem", "empty.pem", "text.pem", "broken.pem", "cut.pem", "."] {
        let run = send(&env, &wecom).args(["--ca-file", name]).run();
        assert_eq!(run.code, Some(3), "{name}\n{}", run.all());
        let told = document(&run);
        assert_eq!(told["status"], "config", "{name}");
        assert!(told["message"].as_str().unwrap().contains(name), "{name}: {told}");
    }
    for (variable, name, reason) in [
        ("SSL_CERT_FILE", "missing.pem", "No such file"),
        ("SSL_CERT_FILE", "text.pem", "no PEM certificate"),
        ("SSL_CERT_FILE", "broken.pem", "no certificate in it is valid"),
        ("SSL_CERT_DIR", "tmp", "No such file"),
        ("SSL_CERT_DIR", "folder", "no PEM certificate"),
    ] {
        env.file("folder/text.pem", "no certificate at all\n");
        let run = send(&env, &wecom).env(variable, env.home().join(name)).run();
        assert_eq!(run.code, Some(3), "{variable}={name}\n{}", run.all());
        let told = document(&run);
        let message = told["message"].as_str().unwrap();
        assert!(message.contains(variable) && message.contains(name), "{message}");
        #[cfg(unix)]
        assert!(message.contains(reason), "{message}");
    }
    assert_eq!(wecom.connections(), 0);
}

#[test]
fn unneeded_certificates_cause_no_error() {
    let (env, wecom) = (TestEnv::new(), FakeWecom::start());
    for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        send(&env, &wecom).env(variable, env.home().join("missing")).run().assert_code(0);
    }
    assert_eq!(wecom.messages().len(), 2);
    // But a connection to the proxy needs them too.
    let url = format!("https://127.0.0.1:{}", closed_port());
    let run = send(&env, &wecom).env("SSL_CERT_FILE", "missing").env("HTTP_PROXY", url).run().assert_code(3);
    assert!(document(&run)["message"].as_str().unwrap().contains("SSL_CERT_FILE"), "{}", run.all());
    assert_eq!(wecom.messages().len(), 2);
}

#[cfg(unix)]
#[test]
fn a_file_that_never_ends_is_given_up() {
    let env = TestEnv::new();
    let wecom = server(&env, Certificate::Good);
    let fifo = env.home().join("fifo");
    make_fifo(&fifo);
    let limited = || send(&env, &wecom).args(["--deadline", "300ms"]);
    for (name, cmd) in [
        ("--ca-file", limited().arg("--ca-file").arg(&fifo)),
        ("SSL_CERT_FILE", limited().env("SSL_CERT_FILE", &fifo)),
        ("--ca-file", limited().arg("--ca-file").arg(&fifo).arg("--dry-run")),
    ] {
        let told = document(&cmd.run().assert_code(7));
        assert_eq!((&told["status"], &told["retryable"]), (&json!("temporary"), &json!(true)), "{name}");
        assert!(told["hint"].as_str().unwrap().contains("--deadline"), "{name}: {told}");
        let message = told["message"].as_str().unwrap();
        assert!(message.contains(&format!("{name} {}", fifo.display())), "{message}");
        assert!(message.contains("before the deadline"), "{message}");
    }
    for cmd in
        [send(&env, &wecom).args(["--ca-file", "/dev/zero"]), send(&env, &wecom).env("SSL_CERT_FILE", "/dev/zero")]
    {
        let told = document(&cmd.run().assert_code(3));
        let message = told["message"].as_str().unwrap();
        assert!(message.contains("/dev/zero") && message.contains("longer than 16 MiB"), "{message}");
    }
    assert_eq!(wecom.connections(), 0);
}

#[test]
fn a_cached_token_needs_no_certificates() {
    let env = TestEnv::new();
    let wecom = server(&env, Certificate::Good);
    Way::GetToken.json(&env, &wecom).args(["--ca-file", "ca.pem"]).may_show_token().run().assert_code(0);
    let run = Way::GetToken.json(&env, &wecom).args(["--ca-file", "missing.pem"]).may_show_token().run();
    assert_eq!(document(&run.assert_code(0))["from_cache"], true);
    assert_eq!(wecom.connections(), 1);
}
