//! Sweeps: a promise is kept up to a step and broken at the next, by the run whose command is shown.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use model::rules::Defect;
use reports::run_folder::Outcome;
use reports::sweep::{Row, Sweep};
use scenarios::plan::{Build, Origin};
use scenarios::sweep::{Dial, Sweeping};
use scenarios::{runner, scenario};

fn sweeping(over: Dial, defect: Option<Defect>, jobs: usize) -> Sweeping {
    Sweeping { name: "config-switch".to_owned(), settings: Vec::new(), over, defect, seeds: 0..3, jobs }
}

fn row<'a>(sweep: &'a Sweep, variant: &str, check: &str) -> &'a Row {
    sweep.rows.iter().find(|row| row.variant == variant && row.check == check).unwrap()
}

#[test]
fn a_bare_clock_is_early_or_late_once_it_is_off_and_an_interval_never_is() {
    let defect = Defect("no-clock-margin");
    let sweep = sweeping(Dial::ClockError, Some(defect), 2).run(|_| {}).unwrap();
    let bare = row(&sweep, defect.0, "switch-a");
    let broken = bare.broken.as_ref().unwrap();
    assert!(bare.kept_to.is_some_and(|kept_to| kept_to < broken.at), "{bare:?}");
    let margin = row(&sweep, "hardened", "switch-a");
    assert_eq!((margin.kept_to, &margin.broken), (Some(10_000_000_000), &None));

    // What the command says is what the run is made of.
    let settings = broken.replay.split(" --set ").skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(settings.len(), 5, "{}", broken.replay);
    let scenario = std::sync::Arc::new(scenario::load("config-switch", &settings).unwrap());
    let build = Build { defect: Some(defect), ..Build::default() };
    let mut plan = runner::plan_for(&scenario, broken.seed, build);
    plan.origin = Origin { path: None, settings };
    let verdict = runner::run(plan, false).unwrap().verdict;
    assert_eq!(verdict.replay_command(), broken.replay);
    let check = verdict.checks.iter().find(|check| check.name == "switch-a").unwrap();
    assert_eq!((check.verdict, &check.detail), (Outcome::Violated, &broken.detail));
}

#[test]
fn a_sweep_is_the_same_for_any_number_of_jobs_and_ends_where_the_scenario_refuses() {
    let lines = |jobs| {
        let sweep = sweeping(Dial::LeadTime, None, jobs).run(|_| {}).unwrap();
        let (value, why) = sweep.refused.clone().unwrap();
        assert_eq!((value, sweep.steps.last()), (500, Some(&1_000)));
        assert!(why.contains("`shape.poll-ms`"), "{why}");
        sweep.json_lines()
    };
    assert_eq!(lines(1), lines(3));
}
