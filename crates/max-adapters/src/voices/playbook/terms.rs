//! What the client calls his trade, his things and his colours: found in his words, never made up.

use max_core::stages::placeholder;
use max_documents::mockup::palette::Rgb;
use serde_json::{Map, Value};

use super::text::{self, Said, sentences};
use super::wishes;
use crate::agency::Catalog;
use max_core::prose::normalised;

/// At most this many terms; a first page shows no more.
const AT_MOST: usize = 6;

/// What the client says he is: `Yoga studio in Ulm`. Empty when he does not say it.
pub fn trade(said: &str) -> String {
    const I_AM: [&str; 26] = [
        "we are an ",
        "we are a ",
        "we're an ",
        "we're a ",
        "i am an ",
        "i am a ",
        "i'm an ",
        "i'm a ",
        "i run an ",
        "i run a ",
        "we run an ",
        "we run a ",
        "i own a ",
        "wir sind eine ",
        "wir sind ein ",
        "ich bin ein ",
        "ich betreibe eine ",
        "ich betreibe ein ",
        "wir betreiben eine ",
        "wir betreiben ein ",
        "wij zijn een ",
        "we zijn een ",
        "ik ben een ",
        "ik run een ",
        "nous sommes une ",
        "nous sommes un ",
    ];
    const ENDS: [&str; 22] = [
        " and ", " that ", " who ", " which ", " with ", " looking", " based ", " und ", " mit ", " die ", " der ",
        " das ", " en ", " met ", " dat ", " et ", " avec ", " qui ", " (", ", ", ": ", " – ",
    ];
    for sentence in sentences(text::head(said, 4_000)) {
        let words = Said::new(sentence.text);
        let Some(start) = I_AM.iter().filter_map(|o| words.position(o).map(|at| at + o.len())).min() else { continue };
        let rest = Said::new(sentence.text.get(start..).unwrap_or_default());
        let end = ENDS.iter().filter_map(|e| position(&rest, e)).min().unwrap_or(rest.original.len());
        let line = text::tame(&rest.original[..end], 60);
        if line.chars().count() > 3 && !line.ends_with('…') {
            return text::capitalised(&line);
        }
    }
    String::new()
}

/// Things the client says he offers, as he writes them, in the order in which he names them.
pub fn offered(said: &[&str], catalog: &Catalog) -> Vec<String> {
    const OFFERS: [&str; 34] = [
        "we offer ",
        "i offer ",
        "we sell ",
        "i sell ",
        "we make ",
        "i make ",
        "we teach ",
        "i teach ",
        "we bake ",
        "we serve ",
        "we rent ",
        "such as ",
        "for example ",
        "for our ",
        "of our ",
        "to sell ",
        "book our ",
        "about our ",
        "wir bieten ",
        "ich biete ",
        "wir verkaufen ",
        "ich verkaufe ",
        "für unsere ",
        "unserer ",
        "zum beispiel ",
        "wij verkopen ",
        "wij bieden ",
        "we verkopen ",
        "voor onze ",
        "zoals ",
        "nous proposons ",
        "nous vendons ",
        "pour nos ",
        "tels que ",
    ];
    let mut found: Vec<String> = Vec::new();
    for sentence in said.iter().flat_map(|s| sentences(s)) {
        for quoted in in_quotation_marks(sentence.text) {
            add(&mut found, quoted, catalog, true);
        }
        let words = Said::new(sentence.text);
        let starts = OFFERS.iter().filter_map(|o| words.position(o).map(|at| at + o.len()));
        let mut starts: Vec<usize> = starts.collect();
        starts.sort_unstable();
        for start in starts {
            for item in list(sentence.text.get(start..).unwrap_or_default()) {
                add(&mut found, item, catalog, false);
            }
        }
    }
    found.truncate(AT_MOST);
    found
}

/// `mats, blocks and books for beginners` are three things; what follows a preposition belongs to none.
fn list(rest: &str) -> impl Iterator<Item = &str> {
    const ENDS: [&str; 26] = [
        " in ", " on ", " at ", " to ", " for ", " from ", " that ", " who ", " which ", " with ", " so ", " online",
        " im ", " auf ", " für ", " mit ", " die ", " an ", " op ", " voor ", " met ", " dans ", " sur ", " pour ",
        " avec ", ": ",
    ];
    let words = Said::new(rest);
    let end = ENDS.iter().filter_map(|e| position(&words, e)).min().unwrap_or(rest.len());
    let whole = rest.get(..end).unwrap_or_default();
    whole.split(", ").flat_map(|p| p.split(" and ")).flat_map(|p| p.split(" und ")).flat_map(|p| p.split(" et "))
}

