//! What a lead is written in.

use max_core::lead::Lead;
use max_core::prose;
use max_documents::Lang;

use super::super::text;

/// BCP 47: a language, but nobody can say which.
const UNDETERMINED: &str = "und";

/// The language of the lead: what the message is written in, else what the locale says.
pub fn language(lead: &Lead) -> String {
    let locale = lead.contact.locale.as_deref().filter(|l| l.len() >= 2);
    let primary = locale.map(|l| l.split(['-', '_']).next().unwrap_or(l).to_lowercase());
    language_of(&lead.contact.message, primary)
}

/// What a text is written in where that is certain, else `likely`, else what its script and little words say.
pub fn language_of(text: &str, likely: Option<String>) -> String {
    let text = text::head(text, 4_000);
    let tag = |lang: whatlang::Lang| two_letters(lang).unwrap_or_else(|| lang.code()).to_owned();
    let found = whatlang::detect(text);
    if let Some(found) = &found
        && found.is_reliable()
        && (text.chars().count() >= 40 || likely.is_none())
    {
        return tag(found.lang());
    }
    // Whatever is likely, another script is not one of ours.
    if let Some(found) = &found
        && found.script() != whatlang::Script::Latin
        && likely.as_deref().is_none_or(|tag| Lang::of_tag(tag).is_some())
    {
        return tag(found.lang());
    }
    if let Some(likely) = likely {
        return likely;
    }
    // Too short to be certain among all languages. Little words give German and English away; a text of some length
    // without any of them is neither, and naming the wrong language would be impolite.
    match (little_words(text), found) {
        (Some(lang), _) => lang.tag().to_owned(),
        (None, Some(_)) if text.split_whitespace().count() >= 6 => UNDETERMINED.to_owned(),
        _ => {
            use whatlang::Lang as L;
            let likely = whatlang::Detector::with_allowlist(vec![L::Eng, L::Deu, L::Nld, L::Fra]);
            likely.detect_lang(text).and_then(two_letters).unwrap_or("en").to_owned()
        }
    }
}

/// The language that has most of its most frequent words here; the earlier one of two that have as many.
fn little_words(text: &str) -> Option<Lang> {
    prose::little_words(text).first().and_then(|(tag, _)| Lang::of_tag(tag))
}

fn two_letters(lang: whatlang::Lang) -> Option<&'static str> {
    use whatlang::Lang as L;
    Some(match lang {
        L::Eng => "en",
        L::Deu => "de",
        L::Fra => "fr",
        L::Spa => "es",
        L::Ita => "it",
        L::Por => "pt",
        L::Nld => "nl",
        L::Pol => "pl",
        L::Rus => "ru",
        L::Ukr => "uk",
        L::Tur => "tr",
        L::Swe => "sv",
        L::Dan => "da",
        L::Nob => "nb",
        L::Fin => "fi",
        L::Ces => "cs",
        L::Ell => "el",
        L::Heb => "he",
        L::Ara => "ar",
        L::Pes => "fa",
        L::Hin => "hi",
        L::Jpn => "ja",
        L::Kor => "ko",
        L::Cmn => "zh",
        L::Hun => "hu",
        L::Ron => "ro",
        _ => return None,
    })
}
