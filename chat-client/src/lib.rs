//! The chat client: two actors, the keyboard and the connection, and a screen.
//!
//! ```text
//!   keyboard or pipe            Stdin  --Typed-->  Session  ----frames---->  server
//!                                 ^                 |  ^
//!                                 +-----Next--------+  +------frames--------
//!                                                   |
//!                                                   +--lines-->  screen  -->  terminal or pipe
//! ```
//!
//! | module | what | touches |
//! | --- | --- | --- |
//! | [`args`], [`options`], [`address`] | the command line, the environment, and what they come to | nothing |
//! | [`pages`] | completions and manual pages | nothing |
//! | [`task`] | `send`, `watch`, `history`: what is done instead of what is typed | nothing |
//! | [`session`] | the Session actor: the connection with its resume, all decisions | [`link`] |
//! | [`stdin`] | the Stdin actor: a line whenever one is asked for | standard input |
//! | [`editor`], [`gate`], [`names`] | the line editor of a terminal, its turns with the screen, what Tab completes | the terminal |
//! | [`entry`], [`keys`] | what is typed in the full screen, and which key does what | the history's file |
//! | [`screen`] | writes lines, keeps the prompt whole, turns the spinner | standard output and error |
//! | [`window`] | the full screen instead of the last three: a state, how it is drawn, the thread that draws it | the terminal |
//! | [`link`], [`happy`] | makes a connection and writes to it | the socket |
//! | [`tls`] | whom an encrypted connection may lead to | the files of certificates |
//! | [`input`] | a typed line and what it asks for | nothing |
//! | [`render`], [`escape`], [`json`] | what arrives, as text that is safe to show | nothing |
//! | [`wording`] | errors, counts and times in words for people | nothing |
//! | [`transcript`], [`recording`] | what is shown and recorded | the file of a recording |
//! | [`attention`] | whom an arriving message calls: bell, notification, title | `notify-send` |
//! | [`settings`] | the settings file | that file |
//! | [`state`] | what the next start finds | the state folder |
//! | [`fault`] | what a panic comes to | the terminal |
//! | [`outstanding`] | what was typed and is not settled | nothing |
//! | [`place`] | where one is and to whom a line goes | nothing |
//!
//! Each edge has its bound: Stdin reads a line when the Session asks for it, and the Session asks
//! while no more than a window of lines is unsettled; the screen takes so many lines and then holds the
//! Session up, which then does not read its socket; the socket's queue holds the window and little more.

pub mod act;
pub mod address;
pub mod args;
pub mod attention;
pub mod editor;
pub mod entry;
pub mod escape;
pub mod fault;
pub mod gate;
pub mod happy;
pub mod input;
pub mod json;
pub mod keys;
pub mod link;
pub mod names;
pub mod options;
pub mod outstanding;
pub mod pages;
pub mod place;
pub mod recording;
pub mod render;
pub mod screen;
pub mod session;
pub mod settings;
pub mod state;
pub mod stdin;
pub mod task;
pub mod tls;
pub mod transcript;
pub mod verdict;
pub mod window;
pub mod wording;

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor as _, Addr, AsyncContext as _};
use actix_rt::Arbiter;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::rustls::ClientConfig;

use crate::editor::{Editor, Terminal};
use crate::gate::Gate;
use crate::names::Names;
use crate::options::Options;
use crate::screen::Screen;
use crate::session::{Interrupt, Parts, Session};
use crate::state::State;
use crate::stdin::{Source, Stdin};
use crate::task::Shows;
use crate::tls::TlsError;
use crate::transcript::{Output, Transcript};
use crate::window::opening::Opening;

/// How long the last lines may take to reach a terminal, which may be stopped with Ctrl-S.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The same for somebody who is in a hurry.
const AT_ONCE: Duration = Duration::from_millis(500);

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With a goodbye.
    Goodbye,
    /// With a goodbye, but a line of a pipe was declined or not recorded.
    Unrecorded,
    /// With a goodbye, but standard output could not be written.
    Unwritten,
    /// There is no connection, and there will be none.
    Lost,
    /// Somebody was in a hurry.
    Interrupted,
    /// The nickname was refused, and nobody is there to choose another.
    NickRefused,
}

impl Ending {
    /// The exit code of the process; `2` is wrong usage, which does not come this far, and `101` a
    /// [fault] of the client.
    pub fn exit_code(self) -> u8 {
        match self {
            Ending::Goodbye => 0,
            Ending::Unrecorded | Ending::Unwritten | Ending::Lost | Ending::Interrupted => 1,
            Ending::NickRefused => 3,
        }
    }
}

