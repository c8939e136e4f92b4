//! A run such as a real one leaves behind, made from a seed: eighteen nodes, thousands of operations, a few faults.

pub(crate) mod operations;
pub(crate) mod soak;

use checker::history::OperationIndex;
use checker::verdict::Violation;
use counterclock_reports::drawn::DrawnFamily;
use counterclock_reports::run_folder::{
    CheckResult, ClockSample, LedgerLine, NodePlan, Outcome, Plan, RunFolder, RunVerdict, SwitchRecord,
};
use serde_json::json;
use sim::chance::{Ratio, Seed, Stream};
use sim::fault::{Family, Fault, FaultPlan, PlannedFault};
use sim::node::NodeId;
use sim::time::{Span, TrueTime};

const MS: u64 = 1_000_000;
const S: u64 = 1_000 * MS;
/// When faults end.
const CHAOS_ENDS_NS: u64 = 90 * S;
/// When the run ends.
const ENDS_NS: u64 = 120 * S;
/// The node number of the first client.
const FIRST_CLIENT: u32 = 7;

/// The nodes: a store, a log, five slots, ten clients, a publisher.
fn nodes() -> Vec<NodePlan> {
    let node = |id, name: String, role: &str| NodePlan { id, name, role: role.into() };
    let mut nodes = vec![node(0, "store".into(), "store"), node(1, "log".into(), "log")];
    nodes.extend((1..=5).map(|index| node(index + 1, format!("slot-{index}"), "service")));
    nodes.extend((0..10).map(|index| node(FIRST_CLIENT + index, format!("client-{index}"), "client")));
    nodes.push(node(17, "publisher".into(), "publisher"));
    nodes
}

fn partition(side: &[u32]) -> Vec<(NodeId, NodeId)> {
    let others: Vec<_> = (0..18).filter(|node| !side.contains(node)).collect();
    let pairs = side.iter().flat_map(|a| others.iter().map(move |b| (*a, *b)));
    pairs.flat_map(|(a, b)| [(NodeId(a), NodeId(b)), (NodeId(b), NodeId(a))]).collect()
}

/// Twenty-five faults of every kind.
fn faults() -> FaultPlan {
    let s = Span::from_seconds;
    let node = NodeId;
    let cut = |side: &[u32], length| Fault::Cut { links: partition(side), length };
    let list = vec![
        (4_000, Fault::ClockDrift { node: node(4), drift_ppb: 180_000 }),
        (6_500, cut(&[2], s(7))),
        (9_000, Fault::Slow { node: node(0), extra: Span::from_ms(15), length: s(12) }),
        (12_000, Fault::Crash { node: node(3) }),
        (15_200, Fault::Restart { node: node(3) }),
        (18_000, Fault::ClockStep { node: node(5), by_ns: -2_300_000_000 }),
        (
            20_000,
            Fault::Noise {
                links: Vec::new(),
                loss: Ratio::new(1, 20),
                duplication: Ratio::new(1, 50),
                delay_max: Span::from_ms(200),
                length: s(14),
            },
        ),
        (23_000, Fault::Pause { node: node(2), length: s(4) }),
        (24_000, Fault::DiskStall { node: node(1), length: s(9) }),
        (31_000, Fault::PowerLoss { node: node(6) }),
        (33_000, Fault::ClockLie { node: node(4), bound: Span::from_ms(1), length: s(25) }),
        (36_500, Fault::Restart { node: node(6) }),
        (40_000, cut(&[2, 3], s(10))),
        (41_000, Fault::Cut { links: vec![(node(1), node(0))], length: s(3) }),
        (44_000, Fault::PauseMidway { node: node(5), length: s(2) }),
        (49_000, Fault::DiskError { node: node(0), length: s(2) }),
        (55_000, Fault::ClockStep { node: node(17), by_ns: 750_000_000 }),
        (58_000, Fault::Stop { node: node(4) }),
        (60_000, Fault::Restart { node: node(4) }),
        (63_000, cut(&[0], s(5))),
        (66_000, Fault::DiskLie { node: node(1), length: s(20) }),
        (70_000, Fault::ClockDrift { node: node(4), drift_ppb: 0 }),
        (72_000, Fault::Pause { node: node(12), length: s(1) }),
        (80_000, Fault::Crash { node: node(1) }),
        (86_000, Fault::ClockStep { node: node(2), by_ns: 40_000_000 }),
    ];
    let planned = |(at_ms, fault)| PlannedFault { at: TrueTime::from_ns(at_ms * MS), fault };
    FaultPlan { faults: list.into_iter().map(planned).collect() }
}

