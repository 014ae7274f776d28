//! Detects the format of a file by its first bytes, never by its name, and what they do not tell: how long speech plays, and
//! whether a picture was cut off.

/// A format that WeCom asks for, or any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaFormat {
    /// A JPG picture.
    Jpeg,
    /// A PNG picture.
    Png,
    /// Speech in AMR.
    Amr,
    /// A video in MP4.
    Mp4,
    /// Anything else.
    Other,
}

/// Tells the format from the first 64 bytes.
///
/// AMR is the narrowband codec in its file format of one channel, `#!AMR` and a line feed (RFC 4867). AMR-WB, with a
/// header of its own, is another codec and counts as other: WeCom names only AMR (document path 90253).
///
/// MP4 is a file that opens with an `ftyp` box whose brands name MP4 or the ISO base format, unless the main brand
/// says that it is a picture (HEIC, AVIF, JPEG 2000, raw photos), only sound, or QuickTime.
pub fn sniff(head: &[u8]) -> MediaFormat {
    if head.starts_with(b"\xff\xd8\xff") {
        MediaFormat::Jpeg
    } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        MediaFormat::Png
    } else if head.starts_with(b"#!AMR\n") {
        MediaFormat::Amr
    } else if is_mp4(head) {
        MediaFormat::Mp4
    } else {
        MediaFormat::Other
    }
}

/// The Content-Type of the part that carries such a file.
pub fn mime(format: MediaFormat) -> &'static str {
    match format {
        MediaFormat::Jpeg => "image/jpeg",
        MediaFormat::Png => "image/png",
        MediaFormat::Amr => "audio/amr",
        MediaFormat::Mp4 => "video/mp4",
        MediaFormat::Other => "application/octet-stream",
    }
}

/// A name for what the bytes are, for an error: wider than [`MediaFormat`], and no promise.
pub(super) fn describe(head: &[u8]) -> &'static str {
    const SIGNATURES: &[(&[u8], &str)] = &[
        (b"GIF8", "GIF"),
        (b"BM", "BMP"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"<svg", "SVG"),
        (b"%PDF", "PDF"),
        (b"ID3", "MP3"),
        (b"\xff\xfb", "MP3"),
        (b"OggS", "Ogg"),
        (b"fLaC", "FLAC"),
        (b"#!AMR-WB", "AMR-WB, another codec"),
        (b"#!SILK", "SILK"),
        (b"\x02#!SILK", "SILK"),
        (b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    ];
    match (sniff(head), head.get(8..12)) {
        (MediaFormat::Jpeg, _) => "JPG",
        (MediaFormat::Png, _) => "PNG",
        (MediaFormat::Amr, _) => "AMR",
        (MediaFormat::Mp4, _) => "MP4",
        (MediaFormat::Other, Some(b"WEBP")) if head.starts_with(b"RIFF") => "WebP",
        (MediaFormat::Other, Some(b"WAVE")) if head.starts_with(b"RIFF") => "WAV",
        (MediaFormat::Other, Some(b"qt  ")) if ftyp_brands(head).is_some() => "QuickTime",
        (MediaFormat::Other, Some(b"M4A " | b"M4B ")) if ftyp_brands(head).is_some() => "M4A",
        (MediaFormat::Other, Some(b"heic" | b"heix" | b"mif1")) if ftyp_brands(head).is_some() => "HEIC",
        (MediaFormat::Other, Some(b"avif")) if ftyp_brands(head).is_some() => "AVIF",
        _ => SIGNATURES
            .iter()
            .find(|(signature, _)| head.starts_with(signature))
            .map_or("none of the formats known here", |(_, name)| *name),
    }
}

/// Main brands of files that share MP4's container but are no MP4 video.
const NOT_VIDEO: &[&[u8]] = &[
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"mif2", b"msf1", b"miaf",
    b"avif", b"avis", b"avci", b"avcs", b"jp2 ", b"jpx ", b"jpm ", b"mjp2", b"crx ", b"M4A ", b"M4B ", b"M4P ",
    b"F4A ", b"F4B ", b"qt  ",
];

/// How the brands begin that name MP4 or the format under it.
const MP4_FAMILY: &[&[u8]] = &[b"iso", b"mp4", b"avc1", b"M4V", b"dash", b"MSNV", b"mmp4", b"F4V "];

