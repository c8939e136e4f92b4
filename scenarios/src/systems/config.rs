//! Processes that work under a scheduled configuration, as scenarios know them: one system for each way of delivering it.
//!
//! | system | how a version comes to a process | verified by |
//! |---|---|---|
//! | `config-pull` | it reads the store | a lease from each read |
//! | `config-cached` | it reads a cache, or its lagging replica | a lease from the store read that the answer keeps |
//! | `config-push` | the store tells its watchers | a lease from each heartbeat that names the newest version |
//! | `config-two-phase` | all agree before it counts | its own agreement |
//!
//! The hardened variant promises exact switches in true time. The naive one heeds no clock bounds, so that its promise is
//! that of a bare clock: exact to within `epsilon-ms`, while its clock is no further off.

use core::fmt::Debug;
use core::marker::PhantomData;

use checker::switch_timing::{Promise, PromiseKind};
use model::config;
use model::config::distribution::{Distribution, Mode};
use model::config::message::{Observation, Payload, Request};
use model::config::rules::Rules;
use model::rules::{Decisions as _, Variant};
use serde::{Deserialize, Serialize};
use sim::chance::Seed;
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

use self::deliveries::Delivery;
use super::common::accept_label;
use super::switches::{self, Promised};
use crate::bounded::Bounded;
use crate::scenario::Role;
use crate::system::{
    Aimable, Aims, ForeignRequest, Member, Mutant, Parameters, Planned, Recorded, Seen, Setting, System,
};

pub mod deliveries;

/// Processes that get their configuration by `D`.
#[derive(Debug)]
pub struct Config<D>(PhantomData<D>);

/// How large the world is, and the system's own timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Shape<O> {
    /// Processes that run tasks.
    pub workers: Bounded<1, 150>,
    /// Versions are committed at least that long before their start.
    pub lead_ms: Bounded<1, 3_600_000>,
    /// How long a process keeps what it read, or how often it hears that nothing has changed.
    pub poll_ms: Bounded<1, 3_600_000>,
    /// How long an answer of the store takes to a process.
    pub delivery_ms: Bounded<0, 600_000>,
    /// By how much a clock may be off, as far as the lead time allows for it.
    pub clock_bound_ms: Bounded<0, 600_000>,
    /// How exact the naive variant says that it is, and how good a clock it asks for.
    pub epsilon_ms: Bounded<1, 600_000>,
    /// What each input costs a node.
    pub service_us: Bounded<0, 1_000_000>,
    /// The figures of the delivery.
    pub delivery: O,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Workload {
    /// What there is from the beginning.
    pub initially: Initially,
    /// What the versions say, one after the other, then from the front again.
    pub payloads: Vec<Says>,
    /// How often a version is published; 0 is never.
    pub publish_every_ms: Bounded<0, 3_600_000>,
    /// Published so much earlier than the lead time asks.
    pub slack_ms: Bounded<0, 600_000>,
    /// How often each worker gets a batch; 0 is never.
    pub batch_every_ms: Bounded<0, 3_600_000>,
    /// Tasks in a batch.
    pub batch_tasks: Bounded<1, 10_000>,
}

/// What there is before the first publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initially {
    /// No configuration: processes answer that it is missing.
    Missing,
    /// The first of the payloads.
    FirstPayload,
}

/// What a version says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Says {
    /// Whether answers mention the worker's mood.
    pub include_mood: bool,
    /// How long a task takes.
    pub delay_ms: Bounded<1, 600_000>,
}

impl Says {
    fn payload(&self) -> Payload {
        Payload { limit: 1, delay: Span::from_ms(self.delay_ms.get()), include_mood: self.include_mood }
    }
}

/// The longest delay or slack that a plan may name: as in a scenario file.
const LONGEST: Span = Span::from_seconds(3_600);

