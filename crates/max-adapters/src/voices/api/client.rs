//! One call: reserved, sent, read within its limits, settled; and tried again where that is free and can help.

use std::net::IpAddr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use max_engine::ports::CallFail;
use max_engine::runs::Usage;
use max_engine::spend::Meter;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Response, Url};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

use super::super::brief::Prompt;
use super::ApiSettings;
use super::sse::Events;
use super::wire::{Answer, Ask, End, Failure, Trouble, from_status};

/// The first pause before another try is drawn from nothing to this; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// A service that asks to be left alone for so short a time is waited for; longer ones make way for the next voice.
const SHORT_WAIT: Duration = Duration::from_secs(5);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// The most of an error's body that is looked at, in bytes.
const ERROR_BODY: usize = 64 << 10;

/// What is asked of the service behind a client.
pub(super) struct Asked<'a> {
    pub prompt: &'a Prompt,
    /// Why the last answer could not be read.
    pub unread: Option<&'a str>,
    /// When the turn is over.
    pub deadline: Instant,
    /// The moment, for records.
    pub now: Timestamp,
}

/// A service and its model.
#[derive(Debug)]
pub(super) struct Client {
    settings: ApiSettings,
    http: reqwest::Client,
    url: Url,
    retries: RetryBudget,
}

impl Client {
    pub fn new(settings: ApiSettings) -> Result<Self, String> {
        let base = match settings.base_url.trim() {
            "" => settings.wire.base_url(),
            own => own,
        };
        let url = join(&check_base_url(base)?, &settings.wire.path(&settings.model, settings.stream))?;
        // Fails only when there is one already, which then counts.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // What goes to this machine must not go through another one.
            .no_proxy()
            .connect_timeout(CONNECT)
            .user_agent(concat!("max/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("no HTTP client: {error}"))?;
        Ok(Self { settings, http, url, retries: RetryBudget::default() })
    }

    pub fn model(&self) -> &str {
        &self.settings.model
    }

    /// The text of the answer.
    pub async fn call(&self, asked: &Asked<'_>, meter: &Meter) -> Result<String, CallFail> {
        let ask = Ask {
            model: &self.settings.model,
            prompt: asked.prompt,
            unread: asked.unread,
            max_output_tokens: self.settings.max_output_tokens,
            stream: self.settings.stream,
            structured: self.settings.structured,
        };
        let body = self.settings.wire.body(&ask).to_string();
        let input = estimate(body.len());
        let at_most = self.settings.price.at_most(input, self.settings.max_output_tokens.into());
        self.retries.called();
        let mut tries = 0;
        loop {
            let reservation = meter.reserve(at_most).await?;
            let mut answer = Answer::default();
            let once = timeout_at(asked.deadline, self.once(&body, asked.now, &mut answer));
            let trouble = match once.await.unwrap_or_else(|_| Err(timed_out(self.settings.timeout))) {
                Ok(()) => {
                    let usage = counted(&answer, input);
                    reservation.settle(answer.model.as_deref(), usage, self.settings.price.of(usage));
                    return finished(answer, self.settings.max_output_tokens);
                }
                Err(trouble) => trouble,
            };
            if trouble.free {
                reservation.settle(None, Usage::default(), Default::default());
            }
            let pause = match &trouble.failure {
                Failure::RateLimited(after) if *after <= SHORT_WAIT => *after,
                Failure::RateLimited(_) => return Err(trouble.told(asked.now)),
                Failure::Other(_) => jitter(tries),
            };
            let late = Instant::now() + pause >= asked.deadline;
            if !trouble.again || late || tries >= self.settings.retries || !self.retries.take() {
                return Err(trouble.told(asked.now));
            }
            tries += 1;
            sleep(pause).await;
        }
    }

    async fn once(&self, body: &str, now: Timestamp, answer: &mut Answer) -> Result<(), Trouble> {
        let mut request = self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        if self.settings.stream {
            request = request.header(ACCEPT, "text/event-stream");
        }
        for (name, value) in self.settings.wire.headers(self.settings.key.as_ref()) {
            request = request.header(name, value);
        }
        let sent = timeout(self.settings.idle_timeout, request.body(body.to_owned()).send());
        let response = match sent.await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(unreachable(error)),
            Err(_) => return Err(timed_out(self.settings.idle_timeout)),
        };
        let status = response.status();
        if !status.is_success() {
            let headers = response.headers().clone();
            let body = timeout(self.settings.idle_timeout, error_body(response)).await.unwrap_or_default();
            return Err(from_status(status, &headers, &body, now));
        }
        self.read(response, answer).await
    }

    /// Reads an answer to its end: a stream event by event, anything else as one document.
    async fn read(&self, mut response: Response, answer: &mut Answer) -> Result<(), Trouble> {
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let streams = kind.starts_with("text/event-stream");
        let (mut events, mut whole, mut read) = (Events::default(), Vec::new(), 0_usize);
        loop {
            let piece = match timeout(self.settings.idle_timeout, response.chunk()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => break,
                Ok(Err(_)) => return Err(broke_off()),
                Err(_) => return Err(timed_out(self.settings.idle_timeout)),
            };
            read += piece.len();
            if read > self.settings.output_limit {
                let most = self.settings.output_limit;
                return Err(Trouble::last(CallFail::Malformed(format!("it was longer than {most} bytes"))));
            }
            if streams {
                for event in events.feed(&piece) {
                    if event == b"[DONE]" {
                        return Ok(());
                    }
                    self.settings.wire.event(&json(&event)?, answer)?;
                }
            } else {
                whole.extend_from_slice(&piece);
            }
        }
        if !streams {
            self.settings.wire.whole(&json(&whole)?, answer)?;
        }
        if answer.end.is_none() && !answer.text.is_empty() {
            return Err(broke_off());
        }
        Ok(())
    }
}

/// Whether an address may be called: `https` anywhere, `http` on this machine; no user, no query.
///
/// # Errors
/// A sentence on what to write instead.
pub fn check_base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "must be an address, such as \"https://api.example.com\"".to_owned())?;
    let here = match url.host_str().unwrap_or_default() {
        "localhost" => true,
        host => host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
    };
    match url.scheme() {
        "https" => {}
        "http" if here => {}
        "http" => return Err("must begin with https:// (plain http:// is only for this machine, 127.0.0.1)".into()),
        _ => return Err("must begin with https://".into()),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("must be an address alone: no user, no password, no `?`, no `#`".into());
    }
    Ok(url)
}

