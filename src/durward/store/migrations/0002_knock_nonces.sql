-- Nonces of authorised knocks that were used, with the time that the knock says (milliseconds since the epoch).
CREATE TABLE knock_nonce (
    nonce   BLOB PRIMARY KEY,
    sent_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX knock_nonce_sent_at ON knock_nonce (sent_at);
