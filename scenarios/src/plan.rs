//! A run before its first event: everything that will be asked and everything that will go wrong, as data.

use std::sync::Arc;

use model::rules::{Defect, Variant};
use reports::run_folder;
use serde_json::Value;
use sim::chance::Seed;
use sim::fault::FaultPlan;
use sim::node::NodeId;
use sim::setup::RunOptions;
use sim::substrate::{Phases, Substrate};
use sim::time::{Span, TrueTime};

use crate::nemesis;
use crate::scenario::{Scenario, ScenarioError};
use crate::scenario_file;
use crate::system::{Common, Faces, ForeignRequest, Work};
use crate::{mutants, systems};

mod foreign;

/// The version that plans and verdicts name.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How a system is built for a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// As commonly built, or to hold its promise.
    pub variant: Variant,
    /// With this defect planted, if any.
    pub defect: Option<Defect>,
    /// What its nodes run on.
    pub substrate: Substrate,
}

/// Where a scenario came from, beside its name: what the command that makes the run again must say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its file, if it is not one of the catalog's.
    pub path: Option<String>,
    /// What was set in it, each as `KEY=VALUE`.
    pub settings: Vec<String>,
}

/// Everything about a run that is fixed before it.
#[derive(Clone)]
pub struct Plan {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// Where it came from.
    pub origin: Origin,
    /// The seed.
    pub seed: Seed,
    /// The system.
    pub build: Build,
    /// The nodes, and what is asked of them.
    pub work: Arc<dyn Work>,
    /// What goes wrong.
    pub faults: FaultPlan,
}

impl Plan {
    /// The plan of (scenario, seed): all chance that is not the world's own is drawn here.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>, seed: Seed, build: Build) -> Self {
        let work = scenario.system.work(build.variant, build.defect, seed);
        let faults = nemesis::plan(&scenario, &*work, seed, build.substrate);
        Self { scenario, origin: Origin::default(), seed, build, work, faults }
    }

    /// What the world is made from, besides the nodes and what is asked of them.
    #[must_use]
    pub fn common(&self, keeps_trace: bool) -> Common {
        let Scenario { clock, disk, network, timing, .. } = &*self.scenario;
        Common {
            seed: self.seed,
            clock: clock.clone(),
            disk: disk.clone(),
            network: network.clone(),
            plan: self.faults.clone(),
            options: RunOptions {
                keep_trace: keeps_trace,
                clock_sample_every: Some(Span::from_ms(timing.sample_ms.get())),
            },
            phases: Phases { faults_end: Some(instant(timing.chaos())), end: instant(timing.whole()) },
            substrate: self.build.substrate,
        }
    }

    /// The variant's name.
    #[must_use]
    pub fn variant_name(&self) -> String {
        word(&self.build.variant)
    }

    /// The mutant's name, if it is one.
    #[must_use]
    pub fn mutant_name(&self) -> Option<String> {
        self.build.defect.map(|defect| defect.to_string())
    }

    /// The nodes of the run, with their names.
    #[must_use]
    pub fn nodes(&self) -> Vec<run_folder::NodePlan> {
        nodes(&self.work.faces())
    }

    /// The plan as it is written down.
    ///
    /// # Panics
    /// Never: scenarios and requests are plain data.
    #[must_use]
    pub fn to_file(&self) -> run_folder::Plan {
        run_folder::Plan {
            version: VERSION.to_owned(),
            scenario: self.scenario.system.to_value(&self.scenario),
            name: self.scenario.name.clone(),
            system: self.scenario.system.name().to_owned(),
            seed: self.seed.0,
            variant: self.variant_name(),
            mutant: self.mutant_name(),
            substrate: self.build.substrate.name().to_owned(),
            nodes: self.nodes(),
            chaos_ends_ns: self.scenario.timing.chaos().as_ns(),
            ends_ns: self.scenario.timing.whole().as_ns(),
            faults: self.faults.clone(),
            left_out: nemesis::left_out(&self.scenario, self.build.substrate),
            requests: self.work.requests(),
        }
    }

    /// The plan that was written down.
    ///
    /// # Errors
    /// If a part of it is not what this version writes, or belongs to another scenario than the one in it.
    pub fn from_file(file: &run_folder::Plan) -> Result<Self, PlanFileError> {
        let scenario = scenario(&file.scenario)?;
        scenario_file::check_consistency("plan.json: `scenario`", &scenario)?;
        let defect = file.mutant.as_ref().map(|name| defect(&scenario, name)).transpose()?;
        let build = Build {
            variant: part("variant", &Value::from(file.variant.as_str()))?,
            defect,
            substrate: part("substrate", &Value::from(file.substrate.as_str()))?,
        };
        foreign::check(&scenario, file)?;
        let work = scenario.system.work_from(build.variant, defect, &file.requests);
        let work = work.map_err(|(index, reason)| PlanFileError::Request { index, reason })?;
        let (scenario, origin, seed) = (Arc::new(scenario), Origin::default(), Seed(file.seed));
        Ok(Self { scenario, origin, seed, build, work, faults: file.faults.clone() })
    }
}

