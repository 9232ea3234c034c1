//! Scenes in the full screen: the real binary on a pseudo-terminal, against a scripted server.

mod support;

use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use support::terminal::Terminal;
use support::{FakeServer, Peer, error, message, welcome, welcome_with};

/// Answers what a full screen asks on arrival: who is here, and the last messages.
fn answer(peer: &mut Peer, messages: &[Value], more: bool) {
    people(peer);
    let asked = peer.expect("history");
    page(peer, &asked["with"], messages, more);
}

fn people(peer: &mut Peer) {
    peer.expect("users");
    peer.send(&json!({
        "type": "users", "channel": "#lobby", "users": ["ana", "luis"], "total": 2, "more": false
    }));
}

fn page(peer: &mut Peer, with: &Value, messages: &[Value], more: bool) {
    peer.send(&json!({"type": "history", "with": with, "messages": messages, "more": more}));
}

fn lines(seqs: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    seqs.map(|seq| message(seq, "luis", "#lobby", &format!("line {seq}.")))
        .collect()
}

/// Ana at her terminal, and the server's side of it.
fn ana(server: &FakeServer, state: &tempfile::TempDir) -> (Terminal, Peer) {
    let args = [&server.address(), "--nick", "ana"];
    let mut terminal = Terminal::full(24, 80, &args, state.path());
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&welcome_with("ana", &json!({"seq": 200})));
    answer(&mut peer, &lines(101..=200), true);
    terminal.sees("line 200.");
    terminal.sees("online · #lobby · 2 people");
    (terminal, peer)
}

fn leave(mut terminal: Terminal, peer: Peer) {
    terminal.keys(".q\r");
    peer.goodbye();
    assert_eq!(terminal.end(), 0);
    as_it_was(&terminal);
}

fn as_it_was(terminal: &Terminal) {
    assert!(terminal.echoes() && !terminal.is_full());
    let raw = terminal.raw();
    for mode in ["?1049", "?2004", "?1000", "?1006", "?1004"] {
        let last = |end: &str| raw.rfind(&format!("\u{1b}[{mode}{end}"));
        assert!(last("l") > last("h"), "{mode} is on still");
    }
}

#[test]
fn two_people_talk() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::full(24, 80, &[&server.address()], state.path());
    terminal.sees("Your nickname:");
    terminal.keys("luis\r");
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["nick"], "luis");
    peer.send(&error("nick_taken", &json!(null)));
    terminal.sees("! as the server says");
    terminal.keys("ana\r");
    assert_eq!(peer.expect("hello")["nick"], "ana");
    peer.send(&welcome("ana"));
    answer(&mut peer, &[], false);
    terminal.sees("the beginning of #lobby");
    peer.send(&message(1, "luis", "#lobby", "hola, ana"));
    terminal.sees("luis hola, ana");
    terminal.keys("dos\x1b\rlíneas");
    terminal.sees("líneas");
    terminal.keys("\r");
    let say = peer.expect("say");
    assert_eq!(
        (&say["text"], &say["to"]),
        (&json!("dos\nlíneas"), &json!("#lobby"))
    );
    terminal.sees("⋯ waiting");
    peer.ack(&say, 2);
    terminal.until("recorded", |screen| {
        !screen.contains("waiting") && screen.contains("líneas")
    });
    // What cannot be recorded says why, and one key says it again under its id.
    terminal.keys("otra\r");
    let say = peer.expect("say");
    peer.send(&error("not_recorded", &say["id"]));
    terminal.sees("✗ as the server says");
    terminal.keys("\x1b[15~");
    let again = peer.expect("say");
    assert_eq!((&again["id"], &again["text"]), (&say["id"], &say["text"]));
    peer.ack(&again, 3);
    terminal.until("recorded", |screen| {
        !screen.contains("F5") && !screen.contains("waiting") && screen.contains("ana otra")
    });
    leave(terminal, peer);
}