/// What keeps the client from starting.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The terminal does not do as it is told.
    #[error("the terminal cannot be used; --plain <file works without one")]
    Terminal(#[source] rustyline::error::ReadlineError),
    /// Nobody can be trusted to be the server.
    #[error("TLS")]
    Tls(#[from] TlsError),
    /// A thread or a signal handler cannot be made.
    #[error("the system refuses")]
    System(#[source] io::Error),
}

/// Talks until it is over.
///
/// # Errors
/// Nothing could begin.
pub fn run(options: Options) -> Result<Ending, ClientError> {
    fault::ends_the_process();
    let person = io::stdin().is_terminal() && options.task.is_none();
    let asks = person && io::stdout().is_terminal();
    let tls = match &options.tls {
        Some(trust) => Some(tls::prepare(trust, &options.host, options.port, asks)?),
        None => None,
    };
    let names = Names::default();
    let (closed, output_closed) = oneshot::channel();
    if person && has_editor(&options) && !options.plain {
        return in_full_screen(options, tls, names);
    }
    let (editor, printer, terminal) = if person && has_editor(&options) {
        let terminal = Terminal::prepare()
            .map_err(|error| ClientError::Terminal(io::Error::from(error).into()))?;
        let gate = Gate::default();
        let (editor, printer) =
            Editor::new(names.clone(), gate.clone()).map_err(ClientError::Terminal)?;
        (Some(editor), Some((printer, gate)), Some(terminal))
    } else {
        (None, None, None)
    };
    let screen = Screen::start(printer, closed).map_err(ClientError::System)?;
    let source = match (editor, &options.task) {
        (_, Some(task)) => Source::Task(task.clone()),
        (Some(editor), None) => Source::Editor(Box::new(editor)),
        (None, None) => Source::Lines {
            questions: person.then(|| screen.clone()),
        },
    };
    let stage = Stage {
        person,
        tls,
        names,
        source,
        output: Output::Lines(screen),
        opening: None,
        editor: terminal.is_some(),
        output_closed,
    };
    let ending = actix_rt::System::new().block_on(talk(options, stage))?;
    drop(terminal);
    Ok(ending)
}

/// The same in the full screen.
fn in_full_screen(
    options: Options,
    tls: Option<Arc<ClientConfig>>,
    names: Names,
) -> Result<Ending, ClientError> {
    let (opening, window) = Opening::new(&options, names.clone()).map_err(ClientError::System)?;
    // Nobody can take the terminal away and leave the client.
    let (_, output_closed) = oneshot::channel();
    let stage = Stage {
        person: true,
        tls,
        names,
        source: Source::Keys(window.clone()),
        output: Output::Window(window),
        opening: Some(opening),
        editor: true,
        output_closed,
    };
    let given_back = window::stage::Stage;
    let ending = actix_rt::System::new().block_on(talk(options, stage))?;
    drop(given_back);
    Ok(ending)
}

/// A prompt needs a terminal on both sides that can move its cursor, and lines to show above it.
fn has_editor(options: &Options) -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stdout().is_terminal() && !dumb && !options.json
}

/// Everything that a conversation needs besides a server.
struct Stage {
    person: bool,
    tls: Option<Arc<ClientConfig>>,
    names: Names,
    source: Source,
    output: Output,
    opening: Option<Opening>,
    editor: bool,
    output_closed: oneshot::Receiver<()>,
}

async fn talk(options: Options, stage: Stage) -> Result<Ending, ClientError> {
    let (done, ended) = oneshot::channel();
    let mut interrupts = interrupts().map_err(ClientError::System)?;
    let shows = match &options.task {
        Some(task) => task.shows.clone(),
        None if options.json => Shows::Objects,
        None => Shows::Everything,
    };
    let transcript = Transcript::new(stage.output.clone(), shows, options.utc);
    let keyboard = Arbiter::new();
    let remembered = stage
        .opening
        .as_ref()
        .map(|_| State::of_this_user(&options.server()));
    let mut keys = None;
    let session = Session::create(|ctx| {
        let session = ctx.address().recipient();
        let source = stage.source;
        let stdin = Stdin::start_in_arbiter(&keyboard.handle(), move |_| Stdin { source, session });
        keys = Some(stdin.clone().recipient());
        Session::new(Parts {
            options,
            stdin,
            transcript,
            names: stage.names,
            person: stage.person,
            tls: stage.tls,
            editor: stage.editor,
            remembered,
            done,
            output_closed: stage.output_closed,
        })
    });
    if let (Some(opening), Some(keys)) = (stage.opening, keys) {
        let opened = opening.open(session.clone().recipient(), keys);
        opened.map_err(ClientError::System)?;
    }
    let ending = until_ended(ended, &mut interrupts, &session).await;
    let patience = match (ending, stage.editor) {
        (Ending::Interrupted, _) => AT_ONCE,
        (_, true) => LAST_LINES,
        // A pipe gets every line, however long its reader takes: unless somebody presses Ctrl-C.
        (_, false) => Duration::MAX,
    };
    tokio::select! {
        _ = tokio::time::timeout(patience, stage.output.finish()) => {}
        _ = interrupts.recv() => {}
    }
    // Known only now: the last lines are written behind the goodbye.
    if ending == Ending::Goodbye && stage.output.has_failed() {
        return Ok(Ending::Unwritten);
    }
    Ok(ending)
}

/// Waits for the end, and passes on that somebody wants it.
async fn until_ended(
    mut ended: oneshot::Receiver<Ending>,
    interrupts: &mut mpsc::UnboundedReceiver<()>,
    session: &Addr<Session>,
) -> Ending {
    loop {
        tokio::select! {
            // A Session that ends without a word has failed.
            ending = &mut ended => return ending.unwrap_or(Ending::Lost),
            Some(()) = interrupts.recv() => session.do_send(Interrupt),
        }
    }
}

/// Ctrl-C outside the line editor, `kill`, and a terminal that is closed.
fn interrupts() -> io::Result<mpsc::UnboundedReceiver<()>> {
    let (tx, rx) = mpsc::unbounded_channel();
    for kind in [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ] {
        let mut signals = signal(kind)?;
        let tx = tx.clone();
        actix_rt::spawn(async move {
            while signals.recv().await.is_some() {
                let for_an_editor = kind == SignalKind::interrupt() && window::stage::is_lent();
                if !for_an_editor && tx.send(()).is_err() {
                    return;
                }
            }
        });
    }
    Ok(rx)
}
