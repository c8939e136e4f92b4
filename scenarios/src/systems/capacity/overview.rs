//! What clients read from replicas and the slot chooser: how far the journal was there.

use checker::judge::{Family, FamilyKind};
use checker::session::{Access, Read};
use model::client::Operation;
use model::message::{Answer, Observation};
use sim::node::NodeId;

use super::CapacityService;
use crate::recorder::client;
use crate::system::Seen;

pub(in crate::systems) fn record(clients: &[NodeId], seen: &[Seen<CapacityService>]) -> Family {
    let reads = seen.iter().filter_map(|one| match &one.observation {
        Observation::Operation(Operation::Returned {
            process,
            answer: Some((server, Answer::Overview { position, .. } | Answer::Chosen { position, .. })),
            ..
        }) => Some(Read {
            client: client(clients, one.node, *process).0,
            server: server.0,
            at_ns: one.released_at.as_ns(),
            position: position.0,
            access: Access::Read,
        }),
        _ => None,
    });
    Family { name: "overview".to_owned(), kind: FamilyKind::Reads(reads.collect()) }
}
