-- What people are to be told. An alert is kept once; a delivery says that it waits for a channel, or in which message of
-- that channel it went out. A message is sent as often as it takes, always under the same id and with the same alerts.
CREATE TABLE alert (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    key       TEXT NOT NULL UNIQUE,
    at        REAL NOT NULL,
    severity  INTEGER NOT NULL,
    gathering TEXT NOT NULL,
    payload   TEXT NOT NULL
);
CREATE INDEX alert_at ON alert (at);

CREATE TABLE message (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    channel    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    made_at    REAL NOT NULL,
    next_at    REAL NOT NULL,
    settled_at REAL,
    tries      INTEGER NOT NULL,
    held       TEXT NOT NULL,
    more       INTEGER NOT NULL,
    detail     TEXT NOT NULL
);
CREATE INDEX message_due ON message (channel, state, next_at);
CREATE INDEX message_settled ON message (settled_at) WHERE settled_at IS NOT NULL;

CREATE TABLE delivery (
    channel TEXT NOT NULL,
    alert   INTEGER NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    message INTEGER REFERENCES message (id) ON DELETE CASCADE,
    PRIMARY KEY (channel, alert)
) WITHOUT ROWID;
CREATE INDEX delivery_waiting ON delivery (channel, alert) WHERE message IS NULL;
CREATE INDEX delivery_message ON delivery (message) WHERE message IS NOT NULL;
CREATE INDEX delivery_alert ON delivery (alert);

-- Of each channel: the ledger of its budget, what it could not even keep waiting, and when it last succeeded.
CREATE TABLE channel (
    name    TEXT PRIMARY KEY,
    spent   REAL NOT NULL,
    dropped INTEGER NOT NULL,
    sent_at REAL
) WITHOUT ROWID;
