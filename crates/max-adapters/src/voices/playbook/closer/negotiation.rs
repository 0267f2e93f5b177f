//! The client answered an offer. What he asks for becomes a new revision as far as the agency's authority goes; what
//! goes beyond it is a person's.

use max_core::lead::ClientAsk;
use max_core::stages::closer::{Concessions, LeverKind, OptionKind, Proposal, below_floor};
use max_core::stages::scoping::{Priority, Scope};
use max_documents::Lang;
use max_engine::ports::{CallFail, Thought};

use super::super::intent::Haggle;
use super::super::rejection::{self, Of, Wanted};
use super::super::text;
use super::super::turn::{Turn, needs_person};
use super::asks::{self, Ask};
use super::{contract, offer};

/// The discount offered to somebody who only asks for "less".
const FIRST_STEP_BASIS_POINTS: u32 = 500;

/// One turn of the negotiation.
pub fn negotiate(turn: &Turn, words: &str, scope: &Scope) -> Result<Thought, CallFail> {
    let Some(sent) = turn.proposal() else { return offer(turn, scope, &Concessions::default(), Vec::new()) };
    if asks::threatens(words) {
        return Ok(needs_person(&format!(
            "the client is angry or speaks of legal steps; answer yourself: {}",
            text::tame(words, 200)
        )));
    }
    let offered: Vec<OptionKind> = sent.options.iter().map(|o| o.kind).collect();
    if let Some(named) = asks::accepts(words, &offered) {
        return contract(turn, scope, named.and_then(|kind| sent.with(kind)).unwrap_or(sent));
    }
    let asks = asks::asks(words);
    if asks.is_empty() {
        let reminder = turn.say(
            [
                "Our offer stands as sent; to accept it, answer \"we accept\".",
                "Unser Angebot gilt wie gesendet; zum Annehmen antworten Sie „einverstanden“.",
                "Onze offerte geldt zoals verzonden; antwoord \"akkoord\" om haar te aanvaarden.",
                "Notre offre reste valable telle qu'envoyée ; pour l'accepter, répondez « bon pour accord ».",
            ],
            [
                "Unser Angebot gilt wie gesendet; zum Annehmen antworte „einverstanden“.",
                "Onze offerte geldt zoals verzonden; antwoord \"akkoord\" om haar te aanvaarden.",
                "Notre offre reste valable telle qu'envoyée ; pour l'accepter, réponds « bon pour accord ».",
            ],
        );
        return turn.answer(words, ClientAsk::Decision, reminder);
    }
    let mut round = Round { turn, scope, sent: &sent, given: Concessions::of(&sent, scope), changed: false };
    for ask in &asks {
        if let Err(reason) = round.grant(ask) {
            return Ok(needs_person(&reason));
        }
    }
    round.answer(words)
}

/// What a person of the agency wants to see changed in an offer that was rejected. His words stay in the house: the
/// client reads what the new figures are.
pub fn rejected(turn: &Turn, reason: &str, scope: &Scope) -> Result<Thought, CallFail> {
    let Some(sent) = turn.proposal() else { return offer(turn, scope, &Concessions::default(), Vec::new()) };
    let wanted = match rejection::read(reason, Of::Offer) {
        Ok(wanted) => wanted,
        Err(part) => return Ok(rejection::not_understood(&part, Of::Offer)),
    };
    let mut given = Concessions::of(&sent, scope);
    for wanted in &wanted {
        match wanted {
            Wanted::NoDiscount => given.cut_basis_points = 0,
            Wanted::Discount(points) => {
                if let Some(no) = rejection::beyond_authority(*points, turn.policy) {
                    return Ok(no);
                }
                given.cut_basis_points = *points;
                given.in_return.insert(LeverKind::PriceCut, in_return(turn, LeverKind::PriceCut));
            }
            Wanted::Round => {
                given.round = true;
                given.in_return.entry(LeverKind::Rounding).or_insert_with(|| in_return(turn, LeverKind::Rounding));
            }
            Wanted::Again | Wanted::Words(_) | Wanted::Weigh(..) => {}
        }
    }
    let next = Proposal::offer(scope, &turn.policy.rate_card, turn.policy, &given, turn.today());
    if let Some(reason) = beyond(turn, &next) {
        return Ok(needs_person(&reason));
    }
    let same = wanted.iter().all(|wanted| *wanted == Wanted::Again);
    offer(turn, scope, &given, if same { Vec::new() } else { changes(turn, &sent, &next) })
}

/// The concessions of one answer.
struct Round<'a> {
    turn: &'a Turn<'a>,
    scope: &'a Scope,
    sent: &'a Proposal,
    given: Concessions,
    changed: bool,
}

