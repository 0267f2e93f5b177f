//! MAX.
fn main() {}
