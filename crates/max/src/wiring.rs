//! The one place that names adapters: reads top to bottom, from a configuration to a running MAX.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use max_adapters::agency::Agency;
use max_adapters::artifacts::FolderArtifacts;
use max_adapters::browser::Browser;
use max_adapters::channels::folder::{FolderChannel, Sender};
use max_adapters::clock::{ManualClock, SystemClock};
use max_adapters::folders::FileFolders;
use max_adapters::linter::DocumentLinter;
use max_adapters::notifier::{CommandNotifier, SilentNotifier};
use max_adapters::program::Program;
use max_adapters::signals::files::{DropBox, DropBoxConfig, DropBoxHandle, Inbound, Verdict, resolve_data_path};
use max_adapters::signals::yaml::to_yaml;
use max_adapters::store::{RootLock, SqliteStore};
use max_adapters::voices::playbook::{PageOf, Playbook};
use max_adapters::voices::script::ScriptVoice;
use max_core::policy::Policy;
use max_core::stage::Eidolon;
use max_documents::Lang;
use max_engine::director::Director;
use max_engine::engine::{Engine, Options, Parts};
use max_engine::mind::{SEATS, Seat};
use max_engine::ports::{Clock, Notifier, Voice};
use max_engine::usecase::receive_mail::{Mail, Received};
use max_engine::usecase::route_signal::{Rejected, SignalRouter};
use max_engine::usecase::suppress::PrivacyKey;
use tokio_util::sync::CancellationToken;

use crate::api::auth::{Auth, RateLimit};
use crate::api::{self, ApiState, ManualClockControl};
use crate::approval_key::ApprovalKey;
use crate::backup::{Backup, SUPPRESSION_KEY};
use crate::cli::launch::{Role, ServeOptions};
use crate::config::{ClockKind, Config, PLAYBOOK, VoiceConfig};
use crate::portal::{House, Portal};

/// A running MAX.
pub struct Host {
    /// Where it listens.
    pub address: SocketAddr,
    /// A link that signs a browser in, once.
    pub sign_in_link: String,
    /// The local admin token, when it was made by this start.
    pub new_token: Option<String>,
    engine: Arc<Engine>,
    drop_box: DropBoxHandle,
    /// Ends streams, long polls and then the server.
    closing: CancellationToken,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    run_file: std::path::PathBuf,
    _lock: RootLock,
}

/// How long turns and requests that run may take to end after a stop was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// The adapters of a root on one machine, without notices and on the machine's clock.
///
/// # Errors
/// When the root cannot be used.
pub fn parts(root: &Path) -> anyhow::Result<Parts> {
    std::fs::create_dir_all(root).with_context(|| format!("the root {} cannot be made", root.display()))?;
    let channel = FolderChannel::new(root.join("outbox"), sender(&Config::default()));
    let linter = Arc::new(DocumentLinter { agency: String::new() });
    assemble(root, linter, Arc::new(channel), Arc::new(SilentNotifier), Arc::new(SystemClock))
}

