//! Lost connections, reloads, a server that was killed.

use super::browser::Browser;
use super::{home, tells};

/// No network for the page, and one again.
/// Keeps the page offline from its next attempt on. Set before the connection is cut: an attempt that is
/// under way would reach the next server.
const AWAY: &str = "window.there = WebSocket; window.WebSocket = class { close() {} }";
const BACK: &str =
    "window.WebSocket = window.there; document.querySelector('#lost button').click()";

pub(crate) fn after_a_kill_nothing_is_missing_or_there_twice_and_what_was_typed_is_said_once() {
    let (home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let mut luis = server.joins("luis");
    ana.says("/join #rust");
    ana.until("document.title === '#rust'");
    luis.joins("#rust");
    tells(&mut luis, "#rust", "before", "1");
    ana.shows(&["before"]);
    home.until_kept("channels LIKE '%#rust%'", 2);
    server.kill();
    ana.until("document.getElementById('lost').innerText.includes('trying again')");
    ana.says("while away");
    ana.says("and once more");
    ana.until("document.querySelectorAll('#pending .waiting').length === 2");

    let server = home.start();
    let mut luis = server.joins("luis");
    // The page may resume at any moment, which luis sees as well.
    luis.send(&serde_json::json!({"type": "join", "channel": "#rust"}));
    while luis.awaits("joined")["nick"] != "luis" {}
    luis.says_among_others("#rust", "meanwhile", "2");
    ana.until("document.getElementById('state').innerText === 'Connected'");
    ana.sees("and once more");
    luis.says_among_others("#rust", "after", "3");
    ana.sees("after");
    ana.until("document.getElementById('pending').childElementCount === 0");
    let texts: Vec<_> = home
        .lines()
        .iter()
        .map(|line| line["text"].clone())
        .collect();
    let texts: Vec<_> = texts.iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(texts.len(), 5, "{texts:?}");
    ana.shows(&texts);
}

pub(crate) fn a_reload_goes_on_where_one_was_with_what_waits() {
    let (home, server) = home("");
    let ana = Browser::joins(&server, "ana");
    let mut luis = server.joins("luis");
    tells(&mut luis, "#lobby", "ana, are you there?", "1");
    ana.sees("ana, are you there?");
    ana.says("/join #rust");
    ana.until("document.title === '#rust'");
    ana.says("recorded");
    ana.shows(&["recorded"]);
    tells(&mut luis, "#lobby", "unread", "2");
    ana.until("document.querySelector('#channels .count')?.innerText === '1'");
    home.until_kept("channels LIKE '%#rust%'", 1);
    ana.js(AWAY);
    server.kill();
    ana.until("document.getElementById('lost').innerText !== ''");
    ana.says("waits");
    ana.types("half typ");
    let server = home.start();
    ana.reloads();
    ana.shows(&["recorded", "waits"]);
    ana.until("document.title === '(1) #rust'");
    ana.reads("nick-now", "ana");
    assert_eq!(
        ana.value("document.getElementById('text').value"),
        "half typ"
    );
    ana.clicks("#channels [data-name=\"#lobby\"]");
    ana.shows(&["ana, are you there?", "unread"]);
    // Nothing is said twice.
    let mut luis = server.joins("luis");
    ana.reloads();
    ana.until("document.getElementById('state').innerText === 'Connected'");
    ana.shows(&["ana, are you there?", "unread"]);
    let heard = luis.barrier();
    assert!(heard.iter().all(|event| event["type"] != "message"));
    assert_eq!(home.lines().len(), 4);
}

pub(crate) fn who_has_lost_the_name_is_asked_before_anything_is_said_under_another() {
    let (home, server) = home("resume_window = \"10ms\"");
    let ana = Browser::joins(&server, "ana");
    ana.js(AWAY);
    server.kill();
    ana.until("document.getElementById('lost').innerText !== ''");
    ana.says("secret of ana");
    let server = home.start();
    home.until_kept("nick = 'ana' AND until < unixepoch('subsec') * 1000", 1);
    let mut other = server.joins("ana");
    ana.js(BACK);
    ana.until("!document.getElementById('enter').hidden");
    ana.until("document.getElementById('refused').innerText.includes('Somebody has this name')");
    ana.enters("luis");
    ana.until("document.querySelector('#pending .failed')");
    ana.until(
        "document.querySelector('.why').innerText.includes('you were ana then. Send it as luis?')",
    );
    other.expect("joined");
    other.hears_nothing();

    // A redraw leaves the question there.
    ana.says("/join #rust");
    ana.until("document.title === '#rust'");
    ana.says("/switch #lobby");
    ana.clicks(".why button");
    ana.shows(&["secret of ana"]);
    other.expect_message("luis", "secret of ana");
    other.hears_nothing();
}

pub(crate) fn where_messages_are_missing_it_is_shown_and_they_can_be_had() {
    let (home, server) = home("replay_max = 5");
    let ana = Browser::joins(&server, "ana");
    let mut luis = server.joins("luis");
    tells(&mut luis, "#lobby", "0", "first");
    ana.shows(&["0"]);
    home.until_kept("1", 2);
    ana.js(AWAY);
    server.kill();
    ana.until("document.getElementById('lost').innerText !== ''");
    let server = home.start();
    let mut luis = server.joins("luis");
    for number in 1..=250 {
        tells(
            &mut luis,
            "#lobby",
            &number.to_string(),
            &number.to_string(),
        );
    }
    ana.js(BACK);
    ana.until("document.querySelector('.hole button')");
    ana.clicks(".hole button");
    ana.until("document.querySelector('.hole') === null");
    let wanted: Vec<u64> = (1..=251).collect();
    assert_eq!(ana.seqs(), wanted);
}
