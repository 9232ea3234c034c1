//! Every state of the screen at three sizes, and what keys and facts come to. Without a terminal.

use chat_proto::{Event, LOBBY, Message, Timestamp};
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::editor::{Editor, InputHistory};
use super::event::SessionEvent;
use super::palette::{ColourDepth, NickColours};
use super::request::{AppRequest, TerminalAction};
use super::state::conversation::{Older, ScrollPosition};
use super::state::{Mode, TuiState};
use super::theme::Theme;
use super::view::draw;
use crate::completion_names::CompletionNames;
use crate::keys::actions::{self, Action};
use crate::keys::edit_actions::Edit;
use crate::keys::{Chord, edit_actions, parse};
use crate::prompt::{PromptKind, UserInput};
use crate::read_state::ReadState;
use crate::text::escape::word;

/// Usable, comfortable, and not wasted.
const SIZES: [(u16, u16); 3] = [(40, 10), (80, 24), (200, 60)];

/// 2026-11-23 18:50:00 UTC
const NOON: i64 = 1_795_459_800_000;

const MINUTE: i64 = 60_000;

/// A screen, and what it is told.
struct Scene {
    state: TuiState,
    seq: u64,
    now: i64,
}

impl Scene {
    /// A state before the welcome.
    fn new() -> Self {
        let theme = Theme {
            depth: ColourDepth::None,
            nicks: [].into(),
            nick_colours: NickColours::default(),
            zone: TimeZone::UTC,
            times: false,
            links: false,
        };
        let remembered = ReadState::open(None, "host:1");
        let state = TuiState::new(
            theme,
            "chat.example.org".into(),
            Editor::default(),
            remembered,
        );
        Self {
            state,
            seq: 0,
            now: NOON,
        }
    }

    /// Ana is in, with two others.
    fn ana() -> Self {
        let mut scene = Self::new();
        scene.welcome(0);
        scene.people(&["ana", "luis", "María"]);
        scene.page(&[]);
        scene
    }

    fn tell(&mut self, event: SessionEvent) {
        self.now += 1;
        self.state.apply(event, Timestamp::from_millis(self.now));
    }

    fn welcome(&mut self, seen: u64) {
        self.tell(SessionEvent::Welcomed {
            nick: "ana".into(),
            joined: vec![LOBBY.into()],
            seen,
            last: self.seq,
            clock: Timestamp::from_millis(self.now + 5 * MINUTE),
        });
    }

    fn people(&mut self, nicks: &[&str]) {
        self.tell(SessionEvent::People {
            channel: LOBBY.into(),
            nicks: nicks.iter().map(|nick| (*nick).to_owned()).collect(),
            total: nicks.len(),
        });
    }

    fn page(&mut self, messages: &[Message<'static>]) {
        self.loaded(messages, false);
    }

    fn loaded(&mut self, messages: &[Message<'static>], more: bool) {
        self.tell(SessionEvent::Page {
            with: LOBBY.into(),
            messages: messages.to_vec(),
            more,
        });
    }

    fn message(&mut self, from: &str, to: &str, text: &str) -> Message<'static> {
        self.seq += 1;
        self.now += MINUTE;
        message(self.seq, self.now, from, to, text)
    }

    fn says(&mut self, from: &str, to: &str, text: &str) {
        let message = self.message(from, to, text);
        self.tell(SessionEvent::Message {
            message,
            fresh: true,
        });
    }

    fn joined(&mut self, nick: &str) {
        let time = Timestamp::from_millis(self.now);
        self.tell(SessionEvent::Presence(Event::Joined {
            channel: LOBBY.into(),
            nick: nick.to_owned().into(),
            time,
        }));
    }

    fn gone(&mut self, nick: &str) {
        let time = Timestamp::from_millis(self.now);
        self.tell(SessionEvent::Presence(Event::Gone {
            nick: nick.to_owned().into(),
            time,
            reason: "disconnected".into(),
            by: None,
        }));
    }

    fn topic(&mut self, topic: &str) {
        self.tell(SessionEvent::Topic {
            channel: LOBBY.into(),
            topic: topic.into(),
            text: format!("the topic of #lobby: {} (set by luis)", word(topic)),
            time: Timestamp::from_millis(self.now),
        });
    }

    fn waiting(&mut self, id: &str, text: &str) {
        self.tell(SessionEvent::Waiting {
            id: id.into(),
            to: LOBBY.into(),
            text: text.into(),
        });
    }

    /// A state with these configured keys.
    fn rebind(&mut self, wanted: &[(Action, &[&str])]) {
        for (action, keys) in wanted {
            let keys = keys.iter().map(|keys| parse(keys).unwrap());
            self.state.keys.rebind(*action, keys);
        }
    }

    fn rebind_entry(&mut self, wanted: &[(Edit, &[&str])]) {
        let mut keymap = edit_actions::default();
        for (edit, keys) in wanted {
            keymap.rebind(*edit, keys.iter().map(|keys| parse(keys).unwrap()));
        }
        self.state.entry = Editor::new(InputHistory::default(), keymap);
    }

    fn key(name: &str) -> Input {
        let chord: Chord = name.parse().unwrap();
        Input::Key(chord.event())
    }

    fn keys(&mut self, names: &[&str]) {
        for name in names {
            self.input(Self::key(name));
        }
    }

    fn types(&mut self, text: &str) {
        for c in text.chars() {
            let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
            self.input(Input::Key(key));
        }
    }

    fn input(&mut self, input: Input) -> TerminalAction {
        self.state.event(input, &CompletionNames::default())
    }

    fn shown(&mut self, (width, height): (u16, u16)) -> Terminal<TestBackend> {
        self.state.resize(width, height);
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(&self.state, frame)).unwrap();
        terminal
    }

