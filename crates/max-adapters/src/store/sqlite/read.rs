//! Reading leads and their log. Each function takes one of the read-only connections.

use jiff::Timestamp;
use max_core::apply::apply;
use max_core::event::Entry;
use max_core::id::{ApprovalId, Digest, EscalationId, LeadId, LeadRef, MessageId, TaskId};
use max_core::lead::{Actor, Lead, Status};
use max_core::stage::{Eidolon, Stage};
use max_engine::ports::{ApprovalRow, EscalationRow, Logged, Position, Seal, TaskRow};
use rusqlite::{Connection, Error, OptionalExtension, Params, Row, params};

use super::columns::{
    digest, domain_hash, eidolon_no, json, lead_id, moment, nanos_at_most, narrow, parsed, person_hash, person_key,
    stage, status, uuid,
};

pub(super) const ENTRY: &str = "SELECT e.position, l.id, e.version, e.at, e.actor, e.signal, e.chain, e.erased, e.payload \
                     FROM entries e JOIN leads l ON l.no = e.lead ";

pub(super) fn lead(reader: &Connection, id: LeadId) -> Result<Option<Lead>, Error> {
    let mut lead = None;
    for logged in entries(reader, id, 0, usize::MAX)? {
        lead = apply(lead, &logged.entry);
        if let Some(lead) = &mut lead {
            lead.chain = logged.seal.chain;
        }
    }
    Ok(lead)
}

pub(super) fn resolve(reader: &Connection, reference: &LeadRef) -> Result<Option<LeadId>, Error> {
    match reference {
        LeadRef::Id(id) => one(reader, "SELECT id FROM leads WHERE id = ?1", [id.0.as_bytes()], id_of),
        LeadRef::External(name) => one(reader, "SELECT id FROM leads WHERE external_ref = ?1", [name.as_str()], id_of),
    }
}

/// The newest lead of a person; `open` leaves out leads with an outcome.
pub(super) fn lead_of_person(reader: &Connection, key: &str, open: bool) -> Result<Option<LeadId>, Error> {
    let mut statement = reader.prepare_cached(
        "SELECT id, name, email FROM leads WHERE person = ?1 AND (outcome IS NULL OR NOT ?2) ORDER BY no DESC",
    )?;
    let mut rows = statement.query(params![person_hash(key), open])?;
    while let Some(row) = rows.next()? {
        if person_key(row.get(1)?, row.get(2)?) == key {
            return lead_id(row, 0).map(Some);
        }
    }
    Ok(None)
}

/// The newest leads of a company's domain.
pub(super) fn leads_of_company(reader: &Connection, domain: &str, limit: usize) -> Result<Vec<LeadId>, Error> {
    let sql = "SELECT l.id FROM companies c JOIN leads l ON l.no = c.lead WHERE c.domain = ?1 ORDER BY c.lead DESC";
    let mut found = Vec::new();
    // Another domain with the same eight bytes will not be seen in this universe, but believing costs one look.
    for id in many(reader, &format!("{sql} LIMIT ?2"), params![domain_hash(domain), rows(limit)], id_of)? {
        if lead(reader, id)?.is_some_and(|lead| lead.contact.company_domains().iter().any(|d| d == domain)) {
            found.push(id);
        }
    }
    Ok(found)
}

