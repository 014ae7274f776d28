//! Which certificates are trusted, read as cheaply as possible.
//!
//! Verification is always on; there is deliberately no switch against it.

use std::fs::File;
use std::io::{self, BufReader, Read, Take};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::bundle::Bundle;
use super::witness::Seen;
use crate::error::{Error, Result};

/// The most that is read of one file, in bytes: a system's whole bundle has a few hundred thousand.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Where the trusted roots come from.
#[derive(Debug)]
pub(super) struct Trust {
    ca_file: Option<PathBuf>,
    cert_file: Option<PathBuf>,
    cert_dirs: Option<PathBuf>,
    is_used: bool,
}

impl Trust {
    /// The roots that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as with OpenSSL, else the system's; those of `ca_file`
    /// beside them. `is_used` says whether any connection will have TLS.
    pub(super) fn new(ca_file: Option<PathBuf>, is_used: bool) -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| is_used && !value.is_empty()).map(PathBuf::from);
        Self { ca_file, cert_file: variable("SSL_CERT_FILE"), cert_dirs: variable("SSL_CERT_DIR"), is_used }
    }

    /// The TLS settings of every connection: TLS 1.2 and 1.3, and these roots. Blocks. With `seen`, the certificates that
    /// are shown are noted there; they are judged all the same.
    ///
    /// # Errors
    ///
    /// A CA file, or a bundle named by a variable, from which no certificate can be read.
    pub(super) fn client_config(&self, seen: Option<Seen>) -> Result<ClientConfig> {
        let mut roots = self.roots()?;
        if let Some(path) = &self.ca_file {
            add_ca_file(&mut roots, path)?;
        }
        // `ring`, since the alternative spends tens of milliseconds of CPU on seeding itself in every process.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let defect = |error: &dyn std::fmt::Display| Error::defect(format!("TLS cannot be set up: {error}"));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| defect(&error))?;
        let builder = match seen {
            Some(seen) => {
                // The one that stands behind the other branch too.
                let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(seen.before(judge.map_err(|error| defect(&error))?))
            }
            None => builder.with_root_certificates(roots),
        };
        Ok(builder.with_no_client_auth())
    }

    /// The error for a file that keeps its reader waiting. As with every wait that the deadline ends, a later try may
    /// succeed.
    pub(super) fn too_slow(&self) -> Error {
        let named =
            [("--ca-file", &self.ca_file), ("SSL_CERT_FILE", &self.cert_file), ("SSL_CERT_DIR", &self.cert_dirs)];
        let named = named.iter().filter_map(|(name, path)| Some(format!("{name} {}", path.as_ref()?.display())));
        let named: Vec<String> = named.collect();
        let from = if named.is_empty() { "the system".to_owned() } else { named.join(", ") };
        Error::temporary(
            format!("the trusted certificates of {from} could not be read before the deadline"),
            "let them be regular files on a disk that answers, then try again with a larger --deadline",
        )
    }

    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        if !self.is_used {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        } else if self.cert_file.is_some() || self.cert_dirs.is_some() {
            self.add_named(&mut roots)?;
        } else {
            roots = of_platform();
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
        Ok(roots)
    }

    fn add_named(&self, roots: &mut RootCertStore) -> Result<()> {
        let mut faults = Vec::new();
        let mut add = |name: &str, path: &Path, found: io::Result<Found>| {
            let fault = match found {
                Ok(Found { count: 0, .. }) => "there is no PEM certificate in it".to_owned(),
                Ok(Found { valid, .. }) if valid.is_empty() => "no certificate in it is valid".to_owned(),
                Ok(Found { valid, .. }) => return roots.extend(valid.roots),
                Err(error) => error.to_string(),
            };
            faults.push(format!("{name} {}: {fault}", path.display()));
        };
        if let Some(file) = &self.cert_file {
            add("SSL_CERT_FILE", file, of_file(file));
        }
        // It may list several folders, as `PATH` does.
        for folder in self.cert_dirs.iter().flat_map(std::env::split_paths) {
            add("SSL_CERT_DIR", &folder, of_folder(&folder));
        }
        if roots.is_empty() {
            return Err(Error::config(
                format!("no trusted certificate could be read: {}", faults.join("; ")),
                "unset the variable to use the system's certificates, or point it at readable PEM certificates",
            ));
        }
        Ok(())
    }
}

/// What was found in a file or a folder.
struct Found {
    /// Certificates, valid or not.
    count: usize,
    valid: RootCertStore,
}

impl Found {
    fn of(certificates: impl Iterator<Item = CertificateDer<'static>>) -> Self {
        let mut valid = RootCertStore::empty();
        let (added, ignored) = valid.add_parsable_certificates(certificates);
        Self { count: added + ignored, valid }
    }
}

/// One bundle file, read once. The folder of hashed links beside it holds the same certificates again, so it is
/// read only where there is no bundle.
#[cfg(all(unix, not(target_os = "macos")))]
fn of_platform() -> RootCertStore {
    let places = openssl_probe::probe();
    let bundle = places.cert_file.and_then(|file| of_file(&file).ok()).filter(|found| !found.valid.is_empty());
    if let Some(bundle) = bundle {
        return bundle.valid;
    }
    let mut roots = RootCertStore::empty();
    for found in places.cert_dir.iter().filter_map(|folder| of_folder(folder).ok()) {
        roots.extend(found.valid.roots);
    }
    roots
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn of_platform() -> RootCertStore {
    Found::of(rustls_native_certs::load_native_certs().certs.into_iter()).valid
}

/// The certificates of a bundle; what is damaged among them is passed over.
fn of_file(path: &Path) -> io::Result<Found> {
    let mut bundle = open(path)?;
    let found = Found::of(&mut bundle);
    if bundle.into_inner().limit() == 0 {
        return Err(too_long());
    }
    Ok(found)
}

/// The certificates of all files in a folder, each once: several links commonly lead to one file.
fn of_folder(path: &Path) -> io::Result<Found> {
    let files = std::fs::read_dir(path)?.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let mut found: Vec<_> =
        files.filter_map(|file| open(&file).ok()).flat_map(|mut bundle| bundle.collect::<Vec<_>>()).collect();
    found.sort_unstable_by(|one, other| one.as_ref().cmp(other.as_ref()));
    found.dedup();
    Ok(Found::of(found.into_iter()))
}

fn open(path: &Path) -> io::Result<Bundle<Take<BufReader<File>>>> {
    Ok(Bundle::new(BufReader::new(File::open(path)?).take(LARGEST_FILE + 1)))
}

fn too_long() -> io::Error {
    io::Error::other(format!("it is longer than {} MiB", LARGEST_FILE / 1024 / 1024))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST_FILE {
        return Err(too_long());
    }
    Ok(content)
}

fn add_ca_file(roots: &mut RootCertStore, path: &Path) -> Result<()> {
    let hint = "give a readable file with one or more PEM certificates (-----BEGIN CERTIFICATE-----)";
    let unreadable =
        |reason: String| Error::config(format!("the CA file {} cannot be used: {reason}", path.display()), hint);
    let pem = read(path).map_err(|error| unreadable(error.to_string()))?;
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
