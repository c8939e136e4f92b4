#!/bin/sh
# omnipaxos 0.2.4: what its two timeouts do not do.
#
# `election_tick_timeout` is documented as the number of ticks until the leader election is updated. A heartbeat's reply
# counts only if it comes back within that many ticks. The first leader needs no heartbeats: so a cluster whose round trip
# is longer starts and works, and is without a leader for good once that node is gone.
#
# `resend_message_tick_timeout` is documented as the number of ticks until a message is considered dropped and is sent
# again. That holds for the messages that prepare a leader. Entries, acceptances, decisions and forwarded proposals are
# sent once. A lost decision stays unknown to its node until the next entry is decided, and a lost forwarded proposal is
# lost for good. Nobody asks again, unless the user calls `reconnected`.
#
# Three nodes, `election_tick_timeout` 5, `resend_message_tick_timeout` 10; 10,000 ticks after each event.
set -eu

expected='round trip of 2 ticks: a first leader, and another after that is gone
round trip of 4 ticks: a first leader, and another after that is gone
round trip of 6 ticks: a first leader, and none after that is gone
round trip of 8 ticks: a first leader, and none after that is gone
one decision lost: decided on the three nodes [1, 1, 0]
after the next entry: decided on the three nodes [2, 2, 2]
one forwarded proposal lost: decided on the three nodes [0, 0, 0]
one acceptance of two lost: decided on the three nodes [1, 1, 1]
both acceptances lost: decided on the three nodes [0, 0, 0]
after reconnected: decided on the three nodes [1, 1, 1]'

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo new --quiet --vcs none finding
cd finding
cat >> Cargo.toml <<'TOML'
omnipaxos = { version = "=0.2.4", default-features = false }
omnipaxos_storage = "=0.2.4"
TOML
cat > src/main.rs <<'RUST'
use std::collections::VecDeque;

use omnipaxos::messages::Message;
use omnipaxos::messages::sequence_paxos::PaxosMsg;
use omnipaxos::storage::{Entry, NoSnapshot};
use omnipaxos::{ClusterConfig, OmniPaxos, ServerConfig};
use omnipaxos_storage::memory_storage::MemoryStorage;

#[derive(Clone, Debug)]
struct Word;

impl Entry for Word {
    type Snapshot = NoSnapshot;
}

struct World {
    nodes: Vec<OmniPaxos<Word, MemoryStorage<Word>>>,
    /// What is on its way, and the tick in which it arrives.
    network: VecDeque<(u64, Message<Word>)>,
    delay: u64,
    now: u64,
}

impl World {
    fn new(delay: u64) -> Self {
        let node = |pid| {
            let cluster = ClusterConfig { configuration_id: 1, nodes: vec![1, 2, 3], flexible_quorum: None };
            let server = ServerConfig {
                pid,
                election_tick_timeout: 5,
                resend_message_tick_timeout: 10,
                ..ServerConfig::default()
            };
            cluster.build_for_server(server, MemoryStorage::default()).unwrap()
        };
        Self { nodes: [1, 2, 3].map(node).into(), network: VecDeque::new(), delay, now: 0 }
    }

    /// Lets ticks pass; messages of which `is_lost` never arrive.
    fn pass(&mut self, ticks: u64, mut is_lost: impl FnMut(&Message<Word>) -> bool) {
        for _ in 0..ticks {
            self.now += 1;
            self.nodes.iter_mut().for_each(OmniPaxos::tick);
            loop {
                for node in &mut self.nodes {
                    let mut outgoing = Vec::new();
                    node.take_outgoing_messages(&mut outgoing);
                    let due = self.now + self.delay;
                    self.network.extend(outgoing.into_iter().filter(|sent| !is_lost(sent)).map(|sent| (due, sent)));
                }
                let Some((_, message)) = self.network.pop_front_if(|(due, _)| *due <= self.now) else { break };
                self.nodes[message.get_receiver() as usize - 1].handle_incoming(message);
            }
        }
    }

    fn leader(&self) -> Option<usize> {
        let (pid, is_accepted) = self.nodes[0].get_current_leader()?;
        is_accepted.then_some(pid as usize - 1)
    }

    fn show(&self, what: &str) {
        // The one that misses something is shown last.
        let mut decided: Vec<_> = self.nodes.iter().map(OmniPaxos::get_decided_idx).collect();
        decided.sort_unstable_by(|a, b| b.cmp(a));
        println!("{what}: decided on the three nodes {decided:?}");
    }
}

fn elected() -> (World, usize, usize) {
    let mut world = World::new(1);
    world.pass(10_000, |_| false);
    let leader = world.leader().unwrap();
    (world, leader, (leader + 1) % 3)
}

const fn kind(message: &Message<Word>) -> Option<&PaxosMsg<Word>> {
    match message {
        Message::SequencePaxos(paxos) => Some(&paxos.msg),
        Message::BLE(_) => None,
    }
}

fn main() {
    for delay in 1..5 {
        let mut world = World::new(delay);
        world.pass(10_000, |_| false);
        let first = world.leader().unwrap();
        assert_ne!(first, 0, "the first node is asked who leads");
        let gone = first as u64 + 1;
        world.pass(10_000, |sent| sent.get_sender() == gone || sent.get_receiver() == gone);
        let next = if world.leader() == Some(first) { "none" } else { "another" };
        println!("round trip of {} ticks: a first leader, and {next} after that is gone", 2 * delay);
    }

    let (mut world, leader, follower) = elected();
    world.nodes[leader].append(Word).unwrap();
    let to = follower as u64 + 1;
    let is_lost = |sent: &Message<Word>| matches!(kind(sent), Some(PaxosMsg::Decide(_))) && sent.get_receiver() == to;
    world.pass(3, is_lost);
    world.pass(10_000, |_| false);
    world.show("one decision lost");
    world.nodes[leader].append(Word).unwrap();
    world.pass(10_000, |_| false);
    world.show("after the next entry");

    let (mut world, _, follower) = elected();
    world.nodes[follower].append(Word).unwrap();
    world.pass(3, |sent| matches!(kind(sent), Some(PaxosMsg::ProposalForward(_))));
    world.pass(10_000, |_| false);
    world.show("one forwarded proposal lost");

    for (lost, what) in [(1, "one acceptance of two lost"), (2, "both acceptances lost")] {
        let (mut world, leader, follower) = elected();
        world.nodes[leader].append(Word).unwrap();
        let mut left = lost;
        world.pass(5, |sent| {
            let is_lost = left > 0 && matches!(kind(sent), Some(PaxosMsg::Accepted(_)));
            left -= u32::from(is_lost);
            is_lost
        });
        world.pass(10_000, |_| false);
        world.show(what);
        if lost == 2 {
            world.nodes[follower].reconnected(leader as u64 + 1);
            world.pass(10_000, |_| false);
            world.show("after reconnected");
        }
    }
}
RUST
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS || true
cargo build --quiet
found=$(timeout 300 "${CARGO_TARGET_DIR:-target}/debug/finding")
echo "$found"
if [ "$found" != "$expected" ]; then
    echo "changed; it was:" >&2
    echo "$expected" >&2
    exit 1
fi
