//! TLS verification with the trusted CA certificates: they are read once for all clients of a run, and the slow folders
//! only when the first certificates do not suffice.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::{CertificateFault, CertificateRecorder, handshake_failure, verify_time};
use super::roots::{FirstRoots, Sources};
use crate::blocking::off_loop;
use crate::error::{Error, Result};

/// Which certificates are trusted. Clones share what has been read.
#[derive(Debug, Clone)]
pub(crate) struct Trust(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ca_file: Option<PathBuf>,
    /// For clients none of whose connections has TLS.
    unused: OnceCell<Arc<Roots>>,
    used: OnceCell<Arc<Roots>>,
}

impl Trust {
    /// The roots that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as with OpenSSL, else the system's; those of `ca_file`
    /// beside them. Nothing is read yet.
    pub(crate) fn new(ca_file: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared { ca_file, unused: OnceCell::new(), used: OnceCell::new() }))
    }

    /// The TLS settings of a client: TLS 1.2 and 1.3, and these roots. `is_used` says whether any connection will have TLS.
    /// With a `recorder`, the certificates that are shown are recorded there; they are verified all the same.
    ///
    /// Fails for a CA file, or a bundle named by a variable, from which no certificate can be read before the deadline.
    pub(super) async fn client_config(
        &self,
        is_used: bool,
        deadline: Instant,
        recorder: Option<CertificateRecorder>,
    ) -> Result<ClientConfig> {
        let cell = if is_used { &self.0.used } else { &self.0.unused };
        let roots = cell.get_or_try_init(|| self.read(is_used, deadline)).await?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| defect(&error))?
            // reqwest and rustls call any custom verifier dangerous. This one delegates each check to the usual
            // verifier, and takes besides what the user named as the server's own.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { roots: Arc::clone(roots), recorder }));
        Ok(builder.with_no_client_auth())
    }

    /// A handshake with a server that is none of WeCom's, over a connection to it; else why there is none, and whether more
    /// roots that were read meanwhile may help a new connection.
    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
        host: &str,
        deadline: Instant,
    ) -> Result<TlsStream<TcpStream>, (String, bool)> {
        let failed = |why: String| (why, false);
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(error.to_string()))?;
        let config = self.client_config(true, deadline, None).await.map_err(|error| failed(error.to_string()))?;
        let has_unread_roots = self.has_unread_roots();
        let error = match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let Some(inner) = error.get_ref() else { return Err(failed(error.to_string())) };
        let Some(fault) = CertificateFault::of(inner) else {
            let of_tls = inner.downcast_ref::<rustls::Error>();
            return Err(failed(of_tls.map_or_else(|| error.to_string(), handshake_failure)));
        };
        let is_helped = has_unread_roots && self.read_all_roots(deadline).await.unwrap_or(false);
        Err((format!("its certificate is not accepted: {fault}"), is_helped))
    }

    /// Reads the roots that a client with TLS needs first. Fails as [`Trust::client_config`] does.
    pub(crate) async fn read_first_roots(&self, deadline: Instant) -> Result<()> {
        self.0.used.get_or_try_init(|| self.read(true, deadline)).await.map(drop)
    }

    async fn read(&self, is_used: bool, deadline: Instant) -> Result<Arc<Roots>> {
        let sources = Arc::new(Sources::new(self.0.ca_file.clone(), is_used));
        let FirstRoots { roots, own, leaves_folders } = if is_used || self.0.ca_file.is_some() {
            off_the_event_loop(&sources, deadline, Sources::read).await??
        } else {
            // No TLS and no CA file: nothing to read.
            sources.read()?
        };
        let store = Arc::new(roots);
        let first = usual_verifier(Arc::clone(&store))?;
        let unread_folders = leaves_folders.then_some(sources);
        Ok(Arc::new(Roots { store, own, first, unread_folders, all: OnceCell::new() }))
    }

    /// Whether there may be roots that have not been read yet.
    pub(super) fn has_unread_roots(&self) -> bool {
        self.0.used.get().is_some_and(|roots| roots.unread_folders.is_some() && !roots.all.initialized())
    }

    /// Reads the roots that have not been read yet, which fails when the deadline passes before. Returns whether there are
    /// any; they count from now on for the clients that exist.
    pub(super) async fn read_all_roots(&self, deadline: Instant) -> Result<bool> {
        match self.0.used.get() {
            Some(roots) => Ok(roots.all.get_or_try_init(|| roots.read_folders(deadline)).await?.is_some()),
            None => Ok(false),
        }
    }
}

/// What has been read. Those of the folders are read when the first ones do not suffice.
#[derive(Debug)]
struct Roots {
    store: Arc<RootCertStore>,
    /// Those of the CA file.
    own: Vec<CertificateDer<'static>>,
    first: Arc<WebPkiServerVerifier>,
    /// The folders that have not been read with the first ones, where there are such.
    unread_folders: Option<Arc<Sources>>,
    /// With the roots of the folders too, once they were read; `None` in it if there were none.
    all: OnceCell<Option<Arc<WebPkiServerVerifier>>>,
}

impl Roots {
    async fn read_folders(&self, deadline: Instant) -> Result<Option<Arc<WebPkiServerVerifier>>> {
        let Some(sources) = &self.unread_folders else { return Ok(None) };
        let more = off_the_event_loop(sources, deadline, Sources::read_folders).await?;
        if more.is_empty() {
            return Ok(None);
        }
        let mut store = (*self.store).clone();
        store.extend(more.roots);
        usual_verifier(Arc::new(store)).map(Some)
    }
}

/// Verifies by the roots that have been read so far, and records the certificates that servers show, if wanted.
#[derive(Debug)]
struct Verifier {
    roots: Arc<Roots>,
    recorder: Option<CertificateRecorder>,
}

impl Verifier {
    fn record_version(&self, version: &'static str) {
        if let Some(recorder) = &self.recorder {
            recorder.record_version(version);
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(recorder) = &self.recorder {
            recorder.record(server_name, end_entity);
        }
        let verifier = self.roots.all.get().and_then(Option::as_ref).unwrap_or(&self.roots.first);
        let verified = verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        // The server's own certificate was named as trusted, such as one that `openssl req -x509` made: it is a CA's, and
        // rustls takes none of those for a server. Nobody has to vouch for it; that the server has its key is verified below.
        if verified.is_err() && self.roots.own.iter().any(|own| own == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            verify_time(end_entity, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.record_version("TLS 1.2");
        self.roots.first.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.record_version("TLS 1.3");
        self.roots.first.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.first.supported_verify_schemes()
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

/// The verifier that rustls itself uses for a set of roots.
fn usual_verifier(roots: Arc<RootCertStore>) -> Result<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(roots, provider()).build().map_err(|error| defect(&error))
}

/// `ring`, since the alternative spends tens of milliseconds of CPU on seeding itself in every process.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn defect(error: &dyn Display) -> Error {
    Error::defect(format!("TLS cannot be set up: {error}"))
}
