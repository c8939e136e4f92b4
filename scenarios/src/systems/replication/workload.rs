//! What users ask of channels, which channels nodes drop, and which nodes come and go.

use model::ids::ChannelId;
use model::replication::broadcast::message::{Call, Request};
use sim::chance::{Seed, Stream};
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

use super::{Mix, Replication, Workload};
use crate::system::{Parameters, Planned};
use crate::workload::OpenLoop;

/// Every request of the run, in no order.
pub(super) fn requests(parameters: &Parameters<Replication>, seed: Seed) -> Vec<Planned<Replication>> {
    let shape = super::world(parameters);
    let clients: Vec<NodeId> = shape.clients().collect();
    let requests_per_s = parameters.workload.requests_per_s.get();
    let users = OpenLoop { nodes: &clients, requests_per_s, until: parameters.workload_end() };
    let mut requests = users.requests(seed, |chance, _| Some(Request::Operation(call(parameters, chance))));
    for (index, node) in shape.services().enumerate() {
        dropped(parameters, node, &mut seed.stream("unsubscriptions", index as u64), &mut requests);
        absences(parameters, node, &mut seed.stream("absences", index as u64), &mut requests);
    }
    requests
}

impl Mix {
    /// All shares together.
    pub(super) const fn total(&self) -> u64 {
        self.post.get() + self.read.get() + self.stray.get()
    }
}

fn call(parameters: &Parameters<Replication>, chance: &mut Stream) -> Call {
    let (mix, channels) = (&parameters.workload.mix, parameters.shape.channels);
    let channel = ChannelId(u32::try_from(chance.below(channels.get())).expect("channels fit 32 bits"));
    let drawn = chance.below(mix.total());
    if drawn < mix.post.get() {
        Call::Post { channel }
    } else if drawn < mix.post.get() + mix.read.get() {
        Call::Read { channel }
    } else {
        Call::Post { channel: ChannelId(channels.get_u32()) }
    }
}

/// A node drops a channel from time to time; who asks it again makes it begin anew.
fn dropped(
    parameters: &Parameters<Replication>,
    node: NodeId,
    chance: &mut Stream,
    requests: &mut Vec<Planned<Replication>>,
) {
    let channels = parameters.shape.channels.get();
    for at in instants(parameters.workload.unsubscribe_every_ms.get(), parameters, chance) {
        let channel = ChannelId(u32::try_from(chance.below(channels)).expect("channels fit 32 bits"));
        requests.push((at, node, Request::Unsubscribe { channel }));
    }
}

/// A node leaves from time to time and joins again, the last time before the faults end.
fn absences(
    parameters: &Parameters<Replication>,
    node: NodeId,
    chance: &mut Stream,
    requests: &mut Vec<Planned<Replication>>,
) {
    let Workload { leave_every_ms, away_ms, .. } = &parameters.workload;
    let end = TrueTime::ZERO + parameters.timing.chaos();
    let mut back_at = TrueTime::ZERO;
    for at in instants(leave_every_ms.get(), parameters, chance) {
        let joins_at = at + Span::from_ms(away_ms.get());
        if at > back_at && joins_at < end {
            requests.push((at, node, Request::Leave));
            requests.push((joins_at, node, Request::Join));
            back_at = joins_at;
        }
    }
}

/// Instants of the chaos phase, on average evenly spaced; none, if `every_ms` is 0.
fn instants(every_ms: u64, parameters: &Parameters<Replication>, chance: &mut Stream) -> Vec<TrueTime> {
    let mean_ns = Span::from_ms(every_ms).as_ns();
    let mut instants = Vec::new();
    if mean_ns == 0 {
        return instants;
    }
    let end = TrueTime::ZERO + parameters.timing.chaos();
    let mut at = TrueTime::ZERO + Span::from_ns(1 + chance.below(2 * mean_ns));
    while at < end {
        instants.push(at);
        at += Span::from_ns(1 + chance.below(2 * mean_ns));
    }
    instants
}