#[test]
fn scrolling_and_resizing() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, mut peer) = ana(&server, &state);
    for _ in 0..6 {
        terminal.keys("\x1b[5~");
    }
    let asked = peer.expect("history");
    assert_eq!(asked["before"], 101);
    terminal.sees("line 101.");
    page(&mut peer, &asked["with"], &lines(1..=100), false);
    terminal.sees("line 100.");
    terminal.keys("\x1b[5~");
    terminal.sees("line 85.");
    peer.send(&message(201, "luis", "#lobby", "news"));
    terminal.sees("1 new below (End)");
    // Nothing is garbled at any size, and the place is kept.
    terminal.resize(10, 40);
    terminal.until("narrow", |screen| {
        screen.lines().count() == 10 && screen.contains("new below") && screen.contains("line ")
    });
    terminal.resize(24, 80);
    terminal.until("wide", |screen| {
        screen.contains("│ luis") && screen.contains("line ")
    });
    terminal.keys("\x1b[F");
    terminal.sees("luis news");
    terminal.keys("/history 7\r");
    let asked = peer.expect("history");
    assert_eq!(asked["limit"], 7);
    page(&mut peer, &asked["with"], &lines(194..=200), true);
    terminal.sees("* the last 7 messages are above");
    for (newest, words) in [
        (lines(200..=200), "* the last message is above"),
        (vec![], "* no messages"),
    ] {
        terminal.keys("/history 1\r");
        let asked = peer.expect("history");
        page(&mut peer, &asked["with"], &newest, false);
        terminal.sees(words);
    }
    leave(terminal, peer);
}

/// The numbers of the lines on the screen, from the top.
fn numbers(screen: &str) -> Vec<u64> {
    let rows = screen
        .lines()
        .filter_map(|row| row.split_once("luis line "));
    let number = |(_, text): (&str, &str)| text.split_once('.')?.0.parse().ok();
    rows.filter_map(number).collect()
}

#[test]
fn the_mouse() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, mut peer) = ana(&server, &state);
    let shows = |terminal: &mut Terminal, first: u64, last: u64| {
        terminal.until(&format!("lines {first} to {last}"), |screen| {
            numbers(screen) == (first..=last).collect::<Vec<_>>()
        });
    };
    let (up, down) = ("\x1b[<64;30;5M", "\x1b[<65;30;5M");
    // Two of the 22 rows are a date and a notice.
    shows(&mut terminal, 181, 200);
    terminal.keys(up);
    shows(&mut terminal, 178, 199);
    terminal.sees("1 below (End)");
    terminal.keys(&format!("{up}{up}{down}"));
    shows(&mut terminal, 175, 196);
    // Further than there is: to the end, and to where more is asked for.
    terminal.keys(&down.repeat(9));
    shows(&mut terminal, 181, 200);
    terminal.keys(&up.repeat(40));
    let asked = peer.expect("history");
    assert_eq!(asked["before"], 101);
    page(&mut peer, &asked["with"], &lines(1..=100), false);
    terminal.keys(&up.repeat(20));
    terminal.until("older lines without a hole", |screen| {
        let seen = numbers(screen);
        let first = seen.first().copied().unwrap_or(u64::MAX);
        first < 101 && (first..).take(22).eq(seen)
    });
    // A click on the status line leads back, one on a name to that person.
    terminal.keys("\x1b[<0;9;23M\x1b[<0;9;23m");
    shows(&mut terminal, 181, 200);
    terminal.keys("\x1b[<0;70;2M\x1b[<0;70;2m");
    let asked = peer.expect("history");
    assert_eq!(asked["with"], "luis");
    let psst = message(50, "luis", "ana", "psst");
    page(&mut peer, &asked["with"], &[psst], false);
    terminal.sees("luis psst");
    // What is in front is what it scrolls.
    terminal.keys("\x1bOP");
    terminal.sees("this list");
    terminal.keys(&down.repeat(2));
    terminal.until("the help from its seventh row on", |screen| {
        screen
            .lines()
            .nth(1)
            .is_some_and(|row| row.contains("/query"))
    });
    terminal.keys("\x1b[<0;9;9M");
    terminal.sees("online · luis");
    // Off, the terminal keeps it to itself.
    terminal.keys("\x1bOS");
    terminal.sees("mouse off");
    leave(terminal, peer);
}

