//! The desk that orders the work of the drop box: one loop owns what is known, workers do the moving.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use max_engine::ports::Clock;
use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::look::{Found, Shape, is_ours, look};
use super::shelf::{Claim, Shelf};
use super::watch::{Noticed, Watcher, watch};
use super::{DropBoxConfig, Intake, Verdict};
use crate::files::point;
use crate::signals::yaml::RejectReason;

/// What the desk is told.
pub(super) enum Order {
    /// A file is complete.
    Take(OsString),
    /// Read the folder through.
    Rescan,
    /// These instances are alive.
    Live(HashSet<String>),
    /// Finish what is under way and stop.
    Stop,
}

/// The loop's knowledge. Files are named as they stand in the drop box.
pub(super) struct Desk {
    shelf: Arc<Shelf>,
    intake: Arc<dyn Intake>,
    clock: Arc<dyn Clock>,
    config: DropBoxConfig,
    live: HashSet<String>,
    _watcher: Option<Watcher>,
    /// What waits for a worker, first come first served.
    queue: VecDeque<OsString>,
    /// What is queued or under way; a name is in work once at a time.
    busy: Busy,
    /// Names that were noticed again while under way.
    again: HashSet<OsString>,
    /// What is looked at again later.
    later: HashMap<OsString, Instant>,
    /// When to look at `later` next; early is harmless.
    alarm: Option<Instant>,
    /// How unfinished files looked, and since when.
    shapes: HashMap<OsString, (Shape, Instant)>,
    workers: JoinSet<(OsString, Step)>,
    /// The reading of the folder that is under way.
    surveys: JoinSet<io::Result<Survey>>,
}

/// Shared with the survey, which must not give back what a worker has just claimed.
type Busy = Arc<Mutex<HashSet<OsString>>>;

/// How a worker leaves a file.
enum Step {
    /// It is settled, one way or the other.
    Done,
    /// It cannot be read yet.
    Unfinished,
    /// It has to be tried again.
    Again,
}

impl Desk {
    /// A desk that is being told about new files from now on.
    pub(super) fn new(
        shelf: Shelf,
        intake: Arc<dyn Intake>,
        clock: Arc<dyn Clock>,
        config: DropBoxConfig,
        live: HashSet<String>,
        orders: UnboundedSender<Order>,
    ) -> Self {
        let watcher = watch(&shelf.folder, move |noticed| {
            let _ = orders.send(match noticed {
                Noticed::Complete(name) => Order::Take(name),
                Noticed::Lost => Order::Rescan,
            });
        });
        Self {
            shelf: Arc::new(shelf),
            intake,
            clock,
            config,
            live,
            _watcher: watcher,
            queue: VecDeque::new(),
            busy: Busy::default(),
            again: HashSet::new(),
            later: HashMap::new(),
            alarm: None,
            shapes: HashMap::new(),
            workers: JoinSet::new(),
            surveys: JoinSet::new(),
        }
    }

