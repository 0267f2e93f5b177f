//! The suppression list: addresses that nothing automatic goes to, known by a keyed hash and by nothing else.
//!
//! Whoever reads the list without the key (`run/suppression.key`) learns no address, and with the key only whether an
//! address he knows already is on it. So the list may outlive the erasure of the person it protects.

use hmac::{Hmac, Mac as _};
use max_core::event::{Entry, Event};
use max_core::id::{Digest, LeadId, MessageId};
use max_core::lead::{Direction, Lead, MessageKind, MessageMeta, NewLead, address_key};
use serde_json::Value;
use sha2::Sha256;

use crate::director::Director;
use crate::error::Error;
use crate::ports::{Store, StoreError, Suppression, SuppressionReason};

/// The key of the hashes. Made once for each root.
#[derive(Clone, Default)]
pub struct PrivacyKey(Vec<u8>);

impl std::fmt::Debug for PrivacyKey {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivacyKey(…)")
    }
}

impl PrivacyKey {
    /// A key of these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The hash of an address, whatever the case it is written in.
    pub fn address(&self, address: &str) -> Digest {
        // Aliases of one mailbox (`jo+news@`) are one address.
        self.hash("address", address_key(address).as_bytes())
    }

    fn hash(&self, what: &str, bytes: &[u8]) -> Digest {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("HMAC takes any key"));
        mac.update(what.as_bytes());
        mac.update(&[0]);
        mac.update(bytes);
        Digest(mac.finalize().into_bytes().into())
    }

    /// Puts the keyed hash of a network address where a consent names the address itself.
    pub(crate) fn hash_ips(&self, consent: &mut Value) {
        match consent {
            Value::Object(fields) => {
                for name in ["ip", "ip_address", "remote_addr"] {
                    let Some(ip) = fields.remove(name) else { continue };
                    let text = ip.as_str().map_or_else(|| ip.to_string(), str::to_owned);
                    fields.insert("ip_hash".into(), self.hash("ip", text.trim().as_bytes()).to_string().into());
                }
            }
            Value::Array(records) => records.iter_mut().for_each(|record| self.hash_ips(record)),
            _ => {}
        }
    }
}

impl Director {
    /// Puts an address on the list. What is known of it already stays.
    pub async fn suppress(&self, address: &str, reason: SuppressionReason, by: &str) -> Result<Suppression, Error> {
        if !address.contains('@') {
            return Err(Error::invalid("address", "this is no email address; write it as name@example.org"));
        }
        let hash = self.inner.privacy_key.address(address);
        let one = Suppression { hash, reason, at: self.now(), by: by.to_owned() };
        let kept = one.clone();
        self.read(move |store| store.put_suppression(&kept)).await?;
        Ok(self.read(move |store| store.suppression(hash)).await?.unwrap_or(one))
    }

    /// Takes an address, or the entry with this hash, off the list; false when it was not there.
    pub async fn unsuppress(&self, address_or_hash: &str) -> Result<bool, Error> {
        let text = address_or_hash.trim();
        if text.contains('@') {
            let hash = self.inner.privacy_key.address(text);
            return self.read(move |store| store.remove_suppression(hash)).await;
        }
        let wanted = text.to_lowercase();
        if wanted.len() < 8 {
            return Err(Error::invalid("address", "name an email address, or at least 8 digits of the entry's hash"));
        }
        let all = self.read(|store| store.suppressions()).await?;
        let fitting: Vec<Digest> =
            all.iter().map(|s| s.hash).filter(|hash| hash.to_string().starts_with(&wanted)).collect();
        match fitting[..] {
            [] => Ok(false),
            [hash] => self.read(move |store| store.remove_suppression(hash)).await,
            _ => Err(Error::invalid("address", "several entries begin like this; give more digits")),
        }
    }

    /// What is kept of an address on the list.
    pub async fn suppression_of(&self, address: &str) -> Result<Option<Suppression>, Error> {
        if address.trim().is_empty() {
            return Ok(None);
        }
        let hash = self.inner.privacy_key.address(address);
        self.read(move |store| store.suppression(hash)).await
    }

