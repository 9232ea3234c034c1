//! How a conversation ended, as the exit code of the process.

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// With a goodbye.
    Goodbye,
    /// With a goodbye, but a line of a pipe was rejected or not recorded.
    Unrecorded,
    /// With a goodbye, but standard output could not be written.
    Unwritten,
    /// The connection is lost, or could not be made.
    Lost,
    /// The user interrupted the goodbye.
    Interrupted,
    /// The nickname was rejected, and there is no user to choose another.
    NickRefused,
}

impl ExitStatus {
    /// The exit code of the process; `2` is wrong usage, which does not come this far, and `101` a
    /// [panic](crate::panic_hook) of the client.
    pub fn exit_code(self) -> u8 {
        match self {
            ExitStatus::Goodbye => 0,
            ExitStatus::Unrecorded
            | ExitStatus::Unwritten
            | ExitStatus::Lost
            | ExitStatus::Interrupted => 1,
            ExitStatus::NickRefused => 3,
        }
    }
}
