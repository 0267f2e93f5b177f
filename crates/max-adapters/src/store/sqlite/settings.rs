//! The small tables that are not derived from the log: named values, tokens, standing wake-ups.

use max_engine::ports::{SapWave, TokenRow};
use rusqlite::{Connection, Error, OptionalExtension, params};

use super::columns::{digest, json, moment, nanos_at_most};
use super::read::many;

pub(super) fn meta(reader: &Connection, key: &str) -> Result<Option<String>, Error> {
    reader.prepare_cached("SELECT value FROM meta WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()
}

pub(super) fn set_meta(writer: &Connection, key: &str, value: &str) -> Result<(), Error> {
    writer.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")?.execute([key, value]).map(drop)
}

pub(super) fn tokens(reader: &Connection) -> Result<Vec<TokenRow>, Error> {
    let sql = "SELECT id, name, hash, scopes, created_at FROM tokens ORDER BY created_at, id";
    many(reader, sql, [], |row| {
        Ok(TokenRow {
            id: row.get(0)?,
            name: row.get(1)?,
            hash: digest(row, 2)?,
            scopes: json(row, 3)?,
            created_at: moment(row, 4)?,
        })
    })
}

pub(super) fn add_token(writer: &Connection, token: &TokenRow) -> Result<(), Error> {
    writer
        .prepare_cached("INSERT INTO tokens (id, name, hash, scopes, created_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![token.id, token.name, token.hash.0, to_json(&token.scopes)?, nanos_at_most(token.created_at)])
        .map(drop)
}

pub(super) fn revoke_token(writer: &Connection, id: &str) -> Result<bool, Error> {
    writer.prepare_cached("DELETE FROM tokens WHERE id = ?1")?.execute([id]).map(|gone| gone > 0)
}

pub(super) fn sapwaves(reader: &Connection) -> Result<Vec<SapWave>, Error> {
    many(reader, "SELECT body FROM sapwaves ORDER BY name", [], |row| json(row, 0))
}

pub(super) fn put_sapwave(writer: &Connection, wave: &SapWave) -> Result<(), Error> {
    writer
        .prepare_cached("INSERT OR REPLACE INTO sapwaves (name, body) VALUES (?1, ?2)")?
        .execute([&wave.name, &to_json(wave)?])
        .map(drop)
}

pub(super) fn remove_sapwave(writer: &Connection, name: &str) -> Result<bool, Error> {
    writer.prepare_cached("DELETE FROM sapwaves WHERE name = ?1")?.execute([name]).map(|gone| gone > 0)
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|e| Error::ToSqlConversionFailure(Box::new(e)))
}
