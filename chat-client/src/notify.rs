//! Decides whether a message triggers a notification, and sends it: bell, notification, title. Only
//! [`Notifier`] does I/O.
//!
//! Direct messages and mentions of the own nick do; own, replayed and visible messages and those of
//! a conversation that is [muted](crate::read_state::ReadState::mute) do not.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chat_proto::mention::mentions;
use chat_proto::name::fold;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::text::escape::is_escaped;

/// The least time between two notifications.
const PAUSE: Duration = Duration::from_secs(2);

/// The most of a notification that is shown, in characters.
const MAX_TITLE: usize = 64;
const MAX_BODY: usize = 200;

/// A message, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct NotifyContext<'a> {
    /// Who wrote it.
    pub from: &'a str,
    /// A channel or a nick.
    pub to: &'a str,
    /// What.
    pub text: &'a str,
    /// The own nick.
    pub me: &'a str,
    /// It is of the past: a page of the history, or what was missed meanwhile.
    pub replayed: bool,
    /// Its conversation is quiet.
    pub muted: bool,
    /// Its end of the conversation is on the screen, and the terminal is known to have the focus.
    pub watched: bool,
}

/// The relevance of a message to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relevance {
    /// An own message.
    Own,
    /// Neither a mention nor direct.
    Plain,
    /// It mentions the own nick.
    Mention,
    /// A direct message.
    Direct,
}

impl NotifyContext<'_> {
    /// Returns its relevance, whether it is live or replayed.
    pub fn mark(&self) -> Relevance {
        if fold(self.from) == fold(self.me) {
            Relevance::Own
        } else if !self.to.starts_with('#') {
            Relevance::Direct
        } else if mentions(self.text, self.me) {
            Relevance::Mention
        } else {
            Relevance::Plain
        }
    }

    /// Returns whether it triggers a notification.
    pub fn should_notify(&self) -> bool {
        self.mark() >= Relevance::Mention && !self.replayed && !self.muted && !self.watched
    }
}

/// How this terminal is told of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyBackend {
    /// The sequence of iTerm2, which WezTerm, kitty, Ghostty and others know too.
    Osc9,
    /// The one of rxvt-unicode: foot, VTE.
    Osc777,
    /// A program of the desktop: `notify-send`, which is there.
    Program(PathBuf),
    /// There is nothing but the bell.
    Bell,
}

impl NotifyBackend {
    /// What the environment tells. A terminal that is not known is told nothing that it might
    /// print.
    pub fn of(environment: impl Fn(&str) -> Option<OsString>) -> Self {
        let value = |name| {
            environment(name)
                .unwrap_or_default()
                .into_string()
                .unwrap_or_default()
        };
        let there = |name| environment(name).is_some_and(|value| !value.is_empty());
        let term = value("TERM");
        let program = value("TERM_PROGRAM").to_lowercase();
        // Inside of tmux or screen the terminal does not hear it.
        let multiplexed =
            there("TMUX") || there("STY") || term.starts_with("screen") || term.starts_with("tmux");
        if !multiplexed {
            if matches!(&*program, "iterm.app" | "wezterm" | "ghostty")
                || ["xterm-kitty", "xterm-ghostty", "wezterm"].contains(&&*term)
            {
                return Self::Osc9;
            }
            if term.starts_with("foot") || term.starts_with("rxvt-unicode") || there("VTE_VERSION")
            {
                return Self::Osc777;
            }
        }
        let desktop = ["DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY", "DISPLAY"];
        let far = there("SSH_CONNECTION");
        let program = path_of("notify-send", environment("PATH").as_ref());
        match program.filter(|_| !far && desktop.into_iter().any(there)) {
            Some(program) => Self::Program(program),
            None => Self::Bell,
        }
    }
}

fn path_of(program: &str, path: Option<&OsString>) -> Option<PathBuf> {
    let folders = path.map(std::env::split_paths).into_iter().flatten();
    let mut files = folders.map(|folder| folder.join(program));
    files.find(|file| {
        let found = file.metadata();
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    })
}

