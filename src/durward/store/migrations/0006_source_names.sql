-- What a blocked source was called when it was asked for: a name that led back to its address. It goes with the decision.
CREATE TABLE source_name (
    decision INTEGER PRIMARY KEY REFERENCES decision (id) ON DELETE CASCADE,
    name     TEXT NOT NULL
);
