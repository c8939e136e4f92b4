//! Many seeds: the same answers for any number of jobs, and a run folder for each of the first violations.
//!
//! ```text
//!   (scenario, seed) 0, 1, 2, ... ──► workers take the next one ──► results, put in order ──► verdicts.jsonl
//! ```
//!
//! Every run is a value of its own; threads share only the counter that hands out the next seed. What stands in order without
//! a hole can be kept on the way, so that a soak that is killed can be resumed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use reports::run_folder::{FirstViolation, Outcome, PerSecond, RunVerdict, ScenarioCounts, SoakSummary};
use sim::substrate::SubstrateError;

use crate::parallel::on_threads;
use crate::plan::{Build, Origin, Plan, VERSION};
use crate::runner::{self, Run};
use crate::scenario::Scenario;
use crate::stopwatch::Stopwatch;

/// Most run folders that a soak keeps.
pub const RUNS_MAX: usize = 100;

const SECOND_NS: u64 = 1_000_000_000;

/// What to run.
pub struct Soak {
    /// The scenarios, in order, and where each came from.
    pub scenarios: Vec<(Arc<Scenario>, Origin)>,
    /// The seeds of each.
    pub seeds: Range<u64>,
    /// The system.
    pub build: Build,
    /// How a seed becomes a plan: [`runner::plan_for`], unless plans are to be others.
    pub plan: fn(&Arc<Scenario>, u64, Build) -> Plan,
    /// How many threads.
    pub jobs: usize,
    /// Stop after the K-th violation, in the order of scenarios and seeds.
    pub stop_after: Option<usize>,
    /// Stop handing out seeds after so many nanoseconds of the host's time.
    pub time_limit_ns: Option<u64>,
    /// Run no seed whose verdict is here already, in the same order.
    pub known: Vec<RunVerdict>,
}

/// What came out.
pub struct Soaked {
    /// One verdict a run, by scenario and seed.
    pub verdicts: Vec<RunVerdict>,
    /// The first violations' runs, at most [`RUNS_MAX`].
    pub violations: Vec<Run>,
    /// Nanoseconds of the host's time.
    pub wall_ns: u64,
}

/// What there is of a soak, in order and without a hole.
pub struct Part<'a> {
    /// One verdict a run, by scenario and seed.
    pub verdicts: Vec<&'a RunVerdict>,
    /// The first violations' runs, at most [`RUNS_MAX`]; of runs that were known before there are none.
    pub violations: Vec<&'a Run>,
    /// Nanoseconds of the host's time.
    pub wall_ns: u64,
}

/// A run that came to no end.
#[derive(Debug, thiserror::Error)]
#[error("scenario {scenario}, seed {seed}: {error}")]
pub struct SoakError {
    /// Which scenario.
    pub scenario: String,
    /// Which seed.
    pub seed: u64,
    /// What is wrong.
    pub error: SubstrateError,
}

/// One result on its way from a worker.
struct Finished {
    index: usize,
    verdict: RunVerdict,
    run: Option<Box<Run>>,
}

impl Soak {
    /// Runs everything; `progress` hears each verdict as it comes, in any order.
    ///
    /// # Errors
    /// If a run comes to no end; then no further one begins.
    pub fn run(&self, progress: impl FnMut(&RunVerdict)) -> Result<Soaked, SoakError> {
        self.run_keeping(progress, |_| {})
    }

