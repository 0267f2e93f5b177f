-- One lead as version 2 wrote it.
INSERT INTO leads (no, id, version, stage, status, outcome, wake_at, updated_at, created_at, person, fingerprint,
                   external_ref, name, email, company, next_action)
VALUES (2, x'0197e1d26b1f7e359f6e3d0d6f1c1a21', 1, 1, 1, NULL, NULL, 1795000000000000000, 1795000000000000000, 3, 4,
        'abc-124', 'Bob', 'bob@example.com', NULL, 'LILLy takes up LeadGen.');
INSERT INTO states (lead, version, form, body) VALUES (2, 1, 0, x'00');
