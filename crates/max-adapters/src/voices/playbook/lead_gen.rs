//! LeadGen: score the lead from five factors, each with the client's words as evidence.

use max_core::lead::{Lead, MessageKind};
use max_core::policy::Service;
use max_core::stages::StageResult;
use max_core::stages::lead_gen::{Decision, Factor, Qualification};
use max_documents::Lang;
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::text::{self, Said};
use super::turn::{Turn, json};

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    let said = Said::new(text::head(&brought(turn.lead), 20_000));
    let wanted = turn.wanted_in(&said.original);
    let (offered, others): (Vec<Service>, Vec<Service>) = wanted.into_iter().partition(|s| s.offered);
    let need = need(&said);
    let factors = keep_proven(
        turn.lead,
        vec![
            fit(&said, &offered),
            budget(turn, &said),
            authority(turn.lead, &said),
            need_factor(&said, need, &offered),
            time(turn.lead, &said),
        ],
    );
    let score: u8 = factors.iter().map(|f| f.points).sum();
    let threshold = turn.policy.qualification_cut;
    let first_person_need = need.is_some() && !offered.is_empty();
    let (decision, reason) = if !first_person_need && spam_points(&said) >= 3 {
        (Decision::Spam, "it advertises something and asks for nothing we do".to_owned())
    } else if offered.is_empty() && !others.is_empty() {
        (Decision::NotAFit, format!("we do not offer {}", names(&others)))
    } else if score >= threshold {
        (Decision::Fit, format!("{score} of 100 points, {threshold} needed; asks for {}", names(&offered)))
    } else if let Some(unread) = turn.foreign_language() {
        (Decision::Unclear, format!("it is written in {unread}, which the playbook cannot judge; asking in English"))
    } else {
        (Decision::NotAFit, format!("{score} of 100 points, {threshold} needed"))
    };
    let messages = match decision {
        Decision::NotAFit => {
            let service = others.first().filter(|_| offered.is_empty());
            let service = service.map_or("", |s| turn.agency.service_name(&s.id, turn.lang));
            turn.mail(MessageKind::Decline, "decline", context! { service })?
        }
        Decision::Fit | Decision::Unclear | Decision::Spam => Vec::new(),
    };
    let services = offered.iter().chain(&others).map(|s| s.id.clone()).collect();
    let result = Qualification { language: language(turn.lead), score, threshold, factors, decision, reason, services };
    Ok(Thought {
        summary: format!("Score {score} of 100: {}", result.reason),
        files: vec![json("qualification.json", &result)?],
        result: StageResult::Qualification(result),
        messages,
    })
}

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
            let likely = whatlang::Detector::with_allowlist(vec![whatlang::Lang::Eng, whatlang::Lang::Deu]);
            let german = likely.detect_lang(text) == Some(whatlang::Lang::Deu);
            if german { Lang::De } else { Lang::En }.tag().to_owned()
        }
    }
}

