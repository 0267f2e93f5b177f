//! The clickable mockup: one HTML file that works offline, without any script, with a screen for each group of
//! requirements; and the feature overview that goes with it.

mod art;
pub mod palette;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use max_core::id::Digest;
use max_core::stages::orchestra::{Face, Mockup};
use max_core::stages::scoping::{Priority, Scope};
use serde::{Deserialize, Serialize};

use crate::doc::{Block, Card, Doc, Text, Tone};
use crate::engine::{self, RenderError};
use crate::scope::Line;
use crate::{Lang, Letterhead};
use palette::{Palette, Rgb};

/// What a mockup is drawn from besides its typed result.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// What the client is, in his words: `Yoga studio in Ulm`.
    pub line: String,
    /// Everything he wrote, for telling his trade.
    pub said: String,
    /// His colours.
    pub colours: Vec<Rgb>,
}

/// How many things a screen offers at most, and how many pictures a gallery holds.
const OFFERS: usize = 6;
const PICTURES: usize = 9;

#[derive(Serialize)]
struct View<'a> {
    t: &'static BTreeMap<String, String>,
    brand: &'a str,
    monogram: String,
    line: &'a str,
    promise: String,
    revision: u32,
    colours: String,
    text_font: &'static str,
    display_font: &'static str,
    art: Vec<String>,
    /// The screen that the first page calls to, and another one.
    call: usize,
    second: Option<usize>,
    screens: Vec<ScreenView<'a>>,
    offers: Vec<Offer>,
    pictures: usize,
    month: String,
    weekdays: [&'static str; 7],
    days: Vec<Day>,
    dates: Vec<String>,
}

#[derive(Serialize)]
struct ScreenView<'a> {
    id: &'a str,
    title: &'a str,
    face: Face,
    ids: String,
    requirements: Vec<Line<'a>>,
    next: &'a str,
    next_title: &'a str,
}

/// Something the client offers: in his own words, or as his trade calls it.
#[derive(Serialize)]
struct Offer {
    title: String,
    quoted: bool,
}

#[derive(Serialize)]
struct Day {
    number: i8,
    off: bool,
    chosen: bool,
}

/// `mockup.html`.
///
/// # Errors
/// When the template fails.
pub fn render(
    mockup: &Mockup,
    scope: &Scope,
    story: &Story,
    head: &Letterhead,
    lang: Lang,
) -> Result<String, RenderError> {
    let brand = if mockup.client.is_empty() { head.client.as_str() } else { mockup.client.as_str() };
    let palette = Palette::of(brand, &story.colours);
    let offers = offers(mockup, story, lang);
    let doing = |face: Face| face != Face::Page && face != Face::Map && face != Face::News;
    let call = mockup.screens.iter().position(|s| doing(s.face)).unwrap_or(0);
    let inviting = [Face::Gallery, Face::Shop, Face::Form, Face::Map, Face::News, Face::Page];
    let others = inviting.iter().filter_map(|face| mockup.screens.iter().position(|s| s.face == *face));
    let second = others.into_iter().find(|i| *i != call);
    let month = head.date.first_of_month().saturating_add(jiff::Span::new().months(1));
    let view = View {
        t: &LABELS[lang as usize],
        brand,
        monogram: brand.chars().find(|c| c.is_alphanumeric()).map_or_else(String::new, |c| c.to_uppercase().collect()),
        line: &story.line,
        promise: promise(mockup, scope),
        revision: mockup.revision.max(1),
        colours: palette.properties(),
        text_font: palette.text_font(),
        display_font: palette.display_font(),
        art: art::pictures(Digest::of(brand.as_bytes()).0[2]),
        call,
        second,
        screens: screens(mockup, scope, lang),
        offers,
        pictures: PICTURES,
        month: lang.date(month).split_once(' ').map_or_else(String::new, |(_, rest)| rest.to_owned()),
        weekdays: lang.pick([
            ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
            ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
            ["ma", "di", "wo", "do", "vr", "za", "zo"],
            ["lu", "ma", "me", "je", "ve", "sa", "di"],
        ]),
        days: days(month),
        dates: (1..4).map(|week| lang.date(head.date.saturating_sub(jiff::Span::new().weeks(week)))).collect(),
    };
    engine::one("mockup.html", &view, head, lang)
}

