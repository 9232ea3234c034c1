//! The settings file as `chat-client config` prints it: every key at its default, with its meaning.

const BEFORE_KEYS: &str = r##"# The settings of chat-client, every key at its default. It is read from ~/.config/chat/client.toml
# (or $XDG_CONFIG_HOME/chat/client.toml, or what --config names). A key that is left out keeps its
# default; an unknown key or a wrong value is an error that names its line, and the exit code is 2.
# Flags go before the environment (CHAT_SERVER, CHAT_NICK, CHAT_PASSWORD_FILE), and that before this file.

server = ""              # where none is named: one of [servers] or HOST[:PORT]; "" is 127.0.0.1:12345
nick = ""                # the nickname to ask for; "" asks at a terminal, and is a random one in a pipe
password_file = ""       # a file whose first line is the password of the nickname; ~/ is your home
choose_on_arrival = false # at each arrival at a terminal, choose from a list whom to talk to; at the
                         # first arrival under a nick that is offered anyway

# Servers by name: `chat-client work`. A name goes before a host of that name; HOST:PORT is always a
# host. What a server does not have here it has from above, except for TLS.
#: [servers.work]
#: address = "chat.example.org:12346"
#: tls = true              # the system's authorities have to vouch for it; one of these goes further:
#: ca = ""                 # a file with the only certificates that are trusted
#: # pin = "…"             # the fingerprint of the only certificate that is trusted
#: nick = "ana"
#: password_file = "~/.config/chat/work.password"

[screen]
plain = false            # line by line instead of a full screen, as --plain
mouse = true             # the wheel scrolls, a click chooses; to select text hold Shift then
times = false            # the time before each message, as .t
utc = false              # in UTC instead of local time, as --utc

[attention]              # for direct messages and your nickname, unless a conversation is muted (/mute)
bell = true
notifications = true     # by the terminal (OSC 9, OSC 777), or by notify-send where that is installed
title = true             # the terminal's title shows how much is unread

[colours]
depth = "auto"           # as the terminal says; or "none" (as NO_COLOR=1), "16", "256", "full"
nicks = []               # those that nicks have, such as ["red", "#ff8800", "33"]; [] are the client's own

# What keys do in the full screen: all the keys of an action, so that [] is none. A key is a character,
# f1 to f12, enter, tab, back-tab, esc, space, backspace, delete, insert, home, end, page-up, page-down, up,
# down, left or right, behind ctrl-, alt- or shift-; "ctrl-x ctrl-e" is one key behind another.
[keys]
"##;

/// The commented file.
pub fn manual() -> String {
    let mut file = BEFORE_KEYS.to_owned();
    for (name, keys, does) in super::actions() {
        let keys: Vec<_> = keys.iter().map(|key| format!("{key:?}")).collect();
        let setting = format!("{name} = [{}]", keys.join(", "));
        file += &format!("{setting:<55} # {does}\n");
    }
    file
}
