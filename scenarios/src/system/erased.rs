//! Systems without their types: what plans, runs and files need to know.

use core::fmt::Debug;
use core::marker::PhantomData;
use std::sync::Arc;

use checker::judge::Family;
use model::rules::{Decisions, Defect, Variant};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sim::chance::Seed;
use sim::clock_profile::ClockProfile;
use sim::disk_profile::DiskProfile;
use sim::network_profile::NetworkProfile;
use sim::node::NodeId;
use sim::setup::{NodeSetup, WorldSetup};
use sim::substrate::{self, Evidence, Substrate, SubstrateError};
use sim::time::TrueTime;

use super::{
    Aimable, Aims, ForeignRequest, Member, Mutant, ObservationOf, Parameters, Planned, RequestOf, Setting,
    System,
};
use crate::grammar::{Nemesis, Role};
use crate::recorder::Progress;
use crate::scenario::{MatrixTiming, Scenario, Timing};
use crate::stopwatch::Stopwatch;

/// A system as scenario files name it.
pub trait AnySystem: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Its planted defects.
    fn mutants(&self) -> &'static [Mutant];

    /// Every defect that it can be built with.
    fn defects(&self) -> &'static [Defect];

    /// The scenario in the text of a file that names this system.
    ///
    /// # Errors
    /// Where a key, type or range is wrong.
    fn read(&self, text: &str) -> Result<Scenario, toml::de::Error>;

    /// The scenario in a plan that was written down.
    ///
    /// # Errors
    /// If this version writes another.
    fn read_value(&self, value: &Value) -> Result<Scenario, serde_json::Error>;
}

/// A system by its type.
pub struct Of<S>(PhantomData<fn() -> S>);

impl<S> Of<S> {
    /// That system.
    #[must_use]
    pub const fn system() -> Self {
        Self(PhantomData)
    }
}

impl<S: System> AnySystem for Of<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn mutants(&self) -> &'static [Mutant] {
        S::MUTANTS
    }

    fn defects(&self) -> &'static [Defect] {
        S::Rules::DEFECTS
    }

    fn read(&self, text: &str) -> Result<Scenario, toml::de::Error> {
        Ok(toml::from_str::<File>(text)?.scenario::<S>(toml::from_str(text)?))
    }

    fn read_value(&self, value: &Value) -> Result<Scenario, serde_json::Error> {
        Ok(File::deserialize(value)?.scenario::<S>(Sections::deserialize(value)?))
    }
}

/// A scenario file: the schema. A wrong key, type or range is refused with line and column.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    name: String,
    system: String,
    summary: String,
    checks: Vec<String>,
    shape: Value,
    timing: Timing,
    clock: ClockProfile,
    network: NetworkProfile,
    disk: DiskProfile,
    workload: Value,
    #[serde(default)]
    faults: Vec<Nemesis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    matrix: Option<MatrixTiming>,
}

/// The sections that are a system's own. Read apart from the others, which are compiled once for all systems.
#[derive(Deserialize)]
#[serde(bound = "")]
struct Sections<S: System> {
    shape: S::Shape,
    workload: S::Workload,
}

impl File {
    fn scenario<S: System>(self, sections: Sections<S>) -> Scenario {
        let Self { name, summary, checks, timing, clock, network, disk, faults, matrix, .. } = self;
        let Sections { shape, workload } = sections;
        let parameters =
            Parameters::<S> { shape, workload, timing: timing.clone(), network: network.clone() };
        let system: Arc<dyn Configured> = Arc::new(parameters);
        Scenario { name, system, summary, checks, timing, clock, network, disk, faults, matrix }
    }
}

/// A system with the parameters of a scenario.
pub trait Configured: core::any::Any + Debug + Send + Sync {
    /// The system's name.
    fn name(&self) -> &'static str;

    /// Every defect that it can be built with.
    fn defects(&self) -> &'static [Defect];

    /// Relations of figures that no single one shows.
    ///
    /// # Errors
    /// Says what was found and what is expected.
    fn check(&self) -> Result<(), String>;

    /// The same with other phases.
    fn with_timing(&self, timing: &Timing) -> Arc<dyn Configured>;

    /// The same on another network.
    fn with_network(&self, network: &NetworkProfile) -> Arc<dyn Configured>;

    /// The scenario as it is written down.
    fn to_value(&self, scenario: &Scenario) -> Value;

