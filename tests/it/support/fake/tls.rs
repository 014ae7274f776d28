//! Throw-away certificates, good ones and bad ones, and the server's half of TLS.

use std::sync::Arc;

use chrono::Datelike as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

/// What is wrong with the server's certificate, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// For `127.0.0.1` and `localhost`, by the authority that is given out.
    Good,
    /// Good for five days more.
    ShortLived,
    /// Out of date since 2001.
    Expired,
    /// For another name.
    WrongName,
    /// By an authority that nobody is told of: the one given out is another.
    UnknownCa,
}

/// A server's TLS settings, and the authority to trust as PEM text.
pub struct Identity {
    pub config: Arc<ServerConfig>,
    pub ca_pem: String,
}

impl Identity {
    pub fn new(certificate: Certificate) -> Self {
        let signer = authority("Throw-away CA of a test");
        let ca_pem = match certificate {
            Certificate::UnknownCa => authority("Another throw-away CA of a test").pem(),
            _ => signer.pem(),
        };
        let names = match certificate {
            Certificate::WrongName => vec!["elsewhere.invalid".to_owned()],
            _ => vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
        };
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "fake server");
        if certificate == Certificate::Expired {
            params.not_before = rcgen::date_time_ymd(2000, 1, 1);
            params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        }
        if certificate == Certificate::ShortLived {
            // Midnight between the fifth day from now and the sixth.
            let end = (chrono::Utc::now() + chrono::TimeDelta::days(6)).date_naive();
            params.not_after = rcgen::date_time_ymd(end.year(), end.month() as u8, end.day() as u8);
        }
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &signer).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        Self { config: Arc::new(config), ca_pem }
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}
