//! The capacity service as scenarios know it: counters under scheduled limits, journalled on the log, read through replicas.
//!
//! | family | from | judged for |
//! |---|---|---|
//! | `slots` | what clients asked of slots, and the journal's order as a witness | linearizable, sequential, admission |
//! | `entries` | what the journal acknowledged and each replica and the slot chooser applied, or decided | no loss, exactly once, convergence |
//! | `overview` | what clients read from replicas and the slot chooser | monotonic reads |
//! | `choices` | what the slot chooser answered, where there is one | linearizable, sequential: what the journal says up to the offset named |
//! | `config` | versions, tasks, store reads | switch timing |

use checker::switch_timing::{Promise, PromiseKind};
use model::capacity::{self, Topology};
use model::client::Operation;
use model::config::distribution::Distribution;
use model::message::{Call, Observation, Request};
use model::replication::consensus::pace::Pace;
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::time::Span;

use self::kinds::Shares;
use self::parts::{ConfigPart, CounterPart, LogPart};
use super::common::{Clients, Load, accept_label, patience};
use super::switches::{self, Config, Promised};
use crate::bounded::Bounded;
use crate::recorder::Progress;
use crate::scenario::Role;
use crate::system::{
    Aimable, Aims, ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System,
};

pub(super) mod choices;
mod commands;
pub(super) mod entries;
pub mod kinds;
pub(super) mod overview;
pub mod parts;
mod repeats;
pub(super) mod slots;
#[cfg(test)]
mod tests;
pub(super) mod workload;

/// Capacity counters under scheduled limits.
#[derive(Debug)]
pub struct CapacityService;

/// How large the world is, and the system's own timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape {
    /// Service nodes.
    pub services: Bounded<0, 150>,
    /// Clients.
    pub clients: Bounded<0, 500>,
    /// Slots of the service.
    pub slots: Bounded<0, 100_000>,
    /// Limit of the version that is there from the beginning; 0 is none.
    pub initial_limit: Bounded<0, 1_000_000>,
    /// Versions are published at least that long before their start.
    pub lead_ms: Bounded<1, 3_600_000>,
    /// How often a process reads the store.
    pub poll_ms: Bounded<1, 3_600_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// How long a client waits for one answer.
    pub timeout_ms: Bounded<1, 600_000>,
    /// How long a client tries in all.
    pub deadline_ms: Bounded<1, 600_000>,
    /// How limits come to the service nodes.
    #[serde(default)]
    pub config: ConfigPart,
    /// Who decides about slots.
    #[serde(default)]
    pub counter: CounterPart,
    /// What the journal stands on.
    #[serde(default)]
    pub log: LogPart,
    /// How many nodes a journal on several has: 3 or 5.
    #[serde(default)]
    pub log_nodes: Bounded<3, 5>,
    /// What share of the limit each kind of resource has, in percent; one kind alone, if nothing is said.
    #[serde(default)]
    pub kinds: Shares,
    /// How many zones reservations come from, of which a slot serves all but one; 0 is no such rule.
    #[serde(default)]
    pub zones: Bounded<0, 100>,
    /// As which version of their program the service nodes begin: reservations of several kinds need 1.
    #[serde(default)]
    pub program: Bounded<0, 1_000>,
    /// An owner tells the journal what a slot holds after so many durable events, so that the next one reads only those behind
    /// that; 0 is never.
    #[serde(default)]
    pub snapshot_every: Bounded<0, 100_000>,
    /// There is a slot chooser, which begins to follow the journal that long after the start; 0 is none.
    #[serde(default)]
    pub chooser_after_ms: Bounded<0, 3_600_000>,
}

impl Shape {
    /// When the slot chooser begins, from the start; none if there is none.
    #[must_use]
    pub fn chooser_after(&self) -> Option<Span> {
        Some(self.chooser_after_ms.get()).filter(|after| *after > 0).map(Span::from_ms)
    }
}

/// What is asked, of whom, how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// Requests of all clients together, each second.
    pub requests_per_s: Bounded<0, 1_000_000>,
    /// Shares of the operations; only their proportions count.
    pub mix: Mix,
    /// How the slots share the requests.
    #[serde(default)]
    pub spread: Spread,
    /// When the requests come.
    #[serde(default)]
    pub arrival: Arrival,
    /// A reservation takes from 1 to that many units.
    pub units_max: Bounded<1, 1_000_000>,
    /// How often a version is published; 0 is never.
    pub publish_every_ms: Bounded<0, 3_600_000>,
    /// Limits of the versions, one after the other, then from the front again.
    pub limits: Vec<Bounded<1, 1_000_000>>,
    /// Published so much earlier than the lead time asks.
    pub slack_ms: Bounded<0, 600_000>,
}