    /// Who will be there.
    fn faces(&self) -> Vec<Faces>;

    /// What faults can be aimed at.
    fn aimable(&self) -> Aimable;

    /// The nodes and all that is asked of them.
    fn work(&self, variant: Variant, defect: Option<Defect>, seed: Seed) -> Arc<dyn Work>;

    /// The nodes, and what was written down as asked of them.
    ///
    /// # Errors
    /// Names the first request that is none of this system's, by its place.
    fn work_from(
        &self,
        variant: Variant,
        defect: Option<Defect>,
        requests: &[Value],
    ) -> Result<Arc<dyn Work>, (usize, ForeignRequest)>;
}

/// Who a node is, for faults and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faces {
    /// What faults know it as.
    pub role: Role,
    /// What reports call it, with a number if there are several.
    pub label: &'static str,
}

/// What a scenario says that no system looks at.
pub struct Common {
    /// Where all chance of the world comes from.
    pub seed: Seed,
    /// The clock of every node.
    pub clock: ClockProfile,
    /// The disk of every node.
    pub disk: DiskProfile,
    /// The network between them.
    pub network: NetworkProfile,
    /// What goes wrong.
    pub plan: sim::fault::FaultPlan,
    /// What is kept of the run.
    pub options: sim::setup::RunOptions,
    /// When what ends.
    pub phases: substrate::Phases,
    /// What it runs on.
    pub substrate: Substrate,
}

/// What a run left.
pub struct Ran {
    /// What the world left.
    pub evidence: Evidence<()>,
    /// The histories.
    pub families: Vec<Family>,
    /// What came of the operations.
    pub progress: Progress,
    /// How long making the histories took, in ns of the host's time.
    pub recording_ns: u64,
}

/// The nodes of a run and all that is asked of them, before it.
pub trait Work: Send + Sync {
    /// Who is there, by number.
    fn faces(&self) -> Vec<Faces>;

    /// What faults can be aimed at.
    fn aims(&self) -> Aims;

    /// Every request with its instant and its node, as it is written down.
    fn requests(&self) -> Vec<Value>;

    /// The run, to its end.
    ///
    /// # Errors
    /// If the setup contradicts itself, or plans what its substrate cannot express.
    fn run(&self, common: Common) -> Result<Ran, SubstrateError>;
}

struct Ready<S: System> {
    parameters: Parameters<S>,
    rules: S::Rules,
    members: Vec<Member<S::Node>>,
    requests: Vec<Planned<S>>,
}

impl<S: System> Parameters<S> {
    fn rules(variant: Variant, defect: Option<Defect>) -> S::Rules {
        let rules = S::Rules::of(variant);
        defect.map_or(rules, |defect| rules.with(defect).expect("the defect was looked up in this system"))
    }

    fn ready(&self, rules: S::Rules, mut requests: Vec<Planned<S>>) -> Ready<S> {
        requests.sort_by_key(|(at, node, _)| (*at, *node));
        let members = S::members(self, rules);
        Ready { parameters: self.clone(), rules, members, requests }
    }
}

impl<S: System> Configured for Parameters<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn defects(&self) -> &'static [Defect] {
        S::Rules::DEFECTS
    }

    fn check(&self) -> Result<(), String> {
        S::check(self)
    }

    fn with_timing(&self, timing: &Timing) -> Arc<dyn Configured> {
        Arc::new(Self { timing: timing.clone(), ..self.clone() })
    }

    fn with_network(&self, network: &NetworkProfile) -> Arc<dyn Configured> {
        Arc::new(Self { network: network.clone(), ..self.clone() })
    }

    fn to_value(&self, scenario: &Scenario) -> Value {
        let value = |section: Result<Value, _>| section.expect("a scenario is plain data");
        let file = File {
            name: scenario.name.clone(),
            system: S::NAME.to_owned(),
            summary: scenario.summary.clone(),
            checks: scenario.checks.clone(),
            shape: value(serde_json::to_value(&self.shape)),
            timing: scenario.timing.clone(),
            clock: scenario.clock.clone(),
            network: scenario.network.clone(),
            disk: scenario.disk.clone(),
            workload: value(serde_json::to_value(&self.workload)),
            faults: scenario.faults.clone(),
            matrix: scenario.matrix.clone(),
        };
        value(serde_json::to_value(file))
    }

    fn faces(&self) -> Vec<Faces> {
        faces(&S::members(self, S::Rules::hardened()))
    }

    fn aimable(&self) -> Aimable {
        S::aimable(self)
    }

    fn work(&self, variant: Variant, defect: Option<Defect>, seed: Seed) -> Arc<dyn Work> {
        Arc::new(self.ready(Self::rules(variant, defect), S::requests(self, seed)))
    }

    fn work_from(
        &self,
        variant: Variant,
        defect: Option<Defect>,
        requests: &[Value],
    ) -> Result<Arc<dyn Work>, (usize, ForeignRequest)> {
        let rules = Self::rules(variant, defect);
        let faces = faces(&S::members(self, rules));
        let read = |(index, value): (usize, &Value)| {
            read_request(self, &faces, value).map_err(|found| (index, found))
        };
        let requests: Result<Vec<_>, _> = requests.iter().enumerate().map(read).collect();
        Ok(Arc::new(self.ready(rules, requests?)))
    }
}

