//! The beginning of a connection between processes: the version, and the proofs of both ends.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::proof::{Proofs, TalkEnd, nonce};
use super::protocol::{Greeting, LONGEST_GREETING, Lines, Proven, Unreadable, VERSION, Writer, line};
use crate::secret::Secret;

/// How long an end waits for the other: whoever is not stopped answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection between processes, or within one.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that is ready for the protocol.
pub(super) struct Talk {
    pub(super) lines: Lines<BufReader<ReadHalf<Box<dyn Stream>>>>,
    pub(super) writer: Writer<WriteHalf<Box<dyn Stream>>>,
    /// Whether the other end is on another machine: that it has gone is not seen at once.
    pub(super) is_far: bool,
}

impl Talk {
    /// Of two ends that know each other.
    pub(super) fn new(stream: impl Stream + 'static) -> Self {
        let (reader, writer) = tokio::io::split(Box::new(stream) as Box<dyn Stream>);
        Self { lines: Lines::new(BufReader::new(reader)), writer: Writer::new(writer), is_far: false }
    }

    /// The other end is on another machine.
    pub(super) fn far(self) -> Self {
        Self { is_far: true, ..self }
    }

    /// From now on every line has a seal, so that nobody who stands in between can say anything.
    fn seal(&mut self, proofs: &Proofs<'_>, own: TalkEnd, other: TalkEnd) -> Option<()> {
        self.writer.seal_by(proofs.seals(own)?);
        self.lines.expect_seals(proofs.seals(other)?);
        Some(())
    }
}

/// Why there is no talk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The other end does not prove that it knows the secret.
    Unproven,
    /// It speaks another version of the protocol.
    Version(u32),
    /// It went away.
    Gone,
    /// It says nothing.
    Silent,
    /// It says something else.
    Garbage,
}

impl From<Unreadable> for Refused {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Ended | Unreadable::Failed => Self::Gone,
            Unreadable::Forged | Unreadable::Garbage(_) => Self::Garbage,
        }
    }
}

/// Greets the holder: it proves first.
pub(super) async fn greet_holder(
    stream: impl Stream + 'static,
    bot_id: &str,
    secret: &Secret,
) -> Result<Talk, Refused> {
    let mut talk = Talk::new(stream);
    let greeted = timeout(PATIENCE, async {
        let own = nonce().ok_or(Refused::Gone)?;
        say(&mut talk, &Greeting { version: VERSION, nonce: own.clone(), proof: None }).await?;
        let holder: Greeting = talk.lines.next(LONGEST_GREETING).await?;
        if holder.version != VERSION {
            return Err(Refused::Version(holder.version));
        }
        let proofs = Proofs { bot_id, secret, nonces: [&holder.nonce, &own] };
        let is_proven = holder.proof.is_some_and(|proof| proofs.is(TalkEnd::Holder, &proof));
        // Where it knows another secret it is told so, and can name this process to its user.
        let proof = proofs.of(TalkEnd::Client).filter(|_| is_proven).unwrap_or_default();
        say(&mut talk, &Proven { proof }).await?;
        if !is_proven {
            return Err(Refused::Unproven);
        }
        talk.seal(&proofs, TalkEnd::Client, TalkEnd::Holder).ok_or(Refused::Garbage)
    });
    greeted.await.unwrap_or(Err(Refused::Silent)).map(|()| talk)
}

/// Greets a client of the holder.
pub(super) async fn greet_client(
    stream: impl Stream + 'static,
    bot_id: &str,
    secret: &Secret,
) -> Result<Talk, Refused> {
    let mut talk = Talk::new(stream);
    let greeted = timeout(PATIENCE, async {
        let client: Greeting = talk.lines.next(LONGEST_GREETING).await?;
        let own = nonce().ok_or(Refused::Gone)?;
        let proofs = Proofs { bot_id, secret, nonces: [&own, &client.nonce] };
        let proof = proofs.of(TalkEnd::Holder);
        say(&mut talk, &Greeting { version: VERSION, nonce: own.clone(), proof }).await?;
        if client.version != VERSION {
            return Err(Refused::Version(client.version));
        }
        let Proven { proof } = talk.lines.next(LONGEST_GREETING).await?;
        if !proofs.is(TalkEnd::Client, &proof) {
            return Err(Refused::Unproven);
        }
        talk.seal(&proofs, TalkEnd::Holder, TalkEnd::Client).ok_or(Refused::Garbage)
    });
    greeted.await.unwrap_or(Err(Refused::Silent)).map(|()| talk)
}