/// The nodes as they are written down.
fn nodes(faces: &[Faces]) -> Vec<run_folder::NodePlan> {
    let node = |(face, id): (&Faces, u32)| run_folder::NodePlan {
        id,
        name: node_name(faces, NodeId(id)),
        role: face.label.to_owned(),
    };
    faces.iter().zip(0..).map(node).collect()
}

/// What a node is called in reports.
fn node_name(faces: &[Faces], id: NodeId) -> String {
    let label = faces[id.index()].label;
    let same = |faces: &[Faces]| faces.iter().filter(|face| face.label == label).count();
    if same(faces) == 1 {
        return label.to_owned();
    }
    format!("{label}-{}", same(&faces[..id.index()]) + 1)
}

/// The scenario that was written down.
fn scenario(value: &Value) -> Result<Scenario, PlanFileError> {
    let name = value.get("system").and_then(Value::as_str).unwrap_or_default();
    let system = systems::find(name).ok_or_else(|| PlanFileError::Foreign {
        part: "scenario.system",
        found: format!("`{name}`"),
        expected: systems::ALL.iter().map(|system| system.name()).collect::<Vec<_>>().join(", "),
    })?;
    system.read_value(value).map_err(|source| PlanFileError::Part { part: "scenario", source })
}

/// The defect of that name that the scenario's system can be built with.
fn defect(scenario: &Scenario, name: &str) -> Result<Defect, PlanFileError> {
    let defects = scenario.system.defects();
    let known = mutants::find(name).filter(|defect| defects.contains(defect));
    known.ok_or_else(|| PlanFileError::Foreign {
        part: "mutant",
        found: format!("`{name}`"),
        expected: defects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    })
}

/// Why a plan file cannot be run again.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// A part of it is not what this version writes.
    #[error("plan.json: `{part}`: {source}")]
    Part {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Its scenario contradicts itself.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A part of it is of another scenario.
    #[error("plan.json: `{part}`: found {found}, its scenario has {expected}")]
    Foreign {
        /// Which part.
        part: &'static str,
        /// What it says.
        found: String,
        /// What the scenario says.
        expected: String,
    },
    /// A fault takes a client down.
    #[error(
        "plan.json: `faults[{index}]` takes {node} down: a client would forget which operations were its own"
    )]
    ClientDown {
        /// Which fault, from 0.
        index: usize,
        /// Whom.
        node: NodeId,
    },
    /// A request is of another scenario.
    #[error("plan.json: `requests[{index}]` {reason}")]
    Request {
        /// Which request, from 0.
        index: usize,
        /// Why its scenario cannot have it.
        reason: ForeignRequest,
    },
}

fn part<T: serde::de::DeserializeOwned>(part: &'static str, value: &Value) -> Result<T, PlanFileError> {
    T::deserialize(value).map_err(|source| PlanFileError::Part { part, source })
}

/// The name of a plain enum's value, as files have it.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => unreachable!("a plain enum's value is written as its name, not as {other:?}"),
    }
}

/// The end of a phase as an instant.
#[must_use]
pub fn instant(since_start: Span) -> TrueTime {
    TrueTime::ZERO + since_start
}
