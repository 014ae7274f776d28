//! SIGINT and SIGTERM: stop, and say what had been delivered.

use wecom_alert::delivery::{Ledger, Outcome};
use wecom_alert::error::{Error, Signal, Status};

/// Waits for a signal to stop; for ever where signals cannot be heard.
#[cfg(unix)]
pub(crate) async fn received() -> Signal {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Signal::Interrupt,
        _ = terminate.recv() => Signal::Terminate,
    }
}

/// Waits for Ctrl-C; for ever where it cannot be heard.
#[cfg(not(unix))]
pub(crate) async fn received() -> Signal {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Signal::Interrupt,
        Err(_) => std::future::pending().await,
    }
}

/// The outcome of a command that a signal stopped.
pub(crate) fn interrupted(signal: Signal, ledger: &Ledger) -> Outcome {
    let name = match signal {
        Signal::Interrupt => "SIGINT",
        Signal::Terminate => "SIGTERM",
    };
    let mut outcome = Outcome::new(Status::Interrupted(signal));
    ledger.close(&mut outcome);
    let (what, hint) = if !outcome.parts.is_empty() {
        ("the message had been delivered", "nothing is left to do")
    } else if outcome.attempts > 0 {
        ("the request was under way, no answer had come", "the message may have arrived: look before you send it again")
    } else {
        ("nothing had been sent", "send it again")
    };
    outcome.error = Some(Error::new(outcome.status, format!("stopped by {name}: {what}")).with_hint(hint));
    outcome
}