fn faces<N>(members: &[Member<N>]) -> Vec<Faces> {
    members.iter().map(|member| Faces { role: member.role, label: member.label }).collect()
}

/// A request that was written down, if the system can be asked it.
fn read_request<S: System>(
    parameters: &Parameters<S>,
    faces: &[Faces],
    value: &Value,
) -> Result<Planned<S>, ForeignRequest> {
    let planned = <(TrueTime, NodeId, RequestOf<S>)>::deserialize(value);
    let planned = planned.map_err(|error| ForeignRequest::Malformed(error.to_string()))?;
    let (at, node, request) = &planned;
    let face = faces.get(node.index()).ok_or(ForeignRequest::UnknownNode(*node))?;
    S::accept(parameters, face.label, request)?;
    let end = S::asked_until(parameters, request);
    if *at >= end {
        return Err(ForeignRequest::TooLate { at: *at, end });
    }
    Ok(planned)
}

impl<S: System> Ready<S> {
    /// What the world leaves, observations and all.
    fn observe(&self, common: Common) -> Result<Evidence<ObservationOf<S>>, SubstrateError> {
        let Common { seed, clock, disk, network, plan, options, phases, substrate } = common;
        let nodes = self.members.iter().map(|member| NodeSetup {
            node: member.node.clone(),
            clock: clock.clone(),
            disk: disk.clone(),
            service: member.service,
            version: S::first_version(&self.parameters, member.role),
        });
        let nodes = nodes.collect();
        let setup = WorldSetup { seed, nodes, network, plan, requests: self.requests.clone(), options };
        substrate::run(substrate, setup, phases)
    }
}

/// What the nodes of a plan's system `S` show in its run.
#[cfg(test)]
pub(crate) fn observed<S: System>(plan: &crate::plan::Plan) -> Vec<super::Seen<S>> {
    let system: &dyn core::any::Any = &*plan.scenario.system;
    let parameters: &Parameters<S> = system.downcast_ref().expect("the plan is one of that system");
    let rules = Parameters::<S>::rules(plan.build.variant, plan.build.defect);
    let ready = parameters.ready(rules, S::requests(parameters, plan.seed));
    ready.observe(plan.common(false)).expect("the plan makes sense").observations
}

impl<S: System> Work for Ready<S> {
    fn faces(&self) -> Vec<Faces> {
        faces(&self.members)
    }

    fn aims(&self) -> Aims {
        S::aims(&self.parameters, &self.requests)
    }

    fn requests(&self) -> Vec<Value> {
        let value = |request: &Planned<S>| serde_json::to_value(request).expect("a request is plain data");
        self.requests.iter().map(value).collect()
    }

    fn run(&self, common: Common) -> Result<Ran, SubstrateError> {
        let (observations, evidence) = self.observe(common)?.split();
        let watch = Stopwatch::start();
        let members = self.members.iter().zip(0..);
        let clients: Vec<_> =
            members.filter(|(member, _)| member.role == Role::Client).map(|(_, id)| NodeId(id)).collect();
        let setting = Setting { parameters: &self.parameters, rules: self.rules, clients: &clients };
        let recorded = S::record(setting, &observations);
        let recording_ns = watch.elapsed_ns();
        Ok(Ran { evidence, families: recorded.families, progress: recorded.progress, recording_ns })
    }
}
