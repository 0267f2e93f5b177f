//! What was done under which idempotency key: about a lead, or with an answer of its own.

use max_engine::ports::{Done, Idempotency, KeptAnswer, OnceKey};
use rusqlite::{Connection, Error, Row, params};

use super::columns::{digest, lead_id, moment, nanos_at_most};
use super::read::{erased_key, one};

pub(super) fn idempotency(reader: &Connection, key: &str) -> Result<Option<Idempotency>, Error> {
    let used = |row: &Row<'_>, done: Done| {
        let once = OnceKey { key: key.to_owned(), body: digest(row, 0)? };
        Ok(Idempotency { once, done, at: moment(row, 1)? })
    };
    // A key of an erased lead is there as its digest, so that the second copy of a request stays one.
    let sql = "SELECT body, at, lead FROM idempotency WHERE key IN (?1, ?2)";
    let about_lead = one(reader, sql, [key, &erased_key(key)], |row| used(row, Done::Lead(lead_id(row, 2)?)))?;
    if about_lead.is_some() {
        return Ok(about_lead);
    }
    one(reader, "SELECT request, at, status, body FROM answers WHERE key = ?1", [key], |row| {
        used(row, Done::Answered(KeptAnswer { status: row.get(2)?, body: row.get(3)? }))
    })
}

/// Keeps a key; false when it is known already.
pub(super) fn keep(writer: &Connection, used: &Idempotency) -> Result<bool, Error> {
    let Idempotency { once: OnceKey { key, body }, done, at } = used;
    let inserted = match done {
        Done::Lead(lead) => writer
            .prepare_cached(
                "INSERT INTO idempotency (key, body, lead, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            )?
            .execute(params![key, body.0, lead.0.as_bytes(), nanos_at_most(*at)])?,
        Done::Answered(answer) => writer
            .prepare_cached(
                "INSERT INTO answers (key, request, status, body, at) \
                 SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM idempotency WHERE key = ?1) \
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![key, body.0, answer.status, answer.body, nanos_at_most(*at)])?,
    };
    Ok(inserted > 0)
}

/// Keeps several in one commit.
pub(super) fn keep_all(writer: &Connection, keys: &[Idempotency]) -> Result<(), Error> {
    let transaction = writer.unchecked_transaction()?;
    for used in keys {
        keep(&transaction, used)?;
    }
    transaction.commit()
}