/// However much arrives, keys are answered meanwhile, and all of it is there once.
#[test]
fn a_flood() {
    const ROWS: u16 = 100;
    const FIRST: u64 = 201;
    const LEAST: u64 = 5_000;
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, mut peer) = ana(&server, &state);
    terminal.resize(ROWS, 80);
    terminal.sees("line 110.");
    let (enough, told) = mpsc::channel::<()>();
    let flood = thread::spawn(move || {
        let mut seq = FIRST;
        while seq < FIRST + LEAST || told.try_recv() == Err(TryRecvError::Empty) {
            peer.send(&message(seq, "luis", "#lobby", &format!("line {seq}.")));
            seq += 1;
        }
        (peer, seq - 1)
    });
    terminal.until("some hundred lines", |screen| {
        numbers(screen)
            .last()
            .is_some_and(|last| *last > FIRST + 500)
    });
    terminal.keys("\x1b[5~");
    terminal.sees("new below (End)");
    terminal.keys("\x1b[F");
    terminal.until("the newest", |screen| !screen.contains("below"));
    terminal.keys("¿hay alguien?");
    terminal.sees("> ¿hay alguien?");
    enough.send(()).unwrap();
    let (mut peer, last) = flood.join().unwrap();
    terminal.keys("\r");
    assert_eq!(peer.record("ana", last + 1)["text"], "¿hay alguien?");
    terminal.sees("ana ¿hay alguien?");
    // From the end to the beginning, each page begins where the one before ends.
    let rows = usize::from(ROWS) - 2;
    let mut end = last;
    loop {
        terminal.until(&format!("a page up to line {end}"), |screen| {
            let seen = numbers(screen);
            let first = seen.first().copied().unwrap_or(u64::MAX);
            seen.len() + 5 >= rows && seen == (first..=end).collect::<Vec<_>>()
        });
        end = numbers(&terminal.screen())[0];
        if end <= FIRST {
            break;
        }
        terminal.keys("\x1b[5~");
    }
    terminal.keys("\x1b[F");
    terminal.until("the newest", |screen| !screen.contains("below"));
    leave(terminal, peer);
}

/// What is typed meanwhile waits, and is sent once.
#[test]
fn the_connection_is_lost_and_the_next_start() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, mut peer) = ana(&server, &state);
    peer.send(&message(201, "luis", "#lobby", "news"));
    terminal.sees("luis news");
    drop(peer);
    terminal.sees("connection lost; trying again");
    terminal.keys("meanwhile\r");
    terminal.sees("meanwhile ⋯ waiting");
    let mut peer = server.accept();
    let hello = peer.expect("hello");
    assert_eq!(
        (&hello["token"], &hello["after"]),
        (&welcome("ana")["token"], &json!(201))
    );
    peer.send(&welcome_with("ana", &json!({"seq": 202, "resumed": true})));
    peer.send(&message(202, "luis", "#lobby", "missed"));
    peer.expect("ping");
    let say = peer.record("ana", 203);
    people(&mut peer);
    assert_eq!(say["text"], "meanwhile");
    terminal.until("all of it", |screen| {
        screen.contains("luis missed")
            && screen.contains("ana meanwhile")
            && !screen.contains("waiting")
            && screen.contains("online")
    });
    leave(terminal, peer);
    // The next start asks for what came since.
    let args = [&server.address(), "--nick", "ana"];
    let mut terminal = Terminal::full(24, 80, &args, state.path());
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["after"], 203);
    peer.send(&welcome_with("ana", &json!({"seq": 204})));
    peer.send(&message(204, "luis", "#lobby", "in the night"));
    peer.expect("ping");
    answer(&mut peer, &lines(101..=200), true);
    terminal.until("the unread line", |screen| {
        let (unread, night) = (screen.find("unread"), screen.find("in the night"));
        unread.is_some() && unread < night
    });
    leave(terminal, peer);
}

