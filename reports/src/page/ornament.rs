//! The small signs of a page: a shape for each verdict, a sample for each mark of a legend.

use serde::Serialize;

use crate::run_folder::Outcome;

/// The sign of a verdict. Each has a shape of its own, so that no one needs its colour.
pub(super) fn glyph(outcome: Outcome) -> String {
    let shape = match outcome {
        Outcome::Violated => {
            r#"<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6" style="stroke:var(--paper);stroke-width:2;fill:none"/>"#
        }
        Outcome::Holds => {
            r#"<circle cx="8" cy="8" r="7.2"/><path d="M4.4 8.3l2.5 2.6 4.8-5.4" style="stroke:var(--paper);stroke-width:2;fill:none"/>"#
        }
        Outcome::Undecided => {
            r#"<path d="M8 .8L15.2 8 8 15.2.8 8z" style="fill:none;stroke:currentColor;stroke-width:1.6"/><path d="M4.6 8h1.6M7.2 8h1.6M9.8 8h1.6" style="stroke:currentColor;stroke-width:1.8"/>"#
        }
        Outcome::Vacuous => {
            r#"<circle cx="8" cy="8" r="6.6" style="fill:none;stroke:currentColor;stroke-width:1.6;stroke-dasharray:3 2"/>"#
        }
    };
    format!(r#"<svg class="glyph" aria-hidden="true" viewBox="0 0 16 16" fill="currentColor">{shape}</svg>"#)
}

/// A mark and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct LegendItem {
    /// The mark.
    sample: String,
    /// Its meaning.
    name: &'static str,
}

fn item(shape: &str, name: &'static str) -> LegendItem {
    let sample =
        format!(r#"<svg aria-hidden="true" width="26" height="16" viewBox="0 0 26 16">{shape}</svg>"#);
    LegendItem { sample, name }
}

/// The marks of operations.
pub(super) fn of_operations() -> Vec<LegendItem> {
    vec![
        item(
            r#"<path class="ground" d="M0 15.5H26"/><path class="ok" d="M1 11h5v4h-5zM8 8h4v7h-4zM14 4h4v11h-4zM20 0h5v15h-5z"/>"#,
            "answered: under 10 ms, 100 ms, 1 s, longer",
        ),
        item(r#"<path class="refused" d="M4 0h6v4h-6zM14 0h6v7h-6z"/>"#, "refused (hangs)"),
        item(r#"<path class="unknown" d="M9 4l8 8M9 12l8 -8"/>"#, "outcome unknown"),
    ]
}

/// The marks of faults.
pub(super) fn of_faults() -> Vec<LegendItem> {
    let band = |class| format!(r#"<rect class="band {class}" y="1" width="26" height="14"/>"#);
    vec![
        item(&band("process"), "process"),
        item(&band("network"), "network"),
        item(&band("clock"), "clock"),
        item(&band("disk"), "disk fault"),
    ]
}

/// The marks of clocks.
pub(super) fn of_clocks() -> Vec<LegendItem> {
    vec![
        item(
            r#"<rect class="ribbon" y="2" width="26" height="12"/><path class="error" d="M0 9L8 6L16 10L26 7"/>"#,
            "clock error within its claimed bound",
        ),
        item(r#"<rect class="lie" y="11" width="26" height="3"/>"#, "error outside the bound"),
    ]
}

/// The marks of switches.
pub(super) fn of_switches() -> Vec<LegendItem> {
    vec![
        item(r#"<circle class="truth" cx="13" cy="8" r="4"/>"#, "true time of a node's switch"),
        item(r#"<path class="local" d="M8 8L13 3L18 8L13 13Z"/>"#, "what its own clock showed"),
        item(r#"<rect class="mixed" width="26" height="16"/>"#, "both versions at work"),
        item(r#"<path class="start" d="M13 0V16"/>"#, "when all should switch"),
    ]
}
