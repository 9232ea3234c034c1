//! A frame's request in the words of the core: shapes are chat-proto's, names and texts are checked
//! here, and what is wrong becomes a refusal that keeps its place among the answers.

use std::borrow::Cow;
use std::iter;

use chat_proto::moderation::{REASON_BYTES, TOPIC_BYTES, Target};
use chat_proto::{
    Channel, Envelope, ErrorCode, Nick, PASSWORD_BYTES, PlainSay, Saying, Secret, Text, TextError,
    VERSION, Words,
};

use super::errand::Wish;
use crate::chat::command::{Command, Hello, Refusal, Request, Say};
use crate::chat::moderation::{self, BanRequest, ModerationCommand};
use crate::chat::token::{Id, LoginRandom, Token};
use crate::ip::{ClientNetwork, NoNetblock};

/// What holds for all requests of a read, and what is said in them.
#[derive(Debug)]
pub struct Translator {
    text_bytes: usize,
    origin: ClientNetwork,
    /// Bytes that were read.
    read_bytes: usize,
    /// Once something is said.
    words: Option<Words>,
}

impl Translator {
    pub fn new(text_bytes: usize, origin: ClientNetwork, read_bytes: usize) -> Self {
        Self {
            text_bytes,
            origin,
            read_bytes,
            words: None,
        }
    }

    /// What is said in the requests.
    pub fn into_words(self) -> Words {
        self.words.unwrap_or_default()
    }

    /// Adds to `requests` what a frame asks that is nothing but a plain and legal `say`, as almost every one is; all
    /// else is for [`Translator::translate`].
    pub fn take_plain_say(&mut self, frame: &[u8], requests: &mut Vec<Request>) -> bool {
        let Some(plain) = PlainSay::parse(frame) else {
            return false;
        };
        let text_bytes = self.text_bytes;
        let saying = |words: &mut Words| words.say_plainly(&plain, text_bytes);
        let Ok(say) = self.say(plain.to, plain.from, saying) else {
            return false;
        };
        // Written where it is to lie: `push` has it put together elsewhere first, which was 1 % of the server's samples
        // in a channel of 10.
        requests.extend(iter::once_with(|| Request {
            id: plain.id.map(Id::from),
            command: Command::Say(say),
        }));
        true
    }

    /// The request of a frame, whether it was malformed (protocol, 1. Frames: ten in a row close), and what it
    /// wants of the accounts.
    // Apart, as the room that all kinds of requests take on the stack costs the plain ones.
    #[inline(never)]
    pub fn translate(&mut self, frame: &[u8]) -> (Request, bool, Option<Wish>) {
        match Envelope::parse(frame) {
            Ok(Envelope { mut request, id }) => {
                let id = id.map(Id::from);
                let is_other = !matches!(request, chat_proto::Request::Hello(_));
                let wish = wish(&mut request);
                let both = wish.and_then(|wish| Ok((self.command(request, id.as_deref())?, wish)));
                let (command, wish) = both.unwrap_or_else(|no| (refuse(no, is_other), None));
                (Request { id, command }, false, wish)
            }
            Err(malformed) => {
                let counts = malformed.code != ErrorCode::UnknownType;
                let id = malformed.id.map(Into::into);
                let refusal = Refusal::new(malformed.code, malformed.detail);
                let command = refuse(refusal, malformed.is_other);
                (Request { id, command }, counts, None)
            }
        }
    }

    fn command(
        &mut self,
        request: chat_proto::Request<'_>,
        id: Option<&str>,
    ) -> Result<Command, Refusal> {
        use chat_proto::Request as Wire;
        let text_bytes = self.text_bytes;
        Ok(match request {
            Wire::Say(say) => {
                let saying = |words: &mut Words| words.say(&say.text, text_bytes, id);
                let say = self.say(say.to.as_deref(), say.from.as_deref(), saying);
                Command::Say(say.map_err(illegal)?)
            }
            Wire::Hello(hello) => self.hello(hello)?,
            Wire::Join { channel } => {
                let channel = Channel::new(&channel);
                Command::Join {
                    channel: channel.map_err(|error| {
                        Refusal::new(ErrorCode::ChannelInvalid, error.to_string())
                    })?,
                }
            }
            Wire::Part { channel, reason } => Command::Part {
                channel: boxed(channel),
                reason: optional_text(reason, text_bytes)?,
            },
            Wire::Users(users) => Command::Users {
                channel: boxed(users.channel),
                after: users.after.map(boxed),
                limit: users.limit,
            },
            Wire::Channels => Command::Channels,
            Wire::History(page) => Command::History {
                with: boxed(page.with),
                before: page.before,
                after: page.after,
                limit: page.limit,
            },
            Wire::Nick { nick: name } => Command::Nick { nick: nick(&name)? },
            Wire::Register { .. } | Wire::Password { .. } | Wire::Unregister { .. } => {
                Command::Account
            }
            Wire::Kick(_)
            | Wire::Ban(_)
            | Wire::Unban(_)
            | Wire::Bans(_)
            | Wire::Mute(_)
            | Wire::Unmute { .. }
            | Wire::Topic { .. } => Command::Moderate(Box::new(act(request, text_bytes)?)),
            Wire::Ping => Command::Ping,
            Wire::Pong => Command::Pong,
            Wire::Quit { reason } => Command::Quit {
                reason: optional_text(reason, text_bytes)?,
            },
        })
    }

    fn hello(&self, hello: chat_proto::Hello<'_>) -> Result<Command, Refusal> {
        if hello.version != Some(VERSION) {
            let detail = "this server speaks version 1";
            return Err(Refusal::new(ErrorCode::BadVersion, detail));
        }
        Ok(Command::Hello(Box::new(Hello {
            nick: hello.nick.map(|name| nick(&name)).transpose()?,
            token: hello.token.and_then(|token| Token::parse(&token)),
            after: hello.after,
            account: None,
            origin: self.origin,
            random: LoginRandom::generate(),
        })))
    }

