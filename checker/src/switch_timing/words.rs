//! The figures of a switch in words, beside the rule that they are about.

use super::report::SwitchReport;
use super::{Promise, PromiseKind, SwitchHistory};
use crate::judge::grouped;

/// What was found about the rule of that name, whether it holds or not.
pub(crate) fn figures(
    name: &str,
    history: &SwitchHistory,
    promise: &Promise,
    report: &SwitchReport,
) -> String {
    match name {
        "switch-a" => exactness(promise, report),
        "switch-c" => reads(history),
        "switch-d" => format!("{} tasks refused", grouped(report.refused_count as u64)),
        "switch-e" => propagation(report),
        _ => String::new(),
    }
}

fn exactness(promise: &Promise, report: &SwitchReport) -> String {
    let longest = |of: fn(&super::MixedWindow) -> u64| report.windows.iter().map(of).max().unwrap_or(0);
    let within = match promise.kind {
        PromiseKind::Strict => "exactly".to_owned(),
        PromiseKind::Epsilon { epsilon_ns } => format!("to within {} ms", millis(epsilon_ns)),
    };
    format!(
        "promised {within}: {} tasks under a wrong version, {} with a clock beyond what is assumed (assumption broken; largest error {} ms); mixed window up to {} ms, skew up to {} ms",
        grouped(report.wrong_count as u64),
        grouped(report.excursions_count as u64),
        millis(report.clock_error_ns_max),
        millis(longest(|window| window.mixed_ns)),
        millis(longest(|window| window.skew_ns)),
    )
}

fn reads(history: &SwitchHistory) -> String {
    let Some(load) = history.load else { return String::new() };
    let store = format!("{} store reads a second", per_second(load.store_reads_count, history));
    let cache_reads_count = load.cache_hits_count + load.cache_misses_count;
    if cache_reads_count == 0 {
        return store;
    }
    format!(
        "{store}; cache: {} reads a second, {} of them missed, replica up to {} ms behind",
        per_second(cache_reads_count, history),
        per_second(load.cache_misses_count, history),
        millis(load.replica_lag_ns_max),
    )
}

fn propagation(report: &SwitchReport) -> String {
    let longest = report.windows.iter().filter_map(|window| window.propagation_ns).max();
    longest.map_or_else(
        || "no version was adopted".to_owned(),
        |longest| format!("from commit to the last adoption up to {} ms", millis(longest)),
    )
}

/// With one decimal, rounded down.
fn per_second(count: u64, history: &SwitchHistory) -> String {
    let tenths = u128::from(count) * 10_000_000_000 / u128::from(history.ended_ns.max(1));
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// With three decimals, rounded down.
fn millis(ns: u64) -> String {
    format!("{}.{:03}", grouped(ns / 1_000_000), ns / 1_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::super::{Load, switch_timing};
    use super::*;

    #[test]
    fn reads_are_told_by_the_second_and_the_cache_apart() {
        let mut history = SwitchHistory { ended_ns: 4_000_000_000, ..SwitchHistory::default() };
        let load = Load { store_reads_count: 5, ..Load::default() };
        history.load = Some(load);
        let promise = Promise { kind: PromiseKind::Strict, lead_ns: 1, converge_within_ns: 1 };
        let report = switch_timing(&history, &promise).report;
        let told = |history: &SwitchHistory| figures("switch-c", history, &promise, &report);
        assert_eq!(told(&history), "1.2 store reads a second");
        history.load =
            Some(Load { cache_hits_count: 6, cache_misses_count: 2, replica_lag_ns_max: 1_234_567, ..load });
        assert!(
            told(&history).ends_with("2.0 reads a second, 0.5 of them missed, replica up to 1.234 ms behind")
        );
    }
}
