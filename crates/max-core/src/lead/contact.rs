//! What comes in about a potential client.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::sameness::{address_key, mail_domain, site_domain};
use crate::id::{Digest, ExternalRef};

/// What comes in about a potential client. A name or an address, and a message, are enough.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NewLead {
    /// The person's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The address that answers go to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// A telephone number as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The company, as the person calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// The person's role there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The company's web site, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// What the person wrote. Untrusted.
    pub message: String,
    /// Where the lead came from: `web`, `email`, `api`, `csv`, `signal` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// A BCP 47 tag such as `de` or `en-GB`, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The budget in the person's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<String>,
    /// The wished time in the person's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<String>,
    /// What was consented to, as it was recorded by the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Value>,
    /// The agency's own name for the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<ExternalRef>,
    /// Fields MAX does not know, kept as they came.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl NewLead {
    /// Who this is, for telling the same person again: the address whatever its alias, else the name in lower case.
    pub fn person_key(&self) -> String {
        if self.email.is_empty() { self.name.trim().to_lowercase() } else { address_key(&self.email) }
    }

    /// The domains of the company as far as they were given: its web site's and its mail's.
    pub fn company_domains(&self) -> Vec<String> {
        let mut domains: Vec<String> =
            self.website.as_deref().and_then(site_domain).into_iter().chain(mail_domain(&self.email)).collect();
        domains.dedup();
        domains
    }

    /// The same person with the same message has the same fingerprint, whatever the white space.
    pub fn fingerprint(&self) -> Digest {
        let words: Vec<&str> = self.message.split_whitespace().collect();
        Digest::of(format!("{}\n{}", self.person_key(), words.join(" ")).as_bytes())
    }

    /// How to greet or list this person when there is little to go by.
    pub fn display_name(&self) -> &str {
        match (self.name.trim(), self.email.trim()) {
            ("", "") => "unknown",
            ("", email) => email,
            (name, _) => name,
        }
    }
}
