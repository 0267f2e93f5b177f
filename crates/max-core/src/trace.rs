//! The trace (TR-1): every requirement from the client's words to its acceptance, and nothing that no requirement asked
//! for. Computed from the stages' typed results alone, so that it shows what was delivered and not what was said.
//!
//! ```text
//! message -> scope line -> screen -> price line -> annex line -> milestone -> acceptance
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lead::Lead;
use crate::stage::Stage;
use crate::stages::Finding;
use crate::stages::closer::{Contract, Proposal};
use crate::stages::delivery_pm::{Milestone, Plan, signed_orders};
use crate::stages::orchestra::Mockup;
use crate::stages::scoping::{Priority, Requirement, Scope};

/// The way of every requirement that is paid for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// A row for each Must, and for each Should once it is priced; in the order of the scope.
    pub rows: Vec<TraceRow>,
    /// Screens, price lines, annex lines and milestones that no requirement asked for.
    pub strays: Vec<Stray>,
}

/// The way of one requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceRow {
    /// Its id.
    pub requirement: String,
    /// What it is.
    pub text: String,
    /// MoSCoW.
    pub priority: Priority,
    /// A cell for each of [`Column::ALL`], in that order.
    pub cells: Vec<Cell>,
}

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cell {
    /// Which step.
    pub column: Column,
    /// How it stands.
    pub state: CellState,
    /// What it leads to (ids), or why it is as it is.
    pub note: String,
}

/// A step of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// The client's message it comes from.
    Message,
    /// Its line in the scope.
    Scope,
    /// The screens that show it.
    Screen,
    /// The line of the price table that pays for it.
    Price,
    /// Its line in the contract's annex.
    Annex,
    /// The milestone that delivers it.
    Milestone,
    /// How it is accepted.
    Acceptance,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellState {
    /// There.
    Ok,
    /// Not there, or there twice, though its stage has delivered.
    Missing,
    /// Its stage has not delivered yet.
    NotYet,
    /// Not there, for a reason.
    Excused,
}

/// Something that no requirement asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stray {
    /// What kind of thing.
    pub column: Column,
    /// Which one.
    pub thing: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Column {
    /// All steps, in order.
    pub const ALL: [Column; 7] = [
        Column::Message,
        Column::Scope,
        Column::Screen,
        Column::Price,
        Column::Annex,
        Column::Milestone,
        Column::Acceptance,
    ];

    /// The heading of the column; the word as it stands in findings.
    pub const fn name(self) -> &'static str {
        match self {
            Column::Message => "message",
            Column::Scope => "scope",
            Column::Screen => "screen",
            Column::Price => "price",
            Column::Annex => "annex",
            Column::Milestone => "milestone",
            Column::Acceptance => "acceptance",
        }
    }

    /// The stage that delivers this step.
    pub const fn stage(self) -> Stage {
        match self {
            Column::Message | Column::Scope | Column::Acceptance => Stage::Scoping,
            Column::Screen => Stage::Orchestra,
            Column::Price | Column::Annex => Stage::Closer,
            Column::Milestone => Stage::DeliveryPM,
        }
    }
}

impl CellState {
    /// The word for people.
    pub const fn name(self) -> &'static str {
        match self {
            CellState::Ok => "ok",
            CellState::Missing => "missing",
            CellState::NotYet => "not yet",
            CellState::Excused => "excused",
        }
    }
}

impl TraceRow {
    /// The priority in a word.
    pub const fn priority_name(&self) -> &'static str {
        match self.priority {
            Priority::Must => "Must",
            Priority::Should => "Should",
            Priority::Could => "Could",
            Priority::Wont => "Won't",
        }
    }
}

impl Trace {
    /// True when no cell is red.
    pub fn is_whole(&self) -> bool {
        self.strays.is_empty() && self.rows.iter().flat_map(|r| &r.cells).all(|c| c.state != CellState::Missing)
    }

    /// The red cells as findings of TR-1: all, or those that one stage and the ones before it answer for. What was lost on
    /// the way stops every later approval, too.
    pub fn findings(&self, stage: Option<Stage>) -> Vec<Finding> {
        let concerns = |column: Column| stage.is_none_or(|stage| column.stage() <= stage);
        let cells = self.rows.iter().flat_map(|row| row.cells.iter().map(move |cell| (row, cell)));
        let missing = cells.filter(|(_, cell)| cell.state == CellState::Missing && concerns(cell.column));
        let strays = self.strays.iter().filter(|stray| concerns(stray.column));
        missing
            .map(|(row, cell)| {
                Finding::new("TR-1", format!("{}: {}", row.requirement, cell.note))
                    .at(format!("{}/{}", row.requirement, cell.column.name()))
                    .mend("reject, and say that this requirement was lost on the way; or waive it with a reason")
            })
            .chain(strays.map(|stray| {
                Finding::new("TR-1", format!("{}: {}", stray.thing, stray.detail))
                    .at(format!("{}/{}", stray.thing, stray.column.name()))
                    .mend(
                        "reject, and have it removed or tied to a requirement of the scope; or waive it with a reason",
                    )
            }))
            .collect()
    }
}