/// Shares of the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mix {
    /// Take units.
    pub reserve: Bounded<0, 1_000>,
    /// Give an earlier order's units back.
    pub release: Bounded<0, 1_000>,
    /// Read one slot at its owner.
    pub read: Bounded<0, 1_000>,
    /// Read all slots at a replica.
    pub overview: Bounded<0, 1_000>,
    /// Ask for what makes no sense: slots that do not exist, more than any slot has, known orders with other units,
    /// releases of what is not held.
    #[serde(default)]
    pub odd: Bounded<0, 1_000>,
    /// Ask the chooser where there is room; for the overview, as long as it has not begun.
    #[serde(default)]
    pub choose: Bounded<0, 1_000>,
}

/// How the slots share the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Each as likely as the others.
    #[default]
    Even,
    /// All of them are about one slot.
    Hot,
}

/// When the requests come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// As long as the workload lasts.
    #[default]
    Steady,
    /// All of the workload's requests within its first second.
    AllIn,
}

impl System for CapacityService {
    const NAME: &'static str = "capacity";
    const MUTANTS: &'static [Mutant] = &[
        Mutant::new("canary", "capacity", "linearizable"),
        Mutant::new("unconditional-append", "counters-partition", "linearizable"),
        Mutant::new("ack-of-another", "capacity", "no-loss"),
        Mutant::new("ack-before-sync", "disk-trouble", "no-loss"),
        Mutant::new("sync-alone-retried", "disk-trouble", "no-loss"),
        Mutant::new("damage-left", "disk-trouble", "no-loss"),
        Mutant::new("ack-before-journal", "counters-partition", "no-loss"),
        Mutant::new("retry-without-key", "counters-partition", "exactly-once"),
        Mutant::new("minority-goes-on", "counters-partition", "linearizable"),
        Mutant::new("replica-skips-gap", "capacity", "convergence"),
        Mutant::new("ground-of-the-reader", "capacity-stream", "convergence"),
        Mutant::new("zone-unchecked", "capacity-kinds", "admission"),
        Mutant::new("newer-form-misread", "capacity-versions", "linearizable"),
        Mutant::new("snapshot-without-keys", "capacity-consensus", "exactly-once"),
        Mutant::new("replica-serves-early", "rolling-restart", "monotonic-reads"),
        Mutant::new("append-before-decision", "capacity-consensus", "no-loss"),
        Mutant::new("read-of-a-copy", "capacity-consensus", "monotonic-reads"),
        Mutant::new("chooser-from-tail", "capacity-chooser", "no-loss"),
        Mutant::new("chooser-forgets-releases", "capacity-chooser", "linearizable"),
    ];
    type Rules = capacity::rules::Rules;
    type Shape = Shape;
    type Workload = Workload;
    type Node = capacity::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        if parameters.shape.services.get() < 3 || parameters.shape.slots.get() == 0 {
            return Err(
                "`shape`: the capacity service needs at least 3 `services` and 1 of `slots`".to_owned()
            );
        }
        check_common(parameters)
    }

    fn members(parameters: &Parameters<Self>, rules: Self::Rules) -> Vec<Member<Self::Node>> {
        members(parameters, rules)
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        workload::requests(parameters, seed)
    }

    fn first_version(parameters: &Parameters<Self>, role: Role) -> u32 {
        first_version(parameters, role)
    }

    fn accept(parameters: &Parameters<Self>, label: &str, request: &Request) -> Result<(), ForeignRequest> {
        accept(parameters, label, request)
    }

    fn aims(parameters: &Parameters<Self>, requests: &[Planned<Self>]) -> Aims {
        let switches = workload::switches(&parameters.shape, requests);
        Aims { switches, ..hot_key_aim(parameters, requests) }
    }

    fn aimable(parameters: &Parameters<Self>) -> Aimable {
        aimable(parameters)
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let parameters = setting.parameters;
        let topology = topology(parameters);
        let config = config(parameters, seen);
        let mut families = vec![
            slots::record(&parameters.shape, setting.clients, seen, &config),
            entries::record(&topology, parameters.shape.counter, seen),
            overview::record(setting.clients, seen),
            config.family,
        ];
        families.extend(choices::record(&parameters.shape, setting.clients, seen));
        Recorded { families, progress: Progress::of(seen, parameters.timing.late_from(), operation) }
    }
}

/// The owner of the slot most often asked for.
pub(super) fn hot_key_aim<S>(parameters: &Parameters<S>, requests: &[Planned<CapacityService>]) -> Aims
where
    S: System<Shape = Shape, Workload = Workload>,
{
    let services = topology(parameters).services;
    let owner = |slot| parameters.shape.counter.owner(&services, slot);
    Aims { hot_key_owner: workload::hot_slot(requests).and_then(owner), switches: Vec::new() }
}

