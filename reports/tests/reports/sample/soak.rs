//! A soak and some judged files, such as real ones.

use checker::format::{Contents, Format, LeftOut};
use checker::history::OperationIndex;
use checker::judge::Check;
use checker::verdict::{Undecided, Verdict, Violation};
use counterclock_reports::checked::{CheckedFile, Times};
use counterclock_reports::run_folder::{
    Counts, FirstViolation, Outcome, PerSecond, RunVerdict, ScenarioCounts, SoakFolder, SoakSummary,
};

/// Two thousand runs of four scenarios, few of them violated, from a violated and a holding run.
pub(crate) fn soak(violated: &RunVerdict, holding: &RunVerdict) -> SoakFolder {
    let mut verdicts = Vec::new();
    let mut by_scenario = Vec::new();
    let mut all = Counts::new();
    for (scenario, every) in
        [("capacity", 83), ("config-pull", 1_000), ("dist-counter", 29), ("lease-lock", 211)]
    {
        let mut counts = Counts::new();
        for seed in 0..500 {
            let mut verdict = if seed % every == every - 1 { violated.clone() } else { holding.clone() };
            if seed == 77 {
                verdict.verdict = Outcome::Vacuous;
            }
            (verdict.scenario, verdict.seed) = (scenario.into(), seed);
            *counts.entry(verdict.verdict).or_default() += 1;
            *all.entry(verdict.verdict).or_default() += 1;
            verdicts.push(verdict);
        }
        by_scenario.push(ScenarioCounts { scenario: scenario.into(), counts, wall_ns: 500 * 41_000_000 });
    }
    let first = verdicts.iter().filter(|verdict| verdict.verdict == Outcome::Violated).take(12);
    let first_violations = first.map(|verdict| FirstViolation {
        scenario: verdict.scenario.clone(),
        seed: verdict.seed,
        checks: vec!["linearizable".into(), "admission".into()],
        detail: verdict.checks[0].detail.clone(),
        run: Some(format!("runs/{}-{}", verdict.scenario, verdict.seed)),
        replay: verdict.replay_command(),
    });
    let summary = SoakSummary {
        version: "0.1.0".into(),
        arguments: serde_json::json!({"seeds": "0..500", "variant": "naive"}),
        counts: all,
        seeds_per_second: PerSecond::of(2_000, 82_300_000_000),
        first_violations: first_violations.collect(),
        by_scenario,
    };
    SoakFolder { summary, verdicts }
}

/// Three files: one that holds, one violated, one undecided.
pub(crate) fn checked(violation: &Violation) -> Vec<CheckedFile> {
    let contents = Contents {
        format: Format::Hist,
        families: vec![super::operations::family("slots", 300)],
        left_out: LeftOut::default(),
        nemesis: Vec::new(),
    };
    let times = Times { parse_ns: 84_000, check_ns: 310_000 };
    let open = Undecided { open: (0..18).map(OperationIndex).collect(), steps: 1_000_000 };
    let verdicts = [
        ("etcd/000.log", Verdict::Holds),
        ("etcd/001.log", Verdict::Violated(violation.clone())),
        ("kv/c10-bad.txt", Verdict::Undecided(open)),
    ];
    let judged = verdicts.map(|(file, verdict)| {
        let (family, detail) = ("slots".to_owned(), String::new());
        let check = Check { name: "linearizable", family, verdict, algorithm: "configurations", detail };
        CheckedFile::new(&format!("histories/{file}"), &contents, check, times)
    });
    judged.into()
}
