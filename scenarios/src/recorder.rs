//! Observations to histories: what the systems' own recorders have in common.

use std::collections::{BTreeMap, BTreeSet};

use checker::history::{ClientId, OperationIndex};
use checker::keyed::{KeyedBuilder, KeyedHistory};
use checker::spec::Spec;
use model::client::{Operation, Question};
use model::ids::RequestKey;
use sim::kernel::Observed;
use sim::node::NodeId;
use sim::time::TrueTime;

pub mod subscriptions;

pub use crate::own::Known;

/// What came of a run's operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Operations of the run.
    pub operations: u64,
    /// Those that anybody asked for after the system had its time to recover.
    pub late_asked: u64,
    /// Those of them that were not refused for good.
    pub late_count: u64,
    /// Those of them without an answer.
    pub unanswered_count: u64,
}

impl Progress {
    /// What came of the operations among the observations; those invoked from `late_from` on are late.
    pub fn of<'a, O, Q: Question + 'a>(
        seen: &'a [Observed<O>],
        late_from: TrueTime,
        operation: impl Fn(&'a O) -> Option<&'a Operation<Q>>,
    ) -> Self {
        let mut progress = Self::default();
        let mut unanswered = BTreeSet::new();
        for one in seen {
            match operation(&one.observation) {
                Some(Operation::Invoked { request, .. }) => {
                    progress.operations += 1;
                    if one.at >= late_from {
                        progress.late_asked += 1;
                        progress.late_count += 1;
                        unanswered.insert(*request);
                    }
                }
                Some(Operation::Returned { request, answer: Some(_), .. }) => {
                    unanswered.remove(request);
                }
                Some(Operation::Returned { answer: None, .. }) | None => {}
            }
        }
        progress.unanswered_count = unanswered.len() as u64;
        progress
    }
}

/// The process of a client as one number: equal modulo the number of clients for all processes of a client.
///
/// # Panics
/// If the node is none of the clients.
#[must_use]
pub fn client(clients: &[NodeId], node: NodeId, process: u32) -> ClientId {
    let index = clients.iter().position(|client| *client == node).expect("only clients ask");
    ClientId(u64::from(process) * clients.len() as u64 + index as u64)
}

/// Operations of a system's clients as operations of a model.
#[derive(Debug)]
pub struct Operations<S: Spec> {
    /// The history, object by object.
    pub history: KeyedHistory<S>,
    /// The key and place in that key's history of each request that the model knows.
    pub places: BTreeMap<RequestKey, (String, OperationIndex)>,
}

/// How a system's questions and answers read as a model's.
pub trait Reading<Q: Question, S: Spec> {
    /// The object and what is asked of it; none if the question is about something else.
    fn question(&self, call: &Q) -> Option<(String, S::Call)>;

    /// What the client knows after that answer.
    fn answer(&self, call: &Q, answer: &Q::Answer) -> Known<S::Answer>;
}

/// The history that the observed operations of `clients` make under that reading.
///
/// # Panics
/// If a client asks twice at once, or answers do not fit: the client node does not do that, and a reading must not.
pub fn operations<'a, O, Q: Question + 'a, S: Spec>(
    clients: &[NodeId],
    seen: &'a [Observed<O>],
    operation: impl Fn(&'a O) -> Option<&'a Operation<Q>>,
    reading: &impl Reading<Q, S>,
) -> Operations<S> {
    const SOUND: &str = "a session asks one question at a time, and never after an unknown outcome";
    let mut builder = KeyedBuilder::<S>::default();
    let (mut places, mut open) = (BTreeMap::new(), BTreeMap::new());
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match operation(&one.observation) {
            Some(Operation::Invoked { process, request, call }) => {
                let Some((key, asked)) = reading.question(call) else { continue };
                let client = client(clients, one.node, *process);
                let place = builder.invoke(client, &key, asked, at_ns).expect(SOUND);
                places.insert(*request, (key, place));
                open.insert(*request, (client, call));
            }
            Some(Operation::Returned { request, answer, .. }) => {
                let Some((client, call)) = open.remove(request) else { continue };
                let known =
                    answer.as_ref().map_or(Known::Unknown, |(_, answer)| reading.answer(call, answer));
                let ended = match known {
                    Known::Told(answer) => builder.answer(client, answer, at_ns),
                    Known::NotDone => builder.did_not_happen(client, at_ns),
                    Known::Unknown => builder.unknown(client),
                };
                ended.expect("an answer follows its question and fits it");
            }
            None => {}
        }
    }
    Operations { history: builder.finish(), places }
}