    fn text(&mut self, size: (u16, u16)) -> String {
        self.shown(size).backend().to_string()
    }

    /// Compares the screen at three sizes with its snapshots.
    fn snapshots(&mut self, name: &str) {
        for size in SIZES {
            let shown = self.shown(size);
            let name = format!("{name}_{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, shown.backend());
        }
    }
}

fn message(seq: u64, millis: i64, from: &str, to: &str, text: &str) -> Message<'static> {
    Message {
        seq,
        time: Timestamp::from_millis(millis),
        from: from.to_owned().into(),
        to: to.to_owned().into(),
        text: text.to_owned().into(),
        id: None,
    }
}

/// Numbered messages of the lobby.
fn many(count: u64) -> Vec<Message<'static>> {
    let one = |seq: u64| {
        let millis = NOON + i64::try_from(seq).unwrap() * 1000;
        message(seq, millis, "luis", LOBBY, &format!("message {seq}"))
    };
    (1..=count).map(one).collect()
}

#[test]
fn before_one_is_in() {
    let mut scene = Scene::new();
    scene.tell(SessionEvent::Busy(Some(
        "connecting to chat.example.org".into(),
    )));
    scene.snapshots("connecting");
    scene.tell(SessionEvent::Busy(None));
    scene.tell(SessionEvent::Asked {
        prompt: "Your nickname: ".into(),
        purpose: PromptKind::Nickname,
    });
    scene.types("ana");
    scene.snapshots("nickname");
    scene.keys(&["enter"]);
    assert_eq!(
        scene.state.take_requests(),
        [AppRequest::Input(UserInput::Line("ana".into()))]
    );
    scene.tell(SessionEvent::Error {
        code: "nick_taken".into(),
        detail: "somebody has it".into(),
    });
    scene.tell(SessionEvent::Asked {
        prompt: "Your nickname: ".into(),
        purpose: PromptKind::Nickname,
    });
    scene.snapshots("taken");
    scene.tell(SessionEvent::Asked {
        prompt: "Password: ".into(),
        purpose: PromptKind::Password,
    });
    scene.types("secret");
    scene.snapshots("password");
    assert!(!scene.text((80, 24)).contains("secret"));
}

/// Why one is not let in is read to its end on any screen.
#[test]
fn a_long_reason() {
    let mut scene = Scene::new();
    let detail =
        "ana is protected: it needs its password or a token that was given for it".to_owned();
    scene.tell(SessionEvent::Error {
        code: "auth_failed".into(),
        detail,
    });
    let text = scene.text((40, 10));
    assert!(
        text.contains("! the nickname ana") && text.contains("password"),
        "{text}"
    );
}