fn assemble(
    root: &Path,
    linter: Arc<DocumentLinter>,
    channel: Arc<FolderChannel>,
    notifier: Arc<dyn Notifier>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Parts> {
    Ok(Parts {
        store: Arc::new(SqliteStore::open(&root.join("max.db"))?),
        artifacts: Arc::new(FolderArtifacts::new(root)?),
        linter,
        folders: Arc::new(FileFolders::new(root, to_yaml)?),
        channel,
        notifier,
        clock,
    })
}

/// Starts MAX and returns once it accepts work.
///
/// # Errors
/// When the root is taken or cannot be used, or the address cannot be listened on.
pub async fn serve(
    config: &Config,
    role: Role,
    options: ServeOptions,
    house_voice: Option<Arc<dyn Voice>>,
) -> anyhow::Result<Host> {
    let root = absolute(&config.root)?;
    let lock = RootLock::acquire(&root)?;
    let agency = Arc::new(Agency::load(Some(&config.agency_folder()))?);
    let policy = Arc::new(policy(config, &agency));
    let manual = match config.clock {
        ClockKind::System => None,
        ClockKind::Manual => Some(ManualClock::new(options.start_at.unwrap_or_else(|| SystemClock.now()))),
    };
    let clock: Arc<dyn Clock> = match &manual {
        Some(manual) => Arc::new(manual.clone()),
        None => Arc::new(SystemClock),
    };
    let portal =
        Arc::new(Portal::open(&root, &config.portal.url, portal_house(&agency)).context("the clients' pages")?);
    let channel = FolderChannel::new(root.join("outbox"), sender(config));
    let linter = Arc::new(DocumentLinter { agency: agency.profile.name.clone() });
    let parts = assemble(&root, linter, Arc::new(channel), notifier(config)?, Arc::clone(&clock))?;
    let instance = instance();
    let mut engine_options = Options::new(instance.clone());
    engine_options.lease = config.lease;
    engine_options.privacy_key = privacy_key(&root)?;
    engine_options.cached_leads = config.limits.cached_leads;
    let mut engine = Engine::start(parts, Arc::clone(&policy), engine_options)?;
    if role == Role::Everything {
        let house = playbook(config, &agency, &portal, house_voice);
        for eidolon in Eidolon::ALL {
            let workers = config.eidolons.get(&eidolon).map_or(2, |e| e.workers);
            let seats = seats(config, eidolon, &house, options.playbook_only)?;
            engine.add_eidolon(eidolon, seats, workers);
        }
    }
    let engine = Arc::new(engine);
    let director = engine.director().clone();
    let router = signal_router(config, &root, &director)?;
    let drop_box = start_drop_box(config, &root, &instance, router.clone(), &director, Arc::clone(&clock))?;
    let (auth, new) = Auth::open(&root, director.clone()).await?;
    let new_token = new.then(|| auth.local_token().to_owned());

    let listen = options.listen.unwrap_or(config.listen);
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("{listen} cannot be listened on; choose another with --listen"))?;
    let address = listener.local_addr()?;
    let sign_in_link = format!("http://{address}{}", auth.sign_in_link()?);
    let closing = CancellationToken::new();
    let state = api_state(config, &engine, (&agency, portal), auth, router, manual, closing.clone());
    // The address a client signs from is part of what shows that he did.
    let app = api::router(state).into_make_service_with_connect_info::<SocketAddr>();
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true)));
    let ended = closing.clone().cancelled_owned();
    let server = tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(ended).await });
    let run_file = write_run_file(&root, address)?;
    Ok(Host { address, sign_in_link, new_token, engine, drop_box, closing, server, run_file, _lock: lock })
}

/// What the interface is given.
fn api_state(
    config: &Config,
    engine: &Arc<Engine>,
    (agency, portal): (&Agency, Arc<Portal>),
    auth: Arc<Auth>,
    router: SignalRouter,
    manual: Option<ManualClock>,
    closing: CancellationToken,
) -> ApiState {
    let health = Arc::clone(engine);
    ApiState {
        director: engine.director().clone(),
        health: Arc::new(move || health.health()),
        auth,
        aliases: Arc::clone(&router.aliases),
        agency: agency.profile.name.clone(),
        personas: Arc::new(config.eidolons.iter().map(|(eidolon, own)| (*eidolon, own.persona.clone())).collect()),
        mode: if config.only_playbook() { PLAYBOOK.into() } else { "voices".into() },
        clock: manual.map(|clock| Arc::new(MovedByRequests(clock)) as Arc<dyn ManualClockControl>),
        route_signal: Arc::new(move |signal| {
            let router = router.clone();
            Box::pin(async move {
                match router.route(&signal, Some("api")).await {
                    Ok(routed) => Ok(api::Routed { sentence: routed.sentence, lead: routed.lead }),
                    Err(Rejected { reason, retry }) => Err(api::Rejected { reason, retry }),
                }
            })
        }),
        portal,
        backup: Backup { root: config.root.clone(), agency: config.agency_folder(), config: config.file.clone() },
        rate: rate_limit(config.limits.requests_per_minute),
        body_limit: api::BODY_LIMIT,
        version: env!("CARGO_PKG_VERSION"),
        closing,
    }
}

/// What the clients' pages say of the agency.
fn portal_house(agency: &Agency) -> House {
    House {
        name: agency.profile.name.clone(),
        mail: agency.profile.mail.clone(),
        privacy: agency.profile.privacy.clone(),
        disclosure: Lang::ALL.map(|lang| agency.disclosure(lang).to_owned()),
    }
}

/// A third of a minute's requests may come at once. Without a limit nobody is ever asked to wait.
fn rate_limit(per_minute: u32) -> RateLimit {
    match per_minute {
        0 => RateLimit { per_minute: u32::MAX, burst: u32::MAX },
        _ => RateLimit { per_minute, burst: per_minute.div_ceil(3) },
    }
}

/// The manual clock as `POST /api/clock` moves it.
struct MovedByRequests(ManualClock);

impl ManualClockControl for MovedByRequests {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn advance(&self, by: SignedDuration) {
        self.0.advance(by);
    }

