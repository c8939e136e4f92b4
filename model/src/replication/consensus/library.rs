//! The library on one node: started from an image, fed with letters and ticks.
//!
//! Omni-Paxos separates the election of a leader, which needs no more than one node that is connected to a majority, from
//! the replication of the log. It has no clock, no chance and no thread of its own: it counts ticks. Source: H. Ng,
//! S. Haridi, P. Carbone, "Omni-Paxos: Breaking the Barriers of Partial Connectivity", EuroSys 2023; crate `omnipaxos`.
//!
//! After [`Pace::resend_ticks`] it says again what prepares a leader: prepare, promise, and the request to be prepared.
//! Entries, acceptances, decisions and forwarded proposals are said once. [`super::link`] notices what is missing, and
//! [`Library::reconnected`] brings back all of that but a forwarded proposal: its client asks again.
//!
//! In 0.2.4 a node that has promised a higher ballot than that of the leader whom all others follow stays behind for ever:
//! it may not promise less, and takes over only from a leader whom nobody follows. Here it takes over when it hears again
//! and again that others follow a lower ballot.
//!
//! So does a follower whose leader has forgotten that it follows: it answered twice, because letters were missing in
//! between, the second answer was lost, and it took what the leader sent upon the first. The leader then asks for its
//! promise for ever, and the follower, which has accepted in that ballot, finds nothing new in that. Here it answers by
//! beginning over with its leader.
//!
//! And a leader that waits for promises forgets one of them, but not the snapshot that came with it, when who gave it begins
//! over: a majority of others later, it holds more than it believes to be decided. Here such a node is not heard until the
//! leader has its majority; it asks again.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;

use omnipaxos::ballot_leader_election::Ballot;
use omnipaxos::messages::Message as Paxos;
use omnipaxos::messages::ballot_leader_election::HeartbeatMsg;
use omnipaxos::messages::sequence_paxos::PaxosMsg;
use omnipaxos::util::LogEntry;
use omnipaxos::{ClusterConfig, OmniPaxos, ServerConfig};
use sim::node::NodeId;

use super::pace::Pace;
use super::record::{Decidable, Record};
use super::shelf::{Image, Shelf};

/// A node that follows nobody hears so many times that others follow a lower ballot before it takes over.
const LOWER_MAX: u32 = 10;
/// Letters that may wait to be taken: a capacity to begin with, not a bound.
const BUFFER: usize = 64;

/// What a node learns from the library.
#[derive(Clone, Debug, PartialEq)]
pub enum Decided<C: Decidable> {
    /// The next command.
    Command(C),
    /// What all commands below that index made, instead of them.
    Snapshot(usize, C::Snapshot),
}

/// The library with its storage.
pub struct Library<C: Decidable> {
    paxos: OmniPaxos<C, Shelf<C>>,
    shelf: Shelf<C>,
    /// All nodes of the log; the library counts them from 1.
    nodes: Arc<[NodeId]>,
    /// How often it heard, since it last followed a leader, that others follow a lower ballot than is promised here.
    lower: u32,
    /// What each node has promised to this one last.
    promised: BTreeMap<u64, Ballot>,
}

impl<C: Decidable> Library<C> {
    /// Begins on `me`, one of `nodes`, with what its disk has. A round of heartbeats has to outlast a round trip.
    ///
    /// # Panics
    /// If there are fewer than two nodes, or `me` is none of them.
    #[must_use]
    pub fn start(me: NodeId, nodes: Arc<[NodeId]>, pace: Pace, image: Image<C>) -> Self {
        let shelf = Shelf::new(image);
        let pids = (1..=nodes.len() as u64).collect();
        let cluster = ClusterConfig { configuration_id: 1, nodes: pids, flexible_quorum: None };
        let server = ServerConfig {
            pid: pid(&nodes, me),
            election_tick_timeout: pace.election_ticks,
            resend_message_tick_timeout: pace.resend_ticks,
            buffer_size: BUFFER,
            ..ServerConfig::default()
        };
        let paxos = cluster.build_for_server(server, shelf.clone()).expect("there are at least two nodes");
        Self { paxos, shelf, nodes, lower: 0, promised: BTreeMap::new() }
    }

    /// Proposes a command: to the leader, wherever it is.
    pub fn propose(&mut self, command: C) {
        self.paxos.append(command).expect("the membership is fixed: nothing stops the log");
    }

