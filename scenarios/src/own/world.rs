//! From a user's nodes or services to what a run of them left: the plan drawn from the seed, the run, the history.

use std::collections::BTreeMap;

use checker::history::HistoryError;
use checker::judge::Family;
use reports::run_folder::NodePlan;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sim::clock_profile::ClockProfile;
use sim::disk_profile::DiskProfile;
use sim::fault::{self, FaultPlan};
use sim::kernel::Observed;
use sim::network_profile::{LatencyProfile, NetworkProfile};
use sim::node::{Node, NodeId};
use sim::setup::{NodeSetup, RunOptions, WorldSetup};
use sim::substrate::guest::{self, Guest, GuestSetup, Noting};
use sim::substrate::{self, Evidence, Phases, Substrate, SubstrateError};
use sim::time::{Span, TrueTime};

use crate::grammar::validity::Ground;
use crate::nemesis::{self, Targets};
use crate::own::{Case, OwnError};
use crate::scenario::{Nemesis, Role};

/// How often clocks are sampled for reports.
const SAMPLE_EVERY: Span = Span::from_ms(100);
/// What runs twice to be compared keeps its trace; keeping it changes nothing of the run.
const OPTIONS: RunOptions = RunOptions { keep_trace: true, clock_sample_every: Some(SAMPLE_EVERY) };

/// A node and its machine, and as what faults know it.
#[derive(Clone, Debug)]
pub struct Member<N> {
    /// What it is called in reports.
    pub name: String,
    /// Whom a [`Nemesis`] means.
    pub role: Role,
    /// The node and its machine.
    pub setup: NodeSetup<N>,
}

impl<N> Member<N> {
    /// A node on a machine of a cloud: a clock of profile `cloud-ntp`, an NVMe disk, 50 us for each input.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role, node: N) -> Self {
        let (clock, disk) = (ClockProfile::cloud_ntp(), DiskProfile::nvme());
        let setup = NodeSetup { node, clock, disk, service: Span::from_us(50), version: 0 };
        Self { name: name.into(), role, setup }
    }
}

/// A user's own nodes, what is asked of them, and what goes wrong. For any substrate.
#[derive(Clone, Debug)]
pub struct World<N: Node> {
    /// The nodes, by [`NodeId`].
    pub members: Vec<Member<N>>,
    /// The network between them.
    pub network: NetworkProfile,
    /// Families of faults, of which the seed leaves about half on, and draws every instant.
    pub nemeses: Vec<Nemesis>,
    /// What is asked of whom and when, earliest first.
    pub requests: Vec<(TrueTime, NodeId, N::Request)>,
    /// How long faults happen, from the start.
    pub chaos: Span,
    /// How long the run goes on without any: all nodes are up again then.
    pub heal: Span,
}

/// A host of somebody's service, and as what faults know it.
pub struct Service<O: Noting> {
    /// Whom a [`Nemesis`] means.
    pub role: Role,
    /// The host.
    pub guest: Guest<O>,
}

/// Somebody's services and their clients, as they are. For turmoil only.
pub struct Services<O: Noting> {
    /// The hosts, by [`NodeId`].
    pub services: Vec<Service<O>>,
    /// How long segments take.
    pub latency: LatencyProfile,
    /// Families of faults, of which the seed leaves about half on, and draws every instant.
    pub nemeses: Vec<Nemesis>,
    /// How long faults happen, from the start.
    pub chaos: Span,
    /// How long the run goes on without any: all hosts are up again then.
    pub heal: Span,
}

/// What was decided before the first event.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) nodes: Vec<NodePlan>,
    pub(super) faults: FaultPlan,
    pub(super) left_out: Vec<fault::Family>,
    pub(super) phases: Phases,
    pub(super) requests: Vec<Value>,
}

/// A run that has ended and of which no history has been made yet.
pub struct Ended<O> {
    evidence: Evidence<O>,
    planned: Planned,
}

/// A run and its history: what a suite's function gives back.
pub struct Recorded {
    pub(super) left: Evidence<()>,
    pub(super) planned: Planned,
    pub(super) families: Vec<Family>,
}

impl<O> Ended<O> {
    /// Makes the history that is to be judged from what was observed, which stands in the order in which it happened.
    ///
    /// # Errors
    /// If `families` says that there is none.
    pub fn record(
        self,
        families: impl FnOnce(&[Observed<O>]) -> Result<Vec<Family>, HistoryError>,
    ) -> Result<Recorded, OwnError> {
        let Self { evidence, planned } = self;
        let (observations, left) = evidence.split();
        let families = families(&observations)?;
        Ok(Recorded { left, planned, families })
    }
}

