//! When each node went over to each configuration version: `switches.jsonl`, for scenarios that have versions.

use serde::{Deserialize, Serialize};

/// One line of `switches.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SwitchRecord {
    /// A version was committed.
    Version {
        /// Its number.
        version: u64,
        /// When the store committed it. Unit: ns of true time.
        published_at_ns: u64,
        /// When every node should go over to it; may lie before the run. Unit: ns.
        start_at_ns: i64,
    },
    /// A node first worked with a version.
    Switch {
        /// The version.
        version: u64,
        /// The node.
        node: u32,
        /// When. Unit: ns of true time.
        at_ns: u64,
        /// What the node's wall clock showed. Unit: ns.
        local_ns: i64,
    },
}

impl SwitchRecord {
    /// The records as the text of `switches.jsonl`.
    pub fn to_jsonl(records: &[Self]) -> String {
        let line = |record| serde_json::to_string(record).expect("a record has text keys only") + "\n";
        records.iter().map(line).collect()
    }
}
