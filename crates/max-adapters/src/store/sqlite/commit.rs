//! The one way into the log: a batch of writes, a savepoint each, one commit for all.

use std::collections::BTreeMap;

use max_core::event::Event;
use max_core::lead::{Lead, NewLead};
use max_engine::fail;
use max_engine::ports::{Done, Idempotency, OnceKey, Position, StoreError, Write, WriteError};
use rusqlite::{Connection, Error, OptionalExtension, params};

use super::columns::{domain_hash, eidolon_no, nanos, nanos_at_most, narrow, person_hash, stage_no, status_no};
use super::fault::{is_constraint, store_error};
use super::{keys, states};

/// What became of each write of a batch.
pub(super) type Outcomes = Vec<Result<Position, WriteError>>;

/// Commits a batch. An error means that nothing of it counts.
pub(super) fn commit(writer: &Connection, batch: &[Write]) -> Result<Outcomes, StoreError> {
    run(writer, "BEGIN IMMEDIATE").map_err(store_error)?;
    let done = transact(writer, batch);
    // A failed COMMIT can leave the transaction open; a full disk can have ended it already.
    if done.is_err() && !writer.is_autocommit() {
        run(writer, "ROLLBACK").map_err(store_error)?;
    }
    done
}

fn transact(writer: &Connection, batch: &[Write]) -> Result<Outcomes, StoreError> {
    let outcomes = append_all(writer, batch).map_err(store_error)?;
    fail::point("store.commit")?;
    run(writer, "COMMIT").map_err(store_error)?;
    fail::point("store.committed")?;
    Ok(outcomes)
}

/// How many leads more (or fewer) stand at each (stage, status).
type Shift = BTreeMap<(i64, i64), i64>;

