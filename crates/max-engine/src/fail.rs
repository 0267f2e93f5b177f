//! Named failpoints around every commit, file write and send, so that tests break MAX on purpose.
//!
//! [`POINTS`] lists them all. They exist in builds with debug assertions only; in a release build [`point`] is an empty function. They are armed
//! by a specification such as `ledger.commit=error*3,relay.sent=kill@2`: a name, an action (`error`, `full` for a
//! full disk, `readonly`, `kill` for the end of the process without another word), and optionally `@n` (from the n-th
//! time on) and `*m` (m times, then never again).

/// Every failpoint with what it stands before or after. A name and the next one along the way are the two sides of one
/// step, so that a crash can be put on either side of it.
#[cfg(debug_assertions)]
pub const POINTS: [(&str, &str); 36] = [
    ("ledger.commit", "before a round is given to the store"),
    ("ledger.committed", "after the store's commit, before anybody is told of it"),
    ("store.commit", "all rows of a round written, before COMMIT"),
    ("store.committed", "after COMMIT, before the writer knows"),
    ("store.setting", "before a watermark, token, SapWave or key is written"),
    ("artifacts.write", "before an artifact's content is written"),
    ("artifacts.written", "content written under a hidden name, before it gets its own"),
    ("artifacts.named", "content under its name, before the name is durable"),
    ("folders.written", "a readable file written under a hidden name, before it gets its own"),
    ("folders.named", "a readable file under its name, before the writer knows"),
    ("projector.lead", "before a lead's folder is written"),
    ("projector.delivery", "a lead's folder written, before its inbox copy"),
    ("projector.announce", "before a signal for the world is written"),
    ("projector.sync", "before the file system is synced"),
    ("projector.synced", "after the sync, before the watermark moves"),
    ("relay.release", "before a message is released"),
    ("relay.send", "a message released, before the channel gets it"),
    ("relay.sent", "the channel has the message, before that is recorded"),
    ("channel.write", "before a mail is written"),
    ("channel.written", "a mail written under a hidden name, before it gets its own"),
    ("channel.named", "a mail under its name, before the name is durable"),
    ("dropbox.claim", "before a dropped file is claimed"),
    ("dropbox.claimed", "a dropped file claimed, before it is read for good"),
    ("dropbox.accept", "a signal's effect durable, before its file is put away"),
    ("dropbox.accepted", "a file in `.processed/`, before that is durable"),
    ("dropbox.reject", "a signal refused, before its file is put away"),
    ("dropbox.reason", "the reason written, before the file is moved beside it"),
    ("sapwave.deliver", "before a SapWave's signal is written"),
    ("sapwave.delivered", "a SapWave's signal written, before its next time is stored"),
    ("erase.files", "an erasure approved, before the lead's files are removed"),
    ("erase.log", "the lead's files gone, before its log is blanked"),
    ("erase.logged", "the lead's log blank, before its shell is projected"),
    ("erase.scrub", "before the store's own files are scrubbed"),
    ("erase.scrubbed", "the store scrubbed, before the erasure counts as done"),
    ("secret.written", "a token or key written under a hidden name, before it gets its own"),
    ("secret.named", "a token or key under its name, before the name is durable"),
];

/// Passes a failpoint: nothing, an error, or the end of the process.
///
/// # Errors
/// What the armed failpoint says.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_name: &'static str) -> Result<(), crate::ports::StoreError> {
    Ok(())
}

#[cfg(debug_assertions)]
pub use armed::{arm, point};

#[cfg(debug_assertions)]
mod armed {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicBool, Ordering};

    use parking_lot::Mutex;

    use super::POINTS;
    use crate::ports::StoreError;

    static ARMED: AtomicBool = AtomicBool::new(false);
    static SET: Mutex<Option<HashMap<String, Point>>> = Mutex::new(None);

    struct Point {
        action: Action,
        /// Passes before it acts.
        skip: u64,
        /// How often it acts.
        times: u64,
    }

    #[derive(Clone, Copy)]
    enum Action {
        Error,
        Full,
        ReadOnly,
        Kill,
    }

    /// Arms failpoints by a specification; an empty one disarms all.
    ///
    /// # Errors
    /// When the specification cannot be read, with the part that is wrong.
    pub fn arm(specification: &str) -> Result<(), String> {
        let mut points = HashMap::new();
        for part in specification.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (name, action) = part.split_once('=').ok_or_else(|| format!("`{part}`: write name=action"))?;
            if POINTS.iter().all(|(known, _)| *known != name) {
                return Err(format!("there is no failpoint `{name}`"));
            }
            let (action, times) = match action.split_once('*') {
                Some((action, times)) => (action, times.parse().map_err(|_| format!("`{part}`: *m needs a number"))?),
                None => (action, u64::MAX),
            };
            let (action, from) = match action.split_once('@') {
                Some((action, from)) => (action, from.parse().map_err(|_| format!("`{part}`: @n needs a number"))?),
                None => (action, 1u64),
            };
            let action = match action {
                "error" => Action::Error,
                "full" => Action::Full,
                "readonly" => Action::ReadOnly,
                "kill" => Action::Kill,
                other => return Err(format!("`{other}` is none of error, full, readonly, kill")),
            };
            points.insert(name.to_owned(), Point { action, skip: from.saturating_sub(1), times });
        }
        ARMED.store(!points.is_empty(), Ordering::SeqCst);
        *SET.lock() = Some(points);
        Ok(())
    }

    /// Passes a failpoint.
    ///
    /// # Errors
    /// What the armed failpoint says.
    pub fn point(name: &'static str) -> Result<(), StoreError> {
        if !ARMED.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut points = SET.lock();
        let Some(point) = points.as_mut().and_then(|points| points.get_mut(name)) else { return Ok(()) };
        if point.skip > 0 {
            point.skip -= 1;
            return Ok(());
        }
        if point.times == 0 {
            return Ok(());
        }
        point.times -= 1;
        match point.action {
            Action::Error => Err(StoreError::Unavailable(format!("failpoint {name}"))),
            Action::Full => Err(StoreError::Full(format!("failpoint {name}"))),
            Action::ReadOnly => Err(StoreError::ReadOnly(format!("failpoint {name}"))),
            Action::Kill => std::process::abort(),
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use crate::ports::StoreError;

    #[test]
    fn a_point_acts_from_the_nth_time_for_m_times() {
        arm("secret.named=full@2*1").expect("a specification");
        assert_eq!(point("secret.written"), Ok(()));
        assert_eq!(point("secret.named"), Ok(()));
        assert!(matches!(point("secret.named"), Err(StoreError::Full(_))));
        assert_eq!(point("secret.named"), Ok(()));
        for wrong in ["nonsense", "secret.named=explode", "secret.nmaed=error", "secret.named=error*x"] {
            assert!(arm(wrong).is_err(), "{wrong}");
        }
        arm("").expect("disarmed");
    }

    #[test]
    fn the_table_names_each_failpoint_of_the_source_once() {
        let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crates' folder");
        let mut found = Vec::new();
        for part in ["max-engine", "max-adapters", "max"] {
            collect(&crates.join(part).join("src"), &mut found);
        }
        found.sort();
        let mut listed: Vec<_> = POINTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        listed.sort();
        assert_eq!(found, listed);
    }

    /// The names passed to `point` in the sources below a folder, this file left out.
    fn collect(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, found);
            } else if !path.ends_with("max-engine/src/fail.rs") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let calls = text.split("point(\"").skip(1);
                found.extend(calls.filter_map(|call| call.split_once('"')).map(|(name, _)| name.to_owned()));
            }
        }
    }
}
