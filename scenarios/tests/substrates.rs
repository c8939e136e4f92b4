//! Scenarios on a substrate that is not ours: the same verdicts, one run a seed, and no family that it lacks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};
use std::sync::Arc;

use reports::run_folder::Outcome;
use scenarios::plan::{Build, Plan};
use scenarios::{runner, scenario};
use sim::fault::Family;
use sim::substrate::Substrate;

/// A run of 7 s: turmoil is a hundred times slower than the kernel.
const SHORT: [&str; 4] = ["timing.chaos-s=3", "timing.heal-s=2", "timing.quiet-s=2", "timing.recover-s=1"];

fn plan(name: &str, seed: u64, substrate: Substrate) -> Plan {
    planned(name, seed, substrate, &[])
}

fn short(seed: u64) -> Plan {
    planned("capacity", seed, Substrate::Turmoil, &SHORT.map(str::to_owned))
}

fn planned(name: &str, seed: u64, substrate: Substrate, settings: &[String]) -> Plan {
    let build = Build { substrate, ..Build::default() };
    runner::plan_for(&Arc::new(scenario::load(name, settings).unwrap()), seed, build)
}

/// Runs of 7 s on turmoil, in a process of their own.
fn on_turmoil(scenario: &str, more: &[&str]) -> Output {
    let mut arguments = vec!["run", scenario, "--substrate", "turmoil"];
    arguments.extend(SHORT.iter().flat_map(|setting| ["--set", setting]));
    arguments.extend(more);
    counterclock(&arguments)
}

fn counterclock(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_counterclock")).args(arguments).output().unwrap()
}

/// The exit code of a command that must be refused, and its one message.
#[track_caller]
fn refused(arguments: &[&str]) -> String {
    let output = counterclock(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_hardened_service_keeps_its_promises_on_turmoil_too() {
    for seed in 1..3 {
        let run = runner::run(short(seed), false).unwrap();
        let verdict = run.verdict;
        assert_eq!(verdict.verdict, Outcome::Holds, "{:?}", verdict.checks);
        assert_eq!(verdict.substrate, "turmoil");
        assert!(verdict.operations > 100, "{}", verdict.operations);
    }
}

#[test]
fn one_seed_is_one_run_within_a_process_and_across_processes() {
    let run = || runner::run(short(3), false).unwrap().verdict.digest;
    let digest = run();
    assert_eq!(run(), digest);
    let output = String::from_utf8(on_turmoil("capacity", &["--seed", "3", "--json"]).stdout).unwrap();
    assert!(output.contains(&digest), "{digest}: {output}");
}

#[test]
fn families_that_a_substrate_lacks_are_named_and_never_planned() {
    let file = plan("capacity", 1, Substrate::Turmoil).to_file();
    assert_eq!(file.substrate, "turmoil");
    let lacking = [
        Family::Noise,
        Family::Burst,
        Family::Corruption,
        Family::Reordering,
        Family::SlowLink,
        Family::Throttle,
        Family::Reset,
    ];
    assert_eq!(file.left_out, lacking);
    assert_eq!(plan("capacity", 1, Substrate::Kernel).to_file().left_out, []);
    for seed in 0..50 {
        let plan = plan("capacity", seed, Substrate::Turmoil);
        assert!(!plan.faults.faults.is_empty(), "seed {seed}");
        Substrate::Turmoil.accept(&plan.faults).unwrap();
    }
}

#[test]
fn a_setting_that_asks_for_what_a_substrate_lacks_is_refused_with_the_reason() {
    let noise = "faults=[{ kind = 'noise', on = ['service'], every-ms = 100 }]";
    let on_turmoil = ["run", "capacity", "--seed", "1", "--substrate", "turmoil", "--set"];
    let message = refused(&[&on_turmoil[..], &[noise]].concat());
    assert!(message.contains("`faults[0]` is noise: turmoil cannot do this"), "{message}");
    let table = "network={ latency = { min_ns = 1, typical_ns = 2, tail_ns = 3 }, loss = '1/10', duplication = '0/1', \
                 reorder = '0/1', reorder_delay_max_ns = 0 }";
    let message = refused(&[&on_turmoil[..], &[table]].concat());
    assert!(message.contains("turmoil cannot do this: `loss`"), "{message}");
}

#[test]
fn a_written_plan_is_run_again_on_its_substrate_and_refused_if_that_lacks_a_family() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let path = run.to_str().unwrap();
    assert_ne!(on_turmoil("config-switch", &["--seed", "1", "--out", path]).status.code(), Some(2));
    assert_eq!(counterclock(&["replay", path]).status.code(), Some(0));
    let file = run.join("plan.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once("\"faults\"").unwrap();
    let (bracket, rest) = after.split_once('[').unwrap();
    let noise = "{\"at_ns\":0,\"fault\":{\"kind\":\"noise\",\"links\":[],\"loss\":\"1/10\",\"duplication\":\"0/1\",\
                 \"delay_max\":0,\"length\":1000}},";
    std::fs::write(&file, format!("{before}\"faults\"{bracket}[{noise}{rest}")).unwrap();
    let message = refused(&["replay", path]);
    assert!(message.contains("fault 0 of the plan (noise at 0 ns): turmoil cannot do this"), "{message}");
}
