//! The published test vectors, in both directions: requests that are opened, and texts that are encrypted to the same.

use super::*;

/// Timestamp, nonce, signature, echostr and the text to answer.
const VERIFICATIONS: [(Vector, i64, &str, &str, &str, &str); 3] = [
    (
        A,
        1_409_659_589,
        "263014780",
        "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
        "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
        "1616140317555161061",
    ),
    (
        B,
        1_583_940_690,
        "VHh7ymSeb0jc4lSb",
        "1ba3cb09c0d2c2b3ed6900d37f91a6efae6cb011",
        "6KmUQuPVu7UhjyVqRdbo5SfcRqaHvbUlKSHFvBV2ZuR6TIlKsygcfeSd1GDplg1C5KSKr6UPHCaC/nIX3ZNt9w==",
        "94966531020182955848408",
    ),
    (
        D,
        1_411_443_780,
        "437374425",
        "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96",
        "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q==",
        "5927782489442352469",
    ),
];

const A2: &str = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==";
const C1: &str = "EUCt7xMcNiyASzZj0Hjc5yDjFQrCum6AfQ3ntHiUzjGQ51xieKmbvtrZ40/EcB2W/W8yH0n4Lqx48gJl/T9HD/R309I0P/r5pIZucK3lyEn48FYMr4YdE0QdL2jIJ3xkcXUr6uzefzCxG6lMvwpAJaOyVCzN7sRRw47njfxy5EIqU6R9ZBhlTzfdnhhOhK/nTwzrZX3SoGlXFA9OBeZ6ru1NWpXFk76x9DUMe0lcxPPiUqK8ctnQcYXSGUHVqC6DfG7E7mab0OmruNN8cBZY5d3dYOBA4OgaH55Q0AJmUpdT8vNiXpXx+6TxT3TIjySXpDrHVyrsb772aYywgg/Nu4kUmGkALwFZlzhjNegR7wDwb9lr4ERXsSSS8JZ8lbBmaQ3F2Tq584xoPj5rIhXAF734ynm4no1g+SdHiNqR328=";

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn the_published_verifications_are_answered() {
    for (vector, at, nonce, signature, echostr, text) in VERIFICATIONS {
        let keys = vector.keys();
        let signed = query(signature, at, nonce);
        // As WeCom sends it, and as it is behind a web server that has decoded it once or twice.
        for echostr in [encoded(echostr), echostr.to_owned(), echostr.replace('+', "%20")] {
            assert_eq!(keys.verify(&format!("{signed}&echostr={echostr}"), at), Ok(text.to_owned()), "{echostr}");
        }
        let echostr = encoded(echostr);
        for (changed, expected) in [
            (query(signature, at, "437374424"), RefusedRequest::Forged),
            (query(signature, at + 1, nonce), RefusedRequest::Forged),
            (query(&signature.to_uppercase(), at, nonce), RefusedRequest::Forged),
            (query("", at, nonce), RefusedRequest::Forged),
        ] {
            assert_eq!(keys.verify(&format!("{changed}&echostr={echostr}"), at), Err(expected), "{changed}");
        }
        assert_eq!(keys.verify(&signed, at), Err(RefusedRequest::Forged));
        for seconds in [601, -601] {
            assert_eq!(
                keys.verify(&format!("{signed}&echostr={echostr}"), at + seconds),
                Err(RefusedRequest::Stale { seconds })
            );
            assert!(keys.verify(&format!("{signed}&echostr={echostr}"), at + seconds - seconds.signum()).is_ok());
        }
    }
}

/// Nobody who has seen an event on its way gets its text by asking for a verification with it.
#[test]
fn an_event_is_no_echostr() {
    let signed = query("477715d11cdb4164915debcba66cb864d751f3e6", 1_409_659_813, "1372623149");
    let asked = A.keys().verify(&format!("{signed}&echostr={}", encoded(A2)), 1_409_659_813);
    assert_eq!(asked, Err(RefusedRequest::Unreadable("its echostr is an event".to_owned())));
}

