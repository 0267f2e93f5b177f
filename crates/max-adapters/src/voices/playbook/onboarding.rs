//! Onboarding: the checklist, with the steps of MAX really done: the workspace stands in the stage's folder.

use std::collections::BTreeMap;

use jiff::civil::Date;
use max_core::calendar::Calendar;
use max_core::id::Digest;
use max_core::lead::{Direction, MessageKind};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::onboarding::{
    Access, Checklist, Cover, HandOver, Link, Owner, Promise, Reminder, Step, StepState, Way, Welcome, personal_data,
};
use max_core::stages::scoping::Scope;
use max_documents::onboarding::{Folder, Pack, folder};
use max_engine::ports::{CallFail, File, Thought};
use minijinja::context;

use super::intent;
use super::text::{self, sentences};
use super::turn::{Turn, file, json, needs_person, unwritable};
use crate::agency::StepTemplate;

/// By how many working days after the start a client duty is due when no milestone says so.
const DUTY_DAYS: u32 = 5;
/// At most this many promises are handed over; more are a conversation to read.
const PROMISES: usize = 20;

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    if let Some(words) = turn.news().filter(|w| intent::withdraws(w)) {
        return turn.withdrawn(&words);
    }
    let Some(scope) = turn.scope() else {
        return Ok(needs_person("there is no scope to onboard with; add it to the lead, then retry"));
    };
    let (lang, head) = (turn.lang, turn.head());
    let folders = folders(turn);
    let documents = agreed(turn);
    let proposal = turn.proposal();
    let pack = Pack { scope: &scope, proposal: proposal.as_ref(), folders: &folders, documents: &documents };
    let mut checklist = Checklist { reminder: reminder(turn)?, ..empty_checklist(turn) };
    let mut made = workspace(turn, &pack, &checklist)?;
    made.extend(turn.ran.made.iter().map(|f| (f.name.clone(), f.clone())));
    checklist.steps = steps(turn, &scope, &made);
    let done = checklist.steps.iter().filter(|s| s.state == StepState::Done).count();
    let mut files = vec![json("checklist.json", &checklist)?];
    files.extend(turn.document("welcome", &checklist, pack.welcome(&checklist, &head, lang))?);
    files.extend(made.into_values());
    Ok(Thought {
        summary: format!("Checklist of {} steps, {done} done by MAX; workspace set up", checklist.steps.len()),
        messages: turn.mail_with(MessageKind::Welcome, "welcome", context! {}, &["welcome.pdf"])?,
        result: StageResult::Checklist(checklist),
        files,
    })
}

/// The workspace before any program ran over it.
pub fn workspace_files(turn: &Turn) -> Option<Vec<File>> {
    let scope = turn.scope()?;
    let (folders, documents, proposal) = (folders(turn), agreed(turn), turn.proposal());
    let pack = Pack { scope: &scope, proposal: proposal.as_ref(), folders: &folders, documents: &documents };
    Some(workspace(turn, &pack, &empty_checklist(turn)).ok()?.into_values().collect())
}

fn empty_checklist(turn: &Turn) -> Checklist {
    Checklist {
        steps: Vec::new(),
        welcome: welcome(turn),
        access: access(turn),
        hand_over: hand_over(turn),
        reminder: None,
    }
}

/// The words for steps that will be late, with a place for whichever these are.
fn reminder(turn: &Turn) -> Result<Option<Reminder>, CallFail> {
    const PLACE: &str = "\u{2022}\u{2022}\u{2022}";
    let mails = turn.mail(MessageKind::Receipt, "steps-late", context! { steps => PLACE })?;
    Ok(mails.into_iter().find_map(|mail| {
        let (opening, closing) = mail.body.split_once(PLACE)?;
        Some(Reminder { subject: mail.subject, opening: opening.trim().into(), closing: closing.trim().into() })
    }))
}

/// The files of the workspace by name: the readme, the hand-over, the access list, and one note for each folder.
fn workspace(turn: &Turn, pack: &Pack, checklist: &Checklist) -> Result<BTreeMap<String, File>, CallFail> {
    let (head, lang) = (turn.head(), turn.lang);
    let mut texts = vec![
        ("workspace/README.md".to_owned(), pack.readme(&head, lang).map_err(unwritable)?),
        ("workspace/brief.md".to_owned(), pack.brief(checklist, &head, lang).markdown()),
        ("workspace/access.md".to_owned(), pack.access(checklist, &head, lang).markdown()),
    ];
    for of in pack.folders {
        texts.push((format!("workspace/{}/README.md", of.name), folder(of, &head, lang).map_err(unwritable)?));
    }
    Ok(texts.into_iter().map(|(name, text)| (name.clone(), file(name, text))).collect())
}

