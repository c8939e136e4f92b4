//! Workflows as scenarios know them: clients transfer and ask how far it is; every effect on an account is judged.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `accounts` | what clients asked for and were shown, what account nodes did durably | conservation |

use std::collections::BTreeSet;

use checker::conservation::{AccountRecord, Direction, Effect, End, State, Status};
use checker::judge::{Family, FamilyKind, Records};
use model::client::Operation;
use model::coordination::workflow::{self, Answer, Applied, Call, Observation, Outcome, STEPS, Transfer};
use model::ids::RequestKey;
use serde::{Deserialize, Serialize};
use sim::chance::{Seed, Stream};
use sim::node::NodeId;
use sim::time::Span;

use super::common::{Clients, Load, accept_label, nodes, patience};
use crate::bounded::Bounded;
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System};
use crate::workload::OpenLoop;

/// Transfers between accounts, step by step.
#[derive(Debug)]
pub struct Workflow;

/// How large the world is, and its timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Who drives workflows; the clients are shared out among them.
    pub orchestrators: Bounded<1, 100>,
    /// Who keeps accounts; these are shared out among them.
    pub keepers: Bounded<1, 100>,
    /// Who asks.
    pub clients: Bounded<1, 500>,
    /// Accounts.
    pub accounts: Bounded<2, 100_000>,
    /// What is on each account in the beginning; it takes twice as much.
    pub opening: Bounded<0, 1_000_000>,
    /// How often a step is asked for.
    pub retry_every_ms: Bounded<1, 600_000>,
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
    /// Requests of all clients together, each second.
    pub requests_per_s: Bounded<0, 100_000>,
    /// Shares of the operations; only their proportions count.
    pub mix: Mix,
    /// A transfer is of 1 to that much.
    pub amount_max: Bounded<1, 1_000_000>,
}

/// Shares of the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mix {
    /// Begin a transfer.
    pub transfer: Bounded<1, 1_000>,
    /// Ask how far an earlier one is.
    pub status: Bounded<0, 1_000>,
}

/// Latest transfers of a client that it may ask about.
const RECENT_MAX: usize = 16;

impl System for Workflow {
    const NAME: &'static str = "workflow";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("no-step-keys", "workflow", "conservation"),
        Mutant::new("refusal-forgotten", "workflow", "conservation"),
        Mutant::new("progress-in-memory", "workflow", "conservation"),
        Mutant::new("completes-on-timeout", "workflow", "conservation"),
    ];
    type Rules = workflow::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = workflow::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { shape, workload, timing, .. } = parameters;
        let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
        Load::of(workload.requests_per_s.get()).check_clients(clients, timing)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        let shape = &parameters.shape;
        let service = Span::from_us(shape.service_us.get());
        let shape = workflow::Shape {
            orchestrator_count: shape.orchestrators.get_u32(),
            keeper_count: shape.keepers.get_u32(),
            client_count: shape.clients.get_u32(),
            account_count: shape.accounts.get_u32(),
            opening: shape.opening.get_u32(),
            retry_every: Span::from_ms(shape.retry_every_ms.get()),
            patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
        };
        let members = workflow::build(&shape, rules).into_iter();
        members
            .map(|node| {
                let (role, label) = match &node {
                    workflow::Member::Orchestrator(_) => (Role::Coordinator, "orchestrator"),
                    workflow::Member::Accounts(_) => (Role::Store, "accounts"),
                    workflow::Member::Client(_) => (Role::Client, "client"),
                };
                Member { role, label, node, service }
            })
            .collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        let Parameters { shape, workload, .. } = parameters;
        let first = shape.orchestrators.get_u32() + shape.keepers.get_u32();
        let clients = nodes(first, shape.clients.get_u32());
        let mut asked: Vec<Asked> = clients.iter().map(|client| Asked::nothing(*client)).collect();
        let requests_per_s = workload.requests_per_s.get();
        OpenLoop { nodes: &clients, requests_per_s, until: parameters.workload_end() }
            .requests(seed, |chance, client| Some(asked[client].draw(parameters, chance)))
    }

    fn accept(parameters: &Parameters<Self>, label: &str, call: &Call) -> Result<(), ForeignRequest> {
        accept_label(label, "client", "a workflow")?;
        let Call::Transfer(Transfer { from, to, .. }) = call else { return Ok(()) };
        let account = from.max(to);
        if u64::from(*account) >= parameters.shape.accounts.get() {
            return Err(ForeignRequest::Unknown { what: "account", name: account.to_string() });
        }
        Ok(())
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let progress = Progress::of(seen, setting.parameters.timing.late_from(), operation);
        let records = Records::Accounts { records: records(seen), end: End::Settled };
        let kind = FamilyKind::Records(records);
        Recorded { families: vec![Family { name: "accounts".to_owned(), kind }], progress }
    }
}

