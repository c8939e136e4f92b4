//! Reservations, releases and reads of ten clients on five slots, as the checker holds and writes them.

use std::collections::BTreeMap;

use checker::format::jsonl;
use checker::history::ClientId;
use checker::judge::{Family, FamilyKind};
use checker::keyed::KeyedBuilder;
use checker::spec::capacity::{Capacity, CapacityAnswer, CapacityCall, Terms};
use counterclock_reports::drawn::DrawnOperation;
use sim::chance::{Seed, Stream};

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;
/// How long clients ask.
const LENGTH_NS: u64 = 120 * S;
/// How many clients ask.
const CLIENT_COUNT: u64 = 10;
/// When the store stalls. Unit: ns.
const STALL_NS: std::ops::Range<u64> = 24 * S..33 * S;

/// A question or its end, not yet in order.
struct Event {
    at_ns: u64,
    client: u64,
    step: Step,
}

enum Step {
    Ask { key: String, call: CapacityCall },
    Answer(CapacityAnswer),
    NeverAnswered,
}

/// A family of five slots.
pub(crate) fn family(name: &str, operation_count: u64) -> Family {
    keyed_family(name, "slot-", operation_count)
}

/// A family of five objects whose keys begin so.
pub(crate) fn keyed_family(name: &str, key_prefix: &str, operation_count: u64) -> Family {
    let mut builder = KeyedBuilder::<Capacity>::default();
    for Event { at_ns, client, step } in events(key_prefix, operation_count) {
        let client = ClientId(client);
        let fed = match step {
            Step::Ask { key, call } => builder.invoke(client, &key, call, at_ns).map(|_| ()),
            Step::Answer(answer) => builder.answer(client, answer, at_ns),
            Step::NeverAnswered => builder.unknown(client),
        };
        fed.expect("the events are a history");
    }
    let kind = FamilyKind::Capacity {
        spec: Capacity { capacity: Some(20) },
        history: builder.finish(),
        witness: BTreeMap::new(),
        schedule: None,
        uncertainty_ns: 0,
    };
    Family { name: name.to_owned(), kind }
}

/// The text of a `history.jsonl`.
pub(crate) fn text(families: &[Family]) -> String {
    let mut bytes = Vec::new();
    jsonl::write(families, &mut bytes).expect("memory takes every byte");
    String::from_utf8(bytes).expect("JSON is text")
}

/// Whether an operation is a reservation asked while the store stalled.
pub(crate) fn is_reservation_in_stall(one: &DrawnOperation) -> bool {
    one.kind.contains("reserve") && one.invoked_at_ns >= STALL_NS.start + S
}

fn events(key_prefix: &str, operation_count: u64) -> Vec<Event> {
    let mut chance = Seed(1).stream("sample operations", 0);
    let mut free_at_ns = [0_u64; CLIENT_COUNT as usize];
    let mut process: Vec<u64> = (0..CLIENT_COUNT).collect();
    let step_ns = LENGTH_NS * CLIENT_COUNT / operation_count.max(1);
    let mut events = Vec::new();
    for number in 0..operation_count {
        let place = (number % CLIENT_COUNT) as usize;
        let client = process[place];
        let at_ns = free_at_ns[place] + chance.below(2 * step_ns - step_ns / 3);
        let key = format!("{key_prefix}{}", chance.below(5));
        let (call, answer) = question(number, &mut chance);
        events.push(Event { at_ns, client, step: Step::Ask { key, call } });
        if chance.below(400) == 0 {
            process[place] += CLIENT_COUNT;
            free_at_ns[place] = at_ns + 900 * MS;
            events.push(Event { at_ns: at_ns + 1, client, step: Step::NeverAnswered });
        } else {
            free_at_ns[place] = at_ns + latency_ns(at_ns, &mut chance);
            events.push(Event { at_ns: free_at_ns[place], client, step: Step::Answer(answer) });
        }
    }
    events.sort_by_key(|event| event.at_ns);
    events
}

fn question(number: u64, chance: &mut Stream) -> (CapacityCall, CapacityAnswer) {
    let order = Some(number);
    let terms = Terms { limit: None, version: None };
    match (chance.below(10), chance.below(10)) {
        (0..7, 0) => (CapacityCall::Reserve { order, units: 2 }, CapacityAnswer::Rejected(terms)),
        (0..7, _) => (CapacityCall::Reserve { order, units: 2 }, CapacityAnswer::Accepted(terms)),
        (7..9, 0) => (CapacityCall::Release { order, units: 2 }, CapacityAnswer::NotHeld),
        (7..9, _) => (CapacityCall::Release { order, units: 2 }, CapacityAnswer::Released),
        _ => (CapacityCall::Read, CapacityAnswer::Use(chance.below(20))),
    }
}

fn latency_ns(at_ns: u64, chance: &mut Stream) -> u64 {
    let is_stalled = STALL_NS.contains(&at_ns) && chance.below(3) == 0;
    match chance.below(1_000) {
        _ if is_stalled => chance.between(500 * MS, 5 * S),
        0..8 => chance.between(200 * MS, 1_500 * MS),
        8..60 => chance.between(12 * MS, 90 * MS),
        _ => chance.between(MS, 8 * MS),
    }
}
