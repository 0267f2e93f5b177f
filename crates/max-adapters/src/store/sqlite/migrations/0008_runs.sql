-- What voices did, one row a run. Not derived from the log: it explains a lead and counts against the budget.
-- A run of an erased lead keeps its time and its cost, so that sums stay true; `lead` is then 0.
CREATE TABLE runs (
    id          BLOB    PRIMARY KEY,
    lead        INTEGER NOT NULL,
    task        BLOB    NOT NULL,
    attempt     INTEGER NOT NULL,
    eidolon     INTEGER NOT NULL,
    stage       INTEGER NOT NULL,
    voice       TEXT    NOT NULL,
    transport   TEXT    NOT NULL,
    repair      INTEGER NOT NULL,
    model       TEXT,
    started_at  INTEGER NOT NULL,
    took_ms     INTEGER NOT NULL,
    calls       INTEGER NOT NULL,
    input       INTEGER NOT NULL,
    cached      INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    output      INTEGER NOT NULL,
    cost        INTEGER NOT NULL,
    outcome     TEXT    NOT NULL,
    error       TEXT,
    prompt      BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_of_lead ON runs (lead, started_at);
CREATE INDEX runs_by_time ON runs (started_at);
CREATE INDEX runs_running ON runs (id) WHERE outcome = 'running';
