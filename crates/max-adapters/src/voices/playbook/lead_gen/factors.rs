//! The five factors of a score, each with the words that show it.

use std::sync::LazyLock;

use max_core::figures;
use max_core::lead::Lead;
use max_core::policy::Service;
use max_core::stages::lead_gen::Factor;

use super::super::text::{self, Said, list};
use super::super::turn::Turn;

/// The most that each factor gives; together 100.
pub const MOST: [(&str, u8); 5] = [("fit", 30), ("budget", 25), ("authority", 15), ("need", 20), ("time", 10)];

/// A factor of a judge's: no more points than it can give, and none without words that show it.
pub fn judged(name: &str, points: u8, evidence: Option<&str>) -> Factor {
    factor(name, evidence.map(|words| (points, words)))
}

/// All five, those without evidence as unknown.
pub fn all(turn: &Turn, said: &Said, offered: &[Service]) -> Vec<Factor> {
    let factors = vec![
        fit(said, offered),
        budget(turn, said),
        authority(turn.lead, said),
        need(said, offered),
        time(turn.lead, said),
    ];
    keep_proven(turn.lead, factors)
}

fn fit(said: &Said, offered: &[Service]) -> Factor {
    let evidence = offered.iter().find_map(|s| said.first_of(&s.keywords));
    factor("fit", evidence.map(|e| (30, e)))
}

fn budget(turn: &Turn, said: &Said) -> Factor {
    let day = turn.policy.rate_card.day_rate_minor.max(1);
    let stated = turn.lead.contact.budget.as_deref().map(str::trim).filter(|b| !b.is_empty());
    let own = stated.and_then(|words| figures::budget(words).map(|b| (b.high, words)));
    let named = || {
        let (span, budget) = figures::budget_at(&said.original)?;
        Some((budget.high, said.original.get(span)?))
    };
    let evidence = match (own.or_else(named), stated) {
        (Some((minor, words)), _) if minor >= day.saturating_mul(5) => Some((25, words)),
        (Some((minor, words)), _) if minor >= day => Some((15, words)),
        (Some((_, words)), _) => Some((5, words)),
        (None, Some(words)) => Some((10, words)),
        (None, None) => None,
    };
    factor("budget", evidence)
}

static DECIDES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "owner | ceo | founder | managing director | head of | director | partner | president | principal
         geschäftsführ | inhaber | gründer | leiter | vorstand | chef
         eigenaar | eigenares | oprichter | directeur | zaakvoerder | bestuurder
         gérant | propriétaire | fondat | dirigeant | président | directrice",
    )
});

static OWN: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "i run | i own | my company | my business | my shop | my studio | our company | our business | we are | we run
         mein unternehmen | meine firma | unser unternehmen | unsere firma | wir sind | wir betreiben | ich betreibe
         mijn bedrijf | mijn zaak | ons bedrijf | onze zaak | wij zijn | we zijn | wij runnen | ik run | ik heb een
         mon entreprise | ma société | ma boutique | notre entreprise | notre société | nous sommes | je tiens | je dirige | nous tenons",
    )
});

fn authority(lead: &Lead, said: &Said) -> Factor {
    let role = lead.contact.role.as_deref().map(str::trim).filter(|r| !r.is_empty());
    let evidence = match role {
        Some(role) if Said::new(role).has(&DECIDES) => Some((15, role)),
        Some(role) => Some((8, role)),
        None => said.first_of(&DECIDES).map(|w| (12, w)).or_else(|| said.first_of(&OWN).map(|w| (8, w))),
    };
    factor("authority", evidence)
}

/// Words in which somebody says that they want something themselves.
pub static NEED: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "we need | i need | we want | i want | we would like | i would like | we'd like | i'd like | looking for
         we are planning | we plan | i plan | we require | can you build | could you build | can you make | could you make
         can you help us | can you help me | could you help | please build | we wish | our website is | our site is
         wir brauchen | ich brauche | wir suchen | ich suche | wir möchten | ich möchte | wir wollen | ich will
         wir benötigen | ich benötige | wir planen | ich plane | wir wünschen | wir hätten gern | ich hätte gern
         können sie uns | könnt ihr uns | könnten sie | unsere website ist | unsere webseite ist
         nodig | wij zoeken | we zoeken | ik zoek | wij willen | we willen
         ik wil | wij zouden graag | we zouden graag | ik zou graag | wij wensen | kunt u ons | kunnen jullie | kun je | onze website is
         nous avons besoin | j'ai besoin | j’ai besoin | besoin d | nous cherchons | je cherche | nous recherchons | je recherche
         nous souhaitons | je souhaite | nous voulons | je veux | nous voudrions | je voudrais | nous aimerions | j'aimerais | j’aimerais
         pouvez-vous | pourriez-vous | peux-tu | notre site est",
    )
});

fn need(said: &Said, offered: &[Service]) -> Factor {
    let named = offered.iter().find_map(|s| said.first_of(&s.keywords));
    factor("need", said.first_of(&NEED).map(|n| (20, n)).or(named.map(|n| (10, n))))
}

static WHEN: LazyLock<Vec<&str>> = LazyLock::new(|| {
    list(
        "asap | as soon as possible | deadline | by the end | within | next month | this month | next quarter | this year
         weeks | months | january | february | march | april | june | july | august | september | october | november
         december | spring | summer | autumn
         so bald wie | so schnell wie | bis ende | bis zum | innerhalb | wochen | monat | januar | februar | märz | juni
         juli | oktober | dezember | frühjahr | sommer | herbst
         zo snel mogelijk | voor het einde | eind van | binnen | volgende maand | dit jaar | weken | maanden | januari
         februari | maart | juni | augustus | voorjaar | zomer | najaar
         dès que possible | au plus vite | avant la fin | d'ici | d’ici | le mois prochain | cette année | semaines | mois
         janvier | février | mars | avril | juin | juillet | août | septembre | octobre | novembre | décembre | printemps
         l'été | l’été | l'automne | l’automne",
    )
});

fn time(lead: &Lead, said: &Said) -> Factor {
    let stated = lead.contact.timeline.as_deref().map(str::trim).filter(|t| !t.is_empty());
    factor("time", stated.or_else(|| said.first_of(&WHEN)).map(|w| (10, w)))
}

fn factor(name: &str, evidence: Option<(u8, &str)>) -> Factor {
    let evidence = evidence.filter(|(_, words)| !words.trim().is_empty());
    let most = MOST.iter().find(|(known, _)| *known == name).map_or(0, |(_, most)| *most);
    Factor {
        name: name.into(),
        points: evidence.map_or(0, |(points, _)| points.min(most)),
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