    /// Something from another node.
    pub fn handle(&mut self, content: Paxos<C>) {
        if let Paxos::BLE(letter) = &content
            && let HeartbeatMsg::Reply(reply) = &letter.msg
        {
            self.lower += u32::from(reply.happy && reply.leader < self.paxos.get_promise());
        }
        if self.begins_over_too_soon(&content) {
            return;
        }
        let forgetful = self.forgetful_leader(&content);
        self.paxos.handle_incoming(content);
        if let Some(leader) = forgetful {
            self.paxos.reconnected(leader);
        }
        if self.follows() {
            self.lower = 0;
        } else if self.lower >= LOWER_MAX {
            self.lower = 0;
            self.paxos.try_become_leader();
        }
    }

    /// Whether it is of a node that begins over, while its promise is counted here and those of others are waited for.
    fn begins_over_too_soon(&mut self, content: &Paxos<C>) -> bool {
        let Paxos::SequencePaxos(letter) = content else { return false };
        match &letter.msg {
            PaxosMsg::Promise(promise) => {
                self.promised.insert(letter.from, promise.n);
                false
            }
            PaxosMsg::PrepareReq(_) => {
                let is_counted = self.promised.get(&letter.from) == Some(&self.paxos.get_promise());
                is_counted && self.paxos.get_current_leader() == Some((self.paxos.get_pid(), false))
            }
            _ => false,
        }
    }

    /// Who asks for a promise in whose ballot this node has accepted long since.
    fn forgetful_leader(&self, content: &Paxos<C>) -> Option<u64> {
        match content {
            Paxos::SequencePaxos(letter) => match &letter.msg {
                PaxosMsg::Prepare(asked) if asked.n == self.paxos.get_promise() && self.follows() => {
                    Some(letter.from)
                }
                _ => None,
            },
            Paxos::BLE(_) => None,
        }
    }

    /// Whether it has accepted what its leader sent to begin with.
    fn follows(&self) -> bool {
        self.paxos.get_current_leader().is_some_and(|(_, has_accepted)| has_accepted)
    }

    /// Time passes.
    pub fn tick(&mut self) {
        self.paxos.tick();
    }

    /// The connection to another node was lost and is there again: something may be missing.
    pub fn reconnected(&mut self, peer: NodeId) {
        self.paxos.reconnected(pid(&self.nodes, peer));
    }

    /// What is to be sent, to whom, since this was last asked.
    pub fn take_outgoing(&mut self) -> Vec<(NodeId, Paxos<C>)> {
        let mut outgoing = Vec::new();
        self.paxos.take_outgoing_messages(&mut outgoing);
        let to = |content: &Paxos<C>| self.nodes[content.get_receiver() as usize - 1];
        outgoing.into_iter().map(|content| (to(&content), content)).collect()
    }

    /// What the disk has to take, since this was last asked.
    #[must_use]
    pub fn take_unwritten(&self) -> Vec<Record<C>> {
        self.shelf.take_unwritten()
    }

    /// What was decided from that index on, with the number of commands that are decided.
    #[must_use]
    pub fn decided_from(&self, index: usize) -> (usize, Vec<Decided<C>>) {
        let decided = self.paxos.get_decided_idx();
        if decided <= index {
            return (decided, Vec::new());
        }
        let suffix = self.paxos.read_decided_suffix(index).unwrap_or_default();
        let learned = suffix.into_iter().filter_map(|entry| match entry {
            LogEntry::Decided(command) => Some(Decided::Command(command)),
            LogEntry::Snapshotted(entry) => Some(Decided::Snapshot(entry.trimmed_idx, entry.snapshot)),
            LogEntry::Undecided(_) | LogEntry::Trimmed(_) | LogEntry::StopSign(..) => None,
        });
        (decided, learned.collect())
    }

    /// How many commands are only in the snapshot.
    #[must_use]
    pub fn compacted(&self) -> usize {
        self.paxos.get_compacted_idx()
    }

    /// Makes a snapshot of the first `index` commands, on this node alone: the records that are to replace all on its disk.
    pub fn compact(&mut self, index: usize) -> Vec<Record<C>> {
        self.paxos.snapshot(Some(index), true).expect("what is applied is decided");
        let _ = self.shelf.take_unwritten();
        self.shelf.records()
    }
}

impl<C: Decidable> Clone for Library<C> {
    /// The library cannot be copied.
    ///
    /// # Panics
    /// Always: a world of these nodes is copied before it begins, when no library runs.
    fn clone(&self) -> Self {
        panic!("the library of a running node cannot be copied")
    }
}

impl<C: Decidable> fmt::Debug for Library<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decided = self.paxos.get_decided_idx();
        f.debug_struct("Library").field("decided", &decided).field("shelf", &self.shelf).finish()
    }
}

/// The library counts nodes from 1.
fn pid(nodes: &[NodeId], node: NodeId) -> u64 {
    let place = nodes.iter().position(|other| *other == node);
    place.expect("a node of the log is meant") as u64 + 1
}

#[cfg(test)]
mod tests;
