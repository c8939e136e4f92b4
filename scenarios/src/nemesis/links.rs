//! Faults of links: which of them, and what is wrong with them.

use sim::chance::{Ratio, Stream};
use sim::fault::Fault;
use sim::node::NodeId;
use sim::partition::{self, Flapping, Pair, Ways};
use sim::time::Span;

use super::Occasion;
use crate::grammar::{Nemesis, NemesisKind, Whom};

/// How long a message waits before a narrow link at most: one in so many of a second.
const QUEUE_SHARE: u64 = 2;

/// Between whom partitions go.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    /// Every node.
    pub(super) all: &'a [NodeId],
    /// The service nodes.
    pub(super) peers: &'a [NodeId],
    /// The nodes of the roles.
    pub(super) targets: &'a [NodeId],
}

/// The disturbance of this occasion, if the kind is one: of the victims' links to and from everybody else. Noise on a
/// random node is noise on every link.
pub(super) fn disturbance(nemesis: &Nemesis, occasion: &Occasion, all: &[NodeId]) -> Option<Fault> {
    let &Occasion { length, amount, .. } = occasion;
    let chance = nemesis.chance;
    let ms = Span::from_ms(amount);
    let count = u32::try_from(amount).expect("amounts come from ranges of 32 bits");
    let links = match (nemesis.kind, nemesis.whom) {
        (NemesisKind::Noise, Whom::Random) => Vec::new(),
        _ => partition::between(&occasion.victims, &others(all, &occasion.victims), Ways::Both),
    };
    Some(match nemesis.kind {
        NemesisKind::Noise => {
            Fault::Noise { links, loss: chance, duplication: chance, delay_max: ms, length }
        }
        NemesisKind::Burst => {
            let leave = Ratio::new(1, count);
            Fault::Burst { links, enter: chance, leave, loss: Ratio::ALWAYS, length }
        }
        NemesisKind::Corruption => Fault::Corruption { links, chance, length },
        NemesisKind::Reordering => Fault::Reordering { links, chance, delay_max: ms, length },
        NemesisKind::SlowLink => Fault::SlowLink { links, extra: ms, length },
        NemesisKind::Throttle => {
            let bytes_per_s = amount * 1_000;
            Fault::Throttle { links, bytes_per_s, queue_bytes: bytes_per_s / QUEUE_SHARE, length }
        }
        _ => return None,
    })
}

/// The links that are cut on this occasion, if the kind is a partition.
pub(super) fn cut(
    nemesis: &Nemesis,
    occasion: &Occasion,
    ground: Ground<'_>,
    chance: &mut Stream,
) -> Option<Vec<Pair>> {
    let victims = &occasion.victims;
    let mut shuffled = |nodes: &[NodeId]| {
        let mut nodes = nodes.to_vec();
        chance.shuffle(&mut nodes);
        nodes
    };
    Some(match nemesis.kind {
        NemesisKind::Isolate => isolate(victims, ground.all, chance),
        NemesisKind::Split => split(&shuffled(ground.all)),
        NemesisKind::SplitPeers => split(&shuffled(ground.peers)),
        NemesisKind::OneWay => {
            let ways = if chance.below(2) == 0 { Ways::Out } else { Ways::In };
            partition::between(victims, &others(ground.all, victims), ways)
        }
        NemesisKind::Partial => {
            let rest = shuffled(&others(ground.targets, victims));
            partition::between(victims, &rest[..rest.len().div_ceil(2)], Ways::Both)
        }
        NemesisKind::Bridge => partition::bridge(&shuffled(ground.targets)),
        NemesisKind::Ring => {
            let nodes = shuffled(ground.targets);
            // A majority of five is oneself and a neighbour on either side.
            partition::ring(&nodes, (nodes.len() / 4).max(1))
        }
        NemesisKind::Flapping => partition::between(victims, &others(ground.all, victims), Ways::Both),
        _ => return None,
    })
}

impl Occasion {
    /// When the cuts of a flapping partition come.
    pub(super) const fn flapping(&self) -> Flapping {
        let each = Span::from_ms(self.amount);
        Flapping { at: self.at, cut: each, whole: each, length: self.length }
    }
}

fn others(nodes: &[NodeId], but: &[NodeId]) -> Vec<NodeId> {
    nodes.iter().copied().filter(|node| !but.contains(node)).collect()
}

/// The nodes' links out, in, or both.
fn isolate(nodes: &[NodeId], all: &[NodeId], chance: &mut Stream) -> Vec<Pair> {
    let direction = chance.below(3);
    let mut links = Vec::new();
    for &node in nodes {
        for other in others(all, nodes) {
            if direction != 0 {
                links.push((node, other));
            }
            if direction != 1 {
                links.push((other, node));
            }
        }
    }
    links
}

/// All links between the first half and the rest.
fn split(nodes: &[NodeId]) -> Vec<Pair> {
    let (left, right) = nodes.split_at(nodes.len() / 2);
    let pairs = left.iter().flat_map(|one| right.iter().map(move |other| (*one, *other)));
    pairs.flat_map(|(one, other)| [(one, other), (other, one)]).collect()
}
