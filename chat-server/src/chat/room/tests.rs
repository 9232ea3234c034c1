//! The room among actors that stand in for everyone it speaks to.

use std::time::Duration;

use chat_proto::{Nick, Text};
use tokio::sync::mpsc;

use super::*;
use crate::chat::command::{Command, Hello, Say};
use crate::vital::Watch;

/// In the place of all whom the room speaks to: tells the bytes that are recorded together.
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

impl Handler<Keep> for Probe {
    type Result = ();

    fn handle(&mut self, _: Keep, _: &mut Self::Context) {
        self.room.as_ref().unwrap().do_send(Kept);
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
        absent_max: 2,
        batch_bytes,
        operators: Default::default(),
    }
}

/// Readers with little room for what waits were let go by one batch that did not fit.
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
    let hello = Request {
        id: None,
        command: Command::Hello(Box::new(Hello {
            nick: Some(Nick::new("Ana").unwrap()),
            token: None,
            after: None,
            account: None,
            origin: std::net::IpAddr::from([192, 0, 2, 1]).into(),
        })),
    };
    actix::System::new().block_on(async {
        let (recorded, mut pieces) = mpsc::unbounded_channel();
        let probe = Probe {
            room: None,
            recorded,
        }
        .start();
        let (watch, _failures) = Watch::new();
        let room = ChatRoom::new(
            Registry::new(settings(PIECE), 0, []),
            Clock::new(None),
            probe.clone().recipient(),
            probe.clone().recipient(),
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
            requests: std::iter::once(hello)
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
