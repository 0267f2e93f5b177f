//! Scenarios.
/// The guide.
pub const GUIDE: &str = "";
