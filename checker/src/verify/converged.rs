//! Convergence: the last observations after all answered updates agree on one order of updates.

use std::collections::{BTreeMap, BTreeSet};

use super::visibility::{Explanation, impossible};
use super::{Refusal, Rules, Whole};
use crate::history::OperationIndex;
use crate::spec::{Access, Spec};

/// No rule but that everybody sees all answered updates.
const RULES: Rules = Rules { own: false, again: false, prefix: false, cause: false };

impl<S: Spec> Whole<'_, S> {
    /// The last observation of each object that each client began once all answered updates had returned.
    fn last_observations(&self) -> Vec<usize> {
        let mut ends = vec![None; self.keys.len()];
        for (place, act) in self.acts.iter().enumerate().filter(|(place, _)| self.is_update(*place)) {
            ends[act.object] = ends[act.object].max(self.acts[place].operation.returned);
        }
        let mut last = BTreeMap::new();
        for (place, act) in self.acts.iter().enumerate() {
            if act.is_answered() && Some(act.operation.invoked) > ends[act.object] {
                last.insert((act.object, act.client), place);
            }
        }
        last.into_values().collect()
    }

    /// The answered updates of each object.
    fn common(&self) -> Vec<BTreeSet<usize>> {
        let mut common = vec![BTreeSet::new(); self.keys.len()];
        for (place, act) in self.acts.iter().enumerate().filter(|(_, act)| act.is_answered()) {
            common[act.object].extend(Some(place).filter(|place| self.is_update(*place)));
        }
        common
    }
}

/// Whether the last observations are right after all answered updates and those that they see beside.
pub(super) fn accept<S: Spec>(
    whole: &Whole<'_, S>,
    arbitration: &[OperationIndex],
    sees: &[(OperationIndex, Vec<OperationIndex>)],
) -> Result<(), Refusal> {
    let mut orders = vec![Vec::new(); whole.keys.len()];
    for place in whole.arbitration(arbitration)? {
        orders[whole.acts[place].object].push(place);
    }
    let given: BTreeMap<OperationIndex, &Vec<OperationIndex>> =
        sees.iter().map(|(one, seen)| (*one, seen)).collect();
    let common = whole.common();
    for one in whole.last_observations() {
        let act = &whole.acts[one];
        let (order, common) = (orders[act.object].clone(), common[act.object].clone());
        let more = given.get(&act.number()).map(|seen| whole.find_all(seen)).transpose()?;
        let seen: BTreeSet<usize> = common.iter().copied().chain(more.into_iter().flatten()).collect();
        let is_placed = seen.len() <= order.len() && {
            let placed: BTreeSet<usize> = order.iter().copied().collect();
            seen.is_subset(&placed)
        };
        let explanation = Explanation { whole, rules: RULES, common, order, sees: BTreeMap::new() };
        if !is_placed || !explanation.fits(one, &seen) {
            return Err(Refusal::Misplaced(act.number(), "is not right after all updates"));
        }
    }
    Ok(())
}

/// That the last observations of the core do not agree.
pub(super) fn refute<S: Spec>(
    whole: &Whole<'_, S>,
    core: &[OperationIndex],
    work: u64,
) -> Result<u64, Refusal> {
    let core = whole.find_all(core)?;
    let last: BTreeSet<usize> = whole.last_observations().into_iter().collect();
    let finals: Vec<usize> = core.iter().copied().filter(|place| last.contains(place)).collect();
    let object = finals.first().map(|place| whole.acts[*place].object).ok_or(Refusal::NoContradiction)?;
    if let Some(disagree) = writes_disagree(whole, object, &finals) {
        return if disagree { Ok(1) } else { Err(Refusal::Explained) };
    }
    let common = whole.common();
    let known: BTreeSet<usize> = core.into_iter().filter(|place| common[object].contains(place)).collect();
    impossible(whole, RULES, (&finals, &known, &known), work)
}

/// Of an object that is only read and written: whether these reads have no common last write. None of others.
fn writes_disagree<S: Spec>(whole: &Whole<'_, S>, object: usize, finals: &[usize]) -> Option<bool> {
    let mut agreed: Vec<S::State> = Vec::new();
    let acts = || whole.acts.iter().enumerate().filter(|(_, act)| act.object == object && act.step.is_some());
    for (_, act) in acts() {
        whole.spec.access(act.step())?;
    }
    for &one in finals {
        let reader = &whole.acts[one];
        let Some(Access::Read(value)) = whole.spec.access(reader.step()) else { continue };
        let writes = |is_answered: bool| {
            acts()
                .filter(move |(_, act)| act.is_answered() == is_answered)
                .filter(|(_, act)| matches!(whole.spec.access(act.step()), Some(Access::Write(_))))
        };
        let wrote =
            |act: &super::Act<'_, S>| whole.spec.access(act.step()) == Some(Access::Write(value.clone()));
        if writes(false).any(|(place, act)| wrote(act) && (act.client != reader.client || place < one)) {
            continue;
        }
        let is_answered = writes(true).any(|(_, act)| wrote(act));
        let is_initial = writes(true).next().is_none() && value == whole.spec.initial();
        if !is_answered && !is_initial {
            return Some(true);
        }
        agreed.push(value);
    }
    Some(agreed.windows(2).any(|pair| pair[0] != pair[1]))
}
