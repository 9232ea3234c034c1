//! The settings file, and what is made from the definition of the command line.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use super::*;

/// What the program prints, with its settings in that folder.
fn printed(folder: &Path, args: &[&str]) -> Output {
    command(args)
        .env("XDG_CONFIG_HOME", folder)
        .output()
        .expect("the client starts")
}

#[test]
fn a_server_by_its_name() {
    let server = FakeServer::start();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("chat")).unwrap();
    let text = format!(
        "server = \"work\"\n[servers.work]\naddress = \"{}\"\nnick = \"anita\"\n",
        server.address()
    );
    std::fs::write(folder.path().join("chat/client.toml"), text).unwrap();
    for (args, nick) in [
        (&["work"][..], "anita"),
        (&[], "anita"),
        (&["--nick", "luis"], "luis"),
    ] {
        let mut client = Client::spawn(command(args).env("XDG_CONFIG_HOME", folder.path()));
        let mut peer = server.accept();
        assert_eq!(peer.expect("hello")["nick"], nick);
        peer.send(&welcome(nick));
        client.end_input();
        peer.goodbye();
        client.ends_with(0);
    }
    // The environment goes before the file, a flag before the environment.
    let mut start = command(&["--nick", "luis"]);
    start
        .env("XDG_CONFIG_HOME", folder.path())
        .env("CHAT_NICK", "maria");
    start.env("CHAT_SERVER", "127.0.0.1:1");
    let client = Client::spawn(&mut start);
    client.complains("connection_refused");
    client.ends_with(1);
}

#[test]
fn what_is_wrong_in_the_file_is_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("chat")).unwrap();
    let file = folder.path().join("chat/client.toml");
    std::fs::write(&file, "nick = \"ana\"\n\n[screen]\nmouse = \"yes\"\n").unwrap();
    for args in [
        &[][..],
        &["send", "hola"],
        &["--config", file.to_str().unwrap()],
    ] {
        let output = printed(folder.path(), args);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains("line 4") && told.contains("mouse"), "{told}");
        assert!(told.contains("client.toml"), "{told}");
    }
    // What says nothing of a server does not read it.
    assert!(printed(folder.path(), &["config"]).status.success());
}

#[test]
fn the_manual_is_a_file_of_settings() {
    let folder = tempfile::tempdir().unwrap();
    let manual = printed(folder.path(), &["config"]);
    assert!(manual.status.success());
    let written = printed(folder.path(), &["config", "--write"]);
    let file = folder.path().join("chat/client.toml");
    let told = String::from_utf8(written.stdout).unwrap();
    assert_eq!(told.trim_end(), file.to_str().unwrap());
    assert_eq!(std::fs::read(&file).unwrap(), manual.stdout);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // It is read again, and never written over.
    std::fs::write(&file, "nick = \"ana\"\n").unwrap();
    let again = printed(folder.path(), &["config", "--write"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "nick = \"ana\"\n");
}

#[test]
fn completions_and_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, words) in [
        ("bash", &["complete -F", "--no-reconnect", "watch"][..]),
        ("zsh", &["#compdef chat-client", "--no-reconnect", "watch"]),
        (
            "fish",
            &["complete -c chat-client", "no-reconnect", "watch"],
        ),
    ] {
        let script =
            String::from_utf8(printed(folder.path(), &["completions", shell]).stdout).unwrap();
        for word in words {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let page = String::from_utf8(printed(folder.path(), &["man"]).stdout).unwrap();
    assert!(page.contains(".TH chat-client 1"), "{page}");
    let pages = folder.path().join("share/man1");
    assert!(
        printed(folder.path(), &["man", pages.to_str().unwrap()])
            .status
            .success()
    );
    for name in ["chat-client.1", "chat-client-send.1", "chat-client-watch.1"] {
        assert!(pages.join(name).is_file(), "{name}");
    }
}
