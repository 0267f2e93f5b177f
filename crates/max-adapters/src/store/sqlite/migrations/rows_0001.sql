-- One lead as version 1 wrote it.
INSERT INTO leads (no, id, version, stage, status, outcome, wake_at, updated_at, created_at, person, fingerprint,
                   external_ref, name, email, company, next_action)
VALUES (1, x'0197e1d26b1f7e359f6e3d0d6f1c1a11', 1, 1, 1, NULL, NULL, 1795000000000000000, 1795000000000000000, 1, 2,
        'abc-123', 'Ada', 'ada@example.com', NULL, 'LILLy takes up LeadGen.');
INSERT INTO entries (position, lead, version, at, actor, signal, chain, erased, payload)
VALUES (1, 1, 1, 1795000000000000000, 'director', NULL, zeroblob(32), NULL, '[]');
INSERT INTO counts (stage, status, leads) VALUES (1, 1, 1);
INSERT INTO tasks (lead, eidolon, id, body) VALUES (1, 1, x'0197e1d26b1f7e359f6e3d0d6f1c1a12', '{}');
INSERT INTO idempotency (key, body, lead, at)
VALUES ('api:t:1', zeroblob(32), x'0197e1d26b1f7e359f6e3d0d6f1c1a11', 1795000000000000000);
INSERT INTO meta (key, value) VALUES ('watermark', '1');
