//! The chat client: two actors, the keyboard and the connection, and a front end.
//!
//! ```text
//!   keyboard or pipe        Stdin  --UserInput-->  Session  ----frames---->  server
//!                             ^                     |  ^
//!                             +---PromptRequest-----+  +------frames--------
//!                                                   |
//!                                                   +--lines, events-->  front end  -->  output
//! ```
//!
//! | module | contents | I/O |
//! | --- | --- | --- |
//! | [`app`] | starts the front end, runs one conversation | starts threads, handles signals |
//! | [`exit_status`], [`panic_hook`] | exit codes; the end after a panic | the terminal |
//! | [`cli`] | arguments, options, completions, manual pages, `send`, `watch`, `history` | none |
//! | [`config`], [`paths`] | the settings file; folders and private files | files |
//! | [`net`] | addresses, TCP and TLS connections, known servers | the socket |
//! | [`command`] | parses a typed line | none |
//! | [`keys`] | key chords and the actions bound to them | none |
//! | [`text`] | formats what arrives, safe to show | none |
//! | [`prompt`] | the messages between the keyboard and the Session | none |
//! | [`input`], [`terminal_lock`], [`completion_names`] | the Stdin actor | standard input |
//! | [`output`] | front end for pipes, `--plain`, `--json`; recordings | standard output, error |
//! | [`tui`] | the full-screen front end | the terminal |
//! | [`notify`] | bell, notifications and title | the desktop |
//! | [`read_state`] | read positions and muted conversations | the state folder |
//! | [`session`] | the Session actor: the connection and all decisions | through [`net`] |
//!
//! Modules import each other in one direction only; `tests/architecture.rs` checks it.
//!
//! Each edge is bounded: the Session asks Stdin for a line only while the window of unsettled
//! requests has room; the front end's queue blocks the Session when it is full, which then does not
//! read its socket; the socket's queue holds the window and little more.

pub mod app;
pub mod cli;
pub mod command;
pub mod completion_names;
pub mod config;
pub mod exit_status;
pub mod input;
pub mod keys;
pub mod net;
pub mod notify;
pub mod output;
pub mod panic_hook;
pub mod paths;
pub mod prompt;
pub mod read_state;
pub mod session;
pub mod terminal_lock;
pub mod text;
pub mod tui;
