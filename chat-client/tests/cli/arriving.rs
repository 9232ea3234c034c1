//! From the command line to being in.

use super::*;

#[test]
fn hello_names_the_nick_and_the_program() {
    let server = FakeServer::start();
    let client = Client::of(&server, "bot", &[]);
    let mut peer = server.accept();
    let hello = peer.expect("hello");
    let version = concat!("chat-client/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        hello,
        json!({"type": "hello", "version": 1, "nick": "bot", "client": version})
    );
    peer.send(&welcome("bot"));
    leave(client, peer);
}

#[test]
fn the_ways_to_name_server_and_nick() {
    let server = FakeServer::start();
    let address = server.address();
    let (host, port) = address.split_once(':').unwrap();
    let by_env = |args: &[&str], variable: &str| {
        let mut command = command(args);
        command.env("CHAT_SERVER", variable).env("CHAT_NICK", "bot");
        command
    };
    for mut command in [
        command(&[&address, "--nick", "bot"]),
        command(&["--server", &address, "-n", "bot"]),
        command(&["-i", host, "-p", port, "--nick", "bot"]),
        command(&["--ip-address", host, "--port", port, "--nick", "bot"]),
        command(&["-p", port, "--nick", "bot"]),
        command(&[&format!("localhost:{port}"), "--nick", "bot"]),
        by_env(&[], &address),
        by_env(&["--server", &address], "127.0.0.1:1"),
        by_env(&["-p", port], "[not an address"),
    ] {
        let client = Client::spawn(&mut command);
        let mut peer = server.accept();
        assert_eq!(peer.expect("hello")["nick"], "bot");
        peer.send(&welcome("bot"));
        leave(client, peer);
    }
}

#[test]
fn over_ipv6() {
    let Some(server) = FakeServer::on("[::1]:0") else {
        // A machine without IPv6 has nothing to show here.
        return;
    };
    let port = server.address().rsplit_once(':').unwrap().1.to_owned();
    for args in [
        &[&*format!("[::1]:{port}"), "-n", "bot"][..],
        &["::1", "-p", &port, "-n", "bot"],
        &["-i", "::1", "-p", &port, "-n", "bot"],
    ] {
        let client = Client::start(args);
        let peer = server.greet();
        leave(client, peer);
    }
}

#[test]
fn wrong_usage_is_2() {
    for args in [
        &["one", "two"][..],
        &["--nick"],
        &["host:port"],
        &["--unknown"],
        &["-p", "0"],
    ] {
        let (code, out, err) = Client::start(args).end();
        assert_eq!((code, out.len()), (Some(2), 0), "{args:?}");
        assert!(err[0].starts_with("error: "), "{err:?}");
    }
}

#[test]
fn help_and_version() {
    let (code, out, _) = Client::start(&["--version"]).end();
    assert_eq!(code, Some(0));
    assert_eq!(out, [concat!("chat-client ", env!("CARGO_PKG_VERSION"))]);
    let (code, out, _) = Client::start(&["--help"]).end();
    assert_eq!(code, Some(0));
    let help = out.join("\n");
    for said in [
        "--nick",
        "--server",
        "--json",
        "--plain",
        "--utc",
        "CHAT_SERVER",
        "CHAT_NICK",
        "12345",
        "Example:",
        "Exit codes:",
    ] {
        assert!(help.contains(said), "{said} in\n{help}");
    }
}

#[test]
fn a_connection_that_is_refused_is_1() {
    let address = FakeServer::start().address();
    let client = Client::start(&[&address, "--nick", "bot"]);
    let (code, out, err) = client.end();
    assert_eq!((code, out.len(), err.len()), (Some(1), 0, 1));
    let begins = format!("! connection_refused: {address}: ");
    assert!(err[0].starts_with(&begins), "{err:?}");
}

#[test]
fn a_refused_nick_is_3() {
    for code in ["nick_taken", "nick_invalid", "auth_failed"] {
        let server = FakeServer::start();
        let client = Client::of(&server, "bot", &[]);
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&error(code, &Value::Null));
        let line = format!("! {code}: as the server says");
        assert_eq!(client.end(), (Some(3), vec![], vec![line]));
    }
    // One that no server takes is not even asked for.
    let server = FakeServer::start();
    for nick in ["7up", "two words", "", "#x"] {
        let client = Client::of(&server, nick, &[]);
        client.complains("nick_invalid");
        client.ends_with(3);
    }
}

#[test]
fn without_a_nick_a_pipe_is_given_one() {
    let server = FakeServer::start();
    let mut client = Client::spawn(command(&[&server.address()]).env("CHAT_NICK", ""));
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello").get("nick"), None);
    peer.send(&welcome("User4F2K1A"));
    client.shows("* you are User4F2K1A on fake/1");
    client.end_input();
    peer.goodbye();
    client.ends_with(0);
}

#[test]
fn the_news_of_the_day() {
    let server = FakeServer::start();
    let client = Client::of(&server, "bot", &[]);
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&welcome_with("bot", &json!({"motd": "hola\u{7}\na todos"})));
    client.shows("* hola\\u{7}");
    client.shows("    a todos");
    leave(client, peer);
}

#[test]
fn a_server_that_is_full_is_1() {
    let server = FakeServer::start();
    let client = Client::of(&server, "bot", &[]);
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&error("server_full", &Value::Null));
    drop(peer);
    client.complains("server_full");
    client.complains("connection_lost");
    client.ends_with(1);
}

#[test]
fn a_zone_that_is_not_there() {
    let client = Client::start(&["[fe80::1%nope0]:7", "--nick", "bot"]);
    let (code, _, err) = client.end();
    assert_eq!(code, Some(1));
    assert!(err[0].contains("no network interface nope0"), "{err:?}");
}

#[test]
fn a_nick_where_the_server_is_named() {
    let asks = "did you mean --nick ana?";
    for (args, asked) in [
        (&["ana"][..], true),
        (&["ana", "--nick", "luis"], false),
        (&["--server", "ana"], false),
        (&["ana.invalid"], false),
    ] {
        let (code, out, err) = Client::start(args).end();
        assert_eq!((code, out.len(), err.len()), (Some(1), 0, 1), "{err:?}");
        assert!(err[0].contains("there is no host of that name"), "{err:?}");
        assert_eq!(err[0].ends_with(asks), asked, "{err:?}");
    }
}
