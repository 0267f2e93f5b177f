-- An answer as version 5 kept it.
INSERT INTO answers (key, request, status, body, at)
VALUES ('api:t:2', zeroblob(32), 201, '{"name":"weekly"}', 1795000000000000000);
-- A lead that was escalated before escalations had columns of their own.
INSERT INTO leads (no, id, version, stage, status, outcome, wake_at, updated_at, created_at, person, fingerprint,
                   external_ref, name, email, company, next_action)
VALUES (5, x'0197e1d26b1f7e359f6e3d0d6f1c1a51', 2, 1, 4, NULL, NULL, 1795000000000000000, 1795000000000000000, 7, 8,
        NULL, 'Dee', 'dee@example.com', NULL, 'Decide about the escalation.');
INSERT INTO entries (position, lead, version, at, actor, signal, chain, erased, payload)
VALUES (5, 5, 2, 1795000000000000001, 'director', NULL, zeroblob(32), NULL,
        '[{"type":"TurnPaused"},{"type":"Escalated","id":"0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a52","reason":"angry"}]');