fn folders(turn: &Turn) -> Vec<Folder> {
    turn.agency
        .onboarding
        .folders
        .iter()
        .filter(|f| max_core::stages::is_artifact_name(&f.name))
        .map(|f| Folder { name: f.name.clone(), purpose: f.purpose.get(turn.lang).to_owned() })
        .collect()
}

/// The documents agreed on before, with their digests.
fn agreed(turn: &Turn) -> Vec<(String, String)> {
    let names = ["scope.md", "mockup.html", "proposal.md", "contract.md", "contract.pdf"];
    let standing = turn.lead.artifacts.iter().filter(|a| !a.superseded && names.contains(&a.name.as_str()));
    standing.map(|a| (a.name.clone(), a.sha256.to_string())).collect()
}

fn welcome(turn: &Turn) -> Welcome {
    let template = &turn.agency.onboarding.welcome;
    let said = |text: &crate::agency::Text| text.get(turn.lang).to_owned();
    let signer = turn.lead.signature.as_ref().map(|s| text::tame(&s.signer, 80)).filter(|s| !s.is_empty());
    Welcome {
        agency_contact: turn.agency.profile.contact.clone(),
        client_contact: turn.head().person,
        approver: signer.unwrap_or_else(|| turn.head().person),
        kick_off: Some(turn.working_day(template.kick_off_days)),
        agenda: template.agenda.iter().map(said).collect(),
        communication: said(&template.communication),
        status: said(&template.status),
    }
}

fn access(turn: &Turn) -> Vec<Access> {
    let given = turn.agency.onboarding.access.iter().map(|access| Access {
        who: match access.who {
            Owner::Client => turn.head().person,
            Owner::Agency | Owner::Max => turn.agency.profile.contact.clone(),
        },
        what: access.what.get(turn.lang).to_owned(),
        rights: access.rights.get(turn.lang).to_owned(),
        by: Way::Invitation,
    });
    let mut given: Vec<Access> = given.collect();
    if given.is_empty() {
        let (what, rights) = turn.lang.pick([
            ("the project's workspace", "read and write"),
            ("der Arbeitsbereich des Projekts", "lesen und schreiben"),
            ("de werkruimte van het project", "lezen en schrijven"),
            ("l'espace de travail du projet", "lecture et écriture"),
        ]);
        let who = turn.agency.profile.contact.clone();
        given.push(Access { who, what: what.into(), rights: rights.into(), by: Way::Invitation });
    }
    given
}

fn hand_over(turn: &Turn) -> HandOver {
    const NAMES: [(Stage, &str); 5] = [
        (Stage::Scoping, "scope.json"),
        (Stage::Scoping, "scope.md"),
        (Stage::Orchestra, "mockup.html"),
        (Stage::Closer, "proposal.md"),
        (Stage::Closer, "contract.md"),
    ];
    let standing = NAMES.iter().filter_map(|(stage, name)| turn.lead.artifact(*stage, name)).filter(|a| !a.superseded);
    let documents = standing.map(|a| Link { stage: a.stage, name: a.name.clone(), sha256: a.sha256 }).collect();
    HandOver { documents, promises: promises(turn) }
}

/// What people of the agency said they would do. Mails of MAX promise nothing that stands in no document (rule FR-5).
fn promises(turn: &Turn) -> Vec<Promise> {
    const WORDS: [&str; 16] = [
        "we will",
        "we'll",
        "i will",
        "i'll",
        "we promise",
        "you will get",
        "wir werden",
        "ich werde",
        "wir kümmern",
        "ich kümmere",
        "wir versprechen",
        "we zullen",
        "wij zullen",
        "nous allons",
        "nous ferons",
        "je vais",
    ];
    let by_people = turn.brief.messages.iter().filter(|m| m.direction == Direction::Out && m.written_by.is_none());
    let said = by_people.flat_map(|m| sentences(&m.body).into_iter().map(move |s| (m.id, s)));
    let promised = said.filter(|(_, s)| {
        let lower = s.text.to_lowercase();
        !s.question && WORDS.iter().any(|word| lower.contains(word))
    });
    let promise = |(id, s): (max_core::id::MessageId, text::Sentence)| Promise {
        message: id.to_string(),
        quote: text::tame(s.text, 300),
    };
    promised.map(promise).take(PROMISES).collect()
}

