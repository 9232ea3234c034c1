-- Starts with a shorter history than the numbers in the accounts were counted in. A history that is
-- put back later gets its numbers back, so that they are never applied to another history.
CREATE TABLE rewinds (
    number INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL,  -- the last message of the history at that start
    at INTEGER NOT NULL         -- milliseconds since 1970
) STRICT;

-- accounts.since before a rewind.
CREATE TABLE rewound_accounts (
    rewind INTEGER NOT NULL REFERENCES rewinds ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
    since INTEGER NOT NULL,
    PRIMARY KEY (rewind, account)
) STRICT, WITHOUT ROWID;