#[test]
fn a_conversation() {
    let mut scene = Scene::ana();
    scene.says("luis", LOBBY, "¡hola! ¿qué tal?");
    scene.says(
        "María",
        LOBBY,
        "привет 👋🏽 ana: see https://example.org/a?b=c.",
    );
    scene.says(
        "luis",
        LOBBY,
        "漢字 e\u{301} مرحبا بالعالم 👨\u{200d}👩\u{200d}👧",
    );
    scene.says(
        "luis",
        LOBBY,
        "```\nfn  main() {\n    say(\"hola\");\n}\n```",
    );
    scene.says(
        "a_nick_that_is_rather_long_indeed",
        LOBBY,
        "and a text that is long enough to be wrapped once",
    );
    for nick in ["pedro", "lucía", "olga"] {
        scene.joined(nick);
    }
    scene.gone("pedro");
    scene.says("ana", LOBBY, "mine");
    scene.says("luis", "ana", "psst");
    scene.says("luis", "#rust", "crabs");
    scene.types("half a line");
    scene.snapshots("conversation");
    scene.state.theme.times = true;
    scene.snapshots("times");
}

#[test]
fn what_one_says_is_waiting_recorded_or_failed() {
    let mut scene = Scene::ana();
    scene.waiting("a", "the same");
    scene.waiting("b", "the same");
    scene.waiting("c", "bad");
    scene.waiting("d", "on its way");
    let mut own = scene.message("ana", LOBBY, "the same");
    own.id = Some("b".into());
    scene.tell(SessionEvent::Message {
        message: own,
        fresh: true,
    });
    let time = Timestamp::from_millis(scene.now);
    scene.tell(SessionEvent::Recorded {
        id: "b".into(),
        seq: 1,
        time,
    });
    scene.tell(SessionEvent::Failed {
        id: "c".into(),
        reason: "not_recorded: disk full".into(),
    });
    scene.snapshots("waiting");
    // By id, never by text: the first of the two still waits.
    let ids = |scene: &Scene| -> Vec<String> {
        let waiting = scene.state.here().waiting.iter();
        waiting.map(|waiting| waiting.id.clone()).collect()
    };
    assert_eq!(ids(&scene), ["a", "d"]);
    // The acknowledgement may be first, and the message is there once.
    scene.tell(SessionEvent::Recorded {
        id: "a".into(),
        seq: 2,
        time,
    });
    let mut own = scene.message("ana", LOBBY, "the same");
    own.id = Some("a".into());
    scene.tell(SessionEvent::Message {
        message: own,
        fresh: true,
    });
    assert_eq!(ids(&scene), ["d"]);
    assert_eq!(scene.text((80, 24)).matches("the same").count(), 2);
    // One key sends again what failed, under its id.
    scene.state.take_requests();
    scene.keys(&["f5"]);
    let again = AppRequest::Again {
        id: "c".into(),
        to: LOBBY.into(),
        text: "bad".into(),
    };
    assert_eq!(scene.state.take_requests(), [again]);
    assert!(!scene.text((80, 24)).contains("disk full"));
}

/// What `/tell` comes to is seen where one is.
#[test]
fn what_one_says_elsewhere() {
    let mut scene = Scene::ana();
    for (id, to) in [("a", "luis"), ("b", "nobody"), ("c", "luis")] {
        scene.tell(SessionEvent::Waiting {
            id: id.into(),
            to: to.into(),
            text: "psst".into(),
        });
    }
    let mut own = scene.message("ana", "luis", "psst");
    own.id = Some("a".into());
    scene.tell(SessionEvent::Message {
        message: own,
        fresh: true,
    });
    assert_eq!(scene.state.hint.take().as_deref(), Some("said to luis"));
    let time = Timestamp::from_millis(scene.now);
    scene.tell(SessionEvent::Recorded {
        id: "c".into(),
        seq: 2,
        time,
    });
    assert_eq!(scene.state.hint.take().as_deref(), Some("said to luis"));
    scene.tell(SessionEvent::Failed {
        id: "b".into(),
        reason: "no_such_user: nobody of that nick is here".into(),
    });
    let text = scene.text((200, 60));
    assert!(
        text.contains("* not said to nobody: no_such_user"),
        "{text}"
    );
    // In the conversation itself it is seen once.
    scene.waiting("d", "hola");
    scene.tell(SessionEvent::Failed {
        id: "d".into(),
        reason: "text_invalid".into(),
    });
    assert!(!scene.text((200, 60)).contains("not said to #lobby"));
    assert_eq!(scene.state.hint, None);
}

