//! What the law asks of the store: the suppression list, the list of erasures, and blanking a lead.

use max_core::event::Entry;
use max_core::id::{Digest, LeadId};
use max_engine::ports::{Erasure, Seal, Suppression, SuppressionReason};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row, TransactionBehavior, params};

use super::columns::{digest, lead_id, moment, nanos_at_most};
use super::read::{ENTRY, erased_key, link_of, many};
use super::runs;

pub(super) fn suppression(reader: &Connection, hash: Digest) -> Result<Option<Suppression>, Error> {
    let sql = "SELECT hash, reason, at, actor FROM suppressions WHERE hash = ?1";
    reader.prepare_cached(sql)?.query_row([hash.0], suppressed).optional()
}

pub(super) fn suppressions(reader: &Connection) -> Result<Vec<Suppression>, Error> {
    many(reader, "SELECT hash, reason, at, actor FROM suppressions ORDER BY at DESC, hash", [], suppressed)
}

fn suppressed(row: &Row<'_>) -> Result<Suppression, Error> {
    let word: String = row.get(1)?;
    let reason = SuppressionReason::ALL.into_iter().find(|reason| reason.name() == word);
    let reason = reason.ok_or(Error::InvalidColumnType(1, word, Type::Text))?;
    Ok(Suppression { hash: digest(row, 0)?, reason, at: moment(row, 2)?, by: row.get(3)? })
}

pub(super) fn put_suppression(writer: &Connection, one: &Suppression) -> Result<(), Error> {
    let sql = "INSERT INTO suppressions (hash, reason, at, actor) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    writer.prepare_cached(sql)?.execute(params![one.hash.0, one.reason.name(), nanos_at_most(one.at), one.by]).map(drop)
}

pub(super) fn remove_suppression(writer: &Connection, hash: Digest) -> Result<bool, Error> {
    writer.prepare_cached("DELETE FROM suppressions WHERE hash = ?1")?.execute([hash.0]).map(|gone| gone > 0)
}

pub(super) fn erasures(reader: &Connection) -> Result<Vec<Erasure>, Error> {
    many(reader, "SELECT lead, at, done FROM erasures ORDER BY at, lead", [], |row| {
        Ok(Erasure { lead: lead_id(row, 0)?, at: moment(row, 1)?, done: row.get(2)? })
    })
}

pub(super) fn put_erasure(writer: &Connection, one: &Erasure) -> Result<(), Error> {
    writer
        .prepare_cached("INSERT OR REPLACE INTO erasures (lead, at, done) VALUES (?1, ?2, ?3)")?
        .execute(params![one.lead.0.as_bytes(), nanos_at_most(one.at), one.done])
        .map(drop)
}

/// Blanks a lead in one transaction.
pub(super) fn erase(writer: &mut Connection, lead: LeadId, left: &[u8]) -> Result<(), Error> {
    let left = std::str::from_utf8(left).map_err(|e| Error::Utf8Error(0, e))?;
    // What is freed and used again inside the transaction must not carry anything over.
    writer.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    let done = blank(writer, lead, left);
    writer.pragma_update_and_check(None, "secure_delete", false, |_| Ok(()))?;
    done
}

fn blank(writer: &mut Connection, lead: LeadId, left: &str) -> Result<(), Error> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let no: Option<i64> = transaction
        .query_row("SELECT no FROM leads WHERE id = ?1", [lead.0.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(no) = no else { return Ok(()) };
    blank_entries(&transaction, lead, left)?;
    // The digest of nothing finds nobody.
    transaction.execute(
        "UPDATE leads SET name = '', email = '', company = NULL, external_ref = NULL, person = 0, fingerprint = 0, \
         wake_at = NULL WHERE no = ?1",
        [no],
    )?;
    for table in ["tasks", "threads", "outbox", "states", "companies"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE lead = ?1"), [no])?;
    }
    runs::blank(&transaction, no)?;
    blank_keys(&transaction, lead)?;
    transaction.commit()
}

/// Puts digests in the place of payloads and of what senders wrote into the headers. The first payload says what happened.
fn blank_entries(writer: &Connection, lead: LeadId, left: &str) -> Result<(), Error> {
    let sql = format!("{ENTRY} WHERE l.id = ?1 ORDER BY e.version");
    let entries: Vec<(i64, Entry, Digest, Digest)> = many(writer, &sql, [lead.0.as_bytes()], |row| {
        let (entry, payload) = link_of(row)?;
        Ok((row.get(0)?, entry, payload, digest(row, 6)?))
    })?;
    let mut previous = Digest([0; 32]);
    for (position, entry, payload, chain) in entries {
        let (by, signal) = Seal::erased_header(previous, &entry, payload, chain);
        let left = (entry.version == 1).then_some(left);
        writer
            .prepare_cached(
                "UPDATE entries SET payload = ?2, erased = ?3, actor = ?4, signal = ?5 WHERE position = ?1",
            )?
            .execute(params![position, left, payload.0, String::from(by), signal.map(String::from)])?;
        previous = chain;
    }
    Ok(())
}

fn blank_keys(writer: &Connection, lead: LeadId) -> Result<(), Error> {
    let keys: Vec<String> =
        many(writer, "SELECT key FROM idempotency WHERE lead = ?1", [lead.0.as_bytes()], |row| row.get(0))?;
    for key in keys.iter().filter(|key| !key.starts_with("erased-")) {
        writer.execute("UPDATE OR REPLACE idempotency SET key = ?2 WHERE key = ?1", [key, &erased_key(key)])?;
    }
    Ok(())
}