    /// The same; `keep` is given what there is from time to time, at least a second and a hundred times as long as it took the
    /// last time apart.
    ///
    /// # Errors
    /// If a run comes to no end; then no further one begins.
    pub fn run_keeping(
        &self,
        mut progress: impl FnMut(&RunVerdict),
        mut keep: impl FnMut(&Part<'_>),
    ) -> Result<Soaked, SoakError> {
        let watch = Stopwatch::start();
        let mut gathered = Gathered::new(self.stop_after);
        for (index, verdict) in self.known.iter().enumerate() {
            gathered.take(Finished { index, verdict: verdict.clone(), run: None });
        }
        let mut pace = Pace::default();
        let next = AtomicUsize::new(self.known.len());
        let is_over = AtomicBool::new(gathered.is_over());
        let mut failed = None;
        let shared = Shared { next: &next, is_over: &is_over, watch };
        on_threads(
            self.jobs,
            |sender| self.work(&shared, sender),
            |receiver| {
                for finished in receiver {
                    match finished {
                        Ok(finished) => {
                            progress(&finished.verdict);
                            gathered.take(finished);
                            pace.keep(watch, || keep(&gathered.part(watch.elapsed_ns())));
                        }
                        Err(error) => {
                            failed.get_or_insert(error);
                        }
                    }
                    if gathered.is_over() || failed.is_some() {
                        is_over.store(true, Ordering::Relaxed);
                    }
                }
            },
        );
        if let Some(error) = failed {
            return Err(error);
        }
        let (verdicts, violations) = gathered.finish();
        Ok(Soaked { verdicts, violations, wall_ns: watch.elapsed_ns() })
    }

    /// How many runs there are to do.
    #[must_use]
    pub fn count(&self) -> usize {
        let seeds = self.seeds.end.saturating_sub(self.seeds.start);
        self.scenarios.len() * usize::try_from(seeds).unwrap_or(usize::MAX / (self.scenarios.len().max(1)))
    }

    fn work(&self, shared: &Shared<'_>, sender: &Sender<Result<Finished, SoakError>>) {
        let is_out_of_time = || self.time_limit_ns.is_some_and(|limit| shared.watch.elapsed_ns() >= limit);
        while !shared.is_over.load(Ordering::Relaxed) && !is_out_of_time() {
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.count() {
                return;
            }
            let finished = self.run_one(index).map(|run| {
                let verdict = run.verdict.clone();
                let is_violated = verdict.verdict == Outcome::Violated;
                Finished { index, verdict, run: is_violated.then(|| Box::new(run)) }
            });
            if sender.send(finished).is_err() {
                return;
            }
        }
    }

    /// Which run has that place in the order of scenarios and seeds: its scenario, and its seed; none if there are fewer.
    #[must_use]
    pub fn run_at(&self, index: usize) -> Option<(&(Arc<Scenario>, Origin), u64)> {
        let seeds = usize::try_from(self.seeds.end.saturating_sub(self.seeds.start)).ok()?;
        let scenario = self.scenarios.get(index.checked_div(seeds)?)?;
        Some((scenario, self.seeds.start + (index % seeds) as u64))
    }

    fn run_one(&self, index: usize) -> Result<Run, SoakError> {
        let ((scenario, origin), seed) = self.run_at(index).expect("counted before");
        let mut plan = (self.plan)(scenario, seed, self.build);
        plan.origin = origin.clone();
        let _named = NamedIfItPanics { scenario: &scenario.name, seed };
        runner::run(plan, false).map_err(|error| SoakError { scenario: scenario.name.clone(), seed, error })
    }
}

/// Says which run it was, if an invariant of a system does not hold there: one of thousands.
struct NamedIfItPanics<'a> {
    scenario: &'a str,
    seed: u64,
}

impl Drop for NamedIfItPanics<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { scenario, seed } = self;
            let _ = writeln!(
                std::io::stderr(),
                "scenario {scenario}, seed {seed}: the run panicked, as told above"
            );
        }
    }
}

struct Shared<'a> {
    next: &'a AtomicUsize,
    is_over: &'a AtomicBool,
    watch: Stopwatch,
}

/// Results in order, however they came.
struct Gathered {
    verdicts: BTreeMap<usize, RunVerdict>,
    /// Runs kept for their folders, the earliest by index.
    violations: BTreeMap<usize, Run>,
    stop_after: Option<usize>,
    /// All indices below this are there.
    complete_below: usize,
    violated_count: usize,
    /// Where the K-th violation in order was found.
    last: Option<usize>,
}

impl Gathered {
    const fn new(stop_after: Option<usize>) -> Self {
        Self {
            verdicts: BTreeMap::new(),
            violations: BTreeMap::new(),
            stop_after,
            complete_below: 0,
            violated_count: 0,
            last: None,
        }
    }

    fn take(&mut self, finished: Finished) {
        self.verdicts.insert(finished.index, finished.verdict);
        if let Some(run) = finished.run {
            self.violations.insert(finished.index, *run);
            if self.violations.len() > RUNS_MAX {
                self.violations.pop_last();
            }
        }
        while let Some(verdict) = self.verdicts.get(&self.complete_below) {
            self.violated_count += usize::from(verdict.verdict == Outcome::Violated);
            if self.last.is_none() && self.stop_after.is_some_and(|count| self.violated_count >= count.max(1))
            {
                self.last = Some(self.complete_below);
            }
            self.complete_below += 1;
        }
    }

