//! The latency of a key until it is drawn, and the memory and throughput of 100,000 messages in one
//! conversation. `cargo bench -p chat-client`.

use std::fmt::Write as _;
use std::io;
use std::time::{Duration, Instant};

use chat_client::completion_names::CompletionNames;
use chat_client::read_state::ReadState;
use chat_client::tui::editor::Editor;
use chat_client::tui::event::SessionEvent;
use chat_client::tui::palette::{ColourDepth, NickColours};
use chat_client::tui::state::TuiState;
use chat_client::tui::theme::Theme;
use chat_client::tui::view::draw;
use chat_proto::{Message, Timestamp};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

const MESSAGES: u64 = 100_000;

const NOW: i64 = 1_795_459_800_000;

fn message(seq: u64) -> Message<'static> {
    let mut text = format!("message {seq} with some words, as people write them: ");
    for word in 0..seq % 17 {
        write!(text, "word{word} ").expect("a string takes all");
    }
    Message {
        seq,
        time: Timestamp::from_millis(NOW + i64::try_from(seq).unwrap_or(0) * 1000),
        from: ["ana", "luis", "María", "Олег"][usize::try_from(seq % 4).unwrap_or(0)].into(),
        to: "#lobby".into(),
        text: text.into(),
        id: None,
    }
}

fn main() {
    let theme = Theme {
        depth: ColourDepth::Full,
        nicks: [].into(),
        nick_colours: NickColours::default(),
        zone: TimeZone::UTC,
        times: true,
        links: true,
    };
    let remembered = ReadState::open(None, "bench");
    let mut state = TuiState::new(theme, "bench".to_owned(), Editor::default(), remembered);
    let now = Timestamp::from_millis(NOW);
    let (width, height) = (200, 60);
    state.resize(width, height);
    let joined = vec!["#lobby".to_owned()];
    let nick = "eve".to_owned();
    state.apply(
        SessionEvent::Welcomed {
            nick,
            joined,
            seen: 0,
            last: 0,
            clock: now,
        },
        now,
    );
    let before = resident();
    let begin = Instant::now();
    for seq in 1..=MESSAGES {
        state.apply(
            SessionEvent::Message {
                message: message(seq),
                fresh: true,
            },
            now,
        );
        state.take_incoming();
    }
    let taken = begin.elapsed();
    say(&format!(
        "{:.0} messages a second taken in",
        100_000.0 / taken.as_secs_f64()
    ));
    say(&format!(
        "{} MB for {MESSAGES} messages",
        (resident() - before) / 1024
    ));
    draws(&mut state, width, height);
}

/// What a key and another size take until they are drawn.
fn draws(state: &mut TuiState, width: u16, height: u16) {
    let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
    let backend = CrosstermBackend::new(io::sink());
    let terminal = Terminal::with_options(backend, TerminalOptions { viewport });
    let Ok(mut terminal) = terminal else {
        return say("no terminal can be made");
    };
    let names = CompletionNames::default();
    for (what, code, modifiers) in [
        ("a letter", KeyCode::Char('x'), KeyModifiers::NONE),
        ("Page Up", KeyCode::PageUp, KeyModifiers::NONE),
        (
            "a letter, scrolled up",
            KeyCode::Char('x'),
            KeyModifiers::NONE,
        ),
        ("Page Down", KeyCode::PageDown, KeyModifiers::NONE),
    ] {
        let mut times: Vec<Duration> = (0..500)
            .map(|_| {
                let begin = Instant::now();
                state.event(Event::Key(KeyEvent::new(code, modifiers)), &names);
                terminal.draw(|frame| draw(state, frame)).ok();
                begin.elapsed()
            })
            .collect();
        times.sort_unstable();
        let (median, worst) = (times[250], times[499]);
        say(&format!(
            "{what}: {median:.2?} until it is drawn, at worst {worst:.2?}"
        ));
    }
    let begin = Instant::now();
    for number in 0..100 {
        state.resize(40 + number, 10 + number / 3);
        state.resize(width, height);
        terminal.draw(|frame| draw(state, frame)).ok();
    }
    say(&format!("another size: {:.2?}", begin.elapsed() / 100));
}

/// KiB of this process that are in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
fn say(line: &str) {
    println!("{line}");
}