/// The trace of a lead, from what its stages have delivered so far.
pub fn trace(lead: &Lead) -> Trace {
    let Some(scope) = lead.stage_value::<Scope>(Stage::Scoping, "scope") else { return Trace::default() };
    let results = Results {
        lead,
        mockup: lead.stage_value(Stage::Orchestra, "mockup"),
        proposal: lead.stage_value(Stage::Closer, "proposal"),
        contract: lead.stage_value(Stage::Closer, "contract"),
        plan: lead.stage_value(Stage::DeliveryPM, "plan"),
    };
    let rows = scope.requirements.iter().filter(|r| results.is_followed(r)).map(|r| results.row(r)).collect();
    Trace { rows, strays: results.strays(&scope) }
}

/// What the stages have delivered so far.
struct Results<'a> {
    lead: &'a Lead,
    mockup: Option<Mockup>,
    proposal: Option<Proposal>,
    contract: Option<Contract>,
    plan: Option<Plan>,
}

impl Results<'_> {
    /// Musts always; a Should from the moment it is paid for.
    fn is_followed(&self, requirement: &Requirement) -> bool {
        match requirement.priority {
            Priority::Must => true,
            Priority::Should => self.price_lines(&requirement.id).next().is_some(),
            Priority::Could | Priority::Wont => false,
        }
    }

    fn row(&self, requirement: &Requirement) -> TraceRow {
        let cells = vec![
            self.message(requirement),
            cell(Column::Scope, CellState::Ok, requirement.id.clone()),
            self.screen(requirement),
            self.price(requirement),
            self.annex(requirement),
            self.milestone(requirement),
            self.acceptance(requirement),
        ];
        TraceRow {
            requirement: requirement.id.clone(),
            text: requirement.text.clone(),
            priority: requirement.priority,
            cells,
        }
    }

    fn message(&self, requirement: &Requirement) -> Cell {
        let source = requirement.source.as_str();
        let known = source == "lead" || self.lead.messages.iter().any(|m| m.id.to_string() == source);
        let column = Column::Message;
        if known {
            cell(column, CellState::Ok, source)
        } else if self.was_passed_over(Stage::Scoping) {
            cell(column, CellState::Excused, "it was taken in with the project")
        } else {
            cell(column, CellState::Missing, "no message of this client is its source")
        }
    }

    fn screen(&self, requirement: &Requirement) -> Cell {
        let column = Column::Screen;
        let Some(mockup) = &self.mockup else { return self.absent(column) };
        let screens = mockup.screens.iter().filter(|s| s.requirements.contains(&requirement.id));
        let screens: Vec<&str> = screens.map(|s| s.id.as_str()).collect();
        let reason = mockup.omitted.iter().find(|o| o.requirement == requirement.id && !o.reason.trim().is_empty());
        match (screens.as_slice(), reason) {
            ([], Some(omitted)) => cell(column, CellState::Excused, omitted.reason.clone()),
            ([], None) if requirement.priority != Priority::Must => {
                cell(column, CellState::Excused, "only Musts have to be shown")
            }
            ([], None) => cell(column, CellState::Missing, "no screen shows it, and no reason is given"),
            (screens, _) => cell(column, CellState::Ok, screens.join(", ")),
        }
    }

    fn price(&self, requirement: &Requirement) -> Cell {
        let column = Column::Price;
        if self.proposal.is_none() {
            return self.absent(column);
        }
        let lines: Vec<String> = self.price_lines(&requirement.id).map(|number| format!("line {number}")).collect();
        exactly_one(column, &lines, "no price line pays for it", "it is paid for more than once")
    }

    /// The numbers of the price lines that pay for a requirement, 1 for the first.
    fn price_lines<'r>(&'r self, id: &'r str) -> impl Iterator<Item = usize> + 'r {
        let lines = self.proposal.iter().flat_map(|p| &p.lines).enumerate();
        lines.filter(move |(_, line)| line.requirements.iter().any(|r| r == id)).map(|(index, _)| index + 1)
    }

    fn annex(&self, requirement: &Requirement) -> Cell {
        let column = Column::Annex;
        let Some(contract) = &self.contract else { return self.absent(column) };
        if contract.annex.is_empty() {
            return cell(column, CellState::Excused, "a contract without an annex takes the scope by reference");
        }
        let lines = contract.annex.iter().enumerate().filter(|(_, line)| line.requirement == requirement.id);
        let lines: Vec<String> = lines.map(|(index, _)| format!("line {}", index + 1)).collect();
        exactly_one(column, &lines, "the contract's annex does not name it", "the annex names it more than once")
    }

    fn milestone(&self, requirement: &Requirement) -> Cell {
        let column = Column::Milestone;
        if self.plan.is_none() {
            return self.absent(column);
        }
        let milestones: Vec<String> = self.milestones(&requirement.id).map(|m| m.id.clone()).collect();
        exactly_one(column, &milestones, "no milestone delivers it", "it stands in more than one milestone")
    }

    fn milestones<'r>(&'r self, id: &'r str) -> impl Iterator<Item = &'r Milestone> {
        self.plan.iter().flat_map(|p| &p.milestones).filter(move |m| m.requirements.iter().any(|r| r == id))
    }

    fn acceptance(&self, requirement: &Requirement) -> Cell {
        let column = Column::Acceptance;
        if requirement.acceptance.trim().is_empty() {
            return cell(column, CellState::Missing, "nothing says how it is accepted");
        }
        let Some(milestone) = self.milestones(&requirement.id).next() else {
            return cell(column, CellState::Ok, "criterion in the scope");
        };
        match self.lead.accepted_milestones.get(&milestone.id) {
            _ if milestone.acceptance.trim().is_empty() => {
                cell(column, CellState::Missing, format!("{} has no acceptance test", milestone.id))
            }
            Some(signature) => {
                cell(column, CellState::Ok, format!("{} signed off by {}", milestone.id, signature.signer))
            }
            None => cell(column, CellState::Ok, format!("with {}", milestone.id)),
        }
    }

    /// A step whose stage has delivered nothing: not yet, or left out by a person.
    fn absent(&self, column: Column) -> Cell {
        if self.lead.stage <= column.stage() {
            cell(column, CellState::NotYet, format!("{} has not delivered it yet", column.stage()))
        } else if self.was_passed_over(column.stage()) {
            cell(column, CellState::Excused, format!("the lead went past {}", column.stage()))
        } else {
            cell(column, CellState::Excused, format!("a person handed the lead on from {} without it", column.stage()))
        }
    }

    fn was_passed_over(&self, stage: Stage) -> bool {
        self.lead.stage > stage && !self.lead.history.iter().any(|step| step.to_stage == stage)
    }

    fn strays(&self, scope: &Scope) -> Vec<Stray> {
        let mut strays = Vec::new();
        // A signed change order asks for something as much as the scope does.
        let ordered: Vec<String> = signed_orders(self.lead).into_iter().flat_map(|o| o.added).map(|r| r.id).collect();
        let mut look = |column: Column, thing: String, requirements: &[String]| {
            let unknown: Vec<&str> = requirements
                .iter()
                .map(String::as_str)
                .filter(|id| scope.requirement(id).is_none() && !ordered.iter().any(|o| o == id))
                .collect();
            let detail = match (requirements, unknown.as_slice()) {
                ([], _) => "no requirement asked for it".to_owned(),
                (_, []) => return,
                (_, unknown) => format!("it names {}, which the scope does not know", unknown.join(", ")),
            };
            strays.push(Stray { column, thing, detail });
        };
        for screen in self.mockup.iter().flat_map(|m| &m.screens) {
            look(Column::Screen, format!("screen {}", screen.id), &screen.requirements);
        }
        for (index, line) in self.proposal.iter().flat_map(|p| &p.lines).enumerate() {
            look(Column::Price, format!("price line {}", index + 1), &line.requirements);
        }
        for (index, line) in self.contract.iter().flat_map(|c| &c.annex).enumerate() {
            look(Column::Annex, format!("annex line {}", index + 1), std::slice::from_ref(&line.requirement));
        }
        for milestone in self.plan.iter().flat_map(|p| &p.milestones) {
            look(Column::Milestone, milestone.id.clone(), &milestone.requirements);
        }
        strays
    }
}

fn cell(column: Column, state: CellState, note: impl Into<String>) -> Cell {
    Cell { column, state, note: note.into() }
}

fn exactly_one(column: Column, found: &[String], none: &str, several: &str) -> Cell {
    match found {
        [] => cell(column, CellState::Missing, none),
        [one] => cell(column, CellState::Ok, one.clone()),
        all => cell(column, CellState::Missing, format!("{several}: {}", all.join(", "))),
    }
}