#[test]
fn the_connection_is_away() {
    let mut scene = Scene::ana();
    scene.says("luis", LOBBY, "before");
    scene.tell(SessionEvent::Away);
    scene.tell(SessionEvent::Busy(Some(
        "connection lost; trying again".into(),
    )));
    scene.waiting("a", "said meanwhile");
    scene.snapshots("away");
    scene.seq += 10;
    scene.tell(SessionEvent::Busy(None));
    scene.welcome(1);
    let missed = scene.message("luis", LOBBY, "after the gap");
    scene.tell(SessionEvent::Message {
        message: missed,
        fresh: false,
    });
    scene.tell(SessionEvent::Gap {
        with: None,
        after: 1,
        before: None,
    });
    scene.snapshots("gap");
    scene.state.take_requests();
    scene.keys(&["page-up"]);
    let before = Some(scene.seq);
    let older = AppRequest::Older {
        with: LOBBY.into(),
        before,
    };
    assert_eq!(scene.state.take_requests(), [older]);
    let found: Vec<_> = (2..12)
        .map(|seq| message(seq, NOON, "luis", LOBBY, "missed"))
        .collect();
    scene.page(&found);
    let text = scene.text((80, 24));
    assert!(
        !text.contains("missing") && text.matches("missed").count() == 10,
        "{text}"
    );
}

/// A line that is said is shown as waiting; a command would leave no trace until it is answered.
#[test]
fn a_command_while_the_connection_is_away() {
    let mut scene = Scene::ana();
    let mut hint = |away: bool, line: &str| {
        if away {
            scene.tell(SessionEvent::Away);
        }
        scene.types(line);
        scene.keys(&["enter"]);
        scene.state.hint.take()
    };
    assert_eq!(hint(false, "/who"), None);
    let back = Some("done when the connection is back".to_owned());
    assert_eq!(hint(true, "/who"), back);
    assert_eq!(hint(true, "/topic crabs"), back);
    assert_eq!(hint(true, "hola"), None);
}

/// A server that comes back with less than it had, or with nothing, is heard all the same.
#[test]
fn a_history_that_counts_from_lower_numbers() {
    for last in [0, 7] {
        let mut scene = Scene::ana();
        scene.page(&many(10));
        scene.state.here_mut().older = Older::More;
        scene.state.here_mut().left_at = Some(9);
        scene.tell(SessionEvent::Away);
        scene.seq = last;
        scene.welcome(10);
        for text in ["hola otra vez", "y otra"] {
            scene.says("luis", LOBBY, text);
        }
        let text = scene.text((80, 24));
        let places = ["message 10", "hola otra vez", "y otra"].map(|text_of| text.find(text_of));
        assert!(places[0].is_some() && places.is_sorted(), "{text}");
        // The mark of the start is no news any more.
        assert!(!text.contains("unread"), "{text}");
        scene.state.take_requests();
        scene.keys(&["page-up"]);
        // Nothing is older than what is no longer there.
        let older = (last > 0).then(|| AppRequest::Older {
            with: LOBBY.into(),
            before: Some(1),
        });
        assert_eq!(scene.state.take_requests(), Vec::from_iter(older));
    }
}

#[test]
fn what_was_missed_is_behind_an_unread_line() {
    let mut scene = Scene::new();
    scene.seq = 3;
    scene.welcome(1);
    scene.people(&["ana", "luis"]);
    scene.page(&many(3));
    scene.says("luis", "#rust", "crabs");
    scene.snapshots("unread");
    assert_eq!(
        scene.state.read_up_to(),
        0,
        "the other channel was never looked at"
    );
    scene.keys(&["alt-a"]);
    assert_eq!(
        (scene.state.here().to.as_str(), scene.state.read_up_to()),
        ("#rust", 4)
    );
}

/// A conversation that was just begun is no screen that fails to load.
#[test]
fn nothing_was_said_yet() {
    let mut scene = Scene::ana();
    scene.waiting("a", "hola");
    let text = scene.text((80, 24));
    let (beginning, waiting) = (text.find("the beginning of #lobby"), text.find("hola"));
    assert!(beginning.is_some() && beginning < waiting, "{text}");
    scene.state.here_mut().older = Older::Unknown;
    assert!(!scene.text((80, 24)).contains("the beginning"));
}