#[test]
fn the_published_messages_are_opened() {
    for (vector, at, nonce, signature, sealed, length, has) in [
        (
            A,
            1_409_659_813,
            "1372623149",
            "477715d11cdb4164915debcba66cb864d751f3e6",
            A2,
            284,
            "<Content><![CDATA[hello]]>",
        ),
        (C, 1_583_995_625, "1584392382", "f265ae551b1932727204c3d707628d01376a6940", C1, 269, "x123"),
    ] {
        let key = seal::key_of(vector.aes_key).unwrap();
        let message = seal::decrypt(&key, sealed, vector.receive_id).unwrap();
        assert!(message.len() == length && message.contains(has), "{message}");
        let signed = query(signature, at, nonce);
        for body in [
            format!("<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt><AgentID>1</AgentID></xml>"),
            format!("<xml>\n<AgentID>1</AgentID>\n<encrypt>{sealed}</encrypt></xml>"),
        ] {
            let opened = vector.keys().open(&signed, body.as_bytes(), at).unwrap();
            assert_eq!(opened.event, CallbackEvent::Other("a message of type text".to_owned()));
        }
        // For somebody else; and with the key of another address.
        let body = format!("<xml><Encrypt>{sealed}</Encrypt></xml>");
        let other = keys(vector.token, vector.aes_key, "").open(&signed, body.as_bytes(), at);
        assert!(matches!(other, Err(RefusedRequest::Unreadable(why)) if why.contains("another receiver")));
        let other = keys(vector.token, B.aes_key, vector.receive_id).open(&signed, body.as_bytes(), at);
        assert!(matches!(other, Err(RefusedRequest::Unreadable(why)) if why.contains("another EncodingAESKey")));
    }
}

#[test]
fn the_published_texts_are_encrypted_as_published() {
    let lines = [
        "<xml>",
        "<MsgType><![CDATA[text]]></MsgType>",
        "<Content><![CDATA[test]]></Content>",
        "<FromUserName><![CDATA[wx49f0ab532d5d035a]]></FromUserName>",
        "<ToUserName><![CDATA[messense]]></ToUserName>",
        "<AgentID>1</AgentID>",
        "<CreateTime>1411525903</CreateTime>",
        "</xml>",
    ];
    let key = seal::key_of(D.aes_key).unwrap();
    let sealed = encrypt(&key, *b"1234567890123456", &lines.join("\n"), D.receive_id);
    assert!(sealed.starts_with("9s4gMv99m88kKTh/H8IdkOiMg6bisoy3ypwy9H4h"), "{sealed}");
    assert_eq!(signature(D.token, "1411525903", "461056294", &sealed), "407518b7649e86ef23978113f92d27afa9296533");
    // The others, from what they decrypt to: with their own random bytes the same comes out.
    for (vector, sealed) in
        VERIFICATIONS.map(|(vector, .., sealed, _)| (vector, sealed)).into_iter().chain([(A, A2), (C, C1)])
    {
        let key = seal::key_of(vector.aes_key).unwrap();
        let (random, message) =
            (seal::random_of(&key, sealed), seal::decrypt(&key, sealed, vector.receive_id).unwrap());
        assert_eq!(encrypt(&key, random, &message, vector.receive_id), sealed);
    }
}

#[test]
fn keys_of_another_form_are_refused_with_a_hint() {
    for aes_key in
        ["", &B.aes_key[..42], &format!("{}A", B.aes_key), &B.aes_key.replace('4', "$"), &B.aes_key.replace('4', "=")]
    {
        let error = CallbackKeys::new(&Secret::new(B.token), &Secret::new(aes_key), "").unwrap_err();
        assert!(
            error.message().contains(&format!("43 letters and digits; this has {} bytes", aes_key.len())),
            "{error}"
        );
    }
    for token in ["", "a b", "a-b", &"a".repeat(33)] {
        let error = CallbackKeys::new(&Secret::new(token), &Secret::new(B.aes_key), "").unwrap_err();
        assert!(error.hint().unwrap().contains("接收消息"), "{error}");
    }
    assert_eq!(format!("{:?}", B.keys()), "CallbackKeys");
}
