//! A few operations that rule out every order, where an algorithm does not know which ones do.

use crate::engine::shortcut::{Seen, View};

/// How many operations are looked at to find a small conflict.
const LOOKED_AT_COUNT_MAX: usize = 20_000_000;

/// The same history, in which only some operations keep their answers.
pub(crate) struct Weakened<'a, T, V> {
    view: &'a V,
    keeps: &'a [bool],
    unanswered: fn(T) -> Option<T>,
}

impl<T, V: View<T>> View<T> for Weakened<'_, T, V> {
    fn count(&self) -> usize {
        self.view.count()
    }

    fn at(&self, place: usize) -> Seen<T> {
        let Seen { step, invoked, returned } = self.view.at(place);
        if self.keeps[place] {
            return Seen { step, invoked, returned };
        }
        Seen { step: step.and_then(self.unanswered), invoked, returned: u64::MAX }
    }
}

/// What is left of the operations in `keeps` when those that can be spared are weakened: in halves,
/// quarters, ... one by one.
///
/// `unanswered` is what an operation does if its answer is not known.
pub(crate) fn shrunk<T, V: View<T>>(
    view: &V,
    mut keeps: Vec<bool>,
    unanswered: fn(T) -> Option<T>,
    is_illegal: impl Fn(&Weakened<'_, T, V>) -> bool,
) -> Vec<bool> {
    let mut looks = LOOKED_AT_COUNT_MAX / view.count().max(1);
    let mut chunk = keeps.len().next_power_of_two();
    while chunk > 0 {
        for start in (0..keeps.len()).step_by(chunk) {
            let range = start..(start + chunk).min(keeps.len());
            if looks == 0 || !keeps[range.clone()].contains(&true) {
                continue;
            }
            looks -= 1;
            let before = keeps[range.clone()].to_vec();
            keeps[range.clone()].fill(false);
            if !is_illegal(&Weakened { view, keeps: &keeps, unanswered }) {
                keeps[range].copy_from_slice(&before);
            }
        }
        chunk /= 2;
    }
    keeps
}