/// The path below the address. People write the address with its `/v1` or without.
fn join(base: &Url, path: &str) -> Result<Url, String> {
    let base = base.as_str().trim_end_matches('/');
    let version = path.split('/').nth(1).unwrap_or_default();
    let base = base.strip_suffix(version).filter(|rest| rest.ends_with('/')).unwrap_or(base).trim_end_matches('/');
    Url::parse(&format!("{base}{path}")).map_err(|error| format!("`{base}{path}` is no address: {error}"))
}

fn json(bytes: &[u8]) -> Result<Value, Trouble> {
    serde_json::from_slice(bytes)
        .map_err(|_| Trouble::last(CallFail::Malformed("the service did not answer with JSON".into())))
}

async fn error_body(mut response: Response) -> Value {
    let mut body = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend_from_slice(&piece);
        if body.len() > ERROR_BODY {
            break;
        }
    }
    serde_json::from_slice(&body).unwrap_or_default()
}

/// The answer as text, if it is one.
fn finished(answer: Answer, max_output_tokens: u32) -> Result<String, CallFail> {
    match answer.end {
        Some(End::Refused) => Err(CallFail::Refused("the model or its service would not answer this".into())),
        Some(End::ContextFull) => Err(CallFail::ContextTooLong),
        Some(End::CutOff) => {
            Err(CallFail::Malformed(format!("it was cut off at {max_output_tokens} tokens; raise max_output_tokens")))
        }
        _ if answer.text.trim().is_empty() => Err(CallFail::Empty),
        _ => Ok(answer.text),
    }
}

