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
    let found = WORDS[lang as usize].get(key);
    debug_assert!(found.is_some(), "no words for `{key}`");
    found.map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_four_languages() {
        let sizes: Vec<usize> = WORDS.iter().map(BTreeMap::len).collect();
        assert!(sizes[0] > 30 && sizes.iter().all(|s| *s == sizes[0]), "{sizes:?}");
        assert!(WORDS.iter().flat_map(|w| w.values()).all(|w| !w.trim().is_empty()));
    }
}
