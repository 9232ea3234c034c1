//! The room, with actors in place of its neighbours.

use std::time::Duration;

use chat_proto::{Nick, Text};
use tokio::sync::mpsc;

use super::*;
use crate::chat::command::{Command, Hello, Say};
use crate::chat::token::LoginRandom;
use crate::telemetry::supervisor::FailureMonitor;

/// Replaces all neighbours of the room, and reports the size of recorded batches.
struct Probe {
    room: Option<Addr<ChatRoom>>,
    recorded: mpsc::UnboundedSender<usize>,
}

impl Actor for Probe {
    type Context = Context<Self>;
}

impl Handler<Append> for Probe {
    type Result = ();

    fn handle(&mut self, Append { frames, .. }: Append, _: &mut Self::Context) {
        self.recorded.send(frames.len()).unwrap();
        let room = self.room.as_ref().unwrap();
        room.do_send(Appended { recorded: true });
    }
}

impl Handler<NoteLag> for Probe {
    type Result = ();

    fn handle(&mut self, _: NoteLag, _: &mut Self::Context) {}
}

impl Handler<Persist> for Probe {
    type Result = ();

    fn handle(&mut self, _: Persist, _: &mut Self::Context) {
        self.room.as_ref().unwrap().do_send(Persisted);
    }
}

impl Handler<Release> for Probe {
    type Result = ();

    fn handle(&mut self, _: Release, _: &mut Self::Context) {}
}

#[derive(Message)]
#[rtype(result = "()")]
struct Meet(Addr<ChatRoom>);

impl Handler<Meet> for Probe {
    type Result = ();

    fn handle(&mut self, Meet(room): Meet, _: &mut Self::Context) {
        self.room = Some(room);
    }
}

fn settings(batch_bytes: usize) -> Settings {
    Settings {
        server: "test/1".into(),
        motd: String::new(),
        presence_max: 500,
        replay_max: 10,
        resume_window: Duration::from_secs(60),
        channels_per_user: 2,
        arrivals_per_second: 0,
        absent_max: 2,
        batch_bytes,
        operators: Default::default(),
    }
}

fn storage<A>(actor: &Addr<A>) -> Storage
where
    A: Actor<Context = Context<A>> + Handler<Append> + Handler<Persist> + Handler<NoteLag>,
{
    Storage {
        recorder: actor.clone().recipient(),
        state_writer: actor.clone().recipient(),
        lag: actor.clone().recipient(),
    }
}

fn hello(nick: &str) -> Request {
    Request {
        id: None,
        command: Command::Hello(Box::new(Hello {
            nick: Some(Nick::new(nick).unwrap()),
            token: None,
            after: None,
            account: None,
            origin: std::net::IpAddr::from([192, 0, 2, 1]).into(),
            random: LoginRandom::generate(),
        })),
    }
}

/// One batch that exceeded the queue of slow readers disconnected them.
#[test]
fn what_arrives_at_once_is_released_in_pieces_that_readers_have_room_for() {
    const PIECE: usize = 16 * 1024;
    let text = "x".repeat(8000);
    let mut words = Words::default();
    let saying = words.say(&text, Text::MAX_BYTES, None).unwrap();
    let say = || Request {
        id: None,
        command: Command::Say(Say {
            to: None,
            saying,
            from: None,
        }),
    };
    actix::System::new().block_on(async {
        let (recorded, mut pieces) = mpsc::unbounded_channel();
        let probe = Probe {
            room: None,
            recorded,
        }
        .start();
        let (watch, _failures) = FailureMonitor::new();
        let room = ChatRoom::new(
            Registry::new(settings(PIECE), 0, []),
            Clock::new(None),
            storage(&probe),
            vec![probe.clone().recipient()],
            Arc::default(),
            watch.over("room"),
        )
        .start();
        probe.do_send(Meet(room.clone()));
        room.do_send(Requests {
            session: SessionId {
                slot: 1,
                generation: 1,
            },
            requests: std::iter::once(hello("Ana"))
                .chain(std::iter::repeat_with(say).take(20))
                .collect(),
            words,
            cost: 21,
        });
        let mut all = 0;
        while all < 20 * text.len() {
            let next = tokio::time::timeout(Duration::from_secs(10), pieces.recv()).await;
            let piece = next.unwrap().unwrap();
            assert!(piece <= PIECE + 8200, "{piece} bytes");
            all += piece;
        }
    });
}

