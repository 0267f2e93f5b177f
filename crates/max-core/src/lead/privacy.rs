//! What the law asks to be known of a lead: what was consented to, what people were told, who asked for erasure.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Approval, NewLead};
use crate::id::{Digest, MessageId};

/// The longest text kept of a consent's version or source.
const MOST: usize = 200;

/// What the law asks to be known of a lead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Privacy {
    /// What was consented to, oldest first; the last one of a purpose counts.
    pub consents: Vec<Consent>,
    /// Sentences by which the client was told that an AI writes, each at its first use.
    pub disclosures: Vec<Disclosure>,
    /// Who asked for the erasure that waits for a person.
    pub asked: Option<ErasureRequest>,
    /// The link by which the client confirms what was asked in his name.
    pub identity: Option<IdentityCheck>,
    /// The approval that a pending erasure waits for. While it waits the lead is restricted: nothing automatic happens.
    pub erasure: Option<Box<Approval>>,
}

impl Privacy {
    /// Whether the client agreed to mail about other things than his enquiry. Off unless he said so.
    pub fn marketing(&self) -> bool {
        self.consents.iter().rev().find(|c| c.purpose == Purpose::Marketing).is_some_and(|c| c.given)
    }
}

/// What personal data is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To answer what the person asked, and what follows from it.
    Enquiry,
    /// To write about anything else.
    Marketing,
}

/// What allows it (GDPR, article 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Steps before a contract that the person asked for: 6(1)(b).
    PreContract,
    /// The person's consent: 6(1)(a).
    Consent,
    /// Nobody said. A list that was imported, for instance: the owner has to know.
    NotStated,
}

/// One record of what a person agreed to, or did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    /// What for.
    pub purpose: Purpose,
    /// What allows it.
    pub basis: Basis,
    /// Yes or no.
    pub given: bool,
    /// Which text was agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_version: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Where: the form, the import, a person.
    pub source: String,
    /// Keyed hash of the network address it was given from; the address itself is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_hash: Option<String>,
}

/// The sentence by which a client was told that an AI writes to him.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disclosure {
    /// The sentence.
    pub text: String,
    /// The first twelve hexadecimal digits of its SHA-256.
    pub version: String,
    /// The message that carried it first.
    pub message: MessageId,
}

impl Disclosure {
    /// The version of a sentence.
    pub fn version_of(text: &str) -> String {
        Digest::of(text.as_bytes()).to_string().chars().take(12).collect()
    }
}

/// Somebody asked for the erasure of a lead's data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErasureRequest {
    /// Who asked, as the agency knows it: a person of it, or the address a mail came from.
    pub asked_by: String,
    /// True when the client asked himself, from exactly the address on file.
    pub from_client: bool,
    /// True when his mail also answered one that only that address had got.
    pub verified: bool,
    /// Why, if it was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What a person may ask about his own data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// To have it erased.
    Erasure,
    /// To have a copy of it.
    Export,
}

/// A one-time link that went to the address on file, and to nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityCheck {
    /// What it confirms.
    pub wish: Wish,
    /// SHA-256 of what the link holds.
    pub token: Digest,
    /// When it was sent.
    pub asked_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// When it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
}

/// Sources by which leads come that did not ask for anything themselves.
const COLD: [&str; 5] = ["csv", "list", "import", "purchased", "scraped"];

impl NewLead {
    /// True when the person did not write to the agency himself.
    pub fn is_cold(&self) -> bool {
        let source = self.source.as_deref().unwrap_or_default().trim().to_lowercase();
        let first = source.split([':', ' ', '/']).next().unwrap_or_default();
        COLD.contains(&first)
    }

    /// What the person agreed to when this came in. An enquiry is its own permission to answer it; anything else is off
    /// unless it was plainly given.
    pub fn consents(&self, at: Timestamp) -> Vec<Consent> {
        let basis = if self.is_cold() { Basis::NotStated } else { Basis::PreContract };
        let source = short(self.source.as_deref().unwrap_or("unknown"));
        let enquiry =
            Consent { purpose: Purpose::Enquiry, basis, given: true, text_version: None, at, source, ip_hash: None };
        match &self.consent {
            None | Some(Value::Null | Value::Number(_)) => vec![enquiry],
            Some(Value::Bool(given)) => vec![answered(enquiry, *given)],
            Some(Value::String(text)) => vec![match yes_or_no(text) {
                Some(given) => answered(enquiry, given),
                None => Consent { text_version: Some(short(text)), ..answered(enquiry, true) },
            }],
            Some(Value::Object(fields)) => of_object(&enquiry, fields),
            Some(Value::Array(records)) => {
                let mut all: Vec<Consent> = records
                    .iter()
                    .filter_map(Value::as_object)
                    .flat_map(|fields| of_object(&enquiry, fields))
                    .collect();
                if all.iter().all(|c| c.purpose != Purpose::Enquiry) {
                    all.insert(0, enquiry);
                }
                all
            }
        }
    }
}

