//! Who asks, and what they may do: bearer tokens with scopes, one-time sign-in links, browser sessions, rate limits.
//!
//! A token reads `max_<id>_<secret>`. The store keeps the SHA-256 of the secret only; the secrets are 256 random
//! bits, so a plain digest is enough and one check costs well under a microsecond. The one token that lies in clear is
//! the local admin's in `<root>/run/token`, readable by its owner alone.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use max_core::id::Digest;
use max_core::lead::Actor;
use max_core::stage::Eidolon;
use max_engine::director::Director;
use max_engine::error::Error;
use max_engine::ports::TokenRow;
use parking_lot::{Mutex, RwLock};

use super::App;
use super::problem::Problem;
use super::secret::{LOCAL, local_token, random, split};

/// The name of the session cookie.
pub const COOKIE_NAME: &str = "max_session";
/// The header that carries the CSRF token of a session.
pub const CSRF_HEADER: &str = "x-max-csrf";
/// How long a sign-in link works.
pub const LINK_LIFE: Duration = Duration::from_secs(15 * 60);
/// How long a session lasts.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// How old the tokens in memory may become before the store is asked again: another process may have revoked one.
const RELOAD_AFTER: Duration = Duration::from_secs(5);

/// What a token may do. The order is the order of power, the Eidolons aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Hand in leads, and read nothing.
    Ingest,
    /// Read.
    Read,
    /// Change leads, decide.
    Operate,
    /// Tokens, imports, backups, the clock.
    Admin,
    /// Work the tasks of one Eidolon.
    Eidolon(Eidolon),
}

impl Scope {
    /// The scope that a word names.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ingest" => Some(Self::Ingest),
            "read" => Some(Self::Read),
            "operate" => Some(Self::Operate),
            "admin" => Some(Self::Admin),
            other => {
                let id = other.strip_prefix("eidolon:")?;
                Eidolon::ALL.into_iter().find(|e| e.id() == id).map(Self::Eidolon)
            }
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ingest => f.write_str("ingest"),
            Self::Read => f.write_str("read"),
            Self::Operate => f.write_str("operate"),
            Self::Admin => f.write_str("admin"),
            Self::Eidolon(eidolon) => write!(f, "eidolon:{eidolon}"),
        }
    }
}

/// How often one token may ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Requests a minute, in the long run.
    pub per_minute: u32,
    /// Requests at once.
    pub burst: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { per_minute: 600, burst: 200 }
    }
}

/// Somebody who is known.
pub struct Principal {
    /// The token's public id; idempotency keys belong to it.
    pub id: String,
    /// What the owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    secret: Digest,
    bucket: Option<Arc<Mutex<Bucket>>>,
}

/// A token bucket.
struct Bucket {
    left: f64,
    filled: Instant,
}

impl Principal {
    /// True when one of its scopes is, or includes, this one.
    pub fn may(&self, wanted: Scope) -> bool {
        self.scopes.iter().any(|have| match (have, wanted) {
            (Scope::Admin, _) => true,
            (Scope::Eidolon(have), Scope::Eidolon(wanted)) => *have == wanted,
            (Scope::Eidolon(_), _) | (_, Scope::Eidolon(_)) => false,
            (have, wanted) => *have >= wanted,
        })
    }

    /// A problem that names the missing scope, unless it is there.
    pub fn needs(&self, wanted: Scope) -> Result<(), Problem> {
        if self.may(wanted) {
            return Ok(());
        }
        let detail = format!("the token `{}` lacks the scope `{wanted}`; make one with `max token new`", self.name);
        Err(Problem::forbidden(detail))
    }

    /// How the history names it.
    pub fn actor(&self) -> Actor {
        Actor::Person(format!("{} (api)", self.name))
    }

    fn take(&self, limit: RateLimit) -> Result<(), Problem> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        let per_second = f64::from(limit.per_minute.max(1)) / 60.0;
        let mut bucket = bucket.lock();
        let now = Instant::now();
        let earned = now.duration_since(bucket.filled).as_secs_f64() * per_second;
        bucket.left = (bucket.left + earned).min(f64::from(limit.burst.max(1)));
        bucket.filled = now;
        if bucket.left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        let wait = ((1.0 - bucket.left) / per_second).ceil();
        Err(Problem::too_many(wait as u64))
    }
}

/// A browser that signed in.
#[derive(Clone)]
pub struct Session {
    /// Who.
    pub principal: Arc<Principal>,
    /// What every change must carry besides the cookie.
    pub csrf: String,
    until: Instant,
}

/// Tokens and sessions.
pub struct Auth {
    director: Director,
    local: Arc<Principal>,
    /// The local admin token in clear, for the command that started MAX.
    clear: String,
    tokens: RwLock<Tokens>,
    reloading: AtomicBool,
    links: Mutex<HashMap<Digest, Instant>>,
    sessions: Mutex<HashMap<Digest, Session>>,
}

