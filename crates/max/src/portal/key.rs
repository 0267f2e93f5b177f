//! The key behind the addresses of clients' pages.
//!
//! A page's address holds the lead's id and an HMAC-SHA256 (RFC 2104) over it: 256 bits that nobody can guess, and no
//! table to keep. With the lead's data the page is gone; with a new key every address is new.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac as _};
use max_core::id::{Digest, LeadId};
use sha2::Sha256;

/// The key of one root.
#[derive(Clone)]
pub struct PortalKey(Vec<u8>);

impl PortalKey {
    /// The name of its file below the root.
    pub const FILE: &'static str = "run/portal.key";

    /// Reads the key of a root, making it on the first start.
    ///
    /// # Errors
    /// When the file cannot be read or made, or does not hold a key.
    pub fn open(root: &Path) -> std::io::Result<Self> {
        crate::secret::key(&root.join(Self::FILE)).map(Self)
    }

    /// The last part of the address of a lead's page.
    pub fn token(&self, lead: LeadId) -> String {
        let mut bytes = lead.0.as_bytes().to_vec();
        bytes.extend(self.mac(&[b"page", lead.0.as_bytes()]).finalize().into_bytes());
        BASE64.encode(bytes)
    }

    /// The lead whose page this is.
    pub fn lead_of(&self, token: &str) -> Option<LeadId> {
        let bytes = BASE64.decode(token).ok().filter(|bytes| bytes.len() == 48)?;
        let (id, mac) = bytes.split_at(16);
        self.mac(&[b"page", id]).verify_slice(mac).ok()?;
        Some(LeadId(uuid::Uuid::from_slice(id).ok()?))
    }

    /// What a form of a lead's page must carry to do one thing: it is bound to what the reader was shown.
    pub fn slip(&self, lead: LeadId, deed: &str, shown: Digest) -> String {
        hex::encode(self.mac(&[b"form", lead.0.as_bytes(), deed.as_bytes(), &shown.0]).finalize().into_bytes())
    }

    /// True when the form carries what it was given.
    pub fn fits(&self, lead: LeadId, deed: &str, shown: Digest, slip: &str) -> bool {
        let given = hex::decode(slip).unwrap_or_default();
        self.mac(&[b"form", lead.0.as_bytes(), deed.as_bytes(), &shown.0]).verify_slice(&given).is_ok()
    }

    /// Over parts that cannot run into each other.
    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&self.0)
            .unwrap_or_else(|_| unreachable!("any length is a key"));
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl std::fmt::Debug for PortalKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PortalKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_lead_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = PortalKey::open(folder.path()).expect("a key");
        let lead = LeadId(uuid::Uuid::from_u128(7));
        let token = key.token(lead);
        assert_eq!(key.lead_of(&token), Some(lead));
        assert_eq!(PortalKey::open(folder.path()).expect("again").token(lead), token, "it outlives a start");
        let mut forged = BASE64.decode(&token).expect("bytes");
        forged[15] ^= 1;
        for wrong in [BASE64.encode(&forged), token[1..].to_owned(), String::new(), "é".repeat(64), "A".repeat(64)] {
            assert_eq!(key.lead_of(&wrong), None);
        }
        let other = tempfile::tempdir().expect("a folder");
        assert_eq!(PortalKey::open(other.path()).expect("a key").lead_of(&token), None);
    }

    #[test]
    fn a_slip_is_bound_to_what_was_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = PortalKey::open(folder.path()).expect("a key");
        let (lead, shown) = (LeadId(uuid::Uuid::from_u128(7)), Digest::of(b"contract"));
        let slip = key.slip(lead, "sign", shown);
        assert!(key.fits(lead, "sign", shown, &slip));
        assert!(!key.fits(lead, "sign", Digest::of(b"another"), &slip) && !key.fits(lead, "write", shown, &slip));
        assert!(
            !key.fits(LeadId(uuid::Uuid::from_u128(8)), "sign", shown, &slip) && !key.fits(lead, "sign", shown, "")
        );
    }
}
