//! `/api/events` and `/api/leads/{id}/events`: what happened, from the log and live.
//!
//! A stream listens first and then reads the log, so nothing falls between; what it hears of positions it has read
//! already it skips, so nothing comes twice. Somebody too slow for the live channel is sent back to the log.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use max_core::event::{Entry, Event};
use max_core::lead::{ClientState, Lead};
use max_engine::director::Director;
use max_engine::ledger::Committed;
use max_engine::ports::{Logged, Position};
use max_engine::view::line;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::broadcast::{self, error::RecvError};

use super::AppState;
use super::auth::Read;
use super::input::Params;
use super::problem::Problem;
use super::respond::At;
use crate::wire::{EventList, EventView, LiveEvent};

/// How many entries of the log are read at a time.
const PAGE: usize = 256;

/// Which part of a lead's log to read.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfLead {
    after: Option<u64>,
    limit: Option<usize>,
}

/// What happened to a lead, oldest first.
#[utoipa::path(
    get, path = "/api/leads/{id}/events", tag = "leads", operation_id = "list_events",
    params(
        ("id" = String, Path, description = "UUID or external_ref"),
        ("after" = Option<u64>, Query, description = "Only entries after this version"),
        ("limit" = Option<u64>, Query, description = "Entries, 1 to 1000, 200 by default"),
    ),
    responses((status = 200, description = "The facts", body = ref("#/components/schemas/EventList"))),
)]
pub async fn of_lead(
    State(app): AppState,
    _: Read,
    At(id): At<String>,
    Params(query): Params<OfLead>,
) -> Result<Json<EventList>, Problem> {
    let id = app.find(&id).await?;
    let limit = query.limit.unwrap_or(200);
    if !(1..=1_000).contains(&limit) {
        return Err(Problem::field("limit", "ask for 1 to 1000 entries"));
    }
    let mut log = app.state.director.entries(id, query.after.unwrap_or(0), limit + 1).await?;
    let more = log.len() > limit;
    log.truncate(limit);
    let next = log.last().map(|logged| logged.entry.version).filter(|_| more);
    Ok(Json(EventList { events: log.iter().flat_map(views).collect(), next }))
}

/// The facts of an entry.
pub fn views(logged: &Logged) -> Vec<EventView> {
    let Logged { position, entry, .. } = logged;
    let view = |event: &Event| EventView {
        position: *position,
        version: entry.version,
        at: entry.at,
        by: entry.by.clone(),
        signal_id: entry.signal_id.clone(),
        kind: event.name().into(),
        line: line(event),
        data: fields(event),
    };
    entry.events.iter().map(view).collect()
}

/// The fact's own fields, without its name.
fn fields(event: &Event) -> Value {
    let mut value = serde_json::to_value(event).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("type");
    }
    value
}

/// From where to tell.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    after: Option<Position>,
}

/// Every fact from now on, or from a position on: server-sent events, one for each fact, named like it.
///
/// The last fact of an entry carries the entry's log position as its id, so whoever comes back with `Last-Event-ID`
/// misses nothing; a connection lost in the middle of an entry brings that entry again. Status, stage and next action
/// are the lead's when the event is sent.
#[utoipa::path(
    get, path = "/api/events", tag = "events", operation_id = "stream_events",
    params(
        ("after" = Option<i64>, Query, description = "Tell everything after this log position; 0 for all"),
        ("Last-Event-ID" = Option<i64>, Header, description = "The same, as browsers send it; it wins"),
    ),
    responses((status = 200, description = "`event: <fact>`, `data: LiveEvent`", content_type = "text/event-stream", body = ref("#/components/schemas/LiveEvent"))),
)]
pub async fn stream(
    State(app): AppState,
    _: Read,
    headers: HeaderMap,
    Params(query): Params<From>,
) -> Result<Sse<impl Stream<Item = Result<Message, Infallible>>>, Problem> {
    let last = headers.get("last-event-id").map(|value| {
        let number = value.to_str().ok().and_then(|text| text.trim().parse::<Position>().ok());
        number.ok_or_else(|| Problem::field("Last-Event-ID", "send the id of an event of this stream"))
    });
    let director = app.state.director.clone();
    // Listening comes first: what is committed while the log is read waits in the channel.
    let live = director.subscribe();
    let after = match last.transpose()?.or(query.after) {
        Some(position) => position,
        None => director.read(|store| store.last_position()).await?,
    };
    let telling = Telling { director, live, told: after, from_log: true };
    let closing = app.state.closing.clone();
    let events = stream::unfold(telling, Telling::next)
        .flat_map(|messages| stream::iter(messages.into_iter().map(Ok)))
        .take_until(closing.cancelled_owned());
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)).text("still here")))
}

/// Where a stream stands.
struct Telling {
    director: Director,
    live: broadcast::Receiver<Committed>,
    /// Everything up to here is told.
    told: Position,
    /// The log has to be read before the live channel counts.
    from_log: bool,
}

impl Telling {
    /// The next messages, or the end.
    async fn next(mut self) -> Option<(Vec<Message>, Self)> {
        loop {
            if self.from_log {
                let messages = self.read_log().await?;
                if !messages.is_empty() {
                    return Some((messages, self));
                }
                continue;
            }
            match self.live.recv().await {
                Ok(one) if one.position <= self.told => {}
                Ok(one) => {
                    self.told = one.position;
                    return Some((messages(one.position, &one.entry, &one.lead), self));
                }
                Err(RecvError::Lagged(_)) => self.from_log = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// A page of the log. An unreadable log ends the stream: the client comes back with its last id.
    async fn read_log(&mut self) -> Option<Vec<Message>> {
        let after = self.told;
        let page = self.director.read(move |store| store.entries_after(after, PAGE)).await;
        let page = page.inspect_err(|error| tracing::warn!(%error, "the log could not be read for a stream")).ok()?;
        self.from_log = page.len() == PAGE;
        let mut told = Vec::with_capacity(page.len());
        for logged in page {
            self.told = logged.position;
            let cached = self.director.lead(logged.entry.lead).await.ok()?;
            told.extend(messages(logged.position, &logged.entry, &cached.lead));
        }
        Some(told)
    }
}

fn messages(position: Position, entry: &Entry, lead: &Arc<Lead>) -> Vec<Message> {
    let ClientState { status, current_stage, next_action, .. } = ClientState::from(&**lead);
    let last = entry.events.len().saturating_sub(1);
    let message = |(index, event): (usize, &Event)| {
        let live = LiveEvent {
            position,
            lead_id: entry.lead,
            version: entry.version,
            at: entry.at,
            by: entry.by.clone(),
            kind: event.name().into(),
            line: line(event),
            status,
            current_stage,
            next_action: next_action.clone(),
        };
        let message = Message::default().event(event.name());
        let message = if index == last { message.id(position.to_string()) } else { message };
        message.json_data(live).unwrap_or_default()
    };
    entry.events.iter().enumerate().map(message).collect()
}
