//! The page of a run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::Finding;
use super::ornament::{self, LegendItem};
use super::{Fact, Head, page, render};
use crate::clock_lane::ClockLanes;
use crate::drawn::{DrawnFamily, DrawnOperation, Ending};
use crate::fault_bands::FaultBands;
use crate::frame::{Frame, Picture};
use crate::latency::{self, LatencyRow};
use crate::meaning;
use crate::run_folder::{CheckResult, Outcome, Plan, RunFolder, RunVerdict};
use crate::scale::{grouped, span};
use crate::switch_chart::SwitchChart;
use crate::timeline::Timeline;
use crate::words::{by_attention, headline, lede};

/// How many violated checks are explained at length.
const FINDINGS_MAX: usize = 12;
/// How much of the resolved scenario is shown. Unit: bytes.
const SCENARIO_BYTES_MAX: usize = 40_000;

/// A row of the table of promises.
#[derive(Serialize)]
struct Check<'a> {
    outcome: Outcome,
    glyph: String,
    name: &'a str,
    family: Option<&'a str>,
    detail: &'a str,
    meaning: &'static str,
    algorithm: Option<&'a str>,
}

/// A picture over true time.
#[derive(Serialize)]
struct Chart {
    title: String,
    note: String,
    picture: Picture,
}

/// A chart of switches.
#[derive(Serialize)]
struct Switch {
    version: u64,
    summary: String,
    picture: String,
}

/// A row of the latency table.
#[derive(Serialize)]
struct Latency {
    kind: String,
    ending: &'static str,
    count: String,
    percentiles: Vec<String>,
    histogram: String,
}

/// A row of the ledger.
#[derive(Serialize)]
struct LedgerRow {
    fault: String,
    planned: String,
    fired: String,
    affected: String,
    meaning: &'static str,
}

/// The nodes of a role.
#[derive(Serialize)]
struct Role<'a> {
    name: &'a str,
    count: usize,
    nodes: String,
}

/// Everything below the head.
#[derive(Serialize)]
struct Body<'a> {
    checks: Vec<Check<'a>>,
    findings: String,
    legend: Vec<LegendItem>,
    phases: String,
    charts: Vec<Chart>,
    axis: String,
    switch_legend: Vec<LegendItem>,
    switches: Vec<Switch>,
    latencies: Vec<Latency>,
    distribution: String,
    ledger: Vec<LedgerRow>,
    left_out: String,
    roles: Vec<Role<'a>>,
    scenario: String,
}

/// The page of a run.
///
/// # Panics
/// If the history is not as the checker writes it.
pub fn run(run: &RunFolder) -> String {
    let families = &run.drawn_families();
    let frame = Frame::new(run.plan.chaos_ends_ns, run.plan.ends_ns.max(run.verdict.simulated_ns));
    let name = |node| run.plan.node_name(node);
    let latency_rows = latency::rows(families.iter().flat_map(|family| &family.operations));
    let body = Body {
        checks: checks(&run.verdict),
        findings: findings(&run.verdict, families),
        legend: legend(run),
        phases: frame.phases(),
        charts: charts(run, families, &frame),
        axis: frame.axis(),
        switch_legend: ornament::of_switches(),
        switches: SwitchChart::all(&run.switches, name).iter().map(switch).collect(),
        latencies: latencies(&latency_rows),
        distribution: distribution(&latency_rows),
        ledger: ledger(&run.verdict),
        left_out: run.plan.left_out.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        roles: roles(&run.plan),
        scenario: scenario(&run.plan),
    };
    page(&head(run), &render(include_str!("../../templates/run.html"), body))
}

fn head(run: &RunFolder) -> Head {
    let (plan, verdict) = (&run.plan, &run.verdict);
    let worst = by_attention(verdict).into_iter().next();
    let subject = worst.filter(|check| check.verdict == Outcome::Violated).map(|check| check.name.clone());
    Head {
        title: format!("{} seed {}: {}", plan.name, plan.seed, verdict.verdict),
        kicker: format!("counterclock run: {}, {} variant, seed {}", plan.name, plan.variant, plan.seed),
        outcome: verdict.verdict,
        headline: headline(verdict),
        subject,
        lede: lede(run, worst),
        command: Some(verdict.replay_command()),
        facts: facts(run),
        footer: format!(
            "counterclock {}. The same version, scenario and seed give the same run, byte for byte.",
            plan.version
        ),
    }
}

fn facts(run: &RunFolder) -> Vec<Fact> {
    let (plan, verdict) = (&run.plan, &run.verdict);
    let fact = |name, value: String| Fact { name, value };
    let mut facts = vec![
        fact("Scenario", format!("{} ({})", plan.name, plan.system)),
        fact("Seed", plan.seed.to_string()),
        fact("Variant", plan.variant.clone()),
        fact("Substrate", plan.substrate.clone()),
        fact("Simulated", span(verdict.simulated_ns)),
        fact("Operations", grouped(verdict.operations)),
        fact("Events", grouped(verdict.events)),
        fact("Messages", grouped(verdict.messages)),
        fact("Digest", verdict.digest.clone()),
    ];
    if let Some(mutant) = &plan.mutant {
        facts.insert(3, fact("Mutant", mutant.clone()));
    }
    if let (Some(wall_ns), Some(check_ns)) = (verdict.wall_ns, verdict.check_ns) {
        facts.push(fact("Took", format!("{}, checks {}", span(wall_ns), span(check_ns))));
    }
    facts
}

