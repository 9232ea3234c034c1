//! One person of the town: arrives, enters a channel, says a first word, talks, is cut off and comes
//! back, says a last word and goes. Knows nothing of sockets.

use std::collections::VecDeque;
use std::time::Instant;

use serde_json::json;

use super::heard::Heard;
use super::tally::{Life, Tally, receipt};

/// The way of a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Says hello for the first time.
    Arriving,
    Entering,
    Here,
    /// Has lost the connection, and comes back at that moment.
    Away(Instant),
    /// Says hello with a token.
    Returning,
    /// Says nothing more but the last word, once all that was said is acked.
    Leaving,
    /// Has heard its own last word.
    Gone,
}

#[derive(Debug)]
struct Said {
    id: String,
    json: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Person {
    pub(super) nick: String,
    pub(super) channel: String,
    pub(super) stage: Stage,
    token: String,
    /// The last message that was seen.
    seen: u64,
    words: u64,
    last_word: Option<String>,
    unacked: VecDeque<Said>,
    first: Option<u64>,
    heard: Tally,
}

/// What came of what was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    Nothing,
    /// Is anybody there?
    Ping,
    /// Welcomed, and wants to enter its channel.
    Entered,
    /// Somebody is in, or back, and has something to say.
    Here,
    Returned,
    Acked(String),
    /// It had been heard before, or something later was.
    Repeated,
    /// The last word was heard.
    Ended,
    /// This must not be.
    Fault(String),
}

impl Person {
    pub(super) fn new(number: usize, life: usize, channel: usize) -> Self {
        Self {
            nick: format!("p{number}x{life}"),
            channel: format!("#c{channel}"),
            stage: Stage::Arriving,
            token: String::new(),
            seen: 0,
            words: 0,
            last_word: None,
            unacked: VecDeque::new(),
            first: None,
            heard: Tally::default(),
        }
    }

    pub(super) fn hello(&self) -> Vec<u8> {
        let mut hello = json!({"type": "hello", "version": 1, "nick": self.nick});
        if !self.token.is_empty() {
            hello["token"] = self.token.as_str().into();
            hello["after"] = self.seen.into();
        }
        hello.to_string().into_bytes()
    }

    pub(super) fn join(&self) -> Vec<u8> {
        let join = json!({"type": "join", "channel": self.channel});
        join.to_string().into_bytes()
    }

    /// The next word, to a channel or a person; kept until it is acked.
    pub(super) fn says(&mut self, to: &str, text: &str) -> &[u8] {
        self.words += 1;
        let id = self.words.to_string();
        let json = json!({"type": "say", "to": to, "text": format!("{id} {text}"), "id": id});
        self.unacked.push_back(Said {
            id,
            json: json.to_string().into_bytes(),
        });
        &self.unacked.back().expect("just put there").json
    }

    /// What was said and not acked, to be said again.
    pub(super) fn says_again(&self) -> impl Iterator<Item = &[u8]> {
        self.unacked.iter().map(|said| &*said.json)
    }

    /// The last word, if it is time for it.
    pub(super) fn last_word(&mut self) -> Option<Vec<u8>> {
        let due = self.stage == Stage::Leaving && self.unacked.is_empty();
        if !due || self.last_word.is_some() {
            return None;
        }
        let channel = self.channel.clone();
        let json = self.says(&channel, "adiós").to_vec();
        self.last_word = Some(self.words.to_string());
        Some(json)
    }

    /// One object of the server, with its bytes.
    pub(super) fn hears(&mut self, heard: &Heard<'_>, bytes: &[u8]) -> Came {
        match &*heard.r#type {
            "message" => self.message(heard, bytes),
            // Without `seq` it acknowledges no message.
            "ack" if heard.seq == 0 => Came::Nothing,
            "ack" => self.settle(&heard.id).map_or(Came::Nothing, |id| {
                Came::Acked(receipt(heard.seq, &self.nick, &id))
            }),
            "error" if heard.code == "no_such_user" => {
                // Whom it was for has gone or is away; it is in nobody's history.
                self.settle(&heard.id);
                Came::Nothing
            }
            "ping" => Came::Ping,
            "bye" if self.stage == Stage::Gone => Came::Nothing,
            "error" | "bye" => Came::Fault(String::from_utf8_lossy(bytes).into_owned()),
            "welcome" if self.stage == Stage::Arriving => {
                (*heard.token).clone_into(&mut self.token);
                self.stage = Stage::Entering;
                Came::Entered
            }
            "welcome" => {
                self.stage = Stage::Here;
                if heard.resumed && !heard.gap {
                    Came::Returned
                } else {
                    Came::Fault(String::from_utf8_lossy(bytes).into_owned())
                }
            }
            "joined" if self.stage == Stage::Entering && heard.nick == self.nick => {
                self.stage = Stage::Here;
                Came::Here
            }
            _ => Came::Nothing,
        }
    }

    fn message(&mut self, heard: &Heard<'_>, bytes: &[u8]) -> Came {
        if heard.seq <= self.seen {
            return Came::Repeated;
        }
        self.seen = heard.seq;
        let own = heard.from == self.nick;
        if own && self.first.is_none() {
            self.first = Some(heard.seq);
        }
        if self.first.is_none() || self.stage == Stage::Gone {
            return Came::Nothing;
        }
        self.heard.add(bytes.trim_ascii_end());
        if own && self.last_word.as_deref() == Some(&*heard.id) {
            self.stage = Stage::Gone;
            return Came::Ended;
        }
        Came::Nothing
    }

    /// What has that id is answered.
    fn settle(&mut self, id: &str) -> Option<String> {
        let at = self.unacked.iter().position(|said| said.id == id)?;
        self.unacked.remove(at).map(|said| said.id)
    }

    /// All that it was, when it has ended.
    pub(super) fn life(&self) -> Life {
        Life {
            nick: self.nick.clone(),
            channel: self.channel.clone(),
            first: self.first.unwrap_or(u64::MAX),
            last: self.seen,
            heard: self.heard,
        }
    }
}
