//! What is asked in one run: every request with its instant, from the seed alone.

use std::collections::BTreeMap;

use model::capacity::rules::Rules;
use model::config::message::Payload;
use model::counter::kinds::Units;
use model::ids::{OrderId, SlotId, ZoneId};
use model::message::{Call, Request};
use sim::chance::{Seed, Stream};
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

use super::{Arrival, Mix, Shape, Spread, Workload};
use crate::system::{Parameters, System};
use crate::workload::OpenLoop;

/// A request, its instant and whom it is asked of.
pub(in crate::systems) type PlannedRequest = (TrueTime, NodeId, Request);

/// Orders of one client; the scenario file allows fewer.
const ORDERS_MAX: u64 = 10_000_000;
/// More than any limit that a scenario file may give.
const UNITS_BEYOND_ANY_LIMIT: u32 = 2_000_000;
/// One in so many reservations of several kinds takes the older form.
const OLD_FORM_ONE_IN: u64 = 8;
/// Latest orders per client that a release may name.
const RECENT_ORDERS_MAX: usize = 16;

/// Every request of the run.
pub(in crate::systems) fn requests<S>(parameters: &Parameters<S>, seed: Seed) -> Vec<PlannedRequest>
where
    S: System<Shape = Shape, Workload = Workload, Rules = Rules>,
{
    let topology = super::topology(parameters);
    let Parameters { shape, workload, timing, .. } = parameters;
    let whole_s = timing.workload().as_ns() / 1_000_000_000;
    let (requests_per_s, until) = match workload.arrival {
        Arrival::Steady => (workload.requests_per_s.get(), parameters.workload_end()),
        Arrival::AllIn => (workload.requests_per_s.get() * whole_s, TrueTime::ZERO + Span::from_seconds(1)),
    };
    let clients = OpenLoop { nodes: &topology.clients, requests_per_s, until };
    let orders = |client: &NodeId| Orders { client: *client, count: 0, recent: Vec::new() };
    let mut orders: Vec<_> = topology.clients.iter().map(orders).collect();
    let mut requests = clients.requests(seed, |chance, index| {
        Some(Request::Operation(orders[index].draw((shape, workload), chance)))
    });
    before_the_chooser(shape, &mut requests);
    publications(workload, timing.chaos(), topology.publisher, &mut requests);
    requests
}

impl Mix {
    /// All shares together.
    #[must_use]
    pub fn total(&self) -> u64 {
        let Self { reserve, release, read, overview, odd, choose } = self;
        [reserve, release, read, overview, odd, choose].map(|share| share.get()).iter().sum()
    }
}

/// The orders one client has asked for.
struct Orders {
    client: NodeId,
    count: u64,
    /// Its latest reservations.
    recent: Vec<Call>,
}

impl Orders {
    fn draw(&mut self, (shape, workload): (&Shape, &Workload), chance: &mut Stream) -> Call {
        let mix = &workload.mix;
        let slot = match workload.spread {
            Spread::Even => {
                SlotId(u32::try_from(chance.below(shape.slots.get())).expect("slots fit 32 bits"))
            }
            Spread::Hot => SlotId(0),
        };
        let drawn = chance.below(mix.total());
        let release_from = mix.reserve.get();
        let read_from = release_from + mix.release.get();
        let overview_from = read_from + mix.read.get();
        let odd_from = overview_from + mix.overview.get();
        if drawn >= odd_from + mix.odd.get() {
            return draw_choice((shape, workload), chance);
        }
        if drawn >= odd_from {
            return self.draw_odd(slot, shape, chance);
        }
        if drawn >= overview_from {
            return Call::Overview;
        }
        if drawn >= read_from {
            return Call::Use { slot };
        }
        if drawn >= release_from && !self.recent.is_empty() {
            let index = chance.below(self.recent.len() as u64) as usize;
            return released(self.recent.swap_remove(index));
        }
        let call = self.draw_reservation(slot, (shape, workload), chance);
        self.recent.push(call);
        if self.recent.len() > RECENT_ORDERS_MAX {
            self.recent.remove(0);
        }
        call
    }

    /// Some of the reservations of several kinds come from clients that know only the older form.
    fn draw_reservation(
        &mut self,
        slot: SlotId,
        (shape, workload): (&Shape, &Workload),
        chance: &mut Stream,
    ) -> Call {
        let order = self.next();
        let units_max = workload.units_max.get();
        let first = units(1 + chance.below(units_max));
        if !shape.has_kinds() || chance.below(OLD_FORM_ONE_IN) == 0 {
            return Call::Reserve { slot, order, units: first };
        }
        let mut of_kinds = Units::first(first);
        for of_kind in &mut of_kinds.0[1..shape.kinds.count()] {
            *of_kind = units(chance.below(units_max + 1));
        }
        let zone = if shape.zones.get() == 0 { 0 } else { chance.below(shape.zones.get()) };
        let zone = ZoneId(u8::try_from(zone).expect("the range of zones fits 8 bits"));
        Call::ReserveKinds { slot, order, units: of_kinds, zone }
    }

