//! Reads the trusted root certificates (CA certificates): from the CA file of the settings, from `SSL_CERT_FILE` and
//! `SSL_CERT_DIR`, or from the system's bundle; no more than needed.
//!
//! Verification is always on; there is deliberately no switch against it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use x509_cert::der::Decode;

use crate::error::{Error, Result, hint_for};
use crate::sort;

/// The most that is read of one file, in bytes: a system's whole bundle has a few hundred thousand.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// Where the trusted roots come from.
#[derive(Debug)]
pub(super) struct Sources {
    ca_file: Option<PathBuf>,
    cert_file: Option<PathBuf>,
    cert_dirs: Option<PathBuf>,
    is_used: bool,
}

/// What is read first.
pub(super) struct FirstRoots {
    pub(super) roots: RootCertStore,
    /// The certificates of the CA file, which are among the roots.
    pub(super) own: Vec<CertificateDer<'static>>,
    /// Whether there are folders that were not read.
    pub(super) leaves_folders: bool,
}

impl Sources {
    /// `is_used` says whether any connection will have TLS.
    pub(super) fn new(ca_file: Option<PathBuf>, is_used: bool) -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| is_used && !value.is_empty()).map(PathBuf::from);
        Self { ca_file, cert_file: variable("SSL_CERT_FILE"), cert_dirs: variable("SSL_CERT_DIR"), is_used }
    }

    /// Reads all sources but the folders of `SSL_CERT_DIR`, which are many times as slow to read, and these where
    /// `SSL_CERT_FILE` gives nothing. Blocks.
    ///
    /// Fails for a CA file, or a bundle named by a variable, from which no certificate can be read.
    pub(super) fn read(&self) -> Result<FirstRoots> {
        let mut roots = RootCertStore::empty();
        let mut own = Vec::new();
        let mut leaves_folders = false;
        if !self.is_used {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        } else if self.cert_file.is_some() || self.cert_dirs.is_some() {
            leaves_folders = self.add_named(&mut roots)?;
        } else {
            roots = of_platform();
            if roots.is_empty() {
                roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
        }
        if let Some(path) = &self.ca_file {
            own = read_ca_file(path)?;
            add_own(&mut roots, &own).map_err(|fault| unusable(path, &fault, PEM_HINT))?;
        }
        Ok(FirstRoots { roots, own, leaves_folders })
    }

    /// Reads the folders of `SSL_CERT_DIR`, and passes over what cannot be read. Blocks.
    pub(super) fn read_folders(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        self.add_folders(&mut roots, &mut Vec::new());
        roots
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

    /// Adds the roots that the variables name; whether the folders among them were left unread.
    fn add_named(&self, roots: &mut RootCertStore) -> Result<bool> {
        let mut faults = Vec::new();
        if let Some(file) = &self.cert_file {
            faults.extend(add(roots, "SSL_CERT_FILE", file, of_file(file)));
        }
        if !roots.is_empty() {
            return Ok(self.cert_dirs.is_some());
        }
        self.add_folders(roots, &mut faults);
        if roots.is_empty() {
            return Err(Error::config(
                format!("no trusted certificate could be read: {}", faults.join("; ")),
                "unset the variable to use the system's certificates, or point it at readable PEM certificates",
            ));
        }
        Ok(false)
    }

    fn add_folders(&self, roots: &mut RootCertStore, faults: &mut Vec<String>) {
        // It may list several folders, as `PATH` does.
        for folder in self.cert_dirs.iter().flat_map(std::env::split_paths) {
            faults.extend(add(roots, "SSL_CERT_DIR", &folder, of_folder(&folder)));
        }
    }
}

/// Adds what was found, or returns why nothing was.
fn add(roots: &mut RootCertStore, name: &str, path: &Path, found: io::Result<RootCertStore>) -> Option<String> {
    match found {
        Ok(found) => roots.extend(found.roots),
        Err(fault) => return Some(format!("{name} {}: {fault}", path.display())),
    }
    None
}

/// One bundle file, read once. The folder of hashed links beside it holds the same certificates again, so it is
/// read only where there is no bundle.
#[cfg(all(unix, not(target_os = "macos")))]
fn of_platform() -> RootCertStore {
    let places = openssl_probe::probe();
    if let Some(Ok(bundle)) = places.cert_file.map(|file| of_file(&file)) {
        return bundle;
    }
    let mut roots = RootCertStore::empty();
    for found in places.cert_dir.iter().filter_map(|folder| of_folder(folder).ok()) {
        roots.extend(found.roots);
    }
    roots
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn of_platform() -> RootCertStore {
    valid(rustls_native_certs::load_native_certs().certs.into_iter()).unwrap_or_else(|_| RootCertStore::empty())
}

/// The certificates of a bundle; what is damaged among them is passed over.
fn of_file(path: &Path) -> io::Result<RootCertStore> {
    read(path, |text| valid(certificates(text).flatten()))?
}

/// The certificates of all files in a folder, each once: several links commonly lead to one file.
fn of_folder(path: &Path) -> io::Result<RootCertStore> {
    let files = std::fs::read_dir(path)?.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let read = files.filter_map(|file| read(&file, |text| certificates(text).flatten().collect::<Vec<_>>()).ok());
    let mut found: Vec<_> = read.flatten().collect();
    sort::sort_by(&mut found, |one, other| one.as_ref().cmp(other.as_ref()));
    found.dedup();
    valid(found.into_iter())
}

/// Those of the certificates that are valid; an error if there is none.
fn valid(certificates: impl Iterator<Item = CertificateDer<'static>>) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(certificates) {
        (0, 0) => Err(io::Error::other("there is no PEM certificate in it")),
        (0, _) => Err(io::Error::other("no certificate in it is valid")),
        _ => Ok(roots),
    }
}

/// Hands a file to `take`; an error if it is longer than what is read of any.
fn read<T>(path: &Path, take: impl FnOnce(&mut Take<BufReader<File>>) -> T) -> io::Result<T> {
    let mut text = BufReader::new(File::open(path)?).take(LARGEST_FILE + 1);
    let taken = take(&mut text);
    if text.limit() == 0 {
        return Err(io::Error::other(format!("it is longer than {} MiB", LARGEST_FILE / 1024 / 1024)));
    }
    Ok(taken)
}

/// Whether a CA file can be used, as far as that can be known without waiting for somebody who writes it.
///
/// # Errors
///
/// Exit 3, as for a client.
pub(crate) fn check_ca_file(path: &Path) -> Result<()> {
    if path.metadata().is_ok_and(|about| !about.is_file() && !about.is_dir()) {
        return Ok(());
    }
    let own = read_ca_file(path)?;
    add_own(&mut RootCertStore::empty(), &own).map_err(|fault| unusable(path, &fault, PEM_HINT))
}

/// How a CA file is written.
const PEM_HINT: &str = "give a readable file with one or more PEM certificates (-----BEGIN CERTIFICATE-----)";

/// The certificates of a CA file, as PEM or as DER; with a byte-order mark, Windows line ends or blanks before its lines.
fn read_ca_file(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let mut bytes = Vec::new();
    let read = read(path, |text| text.read_to_end(&mut bytes)).flatten();
    read.map_err(|error| unusable(path, &error.to_string(), hint_for(&error, PEM_HINT)))?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        // UTF-16, as `>` of PowerShell writes it. PEM is ASCII: each letter has a NUL beside it.
        bytes.drain(..2);
        bytes.retain(|byte| *byte != 0);
    }
    if bytes.first() == Some(&DER_SEQUENCE) {
        return Ok(vec![CertificateDer::from(bytes)]);
    }
    let found: Vec<_> = certificates(&mut bytes.as_slice()).collect();
    if found.is_empty() {
        let (fault, hint) = other_content(path, &String::from_utf8_lossy(&bytes));
        return Err(unusable(path, fault, &hint));
    }
    let whole = found.into_iter().enumerate().map(|(index, certificate)| {
        certificate.ok_or_else(|| unusable(path, &format!("certificate {} is damaged or cut off", index + 1), PEM_HINT))
    });
    whole.collect()
}

