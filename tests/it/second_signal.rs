//! Signals that come when the work is done: nobody hears them any more, so they have their usual effect, whatever the
//! program still waits for.

use std::fs::File;
use std::io::{ErrorKind, PipeReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use wecom_alert::process::signal_name;

use crate::support::fake::{Endpoint, FakeWecom, Reply};
use crate::support::{Cmd, Running, TestEnv, send_signal, wait_for};

/// A pipe that has no room left, and the end from which nobody reads.
pub(crate) fn full_pipe() -> (PipeReader, File) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut writer = File::from(OwnedFd::from(writer));
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    for size in [4096, 1] {
        let error = std::iter::repeat_with(|| writer.write(&vec![b'.'; size])).find_map(Result::err).unwrap();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

/// Whether something has been written into that file.
pub(crate) fn is_written(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.len() > 0)
}

/// The name of the signal that ends a call; `None` if it ends by itself. Until then this is done again and again.
#[track_caller]
pub(crate) fn ended_by(mut running: Running, mut meanwhile: impl FnMut()) -> Option<String> {
    let status = wait_for("the end of the call", || {
        let ended = running.ended();
        if ended.is_none() {
            meanwhile();
        }
        ended
    });
    status.signal().map(signal_name)
}

/// The same for a call that gets these signals, each once it has come that far.
#[track_caller]
pub(crate) fn ended_by_each(running: Running, steps: &[(&str, &dyn Fn() -> bool)]) -> Option<String> {
    let id = running.id();
    let mut steps = steps.iter().peekable();
    ended_by(running, || {
        if let Some((signal, _)) = steps.next_if(|(_, is_there)| is_there()) {
            send_signal(signal, id);
        }
    })
}

/// `webhook-send` with its report to that stdout; what is logged is logged right before it.
fn report_to(env: &TestEnv, wecom: &FakeWecom, stdout: &File) -> Cmd {
    let cmd = env.cmd(["webhook-send", "hello", "--output", "json", "--log-file", "log"]).webhook().base_url(wecom);
    cmd.stdout_into(stdout)
}

#[test]
fn a_second_signal_ends_a_report_that_nobody_reads() {
    for signal in ["INT", "TERM"] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        let (_reader, stdout) = full_pipe();
        wecom.script(Endpoint::WebhookSend, [Reply::HangAfterReading]);
        let is_sent = || wecom.count(Endpoint::WebhookSend) == 1;
        let log = env.home().join("log");
        let running = report_to(&env, &wecom, &stdout).spawn();
        let ended = ended_by_each(running, &[(signal, &is_sent), (signal, &|| is_written(&log))]);
        assert_eq!(ended, Some(format!("SIG{signal}")));
        assert!(std::fs::read_to_string(log).unwrap().contains("interrupted"), "the first one was heard");
    }
}

#[test]
fn a_signal_ends_a_report_that_nobody_reads() {
    for signal in ["INT", "TERM"] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        let (_reader, stdout) = full_pipe();
        let log = env.home().join("log");
        let running = report_to(&env, &wecom, &stdout).spawn();
        let ended = ended_by_each(running, &[(signal, &|| is_written(&log))]);
        assert_eq!(ended, Some(format!("SIG{signal}")));
        assert_eq!(wecom.messages().len(), 1);
    }
}

/// Only Linux tells what is ignored.
#[cfg(target_os = "linux")]
#[test]
fn an_ignored_signal_does_not_end_the_report() {
    for signal in ["INT", "TERM"] {
        let (env, wecom) = (TestEnv::new(), FakeWecom::start());
        let (reader, stdout) = full_pipe();
        let log = env.home().join("log");
        let running = report_to(&env, &wecom, &stdout).ignoring(signal).spawn();
        drop(stdout);
        let id = running.id();
        let mut reader = Some(reader);
        let ended = ended_by(running, || {
            if is_written(&log)
                && let Some(mut reader) = reader.take()
            {
                send_signal(signal, id);
                std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
            }
        });
        assert_eq!(ended, None, "{signal}");
    }
}
