//! The playbook: rules and templates from the agency's own folder. Always there, never pretends to be a model.
//!
//! What is to be done is read from the state of the lead (results of the stages, what the client was last asked,
//! signatures); the task's reason is only a hint. So a turn that is handed out again comes to the same result.
//!
//! One module per stage, each with a `think`; `turn::Turn` is what they share, `text` and `intent` are how they
//! read the client's words.

mod closer;
mod delivery_pm;
mod first_responder;
mod follow_up;
mod intent;
pub(super) mod lead_gen;
mod onboarding;
mod orchestra;
mod rejection;
mod review;
mod scoping;
mod terms;
pub(super) mod text;
pub(super) mod turn;
mod wishes;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use max_core::id::LeadId;
use max_core::lead::{ApprovalKind, MessageKind, TaskReason};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_engine::ports::{Brief, CallFail, File, Thought, Voice};

use crate::agency::Agency;
use crate::browser::Browser;
use crate::steps::{Ran, Steps};
use turn::Turn;

/// What drafts of the playbook carry as their author.
pub const NAME: &str = "playbook";

/// The voice that works by rules and templates.
#[derive(Clone)]
pub struct Playbook {
    agency: Arc<Agency>,
    browser: Option<Arc<Browser>>,
    steps: Steps,
    page_of: Option<PageOf>,
}

/// The address of a lead's own page, where clients can reach it.
pub type PageOf = Arc<dyn Fn(LeadId) -> Option<String> + Send + Sync>;

impl Playbook {
    /// A playbook over an agency's folder.
    pub fn new(agency: Arc<Agency>) -> Self {
        let steps = Steps::of(&agency.onboarding);
        Self { agency, browser: None, steps, page_of: None }
    }

    /// The same, taking pictures of its mockups with this browser.
    #[must_use]
    pub fn with_browser(self, browser: Option<Browser>) -> Self {
        Self { browser: browser.map(Arc::new), ..self }
    }

    /// The same, naming the client's own page in mails that ask for a decision or a signature.
    #[must_use]
    pub fn with_portal(self, page_of: PageOf) -> Self {
        Self { page_of: Some(page_of), ..self }
    }

    /// Works one turn. The same brief gives the same thought.
    ///
    /// Steps of onboarding that programs do are left to people here; [`Voice::think`] runs them.
    pub fn work(&self, brief: &Brief) -> Result<Thought, CallFail> {
        self.work_with(brief, &[], Ran::default())
    }

    /// What the programs of onboarding make of the lead's workspace.
    async fn prepared(&self, brief: &Brief) -> Ran {
        let turn = Turn::new(brief, &self.agency);
        if turn.lead.stage != Stage::Onboarding || self.steps.is_empty() {
            return Ran::default();
        }
        match onboarding::workspace_files(&turn) {
            Some(files) => self.steps.run(&files, brief.task.opened_at).await,
            None => Ran::default(),
        }
    }

    fn work_with(&self, brief: &Brief, stills: &[File], ran: Ran) -> Result<Thought, CallFail> {
        let turn = Turn { ran, ..Turn::new(brief, &self.agency) };
        let own = matches!(brief.task.reason, TaskReason::Review { .. } | TaskReason::FollowUp { .. });
        if let (false, Some(unread)) = (own, turn.unread()) {
            return Ok(unread);
        }
        let thought = self.stage(&turn, stills)?;
        let mut thought = with_receipt(&turn, thought)?;
        if let Some(page) = self.page_of.as_ref().and_then(|page_of| page_of(brief.lead.id)) {
            name_the_page(&turn, &mut thought, &page);
        }
        Ok(thought)
    }

    /// A mockup goes out with pictures where a browser can take them; without them it is as good.
    async fn illustrated(&self, brief: &Brief, thought: Thought) -> Result<Thought, CallFail> {
        let (Some(browser), StageResult::Mockup(mockup)) = (&self.browser, &thought.result) else {
            return Ok(thought);
        };
        let Some(html) = thought.files.iter().find(|f| f.name == "mockup.html") else { return Ok(thought) };
        match browser.stills(&html.bytes, &orchestra::shots(mockup)).await {
            Ok(stills) => self.work_with(brief, &stills, Ran::default()),
            Err(error) => {
                tracing::warn!(lead = %brief.lead.id, "no pictures of the mockup: {error}");
                Ok(thought)
            }
        }
    }

    fn stage(&self, turn: &Turn, stills: &[File]) -> Result<Thought, CallFail> {
        match (&turn.brief.task.reason, turn.lead.stage) {
            (TaskReason::Review { .. }, _) => Ok(review::think(turn)),
            (TaskReason::FollowUp { number, .. }, _) => follow_up::think(turn, *number),
            (_, Stage::LeadGen) => lead_gen::think(turn),
            (_, Stage::FirstResponder) => first_responder::think(turn),
            (_, Stage::Scoping) => scoping::think(turn),
            (_, Stage::Orchestra) => orchestra::think(turn, stills),
            (_, Stage::Closer) => closer::think(turn),
            (_, Stage::Onboarding) => onboarding::think(turn),
            (_, Stage::DeliveryPM) => delivery_pm::think(turn),
        }
    }
}

/// What the client wrote is acknowledged at once where a person releases the answer.
fn with_receipt(turn: &Turn, mut thought: Thought) -> Result<Thought, CallFail> {
    let answers = matches!(thought.result, StageResult::Reply(_) | StageResult::Answer(_));
    let waited_for = turn.news().is_some() || !turn.has_written();
    let held = answers && !thought.messages.is_empty() && turn.policy.needs_approval(ApprovalKind::Reply);
    if held && waited_for && !turn.lead.contact.email.trim().is_empty() {
        thought.messages.extend(turn.mail(MessageKind::Receipt, "receipt", minijinja::context! {})?);
    }
    Ok(thought)
}

/// Mails that ask for a decision or a signature say where both can be given.
fn name_the_page(turn: &Turn, thought: &mut Thought, page: &str) {
    let asks = |kind| matches!(kind, MessageKind::Proposal | MessageKind::Contract | MessageKind::Milestone);
    let sentence = turn.say(
        [
            "Everything on one page, also for your answer or signature:",
            "Alles auf einer Seite, auch für Ihre Antwort oder Unterschrift:",
            "Alles op één pagina, ook voor uw antwoord of handtekening:",
            "Tout sur une page, aussi pour votre réponse ou votre signature :",
        ],
        [
            "Alles auf einer Seite, auch für deine Antwort oder Unterschrift:",
            "Alles op één pagina, ook voor je antwoord of handtekening:",
            "Tout sur une page, aussi pour ta réponse ou ta signature :",
        ],
    );
    for draft in thought.messages.iter_mut().filter(|draft| asks(draft.kind)) {
        draft.body = format!("{}\n\n{sentence}\n{page}\n", draft.body.trim_end());
    }
}

impl Voice for Playbook {
    fn name(&self) -> &str {
        NAME
    }

    fn think<'a>(&'a self, brief: &'a Brief) -> BoxFuture<'a, Result<Thought, CallFail>> {
        async move {
            let ran = self.prepared(brief).await;
            self.illustrated(brief, self.work_with(brief, &[], ran)?).await
        }
        .boxed()
    }
}
