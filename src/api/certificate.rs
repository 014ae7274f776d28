//! TLS certificates of servers: what is wrong with one (untrusted, expired, another name), and a recorder of those that
//! servers showed.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError};
use serde::{Deserialize, Serialize};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::name::DirectoryString;

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum CertificateFault {
    /// Its issuer is not trusted here.
    #[error("its issuer is not among the trusted roots")]
    Issuer,
    /// It has expired.
    #[error("it has expired")]
    Expired,
    /// It is not valid yet.
    #[error("it is not valid yet")]
    NotYetValid,
    /// It is for another host name.
    #[error("it is for another name")]
    Name,
    /// It names no host at all.
    #[error("it names no host (it has no subjectAltName)")]
    NoName,
    /// It is a CA's own, and was not given as trusted.
    #[error("it is a CA's own certificate (CA:TRUE), and the server shows it as its own")]
    IsCa,
    /// Anything else.
    #[error("{0}")]
    Other(Cow<'static, str>),
}

impl CertificateFault {
    /// The fault that an error of the TLS library is about, if it is about a certificate.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let rustls::Error::InvalidCertificate(problem) = error.downcast_ref::<rustls::Error>()? else { return None };
        Some(match problem {
            CertificateError::UnknownIssuer => Self::Issuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => Self::NoName,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::Name,
            // Of webpki's own errors only the name shows here.
            CertificateError::Other(inner) if inner.0.to_string() == "CaUsedAsEndEntity" => Self::IsCa,
            other => Self::Other(in_words(other).into()),
        })
    }
}

/// What the TLS library means: its own text for these is the name of the error in its source.
fn in_words(problem: &CertificateError) -> &'static str {
    #[allow(deprecated, reason = "older and newer forms of one error")]
    match problem {
        CertificateError::BadEncoding => "it is damaged",
        CertificateError::Revoked => "it has been revoked",
        CertificateError::UnhandledCriticalExtension => "it has a critical extension that is not known here",
        CertificateError::BadSignature => {
            "its signature, or that of the server which shows it, does not fit; a CA may have a new key"
        }
        CertificateError::UnsupportedSignatureAlgorithm
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it is signed in a way that is not accepted any more, such as SHA-1 or a short key"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for servers (its extendedKeyUsage lacks serverAuth)"
        }
        CertificateError::Other(inner) => match inner.0.to_string().as_str() {
            "EndEntityUsedAsCa" => "its issuer is not a CA (basicConstraints without CA:TRUE)",
            "PathLenConstraintViolated" => "there are more CAs between it and its root than that allows",
            "NameConstraintViolation" => "its CA may not issue certificates for this name",
            "UnsupportedCertVersion" => "it is of X.509 version 1, and version 3 is needed",
            _ => GENERAL,
        },
        _ => GENERAL,
    }
}

const GENERAL: &str = "it breaks the rules for certificates";

/// What a TLS handshake failed of, other than the certificate, in words.
pub(super) fn handshake_failure(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidMessage(_) => "what it answered is not TLS; is this a port for plain http?".to_owned(),
        rustls::Error::PeerIncompatible(_) => {
            "it takes neither TLS 1.2 nor 1.3 with ciphers that are safe today".to_owned()
        }
        rustls::Error::NoCertificatesPresented => "it shows no certificate".to_owned(),
        rustls::Error::AlertReceived(alert) => {
            let meaning = match alert {
                AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => ": no cipher in common",
                AlertDescription::ProtocolVersion => ": neither TLS 1.2 nor 1.3",
                AlertDescription::UnrecognisedName => ": it does not serve this name",
                AlertDescription::CertificateRequired | AlertDescription::BadCertificate => {
                    ": it asks for a client certificate, which wecom-alert does not have"
                }
                AlertDescription::AccessDenied => ": access denied",
                AlertDescription::InternalError => ": an error of its own",
                _ => "",
            };
            format!("it refuses the TLS handshake (alert {}){meaning}", u8::from(*alert))
        }
        rustls::Error::PeerMisbehaved(_)
        | rustls::Error::InappropriateMessage { .. }
        | rustls::Error::InappropriateHandshakeMessage { .. } => "it does not keep to the rules of TLS".to_owned(),
        _ => "the TLS handshake failed".to_owned(),
    }
}

