//! Requests that a client sends (PROTOCOL.md, 3. From the client).
//!
//! The parser borrows from the frame and checks types and bounds only. [`crate::Nick`],
//! [`crate::Channel`] and [`crate::Text`] validate names and texts, with error codes of their own.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::moderation::{self, Ban, BansQuery, Kick, Mute, SENTENCE_SECONDS, Unban};
use crate::{DEFAULT_HISTORY_PAGE, ErrorCode, LOBBY, MAX_ID_BYTES, MAX_PAGE, Malformed, Secret};

/// A request with its `id` (PROTOCOL.md, 3.1 Requests).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Envelope<'a> {
    /// The request.
    #[serde(flatten)]
    pub request: Request<'a>,
    /// 1 to [`MAX_ID_BYTES`] bytes, chosen by the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
}

/// A request, with its `type` as the variant (PROTOCOL.md, 3. From the client).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request<'a> {
    /// Logs in or resumes; the first request of a connection (3.2).
    Hello(Hello<'a>),
    /// Sends a message to a channel or to a user (3.3).
    Say(Say<'a>),
    /// Enters a channel (3.4).
    Join {
        /// The channel.
        channel: Cow<'a, str>,
    },
    /// Leaves a channel (3.5).
    Part {
        /// The channel.
        channel: Cow<'a, str>,
        /// The reason that the members receive.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Cow<'a, str>>,
    },
    /// Returns a page of the members of a channel (3.6).
    Users(UsersQuery<'a>),
    /// Returns the largest channels (3.7).
    Channels,
    /// Returns a page of a conversation (3.8).
    History(HistoryQuery<'a>),
    /// Takes another nick (3.9).
    Nick {
        /// The new nick.
        nick: Cow<'a, str>,
    },
    /// Asks for a `pong` (3.10).
    Ping,
    /// Answers a `ping` of the server (3.10).
    Pong,
    /// Ends the session (3.11).
    Quit {
        /// The reason that the other users receive.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Cow<'a, str>>,
    },
    /// Protects the nick of this connection by a password (5.1).
    Register {
        /// [`crate::PASSWORD_BYTES`] bytes.
        password: Secret<'a>,
    },
    /// Changes the password of the account (5.1).
    Password {
        /// The password until now.
        old: Secret<'a>,
        /// The password from now on, [`crate::PASSWORD_BYTES`] bytes.
        new: Secret<'a>,
    },
    /// Gives the account up (5.1).
    Unregister {
        /// The password of the account.
        password: Secret<'a>,
    },
    /// Removes a user from a channel or from the server (10.1).
    Kick(Kick<'a>),
    /// Sets a ban (10.1).
    Ban(Ban<'a>),
    /// Lifts a ban (10.1).
    Unban(Unban<'a>),
    /// Returns a page of bans (10.1).
    Bans(BansQuery<'a>),
    /// Mutes a user (10.1).
    Mute(Mute<'a>),
    /// Lifts the mute of a user (10.1).
    Unmute {
        /// The user.
        nick: Cow<'a, str>,
    },
    /// Sets or removes the topic of a channel (10.1).
    Topic {
        /// The channel.
        channel: Cow<'a, str>,
        /// Up to [`crate::moderation::TOPIC_BYTES`] bytes; empty removes the topic.
        topic: Cow<'a, str>,
    },
}

/// The fields of `hello` (PROTOCOL.md, 3.2 `hello`).
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hello<'a> {
    /// [`crate::VERSION`]; `None` for a number that is not an unsigned integer.
    pub version: Option<u64>,
    /// The nick that the client asks for; the server generates one for `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nick: Option<Cow<'a, str>>,
    /// Name and version of the client program, `name/version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Cow<'a, str>>,
    /// The token of the last `welcome` or `registered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Cow<'a, str>>,
    /// The last `seq` that the client has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The password of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret<'a>>,
}

/// Shows only whether token and password are present, because both are secrets.
impl fmt::Debug for Hello<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello")
            .field("version", &self.version)
            .field("nick", &self.nick)
            .field("client", &self.client)
            .field("token", &self.token.is_some())
            .field("after", &self.after)
            .field("password", &self.password.is_some())
            .finish()
    }
}

/// The fields of `say` (PROTOCOL.md, 3.3 `say`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Say<'a> {
    /// A channel or a nick; [`LOBBY`] for `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Cow<'a, str>>,
    /// The text.
    pub text: Cow<'a, str>,
    /// The nick of the connection, if present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Cow<'a, str>>,
}

/// The fields of `users` (PROTOCOL.md, 3.6 `users`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsersQuery<'a> {
    /// The channel; [`LOBBY`] by default.
    pub channel: Cow<'a, str>,
    /// Only nicks behind this one, in the order of the folded form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Cow<'a, str>>,
    /// The maximum number of entries, 1 to [`MAX_PAGE`].
    pub limit: u16,
}

/// The fields of `history` (PROTOCOL.md, 3.8 `history`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryQuery<'a> {
    /// A channel, or the nick of the other end of a direct conversation; [`LOBBY`] by default.
    pub with: Cow<'a, str>,
    /// Only messages with a lower `seq`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Only messages with a higher `seq`; the page then has the oldest of them, else the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The maximum number of entries, 1 to [`MAX_PAGE`].
    pub limit: u16,
}

impl<'a> Envelope<'a> {
    /// Creates a request without an `id`.
    pub fn new(request: Request<'a>) -> Self {
        Self { request, id: None }
    }

    /// Parses the JSON of a frame.
    ///
    /// # Errors
    /// `bad_json` if the bytes are not UTF-8 or not JSON, `unknown_type` for an object of an
    /// unknown type, else `bad_request` (PROTOCOL.md, 1.5 Malformed requests).
    pub fn parse(frame: &'a [u8]) -> Result<Self, Malformed> {
        // serde_json does not validate UTF-8 in ignored values; check the whole frame.
        let json = std::str::from_utf8(frame).map_err(|_| bad_json("the frame is not UTF-8"))?;
        if !json.trim_ascii_start().starts_with('{') {
            return Err(match serde_json::from_str::<de::IgnoredAny>(json) {
                Ok(_) => bad_request("a request is a JSON object", None),
                Err(_) => bad_json("the frame is not JSON"),
            });
        }
        Self::of_object(json).map_err(|malformed| Malformed {
            is_other: is_other(json),
            ..malformed
        })
    }

    fn of_object(json: &'a str) -> Result<Self, Malformed> {
        let fields: Fields<'a> =
            serde_json::from_str(json).map_err(|error| match error.classify() {
                serde_json::error::Category::Data => {
                    bad_request("a field stands there twice", None)
                }
                _ => bad_json("the frame is not JSON"),
            })?;
        fields.into_envelope()
    }
}

/// Returns whether the object has a `type` other than `hello`: [`Malformed::is_other`].
fn is_other(json: &str) -> bool {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow)]
        r#type: Cow<'a, str>,
    }
    serde_json::from_str(json).is_ok_and(|Typed { r#type }| r#type != "hello")
}

/// A value of any type. Unknown fields of a request are ignored whatever their types are, and the
/// `type` of the request may come last (PROTOCOL.md, 1.4 JSON objects).
#[derive(Default)]
pub(crate) enum Field<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Unsigned(u64),
    /// A number that is not an unsigned 64-bit integer.
    Number,
    Other,
}