/// Calls, within measure.
#[derive(Debug)]
pub struct Notifier {
    bell: bool,
    /// `None` if notifications are off.
    route: Option<NotifyBackend>,
    last: Option<Instant>,
    running: Option<Child>,
}

impl Notifier {
    /// What rings, and how one is notified.
    pub fn new(bell: bool, route: Option<NotifyBackend>) -> Self {
        Self {
            bell,
            route,
            last: None,
            running: None,
        }
    }

    /// Returns the sequences to send to the terminal for a message, if it
    /// [triggers a notification](NotifyContext::should_notify).
    pub fn call(&mut self, arrival: &NotifyContext<'_>, now: Instant) -> String {
        let rests = self
            .last
            .is_some_and(|last| now.duration_since(last) < PAUSE);
        if rests || !arrival.should_notify() {
            return String::new();
        }
        self.last = Some(now);
        let mut sequence = String::new();
        if self.bell {
            sequence.push('\x07');
        }
        let (title, body) = words(arrival);
        match &self.route {
            Some(NotifyBackend::Osc9) => sequence += &format!("\x1b]9;chat: {title}: {body}\x07"),
            Some(NotifyBackend::Osc777) => {
                // A semicolon is where the body begins.
                let title = title.replace(';', ",");
                sequence += &format!("\x1b]777;notify;{title};{body}\x07");
            }
            Some(NotifyBackend::Program(program)) => {
                self.running = send(program, &title, &body, self.running.take())
            }
            Some(NotifyBackend::Bell) | None => {}
        }
        sequence
    }
}

/// Has the desktop told. While it is at the last one a further one is left out: it takes no part in
/// the chat how fast that is.
fn send(program: &Path, title: &str, body: &str, running: Option<Child>) -> Option<Child> {
    if let Some(mut running) = running
        && matches!(running.try_wait(), Ok(None))
    {
        return Some(running);
    }
    // The body is a kind of HTML (Desktop Notifications Specification).
    let body = body
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let started = Command::new(program)
        .args(["--app-name=chat", "--", title, &body])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started
        .inspect_err(|error| log::debug!("{}: {error}", program.display()))
        .ok()
}

/// The title and the body of a notification, safe to be sent.
fn words(arrival: &NotifyContext<'_>) -> (String, String) {
    let from = plain(arrival.from, MAX_TITLE);
    let title = if arrival.mark() == Relevance::Direct {
        from
    } else {
        format!("{from} in {}", plain(arrival.to, MAX_TITLE))
    };
    (title, plain(arrival.text, MAX_BODY))
}

/// `text` on one line, without anything that could end or begin a sequence, and not longer than
/// `most`.
fn plain(text: &str, most: usize) -> String {
    let blank = text.replace(is_escaped, " ");
    let mut clusters = blank.trim().graphemes(true);
    // A character may be as long as one likes to make it.
    let mut kept: String = clusters
        .by_ref()
        .take(most)
        .flat_map(|cluster| cluster.chars().take(16))
        .collect();
    if clusters.next().is_some() {
        kept.push('…');
    }
    kept
}

/// Has the terminal remember its title.
pub const SAVE_TITLE: &str = "\x1b[22;2t";

/// Gives the terminal the title back that it had.
pub const RESTORE_TITLE: &str = "\x1b[23;2t";

