//! Visibility and arbitration as they are defined: given ones are checked, and small ones are all tried.

use std::collections::{BTreeMap, BTreeSet};

use super::{Refusal, Rules, Whole};
use crate::format::evidence::Others;
use crate::history::OperationIndex;
use crate::spec::Spec;

/// An explanation of answers, as far as it has got. Operations are places.
pub(super) struct Explanation<'a, S: Spec> {
    pub(super) whole: &'a Whole<'a, S>,
    pub(super) rules: Rules,
    /// Updates that everybody must see: at the end, those that were answered.
    pub(super) common: BTreeSet<usize>,
    /// The updates in arbitration.
    pub(super) order: Vec<usize>,
    /// What observations see.
    pub(super) sees: BTreeMap<usize, BTreeSet<usize>>,
}

impl<S: Spec> Explanation<'_, S> {
    /// Whether an observation may see just these, beside what those before it see.
    pub(super) fn fits(&self, one: usize, seen: &BTreeSet<usize>) -> bool {
        let Rules { own, again, prefix, cause } = self.rules;
        let whole = self.whole;
        let is_up_to = |one: usize, other: usize| one == other || whole.is_earlier(one, other);
        let shows = |update: &usize| !whole.is_earlier(*update, one) || seen.contains(update);
        !seen.iter().any(|update| is_up_to(one, *update))
            && self.common.is_subset(seen)
            && (!own || self.order.iter().all(shows))
            && (!again
                || self.sees.iter().all(|(e, more)| !whole.is_earlier(*e, one) || more.is_subset(seen)))
            && (!prefix || seen.iter().all(|update| self.keeps_order(*update, Some(seen))))
            && (!cause || self.keeps_causes(one, seen, is_up_to))
            && self.is_right(one, seen)
    }

    /// Whether the earlier updates of its client come before an update, and are seen with it.
    fn keeps_order(&self, update: usize, seen: Option<&BTreeSet<usize>>) -> bool {
        let at = self.order.iter().position(|other| *other == update);
        let earlier =
            self.order.iter().enumerate().filter(|(_, other)| self.whole.is_earlier(**other, update));
        earlier
            .into_iter()
            .all(|(rank, other)| Some(rank) < at && seen.is_none_or(|seen| seen.contains(other)))
    }

    fn keeps_causes(
        &self,
        one: usize,
        seen: &BTreeSet<usize>,
        is_up_to: impl Fn(usize, usize) -> bool,
    ) -> bool {
        let effects = self.order.iter().enumerate().filter(|(_, update)| is_up_to(one, **update));
        let shows =
            |update: &usize| self.sees.values().all(|other| !other.contains(update) || seen.is_subset(other));
        effects.into_iter().all(|(rank, update)| {
            seen.iter().all(|cause| self.order[..rank].contains(cause)) && shows(update)
        }) && self
            .sees
            .iter()
            .all(|(e, causes)| causes.is_subset(seen) || !seen.iter().any(|update| is_up_to(*e, *update)))
    }

    /// Whether the answer is right after these updates. One that is impossible at its point does nothing.
    fn is_right(&self, one: usize, seen: &BTreeSet<usize>) -> bool {
        let (spec, act) = (self.whole.spec, &self.whole.acts[one]);
        let mut state = spec.initial();
        for place in self.order.iter().filter(|update| seen.contains(update)) {
            let update = &self.whole.acts[*place];
            if update.object == act.object {
                let asked = spec.step(&update.operation.call, None);
                let next = [update.step.as_ref(), asked.as_ref()].into_iter().flatten();
                state = next.into_iter().find_map(|step| spec.apply(&state, step)).unwrap_or(state);
            }
        }
        spec.is_legal(&state, act.step())
    }
}

impl<S: Spec> Whole<'_, S> {
    /// Whether the operation changes something, if it took effect.
    pub(super) fn is_update(&self, place: usize) -> bool {
        let act = &self.acts[place];
        let changes = |step: &S::Step| !self.spec.only_observes(&self.spec.initial(), step);
        !act.operation.answer().is_some_and(S::is_refusal) && act.step.as_ref().is_some_and(changes)
    }

    /// The places of an arbitration, which holds all answered updates and no operation twice.
    pub(super) fn arbitration(&self, numbers: &[OperationIndex]) -> Result<Vec<usize>, Refusal> {
        let order = self.find_all(numbers)?;
        let mut is_placed = vec![false; self.acts.len()];
        for &place in &order {
            if !self.is_update(place) || std::mem::replace(&mut is_placed[place], true) {
                return Err(Refusal::Misplaced(self.acts[place].number(), "is no update, or comes twice"));
            }
        }
        let is_missing =
            |place: &usize| !is_placed[*place] && self.acts[*place].is_answered() && self.is_update(*place);
        match (0..self.acts.len()).find(is_missing) {
            Some(place) => Err(Refusal::Missing(self.acts[place].number())),
            None => Ok(order),
        }
    }
}

/// Pairs of an observation and an update that are looked at in a check of given sets.
const PAIRS_MAX: usize = 20_000_000;

