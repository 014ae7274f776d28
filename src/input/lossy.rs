//! One encoding, decoded to its end: what is broken becomes U+FFFD and is reported.

use encoding_rs::DecoderResult;

/// Decodes into `text`, U+FFFD for what is broken; calls `on_broken` before each of them and returns how many there were.
pub(super) fn decode_with(
    encoding: &'static encoding_rs::Encoding,
    bytes: &[u8],
    text: &mut String,
    mut on_broken: impl FnMut(&str),
) -> usize {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut rest = bytes;
    let mut broken = 0;
    loop {
        // Enough for the shortest output, so that every turn of the loop gets on.
        text.reserve(rest.len() + 16);
        let (result, read) = decoder.decode_to_string_without_replacement(rest, text, true);
        rest = &rest[read..];
        match result {
            DecoderResult::InputEmpty => return broken,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => {
                broken += 1;
                on_broken(text);
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
}
