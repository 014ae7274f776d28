//! What the first bytes of a file do not tell: how long speech plays, and whether a picture was cut off.

use super::format::{MediaFormat, sniff};

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