/// A page begins with the last message of the page before, wherever the unread line stands.
#[test]
fn a_page_overlaps_the_one_before_by_a_message() {
    let edge = |text: &str, last: bool| {
        let mut numbers = text.lines().filter_map(|row| {
            let (_, rest) = row.split_once("message ")?;
            rest.split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse::<u64>()
                .ok()
        });
        if last {
            numbers.next_back()
        } else {
            numbers.next()
        }
        .unwrap()
    };
    for left_at in 240..300 {
        let mut scene = Scene::ana();
        scene.page(&many(300));
        scene.state.here_mut().left_at = Some(left_at);
        let mut pages = vec![scene.text((80, 24))];
        for key in ["page-up", "page-up", "page-up", "page-down", "page-down"] {
            scene.keys(&[key]);
            pages.push(scene.text((80, 24)));
            let [before, now] = &pages[pages.len() - 2..] else {
                unreachable!()
            };
            let is_up = key == "page-up";
            assert_eq!(
                edge(now, is_up),
                edge(before, !is_up),
                "{left_at}, {key}\n{before}\n{now}"
            );
        }
    }
}

#[test]
fn scrolling_keeps_its_place() {
    let mut scene = Scene::ana();
    scene.page(&many(300));
    scene.seq = 300;
    scene.text((80, 24));
    scene.keys(&["page-up", "page-up"]);
    let before = scene.text((80, 24));
    assert!(
        before.contains("message 256") && !before.contains("message 300"),
        "{before}"
    );
    for number in 0..12 {
        scene.says("luis", LOBBY, &format!("new {number}"));
    }
    scene.snapshots("scrolled");
    let after = scene.text((80, 24));
    let rows = |text: &str| -> Vec<String> {
        let messages = |row: &str| row.chars().skip(14).take(54).collect();
        text.lines().take(22).map(messages).collect()
    };
    assert_eq!(rows(&before), rows(&after), "nothing moved");
    assert!(after.contains("12 new below"));
    scene.keys(&["end"]);
    assert_eq!(scene.state.here().view, ScrollPosition::End);
}

#[test]
fn the_top_asks_for_more_once() {
    let mut scene = Scene::ana();
    let messages: Vec<_> = many(200).split_off(100);
    scene.tell(SessionEvent::Page {
        with: LOBBY.into(),
        messages,
        more: true,
    });
    scene.seq = 200;
    scene.text((80, 24));
    scene.state.here_mut().older = super::state::conversation::Older::More;
    scene.state.take_requests();
    for _ in 0..10 {
        scene.keys(&["page-up"]);
    }
    let older = AppRequest::Older {
        with: LOBBY.into(),
        before: Some(101),
    };
    assert_eq!(scene.state.take_requests(), [older]);
    assert!(scene.text((80, 24)).contains("message 101"));
    assert!(scene.state.is_animated());
    let older = many(100);
    scene.page(&older);
    assert!(!scene.state.is_animated());
    assert!(
        scene.text((80, 24)).contains("message 101"),
        "the place is kept"
    );
    for _ in 0..10 {
        scene.keys(&["page-up"]);
    }
    assert!(scene.text((80, 24)).contains("the beginning of #lobby"));
    assert_eq!(
        scene.state.take_requests(),
        [],
        "there is nothing before it"
    );
}

#[test]
fn what_a_channel_is_about() {
    let mut scene = Scene::ana();
    scene.says("luis", "#lobby", "hola");
    scene.topic("crabs, and whatever else has ten legs; the rest belongs into #other");
    scene.snapshots("topic");
    scene.topic("\u{1b}[2Jnothing \u{202e}else");
    let shown = scene.text((80, 24));
    assert!(
        !shown.contains(['\u{1b}', '\u{202e}']) && shown.contains("nothing"),
        "{shown}"
    );
    // It went while one was away: nothing says that it is still so.
    scene.tell(SessionEvent::Away);
    scene.welcome(0);
    assert_eq!(scene.state.areas().topic.height, 0);
}

