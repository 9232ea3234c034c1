//! One frozen sample of each object of the protocol, byte for byte: what a client or a server of any
//! age has to understand. A change here is a change of the contract.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::too_many_lines, reason = "tables: a sample of each object")]

mod support;

use bytes::BytesMut;
use chat_proto::codec::{HEADER_BYTES, encode, encode_history, split_frame};
use chat_proto::moderation::{
    Ban, BanInfo, Banned, BansQuery, Kick, Mute, Muted, Target, Unban, Unbanned,
};
use chat_proto::{
    ChannelInfo, Envelope, ErrorCode, Event, Hello, HistoryQuery, Message, Record, Request, Say,
    Timestamp, UsersQuery, Welcome,
};
use support::{append, frame_of};

const TIME: Timestamp = Timestamp::from_millis(1_795_459_800_123);

fn message() -> Message<'static> {
    Message {
        seq: 7,
        time: TIME,
        from: "ana".into(),
        to: "#lobby".into(),
        text: "¡hola!\n\"привет\" \\ 👋🏽\t".into(),
        id: Some("k1".into()),
    }
}

#[test]
fn requests() {
    let hello = Hello {
        version: Some(1),
        nick: Some("ana".into()),
        client: Some("golden/1".into()),
        token: Some("t".into()),
        after: Some(41),
        password: Some("p".into()),
    };
    let samples: Vec<(Envelope<'_>, &str)> = vec![
        (
            Envelope::new(Request::Hello(hello)),
            r#"{"type":"hello","version":1,"nick":"ana","client":"golden/1","token":"t","after":41,"password":"p"}"#,
        ),
        (
            Envelope::new(Request::Hello(Hello {
                version: Some(1),
                ..Hello::default()
            })),
            r#"{"type":"hello","version":1}"#,
        ),
        (
            Envelope {
                request: Request::Say(Say {
                    to: Some("luis".into()),
                    text: "a\"b".into(),
                    from: Some("ana".into()),
                }),
                id: Some("k1".into()),
            },
            r#"{"type":"say","to":"luis","text":"a\"b","from":"ana","id":"k1"}"#,
        ),
        (
            Envelope::new(Request::Join {
                channel: "#rust".into(),
            }),
            r##"{"type":"join","channel":"#rust"}"##,
        ),
        (
            Envelope::new(Request::Part {
                channel: "#rust".into(),
                reason: Some("tired".into()),
            }),
            r##"{"type":"part","channel":"#rust","reason":"tired"}"##,
        ),
        (
            Envelope::new(Request::Users(UsersQuery {
                channel: "#lobby".into(),
                after: Some("ana".into()),
                limit: 5,
            })),
            r##"{"type":"users","channel":"#lobby","after":"ana","limit":5}"##,
        ),
        (Envelope::new(Request::Channels), r#"{"type":"channels"}"#),
        (
            Envelope::new(Request::History(HistoryQuery {
                with: "luis".into(),
                before: Some(9),
                after: Some(3),
                limit: 50,
            })),
            r#"{"type":"history","with":"luis","before":9,"after":3,"limit":50}"#,
        ),
        (
            Envelope::new(Request::Nick {
                nick: "lucho".into(),
            }),
            r#"{"type":"nick","nick":"lucho"}"#,
        ),
        (
            Envelope {
                request: Request::Ping,
                id: Some("p".into()),
            },
            r#"{"type":"ping","id":"p"}"#,
        ),
        (Envelope::new(Request::Pong), r#"{"type":"pong"}"#),
        (
            Envelope::new(Request::Quit {
                reason: Some("bye".into()),
            }),
            r#"{"type":"quit","reason":"bye"}"#,
        ),
        (
            Envelope::new(Request::Register {
                password: "12345678".into(),
            }),
            r#"{"type":"register","password":"12345678"}"#,
        ),
        (
            Envelope {
                request: Request::Password {
                    old: "12345678".into(),
                    new: "contraseña".into(),
                },
                id: Some("p".into()),
            },
            r#"{"type":"password","old":"12345678","new":"contraseña","id":"p"}"#,
        ),
        (
            Envelope::new(Request::Unregister {
                password: "contraseña".into(),
            }),
            r#"{"type":"unregister","password":"contraseña"}"#,
        ),
    ];
    let samples = samples.into_iter().chain(moderation_requests());
    for (request, json) in samples {
        assert_eq!(serde_json::to_string(&request).unwrap(), json);
        assert_eq!(Envelope::parse(json.as_bytes()).unwrap(), request);
    }
}

fn moderation_requests() -> Vec<(Envelope<'static>, &'static str)> {
    vec![
        (
            Envelope::new(Request::Kick(Kick {
                nick: "luis".into(),
                channel: Some("#rust".into()),
                reason: Some("spam".into()),
            })),
            r##"{"type":"kick","nick":"luis","channel":"#rust","reason":"spam"}"##,
        ),
        (
            Envelope {
                request: Request::Ban(Ban {
                    target: Target::Address("192.0.2.0/24".into()),
                    channel: None,
                    seconds: Some(3600),
                    reason: Some("spam".into()),
                }),
                id: Some("b".into()),
            },
            r#"{"type":"ban","address":"192.0.2.0/24","seconds":3600,"reason":"spam","id":"b"}"#,
        ),
        (
            Envelope::new(Request::Ban(Ban {
                target: Target::Nick("luis".into()),
                channel: Some("#rust".into()),
                seconds: None,
                reason: None,
            })),
            r##"{"type":"ban","nick":"luis","channel":"#rust"}"##,
        ),
        (
            Envelope::new(Request::Unban(Unban {
                target: Target::Account("luis".into()),
                channel: None,
            })),
            r#"{"type":"unban","account":"luis"}"#,
        ),
        (
            Envelope::new(Request::Bans(BansQuery {
                channel: Some("#rust".into()),
                after: Some(3),
                limit: 5,
            })),
            r##"{"type":"bans","channel":"#rust","after":3,"limit":5}"##,
        ),
        (
            Envelope::new(Request::Mute(Mute {
                nick: "luis".into(),
                seconds: Some(60),
                reason: Some("spam".into()),
            })),
            r#"{"type":"mute","nick":"luis","seconds":60,"reason":"spam"}"#,
        ),
        (
            Envelope::new(Request::Unmute {
                nick: "luis".into(),
            }),
            r#"{"type":"unmute","nick":"luis"}"#,
        ),
        (
            Envelope::new(Request::Topic {
                channel: "#rust".into(),
                topic: "crabs".into(),
            }),
            r##"{"type":"topic","channel":"#rust","topic":"crabs"}"##,
        ),
    ]
}

fn ban(target: Target<'static>) -> BanInfo<'static> {
    BanInfo {
        target,
        channel: None,
        mute: false,
        number: 7,
        by: None,
        time: TIME,
        until: None,
        reason: None,
    }
}

fn moderation_events() -> Vec<(Event<'static>, &'static str)> {
    vec![
        (
            Event::Left {
                channel: "#rust".into(),
                nick: "luis".into(),
                time: TIME,
                reason: Some("spam".into()),
                by: Some("ana".into()),
            },
            r##"{"type":"left","channel":"#rust","nick":"luis","time":"2026-11-23T18:50:00.123Z","reason":"spam","by":"ana"}"##,
        ),
        (
            Event::Gone {
                nick: "luis".into(),
                time: TIME,
                reason: "banned".into(),
                by: Some("ana".into()),
            },
            r#"{"type":"gone","nick":"luis","time":"2026-11-23T18:50:00.123Z","reason":"banned","by":"ana"}"#,
        ),
        (
            Event::Banned(Box::new(Banned {
                ban: BanInfo {
                    channel: Some("#rust".into()),
                    by: Some("ana".into()),
                    until: Some(TIME),
                    reason: Some("spam".into()),
                    ..ban(Target::Nick("luis".into()))
                },
                came_from: Some("192.0.2.7".into()),
            })),
            r##"{"type":"banned","nick":"luis","channel":"#rust","number":7,"by":"ana","time":"2026-11-23T18:50:00.123Z","until":"2026-11-23T18:50:00.123Z","reason":"spam","came_from":"192.0.2.7"}"##,
        ),
        (
            Event::Unbanned(Box::new(Unbanned {
                target: Target::Address("2001:db8::/64".into()),
                channel: Some("#rust".into()),
                by: Some("ana".into()),
                time: TIME,
            })),
            r##"{"type":"unbanned","address":"2001:db8::/64","channel":"#rust","by":"ana","time":"2026-11-23T18:50:00.123Z"}"##,
        ),
        (
            Event::Bans {
                channel: Some("#rust".into()),
                bans: vec![
                    ban(Target::Account("luis".into())),
                    BanInfo {
                        mute: true,
                        ..ban(Target::Nick("eva".into()))
                    },
                ],
                more: false,
                id: None,
            },
            r##"{"type":"bans","channel":"#rust","bans":[{"account":"luis","number":7,"time":"2026-11-23T18:50:00.123Z"},{"nick":"eva","mute":true,"number":7,"time":"2026-11-23T18:50:00.123Z"}],"more":false}"##,
        ),
        (
            Event::Muted(Box::new(Muted {
                nick: "luis".into(),
                by: Some("ana".into()),
                time: TIME,
                until: Some(TIME),
                reason: Some("spam".into()),
            })),
            r#"{"type":"muted","nick":"luis","by":"ana","time":"2026-11-23T18:50:00.123Z","until":"2026-11-23T18:50:00.123Z","reason":"spam"}"#,
        ),
        (
            Event::Unmuted {
                nick: "luis".into(),
                by: Some("ana".into()),
                time: TIME,
            },
            r#"{"type":"unmuted","nick":"luis","by":"ana","time":"2026-11-23T18:50:00.123Z"}"#,
        ),
        (
            Event::Topic {
                channel: "#rust".into(),
                topic: "crabs".into(),
                by: Some("ana".into()),
                time: TIME,
            },
            r##"{"type":"topic","channel":"#rust","topic":"crabs","by":"ana","time":"2026-11-23T18:50:00.123Z"}"##,
        ),
    ]
}

fn events() -> Vec<(Event<'static>, &'static str)> {
    vec![
        (
            Event::Welcome(Box::new(Welcome {
                version: 1,
                nick: "ana".into(),
                server: "chat-server/0.1.0".into(),
                token: "secret".into(),
                seq: 7,
                time: TIME,
                joined: vec!["#lobby".into()],
                channels: vec![ChannelInfo {
                    name: "#lobby".into(),
                    users: 1,
                    topic: None,
                }],
                resumed: false,
                gap: false,
                motd: Some("hola".into()),
                id: None,
            })),
            r##"{"type":"welcome","version":1,"nick":"ana","server":"chat-server/0.1.0","token":"secret","seq":7,"time":"2026-11-23T18:50:00.123Z","joined":["#lobby"],"channels":[{"name":"#lobby","users":1}],"resumed":false,"gap":false,"motd":"hola"}"##,
        ),
        (
            Event::Message(message()),
            r##"{"type":"message","seq":7,"time":"2026-11-23T18:50:00.123Z","from":"ana","to":"#lobby","text":"¡hola!\n\"привет\" \\ 👋🏽\t","id":"k1"}"##,
        ),
        (
            Event::Ack {
                id: "k1".into(),
                seq: Some(7),
                time: TIME,
            },
            r#"{"type":"ack","id":"k1","seq":7,"time":"2026-11-23T18:50:00.123Z"}"#,
        ),
        (
            Event::Joined {
                channel: "#rust".into(),
                nick: "ana".into(),
                time: TIME,
            },
            r##"{"type":"joined","channel":"#rust","nick":"ana","time":"2026-11-23T18:50:00.123Z"}"##,
        ),
        (
            Event::Left {
                channel: "#rust".into(),
                nick: "ana".into(),
                time: TIME,
                reason: Some("tired".into()),
                by: None,
            },
            r##"{"type":"left","channel":"#rust","nick":"ana","time":"2026-11-23T18:50:00.123Z","reason":"tired"}"##,
        ),
        (
            Event::Gone {
                nick: "ana".into(),
                time: TIME,
                reason: "disconnected".into(),
                by: None,
            },
            r#"{"type":"gone","nick":"ana","time":"2026-11-23T18:50:00.123Z","reason":"disconnected"}"#,
        ),
        (
            Event::Renamed {
                nick: "luis".into(),
                to: "lucho".into(),
                time: TIME,
            },
            r#"{"type":"renamed","nick":"luis","to":"lucho","time":"2026-11-23T18:50:00.123Z"}"#,
        ),
        (
            Event::Users {
                channel: "#lobby".into(),
                users: vec!["ana".into(), "Luis".into()],
                total: 2,
                more: false,
                id: None,
            },
            r##"{"type":"users","channel":"#lobby","users":["ana","Luis"],"total":2,"more":false}"##,
        ),
        (
            Event::Channels {
                channels: vec![ChannelInfo {
                    name: "#a".into(),
                    users: 2,
                    topic: Some("t".into()),
                }],
                id: None,
            },
            r##"{"type":"channels","channels":[{"name":"#a","users":2,"topic":"t"}]}"##,
        ),
        (
            Event::History {
                with: "#lobby".into(),
                messages: vec![Record::Message(message())],
                more: true,
                id: None,
            },
            r##"{"type":"history","with":"#lobby","messages":[{"type":"message","seq":7,"time":"2026-11-23T18:50:00.123Z","from":"ana","to":"#lobby","text":"¡hola!\n\"привет\" \\ 👋🏽\t","id":"k1"}],"more":true}"##,
        ),
        (Event::Ping { id: None }, r#"{"type":"ping"}"#),
        (
            Event::Pong {
                id: Some("p".into()),
            },
            r#"{"type":"pong","id":"p"}"#,
        ),
        (
            Event::Error {
                code: ErrorCode::NickTaken,
                detail: "taken".into(),
                id: Some("k".into()),
            },
            r#"{"type":"error","code":"nick_taken","detail":"taken","id":"k"}"#,
        ),
        (
            Event::Bye {
                reason: "quit".into(),
                id: None,
            },
            r#"{"type":"bye","reason":"quit"}"#,
        ),
        (
            Event::Registered {
                nick: "ana".into(),
                token: None,
                id: None,
            },
            r#"{"type":"registered","nick":"ana"}"#,
        ),
        (
            Event::Registered {
                nick: "ana".into(),
                token: Some("0f".into()),
                id: None,
            },
            r#"{"type":"registered","nick":"ana","token":"0f"}"#,
        ),
        (
            Event::Unregistered {
                nick: "ana".into(),
                id: None,
            },
            r#"{"type":"unregistered","nick":"ana"}"#,
        ),
    ]
}

/// The answers to requests that bear an `id`.
fn answers() -> Vec<(Event<'static>, &'static str)> {
    let id = Some("k\"".into());
    vec![
        (
            Event::Welcome(Box::new(Welcome {
                version: 1,
                nick: "ana".into(),
                server: "s".into(),
                token: "t".into(),
                seq: 7,
                time: TIME,
                joined: Vec::new(),
                channels: Vec::new(),
                resumed: true,
                gap: true,
                motd: None,
                id: id.clone(),
            })),
            r#"{"type":"welcome","version":1,"nick":"ana","server":"s","token":"t","seq":7,"time":"2026-11-23T18:50:00.123Z","joined":[],"channels":[],"resumed":true,"gap":true,"id":"k\""}"#,
        ),
        (
            Event::Ack {
                id: "k\"".into(),
                seq: None,
                time: TIME,
            },
            r#"{"type":"ack","id":"k\"","time":"2026-11-23T18:50:00.123Z"}"#,
        ),
        (
            Event::Users {
                channel: "#a".into(),
                users: Vec::new(),
                total: 0,
                more: false,
                id: id.clone(),
            },
            r##"{"type":"users","channel":"#a","users":[],"total":0,"more":false,"id":"k\""}"##,
        ),
        (
            Event::Channels {
                channels: Vec::new(),
                id: id.clone(),
            },
            r#"{"type":"channels","channels":[],"id":"k\""}"#,
        ),
        (
            Event::History {
                with: "#a".into(),
                messages: Vec::new(),
                more: true,
                id: id.clone(),
            },
            r##"{"type":"history","with":"#a","messages":[],"more":true,"id":"k\""}"##,
        ),
        (
            Event::Bans {
                channel: None,
                bans: Vec::new(),
                more: false,
                id: id.clone(),
            },
            r#"{"type":"bans","bans":[],"more":false,"id":"k\""}"#,
        ),
        (
            Event::Registered {
                nick: "ana".into(),
                token: Some("0f".into()),
                id: id.clone(),
            },
            r#"{"type":"registered","nick":"ana","token":"0f","id":"k\""}"#,
        ),
        (
            Event::Unregistered {
                nick: "ana".into(),
                id: id.clone(),
            },
            r#"{"type":"unregistered","nick":"ana","id":"k\""}"#,
        ),
        (
            Event::Bye {
                reason: "quit".into(),
                id,
            },
            r#"{"type":"bye","reason":"quit","id":"k\""}"#,
        ),
    ]
}

#[test]
fn events_are_written_and_read() {
    for (event, json) in [events(), moderation_events(), answers()].concat() {
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
        assert_eq!(Event::parse(json.as_bytes()).unwrap(), event);
        let mut frame = BytesMut::new();
        encode(&event, &mut frame).unwrap();
        assert_eq!(frame[..4], u32::try_from(json.len()).unwrap().to_be_bytes());
        assert_eq!(&frame[4..], json.as_bytes());
    }
}

#[test]
fn every_error_code_has_its_name() {
    use ErrorCode::*;
    let codes = [
        BadFrame,
        BadJson,
        BadRequest,
        UnknownType,
        HelloRequired,
        HelloTimeout,
        BadVersion,
        NickInvalid,
        NickTaken,
        NotYourNick,
        AuthFailed,
        AlreadyRegistered,
        NotRegistered,
        PasswordInvalid,
        NoSuchUser,
        NoSuchChannel,
        NotInChannel,
        ChannelInvalid,
        TextInvalid,
        TextTooLong,
        NotRecorded,
        NotPermitted,
        Muted,
        BannedFromChannel,
        NoSuchBan,
        AddressInvalid,
        RateLimited,
        TooManyChannels,
        ServerFull,
        SlowConsumer,
        IdleTimeout,
        Replaced,
        Kicked,
        Banned,
        ShuttingDown,
        Internal,
    ];
    let names = "bad_frame bad_json bad_request unknown_type hello_required hello_timeout bad_version nick_invalid \
        nick_taken not_your_nick auth_failed already_registered not_registered password_invalid no_such_user \
        no_such_channel not_in_channel channel_invalid text_invalid text_too_long not_recorded not_permitted \
        muted banned_from_channel no_such_ban address_invalid rate_limited too_many_channels server_full \
        slow_consumer idle_timeout replaced kicked banned shutting_down internal";
    assert_eq!(codes.map(|code| code.to_string()).join(" "), names);
}

#[test]
fn nothing_in_a_message_looks_like_the_end_of_its_line() {
    let text = "one\u{2028}two\u{2029}\"three\"";
    let said = Message {
        text: text.into(),
        id: Some("\u{2028}".into()),
        ..message()
    };
    let buffer = frame_of(&said);
    let line = split_frame(&buffer).unwrap().unwrap();
    let json = std::str::from_utf8(line).unwrap();
    assert!(json.contains(r#""text":"one\u2028two\u2029\"three\"","id":"\u2028""#));
    assert_eq!(Event::parse(line).unwrap(), Event::Message(said));
}

#[test]
fn a_message_is_frame_and_line_at_once() {
    let mut buffer = BytesMut::from(&b"before"[..]);
    append(&message(), &mut buffer);
    let frame = buffer.strip_prefix(b"before").unwrap();
    let json = split_frame(frame).unwrap().unwrap();
    assert_eq!(frame.len(), HEADER_BYTES + json.len());
    assert_eq!(
        json,
        format!(
            "{}\n",
            serde_json::to_string(&Event::Message(message())).unwrap()
        )
        .as_bytes()
    );
    assert_eq!(
        serde_json::from_slice::<Record<'_>>(json).unwrap(),
        Record::Message(message())
    );
}

#[test]
fn a_page_of_history_is_made_of_lines() {
    let line = serde_json::to_vec(&Record::Message(message())).unwrap();
    let mut buffer = BytesMut::new();
    encode_history("#lobby", &[&line, &line], false, Some("k\""), &mut buffer).unwrap();
    let Event::History {
        with,
        messages,
        more,
        id,
    } = Event::parse(split_frame(&buffer).unwrap().unwrap()).unwrap()
    else {
        panic!("no history");
    };
    assert_eq!((with.as_ref(), messages.len(), more), ("#lobby", 2, false));
    assert_eq!(id.as_deref(), Some("k\""));
}

/// Records of other kinds are skipped, and so are fields that are not known.
#[test]
fn a_page_of_a_newer_server_is_read() {
    let page = br##"{"type":"history","with":"#lobby","messages":[
        {"type":"edited","seq":6,"time":"2026-11-23T18:50:00.123Z","from":"ana","to":"#lobby","of":1,"text":"x"},
        {"type":"message","seq":7,"time":"2026-11-23T18:50:00.123Z","from":"ana","to":"#lobby","text":"hola","re":1,"as":"action"},
        {"type":"moved","seq":8,"text":{"a":[1]}}],"about":[],"more":true}"##;
    let Event::History { messages, more, .. } = Event::parse(page).unwrap() else {
        panic!("no history");
    };
    let numbers: Vec<u64> = messages
        .iter()
        .map(|Record::Message(message)| message.seq)
        .collect();
    assert_eq!((numbers, more), (vec![7], true));
    // A message that lacks a field is none.
    let damaged = br##"{"type":"history","with":"#lobby","messages":[{"type":"message","seq":7}],"more":true}"##;
    assert!(Event::parse(damaged).is_err());
}

#[test]
fn what_a_newer_server_says_is_no_error() {
    assert_eq!(
        Event::parse(br#"{"type":"dance","steps":3}"#).unwrap(),
        Event::Unknown
    );
    let newer =
        Event::parse(br#"{"type":"error","code":"too_tired","detail":"d","more":1}"#).unwrap();
    assert_eq!(
        newer,
        Event::Error {
            code: ErrorCode::Unknown,
            detail: "d".into(),
            id: None
        }
    );
}
