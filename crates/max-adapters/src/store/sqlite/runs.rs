//! What voices did and what it cost.

use max_core::id::{Digest, LeadId, TaskId};
use max_engine::runs::{MicroUsd, Run, RunOutcome, Transport, Usage};
use max_engine::spend::Spending;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Row, params};

use super::columns::{eidolon, eidolon_no, lead_id, moment, nanos_at_most, stage, stage_no, uuid};
use super::read::{many, one};

/// A run of a lead that this store does not hold (any more) belongs to none.
pub(super) fn record(writer: &Connection, run: &Run) -> Result<(), Error> {
    let sql = "INSERT INTO runs (id, lead, task, attempt, eidolon, stage, voice, transport, repair, model, started_at, \
               took_ms, calls, input, cached, cache_write, output, cost, outcome, error, prompt) \
               VALUES (?1, coalesce((SELECT no FROM leads WHERE id = ?2 AND outcome IS NOT 'erased'), 0), ?3, ?4, ?5, \
               ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) \
               ON CONFLICT (id) DO UPDATE SET model = excluded.model, took_ms = excluded.took_ms, \
               calls = excluded.calls, input = excluded.input, cached = excluded.cached, \
               cache_write = excluded.cache_write, output = excluded.output, cost = excluded.cost, \
               outcome = excluded.outcome, error = excluded.error, \
               prompt = CASE runs.lead WHEN 0 THEN NULL ELSE excluded.prompt END";
    let row = params![
        run.id.as_bytes(),
        run.lead.0.as_bytes(),
        run.task.0.as_bytes(),
        run.attempt,
        eidolon_no(run.eidolon),
        stage_no(run.stage),
        run.voice,
        run.transport.name(),
        run.repair,
        run.model,
        nanos_at_most(run.started_at),
        column(run.took_ms),
        run.calls,
        column(run.usage.input),
        column(run.usage.cached),
        column(run.usage.cache_write),
        column(run.usage.output),
        column(run.cost.0),
        run.outcome.name(),
        run.error,
        run.prompt.map(|digest| digest.0),
    ];
    writer.prepare_cached(sql)?.execute(row).map(drop)
}

pub(super) fn of_lead(reader: &Connection, lead: LeadId) -> Result<Vec<Run>, Error> {
    let sql = "SELECT r.id, l.id, r.task, r.attempt, r.eidolon, r.stage, r.voice, r.transport, r.repair, r.model, \
               r.started_at, r.took_ms, r.calls, r.input, r.cached, r.cache_write, r.output, r.cost, r.outcome, \
               r.error, r.prompt FROM runs r JOIN leads l ON l.no = r.lead WHERE l.id = ?1 ORDER BY r.started_at, r.id";
    many(reader, sql, [lead.0.as_bytes()], run)
}

pub(super) fn spent(reader: &Connection, spending: Spending) -> Result<MicroUsd, Error> {
    let sum = |row: &Row<'_>| row.get::<_, i64>(0);
    let spent = match spending {
        Spending::Since(at) => {
            let sql = "SELECT coalesce(sum(cost), 0) FROM runs WHERE started_at >= ?1";
            one(reader, sql, [nanos_at_most(at)], sum)?
        }
        Spending::Lead(lead) => {
            let sql = "SELECT coalesce(sum(r.cost), 0) FROM runs r JOIN leads l ON l.no = r.lead WHERE l.id = ?1";
            one(reader, sql, [lead.0.as_bytes()], sum)?
        }
        Spending::Stage(lead, stage) => {
            let sql = "SELECT coalesce(sum(r.cost), 0) FROM runs r JOIN leads l ON l.no = r.lead \
                       WHERE l.id = ?1 AND r.stage = ?2";
            one(reader, sql, params![lead.0.as_bytes(), stage_no(stage)], sum)?
        }
    };
    Ok(MicroUsd(spent.unwrap_or_default().cast_unsigned()))
}

pub(super) fn end_lost(writer: &Connection) -> Result<(), Error> {
    writer.execute("UPDATE runs SET outcome = 'lost' WHERE outcome = 'running'", []).map(drop)
}

/// What stays of the runs of a lead that is erased: when they were and what they cost.
pub(super) fn blank(writer: &Connection, lead_no: i64) -> Result<(), Error> {
    let sql = "UPDATE runs SET lead = 0, task = zeroblob(16), error = NULL, prompt = NULL WHERE lead = ?1";
    writer.execute(sql, [lead_no]).map(drop)
}

fn run(row: &Row<'_>) -> Result<Run, Error> {
    let word = |column: usize| row.get::<_, String>(column);
    let strange = |column: usize, word: String| Error::InvalidColumnType(column, word, Type::Text);
    let count = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let (transport, outcome) = (word(7)?, word(18)?);
    Ok(Run {
        id: uuid(row, 0)?,
        lead: lead_id(row, 1)?,
        task: uuid(row, 2).map(TaskId)?,
        attempt: row.get(3)?,
        eidolon: eidolon(row, 4)?,
        stage: stage(row, 5)?,
        voice: word(6)?,
        transport: Transport::ALL
            .into_iter()
            .find(|one| one.name() == transport)
            .ok_or_else(|| strange(7, transport))?,
        repair: row.get(8)?,
        model: row.get(9)?,
        started_at: moment(row, 10)?,
        took_ms: count(11)?,
        calls: row.get(12)?,
        usage: Usage { input: count(13)?, cached: count(14)?, cache_write: count(15)?, output: count(16)? },
        cost: MicroUsd(count(17)?),
        outcome: RunOutcome::of_name(&outcome).ok_or_else(|| strange(18, outcome))?,
        error: row.get(19)?,
        prompt: row.get::<_, Option<[u8; 32]>>(20)?.map(Digest),
    })
}

/// A count as a column holds it.
fn column(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
