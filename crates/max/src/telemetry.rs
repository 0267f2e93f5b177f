//! Figures for Prometheus: what HTTP does is counted as it happens; what the pipeline looks like is asked when somebody
//! scrapes, so that nothing is counted twice and an idle MAX does nothing.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use max_core::stage::Eidolon;
use max_engine::director::Director;
use max_engine::error::Error;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::api::App;

/// The media type of what [`Metrics::render`] gives.
pub const TEXT_FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How many waiting messages are counted at most.
const OUTBOX_MOST: usize = 10_000;

/// What is counted while MAX runs.
pub struct Metrics {
    version: &'static str,
    requests: Family<Route, Counter>,
    seconds: Family<Latency, Histogram, fn() -> Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Latency {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Leads {
    stage: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tasks {
    eidolon: &'static str,
    state: &'static str,
}

impl Metrics {
    /// Figures that start at nothing.
    pub fn new(version: &'static str) -> Self {
        // 100 µs to about 13 s.
        let buckets: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0001, 2.0, 18));
        Self { version, requests: Family::default(), seconds: Family::new_with_constructor(buckets) }
    }

    /// Counts one answered request. `route` is the pattern, never the path: paths are without number.
    fn answered(&self, method: &'static str, route: &str, status: u16, seconds: f64) {
        let labels = Route { method, route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&Latency { route: labels.route }).observe(seconds);
    }

    /// Everything as text.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn render(&self, director: &Director) -> Result<String, Error> {
        let mut registry = Registry::with_prefix("max");
        registry.register("build", "This program", Info::new(vec![("version", self.version)]));
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register("http_request_seconds", "Time to the answer's head", self.seconds.clone());
        let (counts, position, outbox) = director
            .read(|store| Ok((store.counts()?, store.last_position()?, store.outbox(OUTBOX_MOST)?.len())))
            .await?;
        let leads = Family::<Leads, Gauge>::default();
        for (stage, status, count) in counts {
            let labels = Leads { stage: stage.name(), status: status.name() };
            leads.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        registry.register("leads", "Leads by stage and status", leads);
        let tasks = Family::<Tasks, Gauge>::default();
        for eidolon in Eidolon::ALL {
            let load = director.board().load(eidolon);
            for (state, count) in [("ready", load.ready), ("working", load.working), ("delayed", load.delayed)] {
                let labels = Tasks { eidolon: eidolon.id(), state };
                tasks.get_or_create(&labels).set(count as i64);
            }
        }
        registry.register("tasks", "Open tasks of this process by Eidolon", tasks);
        let commits = Counter::<u64, AtomicU64>::default();
        commits.inc_by(u64::try_from(position).unwrap_or(0));
        registry.register("commits", "Entries of the log, as its newest position", commits);
        registry.register("outbox_messages", "Messages that wait to leave", gauge(outbox));
        let backlog = director.projector().backlog();
        registry.register("projector_backlog_leads", "Leads whose readable copy is behind", gauge(backlog));
        registry.register("process_resident_memory_bytes", "Memory of this process", gauge(resident_bytes()));
        let mut text = String::with_capacity(8 * 1024);
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &registry);
        Ok(text)
    }
}

fn gauge(value: usize) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
    gauge
}

/// Resident memory, as the kernel counts it; 0 where there is no `/proc`.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// Counts and times every request, and writes it to the log at debug level.
pub async fn measure(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    let took = started.elapsed();
    app.metrics.answered(known(&method), route, response.status().as_u16(), took.as_secs_f64());
    tracing::debug!(http.method = %method, http.route = route, http.status = response.status().as_u16(),
        duration_us = took.as_micros(), "answered");
    response
}

/// Methods are made up by clients; a label must not be.
fn known(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        _ => "other",
    }
}