    /// Works until told to stop.
    pub(super) async fn work(mut self, mut inbox: UnboundedReceiver<Order>) {
        let mut rescan = interval(self.config.rescan);
        rescan.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let alarm = self.alarm;
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(Order::Take(name)) => self.take(name),
                    Some(Order::Rescan) => self.rescan(),
                    Some(Order::Live(live)) => { self.live = live; self.rescan(); }
                    Some(Order::Stop) | None => break,
                },
                Some(ended) = self.workers.join_next() => self.settle(ended),
                Some(Ok(survey)) = self.surveys.join_next() => self.compare(survey),
                _ = rescan.tick() => self.rescan(),
                () = sleep_until(alarm.unwrap_or_else(Instant::now)), if alarm.is_some() => self.wake(),
            }
            self.dispatch();
        }
        while self.workers.join_next().await.is_some() {}
    }

    /// Queues a file, once.
    fn take(&mut self, name: OsString) {
        if is_ours(&name, true) {
            return;
        }
        self.later.remove(&name);
        let new = self.busy.lock().insert(name.clone());
        if new {
            self.queue.push_back(name);
        } else {
            self.again.insert(name);
        }
    }

    /// Has the folder read through, for what no event told, and what the dead have claimed returned.
    fn rescan(&mut self) {
        if self.surveys.is_empty() {
            let (shelf, live, busy) = (self.shelf.clone(), self.live.clone(), self.busy.clone());
            self.surveys.spawn_blocking(move || survey(&shelf, &live, &busy));
        }
    }

    /// Compares what lies there with what is known.
    fn compare(&mut self, survey: io::Result<Survey>) {
        let found = match survey {
            Ok(found) => found,
            Err(error) => return tracing::warn!(%error, "the drop box cannot be read; check its permissions"),
        };
        let present: HashSet<&OsString> = found.names.iter().map(|(name, _)| name).collect();
        self.shapes.retain(|name, _| present.contains(name));
        self.later.retain(|name, _| present.contains(name));
        for name in found.returned {
            self.take(name);
        }
        for (name, shape) in found.names {
            // A file in the making must not be taken half: without an event that it is complete, it has to rest.
            let rested = self.has_rested(&name, shape);
            if rested && !self.later.contains_key(&name) && !self.busy.lock().contains(&name) {
                self.take(name);
            }
        }
    }

    /// Remembers how a file looks and tells whether it has looked so for long enough.
    fn has_rested(&mut self, name: &OsStr, shape: Shape) -> bool {
        let now = Instant::now();
        let since = match self.shapes.get(name) {
            Some((known, since)) if *known == shape => *since,
            _ => {
                self.shapes.insert(name.to_owned(), (shape, now));
                now
            }
        };
        shape.is_old(self.config.settle) || now.duration_since(since) >= self.config.settle
    }

    fn postpone(&mut self, name: OsString, until: Instant) {
        self.later.insert(name, until);
        self.alarm = Some(self.alarm.map_or(until, |alarm| alarm.min(until)));
    }

    /// Queues what has waited long enough.
    fn wake(&mut self) {
        let now = Instant::now();
        let due: Vec<_> = self.later.iter().filter(|(_, at)| **at <= now).map(|(name, _)| name.clone()).collect();
        due.into_iter().for_each(|name| self.take(name));
        self.alarm = self.later.values().min().copied();
    }

    /// Gives queued files to free workers.
    fn dispatch(&mut self) {
        while self.workers.len() < self.config.concurrency.max(1) {
            let Some(name) = self.queue.pop_front() else { return };
            let rested = Shape::of(&self.shelf.path(&name)).is_some_and(|shape| self.has_rested(&name, shape));
            let worker = Worker {
                shelf: self.shelf.clone(),
                intake: self.intake.clone(),
                clock: self.clock.clone(),
                rested,
                name,
            };
            self.workers.spawn(worker.work());
        }
    }

    fn settle(&mut self, ended: Result<(OsString, Step), tokio::task::JoinError>) {
        let (name, step) = match ended {
            Ok(ended) => ended,
            // Only when the runtime shuts down; the next start takes the file up.
            Err(_) => return,
        };
        self.busy.lock().remove(&name);
        match step {
            Step::Done => {
                self.shapes.remove(&name);
            }
            Step::Unfinished => {
                let since = self.shapes.get(&name).map_or_else(Instant::now, |(_, since)| *since);
                self.postpone(name.clone(), since + self.config.settle);
            }
            Step::Again => {
                self.postpone(name.clone(), Instant::now() + self.config.retry);
            }
        }
        if self.again.remove(&name) {
            self.take(name);
        }
    }
}

/// What a reading of the folder found.
struct Survey {
    names: Vec<(OsString, Shape)>,
    returned: Vec<OsString>,
}

fn survey(shelf: &Shelf, live: &HashSet<String>, busy: &Busy) -> io::Result<Survey> {
    shelf.make_folders()?;
    let mut returned = Vec::new();
    for (claim, instance) in shelf.claims()? {
        // Nothing is claimed under a name before the name is busy, so under this lock the answer stays true.
        let busy = busy.lock();
        let held = if instance == shelf.instance { busy.contains(&claim.name) } else { live.contains(&instance) };
        if !held && !is_ours(&claim.name, false) && shelf.give_back(&claim)? {
            returned.push(claim.name);
        }
    }
    let names = shelf
        .names()?
        .into_iter()
        .filter(|(name, folder)| !is_ours(name, *folder))
        .filter_map(|(name, _)| Shape::of(&shelf.path(&name)).map(|shape| (name, shape)))
        .collect();
    Ok(Survey { names, returned })
}

