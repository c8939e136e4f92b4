//! Counters under keys as scenarios know them: three systems of one shape and one workload.
//!
//! | system | family | from | judged for |
//! |---|---|---|---|
//! | `counter-sync` | `counters` | increments and reads | linearizable, sequential |
//! | `counter-dist` | `rows` | increments and reads | no loss, exactly once, convergence |
//! | `counter-rollup` | `counters` | increments, reads of row and tail | linearizable |
//! | | `rows` | increments, reads of the row alone | no loss, exactly once, convergence |

use checker::judge::{Family, FamilyKind};
use checker::spec::counter::{Counter, CounterAnswer, CounterCall, CounterKind};
use model::client::Operation;
use model::counting::{self, Answer, Build, Call, Increment, Observation, Request, Spare, Topology};
use model::rules::Decisions as _;
use serde::{Deserialize, Serialize};
use sim::chance::{Seed, Stream};
use sim::kernel::Observed;
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

use super::common::{Clients, Load, accept_label, patience};
use crate::bounded::Bounded;
use crate::recorder::{self, Known, Progress, Reading};
use crate::scenario::{Role, Timing};
use crate::system::{ForeignRequest, Member, Parameters, Planned, Recorded, Setting, System};
use crate::workload::OpenLoop;

pub mod dist;
pub mod rollup;
pub mod sync;

/// How large the world is, and the system's own timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Service nodes.
    pub services: Bounded<1, 150>,
    /// Clients.
    pub clients: Bounded<1, 500>,
    /// Requests that a node takes in any five seconds.
    pub rate_limit: Bounded<1, 1_000_000>,
    /// How often a node brings its increments to the store, or sums up what is there.
    pub flush_ms: Bounded<10, 600_000>,
    /// How long a node waits for the database.
    pub query_timeout_ms: Bounded<1, 600_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a client waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long a client tries in all.
    pub deadline_ms: Bounded<1, 600_000>,
    /// Whether the database has an asynchronous standby; it is a node more, the last one.
    #[serde(default)]
    pub standby: bool,
}

/// What is asked, of whom, how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Requests of all clients together, each second.
    pub requests_per_s: Bounded<1, 1_000_000>,
    /// Counters.
    pub keys: Bounded<1, 100_000>,
    /// Of a thousand requests, so many are about the first counter; the others are about any.
    pub hot_permille: Bounded<0, 1_000>,
    /// Shares of the operations; only their proportions count.
    pub mix: Mix,
    /// An increment is from 1 to this.
    pub delta_max: Bounded<1, 1_000_000>,
    /// Of a thousand requests, so many are bad ones: an empty key, or a negative increment.
    pub bad_permille: Bounded<0, 1_000>,
    /// Between the last increment and the first read that must be exact.
    pub settle_ms: Bounded<0, 600_000>,
}

/// Shares of the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mix {
    /// Add to a counter.
    pub increment: Bounded<1, 1_000>,
    /// Read a counter.
    pub read: Bounded<0, 1_000>,
    /// Read what was summed up already.
    pub read_row: Bounded<0, 1_000>,
}

/// The end of the workload, in which only reads are asked, and must be exact.
const LAST_READS: Span = Span::from_seconds(2);

/// A system of this shape and workload.
trait Counting: System<Shape = Shape, Workload = Workload, Node = counting::Member> {
    /// Its nodes are built so.
    fn build(rules: Self::Rules) -> Build;
}

/// From when on reads must be exact.
fn settled_at(timing: &Timing) -> TrueTime {
    TrueTime::ZERO + timing.workload().saturating_sub(LAST_READS)
}

/// When the increments end.
fn increments_until(timing: &Timing, workload: &Workload) -> TrueTime {
    let settle = LAST_READS.saturating_add(Span::from_ms(workload.settle_ms.get()));
    TrueTime::ZERO + timing.workload().saturating_sub(settle)
}

fn check<S: Counting>(parameters: &Parameters<S>) -> Result<(), String> {
    let Parameters { shape, workload, timing, .. } = parameters;
    let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
    Load::of(workload.requests_per_s.get()).check_clients(clients, timing)?;
    // A question, its last flush and the one that finds out what became of it.
    let needed_ms = shape.deadline_ms.get() + 2 * shape.flush_ms.get() + 2 * shape.query_timeout_ms.get();
    if workload.settle_ms.get() > 0 && workload.settle_ms.get() < needed_ms {
        return Err(format!(
            "`workload.settle-ms`: expected 0, or at least {needed_ms}: `deadline-ms` and twice `flush-ms` and `query-timeout-ms`"
        ));
    }
    if increments_until(timing, workload) <= timing.late_from() {
        return Err(
            "`timing.heal-s`: expected more than `recover-s`, `workload.settle-ms` and two seconds together"
                .to_owned(),
        );
    }
    Ok(())
}

fn topology<S: Counting>(parameters: &Parameters<S>, rules: S::Rules) -> Topology {
    let shape = &parameters.shape;
    let requests_max = usize::try_from(shape.rate_limit.get()).expect("a million fits");
    let shape = counting::Shape {
        service_count: shape.services.get_u32(),
        client_count: shape.clients.get_u32(),
        requests_max,
        flush_every: Span::from_ms(shape.flush_ms.get()),
        query_timeout: Span::from_ms(shape.query_timeout_ms.get()),
        patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
        standby: if shape.standby { Spare::One } else { Spare::None },
    };
    counting::build(&shape, S::build(rules))
}