/// What all systems of these nodes ask of their figures.
pub(super) fn check_common<S>(parameters: &Parameters<S>) -> Result<(), String>
where
    S: System<Shape = Shape, Workload = Workload>,
{
    let Parameters { shape, workload, timing, .. } = parameters;
    let asks = workload.requests_per_s.get() > 0;
    let wrong = |found: &str| Err(found.to_owned());
    if asks && (shape.clients.get() == 0 || shape.services.get() == 0) {
        return wrong("`workload.requests-per-s`: expected 0 where there are no `clients` or `services`");
    }
    let load = Load::of(workload.requests_per_s.get());
    let clients = Clients { count: shape.clients.get(), deadline_ms: shape.deadline_ms.get() };
    match workload.arrival {
        Arrival::Steady => load.check_clients(clients, timing)?,
        Arrival::AllIn => {
            load.check(timing)?;
            load.check_open(clients, timing.workload())?;
        }
    }
    if asks && workload.mix.total() == 0 {
        return wrong("`workload.mix`: all shares are 0; expected one above");
    }
    if workload.publish_every_ms.get() > 0 && workload.limits.is_empty() {
        return wrong("`workload.limits` is empty; expected a limit for each published version");
    }
    if shape.log_nodes.get() == 4 {
        return wrong("`shape.log-nodes`: expected 3 or 5, found 4, which may lose no more of them than 3");
    }
    if shape.zones.get() == 1 {
        return wrong(
            "`shape.zones`: found 1, of which no slot would serve any; expected 0 for no rule, or at least 2",
        );
    }
    let chooser_after_ms = shape.chooser_after_ms.get();
    if workload.mix.choose.get() > 0 && chooser_after_ms == 0 {
        return wrong("`workload.mix.choose`: expected 0 where there is no `chooser-after-ms`");
    }
    if chooser_after_ms > 0 && shape.counter == CounterPart::Stream {
        return wrong(
            "`shape.chooser-after-ms`: expected 0 where the journal is a stream, as it reads decisions",
        );
    }
    if chooser_after_ms >= timing.chaos_s.get() * 1_000 {
        return wrong(
            "`shape.chooser-after-ms`: expected less than `chaos-s`, or it has no time to catch up",
        );
    }
    if shape.poll_ms.get() >= shape.lead_ms.get() {
        return wrong("`shape.poll-ms`: expected less than `lead-ms`, or no process can stay verified");
    }
    Ok(())
}

/// Who is who in the world of these parameters.
pub(super) fn topology<S>(parameters: &Parameters<S>) -> Topology
where
    S: System<Shape = Shape, Workload = Workload>,
{
    use model::rules::Decisions as _;
    build(parameters, capacity::rules::Rules::hardened())
}

fn build<S>(parameters: &Parameters<S>, rules: capacity::rules::Rules) -> Topology
where
    S: System<Shape = Shape, Workload = Workload>,
{
    let shape = &parameters.shape;
    let poll_every = Span::from_ms(shape.poll_ms.get());
    let shape = capacity::Shape {
        service_count: shape.services.get_u32(),
        client_count: shape.clients.get_u32(),
        slot_count: shape.slots.get_u32(),
        kinds: shape.model_kinds(),
        initial: workload::initial(parameters),
        distribution: Distribution {
            mode: shape.config.mode(poll_every),
            lead: Span::from_ms(shape.lead_ms.get()),
            poll_every,
            delivery: Span::ZERO,
            clock_bound: Span::ZERO,
        },
        deciding: shape.counter.deciding(),
        snapshot_every: shape.snapshot_every.get_u32(),
        log_count: shape.log.count(shape.log_nodes.get_u32()),
        log_pace: Pace::of(&parameters.network),
        chooser_after: shape.chooser_after(),
        patience: patience(shape.timeout_ms.get(), shape.deadline_ms.get()),
    };
    capacity::build(&shape, rules)
}

pub(super) fn members<S>(
    parameters: &Parameters<S>,
    rules: capacity::rules::Rules,
) -> Vec<Member<capacity::Member>>
where
    S: System<Shape = Shape, Workload = Workload>,
{
    let service = Span::from_us(parameters.shape.service_us.get());
    let members = build(parameters, rules).members.into_iter();
    members.map(|node| Member { role: role(&node), label: node.role(), node, service }).collect()
}

/// As which version of its program a node of that role begins.
pub(super) fn first_version<S>(parameters: &Parameters<S>, role: Role) -> u32
where
    S: System<Shape = Shape, Workload = Workload>,
{
    if matches!(role, Role::Service | Role::Worker) { parameters.shape.program.get_u32() } else { 0 }
}

