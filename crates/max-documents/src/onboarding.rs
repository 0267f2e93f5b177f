//! The welcome pack, the hand-over to those who build, and the workspace that a project starts in.

use max_core::stages::closer::Proposal;
use max_core::stages::onboarding::{Checklist, Owner, Step, Way};
use max_core::stages::scoping::Scope;
use serde::Serialize;

use crate::doc::{Block, Card, Column, Doc, Row, Table, Text, Tone};
use crate::engine::{self, RenderError, label};
use crate::{Lang, Letterhead};

/// A folder of the workspace.
#[derive(Clone, Debug, Serialize)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// What belongs into it.
    pub purpose: String,
}

/// What the pack is written from.
pub struct Pack<'a> {
    /// The agreed scope.
    pub scope: &'a Scope,
    /// The agreed offer, if there is one on record.
    pub proposal: Option<&'a Proposal>,
    /// The folders of the workspace.
    pub folders: &'a [Folder],
    /// Names and SHA-256 of the documents agreed on.
    pub documents: &'a [(String, String)],
}

impl Pack<'_> {
    /// `welcome`: who talks to whom, who does what by when, who gets into what.
    pub fn welcome(&self, checklist: &Checklist, head: &Letterhead, lang: Lang) -> Doc {
        let mut doc = Doc::new(say(lang, "kind"), &self.scope.title, head, lang);
        doc.push(Block::Standfirst(say(lang, "text").into()));
        let welcome = &checklist.welcome;
        doc.section(say(lang, "people"));
        let mut facts: Vec<(String, Text)> = vec![
            (say(lang, "agency_contact"), format!("{}, {}", welcome.agency_contact, head.agency_mail).into()),
            (say(lang, "client_contact"), (&welcome.client_contact).into()),
            (say(lang, "approver"), (&welcome.approver).into()),
        ];
        facts.extend(welcome.kick_off.map(|day| (say(lang, "kick_off"), Text::from(lang.date(day)))));
        doc.push(Block::Facts(facts));
        doc.section(say(lang, "agenda"));
        doc.list(&welcome.agenda);
        // How the agency does its own part is nothing a client has to read.
        let parts: [(&str, Owner, &[&str]); 3] = [
            ("client_does", Owner::Client, &["id", "step", "due", "how"]),
            ("agency_does", Owner::Agency, &["id", "step", "due"]),
            ("we_did", Owner::Max, &["id", "step"]),
        ];
        for (heading, owner, shown) in parts {
            let steps: Vec<&Step> = checklist.steps.iter().filter(|s| s.owner == owner).collect();
            if !steps.is_empty() {
                doc.section(say(lang, heading));
                doc.push(Block::Table(table_of(&steps, shown, lang)));
            }
        }
        doc.section(say(lang, "how_we_talk"));
        doc.para(&welcome.communication);
        doc.push(Block::Facts(vec![(say(lang, "status"), (&welcome.status).into())]));
        doc.section(say(lang, "access"));
        doc.push(Block::Note(say(lang, "no_passwords").into()));
        doc.push(Block::Table(access(checklist, lang)));
        doc
    }

    /// `brief`: the hand-over to those who build, with every promise and the message it was made in (rule ON-6).
    pub fn brief(&self, checklist: &Checklist, head: &Letterhead, lang: Lang) -> Doc {
        let mut doc = Doc::new(say(lang, "brief"), &self.scope.title, head, lang);
        doc.section(say(lang, "goal"));
        doc.para(&self.scope.goal);
        doc.section(say(lang, "documents"));
        let link = |l: &max_core::stages::onboarding::Link| {
            let path = format!("{}/{}", l.stage.folder(), l.name);
            (path, Text::default().code(l.sha256.to_string()))
        };
        doc.push(Block::Facts(checklist.hand_over.documents.iter().map(link).collect()));
        doc.section(say(lang, "promises"));
        if checklist.hand_over.promises.is_empty() {
            doc.para(say(lang, "no_promises"));
        }
        for promise in &checklist.hand_over.promises {
            let source = format!("{} {}", say(lang, "message"), promise.message);
            doc.push(Block::Quote { text: promise.quote.clone(), source });
        }
        doc.section(say(lang, "requirements"));
        for requirement in &self.scope.requirements {
            let (tag, tone) = priority(requirement.priority, lang);
            doc.push(Block::Card(Card {
                id: requirement.id.clone(),
                tag,
                tone,
                title: requirement.text.clone(),
                facts: vec![(say(lang, "acceptance"), (&requirement.acceptance).into())],
            }));
        }
        self.lists(&mut doc, lang);
        doc
    }

    /// `workspace/access.md`: who gets into what, and how (rule ON-4).
    pub fn access(&self, checklist: &Checklist, head: &Letterhead, lang: Lang) -> Doc {
        let mut doc = Doc::new(say(lang, "access"), &self.scope.title, head, lang);
        doc.push(Block::Table(access(checklist, lang)));
        doc.push(Block::Note(say(lang, "no_passwords").into()));
        doc
    }

    fn lists(&self, doc: &mut Doc, lang: Lang) {
        let scope = self.scope;
        for (key, items) in [
            ("out_of_scope", scope.out_of_scope.clone()),
            ("assumptions", scope.assumptions.iter().map(|a| a.text.clone()).collect()),
            ("open_questions", scope.open_questions.iter().map(|q| q.text.clone()).collect()),
        ] {
            if !items.is_empty() {
                doc.section(say(lang, key));
                doc.list(items);
            }
        }
    }

    /// `workspace/README.md`: what lies where.
    pub fn readme(&self, head: &Letterhead, lang: Lang) -> Result<String, RenderError> {
        #[derive(Serialize)]
        struct View<'a> {
            title: &'a str,
            folders: &'a [Folder],
            documents: &'a [(String, String)],
            gross: String,
        }
        let gross = self.proposal.map_or_else(|| "-".into(), |p| lang.money(p.gross_minor, &p.currency));
        let view = View { title: &self.scope.title, folders: self.folders, documents: self.documents, gross };
        engine::one("workspace.md", &view, head, lang)
    }
}

