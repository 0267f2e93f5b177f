//! An Eidolon at work: wait for a task, claim it, think, submit. The same loop for all nine.

use std::sync::Arc;

use jiff::SignedDuration;
use max_core::error::RefusalKind;
use max_core::stage::Eidolon;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::director::{Assignment, Director};
use crate::error::Error;
use crate::mind::{Mind, VoiceHealth};
use crate::ports::{CallFail, StoreError};

/// How long a turn waits at first for a store that is in trouble; twice as long each further time.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_millis(500);
/// The longest such wait.
const LAST_PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// How often it waits, about three minutes together, before the attempt counts as failed.
const PAUSES: u32 = 16;

/// An Eidolon with its mind.
pub struct EidolonUnit {
    /// Which.
    pub eidolon: Eidolon,
    mind: Arc<Mind>,
}

impl EidolonUnit {
    /// An Eidolon that thinks with this mind.
    pub fn new(eidolon: Eidolon, mind: Mind) -> Self {
        Self { eidolon, mind: Arc::new(mind) }
    }

    /// How its voices are.
    pub fn health(&self) -> Vec<VoiceHealth> {
        self.mind.health()
    }

    /// Starts `workers` loops that work until `stop` and finish the turn they are in.
    pub fn start(
        &self,
        director: &Director,
        workers: usize,
        lease: SignedDuration,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) {
        for number in 1..=workers {
            let worker = Worker {
                eidolon: self.eidolon,
                mind: Arc::clone(&self.mind),
                director: director.clone(),
                holder: format!("{}/{}-{number}", director.instance(), self.eidolon),
                lease,
                stop: stop.clone(),
            };
            tasks.spawn(worker.run());
        }
    }
}

struct Worker {
    eidolon: Eidolon,
    mind: Arc<Mind>,
    director: Director,
    holder: String,
    lease: SignedDuration,
    stop: CancellationToken,
}

impl Worker {
    async fn run(self) {
        loop {
            let assignment = tokio::select! {
                () = self.stop.cancelled() => return,
                assignment = self.director.next_task(self.eidolon, &self.holder) => assignment,
            };
            let turn = self.turn(&assignment);
            let result = tokio::select! {
                // A submission ends its own attempt: what it came to is looked at first.
                biased;
                result = turn => result,
                () = self.keep_lease(&assignment) => continue,
            };
            if let Err(error) = result {
                tracing::warn!(lead = %assignment.lead.id, eidolon = %self.eidolon, %error, "a turn came to nothing");
            }
        }
    }

    /// Renews the lease while the turn runs; returns when the attempt is over (a take-over, a handoff, a lost lease),
    /// which ends the turn at once.
    async fn keep_lease(&self, assignment: &Assignment) {
        let over = self.director.board().over(assignment.task, assignment.attempt);
        loop {
            let next = self.director.now() + self.lease / 3;
            tokio::select! {
                () = over.cancelled() => return,
                () = self.director.inner.clock.sleep_until(next) => {}
            }
            if self.director.renew(assignment.task, assignment.attempt).await.is_err() {
                return;
            }
        }
    }

    /// One turn: think, submit; once more with the findings when the checks fail; then the next voice, and when there is
    /// none left, report the failure.
    async fn turn(&self, assignment: &Assignment) -> Result<(), Error> {
        let mut brief = self.insist(|| self.director.brief(assignment)).await?;
        // Whose work was refused twice, and who failed: the log says instead of whom the one that delivers worked.
        let (mut aside, mut instead_of) = (Vec::new(), Vec::new());
        let mut refused = None;
        loop {
            let answer = match self.mind.think(&brief, &aside).await {
                Ok(answer) => answer,
                Err(failure) => {
                    let (error, again) = refused.unwrap_or_else(|| (failure.to_string(), retryable(&failure)));
                    return self.report(assignment, &error, again).await;
                }
            };
            for (voice, failure) in &answer.failed {
                tracing::warn!(lead = %assignment.lead.id, voice, %failure, "a voice failed; the next one took over");
                note(&mut instead_of, format!("{voice}: {}", failure.class().name()));
                aside.push(voice.clone());
            }
            let submit = || self.director.submit(assignment, answer.thought.clone(), &answer.voice, &instead_of, None);
            match self.insist(submit).await {
                Ok(_) => return Ok(()),
                Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::Checks => {
                    // Findings are about the work of the voice that was asked first.
                    if brief.findings.is_empty() || !answer.failed.is_empty() {
                        brief.findings = refusal.findings;
                        continue;
                    }
                    tracing::warn!(lead = %assignment.lead.id, voice = answer.voice, %refusal.reason,
                        "the work of a voice was refused twice; the next one takes over");
                    note(&mut instead_of, format!("{}: checks", answer.voice));
                    brief.findings.clear();
                    refused = Some((refusal.reason, true));
                    aside.push(answer.voice);
                }
                // Somebody was faster or took it over: the work is void, and that is right.
                Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::Fenced => return Ok(()),
                Err(Error::Refused(refusal)) => return self.report(assignment, &refusal.reason, true).await,
                Err(Error::Store(error)) => return self.report(assignment, &error.to_string(), true).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Asks again what the store could not do, while the lease holds: a full disk is not the attempt's fault, and the
    /// work should not be done a second time for it. That what was asked had happened after all is harmless.
    async fn insist<T, Asked>(&self, ask: impl Fn() -> Asked) -> Result<T, Error>
    where
        Asked: Future<Output = Result<T, Error>>,
    {
        let mut pause = FIRST_PAUSE;
        for _ in 0..PAUSES {
            match ask().await {
                Err(Error::Store(error)) if !matches!(error, StoreError::Damaged(_)) => {
                    tracing::warn!(eidolon = %self.eidolon, %error, "the store could not keep up with a turn; trying again");
                }
                answered => return answered,
            }
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = self.director.inner.clock.sleep_until(self.director.now() + pause) => {}
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
        ask().await
    }

    async fn report(&self, assignment: &Assignment, error: &str, retryable: bool) -> Result<(), Error> {
        match self.insist(|| self.director.fail(assignment, error, retryable, None)).await {
            Ok(_) => Ok(()),
            Err(Error::Refused(refusal)) if refusal.kind == RefusalKind::Fenced => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn note(notes: &mut Vec<String>, one: String) {
    if !notes.contains(&one) {
        notes.push(one);
    }
}

/// Whether another try can help.
fn retryable(failure: &CallFail) -> bool {
    !matches!(failure, CallFail::Unable(_))
}
