//! The HTTP interface: the router as an index, one file per group of endpoints.
//!
//! A handler reads its request, calls one use case of the [`Director`] and writes the answer; it decides nothing.
//! Who asks is settled by the first argument of each handler ([`auth::Read`], [`auth::Operate`] …), so a handler
//! without one is open to everybody and there are few of them.

mod admin;
pub(crate) mod agents;
pub(crate) mod approvals;
mod artifact_versions;
mod artifacts;
pub mod auth;
mod clock;
pub(crate) mod escalations;
pub(crate) mod events;
pub(crate) mod export_page;
mod handoff;
mod ingest;
pub(crate) mod input;
pub(crate) mod leads;
mod lint;
mod messages;
mod once;
mod openapi;
mod ops;
mod privacy;
pub mod problem;
pub(crate) mod respond;
mod runs;
mod sapwaves;
mod secret;
mod signals;
mod status;
mod tasks;
mod tokens;
mod trace;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use max_core::id::LeadId;
use max_core::signal::Signal;
use max_core::stage::{Aliases, Eidolon};
use max_engine::director::Director;
use max_engine::engine::EidolonHealth;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::backup::Backup;
use crate::dashboard;
use crate::portal::{self, Portal};
use crate::telemetry::{self, Metrics};
use auth::{Auth, RateLimit};
use problem::Problem;

pub(crate) use artifacts::{SANDBOX, media_type};
pub use ingest::read_lead;

/// The largest body that is read, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// What the interface needs to know. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// The only way to change a lead.
    pub director: Director,
    /// How the Eidolons of this process are.
    pub health: Arc<dyn Fn() -> Vec<EidolonHealth> + Send + Sync>,
    /// Tokens and sessions.
    pub auth: Arc<Auth>,
    /// Every spelling of a stage or Eidolon.
    pub aliases: Arc<Aliases>,
    /// The agency's name, for pages.
    pub agency: String,
    /// The agency's own names for its personas; those it has not named keep their default.
    pub personas: Arc<BTreeMap<Eidolon, String>>,
    /// Which voices work, in a word: `playbook`, `models` …. Shown in health and, for `playbook`, as a banner.
    pub mode: String,
    /// The clock, when it is one that requests may move.
    pub clock: Option<Arc<dyn ManualClockControl>>,
    /// Turns a signal into commands.
    pub route_signal: RouteSignal,
    /// The clients' pages.
    pub portal: Arc<Portal>,
    /// What a backup takes along.
    pub backup: Backup,
    /// How often one token may ask.
    pub rate: RateLimit,
    /// The largest body that is read, in bytes.
    pub body_limit: usize,
    /// This program's version.
    pub version: &'static str,
    /// Cancelled at shutdown: streams and long polls end, so that the server can.
    pub closing: CancellationToken,
}

/// A clock that requests may move (`--clock manual`).
pub trait ManualClockControl: Send + Sync + 'static {
    /// The moment.
    fn now(&self) -> Timestamp;
    /// Moves on; sleepers whose time has come wake.
    fn advance(&self, by: SignedDuration);
    /// Moves to a moment. A sentence says why not, for instance because it is past.
    fn set(&self, at: Timestamp) -> Result<(), String>;
}

/// Turns a signal into commands.
pub type RouteSignal = Arc<dyn Fn(Signal) -> BoxFuture<'static, Result<Routed, Rejected>> + Send + Sync>;

/// What became of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// In a sentence.
    pub sentence: String,
    /// The lead it was about.
    pub lead: Option<LeadId>,
}

/// Why a signal came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What is wrong and how to mend it.
    pub reason: String,
    /// True when the same signal may work later.
    pub retry: bool,
}

/// What handlers share.
pub struct App {
    /// What the interface was given.
    pub state: ApiState,
    /// What is counted.
    pub metrics: Metrics,
    /// `/openapi.json`, made once.
    document: OnceLock<String>,
    /// Requests with an idempotency key.
    turns: once::Turns,
}

impl ApiState {
    /// What the agency calls an Eidolon's persona.
    pub fn persona(&self, eidolon: Eidolon) -> &str {
        self.personas.get(&eidolon).map_or(eidolon.persona(), String::as_str)
    }
}

/// The whole interface.
pub fn router(state: ApiState) -> Router {
    let metrics = Metrics::new(state.version);
    let app = Arc::new(App { state, metrics, document: OnceLock::new(), turns: once::Turns::default() });
    let (api, document) = endpoints().split_for_parts();
    // A failure here would be a fault in our own types, which the tests would have shown.
    let _ = app.document.set(openapi::complete(document, app.state.version));
    let once = axum::middleware::from_fn_with_state(Arc::clone(&app), once::once);
    let router = api.route_layer(once).merge(pages());
    router
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), telemetry::measure))
        .with_state(app)
}

