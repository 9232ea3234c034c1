//! Connecting, nicknames, `hello` and `welcome`.

use std::io::{self, IsTerminal as _};
use std::time::Instant;

use actix::{ActorFutureExt as _, AsyncContext as _, Context, WrapFuture as _};
use chat_proto::{Channel, Envelope, Hello, Nick, Request, VERSION, Welcome};

use super::account::Proof;
use super::pending_queries::ListPurpose;
use super::{Asked, Identity, Phase, Session};
use crate::exit_status::ExitStatus;
use crate::net::connection::{self, ConnectError, FrameStream, ServerConnection};
use crate::prompt::PromptKind;
use crate::read_state::ReadState;
use crate::text::escape::{lines, word};

/// What `hello` calls this program.
const CLIENT: &str = concat!("chat-client/", env!("CARGO_PKG_VERSION"));

impl Session {
    /// The first thing of all: a nickname, or the connection.
    pub(super) fn begin(&mut self, ctx: &mut Context<Self>) {
        match self.wanted.take() {
            Some(nick) => self.try_nick(nick, ctx),
            None if self.person => self.ask_nickname(),
            None => self.connect(ctx),
        }
    }

    pub(super) fn ask_nickname(&mut self) {
        self.phase = Phase::Naming;
        self.asked = Asked::Nickname;
        self.ask_person("Your nickname: ".to_owned(), PromptKind::Nickname);
    }

    /// Handles a typed nickname; an empty line accepts any.
    pub(super) fn nickname(&mut self, nick: &str, ctx: &mut Context<Self>) {
        match nick.trim() {
            "" => {
                self.wanted = None;
                self.greet_or_connect(ctx);
            }
            nick => self.try_nick(nick.to_owned(), ctx),
        }
    }

    /// Handles an unanswered nickname prompt: goodbye, unless a nickname was rejected before.
    pub(super) fn no_nickname(&mut self, ctx: &mut Context<Self>) {
        let ending = match self.wanted {
            None => ExitStatus::Goodbye,
            Some(_) => ExitStatus::NickRefused,
        };
        self.end(ending, ctx);
    }

    pub(super) fn try_nick(&mut self, nick: String, ctx: &mut Context<Self>) {
        let checked = Nick::new(&nick);
        self.wanted = Some(nick);
        match checked {
            Ok(_) => self.greet_or_connect(ctx),
            Err(error) => self.nick_refused("nick_invalid", &error.to_string(), ctx),
        }
    }

    pub(super) fn greet_or_connect(&mut self, ctx: &mut Context<Self>) {
        self.phase = Phase::Arriving;
        self.proof = Proof::None;
        if self.connection.is_some() {
            self.reused = true;
            self.greet(ctx);
        } else {
            self.connect(ctx);
        }
    }

    pub(super) fn nick_refused(&mut self, code: &str, detail: &str, ctx: &mut Context<Self>) {
        self.transcript.waiting(None);
        self.transcript.error(code, detail);
        if !self.person || self.goodbye.is_some() {
            self.end(ExitStatus::NickRefused, ctx);
        } else if self.identity.is_none() {
            self.ask_nickname();
        } else {
            // The user may be typing a line, so the nickname is requested by a command.
            self.phase = Phase::Naming;
            let notice = "your nickname is no longer yours; /nick NEW comes back under another";
            self.transcript.notice(notice);
        }
    }

    /// Makes a connection, unless the wish for it is gone.
    pub(super) fn connect(&mut self, ctx: &mut Context<Self>) {
        if self.phase != Phase::Arriving || self.connection.is_some() {
            return;
        }
        if self.identity.is_none() {
            let server = word(&self.options.server());
            self.transcript
                .waiting(Some(&format!("connecting to {server}")));
        }
        let (host, port) = (self.options.host.clone(), self.options.port);
        let tls = self.tls.clone();
        let connected = connection::connect(host, port, tls).into_actor(self);
        ctx.spawn(connected.map(|result, session, ctx| session.connected(result, ctx)));
    }

    fn connected(
        &mut self,
        result: Result<(ServerConnection, FrameStream), ConnectError>,
        ctx: &mut Context<Self>,
    ) {
        match result {
            _ if self.phase != Phase::Arriving => {}
            Ok((link, arrivals)) => {
                self.listen(link, arrivals, ctx);
                self.watch(ctx);
                self.proof = Proof::None;
                self.greet(ctx);
            }
            Err(error) if self.identity.is_none() => {
                self.transcript.waiting(None);
                let mut detail = format!("{}: {error}", self.options.server());
                if let ConnectError::Lookup(_) = error
                    && let Some((_, zone)) = self.options.host.split_once('%')
                {
                    detail = format!(
                        "{}: there is no network interface {zone}, or no such address",
                        self.options.server()
                    );
                } else if let ConnectError::Lookup(_) = error
                    && self.options.may_be_a_nick
                {
                    let nick = &self.options.host;
                    detail = format!("{detail}; did you mean --nick {nick}?");
                }
                self.transcript.error("connection_refused", &detail);
                self.end(ExitStatus::Lost, ctx);
            }
            Err(error) => {
                log::debug!("not back yet: {error}");
                self.retry(ctx);
            }
        }
    }

