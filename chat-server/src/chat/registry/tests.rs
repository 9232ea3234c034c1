//! The rules as plain functions. A scene lists the effects for each session, as codes and words.

mod accounts;
mod deterministic;
mod model;
mod moderation;
mod refused;
mod scale;

use std::cell::RefCell;

use chat_proto::codec::{HEADER_BYTES, split_frame};
use chat_proto::name::fold;
use chat_proto::{Channel, Nick, Record};

use super::*;
use crate::chat::ChannelKey;
use crate::chat::accounts::Account;
use crate::chat::batch::CommittedBatch;
use crate::chat::command::{Hello, Say};
use crate::chat::effect::{Audience, ByteRange};
use crate::chat::token::{LoginRandom, Token};
use crate::ip::ClientNetwork;

const ANA: SessionId = SessionId {
    slot: 1,
    generation: 1,
};
const LUIS: SessionId = SessionId {
    slot: 2,
    generation: 2,
};
const EVA: SessionId = SessionId {
    slot: 3,
    generation: 3,
};

thread_local! {
    /// The texts of all messages of a test.
    static WORDS: RefCell<Words> = RefCell::default();
}

struct Scene {
    registry: Registry,
    seconds: i64,
}

impl Scene {
    fn new(presence_max: usize) -> Self {
        let settings = Settings {
            server: "test/1".into(),
            motd: String::new(),
            presence_max,
            replay_max: 10,
            resume_window: Duration::from_secs(60),
            channels_per_user: 2,
            arrivals_per_second: 0,
            absent_max: 2,
            batch_bytes: 1 << 18,
            operators: ["ana".into(), "eva".into()].into(),
        };
        Self {
            registry: Registry::new(settings, 0, []),
            seconds: 0,
        }
    }

    /// Returns the effects of a command, one line for each effect that a client notices.
    fn does(&mut self, session: SessionId, command: Command) -> Vec<String> {
        self.asks(session, None, command)
    }

    fn asks(&mut self, session: SessionId, id: Option<&str>, command: Command) -> Vec<String> {
        let mut batch = Batch::default();
        let request = Request {
            id: id.map(Into::into),
            command,
        };
        let now = Timestamp::from_millis(self.seconds * 1000);
        WORDS.with_borrow(|words| {
            self.registry
                .handle(session, request, words, now, &mut batch);
        });
        lines(batch)
    }

    fn leaves(&mut self, session: SessionId) -> Vec<String> {
        let mut batch = Batch::default();
        let now = Timestamp::from_millis(self.seconds * 1000);
        self.registry.leave(session, DISCONNECTED, now, &mut batch);
        lines(batch)
    }

    fn token(&self, session: SessionId) -> Token {
        self.registry.users[self.registry.users.at(session).unwrap()].token
    }
}

fn lines(mut batch: Batch) -> Vec<String> {
    let frames = batch.frames();
    let released = batch.release(frames, 0);
    released
        .effects
        .iter()
        .map(|effect| line(effect, &released))
        .collect()
}

/// Returns a short form of an event.
fn words(event: Event<'_>) -> String {
    match event {
        Event::Error { code, .. } => code.to_string(),
        Event::Joined { channel, nick, .. } => format!("joined {channel} {nick}"),
        Event::Left {
            channel,
            nick,
            by: None,
            ..
        } => format!("left {channel} {nick}"),
        Event::Left {
            channel,
            nick,
            reason,
            by: Some(by),
            ..
        } => format!(
            "left {channel} {nick} {} by {by}",
            reason.unwrap_or_default()
        ),
        Event::Gone {
            nick, reason, by, ..
        } => {
            let by = by.map_or(String::new(), |by| format!(" by {by}"));
            format!("gone {nick} {reason}{by}")
        }
        Event::Topic { channel, topic, .. } => format!("topic {channel} {topic:?}"),
        Event::Registered { nick, token, .. } => {
            let token = token.map_or("", |_| " anew");
            format!("registered {nick}{token}")
        }
        Event::Renamed { nick, to, .. } => format!("renamed {nick} {to}"),
        Event::Users {
            users, total, more, ..
        } => format!("users {} {total} {more}", users.join(",")),
        other => format!("{other:?}"),
    }
}