fn checks(verdict: &RunVerdict) -> Vec<Check<'_>> {
    let list = by_attention(verdict).into_iter();
    list.map(|check| Check {
        outcome: check.verdict,
        glyph: ornament::glyph(check.verdict),
        name: &check.name,
        family: check.family.as_deref(),
        detail: &check.detail,
        meaning: meaning::of_check(&check.name),
        algorithm: check.algorithm.as_deref(),
    })
    .collect()
}

fn findings(verdict: &RunVerdict, families: &[DrawnFamily]) -> String {
    let findings: Vec<_> = by_attention(verdict)
        .into_iter()
        .filter_map(|check| Some((check, check.explanation.as_ref()?)))
        .take(FINDINGS_MAX)
        .map(|(check, violation)| {
            let place = check.family.as_ref().map(|family| format!("on {family}"));
            Finding::new(&check.name, place, violation, operations_of(check, families), &[])
        })
        .collect();
    if findings.is_empty() {
        return String::new();
    }
    render(include_str!("../../templates/findings.html"), BTreeMap::from([("findings", findings)]))
}

/// The operations that a check's explanation speaks of: none if its numbers are those of other records.
fn operations_of<'a>(check: &CheckResult, families: &'a [DrawnFamily]) -> &'a [DrawnOperation] {
    let name = check.family.as_deref();
    let family = families.iter().find(|family| Some(family.name.as_str()) == name);
    family.map_or(&[], |family| &family.operations)
}

fn legend(run: &RunFolder) -> Vec<LegendItem> {
    let mut legend = ornament::of_operations();
    if !run.plan.faults.faults.is_empty() {
        legend.extend(ornament::of_faults());
    }
    if !run.clocks.is_empty() {
        legend.extend(ornament::of_clocks());
    }
    legend
}

fn charts(run: &RunFolder, families: &[DrawnFamily], frame: &Frame) -> Vec<Chart> {
    let name = |node| run.plan.node_name(node);
    let mut charts = Vec::new();
    for family in families {
        let asked: Vec<_> = family.operations.iter().filter(|one| one.is_asked()).cloned().collect();
        let lanes = crate::lanes::of_clients(&run.plan, &asked);
        let timeline = Timeline::new(&asked, frame, |client| lanes.lane(client));
        if !timeline.is_empty() {
            let title = if families.len() > 1 {
                format!("Operations on {}", family.name)
            } else {
                "Operations".into()
            };
            let note = format!("by client; {}", endings(&asked));
            charts.push(Chart { title, note, picture: timeline.draw(frame) });
        }
    }
    let faults = FaultBands::new(&run.plan, frame);
    if !faults.is_empty() {
        let note = format!("{} planned, on the nodes they concern", run.plan.faults.faults.len());
        charts.push(Chart { title: "Faults".into(), note, picture: faults.draw(frame) });
    }
    let clocks = ClockLanes::new(&run.clocks, frame, name);
    if !clocks.is_empty() {
        let note = super::clocks::note(&clocks);
        charts.push(Chart { title: "Clocks".into(), note, picture: clocks.draw(frame) });
    }
    charts
}

fn endings(operations: &[DrawnOperation]) -> String {
    let endings = [Ending::Ok, Ending::Refused, Ending::DidNotHappen, Ending::Unknown];
    let counts = endings.map(|ending| (ending, operations.iter().filter(|one| one.ending == ending).count()));
    let texts = counts.iter().filter(|(_, count)| *count > 0);
    texts
        .map(|(ending, count)| format!("{} {}", grouped(*count as u64), ending.name()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn switch(chart: &SwitchChart) -> Switch {
    Switch { version: chart.version(), summary: chart.summary(), picture: chart.draw() }
}

fn latencies(rows: &[LatencyRow]) -> Vec<Latency> {
    let row = |(row, histogram): (&LatencyRow, String)| Latency {
        kind: row.kind.clone(),
        ending: row.ending.name(),
        count: grouped(row.count),
        percentiles: row.percentiles_ns.iter().flatten().map(|&ns| span(ns)).collect(),
        histogram,
    };
    rows.iter().zip(latency::draw(rows)).map(row).collect()
}

/// What the axis of the histograms spans.
fn distribution(rows: &[LatencyRow]) -> String {
    match latency::extremes_ns(rows) {
        Some((shortest, longest)) => format!("{} to {}, logarithmic", span(shortest), span(longest)),
        None => "Distribution".to_owned(),
    }
}

fn ledger(verdict: &RunVerdict) -> Vec<LedgerRow> {
    let row = |line: &crate::run_folder::LedgerLine| LedgerRow {
        fault: line.fault.to_string(),
        planned: grouped(line.planned),
        fired: grouped(line.fired),
        affected: if line.affected == 0 { "nothing".into() } else { grouped(line.affected) },
        meaning: meaning::of_fault(line.fault),
    };
    verdict.ledger.iter().map(row).collect()
}

fn roles(plan: &Plan) -> Vec<Role<'_>> {
    let mut roles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in &plan.nodes {
        roles.entry(&node.role).or_default().push(&node.name);
    }
    let role = |(name, nodes): (_, Vec<&str>)| {
        let list = match nodes.as_slice() {
            [first, .., last] if nodes.len() > 6 => format!("{first} to {last}"),
            few => few.join(", "),
        };
        Role { name, count: nodes.len(), nodes: list }
    };
    roles.into_iter().map(role).collect()
}

fn scenario(plan: &Plan) -> String {
    let text = serde_json::to_string_pretty(&plan.scenario).expect("a JSON value has text keys only");
    if text.len() <= SCENARIO_BYTES_MAX {
        return text;
    }
    let end = (0..=SCENARIO_BYTES_MAX).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    format!("{}\n… the rest stands in plan.json", &text[..end])
}
