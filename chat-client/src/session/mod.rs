//! The Session actor: the connection with its resumption, and all decisions of the client.
//!
//! It owns the connection, where one is, and what is not settled; it tells the screen what to show
//! and asks [`Stdin`] for lines, one at a time and only while there is room. It never reads the
//! keyboard and never writes to the terminal itself.
//!
//! | file | what |
//! | --- | --- |
//! | this one | the actor and its state |
//! | `login` | connecting, nicknames, `hello` and `welcome` |
//! | `account` | passwords and account requests |
//! | `commands` | executes a typed line |
//! | `moderation` | executes the commands of operators and channel owners |
//! | `ordering` | commands of a pipe that wait for their turn |
//! | `requests`, `pending_requests` | sends requests, tracks them until they complete |
//! | `location` | nickname, channels, and the target of a typed line |
//! | `events` | handles what arrives |
//! | `pending_queries` | answers that come in pages |
//! | `reconnect` | keep-alive, a lost connection and its resumption |
//! | `replay` | messages missed during a disconnection |
//! | `shutdown` | goodbye and the end |
//! | `full_screen` | requests of the full screen, and events for it |

mod account;
mod commands;
mod events;
mod full_screen;
mod location;
mod login;
mod moderation;
mod ordering;
mod pending_queries;
mod pending_requests;
mod reconnect;
mod replay;
mod requests;
mod shutdown;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use actix::{
    Actor, Addr, AsyncContext as _, Context, Handler, Message, SpawnHandle, StreamHandler,
};
use backon::ExponentialBackoff;
use bytes::Bytes;
use chat_proto::ProtoError;
use tokio::sync::oneshot;
use tokio_rustls::rustls::ClientConfig;
use uuid::Uuid;

use self::account::{PasswordPrompt, Proof};
use self::location::Location;
use self::ordering::DeferredCommand;
use self::pending_queries::PendingQuery;
use self::pending_requests::PendingRequests;
use self::replay::ReplayProgress;
use crate::cli::options::Options;
use crate::completion_names::CompletionNames;
use crate::exit_status::ExitStatus;
use crate::input::Stdin;
use crate::net::connection::ServerConnection;
use crate::output::Transcript;
use crate::prompt::UserInput;
use crate::read_state::ReadState;
use crate::tui::request::AppRequest;

/// Ctrl-C, or a signal that asks the process to end: goodbye the first time, the end the second
/// time.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Interrupt;

/// The reader of standard output is gone.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct OutputClosed;

/// The phase of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The user is asked for a nickname; a connection may wait for it.
    Naming,
    /// A connection is being made, or waited for, or greeted.
    Arriving,
    /// The server welcomed the client.
    Here,
    /// `quit` is sent.
    Leaving,
    /// It is over.
    Ended,
}

/// What the keyboard was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Nothing.
    Nothing,
    /// A nickname.
    Nickname,
    /// A line.
    Line,
    /// One of these users.
    Choice(Vec<String>),
    /// Everyone, or one of these users, on arrival.
    Arrival(Vec<String>),
    /// A password, not shown.
    Password(PasswordPrompt),
}

/// A pending goodbye.
#[derive(Debug)]
struct Goodbye {
    reason: Option<String>,
}

/// The identity of the last connection.
#[derive(Debug)]
struct Identity {
    nick: String,
    token: String,
}

/// The actor.
#[derive(Debug)]
pub struct Session {
    options: Options,
    stdin: Addr<Stdin>,
    transcript: Transcript,
    names: CompletionNames,
    /// What connections are encrypted with, if they are.
    tls: Option<Arc<ClientConfig>>,
    /// A person sits at the keyboard, who can be asked.
    person: bool,
    /// There is a line editor or a full screen: a line can be typed at any time.
    editor: bool,
    done: Option<oneshot::Sender<ExitStatus>>,
    output_closed: Option<oneshot::Receiver<()>>,

    phase: Phase,
    connection: Option<ServerConnection>,
    /// The connection waited for a nickname, perhaps longer than the server does.
    reused: bool,
    arrivals: Option<SpawnHandle>,
    /// When the server welcomed the client on this connection.
    since: Option<Instant>,
    /// The delays before the next attempts to come back.
    delays: ExponentialBackoff,
    /// The nick to ask for; the server gives one where there is none.
    wanted: Option<String>,
    identity: Option<Identity>,
    /// What the last `hello` was said with.
    proof: Proof,
    /// The password was typed to come in.
    password_typed: bool,
    /// The last message seen.
    seen: u64,
    /// What was seen by the end of earlier runs.
    remembered: Option<ReadState>,
    replay: Option<ReplayProgress>,
    /// When the server was last heard, and whether it was asked for a sign of life since.
    heard: Instant,
    pinged: bool,
    /// The server has sent a frame on this connection.
    answered: bool,
    /// The timer that looks after that.
    watch: Option<SpawnHandle>,

    asked: Asked,
    /// A list to choose from is on its way: the keyboard is asked when it is here.
    choosing: bool,
    location: Location,
    pending: PendingRequests,
    queries: VecDeque<(String, PendingQuery)>,
    /// A command of a pipe whose turn has not come, and the last message that one has said.
    deferred: Option<DeferredCommand>,
    said: u64,
    /// What the ids of this client begin with, and the number of the next.
    run: String,
    ids: u64,

