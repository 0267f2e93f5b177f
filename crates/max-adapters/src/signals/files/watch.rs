//! Being told about new files. The only place that knows the watching library.

use std::ffi::OsString;
use std::path::Path;

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

/// What was noticed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Noticed {
    /// A file is complete: its writer closed it, or it was renamed into the folder.
    Complete(OsString),
    /// Events were lost; the folder has to be read through.
    Lost,
}

/// Watches until dropped. Without a watcher the rescan still finds everything.
pub(super) struct Watcher(#[expect(dead_code, reason = "kept alive; dropping it ends the watch")] RecommendedWatcher);

/// Watches `folder` itself, not what lies below.
pub(super) fn watch(folder: &Path, tell: impl Fn(Noticed) + Send + 'static) -> Option<Watcher> {
    let handler = move |event: notify::Result<Event>| match event {
        Ok(event) => noticed(event).into_iter().for_each(&tell),
        Err(_) => tell(Noticed::Lost),
    };
    let started = notify::recommended_watcher(handler)
        .and_then(|mut watcher| watcher.watch(folder, RecursiveMode::NonRecursive).map(|()| watcher));
    match started {
        Ok(watcher) => Some(Watcher(watcher)),
        Err(error) => {
            let folder = folder.display();
            tracing::warn!(%folder, %error, "signals are found by rescan only; raise fs.inotify.max_user_watches");
            None
        }
    }
}

fn noticed(event: Event) -> Option<Noticed> {
    if event.need_rescan() {
        return Some(Noticed::Lost);
    }
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Any))
        // On systems without "closed" and "moved in" this is all that is told; unfinished files settle.
        | EventKind::Create(notify::event::CreateKind::Any | notify::event::CreateKind::Other) => {
            event.paths.last()?.file_name().map(|name| Noticed::Complete(name.to_owned()))
        }
        _ => None,
    }
}
