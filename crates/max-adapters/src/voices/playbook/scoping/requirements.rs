//! From wishes to requirements: numbered, with effort and acceptance, weighed honestly, and none of them lost.

use std::collections::BTreeMap;

use max_core::stages::scoping::{Priority, Requirement, Wish as Covered};
use max_documents::Lang;

use super::frame::depends_on;
use super::title;
use crate::agency::Feature;
use crate::voices::playbook::rejection::Wanted;
use crate::voices::playbook::text;
use crate::voices::playbook::turn::{Turn, Words};
use crate::voices::playbook::wishes::{self, Wish, Wishes};

/// Beyond so many requirements, further wishes are gathered under the one they belong to: a list that nobody can read
/// is no agreement. Each of them is listed with its place in the annex.
const ONE_BY_ONE: usize = 120;
/// The largest share of the Musts, in per cent.
const MUSTS: u32 = 60;

/// A requirement and what it is about.
pub struct Built<'a> {
    pub requirement: Requirement,
    pub feature: Option<&'a Feature>,
    gathered: u32,
}

impl Built<'_> {
    pub fn is_about(&self, feature: &str) -> bool {
        self.feature.is_some_and(|f| f.id == feature)
    }

    pub fn is_built(&self) -> bool {
        self.requirement.priority != Priority::Wont
    }
}

/// The requirements, and where every spoken wish went.
pub fn from_wishes<'a>(turn: &Turn<'a>, said: &[Words], mut wished: Wishes<'a>) -> (Vec<Built<'a>>, Vec<Covered>) {
    let mut covered_first = None;
    if wished.all.iter().all(|w| w.priority == Priority::Wont) {
        let whole = the_project_itself(turn, said);
        covered_first = Some((whole.quote.clone(), whole.source.clone()));
        wished.all.insert(0, whole);
        for spoken in &mut wished.spoken {
            spoken.wishes.iter_mut().for_each(|n| *n += 1);
        }
    }
    let (mut built, homes) = build(turn, wished.all);
    weigh(&mut built);
    let mut all: Vec<Built> = built.into_iter().map(|w| w.built).collect();
    let after: Vec<Vec<String>> = all.iter().map(|b| depends_on(turn, b, &all)).collect();
    for (one, after) in all.iter_mut().zip(after) {
        one.requirement.depends_on = after.into_iter().filter(|id| *id != one.requirement.id).collect();
        if one.gathered > 0 {
            let more = gathered(turn.lang, one.gathered);
            one.requirement.acceptance = format!("{} {more}", one.requirement.acceptance);
        }
    }
    let id = |n: &usize| homes.get(*n).and_then(|h| all.get(*h)).map(|b| b.requirement.id.clone());
    let own = covered_first.map(|(quote, source)| Covered {
        quote,
        source,
        met_by: id(&0).into_iter().collect(),
        ..Covered::default()
    });
    let spoken = wished.spoken.into_iter().map(|s| {
        let mut met_by: Vec<String> = s.wishes.iter().filter_map(id).collect();
        met_by.sort_unstable();
        met_by.dedup();
        Covered { quote: s.quote, source: s.source, met_by, section: s.section.to_owned(), ..Covered::default() }
    });
    let covered = own.into_iter().chain(spoken).collect();
    (all, covered)
}

/// What a person who rejected the scope wants to weigh differently, now and in the rounds before; or what of it no rule
/// can do.
pub fn weigh_again(turn: &Turn, all: &mut [Built], wanted: &[Wanted]) -> Result<(), String> {
    let before = turn.scope().filter(|_| turn.rejection().is_some());
    let kept = before.iter().flat_map(|scope| &scope.requirements).map(|r| (r.id.clone(), r.priority, Some(&r.text)));
    let now = wanted.iter().filter_map(|wanted| match wanted {
        Wanted::Weigh(id, priority) => Some((id.clone(), *priority, None)),
        _ => None,
    });
    for (id, priority, text) in kept.chain(now) {
        let Some(built) = all.iter_mut().map(|b| &mut b.requirement).find(|r| r.id == id) else {
            // What was there before may be gone with the client's newest words; what is asked for now must be there.
            if text.is_some() {
                continue;
            }
            return Err(format!("{id} stands in no scope"));
        };
        if text.is_some_and(|text| *text != built.text) || built.priority == priority {
            continue;
        }
        if built.priority == Priority::Wont {
            return Err(format!("{id} was not wanted by the client, so there is no effort for it"));
        }
        built.priority = priority;
        if priority == Priority::Wont {
            built.effort_quarter_days = 0;
            built.acceptance = turn
                .lang
                .pick([
                    "Not built in this project.",
                    "Wird in diesem Projekt nicht gebaut.",
                    "Wordt in dit project niet gebouwd.",
                    "Ne fait pas partie de ce projet.",
                ])
                .to_owned();
        }
    }
    if all.iter().any(|b| b.requirement.priority == Priority::Must) {
        Ok(())
    } else {
        Err("then nothing would be a Must".into())
    }
}