fn steps(turn: &Turn, scope: &Scope, made: &BTreeMap<String, File>) -> Vec<Step> {
    let lang = turn.lang;
    let mut steps: Vec<Step> = Vec::new();
    let id = |steps: &Vec<Step>| format!("O-{}", steps.len() + 1);
    let needed = |t: &&StepTemplate| t.covers != Some(Cover::DataProcessing) || personal_data(scope);
    for template in turn.agency.onboarding.steps.iter().filter(needed) {
        // A step of MAX is done when its file stands; a file that nothing makes is left to people.
        let proof = made.get(&template.makes).filter(|_| template.owner == Owner::Max);
        let owner = if template.owner == Owner::Max && proof.is_none() { Owner::Agency } else { template.owner };
        let title = template.title.get(lang).to_owned();
        steps.push(Step {
            id: id(&steps),
            owner,
            state: if proof.is_some() { StepState::Done } else { StepState::Open },
            proof: proof.map_or_else(String::new, |f| format!("{} SHA-256 {}", f.name, Digest::of(&f.bytes))),
            undo: template.undo.get(lang).to_owned(),
            due: Some(turn.working_day(template.due_days)),
            instructions: instructions(turn, template, &title),
            script: template.script.clone(),
            covers_duty: None,
            covers: template.covers,
            marked: None,
            title,
        });
    }
    for cover in [Cover::InvoiceFacts, Cover::DataProcessing] {
        let needed = cover == Cover::InvoiceFacts || personal_data(scope);
        if needed && !steps.iter().any(|s| s.covers == Some(cover)) {
            steps.push(missing_cover(turn, cover, id(&steps)));
        }
    }
    for duty in &scope.client_duties {
        steps.push(Step {
            id: id(&steps),
            title: duty.clone(),
            owner: Owner::Client,
            state: StepState::Open,
            proof: String::new(),
            undo: lang.pick(["ask again", "erneut anfragen", "opnieuw vragen", "redemander"]).into(),
            due: Some(turn.working_day(DUTY_DAYS)),
            instructions: lang
                .pick([
                    "Send it in answer to one of our mails, or mark it as done on your page; say when it will be there.",
                    "Auf eine unserer Mails antworten und mitschicken oder auf Ihrer Seite abhaken; sagen, wann es da ist.",
                    "Stuur het mee als antwoord op een van onze mails of vink het af op uw pagina; laat weten wanneer het er is.",
                    "L'envoyer en réponse à l'un de nos e-mails ou le cocher sur votre page ; dire quand ce sera prêt.",
                ])
                .into(),
            script: None,
            covers_duty: Some(duty.clone()),
            covers: None,
            marked: None,
        });
    }
    steps
}

/// How people do a step, and why MAX did not where a program should have.
fn instructions(turn: &Turn, template: &StepTemplate, title: &str) -> String {
    let said = template.instructions.as_ref().map_or(title, |i| i.get(turn.lang));
    match template.script.as_ref().and_then(|script| turn.ran.left.get(script)) {
        Some(why) => format!("{said} ({})", text::tame(why, 200)),
        None => said.to_owned(),
    }
}

/// An agency whose list leaves out what every project needs gets it all the same (rule ON-5).
fn missing_cover(turn: &Turn, cover: Cover, id: String) -> Step {
    let title = match cover {
        Cover::InvoiceFacts => turn.lang.pick([
            "Confirm the invoice's facts",
            "Rechnungsangaben bestätigen",
            "Factuurgegevens bevestigen",
            "Confirmer les données de facturation",
        ]),
        Cover::DataProcessing => turn.lang.pick([
            "Have the data processing agreement signed",
            "Vertrag zur Auftragsverarbeitung unterschreiben lassen",
            "Verwerkersovereenkomst laten ondertekenen",
            "Faire signer l'accord de traitement des données",
        ]),
    };
    Step {
        id,
        title: title.into(),
        owner: Owner::Agency,
        state: StepState::Open,
        proof: String::new(),
        undo: turn.lang.pick(["cancel it", "zurücknehmen", "intrekken", "annuler"]).into(),
        due: Some(turn.working_day(DUTY_DAYS)),
        instructions: title.into(),
        script: None,
        covers_duty: None,
        covers: Some(cover),
        marked: None,
    }
}

impl Turn<'_> {
    /// The days on which both the agency and this client work.
    pub fn calendar(&self) -> Calendar {
        self.policy.calendar_of(self.lead)
    }

    /// The working day `days` working days after today.
    pub fn working_day(&self, days: u32) -> Date {
        self.calendar().after(self.today(), days)
    }
}
