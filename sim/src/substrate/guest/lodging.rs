//! The links between guests: what a cut holds there, and a digest over every segment.

use std::net::IpAddr;

use turmoil::{Protocol, Segment, Sim};

use crate::digest::{Digest, DigestValue};
use crate::node::{Node, NodeId};
use crate::substrate::links::LinkChange;
use crate::substrate::room::Room;
use crate::substrate::turmoil::{Lodging, instant};

/// The hosts of guests, and what is on the links between them.
pub(super) struct Guests {
    names: Vec<String>,
    /// By node; empty until the hosts are there.
    addresses: Vec<IpAddr>,
    /// What is held on each link that is cut; none on the others. Shape: `n x n`, row = sender, column = receiver.
    held: Vec<Option<u64>>,
    held_count: u64,
    traffic: Digest,
}

impl Guests {
    /// Hosts of these names, nothing cut.
    pub(super) fn new(names: Vec<String>) -> Self {
        let held = vec![None; names.len() * names.len()];
        Self { names, addresses: Vec::new(), held, held_count: 0, traffic: Digest::default() }
    }

    /// The digest over every segment at every tick, and how many segments were held.
    pub(super) fn finish(self) -> (DigestValue, u64) {
        (self.traffic.finish(), self.held_count)
    }

    const fn place(&self, from: NodeId, to: NodeId) -> usize {
        from.index() * self.names.len() + to.index()
    }

    /// Lets everything on a link arrive, one way.
    fn deliver(&self, sim: &Sim<'_>, from: NodeId, to: NodeId) {
        let (from, to) = (sim.lookup(self.name(from)), sim.lookup(self.name(to)));
        sim.links(|links| {
            for sent in links.flatten() {
                let (source, target) = sent.pair();
                if (source.ip(), target.ip()) == (from, to) {
                    sent.deliver();
                }
            }
        });
    }

    /// How many segments each link carries; all of them go into the digest.
    fn count(&mut self, sim: &Sim<'_>) -> Vec<u64> {
        let mut counts = vec![0; self.held.len()];
        let (addresses, traffic, width) = (&self.addresses, &mut self.traffic, self.names.len());
        let at_ns = instant(sim.elapsed()).as_ns();
        let place = |address| addresses.iter().position(|own| *own == address);
        sim.links(|links| {
            for sent in links.flatten() {
                let (source, target) = sent.pair();
                let (Some(from), Some(to)) = (place(source.ip()), place(target.ip())) else { continue };
                counts[from * width + to] += 1;
                traffic.u64(at_ns);
                traffic.str(&format!("{source} {target}"));
                feed(traffic, sent.protocol());
            }
        });
        counts
    }
}

impl Lodging for Guests {
    fn name(&self, node: NodeId) -> String {
        self.names[node.index()].clone()
    }

    /// turmoil holds a link both ways: the way back is let go again at once, unless it is cut too.
    fn turn(&mut self, sim: &Sim<'_>, change: LinkChange) {
        let LinkChange { from, to, is_cut } = change;
        let place = self.place(from, to);
        self.held[place] = is_cut.then_some(0);
        if !is_cut {
            sim.repair_oneway(self.name(from), self.name(to));
            return self.deliver(sim, from, to);
        }
        sim.hold(self.name(from), self.name(to));
        if self.held[self.place(to, from)].is_none() {
            sim.repair_oneway(self.name(to), self.name(from));
            self.deliver(sim, to, from);
        }
    }

    fn after_tick<N: Node>(&mut self, sim: &Sim<'_>, room: &Room<N>) {
        if self.addresses.is_empty() {
            self.addresses = self.names.iter().map(|name| sim.lookup(name.as_str())).collect();
        }
        // Nobody but a guest's own questions runs its machine: that it has crashed must show without any.
        let now = instant(sim.elapsed()).min(room.phases.end);
        room.nodes().for_each(|node| room.consult(node, now, |_, _| ()));
        let counts = self.count(sim);
        for from in room.nodes() {
            for to in room.nodes() {
                let place = self.place(from, to);
                if let Some(held) = &mut self.held[place] {
                    let more = counts[place].saturating_sub(*held);
                    *held = counts[place];
                    room.held(from, to, more);
                    self.held_count += more;
                }
            }
        }
    }
}

/// A segment's kind, number and bytes.
fn feed(digest: &mut Digest, protocol: &Protocol) {
    let (kind, number, bytes): (u8, u64, &[u8]) = match protocol {
        Protocol::Tcp(Segment::Syn(_)) => (1, 0, &[]),
        Protocol::Tcp(Segment::Data(number, bytes)) => (2, *number, bytes),
        Protocol::Tcp(Segment::Fin(number)) => (3, *number, &[]),
        Protocol::Tcp(Segment::Rst) => (4, 0, &[]),
        Protocol::Udp(datagram) => (5, 0, &datagram.0),
    };
    digest.u8(kind);
    digest.u64(number);
    digest.u64(bytes.len() as u64);
    digest.bytes(bytes);
}
