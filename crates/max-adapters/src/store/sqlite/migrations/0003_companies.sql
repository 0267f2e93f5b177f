-- The leads of a company by the domains it gave, for proposing merges. `domain` is the first eight bytes of the
-- SHA-256 of the domain: narrow to index; whoever finds a row by it looks at the lead before believing it.
CREATE TABLE companies (
    domain INTEGER NOT NULL,
    lead   INTEGER NOT NULL REFERENCES leads (no),
    PRIMARY KEY (domain, lead)
) STRICT, WITHOUT ROWID;
