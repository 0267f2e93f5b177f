//! Named failpoints around every commit, file write and send, so that tests break MAX on purpose.
//!
//! They exist in builds with debug assertions only; in a release build [`point`] is an empty function. They are armed
//! by a specification such as `ledger.commit=error*3,relay.sent=kill@2`: a name, an action (`error`, `full` for a
//! full disk, `readonly`, `kill` for the end of the process without another word), and optionally `@n` (from the n-th
//! time on) and `*m` (m times, then never again).

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

    use crate::ports::StoreError;

    static ARMED: AtomicBool = AtomicBool::new(false);
    static POINTS: Mutex<Option<HashMap<String, Point>>> = Mutex::new(None);

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
        *POINTS.lock() = Some(points);
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
        let mut points = POINTS.lock();
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
        arm("test.point=full@2*1").expect("a specification");
        assert_eq!(point("test.other"), Ok(()));
        assert_eq!(point("test.point"), Ok(()));
        assert!(matches!(point("test.point"), Err(StoreError::Full(_))));
        assert_eq!(point("test.point"), Ok(()));
        assert!(arm("nonsense").is_err());
        assert!(arm("a=explode").is_err());
        arm("").expect("disarmed");
    }
}
