//! The rendered `ClientState` of leads that rest or wait, beside the log: one read instead of a fold.

use std::io::{Read as _, Write as _};
use std::sync::LazyLock;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use max_core::id::{Digest, LeadId};
use max_core::lead::{Lead, Turn};
use max_engine::ports::RenderedState;
use rusqlite::{Connection, Error, OptionalExtension, params};

use super::columns::narrow;
use super::read;

/// Which MAX rendered a state: another version may word it differently, and then it is folded again.
static FORM: LazyLock<i64> = LazyLock::new(|| narrow(Digest::of(env!("CARGO_PKG_VERSION").as_bytes())));

/// Keeps the state of a lead that nobody works on. One that moves on at once is in memory anyway, and its state would
/// be written again with the next step.
pub(super) fn put(writer: &Connection, no: i64, lead: &Lead) -> Result<(), Error> {
    if matches!(lead.turn, Turn::Working(_)) {
        return Ok(());
    }
    let state = RenderedState::of(lead);
    let Some(body) = deflate(&state.json) else { return Ok(()) };
    writer
        .prepare_cached("INSERT OR REPLACE INTO states (lead, version, form, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![no, state.version.cast_signed(), *FORM, body])
        .map(drop)
}

/// The state as it was kept with the newest entry, else folded.
pub(super) fn get(reader: &Connection, id: LeadId) -> Result<Option<RenderedState>, Error> {
    let kept = reader
        .prepare_cached(
            "SELECT s.version, s.body FROM leads l JOIN states s ON s.lead = l.no \
             WHERE l.id = ?1 AND s.version = l.version AND s.form = ?2",
        )?
        .query_row(params![id.0.as_bytes(), *FORM], |row| {
            let version = row.get::<_, i64>(0)?.cast_unsigned();
            Ok(inflate(row.get_ref(1)?.as_blob()?).map(|json| RenderedState { version, json }))
        })
        .optional()?
        .flatten();
    match kept {
        Some(state) => Ok(Some(state)),
        None => Ok(read::lead(reader, id)?.map(|lead| RenderedState::of(&lead))),
    }
}

fn deflate(json: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(json.len() / 2), Compression::fast());
    encoder.write_all(json).ok()?;
    encoder.finish().ok()
}

/// Nothing for bytes that are no deflated text: then the log is asked.
fn inflate(body: &[u8]) -> Option<Vec<u8>> {
    let mut json = Vec::with_capacity(body.len() * 4);
    DeflateDecoder::new(body).read_to_end(&mut json).ok()?;
    Some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_as_it_was() {
        let json = br#"{"lead_id":"x","history":["one","two"]}"#;
        let body = deflate(json).expect("deflated");
        assert_eq!(inflate(&body).as_deref(), Some(&json[..]));
        assert_eq!(inflate(b"\xff\xff\xff"), None);
    }
}