/// The endpoints of the documented interface, by who uses them.
fn endpoints() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        // whoever brings leads
        .routes(routes!(ingest::ingest_lead))
        // people and their tools
        .routes(routes!(handoff::hand_off))
        .routes(routes!(status::status))
        .routes(routes!(agents::health))
        .routes(routes!(leads::list))
        .routes(routes!(leads::show))
        .routes(routes!(lint::lead))
        .routes(routes!(trace::lead))
        .routes(routes!(runs::of_lead))
        .routes(routes!(leads::sign))
        .routes(routes!(leads::deposit))
        .routes(routes!(leads::step))
        .routes(routes!(leads::take_over))
        .routes(routes!(leads::hand_back))
        .routes(routes!(leads::retry))
        .routes(routes!(leads::escalate))
        .routes(routes!(leads::close))
        .routes(routes!(leads::reopen))
        .routes(routes!(privacy::export))
        .routes(routes!(privacy::preview, privacy::request))
        .routes(routes!(privacy::consent))
        .routes(routes!(privacy::list, privacy::add))
        .routes(routes!(privacy::remove))
        .routes(routes!(events::of_lead))
        .routes(routes!(events::stream))
        .routes(routes!(messages::list, messages::post))
        .routes(routes!(artifacts::list))
        .routes(routes!(artifacts::read))
        .routes(routes!(approvals::list))
        .routes(routes!(approvals::show, approvals::decide))
        .routes(routes!(approvals::waive))
        .routes(routes!(escalations::list))
        .routes(routes!(escalations::decide))
        // Eidolons on other machines
        .routes(routes!(signals::send))
        .routes(routes!(signals::inbox))
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::claim))
        .routes(routes!(tasks::renew))
        .routes(routes!(tasks::submit))
        .routes(routes!(tasks::fail))
        .routes(routes!(sapwaves::list, sapwaves::put))
        .routes(routes!(sapwaves::remove))
        // the owner
        .routes(routes!(tokens::list, tokens::make))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::sign_in_link))
        .routes(routes!(admin::import))
        .routes(routes!(admin::backup))
        .routes(routes!(admin::rebuild))
        .routes(routes!(admin::settle))
        .routes(routes!(clock::show, clock::move_on))
        // operations
        .routes(routes!(ops::healthz))
        .routes(routes!(ops::readyz))
        .routes(routes!(ops::metrics))
        .routes(routes!(ops::openapi_json))
        .routes(routes!(ops::docs))
}

/// The pages for people.
fn pages() -> Router<Arc<App>> {
    use axum::routing::{get, post};
    Router::new()
        .route("/", get(dashboard::home))
        .route("/leads/{id}", get(dashboard::lead))
        .route("/approvals/{id}", post(dashboard::decide))
        .route("/approvals/{id}/waive", post(dashboard::waive))
        .route("/login/{secret}", get(dashboard::sign_in))
        .route("/assets/app.css", get(dashboard::style))
        .route("/assets/app.js", get(dashboard::script))
        // the client's own page
        .route("/p/portal.css", get(portal::style))
        .route("/p/confirm/{lead}/{token}", get(portal::ask).post(portal::confirm))
        .route("/p/{token}", get(portal::show))
        .route("/p/{token}/files/{*path}", get(portal::file))
        .route("/p/{token}/sign", post(portal::sign))
        .route("/p/{token}/steps", post(portal::step))
        .route("/p/{token}/messages", post(portal::write))
        .route("/p/{token}/unsubscribe", get(portal::ask_to_leave).post(portal::leave))
}

async fn no_route(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::no_route(uri.path())
}

async fn no_method(method: Method, OriginalUri(uri): OriginalUri) -> Problem {
    Problem::no_method(method.as_str(), uri.path())
}

/// A handler that panicked: the hook has logged it, the client learns nothing of the inside.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::internal().into_response()
}

/// The state as handlers take it.
type AppState = State<Arc<App>>;

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn a_handler_that_panics_tells_nothing_of_the_inside() {
        async fn falls() -> &'static str {
            panic!("the password is swordfish")
        }
        let router: Router =
            Router::new().route("/", axum::routing::get(falls)).layer(CatchPanicLayer::custom(panicked));
        let request = Request::get("/").body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), 500);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("/docs#internal") && !text.contains("swordfish"), "{text}");
    }
}