/// A message to a [`FullDisk`].
#[derive(Debug)]
enum Sent {
    Append(u64),
    Persist(Vec<StateChange>),
    Release(Arc<CommittedBatch>),
}

/// A recorder with a full disk, and all other neighbours.
struct FullDisk {
    room: Option<Addr<ChatRoom>>,
    sent: mpsc::UnboundedSender<Sent>,
}

impl Actor for FullDisk {
    type Context = Context<Self>;
}

impl Handler<Append> for FullDisk {
    type Result = ();

    fn handle(&mut self, Append { first_seq, .. }: Append, _: &mut Self::Context) {
        self.sent.send(Sent::Append(first_seq)).unwrap();
        let room = self.room.as_ref().unwrap();
        room.do_send(Appended { recorded: false });
    }
}

impl Handler<NoteLag> for FullDisk {
    type Result = ();

    fn handle(&mut self, _: NoteLag, _: &mut Self::Context) {}
}

impl Handler<Persist> for FullDisk {
    type Result = ();

    fn handle(&mut self, Persist(changes): Persist, _: &mut Self::Context) {
        self.sent.send(Sent::Persist(changes)).unwrap();
        self.room.as_ref().unwrap().do_send(Persisted);
    }
}

impl Handler<Release> for FullDisk {
    type Result = ();

    fn handle(&mut self, Release(released): Release, _: &mut Self::Context) {
        self.sent.send(Sent::Release(released)).unwrap();
    }
}

impl Handler<Meet> for FullDisk {
    type Result = ();

    fn handle(&mut self, Meet(room): Meet, _: &mut Self::Context) {
        self.room = Some(room);
    }
}

/// The observations of a room whose messages are all refused.
#[derive(Debug, Default)]
struct Seen {
    refused: usize,
    is_renamed: bool,
    has_asked: bool,
}

impl Seen {
    /// No number exceeds 7.
    fn sees(&mut self, sent: Sent) {
        match sent {
            Sent::Append(first) => assert_eq!(first, 8),
            Sent::Persist(changes) => {
                for change in changes {
                    let StateChange::SessionSaved(kept) = change else {
                        panic!("{change:?}");
                    };
                    assert_eq!(kept.newest(), 7, "{kept:?}");
                    self.is_renamed |= kept.previous_nicks.len() == 1;
                }
            }
            Sent::Release(released) => {
                let events = String::from_utf8_lossy(&released.events);
                self.refused += events.matches("not_recorded").count();
                for effect in &released.effects {
                    if let Effect::Account { applicant, .. } = effect {
                        assert_eq!(applicant.last_seq, 7);
                        self.has_asked = true;
                    }
                }
            }
        }
    }
}

/// One read with more messages than a batch holds, mixed with other requests. Neither persistent
/// state nor account requests contain the number of a refused message.
#[test]
fn what_is_refused_in_several_batches_leaves_no_number_anywhere() {
    const SAYS: usize = 20;
    let text = "x".repeat(8000);
    let mut words = Words::default();
    let saying = words.say(&text, Text::MAX_BYTES, None).unwrap();
    let say = || {
        Command::Say(Say {
            to: None,
            saying,
            from: None,
        })
    };
    let nick = Nick::new("Anita").unwrap();
    let commands = std::iter::repeat_with(say).take(SAYS);
    let commands = commands.chain([Command::Nick { nick }, say(), Command::Account]);
    let requests = commands.map(|command| Request { id: None, command });
    let requests = Requests {
        session: SessionId {
            slot: 1,
            generation: 1,
        },
        requests: std::iter::once(hello("Ana")).chain(requests).collect(),
        words,
        cost: 1,
    };
    actix::System::new().block_on(async {
        let (sent, mut hears) = mpsc::unbounded_channel();
        let disk = FullDisk { room: None, sent }.start();
        let (watch, _failures) = FailureMonitor::new();
        let room = ChatRoom::new(
            Registry::new(settings(16 * 1024), 7, []),
            Clock::new(None),
            storage(&disk),
            vec![disk.clone().recipient()],
            Arc::default(),
            watch.over("room"),
        )
        .start();
        disk.do_send(Meet(room.clone()));
        room.do_send(requests);
        let mut seen = Seen::default();
        while seen.refused <= SAYS || !seen.is_renamed || !seen.has_asked {
            let next = tokio::time::timeout(Duration::from_secs(10), hears.recv()).await;
            seen.sees(next.unwrap().unwrap());
        }
        assert_eq!(seen.refused, SAYS + 1);
    });
}