    fn set(&self, at: Timestamp) -> Result<(), String> {
        self.0.set(at);
        Ok(())
    }
}

impl Host {
    /// The handle through which everything is asked.
    pub fn director(&self) -> &Director {
        self.engine.director()
    }

    /// Stops in two stages: nothing new, what runs gets a grace period, then the rest is left to the next start.
    pub async fn stop(self) {
        let Self { engine, drop_box, closing, server, run_file, _lock, .. } = self;
        drop(std::fs::remove_file(run_file));
        closing.cancel();
        drop_box.shutdown().await;
        let abort = server.abort_handle();
        if tokio::time::timeout(Duration::from_secs(2), server).await.is_err() {
            abort.abort();
        }
        engine.stop(GRACE).await;
    }
}

/// The key under which addresses are hashed for the suppression list. It belongs to the list, so a backup has both.
fn privacy_key(root: &Path) -> anyhow::Result<PrivacyKey> {
    let key = crate::secret::key(&root.join(SUPPRESSION_KEY)).context("the key of the suppression list")?;
    Ok(PrivacyKey::new(key))
}

/// The owner's rules: those of `max.toml`, with prices and services from the agency folder.
pub(crate) fn policy(config: &Config, agency: &Agency) -> Policy {
    let disclosures =
        max_documents::Lang::ALL.map(|lang| (lang.tag().to_owned(), agency.disclosure(lang).trim().to_owned()));
    let profile = &agency.profile;
    let own_words = [&profile.name, &profile.mail, &profile.contact, &profile.privacy, &config.mail.from];
    Policy {
        rate_card: agency.rate_card().clone(),
        services: agency.services(),
        calendar: agency.calendar(),
        portal_url: config.portal.url.clone(),
        disclosures: disclosures.into(),
        own_words: own_words.into_iter().chain(&profile.address).cloned().collect(),
        clauses: agency.clause_digests(),
        ..config.policy.clone()
    }
}

fn notifier(config: &Config) -> anyhow::Result<Arc<dyn Notifier>> {
    if config.notify.command.is_empty() {
        return Ok(Arc::new(SilentNotifier));
    }
    let program = Program::new(&config.notify.command, Duration::from_secs(30))?;
    Ok(Arc::new(CommandNotifier::new(program)))
}

/// The voice behind the seats, if one is enabled.
fn playbook(
    config: &Config,
    agency: &Arc<Agency>,
    portal: &Arc<Portal>,
    other: Option<Arc<dyn Voice>>,
) -> Option<Arc<dyn Voice>> {
    if other.is_some() {
        return other;
    }
    let enabled = config.voices.values().any(|voice| voice.kind == PLAYBOOK && voice.enabled);
    // Where time stands still, nobody waits for pictures.
    let pictures = config.mockup.stills == "auto" && config.clock == ClockKind::System;
    let browser = pictures.then(Browser::find).flatten();
    let portal = Arc::clone(portal);
    let page_of: PageOf = Arc::new(move |lead| portal.link(lead));
    let playbook = || Playbook::new(Arc::clone(agency)).with_browser(browser).with_portal(page_of);
    enabled.then(|| Arc::new(playbook()) as Arc<dyn Voice>)
}

/// The four seats of an Eidolon, then the house voice.
fn seats(
    config: &Config,
    eidolon: Eidolon,
    house: &Option<Arc<dyn Voice>>,
    playbook_only: bool,
) -> anyhow::Result<Vec<Seat>> {
    let mut seats = Vec::with_capacity(SEATS.len() + 1);
    for seat in SEATS {
        let chosen = config.eidolons.get(&eidolon).and_then(|e| e.seats.get(seat));
        let voice = match chosen.and_then(|name| config.voices.get(name).map(|voice| (name, voice))) {
            Some((_, voice)) if !voice.enabled => {
                Err(format!("its voice is off: set enabled = true under [voices] for {seat}"))
            }
            Some(_) if playbook_only => Err("only the playbook works in this run".to_owned()),
            Some((name, voice)) if voice.kind == "script" => Ok(script(name, voice)?),
            _ => Err(format!(
                "no voice sits here; write `{seat} = \"<voice>\"` under [eidolons.{eidolon}.seats] and the voice under [voices]"
            )),
        };
        seats.push(Seat { name: seat.to_owned(), voice });
    }
    let house = house.clone().ok_or_else(|| "the playbook is off: set [voices.playbook] enabled = true".to_owned());
    seats.push(Seat { name: PLAYBOOK.to_owned(), voice: house });
    Ok(seats)
}

