//! A voice that says what a test wants, when the test wants it.

use std::sync::Arc;

use futures::future::BoxFuture;
use max_core::lead::{Draft, MessageKind};
use max_core::stage::Stage;
use max_core::stages::StageResult;
use max_core::stages::first_responder::Reply;
use max_core::stages::lead_gen::{Decision, Factor, Qualification};
use max_engine::ports::{Brief, CallFail, Thought, Voice};
use tokio::sync::Semaphore;

type Script = dyn Fn(&Brief) -> Result<Thought, CallFail> + Send + Sync;

/// A voice that works by a script of the test's. It can be held back: then each turn waits for [`Scripted::release`].
pub struct Scripted {
    script: Box<Script>,
    begun: Semaphore,
    gate: Option<Semaphore>,
}

impl Scripted {
    /// A voice that answers with what `script` says.
    pub fn new(script: impl Fn(&Brief) -> Result<Thought, CallFail> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { script: Box::new(script), begun: Semaphore::new(0), gate: None })
    }

    /// A voice that waits for [`Scripted::release`] in each turn.
    pub fn held(script: impl Fn(&Brief) -> Result<Thought, CallFail> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { script: Box::new(script), begun: Semaphore::new(0), gate: Some(Semaphore::new(0)) })
    }

    /// Waits until one more turn has begun.
    ///
    /// # Panics
    /// Never: the semaphore is not closed.
    pub async fn begun(&self) {
        self.begun.acquire().await.expect("an open semaphore").forget();
    }

    /// Lets one turn go on.
    pub fn release(&self) {
        self.gate.iter().for_each(|gate| gate.add_permits(1));
    }
}

impl Voice for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn think<'a>(&'a self, brief: &'a Brief) -> BoxFuture<'a, Result<Thought, CallFail>> {
        Box::pin(async move {
            self.begun.add_permits(1);
            if let Some(gate) = &self.gate {
                gate.acquire().await.expect("an open semaphore").forget();
            }
            (self.script)(brief)
        })
    }
}

/// What a sensible voice says about a lead of [`crate::builders::new_lead`]: it is a fit, and gets a reply that names
/// its client.
///
/// # Errors
/// In every later stage.
pub fn sensible(brief: &Brief) -> Result<Thought, CallFail> {
    let quote = "new web site".to_owned();
    let (result, messages) = match brief.lead.stage {
        Stage::LeadGen => {
            let factor = Factor { name: "need".into(), points: 70, most: 100, evidence: Some(quote) };
            let qualification = Qualification {
                language: "en".into(),
                score: 70,
                threshold: brief.policy.qualification_cut,
                factors: vec![factor],
                decision: Decision::Fit,
                reason: "it needs what we do".into(),
                services: Vec::new(),
                enrichment: Vec::new(),
                possible_duplicates: Vec::new(),
                next_question: None,
                review_by: None,
                judged: None,
            };
            (StageResult::Qualification(qualification), Vec::new())
        }
        Stage::FirstResponder => {
            let body = format!(
                "Hello {}, you need a new web site: by when? I am an AI assistant; a person is at hello@agency.example. \
                 Privacy: https://agency.example/privacy",
                brief.lead.contact.name
            );
            let draft = Draft {
                kind: MessageKind::Reply,
                subject: "Your project".into(),
                body,
                attachments: Vec::new(),
                written_by: "scripted".into(),
            };
            (StageResult::Reply(Reply { language: "en".into(), quotes: vec![quote], ..Reply::default() }), vec![draft])
        }
        stage => return Err(CallFail::Unable(format!("nothing is scripted for {stage}"))),
    };
    Ok(Thought { result, messages, files: Vec::new(), summary: "as scripted".into() })
}
