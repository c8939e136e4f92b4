//! How far a figure of the world can go until each promise breaks: the largest clock error, drift or load, the shortest
//! lead time that it is kept with.
//!
//! ```text
//!   harmless ──1──2──5──10──20──50──►     all seeds at each step; a promise that broke is not asked about again
//!              kept   kept  broken at 20 by seed 3: kept to 10
//! ```
//!
//! Nothing else goes wrong meanwhile, unless the settings name a cell of the matrix (`cell=clock`): what breaks then, the
//! figure has broken.

use std::ops::Range;
use std::sync::Arc;

use model::rules::{Defect, Variant};
use reports::run_folder::{Outcome, RunVerdict};
use reports::sweep::{Broken, Row, Sweep, Unit};
use sim::substrate::Substrate;

use crate::catalog;
use crate::plan::{Build, Origin, word};
use crate::runner;
use crate::scenario::{self, Scenario, ScenarioError};
use crate::soak::{Soak, SoakError};

/// What can be swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dial {
    /// How far each clock is off at most, from the beginning and for ever; its bound covers that.
    ClockError,
    /// How fast clocks drift at most, with nobody to steer them; their bounds cover that.
    Drift,
    /// The same, of which the clocks claim nothing.
    UnclaimedDrift,
    /// How long before its start a version is published at least.
    LeadTime,
    /// How much is asked.
    Load,
}

/// What to sweep.
pub struct Sweeping {
    /// A name from the catalog, or the path of a scenario file.
    pub name: String,
    /// What is changed in it throughout.
    pub settings: Vec<String>,
    /// What is changed step by step.
    pub over: Dial,
    /// What the hardened variant is compared with: that defect in it, or the naive one.
    pub defect: Option<Defect>,
    /// The seeds of each step.
    pub seeds: Range<u64>,
    /// How many threads.
    pub jobs: usize,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The scenario, or the first step of it.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The scenario lacks what is to be changed.
    #[error("{scenario} has no `{key}`: expected another `--over` than {dial}")]
    Lacks {
        /// Which scenario.
        scenario: String,
        /// The key that is missing.
        key: &'static str,
        /// What was asked for.
        dial: &'static str,
    },
    /// A run.
    #[error(transparent)]
    Soak(#[from] SoakError),
}

impl Dial {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ClockError, Self::Drift, Self::UnclaimedDrift, Self::LeadTime, Self::Load];

    /// As commands name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClockError => "clock-error",
            Self::Drift => "drift",
            Self::UnclaimedDrift => "unclaimed-drift",
            Self::LeadTime => "lead-time",
            Self::Load => "load",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ClockError => "each clock is off by up to so much, and claims a bound that covers it",
            Self::Drift => "clocks drift by up to so much and are not steered; their bounds grow with it",
            Self::UnclaimedDrift => "clocks drift by up to so much, and claim that they do not",
            Self::LeadTime => "versions are published so long before they start",
            Self::Load => "clients together ask so much each second",
        }
    }

    const fn unit(self) -> Unit {
        match self {
            Self::ClockError => Unit::Ns,
            Self::Drift | Self::UnclaimedDrift => Unit::Ppb,
            Self::LeadTime => Unit::Ms,
            Self::Load => Unit::PerSecond,
        }
    }

    /// The values to try, from the harmless end on.
    fn steps(self, scenario: &Scenario) -> Result<Vec<u64>, SweepError> {
        Ok(match self {
            Self::ClockError => round_steps(10_000, 10_000_000_000).collect(),
            Self::Drift | Self::UnclaimedDrift => round_steps(1_000, 100_000_000).collect(),
            Self::LeadTime => {
                let now = self.figure(scenario, ("shape", "lead-ms"), "shape.lead-ms")?;
                let mut steps: Vec<_> = round_steps(1, now).filter(|step| *step < now).collect();
                steps.push(now);
                steps.reverse();
                steps
            }
            Self::Load => {
                let key = ("workload", "requests-per-s");
                let now = self.figure(scenario, key, "workload.requests-per-s")?.max(1);
                let above = round_steps(1, now.saturating_mul(200)).filter(|step| *step > now);
                core::iter::once(now).chain(above).collect()
            }
        })
    }

    /// What stands in the scenario at that key.
    fn figure(
        self,
        scenario: &Scenario,
        (table, key): (&str, &str),
        shown: &'static str,
    ) -> Result<u64, SweepError> {
        let lacks = || SweepError::Lacks { scenario: scenario.name.clone(), key: shown, dial: self.name() };
        scenario.system.to_value(scenario)[table][key].as_u64().ok_or_else(lacks)
    }

    /// The settings that give a scenario that value.
    fn settings(self, value: u64) -> Vec<String> {
        let clock = |offset: u64, drift: u64| {
            let (offset, drift) =
                (format!("clock.offset_ns_max={offset}"), format!("clock.drift_ppb_max={drift}"));
            vec![offset, drift, "clock.wander_ppb=0".to_owned(), "clock.disciplined=false".to_owned()]
        };
        match self {
            Self::ClockError => clock(value, 0),
            Self::Drift => clock(0, value),
            Self::UnclaimedDrift => {
                let mut settings = clock(0, value);
                settings.extend(["clock.assumed_ppb=0", "clock.bound=estimated"].map(str::to_owned));
                settings
            }
            Self::LeadTime => vec![format!("shape.lead-ms={value}")],
            Self::Load => vec![format!("workload.requests-per-s={value}")],
        }
    }
}

