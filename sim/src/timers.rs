//! One node's timers, on its own monotonic clock.
//!
//! A timer has at most one entry in the event queue that counts. Cancelling or postponing it leaves that entry where it
//! is; when the entry comes up, it is put back for the timer's present deadline, or dropped. A timer that is armed and
//! cancelled a million times takes up one entry.

use crate::clock::NodeClock;
use crate::limits::TIMER_KEYS_MAX;
use crate::node::TimerKey;
use crate::queue::{Due, Sequence};
use crate::time::{MonotonicTime, TrueTime};

/// A timer that runs.
#[derive(Clone, Copy, Debug)]
struct Armed {
    /// What the monotonic clock shows when it runs out.
    target: MonotonicTime,
    /// When that is, as long as the clock's rate stays; the sequence is that of the arming.
    due: Due,
}

#[derive(Clone, Copy, Debug, Default)]
struct Timer {
    armed: Option<Armed>,
    /// The entry of the event queue that counts. Not later than `armed.due`, and there is one if the timer is armed.
    queued: Option<Due>,
    /// The arming that ran out while the node was busy or paused, until the node takes it or changes its mind.
    waiting: Option<Sequence>,
}

/// What an entry of the event queue means when it comes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// The timer runs out.
    Fires,
    /// The timer was postponed: the entry goes back, for then.
    Later(Due),
    /// The timer was cancelled, or has an earlier entry.
    Stale,
}

/// All timers of one node, by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    timers: Vec<Timer>,
}

impl Timers {
    /// Arms a timer anew; the entry that the event queue needs for it, if any.
    ///
    /// # Panics
    /// If the key is not below [`TIMER_KEYS_MAX`].
    pub(crate) fn arm(&mut self, key: TimerKey, target: MonotonicTime, due: Due) -> Option<Due> {
        let timer = self.timer(key);
        timer.armed = Some(Armed { target, due });
        timer.waiting = None;
        timer.entry_needed()
    }

    /// Stops a timer, if it runs.
    pub(crate) fn cancel(&mut self, key: TimerKey) {
        let timer = self.timer(key);
        timer.armed = None;
        timer.waiting = None;
    }

    /// An entry of the event queue came up.
    pub(crate) fn expire(&mut self, key: TimerKey, due: Due) -> Expiry {
        let timer = self.timer(key);
        if timer.queued != Some(due) {
            return Expiry::Stale;
        }
        timer.queued = None;
        match timer.armed {
            None => Expiry::Stale,
            Some(armed) if armed.due == due => {
                timer.armed = None;
                Expiry::Fires
            }
            Some(armed) => {
                assert!(armed.due > due, "an entry is never later than its timer");
                timer.queued = Some(armed.due);
                Expiry::Later(armed.due)
            }
        }
    }

    /// A timer ran out, but its node cannot take it yet.
    pub(crate) fn wait(&mut self, key: TimerKey, sequence: Sequence) {
        self.timer(key).waiting = Some(sequence);
    }

    /// Whether a timer that waited is still wanted; it waits no longer.
    pub(crate) fn take_waiting(&mut self, key: TimerKey, sequence: Sequence) -> bool {
        let timer = self.timer(key);
        let is_wanted = timer.waiting == Some(sequence);
        if is_wanted {
            timer.waiting = None;
        }
        is_wanted
    }

    /// Aims every running timer anew, after the clock's rate changed; hands out the entries that the event queue
    /// needs, and says how many timers run.
    pub(crate) fn aim(
        &mut self,
        clock: &NodeClock,
        now: TrueTime,
        mut push: impl FnMut(TimerKey, Due),
    ) -> u64 {
        let mut running = 0;
        for (timer, key) in self.timers.iter_mut().zip(0..) {
            let Some(armed) = &mut timer.armed else { continue };
            armed.due.at = clock.reaches(armed.target, now);
            running += 1;
            if let Some(due) = timer.entry_needed() {
                push(TimerKey(key), due);
            }
        }
        running
    }

