//! Onboarding: a checklist of steps of MAX, the agency and the client, the welcome pack, the hand-over to those who
//! build. A step that is done says what shows it, and how it is undone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scoping::Scope;
use super::{Finding, Work, counted};
use crate::id::Digest;
use crate::lead::{Actor, Lead, MessageKind};
use crate::policy::Policy;
use crate::rules::{Rule, Weight};
use crate::stage::Stage;

/// What is checked here.
pub const RULES: &[Rule] = &[
    Rule {
        id: "ON-1",
        says: "onboarding starts only after the signature, and after the deposit where one is asked",
        weight: Weight::Refuses,
        check: "stages::onboarding::check",
        test: "on_1_onboarding_starts_after_signature_and_deposit",
    },
    Rule {
        id: "ON-2",
        says: "each step has an id of its own, an owner, a due date on a working day, a state, and how it is undone; \
               what is done has a proof, what MAX does is done, what people do has instructions",
        weight: Weight::Refuses,
        check: "stages::onboarding::check_steps",
        test: "on_2_every_step_has_owner_due_proof_and_undo",
    },
    Rule {
        id: "ON-3",
        says: "the welcome names contacts of both sides, one approver, the kick-off with its agenda, how we talk and \
               how soon we answer, and where to see how it stands",
        weight: Weight::Refuses,
        check: "stages::onboarding::check_welcome",
        test: "on_3_the_welcome_names_people_kick_off_and_ways",
    },
    Rule {
        id: "ON-4",
        says: "no password is written or asked for by mail; access is by invitation, and listed",
        weight: Weight::Refuses,
        check: "stages::onboarding::check_access",
        test: "on_4_no_password_by_mail_and_access_by_invitation",
    },
    Rule {
        id: "ON-5",
        says: "the invoice's facts are confirmed by a step; a data processing agreement is, when personal data is \
               involved",
        weight: Weight::Refuses,
        check: "stages::onboarding::check_covered",
        test: "on_5_invoice_facts_and_data_processing_are_steps",
    },
    Rule {
        id: "ON-6",
        says: "the hand-over links the scope, the mockup and every promise made in conversation, each with its message",
        weight: Weight::Refuses,
        check: "stages::onboarding::check_hand_over",
        test: "on_6_the_hand_over_links_documents_and_promises",
    },
    Rule {
        id: "ON-7",
        says: "every duty of the client that the scope names is a step of the checklist",
        weight: Weight::Refuses,
        check: "stages::onboarding::check_covered",
        test: "on_7_every_client_duty_is_a_step",
    },
];

/// The checklist, with what was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checklist {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// Who talks to whom, and how.
    #[serde(default)]
    pub welcome: Welcome,
    /// Who gets into what.
    #[serde(default)]
    pub access: Vec<Access>,
    /// What those who build have to know.
    #[serde(default)]
    pub hand_over: HandOver,
    /// By which words the client is reminded of steps of his that are late; the steps are listed between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder: Option<Reminder>,
}

/// A mail that is written before it is known which steps it will list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reminder {
    /// The subject line.
    pub subject: String,
    /// What stands before the steps.
    pub opening: String,
    /// What stands after them.
    pub closing: String,
}

impl Checklist {
    /// One line for the approval queue.
    pub fn title(&self, lead: &Lead) -> String {
        let manual = self.steps.iter().filter(|s| s.owner == Owner::Agency).count();
        format!("confirm {} for {}", counted(manual, "manual onboarding step"), lead.contact.display_name())
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// `O-1` ….
    pub id: String,
    /// What is to be done.
    pub title: String,
    /// By whom.
    pub owner: Owner,
    /// How far it is.
    pub state: StepState,
    /// What shows that it was done.
    #[serde(default)]
    pub proof: String,
    /// How it is undone.
    #[serde(default)]
    pub undo: String,
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// How it is done, for whoever does it.
    #[serde(default)]
    pub instructions: String,
    /// The script that MAX ran for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// The client duty of the scope it covers, in the scope's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers_duty: Option<String>,
    /// What every project needs that this step takes care of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<Cover>,
    /// Who marked it as done, and when; nothing for what MAX did itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked: Option<Mark>,
}

/// Who says that a step is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
}