impl<D: Delivery> System for Config<D> {
    const NAME: &'static str = D::NAME;
    const MUTANTS: &'static [Mutant] = D::MUTANTS;
    type Rules = Rules;
    type Shape = Shape<D::Own>;
    type Workload = Workload;
    type Node = config::Member;

    fn check(parameters: &Parameters<Self>) -> Result<(), String> {
        let Parameters { shape, workload, timing, .. } = parameters;
        if workload.payloads.is_empty() {
            return Err("`workload.payloads` is empty; expected what the versions say".to_owned());
        }
        if shape.poll_ms.get() >= shape.lead_ms.get() {
            return Err(
                "`shape.poll-ms`: expected less than `lead-ms`, or no process can stay verified".to_owned()
            );
        }
        let batches = timing.workload().as_ns() / 1_000_000 / workload.batch_every_ms.get().max(1);
        if workload.batch_every_ms.get() > 0 && batches * shape.workers.get() > 2_000_000 {
            return Err("`workload`: more than 2,000,000 batches in one run; expected fewer".to_owned());
        }
        Ok(())
    }

    fn members(parameters: &Parameters<Self>, rules: Rules) -> Vec<Member<config::Member>> {
        let service = Span::from_us(parameters.shape.service_us.get());
        let members = world(parameters, rules).members.into_iter();
        let face = |node: config::Member| {
            let (role, label) = face(&node);
            Member { role, label, node, service }
        };
        members.map(face).collect()
    }

    fn requests(parameters: &Parameters<Self>, seed: Seed) -> Vec<Planned<Self>> {
        let world = world(parameters, Rules::hardened());
        let mut requests = batches(parameters, &world.workers, seed);
        requests.extend(publications(parameters, world.publisher));
        requests
    }

    fn accept(_: &Parameters<Self>, label: &str, request: &Request) -> Result<(), ForeignRequest> {
        let (name, asked) = match request {
            Request::Publish { .. } => ("a publication", "publisher"),
            Request::Batch { .. } => ("a batch", "worker"),
        };
        accept_label(label, asked, name)?;
        match request {
            Request::Publish { payload, slack } if payload.delay.max(*slack) > LONGEST => {
                Err(ForeignRequest::Malformed(format!("a delay or a slack of more than {LONGEST}")))
            }
            Request::Publish { .. } | Request::Batch { .. } => Ok(()),
        }
    }

    fn aims(parameters: &Parameters<Self>, requests: &[Planned<Self>]) -> Aims {
        let lead = Span::from_ms(parameters.shape.lead_ms.get());
        let start = |request: &Planned<Self>| match request {
            (at, _, Request::Publish { slack, .. }) => Some(*at + lead + *slack),
            (_, _, Request::Batch { .. }) => None,
        };
        Aims { hot_key_owner: None, switches: requests.iter().filter_map(start).collect() }
    }

    fn aimable(parameters: &Parameters<Self>) -> Aimable {
        Aimable { hot_key: false, switches: parameters.workload.publish_every_ms.get() > 0 }
    }

    fn record(setting: Setting<'_, Self>, seen: &[Seen<Self>]) -> Recorded {
        let Parameters { workload, timing, .. } = setting.parameters;
        let promised = Promised {
            promise: promise(setting),
            initial: initial(workload),
            healed: timing.chaos(),
            owed_until: timing.whole(),
        };
        let config = switches::record(&promised, seen, itself);
        let progress = switches::progress(seen, timing.late_from());
        Recorded { families: vec![config.family], progress }
    }
}

fn world<D: Delivery>(parameters: &Parameters<Config<D>>, rules: Rules) -> config::World {
    let shape = &parameters.shape;
    let distribution = Distribution {
        mode: D::mode(&shape.delivery),
        lead: Span::from_ms(shape.lead_ms.get()),
        poll_every: Span::from_ms(shape.poll_ms.get()),
        delivery: Span::from_ms(shape.delivery_ms.get()),
        clock_bound: Span::from_ms(shape.clock_bound_ms.get()),
    };
    let (worker_count, initial) = (shape.workers.get_u32(), initial(&parameters.workload));
    let shape = config::Shape { distribution, worker_count, initial };
    config::build(&shape, rules)
}

