//! The page of clock samples that stand alone, from a run or from anywhere else.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ornament::{self, LegendItem};
use super::{Fact, Head, page, render};
use crate::clock_lane::ClockLanes;
use crate::frame::{Frame, Picture};
use crate::run_folder::{ClockSample, Outcome};
use crate::scale::{grouped, signed_span, span};
use crate::words::counted;

/// The extremes of a clock.
#[derive(Serialize)]
struct Row {
    node: String,
    samples: String,
    behind: String,
    ahead: String,
    bound: String,
    lies: String,
}

/// Everything below the head.
#[derive(Serialize)]
struct Body {
    legend: Vec<LegendItem>,
    axis: String,
    picture: Picture,
    rows: Vec<Row>,
}

/// The page of some clock samples.
pub fn clocks(samples: &[ClockSample]) -> String {
    let frame = Frame::over(samples.iter().map(|sample| sample.at_ns));
    let lanes = ClockLanes::new(samples, &frame, |node| format!("n{node}"));
    let body = Body {
        legend: ornament::of_clocks(),
        axis: frame.axis(),
        picture: lanes.draw(&frame),
        rows: rows(samples),
    };
    page(&head(samples, &lanes), &render(include_str!("../../templates/clocks.html"), body))
}

/// What a reader should know about all clocks together.
pub(super) fn note(lanes: &ClockLanes) -> String {
    match lanes.liars().as_slice() {
        [] => "each within the bound it claimed; every lane has its own range".to_owned(),
        [one] => format!("{one} was outside the bound it claimed; every lane has its own range"),
        many => {
            format!("{} were outside the bound they claimed; every lane has its own range", many.join(", "))
        }
    }
}

fn head(samples: &[ClockSample], lanes: &ClockLanes) -> Head {
    let nodes = rows(samples).len();
    let liars = lanes.liars().len();
    let (outcome, headline) = match liars {
        0 => (Outcome::Holds, "Every clock stayed within its claimed bound".to_owned()),
        count => {
            (Outcome::Violated, format!("{count} of {} left the bound claimed", counted(nodes, "clock")))
        }
    };
    let widest = samples.iter().map(|sample| sample.error_ns.unsigned_abs()).max().unwrap_or(0);
    let instants = || samples.iter().map(|sample| sample.at_ns);
    let length_ns = instants().max().unwrap_or(0) - instants().min().unwrap_or(0);
    Head {
        title: "Clock samples".into(),
        kicker: "counterclock: clock samples".into(),
        outcome,
        headline,
        subject: None,
        lede: format!("The largest error was {}.", span(widest)),
        command: None,
        facts: vec![
            Fact { name: "Clocks", value: grouped(nodes as u64) },
            Fact { name: "Samples", value: grouped(samples.len() as u64) },
            Fact { name: "True time", value: span(length_ns) },
        ],
        footer: "Errors are readings minus true time: positive is ahead.".into(),
    }
}

fn rows(samples: &[ClockSample]) -> Vec<Row> {
    let mut nodes: BTreeMap<u32, Vec<&ClockSample>> = BTreeMap::new();
    for sample in samples {
        nodes.entry(sample.node).or_default().push(sample);
    }
    nodes.into_iter().map(|(node, samples)| row(node, &samples)).collect()
}

fn row(node: u32, samples: &[&ClockSample]) -> Row {
    let errors = || samples.iter().map(|sample| sample.error_ns);
    let lies = samples.iter().filter(|sample| sample.is_lie()).count();
    Row {
        node: format!("n{node}"),
        samples: grouped(samples.len() as u64),
        behind: signed_span(errors().min().unwrap_or(0).min(0)),
        ahead: signed_span(errors().max().unwrap_or(0).max(0)),
        bound: span(samples.iter().map(|sample| sample.bound_ns).max().unwrap_or(0)),
        lies: grouped(lies as u64),
    }
}