impl Round<'_> {
    /// Grants one wish as far as rules can, or says why a person has to.
    fn grant(&mut self, ask: &Ask) -> Result<(), String> {
        match ask {
            Ask::Lower(haggle) => {
                let wanted = self.wanted(*haggle);
                let limit = self.turn.policy.discount_limit_basis_points;
                if wanted > limit {
                    let (wanted, limit) = (Lang::En.percent(wanted), Lang::En.percent(limit));
                    return Err(format!(
                        "the client asks for a discount of {wanted}, and nobody may give more than {limit}; offer less \
                         work or let go"
                    ));
                }
                self.raise(wanted);
            }
            Ask::Round => self.set(LeverKind::Rounding, |given| given.round = true),
            Ask::PayLater => {
                let days = self.turn.policy.rate_card.later_days;
                self.set(LeverKind::LaterPayment, |given| given.later_days = Some(days));
            }
            Ask::NoDeposit if self.turn.policy.wants_deposit() => {
                return Err("the client does not want to pay a deposit, and the agency's rules ask for one".into());
            }
            Ask::NoDeposit => {}
            Ask::Free(words) => self.free(words)?,
            Ask::Drop(words) => self.drop(words)?,
            Ask::Add(words) => {
                let id = asks::requirement(words, self.scope).filter(|id| self.sent.line_of(id).is_none());
                if let Some(id) = id.map(str::to_owned) {
                    self.given.left_out.retain(|left| *left != id);
                    self.given.added.push(id);
                    self.changed = true;
                }
            }
        }
        Ok(())
    }

    fn wanted(&self, haggle: Haggle) -> u32 {
        let standing = self.given.cut_basis_points;
        match haggle {
            Haggle::By(points) => points,
            Haggle::To(units) => points_down_to(self.sent, units),
            Haggle::Lower if standing == 0 => FIRST_STEP_BASIS_POINTS.min(self.turn.policy.discount_alone_basis_points),
            Haggle::Lower => standing.saturating_add(FIRST_STEP_BASIS_POINTS),
        }
    }

    /// A new revision takes nothing back.
    fn raise(&mut self, wanted: u32) {
        if wanted > self.given.cut_basis_points {
            self.set(LeverKind::PriceCut, |given| given.cut_basis_points = wanted);
        }
    }

    fn set(&mut self, kind: LeverKind, change: impl FnOnce(&mut Concessions)) {
        change(&mut self.given);
        self.given.in_return.entry(kind).or_insert_with(|| in_return(self.turn, kind));
        self.changed = true;
    }

    fn free(&mut self, words: &str) -> Result<(), String> {
        let Some(id) = asks::requirement(words, self.scope) else {
            return Err(format!("the client asks for something at no charge: {}", text::tame(words, 200)));
        };
        let id = id.to_owned();
        if !self.given.free_items.contains(&id) {
            self.set(LeverKind::FreeItem, |given| given.free_items.push(id));
        }
        Ok(())
    }

    fn drop(&mut self, words: &str) -> Result<(), String> {
        let found = asks::requirement(words, self.scope).and_then(|id| self.scope.requirement(id));
        match found.map(|r| (r.id.clone(), r.priority)) {
            Some((id, Priority::Must)) => Err(format!(
                "the client wants to do without {id}, which is a Must of the approved scope; hand the lead back to \
                 Scoping if it is to change"
            )),
            Some((id, _)) => {
                self.given.added.retain(|added| *added != id);
                if !self.given.left_out.contains(&id) {
                    self.given.left_out.push(id);
                }
                self.changed = true;
                Ok(())
            }
            None => Err(format!("the client wants to leave something out: {}", text::tame(words, 200))),
        }
    }

    fn answer(self, words: &str) -> Result<Thought, CallFail> {
        let Self { turn, scope, sent, given, changed } = self;
        if !changed {
            let reminder = turn.say(
                [
                    "What you ask for stands in our offer already.",
                    "Was Sie wünschen, steht bereits in unserem Angebot.",
                    "Wat u vraagt, staat al in onze offerte.",
                    "Ce que vous demandez figure déjà dans notre offre.",
                ],
                [
                    "Was du wünschst, steht bereits in unserem Angebot.",
                    "Wat je vraagt, staat al in onze offerte.",
                    "Ce que tu demandes figure déjà dans notre offre.",
                ],
            );
            return turn.answer(words, ClientAsk::Decision, reminder);
        }
        let rates = &turn.policy.rate_card;
        let next = Proposal::offer(scope, rates, turn.policy, &given, turn.today());
        if let Some(reason) = beyond(turn, &next) {
            return Ok(needs_person(&reason));
        }
        let changes = changes(turn, sent, &next);
        offer(turn, scope, &given, changes)
    }
}

/// Why nobody may send this offer, if nobody may.
fn beyond(turn: &Turn, next: &Proposal) -> Option<String> {
    let limit = turn.policy.discount_limit_basis_points;
    let most = next.options.iter().map(|o| o.discount_basis_points).max().unwrap_or_default();
    if most > limit {
        let (most, limit) = (Lang::En.percent(most), Lang::En.percent(limit));
        return Some(format!(
            "all concessions together come to {most}, and nobody may give more than {limit}; offer less work or let go"
        ));
    }
    let below = next.options.iter().any(|o| below_floor(&o.lines, o.net_minor, &turn.policy.rate_card));
    below.then(|| "the client asks for a price below what the agency accepts for this work; talk to them".into())
}

