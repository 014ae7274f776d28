//! The trusted roots of a run: read once for all its clients, and more of them only when the first do not suffice.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::sync::OnceCell;

use super::roots::Sources;
use super::witness::Seen;
use crate::blocking::off_loop;
use crate::error::{Error, Result};

/// Which certificates are trusted. Clones share what has been read.
#[derive(Debug, Clone)]
pub(crate) struct Trust(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ca_file: Option<PathBuf>,
    /// For clients none of whose connections has TLS.
    unused: OnceCell<Roots>,
    used: OnceCell<Roots>,
}

/// What has been read.
#[derive(Debug)]
struct Roots {
    roots: Arc<RootCertStore>,
    /// Where there is a folder that has not been read.
    widening: Option<Arc<Widening>>,
}

impl Trust {
    /// The roots that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as with OpenSSL, else the system's; those of `ca_file`
    /// beside them. Nothing is read yet.
    pub(crate) fn new(ca_file: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared { ca_file, unused: OnceCell::new(), used: OnceCell::new() }))
    }

    /// The TLS settings of a client: TLS 1.2 and 1.3, and these roots. `is_used` says whether any connection will have TLS.
    /// With `seen`, the certificates that are shown are noted there; they are judged all the same.
    ///
    /// # Errors
    ///
    /// A CA file, or a bundle named by a variable, from which no certificate can be read before the deadline.
    pub(super) async fn client_config(
        &self,
        is_used: bool,
        deadline: Instant,
        seen: Option<Seen>,
    ) -> Result<ClientConfig> {
        let cell = if is_used { &self.0.used } else { &self.0.unused };
        cell.get_or_try_init(|| self.read(is_used, deadline)).await?.client_config(seen)
    }

    async fn read(&self, is_used: bool, deadline: Instant) -> Result<Roots> {
        let sources = Arc::new(Sources::new(self.0.ca_file.clone(), is_used));
        let read = if is_used || self.0.ca_file.is_some() {
            off_the_event_loop(&sources, deadline, Sources::read).await??
        } else {
            // There is no file to be read.
            sources.read()?
        };
        let roots = Arc::new(read.roots);
        let widening = if read.leaves_folders { Some(Arc::new(Widening::new(sources, &roots)?)) } else { None };
        Ok(Roots { roots, widening })
    }

    /// Whether there may be roots that have not been read yet.
    pub(super) fn is_narrow(&self) -> bool {
        self.widening().is_some_and(|widening| !widening.wide.initialized())
    }

    /// Reads the roots that have not been read yet. Returns whether there are any, which count from now on for the clients
    /// that exist.
    ///
    /// # Errors
    ///
    /// The deadline passed before.
    pub(super) async fn widen(&self, deadline: Instant) -> Result<bool> {
        match self.widening() {
            Some(widening) => Ok(widening.wide.get_or_try_init(|| widening.read(deadline)).await?.is_some()),
            None => Ok(false),
        }
    }

    fn widening(&self) -> Option<&Widening> {
        self.0.used.get()?.widening.as_deref()
    }
}

impl Roots {
    fn client_config(&self, seen: Option<Seen>) -> Result<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| defect(&error))?;
        let builder = match (&self.widening, seen) {
            (None, None) => builder.with_root_certificates(Arc::clone(&self.roots)),
            (widening, seen) => {
                let judge: Arc<dyn ServerCertVerifier> = match widening {
                    Some(widening) => Arc::<Widening>::clone(widening),
                    None => judge(Arc::clone(&self.roots))?,
                };
                let judge = seen.map_or(Arc::clone(&judge), |seen| seen.before(judge));
                builder.dangerous().with_custom_certificate_verifier(judge)
            }
        };
        Ok(builder.with_no_client_auth())
    }
}

/// A verifier that begins with the roots of the file and is given those of the folders when they are needed.
#[derive(Debug)]
struct Widening {
    sources: Arc<Sources>,
    roots: Arc<RootCertStore>,
    narrow: Arc<WebPkiServerVerifier>,
    /// `None` in it: the folders were read, and hold no roots.
    wide: OnceCell<Option<Arc<WebPkiServerVerifier>>>,
}

impl Widening {
    fn new(sources: Arc<Sources>, roots: &Arc<RootCertStore>) -> Result<Self> {
        let narrow = judge(Arc::clone(roots))?;
        Ok(Self { sources, roots: Arc::clone(roots), narrow, wide: OnceCell::new() })
    }

    async fn read(&self, deadline: Instant) -> Result<Option<Arc<WebPkiServerVerifier>>> {
        let more = off_the_event_loop(&self.sources, deadline, Sources::read_folders).await?;
        if more.is_empty() {
            return Ok(None);
        }
        let mut roots = (*self.roots).clone();
        roots.extend(more.roots);
        judge(Arc::new(roots)).map(Some)
    }

    fn judge(&self) -> &WebPkiServerVerifier {
        self.wide.get().and_then(Option::as_ref).unwrap_or(&self.narrow)
    }
}

impl ServerCertVerifier for Widening {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.judge().verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.narrow.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.narrow.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.narrow.supported_verify_schemes()
    }
}

/// Reads until the deadline: a file may be a FIFO or lie on a disk that hangs.
async fn off_the_event_loop<T: Send + 'static>(
    sources: &Arc<Sources>,
    deadline: Instant,
    read: fn(&Sources) -> T,
) -> Result<T> {
    let reader = Arc::clone(sources);
    match tokio::time::timeout_at(deadline.into(), off_loop(move || read(&reader))).await {
        Ok(read) => read,
        Err(_) => Err(sources.too_slow()),
    }
}

/// The verifier that stands behind `with_root_certificates` too.
fn judge(roots: Arc<RootCertStore>) -> Result<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(roots, provider()).build().map_err(|error| defect(&error))
}

/// `ring`, since the alternative spends tens of milliseconds of CPU on seeding itself in every process.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn defect(error: &dyn Display) -> Error {
    Error::defect(format!("TLS cannot be set up: {error}"))
}