fn is_mp4(head: &[u8]) -> bool {
    let Some((main, others)) = ftyp_brands(head) else { return false };
    if NOT_VIDEO.contains(&main) {
        return false;
    }
    std::iter::once(main)
        .chain(others.chunks_exact(4))
        .any(|brand| MP4_FAMILY.iter().any(|name| brand.starts_with(name)))
}

/// The main brand of an opening `ftyp` box, and as many bytes of the list of other brands as the head holds.
fn ftyp_brands(head: &[u8]) -> Option<(&[u8], &[u8])> {
    // Size and name of the box, main brand, its version; then the other brands, four bytes each.
    const FIXED: usize = 16;
    const SANE: std::ops::RangeInclusive<usize> = FIXED..=1024;
    let size = u32::from_be_bytes(*head.first_chunk::<4>()?);
    let size = usize::try_from(size).ok().filter(|size| SANE.contains(size) && size % 4 == 0)?;
    if head.get(4..8)? != b"ftyp" {
        return None;
    }
    let others = head.get(FIXED..size.min(head.len())).unwrap_or_default();
    Some((head.get(8..12)?, others))
}

/// The length of a voice message, in seconds, that WeCom takes at most (document paths 90253 and 99110).
pub const MAX_VOICE_SECONDS: usize = 60;

/// The frames of AMR in a second: each holds 20 ms (RFC 4867).
const FRAMES_PER_SECOND: usize = 50;

/// The bytes of a frame after its first, by the type that the first one names: eight rates of speech, comfort noise, and
/// types without data (RFC 4867, 3GPP TS 26.101).
const FRAME_BYTES: [usize; 16] = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];

/// How many of the last bytes of a picture are searched for the mark of its end: some programs write data behind it.
pub const TAIL_LEN: u64 = 64 * 1024;

/// How long an AMR file plays, in seconds, rounded up. 0 for anything else.
pub fn amr_seconds(bytes: &[u8]) -> usize {
    let Some(mut rest) = bytes.strip_prefix(b"#!AMR\n") else { return 0 };
    let mut frames: usize = 0;
    while let [header, data @ ..] = rest {
        frames += 1;
        rest = data.get(FRAME_BYTES[usize::from(header >> 3 & 0x0f)]..).unwrap_or_default();
    }
    frames.div_ceil(FRAMES_PER_SECOND)
}

