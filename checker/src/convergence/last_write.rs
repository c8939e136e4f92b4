//! Convergence of an object that is only read and written, in linear time.
//!
//! The last answered write in the common order is what everybody reads who does not read from a write
//! of unknown outcome, which may come after all others.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use crate::explain;
use crate::history::{ClientId, History, OperationIndex};
use crate::spec::Access;
use crate::spec::Spec;
use crate::verdict::Verdict;

/// The writes of one value.
#[derive(Default)]
struct Writes {
    /// Places of those that were answered.
    answered: Vec<usize>,
    /// Those of unknown outcome: places, clients, and when they were invoked.
    unknown: Vec<(usize, ClientId, u64)>,
}

/// The writes of each value.
type ByValue<S> = HashMap<S, Writes, FxBuildHasher>;

/// Whether those who read last, at these places, agree. None if there are other operations.
pub(super) fn verdict<S: Spec>(spec: &S, part: &History<S>, last: &[usize]) -> Option<Verdict> {
    let by_value = writes(spec, part)?;
    let answered = by_value.values().filter_map(|writes| writes.answered.first().copied()).min();
    let mut agreed: Option<(usize, S::State)> = None;
    for &reader in last {
        let Access::Read(value) = access(spec, part, reader)?? else { continue };
        let written = by_value.get(&value);
        let operation = &part.operations()[reader];
        let may_be_seen = |&(_, client, invoked): &(usize, ClientId, u64)| {
            client != operation.client || invoked < operation.invoked
        };
        if written.is_some_and(|writes| writes.unknown.iter().any(may_be_seen)) {
            continue;
        }
        let is_answered = written.is_some_and(|writes| !writes.answered.is_empty());
        match answered {
            Some(seen) if !is_answered => {
                let unseen = (value == spec.initial()).then_some(seen);
                return Some(violated(part, reader, unseen.as_slice(), "reads no last write"));
            }
            None if value != spec.initial() => {
                return Some(violated(part, reader, &[], "reads what nobody wrote"));
            }
            Some(_) | None => {}
        }
        match &agreed {
            None => agreed = Some((reader, value)),
            Some((other, found)) if *found != value => {
                let both = by_value.get(found).into_iter().chain(written);
                let others: Vec<usize> =
                    std::iter::once(*other).chain(both.flat_map(|writes| writes.answered.clone())).collect();
                return Some(violated(part, reader, &others, "does not agree with the others"));
            }
            Some(_) => {}
        }
    }
    Some(Verdict::Holds)
}

/// An order of writes, and which of those of unknown outcome readers see.
type Agreement = (Vec<usize>, Vec<(usize, usize)>);

/// What all agree on, where they do.
pub(super) fn explanation<S: Spec>(spec: &S, part: &History<S>, last: &[usize]) -> Option<Agreement> {
    let by_value = writes(spec, part)?;
    let (mut final_write, mut sees) = (None, Vec::new());
    for &reader in last {
        let Access::Read(value) = access(spec, part, reader)?? else { continue };
        let Some(written) = by_value.get(&value) else { continue };
        let operation = &part.operations()[reader];
        let seen = written
            .unknown
            .iter()
            .find(|(_, client, invoked)| *client != operation.client || *invoked < operation.invoked);
        match seen {
            Some((place, ..)) => sees.push((reader, *place)),
            None => final_write = written.answered.first().copied().or(final_write),
        }
    }
    let mut order: Vec<usize> = by_value
        .values()
        .flat_map(|writes| &writes.answered)
        .copied()
        .filter(|place| Some(*place) != final_write)
        .collect();
    order.sort_unstable();
    order.extend(final_write);
    let mut unknown: Vec<usize> = sees.iter().map(|(_, write)| *write).collect();
    unknown.sort_unstable();
    unknown.dedup();
    order.extend(unknown);
    Some((order, sees))
}

fn writes<S: Spec>(spec: &S, part: &History<S>) -> Option<ByValue<S::State>> {
    let mut by_value = ByValue::default();
    for (place, operation) in part.operations().iter().enumerate() {
        if let Some(Access::Write(value)) = access(spec, part, place)? {
            let writes: &mut Writes = by_value.entry(value).or_default();
            match operation.returned {
                Some(_) => writes.answered.push(place),
                None => writes.unknown.push((place, operation.client, operation.invoked)),
            }
        }
    }
    Some(by_value)
}

/// What an operation reads or writes, if it has an effect or an answer; none if it does anything else.
fn access<S: Spec>(spec: &S, part: &History<S>, place: usize) -> Option<Option<Access<S::State>>> {
    let operation = &part.operations()[place];
    let answer = operation.answer();
    match spec.step(&operation.call, answer) {
        None => Some(None),
        Some(step) => spec.access(&step).map(Some),
    }
}

fn violated<S: Spec>(part: &History<S>, reader: usize, others: &[usize], why: &str) -> Verdict {
    let operations = part.operations();
    let mut places: Vec<usize> = others.iter().copied().chain([reader]).collect();
    places.sort_unstable();
    let named = places.iter().map(|place| explain::in_words::<S>(part, &operations[*place], None));
    let explanation = format!(
        "at the end, once all answered updates had returned, {} {why}: {}",
        explain::short::<S>(part, &operations[reader], None),
        explain::listed(named, places.len())
    );
    let numbers: Vec<OperationIndex> = places.iter().map(|place| operations[*place].number).collect();
    Verdict::violated(numbers, explanation)
}
