//! What an algorithm of its own says: its order checked, its contradiction made as small as can be.

use std::collections::BTreeSet;

use super::whole::{Part, Whole};
use crate::budget::{Budget, Spending};
use crate::engine::programs::{Contradiction, Found, Programs};
use crate::explain;
use crate::history::OperationIndex;
use crate::spec::Spec;
use crate::verdict::Violation;

/// Steps of one re-check while a contradiction is made smaller.
const RECHECK_STEPS_MAX: u64 = 200_000;
/// Steps of all re-checks together.
const RECHECKS_STEPS_MAX: u64 = 2_000_000;

/// The numbers of an order that an algorithm found.
///
/// # Panics
/// If it is not legal, or does not keep every chain: an algorithm that errs shall not be believed.
pub(super) fn proven<S: Spec>(
    spec: &S,
    programs: &Programs<S::Step>,
    order: &[usize],
) -> Vec<OperationIndex> {
    let mut states: Vec<S::State> = (0..programs.object_count()).map(|_| spec.initial()).collect();
    let mut is_done = vec![false; programs.operations().len()];
    for &place in order {
        let operation = programs.at(place);
        assert!(!std::mem::replace(&mut is_done[place], true), "operation {} twice", operation.number);
        let next = spec.apply(&states[operation.object], &operation.step);
        states[operation.object] = next.expect("every step of an order that was found is legal");
    }
    let mut rank = vec![usize::MAX; is_done.len()];
    for (at, place) in order.iter().enumerate() {
        rank[*place] = at;
    }
    for chain in programs.chains() {
        let mut last = chain.after.map_or(0, |after| rank[after]);
        for place in chain.places.clone() {
            let operation = programs.at(place);
            assert!(is_done[place] || operation.is_unknown, "operation {} is missing", operation.number);
            if is_done[place] {
                assert!(last <= rank[place], "operation {} comes too early", operation.number);
                last = rank[place];
            }
        }
    }
    order.iter().map(|place| programs.at(*place).number).collect()
}

/// The violation that a contradiction shows, after all that can be spared was taken to be unknown.
///
/// Fewer answers allow more orders: what cannot be spared once can never be spared, so that one pass
/// over single operations is enough.
pub(super) fn violation<S: Spec>(
    spec: &S,
    whole: &Whole<'_, S>,
    programs: &Programs<S::Step>,
    contradiction: &Contradiction,
) -> Violation {
    let mut smallest = Smallest {
        spec,
        whole,
        spending: Spending::new(Budget { steps_max: RECHECKS_STEPS_MAX }),
        unknown: None,
    };
    let tags = |places: &[usize]| -> BTreeSet<usize> {
        places.iter().map(|place| programs.at(*place).tag).collect()
    };
    let known = tags(&contradiction.places);
    smallest.unknown = contradiction.supports.as_ref().map(|supports| &tags(supports) | &known);
    let (known, reasons) = match smallest.failing(&known) {
        Some(first) => smallest.shrunk(first),
        None => (known, contradiction.reasons.clone()),
    };
    let known: Vec<usize> = known.into_iter().collect();
    let words = known.iter().map(|index| whole.in_words(*index));
    let explanation = format!(
        "no order of {} is legal and keeps the order of each client: {}",
        explain::listed(words, known.len()),
        reasons.join("; ")
    );
    let object = known.first().map(|index| whole.objects[*index]);
    let is_one = whole.keys.len() > 1 && known.iter().all(|index| Some(whole.objects[*index]) == object);
    let key = object.filter(|_| is_one).map(|object| whole.keys[object].to_owned());
    Violation { key, ..whole.violation(&known, explanation) }
}

struct Smallest<'a, S: Spec> {
    spec: &'a S,
    whole: &'a Whole<'a, S>,
    spending: Spending,
    /// What may be taken to be of unknown outcome.
    unknown: Option<BTreeSet<usize>>,
}

/// A part that has no legal order, and why.
type Failing = (BTreeSet<usize>, Vec<String>);

impl<S: Spec> Smallest<'_, S> {
    /// Leaves out halves, then quarters, ... then one after the other.
    fn shrunk(&mut self, first: Failing) -> Failing {
        let mut failing = first;
        let mut chunk = failing.0.len().next_power_of_two();
        while chunk > 0 {
            let mut end = failing.0.len();
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let tags = failing.0.iter().enumerate();
                let rest = tags.filter(|(at, _)| !(start..end).contains(at)).map(|(_, tag)| *tag).collect();
                match self.failing(&rest) {
                    // What was found may be smaller still: nothing of it stands behind `start`.
                    Some(smaller) => {
                        let kept =
                            smaller.0.range(..*failing.0.iter().nth(start).expect("start < end")).count();
                        failing = smaller;
                        end = kept;
                    }
                    None => end = start,
                }
            }
            chunk /= 2;
        }
        failing
    }

    /// Whether this much has no legal order; then, what of it is needed for that.
    fn failing(&mut self, known: &BTreeSet<usize>) -> Option<Failing> {
        let part = Part { known: known.clone(), unknown: self.unknown.clone() };
        let programs = self.whole.part(self.spec, &part);
        let budget = Budget { steps_max: RECHECK_STEPS_MAX.min(self.spending.rest().steps_max) };
        let ruling = self.spec.sequential_shortcut(&programs, budget)?;
        self.spending.spend(ruling.steps + programs.operations().len() as u64 / 16).ok()?;
        let Found::Contradiction(found) = ruling.found else { return None };
        let needed = found.places.iter().map(|place| programs.at(*place).tag).collect();
        Some((needed, found.reasons))
    }
}