/// The fields of all requests, read in one pass over the JSON.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields<'a> {
    #[serde(borrow)]
    r#type: Field<'a>,
    #[serde(borrow)]
    id: Field<'a>,
    #[serde(borrow)]
    text: Field<'a>,
    #[serde(borrow)]
    to: Field<'a>,
    #[serde(borrow)]
    from: Field<'a>,
    #[serde(borrow)]
    pub(crate) channel: Field<'a>,
    #[serde(borrow)]
    pub(crate) nick: Field<'a>,
    #[serde(borrow)]
    pub(crate) reason: Field<'a>,
    #[serde(borrow)]
    with: Field<'a>,
    #[serde(borrow)]
    before: Field<'a>,
    #[serde(borrow)]
    pub(crate) after: Field<'a>,
    #[serde(borrow)]
    pub(crate) limit: Field<'a>,
    #[serde(borrow)]
    version: Field<'a>,
    #[serde(borrow)]
    client: Field<'a>,
    #[serde(borrow)]
    token: Field<'a>,
    #[serde(borrow)]
    password: Field<'a>,
    #[serde(borrow)]
    old: Field<'a>,
    #[serde(borrow)]
    new: Field<'a>,
    #[serde(borrow)]
    pub(crate) account: Field<'a>,
    #[serde(borrow)]
    pub(crate) address: Field<'a>,
    #[serde(borrow)]
    pub(crate) seconds: Field<'a>,
    #[serde(borrow)]
    pub(crate) topic: Field<'a>,
}