    /// What makes no sense, and has a definite answer all the same.
    fn draw_odd(&mut self, slot: SlotId, shape: &Shape, chance: &mut Stream) -> Call {
        let known = self.recent.last().copied();
        match (chance.below(5), known) {
            (0, _) => {
                let slot = SlotId(u32::try_from(shape.slots.get()).expect("slots fit 32 bits"));
                Call::Reserve { slot, order: self.next(), units: 1 }
            }
            (1, _) => beyond(shape, Call::Reserve { slot, order: self.next(), units: 1 }),
            (2, Some(known)) => beyond(shape, known),
            // It is still among the recent ones, so that it may be released once more.
            (3, Some(known)) => released(known),
            _ => Call::Release { slot, order: self.next() },
        }
    }

    const fn next(&mut self) -> OrderId {
        let order = OrderId(self.client.0 as u64 * ORDERS_MAX + self.count);
        self.count += 1;
        order
    }
}

/// Where there is room for as many units as a reservation may ask for.
fn draw_choice((shape, workload): (&Shape, &Workload), chance: &mut Stream) -> Call {
    let kind = u8::try_from(chance.below(shape.kinds.count() as u64)).expect("kinds are few");
    Call::Choose { kind, units: units(1 + chance.below(workload.units_max.get())) }
}

/// Nobody asks a chooser that has not begun.
fn before_the_chooser(shape: &Shape, requests: &mut [PlannedRequest]) {
    let Some(after) = shape.chooser_after() else { return };
    for (at, _, request) in requests {
        if *at < TrueTime::ZERO + after && matches!(request, Request::Operation(Call::Choose { .. })) {
            *request = Request::Operation(Call::Overview);
        }
    }
}

/// The same reservation with more units of the last kind than any slot has.
fn beyond(shape: &Shape, call: Call) -> Call {
    match call {
        Call::Reserve { slot, order, .. } if !shape.has_kinds() => {
            Call::Reserve { slot, order, units: UNITS_BEYOND_ANY_LIMIT }
        }
        Call::Reserve { slot, order, units } => {
            let call = Call::ReserveKinds { slot, order, units: Units::first(units), zone: ZoneId(0) };
            beyond(shape, call)
        }
        Call::ReserveKinds { slot, order, mut units, zone } => {
            units.0[shape.kinds.count() - 1] = UNITS_BEYOND_ANY_LIMIT;
            Call::ReserveKinds { slot, order, units, zone }
        }
        Call::Release { .. } | Call::Use { .. } | Call::Overview | Call::Choose { .. } => call,
    }
}

/// The release of what a reservation asked for.
fn released(call: Call) -> Call {
    match call {
        Call::Reserve { slot, order, .. } | Call::ReserveKinds { slot, order, .. } => {
            Call::Release { slot, order }
        }
        Call::Release { .. } | Call::Use { .. } | Call::Overview | Call::Choose { .. } => call,
    }
}

fn units(drawn: u64) -> u32 {
    u32::try_from(drawn).expect("units fit 32 bits")
}

fn publications(workload: &Workload, chaos: Span, publisher: NodeId, requests: &mut Vec<PlannedRequest>) {
    let every = Span::from_ms(workload.publish_every_ms.get());
    if every == Span::ZERO {
        return;
    }
    // The last version must have started when the convergence of the healed system is judged.
    let last = TrueTime::ZERO + chaos;
    let slack = Span::from_ms(workload.slack_ms.get());
    let mut at = TrueTime::ZERO + Span::from_ms(500);
    let mut count = 0;
    while at < last {
        let payload = payload(workload.limits[count % workload.limits.len()].get_u32());
        requests.push((at, publisher, Request::Publish { payload, slack }));
        at += every;
        count += 1;
    }
}

/// What a version with that limit says: nothing else means anything to a service node.
const fn payload(limit: u32) -> Payload {
    Payload { limit, delay: Span::ZERO, include_mood: false }
}

/// What the version says that is there from the beginning.
pub(super) fn initial<S>(parameters: &Parameters<S>) -> Option<Payload>
where
    S: System<Shape = Shape, Workload = Workload>,
{
    let limit = parameters.shape.initial_limit.get_u32();
    (limit > 0).then(|| payload(limit))
}

/// The slot most often asked for; of several the first.
pub(in crate::systems) fn hot_slot(requests: &[PlannedRequest]) -> Option<SlotId> {
    let mut counts = BTreeMap::new();
    for (.., request) in requests {
        if let Request::Operation(call) = request
            && let Some(slot) = call.slot()
        {
            *counts.entry(slot).or_insert(0_u64) += 1;
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(slot, _)| slot)
}

/// When the planned versions start, earliest first.
pub(in crate::systems) fn switches(shape: &Shape, requests: &[PlannedRequest]) -> Vec<TrueTime> {
    let lead = Span::from_ms(shape.lead_ms.get());
    let start = |request: &PlannedRequest| match request {
        (at, _, Request::Publish { slack, .. }) => Some(*at + lead + *slack),
        (_, _, Request::Operation(_)) => None,
    };
    requests.iter().filter_map(start).collect()
}
