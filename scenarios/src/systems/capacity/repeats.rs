//! Rejections that were told once more: whoever makes the same demand for an order again gets its first answer.
//!
//! That is no decision of its own, and what it was decided under may be older than what has come between. It is believed only
//! where the journal has the decision that it repeats, and none about the request itself.

use std::collections::{BTreeMap, BTreeSet};

use model::client::Operation;
use model::ids::RequestKey;
use model::message::{Answer, Entry, Observation};

use super::CapacityService;
use super::parts::CounterPart;
use super::slots::decisions;
use crate::system::Seen;

/// The requests that were told of another one's rejection.
pub(super) fn repeated(seen: &[Seen<CapacityService>], counter: CounterPart) -> BTreeSet<RequestKey> {
    let (mut firsts, mut decided, mut rejected) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    let mut demands = BTreeMap::new();
    for one in seen {
        match &one.observation {
            Observation::Operation(Operation::Invoked { request, call, .. }) => {
                demands.extend(call.demand().map(|demand| (*request, (call.slot(), demand))));
            }
            Observation::Operation(Operation::Returned { request, answer, .. }) => {
                if let Some((_, answer @ Answer::Rejected(_))) = answer {
                    rejected.push((*request, *answer));
                }
            }
            shown => {
                for Entry { slot, event, .. } in decisions(shown, counter) {
                    decided.insert(event.request);
                    if let Some(demand) = event.call.demand() {
                        firsts.entry((*slot, demand.order)).or_insert((demand, event.answer));
                    }
                }
            }
        }
    }
    let is_repeated = |(request, answer): &(RequestKey, Answer)| {
        let Some((Some(slot), demand)) = demands.get(request) else { return false };
        !decided.contains(request) && firsts.get(&(*slot, demand.order)) == Some(&(*demand, *answer))
    };
    rejected.into_iter().filter(is_repeated).map(|(request, _)| request).collect()
}

#[cfg(test)]
mod tests {
    use model::ids::{Offset, OrderId, Sequence, SlotId, Version};
    use model::message::{Call, Event, Ground};
    use sim::node::NodeId;
    use sim::time::{LocalTime, TrueTime};

    use super::*;

    const SLOT: SlotId = SlotId(0);
    const NODE: NodeId = NodeId(4);

    const fn demand(units: u32) -> Call {
        Call::Reserve { slot: SLOT, order: OrderId(7), units }
    }

    const fn rejected(version: u32) -> Answer {
        Answer::Rejected(Ground { limit: 10, version: Version(version) })
    }

    fn seen(observation: Observation) -> Seen<CapacityService> {
        let at = TrueTime::ZERO;
        Seen::<CapacityService> { at, released_at: at, node: NODE, local: LocalTime::from_ns(0), observation }
    }

    /// The demands of requests 0, 1, ... with their answers, of which the journal has decided some.
    fn check(demands: &[(Call, Answer)], decided: &[usize], want: &[u64]) {
        let mut all = Vec::new();
        for ((request, process), (call, answer)) in (0..).map(RequestKey).zip(0..).zip(demands) {
            let (call, answer) = (*call, Some((NODE, *answer)));
            all.push(Observation::Operation(Operation::Invoked { process, request, call }));
            all.push(Observation::Operation(Operation::Returned { process, request, answer }));
        }
        let entry = |place: &usize| {
            let (call, answer) = demands[*place];
            let event = Event { request: RequestKey(*place as u64), call, answer };
            Entry { slot: SLOT, sequence: Sequence(0), event }
        };
        let entries = decided.iter().map(entry).collect();
        all.push(Observation::Journalled { from: Offset(0), entries });
        let all: Vec<_> = all.into_iter().map(seen).collect();
        let found = repeated(&all, CounterPart::Sharded);
        assert_eq!(found, want.iter().copied().map(RequestKey).collect(), "{demands:?}");
    }

    #[test]
    fn the_same_demand_with_the_first_answer_repeats_it_and_nothing_else_does() {
        let first = (demand(99), rejected(1));
        check(&[first, first], &[0], &[1]);
        check(&[first, first], &[1], &[0]);
        check(&[first, first], &[0, 1], &[]);
        check(&[first, first], &[], &[]);
        check(&[first, (demand(98), rejected(1))], &[0], &[]);
        check(&[first, (demand(99), rejected(2))], &[0], &[]);
        let accepted = Answer::Accepted(Ground { limit: 10, version: Version(1) });
        check(&[(demand(1), accepted), (demand(1), accepted)], &[0], &[]);
    }
}