impl<'a> Fields<'a> {
    fn into_envelope(self) -> Result<Envelope<'a>, Malformed> {
        let id = match self.id {
            Field::Absent => None,
            Field::Text(id) if (1..=MAX_ID_BYTES).contains(&id.len()) => Some(id),
            _ => return Err(bad_request("id is a string of 1 to 64 bytes", None)),
        };
        let known = id.as_deref().map(Box::from);
        let Field::Text(kind) = &self.r#type else {
            return Err(bad_request("an object has a string type", known));
        };
        let kind = kind.clone();
        match Self::request(
            &kind,
            Fields {
                id: Field::Absent,
                ..self
            },
        ) {
            Ok(Some(request)) => Ok(Envelope { request, id }),
            Ok(None) => Err(malformed(
                ErrorCode::UnknownType,
                "the type is unknown",
                known,
            )),
            Err(detail) => Err(bad_request(detail, known)),
        }
    }

    /// Builds the request of a type; `None` for an unknown type. An error names the expected
    /// content of a wrong field.
    fn request(kind: &str, fields: Self) -> Result<Option<Request<'a>>, &'static str> {
        Ok(Some(match kind {
            "say" => Request::Say(Say {
                to: fields.to.optional_text("to is a string")?,
                text: fields.text.text("say needs a string text")?,
                from: fields.from.optional_text("from is a string")?,
            }),
            "hello" => Request::Hello(Hello {
                version: match fields.version {
                    Field::Unsigned(version) => Some(version),
                    Field::Number => None,
                    _ => return Err("hello needs a number version"),
                },
                nick: fields.nick.optional_text("nick is a string")?,
                client: fields.client.optional_text("client is a string")?,
                token: fields.token.optional_text("token is a string")?,
                after: fields.after.optional_number("after is a sequence number")?,
                password: fields
                    .password
                    .optional_text("password is a string")?
                    .map(Into::into),
            }),
            "join" => Request::Join {
                channel: fields.channel.text("join needs a string channel")?,
            },
            "part" => Request::Part {
                channel: fields.channel.text("part needs a string channel")?,
                reason: fields.reason.optional_text("reason is a string")?,
            },
            "users" => Request::Users(UsersQuery {
                channel: fields
                    .channel
                    .optional_text("channel is a string")?
                    .unwrap_or(LOBBY.into()),
                after: fields.after.optional_text("after is a nick")?,
                limit: fields.limit.page(MAX_PAGE)?,
            }),
            "channels" => Request::Channels,
            "history" => Request::History(HistoryQuery {
                with: fields
                    .with
                    .optional_text("with is a string")?
                    .unwrap_or(LOBBY.into()),
                before: fields
                    .before
                    .optional_number("before is a sequence number")?,
                after: fields.after.optional_number("after is a sequence number")?,
                limit: fields.limit.page(DEFAULT_HISTORY_PAGE)?,
            }),
            "nick" => Request::Nick {
                nick: fields.nick.text("nick needs a string nick")?,
            },
            "ping" => Request::Ping,
            "pong" => Request::Pong,
            "quit" => Request::Quit {
                reason: fields.reason.optional_text("reason is a string")?,
            },
            _ => return Self::account(kind, fields),
        }))
    }

    /// Builds a request of PROTOCOL.md, 5. Accounts, or of 10. Moderation.
    fn account(kind: &str, fields: Self) -> Result<Option<Request<'a>>, &'static str> {
        Ok(Some(match kind {
            "register" => Request::Register {
                password: fields.password.secret("register needs a string password")?,
            },
            "password" => Request::Password {
                old: fields.old.secret("password needs a string old")?,
                new: fields.new.secret("password needs a string new")?,
            },
            "unregister" => Request::Unregister {
                password: fields
                    .password
                    .secret("unregister needs a string password")?,
            },
            _ => return moderation::request(kind, fields),
        }))
    }
}

impl<'a> Field<'a> {
    pub(crate) fn text(self, expected: &'static str) -> Result<Cow<'a, str>, &'static str> {
        self.optional_text(expected)?.ok_or(expected)
    }

    fn secret(self, expected: &'static str) -> Result<Secret<'a>, &'static str> {
        self.text(expected).map(Into::into)
    }

    pub(crate) fn optional_text(
        self,
        expected: &'static str,
    ) -> Result<Option<Cow<'a, str>>, &'static str> {
        match self {
            Field::Absent => Ok(None),
            Field::Text(text) => Ok(Some(text)),
            _ => Err(expected),
        }
    }

