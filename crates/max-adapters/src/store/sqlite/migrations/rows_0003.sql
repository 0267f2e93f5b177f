-- One lead as version 3 wrote it.
INSERT INTO leads (no, id, version, stage, status, outcome, wake_at, updated_at, created_at, person, fingerprint,
                   external_ref, name, email, company, next_action)
VALUES (3, x'0197e1d26b1f7e359f6e3d0d6f1c1b31', 1, 1, 1, NULL, NULL, 1795000000000000000, 1795000000000000000, 5, 6,
        NULL, 'Cy', 'cy@studio.example', NULL, 'LILLy takes up LeadGen.');
INSERT INTO companies (domain, lead) VALUES (5, 3);
