//! Reads an upload as WeCom is known to: one part named `media`, the file name as raw bytes in `filename="…"`.

use super::wire::find;

/// The one part of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub filename: Vec<u8>,
    pub content_type: Option<String>,
    pub bytes: Vec<u8>,
}

/// Reads the body. What no careful client writes goes to `complaints`; `None` when WeCom would find no file.
pub fn read(content_type: Option<&str>, body: &[u8], complaints: &mut Vec<String>) -> Option<Part> {
    let mut complain = |text: &str| {
        complaints.push(text.to_owned());
        None::<Part>
    };
    let Some(boundary) = content_type.and_then(boundary) else {
        return complain("an upload without Content-Type: multipart/form-data; boundary=…");
    };
    let (opening, divider) = (format!("--{boundary}\r\n"), format!("\r\n--{boundary}"));
    let Some(rest) = body.strip_prefix(opening.as_bytes()) else {
        return complain("the multipart body does not begin with its boundary");
    };
    let Some(end) = find(rest, divider.as_bytes()) else {
        return complain("the multipart body has no closing boundary");
    };
    if !matches!(&rest[end + divider.len()..], b"--" | b"--\r\n") {
        complain("an upload of more than one part, or with bytes after its end");
    }
    let Some(blank) = find(&rest[..end], b"\r\n\r\n") else {
        return complain("the part has no blank line after its headers");
    };
    read_part(&rest[..blank], &rest[blank + 4..end], complaints)
}

fn boundary(content_type: &str) -> Option<&str> {
    let rest = content_type.strip_prefix("multipart/form-data")?.trim_start().strip_prefix(';')?;
    let value = rest.trim().strip_prefix("boundary=")?.trim_matches('"');
    (!value.is_empty()).then_some(value)
}

fn read_part(head: &[u8], bytes: &[u8], complaints: &mut Vec<String>) -> Option<Part> {
    let (mut disposition, mut content_type) = (None, None);
    for line in split_lines(head) {
        if line.contains(&b'\n') || line.contains(&b'\r') {
            complaints.push("a line break inside a part's header".into());
        }
        let (name, value) = line.split_at(find(line, b":").unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        match name.to_ascii_lowercase().as_slice() {
            b"content-disposition" => disposition = Some(value),
            b"content-type" => content_type = Some(String::from_utf8_lossy(value).into_owned()),
            other => complaints.push(format!("a part with the header {:?}", String::from_utf8_lossy(other))),
        }
    }
    if content_type.is_none() {
        complaints.push("a part without Content-Type".into());
    }
    let Some(disposition) = disposition else {
        complaints.push("a part without Content-Disposition".into());
        return None;
    };
    let filename = read_disposition(disposition, bytes.len(), complaints)?;
    Some(Part { filename, content_type, bytes: bytes.to_vec() })
}

fn split_lines(head: &[u8]) -> Vec<&[u8]> {
    let (mut lines, mut rest) = (Vec::new(), head);
    while let Some(end) = find(rest, b"\r\n") {
        lines.push(&rest[..end]);
        rest = &rest[end + 2..];
    }
    lines.push(rest);
    lines
}

/// The file name's bytes, if the part is the one that WeCom looks for.
fn read_disposition(value: &[u8], length: usize, complaints: &mut Vec<String>) -> Option<Vec<u8>> {
    let mut rest = value.strip_prefix(b"form-data").unwrap_or_else(|| {
        complaints.push("Content-Disposition is not form-data".into());
        b""
    });
    let (mut name, mut filename) = (None, None);
    while let Some(more) = rest.strip_prefix(b";") {
        let more = more.trim_ascii_start();
        let Some(equals) = find(more, b"=") else { break };
        let (key, after) = (&more[..equals], &more[equals + 1..]);
        let (value, after) = value_at(after);
        match key {
            b"name" => name = Some(value),
            b"filename" => filename = Some(value),
            b"filelength" if value == length.to_string().as_bytes() => {}
            other => complaints.push(format!(
                "Content-Disposition holds {}={}, which WeCom does not understand",
                String::from_utf8_lossy(other),
                String::from_utf8_lossy(value)
            )),
        }
        rest = after;
    }
    if !rest.is_empty() {
        complaints.push(format!("Content-Disposition goes on after its values: {:?}", String::from_utf8_lossy(rest)));
    }
    if name != Some(b"media") {
        complaints.push("the part is not named media".into());
        return None;
    }
    let filename = filename.filter(|name| !name.is_empty());
    match filename {
        None => complaints.push("the part has no filename=\"…\"".into()),
        Some(name) if std::str::from_utf8(name).is_err() => complaints.push("the file name is not UTF-8".into()),
        Some(name) if name.iter().any(|b| matches!(b, b'\\' | b'/' | 0..=31 | 127)) => {
            complaints.push("the file name holds a folder, a backslash or a control character".into());
        }
        Some(_) => {}
    }
    filename.map(<[u8]>::to_vec)
}

/// A quoted or bare value, and what follows it.
fn value_at(text: &[u8]) -> (&[u8], &[u8]) {
    match text.strip_prefix(b"\"") {
        Some(inside) => {
            let end = find(inside, b"\"").unwrap_or(inside.len());
            (&inside[..end], inside.get(end + 1..).unwrap_or_default())
        }
        None => text.split_at(find(text, b";").unwrap_or(text.len())),
    }
}