/// Issue 15, row 27: scrolls over a gap of 1,500 messages, of which the server sent 1,000 again.
#[test]
fn a_gap_is_filled_by_scrolling() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, peer) = ana(&server, &state);
    terminal.resize(60, 80);
    terminal.sees("line 150.");
    drop(peer);
    terminal.sees("connection lost; trying again");
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["after"], 200);
    let back = json!({"seq": 1700, "resumed": true, "gap": true});
    peer.send(&welcome_with("ana", &back));
    for line in lines(701..=1700) {
        peer.send(&line);
    }
    peer.barrier();
    people(&mut peer);
    terminal.sees("line 1700.");
    const MARK: &str = "messages are missing here";
    let mut seen = std::collections::BTreeSet::new();
    let mut next = 701;
    let mut marked = Vec::new();
    while next > 201 || numbers(&terminal.screen())[0] > 190 {
        let screen = terminal.screen();
        let top = numbers(&screen)[0];
        seen.extend(numbers(&screen));
        if screen.contains(MARK) {
            marked.push(next);
            let asked = peer.expect("history");
            assert_eq!(asked["before"], next);
            next -= 100;
            page(&mut peer, &asked["with"], &lines(next..=next + 99), true);
        } else {
            terminal.keys("\x1b[5~");
        }
        terminal.until("a page further up, or the mark in its place", |screen| {
            let all = numbers(screen);
            let whole = |seqs: &[u64]| seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]);
            match screen.split_once(MARK) {
                Some((above, below)) if next > 201 => {
                    let (above, below) = (numbers(above), numbers(below));
                    let edges = (above.last().copied(), below.first().copied());
                    edges == (Some(200), Some(next)) && whole(&above) && whole(&below)
                }
                Some(_) => false,
                None => whole(&all) && all.first().is_some_and(|first| *first != top),
            }
        });
    }
    assert_eq!(marked, [701, 601, 501, 401, 301]);
    // The last page reaches what was there before.
    assert!(!terminal.screen().contains(MARK));
    seen.extend(numbers(&terminal.screen()));
    let missing: Vec<u64> = (200..=1700).filter(|seq| !seen.contains(seq)).collect();
    assert_eq!(missing, [0; 0], "never seen");
    terminal.keys("\x1b[F");
    terminal.sees("line 1700.");
    leave(terminal, peer);
}

/// Issue 15, row 29: a server that closes behind each `welcome` is asked less and less often, and
/// not for more each time.
#[test]
fn a_server_that_closes_at_once() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, peer) = ana(&server, &state);
    drop(peer);
    let mut least = Duration::from_millis(500);
    let mut before = Instant::now();
    for _ in 0..3 {
        let mut peer = server.accept();
        assert!(before.elapsed() >= least * 9 / 10, "{:?}", before.elapsed());
        least *= 2;
        peer.expect("hello");
        peer.send(&welcome_with("ana", &json!({"seq": 200, "resumed": true})));
        peer.barrier();
        peer.expect("users");
        assert_eq!(peer.rest(), Vec::<Value>::new());
        before = Instant::now();
    }
    // Ctrl-C twice ends without an answer.
    terminal.keys("\x03\x03");
    assert_eq!(terminal.end(), 1);
}

