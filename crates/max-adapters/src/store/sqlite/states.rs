//! The rendered `ClientState` of leads that rest or wait, beside the log: one read instead of a fold.

use std::cell::RefCell;
use std::io::Read as _;
use std::sync::LazyLock;

use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};
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

/// Two look-ups by number behind the one by id: the lead's version says whether the row still counts.
pub(super) const KEPT: &str = "SELECT s.version, s.body FROM leads l JOIN states s ON s.lead = l.no \
     WHERE l.id = ?1 AND s.version = l.version AND s.form = ?2";

/// The state as it was kept with the newest entry, else folded.
pub(super) fn get(reader: &Connection, id: LeadId) -> Result<Option<RenderedState>, Error> {
    let kept = reader
        .prepare_cached(KEPT)?
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

thread_local! {
    /// Making one costs more than deflating a state, and the writer deflates while everyone waits for it.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

fn deflate(json: &[u8]) -> Option<Vec<u8>> {
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        let mut body = Vec::with_capacity(json.len() / 2 + 64);
        loop {
            let left = json.get(usize::try_from(compress.total_in()).ok()?..)?;
            match compress.compress_vec(left, &mut body, FlushCompress::Finish).ok()? {
                Status::StreamEnd => return Some(body),
                Status::Ok | Status::BufError => body.reserve(json.len() / 2 + 64),
            }
        }
    })
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
        // One after the other, and also what no deflating makes smaller.
        let noise: Vec<u8> = (0..40_000u32).map(|n| max_core::id::Digest::of(&n.to_le_bytes()).0[0]).collect();
        for text in [&json[..], &noise, &json[..], b""] {
            let body = deflate(text).expect("deflated");
            assert_eq!(inflate(&body).as_deref(), Some(text));
        }
        assert_eq!(inflate(b"\xff\xff\xff"), None);
    }
}
