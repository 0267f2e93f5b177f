-- One more lead as version 8 wrote it, with a run of a voice.
INSERT INTO leads (no, id, version, stage, status, outcome, wake_at, updated_at, created_at, person, fingerprint,
                   external_ref, name, email, company, next_action)
VALUES (8, x'0197e1d26b1f7e359f6e3d0d6f1c1a81', 1, 1, 1, NULL, NULL, 1795000000000000000, 1795000000000000000, 11, 12,
        NULL, 'Ida Eight', 'ida@eight.example', NULL, 'LeadGen: judge the lead.');
INSERT INTO entries (position, lead, version, at, actor, signal, chain, erased, payload)
VALUES (8, 8, 1, 1795000000000000000, 'client', NULL, zeroblob(32), NULL, '[]');
INSERT INTO runs (id, lead, task, attempt, eidolon, stage, voice, transport, repair, model, started_at, took_ms, calls,
                  input, cached, cache_write, output, cost, outcome, error, prompt)
VALUES (x'0197e1d26b1f7e359f6e3d0d6f1c1a82', 8, x'0197e1d26b1f7e359f6e3d0d6f1c1a83', 1, 1, 1, 'claude', 'api', 0,
        'example-model', 1795000000000000000, 900, 1, 1000, 0, 0, 100, 4500, 'delivered', NULL, zeroblob(32));
