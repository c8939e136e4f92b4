//! The same nodes under other schedulers and other networks: one run a seed, and no fault that a substrate lacks.

mod clocks;
mod disks;
mod links;
mod nodes;

use std::io::Write;
use std::sync::Once;

use counterclock_sim::chance::{Ratio, Seed};
use counterclock_sim::fault::Fault;
use counterclock_sim::kernel::Observed;
use counterclock_sim::ledger::LedgerLine;
use counterclock_sim::node::NodeId;
use counterclock_sim::setup::{RunOptions, WorldSetup};
use counterclock_sim::substrate::{self, Evidence, Phases, Substrate};
use counterclock_sim::time::{Span, TrueTime};

use crate::probe::{Act, B, Probe, Script, Seen, chatter, setup};

type Faults<'a> = &'a [(u64, Fault)];
type Requests<'a> = &'a [(u64, NodeId, Vec<Act>)];

/// All that this build can run nodes on besides the kernel; what is missing is said once, past the test's own output.
fn others() -> Vec<Substrate> {
    static SAID: Once = Once::new();
    if !Substrate::Madsim.is_built() {
        let line = b"skipped: madsim, since this build was made without `--cfg madsim`\n";
        SAID.call_once(|| std::io::stderr().write_all(line).unwrap());
    }
    let is_other = |substrate: &Substrate| *substrate != Substrate::Kernel && substrate.is_built();
    Substrate::ALL.into_iter().filter(is_other).collect()
}

fn at(ms: u64) -> TrueTime {
    TrueTime::ZERO + Span::from_ms(ms)
}

fn run(substrate: Substrate, setup: WorldSetup<Probe>, end_ms: u64) -> Evidence<Seen> {
    substrate::run(substrate, setup, Phases { faults_end: None, end: at(end_ms) }).unwrap()
}

fn script(faults: Faults<'_>, requests: Requests<'_>) -> WorldSetup<Probe> {
    setup(&Script { faults: faults.to_vec(), requests: requests.to_vec() })
}

/// What was seen, besides the first starts, as `50 ms n1 stops`.
fn lines(evidence: &Evidence<Seen>) -> Vec<String> {
    let line = |observed: &Observed<Seen>| {
        let at = Span::from_ns(observed.at.as_ns());
        format!("{at} {} {}", observed.node, observed.observation.0)
    };
    evidence.observations.iter().skip(3).map(line).collect()
}

/// The same lines, where `10+ n1 gets 1` is wanted with that instead of an instant on the way: it takes 10 ms to travel,
/// and up to 15 ms to dial and until it is known that there is something.
fn lines_as_wanted(evidence: &Evidence<Seen>, want: &[&str]) -> Vec<String> {
    let mut found = lines(evidence);
    for ((line, observed), want) in found.iter_mut().zip(evidence.observations.iter().skip(3)).zip(want) {
        if let Some((sent, _)) = want.split_once("+ ") {
            let sent_at = at(sent.parse().unwrap());
            if (sent_at + Span::from_ms(10)..=sent_at + Span::from_ms(25)).contains(&observed.at) {
                *line = format!("{sent}+ {} {}", observed.node, observed.observation.0);
            }
        }
    }
    found
}

/// What three probes see within a second, 10 ms from one another, on every substrate; each fault fires and changes
/// something.
#[track_caller]
fn check(faults: Faults<'_>, requests: Requests<'_>, want: &[&str]) -> Vec<Evidence<Seen>> {
    let check_one = |substrate| {
        let evidence = run(substrate, script(faults, requests), 1_000);
        assert_eq!(lines_as_wanted(&evidence, want), want, "{substrate}");
        assert_changed(&evidence.ledger.lines(), substrate);
        evidence
    };
    others().into_iter().map(check_one).collect()
}

/// Every substrate shows what the kernel shows, which is returned, and counts what it counts: for whom no message is on
/// the way.
#[track_caller]
fn check_as_on_the_kernel(setup: &WorldSetup<Probe>, end_ms: u64) -> Vec<String> {
    let kernel = run(Substrate::Kernel, setup.clone(), end_ms);
    assert_changed(&kernel.ledger.lines(), Substrate::Kernel);
    for substrate in others() {
        let evidence = run(substrate, setup.clone(), end_ms);
        assert_eq!(lines(&evidence), lines(&kernel), "{substrate}");
        assert_eq!(evidence.ledger.lines(), kernel.ledger.lines(), "{substrate}");
    }
    lines(&kernel)
}