/// The checklist as it stands, with what people have done since it was made.
pub fn checklist(lead: &Lead) -> Option<Checklist> {
    lead.stage_value(Stage::Onboarding, "checklist")
}

/// Marks a step in the lead's own checklist as done, or takes the mark back. Others stay as they are.
pub(crate) fn mark(lead: &mut Lead, id: &str, done: Option<(&str, &Actor, Timestamp)>) {
    let Some(mut checklist) = checklist(lead) else { return };
    let Some(step) = checklist.steps.iter_mut().find(|step| step.id == id && step.owner != Owner::Max) else { return };
    match done {
        Some(_) if step.state == StepState::Done => return,
        Some((proof, by, at)) => {
            step.state = StepState::Done;
            proof.clone_into(&mut step.proof);
            step.marked = Some(Mark { by: by.clone(), at });
        }
        None => {
            step.state = StepState::Open;
            step.proof.clear();
            step.marked = None;
        }
    }
    if let Ok(value) = serde_json::to_value(&checklist) {
        lead.data.entry(Stage::Onboarding).or_default().insert("checklist".into(), value);
    }
}

/// A checklist that is made again keeps what people have done of the one before.
pub(crate) fn carry_over(lead: &Lead, value: &mut serde_json::Value) {
    let (Some(before), Ok(mut after)) = (checklist(lead), Checklist::deserialize(&*value)) else { return };
    for step in &mut after.steps {
        let same = |old: &&Step| old.title == step.title && old.owner == step.owner && old.marked.is_some();
        if let Some(old) = before.steps.iter().find(same) {
            step.state = old.state;
            step.proof.clone_from(&old.proof);
            step.marked.clone_from(&old.marked);
        }
    }
    if let Ok(kept) = serde_json::to_value(&after) {
        *value = kept;
    }
}

/// Who does a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// MAX, by a script.
    Max,
    /// A person of the agency.
    Agency,
    /// The client.
    Client,
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not done yet.
    Open,
    /// Done, with proof.
    Done,
}

/// What every project needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// Where invoices go, and what stands on them.
    InvoiceFacts,
    /// The agreement on the processing of personal data.
    DataProcessing,
}

/// Who talks to whom, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Welcome {
    /// Whom the client writes to.
    pub agency_contact: String,
    /// Whom the agency writes to.
    pub client_contact: String,
    /// The one person who approves for the client.
    pub approver: String,
    /// When it begins.
    pub kick_off: Option<Date>,
    /// What is talked about then.
    pub agenda: Vec<String>,
    /// How both sides talk, and how soon an answer comes.
    pub communication: String,
    /// Where the client sees how it stands.
    pub status: String,
}

/// Somebody's way into something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Who.
    pub who: String,
    /// Into what.
    pub what: String,
    /// What may be done there: the least that is enough.
    pub rights: String,
    /// How it is given.
    pub by: Way,
}

/// How access is given. There is no other way: a password that was mailed is known to every mail server between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By an invitation to a person's own account.
    #[default]
    Invitation,
}

/// What those who build have to know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HandOver {
    /// The documents agreed on.
    pub documents: Vec<Link>,
    /// What was promised in conversation.
    pub promises: Vec<Promise>,
}

/// A document, by what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The stage that left it.
    pub stage: Stage,
    /// Its name inside the stage's folder.
    pub name: String,
    /// What it holds.
    pub sha256: Digest,
}

/// Something the agency said it would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// The message it was made in.
    pub message: String,
    /// The words.
    pub quote: String,
}

pub(super) fn check(lead: &Lead, checklist: &Checklist, work: &Work, policy: &Policy, findings: &mut Vec<Finding>) {
    if lead.signature.is_none() {
        findings.push(Finding::new("ON-1", "onboarding starts after the signature").mend("have the contract signed"));
    }
    if policy.wants_deposit() && !lead.deposit_confirmed {
        findings.push(Finding::new("ON-1", "onboarding starts after the deposit").mend("confirm that it arrived"));
    }
    check_steps(lead, checklist, policy, findings);
    check_welcome(checklist, work, findings);
    check_access(checklist, work, findings);
    check_covered(lead, checklist, findings);
    check_hand_over(lead, checklist, findings);
}