/// The title of the terminal: where one is, behind how much one has not read.
pub fn title(place: &str, unread: usize, mentions: usize) -> String {
    let place = plain(place, MAX_TITLE);
    let count = match (unread, mentions) {
        (0, _) => String::new(),
        (unread, 0) => format!("({unread}) "),
        (unread, mentions) => format!("({unread}, {mentions} for you) "),
    };
    format!("\x1b]2;{count}{place} - chat\x07")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival<'a>(from: &'a str, to: &'a str, text: &'a str) -> NotifyContext<'a> {
        NotifyContext {
            from,
            to,
            text,
            me: "ana",
            replayed: false,
            muted: false,
            watched: false,
        }
    }

    #[test]
    fn what_is_meant_for_oneself() {
        for (from, to, text, mark) in [
            ("luis", "#lobby", "hola", Relevance::Plain),
            ("luis", "#lobby", "hola ana", Relevance::Mention),
            ("luis", "ana", "hola", Relevance::Direct),
            ("ANA", "#lobby", "I am ana", Relevance::Own),
            ("ana", "luis", "hola", Relevance::Own),
            // Somebody who writes to oneself, in the words of a server that shows others' letters.
            ("luis", "maria", "hola", Relevance::Direct),
        ] {
            let arrival = arrival(from, to, text);
            assert_eq!(arrival.mark(), mark, "{arrival:?}");
            assert_eq!(
                arrival.should_notify(),
                mark >= Relevance::Mention,
                "{arrival:?}"
            );
            for quiet in [
                NotifyContext {
                    replayed: true,
                    ..arrival
                },
                NotifyContext {
                    muted: true,
                    ..arrival
                },
                NotifyContext {
                    watched: true,
                    ..arrival
                },
            ] {
                assert!(!quiet.should_notify(), "{quiet:?}");
                assert_eq!(Notifier::new(true, None).call(&quiet, Instant::now()), "");
            }
        }
    }

    #[test]
    fn which_way_a_notification_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let route = |variables: &[(&str, &str)]| {
            NotifyBackend::of(|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| value.into())
            })
        };
        for (variables, want) in [
            (&[("TERM", "xterm-256color")][..], NotifyBackend::Bell),
            (&[("TERM", "xterm-kitty")], NotifyBackend::Osc9),
            (&[("TERM_PROGRAM", "iTerm.app")], NotifyBackend::Osc9),
            (
                &[("TERM_PROGRAM", "WezTerm"), ("TMUX", "/tmp/x")],
                NotifyBackend::Bell,
            ),
            (&[("TERM", "foot-extra")], NotifyBackend::Osc777),
            (&[("VTE_VERSION", "7200")], NotifyBackend::Osc777),
            (
                &[("TERM", "tmux-256color"), ("VTE_VERSION", "7200")],
                NotifyBackend::Bell,
            ),
            (
                &[("TERM", "linux"), ("DISPLAY", ":0"), ("PATH", path)],
                NotifyBackend::Bell,
            ),
            (&[], NotifyBackend::Bell),
        ] {
            assert_eq!(route(variables), want, "{variables:?}");
        }
        let program = folder.path().join("notify-send");
        std::fs::write(&program, "").unwrap();
        assert_eq!(
            route(&[("DISPLAY", ":0"), ("PATH", path)]),
            NotifyBackend::Bell
        );
        make_program(&program, "");
        let there = NotifyBackend::Program(program);
        assert_eq!(route(&[("DISPLAY", ":0"), ("PATH", path)]), there);
        let far = [("DISPLAY", ":0"), ("PATH", path), ("SSH_CONNECTION", "x")];
        assert_eq!(route(&far), NotifyBackend::Bell);
        assert_eq!(route(&[("PATH", path)]), NotifyBackend::Bell);
    }

    fn make_program(file: &Path, script: &str) {
        std::fs::write(file, script).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn what_the_desktop_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("notify-send");
        let told = folder.path().join("told");
        // Whatever is in a message is an argument, and neither a flag nor markup.
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" >{}\n", told.display());
        make_program(&program, &script);
        let mut notifier = Notifier::new(true, Some(NotifyBackend::Program(program)));
        let evil = arrival("--help", "ana", "<b>$(id)</b> & `id`");
        assert_eq!(notifier.call(&evil, Instant::now()), "\x07");
        assert!(notifier.running.take().unwrap().wait().unwrap().success());
        let told = std::fs::read_to_string(told).unwrap();
        assert_eq!(
            told,
            "--app-name=chat\n--\n--help\n&lt;b&gt;$(id)&lt;/b&gt; &amp; `id`\n"
        );

        // One that hangs is not started again and again.
        let spawn = Command::new("cat").stdin(Stdio::piped()).spawn();
        let mut slow = spawn.unwrap();
        let (id, input) = (slow.id(), slow.stdin.take());
        let (once, never) = (Path::new("/bin/true"), Path::new("/nonexistent"));
        let mut slow = send(once, "a", "b", Some(slow)).unwrap();
        assert_eq!(slow.id(), id);
        drop(input);
        slow.wait().unwrap();
        let mut next = send(once, "a", "b", Some(slow)).unwrap();
        assert_ne!(next.id(), id);
        next.wait().unwrap();
        assert!(send(never, "a", "b", Some(next)).is_none());
    }

    #[test]
    fn what_the_terminal_is_sent() {
        let direct = arrival("luis", "ana", "a;b <b>");
        let mention = arrival("luis", "#a;b", "ana: hola");
        for (route, arrival, want) in [
            (None, direct, "\x07"),
            (Some(NotifyBackend::Bell), direct, "\x07"),
            (
                Some(NotifyBackend::Osc9),
                direct,
                "\x07\x1b]9;chat: luis: a;b <b>\x07",
            ),
            (
                Some(NotifyBackend::Osc777),
                mention,
                "\x07\x1b]777;notify;luis in #a,b;ana: hola\x07",
            ),
        ] {
            assert_eq!(
                Notifier::new(true, route).call(&arrival, Instant::now()),
                want
            );
        }
        assert_eq!(Notifier::new(false, None).call(&direct, Instant::now()), "");
        assert_eq!(title("#lobby", 0, 0), "\x1b]2;#lobby - chat\x07");
        assert_eq!(title("#lobby", 3, 0), "\x1b]2;(3) #lobby - chat\x07");
        assert_eq!(
            title("#lobby", 3, 1),
            "\x1b]2;(3, 1 for you) #lobby - chat\x07"
        );
    }

    /// Whatever a server lets through, there is one sequence, and it ends where it is to end.
    #[test]
    fn nobody_breaks_out_of_a_sequence() {
        let evil: String = (0..0x2100u32).filter_map(char::from_u32).collect();
        let evil = format!(
            "x\x07\x1b]0;y\x1b\\\u{9c}\u{9d}{evil}{}",
            "e\u{301}".repeat(9000)
        );
        let long = format!("a{}", "\u{301}".repeat(100_000));
        for text in [&evil, &long] {
            for route in [NotifyBackend::Osc9, NotifyBackend::Osc777] {
                let sent = Notifier::new(false, Some(route))
                    .call(&arrival(text, "ana", text), Instant::now());
                let inside = sent
                    .strip_prefix("\x1b]")
                    .unwrap()
                    .strip_suffix('\x07')
                    .unwrap();
                assert!(!inside.contains(is_escaped), "{inside:?}");
                assert!(sent.len() < 10_000, "{}", sent.len());
            }
            let title = title(text, 1, 1);
            let inside = title
                .strip_prefix("\x1b]2;")
                .unwrap()
                .strip_suffix('\x07')
                .unwrap();
            assert!(!inside.contains(is_escaped), "{inside:?}");
        }
    }

    #[test]
    fn a_hundred_lines_call_once() {
        let mut notifier = Notifier::new(true, None);
        let direct = arrival("luis", "ana", "hola");
        let begin = Instant::now();
        let calls = (0..100).filter(|n| {
            let now = begin + Duration::from_millis(50 * n);
            !notifier.call(&direct, now).is_empty()
        });
        // At 0, 2 and 4 seconds.
        assert_eq!(calls.count(), 3);
    }
}
