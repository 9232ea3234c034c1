//! Formats and records every line on its way to the front end.

pub mod lines;
pub mod log_file;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use chat_proto::{Channel, Message, Record, Timestamp};
use jiff::tz::TimeZone;

use self::lines::LineOutput;
use self::log_file::MessageLog;
use crate::cli::task::OutputFilter;
use crate::text::wording::{cause, count, reworded, sentence};
use crate::text::{format, json};
use crate::tui::TuiHandle;
use crate::tui::event::SessionEvent;

/// The front end that shows output.
#[derive(Debug, Clone)]
pub enum OutputTarget {
    /// Line by line.
    Lines(LineOutput),
    /// In the full screen, which gets events instead of lines.
    Tui(TuiHandle),
}

impl OutputTarget {
    /// Ends when everything is shown, and the terminal is as it was.
    pub async fn finish(&self) {
        match self {
            OutputTarget::Lines(screen) => screen.finish().await,
            OutputTarget::Tui(tui) => tui.finish().await,
        }
    }

    /// Returns whether the output could not be written.
    pub fn has_failed(&self) -> bool {
        match self {
            OutputTarget::Lines(screen) => screen.has_failed(),
            OutputTarget::Tui(_) => false,
        }
    }

    fn out(&self, line: String) {
        match self {
            OutputTarget::Lines(screen) => screen.out(line),
            OutputTarget::Tui(_) => {}
        }
    }

    fn err(&self, line: String) {
        match self {
            OutputTarget::Lines(screen) => screen.err(line),
            OutputTarget::Tui(_) => {}
        }
    }
}

/// The format of output, and the recording.
#[derive(Debug)]
pub struct Transcript {
    screen: OutputTarget,
    zone: TimeZone,
    shows: OutputFilter,
    times: bool,
    /// Errors begin with their code, which programs read.
    codes: bool,
    recording: Option<MessageLog>,
    /// A recording ended before its time.
    failed: bool,
}

impl Transcript {
    /// Nothing is shown yet; times are off.
    pub fn new(screen: OutputTarget, shows: OutputFilter, utc: bool) -> Self {
        Self {
            codes: shows.is_json() || !io::stderr().is_terminal(),
            screen,
            zone: if utc {
                TimeZone::UTC
            } else {
                TimeZone::system()
            },
            shows,
            times: false,
            recording: None,
            failed: false,
        }
    }

    /// The full screen, if there is one.
    pub fn tui(&self) -> Option<&TuiHandle> {
        match &self.screen {
            OutputTarget::Lines(_) => None,
            OutputTarget::Tui(tui) => Some(tui),
        }
    }

    /// Tells the full screen, if there is one.
    pub fn tell(&self, event: impl FnOnce() -> SessionEvent) {
        if let Some(tui) = self.tui() {
            tui.tell(event());
        }
    }

    /// Shows and records a message.
    pub fn message(&mut self, message: &Message<'_>, here: &Channel) {
        // A script is in no channel of its own, whatever it has entered last.
        let lobby = Channel::lobby();
        let here = match &self.shows {
            OutputFilter::Said { .. } => &lobby,
            _ => here,
        };
        let line = self.stamped(&format::message(message, here), message.time);
        if let Some(recording) = &mut self.recording
            && let Err(error) = recording.message(&line)
        {
            let path = recording.path().display().to_string();
            self.recording = None;
            self.failed = true;
            self.error("recording_failed", &format!("{path}: {}", cause(&error)));
        }
        match &self.shows {
            shows if !shows.is_shown(message) => {}
            OutputFilter::Said { json: true, .. } => self.message_object(message),
            _ => self.screen.out(line),
        }
    }

    /// A message of the past, which is shown and not recorded.
    pub fn past(&self, message: &Message<'_>, here: &Channel) {
        match &self.shows {
            OutputFilter::Objects | OutputFilter::Nothing | OutputFilter::Said { .. } => {}
            OutputFilter::Past { json: true } => self.message_object(message),
            OutputFilter::Everything | OutputFilter::Past { json: false } => {
                let line = format::message(message, here);
                self.screen.out(self.stamped(&line, message.time));
            }
        }
    }

