//! Onboarding: the checklist, with the steps of MAX really done: the workspace stands in the stage's folder.

use std::collections::BTreeMap;

use max_core::id::Digest;
use max_core::lead::MessageKind;
use max_core::stages::StageResult;
use max_core::stages::onboarding::{Checklist, Owner, Step, StepState};
use max_core::stages::scoping::Scope;
use max_documents::Lang;
use max_documents::onboarding::{Folder, Pack, folder};
use max_engine::ports::{CallFail, File, Thought};
use minijinja::context;

use super::intent;
use super::turn::{Turn, file, json, needs_person, unwritable};

pub fn think(turn: &Turn) -> Result<Thought, CallFail> {
    if let Some(words) = turn.news().filter(|w| intent::withdraws(w)) {
        return turn.withdrawn(&words);
    }
    let Some(scope) = turn.scope() else {
        return Ok(needs_person("there is no scope to onboard with; add it to the lead, then retry"));
    };
    let lang = turn.lang;
    let head = turn.head();
    let folders = folders(turn);
    let documents = agreed(turn);
    let proposal = turn.proposal();
    let pack = Pack { scope: &scope, proposal: proposal.as_ref(), folders: &folders, documents: &documents };
    let made = workspace(turn, &pack)?;
    let checklist = Checklist { steps: steps(turn, &scope, &made) };
    let welcome = pack.welcome(&checklist, &head, lang).map_err(unwritable)?;
    let done = checklist.steps.iter().filter(|s| s.state == StepState::Done).count();
    let mut files = vec![json("checklist.json", &checklist)?, file("welcome.md", welcome)];
    files.extend(made.into_values());
    Ok(Thought {
        summary: format!("Checklist of {} steps, {done} done by MAX; workspace set up", checklist.steps.len()),
        messages: turn.mail_with(MessageKind::Welcome, "welcome", context! {}, &["welcome.md"])?,
        result: StageResult::Checklist(checklist),
        files,
    })
}

/// The files of the workspace by name: the readme, the hand-over, and one note for each folder.
fn workspace(turn: &Turn, pack: &Pack) -> Result<BTreeMap<String, File>, CallFail> {
    let (head, lang) = (turn.head(), turn.lang);
    let mut texts = vec![
        ("workspace/README.md".to_owned(), pack.readme(&head, lang).map_err(unwritable)?),
        ("workspace/brief.md".to_owned(), pack.brief(&head, lang).map_err(unwritable)?),
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
    let names = ["scope.md", "mockup.html", "proposal.md", "contract.md"];
    let standing = turn.lead.artifacts.iter().filter(|a| !a.superseded && names.contains(&a.name.as_str()));
    standing.map(|a| (a.name.clone(), a.sha256.to_string())).collect()
}

fn steps(turn: &Turn, scope: &Scope, made: &BTreeMap<String, File>) -> Vec<Step> {
    let lang = turn.lang;
    let mut steps: Vec<Step> = Vec::new();
    let id = |steps: &Vec<Step>| format!("O-{}", steps.len() + 1);
    for template in &turn.agency.onboarding.steps {
        // A step of MAX is done when its file stands; a file that nothing makes is left to people.
        let proof = made.get(&template.makes).filter(|_| template.owner == Owner::Max);
        let owner = if template.owner == Owner::Max && proof.is_none() { Owner::Agency } else { template.owner };
        steps.push(Step {
            id: id(&steps),
            title: template.title.get(lang).to_owned(),
            owner,
            state: if proof.is_some() { StepState::Done } else { StepState::Open },
            proof: proof.map_or_else(String::new, |f| format!("{} SHA-256 {}", f.name, Digest::of(&f.bytes))),
            undo: template.undo.get(lang).to_owned(),
        });
    }
    for duty in &scope.client_duties {
        steps.push(Step {
            id: id(&steps),
            title: duty.clone(),
            owner: Owner::Client,
            state: StepState::Open,
            proof: String::new(),
            undo: match lang {
                Lang::En => "ask again",
                Lang::De => "erneut anfragen",
            }
            .into(),
        });
    }
    steps
}
