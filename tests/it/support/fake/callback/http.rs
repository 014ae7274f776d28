//! One HTTP request to a callback address, as WeCom makes it: at most 5 seconds, no redirects.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

/// How long WeCom waits for an answer (document path 90930).
const PATIENCE: Duration = Duration::from_secs(5);

/// What was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// How long it took.
    pub after: Duration,
}

/// Sends it; else what went wrong.
pub fn send(method: &str, url: &str, query: &str, body: &str) -> Result<Answer, String> {
    let started = Instant::now();
    let rest = url.strip_prefix("http://").ok_or("only http:// addresses are known here")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let address = host.to_socket_addrs().map_err(|error| error.to_string())?.next().ok_or("no address")?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| error.to_string())?;
    let head = format!(
        "{method} {path}?{query} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\n\
         Content-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    loop {
        if let Some(answer) = read(&bytes, false) {
            return Ok(Answer { after: started.elapsed(), ..answer });
        }
        let left = PATIENCE.checked_sub(started.elapsed()).filter(|left| !left.is_zero()).ok_or("no answer in 5 s")?;
        stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer) {
            Ok(0) => {
                let answer = read(&bytes, true).ok_or("the connection ended without an answer")?;
                return Ok(Answer { after: started.elapsed(), ..answer });
            }
            Ok(count) => bytes.extend(&buffer[..count]),
            Err(_) if started.elapsed() >= PATIENCE => return Err("no answer in 5 s".to_owned()),
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// The answer in these bytes, if it is whole.
fn read(bytes: &[u8], is_all: bool) -> Option<Answer> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body = &bytes[end + 4..];
    let is_whole = length.map_or(is_all, |length| body.len() >= length);
    is_whole.then(|| Answer { status, body: body.to_vec(), after: Duration::ZERO })
}