    const fn is_over(&self) -> bool {
        self.last.is_some()
    }

    /// Where what stands in order without a hole ends: at the last violation wanted, or as far as there was time.
    fn end(&self) -> usize {
        self.last.map_or(self.complete_below, |last| last + 1)
    }

    fn part(&self, wall_ns: u64) -> Part<'_> {
        let end = self.end();
        let verdicts = self.verdicts.range(..end).map(|(_, verdict)| verdict).collect();
        Part { verdicts, violations: self.violations.range(..end).map(|(_, run)| run).collect(), wall_ns }
    }

    fn finish(mut self) -> (Vec<RunVerdict>, Vec<Run>) {
        let end = self.end();
        drop((self.verdicts.split_off(&end), self.violations.split_off(&end)));
        (self.verdicts.into_values().collect(), self.violations.into_values().collect())
    }
}

/// When something that takes time is done again: keeping all verdicts takes the longer, the more there are.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    next_ns: u64,
}

impl Pace {
    fn keep(&mut self, watch: Stopwatch, keep: impl FnOnce()) {
        let began_ns = watch.elapsed_ns();
        if began_ns >= self.next_ns {
            keep();
            let ended_ns = watch.elapsed_ns();
            self.next_ns = next_keeping(began_ns, ended_ns);
        }
    }
}

/// When to keep again what took so long to keep: it takes a hundredth of the time.
const fn next_keeping(began_ns: u64, ended_ns: u64) -> u64 {
    let pause_ns = (ended_ns - began_ns).saturating_mul(100);
    ended_ns.saturating_add(if pause_ns > SECOND_NS { pause_ns } else { SECOND_NS })
}

impl Soaked {
    /// All of it.
    #[must_use]
    pub fn part(&self) -> Part<'_> {
        let (verdicts, violations) = (self.verdicts.iter().collect(), self.violations.iter().collect());
        Part { verdicts, violations, wall_ns: self.wall_ns }
    }
}

impl Part<'_> {
    /// `soak.json`: counts, speed and the first violations. `arguments` tells this soak from others.
    #[must_use]
    pub fn summary(&self, arguments: serde_json::Value, new_count: u64) -> SoakSummary {
        let mut counts = BTreeMap::new();
        let mut by_scenario: BTreeMap<&str, ScenarioCounts> = BTreeMap::new();
        for verdict in &self.verdicts {
            *counts.entry(verdict.verdict).or_insert(0) += 1;
            let one = by_scenario.entry(&verdict.scenario).or_insert_with(|| ScenarioCounts {
                scenario: verdict.scenario.clone(),
                counts: BTreeMap::new(),
                wall_ns: 0,
            });
            *one.counts.entry(verdict.verdict).or_insert(0) += 1;
            one.wall_ns += verdict.wall_ns.unwrap_or_default();
        }
        let violated = self.verdicts.iter().filter(|verdict| verdict.verdict == Outcome::Violated);
        SoakSummary {
            version: VERSION.to_owned(),
            arguments,
            counts,
            seeds_per_second: PerSecond::of(new_count, self.wall_ns),
            first_violations: violated.take(RUNS_MAX).map(|verdict| first_violation(verdict)).collect(),
            by_scenario: by_scenario.into_values().collect(),
        }
    }
}

/// Where the run folder of a violation lies in a soak folder.
#[must_use]
pub fn run_name(verdict: &RunVerdict) -> String {
    format!("{}-{}", verdict.scenario, verdict.seed)
}

fn first_violation(verdict: &RunVerdict) -> FirstViolation {
    let violated: Vec<_> = verdict.checks.iter().filter(|check| check.verdict == Outcome::Violated).collect();
    FirstViolation {
        scenario: verdict.scenario.clone(),
        seed: verdict.seed,
        checks: violated.iter().map(|check| check.name.clone()).collect(),
        detail: violated.first().map(|check| check.detail.clone()).unwrap_or_default(),
        run: Some(format!("runs/{}", run_name(verdict))),
        replay: verdict.replay_command(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeping_takes_a_hundredth_of_the_time_and_comes_a_second_apart_at_least() {
        assert_eq!(next_keeping(5, 6), 6 + SECOND_NS);
        assert_eq!(next_keeping(0, SECOND_NS), 101 * SECOND_NS);
        assert_eq!(next_keeping(0, u64::MAX), u64::MAX);
    }
}
