//! A run before its first event: everything that will be asked and everything that will go wrong, as data.

use std::sync::Arc;

use model::capacity::{self, Topology};
use model::client::Patience;
use model::rules::{Defect, Rules, Variant};
use reports::run_folder;
use serde_json::Value;
use sim::chance::Seed;
use sim::fault::FaultPlan;
use sim::network_profile::NetworkProfile;
use sim::node::NodeId;
use sim::setup::{NodeSetup, RunOptions, WorldSetup};
use sim::substrate::Substrate;
use sim::time::{Span, TrueTime};

use crate::nemesis;
use crate::recorder::{self, Setting};
use crate::scenario::{Scenario, ScenarioError};
use crate::scenario_file;
use crate::workload::{self, PlannedRequest};

mod foreign;

pub use foreign::ForeignRequest;

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

impl Build {
    /// The decisions it stands for.
    #[must_use]
    pub fn rules(self) -> Rules {
        let rules = Rules::of(self.variant);
        self.defect.map_or(rules, |defect| rules.with(defect))
    }
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
    /// Who is who.
    pub topology: Arc<Topology>,
    /// What is asked.
    pub requests: Vec<PlannedRequest>,
    /// What goes wrong.
    pub faults: FaultPlan,
}

impl Plan {
    /// The plan of (scenario, seed): all chance that is not the world's own is drawn here.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>, seed: Seed, build: Build) -> Self {
        let topology = Arc::new(topology(&scenario, build));
        let requests = workload::requests(&scenario, &topology, seed);
        let faults = nemesis::plan(&scenario, &topology, &requests, seed, build.substrate);
        Self { scenario, origin: Origin::default(), seed, build, topology, requests, faults }
    }

    /// What the recorder needs to know.
    #[must_use]
    pub fn setting(&self) -> Setting<'_> {
        Setting { scenario: &self.scenario, topology: &self.topology }
    }

    /// What the world is made from.
    #[must_use]
    pub fn world(&self, keeps_trace: bool) -> WorldSetup<capacity::Member> {
        let scenario = &self.scenario;
        let nodes = self.topology.members.iter().map(|member| NodeSetup {
            node: member.clone(),
            clock: scenario.clock.clone(),
            disk: scenario.disk.clone(),
            service: Span::from_us(scenario.shape.service_us.get()),
            version: 0,
        });
        WorldSetup {
            seed: self.seed,
            nodes: nodes.collect(),
            network: NetworkProfile::clone(&scenario.network),
            plan: self.faults.clone(),
            requests: self.requests.clone(),
            options: RunOptions {
                keep_trace: keeps_trace,
                clock_sample_every: Some(Span::from_ms(scenario.timing.sample_ms.get())),
            },
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
        self.build.defect.as_ref().map(word)
    }

    /// The plan as it is written down.
    ///
    /// # Panics
    /// Never: scenarios and requests are plain data.
    #[must_use]
    pub fn to_file(&self) -> run_folder::Plan {
        let members = self.topology.members.iter().zip(0..);
        let nodes = members.map(|(member, id)| run_folder::NodePlan {
            id,
            name: self.node_name(NodeId(id)),
            role: member.role().to_owned(),
        });
        let value =
            |request: &PlannedRequest| serde_json::to_value(request).expect("a request is plain data");
        run_folder::Plan {
            version: VERSION.to_owned(),
            scenario: serde_json::to_value(&*self.scenario).expect("a scenario is plain data"),
            name: self.scenario.name.clone(),
            system: self.scenario.system.name().to_owned(),
            seed: self.seed.0,
            variant: self.variant_name(),
            mutant: self.mutant_name(),
            substrate: self.build.substrate.name().to_owned(),
            nodes: nodes.collect(),
            chaos_ends_ns: self.scenario.timing.chaos().as_ns(),
            ends_ns: self.scenario.timing.whole().as_ns(),
            faults: self.faults.clone(),
            left_out: nemesis::left_out(&self.scenario, self.build.substrate),
            requests: self.requests.iter().map(value).collect(),
        }
    }

    /// The plan that was written down.
    ///
    /// # Errors
    /// If a part of it is not what this version writes, or belongs to another scenario than the one in it.
    pub fn from_file(file: &run_folder::Plan) -> Result<Self, PlanFileError> {
        let scenario: Scenario = part("scenario", &file.scenario)?;
        scenario_file::check_consistency("plan.json: `scenario`", &scenario)?;
        let build = Build {
            variant: part("variant", &Value::from(file.variant.as_str()))?,
            defect: file
                .mutant
                .as_ref()
                .map(|name| part("mutant", &Value::from(name.as_str())))
                .transpose()?,
            substrate: part("substrate", &Value::from(file.substrate.as_str()))?,
        };
        let topology = Arc::new(topology(&scenario, build));
        let requests: Result<Vec<PlannedRequest>, _> =
            file.requests.iter().map(|request| part("requests", request)).collect();
        let (requests, faults) = (requests?, file.faults.clone());
        let (scenario, origin, seed) = (Arc::new(scenario), Origin::default(), Seed(file.seed));
        let plan = Self { scenario, origin, seed, build, topology, requests, faults };
        foreign::check(&plan, file)?;
        Ok(plan)
    }

    /// What a node is called in reports.
    fn node_name(&self, id: NodeId) -> String {
        let role = self.topology.members[id.index()].role();
        let same = self.topology.members.iter().filter(|member| member.role() == role).count();
        if same == 1 {
            return role.to_owned();
        }
        let before = self.topology.members[..id.index()].iter().filter(|member| member.role() == role);
        format!("{role}-{}", before.count() + 1)
    }
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

fn topology(scenario: &Scenario, build: Build) -> Topology {
    let shape = &scenario.shape;
    let initial = recorder::initial_payload(scenario);
    let shape = capacity::Shape {
        service_count: shape.services.get_u32(),
        client_count: shape.clients.get_u32(),
        worker_count: shape.workers.get_u32(),
        slot_count: shape.slots.get_u32(),
        initial,
        lead: Span::from_ms(shape.lead_ms.get()),
        poll_every: Span::from_ms(shape.poll_ms.get()),
        patience: Patience {
            timeout: Span::from_ms(shape.timeout_ms.get()),
            backoff: Span::from_ms(50),
            deadline: Span::from_ms(shape.deadline_ms.get()),
        },
    };
    capacity::build(&shape, build.rules())
}

/// The end of a phase as an instant.
#[must_use]
pub fn instant(since_start: Span) -> TrueTime {
    TrueTime::ZERO + since_start
}
