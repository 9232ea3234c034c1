//! A frame's request in the words of the core: shapes are chat-proto's, names and texts are checked
//! here, and what is wrong becomes a refusal that keeps its place among the answers.

use std::borrow::Cow;

use chat_proto::{Channel, Envelope, ErrorCode, Nick, Text, TextError, VERSION};

use crate::chat::command::{Command, Hello, Refusal, Request, Say, Token};

/// The request of a frame, and whether it was malformed (protocol, 1. Frames: ten in a row close).
pub fn translate(frame: &[u8], text_bytes: usize) -> (Request, bool) {
    match Envelope::parse(frame) {
        Ok(Envelope { request, id }) => {
            let command = command(request, text_bytes).unwrap_or_else(Command::Refuse);
            (
                Request {
                    id: id.map(|id| (&*id).into()),
                    command,
                },
                false,
            )
        }
        Err(malformed) => {
            let counts = malformed.code != ErrorCode::UnknownType;
            let id = malformed.id.map(Into::into);
            (
                Request {
                    id,
                    command: Command::Refuse(Refusal::new(malformed.code, malformed.detail)),
                },
                counts,
            )
        }
    }
}

fn command(request: chat_proto::Request<'_>, text_bytes: usize) -> Result<Command, Refusal> {
    use chat_proto::Request as Wire;
    Ok(match request {
        Wire::Say(say) => Command::Say(Say {
            to: say.to.map(boxed),
            text: text(say.text, text_bytes)?,
            from: say.from.map(boxed),
        }),
        Wire::Hello(hello) => {
            if hello.version != Some(VERSION) {
                return Err(Refusal::new(
                    ErrorCode::BadVersion,
                    "this server speaks version 1",
                ));
            }
            Command::Hello(Hello {
                nick: hello.nick.map(|name| nick(&name)).transpose()?,
                token: hello.token.and_then(|token| Token::parse(&token)),
                after: hello.after,
            })
        }
        Wire::Join { channel } => {
            let channel = Channel::new(&channel);
            Command::Join {
                channel: channel
                    .map_err(|error| Refusal::new(ErrorCode::ChannelInvalid, error.to_string()))?,
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
        Wire::Ping => Command::Ping,
        Wire::Pong => Command::Pong,
        Wire::Quit { reason } => Command::Quit {
            reason: optional_text(reason, text_bytes)?,
        },
    })
}

fn boxed(name: Cow<'_, str>) -> Box<str> {
    name.into_owned().into()
}

fn nick(name: &str) -> Result<Nick, Refusal> {
    Nick::new(name).map_err(|error| Refusal::new(ErrorCode::NickInvalid, error.to_string()))
}

fn text(text: Cow<'_, str>, max_bytes: usize) -> Result<Text, Refusal> {
    Text::new(text.into_owned(), max_bytes).map_err(|error| {
        let code = match error {
            TextError::TooLong { .. } => ErrorCode::TextTooLong,
            TextError::Empty | TextError::Control => ErrorCode::TextInvalid,
        };
        Refusal::new(code, error.to_string())
    })
}

/// A reason is a text that may be left empty.
fn optional_text(reason: Option<Cow<'_, str>>, max_bytes: usize) -> Result<Option<Text>, Refusal> {
    reason
        .filter(|reason| !reason.is_empty())
        .map(|reason| text(reason, max_bytes))
        .transpose()
}