    /// Stops all timers: the node's memory is gone. Their entries stay, and mean nothing.
    pub(crate) fn clear(&mut self) {
        for timer in &mut self.timers {
            timer.armed = None;
            timer.waiting = None;
        }
    }

    fn timer(&mut self, key: TimerKey) -> &mut Timer {
        let index = key.0 as usize;
        if index >= self.timers.len() {
            assert!(index < TIMER_KEYS_MAX, "timer key {index} is not below {TIMER_KEYS_MAX}");
            self.timers.resize(index + 1, Timer::default());
        }
        &mut self.timers[index]
    }
}

impl Timer {
    /// Makes sure that an entry counts which is not later than the timer; the entry, if it is a new one.
    fn entry_needed(&mut self) -> Option<Due> {
        let due = self.armed?.due;
        if self.queued.is_some_and(|queued| queued <= due) {
            return None;
        }
        self.queued = Some(due);
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: TimerKey = TimerKey(3);

    fn due(at: u64, sequence: u64) -> Due {
        Due { at: TrueTime::from_ns(at), sequence: Sequence(sequence) }
    }

    /// Arms the timer for these instants one after the other; which entries that pushes.
    fn check(instants: &[u64]) -> (Timers, Vec<Due>) {
        let mut timers = Timers::default();
        let arm = |(&at, sequence)| timers.arm(KEY, MonotonicTime::from_ns(at), due(at, sequence));
        let pushed = instants.iter().zip(0..).filter_map(arm).collect();
        (timers, pushed)
    }

    #[test]
    fn a_postponed_timer_keeps_its_entry_and_fires_at_its_last_deadline() {
        let (mut timers, pushed) = check(&[5, 9, 7]);
        assert_eq!(pushed, [due(5, 0)]);
        assert_eq!(timers.expire(KEY, due(5, 0)), Expiry::Later(due(7, 2)));
        assert_eq!(timers.expire(KEY, due(7, 2)), Expiry::Fires);
        assert_eq!(timers.expire(KEY, due(7, 2)), Expiry::Stale);
    }

    #[test]
    fn an_earlier_deadline_gets_an_entry_of_its_own() {
        let (mut timers, pushed) = check(&[9, 5]);
        assert_eq!(pushed, [due(9, 0), due(5, 1)]);
        assert_eq!(timers.expire(KEY, due(5, 1)), Expiry::Fires);
        assert_eq!(timers.expire(KEY, due(9, 0)), Expiry::Stale);
    }

    #[test]
    fn a_timer_armed_and_cancelled_for_ever_takes_up_one_entry() {
        let mut timers = Timers::default();
        let mut pushed = 0;
        for at in 0..1_000 {
            pushed += timers.arm(KEY, MonotonicTime::from_ns(at), due(at + 5, at)).iter().count();
            timers.cancel(KEY);
        }
        assert_eq!(pushed, 1);
        assert_eq!(timers.expire(KEY, due(5, 0)), Expiry::Stale);
    }

    #[test]
    fn a_timer_that_waits_is_gone_once_cancelled_or_armed_again() {
        let (mut timers, _) = check(&[5]);
        timers.wait(KEY, Sequence(0));
        assert!(timers.clone().take_waiting(KEY, Sequence(0)));
        let mut cancelled = timers.clone();
        cancelled.cancel(KEY);
        assert!(!cancelled.take_waiting(KEY, Sequence(0)));
        timers.arm(KEY, MonotonicTime::from_ns(8), due(8, 1));
        assert!(!timers.take_waiting(KEY, Sequence(0)));
    }

    #[test]
    fn no_timer_of_a_node_that_died_fires() {
        let (mut timers, _) = check(&[5]);
        timers.clear();
        assert_eq!(timers.expire(KEY, due(5, 0)), Expiry::Stale);
    }
}
