//! The pages for people, rendered on the server: they work without script, and a small script keeps them fresh.
//!
//! What came from outside is escaped by `maud`, never rendered, and shown as what it is. Pages load nothing but their
//! own two assets, so that an injected script or style would not run.

mod home;
mod layout;
mod lead;
mod session;

pub use home::home;
pub use layout::POLICY;
pub use lead::{decide, lead, waive};
pub use session::sign_in;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// The one style sheet.
pub async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("assets/app.css"))
}

/// The one script: it asks for the page again when something happened.
pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("assets/app.js"))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text).into_response()
}
