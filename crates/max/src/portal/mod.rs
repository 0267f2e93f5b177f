//! The client's own page, `/p/{token}`: what was said, what is waited for, the documents, and signing.
//!
//! Whoever has the address sees the page; there is no account. Looking never decides anything: signing and writing are
//! forms, each bound to what its reader was shown. The one page beside it, `/p/confirm/…`, is behind a link that went to
//! the address on file: whoever asks for his data confirms there that it was he. A wrong address gets one and the same answer, whatever is wrong
//! with it. Documents are those that have left the house already, by the hash they left with.

mod confirm;
mod key;
mod page;
mod unsubscribe;
mod visit;
mod words;

use std::path::Path;

use max_core::id::LeadId;

pub use confirm::{ask, confirm};
pub use key::PortalKey;
pub use unsubscribe::{ask as ask_to_leave, leave};
pub use visit::{file, show, sign, step, style, write};

/// What the clients' pages are made of.
#[derive(Debug)]
pub struct Portal {
    key: PortalKey,
    url: String,
    house: House,
}

/// What the page says of the agency.
#[derive(Clone, Debug, Default)]
pub struct House {
    /// Its name.
    pub name: String,
    /// Where a person is reached.
    pub mail: String,
    /// Where it says how it treats data.
    pub privacy: String,
    /// Says that AI writes and how to reach a person, in the order of [`max_documents::Lang::ALL`].
    pub disclosure: [String; 4],
}

impl Portal {
    /// The portal of a root. `url` is where clients reach this server, or nothing.
    ///
    /// # Errors
    /// When the key cannot be read or made.
    pub fn open(root: &Path, url: &str, house: House) -> std::io::Result<Self> {
        Ok(Self { key: PortalKey::open(root)?, url: url.to_owned(), house })
    }

    /// The path of a lead's page on this server.
    pub fn path(&self, lead: LeadId) -> String {
        format!("/p/{}", self.key.token(lead))
    }

    /// Its whole address: from outside where that is known, else the path alone.
    pub fn address(&self, lead: LeadId) -> String {
        format!("{}{}", self.url, self.path(lead))
    }

    /// The address that mails may name; nothing while clients cannot reach this server.
    pub fn link(&self, lead: LeadId) -> Option<String> {
        (!self.url.is_empty()).then(|| self.address(lead))
    }
}