    /// Why a message may not leave although the lead allows it. Looked up right before the send. A person may write:
    /// he knows what he does, and the lead's page tells him of the list.
    pub(crate) async fn suppressed(&self, lead: LeadId, message: MessageId) -> Result<Option<String>, Error> {
        let cached = match self.lead(lead).await {
            Ok(cached) => cached,
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        // Whoever wants no mail still gets the link by which he confirms what he asked about his own data.
        let bound = |m: &MessageMeta| m.automatic && m.direction == Direction::Out && m.kind != MessageKind::Identity;
        let automatic = cached.lead.messages.iter().any(|m| m.id == message && bound(m));
        if !automatic {
            return Ok(None);
        }
        let found = self.suppression_of(&cached.lead.contact.email).await?;
        Ok(found.map(|s| {
            let day = s.at.strftime("%Y-%m-%d");
            format!(
                "the address is on the suppression list ({} since {day}); write yourself, or take it off",
                s.reason.name()
            )
        }))
    }

    /// Refuses a lead of a list whose address is suppressed. Whoever writes himself is always heard.
    pub(crate) async fn check_cold(&self, lead: &NewLead) -> Result<(), Error> {
        if !lead.is_cold() {
            return Ok(());
        }
        match self.suppression_of(&lead.email).await? {
            None => Ok(()),
            Some(s) => Err(Error::invalid(
                "email",
                format!(
                    "this address is on the suppression list ({} since {}) and may not come in from a list; leave the \
                     row out, or give another source if the person wrote to you",
                    s.reason.name(),
                    s.at.strftime("%Y-%m-%d")
                ),
            )),
        }
    }
}

/// Follows what clients say: who opts out or bounces is on the list, and who then writes again in his conversation,
/// from that address, is taken off it. An entry that a person or an erasure made stays.
pub(crate) fn follow(store: &dyn Store, key: &PrivacyKey, entry: &Entry, lead: &Lead) -> Result<(), StoreError> {
    for event in &entry.events {
        let Event::MessageReceived { message } = event else { continue };
        let reason = match message.kind {
            MessageKind::OptOut => SuppressionReason::OptOut,
            MessageKind::Bounce => SuppressionReason::Bounced,
            MessageKind::Reply if message.verified && same(&message.address, &lead.contact.email) => {
                lift(store, key.address(&message.address))?;
                continue;
            }
            _ => continue,
        };
        let own = (message.kind == MessageKind::OptOut).then_some(message.address.as_str());
        for address in own.into_iter().chain([lead.contact.email.as_str()]).filter(|a| a.contains('@')) {
            let one = Suppression { hash: key.address(address), reason, at: entry.at, by: format!("lead {}", lead.id) };
            store.put_suppression(&one)?;
        }
    }
    Ok(())
}

fn same(one: &str, other: &str) -> bool {
    !one.trim().is_empty() && one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn lift(store: &dyn Store, hash: Digest) -> Result<(), StoreError> {
    let by_message = |s: &Suppression| matches!(s.reason, SuppressionReason::OptOut | SuppressionReason::Bounced);
    if store.suppression(hash)?.is_some_and(|s| by_message(&s)) {
        store.remove_suppression(hash)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_is_known_by_its_hash_under_this_key_only() {
        let (key, other) = (PrivacyKey::new(vec![1; 32]), PrivacyKey::new(vec![2; 32]));
        assert_eq!(key.address(" Ada@Example.org "), key.address("ada@example.org"));
        assert_ne!(key.address("ada@example.org"), other.address("ada@example.org"));
        assert_ne!(key.address("ada@example.org"), Digest::of(b"ada@example.org"));
        assert!(!format!("{key:?}").contains('1'));
    }

    #[test]
    fn a_network_address_in_a_consent_becomes_a_hash() {
        let key = PrivacyKey::new(vec![1; 32]);
        let mut consent = json!([{"ip": "203.0.113.7", "marketing": true}]);
        key.hash_ips(&mut consent);
        assert!(consent[0].get("ip").is_none());
        assert_eq!(consent[0]["ip_hash"].as_str().map(str::len), Some(64));
        assert!(!consent.to_string().contains("203.0.113.7"));
    }
}
