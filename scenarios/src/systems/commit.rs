//! Two-phase commit as scenarios know it: clients ask for transactions; what everybody decided and said is judged.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `transactions` | votes, decisions, what clients were told | atomic commit; blocked participants are counted |

use std::collections::BTreeMap;

use checker::atomic_commit::{Ballot, Begun, CommitRecord, Decision, Fate, Told, Vote};
use checker::judge::{Family, FamilyKind, Records};
use model::client::Operation;
use model::coordination::commit::{self, Answer, Observation, Transaction};
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::time::Span;

use super::common::{Clients, Load, accept_label, nodes, patience};
use crate::bounded::Bounded;
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};
use crate::workload::OpenLoop;

/// Transactions over several nodes.
#[derive(Debug)]
pub struct Commit;

/// How large the world is, and its timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Who decides; the clients are shared out among them.
    pub coordinators: Bounded<1, 100>,
    /// Who votes.
    pub participants: Bounded<1, 100>,
    /// Who asks.
    pub clients: Bounded<1, 500>,
    /// Keys at each participant.
    pub keys: Bounded<1, 100_000>,
    /// How long votes are waited for, and how often those in doubt ask.
    pub vote_timeout_ms: Bounded<1, 600_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a client waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long it tries in all.
    pub deadline_ms: Bounded<1, 600_000>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Transactions that all clients together ask for, each second.
    pub requests_per_s: Bounded<0, 100_000>,
    /// A transaction has from 1 to that many participants.
    pub participants_max: Bounded<1, 100>,
}

impl System for Commit {
    const NAME: &'static str = "commit";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("vote-not-logged", "commit", "atomic-commit"),
        Mutant::new("aborts-alone", "commit", "atomic-commit"),
        Mutant::new("decision-not-logged", "commit", "atomic-commit"),
        Mutant::new("silence-is-consent", "commit", "atomic-commit"),
    ];
    type Rules = commit::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = commit::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { shape, workload, timing, .. } = parameters;
        if workload.participants_max.get() > shape.participants.get() {
            return Err("`workload.participants-max`: expected at most `shape.participants`".to_owned());
        }
        let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
        Load::of(workload.requests_per_s.get()).check_clients(clients, timing)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        let shape = &parameters.shape;
        let service = Span::from_us(shape.service_us.get());
        let shape = commit::Shape {
            coordinator_count: shape.coordinators.get_u32(),
            participant_count: shape.participants.get_u32(),
            client_count: shape.clients.get_u32(),
            key_count: shape.keys.get_u32(),
            timeout: Span::from_ms(shape.vote_timeout_ms.get()),
            patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
        };
        let members = commit::build(&shape, rules).into_iter();
        members
            .map(|node| {
                let (role, label) = match &node {
                    commit::Member::Coordinator(_) => (Role::Coordinator, "coordinator"),
                    commit::Member::Participant(_) => (Role::Service, "participant"),
                    commit::Member::Client(_) => (Role::Client, "client"),
                };
                Member { role, label, node, service }
            })
            .collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        let Parameters { shape, workload, .. } = parameters;
        let first = shape.coordinators.get_u32() + shape.participants.get_u32();
        let clients = nodes(first, shape.clients.get_u32());
        let requests_per_s = workload.requests_per_s.get();
        OpenLoop { nodes: &clients, requests_per_s, until: parameters.workload_end() }.requests(
            seed,
            |chance, _| {
                let mut participants: Vec<u32> = (0..shape.participants.get_u32()).collect();
                chance.shuffle(&mut participants);
                let count = 1 + chance.below(workload.participants_max.get());
                participants.truncate(usize::try_from(count).expect("participants fit a word"));
                let key = u32::try_from(chance.below(shape.keys.get())).expect("keys fit 32 bits");
                Some(Transaction { key, participants })
            },
        )
    }

    fn accept(
        parameters: &Parameters<Self>,
        label: &str,
        transaction: &Transaction,
    ) -> Result<(), ForeignRequest> {
        accept_label(label, "client", "a transaction")?;
        let is_unknown = |participant: &&u32| u64::from(**participant) >= parameters.shape.participants.get();
        if let Some(participant) = transaction.participants.iter().find(is_unknown) {
            return Err(ForeignRequest::Unknown { what: "participant", name: participant.to_string() });
        }
        Ok(())
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let progress = Progress::of(seen, setting.parameters.timing.late_from(), operation);
        let kind = FamilyKind::Records(Records::Commits(records(seen)));
        Recorded { families: vec![Family { name: "transactions".to_owned(), kind }], progress }
    }
}

const fn operation(observation: &Observation) -> Option<&Operation<Transaction>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        Observation::Begun { .. }
        | Observation::Voted { .. }
        | Observation::Decided { .. }
        | Observation::Acted { .. } => None,
    }
}

fn records(seen: &[Seen<Commit>]) -> Vec<CommitRecord> {
    let mut acted = BTreeMap::new();
    seen.iter()
        .filter_map(|one| {
            let (at_ns, participant) = (one.released_at.as_ns(), one.node.0);
            match &one.observation {
                Observation::Begun { transaction, participants } => {
                    let participants = participants.iter().map(|node| node.0).collect();
                    Some(CommitRecord::Begun(Begun { transaction: transaction.0, participants, at_ns }))
                }
                Observation::Voted { transaction, vote } => {
                    let vote = match vote {
                        commit::Fate::Commit => Ballot::Yes,
                        commit::Fate::Abort => Ballot::No,
                    };
                    Some(CommitRecord::Vote(Vote { transaction: transaction.0, participant, vote, at_ns }))
                }
                Observation::Decided { transaction, fate } => {
                    Some(decision(transaction.0, None, *fate, at_ns))
                }
                Observation::Acted { transaction, fate } => {
                    // Asked again, a participant says the same again.
                    let is_new = acted.insert((one.node, *transaction), *fate) != Some(*fate);
                    is_new.then(|| decision(transaction.0, Some(participant), *fate, at_ns))
                }
                Observation::Operation(Operation::Returned { request, answer, .. }) => match answer {
                    Some((_, Answer::Ended(fate))) => {
                        let (transaction, fate) = (request.0, fate_of(*fate));
                        Some(CommitRecord::Told(Told { transaction, fate, at_ns }))
                    }
                    Some((_, Answer::Invalid | Answer::Full)) | None => None,
                },
                Observation::Operation(Operation::Invoked { .. }) => None,
            }
        })
        .collect()
}

fn decision(transaction: u64, participant: Option<u32>, fate: commit::Fate, at_ns: u64) -> CommitRecord {
    CommitRecord::Decision(Decision { transaction, participant, fate: fate_of(fate), at_ns })
}

const fn fate_of(fate: commit::Fate) -> Fate {
    match fate {
        commit::Fate::Commit => Fate::Commit,
        commit::Fate::Abort => Fate::Abort,
    }
}