/// A node's role in scenario files.
const fn role(member: &capacity::Member) -> Role {
    match member {
        capacity::Member::Store(_) => Role::Store,
        capacity::Member::Log(_) | capacity::Member::LogReplica(_) => Role::Log,
        capacity::Member::Service(_) => Role::Service,
        capacity::Member::Client(_) => Role::Client,
        capacity::Member::Publisher(_) => Role::Publisher,
        capacity::Member::Cache(_) => Role::Cache,
        capacity::Member::Chooser(_) => Role::Worker,
    }
}

pub(super) fn accept<S>(
    parameters: &Parameters<S>,
    label: &str,
    request: &Request,
) -> Result<(), ForeignRequest>
where
    S: System<Shape = Shape, Workload = Workload>,
{
    let (name, asked) = match request {
        Request::Operation(_) => ("an operation", "client"),
        Request::Publish { .. } => ("a publication", "publisher"),
    };
    accept_label(label, asked, name)?;
    // Who asks for what makes no sense asks for the slot behind the last, too.
    let slots = parameters.shape.slots.get() + u64::from(parameters.workload.mix.odd.get() > 0);
    match request {
        Request::Operation(Call::Choose { kind, .. }) => accept_choice(&parameters.shape, *kind),
        Request::Operation(call) => match call.slot() {
            Some(slot) if u64::from(slot.0) >= slots => {
                Err(ForeignRequest::Unknown { what: "slot", name: slot.0.to_string() })
            }
            _ => accept_form(&parameters.shape, *call),
        },
        Request::Publish { .. } => Ok(()),
    }
}

/// Reservations of several kinds are for slots that have them, from zones that there are.
fn accept_form(shape: &Shape, call: Call) -> Result<(), ForeignRequest> {
    let Call::ReserveKinds { units, zone, .. } = call else { return Ok(()) };
    let unknown = |what, name: usize| Err(ForeignRequest::Unknown { what, name: name.to_string() });
    let kind_count = if shape.has_kinds() { shape.kinds.count() } else { 0 };
    match units.0.iter().rposition(|units| *units > 0) {
        Some(last) if last >= kind_count => unknown("kind", last + 1),
        _ if u64::from(zone.0) >= shape.zones.get().max(1) => unknown("zone", usize::from(zone.0)),
        _ => Ok(()),
    }
}

/// Where there is room is asked only of a chooser that there is, for kinds that there are.
fn accept_choice(shape: &Shape, kind: u8) -> Result<(), ForeignRequest> {
    let unknown = |what, name: String| Err(ForeignRequest::Unknown { what, name });
    match shape.chooser_after() {
        None => unknown("the room of slots, which needs", "a chooser".to_owned()),
        Some(_) if usize::from(kind) >= shape.kinds.count() => unknown("kind", (kind + 1).to_string()),
        Some(_) => Ok(()),
    }
}

pub(super) fn aimable<S>(parameters: &Parameters<S>) -> Aimable
where
    S: System<Shape = Shape, Workload = Workload>,
{
    Aimable {
        hot_key: parameters.workload.requests_per_s.get() > 0,
        switches: parameters.workload.publish_every_ms.get() > 0,
    }
}

/// What the service nodes made of the configuration. As clients choose whom they ask, a node may be asked for nothing for as
/// long as they like; whether what they ask is answered is for `progress` to say.
pub(super) fn config<S>(parameters: &Parameters<S>, seen: &[Seen<CapacityService>]) -> Config
where
    S: System<Shape = Shape, Workload = Workload>,
{
    let Parameters { shape, timing, .. } = parameters;
    let lead = match shape.config {
        ConfigPart::Pull | ConfigPart::Cached | ConfigPart::Push => Span::from_ms(shape.lead_ms.get()),
        // Who has joined is asked before anything is committed: its read verifies for good.
        ConfigPart::TwoPhase => timing.whole() + Span::from_ns(1),
    };
    let promised = Promised {
        promise: Promise {
            kind: PromiseKind::Strict,
            lead_ns: lead.as_ns(),
            converge_within_ns: Span::from_seconds(timing.recover_s.get()).as_ns(),
        },
        initial: workload::initial(parameters),
        healed: timing.chaos(),
        owed_until: timing.chaos(),
    };
    switches::record(&promised, seen, |observation| match observation {
        Observation::Config(observation) => Some(observation),
        _ => None,
    })
}

/// The operation that an observation is about.
pub(super) const fn operation(observation: &Observation) -> Option<&Operation<Call>> {
    match observation {
        Observation::Operation(operation) => Some(operation),
        _ => None,
    }
}
