//! Much that was said: the page has few elements of it at a time, and stays where one reads.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use super::browser::Browser;
use super::support::{Home, Server};

/// A server whose lobby has so many messages.
fn long_history(messages: u64) -> (Home, Server) {
    let home = Home::new("");
    home.configure("[listen]\n", "[listen]\nweb = \"127.0.0.1:0\"\n");
    let mut log = String::new();
    for seq in 1..=messages {
        let time = format!(
            "2026-11-{:02}T{:02}:{:02}:00.000Z",
            20 + seq / 20_000,
            seq / 1_000 % 20,
            seq / 20 % 50
        );
        let from = ["ana", "luis", "maria"][usize::try_from(seq / 3 % 3).unwrap()];
        let text = format!(
            "number {seq} {}",
            "and some more words ".repeat(usize::try_from(seq % 9).unwrap())
        );
        let line = json!({"type": "message", "seq": seq, "time": time, "from": from, "to": "#lobby", "text": text.trim_end()});
        writeln!(log, "{}", in_order(&line)).unwrap();
    }
    fs::write(home.log(), log).unwrap();
    let server = home.start();
    (home, server)
}

/// As the server writes it.
fn in_order(message: &Value) -> String {
    let fields = ["type", "seq", "time", "from", "to", "text"];
    let fields = fields.map(|field| format!("{}:{}", json!(field), message[field]));
    format!("{{{}}}", fields.join(","))
}

pub(crate) fn older_pages_come_on_scroll_and_what_one_reads_stays_where_it_is() {
    let (_home, server) = long_history(1_000);
    let ana = Browser::joins(&server, "reader");
    let mut luis = server.joins("writer");
    ana.until("document.querySelector('[data-seq=\"1000\"]')");
    // A line in the middle of what is there; older ones come before it, new ones behind it.
    ana.until("document.getElementById('scroll').scrollTop > 800");
    ana.js("document.getElementById('scroll').scrollTop = 700");
    ana.until("document.getElementById('newer').hidden === false");
    let line = ana.js(
        "const top = document.getElementById('scroll').getBoundingClientRect().top;
         window.line = [...document.querySelectorAll('[data-seq]')].find((one) => one.getBoundingClientRect().top > top + 100);
         window.where = line.getBoundingClientRect().top;
         return line.dataset.seq",
    );
    ana.until("document.getElementById('scroll').scrollTop > 1500");
    luis.says_among_others("#lobby", "new", "1");
    ana.until("document.getElementById('newer').innerText === '↓ 1 new'");
    let moved = format!(
        "document.querySelector('[data-seq={line}]').getBoundingClientRect().top - window.where"
    );
    assert!(
        ana.value(&moved).as_f64().unwrap().abs() < 1.5,
        "{}",
        ana.value(&moved)
    );

    // Elsewhere and back, one is where one was.
    ana.js("document.getElementById('text').focus()");
    ana.says("/join #rust");
    ana.until("document.title === '#rust'");
    ana.clicks("#channels [data-name=\"#lobby\"]");
    ana.until("document.title === '#lobby'");
    ana.until("document.querySelectorAll('[data-seq]').length > 20");
    assert!(
        ana.value(&moved).as_f64().unwrap().abs() < 1.5,
        "{}",
        ana.value(&moved)
    );
    ana.clicks("#newer");
    ana.until("document.getElementById('newer').hidden");
    ana.sees("new");
    let all: Vec<u64> = (1..=1_001).collect();
    let met = ana.seqs();
    assert!(
        met == all,
        "{} messages, {:?} to {:?}",
        met.len(),
        met.first(),
        met.last()
    );
    assert!(
        ana.value("document.querySelectorAll('.rule.day').length")
            .as_u64()
            > Some(0)
    );
}

/// More than the page may keep elements for.
const MANY: u64 = 3_000;

/// Fetches older messages until some have come; returns whether the beginning is reached.
const OLDER: &str = r"
    const done = arguments[0], box = document.getElementById('scroll'), before = box.scrollHeight;
    const look = () => {
        const begins = document.getElementById('older').textContent.startsWith('This');
        if (begins || box.scrollHeight > before) return done(begins);
        box.scrollTop = 0;
        // Sooner than the browser says it.
        box.dispatchEvent(new Event('scroll'));
        setTimeout(look);
    };
    look();";

/// Scrolls down by 20 frames; returns the most elements that the page had, and whether it is at the end.
const DOWN: &str = r"
    const done = arguments[0], box = document.getElementById('scroll');
    let most = 0, frames = 20;
    const down = () => {
        most = Math.max(most, document.getElementsByTagName('*').length);
        const end = box.scrollTop + box.clientHeight + 2 > box.scrollHeight;
        if (end || !frames--) return done({ most, end, height: box.scrollHeight });
        box.scrollTop += box.clientHeight * 2;
        requestAnimationFrame(down);
    };
    requestAnimationFrame(down);";

/// Each step has a deadline of its own, so that a busy machine may take its time for all of them.
pub(crate) fn a_very_long_conversation_scrolls_with_few_elements() {
    let (_home, server) = long_history(MANY);
    let ana = Browser::joins(&server, "reader");
    ana.until("document.getElementById('scroll').scrollTop > 800");
    while ana.finishes(OLDER) != true {}
    ana.js("document.getElementById('scroll').scrollTop = 0");
    loop {
        let step = ana.finishes(DOWN);
        assert!(step["most"].as_u64().unwrap() < 6_000, "{step}");
        if step["end"] == true {
            assert!(step["height"].as_u64().unwrap() > MANY * 20, "{step}");
            break;
        }
    }
}