/// Those who come and go are told together, but not who was put out.
#[test]
fn a_kick_is_no_leaving() {
    let mut scene = Scene::ana();
    scene.joined("eva");
    scene.joined("ivo");
    scene.tell(SessionEvent::Presence(Event::Left {
        channel: LOBBY.into(),
        nick: "ivo".into(),
        time: Timestamp::from_millis(scene.now),
        reason: Some("noise".into()),
        by: Some("luis".into()),
    }));
    let shown = scene.text((80, 24));
    assert!(
        shown.contains("2 joined (eva, ivo)")
            && shown.contains("ivo was kicked by luis (noise)")
            && !shown.contains("1 left"),
        "{shown}"
    );
}

#[test]
fn a_search() {
    let mut scene = Scene::ana();
    scene.page(&many(300));
    scene.text((80, 24));
    scene.types("/search MESSAGE 42");
    scene.keys(&["enter"]);
    scene.snapshots("search");
    scene.keys(&["f6"]);
    let hint = scene.state.hint.take();
    assert_eq!(hint.as_deref(), Some("no more of it, and nothing older"));
    scene.keys(&["esc"]);
    assert_eq!(scene.state.search, None);
}

/// Also where each is seen without leaving the end.
#[test]
fn a_search_in_what_is_seen() {
    let mut scene = Scene::ana();
    scene.page(&many(12));
    scene.text((80, 24));
    for _ in 0..2 {
        scene.types("/search message 1");
        scene.keys(&["enter", "f6", "f6", "f6"]);
        assert_eq!(scene.state.hint, None, "1, 10, 11 and 12 have it");
        scene.keys(&["f6"]);
        assert!(scene.state.hint.is_some());
    }
}

/// What is loaded is looked through, and then what comes of asking for more.
#[test]
fn a_search_goes_on_in_older_messages() {
    let mut scene = Scene::ana();
    let all = many(300);
    scene.state.here_mut().older = Older::Unknown;
    scene.state.fetch_older();
    scene.loaded(&all[200..], true);
    scene.state.take_requests();
    scene.types("/search message 1");
    scene.keys(&["enter"]);
    let hint = scene.state.hint.clone().unwrap_or_default();
    assert!(hint.contains("in what is loaded; F6"), "{hint:?}");
    let asked = scene.state.take_requests();
    assert!(
        matches!(
            asked[..],
            [AppRequest::Older {
                before: Some(201),
                ..
            }]
        ),
        "{asked:?}"
    );
    scene.loaded(&all[100..200], false);
    scene.keys(&["f6"]);
    assert!(scene.text((80, 24)).contains("message 199"));
    assert_eq!(scene.state.hint, None);
}

#[test]
fn somebody_is_chosen_to_talk_to() {
    let mut scene = Scene::ana();
    scene.types("a draft");
    scene.tell(SessionEvent::Choose(vec![
        "luis".into(),
        "María".into(),
        "Олег".into(),
    ]));
    scene.types("mar");
    scene.snapshots("picker");
    scene.keys(&["enter"]);
    assert_eq!(scene.state.here().to, "María");
    assert!(scene.state.entry.is_empty());
    scene.types("another");
    scene.keys(&["alt-1"]);
    assert_eq!(scene.state.entry.text(), "a draft", "no draft is lost");
    scene.keys(&["alt-down"]);
    assert_eq!(scene.state.entry.text(), "another");
    scene.types("!");
    scene.keys(&["enter"]);
    let line = AppRequest::Line {
        to: "María".into(),
        text: "another!".into(),
    };
    assert!(scene.state.take_requests().contains(&line));
}

#[test]
fn help() {
    let mut scene = Scene::ana();
    scene.keys(&["f1"]);
    scene.snapshots("help");
    // It scrolls to its end and no further.
    scene.text((80, 24));
    scene.keys(&["page-down"; 50]);
    let end = scene.text((80, 24));
    assert!(end.contains("write it in $EDITOR"), "{end}");
    scene.keys(&["up"]);
    assert_ne!(scene.text((80, 24)), end);
    // Home and End scroll too.
    scene.keys(&["end"]);
    assert_eq!(scene.text((80, 24)), end);
    scene.keys(&["home"]);
    assert_eq!(scene.state.mode, Mode::Help(0));
    scene.keys(&["a"]);
    assert_eq!(scene.state.mode, Mode::Talk);
}