/// A requirement before its weight is final.
struct Weighed<'a> {
    built: Built<'a>,
    stressed: bool,
}

/// One requirement for each wish, and for each wish the number of the requirement it is met by.
fn build<'a>(turn: &Turn<'a>, wishes: Vec<Wish<'a>>) -> (Vec<Weighed<'a>>, Vec<usize>) {
    let other = &turn.agency.catalog.other_feature;
    let mut all: Vec<Weighed> = Vec::new();
    let mut homes = Vec::with_capacity(wishes.len());
    // The first requirement about each feature that is built (true) or left out (false).
    let mut about: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    for wish in wishes {
        let out = wish.priority == Priority::Wont;
        let feature = wish.feature.map_or("", |f| f.id.as_str());
        let home = about.get(&(feature, !out)).copied();
        if let Some(home) = home.filter(|_| all.len() >= ONE_BY_ONE)
            && let Some(at) = all.get_mut(home)
        {
            at.built.gathered += 1;
            at.built.requirement.effort_quarter_days += u32::from(!out);
            at.stressed |= wish.stressed;
            homes.push(home);
            continue;
        }
        let full = wish.feature.map_or(other.quarter_days, |f| f.quarter_days);
        let again = !feature.is_empty() && home.is_some();
        let acceptance = wish.feature.map_or(&other.acceptance, |f| &f.acceptance).get(turn.lang);
        let number = all.len();
        about.entry((feature, !out)).or_insert(number);
        homes.push(number);
        all.push(Weighed {
            stressed: wish.stressed,
            built: Built {
                requirement: Requirement {
                    id: format!("R-{:03}", number + 1),
                    text: wish.text,
                    priority: wish.priority,
                    acceptance: if out { left_out(turn.lang) } else { acceptance }.to_owned(),
                    source: wish.source,
                    quote: wish.quote,
                    effort_quarter_days: match wish.priority {
                        Priority::Wont => 0,
                        // A second wish about the same thing adds to it and does not build it twice.
                        _ if again => (full / 4).max(2),
                        _ => full.max(1),
                    },
                    service: wish.feature.map(|f| f.service.clone()).unwrap_or_default(),
                    depends_on: Vec::new(),
                },
                feature: wish.feature,
                gathered: 0,
            },
        });
    }
    (all, homes)
}

/// What the client stressed is a Must. What is only wanted is one as well, in the order in which it was said, as long
/// as the Musts leave room; the rest are Shoulds. At least one requirement is a Must.
fn weigh(all: &mut [Weighed]) {
    let effort = |w: &Weighed| w.built.requirement.effort_quarter_days;
    let total: u32 = all.iter().map(effort).sum();
    let wanted = |w: &Weighed| w.built.requirement.priority == Priority::Must;
    let mut musts: u32 = all.iter().filter(|w| wanted(w) && w.stressed).map(effort).sum();
    let mut any = all.iter().any(|w| wanted(w) && w.stressed);
    let mut room = true;
    for one in all.iter_mut().filter(|w| wanted(w) && !w.stressed) {
        let sum = musts + effort(one);
        room &= sum.saturating_mul(100) <= total.saturating_mul(MUSTS);
        if room || !any {
            musts = sum;
            any = true;
        } else {
            one.built.requirement.priority = Priority::Should;
        }
    }
    if !any && let Some(first) = all.iter_mut().find(|w| w.built.is_built()) {
        first.built.requirement.priority = Priority::Must;
    }
}

/// When no sentence says what is to be built: what was asked for as a whole.
fn the_project_itself<'a>(turn: &Turn<'a>, said: &[Words]) -> Wish<'a> {
    let line = |w: &Words| w.text.lines().map(str::trim).find(|l| !l.is_empty()).map(|l| text::head(l, 600).to_owned());
    let (source, quote) =
        said.iter().find_map(|w| Some((w.source.clone(), line(w)?))).unwrap_or(("lead".into(), String::new()));
    Wish {
        text: title(turn),
        source,
        quote,
        priority: Priority::Must,
        stressed: false,
        feature: wishes::feature(&turn.all_said(), &turn.agency.catalog),
    }
}

fn left_out(lang: Lang) -> &'static str {
    lang.pick([
        "Not built in this project, as the client said.",
        "Wird in diesem Projekt nicht gebaut, wie vom Kunden gesagt.",
        "Wordt in dit project niet gebouwd, zoals de klant zei.",
        "Ne fait pas partie de ce projet, comme le client l'a dit.",
    ])
}

/// What an acceptance says about the wishes gathered under its requirement.
fn gathered(lang: Lang, number: u32) -> String {
    let (before, after) = lang.pick([
        ("The", "further wishes that the annex lists for it are shown one by one."),
        ("Die", "weiteren Wünsche, die der Anhang dazu nennt, werden einzeln gezeigt."),
        ("De", "verdere wensen die de bijlage hierbij noemt worden één voor één getoond."),
        ("Les", "autres souhaits que l'annexe y rattache sont montrés un par un."),
    ]);
    format!("{before} {number} {after}")
}
