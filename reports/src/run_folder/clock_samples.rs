//! How far each clock was off, and how far it said it might be: `clocks.jsonl`, also from anywhere else.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::FolderError;
use super::files;

/// A clock at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSample {
    /// When. Unit: ns of true time.
    pub at_ns: u64,
    /// Whose.
    pub node: u32,
    /// How far the clock is ahead of true time. Unit: ns.
    pub error_ns: i64,
    /// The error bound it claims. Unit: ns.
    pub bound_ns: u64,
}

impl ClockSample {
    /// Whether the claimed bound does not cover the error.
    #[must_use]
    pub const fn is_lie(&self) -> bool {
        self.error_ns.unsigned_abs() > self.bound_ns
    }

    /// The samples as the text of `clocks.jsonl`.
    pub fn to_jsonl(samples: &[Self]) -> String {
        let line = |sample| serde_json::to_string(sample).expect("a sample has text keys only") + "\n";
        samples.iter().map(line).collect()
    }

    /// The samples of a `clocks.jsonl`, which may stand alone and come from elsewhere.
    ///
    /// # Errors
    /// If the file is missing, empty, or has a line that is no sample.
    pub fn read(path: &Path) -> Result<Vec<Self>, FolderError> {
        let text = files::read_text(path, EXPECTED, "give the path of a clocks.jsonl")?;
        files::parse_lines(path, &text, EXPECTED)
    }
}

impl From<sim::kernel::ClockSample> for ClockSample {
    fn from(sample: sim::kernel::ClockSample) -> Self {
        Self {
            at_ns: sample.at.as_ns(),
            node: sample.node.0,
            error_ns: sample.error_ns,
            bound_ns: sample.bound.as_ns(),
        }
    }
}

/// What a line holds.
pub(super) const EXPECTED: &str = "a clock sample {at_ns, node, error_ns, bound_ns}";