/// Issue 15, row 44: a mention in a conversation that the list does not show is in the status line,
/// whatever else is dropped from it.
#[test]
fn a_mention_out_of_sight() {
    let mut scene = Scene::ana();
    for number in 1..30 {
        scene.state.open(&format!("#channel-{number:02}"));
    }
    scene.says("luis", "#channel-29", "ana: hola");
    scene.says("luis", "#channel-29", "and more");
    let status = |scene: &mut Scene, size: (u16, u16)| {
        let text = scene.text(size);
        text.lines().nth_back(1).unwrap_or_default().to_owned()
    };
    // Where there is room, in words; the list of 22 rows does not reach that channel.
    let wide = status(&mut scene, (160, 24));
    assert!(wide.contains("2 elsewhere, 1 @"), "{wide}");
    assert!(
        !status(&mut scene, (160, 50)).contains('@'),
        "the list has it"
    );
    for size in [(80, 24), (40, 12), (30, 12), (20, 6), (10, 4), (5, 4)] {
        let shown = status(&mut scene, size);
        assert!(shown.contains("1 @"), "{size:?}: {shown}");
    }
    // A search, a hint and a scrolled view leave it as well.
    scene.types("/search hola hola hola hola");
    scene.keys(&["enter"]);
    for size in [(80, 24), (40, 12)] {
        let shown = status(&mut scene, size);
        assert!(shown.contains("1 @"), "{size:?}: {shown}");
    }
}

/// Texts name the configured keys.
#[test]
fn other_keys() {
    let mut scene = Scene::ana();
    scene.rebind(&[
        (Action::Help, &["ctrl-g"]),
        (Action::PageUp, &["ctrl-x page-up", "alt-v"]),
        (Action::Go(1), &["f7"]),
        (Action::SearchOn, &[]),
        (Action::Again, &["alt-ñ"]),
        (Action::Bottom, &["f12"]),
    ]);
    scene.rebind_entry(&[
        (Edit::Submit, &["ctrl-s"]),
        (Edit::LineEnd, &["ctrl-e"]),
        (Edit::Drop, &["ctrl-q"]),
        (Edit::Yank, &[]),
    ]);
    scene.page(&many(40));
    scene.tell(SessionEvent::Gap {
        with: None,
        after: 40,
        before: None,
    });
    scene.waiting("a", "bad");
    scene.tell(SessionEvent::Failed {
        id: "a".into(),
        reason: "not_recorded".into(),
    });
    let sees = |scene: &mut Scene, wanted: &[&str]| {
        let text = scene.text((200, 24));
        for wanted in wanted {
            assert!(text.contains(wanted), "{wanted:?} in\n{text}");
        }
    };
    sees(
        &mut scene,
        &[
            "Ctrl-G help",
            "not_recorded · Alt-Ñ sends it again",
            "missing here: Ctrl-X Page Up fetches them",
        ],
    );
    scene.types("/search message 7");
    scene.keys(&["ctrl-s"]);
    sees(&mut scene, &["/message 7 (Ctrl-Q)", "below (Ctrl-E)"]);
    // Ctrl-E is about what is typed, as soon as something is.
    scene.types("x");
    sees(&mut scene, &["below (F12)"]);
    scene.keys(&["backspace", "end"]);
    assert_ne!(
        scene.state.here().view,
        ScrollPosition::End,
        "End does nothing now"
    );
    scene.keys(&["ctrl-q"]);
    assert_eq!(scene.state.search, None);
    scene.keys(&["ctrl-e"]);
    assert_eq!(scene.state.here().view, ScrollPosition::End);
    scene.keys(&["f1"]);
    assert_eq!(scene.state.mode, Mode::Talk);
    scene.keys(&["ctrl-g"]);
    scene.snapshots("other_keys");
}

/// One key behind another, for the screen and for what is typed, that begin with the same one.
#[test]
fn two_keys() {
    let mut scene = Scene::ana();
    scene.page(&many(300));
    scene.text((80, 24));
    scene.rebind(&[
        (Action::PageUp, &["ctrl-x up", "g g"]),
        (Action::PageDown, &["ctrl-e"]),
    ]);
    scene.keys(&["ctrl-x", "up"]);
    let up = scene.state.here().view;
    assert_ne!(up, ScrollPosition::End);
    scene.keys(&["g", "g"]);
    assert_ne!(scene.state.here().view, up);
    assert!(scene.state.entry.is_empty());
    let errand = scene.input(Scene::key("ctrl-x"));
    assert_eq!(errand, TerminalAction::None);
    let errand = scene.input(Scene::key("ctrl-e"));
    assert_eq!(errand, TerminalAction::Edit(String::new()));
    // The first one is forgotten when the next is another.
    scene.keys(&["g", "x"]);
    assert_eq!(scene.state.entry.text(), "x");
    scene.keys(&["ctrl-x", "f2"]);
    assert_eq!(scene.input(Scene::key("ctrl-e")), TerminalAction::None);
}

