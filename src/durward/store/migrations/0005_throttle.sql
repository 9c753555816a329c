ALTER TABLE standing RENAME TO standing_before;
CREATE TABLE standing (
    listing  TEXT NOT NULL CHECK (listing IN ('block', 'throttle', 'allow', 'ignore')),
    subject  TEXT NOT NULL,
    kind     TEXT NOT NULL,
    scope    TEXT NOT NULL,
    until    REAL,
    decision INTEGER NOT NULL REFERENCES decision (id),
    PRIMARY KEY (listing, subject, kind, scope)
) WITHOUT ROWID;
INSERT INTO standing (listing, subject, kind, scope, until, decision)
    SELECT listing, subject, kind, scope, until, decision FROM standing_before;
DROP TABLE standing_before;
CREATE INDEX standing_until ON standing (until) WHERE until IS NOT NULL;
CREATE INDEX standing_decision ON standing (decision);

-- What detectors in shadow mode would have done.
CREATE INDEX decision_simulated ON decision (made_at) WHERE simulated = 1;