/// The first byte of a certificate in DER, which is that of PKCS#12 and PKCS#7 too.
const DER_SEQUENCE: u8 = 0x30;

/// What a file without a certificate holds in its place, and how to make certificates of it.
fn other_content(path: &Path, text: &str) -> (&'static str, String) {
    let converted = |command: &str| format!("convert it: openssl {command} -in {} -out ca.pem", path.display());
    if text.contains("BEGIN PKCS7") {
        ("it is PKCS#7, not PEM certificates", converted("pkcs7 -print_certs"))
    } else if text.contains("BEGIN TRUSTED CERTIFICATE") {
        ("it is an OpenSSL trusted certificate, not a plain one", converted("x509"))
    } else if text.contains("PRIVATE KEY") {
        ("it holds a private key and no certificate", PEM_HINT.to_owned())
    } else {
        ("it holds no PEM certificate", PEM_HINT.to_owned())
    }
}

/// Adds the certificates of a CA file, of which each must be valid; the error says what is wrong with one.
fn add_own(roots: &mut RootCertStore, own: &[CertificateDer<'static>]) -> Result<(), String> {
    for (index, certificate) in own.iter().enumerate() {
        roots.add(certificate.clone()).map_err(|_| match own {
            [only] if only.first() == Some(&DER_SEQUENCE) && x509_cert::Certificate::from_der(only).is_err() => {
                "it is neither PEM nor a certificate in DER; PKCS#12 (.p12, .pfx) becomes PEM with openssl pkcs12 -nokeys, \
                 PKCS#7 (.p7b) with openssl pkcs7 -inform DER -print_certs"
                    .to_owned()
            }
            _ => format!("certificate {} is not valid", index + 1),
        })?;
    }
    Ok(())
}

fn unusable(path: &Path, reason: &str, hint: &str) -> Error {
    Error::config(format!("the CA file {} cannot be used: {reason}", path.display()), hint)
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// The certificates of a PEM text, one by one; `None` for one that is damaged or cut off. Anything else is passed over. It
/// ends early where reading fails.
///
/// The bundle is read anew for every alert that goes out over TLS. The decoder that rustls brings takes the same time for
/// every byte, as secrets need it; for a system's bundle that was most of the CPU time of a send, and certificates are public.
fn certificates(text: &mut impl BufRead) -> impl Iterator<Item = Option<CertificateDer<'static>>> {
    let (mut line, mut body, mut is_inside) = (Vec::new(), Vec::new(), false);
    std::iter::from_fn(move || {
        loop {
            line.clear();
            if text.read_until(b'\n', &mut line).ok()? == 0 {
                return std::mem::take(&mut is_inside).then_some(None);
            }
            let line = line.trim_ascii();
            if is_inside && line == END {
                is_inside = false;
                return Some(STANDARD.decode(&body).ok().filter(|der| !der.is_empty()).map(CertificateDer::from));
            }
            // A byte-order mark stands before the first line.
            if line.ends_with(BEGIN) && matches!(line.len() - BEGIN.len(), 0 | 3) {
                body.clear();
                if std::mem::replace(&mut is_inside, true) {
                    return Some(None);
                }
            } else if is_inside {
                body.extend_from_slice(line);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn collected(mut pem: &[u8]) -> Vec<CertificateDer<'static>> {
        certificates(&mut pem).flatten().collect()
    }

    fn pem(der: &[u8], width: usize, line_break: &str) -> String {
        let body = STANDARD.encode(der);
        let lines: Vec<_> = body.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line)).collect();
        let frame = |frame: &[u8]| String::from_utf8_lossy(frame).into_owned();
        [frame(BEGIN), lines.join(line_break), frame(END)].join(line_break) + line_break
    }

    #[test]
    fn text_between_certificates_is_skipped() {
        let (one, two) = (pem(b"one", 64, "\n"), pem(b"two", 64, "\r\n"));
        let key = "-----BEGIN PRIVATE KEY-----\nb25l\n-----END PRIVATE KEY-----\n";
        let damaged = "-----BEGIN CERTIFICATE-----\nb25*\n-----END CERTIFICATE-----\n";
        let cut = "-----BEGIN CERTIFICATE-----\nb25l\n";
        let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
        let text = format!("# a comment\n{one}\n{key}{damaged}{empty}  Subject: x\n{cut}{two}{cut}");
        assert_eq!(collected(text.as_bytes()), [b"one", b"two"].map(|der| CertificateDer::from(der.as_slice())));
        assert!(collected(b"").is_empty() && collected(b"-----END CERTIFICATE-----").is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// All that rustls's own reader finds in a bundle is found here.
        #[test]
        fn it_reads_what_rustls_reads(
            ders in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 0..5), width in 1..80_usize
        ) {
            let text: String = ders.iter().map(|der| pem(der, width, "\n")).collect();
            let known: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).flatten().collect();
            prop_assert_eq!(collected(text.as_bytes()), known);
        }

        #[test]
        fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            collected(&bytes);
        }
    }
}
