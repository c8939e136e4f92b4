//! The smallest part that still fails.

use crate::budget::Exhausted;

/// The items that still fail, of which none can be spared; as far as it got where the budget is spent.
///
/// Halves, quarters, ... and single ones are left out, latest first, while the rest fails (A. Zeller and
/// R. Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28(2) (2002), without its
/// restarts).
pub(crate) fn smallest<T: Clone>(
    mut items: Vec<T>,
    mut fails: impl FnMut(&[T]) -> Result<bool, Exhausted>,
) -> Vec<T> {
    let mut chunk = items.len().next_power_of_two();
    while chunk > 0 {
        let mut end = items.len();
        while end > 0 {
            let start = end.saturating_sub(chunk);
            let fewer = [&items[..start], &items[end..]].concat();
            match fails(&fewer) {
                Ok(true) => items = fewer,
                Ok(false) => {}
                Err(Exhausted) => return items,
            }
            end = start;
        }
        chunk /= 2;
    }
    items
}