fn script(name: &str, voice: &VoiceConfig) -> anyhow::Result<Arc<dyn Voice>> {
    let command: Vec<String> = std::iter::once(&voice.program).chain(&voice.args).cloned().collect();
    let mut program = Program::new(&command, voice.timeout.unsigned_abs())?;
    program.output_limit = voice.output_limit;
    Ok(Arc::new(ScriptVoice::new(name, program)))
}

fn signal_router(config: &Config, root: &Path, director: &Director) -> anyhow::Result<SignalRouter> {
    let key = ApprovalKey::open(root).context("the key for signed approvals")?;
    let root = root.to_owned();
    Ok(SignalRouter {
        director: director.clone(),
        aliases: Arc::new(config.aliases()),
        check_path: Arc::new(move |path, lead, reference| resolve_data_path(path, &root, lead, reference).map(drop)),
        check_signature: Arc::new(move |slip| key.check(slip)),
    })
}

fn start_drop_box(
    config: &Config,
    root: &Path,
    instance: &str,
    router: SignalRouter,
    director: &Director,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<DropBoxHandle> {
    let director = director.clone();
    let intake = move |inbound: Inbound| -> BoxFuture<'static, Verdict> {
        let (router, director) = (router.clone(), director.clone());
        Box::pin(async move { take_in(&router, &director, inbound).await })
    };
    let settings = DropBoxConfig { rescan: config.signals.rescan.unsigned_abs(), ..DropBoxConfig::default() };
    let folder = root.join("signals");
    DropBox::start(folder, instance, HashSet::new(), Arc::new(intake), clock, settings).context("the drop box")
}

/// Tells the Director what was dropped.
async fn take_in(router: &SignalRouter, director: &Director, inbound: Inbound) -> Verdict {
    let Inbound { signal, mail, file_name, .. } = inbound;
    let result = match (mail, signal.id.clone()) {
        (Some(mail), Some(id)) => {
            let mail = Mail {
                from_address: mail.from_address,
                from_name: mail.from_name.unwrap_or_default(),
                subject: mail.subject,
                text: mail.text,
                message_id: mail.message_id,
                in_reply_to: mail.in_reply_to,
                references: mail.references,
                kind: mail.kind,
                automatic: mail.automatic,
            };
            match director.receive_mail(mail, id).await {
                Ok(Received::Message(lead)) => Ok(format!("a message of lead {lead}")),
                Ok(Received::NewLead(lead)) => Ok(format!("the new lead {lead}")),
                Ok(Received::Ignored(why)) => Err(Rejected { reason: why, retry: false }),
                Err(error) => Err(Rejected::from(error)),
            }
        }
        _ => router.route(&signal, None).await.map(|routed| routed.sentence),
    };
    match result {
        Ok(sentence) => {
            tracing::info!(file = file_name, "signal: {sentence}");
            Verdict::Accepted
        }
        Err(Rejected { reason, retry: true }) => Verdict::Retry(reason),
        Err(Rejected { reason, retry: false }) => {
            tracing::warn!(file = file_name, reason, "a signal was rejected");
            Verdict::Rejected(reason)
        }
    }
}

/// Tells clients where the server is.
fn write_run_file(root: &Path, address: SocketAddr) -> anyhow::Result<std::path::PathBuf> {
    let file = root.join("run").join("max.json");
    let text = serde_json::json!({
        "pid": std::process::id(),
        "address": address.to_string(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    let beside = file.with_extension("json.new");
    std::fs::write(&beside, text.to_string())?;
    std::fs::rename(&beside, &file)?;
    Ok(file)
}

/// In whose name mail goes out: `[mail] from`, read as `Name <address>`, and the personas' own names.
fn sender(config: &Config) -> Sender {
    let (name, address) = match config.mail.from.split_once('<') {
        Some((name, address)) => (name.trim().trim_matches('"'), address.trim().trim_end_matches('>').trim()),
        None => ("Agency", config.mail.from.trim()),
    };
    let personas = config.eidolons.iter().map(|(eidolon, own)| (*eidolon, own.persona.clone())).collect();
    Sender { name: name.to_owned(), address: address.to_owned(), personas }
}

/// A name that no other process has or had: leases of a dead process are told from those of its successor by it.
fn instance() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(32).collect();
    let unique = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}", if host.is_empty() { "max" } else { &host }, &unique[..12])
}

fn absolute(root: &Path) -> anyhow::Result<std::path::PathBuf> {
    std::fs::create_dir_all(root).with_context(|| format!("the root {} cannot be made", root.display()))?;
    root.canonicalize().with_context(|| format!("the root {} cannot be used", root.display()))
}