    pub(crate) fn optional_number(
        self,
        expected: &'static str,
    ) -> Result<Option<u64>, &'static str> {
        match self {
            Field::Absent => Ok(None),
            Field::Unsigned(seq) => Ok(Some(seq)),
            _ => Err(expected),
        }
    }

    pub(crate) fn seconds(self) -> Result<Option<u64>, &'static str> {
        const RANGE: &str = "seconds is a number, 1 to 3155760000";
        let seconds = self.optional_number(RANGE)?;
        let in_range = seconds.is_none_or(|seconds| SENTENCE_SECONDS.contains(&seconds));
        in_range.then_some(seconds).ok_or(RANGE)
    }

    pub(crate) fn page(self, default: u16) -> Result<u16, &'static str> {
        match self {
            Field::Absent => Ok(default),
            Field::Unsigned(limit) => u16::try_from(limit)
                .ok()
                .filter(|limit| (1..=MAX_PAGE).contains(limit))
                .ok_or("limit is 1 to 500"),
            _ => Err("limit is a number, 1 to 500"),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

/// Converts a number without a fraction to an integer (PROTOCOL.md, 1.4 JSON objects). Below 2^48
/// the result is exact: doubles are exact beyond that (RFC 7493, section 2.2), and the rounding
/// error of serde_json is a fraction.
fn whole(number: f64) -> Option<u64> {
    const EXACT_BELOW: f64 = 281_474_976_710_656.0;
    let is_whole = (0.0..EXACT_BELOW).contains(&number) && number.fract() == 0.0;
    // The shortest text of a whole number below 2^48 has neither a point nor an exponent.
    is_whole.then(|| number.abs().to_string().parse().ok())?
}

struct FieldVisitor;

impl<'de> de::Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field<'de>, E> {
        Ok(Field::Unsigned(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Field<'de>, E> {
        Ok(Field::Number)
    }

    /// Accepts `1.0` as 1: RFC 8259 has no integers, and some JSON libraries write a fraction.
    fn visit_f64<E>(self, number: f64) -> Result<Field<'de>, E> {
        Ok(whole(number).map_or(Field::Number, Field::Unsigned))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field<'de>, E> {
        Ok(Field::Other)
    }

    /// Treats `null` as absent: many JSON libraries write it for an absent value.
    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::Absent)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Field<'de>, A::Error> {
        while seq.next_element::<de::IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
        while map
            .next_entry::<de::IgnoredAny, de::IgnoredAny>()?
            .is_some()
        {}
        Ok(Field::Other)
    }
}

fn bad_json(detail: &'static str) -> Malformed {
    malformed(ErrorCode::BadJson, detail, None)
}

fn bad_request(detail: &'static str, id: Option<Box<str>>) -> Malformed {
    malformed(ErrorCode::BadRequest, detail, id)
}

