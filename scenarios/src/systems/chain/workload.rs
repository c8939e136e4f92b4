//! Which events there are, who tampers with what, and what is to be erased.

use model::chain::block::{Event, Subject};
use model::chain::message::{Request, Submit, Tampering};
use sim::chance::{Seed, Stream};
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

use super::EventChain;
use crate::system::{Parameters, Planned};
use crate::workload::OpenLoop;

/// An event adds at most so much.
const AMOUNT_MAX: u64 = 100;
/// The audit is so long before the end of the run: as late as can be, for how long a block takes has no bound.
const AUDIT_BEFORE: Span = Span::from_ms(1);

/// Every request of the run, in no order.
pub(super) fn requests(parameters: &Parameters<EventChain>, seed: Seed) -> Vec<Planned<EventChain>> {
    let shape = super::world(parameters);
    let clients: Vec<NodeId> = shape.clients().collect();
    let replicas: Vec<NodeId> = shape.replicas().collect();
    let settled =
        parameters.timing.workload().saturating_sub(Span::from_ms(parameters.workload.settle_ms.get()));
    let requests_per_s = parameters.workload.requests_per_s.get();
    let submitted = OpenLoop { nodes: &clients, requests_per_s, until: TrueTime::ZERO + settled };
    let mut requests = submitted.requests(seed, |chance, _| {
        let amount = u32::try_from(1 + chance.below(AMOUNT_MAX)).expect("amounts are small");
        let event = Event { subject: subject(parameters, chance), amount };
        Some(Request::Operation(Submit(event)))
    });
    for (index, replica) in replicas.iter().enumerate() {
        let mut chance = seed.stream("tampering", index as u64);
        for at in instants(parameters.workload.tamper_every_ms.get(), parameters, &mut chance) {
            let how = Tampering::ALL[chance.below(Tampering::ALL.len() as u64) as usize];
            let place = u16::try_from(chance.below(1000)).expect("thousandths are small");
            requests.push((at, *replica, Request::Tamper { how, place }));
        }
    }
    erasures(parameters, &replicas, seed, &mut requests);
    let audit_at = TrueTime::ZERO + parameters.timing.whole().saturating_sub(AUDIT_BEFORE);
    requests.extend(replicas.iter().map(|replica| (audit_at, *replica, Request::Audit)));
    requests
}

fn erasures(
    parameters: &Parameters<EventChain>,
    replicas: &[NodeId],
    seed: Seed,
    requests: &mut Vec<Planned<EventChain>>,
) {
    let mut chance = seed.stream("erasures", 0);
    let instants = instants(parameters.workload.erase_every_ms.get(), parameters, &mut chance);
    for (id, at) in (0..).zip(instants) {
        let replica = replicas[chance.below(replicas.len() as u64) as usize];
        requests.push((at, replica, Request::Erase { id, subject: subject(parameters, &mut chance) }));
    }
}

fn subject(parameters: &Parameters<EventChain>, chance: &mut Stream) -> Subject {
    let drawn = chance.below(parameters.workload.subjects.get());
    Subject(u32::try_from(drawn).expect("subjects fit 32 bits"))
}

/// Instants of the chaos phase, on average evenly spaced; none, if `every_ms` is 0.
fn instants(every_ms: u64, parameters: &Parameters<EventChain>, chance: &mut Stream) -> Vec<TrueTime> {
    let mean_ns = Span::from_ms(every_ms).as_ns();
    let end = TrueTime::ZERO + parameters.timing.chaos();
    let mut instants = Vec::new();
    if mean_ns == 0 {
        return instants;
    }
    let mut at = TrueTime::ZERO + Span::from_ns(1 + chance.below(2 * mean_ns));
    while at < end {
        instants.push(at);
        at += Span::from_ns(1 + chance.below(2 * mean_ns));
    }
    instants
}