fn line(effect: &Effect, batch: &CommittedBatch) -> String {
    let event = |span: &std::ops::Range<u32>| {
        let frame = &batch.events[span.start as usize..span.end as usize];
        words(Event::parse(split_frame(frame).unwrap().unwrap()).unwrap())
    };
    match effect {
        Effect::Tell { to, event: span } => format!("{}: {}", to.slot, event(span)),
        Effect::TellEach { to, event: span } => {
            let to: Vec<String> = to.iter().map(|to| to.slot.to_string()).collect();
            format!("{}: {}", to.join("+"), event(span))
        }
        Effect::TellChannel {
            channel,
            event: span,
        } => format!("c{channel}: {}", event(span)),
        Effect::Messages {
            last_seq: seq,
            frames: frame,
            audience,
            sender,
            ..
        } => {
            let json = &batch.frames[frame.start as usize + HEADER_BYTES..frame.end as usize];
            let message: chat_proto::Record<'_> = serde_json::from_slice(json).unwrap();
            let chat_proto::Record::Message(message) = message;
            let to = match audience {
                Audience::Channel(channel) => format!("c{channel}"),
                Audience::Direct(other) => format!("{}+{}", sender.slot, other.slot),
            };
            format!(
                "{to}: {seq} {}>{} {}",
                message.from, message.to, message.text
            )
        }
        Effect::Ack { seq, to, .. } => format!("{}: ack {seq}", to.slot),
        Effect::Welcome { to, welcome, .. } => {
            let back = if welcome.resumed { " back" } else { "" };
            format!(
                "{}: welcome {} in {}{back}",
                to.slot,
                welcome.nick,
                welcome.joined.join(",")
            )
        }
        Effect::Subscribe { session, channel } => format!("{} in c{channel}", session.slot),
        Effect::Unsubscribe { session, channel } => format!("{} out c{channel}", session.slot),
        Effect::Close { session } => format!("{} closes", session.slot),
        Effect::BanNetwork { network, .. } => format!("bar {network}"),
        Effect::UnbanNetwork { network } => format!("unbar {network}"),
        Effect::AuthFailure { session } => format!("{} strikes", session.slot),
        other => format!("{other:?}"),
    }
}

fn hello(nick: &str, token: Option<Token>) -> Command {
    Command::Hello(Box::new(Hello {
        nick: Some(Nick::new(nick).unwrap()),
        token,
        after: None,
        account: None,
        origin: origin("192.0.2.1"),
        random: LoginRandom::generate(),
    }))
}

fn origin(address: &str) -> ClientNetwork {
    address.parse::<std::net::IpAddr>().unwrap().into()
}

fn say(to: Option<&str>, text: &str) -> Command {
    WORDS.with_borrow_mut(|words| {
        Command::Say(Say {
            to: to.map(|to| words.name(to)),
            saying: words.say(text, 100, None).unwrap(),
            from: None,
        })
    })
}

fn join(channel: &str) -> Command {
    Command::Join {
        channel: Channel::new(channel).unwrap(),
    }
}

fn part(channel: &str) -> Command {
    Command::Part {
        channel: channel.into(),
        reason: None,
    }
}

fn rename(nick: &str) -> Command {
    Command::Nick {
        nick: Nick::new(nick).unwrap(),
    }
}

#[test]
fn nothing_is_served_before_hello() {
    let mut scene = Scene::new(10);
    assert_eq!(scene.does(ANA, Command::Ping), ["1: hello_required"]);
    assert_eq!(
        scene.does(ANA, hello("ana", None)),
        ["1: welcome ana in #lobby", "1 in c0"]
    );
    assert_eq!(scene.does(LUIS, hello("ANA", None)), ["2: nick_taken"]);
    assert_eq!(
        scene.does(LUIS, hello("luis", None)),
        [
            "c0: joined #lobby luis",
            "2: welcome luis in #lobby",
            "2 in c0"
        ]
    );
    assert_eq!(scene.does(ANA, hello("ana", None)), ["1: bad_request"]);
}