/// 1, 2 or 5 times a power of ten, from `first` to `last`.
fn round_steps(first: u64, last: u64) -> impl Iterator<Item = u64> {
    let powers = core::iter::successors(Some(1_u64), |power| power.checked_mul(10));
    let steps =
        powers.flat_map(|power| [1, 2, 5].into_iter().filter_map(move |digit| power.checked_mul(digit)));
    steps.skip_while(move |step| *step < first).take_while(move |step| *step <= last)
}

impl Sweeping {
    /// The values to try, from the harmless end on.
    ///
    /// # Errors
    /// If the scenario cannot be had, or has no such figure.
    pub fn steps(&self) -> Result<Vec<u64>, SweepError> {
        self.over.steps(&scenario::load(&self.name, &self.settings)?)
    }

    /// Takes one step after the other; `progress` hears of each, and whether it broke a promise.
    ///
    /// # Errors
    /// If the scenario cannot be had or swept like that, or a run comes to no end.
    pub fn run(&self, mut progress: impl FnMut(bool)) -> Result<Sweep, SweepError> {
        let scenario = scenario::load(&self.name, &self.settings)?;
        scenario::accept_defect(&scenario, self.defect)?;
        let mut sweep = self.begin(&scenario);
        for value in self.over.steps(&scenario)? {
            let (step, origin) = match self.load(value) {
                Ok(loaded) => loaded,
                Err(error) if sweep.steps.is_empty() => return Err(error.into()),
                Err(error) => {
                    sweep.refused = Some((value, error.to_string()));
                    break;
                }
            };
            let broken_before = broken_count(&sweep);
            for build in self.builds() {
                let rows = || sweep.rows.iter().filter(|row| row.variant == built(build));
                if rows().any(|row| row.broken.is_none()) {
                    let verdicts = self.verdicts(&step, &origin, build)?;
                    let rows = sweep.rows.iter_mut().filter(|row| row.variant == built(build));
                    rows.for_each(|row| record(row, value, &verdicts));
                }
            }
            sweep.steps.push(value);
            progress(broken_count(&sweep) > broken_before);
            if broken_count(&sweep) == sweep.rows.len() {
                break;
            }
        }
        Ok(sweep)
    }

    /// Who is compared.
    fn builds(&self) -> [Build; 2] {
        let build = |variant, defect| Build { variant, defect, substrate: Substrate::Kernel };
        let other = match self.defect {
            Some(defect) => build(Variant::Hardened, Some(defect)),
            None => build(Variant::Naive, None),
        };
        [build(Variant::Hardened, None), other]
    }

