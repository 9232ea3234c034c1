//! The recorder with an indexer that is busy.

use std::sync::mpsc;

use chat_proto::{Text, Timestamp, Words};

use super::*;
use crate::chat::SessionId;
use crate::chat::batch::{Batch, NewMessage};
use crate::chat::effect::Audience;
use crate::metrics::Metrics;
use crate::store::index::indexer::Indexer;
use crate::store::index::{Index, IndexStatus, path_of};
use crate::store::log::Log;
use crate::telemetry::supervisor::FailureMonitor;

const DEADLINE: Duration = Duration::from_secs(20);

const ANA: SessionId = SessionId {
    slot: 1,
    generation: 1,
};

/// In the place of the room.
struct Room;

impl Actor for Room {
    type Context = Context<Self>;
}

impl Handler<Appended> for Room {
    type Result = ();

    fn handle(&mut self, Appended { recorded }: Appended, _: &mut Self::Context) {
        assert!(recorded);
    }
}

/// Hand on now what waits for a moment.
#[derive(Message)]
#[rtype(result = "()")]
struct SendChunks;

impl Handler<SendChunks> for Recorder {
    type Result = ();

    fn handle(&mut self, SendChunks: SendChunks, _: &mut Self::Context) {
        self.send_chunks();
    }
}

/// In the place of the indexer: deals with nothing before it may, then tells what it was told.
struct Busy {
    is_ready: mpsc::Sender<()>,
    may: mpsc::Receiver<()>,
    tell: mpsc::Sender<LogAppended>,
}

impl Actor for Busy {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(1);
        self.is_ready.send(()).unwrap();
    }
}

impl Handler<LogAppended> for Busy {
    type Result = ();

    fn handle(&mut self, grown: LogAppended, _: &mut Self::Context) {
        // An error means that it may.
        self.may.recv().ok();
        self.tell.send(grown).unwrap();
    }
}

/// The next messages, more than a chunk of them.
fn append(first_seq: u64) -> Append {
    let (mut batch, mut words) = (Batch::default(), Words::default());
    let saying = words.say(&"x".repeat(200), Text::MAX_BYTES, None).unwrap();
    for seq in first_seq..first_seq + 1000 {
        let said = NewMessage {
            seq,
            time: Timestamp::from_millis(0),
            from: "Ana",
            to: "#lobby",
            words: &words,
            saying,
            id: None,
        };
        batch.message(&said, ANA, Audience::Channel(0));
    }
    Append {
        frames: batch.frames(),
        first_seq,
        talks: batch.take_talks(),
    }
}

fn new_file(path: &std::path::Path) -> File {
    let options = File::options()
        .read(true)
        .create(true)
        .append(true)
        .to_owned();
    options.open(path).unwrap()
}

#[test]
fn what_the_indexer_has_no_room_for_it_reads_from_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let history = History {
        path: dir.path().join("log"),
        ..History::default()
    };
    let file = new_file(&history.path);
    actix::System::new().block_on(async {
        let ((let_it, may), (tell, told)) = (mpsc::channel(), mpsc::channel());
        let (is_ready, ready) = mpsc::channel();
        let busy = Busy {
            is_ready,
            may,
            tell,
        };
        let busy = Busy::start_in_arbiter(&Arbiter::new().handle(), |_| busy);
        ready.recv_timeout(DEADLINE).unwrap();
        let end = RecordedEnd::default();
        let (watch, _failures) = FailureMonitor::new();
        let (file, last_seq) = (Arc::new(file), 0);
        let written = OpenHistory {
            file,
            end: end.clone(),
            last_seq,
        };
        let recorder = Recorder::new(
            written,
            &history,
            Room.start().recipient(),
            Some(busy.recipient()),
            Metrics::new(1, end.clone(), &Health::default())
                .recorder
                .clone(),
            watch.over("recorder"),
        )
        .unwrap()
        .start();
        for batch in 0..8 {
            recorder.send(append(1 + batch * 1000)).await.unwrap();
            recorder.send(SendChunks).await.unwrap();
        }
        drop(let_it);

        let log = Log::open(&history.path).unwrap();
        let path = path_of(&history.path);
        let indexer = Indexer::new(&path, log, end.clone(), IndexStatus::default()).start();
        let (mut by, mut to) = (0, 0);
        while by + to < 9 {
            let grown = told.recv_timeout(DEADLINE).unwrap();
            match grown {
                LogAppended::Chunks(_) => by += 1,
                LogAppended::UpTo(_) => to += 1,
            }
            indexer.send(grown).await.unwrap();
        }
        // The first one is about what was there at the start.
        assert!(by > 0 && to > 1, "{by} {to}");
        let indexed_up_to = Index::reader(&path).unwrap().indexed_up_to().unwrap();
        // But for less than a chunk that it was told of, and one that is not whole.
        assert!(
            end.get() - indexed_up_to.end < 512 * 1024,
            "{indexed_up_to:?}"
        );
    });
}
