//! Where the log lives: the SQLite store, and the lock that keeps a second process off the same root.

pub mod lock;
pub mod sqlite;

pub use lock::RootLock;
pub use sqlite::SqliteStore;
