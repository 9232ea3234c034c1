-- Which accounts have changed, whoever changed them: the server reads those alone, and none for its
-- own writes to other tables. The newest 1,000 changes are there.
CREATE TABLE account_changes (
    number INTEGER PRIMARY KEY,  -- grows by 1 with each change
    folded TEXT NOT NULL         -- accounts.folded
) STRICT;

CREATE TRIGGER account_added AFTER INSERT ON accounts BEGIN
    INSERT INTO account_changes (folded) VALUES (new.folded);
END;

CREATE TRIGGER account_changed AFTER UPDATE ON accounts BEGIN
    INSERT INTO account_changes (folded) VALUES (old.folded);
    INSERT INTO account_changes (folded) SELECT new.folded WHERE new.folded <> old.folded;
END;

CREATE TRIGGER account_removed AFTER DELETE ON accounts BEGIN
    INSERT INTO account_changes (folded) VALUES (old.folded);
END;

CREATE TRIGGER account_changes_bound AFTER INSERT ON account_changes BEGIN
    DELETE FROM account_changes WHERE number <= new.number - 1000;
END;