/// Whether a JPG or PNG lacks its end, as a download that broke off does. `tail` holds its last [`TAIL_LEN`] bytes, or all.
pub fn is_cut_off(head: &[u8], tail: &[u8]) -> bool {
    let end: &[u8] = match sniff(head) {
        MediaFormat::Png => b"IEND\xae\x42\x60\x82",
        MediaFormat::Jpeg => b"\xff\xd9",
        _ => return false,
    };
    !tail.windows(end.len()).any(|bytes| bytes == end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ftyp(main: &[u8; 4], others: &[&[u8; 4]]) -> Vec<u8> {
        let size = u32::try_from(16 + 4 * others.len()).unwrap();
        let mut head = size.to_be_bytes().to_vec();
        head.extend(b"ftyp");
        head.extend(main);
        head.extend([0, 0, 2, 0]);
        for brand in others {
            head.extend(*brand);
        }
        head.extend(b"\0\0\0\x08free\0\0\x10\0mdat");
        head
    }

    #[test]
    fn the_four_formats_are_known_by_content() {
        for (head, format) in [
            (b"\xff\xd8\xff\xe0\0\x10JFIF".as_slice(), MediaFormat::Jpeg),
            (b"\xff\xd8\xff", MediaFormat::Jpeg),
            (b"\xff\xd8", MediaFormat::Other),
            (b"\x89PNG\r\n\x1a\n", MediaFormat::Png),
            (b"\x89PNG\n\x1a\n", MediaFormat::Other),
            (b"#!AMR\n<", MediaFormat::Amr),
            (b"#!AMR-WB\n<", MediaFormat::Other),
            (b"#!AMR_MC1.0\n", MediaFormat::Other),
            (b"#!AMR", MediaFormat::Other),
            (b"GIF89a", MediaFormat::Other),
            (b"", MediaFormat::Other),
        ] {
            assert_eq!(sniff(head), format, "{head:?}");
        }
    }

    #[test]
    fn mp4_is_told_from_its_relatives() {
        for (head, format) in [
            (ftyp(b"isom", &[b"isom", b"iso2", b"avc1", b"mp41"]), MediaFormat::Mp4),
            (ftyp(b"mp42", &[]), MediaFormat::Mp4),
            (ftyp(b"M4V ", &[b"M4V ", b"M4A ", b"mp42", b"isom"]), MediaFormat::Mp4),
            (ftyp(b"3gp4", &[b"isom", b"3gp4"]), MediaFormat::Mp4),
            (ftyp(b"3gp5", &[b"3gp5"]), MediaFormat::Other),
            (ftyp(b"qt  ", &[b"qt  "]), MediaFormat::Other),
            (ftyp(b"qt  ", &[b"mp42"]), MediaFormat::Other),
            (ftyp(b"heic", &[b"mif1", b"heic"]), MediaFormat::Other),
            (ftyp(b"avif", &[b"mif1", b"avif", b"iso8"]), MediaFormat::Other),
            (ftyp(b"M4A ", &[b"M4A ", b"mp42", b"isom"]), MediaFormat::Other),
        ] {
            assert_eq!(sniff(&head), format, "{}", head.escape_ascii());
        }
    }

    #[test]
    fn a_cut_or_broken_box_is_no_mp4() {
        let whole = ftyp(b"isom", &[b"mp42"]);
        for len in 0..12 {
            assert_eq!(sniff(&whole[..len]), MediaFormat::Other, "{len}");
        }
        assert_eq!(sniff(&whole[..12]), MediaFormat::Mp4);
        for size in [0_u32, 1, 8, 15, 17, 1028, u32::MAX] {
            let mut broken = whole.clone();
            broken[..4].copy_from_slice(&size.to_be_bytes());
            assert_eq!(sniff(&broken), MediaFormat::Other, "{size}");
        }
        // Brands after the end of the box do not count.
        assert_eq!(sniff(b"\0\0\0\x10ftyp3gp5\0\0\0\0isom"), MediaFormat::Other);
    }

    #[test]
    fn what_is_refused_has_a_name() {
        for (head, name) in [
            (b"GIF89a".to_vec(), "GIF"),
            (b"RIFF\x10\0\0\0WEBPVP8 ".to_vec(), "WebP"),
            (b"RIFF\x10\0\0\0WAVEfmt ".to_vec(), "WAV"),
            (ftyp(b"qt  ", &[]), "QuickTime"),
            (ftyp(b"heic", &[]), "HEIC"),
            (b"\x89PNG\r\n\x1a\n".to_vec(), "PNG"),
            (b"disk full".to_vec(), "none of the formats known here"),
            (Vec::new(), "none of the formats known here"),
        ] {
            assert_eq!(describe(&head), name);
        }
    }

    #[test]
    fn every_format_has_its_content_type() {
        let types =
            [MediaFormat::Jpeg, MediaFormat::Png, MediaFormat::Amr, MediaFormat::Mp4, MediaFormat::Other].map(mime);
        assert_eq!(types, ["image/jpeg", "image/png", "audio/amr", "video/mp4", "application/octet-stream"]);
    }

    #[test]
    fn the_frames_of_speech_are_counted() {
        let file = |frames: &[u8]| [b"#!AMR\n", frames].concat();
        assert_eq!(amr_seconds(&file(&[])), 0);
        // The highest rate: 32 bytes a frame.
        let second: Vec<u8> = [&[0x3c; 1][..], &[0xaa; 31]].concat().repeat(50);
        assert_eq!(amr_seconds(&file(&second)), 1);
        assert_eq!(amr_seconds(&file(&second.repeat(60))), 60);
        assert_eq!(amr_seconds(&file(&[second.repeat(60), vec![0x3c]].concat())), 61);
        // Silence: frames of comfort noise, and such without data.
        assert_eq!(amr_seconds(&file(&[0x44, 1, 2, 3, 4, 5, 0x7c].repeat(50))), 2);
        assert_eq!(amr_seconds(b"#!AMR-WB\n\x3c"), 0);
        assert_eq!(amr_seconds(b"RIFF"), 0);
    }

    #[test]
    fn a_picture_without_its_end_is_cut_off() {
        let png = b"\x89PNG\r\n\x1a\n....IDAT....\0\0\0\0IEND\xae\x42\x60\x82";
        assert!(!is_cut_off(png, png));
        assert!(is_cut_off(png, &png[..20]));
        let jpeg = b"\xff\xd8\xff\xe0....\xff\xd9 written behind it";
        assert!(!is_cut_off(jpeg, jpeg));
        assert!(is_cut_off(jpeg, &jpeg[..8]));
        assert!(!is_cut_off(b"%PDF", b""));
    }
}