fn append_all(writer: &Connection, batch: &[Write]) -> Result<Outcomes, Error> {
    let mut shift = Shift::new();
    let mut outcomes = Vec::with_capacity(batch.len());
    for write in batch {
        run(writer, "SAVEPOINT entry")?;
        match append(writer, write) {
            Ok(appended) => {
                run(writer, "RELEASE entry")?;
                appended.shift(&mut shift);
                outcomes.push(Ok(appended.position));
            }
            Err(Stop::Refused(reason)) => {
                run(writer, "ROLLBACK TO entry")?;
                run(writer, "RELEASE entry")?;
                outcomes.push(Err(reason));
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    count(writer, &shift)?;
    Ok(outcomes)
}

/// Why an append stops: its own fault, or the store's.
enum Stop {
    Refused(WriteError),
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        if is_constraint(&error) { Stop::Refused(WriteError::Refused(error.to_string())) } else { Stop::Failed(error) }
    }
}

/// Where an entry stands, and where its lead stood before and stands now.
struct Appended {
    position: Position,
    before: Option<(i64, i64)>,
    after: (i64, i64),
}

impl Appended {
    fn shift(&self, shift: &mut Shift) {
        if self.before != Some(self.after) {
            *shift.entry(self.after).or_default() += 1;
            if let Some(before) = self.before {
                *shift.entry(before).or_default() -= 1;
            }
        }
    }
}

fn append(writer: &Connection, write: &Write) -> Result<Appended, Stop> {
    let known = known(writer, write)?;
    if known.as_ref().map_or(0, |k| k.version) + 1 != write.entry.version {
        return Err(Stop::Refused(WriteError::Conflict));
    }
    if let Some(once) = &write.idempotency {
        use_key(writer, once, write)?;
    }
    let no = match &known {
        Some(known) => update_lead(writer, known, write)?,
        None => insert_lead(writer, write)?,
    };
    let position = insert_entry(writer, no, write)?;
    put_beside(writer, no, write)?;
    Ok(Appended {
        position,
        before: known.map(|k| (k.stage, k.status)),
        after: (stage_no(write.after.stage), status_no(write.after.status())),
    })
}

/// The row of a lead that is in the store already.
struct Known {
    no: i64,
    version: u64,
    stage: i64,
    status: i64,
}

fn known(writer: &Connection, write: &Write) -> Result<Option<Known>, Error> {
    writer
        .prepare_cached("SELECT no, version, stage, status FROM leads WHERE id = ?1")?
        .query_row([write.entry.lead.0.as_bytes()], |row| {
            Ok(Known {
                no: row.get(0)?,
                version: row.get::<_, i64>(1)?.cast_unsigned(),
                stage: row.get(2)?,
                status: row.get(3)?,
            })
        })
        .optional()
}

fn use_key(writer: &Connection, once: &OnceKey, write: &Write) -> Result<(), Stop> {
    let used = Idempotency { once: once.clone(), done: Done::Lead(write.entry.lead), at: write.entry.at };
    if keys::keep(writer, &used)? { Ok(()) } else { Err(Stop::Refused(WriteError::KeyTaken)) }
}

/// What came in (name, address, reference) never changes after the first entry, so only the rest is written again.
fn update_lead(writer: &Connection, known: &Known, write: &Write) -> Result<i64, Stop> {
    let lead = &*write.after;
    let changed = writer
        .prepare_cached(
            "UPDATE leads SET version = ?3, stage = ?4, status = ?5, outcome = ?6, wake_at = ?7, updated_at = ?8, \
             next_action = ?9, escalation = ?10, escalated_at = ?11 WHERE no = ?1 AND version = ?2",
        )?
        .execute(params![
            known.no,
            known.version.cast_signed(),
            write.entry.version.cast_signed(),
            stage_no(lead.stage),
            status_no(lead.status()),
            lead.outcome().map(|o| o.name()),
            write.wake_at.map(nanos_at_most),
            nanos_at_most(lead.updated_at),
            lead.next_action(),
            call(lead).0,
            call(lead).1,
        ])?;
    if changed == 1 { Ok(known.no) } else { Err(Stop::Refused(WriteError::Conflict)) }
}

fn insert_lead(writer: &Connection, write: &Write) -> Result<i64, Stop> {
    let lead = &*write.after;
    let contact = &lead.contact;
    let inserted = writer
        .prepare_cached(
            "INSERT INTO leads (id, version, stage, status, outcome, wake_at, updated_at, created_at, person, \
             fingerprint, external_ref, name, email, company, next_action, escalation, escalated_at) \
             VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            write.entry.lead.0.as_bytes(),
            stage_no(lead.stage),
            status_no(lead.status()),
            lead.outcome().map(|o| o.name()),
            write.wake_at.map(nanos_at_most),
            nanos_at_most(lead.updated_at),
            nanos_at_most(lead.created_at),
            person_hash(&contact.person_key()),
            narrow(contact.fingerprint()),
            contact.external_ref.as_ref().map(|r| r.as_str()),
            contact.name,
            contact.email,
            contact.company,
            lead.next_action(),
            call(lead).0,
            call(lead).1,
        ]);
    match (inserted, &contact.external_ref) {
        (Ok(_), _) => {
            let no = writer.last_insert_rowid();
            insert_company(writer, no, contact)?;
            Ok(no)
        }
        (Err(error), Some(taken)) if is_constraint(&error) && error.to_string().contains("external_ref") => {
            Err(Stop::Refused(WriteError::ExternalRefTaken(taken.clone())))
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// The open escalation, and since when it is open.
fn call(lead: &Lead) -> (Option<&[u8; 16]>, Option<i64>) {
    let open = lead.escalation.as_ref();
    (open.map(|open| open.id.0.as_bytes()), open.map(|open| nanos_at_most(open.at)))
}

fn insert_company(writer: &Connection, no: i64, contact: &NewLead) -> Result<(), Stop> {
    for domain in contact.company_domains() {
        writer
            .prepare_cached("INSERT INTO companies (domain, lead) VALUES (?1, ?2)")?
            .execute(params![domain_hash(&domain), no])?;
    }
    Ok(())
}

fn insert_entry(writer: &Connection, no: i64, write: &Write) -> Result<Position, Stop> {
    let entry = &write.entry;
    let refused = |why: String| Stop::Refused(WriteError::Refused(why));
    let payload = std::str::from_utf8(&write.payload).map_err(|e| refused(format!("its payload: {e}")))?;
    // The moment is part of the audit chain: it has to come back exactly as it was.
    let at = nanos(entry.at).ok_or_else(|| refused(format!("{} is too far away", entry.at)))?;
    writer
        .prepare_cached(
            "INSERT INTO entries (lead, version, at, actor, signal, chain, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            no,
            entry.version.cast_signed(),
            at,
            String::from(entry.by.clone()),
            entry.signal_id.as_ref().map(|s| s.as_str()),
            write.seal.chain.0,
            payload,
        ])?;
    Ok(writer.last_insert_rowid())
}

/// The tables beside the log, as far as the entry's events concern them.
fn put_beside(writer: &Connection, no: i64, write: &Write) -> Result<(), Error> {
    let lead = &*write.after;
    if write.entry.events.iter().any(concerns_task) {
        put_task(writer, no, lead, write.entry.version == 1)?;
    }
    for event in &write.entry.events {
        put_event(writer, no, lead, event)?;
    }
    states::put(writer, no, lead)
}

/// False for facts that neither open, change nor close a task.
fn concerns_task(event: &Event) -> bool {
    !matches!(
        event,
        Event::MessageReceived { .. }
            | Event::MessageQueued { .. }
            | Event::MessageReleased { .. }
            | Event::MessageHeld { .. }
            | Event::MessageSent { .. }
            | Event::MessageFailed { .. }
            | Event::ApprovalReminded { .. }
            | Event::ScopeApproved { .. }
            | Event::DepositConfirmed { .. }
            | Event::ClientUnreachable { .. }
    )
}

fn put_task(writer: &Connection, no: i64, lead: &Lead, first: bool) -> Result<(), Error> {
    match lead.open_task() {
        Some(task) => {
            let body = serde_json::to_string(task).map_err(|e| Error::ToSqlConversionFailure(Box::new(e)))?;
            writer
                .prepare_cached("INSERT OR REPLACE INTO tasks (lead, eidolon, id, body) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![no, eidolon_no(task.eidolon), task.id.0.as_bytes(), body])?;
        }
        None if first => {}
        None => {
            writer.prepare_cached("DELETE FROM tasks WHERE lead = ?1")?.execute([no])?;
        }
    }
    Ok(())
}

fn put_event(writer: &Connection, no: i64, lead: &Lead, event: &Event) -> Result<(), Error> {
    match event {
        Event::LeadIngested { .. } | Event::LeadImported { .. } => {
            lead.messages.first().map_or(Ok(()), |message| put_thread(writer, no, &message.rfc_id))
        }
        Event::MessageReceived { message } => put_thread(writer, no, &message.rfc_id),
        Event::MessageQueued { message } => {
            put_thread(writer, no, &message.rfc_id)?;
            writer
                .prepare_cached("INSERT OR REPLACE INTO outbox (message, lead) VALUES (?1, ?2)")?
                .execute(params![message.id.0.as_bytes(), no])
                .map(drop)
        }
        Event::MessageHeld { message, .. } | Event::MessageSent { message } | Event::MessageFailed { message, .. } => {
            writer.prepare_cached("DELETE FROM outbox WHERE message = ?1")?.execute([message.0.as_bytes()]).map(drop)
        }
        Event::ApprovalRequested { approval } => writer
            .prepare_cached(
                "INSERT OR REPLACE INTO approvals (id, lead, kind, requested_at, due_at, pending) \
                 VALUES (?1, ?2, ?3, ?4, ?5, 1)",
            )?
            .execute(params![
                approval.id.0.as_bytes(),
                no,
                approval.kind.name(),
                nanos_at_most(approval.requested_at),
                nanos_at_most(approval.due_at),
            ])
            .map(drop),
        Event::ApprovalDecided { approval, .. } | Event::ApprovalVoided { approval, .. } => writer
            .prepare_cached("UPDATE approvals SET pending = 0 WHERE id = ?1")?
            .execute([approval.0.as_bytes()])
            .map(drop),
        Event::LeadErased { at, .. } => writer
            .prepare_cached("INSERT INTO erasures (lead, at, done) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING")?
            .execute(params![lead.id.0.as_bytes(), nanos_at_most(*at)])
            .map(drop),
        _ => Ok(()),
    }
}

/// The first lead to hold a Message-ID keeps it: nobody moves a conversation by repeating its id.
fn put_thread(writer: &Connection, no: i64, rfc_id: &str) -> Result<(), Error> {
    if !rfc_id.is_empty() {
        writer
            .prepare_cached("INSERT INTO threads (rfc_id, lead) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![rfc_id, no])?;
    }
    Ok(())
}

/// Writes down once per batch how the numbers by stage and status have changed.
fn count(writer: &Connection, shift: &Shift) -> Result<(), Error> {
    let mut statement = writer.prepare_cached(
        "INSERT INTO counts (stage, status, leads) VALUES (?1, ?2, ?3) \
         ON CONFLICT DO UPDATE SET leads = leads + excluded.leads",
    )?;
    for ((stage, status), more) in shift.iter().filter(|(_, more)| **more != 0) {
        statement.execute([stage, status, more])?;
    }
    Ok(())
}

fn run(writer: &Connection, sql: &str) -> Result<(), Error> {
    writer.prepare_cached(sql)?.execute([]).map(drop)
}