/// The accent that a mockup for this client is built on, as `#rrggbb`.
pub fn accent(client: &str, own: &[Rgb]) -> String {
    Palette::of(client, own).accent()
}

fn screens<'a>(mockup: &'a Mockup, scope: &'a Scope, lang: Lang) -> Vec<ScreenView<'a>> {
    let following = mockup.screens.iter().cycle().skip(1);
    let view = |(screen, next): (&'a max_core::stages::orchestra::Screen, &'a max_core::stages::orchestra::Screen)| {
        let requirements = screen.requirements.iter().filter_map(|id| scope.requirement(id));
        ScreenView {
            id: &screen.id,
            title: &screen.title,
            face: screen.face,
            ids: screen.requirements.join(" "),
            requirements: requirements.map(|r| Line::of(r, lang)).collect(),
            next: &next.id,
            next_title: &next.title,
        }
    };
    mockup.screens.iter().zip(following).map(view).filter(|s| !s.requirements.is_empty()).collect()
}

/// What the first page promises: the things that have to be there.
fn promise(mockup: &Mockup, scope: &Scope) -> String {
    // What is more than a page comes first: nobody is promised a website on a website.
    let of = |page: bool| mockup.screens.iter().filter(move |s| (s.face == Face::Page) == page);
    let ids = of(false).chain(of(true)).flat_map(|s| &s.requirements);
    let shown = ids.filter_map(|id| scope.requirement(id)).filter(|r| r.priority == Priority::Must);
    shown.map(|m| m.text.trim_end_matches('.')).take(3).collect::<Vec<_>>().join(" · ")
}

/// What the client offers: his own terms first, then what his trade has.
fn offers(mockup: &Mockup, story: &Story, lang: Lang) -> Vec<Offer> {
    let mut offers: Vec<Offer> =
        mockup.terms.iter().take(OFFERS).map(|term| Offer { title: term.clone(), quoted: true }).collect();
    let said = story.said.to_lowercase();
    let trade = TRADES.iter().find(|trade| trade.keywords.iter().any(|k| begins_a_word(&said, k)));
    let typical = trade.map(|trade| lang.pick([&trade.en, &trade.de, &trade.nl, &trade.fr]));
    for title in typical.into_iter().flatten() {
        if offers.len() < 4 && !offers.iter().any(|o| o.title.eq_ignore_ascii_case(title)) {
            offers.push(Offer { title: title.clone(), quoted: false });
        }
    }
    let labels = &LABELS[lang as usize];
    let word = labels.get("service").map_or("", String::as_str);
    while offers.len() < 4 {
        offers.push(Offer { title: format!("{word} {}", offers.len() + 1), quoted: false });
    }
    offers
}

fn begins_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].chars().next_back().is_some_and(char::is_alphanumeric))
}

/// A month as a calendar shows it, from Monday on: zeros before the first. Weekends and some days are taken.
fn days(month: Date) -> Vec<Day> {
    let before = month.weekday().to_monday_zero_offset();
    let mut chosen = false;
    let blank = (0..before).map(|_| Day { number: 0, off: true, chosen: false });
    let days = (1..=month.days_in_month()).map(|number| {
        let weekday = (i16::from(before) + i16::from(number) - 1) % 7;
        let off = weekday == 6 || number % 9 == 4;
        let now = !off && !chosen && number > 7;
        chosen |= now;
        Day { number, off, chosen: now }
    });
    blank.chain(days.collect::<Vec<_>>()).collect()
}

