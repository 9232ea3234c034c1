-- Who may come back (protocol, Coming back), as the room last said it.
CREATE TABLE tokens (
    digest BLOB PRIMARY KEY,  -- SHA-256 of the token
    nick TEXT NOT NULL,
    account INTEGER,          -- which account they have proven to be, by its id
    channels TEXT NOT NULL,   -- a JSON array of names
    since INTEGER NOT NULL,   -- the last message before the nick was theirs
    former TEXT NOT NULL,     -- a JSON array of [folded nick, since, until]
    until INTEGER             -- milliseconds since 1970; nothing while they are here
) STRICT, WITHOUT ROWID;