#[test]
fn targets_are_found_or_refused() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("Ana", None));
    scene.does(LUIS, hello("luis", None));
    assert_eq!(scene.does(ANA, say(None, "a")), ["c0: 1 Ana>#lobby a"]);
    assert_eq!(
        scene.does(ANA, say(Some("LUIS"), "b")),
        ["1+2: 2 Ana>luis b"]
    );
    assert_eq!(scene.does(ANA, say(Some("eva"), "c")), ["1: no_such_user"]);
    assert_eq!(
        scene.does(ANA, say(Some("#x"), "c")),
        ["1: no_such_channel"]
    );
    assert_eq!(scene.does(ANA, say(Some("#"), "c")), ["1: channel_invalid"]);
    scene.does(LUIS, join("#x"));
    assert_eq!(scene.does(ANA, say(Some("#X"), "c")), ["1: not_in_channel"]);
    assert_eq!(scene.does(LUIS, say(Some("#X"), "c")), ["c1: 3 luis>#x c"]);
}

#[test]
fn saying_it_again_is_acked_as_before_and_belongs_to_the_person() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("ana", None));
    scene.does(LUIS, hello("luis", None));
    assert_eq!(
        scene.asks(ANA, Some("k"), say(None, "a")),
        ["1: ack 1", "c0: 1 ana>#lobby a"]
    );
    assert_eq!(
        scene.asks(ANA, Some("k"), say(Some("#nowhere"), "b")),
        ["1: ack 1"]
    );
    assert_eq!(
        scene.asks(LUIS, Some("k"), say(None, "c")),
        ["2: ack 2", "c0: 2 luis>#lobby c"]
    );
    scene.does(ANA, rename("anita"));
    assert_eq!(scene.asks(ANA, Some("k"), say(None, "a")), ["1: ack 1"]);
    scene.does(EVA, hello("ana", None));
    assert_eq!(
        scene.asks(EVA, Some("k"), say(None, "d")),
        ["3: ack 3", "c0: 3 ana>#lobby d"]
    );
}

/// Returns the numbers of the messages in `frames`.
fn seqs_of(frames: &ByteRange, batch: &CommittedBatch) -> Vec<u64> {
    let mut rest = &batch.frames[frames.start as usize..frames.end as usize];
    let mut seqs = Vec::new();
    while let Some(line) = split_frame(rest).unwrap() {
        let Record::Message(message) = serde_json::from_slice(line).unwrap();
        seqs.push(message.seq);
        rest = &rest[HEADER_BYTES + line.len()..];
    }
    assert!(rest.is_empty());
    seqs
}

#[test]
fn messages_side_by_side_are_one_effect_and_each_is_refused() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("ana", None));
    scene.does(LUIS, hello("luis", None));
    let says = [
        (ANA, None, None),
        (ANA, None, None),
        (ANA, Some("k"), None),
        (ANA, None, None),
        (ANA, None, Some("luis")),
        (ANA, None, Some("luis")),
        (LUIS, None, None),
        (LUIS, None, None),
    ];
    let said = |scene: &mut Scene| {
        let mut batch = Batch::default();
        for (session, id, to) in says {
            let command = say(to, "a");
            let request = Request {
                id: id.map(Into::into),
                command,
            };
            WORDS.with_borrow(|words| {
                let now = Timestamp::from_millis(0);
                scene
                    .registry
                    .handle(session, request, words, now, &mut batch);
            });
        }
        batch
    };
    let mut batch = said(&mut scene);
    let frames = batch.frames();
    let released = batch.release(frames, 0);
    let effects = released.effects.iter().map(|effect| match effect {
        Effect::Messages {
            last_seq,
            count,
            frames,
            ..
        } => {
            let seqs = seqs_of(frames, &released);
            assert_eq!(seqs.last(), Some(last_seq));
            assert_eq!(seqs.len(), *count as usize);
            format!("{seqs:?}")
        }
        Effect::Ack { seq, .. } => format!("ack {seq}"),
        other => format!("{other:?}"),
    });
    let wanted = ["[1, 2]", "ack 3", "[3]", "[4]", "[5, 6]", "[7, 8]"];
    assert_eq!(effects.collect::<Vec<_>>(), wanted);
    scene.registry.rewind(1, []);
    let mut batch = said(&mut scene);
    scene.registry.rewind(1, [&mut batch]);
    let refused = |slot| format!("{slot}: not_recorded");
    assert_eq!(lines(batch), [1, 1, 1, 1, 1, 1, 2, 2].map(refused));
}