/// Rule ON-2.
fn check_steps(lead: &Lead, checklist: &Checklist, policy: &Policy, findings: &mut Vec<Finding>) {
    let calendar = policy.calendar_of(lead);
    if checklist.steps.is_empty() {
        findings.push(Finding::new("ON-2", "a checklist has steps").at("steps"));
    }
    let mut ids = BTreeSet::new();
    for step in &checklist.steps {
        let wrong = |detail: String| Finding::new("ON-2", detail).at(&step.id);
        if !ids.insert(&step.id) {
            findings.push(wrong(format!("{} stands in the checklist twice", step.id)));
        }
        if step.state == StepState::Done && step.proof.trim().is_empty() {
            findings.push(wrong(format!("{} is done without proof", step.id)));
        }
        if step.undo.trim().is_empty() {
            findings.push(wrong(format!("{} does not say how it is undone", step.id)));
        }
        match step.owner {
            Owner::Max if step.state != StepState::Done => {
                findings.push(wrong(format!("{} is a script step and is not done", step.id)));
            }
            Owner::Agency | Owner::Client if step.instructions.trim().is_empty() => {
                findings.push(wrong(format!("{} is done by people and does not say how", step.id)));
            }
            _ => {}
        }
        match step.due {
            None => findings.push(wrong(format!("{} has no due date", step.id))),
            Some(due) => {
                if let Some(why) = calendar.why_closed(due) {
                    let next = calendar.on_or_after(due);
                    findings.push(wrong(format!("{} is due on {due}, {why}", step.id)).mend(format!("take {next}")));
                }
            }
        }
    }
}

/// Rule ON-3.
fn check_welcome(checklist: &Checklist, work: &Work, findings: &mut Vec<Finding>) {
    let welcome = &checklist.welcome;
    for (what, missing) in [
        ("the agency's contact", welcome.agency_contact.trim().is_empty()),
        ("the client's contact", welcome.client_contact.trim().is_empty()),
        ("the one person who approves", welcome.approver.trim().is_empty()),
        ("the day of the kick-off", welcome.kick_off.is_none()),
        ("the agenda of the kick-off", welcome.agenda.is_empty()),
        ("how both sides talk and how soon an answer comes", welcome.communication.trim().is_empty()),
        ("where to see how it stands", welcome.status.trim().is_empty()),
    ] {
        if missing {
            findings.push(Finding::new("ON-3", format!("the welcome lacks {what}")).at("welcome"));
        }
    }
    if !work.messages.iter().any(|m| m.kind == MessageKind::Welcome) {
        findings.push(Finding::new("ON-3", "nobody welcomes the client").at("messages").mend("write the welcome mail"));
    }
}

/// Rule ON-4.
fn check_access(checklist: &Checklist, work: &Work, findings: &mut Vec<Finding>) {
    if checklist.access.is_empty() {
        findings.push(Finding::new("ON-4", "nothing says who gets into what").at("access"));
    }
    for (field, text) in
        checklist.access.iter().flat_map(|a| [("who", &a.who), ("what", &a.what), ("rights", &a.rights)])
    {
        if text.trim().is_empty() {
            findings.push(Finding::new("ON-4", format!("an access without `{field}`")).at("access"));
        }
    }
    for message in &work.messages {
        if let Some(word) = gives_or_asks_password(&message.body) {
            findings.push(
                Finding::new("ON-4", format!("the mail holds a password, or asks for one: `{word}`"))
                    .at("messages")
                    .mend("invite the person to an account of their own"),
            );
        }
    }
}

