//! What clients read from replicas.

use std::collections::BTreeMap;

use checker::judge::{Family, FamilyKind};
use checker::session::Read;
use model::message::{Answer, Observation};

use super::slots::client;
use super::{Seen, Setting};

pub(super) fn record(setting: Setting<'_>, seen: &[Seen]) -> Family {
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
                    client: client(setting, one.node, *process).0,
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