struct Tokens {
    by_id: HashMap<String, Arc<Principal>>,
    loaded: Instant,
}

impl Auth {
    /// Reads the tokens, and `<root>/run/token`, which is made when it does not exist yet: then the second value is
    /// true and the token should be shown, once.
    ///
    /// # Errors
    /// When the store cannot be read, or the file cannot be read or written.
    pub async fn open(root: &Path, director: Director) -> Result<(Arc<Self>, bool), Error> {
        let path = root.join("run").join("token");
        let (clear, new) = local_token(&path)?;
        let secret = split(&clear).map(|(_, secret)| Digest::of(secret.as_bytes()));
        let secret = secret.ok_or_else(|| {
            Error::invalid(path.display().to_string(), "this is no token; delete the file and a new one is made")
        })?;
        let local = Principal {
            id: LOCAL.into(),
            name: "local admin".into(),
            scopes: vec![Scope::Admin],
            secret,
            bucket: None,
        };
        let auth = Self {
            director,
            local: Arc::new(local),
            clear,
            tokens: RwLock::new(Tokens { by_id: HashMap::new(), loaded: Instant::now() }),
            reloading: AtomicBool::new(false),
            links: Mutex::default(),
            sessions: Mutex::default(),
        };
        auth.reload().await?;
        Ok((Arc::new(auth), new))
    }

    /// The local admin token in clear.
    pub fn local_token(&self) -> &str {
        &self.clear
    }

    /// Who may decide approvals: everybody whose token includes `operate`, by the names the owner gave.
    pub fn approvers(&self) -> Vec<String> {
        let tokens = self.tokens.read();
        let mut names: Vec<String> =
            tokens.by_id.values().filter(|p| p.may(Scope::Operate)).map(|p| p.name.clone()).collect();
        names.sort();
        names.dedup();
        names.insert(0, self.local.name.clone());
        names
    }

    /// Makes a token. The text is shown this once.
    pub async fn add(&self, name: &str, scopes: &[Scope]) -> Result<(String, TokenRow), Error> {
        let id = hex::encode(random::<6>()?);
        let secret = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let row = TokenRow {
            id: id.clone(),
            name: name.to_owned(),
            hash: Digest::of(secret.as_bytes()),
            scopes: scopes.iter().map(Scope::to_string).collect(),
            created_at: self.director.now(),
        };
        let kept = row.clone();
        self.director.read(move |store| store.add_token(&kept)).await?;
        self.reload().await?;
        Ok((format!("max_{id}_{secret}"), row))
    }

    /// Ends a token; false when there is none with this id.
    pub async fn revoke(&self, id: &str) -> Result<bool, Error> {
        let wanted = id.to_owned();
        let there = self.director.read(move |store| store.revoke_token(&wanted)).await?;
        self.reload().await?;
        self.sessions.lock().retain(|_, session| session.principal.id != id);
        Ok(there)
    }

    /// A path that signs a browser in once, as the local admin.
    pub fn sign_in_link(&self) -> Result<String, Error> {
        let secret = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let now = Instant::now();
        let mut links = self.links.lock();
        links.retain(|_, until| *until > now);
        links.insert(Digest::of(secret.as_bytes()), now + LINK_LIFE);
        Ok(format!("/login/{secret}"))
    }

    /// Turns the secret of a sign-in link into the secret of a session cookie. Works once.
    pub fn sign_in(&self, secret: &str) -> Result<Option<String>, Error> {
        let now = Instant::now();
        let until = self.links.lock().remove(&Digest::of(secret.as_bytes()));
        if until.is_none_or(|until| until <= now) {
            return Ok(None);
        }
        let cookie = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let csrf = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let session = Session { principal: Arc::clone(&self.local), csrf, until: now + SESSION_LIFE };
        let mut sessions = self.sessions.lock();
        sessions.retain(|_, session| session.until > now);
        sessions.insert(Digest::of(cookie.as_bytes()), session);
        Ok(Some(cookie))
    }

