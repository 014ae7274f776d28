//! Several calls of one client at the same time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;
use crate::channel::Channel;
use crate::config::ProxyUrl;
use crate::secret::Secret;

fn client(proxy: SocketAddr, connect_timeout: Duration) -> Client {
    let proxy = ProxyUrl::parse(&Secret::new(format!("socks5h://{proxy}"))).unwrap();
    let options = ClientOptions {
        base_url: BaseUrl::parse("http://wecom.example").unwrap(),
        proxy: ProxySetting::Url(proxy),
        trust: Trust::new(None),
        connect_timeout,
        timeout: Duration::from_secs(1),
        deadline: Instant::now() + Duration::from_secs(60),
    };
    Client::new(options, Mask::default(), Observer::new(|_| ()))
}

/// Answers a SOCKS5 handshake, as if the peer had been reached.
async fn let_through(stream: &mut TcpStream) {
    let mut hello = [0; 2];
    stream.read_exact(&mut hello).await.unwrap();
    stream.read_exact(&mut vec![0; hello[1].into()]).await.unwrap();
    stream.write_all(&[5, 0]).await.unwrap();
    let mut asked = [0; 5];
    stream.read_exact(&mut asked).await.unwrap();
    stream.read_exact(&mut vec![0; usize::from(asked[4]) + 2]).await.unwrap();
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
}

#[tokio::test]
async fn each_call_knows_its_own_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(listener.local_addr().unwrap(), Duration::from_millis(300));
    let (asked, is_asked) = oneshot::channel();
    let proxy = async {
        let (mut first, _) = listener.accept().await.unwrap();
        let_through(&mut first).await;
        first.read_exact(&mut [0; 4]).await.unwrap();
        asked.send(()).unwrap();
        let second = listener.accept().await.unwrap();
        std::future::pending::<()>().await;
        drop((first, second));
    };
    let (token, body) = (Secret::new("token"), || "{}".into());
    let calls = async {
        tokio::join!(client.send(Channel::App, &token, body()), async {
            is_asked.await.unwrap();
            client.send(Channel::App, &token, body()).await
        })
    };
    let (first, second) = tokio::select! {
        () = proxy => unreachable!(),
        ended = calls => ended,
    };
    assert!(matches!(first, Err(CallError::Silent { limit: Some(Limit::Timeout), .. })), "{first:?}");
    assert!(matches!(second, Err(CallError::Unreached { limit: Some(Limit::Connect), .. })), "{second:?}");
}

#[tokio::test]
async fn a_connection_that_came_free_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(listener.local_addr().unwrap(), Duration::from_secs(20));
    let (asked, is_asked) = oneshot::channel();
    let proxy = async {
        let (mut first, _) = listener.accept().await.unwrap();
        let_through(&mut first).await;
        first.read_exact(&mut [0; 4]).await.unwrap();
        asked.send(()).unwrap();
        let second = listener.accept().await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 27\r\n\r\n{\"errcode\":0,\"errmsg\":\"ok\"}";
        first.write_all(answer).await.unwrap();
        std::future::pending::<()>().await;
        drop((first, second));
    };
    let (token, body) = (Secret::new("token"), || "{}".into());
    let calls = async {
        tokio::join!(client.send(Channel::App, &token, body()), async {
            is_asked.await.unwrap();
            client.send(Channel::App, &token, body()).await
        })
    };
    let (first, second) = tokio::select! {
        () = proxy => unreachable!(),
        ended = calls => ended,
    };
    assert!(first.is_ok(), "{first:?}");
    assert!(matches!(second, Err(CallError::Silent { limit: Some(Limit::Timeout), .. })), "{second:?}");
}

#[tokio::test]
async fn a_connection_that_is_closed_before_the_request_goes_out_carried_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(listener.local_addr().unwrap(), Duration::from_secs(20));
    let proxy = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let_through(&mut stream).await;
        // The client runs on this thread too: it finds the connection closed when it learns that it stands.
        drop(stream);
        std::future::pending::<()>().await;
    };
    let token = Secret::new("token");
    let ended = tokio::select! {
        () = proxy => unreachable!(),
        ended = client.send(Channel::App, &token, "{}".into()) => ended,
    };
    let error = ended.unwrap_err();
    assert!(matches!(error, CallError::Unreached { limit: None, .. }), "{error:?}");
    assert!(error.to_string().ends_with("it was closed before the request went out"), "{error}");
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_is_not_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(listener.local_addr().unwrap(), Duration::from_secs(20));
    let proxy = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let_through(&mut stream).await;
            stream.read_exact(&mut [0; 4]).await.unwrap();
            // Nothing announces that it is closed.
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 27\r\n\r\n{\"errcode\":0,\"errmsg\":\"ok\"}";
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
            drain(stream);
        }
    };
    let token = Secret::new("token");
    let calls = async {
        for number in 0..20 {
            let ended = client.send(Channel::App, &token, "{}".into()).await;
            assert!(ended.is_ok(), "{number}: {ended:?}");
        }
    };
    tokio::select! {
        () = proxy => unreachable!(),
        () = calls => {}
    }
}

/// Reads until the client leaves, so that it meets no reset.
fn drain(mut stream: TcpStream) {
    tokio::spawn(async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
}
