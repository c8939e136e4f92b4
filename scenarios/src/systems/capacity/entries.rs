//! What each node of the journal has made durable and each reader of it applied, start by start.
//!
//! All of them must have the same entry at the same place, so each is a reader of the log. An entry is known by its request;
//! who got the request of another at a place, but with another decision, got an entry that nobody has appended.
//!
//! Where the journal is a stream of commands, replicas show decisions, counted alone; the journal's nodes are readers of the
//! same decisions then, of which they know the requests only. A program that was given what only a newer one can read decides
//! nothing behind that, and so owes no more than a prefix.

use std::collections::BTreeMap;

use checker::judge::{Family, FamilyKind};
use checker::replication::{Append, Delivery, LogHistory, Reader};
use model::capacity::Topology;
use model::client::Operation;
use model::ids::{Offset, RequestKey};
use model::message::{Answer, Call, Entry, Observation};
use sim::node::NodeId;

use super::CapacityService;
use super::commands::{Commands, is_command};
use super::parts::CounterPart;
use crate::system::Seen;

pub(in crate::systems) fn record(
    topology: &Topology,
    counter: CounterPart,
    seen: &[Seen<CapacityService>],
) -> Family {
    let mut appends = BTreeMap::new();
    let mut readers = Readers::default();
    // Which request made the event of an order: another one for the same order gets its first answer, and makes none.
    let mut firsts = BTreeMap::new();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Observation::Operation(Operation::Invoked {
                request,
                call: call @ (Call::Reserve { .. } | Call::ReserveKinds { .. } | Call::Release { .. }),
                ..
            }) => {
                let append = Append { entry: request.0, invoked_ns: at_ns, acknowledged_ns: None };
                appends.insert(*request, (*call, append));
            }
            Observation::Operation(Operation::Returned { request, answer: Some((_, answer)), .. })
                if is_event(*answer) =>
            {
                acknowledge(&mut appends, *request, at_ns);
            }
            Observation::Started => readers.begin(one.node),
            Observation::NewerForm { .. } if counter == CounterPart::Stream => {
                readers.life(one.node).is_lost = true;
            }
            Observation::Journalled { from, entries } | Observation::Applied { from, entries } => {
                if let Observation::Journalled { .. } = one.observation {
                    for entry in entries.iter() {
                        let demand = entry.event.call.demand();
                        demand.map(|demand| *firsts.entry(demand).or_insert(entry.event.request));
                    }
                }
                readers.deliver(one.node, *from, entries, at_ns);
            }
            _ => {}
        }
    }
    let makes_none = |request: RequestKey, call: Call| {
        let first = call.demand().and_then(|demand| firsts.get(&demand));
        first.is_some_and(|first| *first != request)
    };
    let appends = appends.into_iter().filter(|(request, (call, _))| !makes_none(*request, *call));
    let appends = appends.map(|(_, (_, append))| append).collect();
    let history = LogHistory { appends, readers: readers.finish(topology) };
    Family { name: "entries".to_owned(), kind: FamilyKind::Log(history) }
}

/// Whether the answer is an event of the journal.
const fn is_event(answer: Answer) -> bool {
    matches!(answer, Answer::Accepted(_) | Answer::Rejected(_) | Answer::Released | Answer::NotHeld)
}

fn acknowledge(appends: &mut BTreeMap<RequestKey, (Call, Append)>, request: RequestKey, at_ns: u64) {
    if let Some((_, append)) = appends.get_mut(&request) {
        append.acknowledged_ns = Some(at_ns);
    }
}

/// What an entry is known by at a place where somebody got `first`.
fn name(offset: u64, entry: &Entry, first: &Entry) -> u64 {
    let is_other = entry.event.request == first.event.request && entry != first;
    if is_other { u64::MAX - offset } else { entry.event.request.0 }
}

/// What one node received since one of its starts.
#[derive(Default)]
struct Life {
    deliveries: Vec<Delivery>,
    /// The commands among it.
    commands: Commands,
    /// Whether there was something that its program could not read.
    is_lost: bool,
}

impl Life {
    /// Takes a command: a delivery at the next place, if it is to be decided.
    fn command(&mut self, entry: &Entry, at_ns: u64) {
        if self.commands.takes_decision(entry) {
            let offset = self.deliveries.len() as u64;
            self.deliveries.push(Delivery { offset, entry: entry.event.request.0, at_ns });
        }
    }
}

/// What each node received since each of its starts.
#[derive(Default)]
struct Readers {
    lives: BTreeMap<NodeId, Vec<Life>>,
    /// What stands at each place, as whoever came first got it.
    firsts: BTreeMap<u64, Entry>,
}

