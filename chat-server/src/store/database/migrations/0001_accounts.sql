-- Nicks that a password protects (protocol, 5. Accounts). An id is never used twice, so that whoever has
-- proven to be an account is not taken for a later one of the same nick.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folded TEXT NOT NULL UNIQUE,  -- the form by which nicks are compared
    nick TEXT NOT NULL,           -- as it was registered
    hash TEXT NOT NULL,           -- argon2id, a PHC string
    since INTEGER NOT NULL,       -- the last message before the account
    created INTEGER NOT NULL      -- milliseconds since 1970
) STRICT;
