//! What is asked in one run: every request with its instant, from the seed alone.

use model::capacity::Topology;
use model::ids::{OrderId, SlotId};
use model::message::{Call, Payload, Request};
use sim::chance::{Seed, Stream};
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

use crate::scenario::{Mix, Scenario};

/// A request, its instant and whom it is asked of.
pub type PlannedRequest = (TrueTime, NodeId, Request);

/// Orders of one client; the scenario file allows fewer.
const ORDERS_MAX: u64 = 10_000_000;
/// Latest orders per client that a release may name.
const RECENT_ORDERS_MAX: usize = 16;

/// Every request of the run, earliest first.
#[must_use]
pub fn requests(scenario: &Scenario, topology: &Topology, seed: Seed) -> Vec<PlannedRequest> {
    let mut requests = Vec::new();
    for (index, client) in topology.clients.iter().enumerate() {
        operations(scenario, *client, &mut seed.stream("workload", index as u64), &mut requests);
    }
    for (index, worker) in topology.workers.iter().enumerate() {
        batches(scenario, *worker, &mut seed.stream("batches", index as u64), &mut requests);
    }
    publications(scenario, topology.publisher, &mut requests);
    requests.sort_by_key(|(at, node, _)| (*at, *node));
    requests
}

impl Mix {
    /// All shares together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.reserve.get() + self.release.get() + self.read.get() + self.overview.get()
    }
}

/// The operations of one client: on average evenly spaced, whatever the answers are.
fn operations(scenario: &Scenario, client: NodeId, chance: &mut Stream, requests: &mut Vec<PlannedRequest>) {
    let rate = scenario.workload.requests_per_s.get();
    if rate == 0 {
        return;
    }
    let mean = Span::from_ns(1_000_000_000 * scenario.shape.clients.get() / rate);
    let end = TrueTime::ZERO + scenario.timing.workload();
    let mut orders = Orders { client, count: 0, recent: Vec::new() };
    let mut at = TrueTime::ZERO + Span::from_ns(chance.below(mean.as_ns().max(1)));
    while at < end {
        requests.push((at, client, Request::Operation(orders.draw(scenario, chance))));
        at += Span::from_ns(1 + chance.below(2 * mean.as_ns().max(1)));
    }
}

/// The orders one client has asked for.
struct Orders {
    client: NodeId,
    count: u64,
    recent: Vec<(SlotId, OrderId)>,
}

impl Orders {
    fn draw(&mut self, scenario: &Scenario, chance: &mut Stream) -> Call {
        let mix = &scenario.workload.mix;
        let slot =
            SlotId(u32::try_from(chance.below(scenario.shape.slots.get())).expect("slots fit 32 bits"));
        let drawn = chance.below(mix.total());
        let release_from = mix.reserve.get();
        let read_from = release_from + mix.release.get();
        let overview_from = read_from + mix.read.get();
        if drawn >= overview_from {
            return Call::Overview;
        }
        if drawn >= read_from {
            return Call::Use { slot };
        }
        if drawn >= release_from && !self.recent.is_empty() {
            let index = chance.below(self.recent.len() as u64) as usize;
            let (slot, order) = self.recent.swap_remove(index);
            return Call::Release { slot, order };
        }
        let order = OrderId(u64::from(self.client.0) * ORDERS_MAX + self.count);
        self.count += 1;
        self.recent.push((slot, order));
        if self.recent.len() > RECENT_ORDERS_MAX {
            self.recent.remove(0);
        }
        let units = 1 + chance.below(scenario.workload.units_max.get());
        Call::Reserve { slot, order, units: u32::try_from(units).expect("units fit 32 bits") }
    }
}

fn batches(scenario: &Scenario, worker: NodeId, chance: &mut Stream, requests: &mut Vec<PlannedRequest>) {
    let every = Span::from_ms(scenario.workload.batch_every_ms.get());
    if every == Span::ZERO {
        return;
    }
    let tasks = scenario.workload.batch_tasks.get_u32();
    let end = TrueTime::ZERO + scenario.timing.workload();
    let mut at = TrueTime::ZERO + Span::from_ns(chance.below(every.as_ns()));
    while at < end {
        requests.push((at, worker, Request::Batch { tasks }));
        at += every;
    }
}

fn publications(scenario: &Scenario, publisher: NodeId, requests: &mut Vec<PlannedRequest>) {
    let workload = &scenario.workload;
    let every = Span::from_ms(workload.publish_every_ms.get());
    if every == Span::ZERO {
        return;
    }
    // The last version must have started when the convergence of the healed system is judged.
    let last = TrueTime::ZERO + scenario.timing.chaos();
    let slack = Span::from_ms(workload.slack_ms.get());
    let mut at = TrueTime::ZERO + Span::from_ms(500);
    let mut count = 0;
    while at < last {
        let payload = payload(scenario, count);
        requests.push((at, publisher, Request::Publish { payload, slack }));
        at += every;
        count += 1;
    }
}

/// What the `count`-th published version says.
fn payload(scenario: &Scenario, count: usize) -> Payload {
    let workload = &scenario.workload;
    let limit = workload.limits[count % workload.limits.len()].get_u32();
    Payload { limit, delay: task_delay(scenario, count + 1) }
}

/// How long a task takes under the `count`-th version, the initial one included.
#[must_use]
pub fn task_delay(scenario: &Scenario, count: usize) -> Span {
    let delays = &scenario.workload.task_delays_ms;
    delays.get(count % delays.len().max(1)).map_or(Span::from_ms(10), |delay| Span::from_ms(delay.get()))
}