fn members<S: Counting>(parameters: &Parameters<S>, rules: S::Rules) -> Vec<Member<counting::Member>> {
    let service = Span::from_us(parameters.shape.service_us.get());
    let members = topology(parameters, rules).members.into_iter();
    members.map(|node| Member { role: role(&node), label: node.role(), node, service }).collect()
}

/// A node's role in scenario files.
const fn role(member: &counting::Member) -> Role {
    match member {
        counting::Member::Database(_) | counting::Member::Standby(_) => Role::Store,
        counting::Member::Sync(_) | counting::Member::Dist(_) | counting::Member::Rollup(_) => Role::Service,
        counting::Member::Client(_) => Role::Client,
    }
}

/// Increments until they end, and reads until the workload does.
fn requests<S: Counting>(parameters: &Parameters<S>, seed: Seed) -> Vec<Planned<S>> {
    let Parameters { workload, timing, .. } = parameters;
    let clients = topology(parameters, S::Rules::hardened()).clients;
    let until = parameters.workload_end();
    let open_loop = OpenLoop { nodes: &clients, requests_per_s: workload.requests_per_s.get(), until };
    let all = open_loop.requests(seed, |chance, _| Some(Request(call(workload, chance))));
    let last = increments_until(timing, workload);
    all.into_iter()
        .map(|(at, node, request)| match request {
            Request(Call::Increment(increment)) if at >= last => {
                (at, node, Request(Call::Read(increment.key)))
            }
            request => (at, node, request),
        })
        .collect()
}

fn call(workload: &Workload, chance: &mut Stream) -> Call {
    let is_hot = chance.below(1_000) < workload.hot_permille.get();
    let number = if is_hot { 0 } else { chance.below(workload.keys.get()) };
    let key = format!("key-{number:04}").into();
    let mix = &workload.mix;
    let [increment, read] = [mix.increment.get(), mix.read.get()];
    let drawn = chance.below(increment + read + mix.read_row.get());
    let delta = 1 + chance.below(workload.delta_max.get());
    let delta = i64::try_from(delta).expect("a million fits");
    let is_bad = chance.below(1_000) < workload.bad_permille.get();
    match (is_bad, drawn) {
        (true, drawn) if drawn < increment => Call::Increment(Increment { key, delta: -delta }),
        (true, _) => Call::Read("".into()),
        (false, drawn) if drawn < increment => Call::Increment(Increment { key, delta }),
        (false, drawn) if drawn < increment + read => Call::Read(key),
        (false, _) => Call::ReadRow(key),
    }
}

fn accept(label: &str, _request: &Request) -> Result<(), ForeignRequest> {
    accept_label(label, "client", "an operation")
}

/// The operation that an observation is about.
const fn operation(observation: &Observation) -> Option<&Operation<Call>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        Observation::Database(_) | Observation::Held { .. } => None,
    }
}

/// Which reads a family is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    /// Those of counters.
    Whole,
    /// Those of what was summed up.
    Rows,
}

impl Reading<Call, Counter> for Reads {
    fn question(&self, call: &Call) -> Option<(String, CounterCall)> {
        let asked = match (self, call) {
            (_, Call::Increment(increment)) => CounterCall::Add(increment.delta),
            (Self::Whole, Call::Read(_)) | (Self::Rows, Call::ReadRow(_)) => CounterCall::Read,
            (Self::Whole, Call::ReadRow(_)) | (Self::Rows, Call::Read(_)) => return None,
        };
        Some((call.key().to_string(), asked))
    }

    fn answer(&self, _call: &Call, answer: &Answer) -> Known<CounterAnswer> {
        match answer {
            Answer::Incremented => Known::Told(CounterAnswer::Done),
            Answer::Value(value) => Known::Told(CounterAnswer::Value(*value)),
            Answer::NotFound => Known::Told(CounterAnswer::Value(0)),
            Answer::BadRequest(_) | Answer::KeyReused | Answer::TooMany => Known::NotDone,
            Answer::Unavailable => Known::Unknown,
        }
    }
}

/// Increments and reads of counters, as operations.
fn counters(clients: &[NodeId], seen: &[Observed<Observation>]) -> Family {
    let history = recorder::operations(clients, seen, operation, &Reads::Whole).history;
    let spec = Counter { kind: CounterKind::AddAndRead };
    Family { name: "counters".to_owned(), kind: FamilyKind::Counter { spec, history } }
}

/// Increments and reads that must be exact in the end.
fn rows(clients: &[NodeId], seen: &[Observed<Observation>], reads: Reads, timing: &Timing) -> Family {
    let history = recorder::operations(clients, seen, operation, &reads).history;
    let kind = FamilyKind::Tally { history, settled_ns: settled_at(timing).as_ns() };
    Family { name: "rows".to_owned(), kind }
}

fn recorded<S: Counting>(
    setting: Setting<'_, S>,
    seen: &[Observed<Observation>],
    families: Vec<Family>,
) -> Recorded {
    let late_from = setting.parameters.timing.late_from();
    Recorded { families, progress: Progress::of(seen, late_from, operation) }
}