/// German or English, whichever has more of its most frequent words here.
fn little_words(text: &str) -> Option<Lang> {
    const EN: &[&str] = &[
        "the", "and", "we", "our", "need", "for", "with", "you", "your", "is", "are", "would", "like", "please",
        "hello", "website", "can", "my", "to",
    ];
    const DE: &[&str] = &[
        "der", "die", "das", "und", "wir", "ich", "unser", "unsere", "brauchen", "brauche", "für", "mit", "ein",
        "eine", "einen", "ist", "sind", "bitte", "guten", "möchte", "möchten", "suche",
    ];
    let text = text.to_lowercase();
    let count = |of: &[&str]| text.split(|c: char| !c.is_alphanumeric()).filter(|w| of.contains(w)).count();
    match (count(EN), count(DE)) {
        (0, 0) => None,
        (en, de) => Some(if de > en { Lang::De } else { Lang::En }),
    }
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

/// Everything the lead brought with it.
fn brought(lead: &Lead) -> String {
    let contact = &lead.contact;
    let mut all = text::head(&contact.message, 18_000).to_owned();
    for field in [&contact.company, &contact.role, &contact.budget, &contact.timeline].into_iter().flatten() {
        all.push('\n');
        all.push_str(text::head(field, 400));
    }
    all
}

fn fit(said: &Said, offered: &[Service]) -> Factor {
    let evidence = offered.iter().find_map(|s| said.first_of(&s.keywords));
    factor("fit", 30, evidence.map(|e| (30, e)))
}

fn budget(turn: &Turn, said: &Said) -> Factor {
    let day = u64::try_from(turn.policy.rate_card.day_rate_minor / 100).unwrap_or(0).max(1);
    let stated = turn.lead.contact.budget.as_deref().map(str::trim).filter(|b| !b.is_empty());
    let own = stated.map(Said::new);
    let evidence = match (own.as_ref().and_then(text::amount).or_else(|| text::amount(said)), stated) {
        (Some((units, words)), _) if units >= 5 * day => Some((25, words)),
        (Some((units, words)), _) if units >= day => Some((15, words)),
        (Some((_, words)), _) => Some((5, words)),
        (None, Some(words)) => Some((10, words)),
        (None, None) => None,
    };
    factor("budget", 25, evidence)
}

fn authority(lead: &Lead, said: &Said) -> Factor {
    const DECIDES: &[&str] = &[
        "owner",
        "ceo",
        "founder",
        "managing director",
        "head of",
        "director",
        "partner",
        "president",
        "principal",
        "geschäftsführ",
        "inhaber",
        "gründer",
        "leiter",
        "vorstand",
        "chef",
    ];
    const OWN: &[&str] = &[
        "i run",
        "i own",
        "my company",
        "my business",
        "my shop",
        "my studio",
        "our company",
        "our business",
        "we are",
        "we run",
        "mein unternehmen",
        "meine firma",
        "unser unternehmen",
        "unsere firma",
        "wir sind",
        "wir betreiben",
        "ich betreibe",
    ];
    let role = lead.contact.role.as_deref().map(str::trim).filter(|r| !r.is_empty());
    let evidence = match role {
        Some(role) if Said::new(role).has(DECIDES) => Some((15, role)),
        Some(role) => Some((8, role)),
        None => said.first_of(DECIDES).map(|w| (12, w)).or_else(|| said.first_of(OWN).map(|w| (8, w))),
    };
    factor("authority", 15, evidence)
}

fn need_factor(said: &Said, need: Option<&str>, offered: &[Service]) -> Factor {
    let named = offered.iter().find_map(|s| said.first_of(&s.keywords));
    factor("need", 20, need.map(|n| (20, n)).or(named.map(|n| (10, n))))
}

/// Words in which somebody says that they want something themselves.
fn need(said: &Said) -> Option<&str> {
    const NEED: &[&str] = &[
        "we need",
        "i need",
        "we want",
        "i want",
        "we would like",
        "i would like",
        "we'd like",
        "i'd like",
        "looking for",
        "we are planning",
        "we plan",
        "i plan",
        "we require",
        "can you build",
        "could you build",
        "can you make",
        "could you make",
        "can you help us",
        "can you help me",
        "could you help",
        "please build",
        "we wish",
        "our website is",
        "our site is",
        "wir brauchen",
        "ich brauche",
        "wir suchen",
        "ich suche",
        "wir möchten",
        "ich möchte",
        "wir wollen",
        "ich will",
        "wir benötigen",
        "ich benötige",
        "wir planen",
        "ich plane",
        "wir wünschen",
        "wir hätten gern",
        "ich hätte gern",
        "können sie uns",
        "könnt ihr uns",
        "könnten sie",
    ];
    said.first_of(NEED)
}

fn time(lead: &Lead, said: &Said) -> Factor {
    const WHEN: &[&str] = &[
        "asap",
        "as soon as possible",
        "deadline",
        "by the end",
        "within",
        "next month",
        "this month",
        "next quarter",
        "this year",
        "weeks",
        "months",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "spring",
        "summer",
        "autumn",
        "so bald wie",
        "so schnell wie",
        "bis ende",
        "bis zum",
        "innerhalb",
        "wochen",
        "monat",
        "januar",
        "februar",
        "märz",
        "juni",
        "juli",
        "oktober",
        "dezember",
        "frühjahr",
        "sommer",
        "herbst",
    ];
    let stated = lead.contact.timeline.as_deref().map(str::trim).filter(|t| !t.is_empty());
    factor("time", 10, stated.or_else(|| said.first_of(WHEN)).map(|w| (10, w)))
}

fn factor(name: &str, most: u8, evidence: Option<(u8, &str)>) -> Factor {
    let evidence = evidence.filter(|(_, words)| !words.trim().is_empty());
    Factor {
        name: name.into(),
        points: evidence.map_or(0, |(points, _)| points),
        most,
        evidence: evidence.map(|(_, words)| text::head(words, 300).to_owned()),
    }
}

/// A factor whose words do not stand in the lead, letter by letter, counts nothing.
fn keep_proven(lead: &Lead, mut factors: Vec<Factor>) -> Vec<Factor> {
    let contact = &lead.contact;
    let mut all = contact.message.to_lowercase();
    for field in [&contact.company, &contact.role, &contact.budget, &contact.timeline].into_iter().flatten() {
        all.push('\n');
        all.push_str(&field.to_lowercase());
    }
    for factor in &mut factors {
        if factor.evidence.as_ref().is_some_and(|words| !all.contains(&words.to_lowercase())) {
            factor.evidence = None;
            factor.points = 0;
        }
    }
    factors
}

/// How much a text looks like advertising. An honest enquiry may well name one of these words.
fn spam_points(said: &Said) -> usize {
    const STRONG: &[&str] = &[
        "first page of google",
        "page 1 of google",
        "rank your website",
        "increase your traffic",
        "boost your traffic",
        "guest post",
        "backlinks",
        "buy followers",
        "casino bonus",
        "online casino",
        "crypto invest",
        "bitcoin invest",
        "double your money",
        "viagra",
        "cheap pills",
        "payday loan",
        "quick loan",
        "lottery",
        "you have won",
        "inheritance",
        "million dollars",
        "work from home",
        "seo services",
        "seo packages",
        "web design services at",
        "seite 1 bei google",
        "mehr besucher garantiert",
        "sie haben gewonnen",
        "schnelle kredite",
        "kredit ohne schufa",
    ];
    const WEAK: &[&str] = &[
        "we offer",
        "our services",
        "our team of experts",
        "limited offer",
        "limited time",
        "act now",
        "click here",
        "unsubscribe",
        "100% guarantee",
        "dear sir",
        "dear webmaster",
        "dear business owner",
        "special offer",
        "risk free",
        "no obligation",
        "earn money",
        "do you need",
        "does your website",
        "wir bieten",
        "unsere dienstleistungen",
        "jetzt klicken",
        "hier klicken",
        "garantiert",
    ];
    let count = |words: &[&str]| words.iter().filter(|w| said.position(w).is_some()).count();
    let links = said.original.matches("http://").count() + said.original.matches("https://").count();
    2 * count(STRONG)
        + count(WEAK)
        + match links {
            0 | 1 => 0,
            2 | 3 => 1,
            _ => 2,
        }
}

fn names(services: &[Service]) -> String {
    if services.is_empty() {
        return "nothing we know".into();
    }
    services.iter().map(|s| s.name.to_lowercase()).collect::<Vec<_>>().join(", ")
}