/// Ctrl-D is goodbye on an empty line, unless it is configured for another action.
#[test]
fn the_end_of_the_input() {
    let mut scene = Scene::ana();
    scene.state.take_requests();
    scene.types("x");
    scene.keys(&["ctrl-d"]);
    assert_eq!(scene.state.take_requests(), []);
    scene.keys(&["backspace", "ctrl-d"]);
    assert_eq!(
        scene.state.take_requests(),
        [AppRequest::Input(UserInput::Ended)]
    );
    scene.rebind_entry(&[(Edit::HistoryBack, &["ctrl-d"])]);
    scene.keys(&["ctrl-d"]);
    assert_eq!(scene.state.take_requests(), []);
}

/// Whatever a server sends, wherever it is shown.
#[test]
fn nothing_from_outside_drives_the_terminal() {
    let mut scene = Scene::new();
    let evil: String = (0..0x3000u32).filter_map(char::from_u32).collect();
    let evil = format!("\u{1b}]0;x\u{7}\u{1b}[2J\u{9b}31m{evil}");
    scene.state.theme.links = true;
    scene.tell(SessionEvent::Busy(Some(evil.clone())));
    scene.tell(SessionEvent::Error {
        code: evil.clone(),
        detail: evil.clone(),
    });
    let clean = |scene: &mut Scene| {
        for size in SIZES {
            let shown = scene.shown(size);
            for cell in shown.backend().buffer().content() {
                let symbol = cell.symbol();
                assert!(
                    !symbol.contains(crate::text::escape::is_escaped),
                    "{symbol:?}"
                );
            }
        }
    };
    clean(&mut scene);
    scene.welcome(0);
    for (from, to) in [
        (evil.as_str(), LOBBY),
        ("luis", evil.as_str()),
        (evil.as_str(), "ana"),
    ] {
        scene.says(from, to, &evil);
    }
    scene.joined(&evil);
    scene.gone(&evil);
    scene.waiting("a", &evil);
    scene.tell(SessionEvent::Failed {
        id: "a".into(),
        reason: evil.clone(),
    });
    scene.tell(SessionEvent::People {
        channel: LOBBY.into(),
        nicks: vec![evil.clone()],
        total: 1,
    });
    for index in 0..scene.state.conversations.len() {
        scene.state.switch(index);
        clean(&mut scene);
    }
    scene.tell(SessionEvent::Choose(vec![evil.clone()]));
    clean(&mut scene);
}

/// A link is the one sequence, and leads where it says.
#[test]
fn a_link_for_the_terminal() {
    let mut scene = Scene::ana();
    scene.state.theme.links = true;
    scene.says("luis", LOBBY, "https://example.org/\u{1b}]8;;evil");
    let shown = scene.shown((80, 24));
    let sequences: Vec<&str> = shown
        .backend()
        .buffer()
        .content()
        .iter()
        .map(ratatui::buffer::Cell::symbol)
        .filter(|symbol| symbol.contains('\u{1b}'))
        .collect();
    assert_eq!(
        sequences,
        ["\u{1b}]8;;https://example.org/\u{1b}\\https://example.org/\u{1b}]8;;\u{1b}\\"]
    );
}

/// Any size, any text, any order of keys: nothing panics, and what is drawn stays inside.
#[test]
fn any_size_and_any_keys() {
    let mut scene = Scene::ana();
    scene.page(&many(60));
    for number in 0..20 {
        scene.says("luis", LOBBY, &"漢字👋🏽 word ".repeat(number));
    }
    let all: Vec<&str> = actions::BINDINGS
        .iter()
        .flat_map(|(_, _, keys, _)| keys.iter().copied())
        .collect();
    for width in (1..60).chain([80, 200]) {
        for height in [1, 2, 3, 5, 8, 24] {
            scene.text((width, height));
            let key = all[usize::from(width + height) % all.len()];
            scene.keys(&[key, "x"]);
            scene.text((width, height));
        }
    }
}
