//! DeliveryPM: the plan, reports on it, the client's requests sorted, change orders, one milestone after the other,
//! the closing. What is to be done next is read from the records.

mod certificates;
mod order;
mod plan;
mod report;
mod requests;

use max_core::id::Digest;
use max_core::lead::{ClientAsk, MessageKind, TaskReason};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::delivery_pm::{
    Agreed, Closing, Milestone, MilestoneReady, Plan, ProjectClosed, SortedRequest, duties_come_late, open_order,
    pending_changes, signed_orders, sorted_requests, standing_ask,
};
use max_core::stages::onboarding::Checklist;
use max_documents::Letterhead;
use max_documents::delivery::{self, Project};
use max_engine::ports::{CallFail, File, Thought};
use minijinja::context;

use super::intent;
use super::rejection::{self, Of, Wanted};
use super::text;
use super::turn::{Turn, needs_person};

/// The project as this stage works on it.
struct Running<'a> {
    turn: &'a Turn<'a>,
    agreed: Agreed,
    title: String,
    head: Letterhead,
}

impl Running<'_> {
    fn project(&self) -> Project<'_> {
        Project { title: &self.title, requirements: &self.agreed.requirements, head: &self.head, lang: self.turn.lang }
    }
}

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    let (Some(scope), Some(agreed)) = (turn.scope(), Agreed::of(turn.lead)) else {
        return Ok(needs_person("there is no scope to deliver; add it to the lead, then retry"));
    };
    let running = Running { turn, agreed, title: scope.title, head: turn.head() };
    let Some(plan) = turn.lead.stage_value::<Plan>(Stage::DeliveryPM, "plan") else {
        return plan::first(&running);
    };
    if let Some(words) = turn.news() {
        if intent::withdraws(&words) && open_order(turn.lead).is_none() {
            return turn.withdrawn(&words);
        }
        if requests::is_angry(&words) {
            let words = text::tame(&words, 200);
            return Ok(needs_person(&format!("the client is unhappy with the project: {words}")));
        }
        if let Some(sorted) = requests::sort(&running, &plan)? {
            return Ok(sorted);
        }
        if let Some(lapsed) = requests::asks_again(turn.lead, &words) {
            return order::draft_anew(&running, &plan, &lapsed);
        }
        if requests::asks_how_it_stands(&words) {
            return report::think(&running, &plan);
        }
    }
    if turn.brief.task.reason == TaskReason::Report {
        return report::think(&running, &plan);
    }
    let mut thought = go_on(&running, &plan)?;
    if let TaskReason::Lapsed { number } = turn.brief.task.reason {
        let slots = context! { order => format!("CO-{number}") };
        thought.messages.extend(turn.mail(MessageKind::Reply, "change-order-lapsed", slots)?);
    }
    thought.files.extend(certificates::missing(&running)?);
    Ok(thought)
}

/// Nothing new was said: what was signed enters the plan, what was asked for is offered, what is open is handed over.
fn go_on(running: &Running, plan: &Plan) -> Result<Thought, CallFail> {
    let turn = running.turn;
    let planned = |id: &str| plan.milestone_of(id).is_some();
    let orders = signed_orders(turn.lead);
    if orders.iter().flat_map(|o| &o.added).any(|r| !planned(&r.id)) {
        return plan::revised(running, plan, &orders);
    }
    let late = duties_come_late(turn.lead, plan, turn.policy);
    if !late.is_empty() {
        return plan::moved(running, plan, &late);
    }
    // A change is offered before the milestone is asked for again: it may belong to it.
    let offered = open_order(turn.lead).is_some();
    if let Some(change) = pending_changes(turn.lead).first().filter(|_| !offered) {
        return order::draft(running, plan, change);
    }
    if let Some(ask) = standing_ask(turn.lead).filter(|_| turn.rejection().is_none()) {
        return match turn.news() {
            Some(words) => turn.answer(&words, ask.clone(), reminder(ask, turn)),
            None => Ok(turn.keep_waiting(ask.clone())),
        };
    }
    if let Some(open) = open_order(turn.lead) {
        return order::draft_again(running, plan, &open);
    }
    match plan.open_milestone(turn.lead) {
        Some(milestone) => hand_over(running, plan, milestone),
        None => close(running, plan),
    }
}

fn reminder(ask: &ClientAsk, turn: &Turn) -> &'static str {
    match ask {
        ClientAsk::ChangeOrder { .. } => turn.say([
            "To order the change, answer with the name of the person who signs it; to leave it, say that you do not want it. Work on it starts after the signature.",
            "Um die Änderung zu beauftragen, antworten Sie mit dem Namen der Person, die unterschreibt; wenn Sie sie nicht möchten, sagen Sie es einfach. Die Arbeit daran beginnt nach der Unterschrift.",
            "Antwoord met de naam van wie tekent om de wijziging te bestellen; wilt u haar niet, laat het dan weten. Het werk eraan begint na de handtekening.",
            "Pour commander la modification, répondez avec le nom de la personne qui signe ; si vous n'en voulez pas, dites-le simplement. Le travail commence après la signature.",
        ], [
            "Um die Änderung zu beauftragen, antworte mit dem Namen der Person, die unterschreibt; wenn du sie nicht möchtest, sag es einfach. Die Arbeit daran beginnt nach der Unterschrift.",
            "Antwoord met de naam van wie tekent om de wijziging te bestellen; wil je haar niet, laat het dan weten. Het werk eraan begint na de handtekening.",
            "Pour commander la modification, réponds avec le nom de la personne qui signe ; si tu n'en veux pas, dis-le simplement. Le travail commence après la signature.",
        ]),
        _ => turn.say([
            "To sign the milestone off, answer with the name of the person who signs; a person of the agency records it.",
            "Zur Abnahme antworten Sie mit dem Namen der Person, die abnimmt; ein Mensch der Agentur hält sie fest.",
            "Antwoord om de mijlpaal goed te keuren met de naam van wie goedkeurt; een medewerker van het bureau legt het vast.",
            "Pour réceptionner le jalon, répondez avec le nom de la personne qui le réceptionne ; une personne de l'agence l'enregistre.",
        ], [
            "Zur Abnahme antworte mit dem Namen der Person, die abnimmt; ein Mensch der Agentur hält sie fest.",
            "Antwoord om de mijlpaal goed te keuren met de naam van wie goedkeurt; een medewerker van het bureau legt het vast.",
            "Pour réceptionner le jalon, réponds avec le nom de la personne qui le réceptionne ; une personne de l'agence l'enregistre.",
        ]),
    }
}