/// What is different now, for the client to read.
fn changes(turn: &Turn, sent: &Proposal, next: &Proposal) -> Vec<String> {
    let lang = turn.lang;
    let money = |minor: i64| lang.money(minor, &next.currency);
    let mut changes = Vec::new();
    let ids = |p: &Proposal| p.lines.iter().flat_map(|l| l.requirements.clone()).collect::<Vec<_>>();
    let (before, after) = (ids(sent), ids(next));
    let out: Vec<&str> = before.iter().filter(|id| !after.contains(id)).map(String::as_str).collect();
    let new: Vec<&str> = after.iter().filter(|id| !before.contains(id)).map(String::as_str).collect();
    if !out.is_empty() {
        let ids = out.join(", ");
        changes.push(lang.pick([
            format!("Left out: {ids}."),
            format!("Entfällt: {ids}."),
            format!("Vervalt: {ids}."),
            format!("Retiré : {ids}."),
        ]));
    }
    if !new.is_empty() {
        let ids = new.join(", ");
        changes.push(lang.pick([
            format!("Added: {ids}."),
            format!("Neu dabei: {ids}."),
            format!("Toegevoegd: {ids}."),
            format!("Ajouté : {ids}."),
        ]));
    }
    for lever in next.levers.iter().filter(|l| !sent.levers.contains(l)) {
        let name = max_documents::proposal::lever_name(lever, lang);
        let worth = match (lever.basis_points, lever.amount_minor) {
            (0, 0) => String::new(),
            (0, minor) => format!(" ({})", money(minor)),
            (points, _) => format!(" ({})", lang.percent(points)),
        };
        let (item, back) = (&lever.requirement, &lever.in_return);
        let item = if item.is_empty() { String::new() } else { format!(" {item}") };
        changes.push(lang.pick([
            format!("{name}{item}{worth}; in return: {back}."),
            format!("{name}{item}{worth}; im Gegenzug: {back}."),
            format!("{name}{item}{worth}; in ruil daarvoor: {back}."),
            format!("{name}{item}{worth} ; en contrepartie : {back}."),
        ]));
    }
    let gross = money(next.gross_minor);
    changes.push(lang.pick([
        format!("The total to pay is now {gross}."),
        format!("Der Gesamtbetrag ist jetzt {gross}."),
        format!("Het totaal te betalen is nu {gross}."),
        format!("Le total à payer est maintenant de {gross}."),
    ]));
    changes
}

/// What is asked for a concession.
pub fn in_return(turn: &Turn, kind: LeverKind) -> String {
    let lang = turn.lang;
    match kind {
        LeverKind::PriceCut => turn.agency.profile.discount_in_return.get(lang).to_owned(),
        LeverKind::Upfront => lang
            .pick([
                "the whole price is paid on signature",
                "der ganze Preis wird bei Unterschrift bezahlt",
                "de hele prijs wordt bij ondertekening betaald",
                "la totalité du prix est payée à la signature",
            ])
            .into(),
        LeverKind::Rounding => lang
            .pick([
                "the client decides while this offer is valid",
                "der Kunde entscheidet, solange dieses Angebot gilt",
                "de klant beslist zolang deze offerte geldig is",
                "le client se décide pendant la validité de cette offre",
            ])
            .into(),
        LeverKind::FreeItem => lang
            .pick([
                "the client names one person who decides and answers",
                "der Kunde benennt eine Person, die entscheidet und antwortet",
                "de klant wijst één persoon aan die beslist en antwoordt",
                "le client désigne une personne qui décide et répond",
            ])
            .into(),
        LeverKind::LaterPayment => lang
            .pick([
                "the client pays on the day named, without deduction and without reminder",
                "der Kunde zahlt am genannten Tag, ohne Abzug und ohne Mahnung",
                "de klant betaalt op de genoemde dag, zonder aftrek en zonder aanmaning",
                "le client paie au jour dit, sans déduction ni rappel",
            ])
            .into(),
    }
}

/// The discount in basis points that brings the total down to `units`, rounded up to a tenth of a percent.
fn points_down_to(sent: &Proposal, units: u64) -> u32 {
    let target = i64::try_from(units).unwrap_or(i64::MAX / 1_000_000).saturating_mul(100);
    let full = sent.list_minor + sent.list_minor.saturating_mul(i64::from(sent.vat_basis_points)) / 10_000;
    if full <= 0 || target >= full {
        return 0;
    }
    let points = (full - target).saturating_mul(10_000).div_euclid(full) + 1;
    u32::try_from((points + 9) / 10 * 10).unwrap_or(10_000)
}
