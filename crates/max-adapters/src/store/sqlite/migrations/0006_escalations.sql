-- The open escalation of a lead and since when it is open, for the list of what needs help. Derived from the log.
ALTER TABLE leads ADD COLUMN escalation BLOB;
ALTER TABLE leads ADD COLUMN escalated_at INTEGER;
CREATE INDEX leads_by_escalation ON leads (escalation) WHERE escalation IS NOT NULL;
CREATE INDEX leads_by_call ON leads (escalated_at) WHERE escalated_at IS NOT NULL;

-- What is open already: the newest call for help of each lead that is escalated or failed.
UPDATE leads SET (escalation, escalated_at) = (
    SELECT unhex(replace(json_extract(event.value, '$.id'), '-', '')), e.at
    FROM entries e, json_each(e.payload) event
    WHERE e.lead = leads.no AND json_extract(event.value, '$.type') = 'Escalated'
    ORDER BY e.position DESC, event.key DESC LIMIT 1
) WHERE status IN (4, 5);
