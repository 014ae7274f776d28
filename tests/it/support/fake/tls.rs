//! Throw-away certificates, good ones and bad ones, and the server's half of TLS.

use std::sync::Arc;

use chrono::Datelike as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};

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
    /// An authority's own certificate, as `openssl req -x509` makes it; it is the one given out.
    OwnCa,
    /// The same, and what is given out is a twin with another key.
    OwnCaOfTwin,
    /// The same as `OwnCa`, shown by a server that has another key.
    OwnCaWithoutKey,
    /// The same as `OwnCa`, out of date since 2001.
    OwnCaExpired,
    /// The same as `OwnCa`, for another name.
    OwnCaWrongName,
    /// Without any name of a host.
    NoName,
    /// For clients alone.
    ForClients,
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
            Certificate::WrongName | Certificate::OwnCaWrongName => vec!["elsewhere.invalid".to_owned()],
            _ => vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
        };
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name.push(DnType::CommonName, "fake server");
        if matches!(certificate, Certificate::Expired | Certificate::OwnCaExpired) {
            params.not_before = rcgen::date_time_ymd(2000, 1, 1);
            params.not_after = rcgen::date_time_ymd(2001, 1, 1);
        }
        if certificate == Certificate::ShortLived {
            // Midnight between the fifth day from now and the sixth.
            let end = (chrono::Utc::now() + chrono::TimeDelta::days(6)).date_naive();
            params.not_after = rcgen::date_time_ymd(end.year(), end.month() as u8, end.day() as u8);
        }
        if certificate == Certificate::NoName {
            params.subject_alt_names.clear();
        }
        if certificate == Certificate::ForClients {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
        let key = KeyPair::generate().unwrap();
        let mut shown_key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let is_own = matches!(
            certificate,
            Certificate::OwnCa
                | Certificate::OwnCaOfTwin
                | Certificate::OwnCaWithoutKey
                | Certificate::OwnCaExpired
                | Certificate::OwnCaWrongName
        );
        let (leaf, ca_pem) = if is_own {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let own = params.self_signed(&key).unwrap();
            let other_key = KeyPair::generate().unwrap();
            let twin = params.self_signed(&other_key).unwrap();
            if certificate == Certificate::OwnCaWithoutKey {
                shown_key = PrivateKeyDer::Pkcs8(other_key.serialize_der().into());
            }
            let given_out = if certificate == Certificate::OwnCaOfTwin { twin.pem() } else { own.pem() };
            (own, given_out)
        } else {
            (params.signed_by(&key, &signer).unwrap(), ca_pem)
        };
        // Not `with_single_cert`, which looks whether the key is that of the certificate.
        let key = rustls::crypto::ring::sign::any_supported_type(&shown_key).unwrap();
        let shown = SingleCertAndKey::from(CertifiedKey::new(vec![leaf.der().clone()], key));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
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