/// Takes one file from the drop box to where it belongs.
struct Worker {
    shelf: Arc<Shelf>,
    intake: Arc<dyn Intake>,
    clock: Arc<dyn Clock>,
    name: OsString,
    rested: bool,
}

impl Worker {
    async fn work(self) -> (OsString, Step) {
        // A signal that makes the intake panic must not take the drop box with it.
        let step = match AssertUnwindSafe(self.step()).catch_unwind().await {
            Ok(Ok(step)) => step,
            Ok(Err(error)) => {
                tracing::warn!(file = ?self.name, %error, "a signal cannot be moved; it is tried again");
                Step::Again
            }
            Err(_) => {
                tracing::error!(file = ?self.name, "taking in a signal panicked; it is tried again");
                Step::Again
            }
        };
        (self.name, step)
    }

    async fn step(&self) -> io::Result<Step> {
        let (shelf, name, rested) = (self.shelf.clone(), self.name.clone(), self.rested);
        let (claim, found) = match blocking(move || pick_up(&shelf, &name, rested)).await? {
            Picked::Up(claim, found) => (claim, found),
            Picked::Not(step) => return Ok(step),
        };
        let verdict = match found {
            Found::Signal(inbound) => self.intake.take_in(*inbound).await,
            Found::Never(reason) | Found::NotYet(reason) => Verdict::Rejected(reason.0),
            Found::Gone => return Ok(Step::Done),
        };
        let (shelf, day) = (self.shelf.clone(), self.clock.now().strftime("%Y-%m-%d").to_string());
        blocking(move || put_away(&shelf, &claim, verdict, &day)).await
    }
}

/// What came of reaching for a file.
enum Picked {
    /// It is claimed, and this is what it holds.
    Up(Claim, Found),
    /// It is not, and this is how to go on.
    Not(Step),
}

/// Looks at a file, claims it if it is ready, and reads it again: only what is claimed can no longer be exchanged by
/// another rename.
fn pick_up(shelf: &Shelf, name: &OsStr, rested: bool) -> io::Result<Picked> {
    if let Some(claim) = shelf.held(name) {
        // Offered before, and another file has taken its name meanwhile: this one comes first.
        let found = look(&claim.path, name)?;
        return Ok(Picked::Up(claim, found));
    }
    match look(&shelf.path(name), name)? {
        Found::Gone => return Ok(Picked::Not(Step::Done)),
        Found::Never(_) if is_ours(name, shelf.path(name).is_dir()) => return Ok(Picked::Not(Step::Done)),
        Found::Never(reason) => return refuse(shelf, name, &reason),
        Found::NotYet(_) if !rested => return Ok(Picked::Not(Step::Unfinished)),
        Found::NotYet(_) | Found::Signal(_) => {}
    }
    let Some(claim) = shelf.claim(name)? else {
        // Another instance was faster.
        return Ok(Picked::Not(Step::Done));
    };
    point("dropbox.claimed")?;
    match look(&claim.path, name)? {
        Found::NotYet(_) if !rested => {
            shelf.give_back(&claim)?;
            Ok(Picked::Not(Step::Unfinished))
        }
        found => Ok(Picked::Up(claim, found)),
    }
}

/// Rejects what cannot even be claimed: folders, links, pipes, endless names.
fn refuse(shelf: &Shelf, name: &OsStr, reason: &RejectReason) -> io::Result<Picked> {
    match shelf.reject(&shelf.path(name), name, reason) {
        Ok(_) => {
            tracing::info!(file = ?name, %reason, "signal rejected");
            Ok(Picked::Not(Step::Done))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Picked::Not(Step::Done)),
        Err(error) => Err(error),
    }
}

fn put_away(shelf: &Shelf, claim: &Claim, verdict: Verdict, day: &str) -> io::Result<Step> {
    match verdict {
        Verdict::Accepted => {
            shelf.accept(claim, day)?;
            Ok(Step::Done)
        }
        Verdict::Rejected(reason) => {
            let reason = RejectReason(reason);
            shelf.reject(&claim.path, &claim.name, &reason)?;
            tracing::info!(file = ?claim.name, %reason, "signal rejected");
            Ok(Step::Done)
        }
        Verdict::Retry(reason) => {
            shelf.give_back(claim)?;
            tracing::warn!(file = ?claim.name, reason, "signal is offered again later");
            Ok(Step::Again)
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
