//! The line above what is unread, and the lines between days.

use std::fmt::Write as _;
use std::fs;

use serde_json::json;

use super::browser::Browser;
use super::support::Home;
use super::{home, tells};

const HIDE: &str =
    "Object.defineProperty(document, 'hidden', { get: () => true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'))";
const SHOW: &str = "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))";

/// Waits until the line stands once, above a message of this text.
fn new_begins_with(browser: &Browser, text: &str) {
    browser.until("document.querySelectorAll('.rule.fresh').length === 1");
    let text = json!(text);
    browser.until(&format!(
        "document.querySelector('.rule.fresh + .line .text').firstChild.data === {text}"
    ));
}

pub(crate) fn who_returns_to_a_hidden_tab_sees_where_the_new_begins() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let mut luis = server.joins("luis");
    tells(&mut luis, "#lobby", "read", "1");
    ana.sees("read");
    ana.js(HIDE);
    tells(&mut luis, "#lobby", "first", "2");
    tells(&mut luis, "#lobby", "second", "3");
    ana.until("document.title === '(2) #lobby'");
    ana.js(SHOW);
    ana.until("document.title === '#lobby'");
    new_begins_with(&ana, "first");
    ana.js(HIDE);
    tells(&mut luis, "#lobby", "third", "4");
    ana.until("document.title === '(1) #lobby'");
    ana.js(SHOW);
    new_begins_with(&ana, "third");
}

pub(crate) fn an_unread_conversation_opened_after_a_reload_says_where_the_new_begins() {
    let (_home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let mut luis = server.joins("luis");
    tells(&mut luis, "#lobby", "read", "1");
    ana.sees("read");
    ana.says("/join #rust");
    ana.until("document.title === '#rust'");
    tells(&mut luis, "#lobby", "first", "2");
    tells(&mut luis, "#lobby", "second", "3");
    tells(&mut luis, "ana", "all of it is new", "4");
    ana.until("document.title === '@ (3) #rust'");
    ana.reloads();
    ana.until("document.title === '@ (3) #rust'");
    ana.clicks("#channels [data-name=\"#lobby\"]");
    ana.shows(&["read", "first", "second"]);
    new_begins_with(&ana, "first");
    ana.clicks("#directs [data-name=luis]");
    ana.shows(&["all of it is new"]);
    new_begins_with(&ana, "all of it is new");
    // What was read is not new again.
    ana.reloads();
    ana.shows(&["all of it is new"]);
    assert_eq!(
        ana.value("document.querySelectorAll('.rule.fresh').length"),
        0
    );
}

/// The page's clock begins at `clock` and goes on; `clock` can be set.
const CLOCK: &str = "
    const RealDate = Date, start = performance.now();
    window.Date = class extends RealDate {
        constructor(...all) { if (all.length) super(...all); else super(Date.now()); }
        static now() { return RealDate.parse(clock) + performance.now() - start; }
    };";

const DAYS: &str = "[...document.querySelectorAll('.rule.day')].map((rule) => [rule.innerText, rule.nextSibling.querySelector('.text').firstChild.data].join(': '))";

/// Shows messages of these times in a time zone; the days at the first time of the clock, and at the second.
fn days(zone: &str, times: [&str; 3], clocks: [&str; 2]) -> [Vec<String>; 2] {
    let home = Home::new("");
    home.configure("[listen]\n", "[listen]\nweb = \"127.0.0.1:0\"\n");
    let mut log = String::new();
    for (time, seq) in times.iter().zip(1..) {
        let text = ["one", "two", "three"][seq - 1];
        writeln!(log, "{{\"type\":\"message\",\"seq\":{seq},\"time\":\"{time}\",\"from\":\"luis\",\"to\":\"#lobby\",\"text\":\"{text}\"}}").unwrap();
    }
    fs::write(home.log(), log).unwrap();
    let server = home.start();
    let ana = Browser::start();
    ana.commands("Emulation.setTimezoneOverride", json!({"timezoneId": zone}));
    ana.prepares(&format!("window.clock = '{}'; {CLOCK}", clocks[0]));
    ana.opens(&server);
    ana.enters("ana");
    ana.shows(&["one", "two", "three"]);
    let read = |browser: &Browser| serde_json::from_value(browser.value(DAYS)).unwrap();
    let before: Vec<String> = read(&ana);
    ana.js(&format!("clock = '{}'", clocks[1]));
    ana.until(&format!("JSON.stringify({DAYS}) !== '{}'", json!(before)));
    [before, read(&ana)]
}

pub(crate) fn at_midnight_today_becomes_yesterday() {
    let times = [
        "2026-03-10T22:59:00.000Z",
        "2026-03-11T22:59:00.000Z",
        "2026-03-11T23:00:01.000Z",
    ];
    let clocks = ["2026-03-11T22:59:30Z", "2026-03-11T23:00:30Z"];
    let [before, after] = days("Europe/Madrid", times, clocks);
    assert_eq!(before[..2], ["Yesterday: one", "Today: two"]);
    let first = "Tuesday, March 10, 2026: one";
    assert_eq!(after, [first, "Yesterday: two", "Today: three"]);
}

pub(crate) fn days_without_a_midnight_and_of_25_hours_are_days() {
    // In São Paulo 2018-11-04 began at one o'clock.
    let times = [
        "2018-11-03T03:30:00.000Z",
        "2018-11-04T02:59:00.000Z",
        "2018-11-04T03:00:00.000Z",
    ];
    let clocks = ["2018-11-04T04:00:00Z", "2018-11-05T02:30:00Z"];
    let [before, after] = days("America/Sao_Paulo", times, clocks);
    assert_eq!(before, ["Yesterday: one", "Today: three"]);
    let first = "Saturday, November 3, 2018: one";
    assert_eq!(after, [first, "Yesterday: three"]);
    // In Madrid 2026-10-25 has 25 hours.
    let times = [
        "2026-10-24T21:59:00.000Z",
        "2026-10-24T22:00:00.000Z",
        "2026-10-25T22:59:00.000Z",
    ];
    let clocks = ["2026-10-25T22:59:30Z", "2026-10-25T23:00:30Z"];
    let [before, after] = days("Europe/Madrid", times, clocks);
    assert_eq!(before, ["Yesterday: one", "Today: two"]);
    let first = "Saturday, October 24, 2026: one";
    assert_eq!(after, [first, "Yesterday: two"]);
}