/// The feature overview. `stills` are the names of the pictures that were made.
pub fn features(mockup: &Mockup, scope: &Scope, stills: &[String], head: &Letterhead, lang: Lang) -> Doc {
    let labels = &LABELS[lang as usize];
    let t = |key: &str| labels.get(key).cloned().unwrap_or_default();
    let mut doc = Doc::new(t("features"), scope.title.clone(), head, lang);
    doc.meta.version = mockup.revision.max(1);
    doc.meta.accent = Some(mockup.accent.clone()).filter(|a| !a.is_empty());
    doc.push(Block::Standfirst(t("features_intro").into()));
    doc.push(Block::Note(t("watermark").into()));
    doc.section(t("try_it")).para(t("try_text"));
    for screen in &mockup.screens {
        doc.section(screen.title.clone());
        for requirement in screen.requirements.iter().filter_map(|id| scope.requirement(id)) {
            doc.push(Block::Card(card(&Line::of(requirement, lang), &t, lang)));
        }
    }
    if !mockup.omitted.is_empty() {
        doc.section(t("no_screen"));
        for omitted in &mockup.omitted {
            let Some(requirement) = scope.requirement(&omitted.requirement) else { continue };
            let facts = vec![(t("reason"), Text::from(&omitted.reason))];
            let (id, title) = (requirement.id.clone(), requirement.text.clone());
            doc.push(Block::Card(Card { id, title, facts, ..Card::default() }));
        }
    }
    if !mockup.changes.is_empty() {
        doc.section(t("changes"));
        let of = |c: &max_core::stages::orchestra::Change| {
            Text::from(&c.text).soft(format!(" ({} ", t("answers"))).code(c.feedback.clone()).soft(")")
        };
        doc.list(mockup.changes.iter().map(of));
    }
    doc.section(t("stills"));
    if stills.is_empty() {
        doc.para(t("no_stills"))
    } else {
        doc.list(stills.iter().map(|s| Text::default().code(s)))
    };
    doc
}

fn card(line: &Line, t: &dyn Fn(&str) -> String, lang: Lang) -> Card {
    let tone = match line.class {
        "must" => Tone::Must,
        "should" => Tone::Should,
        _ => Tone::Could,
    };
    let mut facts = vec![(t("accepted_when"), Text::from(line.acceptance))];
    if !line.quote.is_empty() {
        facts.push((t("your_words"), Text::from(engine::quoted(lang, line.quote))));
    }
    Card { id: line.id.into(), tag: line.priority.into(), tone, title: line.text.into(), facts }
}

/// What a trade usually offers, for the places the client's own words do not fill.
#[derive(Deserialize)]
struct Trade {
    keywords: Vec<String>,
    en: Vec<String>,
    de: Vec<String>,
    nl: Vec<String>,
    fr: Vec<String>,
}

static TRADES: LazyLock<Vec<Trade>> =
    LazyLock::new(|| serde_json::from_str(include_str!("labels/trades.json")).unwrap_or_default());

/// The mockup's labels, by language; apart from those of documents, whose keys are others.
static LABELS: LazyLock<[BTreeMap<String, String>; 4]> = LazyLock::new(|| {
    let file: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(include_str!("labels/mockup.json")).unwrap_or_default();
    Lang::ALL.map(|lang| {
        file.iter().filter_map(|(key, texts)| Some((key.clone(), texts.get(lang.tag())?.clone()))).collect()
    })
});

/// What the watermark says, in every language.
pub(crate) fn watermarks() -> impl Iterator<Item = &'static str> {
    LABELS.iter().filter_map(|labels| labels.get("watermark").map(String::as_str))
}

#[cfg(test)]
pub(crate) mod tests {
    use max_core::stages::orchestra::{Omitted, Screen};

    use super::*;

