//! The key with which `max approvals` signs an `APPROVAL` signal, so that a file in the drop box can decide.
//!
//! `from` in a signal is a claim; holding this key (`<root>/run/approval.key`, mode 600) is not. The signature is
//! HMAC-SHA256 (RFC 2104) over the approval's id, the payload's digest, the decision and the reason.

use std::path::Path;

use hmac::{Hmac, Mac as _};
use max_engine::usecase::route_signal::ApprovalSlip;
use sha2::Sha256;

/// The key of one root.
#[derive(Clone)]
pub struct ApprovalKey(Vec<u8>);

impl ApprovalKey {
    /// The name of its file below the root.
    pub const FILE: &'static str = "run/approval.key";

    /// Reads the key of a root, making it on the first start.
    ///
    /// # Errors
    /// When the file cannot be read or made, or does not hold a key.
    pub fn open(root: &Path) -> std::io::Result<Self> {
        crate::secret::key(&root.join(Self::FILE)).map(Self)
    }

    /// The signature of a slip; its own `signature` does not count.
    pub fn sign(&self, slip: &ApprovalSlip) -> String {
        hex::encode(self.mac(slip).finalize().into_bytes())
    }

    /// Says in a sentence why a slip's signature does not count.
    ///
    /// # Errors
    /// That sentence.
    pub fn check(&self, slip: &ApprovalSlip) -> Result<(), String> {
        let wrong = || "signature: it does not fit; make the file by `max approvals sign`".to_owned();
        let given = hex::decode(&slip.signature).map_err(|_| wrong())?;
        self.mac(slip).verify_slice(&given).map_err(|_| wrong())
    }

    fn mac(&self, slip: &ApprovalSlip) -> Hmac<Sha256> {
        // HMAC takes keys of any length, so this cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        let reason = slip.reason.as_deref().unwrap_or_default();
        for part in [&slip.approval.to_string(), &slip.payload_sha256.to_string(), &slip.decision, reason] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_counts_for_exactly_one_decision() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("run")).expect("a folder");
        let key = ApprovalKey::open(root.path()).expect("a key");
        let mut slip = ApprovalSlip {
            approval: "0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11".parse().expect("an id"),
            payload_sha256: max_core::id::Digest::of(b"payload"),
            decision: "approve".into(),
            reason: None,
            signature: String::new(),
        };
        slip.signature = key.sign(&slip);
        let same = ApprovalKey::open(root.path()).expect("the same key");
        assert_eq!(same.check(&slip), Ok(()));
        slip.decision = "reject".into();
        assert!(same.check(&slip).is_err());
    }
}
