//! The naive answer for the weaker levels: every order of updates, everything each operation may see.
//!
//! It says what [`crate::weak`] defines, clause by clause, and nothing else.

use crate::history::{ClientId, OperationOf, Outcome};
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::weak::Guarantee;

/// An operation that matters.
struct Act<S: Spec> {
    client: ClientId,
    invoked: u64,
    returned: Option<u64>,
    object: usize,
    /// What its answer says; none if it has none.
    observed: Option<S::Step>,
    /// What it does: what it was answered, or else what it was asked. None if it only observes.
    effects: Option<[Option<S::Step>; 2]>,
}

/// Whether some order of the updates and some visibility explain all answers and keep the guarantees.
pub(crate) fn is_explained<S: Spec>(spec: &S, history: &KeyedHistory<S>, guarantees: &[Guarantee]) -> bool {
    let acts = acts(spec, history);
    let unknown: Vec<usize> = (0..acts.len()).filter(|act| acts[*act].observed.is_none()).collect();
    subsets(&unknown).into_iter().any(|left_out| {
        let updates: Vec<usize> =
            (0..acts.len()).filter(|act| acts[*act].effects.is_some() && !left_out.contains(act)).collect();
        permutations(&updates).into_iter().any(|order| {
            let mut sees = vec![None; acts.len()];
            Explanation { spec, acts: &acts, order: &order, guarantees }.completes(0, &mut sees)
        })
    })
}

/// Whether, object by object, all that is observed at the end has a common order of updates.
pub(crate) fn is_convergent<S: Spec>(spec: &S, history: &KeyedHistory<S>) -> bool {
    let acts = acts(spec, history);
    (0..history.parts().len()).all(|object| {
        let part: Vec<&Act<S>> = acts.iter().filter(|act| act.object == object).collect();
        let updates: Vec<usize> = (0..part.len()).filter(|act| part[*act].effects.is_some()).collect();
        let unknown: Vec<usize> =
            updates.iter().copied().filter(|act| part[*act].observed.is_none()).collect();
        let end = updates.iter().filter_map(|act| part[*act].returned).max();
        let is_late = |act: &&Act<S>| act.observed.is_some() && end.is_none_or(|end| act.invoked > end);
        let late: Vec<&Act<S>> = part.iter().copied().filter(is_late).collect();
        let is_last = |act: &&&Act<S>| {
            !late.iter().any(|other| other.client == act.client && other.invoked > act.invoked)
        };
        let last: Vec<&Act<S>> = late.iter().filter(is_last).copied().collect();
        permutations(&updates).into_iter().any(|order| {
            last.iter().all(|act| {
                subsets(&unknown).into_iter().any(|unseen| {
                    let seen = order.iter().filter(|update| !unseen.contains(update)).map(|&at| part[at]);
                    let is_earlier = |seen: &&Act<S>| seen.client != act.client || seen.invoked < act.invoked;
                    agrees(spec, act, seen.filter(is_earlier))
                })
            })
        })
    })
}

struct Explanation<'a, S: Spec> {
    spec: &'a S,
    acts: &'a [Act<S>],
    order: &'a [usize],
    guarantees: &'a [Guarantee],
}