impl Case {
    /// Runs a world of nodes on the case's substrate, under faults drawn from its seed.
    ///
    /// Families of faults that the substrate lacks are left out and named in the plan.
    ///
    /// # Errors
    /// If the world makes no sense, or the substrate cannot run it.
    pub fn run<N>(&self, world: World<N>) -> Result<Ended<N::Observation>, OwnError>
    where
        N: Node + 'static,
        N::Message: Serialize + DeserializeOwned,
    {
        let World { members, network, nemeses, requests, chaos, heal } = world;
        let phases = phases(chaos, heal);
        let known = |family| self.substrate.lacks(family);
        let clocks = members.iter().map(|member| (member.role, &member.setup.clock));
        let (faults, left_out) = self.faults(clocks.collect(), &nemeses, chaos, known)?;
        let names = members.iter().map(|member| (member.name.clone(), member.role));
        let planned = Planned {
            nodes: nodes(names),
            faults: faults.clone(),
            left_out,
            phases,
            requests: requests.iter().map(|(at, node, asked)| written(*at, *node, asked)).collect(),
        };
        let setup = WorldSetup {
            seed: self.seed,
            nodes: members.into_iter().map(|member| member.setup).collect(),
            network,
            plan: faults,
            requests,
            options: OPTIONS,
        };
        Ok(Ended { evidence: substrate::run(self.substrate, setup, phases)?, planned })
    }

    /// Runs somebody's services on turmoil, under faults drawn from the case's seed.
    ///
    /// Families of faults that cannot be done to them are left out and named in the plan.
    ///
    /// # Errors
    /// If the case asks for another substrate, the setup makes no sense, or a service ends with an error.
    pub fn host<O: Noting>(&self, services: Services<O>) -> Result<Ended<O>, OwnError> {
        if self.substrate != Substrate::Turmoil {
            let found = "services of others run on turmoil only".to_owned();
            return Err(SubstrateError::GaveUp { substrate: self.substrate, found }.into());
        }
        let Services { services, latency, nemeses, chaos, heal } = services;
        let phases = phases(chaos, heal);
        let clocks = services.iter().map(|service| (service.role, service.guest.clock()));
        let (faults, left_out) = self.faults(clocks.collect(), &nemeses, chaos, guest::lacks)?;
        let names = services.iter().map(|service| (service.guest.name().to_owned(), service.role));
        let planned =
            Planned { nodes: nodes(names), faults: faults.clone(), left_out, phases, requests: Vec::new() };
        let guests = services.into_iter().map(|service| service.guest).collect();
        let setup = GuestSetup { seed: self.seed, guests, latency, plan: faults, options: OPTIONS };
        Ok(Ended { evidence: guest::run(setup, phases)?, planned })
    }

    /// The fault plan of the case, and the families that are left out.
    fn faults(
        &self,
        clocks: Vec<(Role, &ClockProfile)>,
        nemeses: &[Nemesis],
        chaos: Span,
        lacks: impl Fn(fault::Family) -> Option<&'static str>,
    ) -> Result<(FaultPlan, Vec<fault::Family>), OwnError> {
        validate(nemeses, clocks.iter().map(|(role, _)| *role), chaos)?;
        let is_known = |family: fault::Family| lacks(family).is_none();
        let (known, lacking): (Vec<_>, Vec<_>) = nemeses
            .iter()
            .cloned()
            .partition(|nemesis| nemesis.kind.families().iter().all(|family| is_known(*family)));
        let (roles, clocks) = clocks.into_iter().unzip();
        let end = TrueTime::ZERO + chaos;
        let targets = Targets { roles, clocks, end, hot_key_owner: None, switches: Vec::new() };
        let mut plan = nemesis::drawn(&known, &targets, self.seed, self.substrate);
        let families = lacking.iter().flat_map(|nemesis| nemesis.kind.families()).copied();
        let mut left_out: Vec<_> = families.filter(|family| !is_known(*family)).collect();
        // Clock profiles plan faults of their own, pauses among them.
        plan.faults.retain(|planned| {
            let family = planned.fault.family();
            left_out.extend((!is_known(family)).then_some(family));
            is_known(family)
        });
        left_out.sort_unstable();
        left_out.dedup();
        Ok((plan, left_out))
    }
}

/// Whether every nemesis can do something to nodes of these roles. Of keys and switches of a system of others nothing is
/// known.
fn validate(nemeses: &[Nemesis], roles: impl Iterator<Item = Role>, chaos: Span) -> Result<(), OwnError> {
    let mut counts = BTreeMap::new();
    for role in roles {
        *counts.entry(role).or_insert(0) += 1;
    }
    let ground = Ground {
        counts,
        may_take_clients_down: true,
        faults_end_ms: chaos.as_ns() / 1_000_000,
        has_switches: false,
        has_hot_key: false,
    };
    for (index, nemesis) in nemeses.iter().enumerate() {
        nemesis.validate(&ground).map_err(|error| OwnError::Nemesis { index, key: error.key(), error })?;
    }
    Ok(())
}

fn phases(chaos: Span, heal: Span) -> Phases {
    let faults_end = TrueTime::ZERO + chaos;
    Phases { faults_end: Some(faults_end), end: faults_end + heal }
}

fn nodes(names: impl Iterator<Item = (String, Role)>) -> Vec<NodePlan> {
    let role = |role: Role| crate::plan::word(&role);
    (0..).zip(names).map(|(id, (name, of))| NodePlan { id, name, role: role(of) }).collect()
}

fn written(at: TrueTime, node: NodeId, asked: &impl core::fmt::Debug) -> Value {
    Value::String(format!("{} ns {node} {asked:?}", at.as_ns()))
}