#[test]
fn what_was_not_recorded_frees_its_number_and_its_id() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("ana", None));
    scene.asks(ANA, Some("a"), say(None, "a"));
    scene.asks(ANA, Some("b"), say(None, "b"));
    scene.registry.rewind(2, []);
    assert_eq!(scene.asks(ANA, Some("a"), say(None, "a")), ["1: ack 1"]);
    assert_eq!(
        scene.asks(ANA, Some("b"), say(None, "b")),
        ["1: ack 2", "c0: 2 ana>#lobby b"]
    );
}

#[test]
fn channels_come_and_go_with_their_people() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("ana", None));
    scene.does(LUIS, hello("luis", None));
    assert_eq!(scene.does(ANA, join("#x")), ["1 in c1", "1: joined #x ana"]);
    assert_eq!(
        scene.does(LUIS, join("#X")),
        ["c1: joined #x luis", "2 in c1", "2: joined #x luis"]
    );
    assert_eq!(scene.does(LUIS, join("#x")), ["2: joined #x luis"]);
    scene.does(LUIS, join("#y"));
    assert_eq!(scene.does(LUIS, join("#z")), ["2: too_many_channels"]);
    assert_eq!(
        scene.does(LUIS, part("#x")),
        ["c1: left #x luis", "2 out c1"]
    );
    assert_eq!(scene.does(LUIS, part("#x")), ["2: not_in_channel"]);
    assert_eq!(scene.does(LUIS, part("#lobby")), ["2: channel_invalid"]);
    scene.does(ANA, part("#x"));
    assert_eq!(scene.does(ANA, part("#x")), ["1: no_such_channel"]);
}

#[test]
fn a_crowd_is_not_told_who_comes_and_goes() {
    let mut scene = Scene::new(2);
    scene.does(ANA, hello("ana", None));
    assert_eq!(
        scene.does(LUIS, hello("luis", None))[0],
        "c0: joined #lobby luis"
    );
    assert_eq!(
        scene.does(EVA, hello("eva", None)),
        ["3: welcome eva in #lobby", "3 in c0"]
    );
    assert_eq!(scene.does(EVA, rename("eva2")), ["3: renamed eva eva2"]);
    scene.does(EVA, join("#x"));
    scene.does(ANA, join("#x"));
    assert_eq!(
        scene.leaves(EVA),
        ["1: gone eva2 disconnected"],
        "by the small channel they share"
    );
    assert_eq!(scene.leaves(EVA), [""; 0], "said once");
}

#[test]
fn a_token_brings_back_until_its_time_is_over() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("ana", None));
    scene.does(ANA, join("#x"));
    let token = scene.token(ANA);
    assert_eq!(
        scene.does(LUIS, hello("ana", Some(token))),
        [
            "1: replaced",
            "1 closes",
            "2: welcome ana in #lobby,#x back",
            "2 in c0",
            "2 in c1"
        ]
    );
    scene.leaves(LUIS);
    scene.seconds += 59;
    let back = scene.does(EVA, hello("Ana", Some(token)));
    assert_eq!(
        back,
        ["3: welcome Ana in #lobby,#x back", "3 in c0", "3 in c1"]
    );
    scene.leaves(EVA);
    scene.seconds += 60;
    assert_eq!(
        scene.does(ANA, hello("ana", Some(token))),
        ["1: welcome ana in #lobby", "1 in c0"]
    );
}

