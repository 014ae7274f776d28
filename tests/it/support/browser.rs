//! A real browser, Chromium without a window, driven by its DevTools protocol over one WebSocket.

use std::cell::{Cell, RefCell};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

use super::system::poll;
use super::{needs, wait_for};

/// A browser with one page.
pub(crate) struct Browser {
    process: Child,
    // Dropped after the process has ended.
    _profile: tempfile::TempDir,
    socket: RefCell<WebSocket<TcpStream>>,
    session: String,
    calls: Cell<u64>,
}

impl Browser {
    /// With an empty page; `None` where there is no Chromium.
    pub(crate) fn start() -> Option<Self> {
        if !needs("chromium") {
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        let mut data_dir = std::ffi::OsString::from("--user-data-dir=");
        data_dir.push(profile.path());
        let process = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .args(["--disable-sync", "--no-proxy-server", "--remote-debugging-port=0", "--hide-scrollbars"])
            .arg(data_dir)
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = wait_for("the port of the browser", || {
            let told = std::fs::read_to_string(profile.path().join("DevToolsActivePort")).ok()?;
            let (port, path) = told.split_once('\n')?;
            Some((port.parse::<u16>().ok()?, path.trim().to_owned())).filter(|(_, path)| !path.is_empty())
        });
        let stream = TcpStream::connect(("127.0.0.1", address.0)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{}{}", address.0, address.1), stream).unwrap();
        let socket = RefCell::new(socket);
        let mut browser = Self { process, _profile: profile, socket, session: String::new(), calls: Cell::new(0) };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        browser.call("Page.enable", json!({}));
        browser.call("Performance.enable", json!({}));
        Some(browser)
    }

    /// A method of the protocol and what it gives.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, params: Value) -> Value {
        self.calls.set(self.calls.get() + 1);
        let id = self.calls.get();
        let mut call = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            call["sessionId"] = json!(self.session);
        }
        let mut socket = self.socket.borrow_mut();
        socket.send(Message::text(call.to_string())).unwrap();
        loop {
            let Message::Text(text) = socket.read().unwrap() else { continue };
            let answer: Value = serde_json::from_str(text.as_str()).unwrap();
            if answer["id"] == id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// Opens a page and waits until it is loaded.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        let opened = self.call("Page.navigate", json!({"url": url}));
        assert!(opened.get("errorText").is_none(), "{url}: {opened}");
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// The value of an expression on the page, of a promise what it comes to.
    #[track_caller]
    pub(crate) fn value(&self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", params);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true; one that fails is not.
    #[track_caller]
    pub(crate) fn wait_for(&self, expression: &str) {
        let tried = format!("(() => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }})()");
        wait_for(expression, || (self.value(&tried) == true).then_some(()));
    }

    /// A click with the mouse on the middle of an element.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        self.wait_for(&format!("document.querySelector({})", json!(selector)));
        let middle = self.value(&format!(
            "(() => {{ const element = document.querySelector({}); element.scrollIntoView({{block: 'center'}}); \
             const box = element.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2, box.width * box.height]; }})()",
            json!(selector)
        ));
        assert!(middle[2].as_f64().unwrap() > 0.0, "{selector} has no size");
        for kind in ["mousePressed", "mouseReleased"] {
            let params = json!({"type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", params);
        }
    }

    /// A key such as `Tab`, `Enter` or a blank.
    #[track_caller]
    pub(crate) fn key(&self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            " " => 32,
            "ArrowDown" => 40,
            _ => panic!("{key} has no code here"),
        };
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        let mut params = json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code});
        if !text.is_empty() {
            params["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", params.clone());
        params["type"] = json!("keyUp");
        self.call("Input.dispatchKeyEvent", params);
    }

    /// How long the page has been at work so far, in seconds: scripts, styles, layout, all of it.
    pub(crate) fn work(&self) -> f64 {
        let metrics = self.call("Performance.getMetrics", json!({}));
        let metrics = metrics["metrics"].as_array().unwrap();
        metrics.iter().find(|metric| metric["name"] == "TaskDuration").unwrap()["value"].as_f64().unwrap()
    }

    /// The page has that size from now on, and light or dark colours.
    pub(crate) fn set_screen(&self, width: u32, height: u32, is_dark: bool) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.call("Emulation.setDeviceMetricsOverride", size);
        let colours = json!({"name": "prefers-color-scheme", "value": if is_dark { "dark" } else { "light" }});
        self.call("Emulation.setEmulatedMedia", json!({"features": [colours]}));
    }

    /// Writes what the page looks like as a PNG.
    pub(crate) fn screenshot(&self, path: &Path) {
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"}));
        std::fs::write(path, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let close = json!({"id": 0, "method": "Browser.close"}).to_string();
        let _ = self.socket.borrow_mut().send(Message::text(close));
        let _ = poll(Duration::from_secs(10), || self.process.try_wait().ok().flatten());
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