async fn say(talk: &mut Talk, said: &impl serde::Serialize) -> Result<(), Refused> {
    let line = line(said).ok_or(Refused::Garbage)?;
    talk.writer.write(&line).await.map_err(|_| Refused::Gone)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn run<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(test)
    }

    fn greet(bots: [&str; 2], secrets: [&str; 2]) -> [Option<Refused>; 2] {
        let (one, other) = duplex(4096);
        let secrets = secrets.map(Secret::new);
        let (holder, client) = run(async {
            tokio::join!(greet_client(one, bots[0], &secrets[0]), greet_holder(other, bots[1], &secrets[1]))
        });
        [holder.err(), client.err()]
    }

    #[test]
    fn both_ends_must_know_the_same_secret_of_the_same_bot() {
        assert_eq!(greet(["bot"; 2], ["test-secret"; 2]), [None, None]);
        let refused = [Some(Refused::Unproven), Some(Refused::Unproven)];
        assert_eq!(greet(["bot"; 2], ["test-secret", "test-secret-2"]), refused);
        assert_eq!(greet(["bot", "bot-2"], ["test-secret"; 2]), refused);
    }

    #[test]
    fn the_secret_is_not_said() {
        run(async {
            let secret = Secret::new("test-secret");
            let (holder, mut heard_by_holder) = duplex(4096);
            let (client, mut heard_by_client) = duplex(4096);
            let relay = async {
                let mut heard = Vec::new();
                let mut buffers = ([0; 512], [0; 512]);
                loop {
                    let (from, to, read) = tokio::select! {
                        read = heard_by_holder.read(&mut buffers.0) => (&buffers.0, &mut heard_by_client, read.unwrap()),
                        read = heard_by_client.read(&mut buffers.1) => (&buffers.1, &mut heard_by_holder, read.unwrap()),
                    };
                    if read == 0 {
                        return heard;
                    }
                    heard.extend(&from[..read]);
                    to.write_all(&from[..read]).await.unwrap();
                }
            };
            let greeted = async {
                let (one, other) =
                    tokio::join!(greet_client(holder, "bot", &secret), greet_holder(client, "bot", &secret));
                assert!(one.is_ok() && other.is_ok());
            };
            let (heard, ()) = tokio::join!(relay, greeted);
            let heard = String::from_utf8(heard).unwrap();
            assert!(heard.lines().count() == 3 && !heard.contains("test-secret"), "{heard}");
        });
    }

    /// Whoever stands in between can hand both proofs on, and say nothing of his own afterwards.
    #[test]
    fn who_relays_the_proofs_can_say_nothing() {
        use super::super::protocol::{LONGEST_LINE, ToClient};
        run(async {
            let secret = Secret::new("test-secret");
            let (holder, relay_to_holder) = duplex(4096);
            let (client, relay_to_client) = duplex(4096);
            let greeted = async {
                let (one, other) =
                    tokio::join!(greet_client(holder, "bot", &secret), greet_holder(client, "bot", &secret));
                (one.ok().unwrap(), other.ok().unwrap())
            };
            let relay = async {
                let (from_holder, mut to_holder) = tokio::io::split(relay_to_holder);
                let (from_client, mut to_client) = tokio::io::split(relay_to_client);
                let (mut from_holder, mut from_client) = (BufReader::new(from_holder), BufReader::new(from_client));
                for is_of_client in [true, false, true] {
                    let mut line = Vec::new();
                    if is_of_client {
                        from_client.read_until(b'\n', &mut line).await.unwrap();
                        to_holder.write_all(&line).await.unwrap();
                    } else {
                        from_holder.read_until(b'\n', &mut line).await.unwrap();
                        to_client.write_all(&line).await.unwrap();
                    }
                }
                (from_holder, to_client)
            };
            let ((mut holder, mut client), (mut from_holder, mut to_client)) = tokio::join!(greeted, relay);
            let said = line(&ToClient::Began { id: 7 }).unwrap();
            holder.writer.write(&said).await.unwrap();
            let mut sealed = Vec::new();
            from_holder.read_until(b'\n', &mut sealed).await.unwrap();
            to_client.write_all(&sealed).await.unwrap();
            assert!(matches!(client.lines.next(LONGEST_LINE).await, Ok(ToClient::Began { id: 7 })));
            to_client.write_all(&sealed).await.unwrap();
            assert!(matches!(client.lines.next::<ToClient>(LONGEST_LINE).await, Err(Unreadable::Forged)));
            to_client.write_all(&said).await.unwrap();
            assert!(matches!(client.lines.next::<ToClient>(LONGEST_LINE).await, Err(Unreadable::Forged)));
        });
    }

    #[test]
    fn another_version_is_said() {
        let (holder, mut client) = duplex(4096);
        let secret = Secret::new("test-secret");
        let refused = run(async {
            client.write_all(b"{\"version\":2,\"nonce\":\"\"}\n").await.unwrap();
            let refused = greet_client(holder, "bot", &secret).await.err();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("{\"version\":1,"), "{answer}");
            refused
        });
        assert_eq!(refused, Some(Refused::Version(2)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn garbage_proves_nothing(first in any::<Vec<u8>>(), line in "\\PC{0,60}") {
            let secret = Secret::new("test-secret");
            let said = [&first[..], b"\n", format!("{{\"version\":1,\"nonce\":{line:?},\"proof\":{line:?}}}\n").as_bytes()].concat();
            for said in [&said[..], &said[first.len() + 1..]] {
                let refused = run(async {
                    let (one, mut other) = duplex(1 << 16);
                    other.write_all(said).await.unwrap();
                    other.shutdown().await.unwrap();
                    let (two, mut another) = duplex(1 << 16);
                    another.write_all(said).await.unwrap();
                    another.shutdown().await.unwrap();
                    other.shutdown().await.unwrap();
                    (greet_client(one, "bot", &secret).await.is_err(), greet_holder(two, "bot", &secret).await.is_err())
                });
                prop_assert_eq!(refused, (true, true));
            }
        }
    }
}