/// A milestone goes to the client for sign-off. What was reported before counts as mended: a person of the agency
/// confirms it with the hand-over, or sends it back.
fn hand_over(running: &Running, plan: &Plan, milestone: &Milestone) -> Result<Thought, CallFail> {
    let turn = running.turn;
    let note = match turn.rejection().map(|reason| rejection::read(&reason, Of::Milestone)) {
        Some(Err(part)) => return Ok(rejection::not_understood(&part, Of::Milestone)),
        Some(Ok(wanted)) => wanted.into_iter().find_map(|wanted| match wanted {
            Wanted::Words(words) => Some(words),
            _ => None,
        }),
        None => None,
    };
    let note = note.unwrap_or_default();
    let requests = sorted_requests(turn.lead);
    let of_this = |r: &&SortedRequest| r.requirement.as_ref().is_none_or(|id| milestone.requirements.contains(id));
    let defects = requests.iter().filter(|r| r.is_open_defect());
    let (mended, open): (Vec<&SortedRequest>, Vec<&SortedRequest>) = defects.partition(of_this);
    let ids = |of: &[&SortedRequest]| of.iter().map(|r| r.id.clone()).collect::<Vec<String>>();
    let (mended_ids, open_ids) = (ids(&mended), ids(&open));
    let sign_off = delivery::SignOff { milestone, note: &note, open_defects: open, mended, currency: &plan.currency };
    let name = format!("milestone-{}", milestone.id);
    let doc = delivery::milestone(&sign_off, running.project());
    let files = turn.document(&name, &context_of(milestone, &open_ids, &mended_ids), doc)?;
    let file = format!("{name}.pdf");
    let document = signed_form(&files, &file);
    let slots = context! { milestone => milestone.id.as_str(), title => milestone.title.as_str(), document => document.to_string() };
    Ok(Thought {
        summary: format!("{} is ready for sign-off: {}", milestone.id, milestone.title),
        messages: turn.mail_with(MessageKind::Milestone, "milestone", slots, &[&file])?,
        result: StageResult::MilestoneReady(MilestoneReady {
            id: milestone.id.clone(),
            document,
            file,
            open_defects: open_ids,
            mended: mended_ids,
        }),
        files,
    })
}

/// What a sign-off document is rendered from.
fn context_of(milestone: &Milestone, open: &[String], mended: &[String]) -> serde_json::Value {
    serde_json::json!({"milestone": milestone, "open_defects": open, "mended": mended})
}

/// What a client's signature is bound to: the file that he gets, to the byte.
fn signed_form(files: &[File], name: &str) -> Digest {
    let sent = files.iter().find(|f| f.name == name);
    sent.map_or(Digest([0; 32]), |f| Digest::of(&f.bytes))
}

fn close(running: &Running, plan: &Plan) -> Result<Thought, CallFail> {
    let turn = running.turn;
    let closing = closing(running, plan);
    let signature = |id: &str| turn.lead.accepted_milestones.get(id).cloned();
    let doc = delivery::closing(plan, &closing, signature, running.project());
    let reason = format!("all {} milestones are signed off", plan.milestones.len());
    let result = ProjectClosed { reason: reason.clone(), closing };
    let files = turn.document("closing", &result, doc)?;
    Ok(Thought {
        summary: format!("Closed: {reason}"),
        messages: turn.mail_with(MessageKind::Closing, "closing", context! {}, &["closing.pdf"])?,
        result: StageResult::ProjectClosed(result),
        files,
    })
}

fn closing(running: &Running, plan: &Plan) -> Closing {
    let turn = running.turn;
    let (warranty_until, kept_until) = Closing::last_days(turn.lead, turn.policy);
    let access = turn.lead.stage_value::<Checklist>(Stage::Onboarding, "checklist").map(|c| c.access);
    let mut removed: Vec<String> =
        access.unwrap_or_default().iter().map(|a| format!("{}: {}", a.who, a.what)).collect();
    if removed.is_empty() {
        let ours = [
            "our access to your systems",
            "unsere Zugänge zu Ihren Systemen",
            "onze toegang tot uw systemen",
            "nos accès à vos systèmes",
        ];
        removed.push(turn.lang.pick(ours).into());
    }
    Closing {
        hand_over: plan.milestones.iter().map(|m| format!("{}: {}", m.id, m.title)).collect(),
        access_removed: removed,
        warranty_until,
        kept_until,
        feedback: turn
            .lang
            .pick([
                "What went well, and what should we do better? Two sentences in answer to this mail help us.",
                "Was war gut, und was sollen wir besser machen? Zwei Sätze als Antwort auf diese Mail helfen uns.",
                "Wat ging goed, en wat kan beter? Twee zinnen als antwoord op deze mail helpen ons.",
                "Qu'est-ce qui s'est bien passé, et que devons-nous améliorer ? Deux phrases en réponse à cet e-mail nous aident.",
            ])
            .into(),
    }
}
