//! Requests of which none may be taken, and input of any kind.

use proptest::prelude::*;

use super::*;

/// What is done to a valid request so that it is none.
fn spoiled(random: &mut fastrand::Rng, query: &str, body: &str) -> (String, Vec<u8>, i64) {
    let (mut query, mut body) = (query.as_bytes().to_vec(), body.as_bytes().to_vec());
    let mut now = NOW;
    match random.u8(0..8) {
        // Another character somewhere in what is signed, or in the signature.
        0 | 1 => {
            let place = random.usize(0..query.len());
            query[place] = query[place].wrapping_add(random.u8(1..=255));
        }
        2 | 3 => {
            let sealed = body
                .windows(8)
                .position(|part| part == b"[CDATA[" || part.starts_with(b"crypt\":\""))
                .map_or(20, |at| at + 8);
            let place = random.usize(sealed..body.len().min(sealed + 40));
            body[place] = body[place].wrapping_add(random.u8(1..=255));
        }
        4 => body.truncate(random.usize(0..body.len())),
        5 => query.truncate(random.usize(0..query.len())),
        // Sent again, too late or too early.
        6 => now += random.i64(601..1_000_000) * if random.bool() { 1 } else { -1 },
        _ => body.extend(std::iter::repeat_n(b' ', LARGEST_BODY)),
    }
    (String::from_utf8_lossy(&query).into_owned(), body, now)
}

/// Forged, cut, late, large, and with keys of somebody else or for somebody else.
#[test]
fn none_of_100_000_wrong_requests_is_taken() {
    let mut random = fastrand::Rng::with_seed(16);
    let press = event_xml("template_card_event", PRESSED);
    let event = json!({"msgtype": "event", "event": {"eventtype": "template_card_event", "event_key": "ack"}});
    let requests = [(A, press), (BOT, event.to_string())].map(|(vector, message)| {
        let (query, body) = request(&vector, &message, NOW);
        let opened = vector.keys().open(&query, body.as_bytes(), NOW).unwrap();
        (vector.keys(), query, body, opened)
    });
    let others = [(A, A, B), (A, B, A), (B, A, A), (A, A, BOT), (B, B, A)]
        .map(|(token, key, receiver)| keys(token.token, key.aes_key, receiver.receive_id));
    let mut taken = 0;
    for number in 0..100_000 {
        let (keys, query, body, original) = &requests[number % 2];
        if number % 10 < 2 {
            let other = &others[random.usize(0..others.len())];
            assert!(other.open(query, body.as_bytes(), NOW).is_err());
            continue;
        }
        let (query, body, now) = spoiled(&mut random, query, body);
        if let Ok(opened) = keys.open(&query, &body, now) {
            // What was changed has no meaning, such as the letter case of a name: it is a copy.
            assert!(opened == *original && now == NOW && body.len() <= LARGEST_BODY, "{query}");
            taken += 1;
        }
        assert!(keys.verify(&query, now).is_err());
    }
    assert!(taken < 1_000, "{taken}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encrypted_is_decrypted(message in "\\PC{0,200}", receiver in "[a-z0-9]{0,18}", key in "[a-zA-Z0-9]{43}", random in any::<[u8; 16]>()) {
        let key = seal::key_of(&key).unwrap();
        let sealed = encrypt(&key, random, &message, &receiver);
        prop_assert_eq!(seal::decrypt(&key, &sealed, &receiver), Ok(message));
        let other = receiver + "x";
        prop_assert!(seal::decrypt(&key, &sealed, &other).is_err());
    }

    #[test]
    fn bytes_of_any_kind_are_no_panic(query in ".{0,80}", body in prop::collection::vec(any::<u8>(), 0..200), sealed in "[A-Za-z0-9+/=]{0,100}") {
        let keys = A.keys();
        prop_assert!(keys.open(&query, &body, NOW).is_err());
        let _ = xml::Element::parse(&String::from_utf8_lossy(&body));
        let _ = event::read(&String::from_utf8_lossy(&body));
        let _ = seal::decrypt(&[1; 32], &sealed, "");
    }

    /// Pieces of XML in any order.
    #[test]
    fn pieces_of_xml_are_no_panic(pieces in prop::collection::vec(prop::sample::select(vec![
        "<xml>", "</xml>", "<MsgType>", "</MsgType>", "event", "<Event>", "</Event>", "template_card_event", "<![CDATA[", "]]>", "<!", "<!--", "-->",
        "<?", "?>", "&", ";", "&#x41;", "<", ">", "/", "中", "<SelectedItems>", "</SelectedItems>",
    ]), 0..30)) {
        let _ = event::read(&pieces.concat());
    }
}
