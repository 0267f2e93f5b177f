-- The rendered ClientState of leads that rest or wait, so that asking for one is one read and no fold. Derived: a row
-- counts only while its version is the lead's and its form is the one that this MAX renders. `body` is deflated JSON.
CREATE TABLE states (
    lead    INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    form    INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT;
