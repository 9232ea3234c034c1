//! A Chromium of its own, driven by a driver of its own; both end with the value. Every wait has a deadline.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fantoccini::wd::{TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::support::Server;

/// How long anything may take, in a browser on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// Keys as WebDriver writes them (WebDriver, 17.4.2).
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const SHIFT_TAB: &str = "\u{e008}\u{e004}\u{e008}";
pub(crate) const ALT_UP: &str = "\u{e00a}\u{e013}\u{e00a}";
const SHIFT_ENTER: &str = "\u{e008}\u{e007}\u{e008}";

/// A driver that listens where it likes to.
#[derive(Debug)]
struct Driver {
    child: Child,
    address: String,
}

impl Driver {
    /// The driver takes a free port of IPv4, ends where another process has that of IPv6, and is then
    /// started again.
    fn start(program: &PathBuf) -> Self {
        let started = (0..10).find_map(|_| Self::try_start(program));
        started.expect("the driver starts")
    }

    fn try_start(program: &PathBuf) -> Option<Self> {
        let mut child = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let address = port.map(|port| format!("http://127.0.0.1:{port}"));
        let driver = Self {
            child,
            address: address.clone().unwrap_or_default(),
        };
        address.map(|_| driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// One person's browser.
#[derive(Debug)]
pub(crate) struct Browser {
    client: Client,
    runtime: Runtime,
    driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser. [`is_installed`] tells whether there is one.
    pub(crate) fn start() -> Self {
        let (driver, browser) = programs().expect("a browser is installed");
        let profile = tempfile::tempdir().unwrap();
        let driver = Driver::start(&driver);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let options = json!({
            "binary": browser,
            "args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                "--no-first-run", "--disable-background-networking", "--window-size=1440,900",
                format!("--user-data-dir={}", profile.path().display()),
            ],
        });
        let capabilities = json!({"goog:chromeOptions": options})
            .as_object()
            .unwrap()
            .clone();
        let connecting = async {
            ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                .capabilities(capabilities)
                .connect(&driver.address)
                .await
        };
        let connecting = runtime.block_on(async { timeout(DEADLINE, connecting).await });
        let browser = Self {
            client: connecting.unwrap().unwrap(),
            runtime,
            driver,
            _profile: profile,
        };
        let limits = TimeoutConfiguration::new(Some(DEADLINE), Some(DEADLINE), None);
        browser.does(browser.client.update_timeouts(limits));
        browser
    }

    /// Has been welcomed as `nick`.
    pub(crate) fn joins(server: &Server, nick: &str) -> Self {
        let browser = Self::start();
        browser.opens(server);
        browser.enters(nick);
        browser.until("!document.getElementById('chat').hidden");
        browser
    }

    fn does<T, E: std::fmt::Debug>(&self, what: impl Future<Output = Result<T, E>>) -> T {
        let done = self
            .runtime
            .block_on(async { timeout(3 * DEADLINE, what).await });
        done.expect("the browser does not answer").unwrap()
    }

    pub(crate) fn opens(&self, server: &Server) {
        self.goes_to(&format!("http://{}/", server.web_address.unwrap()));
    }

    pub(crate) fn goes_to(&self, address: &str) {
        self.does(self.client.goto(address));
    }

    pub(crate) fn reloads(&self) {
        self.does(self.client.refresh());
    }

    /// Runs a script in every page before the page's own.
    pub(crate) fn prepares(&self, script: &str) {
        let script = json!({"source": script});
        self.commands("Page.addScriptToEvaluateOnNewDocument", script);
    }

    /// Types the name, and Enter.
    pub(crate) fn enters(&self, nick: &str) {
        self.until("document.activeElement.id === 'nick'");
        self.js("document.getElementById('nick').value = ''");
        self.types(nick);
        self.types(ENTER);
    }

    /// Keys for what has the focus.
    pub(crate) fn types(&self, keys: &str) {
        let active = self.does(self.client.active_element());
        self.does(active.send_keys(keys));
    }

    /// Types a text into the field for it, and Enter.
    pub(crate) fn says(&self, text: &str) {
        self.until("document.activeElement.id === 'text'");
        self.types(&text.replace('\n', SHIFT_ENTER));
        self.types(ENTER);
    }

    pub(crate) fn js(&self, script: &str) -> Value {
        self.does(self.client.execute(script, Vec::new()))
    }

    /// What an expression says.
    pub(crate) fn value(&self, expression: &str) -> Value {
        self.js(&format!("return {expression}"))
    }

    /// Waits until an expression is true, and returns it. The page itself looks again and again.
    pub(crate) fn until(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[0];
             const look = () => {{
                 let found;
                 try {{ found = ({expression}) }} catch {{ /* Not there yet. */ }}
                 if (found) done(found); else setTimeout(look, 20);
             }};
             look();"
        );
        let found =
            self.does(async { Ok::<_, ()>(self.client.execute_async(&script, Vec::new()).await) });
        match found {
            Ok(found) => found,
            Err(error) => panic!(
                "not so before the deadline: {expression}\n{error}\n{}",
                self.value("document.body.innerText")
            ),
        }
    }

    /// Waits until the texts of all messages that are shown are these.
    pub(crate) fn shows(&self, texts: &[&str]) {
        let texts = json!(texts);
        self.until(&format!(
            "JSON.stringify({TEXTS}) === JSON.stringify({texts})"
        ));
    }

    /// Waits until a text is among those of the messages.
    pub(crate) fn sees(&self, text: &str) {
        let text = json!(text);
        self.until(&format!("{TEXTS}.includes({text})"));
    }

    /// The numbers of all messages of the conversation that is shown, met on the way from its end to its
    /// beginning, each once.
    pub(crate) fn seqs(&self) -> Vec<u64> {
        let script = "
            const done = arguments[0], box = document.getElementById('scroll'), met = new Set();
            const BEGINS = 'This is where it begins.';
            box.scrollTop = box.scrollHeight;
            const look = () => {
                for (const { dataset } of document.querySelectorAll('#log [data-seq]')) met.add(Number(dataset.seq));
                if (box.scrollTop === 0 && document.getElementById('older').innerText === BEGINS) return done([...met].sort((a, b) => a - b));
                box.scrollTop -= box.clientHeight;
                requestAnimationFrame(() => setTimeout(look));
            };
            requestAnimationFrame(() => setTimeout(look));";
        serde_json::from_value(self.finishes(script)).unwrap()
    }

    /// Waits until the text of an element is this.
    pub(crate) fn reads(&self, id: &str, text: &str) {
        let (id, text) = (json!(id), json!(text));
        self.until(&format!(
            "document.getElementById({id}).innerText.trim() === {text}"
        ));
    }

    pub(crate) fn clicks(&self, selector: &str) {
        let selector = json!(selector);
        self.until(&format!("document.querySelector({selector})"));
        self.js(&format!("document.querySelector({selector}).click()"));
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn commands(&self, command: &'static str, parameters: Value) -> Value {
        let command = Chromium(command, parameters);
        self.does(self.client.issue_cmd(command))
    }

    pub(crate) fn screen(&self, width: u32, height: u32, dark: bool) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.commands("Emulation.setDeviceMetricsOverride", size);
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            // Nothing is caught half-way.
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.commands("Emulation.setEmulatedMedia", features);
    }

    /// As WebP, which is small.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        let form = json!({"format": "webp", "quality": 80});
        let answer = self.commands("Page.captureScreenshot", form);
        BASE64_STANDARD
            .decode(answer["data"].as_str().unwrap())
            .unwrap()
    }

