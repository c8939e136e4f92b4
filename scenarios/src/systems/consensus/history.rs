//! What clients asked of the log, as operations on an append log; and what was appended, and what each node was given.

use std::collections::BTreeMap;

use checker::history::ClientId;
use checker::judge::{Family, FamilyKind};
use checker::keyed::KeyedBuilder;
use checker::replication::{Append, LogHistory};
use checker::spec::log::{Log, LogAnswer, LogCall};
use model::client::Operation;
use model::ids::RequestKey;
use model::replication::consensus::message::{Answer, Call, Observation};
use sim::node::NodeId;

use super::{Consensus, operation};
use crate::recorder::client;
use crate::recorder::subscriptions::Subscriptions;
use crate::system::{Parameters, Seen};

const KEY: &str = "log";
const SOUND: &str = "a session asks one question at a time, and never after an unknown outcome";

/// What came of each request that was answered.
fn answers(seen: &[Seen<Consensus>]) -> BTreeMap<RequestKey, Answer> {
    let answered = seen.iter().filter_map(|one| match operation(&one.observation) {
        Some(Operation::Returned { request, answer: Some((_, answer)), .. }) => Some((*request, *answer)),
        Some(_) | None => None,
    });
    answered.collect()
}

/// A read is of all entries from the last one on: so it says how long the log is, and what it ends with.
pub(super) fn operations(clients: &[NodeId], seen: &[Seen<Consensus>]) -> Family {
    let answers = answers(seen);
    let mut builder = KeyedBuilder::<Log>::default();
    let mut open: BTreeMap<RequestKey, ClientId> = BTreeMap::new();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match operation(&one.observation) {
            Some(Operation::Invoked { process, request, call }) => {
                let Some(asked) = question(*request, *call, answers.get(request)) else { continue };
                let client = client(clients, one.node, *process);
                builder.invoke(client, KEY, asked, at_ns).expect(SOUND);
                open.insert(*request, client);
            }
            Some(Operation::Returned { request, answer, .. }) => {
                let Some(client) = open.remove(request) else { continue };
                let ended = match answer.as_ref().map(|(_, answer)| told(*answer)) {
                    Some(Some(told)) => builder.answer(client, told, at_ns),
                    Some(None) => builder.did_not_happen(client, at_ns),
                    None => builder.unknown(client),
                };
                ended.expect("an answer follows its question and fits it");
            }
            None => {}
        }
    }
    let kind = FamilyKind::AppendLog { spec: Log, history: builder.finish() };
    Family { name: "log".to_owned(), kind }
}

/// What was asked; nothing for a read that was never answered, as it changes nothing.
fn question(request: RequestKey, call: Call, answer: Option<&Answer>) -> Option<LogCall> {
    match (call, answer) {
        (Call::Append, _) => Some(LogCall::Append(value(request))),
        (Call::Read, Some(Answer::End { length, .. })) => Some(LogCall::ReadFrom(length.0.saturating_sub(1))),
        (Call::Read, _) => None,
    }
}

/// What the answer says; nothing where nothing was done.
fn told(answer: Answer) -> Option<LogAnswer> {
    match answer {
        Answer::Appended { offset: Some(offset) } => Some(LogAnswer::AppendedAt(offset.0)),
        Answer::Appended { offset: None } => Some(LogAnswer::Appended),
        Answer::End { last, .. } => Some(LogAnswer::Entries(last.into_iter().map(value).collect())),
        Answer::Full => None,
    }
}

fn value(request: RequestKey) -> i64 {
    i64::try_from(request.0).expect("request keys are far below 2^63")
}

/// What was appended, and what each node was given in each of its lives.
pub(super) fn entries(parameters: &Parameters<Consensus>, seen: &[Seen<Consensus>]) -> Family {
    let mut appends: BTreeMap<RequestKey, Append> = BTreeMap::new();
    let mut subscriptions = Subscriptions::new();
    let mut starts: BTreeMap<NodeId, u32> = BTreeMap::new();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Observation::Operation(Operation::Invoked { request, call: Call::Append, .. }) => {
                let append = Append { entry: request.0, invoked_ns: at_ns, acknowledged_ns: None };
                appends.insert(*request, append);
            }
            Observation::Operation(Operation::Returned {
                request,
                answer: Some((_, Answer::Appended { .. })),
                ..
            }) => {
                if let Some(append) = appends.get_mut(request) {
                    append.acknowledged_ns = Some(at_ns);
                }
            }
            Observation::Operation(_) => {}
            Observation::Started => {
                let start = starts.entry(one.node).or_default();
                *start += 1;
                let name = format!("{}, start {start}", one.node);
                subscriptions.begin(one.node, (name, one.node.0), one.at);
            }
            Observation::Applied { from, entries } => {
                let keys = entries.iter().map(|key| key.0);
                subscriptions.deliver(&one.node, from.0, keys, at_ns);
            }
        }
    }
    let readers = subscriptions.finish(parameters.workload_end());
    let history = LogHistory { appends: appends.into_values().collect(), readers };
    Family { name: "entries".to_owned(), kind: FamilyKind::Log(history) }
}