/// What the service counted; where it does not count, what it may have been.
fn counted(answer: &Answer, input: u64) -> Usage {
    match answer.usage {
        usage if usage.total() > 0 => usage,
        _ => Usage { input, output: estimate(answer.text.len()), ..Usage::default() },
    }
}

/// How many tokens so many bytes are at most, in languages with an alphabet: about three bytes each.
fn estimate(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).div_ceil(3)
}

fn timed_out(limit: Duration) -> Trouble {
    Trouble::last(CallFail::Timeout(SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX)))
}

fn broke_off() -> Trouble {
    Trouble::last(CallFail::Crash("its answer broke off".into()))
}

/// Not connected: nothing was asked. Sent and no answer: it may have been.
fn unreachable(error: reqwest::Error) -> Trouble {
    let connect = error.is_connect();
    let what = if connect { "the service cannot be reached" } else { "the connection broke off" };
    Trouble { failure: Failure::Other(CallFail::Crash(what.into())), again: connect, free: connect }
}

/// Full jitter: anything from nothing to a doubling limit, so that voices which failed together do not come back so.
fn jitter(tries: u32) -> Duration {
    let most = PAUSE.saturating_mul(2_u32.saturating_pow(tries.min(10))).min(LONGEST_PAUSE);
    let fraction = u16::try_from(Uuid::new_v4().as_u128() & 0xffff).unwrap_or_default();
    most.mul_f64(f64::from(fraction) / f64::from(u16::MAX))
}

/// At most one try again for ten calls, with a few in hand: a service in trouble is not drowned.
#[derive(Debug)]
struct RetryBudget {
    tenths: AtomicI32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { tenths: AtomicI32::new(Self::IN_HAND) }
    }
}

impl RetryBudget {
    const IN_HAND: i32 = 50;

    fn called(&self) {
        let more = |tenths: i32| Some((tenths + 1).min(Self::IN_HAND));
        // It always has a new value.
        let _ = self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    fn take(&self) -> bool {
        let less = |tenths: i32| (tenths >= 10).then(|| tenths - 10);
        self.tenths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine() {
        for good in [
            "https://api.example.com",
            "https://x.example/v1/",
            "http://127.0.0.1:9",
            "http://localhost:1/v1",
            "http://[::1]:2",
        ] {
            assert!(check_base_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.example.com",
            "http://10.0.0.1:80",
            "http://127.0.0.1.example.com",
            "ftp://x",
            "api.example.com",
            "",
            "https://user:pass@api.example.com",
            "https://api.example.com?key=1",
            "file:///etc/passwd",
        ] {
            assert!(check_base_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_counts_with_its_version_or_without() {
        for (base, path, whole) in [
            ("https://a.example", "/v1/messages", "https://a.example/v1/messages"),
            ("https://a.example/v1/", "/v1/responses", "https://a.example/v1/responses"),
            ("https://a.example/proxy", "/v1/messages", "https://a.example/proxy/v1/messages"),
            ("https://a.example/v1beta", "/v1beta/models/m:x?alt=sse", "https://a.example/v1beta/models/m:x?alt=sse"),
        ] {
            assert_eq!(join(&check_base_url(base).expect("good"), path).map(String::from), Ok(whole.into()));
        }
    }

    #[test]
    fn tries_again_are_few() {
        let budget = RetryBudget::default();
        assert_eq!((0..100).filter(|_| budget.take()).count(), 5);
        (0..100).for_each(|_| budget.called());
        assert_eq!((0..100).filter(|_| budget.take()).count(), 5, "no more in hand than at first");
        for tries in 0..40 {
            assert!(jitter(tries) <= LONGEST_PAUSE);
        }
    }
}