/// Issue 15, row 43: whatever is typed behind a password prompt, and when, no message has it.
#[test]
fn a_password_never_becomes_a_message() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, mut peer) = ana(&server, &state);
    // Typed ahead of each prompt, in one go.
    terminal.keys("/register\rgeheim one\rgeheim two\rgeheim three\rgeheim three\r");
    let asked = peer.expect("register");
    assert_eq!(asked["password"], "geheim three");
    peer.send(&json!({"type": "registered", "nick": "ana"}));
    terminal.sees("the two are not the same");
    terminal.sees("ana is protected by your password");
    terminal.sees("\n>");
    // An empty line is asked about, Esc cancels, a paste of several lines is refused.
    terminal.keys("/register\r\r");
    terminal.sees("a password is not empty");
    terminal.keys("\x1b[200~geheim four\rgeheim four\r\x1b[201~");
    terminal.sees("several lines were pasted where one is asked for");
    terminal.keys("\x1bOPgeheim");
    terminal.sees("New password: ••••••");
    terminal.keys("\x1b");
    terminal.sees("no password was given, and nothing was sent");
    terminal.sees("\n>");
    // The prompt outlives the connection.
    terminal.keys("/register\rgeheim five\rgeh");
    terminal.sees("Once more: •••");
    drop(peer);
    terminal.sees("connection lost; trying again");
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&welcome_with("ana", &json!({"seq": 200, "resumed": true})));
    peer.barrier();
    people(&mut peer);
    terminal.sees("online · #lobby · 2 people");
    terminal.keys("eim five\r");
    let asked = peer.expect("register");
    assert_eq!(asked["password"], "geheim five");
    peer.send(&error("password_invalid", &asked["id"]));
    terminal.sees("as the server says");
    terminal.sees("\n>");
    terminal.keys("hola\r");
    assert_eq!(peer.record("ana", 201)["text"], "hola");
    leave(terminal, peer);
}

#[test]
fn the_terminal_is_given_back() {
    let server = FakeServer::start();
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let state = tempfile::tempdir().unwrap();
        let (mut terminal, peer) = ana(&server, &state);
        terminal.signal(signal);
        peer.goodbye();
        assert_eq!(terminal.end(), 0);
        as_it_was(&terminal);
    }
    // In a hurry: the server does not answer.
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, mut peer) = ana(&server, &state);
    terminal.keys("\x03");
    peer.expect("quit");
    terminal.keys("\x03");
    assert_eq!(terminal.end(), 1);
    as_it_was(&terminal);
    // Nobody is there: the reason is read when the screen is gone.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nowhere.local_addr().unwrap().to_string();
    drop(nowhere);
    let mut terminal = Terminal::full(24, 80, &[&address, "--nick", "ana"], state.path());
    assert_eq!(terminal.end(), 1);
    as_it_was(&terminal);
    assert!(
        terminal.screen().contains("! cannot connect to "),
        "{}",
        terminal.screen()
    );
}

/// The editor has the terminal for itself, Ctrl-C too; what comes of it is in the entry.
#[test]
fn what_is_typed_is_edited_elsewhere() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().display();
    let editor = state.path().join("editor");
    let script = "trap 'echo interrupted' INT\necho \"editing $(cat \"$1\")\"\nread -r line || read -r line\n\
                  [ \"$line\" != fail ] || exit 3\nprintf ' %s\\n' \"$line\" >>\"$1\"\n";
    std::fs::write(&editor, script).unwrap();
    let mut terminal = Terminal::shell(&format!(
        "VISUAL='sh {}' XDG_STATE_HOME={folder} exec \"$CLIENT\" {} --nick ana",
        editor.display(),
        server.address()
    ));
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&welcome("ana"));
    answer(&mut peer, &[], false);
    terminal.sees("online · #lobby · 2 people");
    terminal.keys("first\x18\x05");
    terminal.sees("editing first");
    as_it_was(&terminal);
    terminal.keys("\x03");
    terminal.sees("interrupted");
    terminal.keys("then\r");
    terminal.sees("> first then");
    assert!(terminal.is_full() && !terminal.echoes());
    terminal.keys("\r");
    assert_eq!(peer.record("ana", 1)["text"], "first then");
    terminal.keys("kept\x18\x05");
    terminal.sees("editing kept");
    terminal.keys("fail\r");
    terminal.sees("the editor failed: exit status: 3");
    terminal.sees("> kept");
    terminal.keys("\x15");
    leave(terminal, peer);
}

