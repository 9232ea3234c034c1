//! The page in a real browser: Debian's Chromium and its driver, over WebDriver.
//!
//! | file | what |
//! | --- | --- |
//! | [`browser`] | a browser of its own for each person, and what that person does and sees |
//! | [`entering`] | names, passwords, languages |
//! | [`talking`] | conversations, with each other and with the client for terminals |
//! | [`returning`] | lost connections, reloads, a server that was killed |
//! | [`typing`] | drafts, commands, input methods, indented text |
//! | [`holding`] | closing servers, half-open connections, clocks |
//! | [`unread`] | what is new, and days |
//! | [`scripts`] | mentions, directions, words, plurals, times |
//! | [`colours`] | of nicks |
//! | [`reading`] | much that was said |
//! | [`looking`] | on what screen, in what light, without a mouse, without seeing it |
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod colours;
mod entering;
mod holding;
mod looking;
mod reading;
mod returning;
mod scripts;
#[path = "../support/mod.rs"]
mod support;
mod talking;
mod typing;
mod unread;

use support::{Home, Server, TestClient};

/// A server with a page that keeps its address over a restart.
fn home(limits: &str) -> (Home, Server) {
    let home = Home::new(limits);
    home.configure("[listen]\n", "[listen]\nweb = \"127.0.0.1:0\"\n");
    let server = home.start();
    let address = server.web_address.unwrap();
    home.configure("web = \"127.0.0.1:0\"\n", &format!("web = \"{address}\"\n"));
    (home, server)
}

/// Somebody without a browser says something, and it is recorded.
fn tells(client: &mut TestClient, to: &str, text: &str, id: &str) {
    client.say(to, text, id);
    let answers = [client.next(), client.next()].map(|answer| answer["type"].clone());
    assert!(answers.contains(&"ack".into()) && answers.contains(&"message".into()));
}