impl Readers {
    fn begin(&mut self, node: NodeId) {
        self.lives.entry(node).or_default().push(Life::default());
    }

    /// The one that the node is in.
    fn life(&mut self, node: NodeId) -> &mut Life {
        let lives = self.lives.entry(node).or_default();
        if lives.is_empty() {
            lives.push(Life::default());
        }
        lives.last_mut().expect("there is one now")
    }

    fn deliver(&mut self, node: NodeId, from: Offset, entries: &[Entry], at_ns: u64) {
        for (offset, entry) in (from.0..).zip(entries) {
            if is_command(entry) {
                self.life(node).command(entry, at_ns);
                continue;
            }
            let first = *self.firsts.entry(offset).or_insert(*entry);
            let delivery = Delivery { offset, entry: name(offset, entry, &first), at_ns };
            self.life(node).deliveries.push(delivery);
        }
    }

    /// Only the last life of a node must have everything in the end, if it could read it.
    fn finish(self, topology: &Topology) -> Vec<Reader> {
        let mut readers = Vec::new();
        for (node, lives) in self.lives {
            let role = topology.members[node.index()].role();
            let last = lives.len() - 1;
            for (life, Life { deliveries, is_lost, .. }) in lives.into_iter().enumerate() {
                let name = format!("{role} {node}, start {}", life + 1);
                readers.push(Reader {
                    name,
                    node: node.0,
                    deliveries,
                    is_complete: life == last && !is_lost,
                });
            }
        }
        readers
    }
}

#[cfg(test)]
mod tests {
    use checker::replication::{convergence, exactly_once};
    use checker::verdict::Verdict;
    use model::ids::{OrderId, Sequence, SlotId, Version};
    use model::message::{Event, Ground};

    use super::*;

    fn entry(request: u64, limit: u32) -> Entry {
        let (slot, ground) = (SlotId(0), Ground { limit, version: Version(1) });
        let call = Call::Reserve { slot, order: OrderId(request), units: 1 };
        let event = Event { request: RequestKey(request), call, answer: Answer::Accepted(ground) };
        Entry { slot, sequence: Sequence(request as u32), event }
    }

    /// Whether it holds that entries come once and that all agree, if two nodes got that as the second entry.
    fn agreed(second: [Entry; 2]) -> [bool; 2] {
        let mut readers = Readers::default();
        for (node, entry_of_it) in (1..).map(NodeId).zip(second) {
            readers.deliver(node, Offset(0), &[entry(0, 10), entry_of_it], 5);
        }
        let appends = (0..3).map(|entry| Append { entry, invoked_ns: 0, acknowledged_ns: None }).collect();
        let lives = readers.lives.into_iter().map(|(node, mut lives)| Reader {
            name: node.to_string(),
            node: node.0,
            deliveries: lives.remove(0).deliveries,
            is_complete: true,
        });
        let history = LogHistory { appends, readers: lives.collect() };
        [exactly_once(&history), convergence(&history)].map(|verdict| verdict == Verdict::Holds)
    }

    #[test]
    fn a_node_of_a_stream_has_what_others_decided_without_repeats_and_reads() {
        let command = |request: u64| {
            let ground = Ground { limit: 10, version: Version(1) };
            let mut command = entry(request, 10);
            command.event.answer = Answer::Queued(ground);
            command
        };
        let mut read = command(9);
        read.event.call = Call::Use { slot: SlotId(0) };
        let mut readers = Readers::default();
        let stream = [command(0), read, command(0), command(1)];
        readers.deliver(NodeId(1), Offset(0), &stream[..2], 5);
        readers.deliver(NodeId(1), Offset(2), &stream[2..], 5);
        readers.deliver(NodeId(3), Offset(0), &[entry(0, 10), entry(1, 10)], 5);
        let names = |node| -> Vec<(u64, u64)> {
            let lives: &Vec<Life> = &readers.lives[&node];
            lives[0].deliveries.iter().map(|delivery| (delivery.offset, delivery.entry)).collect()
        };
        assert_eq!(names(NodeId(1)), [(0, 0), (1, 1)]);
        assert_eq!(names(NodeId(1)), names(NodeId(3)));
    }

    #[test]
    fn nodes_that_differ_about_a_place_in_request_or_decision_break_a_promise() {
        assert_eq!(agreed([entry(1, 10), entry(1, 10)]), [true, true]);
        assert_eq!(agreed([entry(1, 10), entry(1, 20)]), [false, false]);
        assert_eq!(agreed([entry(1, 10), entry(2, 10)]), [true, false]);
    }
}