fn add(found: &mut Vec<String>, item: &str, catalog: &Catalog, quoted: bool) {
    const LITTLE: [&str; 22] = [
        "our ", "the ", "a ", "an ", "some ", "and ", "my ", "their ", "unsere ", "unser ", "die ", "der ", "das ",
        "eine ", "ein ", "und ", "onze ", "de ", "het ", "nos ", "des ", "les ",
    ];
    const EMPTY: [&str; 26] = [
        "business",
        "company",
        "studio",
        "customers",
        "clients",
        "guests",
        "visitors",
        "members",
        "patients",
        "team",
        "shop",
        "website",
        "needs",
        "it",
        "this",
        "them",
        "example",
        "kunden",
        "gäste",
        "firma",
        "betrieb",
        "webseite",
        "klanten",
        "gasten",
        "clients",
        "entreprise",
    ];
    let mut words = item.trim().trim_matches(|c: char| !c.is_alphanumeric());
    while let Some(little) = LITTLE.iter().find(|l| Said::new(words).position(l) == Some(0)) {
        words = words.get(little.len()..).unwrap_or_default().trim_start();
    }
    let short = words.chars().count() <= 36 && (1..=4).contains(&words.split_whitespace().count());
    let named = words.chars().filter(|c| c.is_alphabetic()).count() >= 3;
    let plain = text::tame(words, 40) == words && placeholder(words).is_none();
    let said = Said::new(words);
    let about_the_site = wishes::feature(&said, catalog).is_some() && !quoted;
    let empty = words.split_whitespace().all(|w| EMPTY.contains(&w.to_lowercase().as_str()));
    let digits = words.chars().any(|c| c.is_ascii_digit()) || words.contains(['@', '/', '€', '$']);
    let term = text::capitalised(words);
    let new = !found.iter().any(|f| normalised(f) == normalised(&term));
    if short && named && plain && !about_the_site && !empty && !digits && new {
        found.push(term);
    }
}

fn in_quotation_marks(sentence: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (open, close) in [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»')] {
        let mut rest = sentence;
        while let Some(start) = rest.find(open) {
            let inner = &rest[start + open.len_utf8()..];
            let Some(end) = inner.find(close) else { break };
            found.push(&inner[..end]);
            rest = &inner[end + close.len_utf8()..];
        }
    }
    found
}

