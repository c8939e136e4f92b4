//! How far each session read and wrote in each channel, over all nodes.

use std::collections::BTreeMap;

use checker::judge::{Family, FamilyKind};
use checker::session::{Access, Read};
use model::client::Operation;
use model::ids::{ChannelId, RequestKey};
use model::replication::broadcast::message::{Answer, Call, Observation};
use sim::node::NodeId;

use super::Replication;
use crate::recorder::client;
use crate::system::Seen;

/// A session carries its offset from node to node, so the guarantees are those of all nodes together.
const ANY_NODE: u32 = 0;

/// A family for each channel.
pub(super) fn record(channel_count: u32, clients: &[NodeId], seen: &[Seen<Replication>]) -> Vec<Family> {
    let positions = positions(seen);
    let mut calls: BTreeMap<RequestKey, Call> = BTreeMap::new();
    let mut accesses: BTreeMap<ChannelId, Vec<Read>> = BTreeMap::new();
    for one in seen {
        match &one.observation {
            Observation::Operation(Operation::Invoked { request, call, .. }) => {
                calls.insert(*request, *call);
            }
            Observation::Operation(Operation::Returned { process, request, answer: Some((_, answer)) }) => {
                let Some(call) = calls.get(request) else { continue };
                let (access, position) = match answer {
                    Answer::Messages { position } => (Access::Read, Some(position.0)),
                    Answer::Posted { .. } => (Access::Write, positions.get(request).copied()),
                    Answer::UnknownChannel | Answer::Full | Answer::Unavailable => continue,
                };
                // What the log never got has no place.
                let Some(position) = position else { continue };
                let client = client(clients, one.node, *process).0;
                let at_ns = one.released_at.as_ns();
                let read = Read { client, server: ANY_NODE, at_ns, position, access };
                accesses.entry(call.channel()).or_default().push(read);
            }
            _ => {}
        }
    }
    let family = |id: u32| {
        let kind = FamilyKind::Reads(accesses.remove(&ChannelId(id)).unwrap_or_default());
        Family { name: format!("sessions-{id}"), kind }
    };
    (0..channel_count).map(family).collect()
}

/// How far one must read in the log to see each message, where it stands first.
fn positions(seen: &[Seen<Replication>]) -> BTreeMap<RequestKey, u64> {
    let mut positions = BTreeMap::new();
    for one in seen {
        if let Observation::Logged { from, entries, .. } = &one.observation {
            for (position, request) in (from.0 + 1..).zip(entries.iter()) {
                positions.entry(*request).or_insert(position);
            }
        }
    }
    positions
}