/// The plan.
pub(crate) fn plan() -> Plan {
    Plan {
        version: "0.1.0".into(),
        name: "capacity".into(),
        system: "capacity".into(),
        seed: 42,
        variant: "hardened".into(),
        mutant: None,
        substrate: "kernel".into(),
        chaos_ends_ns: CHAOS_ENDS_NS,
        ends_ns: ENDS_NS,
        nodes: nodes(),
        faults: faults(),
        left_out: vec![Family::DiskLie],
        scenario: json!({"name": "capacity", "topology": {"slots": 5, "clients": 10}, "clocks": "cloud-ntp"}),
        requests: (0..20).map(|slot| json!({"reserve": {"slot": slot, "units": 1}})).collect(),
    }
}

/// Error and bound of each clock, ten times a second: disciplined sawtooth, with the plan's steps, drifts and lie.
pub(crate) fn clocks() -> Vec<ClockSample> {
    let mut samples = Vec::new();
    let mut chance = Seed(7).stream("sample clocks", 0);
    let mut wander = [0_i64; 18];
    for at_ms in (0..ENDS_NS / MS).step_by(100) {
        for node in 0..18_u32 {
            samples.push(clock(at_ms, node, &mut wander[node as usize], &mut chance));
        }
    }
    samples
}

fn clock(at_ms: u64, node: u32, wander_ns: &mut i64, chance: &mut Stream) -> ClockSample {
    *wander_ns += chance.within(40_000) - *wander_ns / 50;
    let since_poll_ms = (at_ms + 997 * u64::from(node)) % 16_000;
    let mut error_ns = *wander_ns + (since_poll_ms * 12) as i64 * if node.is_multiple_of(2) { 1 } else { -1 };
    let mut bound_ns = 400_000 + since_poll_ms * 15;
    match (node, at_ms) {
        (4, 33_000..58_000) => (error_ns, bound_ns) = (error_ns + 5_000_000, MS),
        (4, 4_000..70_000) => (error_ns, bound_ns) = (error_ns + 4_000_000, 7 * MS),
        (5, 18_000..26_000) => (error_ns, bound_ns) = (error_ns - 2_300_000_000, 2_400 * MS),
        (17, 55_000..62_000) => (error_ns, bound_ns) = (error_ns + 750_000_000, 800 * MS),
        (2, 86_000..) => (error_ns, bound_ns) = (error_ns + 40_000_000, 41 * MS),
        _ => {}
    }
    ClockSample { at_ns: at_ms * MS, node, error_ns, bound_ns }
}

/// Three versions: nearly together, together, and one that a node with a wrong clock adopts late.
pub(crate) fn switches() -> Vec<SwitchRecord> {
    let mut records = Vec::new();
    let mut chance = Seed(3).stream("sample switches", 0);
    for (version, start_s) in [(1, 20), (2, 50), (3, 80)] {
        let start_at_ns: u64 = start_s * S;
        let published_at_ns = start_at_ns - 5 * S;
        let start_ns = start_at_ns as i64;
        records.push(SwitchRecord::Version { version, published_at_ns, start_at_ns: start_ns });
        for node in 2..7 {
            let late_ns =
                if (version, node) == (1, 5) { 2_300 * MS } else { chance.between(200_000, 9 * MS) };
            let local_ns = (start_at_ns + chance.between(0, 3 * MS)) as i64;
            records.push(SwitchRecord::Switch { version, node, at_ns: start_at_ns + late_ns, local_ns });
        }
    }
    records
}

fn check(name: &str, detail: &str) -> CheckResult {
    CheckResult {
        name: name.into(),
        verdict: Outcome::Holds,
        detail: detail.into(),
        family: None,
        algorithm: None,
        explanation: None,
    }
}

