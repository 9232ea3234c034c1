//! The commands, for `/help` and for Tab completion.

/// The commands as `/help` lists them.
pub const HELP: [(&str, &str); 24] = [
    (".h, /help", "this list"),
    (
        ".l, /list, /who [#channel]",
        "who is in the channel you are in, or in another",
    ),
    (".t, /time", "time before each line, on or off"),
    (
        ".r, /record [FILE]",
        "record the messages to a new file, on or off",
    ),
    (
        ".q, /quit [REASON]",
        "goodbye, once all that was typed is recorded",
    ),
    (
        "/tell NICK TEXT",
        "a direct message; also /msg, /tell:NICK:TEXT",
    ),
    (
        "/query [NICK]",
        "talk to that person until /query alone; alone: choose who",
    ),
    ("/join #c", "enter a channel and talk there"),
    (
        "/part [#c] [REASON]",
        "leave the channel you are in, or another",
    ),
    ("/switch #c", "talk in another channel that you are in"),
    ("/channels", "the channels there are"),
    ("/nick NEW", "take another nickname"),
    (
        "/register, /unregister",
        "protect your nickname by a password, or no longer",
    ),
    ("/password", "another password for your nickname"),
    (
        "/history [N]",
        "the last N messages of this conversation (50; at most 500)",
    ),
    (
        "/mute [#c], /unmute [#c]",
        "full screen: no bell and no notification for this conversation",
    ),
    (
        "/search TEXT",
        "full screen: where it stands in what is loaded",
    ),
    (
        "/close",
        "full screen: away with a conversation with a person",
    ),
    (
        "/kick NICK [REASON]",
        "operators, founders: out of this channel; in #lobby, off the server",
    ),
    (
        "/ban NICK|ADDRESS [TIME] [REASON]",
        "the same, and not in again for 10m, 2h, 7d, or for good; /unban, /bans",
    ),
    (
        "/mute NICK [TIME] [REASON]",
        "operators: may say nothing; /unmute NICK",
    ),
    (
        "/topic [TEXT]",
        "what this channel is about; /topic - takes it away",
    ),
    ("//text, ..text", "the text itself, with one / or ."),
    ("anything else", "is said where you are"),
];

/// What Tab completes at the beginning of a line.
pub const COMMANDS: [&str; 27] = [
    "/ban",
    "/bans",
    "/channels",
    "/close",
    "/help",
    "/history",
    "/join",
    "/kick",
    "/list",
    "/msg",
    "/mute",
    "/nick",
    "/part",
    "/password",
    "/query",
    "/quit",
    "/record",
    "/register",
    "/search",
    "/switch",
    "/tell",
    "/time",
    "/topic",
    "/unban",
    "/unmute",
    "/unregister",
    "/who",
];
