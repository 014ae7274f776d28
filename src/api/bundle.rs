//! A bundle of trusted certificates, read fast and one by one: that is done anew for every alert that goes out over TLS.
//!
//! What is decoded is public. The decoder that rustls brings takes the same time for every byte, as secrets need it, and
//! for a system's bundle that was most of the CPU time of a send.

use std::io::BufRead;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// The certificates of a PEM text; what is damaged among them is passed over, as is anything else. It ends early where
/// reading fails.
pub(super) struct Bundle<R> {
    text: R,
    line: Vec<u8>,
    body: Vec<u8>,
    is_inside: bool,
}

impl<R: BufRead> Bundle<R> {
    pub(super) fn new(text: R) -> Self {
        Self { text, line: Vec::new(), body: Vec::new(), is_inside: false }
    }

    /// What is left of the text.
    pub(super) fn into_inner(self) -> R {
        self.text
    }

    /// Takes a line in, and returns the certificate that ends with it.
    fn take_in(&mut self) -> Option<CertificateDer<'static>> {
        let line = self.line.trim_ascii();
        if line == BEGIN {
            self.body.clear();
            self.is_inside = true;
        } else if line == END {
            let decoded = if self.is_inside { STANDARD.decode(&self.body).ok() } else { None };
            self.is_inside = false;
            return decoded.filter(|der| !der.is_empty()).map(CertificateDer::from);
        } else if self.is_inside {
            self.body.extend_from_slice(line);
        }
        None
    }
}

impl<R: BufRead> Iterator for &mut Bundle<R> {
    type Item = CertificateDer<'static>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.line.clear();
            if self.text.read_until(b'\n', &mut self.line).ok()? == 0 {
                return None;
            }
            if let Some(certificate) = self.take_in() {
                return Some(certificate);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
        (&mut Bundle::new(pem)).collect()
    }

    fn pem(der: &[u8], width: usize, line_break: &str) -> String {
        let body = STANDARD.encode(der);
        let lines: Vec<_> = body.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line)).collect();
        let frame = |frame: &[u8]| String::from_utf8_lossy(frame).into_owned();
        [frame(BEGIN), lines.join(line_break), frame(END)].join(line_break) + line_break
    }

    #[test]
    fn what_stands_between_is_passed_over() {
        let (one, two) = (pem(b"one", 64, "\n"), pem(b"two", 64, "\r\n"));
        let key = "-----BEGIN PRIVATE KEY-----\nb25l\n-----END PRIVATE KEY-----\n";
        let damaged = "-----BEGIN CERTIFICATE-----\nb25*\n-----END CERTIFICATE-----\n";
        let cut = "-----BEGIN CERTIFICATE-----\nb25l\n";
        let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
        let text = format!("# a comment\n{one}\n{key}{damaged}{empty}  Subject: x\n{cut}{two}{cut}");
        assert_eq!(certificates(text.as_bytes()), [b"one", b"two"].map(|der| CertificateDer::from(der.as_slice())));
        assert!(certificates(b"").is_empty() && certificates(b"-----END CERTIFICATE-----").is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever rustls's own reader finds in a bundle is found here.
        #[test]
        fn it_reads_what_rustls_reads(
            ders in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..200), 0..5), width in 1..80_usize
        ) {
            let text: String = ders.iter().map(|der| pem(der, width, "\n")).collect();
            let known: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).flatten().collect();
            prop_assert_eq!(certificates(text.as_bytes()), known);
        }

        #[test]
        fn any_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            certificates(&bytes);
        }
    }
}