fn checks() -> Vec<CheckResult> {
    let of_slots = |name, detail, algorithm: &str| CheckResult {
        family: Some("slots".into()),
        algorithm: Some(algorithm.into()),
        ..check(name, detail)
    };
    vec![
        of_slots("linearizable", "8,000 operations on 5 slots, 3 of them unknown", "configurations"),
        of_slots("admission", "5,601 accepted reservations within the limit in force", "interval sweep"),
        check("switch-a", "1,240 tasks, none under the wrong version"),
        check("switch-b", "15 switches, none back"),
        check("exactly-once", "every acknowledged reservation in the journal once"),
        check("convergence", "all overviews equal 2.1 s after healing"),
        check("progress", "first answer 0.4 s after healing"),
    ]
}

/// A run of which every promise held.
pub(crate) fn holding(operation_count: u64) -> RunFolder {
    let plan = plan();
    let count = |family| plan.faults.faults.iter().filter(|one| one.fault.family() == family).count() as u64;
    let families = [
        Family::Crash,
        Family::PowerLoss,
        Family::Stop,
        Family::Restart,
        Family::Pause,
        Family::PauseMidway,
        Family::Slow,
        Family::Cut,
        Family::Noise,
        Family::ClockStep,
        Family::ClockDrift,
        Family::ClockLie,
        Family::DiskStall,
        Family::DiskError,
        Family::DiskLie,
    ];
    let ledger = families.iter().zip(0..).map(|(&fault, index)| {
        let affected = if fault == Family::DiskError { 0 } else { 1 + index * 173 % 1_400 };
        LedgerLine { fault, planned: count(fault), fired: count(fault), affected }
    });
    let verdict = RunVerdict {
        scenario: plan.name.clone(),
        seed: plan.seed,
        variant: plan.variant.clone(),
        mutant: None,
        path: None,
        program: None,
        settings: Vec::new(),
        substrate: plan.substrate.clone(),
        verdict: Outcome::Holds,
        digest: "9f0c4d5e71aa23b84be0d6f1c2a39187".into(),
        operations: 8_000,
        events: 1_284_331,
        messages: 402_117,
        simulated_ns: ENDS_NS,
        wall_ns: Some(842 * MS),
        check_ns: Some(131 * MS),
        checks: checks(),
        ledger: ledger.collect(),
    };
    let history = operations::text(&[operations::family("slots", operation_count)]);
    RunFolder {
        history,
        clocks: clocks(),
        switches: switches(),
        checkpoints: None,
        verdict,
        trace: None,
        plan,
    }
}

/// A run that broke two promises, and what was drawn of its operations.
pub(crate) fn violated(operation_count: u64) -> RunFolder {
    let mut run = holding(operation_count);
    let families = DrawnFamily::all(&[operations::family("slots", operation_count)]);
    let is_in_stall = |one: &&_| operations::is_reservation_in_stall(one);
    let mut part: Vec<_> = families[0].operations.iter().filter(is_in_stall).take(6).collect();
    part.sort_by_key(|one| one.returned.unwrap_or(0));
    let stuck = part.last().map(|one| OperationIndex(one.number as u32));
    let violation = Violation {
        key: Some("slot 3".into()),
        operations: part.iter().map(|one| OperationIndex(one.number as u32)).collect(),
        legal_prefix_count: Some(2_664),
        stuck,
        explanation: "client 4 was promised 2 of slot 3 at 41.308 s though 19 of 20 units had been promised \
                      before it asked: slot-1 and slot-2 both took themselves for the owner of slot 3"
            .into(),
        steps: vec!["at first, 0 of 20 units are in use".into()],
        ..Violation::default()
    };
    for (check, name) in [(0, "linearizable"), (1, "admission")] {
        let check = &mut run.verdict.checks[check];
        assert_eq!(check.name, name);
        check.verdict = Outcome::Violated;
        check.detail = "5 operations on slot 3 fit no order".into();
        check.explanation = Some(violation.clone());
    }
    run.verdict.checks[1].detail = "one reservation above the limit of 20".into();
    run.verdict.checks[4].verdict = Outcome::Undecided;
    run.verdict.checks[4].detail = "the budget of 1,000,000 steps ran out".into();
    for variant in [&mut run.plan.variant, &mut run.verdict.variant] {
        *variant = "naive".into();
    }
    run.verdict.verdict = Outcome::Violated;
    run
}
