//! The certificate: what shows that a document was signed, as the last page of the document itself (rule PC-11).

use max_core::lead::{Actor, Signature, SigningMethod};
use max_core::stages::closer::Promised;

use crate::Lang;
use crate::doc::{Block, Doc, Text};
use crate::engine::{label, label_with};

/// Adds the certificate to a document, on a page of its own. `order` counts the signatures of the project, from 1.
pub fn append(doc: &mut Doc, file: &str, signature: &Signature, order: usize, promised: Option<Promised>) {
    doc.push(Block::PageBreak);
    doc.section(label(doc.lang, "certificate"));
    doc.para(label(doc.lang, "certificate_text"));
    facts(doc, file, signature, order, promised);
}

/// The certificate of a file that is kept as it was signed, as a document of its own.
pub fn alone(doc: &mut Doc, file: &str, signature: &Signature, order: usize, promised: Option<Promised>) {
    doc.section(label(doc.lang, "certificate"));
    doc.para(label(doc.lang, "certificate_alone"));
    facts(doc, file, signature, order, promised);
}

fn facts(doc: &mut Doc, file: &str, signature: &Signature, order: usize, promised: Option<Promised>) {
    let lang = doc.lang;
    let evidence = signature.evidence.as_deref();
    let said = |text: Option<&str>| match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Text::from(text),
        None => Text::default().soft(label(lang, "certificate_unknown")),
    };
    let method = evidence.map_or(SigningMethod::Recorded, |e| e.method);
    let consent = evidence.filter(|e| !e.consent.is_empty()).map(|e| format!("{} ({})", e.consent, e.consent_version));
    let at = signature.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let by = match &signature.by {
        Actor::Client => label(lang, "certificate_by_client").to_owned(),
        other => other.who(),
    };
    let mut facts: Vec<(String, Text)> = vec![
        (label(lang, "certificate_file").into(), Text::default().code(file)),
        (label(lang, "certificate_hash").into(), Text::default().code(signature.document.to_string())),
        (label(lang, "certificate_signer").into(), Text::default().strong(signature.signer.as_str())),
        (label(lang, "certificate_address").into(), said(evidence.map(|e| e.address.as_str()))),
        (label(lang, "certificate_time").into(), at.into()),
        (label(lang, "certificate_order").into(), order.to_string().into()),
        (label(lang, "certificate_method").into(), way(method, lang).into()),
        (label(lang, "certificate_recorded_by").into(), by.into()),
        (label(lang, "certificate_consent").into(), said(consent.as_deref())),
        (label(lang, "certificate_ip").into(), said(evidence.map(|e| e.ip.as_str()))),
        (label(lang, "certificate_browser").into(), said(evidence.map(|e| e.user_agent.as_str()))),
    ];
    if let Some(Promised { warranty_days, retention_years }) = promised {
        let (days, years) = (warranty_days.to_string(), retention_years.to_string());
        let warranty = label_with(lang, "certificate_warranty_days", &[("days", &days)]);
        let kept = label_with(lang, "certificate_kept_years", &[("years", &years)]);
        facts.push((label(lang, "certificate_warranty").into(), warranty.into()));
        facts.push((label(lang, "certificate_kept").into(), kept.into()));
    }
    doc.push(Block::Facts(facts));
    doc.push(Block::Note(label(lang, "certificate_note").into()));
}

fn way(method: SigningMethod, lang: Lang) -> &'static str {
    match method {
        SigningMethod::Portal => label(lang, "certificate_portal"),
        SigningMethod::Api => label(lang, "certificate_api"),
        SigningMethod::Recorded => label(lang, "certificate_recorded"),
    }
}

#[cfg(test)]
mod tests {
    use max_core::id::Digest;
    use max_core::lead::SigningEvidence;

    use super::*;
    use crate::mockup::tests::example;

    fn signature(evidence: Option<SigningEvidence>) -> Signature {
        Signature {
            document: Digest::of(b"the contract"),
            signer: "Kim <b>Example</b>".into(),
            at: "2026-11-22T10:30:00Z".parse().expect("a moment"),
            by: Actor::Client,
            evidence: evidence.map(Box::new),
        }
    }

    #[test]
    fn a_certificate_names_everything_that_shows_the_signature() {
        let evidence = SigningEvidence {
            method: SigningMethod::Portal,
            address: "kim@example.org".into(),
            consent: "I agree to sign electronically.".into(),
            consent_version: "2026-11-en".into(),
            ip: "203.0.113.9".into(),
            user_agent: "Example/1.0".into(),
        };
        let (_, _, _, head) = example();
        for lang in Lang::ALL {
            let mut doc = Doc::new("Contract", "Website for Pine & Yoga", &head, lang);
            doc.para("The clauses.");
            let promised = Promised { warranty_days: 77, retention_years: 6 };
            append(&mut doc, "contract.pdf", &signature(Some(evidence.clone())), 1, Some(promised));
            let text = doc.html();
            let hash = Digest::of(b"the contract").to_string();
            for part in [
                hash.as_str(),
                "kim@example.org",
                "203.0.113.9",
                "Example/1.0",
                "2026-11-22 10:30:00 UTC",
                "2026-11-en",
                "77",
                "6",
            ] {
                assert!(text.contains(part), "{lang:?}: {part}");
            }
            assert!(text.contains("The clauses.") && text.contains("Kim &lt;b&gt;Example"), "content and certificate");
        }
    }

    #[test]
    fn what_is_not_known_is_said() {
        let (_, _, _, head) = example();
        let mut doc = Doc::new("Contract", "Website", &head, Lang::En);
        alone(&mut doc, "contract.pdf", &signature(None), 1, None);
        assert!(doc.markdown().contains("not recorded"), "{}", doc.markdown());
    }
}
