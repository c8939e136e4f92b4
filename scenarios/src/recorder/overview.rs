//! What clients read from replicas.

use std::collections::BTreeMap;

use checker::judge::{Family, FamilyKind};
use checker::session::Read;
use model::message::{Answer, Observation};

use super::Seen;
use super::slots::client;

pub(super) fn record(seen: &[Seen]) -> Family {
    let mut servers = BTreeMap::new();
    let mut reads = Vec::new();
    for one in seen {
        match &one.observation {
            Observation::AnsweredBy { request, server } => {
                servers.insert(*request, *server);
            }
            Observation::Returned { process, request, answer: Some(Answer::Overview { position, .. }) } => {
                let Some(server) = servers.get(request) else { continue };
                reads.push(Read {
                    client: client(one.node.0, *process).0,
                    server: server.0,
                    at_ns: one.released_at.as_ns(),
                    position: position.0,
                });
            }
            _ => {}
        }
    }
    Family { name: "overview".to_owned(), kind: FamilyKind::Reads(reads) }
}
