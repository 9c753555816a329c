-- The shape of durward.db, version 6. A change comes as migrations/NNNN_*.sql and is repeated here.
-- Times are epoch seconds; an `until` that is null is for ever. `kind` and `subject` are the two halves of a Subject.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- How far each source was read, in the source's own words. A source's name may hold a path that is no UTF-8: bytes.
CREATE TABLE source_position (
    source   BLOB PRIMARY KEY,
    position TEXT NOT NULL
) WITHOUT ROWID;

-- Append-only; only `refused` is filled in later, when the enforcer's answer comes. An id is never used twice.
CREATE TABLE decision (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    receipt   TEXT NOT NULL UNIQUE,
    verdict   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    scope     TEXT NOT NULL,
    made_at   REAL NOT NULL,
    until     REAL,
    reason    TEXT NOT NULL,
    origin    TEXT NOT NULL,
    simulated INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    refused   TEXT
);
CREATE INDEX decision_subject ON decision (subject, kind);
-- The blocks that count against a subject; the same condition stands in escalation.py, or the index goes unused.
CREATE INDEX decision_offence ON decision (made_at, subject, kind)
    WHERE verdict = 'block' AND simulated = 0 AND refused IS NULL AND origin >= 'detector:' AND origin < 'detector;';

-- What was taken off a list: the kernel is told again when the enforcer comes back.
CREATE INDEX decision_lifting ON decision (made_at) WHERE verdict IN ('unblock', 'disallow');

-- What detectors in shadow mode would have done.
CREATE INDEX decision_simulated ON decision (made_at) WHERE simulated = 1;

-- What a decision was made for. It carries the decision's id, and goes with it. `lines_to_here` counts the lines of
-- evidence ever stored, with its own: pruning compares it instead of counting millions of rows.
CREATE TABLE incident (
    id             INTEGER PRIMARY KEY REFERENCES decision (id) ON DELETE CASCADE,
    detector       TEXT NOT NULL,
    service        TEXT NOT NULL,
    kind           TEXT NOT NULL,
    subject        TEXT NOT NULL,
    first_at       REAL NOT NULL,
    last_at        REAL NOT NULL,
    count          INTEGER NOT NULL,
    threshold      INTEGER NOT NULL,
    within_seconds REAL NOT NULL,
    reason         TEXT NOT NULL,
    lines_to_here  INTEGER NOT NULL,
    account        TEXT
);

-- `position` has no type: a byte offset stays a number, a journal cursor stays a text.
CREATE TABLE evidence (
    incident INTEGER NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    ordinal  INTEGER NOT NULL,
    source   TEXT NOT NULL,
    position NOT NULL,
    at       REAL NOT NULL,
    text     TEXT NOT NULL,
    user_name TEXT,
    PRIMARY KEY (incident, ordinal)
) WITHOUT ROWID;
CREATE INDEX evidence_user ON evidence (user_name, incident) WHERE user_name IS NOT NULL;

-- What must be true in the kernel now.
CREATE TABLE standing (
    listing  TEXT NOT NULL CHECK (listing IN ('block', 'throttle', 'allow', 'ignore')),
    subject  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    scope    TEXT NOT NULL,
    until    REAL,
    decision INTEGER NOT NULL REFERENCES decision (id),
    PRIMARY KEY (listing, subject, kind, scope)
) WITHOUT ROWID;
CREATE INDEX standing_until ON standing (until) WHERE until IS NOT NULL;
CREATE INDEX standing_decision ON standing (decision);

-- When a subject was last unblocked: what it did before is forgiven.
CREATE TABLE lifted (
    subject  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    at       REAL NOT NULL,
    decision INTEGER NOT NULL,
    PRIMARY KEY (subject, kind)
) WITHOUT ROWID;
CREATE INDEX lifted_at ON lifted (at);

-- What a block kept out, saved when its kernel element ends.
CREATE TABLE counter (
    decision INTEGER PRIMARY KEY REFERENCES decision (id) ON DELETE CASCADE,
    packets  INTEGER NOT NULL,
    bytes    INTEGER NOT NULL
);

-- `first_at` is since when the result has been what it is.
CREATE TABLE finding (
    check_id TEXT NOT NULL,
    subject  TEXT NOT NULL,
    result   TEXT NOT NULL,
    detail   TEXT NOT NULL,
    first_at REAL NOT NULL,
    last_at  REAL NOT NULL,
    PRIMARY KEY (check_id, subject)
) WITHOUT ROWID;
CREATE INDEX finding_last_at ON finding (last_at);

CREATE TABLE errand (
    key     TEXT PRIMARY KEY,
    payload TEXT NOT NULL,
    tries   INTEGER NOT NULL,
    next_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX errand_next_at ON errand (next_at);

-- Nonces of authorised knocks that were used, with the time that the knock says (milliseconds since the epoch).
CREATE TABLE knock_nonce (
    nonce   BLOB PRIMARY KEY,
    sent_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX knock_nonce_sent_at ON knock_nonce (sent_at);

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

-- Who logged in well of late. `account` is a hash that only this host can make: nobody learns here who works from where.
CREATE TABLE familiar (
    source  TEXT NOT NULL,
    account BLOB NOT NULL,
    at      REAL NOT NULL,
    PRIMARY KEY (source, account)
) WITHOUT ROWID;
CREATE INDEX familiar_at ON familiar (at);

-- What a blocked source was called when it was asked for: a name that led back to its address. It goes with the decision.
CREATE TABLE source_name (
    decision INTEGER PRIMARY KEY REFERENCES decision (id) ON DELETE CASCADE,
    name     TEXT NOT NULL
);
