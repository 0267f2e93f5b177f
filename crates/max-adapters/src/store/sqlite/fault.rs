//! What went wrong in SQLite, as advice.

use max_engine::ports::StoreError;
use rusqlite::{Error, ErrorCode};

/// The store's word for an error of the driver.
pub(super) fn store_error(error: Error) -> StoreError {
    let text = error.to_string();
    match &error {
        Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => StoreError::Full(text),
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen => StoreError::ReadOnly(text),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(text),
            _ => StoreError::Unavailable(text),
        },
        // A value that our own writer cannot have written.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => StoreError::Damaged(text),
        _ => StoreError::Unavailable(text),
    }
}

/// True when a rule of the tables refused the row, which is the row's fault and not the store's.
pub(super) fn is_constraint(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_what_to_do_about_it() {
        let of = |code| store_error(Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
        assert!(matches!(of(rusqlite::ffi::SQLITE_FULL), StoreError::Full(_)));
        assert!(matches!(of(rusqlite::ffi::SQLITE_READONLY), StoreError::ReadOnly(_)));
        assert!(matches!(of(rusqlite::ffi::SQLITE_CORRUPT), StoreError::Damaged(_)));
        assert!(matches!(of(rusqlite::ffi::SQLITE_NOTADB), StoreError::Damaged(_)));
        assert!(matches!(of(rusqlite::ffi::SQLITE_IOERR), StoreError::Unavailable(_)));
    }
}