/// Whether this visibility and this arbitration explain all answers.
pub(super) fn accept<S: Spec>(
    whole: &Whole<'_, S>,
    rules: Rules,
    arbitration: &[OperationIndex],
    sees: &[(OperationIndex, Vec<OperationIndex>)],
) -> Result<(), Refusal> {
    let order = whole.arbitration(arbitration)?;
    let mut given = BTreeMap::new();
    for (one, seen) in sees {
        let seen = whole.find_all(seen)?.into_iter().collect::<BTreeSet<_>>();
        given.insert(whole.find(*one)?, seen);
    }
    if let Some(reads) = super::reads::reads(whole, &order, &given) {
        return reads.accept(rules);
    }
    if whole.acts.len().saturating_mul(order.len()) > PAIRS_MAX {
        return Err(Refusal::TooMuchWork(PAIRS_MAX as u64));
    }
    let common = BTreeSet::new();
    let mut explanation = Explanation { whole, rules, common, order, sees: BTreeMap::new() };
    if let Some(update) =
        explanation.order.iter().find(|update| rules.prefix && !explanation.keeps_order(**update, None))
    {
        return Err(Refusal::Misplaced(
            whole.acts[*update].number(),
            "comes before an earlier one of its client",
        ));
    }
    for (one, act) in whole.acts.iter().enumerate().filter(|(_, act)| act.is_answered() && act.step.is_some())
    {
        let seen = given.remove(&one).unwrap_or_default();
        if !seen.iter().all(|update| explanation.order.contains(update)) || !explanation.fits(one, &seen) {
            return Err(Refusal::Misplaced(act.number(), "is not explained by what it sees"));
        }
        explanation.sees.insert(one, seen);
    }
    Ok(())
}

/// That no visibility and arbitration explain the answers of the core: how many were tried.
pub(super) fn refute<S: Spec>(
    whole: &Whole<'_, S>,
    rules: Rules,
    core: &[OperationIndex],
    others: Others,
    work: u64,
) -> Result<u64, Refusal> {
    let mut core = whole.find_all(core)?;
    if others == Others::Nothing {
        core = (0..whole.acts.len()).filter(|place| whole.acts[*place].step.is_some()).collect();
    }
    core.retain(|place| whole.acts[*place].is_answered());
    core.sort_unstable();
    core.dedup();
    let known: BTreeSet<usize> = core.iter().copied().filter(|place| whole.is_update(*place)).collect();
    impossible(whole, rules, (&core, &known, &BTreeSet::new()), work)
}

/// Tries every order of these updates, with and without others, and whatever observations may see of it.
pub(super) fn impossible<S: Spec>(
    whole: &Whole<'_, S>,
    rules: Rules,
    (observations, known, common): (&[usize], &BTreeSet<usize>, &BTreeSet<usize>),
    work: u64,
) -> Result<u64, Refusal> {
    // An update of an object that nobody observes can be left out of any explanation.
    let objects: BTreeSet<usize> =
        observations.iter().chain(known).map(|place| whole.acts[*place].object).collect();
    let is_candidate =
        |place: &usize| objects.contains(&whole.acts[*place].object) && whole.is_update(*place);
    let updates: Vec<usize> = (0..whole.acts.len()).filter(is_candidate).collect();
    let (mut orders, mut spent) = (vec![Vec::new()], 0);
    while let Some(order) = orders.pop() {
        let order: Vec<usize> = order;
        let more = updates.iter().filter(|update| !order.contains(*update));
        orders.extend(more.map(|update| [order.as_slice(), &[*update]].concat()));
        let explanation = Explanation { whole, rules, common: common.clone(), order, sees: BTreeMap::new() };
        let is_kept = |update: &usize| !rules.prefix || explanation.keeps_order(*update, None);
        let is_whole = known.iter().all(|update| explanation.order.contains(update));
        spent += 1;
        if is_whole
            && explanation.order.iter().all(is_kept)
            && explains(explanation, observations, &mut spent, work)?
        {
            return Err(Refusal::Explained);
        }
        if spent > work {
            return Err(Refusal::TooMuchWork(work));
        }
    }
    Ok(spent)
}

/// Whether, with this order, observations can see what explains them.
fn explains<S: Spec>(
    mut explanation: Explanation<'_, S>,
    observations: &[usize],
    spent: &mut u64,
    work: u64,
) -> Result<bool, Refusal> {
    // Of each observation decided so far, and of the next: which set of updates is tried next. A set is
    // a number, of which each binary digit is an update.
    let mut choices: Vec<u64> = vec![0];
    while let Some(choice) = choices.last_mut() {
        let tried = std::mem::replace(choice, *choice + 1);
        let Some(&one) = observations.get(choices.len() - 1) else { return Ok(true) };
        *spent += 1;
        if *spent > work || explanation.order.len() > 32 {
            return Err(Refusal::TooMuchWork(work));
        }
        if tried >> explanation.order.len() > 0 {
            choices.pop();
            // What the one before sees is chosen again.
            let last = choices.len().checked_sub(1);
            last.map(|last| explanation.sees.remove(&observations[last]));
            continue;
        }
        let seen = explanation.order.iter().enumerate().filter(|(rank, _)| tried >> rank & 1 == 1);
        let seen: BTreeSet<usize> = seen.map(|(_, update)| *update).collect();
        if explanation.fits(one, &seen) {
            explanation.sees.insert(one, seen);
            choices.push(0);
        }
    }
    Ok(false)
}
