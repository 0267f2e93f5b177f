//! Pages of leads, newest change first, with a cursor that names the last row seen.

use max_core::lead::Status;
use max_core::stage::Stage;
use max_engine::ports::{LeadFilter, LeadRow, Page, StoreError};
use rusqlite::{Connection, Error, Row, params};

use super::columns::{lead_id, moment, parsed, stage, stage_no, status, status_no};
use super::fault::store_error;

/// The largest page.
const MOST: usize = 500;

pub(super) fn list(reader: &Connection, filter: &LeadFilter) -> Result<Page, StoreError> {
    let start = match &filter.cursor {
        Some(text) => Place::parse(text).ok_or_else(|| {
            StoreError::Unavailable(format!("`{text}` is no cursor of a list; leave it out to begin at the top"))
        })?,
        None => Place::TOP,
    };
    page(reader, filter, start).map_err(store_error)
}

fn page(reader: &Connection, filter: &LeadFilter, start: Place) -> Result<Page, Error> {
    let limit = filter.limit.clamp(1, MOST);
    let search = Search::new(filter.search.as_deref().unwrap_or_default());
    let mut statement = reader.prepare_cached(statement(filter.stage, filter.status))?;
    let mut rows = statement.query(params![
        start.updated_at,
        start.no,
        filter.stage.map_or(0, stage_no),
        filter.status.map_or(0, status_no),
    ])?;
    let mut page = Page::default();
    let mut last = start;
    while let Some(row) = rows.next()? {
        let lead = lead_row(row)?;
        if !search.finds(&lead) {
            continue;
        }
        if page.rows.len() == limit {
            page.next = Some(last.to_string());
            break;
        }
        last = Place { updated_at: row.get(9)?, no: row.get(11)? };
        page.rows.push(lead);
    }
    Ok(page)
}

/// Each combination of filters is a statement of its own, so that each can use the index that fits.
fn statement(stage: Option<Stage>, status: Option<Status>) -> &'static str {
    macro_rules! select {
        ($index:literal, $more:literal) => {
            concat!(
                "SELECT id, external_ref, name, email, company, stage, status, outcome, next_action, updated_at, ",
                "created_at, no FROM leads INDEXED BY ",
                $index,
                " WHERE (updated_at, no) < (?1, ?2) ",
                $more,
                " ORDER BY updated_at DESC, no DESC"
            )
        };
    }
    match (stage, status) {
        (None, None) => select!("leads_by_change", "AND ?3 = 0 AND ?4 = 0"),
        (Some(_), None) => select!("leads_by_change", "AND stage = ?3 AND ?4 = 0"),
        (None, Some(_)) => select!("leads_by_status", "AND ?3 = 0 AND status = ?4"),
        (Some(_), Some(_)) => select!("leads_by_status", "AND stage = ?3 AND status = ?4"),
    }
}

fn lead_row(row: &Row<'_>) -> Result<LeadRow, Error> {
    let external_ref: Option<String> = row.get(1)?;
    Ok(LeadRow {
        lead_id: lead_id(row, 0)?,
        external_ref: external_ref.map(|_| parsed(row, 1)).transpose()?,
        name: row.get(2)?,
        email: row.get(3)?,
        company: row.get(4)?,
        current_stage: stage(row, 5)?,
        status: status(row, 6)?,
        outcome: row.get(7)?,
        next_action: row.get(8)?,
        created_at: moment(row, 10)?,
        updated_at: moment(row, 9)?,
    })
}

/// Where a row stands in the order of the list.
#[derive(Clone, Copy)]
struct Place {
    updated_at: i64,
    no: i64,
}

impl Place {
    const TOP: Place = Place { updated_at: i64::MAX, no: i64::MAX };

    fn parse(text: &str) -> Option<Self> {
        let (updated_at, no) = text.split_once('.')?;
        Some(Self { updated_at: updated_at.parse().ok()?, no: no.parse().ok()? })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.updated_at, self.no)
    }
}

/// Words to look for. Compared here and not in SQL, whose LIKE knows the case of ASCII only.
struct Search {
    words: Vec<String>,
}

impl Search {
    fn new(text: &str) -> Self {
        Self { words: text.split_whitespace().map(str::to_lowercase).collect() }
    }

    /// True when each word stands somewhere.
    fn finds(&self, lead: &LeadRow) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let external_ref = lead.external_ref.as_ref().map_or("", |r| r.as_str());
        let company = lead.company.as_deref().unwrap_or_default();
        let text = [&*lead.name, company, &*lead.email, external_ref].join("\n").to_lowercase();
        self.words.iter().all(|word| text.contains(word))
    }
}
