//! Conversations, with each other and with the client for terminals.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;
use std::{fs, thread};

use serde_json::json;

use super::browser::Browser;
use super::support::{DEADLINE, Server};
use super::{home, tells};

/// The client for terminals, in a pipe; ends with the value.
struct Terminal {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Terminal {
    fn joins(server: &Server, nick: &str) -> Self {
        let mut child = Command::new(program())
            .args([&server.address.to_string(), "--nick", nick])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                tell.send(line).ok();
            }
        });
        Self {
            child,
            input,
            lines,
        }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Waits for that line.
    fn prints(&self, line: &str) {
        while self.lines.recv_timeout(DEADLINE).expect(line) != line {}
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The client's program stands beside the server's: built with it, or else now.
fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_chat-server")).with_file_name("chat-client");
    if !program.exists() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "chat-client"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success());
    }
    program
}

pub(crate) fn two_browsers_and_a_terminal_hold_a_conversation() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let luis = Browser::joins(&server, "luis");
    let mut bot = Terminal::joins(&server, "bot");
    ana.until("document.getElementById('people').innerText.includes('bot')");

    ana.says("hola,\nLuis");
    luis.sees("hola,\nLuis");
    luis.says("привет 👋");
    bot.prints("[luis]: привет 👋");
    bot.types("good morning");
    for browser in [&ana, &luis] {
        browser.shows(&["hola,\nLuis", "привет 👋", "good morning"]);
    }
    ana.until(
        "document.querySelector('#log .mine .mark').getAttribute('aria-label') === 'recorded'",
    );
    luis.until("document.querySelector('#log .named .text').innerText.includes('hola')");

    // Elsewhere: what is unread is counted, and what is for oneself apart.
    bot.types("/tell ana psst");
    bot.types("/join #rust");
    ana.until("document.querySelector('#directs .mentions').innerText === '@1'");
    assert_eq!(ana.value("document.title"), "@ (1) #lobby");
    ana.clicks("#directs [data-name=bot]");
    ana.shows(&["psst"]);
    ana.says("//who are you?");
    bot.prints("[ana -> bot]: /who are you?");

    ana.says("/JOIN #rust");
    ana.until("document.title === '#rust'");
    ana.says("/Query");
    bot.types("borrow, ANA!");
    bot.types("checker");
    ana.until(
        "document.querySelector('#channels [data-name=\"#rust\"] .mentions')?.innerText === '@1'",
    );
    ana.until(
        "document.querySelector('#channels [data-name=\"#rust\"] .count')?.innerText === '1'",
    );
    ana.says("/switch #rust");
    ana.shows(&["borrow, ANA!", "checker"]);

    ana.says("/nosuch thing");
    ana.reads(
        "problem",
        "There is no command /nosuch; /help names those there are.",
    );
    ana.js("document.getElementById('text').select()");
    ana.says("/part");
    ana.until("document.title === '#lobby'");
    ana.says("/nick anita");
    luis.until("document.getElementById('people').innerText.includes('anita')");
    ana.reads("nick-now", "anita");
    ana.says("/tell nobody hello?");
    ana.until("document.querySelector('#directs [data-name=nobody]')");
    ana.clicks("#directs [data-name=nobody]");
    ana.until("document.querySelector('.failed .why').innerText.includes('Nobody of that name')");
    ana.clicks(".failed .why button:last-child");
    ana.until("document.getElementById('text').value === 'hello?'");
    ana.until("document.getElementById('pending').childElementCount === 0");
}

pub(crate) fn markup_and_script_are_shown_as_text() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let markup = "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\"> <b>&amp;</b>";
    let mut luis = server.joins("<i>luis");
    tells(&mut luis, "#lobby", markup, "1");
    tells(&mut luis, "#lobby", "left\u{202e}right", "2");
    ana.sees(markup);
    ana.sees("left\\u{202e}right");
    ana.says(markup);
    luis.expect("message");
    ana.shows(&[markup, "left\\u{202e}right", markup]);
    assert_eq!(ana.value("document.title"), "#lobby");
    let made =
        ana.value("document.querySelectorAll('#log b, #log i, #log script, #log img').length");
    assert_eq!(made, 0);
    assert_eq!(
        ana.value("document.querySelector('#log .from').innerText"),
        "<i>luis"
    );
}

pub(crate) fn a_call_from_elsewhere_is_notified_only_where_that_was_asked_for() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let mut luis = server.joins("luis");
    ana.js("window.notified = [];
         window.asked = 0;
         window.Notification = class {
             constructor(title, { body }) { notified.push(`${title}: ${body}`); }
             static async requestPermission() { asked++; return 'granted'; }
         };
         Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });");
    tells(&mut luis, "#lobby", "ana, not asked for", "1");
    ana.until("document.title === '@ (1) #lobby'");
    assert_eq!(ana.value("[asked, notified.length]"), json!([0, 0]));
    ana.clicks("#notify");
    ana.until("document.getElementById('notify').ariaPressed === 'true'");
    tells(&mut luis, "#lobby", "nothing for her", "2");
    tells(&mut luis, "#lobby", "ana!", "3");
    tells(&mut luis, "#lobby", "anabel is somebody else", "4");
    tells(&mut luis, "ana", "psst", "5");
    ana.until("notified.length === 2");
    let notified = ana.value("notified");
    assert_eq!(
        notified,
        json!(["luis · #lobby: ana!", "luis · luis: psst"])
    );
    // Looked at, it is read.
    ana.js("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))");
    ana.until("document.title === '@ (1) #lobby'");
    ana.clicks("#directs .entry");
    ana.until("document.title === 'luis'");
}

pub(crate) fn what_is_seen_can_be_recorded_and_downloaded() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let folder = tempfile::tempdir().unwrap();
    let wish = json!({"behavior": "allow", "downloadPath": folder.path()});
    ana.commands("Browser.setDownloadBehavior", wish);
    let mut luis = server.joins("luis");
    tells(&mut luis, "#lobby", "before", "1");
    ana.sees("before");
    ana.clicks("#record");
    ana.reads("record", "Recording: 0");
    tells(&mut luis, "#lobby", "hola,\nmundo", "2");
    tells(&mut luis, "ana", "psst", "3");
    ana.reads("record", "Recording: 2");
    ana.clicks("#record");
    ana.reads("record", "Record");
    // The file has its name before it has its content.
    let end = Instant::now() + DEADLINE;
    let recorded = loop {
        let mut files = fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().path());
        let whole = "[luis]: hola,\n    mundo\n[luis -> ana]: psst\n";
        let done = files.find(|file| fs::read_to_string(file).is_ok_and(|text| text == whole));
        match done {
            Some(done) if done.extension().is_some_and(|kind| kind == "txt") => break done,
            _ => assert!(Instant::now() < end, "nothing is downloaded"),
        }
        thread::yield_now();
    };
    let name = recorded.file_name().unwrap().to_string_lossy();
    assert!(name.starts_with("record_chat_20"), "{name}");
}

pub(crate) fn in_a_crowd_the_number_of_people_is_right_again_when_one_looks() {
    let (_home, server) = home("presence_max = 2");
    let ana = Browser::joins(&server, "ana");
    let others = ["b", "c", "d"].map(|nick| server.joins(nick));
    ana.js("document.dispatchEvent(new Event('visibilitychange'))");
    ana.reads("about", "4 here");
    ana.until("document.querySelectorAll('#people .entry').length === 4");
    assert_eq!(others.len(), 3);
}