const fn operation(observation: &Observation) -> Option<&Operation<Call>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        Observation::Applied(_) => None,
    }
}

/// What one client has asked so far.
struct Asked {
    client: NodeId,
    count: u32,
    recent: Vec<RequestKey>,
}

impl Asked {
    const fn nothing(client: NodeId) -> Self {
        Self { client, count: 0, recent: Vec::new() }
    }

    fn draw(&mut self, parameters: &Parameters<Workflow>, chance: &mut Stream) -> Call {
        let Workload { mix, amount_max, .. } = parameters.workload;
        let request = RequestKey::of(self.client, self.count);
        self.count += 1;
        let is_status = chance.below(mix.transfer.get() + mix.status.get()) >= mix.transfer.get();
        if is_status && !self.recent.is_empty() {
            return Call::Status { workflow: *chance.pick(&self.recent) };
        }
        self.recent.push(request);
        if self.recent.len() > RECENT_MAX {
            self.recent.remove(0);
        }
        let accounts = parameters.shape.accounts.get();
        let from = chance.below(accounts);
        let to = (from + 1 + chance.below(accounts - 1)) % accounts;
        let small = |number: u64| u32::try_from(number).expect("accounts and amounts fit 32 bits");
        Call::Transfer(Transfer {
            from: small(from),
            to: small(to),
            amount: small(1 + chance.below(amount_max.get())),
        })
    }
}

/// What was asked for, done and shown. A step that a restart finds on disk is the one that was shown before.
fn records(seen: &[Seen<Workflow>]) -> Vec<AccountRecord> {
    let (mut records, mut known) = (Vec::new(), BTreeSet::new());
    let mut asked = std::collections::BTreeMap::new();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Observation::Operation(Operation::Invoked { request, call, .. }) => {
                asked.insert(*request, *call);
                if let Call::Transfer(transfer) = call {
                    let steps = (0..STEPS).map(|step| transfer.step(step));
                    let steps = steps.map(|(account, amount)| (account.into(), amount)).collect();
                    let workflow = checker::conservation::Workflow { workflow: request.0, steps, at_ns };
                    records.push(AccountRecord::Workflow(workflow));
                }
            }
            Observation::Operation(Operation::Returned { request, answer, .. }) => {
                if let Some((_, Answer::Known(state))) = answer {
                    let workflow = match asked[request] {
                        Call::Transfer(_) => request.0,
                        Call::Status { workflow } => workflow.0,
                    };
                    records.push(AccountRecord::Status(Status { workflow, state: state_of(*state), at_ns }));
                }
            }
            Observation::Applied(applied) => {
                if applied.outcome == Outcome::Done && known.insert((one.node, applied.serial, applied.key)) {
                    records.push(AccountRecord::Effect(effect(*applied, at_ns)));
                }
            }
        }
    }
    records
}

fn effect(applied: Applied, at_ns: u64) -> Effect {
    let direction = match applied.key.direction {
        workflow::Direction::Forward => Direction::Forward,
        workflow::Direction::Back => Direction::Compensation,
    };
    Effect {
        workflow: applied.key.workflow.0,
        step: applied.key.step,
        direction,
        account: applied.account.into(),
        amount: applied.amount,
        invoked_ns: at_ns,
        returned_ns: Some(at_ns),
    }
}

const fn state_of(state: workflow::State) -> State {
    match state {
        workflow::State::InProgress => State::InProgress,
        workflow::State::Completed => State::Completed,
        workflow::State::Compensated => State::Compensated,
    }
}
