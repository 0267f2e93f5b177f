//! The words of the client's page, in his language.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use max_documents::Lang;

/// The version of the words that a signer agrees to. They are evidence: changed words get a new version.
pub const CONSENT_VERSION: &str = "2026-11";

static WORDS: LazyLock<[BTreeMap<String, String>; 4]> = LazyLock::new(|| {
    let file: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(include_str!("words.json")).unwrap_or_default();
    Lang::ALL.map(|lang| {
        file.iter().filter_map(|(key, texts)| Some((key.clone(), texts.get(lang.tag())?.clone()))).collect()
    })
});

/// A word of the page.
pub fn word(lang: Lang, key: &str) -> &'static str {
    let found = known(lang, key);
    debug_assert!(found.is_some(), "no words for `{key}`");
    found.unwrap_or_default()
}

fn known(lang: Lang, key: &str) -> Option<&'static str> {
    WORDS[lang as usize].get(key).map(String::as_str)
}

/// How a client knows a file: `Offer (PDF)`, `Milestone M-1 (PDF)`. A file of another name keeps it.
pub fn document(lang: Lang, file: &str) -> String {
    let (stem, form) = file.rsplit_once('.').unwrap_or((file, ""));
    let numbered = |prefix: &str, key: &str| Some(format!("{} {}", known(lang, key)?, stem.strip_prefix(prefix)?));
    let order = || stem.starts_with("CO-").then(|| format!("{} {stem}", word(lang, "doc_change")));
    let title = known(lang, &format!("doc_{stem}"))
        .map(str::to_owned)
        .or_else(|| numbered("milestone-", "doc_milestone"))
        .or_else(|| numbered("status-report-", "doc_report"))
        .or_else(order);
    title.map_or_else(|| file.to_owned(), |title| format!("{title} ({})", form.to_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_four_languages_and_every_document_a_name() {
        let sizes: Vec<usize> = WORDS.iter().map(BTreeMap::len).collect();
        assert!(sizes[0] > 30 && sizes.iter().all(|s| *s == sizes[0]), "{sizes:?}");
        for (file, name) in [
            ("proposal.pdf", "Angebot (PDF)"),
            ("contract-signed.pdf", "Unterschriebener Vertrag (PDF)"),
            ("milestone-M-2.pdf", "Meilenstein M-2 (PDF)"),
            ("status-report-3.html", "Statusbericht 3 (HTML)"),
            ("CO-1.pdf", "Änderungsauftrag CO-1 (PDF)"),
            ("stills/home-1280.png", "stills/home-1280.png"),
        ] {
            assert_eq!(document(Lang::De, file), name);
        }
        assert!(WORDS.iter().flat_map(|w| w.values()).all(|w| !w.trim().is_empty()));
    }
}
