//! The pages for people, rendered on the server; they work without script.
use crate::api::App;
use axum::extract::State;
use axum::response::Response;
use std::sync::Arc;
/// What a page may load.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
macro_rules! stub { ($($n:ident)*) => {$( #[allow(missing_docs)] pub async fn $n(State(_): State<Arc<App>>) -> Response { Default::default() } )*} }
stub!(home lead decide sign_in style script);
