//! Scenarios on a substrate that is not ours: the same verdicts, one run a seed, and no family that it lacks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Output};
use std::sync::{Arc, Once};

use reports::run_folder::Outcome;
use scenarios::plan::{Build, Plan};
use scenarios::{catalog, runner, scenario};
use sim::fault::Family;
use sim::substrate::Substrate;

/// Those that are not the kernel and in this build; what is missing is said once, past the test's own output.
fn others() -> Vec<Substrate> {
    static SAID: Once = Once::new();
    if !Substrate::Madsim.is_built() {
        let line = b"skipped: madsim, since this build was made without `--cfg madsim`\n";
        SAID.call_once(|| std::io::stderr().write_all(line).unwrap());
    }
    let is_other = |substrate: &Substrate| *substrate != Substrate::Kernel && substrate.is_built();
    Substrate::ALL.into_iter().filter(is_other).collect()
}

/// A run of 7 s: turmoil is a hundred times slower than the kernel.
const SHORT: [&str; 4] = ["timing.chaos-s=3", "timing.heal-s=2", "timing.quiet-s=2", "timing.recover-s=1"];

fn plan(name: &str, seed: u64, substrate: Substrate) -> Plan {
    planned(name, seed, substrate, &[])
}

fn short(seed: u64, substrate: Substrate) -> Plan {
    planned("capacity", seed, substrate, &SHORT.map(str::to_owned))
}

fn planned(name: &str, seed: u64, substrate: Substrate, settings: &[String]) -> Plan {
    let build = Build { substrate, ..Build::default() };
    runner::plan_for(&Arc::new(scenario::load(name, settings).unwrap()), seed, build)
}

/// Runs of 7 s, in a process of their own.
fn in_a_process(scenario: &str, substrate: Substrate, more: &[&str]) -> Output {
    let mut arguments = vec!["run", scenario, "--substrate", substrate.name()];
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
fn the_hardened_service_keeps_its_promises_elsewhere_too() {
    for substrate in others() {
        for seed in 1..3 {
            let run = runner::run(short(seed, substrate), false).unwrap();
            let verdict = run.verdict;
            assert_eq!(verdict.verdict, Outcome::Holds, "{substrate}: {:?}", verdict.checks);
            assert_eq!(verdict.substrate, substrate.name());
            assert!(verdict.operations > 100, "{substrate}: {}", verdict.operations);
        }
    }
}

/// Every scenario of the matrix, with its short timing and nothing going wrong.
#[test]
fn every_system_keeps_its_promises_elsewhere_too() {
    for name in catalog::names().filter(|name| scenario::load(name, &[]).unwrap().matrix.is_some()) {
        for substrate in others() {
            let plan = planned(name, 1, substrate, &["cell=calm".to_owned()]);
            let verdict = runner::run(plan, false).unwrap().verdict;
            assert_eq!(verdict.verdict, Outcome::Holds, "{name} on {substrate}: {:?}", verdict.checks);
        }
    }
}

#[test]
fn one_seed_is_one_run_within_a_process_and_across_processes() {
    for substrate in others() {
        let run = || runner::run(short(3, substrate), false).unwrap().verdict.digest;
        let digest = run();
        assert_eq!(run(), digest, "{substrate}");
        let output = in_a_process("capacity", substrate, &["--seed", "3", "--json"]);
        let output = String::from_utf8(output.stdout).unwrap();
        assert!(output.contains(&digest), "{substrate}, {digest}: {output}");
    }
}

#[test]
fn a_soak_gives_the_same_verdicts_for_any_jobs() {
    if !others().contains(&Substrate::Madsim) {
        return;
    }
    let lines = |jobs: &str| {
        let soak =
            ["soak", "disk-trouble", "--substrate", "madsim", "--seeds", "0..4", "--json", "--jobs", jobs];
        let output = counterclock(&soak);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.contains("digest")).map(str::to_owned).collect::<Vec<_>>()
    };
    let alone = lines("1");
    assert_eq!(alone.len(), 4, "{alone:?}");
    assert_eq!(lines("3"), alone);
}

#[test]
fn asking_for_a_substrate_that_is_not_in_this_build_says_why_and_what_to_do() {
    if Substrate::Madsim.is_built() {
        return;
    }
    for command in [&["run", "capacity", "--seed", "1"][..], &["soak", "capacity", "--seeds", "0..2"]] {
        let message = refused(&[command, &["--substrate", "madsim"]].concat());
        assert!(message.contains("made without `--cfg madsim`"), "{message}");
        assert!(message.contains("unset RUSTFLAGS, or add `--cfg madsim` to it"), "{message}");
    }
}

#[test]
fn families_that_a_substrate_lacks_are_named_and_never_planned() {
    assert_eq!(plan("capacity", 1, Substrate::Kernel).to_file().left_out, []);
    for substrate in [Substrate::Turmoil, Substrate::Madsim] {
        let file = plan("capacity", 1, substrate).to_file();
        let lacks = [
            Family::Noise,
            Family::Burst,
            Family::Corruption,
            Family::Reordering,
            Family::SlowLink,
            Family::Throttle,
        ];
        assert_eq!((file.substrate.as_str(), &file.left_out[..]), (substrate.name(), &lacks[..]));
        for seed in 0..50 {
            let plan = plan("capacity", seed, substrate);
            assert!(!plan.faults.faults.is_empty(), "{substrate}, seed {seed}");
            substrate.accept(&plan.faults).unwrap();
        }
    }
}

#[test]
fn a_setting_that_asks_for_what_a_substrate_lacks_is_refused_with_the_reason() {
    let noise = "faults=[{ kind = 'noise', on = ['service'], every-ms = 100 }]";
    let table = "network={ latency = { min_ns = 1, typical_ns = 2, tail_ns = 3 }, loss = '1/10', duplication = '0/1', \
                 reorder = '0/1', reorder_delay_max_ns = 0 }";
    for substrate in ["turmoil", "madsim"] {
        let run = ["run", "capacity", "--seed", "1", "--substrate", substrate, "--set"];
        let message = refused(&[&run[..], &[noise]].concat());
        assert!(message.contains(&format!("`faults[0]` is noise: {substrate} cannot do this")), "{message}");
        let message = refused(&[&run[..], &[table]].concat());
        assert!(message.contains(&format!("{substrate} cannot do this: `loss`")), "{message}");
    }
}

#[test]
fn a_written_plan_is_run_again_on_its_substrate_and_refused_if_that_lacks_a_family() {
    for substrate in others() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        let path = run.to_str().unwrap();
        let output = in_a_process("config-switch", substrate, &["--seed", "1", "--out", path]);
        assert_ne!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(counterclock(&["replay", path]).status.code(), Some(0), "{substrate}");
        let file = run.join("plan.json");
        let text = std::fs::read_to_string(&file).unwrap();
        let (before, after) = text.split_once("\"faults\"").unwrap();
        let (bracket, rest) = after.split_once('[').unwrap();
        let noise = "{\"at_ns\":0,\"fault\":{\"kind\":\"noise\",\"links\":[],\"loss\":\"1/10\",\
                     \"duplication\":\"0/1\",\"delay_max\":0,\"length\":1000}},";
        std::fs::write(&file, format!("{before}\"faults\"{bracket}[{noise}{rest}")).unwrap();
        let message = refused(&["replay", path]);
        let want = format!("fault 0 of the plan (noise at 0 ns): {substrate} cannot do this");
        assert!(message.contains(&want), "{message}");
    }
}
