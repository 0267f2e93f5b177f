//! Why a use case did not happen, for whoever asked. Adapters of the edge turn it into problem documents and exit codes.

use max_core::error::Refusal;
use max_core::id::ExternalRef;

use crate::ports::StoreError;

/// Why a use case did not happen. Nothing has changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// What was named does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// The state of the lead, or the request itself, forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A field of the request is wrong.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field.
        field: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used with another body; use a new key for a new request")]
    KeyReused,
    /// The reference belongs to another person's lead.
    #[error("external_ref `{0}` belongs to another person's lead; choose another or leave it out")]
    ExternalRefTaken(ExternalRef),
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// MAX is shutting down.
    #[error("MAX is shutting down; try again when it is back")]
    Stopping,
}

impl Error {
    /// An error about one field.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }
}