/// The window of an earlier absence does not shorten a later one of the same token.
#[test]
fn the_time_to_come_back_begins_with_each_going() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("ana", None));
    scene.does(ANA, join("#x"));
    let token = scene.token(ANA);
    for seconds in [59, 2, 59] {
        scene.leaves(ANA);
        scene.seconds += seconds;
        let back = scene.does(ANA, hello("ana", Some(token)));
        assert_eq!(back[0], "1: welcome ana in #lobby,#x back", "{seconds}");
    }
    scene.seconds += 61;
    scene.leaves(ANA);
    scene.seconds += 1;
    let back = scene.does(ANA, hello("ana", Some(token)));
    assert_eq!(back[0], "1: welcome ana in #lobby,#x back");
}

#[test]
fn a_token_ends_with_a_goodbye_and_when_the_nick_is_taken() {
    let mut scene = Scene::new(10);
    scene.does(ANA, hello("ana", None));
    let token = scene.token(ANA);
    scene.leaves(ANA);
    scene.does(LUIS, hello("ana", None));
    assert_eq!(
        scene.does(ANA, hello("ana", Some(token))),
        ["1: nick_taken"]
    );
    let token = scene.token(LUIS);
    let before = scene.registry.change_count();
    scene.does(LUIS, Command::Quit { reason: None });
    assert!(
        scene.registry.change_count() > before,
        "`bye` waits until it is kept"
    );
    assert_eq!(
        scene.does(LUIS, hello("ana", Some(token))),
        ["2: welcome ana in #lobby", "2 in c0"]
    );
}

#[test]
fn only_so_many_who_have_gone_are_remembered() {
    let mut scene = Scene::new(0);
    let mut tokens = Vec::new();
    for nick in ["one", "two", "three"] {
        scene.does(ANA, hello(nick, None));
        tokens.push(scene.token(ANA));
        scene.leaves(ANA);
    }
    assert!(!scene.does(ANA, hello("one", Some(tokens[0])))[0].contains("back"));
    assert!(scene.does(LUIS, hello("three", Some(tokens[2])))[0].contains("back"));
}

#[test]
fn pages_of_users_are_sorted_and_bounded_by_the_frame() {
    let mut scene = Scene::new(0);
    for number in 0..500 {
        let session = SessionId {
            slot: number + 10,
            generation: number + 10,
        };
        // 32 letters of four bytes each: 500 of these nicks exceed a frame.
        let digits = format!("{number:032}");
        let nick: String = digits
            .chars()
            .map(|digit| char::from_u32(0x10300 + u32::from(digit)).unwrap())
            .collect();
        scene.does(session, hello(&nick, None));
    }
    let ask = |after: Option<&str>| Command::Users {
        channel: "#lobby".into(),
        after: after.map(Into::into),
        limit: 500,
    };
    let page = |line: &str| {
        let mut words = line.split(' ').skip(2);
        let users: Vec<String> = words.next().unwrap().split(',').map(Into::into).collect();
        (
            users,
            words.next().unwrap().to_owned(),
            words.next().unwrap().to_owned(),
        )
    };
    let session = SessionId {
        slot: 10,
        generation: 10,
    };
    let (first, total, more) = page(&scene.does(session, ask(None))[0]);
    assert_eq!((total.as_str(), more.as_str()), ("500", "true"));
    let (rest, _, more) = page(&scene.does(session, ask(first.last().map(String::as_str)))[0]);
    assert_eq!((first.len() + rest.len(), more.as_str()), (500, "false"));
    assert!(first.iter().chain(&rest).is_sorted());
}

/// A list with the longest channel and the longest `id` around it fits into a frame.
#[test]
fn what_stands_around_a_list_leaves_it_its_room() {
    let around = Event::Users {
        channel: format!("#{}", "\u{1f600}".repeat(63)).into(),
        users: Vec::new(),
        total: usize::MAX,
        more: false,
        id: Some("\u{1}".repeat(64).into()),
    };
    let bytes = serde_json::to_vec(&around).unwrap().len();
    assert!(
        bytes + queries::LIST_BYTES <= chat_proto::MAX_FRAME_BYTES,
        "{bytes}"
    );
}
