//! The smallest part of all programs that has no legal order, found by searching again and again.

use crate::budget::{Budget, Spending};
use crate::engine::program_order::{Found, Item, search};
use crate::explain;
use crate::spec::Spec;

/// Steps of one re-check while a counter-example is made smaller.
const RECHECK_STEPS_MAX: u64 = 5_000;
/// Steps of all re-checks together.
const RECHECKS_STEPS_MAX: u64 = 500_000;

/// Tags of a part that has no order whichever other operations are added to it.
///
/// Where a re-check needs too many steps, the operation is kept.
pub(super) fn smallest_part<S: Spec>(
    spec: &S,
    items: &[Vec<Item<S::Step>>],
    object_count: usize,
) -> Vec<usize> {
    let mut tags: Vec<usize> =
        items.iter().flatten().filter(|item| !item.is_optional).map(|item| item.tag).collect();
    tags.sort_unstable();
    let mut spending = Spending::new(Budget { steps_max: RECHECKS_STEPS_MAX });
    explain::smallest(tags, |kept| {
        let budget = Budget { steps_max: RECHECK_STEPS_MAX.min(spending.rest().steps_max) };
        let (found, steps) = search(spec, &only(items, kept), object_count, budget);
        spending.spend(steps)?;
        Ok(matches!(found, Found::Illegal(_)))
    })
}

/// The programs in which all operations but these, sorted by tag, may be left out.
fn only<T: Clone>(items: &[Vec<Item<T>>], kept: &[usize]) -> Vec<Vec<Item<T>>> {
    let weaken = |item: &Item<T>| {
        let is_optional = item.is_optional || kept.binary_search(&item.tag).is_err();
        Item { is_optional, ..item.clone() }
    };
    items.iter().map(|program| program.iter().map(weaken).collect()).collect()
}
