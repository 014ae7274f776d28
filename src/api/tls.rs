//! Which certificates are trusted, read as cheaply as possible.
//!
//! Verification is always on; there is deliberately no switch against it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::CertificateResult;

use crate::error::{Error, Result};

/// The TLS settings of every connection: TLS 1.2 and 1.3, the system's roots, and those of `ca_file` beside them.
///
/// # Errors
///
/// A CA file, or a bundle named by `SSL_CERT_FILE` or `SSL_CERT_DIR`, from which no certificate can be read.
pub(super) fn client_config(ca_file: Option<&Path>) -> Result<ClientConfig> {
    let mut roots = system_roots()?;
    if let Some(path) = ca_file {
        add_ca_file(&mut roots, path)?;
    }
    // `ring`, since the alternative spends tens of milliseconds of CPU on seeding itself in every process.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::defect(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// What `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as with OpenSSL; else the system's roots; else those built in.
fn system_roots() -> Result<RootCertStore> {
    let file = variable("SSL_CERT_FILE");
    let dir = variable("SSL_CERT_DIR");
    let mut roots = RootCertStore::empty();
    if file.is_some() || dir.is_some() {
        let found = load_named(file.as_deref(), dir.as_deref());
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(nothing_loaded(file.as_deref(), dir.as_deref()));
        }
        return Ok(roots);
    }
    roots.add_parsable_certificates(load_platform().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(roots)
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// `SSL_CERT_DIR` may list several folders, as `PATH` does.
fn load_named(file: Option<&Path>, dirs: Option<&Path>) -> CertificateResult {
    let mut found = CertificateResult::default();
    if file.is_some() {
        found = rustls_native_certs::load_certs_from_paths(file, None);
    }
    for dir in dirs.iter().flat_map(|dirs| std::env::split_paths(dirs.as_os_str())) {
        found.certs.extend(rustls_native_certs::load_certs_from_paths(None, Some(&dir)).certs);
    }
    found
}

/// One bundle file, read once. The folder of hashed links beside it holds the same certificates again, so it is
/// read only where there is no bundle.
#[cfg(all(unix, not(target_os = "macos")))]
fn load_platform() -> CertificateResult {
    let places = openssl_probe::probe();
    if let Some(bundle) = &places.cert_file {
        let found = rustls_native_certs::load_certs_from_paths(Some(bundle), None);
        if !found.certs.is_empty() {
            return found;
        }
    }
    let mut found = CertificateResult::default();
    for dir in &places.cert_dir {
        found.certs.extend(rustls_native_certs::load_certs_from_paths(None, Some(dir)).certs);
    }
    found
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn load_platform() -> CertificateResult {
    rustls_native_certs::load_native_certs()
}

fn nothing_loaded(file: Option<&Path>, dir: Option<&Path>) -> Error {
    let (name, path) = match (file, dir) {
        (Some(file), _) => ("SSL_CERT_FILE", file),
        (None, dir) => ("SSL_CERT_DIR", dir.unwrap_or(Path::new(""))),
    };
    Error::config(
        format!("no trusted certificate could be read from {} ({name})", path.display()),
        format!("unset {name} to use the system's certificates, or point it at a readable PEM bundle"),
    )
}

fn add_ca_file(roots: &mut RootCertStore, path: &Path) -> Result<()> {
    let hint = "give a readable file with one or more PEM certificates (-----BEGIN CERTIFICATE-----)";
    let unreadable =
        |reason: String| Error::config(format!("the CA file {} cannot be used: {reason}", path.display()), hint);
    let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unreadable(format!("not valid PEM: {error}")))?;
        roots.add(certificate).map_err(|error| unreadable(format!("certificate {}: {error}", added + 1)))?;
        added += 1;
    }
    if added == 0 {
        return Err(unreadable("it holds no PEM certificate".to_owned()));
    }
    Ok(())
}
