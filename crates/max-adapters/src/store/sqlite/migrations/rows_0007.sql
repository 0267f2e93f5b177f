-- One lead as version 7 wrote it.
INSERT INTO leads (no, id, version, stage, status, outcome, wake_at, updated_at, created_at, person, fingerprint,
                   external_ref, name, email, company, next_action)
VALUES (7, x'0197e1d26b1f7e359f6e3d0d6f1c1b71', 1, 1, 1, NULL, NULL, 1795000000000000000, 1795000000000000000, 9, 10,
        NULL, 'Di', 'di@studio.example', NULL, 'LILLy takes up LeadGen.');
