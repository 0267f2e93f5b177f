-- One more lead as version 4 wrote it, erased, and an address that is suppressed.
INSERT INTO leads (no, id, version, stage, status, outcome, wake_at, updated_at, created_at, person, fingerprint,
                   external_ref, name, email, company, next_action)
VALUES (4, x'0197e1d26b1f7e359f6e3d0d6f1c1a41', 1, 1, 3, 'erased', NULL, 1795000000000000000, 1795000000000000000, 0, 0,
        NULL, '', '', NULL, 'Nothing: closed as erased (its personal data was erased).');
INSERT INTO entries (position, lead, version, at, actor, signal, chain, erased, payload)
VALUES (4, 4, 1, 1795000000000000000, 'director', NULL, zeroblob(32), zeroblob(32), '[]');
INSERT INTO suppressions (hash, reason, at, actor) VALUES (zeroblob(32), 'erased', 1795000000000000000, 'director');
INSERT INTO erasures (lead, at, done) VALUES (x'0197e1d26b1f7e359f6e3d0d6f1c1a41', 1795000000000000000, 1);