    fn begin(&self, scenario: &Scenario) -> Sweep {
        let row = |build: Build, check: &String| {
            let (variant, check) = (built(build), check.clone());
            Row { variant, check, kept_to: None, broken: None, undecided: 0 }
        };
        let rows = |build: Build| scenario.checks.iter().map(move |check| row(build, check));
        Sweep {
            scenario: scenario.name.clone(),
            over: self.over.name().to_owned(),
            meaning: self.over.meaning().to_owned(),
            unit: self.over.unit(),
            steps: Vec::new(),
            refused: None,
            seeds: self.seeds.clone(),
            rows: self.builds().into_iter().flat_map(rows).collect(),
        }
    }

    /// The scenario of a step.
    fn load(&self, value: u64) -> Result<(Arc<Scenario>, Origin), ScenarioError> {
        let mut settings = self.settings.clone();
        if !settings.iter().any(|setting| setting.starts_with("cell=")) {
            settings.push("cell=calm".to_owned());
        }
        settings.extend(self.over.settings(value));
        let scenario = Arc::new(scenario::load(&self.name, &settings)?);
        Ok((scenario, Origin { path: catalog::path_of(&self.name), settings }))
    }

    fn verdicts(
        &self,
        scenario: &Arc<Scenario>,
        origin: &Origin,
        build: Build,
    ) -> Result<Vec<RunVerdict>, SoakError> {
        let soak = Soak {
            scenarios: vec![(Arc::clone(scenario), origin.clone())],
            seeds: self.seeds.clone(),
            build,
            plan: runner::plan_for,
            jobs: self.jobs,
            stop_after: None,
            time_limit_ns: None,
            known: Vec::new(),
        };
        Ok(soak.run(|_| {})?.verdicts)
    }
}

/// How a system is built, in a word: its defect, if it has one.
fn built(build: Build) -> String {
    build.defect.map_or_else(|| word(&build.variant), |defect| defect.to_string())
}

fn broken_count(sweep: &Sweep) -> usize {
    sweep.rows.iter().filter(|row| row.broken.is_some()).count()
}

/// What the runs at `value` say about a promise that had not been broken.
fn record(row: &mut Row, value: u64, verdicts: &[RunVerdict]) {
    if row.broken.is_some() {
        return;
    }
    for verdict in verdicts {
        for check in verdict.checks.iter().filter(|check| check.name == row.check) {
            match check.verdict {
                Outcome::Violated => {
                    let (detail, replay) = (check.detail.clone(), verdict.replay_command());
                    row.broken = Some(Broken { at: value, seed: verdict.seed, detail, replay });
                    return;
                }
                Outcome::Undecided => row.undecided += 1,
                Outcome::Holds | Outcome::Vacuous => {}
            }
        }
    }
    row.kept_to = Some(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_stay_within_their_ends() {
        assert_eq!(round_steps(10, 200).collect::<Vec<_>>(), [10, 20, 50, 100, 200]);
        assert_eq!(round_steps(3, 19).collect::<Vec<_>>(), [5, 10]);
        assert_eq!(round_steps(7, 7).count(), 0);
        assert_eq!(round_steps(1, u64::MAX).last(), Some(10_000_000_000_000_000_000));
    }

    #[test]
    fn a_lead_time_shrinks_from_what_the_scenario_has_and_a_load_grows() {
        let scenario = scenario::load("capacity", &[]).expect("it is in the catalog");
        let steps = |dial: Dial| dial.steps(&scenario).expect("it has both");
        assert_eq!(steps(Dial::LeadTime)[..4], [5_000, 2_000, 1_000, 500]);
        assert_eq!(steps(Dial::Load)[..3], [100, 200, 500]);
    }

    #[test]
    fn a_scenario_without_the_figure_says_which_one_is_missing() {
        let scenario = scenario::load("election", &[]).expect("it is in the catalog");
        let error = Dial::LeadTime.steps(&scenario).expect_err("elections have no lead time");
        assert_eq!(
            error.to_string(),
            "election has no `shape.lead-ms`: expected another `--over` than lead-time"
        );
    }
}