    /// The session of a request's cookie.
    pub fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let secret = cookie(headers, COOKIE_NAME)?;
        let session = self.sessions.lock().get(&Digest::of(secret.as_bytes())).cloned()?;
        (session.until > Instant::now()).then_some(session)
    }

    /// Who a bearer token belongs to.
    fn bearer(self: &Arc<Self>, token: &str) -> Option<Arc<Principal>> {
        let (id, secret) = split(token)?;
        let known = if id == LOCAL { Arc::clone(&self.local) } else { self.known(id)? };
        same(&known.secret, &Digest::of(secret.as_bytes())).then_some(known)
    }

    fn known(self: &Arc<Self>, id: &str) -> Option<Arc<Principal>> {
        let (known, age) = {
            let tokens = self.tokens.read();
            (tokens.by_id.get(id).cloned(), tokens.loaded.elapsed())
        };
        if age > RELOAD_AFTER && !self.reloading.swap(true, Ordering::AcqRel) {
            let auth = Arc::clone(self);
            tokio::spawn(async move {
                if let Err(error) = auth.reload().await {
                    tracing::warn!(%error, "the tokens could not be read again; the known ones stay in force");
                }
                auth.reloading.store(false, Ordering::Release);
            });
        }
        known
    }

    /// Reads the tokens again. A token keeps what is left in its bucket.
    pub async fn reload(&self) -> Result<(), Error> {
        let rows = self.director.read(|store| store.tokens()).await?;
        let mut tokens = self.tokens.write();
        let mut by_id = HashMap::with_capacity(rows.len());
        for row in rows {
            let before = tokens.by_id.get(&row.id).and_then(|p| p.bucket.clone());
            let full = || Arc::new(Mutex::new(Bucket { left: f64::MAX, filled: Instant::now() }));
            let principal = Principal {
                id: row.id.clone(),
                name: row.name,
                scopes: row.scopes.iter().filter_map(|s| Scope::parse(s)).collect(),
                secret: row.hash,
                bucket: Some(before.unwrap_or_else(full)),
            };
            by_id.insert(row.id, Arc::new(principal));
        }
        *tokens = Tokens { by_id, loaded: Instant::now() };
        Ok(())
    }

    /// Who sent a request, by token or by cookie. A change by cookie needs the session's CSRF token too.
    pub fn check(self: &Arc<Self>, parts: &Parts, limit: RateLimit) -> Result<Arc<Principal>, Problem> {
        let principal = if let Some(header) = parts.headers.get(AUTHORIZATION) {
            let token = header.to_str().ok().and_then(|v| v.strip_prefix("Bearer ").or(v.strip_prefix("bearer ")));
            token
                .and_then(|token| self.bearer(token.trim()))
                .ok_or_else(|| Problem::unauthorized("this token is unknown or revoked; `max token new` makes one"))?
        } else if let Some(session) = self.session(&parts.headers) {
            if !matches!(parts.method, Method::GET | Method::HEAD) {
                check_csrf(&parts.headers, header_text(&parts.headers, CSRF_HEADER), &session)?;
            }
            session.principal
        } else {
            return Err(Problem::unauthorized("send `Authorization: Bearer <token>`; `<root>/run/token` holds one"));
        };
        principal.take(limit)?;
        Ok(principal)
    }
}

/// A change by a browser must come from our own page: the right CSRF token, and no foreign origin.
pub fn check_csrf(headers: &HeaderMap, given: Option<&str>, session: &Session) -> Result<(), Problem> {
    let given = given.unwrap_or_default();
    if !same(&Digest::of(given.as_bytes()), &Digest::of(session.csrf.as_bytes())) {
        return Err(Problem::forbidden("the page is out of date or the request came from elsewhere; load it again"));
    }
    let origin = header_text(headers, ORIGIN).filter(|origin| *origin != "null");
    let host = header_text(headers, HOST);
    let foreign = origin.is_some_and(|origin| origin.split_once("://").map(|(_, host)| host) != host);
    if foreign {
        return Err(Problem::forbidden("the request came from another site"));
    }
    Ok(())
}

fn header_text(headers: &HeaderMap, name: impl axum::http::header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Compares without telling by the time where the difference is.
fn same(a: &Digest, b: &Digest) -> bool {
    a.0.iter().zip(&b.0).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}

/// Whoever sent the request, with a scope checked before the handler runs.
pub struct Caller<const SCOPE: u8>(pub Arc<Principal>);

/// Any known token; the handler checks more.
pub type Anyone = Caller<0>;
/// May hand in leads.
pub type Ingest = Caller<1>;
/// May read.
pub type Read = Caller<2>;
/// May change leads.
pub type Operate = Caller<3>;
/// May do everything.
pub type Admin = Caller<4>;

impl<const SCOPE: u8> FromRequestParts<Arc<App>> for Caller<SCOPE> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        // Who sends an idempotency key was asked already.
        let principal = match parts.extensions.get::<Arc<Principal>>() {
            Some(known) => Arc::clone(known),
            None => app.state.auth.check(parts, app.state.rate)?,
        };
        let wanted = match SCOPE {
            0 => return Ok(Self(principal)),
            1 => Scope::Ingest,
            2 => Scope::Read,
            3 => Scope::Operate,
            _ => Scope::Admin,
        };
        principal.needs(wanted)?;
        Ok(Self(principal))
    }
}

impl<const SCOPE: u8> std::ops::Deref for Caller<SCOPE> {
    type Target = Principal;
    fn deref(&self) -> &Principal {
        &self.0
    }
}