/// Why one is not in a channel is read where one is instead; what that is about stands above it.
#[test]
fn a_channel_that_one_is_kept_out_of() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, mut peer) = ana(&server, &state);
    terminal.keys("/join #rust\r");
    let join = peer.expect("join");
    let asked = peer.expect("history");
    page(&mut peer, &asked["with"], &[], false);
    peer.send(&error("banned_from_channel", &join["id"]));
    terminal.sees("* as the server says");
    terminal.sees("online · #lobby");
    peer.send(&json!({
        "type": "topic", "channel": "#lobby", "topic": "crabs", "by": "luis", "time": support::TIME
    }));
    terminal.sees("│crabs");
    terminal.sees("* the topic of #lobby: crabs (set by luis)");
    leave(terminal, peer);
}

/// A server that lets everything through drives nobody's terminal.
#[test]
fn a_hostile_server() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let (mut terminal, mut peer) = ana(&server, &state);
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}5m\u{1b}]52;c;eA==\u{7}\u{202e}";
    peer.send(&message(201, evil, "#lobby", evil));
    peer.send(&message(202, "luis", evil, evil));
    peer.send(&json!({"type": "gone", "nick": "luis", "time": support::TIME, "reason": evil}));
    peer.send(&message(203, "luis", "#lobby", "the end"));
    terminal.sees("the end");
    let raw = terminal.raw();
    for sequence in ["]0;", "]52;", "\u{1b}[2J\u{9b}", "\u{9b}", "\u{202e}"] {
        assert!(
            !raw.contains(&format!("\u{1b}{sequence}")) && !raw.contains('\u{9b}'),
            "{sequence:?}"
        );
    }
    assert!(terminal.screen().contains("\\u{1b}"));
    leave(terminal, peer);
}

/// Issue 15, row 55: chooses on arrival whom to talk to. Enter and Esc take everyone, and what is
/// typed is not lost.
#[test]
fn whom_to_talk_to_is_chosen_on_arrival() {
    let server = FakeServer::start();
    for (keys, to, text) in [
        ("\r", "#lobby", "hola"),
        ("\x1b", "#lobby", "hola"),
        ("\x1b[B\r", "luis", "hola"),
        ("lu\r", "luis", "hola"),
        ("x", "#lobby", "xhola"),
        ("\x1b[200~la \x1b[201~", "#lobby", "la hola"),
    ] {
        let state = tempfile::tempdir().unwrap();
        let args = [&server.address(), "--nick", "ana", "--choose-on-arrival"];
        let mut terminal = Terminal::full(24, 80, &args, state.path());
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&welcome("ana"));
        answer(&mut peer, &[], false);
        terminal.sees("everyone");
        terminal.keys(keys);
        if to == "luis" {
            let asked = peer.expect("history");
            page(&mut peer, &asked["with"], &[], false);
        }
        terminal.until("the choice is closed", |screen| {
            !screen.contains("everyone")
        });
        terminal.keys("hola\r");
        let say = peer.record("ana", 1);
        assert_eq!(
            (&say["to"], &say["text"]),
            (&json!(to), &json!(text)),
            "{keys:?}"
        );
        leave(terminal, peer);
    }
}

/// Issue 15, row 55: without a setting the choice is offered on the first arrival of the nick.
#[test]
fn the_first_arrival_offers_a_choice() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    for (size, first) in [((24, 80), true), ((12, 40), false), ((12, 40), true)] {
        let fresh = tempfile::tempdir().unwrap();
        let folder = if first && size == (12, 40) {
            &fresh
        } else {
            &state
        };
        let args = [&server.address(), "--nick", "ana"];
        let mut terminal = Terminal::full(size.0, size.1, &args, folder.path());
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&welcome_with("ana", &json!({"seq": 1})));
        answer(&mut peer, &lines(1..=1), false);
        terminal.sees("line 1.");
        terminal.sees("#lobby · 2 people");
        assert_eq!(
            terminal.screen().contains("everyone"),
            first,
            "{}",
            terminal.screen()
        );
        terminal.keys("\r");
        terminal.until("the choice is closed", |screen| {
            !screen.contains("everyone")
        });
        leave(terminal, peer);
    }
}
