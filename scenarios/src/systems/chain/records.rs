//! What replicas keep, showed and carried out, as the checker takes it: all hashes and replays are computed here anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use checker::chain_audit::{self, ChainRecord, ChainRules, Digest, Head};
use checker::judge::{Family, FamilyKind, Records};
use checker::replication::{Append, Delivery, LogHistory, Reader};
use model::chain::block::{Block, Hash};
use model::chain::message::{Blocks, Observation};
use model::chain::projection::{Projection, Snapshot, hash_of, replay};
use model::client::Operation;
use sim::node::NodeId;

use super::EventChain;
use crate::system::{Parameters, Seen};

const fn digest(hash: Hash) -> Digest {
    Digest(hash.0)
}

/// What was submitted, and what stands on each replica's chain.
pub(super) fn events(seen: &[Seen<EventChain>]) -> Family {
    let mut appends = BTreeMap::new();
    let mut readers = Vec::new();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Observation::Operation(Operation::Invoked { request, .. }) => {
                let append = Append { entry: request.0, invoked_ns: at_ns, acknowledged_ns: None };
                appends.insert(*request, append);
            }
            Observation::Operation(Operation::Returned { request, answer: Some((_, answer)), .. }) => {
                if let (Some(append), model::chain::message::Answer::Final { .. }) =
                    (appends.get_mut(request), answer)
                {
                    append.acknowledged_ns = Some(at_ns);
                }
            }
            Observation::Kept { blocks, .. } => readers.push(reader(one.node, blocks, at_ns)),
            _ => {}
        }
    }
    let history = LogHistory { appends: appends.into_values().collect(), readers };
    Family { name: "events".to_owned(), kind: FamilyKind::Log(history) }
}

fn reader(node: NodeId, blocks: &Blocks, at_ns: u64) -> Reader {
    let entries = blocks.iter().flat_map(|block| block.entries.iter());
    let delivery = |(offset, entry): (u64, &model::chain::block::Entry)| Delivery {
        offset,
        entry: entry.request.0,
        at_ns,
    };
    let deliveries = (0..).zip(entries).map(delivery).collect();
    Reader { name: format!("chain of {node}"), node: node.0, deliveries, is_complete: true }
}

/// Heads, erasures, snapshots and blocks.
pub(super) fn chain(parameters: &Parameters<EventChain>, seen: &[Seen<EventChain>]) -> Family {
    let witnessed = witnessed(seen);
    let mut records = Vec::new();
    for one in seen {
        let (replica, at_ns) = (one.node.0, one.released_at.as_ns());
        match &one.observation {
            Observation::Shown { index, hash, depth } => {
                let (index, depth) = (*index, *depth);
                // Whoever has seen it later knows when it was shown: the message says what was so at its sending.
                for witness in witnessed.get(&(replica, *hash)).into_iter().flatten() {
                    let head = Head { replica, witness: *witness, index, hash: digest(*hash), depth, at_ns };
                    records.push(ChainRecord::Head(head));
                }
            }
            Observation::Erased { erasure, witness } => {
                records.push(ChainRecord::Erasure(chain_audit::Erasure {
                    erasure: erasure.id,
                    replica,
                    first: erasure.first,
                    witness: witness.map(|witness| witness.0),
                    at_ns,
                }));
            }
            Observation::Kept { blocks, snapshots, .. } => {
                records.extend(snapshots.iter().map(|kept| snapshot(replica, kept, blocks, at_ns)));
                records.extend(blocks.iter().map(|kept| block(replica, kept, at_ns)));
            }
            _ => {}
        }
    }
    let (finality_depth, difficulty_bits) =
        (parameters.shape.depth.get(), parameters.shape.difficulty_bits.get_u32());
    let rules = ChainRules { finality_depth, difficulty_bits };
    let kind = FamilyKind::Records(Records::Chain { records, rules });
    Family { name: "chain".to_owned(), kind }
}

/// Which witnesses have seen which block of which replica.
fn witnessed(seen: &[Seen<EventChain>]) -> BTreeMap<(u32, Hash), BTreeSet<u32>> {
    let mut witnessed: BTreeMap<(u32, Hash), BTreeSet<u32>> = BTreeMap::new();
    for one in seen {
        if let Observation::Witnessed { replica, hash, .. } = &one.observation {
            witnessed.entry((replica.0, *hash)).or_default().insert(one.node.0);
        }
    }
    witnessed
}

fn block(replica: u32, block: &Arc<Block>, at_ns: u64) -> ChainRecord {
    ChainRecord::Block(chain_audit::Block {
        replica,
        index: block.index,
        hash: digest(block.hash),
        previous: digest(block.previous),
        computed: digest(block.computed()),
        at_ns,
    })
}

fn snapshot(replica: u32, snapshot: &Snapshot, blocks: &Blocks, at_ns: u64) -> ChainRecord {
    let end = usize::try_from(snapshot.index).map_or(usize::MAX, |index| index.saturating_add(1));
    let derived = blocks.get(..end).map(|blocks| digest(hash_of(&replay(snapshot.projection, blocks))));
    ChainRecord::Snapshot(chain_audit::Snapshot {
        replica,
        projection: match snapshot.projection {
            Projection::Amounts => 0,
            Projection::Counts => 1,
        },
        index: snapshot.index,
        block: digest(snapshot.block),
        state: digest(snapshot.hash),
        computed: digest(hash_of(&snapshot.state)),
        derived,
        at_ns,
    })
}