/// The client's colours: hex values or colour words where he speaks of colours, at most two.
pub fn colours(said: &str, extra: &Map<String, Value>) -> Vec<Rgb> {
    const ABOUT: [&str; 10] =
        ["colour", "color", "farbe", "farb", "hausfarb", "kleur", "huisstijl", "couleur", "corporate design", "brand"];
    let fields = extra.iter().filter(|(key, _)| Said::new(key.replace(['_', '-'], " ")).has(&ABOUT));
    let given: Vec<String> = fields.map(|(_, v)| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
    let spoken = sentences(text::head(said, 20_000)).into_iter().map(|s| s.text.to_owned());
    let spoken = spoken.filter(|s| Said::new(s.as_str()).has(&ABOUT));
    let mut found: Vec<(usize, usize, Rgb)> = Vec::new();
    for (nth, text) in given.into_iter().chain(spoken).enumerate() {
        let text: String = text.chars().take(400).collect();
        found.extend(hex_values(&text).map(|(at, colour)| (nth, at, colour)));
        let mut left = text;
        for (words, hex) in COLOURS {
            for word in words {
                let Some(at) = whole_word(&Said::new(left.as_str()), word) else { continue };
                found.extend(Rgb::parse(hex).map(|colour| (nth, at, colour)));
                // `dark green` is not `green` as well.
                left.replace_range(at..at + word.len(), &" ".repeat(word.len()));
            }
        }
    }
    found.sort_by_key(|(nth, at, _)| (*nth, *at));
    let mut colours: Vec<Rgb> = Vec::new();
    for (_, _, colour) in found {
        if !colours.contains(&colour) && colours.len() < 2 {
            colours.push(colour);
        }
    }
    // White says nothing of how a page looks; with another colour it is the paper.
    colours.retain(|c| *c != Rgb([255; 3]));
    colours
}

fn hex_values(text: &str) -> impl Iterator<Item = (usize, Rgb)> {
    text.match_indices('#').filter_map(|(at, _)| {
        let end = text[at + 1..].find(|c: char| !c.is_ascii_hexdigit()).map_or(text.len(), |n| at + 1 + n);
        Some((at, Rgb::parse(&text[at..end])?))
    })
}

fn whole_word(said: &Said, word: &str) -> Option<usize> {
    let at = said.position(word)?;
    let after = said.original.get(at + word.len()..)?;
    // German and French colours take endings: `dunkelgrünen`, `bleues`.
    let ending = after.chars().take_while(|c| c.is_alphabetic()).count();
    (ending <= 2).then_some(at)
}

fn position(said: &Said, joint: &str) -> Option<usize> {
    said.original.to_lowercase().find(joint).filter(|at| said.original.is_char_boundary(*at))
}

/// Colour words in four languages; compounds stand before what they hold.
const COLOURS: [(&[&str], &str); 22] = [
    (&["dark green", "dunkelgrün", "forest green", "donkergroen", "vert foncé", "bottle green"], "#1f4d3a"),
    (&["dark blue", "dunkelblau", "navy", "donkerblauw", "bleu foncé", "bleu marine"], "#1d3461"),
    (&["light blue", "hellblau", "lichtblauw", "bleu clair", "sky blue"], "#5fa8d3"),
    (&["dark red", "dunkelrot", "donkerrood", "rouge foncé", "burgundy", "bordeaux", "weinrot"], "#7a1f2b"),
    (&["turquoise", "türkis", "turkoois", "teal", "petrol"], "#12727a"),
    (&["green", "grün", "groen", "vert"], "#2f7d4f"),
    (&["blue", "blau", "blauw", "bleu"], "#2558a7"),
    (&["red", "rot", "rood", "rouge"], "#b3261e"),
    (&["orange", "oranje"], "#d9661f"),
    (&["yellow", "gelb", "geel", "jaune"], "#e0b000"),
    (&["gold", "golden", "goud", "doré"], "#c39a3b"),
    (&["purple", "lila", "violett", "paars", "violet"], "#6b3fa0"),
    (&["pink", "rosa", "roze", "rose"], "#d46a92"),
    (&["brown", "braun", "bruin", "brun", "marron"], "#6f4e37"),
    (&["beige", "sand", "sable"], "#d8c3a5"),
    (&["terracotta", "terrakotta"], "#b4552d"),
    (&["olive", "oliv", "olijf"], "#6b7026"),
    (&["mint", "mintgrün", "menthe"], "#7fc8a9"),
    (&["coral", "koralle", "koraal", "corail"], "#ee7d68"),
    (&["black", "schwarz", "zwart", "noir"], "#1a1a1a"),
    (&["grey", "gray", "grau", "grijs", "gris"], "#5f6b73"),
    (&["white", "weiß", "wit", "blanc"], "#ffffff"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agency::Agency;

    fn terms(message: &str) -> Vec<String> {
        let agency = Agency::load(None).expect("the built-in agency");
        offered(&[message], &agency.catalog)
    }

    fn hex(message: &str) -> Vec<String> {
        colours(message, &Map::new()).into_iter().map(Rgb::hex).collect()
    }

    #[test]
    fn the_trade_is_what_the_client_says_he_is() {
        assert_eq!(trade("Hello! We are a yoga studio in Ulm with two rooms."), "Yoga studio in Ulm");
        assert_eq!(
            trade("Guten Tag, wir sind eine kleine Bäckerei in Bonn und suchen Hilfe."),
            "Kleine Bäckerei in Bonn"
        );
        assert_eq!(trade("We need a website."), "");
        assert_eq!(trade("We are a {{ x }} lorem ipsum"), "(( x ))");
    }

    #[test]
    fn terms_are_the_things_the_client_names() {
        assert_eq!(
            terms("We sell handmade candles, soaps and gift boxes in our shop. Customers book our \"Scent Evening\"."),
            ["Handmade candles", "Soaps", "Gift boxes", "Scent Evening"]
        );
        assert_eq!(terms("We need online booking for our Hatha classes."), ["Hatha classes"]);
        assert_eq!(terms("We need a website for our customers. Call 0171 12345."), Vec::<String>::new());
        assert_eq!(terms("Wir verkaufen Honig, Kerzen und Seife an Kunden."), ["Honig", "Kerzen", "Seife"]);
    }

    #[test]
    fn colours_count_where_the_client_speaks_of_colours() {
        assert_eq!(hex("Our brand colours are dark green and gold."), ["#1f4d3a", "#c39a3b"]);
        assert_eq!(hex("Unsere Farbe ist #7A1F3D."), ["#7a1f3d"]);
        assert_eq!(hex("We sell blue pots. Order #123456."), Vec::<String>::new());
        assert_eq!(hex("Onze huisstijl is oranje met wit."), ["#d9661f"]);
        let extra = serde_json::json!({"brand_colour": "#f2b705", "note": "red"});
        let extra = extra.as_object().expect("fields").clone();
        assert_eq!(colours("", &extra), [Rgb([0xf2, 0xb7, 0x05])]);
    }
}
