//! `.r`: the messages, in a file that did not exist before.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chat_proto::Timestamp;
use jiff::tz::TimeZone;

/// How many names are tried for a recording without one, when several begin within a second.
const NAMES: usize = 100;

/// A recording that goes on.
#[derive(Debug)]
pub struct MessageLog {
    file: File,
    path: PathBuf,
    messages: usize,
}

impl MessageLog {
    /// Starts a recording in a new file: `path`, or a name made of `now` in the current folder.
    ///
    /// # Errors
    /// The file exists already, or cannot be made.
    pub fn start(path: Option<&Path>, now: Timestamp, zone: &TimeZone) -> io::Result<Self> {
        if let Some(path) = path {
            return Self::create(path.to_owned());
        }
        let name = default_name(now, zone);
        let mut tried = Self::create(format!("{name}.txt").into());
        for number in 2..=NAMES {
            match tried {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    tried = Self::create(format!("{name}_{number}.txt").into());
                }
                done => return done,
            }
        }
        tried
    }

    fn create(path: PathBuf) -> io::Result<Self> {
        // `create_new` decides and creates in one step, so that nothing that appears in between, a
        // link among them, is written to.
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            file,
            path,
            messages: 0,
        })
    }

    /// Writes a message as it is shown.
    ///
    /// # Errors
    /// The file cannot be written to.
    pub fn message(&mut self, shown: &str) -> io::Result<()> {
        self.file.write_all(format!("{shown}\n").as_bytes())?;
        self.messages += 1;
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The messages written so far.
    pub fn messages(&self) -> usize {
        self.messages
    }
}

/// `record_chat_2026-11-23_18-50-00`
fn default_name(now: Timestamp, zone: &TimeZone) -> String {
    let there = now.to_jiff().to_zoned_datetime(zone.clone());
    there.strftime("record_chat_%Y-%m-%d_%H-%M-%S").to_string()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        let mut recording =
            MessageLog::start(Some(&path), Timestamp::from_millis(0), &TimeZone::UTC).unwrap();
        recording.message("[ana]: hola").unwrap();
        recording.message("[ana]: dos\n    líneas").unwrap();
        assert_eq!(recording.messages(), 2);
        let again = MessageLog::start(Some(&path), Timestamp::from_millis(0), &TimeZone::UTC);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "[ana]: hola\n[ana]: dos\n    líneas\n");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_name_of_a_recording_without_one() {
        let now = Timestamp::from_millis(1_795_459_800_123);
        assert_eq!(
            default_name(now, &TimeZone::UTC),
            "record_chat_2026-11-23_18-50-00"
        );
    }
}
