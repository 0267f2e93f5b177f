//! How values stand in columns: moments, ids and enumerations, there and back.

use jiff::Timestamp;
use max_core::id::{Digest, LeadId};
use max_core::lead::{NewLead, Status};
use max_core::stage::{Eidolon, Stage};
use rusqlite::types::Type;
use rusqlite::{Error, Row};
use uuid::Uuid;

/// A moment as nanoseconds. Nothing beyond the year 2262, where a column ends.
pub(super) fn nanos(at: Timestamp) -> Option<i64> {
    i64::try_from(at.as_nanosecond()).ok()
}

/// A moment that only has to be late enough: the end of time is the year 2262.
pub(super) fn nanos_at_most(at: Timestamp) -> i64 {
    nanos(at).unwrap_or(if at.as_nanosecond() < 0 { i64::MIN } else { i64::MAX })
}

/// 1 for the first stage.
pub(super) fn stage_no(stage: Stage) -> i64 {
    i64::from(stage.number())
}

/// 1 for the first status.
pub(super) fn status_no(status: Status) -> i64 {
    status as i64 + 1
}

/// 1 for the first Eidolon.
pub(super) fn eidolon_no(eidolon: Eidolon) -> i64 {
    eidolon as i64 + 1
}

/// What persons are found by.
pub(super) fn person_hash(person_key: &str) -> i64 {
    narrow(Digest::of(person_key.as_bytes()))
}

/// What the leads of a company are found by.
pub(super) fn domain_hash(domain: &str) -> i64 {
    narrow(Digest::of(domain.as_bytes()))
}

/// The first eight bytes of a digest.
pub(super) fn narrow(digest: Digest) -> i64 {
    let [a, b, c, d, e, f, g, h, ..] = digest.0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// The person key of a row that holds only name and address.
pub(super) fn person_key(name: String, email: String) -> String {
    NewLead { name, email, ..NewLead::default() }.person_key()
}

/// A moment.
pub(super) fn moment(row: &Row<'_>, column: usize) -> Result<Timestamp, Error> {
    let nanos: i64 = row.get(column)?;
    Timestamp::from_nanosecond(i128::from(nanos)).map_err(|e| strange(column, Type::Integer, e))
}

/// A UUID.
pub(super) fn uuid(row: &Row<'_>, column: usize) -> Result<Uuid, Error> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

/// A lead's id.
pub(super) fn lead_id(row: &Row<'_>, column: usize) -> Result<LeadId, Error> {
    uuid(row, column).map(LeadId)
}

/// A digest.
pub(super) fn digest(row: &Row<'_>, column: usize) -> Result<Digest, Error> {
    Ok(Digest(row.get(column)?))
}

/// A stage.
pub(super) fn stage(row: &Row<'_>, column: usize) -> Result<Stage, Error> {
    one_of(&Stage::ALL, row, column)
}

/// An Eidolon.
pub(super) fn eidolon(row: &Row<'_>, column: usize) -> Result<Eidolon, Error> {
    one_of(&Eidolon::ALL, row, column)
}

/// A status.
pub(super) fn status(row: &Row<'_>, column: usize) -> Result<Status, Error> {
    one_of(&Status::ALL, row, column)
}

/// JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, Error> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|e| strange(column, Type::Text, e))
}

/// A value that was made from text.
pub(super) fn parsed<T>(row: &Row<'_>, column: usize) -> Result<T, Error>
where
    T: TryFrom<String>,
    T::Error: std::error::Error + Send + Sync + 'static,
{
    T::try_from(row.get(column)?).map_err(|e| strange(column, Type::Text, e))
}

fn one_of<T: Copy>(all: &[T], row: &Row<'_>, column: usize) -> Result<T, Error> {
    let no: i64 = row.get(column)?;
    usize::try_from(no - 1)
        .ok()
        .and_then(|index| all.get(index))
        .copied()
        .ok_or(Error::IntegralValueOutOfRange(column, no))
}

fn strange(column: usize, kind: Type, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::FromSqlConversionFailure(column, kind, Box::new(error))
}
