//! The demonstration: example leads, simulated clients and owners, and a picture of what happens.

mod cast;
mod screen;

pub use cast::{EXAMPLES, Example};
pub use screen::Screen;
