//! A recorded run against the same plan run now: the same bytes, or the first event that differs.

use core::fmt;
use core::ops::Range;

use reports::run_folder::{CHECKPOINTS, HISTORY, RunFolder, TRACE, VERDICT};
use sim::substrate::SubstrateError;
use sim::trace::{self, Difference, TraceEvent};

use crate::folder::folder;
use crate::plan::Plan;
use crate::runner;

/// In what a replay is not the recorded run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The plan does not even give the same run twice now: something lets the host into it.
    Unsteady(Difference),
    /// It gives the same run each time, and that is another one.
    Other {
        /// The first lines that differ, in the file that comes closest to the cause.
        lines: Option<Lines>,
        /// The first events that differ, as far as the recorded checkpoints tell.
        window: Option<Window>,
        /// The recorded digest and that of now.
        digests: (String, String),
        /// The recorded version and that of now.
        versions: (String, String),
    },
}

/// A line of a file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// In which file.
    pub file: &'static str,
    /// Its number, from 1.
    pub number: u64,
    /// As it was recorded; none if there were fewer lines.
    pub recorded: Option<String>,
    /// As it is now; none if there are fewer lines.
    pub now: Option<String>,
}

/// Events among which is the first that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Which events, counted from 0.
    pub events: Range<u64>,
    /// The first of them, as it is now.
    pub first: Option<TraceEvent>,
}

/// Runs `plan`, which is that of `recorded`, again; none if the same bytes came out.
///
/// # Errors
/// If the plan contradicts itself, or plans what its substrate cannot express.
pub fn replay(recorded: &RunFolder, plan: &Plan) -> Result<Option<Departure>, SubstrateError> {
    let again = folder(&runner::run(plan.clone(), recorded.trace.is_some())?);
    let lines = first_lines(recorded, &again);
    let digests = (recorded.verdict.digest.clone(), again.verdict.digest.clone());
    if lines.is_none() && digests.0 == digests.1 {
        return Ok(None);
    }
    let trace = runner::simulate(plan, true)?.evidence.trace;
    if let Some(difference) = trace::first_difference(&trace, &runner::simulate(plan, true)?.evidence.trace) {
        return Ok(Some(Departure::Unsteady(difference)));
    }
    let window = window(recorded, &again, &trace);
    let versions = (recorded.plan.version.clone(), again.plan.version);
    Ok(Some(Departure::Other { lines, window, digests, versions }))
}

/// The first line that differs: of the trace, if one was recorded, or of what came of it.
fn first_lines(recorded: &RunFolder, again: &RunFolder) -> Option<Lines> {
    let traces = recorded.trace.as_deref().zip(again.trace.as_deref());
    let verdict = |folder: &RunFolder| folder.verdict.soak_line();
    traces
        .and_then(|traces| first_line(TRACE, traces))
        .or_else(|| first_line(HISTORY, (&recorded.history, &again.history)))
        .or_else(|| first_line(VERDICT, (&verdict(recorded), &verdict(again))))
        .or_else(|| first_line(CHECKPOINTS, (&checkpoints(recorded)?, &checkpoints(again)?)))
}

/// The checkpoints as their file has them; none in a folder of a version that kept none.
fn checkpoints(folder: &RunFolder) -> Option<String> {
    let json = |checkpoints| serde_json::to_string(checkpoints).expect("checkpoints are plain data");
    folder.checkpoints.as_ref().map(json)
}

fn first_line(file: &'static str, (recorded, now): (&str, &str)) -> Option<Lines> {
    let (mut left, mut right) = (recorded.lines(), now.lines());
    (1..).find_map(|number| match (left.next(), right.next()) {
        (None, None) => Some(None),
        (recorded, now) if recorded == now => None,
        (recorded, now) => {
            let (recorded, now) = (recorded.map(str::to_owned), now.map(str::to_owned));
            Some(Some(Lines { file, number, recorded, now }))
        }
    })?
}

fn window(recorded: &RunFolder, again: &RunFolder, trace: &[TraceEvent]) -> Option<Window> {
    let (before, now) = (recorded.checkpoints.as_ref()?, again.checkpoints.as_ref()?);
    let events = before.first_differing_window(now)?;
    let first = usize::try_from(events.start).ok().and_then(|first| trace.get(first)).cloned();
    Some(Window { events, first })
}

impl fmt::Display for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsteady(difference) => {
                write!(f, "the plan does not give the same run twice: the host has a say in it\n{difference}")
            }
            Self::Other { lines, window, digests, versions } => {
                match lines {
                    Some(lines) => write!(f, "{lines}")?,
                    None => write!(f, "digest: recorded {}, now {}", digests.0, digests.1)?,
                }
                if let Some(window) = window {
                    write!(f, "\n{window}")?;
                }
                if versions.0 != versions.1 {
                    write!(f, "\nthe run was made by version {}, this is {}", versions.0, versions.1)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |line: &Option<String>| line.as_deref().unwrap_or("nothing").to_owned();
        let (recorded, now) = (side(&self.recorded), side(&self.now));
        writeln!(f, "{}: line {} is the first that differs", self.file, self.number)?;
        write!(f, "recorded: {recorded}\nnow:      {now}")
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { start, end } = self.events;
        write!(f, "the first event that differs is one of {start} to {}", end - 1)?;
        if let Some(first) = &self.first {
            write!(f, ", which now begin with: {first}")?;
        }
        Ok(())
    }
}