impl<S: Spec> Explanation<'_, S> {
    /// Whether what the operations from `next` on see can be chosen, given what those before see.
    fn completes(&self, next: usize, sees: &mut Vec<Option<Vec<usize>>>) -> bool {
        let Some(act) = self.acts.get(next) else { return true };
        if act.observed.is_none() {
            return self.completes(next + 1, sees);
        }
        let may_see = |update: &usize| {
            let other = &self.acts[*update];
            other.client != act.client || other.invoked < act.invoked
        };
        let visible: Vec<usize> = self.order.iter().copied().filter(may_see).collect();
        for seen in subsets(&visible) {
            let applied =
                seen.iter().map(|update| &self.acts[*update]).filter(|other| other.object == act.object);
            if !agrees(self.spec, act, applied) {
                continue;
            }
            sees[next] = Some(seen);
            if self.keeps_all(sees) && self.completes(next + 1, sees) {
                return true;
            }
        }
        sees[next] = None;
        false
    }

    fn keeps_all(&self, sees: &[Option<Vec<usize>>]) -> bool {
        self.guarantees.iter().all(|guarantee| match guarantee {
            Guarantee::ReadYourWrites => self.reads_its_writes(sees),
            Guarantee::MonotonicReads => self.reads_monotonically(sees),
            Guarantee::MonotonicWrites => self.writes_monotonically(sees),
            Guarantee::WritesFollowReads => self.writes_after_reads(sees),
        })
    }

    fn reads_its_writes(&self, sees: &[Option<Vec<usize>>]) -> bool {
        chosen(sees).all(|(act, seen)| {
            self.order.iter().all(|update| !self.is_before(*update, act) || seen.contains(update))
        })
    }

    fn reads_monotonically(&self, sees: &[Option<Vec<usize>>]) -> bool {
        chosen(sees).all(|(earlier, seen)| {
            chosen(sees).all(|(later, seen_later)| {
                !self.is_before(earlier, later) || seen.iter().all(|update| seen_later.contains(update))
            })
        })
    }

    fn writes_monotonically(&self, sees: &[Option<Vec<usize>>]) -> bool {
        let mut pairs = Vec::new();
        for (place, &first) in self.order.iter().enumerate() {
            for (later_place, &second) in self.order.iter().enumerate() {
                if self.is_before(first, second) {
                    if place > later_place {
                        return false;
                    }
                    pairs.push((first, second));
                }
            }
        }
        chosen(sees).all(|(_, seen)| {
            pairs.iter().all(|(first, second)| !seen.contains(second) || seen.contains(first))
        })
    }

    /// What an operation saw itself counts as seen before its own update.
    fn writes_after_reads(&self, sees: &[Option<Vec<usize>>]) -> bool {
        self.order.iter().enumerate().all(|(place, &update)| {
            chosen(sees).all(|(act, seen)| {
                let is_seen_before = act == update || self.is_before(act, update);
                !is_seen_before
                    || seen.iter().all(|before| {
                        let is_ordered = self.order[..place].contains(before);
                        is_ordered
                            && chosen(sees).all(|(_, seen)| !seen.contains(&update) || seen.contains(before))
                    })
            })
        })
    }

    fn is_before(&self, first: usize, second: usize) -> bool {
        let (first, second) = (&self.acts[first], &self.acts[second]);
        first.client == second.client && first.invoked < second.invoked
    }
}

fn chosen(sees: &[Option<Vec<usize>>]) -> impl Iterator<Item = (usize, &Vec<usize>)> {
    sees.iter().enumerate().filter_map(|(act, seen)| seen.as_ref().map(|seen| (act, seen)))
}

/// Whether the answer is right after these updates. One that is impossible at its point does nothing.
fn agrees<'a, S: Spec + 'a>(spec: &S, act: &Act<S>, updates: impl Iterator<Item = &'a Act<S>>) -> bool {
    let mut state = spec.initial();
    for update in updates {
        let effects = update.effects.as_ref().unwrap();
        let next = effects.iter().flatten().find_map(|effect| spec.apply(&state, effect));
        state = next.unwrap_or(state);
    }
    spec.is_legal(&state, act.observed.as_ref().unwrap())
}

fn acts<S: Spec>(spec: &S, history: &KeyedHistory<S>) -> Vec<Act<S>> {
    let keys: Vec<&String> = history.parts().keys().collect();
    let object = |key: &str| keys.iter().position(|other| *other == key).unwrap();
    let act = |(key, operation): (&str, &OperationOf<S>)| {
        let asked = spec.step(&operation.call, None);
        let (observed, effects) = match &operation.outcome {
            Outcome::Unknown => (None, Some([Some(asked?), None])),
            Outcome::Answered(answer) => {
                let step = spec.step(&operation.call, Some(answer))?;
                let is_update = !S::is_refusal(answer) && !spec.only_observes(&spec.initial(), &step);
                (Some(step.clone()), is_update.then(|| [Some(step), asked]))
            }
        };
        let (client, invoked, returned) = (operation.client, operation.invoked, operation.returned);
        Some(Act { client, invoked, returned, object: object(key), observed, effects })
    };
    history.by_invocation().into_iter().filter_map(act).collect()
}

fn subsets(items: &[usize]) -> Vec<Vec<usize>> {
    (0..1usize << items.len())
        .map(|mask| (0..items.len()).filter(|at| mask >> at & 1 == 1).map(|at| items[at]).collect())
        .collect()
}

fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for &first in items {
        let rest: Vec<usize> = items.iter().copied().filter(|item| *item != first).collect();
        all.extend(permutations(&rest).into_iter().map(|order| [vec![first], order].concat()));
    }
    all
}
