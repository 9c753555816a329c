ALTER TABLE incident ADD COLUMN account TEXT;

-- Who logged in well of late. `account` is a hash that only this host can make: nobody learns here who works from where.
CREATE TABLE familiar (
    source  TEXT NOT NULL,
    account BLOB NOT NULL,
    at      REAL NOT NULL,
    PRIMARY KEY (source, account)
) WITHOUT ROWID;
CREATE INDEX familiar_at ON familiar (at);
