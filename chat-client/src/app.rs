//! Starts the front end that the arguments and the terminal call for, and runs the conversation.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor as _, Addr, AsyncContext as _};
use actix_rt::Arbiter;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::rustls::ClientConfig;

use crate::cli::options::Options;
use crate::cli::task::OutputFilter;
use crate::completion_names::CompletionNames;
use crate::exit_status::ExitStatus;
use crate::input::line_editor::{LineEditor, TerminalGuard};
use crate::input::{InputSource, Stdin};
use crate::net::tls::{self, TlsError};
use crate::output::lines::LineOutput;
use crate::output::{OutputTarget, Transcript};
use crate::panic_hook;
use crate::read_state::ReadState;
use crate::session::{Interrupt, Session, SessionParts};
use crate::terminal_lock::TerminalLock;
use crate::tui::startup::TuiStartup;
use crate::tui::terminal;

/// How long the last lines may take to reach a terminal, which Ctrl-S may have stopped.
const LAST_LINES: Duration = Duration::from_secs(2);

/// How long the last lines may take after an interrupted goodbye.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Why the client cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The terminal cannot be configured.
    #[error("the terminal cannot be used; --plain <file works without one")]
    Terminal(#[source] rustyline::error::ReadlineError),
    /// There is no TLS configuration.
    #[error("TLS")]
    Tls(#[from] TlsError),
    /// A thread or a signal handler cannot be created.
    #[error("cannot start a thread or a signal handler")]
    System(#[source] io::Error),
}

/// Runs one conversation.
///
/// # Errors
/// The conversation cannot start.
pub fn run(options: Options) -> Result<ExitStatus, ClientError> {
    panic_hook::ends_the_process();
    let person = io::stdin().is_terminal() && options.task.is_none();
    let asks = person && io::stdout().is_terminal();
    let tls = match &options.tls {
        Some(trust) => Some(tls::prepare(trust, &options.host, options.port, asks)?),
        None => None,
    };
    let names = CompletionNames::default();
    let (closed, output_closed) = oneshot::channel();
    if person && has_editor(&options) && !options.plain {
        return in_full_screen(options, tls, names);
    }
    let (editor, printer, terminal) = if person && has_editor(&options) {
        let terminal = TerminalGuard::prepare()
            .map_err(|error| ClientError::Terminal(io::Error::from(error).into()))?;
        let lock = TerminalLock::default();
        let (editor, printer) =
            LineEditor::new(names.clone(), lock.clone()).map_err(ClientError::Terminal)?;
        (Some(editor), Some((printer, lock)), Some(terminal))
    } else {
        (None, None, None)
    };
    let screen = LineOutput::start(printer, closed).map_err(ClientError::System)?;
    let source = match (editor, &options.task) {
        (_, Some(task)) => InputSource::Task(task.clone()),
        (Some(editor), None) => InputSource::LineEditor(Box::new(editor)),
        (None, None) => InputSource::Lines {
            questions: person.then(|| screen.clone()),
        },
    };
    let front_end = FrontEnd {
        person,
        tls,
        names,
        source,
        output: OutputTarget::Lines(screen),
        startup: None,
        editor: terminal.is_some(),
        output_closed,
    };
    let ending = actix_rt::System::new().block_on(talk(options, front_end))?;
    drop(terminal);
    Ok(ending)
}

/// Runs one conversation in the full screen.
fn in_full_screen(
    options: Options,
    tls: Option<Arc<ClientConfig>>,
    names: CompletionNames,
) -> Result<ExitStatus, ClientError> {
    let (startup, tui) = TuiStartup::new(&options, names.clone()).map_err(ClientError::System)?;
    // The output of the full screen cannot close while the client runs.
    let (_, output_closed) = oneshot::channel();
    let front_end = FrontEnd {
        person: true,
        tls,
        names,
        source: InputSource::Keys(tui.clone()),
        output: OutputTarget::Tui(tui),
        startup: Some(startup),
        editor: true,
        output_closed,
    };
    let given_back = terminal::FullScreenGuard;
    let ending = actix_rt::System::new().block_on(talk(options, front_end))?;
    drop(given_back);
    Ok(ending)
}

/// Returns whether the terminal can move its cursor and the output consists of lines.
fn has_editor(options: &Options) -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    io::stdout().is_terminal() && !dumb && !options.json
}

/// The front end of a conversation.
struct FrontEnd {
    person: bool,
    tls: Option<Arc<ClientConfig>>,
    names: CompletionNames,
    source: InputSource,
    output: OutputTarget,
    startup: Option<TuiStartup>,
    editor: bool,
    output_closed: oneshot::Receiver<()>,
}

async fn talk(options: Options, front_end: FrontEnd) -> Result<ExitStatus, ClientError> {
    let (done, ended) = oneshot::channel();
    let mut interrupts = interrupts().map_err(ClientError::System)?;
    let shows = match &options.task {
        Some(task) => task.shows.clone(),
        None if options.json => OutputFilter::Objects,
        None => OutputFilter::Everything,
    };
    let transcript = Transcript::new(front_end.output.clone(), shows, options.utc);
    let keyboard = Arbiter::new();
    let remembered = front_end
        .startup
        .as_ref()
        .map(|_| ReadState::of_this_user(&options.server()));
    let mut keys = None;
    let session = Session::create(|ctx| {
        let session = ctx.address().recipient();
        let source = front_end.source;
        let stdin = Stdin::start_in_arbiter(&keyboard.handle(), move |_| Stdin { source, session });
        keys = Some(stdin.clone().recipient());
        Session::new(SessionParts {
            options,
            stdin,
            transcript,
            names: front_end.names,
            person: front_end.person,
            tls: front_end.tls,
            editor: front_end.editor,
            remembered,
            done,
            output_closed: front_end.output_closed,
        })
    });
    if let (Some(startup), Some(keys)) = (front_end.startup, keys) {
        let opened = startup.open(session.clone().recipient(), keys);
        opened.map_err(ClientError::System)?;
    }
    let ending = until_ended(ended, &mut interrupts, &session).await;
    let patience = match (ending, front_end.editor) {
        (ExitStatus::Interrupted, _) => AT_ONCE,
        (_, true) => LAST_LINES,
        // A pipe gets every line, however slow its reader is, until Ctrl-C.
        (_, false) => Duration::MAX,
    };
    tokio::select! {
        _ = tokio::time::timeout(patience, front_end.output.finish()) => {}
        _ = interrupts.recv() => {}
    }
    // Known only now, because the last lines are written after the goodbye.
    if ending == ExitStatus::Goodbye && front_end.output.has_failed() {
        return Ok(ExitStatus::Unwritten);
    }
    Ok(ending)
}

/// Waits for the end, and forwards interrupts to the Session.
async fn until_ended(
    mut ended: oneshot::Receiver<ExitStatus>,
    interrupts: &mut mpsc::UnboundedReceiver<()>,
    session: &Addr<Session>,
) -> ExitStatus {
    loop {
        tokio::select! {
            // A Session that ends without a status has failed.
            ending = &mut ended => return ending.unwrap_or(ExitStatus::Lost),
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
                let for_an_editor = kind == SignalKind::interrupt() && terminal::is_lent();
                if !for_an_editor && tx.send(()).is_err() {
                    return;
                }
            }
        });
    }
    Ok(rx)
}