/// A password with something behind it, or a request for one. Saying that none is to be sent is no request.
fn gives_or_asks_password(text: &str) -> Option<String> {
    const WORDS: [&str; 7] =
        ["password", "passwort", "kennwort", "wachtwoord", "mot de passe", "passphrase", "zugangsdaten"];
    const ASKS: [&str; 9] = [
        "send us your",
        "send me your",
        "give us your",
        "schicken sie uns ihr",
        "senden sie uns ihr",
        "schick uns dein",
        "stuur ons uw",
        "stuur ons je",
        "envoyez-nous votre",
    ];
    text.lines().find_map(|line| {
        let lower = line.to_lowercase();
        let (at, word) = WORDS.iter().find_map(|word| Some((lower.find(word)?, *word)))?;
        let behind = lower[at + word.len()..].trim_start_matches(['s', 'e', 'n']).trim_start();
        let given = behind.strip_prefix([':', '=']).is_some_and(|value| !value.trim().is_empty());
        let asked = ASKS.iter().any(|ask| lower[..at].contains(ask));
        (given || asked).then(|| word.to_owned())
    })
}

/// Rules ON-5 and ON-7.
fn check_covered(lead: &Lead, checklist: &Checklist, findings: &mut Vec<Finding>) {
    let covers = |cover| checklist.steps.iter().any(|s| s.covers == Some(cover));
    if !covers(Cover::InvoiceFacts) {
        findings.push(Finding::new("ON-5", "no step confirms the invoice's facts").at("steps"));
    }
    let Some(scope) = lead.stage_value::<Scope>(Stage::Scoping, "scope") else { return };
    if personal_data(&scope) && !covers(Cover::DataProcessing) {
        findings.push(
            Finding::new("ON-5", "the project handles personal data and no step has the agreement on it signed")
                .at("steps"),
        );
    }
    for duty in &scope.client_duties {
        if !checklist.steps.iter().any(|s| s.owner == Owner::Client && s.covers_duty.as_deref() == Some(duty)) {
            findings.push(
                Finding::new("ON-7", format!("the client's duty `{duty}` is no step"))
                    .at("steps")
                    .mend("add a step of the client that covers it"),
            );
        }
    }
}

/// Whether what is built will hold data about people. When in doubt it will: the agreement costs a signature.
pub fn personal_data(scope: &Scope) -> bool {
    const SIGNS: [&str; 36] = [
        "account",
        "login",
        "log in",
        "sign in",
        "register",
        "customer",
        "patient",
        "book",
        "appointment",
        "form",
        "newsletter",
        "order",
        "payment",
        "shop",
        "member",
        "konto",
        "anmeld",
        "registrier",
        "kund",
        "termin",
        "buch",
        "formular",
        "bestell",
        "zahl",
        "mitglied",
        "inlog",
        "klant",
        "afspraak",
        "boek",
        "betal",
        "compte",
        "client",
        "rendez-vous",
        "réserv",
        "formulaire",
        "paiement",
    ];
    let built = scope.requirements.iter().filter(|r| r.priority != super::scoping::Priority::Wont);
    built.map(|r| r.text.to_lowercase()).any(|text| SIGNS.iter().any(|sign| text.contains(sign)))
}

/// Rule ON-6.
fn check_hand_over(lead: &Lead, checklist: &Checklist, findings: &mut Vec<Finding>) {
    let hand_over = &checklist.hand_over;
    for (stage, name) in [(Stage::Scoping, "scope.json"), (Stage::Orchestra, "mockup.html")] {
        let Some(standing) = lead.artifact(stage, name).filter(|a| !a.superseded) else { continue };
        let linked = |l: &Link| l.stage == stage && l.name == name && l.sha256 == standing.sha256;
        if !hand_over.documents.iter().any(linked) {
            findings.push(
                Finding::new("ON-6", format!("the hand-over does not link {name} as it stands"))
                    .at("hand_over.documents"),
            );
        }
    }
    for link in &hand_over.documents {
        if lead.artifact(link.stage, &link.name).is_none_or(|a| a.sha256 != link.sha256) {
            findings.push(Finding::new("X-4", format!("{} is not what stands in {}", link.name, link.stage)));
        }
    }
    for promise in &hand_over.promises {
        let known = lead.messages.iter().any(|m| m.id.to_string() == promise.message);
        if !known || promise.quote.trim().is_empty() {
            findings.push(
                Finding::new("ON-6", format!("the promise `{}` names no message of this client", promise.quote))
                    .at("hand_over.promises"),
            );
        }
    }
}