pub(super) fn lead_with_fingerprint(
    reader: &Connection,
    fingerprint: Digest,
    since: Timestamp,
) -> Result<Option<LeadId>, Error> {
    let candidates = many(
        reader,
        "SELECT id FROM leads WHERE fingerprint = ?1 AND created_at >= ?2 ORDER BY no DESC",
        params![narrow(fingerprint), nanos_at_most(since)],
        id_of,
    )?;
    for id in candidates {
        if lead(reader, id)?.is_some_and(|lead| lead.contact.fingerprint() == fingerprint) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

pub(super) fn lead_of_thread(reader: &Connection, rfc_id: &str) -> Result<Option<LeadId>, Error> {
    let sql = "SELECT l.id FROM threads t JOIN leads l ON l.no = t.lead WHERE t.rfc_id = ?1";
    one(reader, sql, [rfc_id], id_of)
}

/// What is left of a key when its lead is erased.
pub(super) fn erased_key(key: &str) -> String {
    format!("erased-{}", Digest::of(key.as_bytes()))
}

pub(super) fn counts(reader: &Connection) -> Result<Vec<(Stage, Status, u64)>, Error> {
    let sql = "SELECT stage, status, leads FROM counts WHERE leads > 0 ORDER BY stage, status";
    many(reader, sql, [], |row| Ok((stage(row, 0)?, status(row, 1)?, row.get::<_, i64>(2)?.cast_unsigned())))
}

pub(super) fn entries(reader: &Connection, lead: LeadId, after: u64, limit: usize) -> Result<Vec<Logged>, Error> {
    let sql = format!("{ENTRY} WHERE l.id = ?1 AND e.version > ?2 ORDER BY e.version LIMIT ?3");
    many(reader, &sql, params![lead.0.as_bytes(), after.cast_signed(), rows(limit)], logged)
}

pub(super) fn entries_after(reader: &Connection, position: Position, limit: usize) -> Result<Vec<Logged>, Error> {
    let sql = format!("{ENTRY} WHERE e.position > ?1 ORDER BY e.position LIMIT ?2");
    many(reader, &sql, params![position, rows(limit)], logged)
}

pub(super) fn last_position(reader: &Connection) -> Result<Position, Error> {
    one(reader, "SELECT max(position) FROM entries", [], |row| row.get::<_, Option<i64>>(0))
        .map(|position| position.flatten().unwrap_or(0))
}

pub(super) fn open_tasks(reader: &Connection, eidolon: Option<Eidolon>, limit: usize) -> Result<Vec<TaskRow>, Error> {
    let sql = "SELECT l.id, t.body FROM tasks t JOIN leads l ON l.no = t.lead WHERE t.eidolon = ?1 \
               ORDER BY t.id LIMIT ?2";
    let mut tasks = Vec::new();
    for eidolon in Eidolon::ALL.into_iter().filter(|e| eidolon.is_none_or(|only| only == *e)) {
        tasks.extend(many(reader, sql, params![eidolon_no(eidolon), rows(limit)], |row| {
            Ok(TaskRow { lead: lead_id(row, 0)?, task: json(row, 1)? })
        })?);
    }
    tasks.sort_by_key(|row| (row.task.opened_at, row.task.id));
    tasks.truncate(limit);
    Ok(tasks)
}

pub(super) fn lead_of_task(reader: &Connection, task: TaskId) -> Result<Option<LeadId>, Error> {
    let sql = "SELECT l.id FROM tasks t JOIN leads l ON l.no = t.lead \
               WHERE t.eidolon IN (1, 2, 3, 4, 5, 6, 7, 8, 9) AND t.id = ?1";
    one(reader, sql, [task.0.as_bytes()], id_of)
}

pub(super) fn pending_approvals(reader: &Connection, limit: usize) -> Result<Vec<ApprovalRow>, Error> {
    let sql = "SELECT a.id, l.id, a.kind, a.requested_at, a.due_at FROM approvals a JOIN leads l ON l.no = a.lead \
               WHERE a.pending = 1 ORDER BY a.requested_at, a.id LIMIT ?1";
    many(reader, sql, [rows(limit)], |row| {
        let kind: String = row.get(2)?;
        Ok(ApprovalRow {
            id: ApprovalId(uuid(row, 0)?),
            lead: lead_id(row, 1)?,
            kind: max_core::lead::ApprovalKind::ALL
                .into_iter()
                .find(|k| k.name() == kind)
                .ok_or_else(|| Error::InvalidColumnType(2, kind, rusqlite::types::Type::Text))?,
            requested_at: moment(row, 3)?,
            due_at: moment(row, 4)?,
        })
    })
}

pub(super) fn lead_of_approval(reader: &Connection, approval: ApprovalId) -> Result<Option<LeadId>, Error> {
    let sql = "SELECT l.id FROM approvals a JOIN leads l ON l.no = a.lead WHERE a.id = ?1";
    one(reader, sql, [approval.0.as_bytes()], id_of)
}

pub(super) const OPEN_ESCALATIONS: &str = "SELECT escalation, id, escalated_at FROM leads \
     WHERE escalated_at IS NOT NULL ORDER BY escalated_at, no LIMIT ?1";
pub(super) const ESCALATED: &str = "SELECT id FROM leads WHERE escalation = ?1";

pub(super) fn open_escalations(reader: &Connection, limit: usize) -> Result<Vec<EscalationRow>, Error> {
    many(reader, OPEN_ESCALATIONS, [rows(limit)], |row| {
        Ok(EscalationRow { id: EscalationId(uuid(row, 0)?), lead: lead_id(row, 1)?, at: moment(row, 2)? })
    })
}

pub(super) fn lead_of_escalation(reader: &Connection, escalation: EscalationId) -> Result<Option<LeadId>, Error> {
    one(reader, ESCALATED, [escalation.0.as_bytes()], id_of)
}

pub(super) fn outbox(reader: &Connection, limit: usize) -> Result<Vec<(LeadId, MessageId)>, Error> {
    let sql = "SELECT l.id, o.message FROM outbox o JOIN leads l ON l.no = o.lead ORDER BY o.message LIMIT ?1";
    many(reader, sql, [rows(limit)], |row| Ok((lead_id(row, 0)?, MessageId(uuid(row, 1)?))))
}

pub(super) fn due(reader: &Connection, now: Timestamp, limit: usize) -> Result<Vec<LeadId>, Error> {
    let sql = "SELECT id FROM leads WHERE wake_at IS NOT NULL AND wake_at <= ?1 ORDER BY wake_at LIMIT ?2";
    many(reader, sql, params![nanos_at_most(now), rows(limit)], id_of)
}

pub(super) fn next_due(reader: &Connection) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT wake_at FROM leads WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1";
    one(reader, sql, [], |row| moment(row, 0))
}

/// Recomputes the chains, lead by lead.
pub(super) fn verify(reader: &Connection) -> Result<Vec<(LeadId, u64)>, Error> {
    let sql = format!("{ENTRY} ORDER BY e.lead, e.version");
    let mut statement = reader.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut broken: Vec<(LeadId, u64)> = Vec::new();
    let mut link: Option<(LeadId, u64, Digest)> = None;
    while let Some(row) = rows.next()? {
        let (lead, version) = (lead_id(row, 1)?, row.get::<_, i64>(2)?.cast_unsigned());
        let (last, previous) = match link {
            Some((of, last, chain)) if of == lead => (last, chain),
            _ => (0, Digest([0; 32])),
        };
        let chain = digest(row, 6)?;
        let sound = version == last + 1
            && link_of(row).is_ok_and(|(entry, payload)| Seal::holds(previous, &entry, payload, chain));
        if !sound && broken.last().is_none_or(|(of, _)| *of != lead) {
            broken.push((lead, version));
        }
        link = Some((lead, version, chain));
    }
    drop(rows);
    broken.extend(shortened(reader)?);
    Ok(broken)
}

/// Leads whose newest entries are gone: nothing in the chain itself would show that.
fn shortened(reader: &Connection) -> Result<Vec<(LeadId, u64)>, Error> {
    let sql = "SELECT l.id, coalesce(max(e.version), 0) + 1 FROM leads l LEFT JOIN entries e ON e.lead = l.no \
               GROUP BY l.no HAVING coalesce(max(e.version), 0) < l.version";
    many(reader, sql, [], |row| Ok((lead_id(row, 0)?, row.get::<_, i64>(1)?.cast_unsigned())))
}

fn logged(row: &Row<'_>) -> Result<Logged, Error> {
    let (mut entry, payload) = link_of(row)?;
    let erased = row.get_ref(7)? != rusqlite::types::ValueRef::Null;
    // Of the first payload an event is left that says that the lead was erased.
    if !erased || row.get_ref(8)? != rusqlite::types::ValueRef::Null {
        entry.events = json(row, 8)?;
    }
    Ok(Logged { position: row.get(0)?, entry, seal: Seal { payload, chain: digest(row, 6)? }, erased })
}

/// What the chain covers: the entry without its events, and the digest of those.
pub(super) fn link_of(row: &Row<'_>) -> Result<(Entry, Digest), Error> {
    let entry = Entry {
        lead: lead_id(row, 1)?,
        version: row.get::<_, i64>(2)?.cast_unsigned(),
        at: moment(row, 3)?,
        by: Actor::from(row.get::<_, String>(4)?),
        signal_id: match row.get_ref(5)? {
            rusqlite::types::ValueRef::Null => None,
            _ => Some(parsed(row, 5)?),
        },
        events: Vec::new(),
    };
    let payload = match row.get_ref(7)? {
        rusqlite::types::ValueRef::Null => Digest::of(row.get_ref(8)?.as_str()?.as_bytes()),
        _ => digest(row, 7)?,
    };
    Ok((entry, payload))
}

fn id_of(row: &Row<'_>) -> Result<LeadId, Error> {
    lead_id(row, 0)
}

/// The row a statement gives, if it gives one.
pub(super) fn one<T>(
    reader: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    reader.prepare_cached(sql)?.query_row(params, read).optional()
}

/// All rows a statement gives.
pub(super) fn many<T>(
    reader: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    reader.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// A limit as SQLite takes it.
fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
