//! Typed identifiers. Each entity has its own type, so swapped arguments do not compile.
//!
//! Nothing here rolls dice: [`Fresh`] turns a moment and some entropy, both handed in by the caller,
//! into UUIDs of version 7 (RFC 9562), so a decision replayed with the same arguments names the same things.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId::new(stringify!($name), text))
            }
        }
    )*};
}

typed_ids! {
    /// One potential client, later a client, from ingestion to sign-off.
    LeadId;
    /// One turn of one lead in one stage.
    TaskId;
    /// One question to a person of the agency, bound to the hash of what would go out.
    ApprovalId;
    /// One message to or from the client.
    MessageId;
    /// One call for help.
    EscalationId;
}

/// An identifier that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}")]
pub struct InvalidId {
    kind: &'static str,
    text: String,
}

impl InvalidId {
    fn new(kind: &'static str, text: &str) -> Self {
        Self { kind, text: text.chars().take(80).collect() }
    }
}

/// The agency's own name for a lead: `[A-Za-z0-9._-]{1,64}`, unique, and never a UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct ExternalRef(String);

impl ExternalRef {
    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ExternalRef {
    type Error = InvalidExternalRef;
    fn try_from(text: String) -> Result<Self, InvalidExternalRef> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        let dots_only = text.bytes().all(|b| b == b'.');
        if text.is_empty() || text.len() > 64 || !plain || dots_only || Uuid::try_parse(&text).is_ok() {
            return Err(InvalidExternalRef);
        }
        Ok(Self(text))
    }
}

impl From<ExternalRef> for String {
    fn from(value: ExternalRef) -> String {
        value.0
    }
}

impl fmt::Display for ExternalRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an `external_ref` was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("external_ref must be 1 to 64 of A-Z a-z 0-9 . _ - and must not be a UUID")]
pub struct InvalidExternalRef;

/// How people and scripts point at a lead: by its UUID or by the agency's own reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LeadRef {
    /// The lead's own id.
    Id(LeadId),
    /// The reference given at ingestion.
    External(ExternalRef),
}

impl FromStr for LeadRef {
    type Err = InvalidExternalRef;
    fn from_str(text: &str) -> Result<Self, InvalidExternalRef> {
        match Uuid::try_parse(text) {
            Ok(id) => Ok(Self::Id(LeadId(id))),
            Err(_) => ExternalRef::try_from(text.to_owned()).map(Self::External),
        }
    }
}

impl fmt::Display for LeadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::External(name) => name.fmt(f),
        }
    }
}

impl From<LeadId> for LeadRef {
    fn from(id: LeadId) -> Self {
        Self::Id(id)
    }
}

/// The id of a signal. Free-form from outside: 1 to 128 printable ASCII characters without spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct SignalId(String);

impl SignalId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SignalId {
    type Error = InvalidSignalId;
    fn try_from(text: String) -> Result<Self, InvalidSignalId> {
        let fits = !text.is_empty() && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(InvalidSignalId) }
    }
}

impl From<SignalId> for String {
    fn from(value: SignalId) -> String {
        value.0
    }
}

impl From<Uuid> for SignalId {
    fn from(id: Uuid) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a signal id was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signal id must be 1 to 128 printable ASCII characters without spaces")]
pub struct InvalidSignalId;

/// A SHA-256 digest (FIPS 180-4), written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The digest of a value's compact JSON, keys in the order of the type.
    pub fn of_json<T: Serialize>(value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => Self::of(&bytes),
            // Our own types always serialise; a map with odd keys would be a programming error and
            // then must not look equal to anything else.
            Err(error) => Self::of(format!("unserialisable: {error}").as_bytes()),
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| InvalidId::new("SHA-256", &text))?;
        Ok(Self(bytes))
    }
}

impl FromStr for Digest {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.to_owned().try_into()
    }
}

impl From<Digest> for String {
    fn from(value: Digest) -> String {
        hex::encode(value.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{self}")
    }
}

impl JsonSchema for Digest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sha256".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[0-9a-f]{64}$"})
    }
}

/// A supply of new ids for one decision, fed with the moment and with entropy by the caller.
#[derive(Clone, Debug)]
pub struct Fresh {
    now: Timestamp,
    entropy: u128,
    used: u64,
}

impl Fresh {
    /// Ids for one decision at `now`. The same arguments give the same ids.
    pub fn new(now: Timestamp, entropy: u128) -> Self {
        Self { now, entropy, used: 0 }
    }

    /// The moment of the decision.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A number in `0.0..1.0` from the entropy handed in, for jitter.
    pub fn fraction(&self) -> f64 {
        (splitmix(self.entropy as u64 ^ 0x6a69_7474_6572) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The next UUID (version 7, RFC 9562).
    pub fn uuid(&mut self) -> Uuid {
        self.used += 1;
        let high = splitmix((self.entropy >> 64) as u64 ^ self.used);
        let low = splitmix(self.entropy as u64 ^ self.used.rotate_left(32));
        let mut tail = [0u8; 10];
        tail[..8].copy_from_slice(&high.to_be_bytes());
        tail[8..].copy_from_slice(&low.to_be_bytes()[..2]);
        let millis = self.now.as_millisecond().max(0) as u64;
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): a bijective mixer, enough to spread one seed over several ids.
fn splitmix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_refs_are_short_plain_and_never_uuids() {
        for good in ["abc-123", "A.b_c-9", "x"] {
            assert!(ExternalRef::try_from(good.to_owned()).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "a b", "../x", "é", "..", &long, "0197e1d2-6b1f-7e35-9f6e-3d0d6f1c1a11"] {
            assert!(ExternalRef::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn fresh_ids_are_version_7_distinct_and_repeatable() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a timestamp");
        let mut one = Fresh::new(now, 7);
        let mut two = Fresh::new(now, 7);
        let (a, b) = (one.uuid(), one.uuid());
        assert_ne!(a, b);
        assert_eq!(a.get_version_num(), 7);
        assert_eq!((a, b), (two.uuid(), two.uuid()));
        assert!((0.0..1.0).contains(&one.fraction()));
    }
}
