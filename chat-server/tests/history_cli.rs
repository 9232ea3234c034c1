//! `chat-server history` on logs as servers, crashes and editors leave them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

const LINES: [&str; 3] = [
    r##"{"type":"message","seq":1,"time":"2026-11-23T18:50:00.123Z","from":"ana","to":"#lobby","text":"hola","id":"k"}"##,
    r#"{"type":"message","seq":2,"time":"2026-11-23T18:50:01.000Z","from":"luis","to":"ana","text":"a, \"b\""}"#,
    r##"{"type":"message","seq":3,"time":"2026-11-23T18:50:02.000Z","from":"luis","to":"#rust","text":"¡sí!"}"##,
];

fn history(folder: &Path, log: &str, args: &[&str]) -> Output {
    std::fs::write(folder.join("chat_history.log"), log).unwrap();
    let program = env!("CARGO_BIN_EXE_chat-server");
    Command::new(program)
        .current_dir(folder)
        .arg("history")
        .args(args)
        .output()
        .unwrap()
}

fn log(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn printed(output: &Output) -> (bool, String) {
    (
        output.status.success(),
        String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap(),
    )
}

#[test]
fn shows_what_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let show = |args: &[&str]| printed(&history(folder.path(), &log(&LINES), args)).1;
    assert_eq!(
        show(&["show", "--utc"]),
        "2026-11-23 18:50:00 #lobby [ana]: hola\n2026-11-23 18:50:01 [luis -> ana]: a, \"b\"\n\
         2026-11-23 18:50:02 #rust [luis]: ¡sí!\n"
    );
    assert_eq!(
        show(&["show", "--utc", "--channel", "#RUST"]),
        "2026-11-23 18:50:02 #rust [luis]: ¡sí!\n"
    );
    assert_eq!(
        show(&["show", "--utc", "--person", "ana"]).lines().count(),
        2
    );
    for (args, count) in [
        (&["show", "--since", "2026-11-23T18:50:02Z"][..], 1),
        (&["show", "--until", "2026-11-23"], 0),
        (&["show", "--since", "1h"], 0),
        (&["show", "--last", "2"], 2),
        (&["show", "--last", "9", "--person", "ana"], 2),
    ] {
        assert_eq!(show(args).lines().count(), count, "{args:?}");
    }
    assert_eq!(
        show(&["show", "--utc", "--last", "1", "--person", "ana"]),
        "2026-11-23 18:50:01 [luis -> ana]: a, \"b\"\n"
    );
}

/// The tail is read from the end: what is damaged before it is not looked at, within it is named.
#[test]
fn the_last_messages_of_another_file_are_read_from_its_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("old"),
        log(&["garbage", LINES[1], LINES[2]]),
    )
    .unwrap();
    let show = |last| {
        let args = ["show", "--utc", "--file", "old", "--last", last];
        printed(&history(folder.path(), "", &args))
    };
    let (done, said) = show("2");
    assert!(done && said.lines().count() == 2, "{said}");
    let (done, said) = show("3");
    assert!(!done && said.contains("old is damaged: line 1:"), "{said}");
}

#[test]
fn verifies_every_line() {
    let folder = tempfile::tempdir().unwrap();
    let verify = |log: &str| printed(&history(folder.path(), log, &["verify"]));
    let (whole, said) = verify(&log(&LINES));
    assert!(whole && said.starts_with("3 messages"), "{said}");
    let times = "from number 1 at 2026-11-23T18:50:00.123Z to number 3 at 2026-11-23T18:50:02.000Z";
    assert!(said.contains(times), "{said}");
    let (whole, said) = verify(&format!("{}{{\"type\":", log(&LINES)));
    assert!(whole && said.contains("8 bytes behind"), "{said}");
    for broken in [
        log(&[LINES[0], "garbage", LINES[1]]),
        log(&[LINES[0], LINES[2]]),
        log(&[LINES[0], ""]),
    ] {
        let (whole, said) = verify(&broken);
        assert!(!whole && said.contains("line 2"), "{said}");
    }
    // A blank nick was legal when older servers recorded it.
    let (whole, said) = verify(&log(&LINES).replace("\"from\":\"", "\"from\":\"\u{2800}"));
    assert!(whole && said.starts_with("3 messages"), "{said}");
}

#[test]
fn exports_for_programs_and_never_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (_, lines) = printed(&history(folder.path(), &log(&LINES), &["export"]));
    assert_eq!(lines, log(&LINES));
    let csv = ["export", "--format", "csv", "--output", "out.csv"];
    assert!(history(folder.path(), &log(&LINES), &csv).status.success());
    let table = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
    assert_eq!(
        table.lines().nth(2).unwrap(),
        "2,2026-11-23T18:50:01.000Z,luis,ana,\"a, \"\"b\"\"\","
    );
    let (done, said) = printed(&history(folder.path(), &log(&LINES), &csv));
    assert!(!done && said.contains("out.csv"), "{said}");
}

/// Who reads along has seen enough, as `head` has: that is no failure.
#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = tempfile::tempdir().unwrap();
    // More than the program gathers before it writes.
    std::fs::write(
        folder.path().join("chat_history.log"),
        log(&LINES[..1].repeat(1_000)),
    )
    .unwrap();
    for args in [&["show"][..], &["export"], &["export", "--format", "csv"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let program = env!("CARGO_BIN_EXE_chat-server");
        let mut command = Command::new(program);
        command.current_dir(folder.path()).arg("history").args(args);
        let ended = command
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert!(
            ended.status.success() && ended.stderr.is_empty(),
            "{args:?}: {ended:?}"
        );
    }
}
