//! The real binary in a terminal of its own, and what that shows.

use std::io::{Read as _, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::{BINARY, DEADLINE, NOWHERE};

pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    child: Box<dyn Child + Send + Sync>,
    screen: vt100::Parser,
    raw: Vec<u8>,
}

impl Terminal {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::sized(24, 80, args)
    }

    /// In line mode.
    pub(crate) fn sized(rows: u16, cols: u16, args: &[&str]) -> Self {
        let mut command = CommandBuilder::new(BINARY);
        command.args(args);
        command.arg("--plain");
        Self::run(rows, cols, command)
    }

    /// In the full screen, with a state folder of its own.
    pub(crate) fn full(rows: u16, cols: u16, args: &[&str], state: &Path) -> Self {
        let mut command = CommandBuilder::new(BINARY);
        command.args(args);
        command.env("XDG_STATE_HOME", state);
        Self::run(rows, cols, command)
    }

    /// The terminal has another size from now on.
    pub(crate) fn resize(&mut self, rows: u16, cols: u16) {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.master.resize(size).unwrap();
        let (rows, cols) = (NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap());
        self.screen.set_size(rows, cols);
    }

    /// Whether the terminal shows its alternate screen.
    pub(crate) fn is_full(&self) -> bool {
        self.screen.screen().alternate_screen()
    }

    /// Sends a signal to the client.
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = i32::try_from(self.child.process_id().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), signal).unwrap();
    }

    /// What a shell does with `$CLIENT` in its script.
    pub(crate) fn shell(script: &str) -> Self {
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", script]);
        command.env("CLIENT", BINARY);
        Self::run(24, 80, command)
    }

    fn run(rows: u16, cols: u16, mut command: CommandBuilder) -> Self {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        command.env("TERM", "xterm");
        command.env("TZ", "UTC");
        for name in [
            "CHAT_SERVER",
            "CHAT_NICK",
            "CHAT_PASSWORD_FILE",
            "CHAT_CONFIG",
            "RUST_LOG",
            "NO_COLOR",
        ] {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", NOWHERE);
        if command.get_env("XDG_STATE_HOME").is_none() {
            // No folder can be made there: each arrival counts as known.
            command.env("XDG_STATE_HOME", "/dev/null/nowhere");
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let (tx, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if tx.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            master: pair.master,
            keyboard,
            output,
            child,
            screen: vt100::Parser::new(
                NonZero::new(rows).unwrap(),
                NonZero::new(cols).unwrap(),
                1000,
            ),
            raw: Vec::new(),
        }
    }

    pub(crate) fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// What stands on the screen, without trailing blanks and empty lines at the end.
    pub(crate) fn screen(&self) -> String {
        let all = self.screen.screen().contents();
        let rows: Vec<&str> = all.lines().map(str::trim_end).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// Everything that was ever written.
    pub(crate) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// Waits until the screen is as wanted.
    pub(crate) fn until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let end = Instant::now() + DEADLINE;
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.raw.extend(bytes);
                }
                Err(_) => panic!("never {what}; the screen is\n{screen}\n"),
            }
        }
    }

    /// Waits until the whole screen is that.
    pub(crate) fn shows(&mut self, want: &str) {
        let want = want.trim_end();
        self.until(&format!("as wanted:\n{want}\n"), |screen| screen == want);
    }

    /// Waits until that stands somewhere.
    pub(crate) fn sees(&mut self, text: &str) {
        self.until(&format!("{text:?}"), |screen| screen.contains(text));
    }

    /// Column of the cursor.
    pub(crate) fn column(&self) -> u16 {
        self.screen.screen().cursor_position().1
    }

    /// Whether the terminal shows what is typed, as it did before the client began.
    pub(crate) fn echoes(&self) -> bool {
        use nix::sys::termios::{LocalFlags, tcgetattr};
        let path = self.master.tty_name().unwrap();
        let tty = std::fs::File::open(path).unwrap();
        tcgetattr(&tty)
            .unwrap()
            .local_flags
            .contains(LocalFlags::ECHO | LocalFlags::ICANON)
    }

    /// Waits for the end; the exit code.
    pub(crate) fn end(&mut self) -> u32 {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                while let Ok(bytes) = self
                    .output
                    .recv_timeout(std::time::Duration::from_millis(200))
                {
                    self.screen.process(&bytes);
                    self.raw.extend(bytes);
                }
                return status.exit_code();
            }
            assert!(
                Instant::now() < end,
                "the client does not end:\n{}",
                self.screen()
            );
            thread::yield_now();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
