//! The real binary in a pipe, against a scripted server: what a script can count on.

#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod arriving;
mod away;
mod commands;
mod ending;
mod hostile;
mod json_mode;
mod output;
mod settings;
mod tasks;

use serde_json::{Value, json};
use support::{Client, FakeServer, Peer, TIME, command, error, message, welcome, welcome_with};

/// A bot that is in, and the server's side of it.
fn bot(server: &FakeServer, args: &[&str]) -> (Client, Peer) {
    let client = Client::of(server, "bot", args);
    let peer = server.greet();
    (client, peer)
}

fn leave(mut client: Client, peer: Peer) {
    client.end_input();
    peer.goodbye();
    client.ends_with(0);
}

/// The bot enters #rust, and is there.
fn enter_rust(client: &mut Client, peer: &mut Peer) {
    client.type_line("/join #rust");
    peer.expect("join");
    peer.send(&json!({"type": "joined", "channel": "#rust", "nick": "bot", "time": TIME}));
    client.shows("* bot joined #rust");
}