fn initial(workload: &Workload) -> Option<Payload> {
    match workload.initially {
        Initially::Missing => None,
        Initially::FirstPayload => workload.payloads.first().map(Says::payload),
    }
}

/// A node's role in scenario files, and its name in reports.
const fn face(member: &config::Member) -> (Role, &'static str) {
    match member {
        config::Member::Store(_) => (Role::Store, "store"),
        config::Member::Standby(_) => (Role::Store, "standby"),
        config::Member::Publisher(_) => (Role::Publisher, "publisher"),
        config::Member::Cache(_) => (Role::Cache, "cache"),
        config::Member::Worker(_) => (Role::Worker, "worker"),
    }
}

/// Every worker's batches, evenly spaced, each worker's from an instant of its own.
fn batches<D: Delivery>(
    parameters: &Parameters<Config<D>>,
    workers: &[NodeId],
    seed: Seed,
) -> Vec<Planned<Config<D>>> {
    let every = Span::from_ms(parameters.workload.batch_every_ms.get());
    let tasks = parameters.workload.batch_tasks.get_u32();
    let mut requests = Vec::new();
    if every == Span::ZERO {
        return requests;
    }
    for (index, worker) in workers.iter().enumerate() {
        let mut at =
            TrueTime::ZERO + Span::from_ns(seed.stream("batches", index as u64).below(every.as_ns()));
        while at < parameters.workload_end() {
            requests.push((at, *worker, Request::Batch { tasks }));
            at += every;
        }
    }
    requests
}

/// The publications: the last is due early enough for its version to start before convergence is judged.
fn publications<D: Delivery>(
    parameters: &Parameters<Config<D>>,
    publisher: NodeId,
) -> Vec<Planned<Config<D>>> {
    let workload = &parameters.workload;
    let every = Span::from_ms(workload.publish_every_ms.get());
    let mut requests = Vec::new();
    if every == Span::ZERO {
        return requests;
    }
    let slack = Span::from_ms(workload.slack_ms.get());
    // The first payload is there already, or comes first.
    let said = usize::from(workload.initially == Initially::FirstPayload);
    let mut payloads = workload.payloads.iter().cycle().skip(said).map(Says::payload);
    let mut at = TrueTime::ZERO + Span::from_ms(500);
    while at < TrueTime::ZERO + parameters.timing.chaos() {
        let payload = payloads.next().expect("a cycle of some payloads does not end");
        requests.push((at, publisher, Request::Publish { payload, slack }));
        at += every;
    }
    requests
}

/// All that these nodes show is about the configuration.
const fn itself(observation: &Observation) -> Option<&Observation> {
    Some(observation)
}

/// What the variant promises. A mutant promises what the hardened system does.
fn promise<D: Delivery>(setting: Setting<'_, Config<D>>) -> Promise {
    let Parameters { shape, timing, .. } = setting.parameters;
    let kind = if setting.rules == Rules::of(Variant::Naive) {
        PromiseKind::Epsilon { epsilon_ns: Span::from_ms(shape.epsilon_ms.get()).as_ns() }
    } else {
        PromiseKind::Strict
    };
    let lead = match D::mode(&shape.delivery) {
        Mode::Pull | Mode::Cached { .. } | Mode::Push { .. } => Span::from_ms(shape.lead_ms.get()),
        // Who has joined is asked before anything is committed: its read verifies for good.
        Mode::TwoPhase { .. } => timing.whole() + Span::from_ns(1),
    };
    let converge_within_ns = Span::from_seconds(timing.recover_s.get()).as_ns();
    Promise { kind, lead_ns: lead.as_ns(), converge_within_ns }
}

#[cfg(test)]
mod tests;