/// Creates an error; [`Envelope::parse`] sets [`Malformed::is_other`].
fn malformed(code: ErrorCode, detail: &'static str, id: Option<Box<str>>) -> Malformed {
    Malformed {
        code,
        detail: detail.into(),
        id,
        is_other: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(frame: impl AsRef<[u8]>) -> (ErrorCode, Option<Box<str>>) {
        let malformed = Envelope::parse(frame.as_ref()).unwrap_err();
        (malformed.code, malformed.id)
    }

    #[test]
    fn what_is_no_json() {
        for frame in [
            &b"not json"[..],
            b"\xff\xfe\x00",
            b"{",
            b"{}x",
            b"",
            b" ",
            b"[",
            b"{\"a\":\"\xff\"}",
            b"{\"type\":\"\\ud800\"}",
        ] {
            assert_eq!(code(frame), (ErrorCode::BadJson, None), "{frame:?}");
        }
        assert_eq!(code("[".repeat(60_000)).0, ErrorCode::BadJson);
        assert_eq!(
            code(format!("{{\"type\":\"ping\",\"x\":{}", "[".repeat(60_000))).0,
            ErrorCode::BadJson
        );
    }

    #[test]
    fn what_is_no_request() {
        for frame in [
            "[]",
            "1",
            "\"x\"",
            "null",
            "true",
            "{}",
            "[\"ping\"]",
            "{\"type\":7}",
            "{\"type\":null}",
            "{\"type\":\"say\"}",
            "{\"type\":\"say\",\"text\":5}",
            "{\"type\":\"say\",\"text\":\"x\",\"to\":[]}",
            "{\"type\":\"say\",\"text\":null}",
            "{\"type\":\"ping\",\"id\":5}",
            "{\"type\":\"ping\",\"id\":\"\"}",
            "{\"type\":\"ping\",\"type\":\"ping\"}",
            "{\"type\":\"history\",\"limit\":0}",
            "{\"type\":\"register\"}",
            "{\"type\":\"password\",\"old\":\"x\"}",
            "{\"type\":\"history\",\"limit\":501}",
            "{\"type\":\"history\",\"before\":-1}",
            "{\"type\":\"history\",\"after\":\"1\"}",
            "{\"type\":\"users\",\"after\":1}",
            "{\"type\":\"users\",\"limit\":1.5}",
            "{\"type\":\"hello\"}",
            "{\"type\":\"hello\",\"version\":\"1\"}",
            "{\"type\":\"join\"}",
            "{\"type\":\"nick\",\"nick\":{}}",
            "{\"type\":\"kick\"}",
            "{\"type\":\"ban\"}",
            "{\"type\":\"ban\",\"nick\":\"a\",\"address\":\"::1\"}",
            "{\"type\":\"ban\",\"nick\":\"a\",\"seconds\":0}",
            "{\"type\":\"ban\",\"nick\":\"a\",\"seconds\":\"1h\"}",
            "{\"type\":\"mute\",\"nick\":\"a\",\"seconds\":3155760001}",
            "{\"type\":\"unban\",\"account\":7}",
            "{\"type\":\"bans\",\"after\":\"a\"}",
            "{\"type\":\"topic\",\"channel\":\"#a\"}",
        ] {
            assert_eq!(code(frame), (ErrorCode::BadRequest, None), "{frame}");
        }
    }

    #[test]
    fn a_refusal_bears_the_id_of_the_request() {
        assert_eq!(
            code("{\"id\":\"k\",\"type\":\"say\"}"),
            (ErrorCode::BadRequest, Some("k".into()))
        );
        assert_eq!(
            code("{\"type\":\"dance\",\"id\":\"k\"}"),
            (ErrorCode::UnknownType, Some("k".into()))
        );
        let long = format!("{{\"type\":\"dance\",\"id\":\"{}\"}}", "x".repeat(65));
        assert_eq!(code(long), (ErrorCode::BadRequest, None));
    }

    #[test]
    fn fields_of_other_requests_are_ignored_whatever_they_hold() {
        let frame = r#" {"type":"ping","text":5,"before":[1,{"a":2}],"nick":{"x":null},"zzz":1e400,"id":"p"} "#;
        // serde_json cannot hold 1e400, but the field is unknown and therefore ignored.
        let ping = Envelope::parse(frame.as_bytes());
        assert_eq!(
            ping.unwrap(),
            Envelope {
                request: Request::Ping,
                id: Some("p".into())
            }
        );
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_fraction() {
        for (number, want) in [
            ("1.0", Some(1)),
            ("10e-1", Some(1)),
            ("0.0", Some(0)),
            ("-0.0", Some(0)),
            ("281474976710655.0", Some(281_474_976_710_655)),
            ("281474976710656.0", None),
            ("1.5", None),
            ("-1.0", None),
            ("1e300", None),
        ] {
            let hello = format!("{{\"type\":\"hello\",\"version\":{number}}}");
            let Request::Hello(hello) = Envelope::parse(hello.as_bytes()).unwrap().request else {
                panic!("{hello}");
            };
            assert_eq!(hello.version, want, "{number}");
        }
        let page = Envelope::parse(br#"{"type":"history","limit":5e1,"after":7.0}"#).unwrap();
        let want = HistoryQuery {
            with: LOBBY.into(),
            before: None,
            after: Some(7),
            limit: 50,
        };
        assert_eq!(page.request, Request::History(want));
    }

    #[test]
    fn null_is_left_out_and_escapes_are_undone() {
        let say = Envelope::parse(
            br#"{"ty\u0070e":"say","to":null,"text":"a\n\"\u00f1\"","from":null,"id":null}"#,
        )
        .unwrap();
        let want = Say {
            to: None,
            text: "a\n\"ñ\"".into(),
            from: None,
        };
        assert_eq!(say, Envelope::new(Request::Say(want)));
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let users = Envelope::parse(br#"{"type":"users"}"#).unwrap().request;
        assert_eq!(
            users,
            Request::Users(UsersQuery {
                channel: LOBBY.into(),
                after: None,
                limit: 500
            })
        );
        let history = Envelope::parse(br#"{"type":"history"}"#).unwrap().request;
        assert_eq!(
            history,
            Request::History(HistoryQuery {
                with: LOBBY.into(),
                before: None,
                after: None,
                limit: 50
            })
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let hello = Hello {
            token: Some("geheim".into()),
            password: Some("secreto".into()),
            ..Hello::default()
        };
        let shown = format!("{hello:?}");
        assert!(
            !shown.contains("geheim") && !shown.contains("secreto"),
            "{shown}"
        );
        let register = Request::Register {
            password: "secreto".into(),
        };
        assert!(!format!("{register:?}").contains("secreto"));
    }
}