/// Fails where a certificate in DER is not valid at that time, or cannot be read.
pub(super) fn verify_time(der: &[u8], now: UnixTime) -> Result<(), CertificateError> {
    let certificate = x509_cert::Certificate::from_der(der).map_err(|_| CertificateError::BadEncoding)?;
    let validity = certificate.tbs_certificate().validity();
    let now = Duration::from_secs(now.as_secs());
    if now < validity.not_before.to_unix_duration() {
        Err(CertificateError::NotValidYet)
    } else if now > validity.not_after.to_unix_duration() {
        Err(CertificateError::Expired)
    } else {
        Ok(())
    }
}

/// A certificate as people look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// The version of TLS that was agreed on; `None` where the handshake did not get as far.
    pub(crate) version: Option<&'static str>,
    /// Who issued it: common name and organization. Text from outside.
    pub(crate) issuer: String,
    /// When it expires.
    pub(crate) not_after: SystemTime,
}

/// Records the certificates that servers show, trusted or not; clones share the record.
#[derive(Debug, Clone, Default)]
pub(super) struct CertificateRecorder(Arc<Mutex<Vec<ShownCertificate>>>);

/// The name of a server and the certificate that it showed; `None` for one that cannot be read.
type ShownCertificate = (String, Option<Certificate>);

impl CertificateRecorder {
    /// The latest one that a server of that name showed; `None` also for one that cannot be read.
    pub(super) fn latest(&self, name: &str) -> Option<Certificate> {
        self.shown().iter().rfind(|(server, _)| server == name)?.1.clone()
    }

    /// Records a certificate in DER that is about to be verified.
    pub(super) fn record(&self, name: &ServerName<'_>, certificate: &[u8]) {
        self.shown().push((name.to_str().into_owned(), read(certificate)));
    }

    /// Records the version of TLS that was agreed on with the last server.
    pub(super) fn record_version(&self, version: &'static str) {
        if let Some((_, Some(last))) = self.shown().last_mut() {
            last.version = Some(version);
        }
    }

    fn shown(&self) -> MutexGuard<'_, Vec<ShownCertificate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(der: &[u8]) -> Option<Certificate> {
    let certificate = x509_cert::Certificate::from_der(der).ok()?;
    let fields = certificate.tbs_certificate();
    let text = |found: Option<DirectoryString>| found.map(|text| text.value().into_owned());
    let issuer = fields.issuer();
    let names = [issuer.common_name().ok().and_then(text), issuer.organization().ok().and_then(text)];
    let names: Vec<_> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    let issuer = if names.is_empty() { "an issuer without a name".to_owned() } else { names.join(", ") };
    Some(Certificate { version: None, issuer, not_after: fields.validity().not_after.to_system_time() })
}

#[cfg(test)]
mod tests {
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
    fn the_fields_of_a_certificate_are_read() {
        let der = certificate(|params| {
            params.distinguished_name.push(DnType::OrganizationName, "某公司");
            params.distinguished_name.push(DnType::CommonName, "Test CA");
        });
        let read = read(&der).unwrap();
        assert_eq!((read.issuer.as_str(), read.version), ("Test CA, 某公司", None));
        assert_eq!(read.not_after, SystemTime::UNIX_EPOCH + Duration::from_secs(1_927_843_200));
    }

    #[test]
    fn unreadable_bytes_are_no_certificate() {
        assert_eq!(read(&certificate(|_| {})).unwrap().issuer, "an issuer without a name");
        for der in [&b""[..], b"nonsense", &certificate(|_| {})[..200]] {
            assert_eq!(read(der), None);
        }
    }

    #[test]
    fn the_latest_of_a_name_counts() {
        let recorder = CertificateRecorder::default();
        let name = |text: &str| ServerName::try_from(text.to_owned()).unwrap();
        let issued_by = |issuer| certificate(|params| params.distinguished_name.push(DnType::CommonName, issuer));
        recorder.record(&name("wecom.example"), &issued_by("first"));
        recorder.record(&name("wecom.example"), &issued_by("second"));
        recorder.record(&name("192.0.2.7"), &issued_by("third"));
        recorder.record_version("TLS 1.2");
        let told = |name| recorder.latest(name).map(|found| (found.issuer, found.version));
        assert_eq!(told("wecom.example"), Some(("second".to_owned(), None)));
        assert_eq!(told("192.0.2.7"), Some(("third".to_owned(), Some("TLS 1.2"))));
        assert_eq!(told("other.example"), None);
    }
}
