//! The welcome pack and the workspace that a project starts in.

use max_core::stages::closer::Proposal;
use max_core::stages::onboarding::{Checklist, Owner, Step};
use max_core::stages::scoping::Scope;
use serde::Serialize;

use crate::engine::{self, RenderError};
use crate::{Lang, Letterhead};

#[derive(Serialize)]
struct View<'a> {
    title: &'a str,
    scope: &'a Scope,
    max: Vec<StepView<'a>>,
    agency: Vec<StepView<'a>>,
    client: Vec<StepView<'a>>,
    folders: &'a [Folder],
    documents: &'a [(String, String)],
    gross: String,
}

#[derive(Serialize)]
struct StepView<'a> {
    id: &'a str,
    title: &'a str,
}

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
    /// `welcome.md`: who does what, and what is needed by when.
    pub fn welcome(&self, checklist: &Checklist, head: &Letterhead, lang: Lang) -> Result<String, RenderError> {
        engine::one("welcome.md", &self.view(&checklist.steps, lang), head, lang)
    }

    /// `workspace/README.md`: what lies where.
    pub fn readme(&self, head: &Letterhead, lang: Lang) -> Result<String, RenderError> {
        engine::one("workspace.md", &self.view(&[], lang), head, lang)
    }

    /// `workspace/brief.md`: the hand-over to those who build.
    pub fn brief(&self, head: &Letterhead, lang: Lang) -> Result<String, RenderError> {
        engine::one("brief.md", &self.view(&[], lang), head, lang)
    }

    fn view<'a>(&'a self, steps: &'a [Step], lang: Lang) -> View<'a> {
        let of = |owner: Owner| {
            steps.iter().filter(|s| s.owner == owner).map(|s| StepView { id: &s.id, title: &s.title }).collect()
        };
        View {
            title: &self.scope.title,
            scope: self.scope,
            max: of(Owner::Max),
            agency: of(Owner::Agency),
            client: of(Owner::Client),
            folders: self.folders,
            documents: self.documents,
            gross: self.proposal.map_or_else(|| "-".into(), |p| lang.money(p.gross_minor, &p.currency)),
        }
    }
}

/// `workspace/<folder>/README.md`.
pub fn folder(folder: &Folder, head: &Letterhead, lang: Lang) -> Result<String, RenderError> {
    engine::one("folder.md", folder, head, lang)
}
