//! Uploads: the exact shape of the answer, sizes and formats, and whose file it is.

use serde_json::json;

use super::*;
use crate::support::fake::MediaKind;

#[test]
fn keeps_name_and_bytes_as_they_came() {
    let wecom = FakeWecom::start();
    let content = [b"\r\n--b\r\n\r\n".as_slice(), &[0, 255, 13, 10]].concat();
    let answer = upload(&wecom, "file", &content).json();
    assert_eq!((&answer["errcode"], &answer["type"]), (&json!(0), &json!("file")));
    assert!(answer["created_at"].as_str().unwrap().parse::<u64>().is_ok(), "{answer}");
    let uploads = wecom.uploads();
    assert_eq!(uploads.len(), 1);
    assert_eq!(uploads[0].filename, "报告 1.txt".as_bytes());
    assert_eq!((uploads[0].kind, &uploads[0].bytes), (MediaKind::File, &content));
    assert_eq!(answer["media_id"], uploads[0].media_id.as_str());
}

#[test]
fn sizes_and_formats() {
    let wecom = FakeWecom::start();
    let large = |start: &[u8], size: usize| [start, &vec![b'x'; size + 1 - start.len()]].concat();
    let long_voice = [b"#!AMR\n".as_slice(), &[4].repeat(13 * 3001)].concat();
    const MIB: usize = 1024 * 1024;
    let cases = [
        (40006, "file", b"12345".to_vec()),
        (0, "file", b"123456".to_vec()),
        (45001, "file", large(b"", 20 * MIB)),
        (0, "image", PNG.to_vec()),
        (0, "image", b"\xff\xd8\xff\xe0 and so on".to_vec()),
        (40004, "image", b"GIF89a and so on".to_vec()),
        (40009, "image", large(PNG, 10 * MIB)),
        (0, "voice", AMR.to_vec()),
        (301_017, "voice", b"RIFF and so on".to_vec()),
        (45001, "voice", large(AMR, 2 * MIB)),
        (45007, "voice", long_voice),
        (0, "video", MP4.to_vec()),
        (40004, "video", b"RIFF and so on".to_vec()),
        (40011, "video", large(MP4, 10 * MIB)),
        (40005, "music", b"123456".to_vec()),
    ];
    for (code, kind, content) in cases {
        assert_eq!(upload(&wecom, kind, &content).errcode(), code, "{kind} of {} bytes", content.len());
    }
}

#[test]
fn a_groups_file_is_that_groups_alone() {
    let other = "00000000-0000-4000-8000-000000000002";
    let wecom = FakeWecom::builder().webhook(other).start();
    let target = |key: &str, kind: &str| format!("/cgi-bin/webhook/upload_media?key={key}&type={kind}");
    let disposition = "form-data; name=\"media\"; filename=\"a.txt\"; filelength=7";
    let id = upload_with(&wecom, &target(WEBHOOK_KEY, "file"), disposition, b"content").json()["media_id"].clone();
    assert_eq!(send_to_group(&wecom, "file", json!({"media_id": id})).errcode(), 0);
    assert_eq!(send_to_group(&wecom, "voice", json!({"media_id": id})).errcode(), 40007);
    assert_eq!(send_payload(&wecom, "file", json!({"media_id": id})).errcode(), 40007);
    let theirs = upload_with(&wecom, &target(other, "file"), disposition, b"content").json()["media_id"].clone();
    assert_eq!(send_to_group(&wecom, "file", json!({"media_id": theirs})).errcode(), 40007);
    assert_eq!(upload_with(&wecom, &target(WEBHOOK_KEY, "image"), disposition, PNG).errcode(), 40005);
}

#[test]
fn what_wecom_does_not_understand_is_no_file() {
    for disposition in [
        "form-data; name=\"media\"; filename*=utf-8''a.txt",
        "form-data; name=\"file\"; filename=\"a.txt\"",
        "form-data; name=\"media\"",
    ] {
        let wecom = FakeWecom::start();
        let target = format!("/cgi-bin/media/upload?access_token={}&type=file", token(&wecom));
        assert_eq!(upload_with(&wecom, &target, disposition, b"content").errcode(), 44001, "{disposition}");
        assert!(!wecom.complaints().is_empty(), "{disposition}");
        wecom.expect_unexpected();
    }
}

#[test]
fn a_name_that_breaks_out_of_its_quotes_is_noticed() {
    for name in ["a\"b.txt", "a\r\nX-Evil: 1", "../a.txt", "a\\b.txt"] {
        let wecom = FakeWecom::start();
        let target = format!("/cgi-bin/media/upload?access_token={}&type=file", token(&wecom));
        let disposition = format!("form-data; name=\"media\"; filename=\"{name}\"");
        upload_with(&wecom, &target, &disposition, b"content");
        assert!(!wecom.complaints().is_empty(), "{name:?}");
        wecom.expect_unexpected();
    }
}

#[test]
fn a_second_part_is_noticed() {
    let wecom = FakeWecom::start();
    let target = format!("/cgi-bin/media/upload?access_token={}&type=file", token(&wecom));
    let part = "--b0\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a\"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n";
    post(&wecom, &target, "multipart/form-data; boundary=b0", format!("{part}{part}--b0--\r\n").as_bytes());
    assert_eq!(wecom.complaints(), ["POST media/upload: an upload of more than one part, or with bytes after its end"]);
    wecom.expect_unexpected();
}
