//! Questions on stderr and lines of stdin; on a terminal of Unix, a line that is not to be shown.

use std::io::{self, IsTerminal};

use super::output;

/// The answer to a question.
pub(crate) enum Line {
    /// A line, without its end.
    Typed(String),
    /// The input has ended.
    Ended,
    /// Ctrl-C while a line was not shown.
    Interrupted,
}

/// Lines of stdin, one at a time: nothing is read beyond the end of a line that is asked for, as far as stdin allows.
pub(crate) struct Keyboard {
    #[cfg(unix)]
    echo: Option<echo::Echo>,
}

impl Keyboard {
    pub(crate) fn open() -> Self {
        Self {
            #[cfg(unix)]
            echo: echo::Echo::of_stdin(),
        }
    }

    /// Asks on stderr and reads the answer. Elsewhere than on Unix a secret is shown while it is typed.
    pub(crate) fn line(&mut self, question: &str, is_secret: bool) -> Line {
        #[cfg(unix)]
        if let Some(echo) = self.echo.as_ref().filter(|_| is_secret) {
            return echo.hidden(question);
        }
        let end = if io::stdin().is_terminal() { ": " } else { "\n" };
        let _ = (is_secret, output::to_stderr(format!("{question}{end}").as_bytes()));
        let mut line = String::new();
        match io::stdin().read_line(&mut line) {
            Ok(0) | Err(_) => Line::Ended,
            Ok(_) => Line::Typed(line),
        }
    }
}

#[cfg(unix)]
mod echo {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

    use super::super::output;
    use super::Line;

    /// The echo of the terminal at stdin.
    pub(super) struct Echo {
        usual: Termios,
        /// Signals have their usual effect while the echo is on.
        is_on: Arc<AtomicBool>,
        is_stopped: Arc<AtomicBool>,
    }

    impl Echo {
        /// `None` where stdin is no terminal.
        pub(super) fn of_stdin() -> Option<Self> {
            let usual = tcgetattr(io::stdin()).ok()?;
            let echo = Self { usual, is_on: Arc::new(AtomicBool::new(true)), is_stopped: Arc::default() };
            for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] {
                signal_hook::flag::register_conditional_default(signal, Arc::clone(&echo.is_on)).ok()?;
                signal_hook::flag::register(signal, Arc::clone(&echo.is_stopped)).ok()?;
            }
            Some(echo)
        }

        /// Asks, and reads a line that is not shown. Whatever happens, the echo is on again afterwards.
        pub(super) fn hidden(&self, question: &str) -> Line {
            let mut silent = self.usual.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            self.is_stopped.store(false, Ordering::SeqCst);
            self.is_on.store(false, Ordering::SeqCst);
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &silent);
            let _ = output::to_stderr(format!("{question} (not shown): ").as_bytes());
            let line = self.read();
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.usual);
            self.is_on.store(true, Ordering::SeqCst);
            // The end of the line was not shown either.
            let _ = output::to_stderr(b"\n");
            line
        }

        /// Reads a line. A signal ends the wait for it, where a read of the standard library would go on.
        fn read(&self) -> Line {
            loop {
                if self.is_stopped.load(Ordering::SeqCst) {
                    return Line::Interrupted;
                }
                match poll(&mut [PollFd::new(&io::stdin(), PollFlags::IN)], None) {
                    Err(rustix::io::Errno::INTR) => {}
                    Err(_) => return Line::Ended,
                    Ok(_) => break,
                }
            }
            let mut line = String::new();
            match io::stdin().read_line(&mut line) {
                Ok(0) | Err(_) => Line::Ended,
                Ok(_) => Line::Typed(line),
            }
        }
    }
}
