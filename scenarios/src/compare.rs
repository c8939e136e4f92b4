//! The same scenario and seeds on every substrate of this build, with plans that all of them can express.

use std::ops::Range;
use std::sync::Arc;

use reports::comparison::Comparison;
use reports::run_folder::RunVerdict;
use sim::chance::{Ratio, Seed};
use sim::network_profile::NetworkProfile;
use sim::substrate::Substrate;

use crate::nemesis;
use crate::plan::{Build, Origin, Plan};
use crate::scenario::Scenario;
use crate::soak::{Soak, SoakError};

/// What to compare.
pub struct Compare {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// Where it came from.
    pub origin: Origin,
    /// Its seeds.
    pub seeds: Range<u64>,
    /// The system; its substrate has no say.
    pub build: Build,
    /// How many threads.
    pub jobs: usize,
}

impl Compare {
    /// Runs all of it, substrate after substrate; `progress` hears each verdict as it comes.
    ///
    /// # Errors
    /// If a run comes to no end.
    pub fn run(&self, mut progress: impl FnMut(&RunVerdict)) -> Result<Comparison, SoakError> {
        let (built, not_built): (Vec<_>, Vec<_>) =
            Substrate::ALL.into_iter().partition(|substrate| substrate.is_built());
        let scenario = Arc::new(without_lossy_links(&self.scenario));
        let soak = |substrate: &Substrate| Soak {
            scenarios: vec![(Arc::clone(&scenario), self.origin.clone())],
            seeds: self.seeds.clone(),
            build: Build { substrate: *substrate, ..self.build },
            plan: common_plan,
            jobs: self.jobs,
            stop_after: None,
            time_limit_ns: None,
            known: Vec::new(),
        };
        let runs: Result<Vec<_>, SoakError> =
            built.iter().map(|substrate| Ok(soak(substrate).run(&mut progress)?.verdicts)).collect();
        let name = |substrate: &Substrate| substrate.name().to_owned();
        Ok(Comparison {
            scenario: self.scenario.name.clone(),
            substrates: built.iter().map(name).collect(),
            not_built: not_built.iter().map(name).collect(),
            left_out: left_out(&self.scenario),
            runs: runs?,
        })
    }

    /// How many runs there are to do.
    #[must_use]
    pub fn count(&self) -> usize {
        let substrates = Substrate::ALL.into_iter().filter(|substrate| substrate.is_built()).count();
        let seeds = self.seeds.end.saturating_sub(self.seeds.start);
        usize::try_from(seeds).unwrap_or(usize::MAX).saturating_mul(substrates)
    }
}

/// The plan of a seed with only what every substrate can express, for the one that `build` names.
///
/// Families that a substrate lacks are drawn and left out, so that the plan of the one that lacks the most is the plan
/// of all: the others would have more.
fn common_plan(scenario: &Arc<Scenario>, seed: u64, build: Build) -> Plan {
    let lacked_count = |substrate: &Substrate| nemesis::left_out(scenario, *substrate).len();
    let poorest = Substrate::ALL.into_iter().max_by_key(lacked_count);
    let substrate = poorest.expect("there are substrates");
    let mut plan = Plan::new(Arc::clone(scenario), Seed(seed), Build { substrate, ..build });
    plan.build = build;
    let is_common = Substrate::ALL.into_iter().all(|substrate| substrate.accept(&plan.faults).is_ok());
    assert!(is_common, "{substrate} lacks what any of them lacks");
    plan
}

/// What no plan of the comparison has: families of faults, and figures of the network.
fn left_out(scenario: &Scenario) -> Vec<String> {
    let lists = Substrate::ALL.map(|substrate| {
        let families = nemesis::left_out(scenario, substrate).into_iter().map(|family| family.to_string());
        let figures = substrate.left_out_of(&scenario.network).into_iter();
        families.chain(figures.map(|figure| format!("network.{figure}"))).collect::<Vec<_>>()
    });
    let mut all = lists.concat();
    all.sort_unstable();
    all.dedup();
    all
}

/// The scenario with a network that neither loses, doubles, reorders nor damages by itself.
fn without_lossy_links(scenario: &Scenario) -> Scenario {
    let mut scenario = scenario.clone();
    if Substrate::ALL.into_iter().any(|substrate| !substrate.has_lossy_links()) {
        scenario.network = NetworkProfile {
            loss: Ratio::NEVER,
            duplication: Ratio::NEVER,
            reorder: Ratio::NEVER,
            burst: None,
            corruption: Ratio::NEVER,
            bandwidth: None,
            ..scenario.network
        };
        scenario.system = scenario.system.with_network(&scenario.network);
    }
    scenario
}
