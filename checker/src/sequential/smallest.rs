//! The smallest part of all programs that has no legal order, found by searching again and again.

use crate::budget::{Budget, Spending};
use crate::engine::program_order::{Found, Item, search};
use crate::spec::Spec;

/// Steps of one re-check while a counter-example is made smaller.
const RECHECK_STEPS_MAX: u64 = 5_000;
/// Steps of all re-checks together.
const RECHECKS_STEPS_MAX: u64 = 500_000;

/// Tags of a part that still has no order when every other operation may be left out.
///
/// Where a re-check needs too many steps, the operation is kept.
pub(super) fn smallest_part<S: Spec>(
    spec: &S,
    mut items: Vec<Vec<Item<S::Step>>>,
    object_count: usize,
    weakened: impl Fn(usize) -> Option<S::Step>,
) -> Vec<usize> {
    let mut tags: Vec<usize> =
        items.iter().flatten().filter(|item| !item.is_optional).map(|item| item.tag).collect();
    tags.sort_unstable();
    let mut spending = Spending::new(Budget { steps_max: RECHECKS_STEPS_MAX });
    let mut chunk = tags.len().next_power_of_two();
    while chunk > 0 {
        let mut end = tags.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let smaller = without(&items, &tags[start..end], &weakened);
            let budget = Budget { steps_max: RECHECK_STEPS_MAX.min(spending.rest().steps_max) };
            let (found, steps) = search(spec, &smaller, object_count, budget);
            if spending.spend(steps).is_err() {
                return tags;
            }
            if let Found::Illegal(_) = found {
                items = smaller;
                tags.drain(start..end);
            }
            end = start;
        }
        chunk /= 2;
    }
    tags
}

/// The programs in which the operations with these tags, sorted, have unknown outcomes.
fn without<T: Clone>(
    items: &[Vec<Item<T>>],
    tags: &[usize],
    weakened: impl Fn(usize) -> Option<T>,
) -> Vec<Vec<Item<T>>> {
    let weaken = |item: &Item<T>| {
        if tags.binary_search(&item.tag).is_err() {
            return Some(item.clone());
        }
        weakened(item.tag).map(|step| Item { step, is_optional: true, ..item.clone() })
    };
    items.iter().map(|program| program.iter().filter_map(weaken).collect()).collect()
}
