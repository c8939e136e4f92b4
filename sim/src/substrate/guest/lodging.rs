//! The links between guests: when each segment arrives, what a cut holds, and a digest over every segment.
//!
//! ```text
//!   sent ──► held by turmoil ──► due, and its link is not cut: handed over before the tick in which it arrives
//! ```
//!
//! turmoil holds, releases and heals both ways of a pair at once, shows no arrival instant, and drops the latency of what
//! it releases. So turmoil holds every segment here, always, and this is the place that decides when one arrives. A cut
//! then moves nothing but what is on its own link. The latency of a segment depends on (seed, link, index on the link),
//! as on the kernel.

use std::net::IpAddr;

use turmoil::{Protocol, Segment, Sim};

use crate::chance::{Seed, Stream};
use crate::digest::{Digest, DigestValue};
use crate::link::stream;
use crate::network_profile::{Latency, LatencyProfile};
use crate::node::{Node, NodeId};
use crate::substrate::links::LinkChange;
use crate::substrate::room::Room;
use crate::substrate::turmoil::{Lodging, instant};

const MS: u64 = 1_000_000;

/// The hosts of guests, and what is on the links between them.
pub(super) struct Guests {
    names: Vec<String>,
    /// By node; empty until the hosts are there.
    addresses: Vec<IpAddr>,
    latency: Latency,
    /// Shape: `n x n`, row = sender, column = receiver.
    links: Vec<Link>,
    /// What turmoil has on each pair of hosts, both ways, in its order.
    pairs: Vec<Vec<Parcel>>,
    held_count: u64,
    traffic: Digest,
}

/// One link, one way.
struct Link {
    from: NodeId,
    to: NodeId,
    is_cut: bool,
    /// One word per segment.
    chance: Stream,
}

/// A segment on its way.
struct Parcel {
    /// Its place in [`Guests::links`].
    link: usize,
    /// The tick in which it arrives, unless a cut holds it. Unit: ms.
    due_ms: u64,
    /// Whether the cut under way has counted it.
    is_held: bool,
    /// turmoil hands it over in the next tick.
    is_handed_over: bool,
}

impl Guests {
    /// Hosts of these names, nothing cut.
    pub(super) fn new(seed: Seed, names: Vec<String>, latency: &LatencyProfile) -> Self {
        let nodes = || (0..).map(NodeId).take(names.len());
        let link = |from, to| Link { from, to, is_cut: false, chance: stream(seed, "guest-link", from, to) };
        let links = nodes().flat_map(|from| nodes().map(move |to| link(from, to))).collect();
        Self {
            latency: Latency::new(latency),
            links,
            names,
            addresses: Vec::new(),
            pairs: Vec::new(),
            held_count: 0,
            traffic: Digest::default(),
        }
    }

    /// Lets turmoil hold everything, now that its hosts are there.
    pub(super) fn move_in(&mut self, sim: &Sim<'_>) {
        self.addresses = self.names.iter().map(|name| sim.lookup(name.as_str())).collect();
        for (index, one) in self.addresses.iter().enumerate() {
            self.addresses[..index].iter().for_each(|other| sim.hold(*other, *one));
        }
        sim.links(|links| self.pairs.resize_with(links.count(), Vec::new));
    }

    /// The digest over every segment at every tick, and how many segments were held.
    pub(super) fn finish(self) -> (DigestValue, u64) {
        (self.traffic.finish(), self.held_count)
    }

    /// Takes note of what was sent since the last look, with the tick in which each segment arrives.
    fn note_new(&mut self, sim: &Sim<'_>) {
        let now_ms = instant(sim.elapsed()).as_ns() / MS;
        let Self { addresses, latency, links, pairs, .. } = self;
        let place = |address| {
            let place = addresses.iter().position(|own| *own == address);
            place.expect("only guests have links")
        };
        sim.links(|found| {
            for (parcels, sent) in pairs.iter_mut().zip(found) {
                for segment in sent.skip(parcels.len()) {
                    let (source, target) = segment.pair();
                    let link = place(source.ip()) * addresses.len() + place(target.ip());
                    let latency_ms = latency.draw(links[link].chance.next_u32()).as_ns().div_ceil(MS).max(1);
                    let due_ms = now_ms + latency_ms;
                    parcels.push(Parcel { link, due_ms, is_held: false, is_handed_over: false });
                }
            }
        });
    }

    /// Counts what the cuts under way hold and have not counted.
    fn count_held<N: Node>(&mut self, room: &Room<N>) {
        for parcel in self.pairs.iter_mut().flatten() {
            let Link { from, to, is_cut, .. } = self.links[parcel.link];
            if is_cut && !parcel.is_held {
                parcel.is_held = true;
                self.held_count += 1;
                room.held(from, to, 1);
            }
        }
    }

    /// Feeds the digest with every segment that is on its way.
    fn digest(&mut self, sim: &Sim<'_>) {
        let at_ns = instant(sim.elapsed()).as_ns();
        let traffic = &mut self.traffic;
        sim.links(|links| {
            for sent in links.flatten() {
                let (source, target) = sent.pair();
                traffic.u64(at_ns);
                traffic.str(&format!("{source} {target}"));
                feed(traffic, sent.protocol());
            }
        });
    }
}

impl Lodging for Guests {
    fn name(&self, node: NodeId) -> String {
        self.names[node.index()].clone()
    }

    /// What a cut has held until now arrives when it is due, at once if it was due before.
    fn turn(&mut self, _sim: &Sim<'_>, change: LinkChange) {
        let LinkChange { from, to, is_cut } = change;
        let place = from.index() * self.names.len() + to.index();
        self.links[place].is_cut = is_cut;
        for parcel in self.pairs.iter_mut().flatten().filter(|parcel| parcel.link == place) {
            parcel.is_held = false;
        }
    }

    /// Hands over what arrives in the next tick.
    fn before_tick<N: Node>(&mut self, sim: &Sim<'_>, room: &Room<N>) {
        self.note_new(sim);
        self.count_held(room);
        let next_ms = instant(sim.elapsed()).as_ns() / MS + 1;
        let Self { links, pairs, .. } = self;
        sim.links(|found| {
            for (parcels, sent) in pairs.iter_mut().zip(found) {
                for (parcel, segment) in parcels.iter_mut().zip(sent) {
                    if parcel.due_ms <= next_ms && !links[parcel.link].is_cut {
                        parcel.is_handed_over = true;
                        segment.deliver();
                    }
                }
            }
        });
    }

    fn after_tick<N: Node>(&mut self, sim: &Sim<'_>, room: &Room<N>) {
        // Nobody but a guest's own questions runs its machine: that it has crashed must show without any.
        let now = instant(sim.elapsed()).min(room.phases.end);
        room.nodes().for_each(|node| room.consult(node, now, |_, _| ()));
        self.pairs.iter_mut().for_each(|parcels| parcels.retain(|parcel| !parcel.is_handed_over));
        self.note_new(sim);
        self.count_held(room);
        self.digest(sim);
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