    /// A message as the object that it is.
    fn message_object(&self, message: &Message<'_>) {
        let record = Record::Message(message.clone());
        let object = serde_json::to_vec(&record).ok();
        if let Some(line) = object.as_deref().and_then(json::line) {
            self.screen.out(line);
        }
    }

    /// An object that arrived, with `--json`.
    pub fn object(&self, line: String) {
        self.screen.out(line);
    }

    /// Anything that is no message and happened now. The text is safe to show.
    pub fn notice(&self, text: &str) {
        if let OutputFilter::Said { .. } = self.shows {
            self.screen.err(format!("* {text}"));
        } else {
            self.notice_at(text, now());
        }
    }

    /// Anything that is no message. The text is safe to show.
    pub fn notice_at(&self, text: &str, time: Timestamp) {
        self.tell(|| SessionEvent::Notice {
            text: text.to_owned(),
            time,
        });
        let line = self.stamped(&format!("* {text}"), time);
        match self.shows {
            OutputFilter::Everything => self.screen.out(line),
            OutputFilter::Objects => self.screen.err(line),
            OutputFilter::Nothing | OutputFilter::Said { .. } | OutputFilter::Past { .. } => {}
        }
    }

    /// An error.
    pub fn error(&self, code: &str, detail: &str) {
        self.tell(|| SessionEvent::Error {
            code: code.to_owned(),
            detail: detail.to_owned(),
        });
        let line = if self.codes {
            format::error(code, &reworded(code, detail, &self.zone))
        } else {
            format!(
                "! {}",
                crate::text::escape::lines(&self.sentence(code, detail))
            )
        };
        self.screen.err(self.stamped(&line, now()));
    }

    /// Returns the sentence about an error for a reader of this terminal.
    pub fn sentence(&self, code: &str, detail: &str) -> String {
        sentence(code, detail, &self.zone)
    }

    /// Returns the reason of a goodbye, safe to show: a code for programs, words for users.
    pub fn reason(&self, code: &str) -> String {
        let shown = crate::text::escape::word(code);
        if self.codes {
            return shown;
        }
        shown.replace('_', " ")
    }

    /// Returns the zone in which times are shown.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Returns whether a recording ended before its time.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// A line that a terminal shows while something goes on, or no longer.
    pub fn waiting(&self, text: Option<&str>) {
        let text = text.map(str::to_owned);
        match &self.screen {
            OutputTarget::Lines(screen) => screen.spin(text),
            OutputTarget::Tui(tui) => tui.tell(SessionEvent::Busy(text)),
        }
    }

    /// `.t`
    pub fn toggle_times(&mut self) {
        let on = !self.times;
        // Said without a time both ways, so that it reads the same whenever a script looks for it.
        self.times = false;
        self.notice(if on {
            "timestamps on"
        } else {
            "timestamps off"
        });
        self.times = on;
    }

    /// `.r`: ends the recording that goes on; else, or where another file is named, begins one.
    pub fn record(&mut self, path: Option<&Path>) {
        let ended = self.end_recording();
        if ended && path.is_none() {
            return;
        }
        match MessageLog::start(path, now(), &self.zone) {
            Ok(recording) => {
                let shown = crate::text::escape::word(&recording.path().display().to_string());
                self.notice(&format!("recording to {shown}"));
                self.recording = Some(recording);
            }
            Err(error) => {
                let shown = path.map_or(String::new(), |path| format!("{}: ", path.display()));
                self.error("recording_failed", &format!("{shown}{}", cause(&error)));
            }
        }
    }

    /// Ends the recording, if one goes on.
    pub fn end_recording(&mut self) -> bool {
        let Some(recording) = self.recording.take() else {
            return false;
        };
        let shown = crate::text::escape::word(&recording.path().display().to_string());
        self.notice(&format!(
            "recorded {} to {shown}",
            count(recording.messages(), "message")
        ));
        true
    }

    fn stamped(&self, line: &str, time: Timestamp) -> String {
        if self.times {
            format!("{}{line}", format::stamp(time, &self.zone))
        } else {
            line.to_owned()
        }
    }
}

/// The clock of this machine.
fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}
