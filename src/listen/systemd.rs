//! What systemd is told where it started this: that it is ready, that it lives, what it does, that it ends (`sd_notify(3)`).
//! Without `NOTIFY_SOCKET` nothing is told.

use std::time::Duration;

/// Tells the service manager.
#[derive(Debug, Default)]
pub(super) struct Systemd {
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Systemd {
    /// As the environment says.
    pub(super) fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_mine =
            variable("WATCHDOG_PID").is_none_or(|pid| pid.trim().parse() == Ok(std::process::id()) || pid.is_empty());
        let limit = variable("WATCHDOG_USEC").and_then(|limit| limit.trim().parse().ok()).filter(|limit| *limit > 0);
        Self {
            #[cfg(unix)]
            socket: variable("NOTIFY_SOCKET").and_then(|path| connect(&path)),
            // Twice within the limit, as sd_watchdog_enabled(3) advises.
            watchdog: limit.filter(|_| is_mine).map(|limit| Duration::from_micros(limit) / 2),
        }
    }

    /// The time between two signs of life; `None` where nobody waits for them.
    pub(super) fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    pub(super) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    pub(super) fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// A service manager that does not listen is no reason to stop.
    fn tell(&self, _state: &str) {
        #[cfg(unix)]
        if let Some(socket) = &self.socket {
            let _ = socket.send(_state.as_bytes());
        }
    }
}

/// A path, or a name after `@` that stands in no folder.
#[cfg(unix)]
fn connect(address: &str) -> Option<std::os::unix::net::UnixDatagram> {
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let address = match address.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name).ok()?,
        #[cfg(not(target_os = "linux"))]
        Some(_) => return None,
        None => SocketAddr::from_pathname(address).ok()?,
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect_addr(&address).ok()?;
    Some(socket)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    fn told(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn a_service_manager_is_told_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let systemd = Systemd::new(|name| match name {
            "NOTIFY_SOCKET" => Some(path.to_str().unwrap().to_owned()),
            "WATCHDOG_USEC" => Some("30000000".to_owned()),
            _ => None,
        });
        systemd.ready("waits");
        assert_eq!(told(&manager), "READY=1\nSTATUS=waits");
        systemd.alive();
        assert_eq!(told(&manager), "WATCHDOG=1");
        assert_eq!(systemd.watchdog(), Some(Duration::from_secs(15)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_service_manager_is_told_by_its_name() {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("wecom-alert-test-{}", std::process::id());
        let manager =
            UnixDatagram::bind_addr(&std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Systemd::new(|variable| (variable == "NOTIFY_SOCKET").then(|| format!("@{name}"))).stopping();
        assert_eq!(told(&manager), "STOPPING=1");
    }

    #[test]
    fn a_watchdog_of_another_process_is_not_ours() {
        let systemd = Systemd::new(|name| match name {
            "WATCHDOG_USEC" => Some("30000000".to_owned()),
            "WATCHDOG_PID" => Some("1".to_owned()),
            _ => None,
        });
        assert_eq!(systemd.watchdog(), None);
        // Nobody is there to be told.
        systemd.ready("waits");
    }
}