    /// Reads from a new connection.
    fn listen(&mut self, link: ServerConnection, arrivals: FrameStream, ctx: &mut Context<Self>) {
        self.connection = Some(link);
        self.arrivals = Some(ctx.add_stream(arrivals));
        self.heard = Instant::now();
        self.pinged = false;
        self.answered = false;
    }

    /// Sends `hello`, resuming the previous session if a token is stored.
    pub(super) fn greet(&mut self, ctx: &mut Context<Self>) {
        let mut hello = Hello {
            version: Some(VERSION),
            client: Some(CLIENT.into()),
            ..Hello::default()
        };
        let wanted = self.wanted.clone();
        match &self.identity {
            None => {
                hello.after = self.remembered(wanted.as_deref());
                hello.nick = wanted.map(Into::into);
            }
            Some(identity) => {
                hello.after = Some(self.seen);
                match wanted {
                    Some(other) => hello.nick = Some(other.into()),
                    None => {
                        hello.nick = Some(identity.nick.clone().into());
                        hello.token = Some(identity.token.clone().into());
                    }
                }
            }
        }
        // A token is enough where it is good, and costs the server nothing.
        let new = self.proof == Proof::None && hello.token.is_none() && hello.nick.is_some();
        if new && !self.options.passwords.is_empty() {
            self.proof = Proof::Password;
        }
        if self.proof == Proof::Password {
            hello.token = None;
            hello.password = self.options.passwords.first().cloned();
        }
        self.send_now(&Envelope::new(Request::Hello(hello)), ctx);
    }

    pub(super) fn welcome(&mut self, welcome: &Welcome<'_>, ctx: &mut Context<Self>) {
        self.phase = Phase::Here;
        self.reused = false;
        if self.proof == Proof::Without {
            let nick = &welcome.nick;
            let detail = format!("no such account: {nick}; /register creates it");
            self.transcript.error("not_registered", &detail);
        }
        self.since = Some(Instant::now());
        self.transcript.waiting(None);
        let asked_for = self.wanted.take();
        let before = self.identity.replace(Identity {
            nick: welcome.nick.clone().into_owned(),
            token: welcome.token.clone().into_owned(),
        });
        self.location.nick = welcome.nick.clone().into_owned();
        self.names.nick(&welcome.nick);
        for channel in &welcome.channels {
            self.names.channel(&channel.name);
        }
        let first = before.is_none();
        match before {
            None => {
                // A history that was begun anew counts from 1 again.
                let seen = self.remembered(asked_for.as_deref());
                self.seen = seen.unwrap_or(welcome.seq).min(welcome.seq);
                self.tell_welcome(welcome);
                self.first_words(welcome, asked_for.is_none());
                if self.seen < welcome.seq {
                    self.expect_replay(welcome, 0, ctx);
                }
            }
            Some(before) => self.come_back(&before, welcome, ctx),
        }
        for channel in &welcome.joined {
            if let Ok(channel) = Channel::new(channel) {
                self.location.add(&channel);
            }
        }
        let chooses = first && self.chooses_on_arrival(&welcome.nick, welcome.seq);
        if chooses {
            self.choosing = true;
            self.list(Channel::lobby(), ListPurpose::Arrive);
            self.wait_for_list(ctx);
        } else if self.editor && self.transcript.tui().is_none() {
            self.list(Channel::lobby(), ListPurpose::Learn);
        }
        self.flush(ctx);
        self.settled(ctx);
    }

    /// Returns whether the user chooses from a numbered list: never in a pipe, for a task or with
    /// `--json`. The full screen has a list of its own.
    fn chooses_on_arrival(&self, nick: &str, last: u64) -> bool {
        let options = &self.options;
        let is_for_lines =
            options.task.is_none() && !options.json && self.transcript.tui().is_none();
        let may = is_for_lines
            && self.person
            && self.goodbye.is_none()
            && (self.editor || io::stdout().is_terminal());
        may && (options.choose_on_arrival || self.arrives_first(nick, last))
    }

    /// Returns whether this user has not arrived here under the nick before, and notes the arrival
    /// with the last message of the server. An arrival that cannot be noted counts as known.
    fn arrives_first(&self, nick: &str, last: u64) -> bool {
        let mut remembered = ReadState::of_this_user(&self.options.server());
        if !remembered.is_kept() || remembered.seen(nick).is_some() {
            return false;
        }
        remembered.see(nick, last);
        remembered
            .save()
            .inspect_err(|error| log::debug!("the arrival cannot be noted: {error}"))
            .is_ok()
    }

    /// Shows the greeting. A script that named its nick only gets the message of the day.
    fn first_words(&mut self, welcome: &Welcome<'_>, nick_is_given: bool) {
        if self.person || nick_is_given {
            let (nick, server) = (word(&welcome.nick), word(&welcome.server));
            self.show_notice(&format!("you are {nick} on {server}"));
        }
        if let Some(motd) = welcome.motd.as_deref().filter(|motd| !motd.is_empty()) {
            self.show_notice(&lines(motd));
        }
    }
}
