-- What outlives an erasure. Neither table is derived from the log.

-- Addresses that nothing automatic goes to, by their keyed hash.
CREATE TABLE suppressions (
    hash   BLOB    PRIMARY KEY,
    reason TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Leads that were erased (`done` = 1) or are to be. `lead` is the UUID, also of one that this store no longer holds.
CREATE TABLE erasures (
    lead BLOB    PRIMARY KEY,
    at   INTEGER NOT NULL,
    done INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX erasures_open ON erasures (at) WHERE done = 0;