/// `workspace/<folder>/README.md`.
pub fn folder(folder: &Folder, head: &Letterhead, lang: Lang) -> Result<String, RenderError> {
    engine::one("folder.md", folder, head, lang)
}

/// Steps under the columns that are shown of them.
fn table_of(steps: &[&Step], shown: &[&str], lang: Lang) -> Table {
    let cell = |step: &Step, column: &str| match column {
        "id" => Text::default().code(&step.id),
        "step" => (&step.title).into(),
        "due" => step.due.map_or_else(String::new, |day| lang.date(day)).into(),
        _ if step.instructions.is_empty() => (&step.proof).into(),
        _ => (&step.instructions).into(),
    };
    let row = |step: &&Step| Row { cells: shown.iter().map(|c| cell(step, c)).collect(), tone: Tone::Plain };
    Table { columns: columns(shown, lang), rows: steps.iter().map(row).collect() }
}

fn access(checklist: &Checklist, lang: Lang) -> Table {
    let rows = checklist.access.iter().map(|access| {
        let by = match access.by {
            Way::Invitation => say(lang, "invitation"),
        };
        let cells = vec![(&access.who).into(), (&access.what).into(), (&access.rights).into(), by.into()];
        Row { cells, tone: Tone::Plain }
    });
    Table { columns: columns(&["who", "what", "rights", "by"], lang), rows: rows.collect() }
}

fn columns(keys: &[&str], lang: Lang) -> Vec<Column> {
    keys.iter().map(|key| Column { title: say(lang, &format!("col_{key}")), number: false }).collect()
}

fn priority(priority: max_core::stages::scoping::Priority, lang: Lang) -> (String, Tone) {
    use max_core::stages::scoping::Priority;
    match priority {
        Priority::Must => (lang.pick(["Must", "Muss", "Moet", "Indispensable"]).into(), Tone::Must),
        Priority::Should => (lang.pick(["Should", "Soll", "Hoort", "Important"]).into(), Tone::Should),
        Priority::Could => (lang.pick(["Could", "Kann", "Kan", "Souhaitable"]).into(), Tone::Could),
        Priority::Wont => (lang.pick(["Won't", "Nicht jetzt", "Nu niet", "Pas cette fois"]).into(), Tone::Wont),
    }
}

fn say(lang: Lang, key: &str) -> String {
    label(lang, &format!("ob_{key}")).to_owned()
}
