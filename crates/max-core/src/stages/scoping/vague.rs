//! Words that promise without saying how much (rule SC-11), in four languages.

/// Words that mean something else to everybody: a word that begins with one of these is vague.
const VAGUE: &[&str] = &[
    // en
    "fast",
    "quick",
    "modern",
    "easy",
    "easily",
    "simple",
    "user-friendly",
    "user friendly",
    "intuitive",
    "nice",
    "beautiful",
    "appealing",
    "professional-looking",
    "state of the art",
    "state-of-the-art",
    "flexible",
    "scalable",
    "robust",
    "seamless",
    "clean design",
    "high quality",
    "high-quality",
    "as soon as possible",
    "asap",
    "etc",
    // de
    "schnell",
    "einfach",
    "benutzerfreundlich",
    "nutzerfreundlich",
    "intuitiv",
    "schön",
    "ansprechend",
    "zeitgemäß",
    "übersichtlich",
    "flexibel",
    "skalierbar",
    "reibungslos",
    "hochwertig",
    "zeitnah",
    "möglichst",
    "usw",
    // nl
    "snel",
    "eenvoudig",
    "gemakkelijk",
    "makkelijk",
    "gebruiksvriendelijk",
    "intuïtief",
    "mooi",
    "strak",
    "overzichtelijk",
    "schaalbaar",
    "naadloos",
    "hoogwaardig",
    "zo snel mogelijk",
    "enz",
    // fr
    "rapide",
    "facile",
    "simple d'utilisation",
    "convivial",
    "intuiti",
    "moderne",
    "beau",
    "belle",
    "joli",
    "esthétique",
    "ergonomique",
    "évolutif",
    "fluide",
    "haut de gamme",
    "de qualité",
    "dès que possible",
];

/// The first vague word of a text that is not measured. Who gives a figure (`fast: under 2 s`) has measured it.
pub fn vague(text: &str) -> Option<&'static str> {
    if text.chars().any(|c| c.is_ascii_digit()) {
        return None;
    }
    let lower = text.to_lowercase();
    VAGUE.iter().copied().find(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let free = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            // A short word must stand alone (`easter` is not `easy`, `etch` not `etc`); longer ones may be inflected.
            let before = lower.get(..at).and_then(|s| s.chars().next_back());
            let after = lower.get(at + word.len()..).unwrap_or_default();
            let ending = after.chars().take_while(|c| c.is_alphabetic()).count();
            free(before) && ending <= if word.chars().count() < 5 { 2 } else { 4 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vague_words_are_found_in_four_languages_unless_they_are_measured() {
        for (text, word) in [
            ("A modern look", "modern"),
            ("Die Seite soll schneller laden", "schnell"),
            ("Een gebruiksvriendelijke website", "gebruiksvriendelijk"),
            ("Un site rapide", "rapide"),
        ] {
            assert_eq!(vague(text), Some(word), "{text}");
        }
        for text in ["The first page loads fast: in 2 seconds", "An Easter breakfast menu", "Fastening bolts", ""] {
            assert_eq!(vague(text), None, "{text}");
        }
    }
}
