//! Several threads that each run worlds of their own, and one that puts in order what comes of them.

use std::sync::mpsc::{self, Receiver, Sender};

/// Runs `work` on that many threads, at least one, each with a sender of its own; `gather` hears them all, in any order,
/// until the last has ended.
#[expect(
    clippy::disallowed_methods,
    reason = "each thread runs worlds of its own, and order is restored after"
)]
pub(crate) fn on_threads<T: Send>(
    jobs: usize,
    work: impl Fn(&Sender<T>) + Sync,
    gather: impl FnOnce(&Receiver<T>),
) {
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (sender, work) = (sender.clone(), &work);
            scope.spawn(move || work(&sender));
        }
        drop(sender);
        gather(&receiver);
    });
}