#[track_caller]
fn assert_changed(ledger: &[LedgerLine], substrate: Substrate) {
    for line in ledger {
        assert_eq!(line.fired, line.planned, "{} on {substrate}", line.fault);
        assert!(line.affected > 0, "{} changed nothing on {substrate}", line.fault);
    }
}

/// Everything that a chattering run leaves.
fn all_of(substrate: Substrate, seed: Seed) -> impl PartialEq + core::fmt::Debug + Send {
    let mut setup = chatter(seed);
    setup.options = RunOptions { keep_trace: true, clock_sample_every: Some(Span::from_ms(5)) };
    let evidence = run(substrate, setup, 150);
    assert!(evidence.messages.delivered > 50, "{substrate}, seed {seed}: {:?}", evidence.messages);
    (evidence.digest, evidence.observations, evidence.trace, evidence.clock_samples, evidence.messages)
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    for substrate in others() {
        let mut digests = Vec::new();
        for seed in Seed::range(0..10) {
            assert_eq!(all_of(substrate, seed), all_of(substrate, seed), "{substrate}, seed {seed}");
            let digest = run(substrate, chatter(seed), 150).digest;
            assert!(!digests.contains(&digest), "{substrate}, seed {seed}");
            digests.push(digest);
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "that other threads change nothing is what is shown")]
fn runs_on_other_threads_and_of_other_substrates_change_nothing() {
    let all = || -> Vec<_> {
        let runs = Seed::range(0..5).flat_map(|seed| others().into_iter().map(move |other| (other, seed)));
        runs.map(|(substrate, seed)| all_of(substrate, seed)).collect()
    };
    let alone = all();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..4).map(|_| scope.spawn(all)).collect();
        for thread in running {
            assert_eq!(thread.join().unwrap(), alone);
        }
    });
}

#[test]
fn observations_stand_in_the_order_in_which_they_left_the_nodes() {
    for substrate in others() {
        for seed in Seed::range(0..10) {
            let evidence = run(substrate, chatter(seed), 150);
            let is_sorted = evidence.observations.is_sorted_by_key(|observed| observed.released_at);
            assert!(is_sorted, "{substrate}, seed {seed}");
        }
    }
}

#[test]
fn a_plan_that_the_substrate_cannot_express_is_refused_by_place_and_reason() {
    let noise = Fault::Noise {
        links: Vec::new(),
        loss: Ratio::ALWAYS,
        duplication: Ratio::NEVER,
        delay_max: Span::ZERO,
        length: Span::from_ms(1),
    };
    let script = script(&[(10, Fault::Crash { node: B }), (20, noise)], &[]);
    let phases = Phases { faults_end: None, end: at(100) };
    for substrate in others() {
        let error = substrate::run(substrate, script.clone(), phases).unwrap_err();
        let want = format!(
            "fault 1 of the plan (noise at 20 ms): {substrate} cannot do this: a stream neither loses nor doubles \
             messages, and delays none alone"
        );
        assert_eq!(error.to_string(), want);
    }
    assert!(substrate::run(Substrate::Kernel, script, phases).is_ok());
}

#[test]
fn madsim_is_in_this_build_or_refused_with_what_to_do() {
    let phases = Phases { faults_end: None, end: at(100) };
    let result = substrate::run(Substrate::Madsim, script(&[], &[]), phases);
    if Substrate::Madsim.is_built() {
        assert!(result.is_ok());
        return;
    }
    let message = result.unwrap_err().to_string();
    for part in ["without `--cfg madsim`", "exported RUSTFLAGS", "unset RUSTFLAGS, or add"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn the_kernel_as_a_substrate_is_the_kernel() {
    let evidence =
        substrate::kernel::run(chatter(Seed(1)), Phases { faults_end: None, end: at(150) }).unwrap();
    assert_eq!(evidence.digest, crate::probe::run_setup(chatter(Seed(1)), 150).digest());
}
