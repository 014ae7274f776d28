//! The certificates that servers show: noted for whoever asks, while another judges them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::name::DirectoryString;

/// A certificate as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// The version of TLS that was agreed on; `None` where the handshake did not get as far.
    pub(crate) version: Option<&'static str>,
    /// Who issued it: common name and organization. Text from outside.
    pub(crate) issuer: String,
    /// When its time ends.
    pub(crate) not_after: SystemTime,
}

/// What was shown so far; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<Shown>>>);

/// One certificate, in DER, and for whom it was shown.
#[derive(Debug)]
struct Shown {
    name: String,
    certificate: Vec<u8>,
    version: Option<&'static str>,
}

impl Seen {
    /// A verifier that notes what it is shown and leaves every judgement to `judge`.
    pub(super) fn before(self, judge: Arc<dyn ServerCertVerifier>) -> Arc<dyn ServerCertVerifier> {
        Arc::new(Witness { judge, seen: self })
    }

    /// The latest one that a server of that name showed; `None` also for one that cannot be read.
    pub(super) fn of(&self, name: &str) -> Option<Certificate> {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = shown.iter().rfind(|shown| shown.name == name)?;
        read(&shown.certificate, shown.version)
    }

    fn note(&self, name: &ServerName<'_>, certificate: &[u8]) {
        let shown = Shown { name: name.to_str().into_owned(), certificate: certificate.to_vec(), version: None };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(shown);
    }

    fn note_version(&self, version: &'static str) {
        if let Some(last) = self.0.lock().unwrap_or_else(PoisonError::into_inner).last_mut() {
            last.version = Some(version);
        }
    }
}

#[derive(Debug)]
struct Witness {
    judge: Arc<dyn ServerCertVerifier>,
    seen: Seen,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.seen.note(server_name, end_entity);
        self.judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.seen.note_version("TLS 1.2");
        self.judge.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.seen.note_version("TLS 1.3");
        self.judge.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}

fn read(der: &[u8], version: Option<&'static str>) -> Option<Certificate> {
    let certificate = x509_cert::Certificate::from_der(der).ok()?;
    let fields = certificate.tbs_certificate();
    let text = |found: Option<DirectoryString>| found.map(|text| text.value().into_owned());
    let issuer = fields.issuer();
    let names = [issuer.common_name().ok().and_then(text), issuer.organization().ok().and_then(text)];
    let names: Vec<_> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    let issuer = if names.is_empty() { "an issuer without a name".to_owned() } else { names.join(", ") };
    Some(Certificate { version, issuer, not_after: fields.validity().not_after.to_system_time() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn certificate(fill: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(["wecom.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2031, 2, 3);
        params.distinguished_name = rcgen::DistinguishedName::new();
        fill(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn what_a_certificate_says_of_itself() {
        let der = certificate(|params| {
            params.distinguished_name.push(DnType::OrganizationName, "某公司");
            params.distinguished_name.push(DnType::CommonName, "Test CA");
        });
        let read = read(&der, Some("TLS 1.3")).unwrap();
        assert_eq!((read.issuer.as_str(), read.version), ("Test CA, 某公司", Some("TLS 1.3")));
        assert_eq!(read.not_after, SystemTime::UNIX_EPOCH + Duration::from_secs(1_927_843_200));
    }

    #[test]
    fn what_cannot_be_read_is_no_certificate() {
        assert_eq!(read(&certificate(|_| {}), None).unwrap().issuer, "an issuer without a name");
        for der in [&b""[..], b"nonsense", &certificate(|_| {})[..200]] {
            assert_eq!(read(der, None), None);
        }
    }

    #[test]
    fn the_latest_of_a_name_counts() {
        let seen = Seen::default();
        let name = |text: &str| ServerName::try_from(text.to_owned()).unwrap();
        let issued_by = |issuer| certificate(|params| params.distinguished_name.push(DnType::CommonName, issuer));
        seen.note(&name("wecom.example"), &issued_by("first"));
        seen.note(&name("wecom.example"), &issued_by("second"));
        seen.note(&name("192.0.2.7"), &issued_by("third"));
        seen.note_version("TLS 1.2");
        let told = |name| seen.of(name).map(|found| (found.issuer, found.version));
        assert_eq!(told("wecom.example"), Some(("second".to_owned(), None)));
        assert_eq!(told("192.0.2.7"), Some(("third".to_owned(), Some("TLS 1.2"))));
        assert_eq!(told("other.example"), None);
    }
}