    goodbye: Option<Goodbye>,
    /// When something was last settled.
    progress: Instant,
    /// A line of a pipe was refused.
    failed: bool,
}

/// The parts of a Session.
#[derive(Debug)]
pub struct SessionParts {
    /// What the command line asks for.
    pub options: Options,
    /// The keyboard.
    pub stdin: Addr<Stdin>,
    /// Where lines go.
    pub transcript: Transcript,
    /// What Tab completes.
    pub names: CompletionNames,
    /// What connections are encrypted with, if they are.
    pub tls: Option<Arc<ClientConfig>>,
    /// A person sits at the keyboard.
    pub person: bool,
    /// There is a line editor, or a full screen.
    pub editor: bool,
    /// What was seen by the end of earlier runs, where that is to be shown.
    pub remembered: Option<ReadState>,
    /// Told how it ended.
    pub done: oneshot::Sender<ExitStatus>,
    /// Signals that the reader of standard output is gone.
    pub output_closed: oneshot::Receiver<()>,
}

impl Session {
    /// A Session that begins when it is started.
    pub fn new(parts: SessionParts) -> Self {
        Self {
            wanted: parts.options.nick.clone(),
            options: parts.options,
            stdin: parts.stdin,
            transcript: parts.transcript,
            names: parts.names,
            tls: parts.tls,
            person: parts.person,
            editor: parts.editor,
            done: Some(parts.done),
            output_closed: Some(parts.output_closed),
            phase: Phase::Arriving,
            connection: None,
            reused: false,
            arrivals: None,
            since: None,
            delays: reconnect::delays(),
            identity: None,
            proof: Proof::None,
            password_typed: false,
            seen: 0,
            remembered: parts.remembered,
            replay: None,
            heard: Instant::now(),
            pinged: false,
            answered: false,
            watch: None,
            asked: Asked::Nothing,
            choosing: false,
            location: Location::default(),
            pending: PendingRequests::default(),
            queries: VecDeque::new(),
            deferred: None,
            said: 0,
            run: Uuid::new_v4().simple().to_string(),
            ids: 0,
            goodbye: None,
            progress: Instant::now(),
            failed: false,
        }
    }
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if let Some(closed) = self.output_closed.take() {
            let session = ctx.address();
            actix_rt::spawn(async move {
                if closed.await.is_ok() {
                    session.do_send(OutputClosed);
                }
            });
        }
        self.begin(ctx);
    }
}

impl Handler<UserInput> for Session {
    type Result = ();

    fn handle(&mut self, typed: UserInput, ctx: &mut Context<Self>) {
        self.typed(typed, ctx);
    }
}

impl Session {
    fn typed(&mut self, typed: UserInput, ctx: &mut Context<Self>) {
        let asked = std::mem::replace(&mut self.asked, Asked::Nothing);
        match typed {
            UserInput::Line(line) => self.line(asked, &line, ctx),
            // A step that was on its way when an earlier one was refused.
            UserInput::Command(_) if self.goodbye.is_some() => {}
            UserInput::Command(command) => {
                self.command(command, ctx);
                self.flush(ctx);
            }
            UserInput::Refused(refusal) => self.refused(refusal.code, &refusal.detail),
            UserInput::Cancelled => {
                if let Asked::Password(asking) = asked {
                    self.cancel_password(&asking);
                }
            }
            UserInput::Interrupted => self.interrupt(ctx),
            UserInput::Ended if self.phase == Phase::Naming && self.identity.is_none() => {
                self.no_nickname(ctx);
            }
            UserInput::Ended => {
                // Ctrl-D leaves the editor open for what arrives until the end; a terminal that is
                // gone would say so for ever.
                if self.goodbye.is_some() || !self.editor {
                    self.asked = Asked::Line;
                }
                self.leave(None, ctx);
            }
        }
        self.ask(ctx);
    }
}

impl Handler<AppRequest> for Session {
    type Result = ();

    fn handle(&mut self, request: AppRequest, ctx: &mut Context<Self>) {
        self.app_request(request, ctx);
    }
}

impl Handler<Interrupt> for Session {
    type Result = ();

    fn handle(&mut self, _: Interrupt, ctx: &mut Context<Self>) {
        self.interrupt(ctx);
    }
}

impl Handler<OutputClosed> for Session {
    type Result = ();

    /// The reader of the output is gone, as with `head`: not an error; pending lines are still
    /// sent.
    fn handle(&mut self, _: OutputClosed, ctx: &mut Context<Self>) {
        self.leave(None, ctx);
    }
}

impl StreamHandler<Result<Bytes, ProtoError>> for Session {
    fn handle(&mut self, frame: Result<Bytes, ProtoError>, ctx: &mut Context<Self>) {
        match frame {
            Ok(frame) => self.arrived(&frame, ctx),
            Err(error) => {
                log::debug!("the connection ends: {error}");
                if self.identity.is_none() && !self.answered && is_tls(&error) {
                    return self.needs_tls(ctx);
                }
                self.lost(ctx);
            }
        }
    }

    fn finished(&mut self, ctx: &mut Context<Self>) {
        self.lost(ctx);
    }
}

/// Returns whether a frame's length is the beginning of a TLS record instead: an alert (21) or a
/// handshake (22), version 3 (RFC 8446, 5.1).
fn is_tls(error: &ProtoError) -> bool {
    matches!(error, ProtoError::BadFrame(length) if matches!(length >> 16, 0x1503 | 0x1603))
}
