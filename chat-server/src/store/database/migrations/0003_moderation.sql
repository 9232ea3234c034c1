-- Bans and mutes (protocol, 10. Moderation), as the room last said it.
CREATE TABLE sanctions (
    number INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,    -- 'server', 'speech' (a mute), or the name of a channel
    kind TEXT NOT NULL,     -- what the target is: 'nick', 'account' or 'address'
    target TEXT NOT NULL,   -- a nick, or an address, or a network: 192.0.2.0/24
    holder BLOB,            -- the digest of the token of who had the nick
    set_by TEXT,            -- the nick of who set it; nobody where it was set beside the server
    reason TEXT,
    created INTEGER NOT NULL,  -- milliseconds since 1970
    until INTEGER           -- the same; nothing where it is for good
) STRICT;

-- Channels that an account has founded, and the lobby: what is known of them while nobody is there.
CREATE TABLE channels (
    folded TEXT PRIMARY KEY,  -- the form by which channels are compared
    name TEXT NOT NULL,
    founder INTEGER,          -- an account, by its id; nobody is the lobby's
    topic TEXT,
    topic_by TEXT,
    topic_set INTEGER         -- milliseconds since 1970
) STRICT, WITHOUT ROWID;