    /// `saying` adds what is said to the words of this read, which have room for all of it, where it is not much
    /// escaped.
    fn say(
        &mut self,
        to: Option<&str>,
        from: Option<&str>,
        saying: impl FnOnce(&mut Words) -> Result<Saying, TextError>,
    ) -> Result<Say, TextError> {
        let words = || Words::with_capacity(self.read_bytes);
        let words = self.words.get_or_insert_with(words);
        Ok(Say {
            saying: saying(words)?,
            to: to.map(|to| words.name(to)),
            from: from.map(|from| words.name(from)),
        })
    }
}

fn refuse(refusal: Refusal, is_other: bool) -> Command {
    if is_other {
        Command::RejectBeforeHello(refusal)
    } else {
        Command::Reject(refusal)
    }
}

/// Takes out what a request wants of the accounts, passwords and all.
fn wish(request: &mut chat_proto::Request<'_>) -> Result<Option<Wish>, Refusal> {
    use chat_proto::Request as Wire;
    let take = |password: &mut Secret<'_>| std::mem::take(password).into_owned();
    Ok(Some(match request {
        Wire::Hello(hello) => match hello.password.take() {
            Some(password) => Wish::Prove(password.into_owned()),
            None => return Ok(None),
        },
        Wire::Register { password } => Wish::Register(chosen(take(password))?),
        Wire::Password { old, new } => Wish::Change {
            old: take(old),
            new: chosen(take(new))?,
        },
        Wire::Unregister { password } => Wish::Unregister(take(password)),
        _ => return Ok(None),
    }))
}

/// A password that somebody wants to have.
fn chosen(password: Secret<'static>) -> Result<Secret<'static>, Refusal> {
    if PASSWORD_BYTES.contains(&password.reveal().len()) {
        return Ok(password);
    }
    let (min, max) = (PASSWORD_BYTES.start(), PASSWORD_BYTES.end());
    Err(Refusal::new(
        ErrorCode::PasswordInvalid,
        format!("a password has {min} to {max} bytes"),
    ))
}

/// What only operators and founders may do.
fn act(request: chat_proto::Request<'_>, text_bytes: usize) -> Result<ModerationCommand, Refusal> {
    use chat_proto::Request as Wire;
    let reason = |reason| optional_text(reason, text_bytes.min(REASON_BYTES));
    Ok(match request {
        Wire::Kick(kick) => ModerationCommand::Kick {
            nick: boxed(kick.nick),
            channel: kick.channel.map(boxed),
            reason: reason(kick.reason)?,
        },
        Wire::Ban(ban) => ModerationCommand::Ban(BanRequest {
            target: target(ban.target)?,
            channel: ban.channel.map(boxed),
            seconds: ban.seconds,
            reason: reason(ban.reason)?,
        }),
        Wire::Unban(unban) => ModerationCommand::Unban {
            target: target(unban.target)?,
            channel: unban.channel.map(boxed),
        },
        Wire::Bans(bans) => ModerationCommand::Bans {
            channel: bans.channel.map(boxed),
            after: bans.after.unwrap_or(0),
            limit: bans.limit,
        },
        Wire::Mute(mute) => ModerationCommand::Mute {
            nick: boxed(mute.nick),
            seconds: mute.seconds,
            reason: reason(mute.reason)?,
        },
        Wire::Unmute { nick } => ModerationCommand::Unmute { nick: boxed(nick) },
        Wire::Topic { channel, topic } => ModerationCommand::Topic {
            channel: boxed(channel),
            topic: optional_text(Some(topic), TOPIC_BYTES)?
                .map(one_line)
                .transpose()?,
        },
        other => unreachable!("{other:?} is not asked of operators"),
    })
}

fn target(target: Target<'_>) -> Result<moderation::Target, Refusal> {
    Ok(match target {
        Target::Nick(name) => moderation::Target::Nick(nick(&name)?),
        Target::Account(name) => moderation::Target::Account(nick(&name)?),
        Target::Address(address) => {
            moderation::Target::Network(address.parse().map_err(|error: NoNetblock| {
                Refusal::new(ErrorCode::AddressInvalid, error.to_string())
            })?)
        }
    })
}

/// A topic stands in lists.
fn one_line(topic: Text) -> Result<Text, Refusal> {
    if topic.as_str().contains(['\n', '\t']) {
        let detail = "a topic is one line";
        return Err(Refusal::new(ErrorCode::TextInvalid, detail));
    }
    Ok(topic)
}

fn boxed(name: Cow<'_, str>) -> Box<str> {
    name.into_owned().into()
}

fn nick(name: &str) -> Result<Nick, Refusal> {
    Nick::new(name).map_err(|error| Refusal::new(ErrorCode::NickInvalid, error.to_string()))
}

fn text(text: Cow<'_, str>, max_bytes: usize) -> Result<Text, Refusal> {
    Text::new(text.into_owned(), max_bytes).map_err(illegal)
}

fn illegal(error: TextError) -> Refusal {
    let code = match error {
        TextError::TooLong { .. } => ErrorCode::TextTooLong,
        TextError::Empty | TextError::Control => ErrorCode::TextInvalid,
    };
    Refusal::new(code, error.to_string())
}

/// A reason is a text that may be left empty.
fn optional_text(reason: Option<Cow<'_, str>>, max_bytes: usize) -> Result<Option<Text>, Refusal> {
    reason
        .filter(|reason| !reason.is_empty())
        .map(|reason| text(reason, max_bytes))
        .transpose()
}
