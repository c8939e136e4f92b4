//! What an algorithm of its own says: its order checked, its contradiction made as small as can be.

use std::collections::BTreeSet;

use super::smallest::smallest_part;
use super::whole::{Part, Whole};
use crate::budget::{Budget, Spending};
use crate::engine::programs::{Contradiction, Found, Others, Programs, Rest};
use crate::history::OperationIndex;
use crate::spec::Spec;
use crate::verdict::Violation;

/// Steps of one re-check while a contradiction is made smaller.
const RECHECK_STEPS_MAX: u64 = 200_000;
/// Steps of all re-checks together.
const RECHECKS_STEPS_MAX: u64 = 2_000_000;
/// Operations up to which a part that fails whatever is imagined besides is searched for one that fails
/// whatever was done besides.
const SEARCHED_COUNT_MAX: usize = 64;

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
        let next = spec.apply(&states[operation.object()], &operation.step);
        states[operation.object()] = next.expect("every step of an order that was found is legal");
    }
    let mut rank = vec![usize::MAX; is_done.len()];
    for (at, place) in order.iter().enumerate() {
        rank[*place] = at;
    }
    for chain in programs.chains() {
        let mut last = 0;
        for place in chain.clone() {
            let operation = programs.at(place);
            assert!(is_done[place] || operation.is_optional, "operation {} is missing", operation.number);
            if is_done[place] {
                assert!(last <= rank[place], "operation {} comes too early", operation.number);
                last = rank[place];
            }
        }
    }
    order.iter().map(|place| programs.at(*place).number).collect()
}

/// The violation that a contradiction shows, after all that can be spared was made optional.
///
/// A smaller part allows more orders: what cannot be spared once can never be spared, so that one pass
/// over single operations is enough.
pub(super) fn violation<S: Spec>(
    spec: &S,
    whole: &Whole<'_, S>,
    programs: &Programs<S::Step>,
    contradiction: &Contradiction,
) -> Violation {
    let tags = |places: &[usize]| -> BTreeSet<usize> {
        places.iter().map(|place| programs.at(*place).tag()).collect()
    };
    let known = tags(&contradiction.places);
    let (others, rest) = match &contradiction.others {
        // What is spared may still be added.
        Others::Listed(others) => (Some(&tags(others) | &known), Rest::Nothing),
        Others::Imagined(others) => (Some(tags(others)), Rest::Anything),
        Others::Settled => (None, Rest::Nothing),
    };
    let failing = others.and_then(|others| {
        let spending = Spending::new(Budget { steps_max: RECHECKS_STEPS_MAX });
        let mut smallest = Smallest { spec, whole, spending, others, rest };
        smallest.failing(&known).map(|first| smallest.shrunk(first))
    });
    let (mut known, mut reasons) = failing.unwrap_or_else(|| (known, contradiction.reasons.clone()));
    if !matches!(contradiction.others, Others::Listed(_)) && whole.operations.len() <= SEARCHED_COUNT_MAX {
        let smaller = searched(spec, whole, &known);
        if smaller.len() < known.len() {
            known = smaller;
            reasons = vec!["the others, whichever took effect, do not make up for it".to_owned()];
        }
    }
    let known: Vec<usize> = known.into_iter().collect();
    let words = known.iter().map(|index| whole.in_words(*index));
    let violation = whole.violation(&known, words, super::UNORDERABLE, Some(reasons.join("; ")));
    let object = known.first().map(|index| whole.objects[*index]);
    let is_one = whole.keys.len() > 1 && known.iter().all(|index| Some(whole.objects[*index]) == object);
    let key = object.filter(|_| is_one).map(|object| whole.keys[object as usize].to_owned());
    Violation { key, ..violation }
}

/// What is left of a part when what the operations that were really done do not need is spared, too.
fn searched<S: Spec>(spec: &S, whole: &Whole<'_, S>, known: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut items = whole.items(None);
    for item in items.iter_mut().flatten() {
        item.is_optional = !known.contains(&item.tag);
    }
    smallest_part(spec, &items, whole.keys.len()).into_iter().collect()
}

struct Smallest<'a, S: Spec> {
    spec: &'a S,
    whole: &'a Whole<'a, S>,
    spending: Spending,
    /// What may be added to the part.
    others: BTreeSet<usize>,
    rest: Rest,
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
        let part = Part { known: known.clone(), others: self.others.clone(), rest: self.rest };
        let programs = self.whole.part(&part);
        let budget = Budget { steps_max: RECHECK_STEPS_MAX.min(self.spending.rest().steps_max) };
        let ruling = self.spec.sequential_shortcut(&programs, budget)?;
        self.spending.spend(ruling.steps + programs.operations().len() as u64 / 16).ok()?;
        let Found::Contradiction(found) = ruling.found else { return None };
        let needed = found.places.iter().map(|place| programs.at(*place).tag()).collect();
        Some((needed, found.reasons))
    }
}