    /// Runs a script until it calls its argument.
    pub(crate) fn finishes(&self, script: &str) -> Value {
        let limits = TimeoutConfiguration::new(Some(2 * DEADLINE), Some(DEADLINE), None);
        self.does(self.client.update_timeouts(limits));
        self.does(self.client.execute_async(script, Vec::new()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let closing = self.client.clone().close();
        let closed = self
            .runtime
            .block_on(async { timeout(DEADLINE, closing).await });
        if !matches!(closed, Ok(Ok(()))) {
            let words = format!("{:?} did not close its browser\n", self.driver);
            io::stderr().write_all(words.as_bytes()).ok();
        }
    }
}

/// The texts of all messages that are shown, without the mark and the name for screen readers.
const TEXTS: &str = "[...document.querySelectorAll('#log .line .text')].map((text) => \
     [...text.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join(''))";

#[derive(Debug)]
struct Chromium(&'static str, Value);

impl WebDriverCompatibleCommand for Chromium {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({"cmd": self.0, "params": self.1});
        (http::Method::POST, Some(body.to_string()))
    }
}

/// Returns whether a browser and its driver are installed.
pub(crate) fn is_installed() -> bool {
    programs().is_some()
}

/// Returns the driver and the browser.
fn programs() -> Option<(PathBuf, PathBuf)> {
    Some((
        find(&["chromedriver"])?,
        find(&["chromium", "google-chrome"])?,
    ))
}

/// The first of these programs that is there.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let programs = names
        .iter()
        .flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
    programs.into_iter().find(|program| program.is_file())
}
