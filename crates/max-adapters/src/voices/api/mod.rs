//! A model behind an HTTP interface as a voice: Anthropic Messages, OpenAI Responses, OpenAI Chat Completions (and the
//! many servers that speak it), Gemini.
//!
//! `brief` says what is asked and what the answer means; here is only how it gets there and back. `wire` is one module
//! for each format behind one enum; `client` makes a call with its limits (time, bytes, money) and tries again where
//! that is free and can help; `sse` reads streams.
//!
//! What leaves no trace anywhere: the key, and what a service writes into its errors (it may repeat the key or the
//! lead's words). Failures carry the status and the service's own word for it, nothing more.

mod client;
mod key;
mod sse;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use max_engine::ports::{Brief, CallFail, Thought, Voice};
use max_engine::runs::{Price, Transport};
use tokio::time::Instant;

use super::brief::{self, Fence, NoThought};
use crate::agency::Agency;
use client::Client;

pub use client::check_base_url;
pub use key::ApiKey;
pub use wire::Wire;

/// How a voice reaches its model.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// The format that the service speaks.
    pub wire: Wire,
    /// Where it is; empty for the vendor's own address. Only `https`, or `http` to this machine.
    pub base_url: String,
    /// The model, as the service names it.
    pub model: String,
    /// The key, where the service wants one.
    pub key: Option<ApiKey>,
    /// The longest turn, tries again included.
    pub timeout: Duration,
    /// The longest wait for the first byte of an answer and between two.
    pub idle_timeout: Duration,
    /// The most tokens of an answer, thinking included.
    pub max_output_tokens: u32,
    /// The most bytes of an answer as it comes over the wire.
    pub output_limit: usize,
    /// How often a call is tried again that failed before it cost anything.
    pub retries: u32,
    /// Whether the answer comes as a stream.
    pub stream: bool,
    /// Whether the service is given the answer's schema to keep to. Without it, the schema stands in the prompt.
    pub structured: bool,
    /// What a million tokens cost.
    pub price: Price,
}

/// A model behind an HTTP interface.
#[derive(Debug)]
pub struct ApiVoice {
    name: String,
    agency: Arc<Agency>,
    timeout: Duration,
    client: Client,
}

impl ApiVoice {
    /// The voice `name`.
    ///
    /// # Errors
    /// A sentence on what is wrong with the settings.
    pub fn new(name: impl Into<String>, agency: Arc<Agency>, settings: ApiSettings) -> Result<Self, String> {
        let timeout = settings.timeout;
        Ok(Self { name: name.into(), agency, timeout, client: Client::new(settings)? })
    }

    async fn work(&self, brief: &Brief) -> Result<Thought, CallFail> {
        let prompt = brief::ask(brief, &self.agency, &Fence::draw())?;
        brief.meter.asks(self.client.model(), prompt.digest());
        let deadline = Instant::now() + self.timeout;
        let mut unread = None;
        loop {
            let asked = client::Asked { prompt: &prompt, unread: unread.as_deref(), deadline, now: brief.now };
            let answer = self.client.call(&asked, &brief.meter).await?;
            match brief::understand(brief, &self.agency, &answer) {
                Ok(thought) => return Ok(thought),
                Err(NoThought::Failed(failure)) => return Err(failure),
                Err(NoThought::Unreadable { in_short, .. }) if unread.is_some() => {
                    return Err(CallFail::Malformed(in_short));
                }
                Err(NoThought::Unreadable { in_full, .. }) => unread = Some(in_full),
            }
        }
    }
}

impl Voice for ApiVoice {
    fn name(&self) -> &str {
        &self.name
    }

    fn transport(&self) -> Transport {
        Transport::Api
    }

    fn think<'a>(&'a self, brief: &'a Brief) -> BoxFuture<'a, Result<Thought, CallFail>> {
        Box::pin(self.work(brief))
    }
}