/// An answer that was given is consent; without one an enquiry still may be answered.
fn answered(enquiry: Consent, given: bool) -> Consent {
    let basis = if given && enquiry.purpose == Purpose::Marketing { Basis::Consent } else { enquiry.basis };
    Consent { given, basis, ..enquiry }
}

fn of_object(enquiry: &Consent, fields: &Map<String, Value>) -> Vec<Consent> {
    let text = |names: &[&str]| names.iter().find_map(|n| fields.get(*n)?.as_str()).map(short);
    let flag = |name: &str| match fields.get(name)? {
        Value::Bool(given) => Some(*given),
        Value::String(said) => yes_or_no(said),
        _ => None,
    };
    let at = text(&["at", "time", "given_at", "timestamp"]).and_then(|t| t.parse().ok()).unwrap_or(enquiry.at);
    let common = Consent {
        text_version: text(&["text_version", "version", "text"]),
        at,
        source: text(&["source", "form", "where"]).unwrap_or_else(|| enquiry.source.clone()),
        ip_hash: text(&["ip_hash"]),
        ..enquiry.clone()
    };
    let marketing =
        |given| answered(Consent { purpose: Purpose::Marketing, basis: Basis::Consent, ..common.clone() }, given);
    let given = flag("given").or_else(|| flag("agreed")).or_else(|| flag("value"));
    if text(&["purpose"]).is_some_and(|purpose| purpose.eq_ignore_ascii_case("marketing")) {
        return vec![
            Consent { ip_hash: None, text_version: None, ..enquiry.clone() },
            marketing(given.unwrap_or(false)),
        ];
    }
    let own = flag("enquiry").or_else(|| flag("inquiry")).or_else(|| flag("privacy")).or(given);
    let mut all = vec![answered(common.clone(), own.unwrap_or(true))];
    all.extend(["marketing", "newsletter"].iter().find_map(|name| flag(name)).map(marketing));
    all
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "true" | "on" | "1" | "y" | "ja" | "oui" => Some(true),
        "no" | "false" | "off" | "0" | "n" | "nein" | "nee" | "non" | "" => Some(false),
        _ => None,
    }
}

fn short(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at() -> Timestamp {
        "2026-11-23T09:00:00Z".parse().expect("a moment")
    }

    fn of(consent: Value) -> Vec<Consent> {
        NewLead { source: Some("web".into()), consent: Some(consent), ..NewLead::default() }.consents(at())
    }

    #[test]
    fn an_enquiry_is_pre_contract_and_marketing_is_off_by_default() {
        let plain = NewLead::default().consents(at());
        assert_eq!(plain.len(), 1);
        assert_eq!((plain[0].purpose, plain[0].basis, plain[0].given), (Purpose::Enquiry, Basis::PreContract, true));
        for consent in [json!(true), json!("yes"), json!("privacy-2026-03"), json!({"given": true})] {
            let privacy = Privacy { consents: of(consent.clone()), ..Privacy::default() };
            assert!(!privacy.marketing(), "{consent} says nothing about marketing");
        }
        assert_eq!(of(json!("privacy-2026-03"))[0].text_version.as_deref(), Some("privacy-2026-03"));
        assert!(!of(json!(false))[0].given);
    }

    #[test]
    fn an_object_says_purpose_version_time_source_and_hashed_address() {
        let all = of(json!({
            "marketing": true, "version": "v7", "at": "2026-11-22T10:00:00Z", "source": "contact form", "ip_hash": "ab12",
        }));
        let [enquiry, marketing] = &all[..] else { panic!("{all:?}") };
        assert_eq!(enquiry.purpose, Purpose::Enquiry);
        assert_eq!((marketing.purpose, marketing.basis, marketing.given), (Purpose::Marketing, Basis::Consent, true));
        assert_eq!(marketing.text_version.as_deref(), Some("v7"));
        assert_eq!(marketing.at.to_string(), "2026-11-22T10:00:00Z");
        assert_eq!((marketing.source.as_str(), marketing.ip_hash.as_deref()), ("contact form", Some("ab12")));
        assert!(!Privacy { consents: of(json!({"purpose": "marketing"})), ..Privacy::default() }.marketing());
        assert!(
            Privacy { consents: of(json!([{"purpose": "marketing", "given": "ja"}])), ..Privacy::default() }
                .marketing()
        );
    }

    #[test]
    fn a_list_of_addresses_states_no_basis() {
        let cold = NewLead { source: Some("CSV: fair 2026".into()), ..NewLead::default() };
        assert!(cold.is_cold() && !NewLead { source: Some("web".into()), ..NewLead::default() }.is_cold());
        assert_eq!(cold.consents(at())[0].basis, Basis::NotStated);
    }
}
