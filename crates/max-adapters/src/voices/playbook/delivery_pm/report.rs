//! The status report: computed, then put into words.

use max_core::lead::{ClientAsk, MessageKind};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::delivery_pm::{
    Colour, DecisionNeeded, Plan, Risk, Slip, Standing, StatusReport, open_duties, sorted_requests, standing_ask,
};
use max_documents::delivery;
use max_engine::ports::{CallFail, Thought};
use minijinja::context;

use super::Running;

/// A date that slipped is expected so many working days after the report.
const SLIP_DAYS: u32 = 5;
/// What is asked of the client is wanted within so many working days.
const ANSWER_DAYS: u32 = 5;

pub(super) fn think(running: &Running, plan: &Plan) -> Result<Thought, CallFail> {
    let turn = running.turn;
    let report = report(running, plan);
    let name = format!("status-report-{}", report.number);
    let doc = delivery::report(&report, plan, running.project());
    let files = turn.document(&format!("reports/{name}"), &report, doc)?;
    let attached = format!("reports/{name}.pdf");
    let slots =
        context! { colour => report.colour.name(), report => report.number, slipped => !report.slips.is_empty() };
    Ok(Thought {
        summary: format!("Status report {}: {}", report.number, report.colour.name()),
        messages: turn.mail_with(MessageKind::Report, "status-report", slots, &[&attached])?,
        result: StageResult::StatusReport(report),
        files,
    })
}

fn report(running: &Running, plan: &Plan) -> StatusReport {
    let turn = running.turn;
    let day = turn.today();
    let standing = Standing::on(turn.lead, plan, turn.policy, day);
    let before = turn.lead.stage_value::<StatusReport>(Stage::DeliveryPM, "status_report");
    let forecast = turn.calendar().after(day, SLIP_DAYS);
    let slipped = plan.milestones.iter().filter(|m| standing.slipped.contains(&m.id));
    StatusReport {
        number: before.as_ref().map_or(1, |b| b.number + 1),
        day,
        colour: standing.colour,
        days_late: standing.days_late,
        reason: reason(running, &standing),
        risks: risks(running, plan),
        decisions: decisions(running, plan),
        slips: slipped
            .map(|m| Slip { milestone: m.id.clone(), planned: m.due, forecast })
            .chain(standing.moved.clone())
            .collect(),
        done: standing.done,
        next: standing.next,
        used_minor: standing.used_minor,
        planned_minor: standing.planned_minor,
        total_minor: standing.total_minor,
        currency: plan.currency.clone(),
    }
}

/// Why it is not green. What people know about the cause is theirs to say; the records know which date it is.
fn reason(running: &Running, standing: &Standing) -> String {
    if standing.colour == Colour::Green {
        return String::new();
    }
    let ids = standing.slipped.join(", ");
    let lang = running.turn.lang;
    let words = lang.pick([
        "These are not handed over yet",
        "Noch nicht übergeben",
        "Nog niet overgedragen",
        "Pas encore remis",
    ]);
    if ids.is_empty() {
        let late = ["handed over late", "verspätet übergeben", "te laat overgedragen", "remis en retard"];
        return lang.pick(late).into();
    }
    format!("{words}: {ids}")
}

fn risks(running: &Running, plan: &Plan) -> Vec<Risk> {
    let (lang, today) = (running.turn.lang, running.turn.today());
    let late = open_duties(running.turn.lead, plan).into_iter().filter(|d| d.due < today).map(|d| {
        let words = lang.pick([
            "not here yet; what needs it moves with it",
            "noch nicht da; was es braucht, verschiebt sich",
            "nog niet binnen; wat het nodig heeft, schuift mee",
            "pas encore reçu ; ce qui en dépend se décale",
        ]);
        Risk { about: d.id.clone(), text: format!("{}: {words}", d.text) }
    });
    let requests = sorted_requests(running.turn.lead);
    let defects = requests.into_iter().filter(|r| r.is_open_defect()).map(|r| {
        let words = lang.pick([
            "reported and not mended",
            "gemeldet und nicht behoben",
            "gemeld en niet hersteld",
            "signalé et non corrigé",
        ]);
        Risk { about: r.id, text: format!("{}: {words}", r.quote) }
    });
    late.chain(defects).collect()
}

fn decisions(running: &Running, plan: &Plan) -> Vec<DecisionNeeded> {
    let (turn, today) = (running.turn, running.turn.today());
    let by = turn.calendar().after(today, ANSWER_DAYS);
    let mut needed = Vec::new();
    match standing_ask(turn.lead) {
        Some(ClientAsk::Milestone { id, .. }) => {
            let text = turn.lang.pick([
                "sign off the milestone",
                "den Meilenstein abnehmen",
                "de mijlpaal goedkeuren",
                "réceptionner le jalon",
            ]);
            needed.push(DecisionNeeded { about: id.clone(), text: text.into(), by });
        }
        Some(ClientAsk::ChangeOrder { number, .. }) => {
            let text = turn.lang.pick([
                "sign or decline the change order",
                "den Änderungsauftrag unterschreiben oder ablehnen",
                "de wijzigingsopdracht ondertekenen of afwijzen",
                "signer ou refuser l'avenant",
            ]);
            needed.push(DecisionNeeded { about: format!("CO-{number}"), text: text.into(), by });
        }
        _ => {}
    }
    let duties = open_duties(turn.lead, plan).into_iter().filter(|d| d.due <= by);
    let soon = turn.calendar().after(today, 1);
    needed.extend(duties.map(|d| DecisionNeeded { about: d.id.clone(), text: d.text.clone(), by: d.due.max(soon) }));
    needed
}
