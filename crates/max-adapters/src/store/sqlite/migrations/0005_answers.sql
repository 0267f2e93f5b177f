-- What requests that were about no lead were answered, under the key they came with. `request` is the SHA-256 of the
-- request. Like `idempotency` it is not derived from the log.
CREATE TABLE answers (
    key     TEXT    PRIMARY KEY,
    request BLOB    NOT NULL,
    status  INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
