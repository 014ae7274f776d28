//! A store that is spoken to by TLS: its certificate is verified like WeCom's, `ca_file` and the system's roots included.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::{Fleet, passes, passes_without_store};
use crate::support::{Cmd, TestEnv, needs_that};

/// Files of a CA, and of a certificate for loopback that it issued with its key.
fn files(env: &TestEnv) -> [String; 3] {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap().pem();
    [("ca.pem", ca_pem), ("store.pem", leaf), ("store.key", key.serialize_pem())]
        .map(|(name, content)| env.file(name, content).display().to_string())
}

#[test]
fn a_store_with_tls_is_verified() {
    let Some(fleet) = Fleet::start() else { return };
    let [ca, certificate, key] = files(&fleet.machines[0]);
    let set = |name: &str, value: &str| {
        redis::cmd("CONFIG").arg("SET").arg(name).arg(value).exec(&mut fleet.store.connection()).is_ok()
    };
    let port = crate::support::fake::closed_port();
    let has_tls = set("tls-auth-clients", "no") && set("tls-cert-file", &certificate) && set("tls-key-file", &key);
    let has_tls = has_tls && set("tls-ca-cert-file", &ca) && set("tls-port", &port.to_string());
    if !needs_that(has_tls, "a Redis with TLS") {
        return;
    }
    let url = format!("rediss://127.0.0.1:{port}");
    let send = |cmd: Cmd| cmd.env("WECOM_ALERT_SHARED_STATE", &url);
    passes(send(fleet.app(0, "by the CA file")).env("WECOM_ALERT_CA_FILE", &ca));
    passes(send(fleet.app(1, "by the variable")).env("SSL_CERT_FILE", &ca));
    assert!(!fleet.store.keys().is_empty());
    passes_without_store(send(fleet.app(2, "by nobody")), "its certificate is not accepted");
    let plain = fleet.app(3, "plain").env("WECOM_ALERT_SHARED_STATE", format!("redis://127.0.0.1:{port}"));
    passes_without_store(plain, "");
    let tls_to_plain = format!("rediss://127.0.0.1:{}", fleet.store.port());
    passes_without_store(fleet.app(4, "tls").env("WECOM_ALERT_SHARED_STATE", tls_to_plain), "");
}
