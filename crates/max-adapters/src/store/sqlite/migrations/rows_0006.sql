-- One lead as version 6 wrote it.
INSERT INTO leads (no, id, version, stage, status, outcome, wake_at, updated_at, created_at, person, fingerprint,
                   external_ref, name, email, company, next_action, escalation, escalated_at)
VALUES (6, x'0197e1d26b1f7e359f6e3d0d6f1c1a61', 1, 1, 4, NULL, NULL, 1795000000000000000, 1795000000000000000, 9, 10,
        NULL, 'Eve', 'eve@example.com', NULL, 'Decide about the escalation.', x'0197e1d26b1f7e359f6e3d0d6f1c1a62',
        1795000000000000002);
