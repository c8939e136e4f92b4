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

/// Heads, erasures, snapshots and blocks, and what they promise.
pub(super) fn chain(parameters: &Parameters<EventChain>, seen: &[Seen<EventChain>]) -> Family {
    let (finality_depth, difficulty_bits) =
        (parameters.shape.depth.get(), parameters.shape.difficulty_bits.get_u32());
    let rules = ChainRules { finality_depth, difficulty_bits };
    let kind = FamilyKind::Records(Records::Chain { records: records(seen), rules });
    Family { name: "chain".to_owned(), kind }
}

/// All that replicas do up to their audits: the blocks of an audit say nothing of what is final after it.
fn records(seen: &[Seen<EventChain>]) -> Vec<ChainRecord> {
    let witnessed = witnessed(seen);
    let (mut records, mut audited) = (Vec::new(), BTreeSet::new());
    for one in seen {
        if audited.contains(&one.node) {
            continue;
        }
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
                audited.insert(one.node);
                records.extend(snapshots.iter().map(|kept| snapshot(replica, kept, blocks, at_ns)));
                records.extend(blocks.iter().map(|kept| block(replica, kept, at_ns)));
            }
            _ => {}
        }
    }
    records
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

#[cfg(test)]
mod tests {
    use checker::chain_audit::chain_audit;
    use checker::verdict::Verdict;
    use model::chain::block::mined;
    use sim::time::{LocalTime, TrueTime};

    use super::*;

    const REPLICA: NodeId = NodeId(3);
    const WITNESS: NodeId = NodeId(1);
    const RULES: ChainRules = ChainRules { finality_depth: 3, difficulty_bits: 2 };

    fn observed((node, observation): (NodeId, Observation), at_ns: u64) -> Seen<EventChain> {
        let at = TrueTime::from_ns(at_ns);
        Seen::<EventChain> { at, released_at: at, node, local: LocalTime::from_ns(0), observation }
    }

    /// A replica shows the one block that it has, and another; its audit comes as the first of these, second or third.
    fn judged(audit_place: usize) -> (usize, Verdict) {
        let kept = mined(&Block::first(), REPLICA, Arc::new([]), RULES.difficulty_bits).0;
        let more = mined(&kept, REPLICA, Arc::new([]), RULES.difficulty_bits).0;
        let mut all = Vec::new();
        for block in [&kept, &more] {
            let (index, hash) = (block.index, block.hash);
            all.push((REPLICA, Observation::Shown { index, hash, depth: RULES.finality_depth }));
        }
        let blocks = [Block::first(), kept.clone()].map(Arc::new).into();
        all.insert(
            audit_place,
            (REPLICA, Observation::Kept { blocks, snapshots: Arc::new([]), secrets: Arc::new([]) }),
        );
        for block in [&kept, &more] {
            let (index, hash) = (block.index, block.hash);
            all.push((WITNESS, Observation::Witnessed { replica: REPLICA, index, hash }));
        }
        let seen: Vec<_> = all.into_iter().zip(0..).map(|(one, at_ns)| observed(one, at_ns)).collect();
        let records = records(&seen);
        let heads = records.iter().filter(|record| matches!(record, ChainRecord::Head(_))).count();
        (heads, chain_audit(&records, &RULES))
    }

    #[test]
    fn what_is_final_only_after_the_audit_is_not_held_against_it() {
        assert_eq!(judged(0), (0, Verdict::Holds));
        assert_eq!(judged(1), (1, Verdict::Holds));
        let (heads, verdict) = judged(2);
        assert!(heads == 2 && verdict != Verdict::Holds, "lost before the audit: {verdict:?}");
    }
}
