-- The log and the tables beside it. Moments are nanoseconds since 1970 (UTC). UUIDs and digests are raw bytes.
-- Everything but `entries`, `idempotency`, `tokens`, `sapwaves` and `meta` is derived from the log.

-- One row per lead: what lists, searches and timers need. `stage` is 1 to 7 in the order of the pipeline,
-- `status` 1 to 5: in progress, awaiting human, completed, escalated, failed.
-- `person` and `fingerprint` are the first eight bytes of the SHA-256 of the person key and of the lead's
-- fingerprint: narrow to index; whoever finds a row by them compares the whole before believing it.
CREATE TABLE leads (
    no           INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL,
    version      INTEGER NOT NULL,
    stage        INTEGER NOT NULL,
    status       INTEGER NOT NULL,
    outcome      TEXT,
    wake_at      INTEGER,
    updated_at   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    person       INTEGER NOT NULL,
    fingerprint  INTEGER NOT NULL,
    external_ref TEXT,
    name         TEXT    NOT NULL,
    email        TEXT    NOT NULL,
    company      TEXT,
    next_action  TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX leads_by_id ON leads (id);
CREATE UNIQUE INDEX leads_by_external_ref ON leads (external_ref) WHERE external_ref IS NOT NULL;
CREATE INDEX leads_by_person ON leads (person);
CREATE INDEX leads_by_fingerprint ON leads (fingerprint);
CREATE INDEX leads_by_change ON leads (updated_at);
CREATE INDEX leads_by_status ON leads (status, updated_at);
CREATE INDEX leads_by_wake ON leads (wake_at) WHERE wake_at IS NOT NULL;

-- The log, append-only. `lead` is `leads.no`. The payload is the events' JSON; its digest is only written down
-- when the payload is erased, because until then it can be computed. `signal` is the signal's id.
CREATE TABLE entries (
    position INTEGER PRIMARY KEY,
    lead     INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    signal   TEXT,
    chain    BLOB    NOT NULL,
    erased   BLOB,
    payload  TEXT
) STRICT;
CREATE UNIQUE INDEX entries_by_lead ON entries (lead, version);

-- How many leads stand where; kept up to date by the writer, because counting a million rows takes too long.
CREATE TABLE counts (
    stage  INTEGER NOT NULL,
    status INTEGER NOT NULL,
    leads  INTEGER NOT NULL,
    PRIMARY KEY (stage, status)
) STRICT, WITHOUT ROWID;

-- Open tasks: at most one per lead. `eidolon` is 1 to 9. Ids are UUIDs of version 7, so they sort by age.
CREATE TABLE tasks (
    lead    INTEGER PRIMARY KEY,
    eidolon INTEGER NOT NULL,
    id      BLOB    NOT NULL,
    body    TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX tasks_by_eidolon ON tasks (eidolon, id);

-- Approvals, pending or decided.
CREATE TABLE approvals (
    id           BLOB    PRIMARY KEY,
    lead         INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    requested_at INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    pending      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_pending ON approvals (requested_at) WHERE pending = 1;

-- Which conversation a Message-ID (RFC 5322) belongs to.
CREATE TABLE threads (
    rfc_id TEXT    PRIMARY KEY,
    lead   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages that wait to leave or were on their way.
CREATE TABLE outbox (
    message BLOB    PRIMARY KEY,
    lead    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done under which key. `lead` is the UUID.
CREATE TABLE idempotency (
    key  TEXT    PRIMARY KEY,
    body BLOB    NOT NULL,
    lead BLOB    NOT NULL,
    at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL,
    scopes     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Standing wake-ups; `body` is the whole as JSON.
CREATE TABLE sapwaves (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