    pub(crate) fn example() -> (Mockup, Scope, Story, Letterhead) {
        let faces = [
            ("Booking", Face::Booking, "Online booking for our Hatha classes"),
            ("Shop", Face::Shop, "A small shop for mats"),
            ("Gallery", Face::Gallery, "Photo gallery of our studio"),
            ("Contact", Face::Form, "Contact form"),
            ("Sign-in", Face::Account, "Members sign in"),
            ("Visit", Face::Map, "Directions"),
            ("News", Face::News, "News about workshops"),
            ("Dashboard", Face::Dashboard, "Report of bookings"),
            ("Pages", Face::Page, "New website"),
        ];
        let requirements: Vec<serde_json::Value> = faces
            .iter()
            .enumerate()
            .map(|(i, (_, _, text))| {
                serde_json::json!({
                    "id": format!("R-{:03}", i + 1), "text": text, "priority": "must", "source": "lead", "quote": text,
                    "acceptance": "A visitor can do it on a phone.", "effort_quarter_days": 4,
                })
            })
            .chain([serde_json::json!({
                "id": "R-010", "text": "Sync with <the> CRM", "priority": "must", "source": "lead", "quote": "q",
                "acceptance": "a", "effort_quarter_days": 4,
            })])
            .collect();
        let scope: Scope = serde_json::from_value(serde_json::json!({
            "title": "Website for Pine & Yoga", "goal": "g", "requirements": requirements, "out_of_scope": [],
            "assumptions": [], "client_duties": [],
        }))
        .expect("a scope");
        let screens = faces
            .iter()
            .enumerate()
            .map(|(i, (title, face, _))| Screen {
                id: format!("s-{}", i + 1),
                title: (*title).into(),
                face: *face,
                requirements: vec![format!("R-{:03}", i + 1)],
            })
            .collect();
        let mockup = Mockup {
            client: "Pine & Yoga".into(),
            revision: 1,
            accent: "#1f5b4a".into(),
            terms: vec!["Hatha classes".into(), "Mats".into()],
            screens,
            omitted: vec![Omitted { requirement: "R-010".into(), reason: "Works in the background.".into() }],
            changes: Vec::new(),
        };
        let story = Story {
            line: "Yoga studio in Ulm".into(),
            said: "We are a yoga studio in Ulm".into(),
            colours: Vec::new(),
        };
        let head = Letterhead {
            agency: "Agency".into(),
            agency_address: "Street 1".into(),
            agency_mail: "hello@agency.example".into(),
            client: "Pine & Yoga".into(),
            person: "Kim Example".into(),
            disclosure: "Drafted with AI.".into(),
            date: jiff::civil::date(2026, 11, 22),
        };
        (mockup, scope, story, head)
    }

    #[test]
    fn a_mockup_passes_its_own_checks_in_every_language() {
        let (mockup, scope, story, head) = example();
        for lang in Lang::ALL {
            let html = render(&mockup, &scope, &story, &head, lang).expect("rendered");
            assert_eq!(crate::lint::mockup::check(&html, &mockup, &scope), Vec::new(), "{lang:?}");
            assert_eq!(html, render(&mockup, &scope, &story, &head, lang).expect("again"), "same input, same bytes");
            assert!(html.contains("Pine &amp; Yoga") && !html.contains("<the>"), "client text is escaped");
        }
    }

    #[test]
    fn every_label_has_its_four_languages() {
        let keys: Vec<usize> = LABELS.iter().map(BTreeMap::len).collect();
        assert!(keys[0] > 100 && keys.iter().all(|k| *k == keys[0]), "{keys:?}");
        assert!(TRADES.iter().all(|t| [&t.en, &t.de, &t.nl, &t.fr].iter().all(|names| names.len() == 4)));
        assert!(TRADES.len() >= 10);
    }

    #[test]
    fn every_label_is_used() {
        let template = include_str!("templates/mockup.html");
        let used = |key: &str| {
            let named = format!("t.{key}");
            let ends = |at: usize| !template[at + named.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
            template.match_indices(&named).any(|(at, _)| ends(at))
                || include_str!("mockup.rs").contains(&format!("t(\"{key}\")"))
        };
        let own = ["service", "watermark"];
        let idle: Vec<&String> = LABELS[0].keys().filter(|key| !own.contains(&key.as_str()) && !used(key)).collect();
        assert_eq!(idle, Vec::<&String>::new());
    }

    #[test]
    fn the_clients_terms_come_first_and_his_trade_fills_up() {
        let (mockup, _, story, _) = example();
        let titles: Vec<String> = offers(&mockup, &story, Lang::En).into_iter().map(|o| o.title).collect();
        assert_eq!(titles, ["Hatha classes", "Mats", "Morning class", "Beginners' course"]);
        let nothing = offers(&Mockup::default(), &Story::default(), Lang::Fr);
        assert_eq!(nothing.last().map(|o| o.title.as_str()), Some("Prestation 4"));
    }

    #[test]
    fn the_overview_names_pictures_or_says_that_there_are_none() {
        let (mockup, scope, _, head) = example();
        let without = features(&mockup, &scope, &[], &head, Lang::En);
        assert!(format!("{:?}", without.blocks).contains("no browser was at hand"));
        let with = features(&mockup, &scope, &["stills/home-1280.png".into()], &head, Lang::En);
        assert!(format!("{:?}", with.blocks).contains("stills/home-1280.png"));
    }
}
