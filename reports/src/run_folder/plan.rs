//! What a run was going to do, all decided before its first event: `plan.json`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sim::fault::{Family, FaultPlan};

/// A node of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePlan {
    /// Its number in the world.
    pub id: u32,
    /// Its name in reports, such as `slot-3`.
    pub name: String,
    /// What it does, such as `store` or `client`.
    pub role: String,
}

/// Everything that was decided before the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of counterclock that made the run.
    pub version: String,
    /// The scenario's name.
    pub name: String,
    /// The system under test.
    pub system: String,
    /// The seed.
    pub seed: u64,
    /// `hardened` or `naive`.
    pub variant: String,
    /// The planted defect, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutant: Option<String>,
    /// What the nodes ran on.
    pub substrate: String,
    /// When the faults end and healing begins. Unit: ns of true time.
    pub chaos_ends_ns: u64,
    /// When the run ends. Unit: ns of true time. Not before `chaos_ends_ns`.
    pub ends_ns: u64,
    /// Every node.
    pub nodes: Vec<NodePlan>,
    /// Every fault with its instant.
    pub faults: FaultPlan,
    /// The families that the substrate lacks and the plan therefore has not.
    pub left_out: Vec<Family>,
    /// The scenario with every setting resolved.
    pub scenario: Value,
    /// What the clients will ask, one compact value each.
    pub requests: Vec<Value>,
}

impl Plan {
    /// The plan as text: one field a line, and below that one node, fault or request a line.
    pub fn json(&self) -> String {
        super::lines::one_value_a_line(self)
    }

    pub(super) fn assert_invariants(&self) {
        let (chaos_ends_ns, ends_ns) = (self.chaos_ends_ns, self.ends_ns);
        assert!(chaos_ends_ns <= ends_ns, "faults end at {chaos_ends_ns} ns, after the run at {ends_ns} ns");
        for (index, node) in self.nodes.iter().enumerate() {
            assert!(self.nodes[..index].iter().all(|other| other.id != node.id), "two nodes are {}", node.id);
        }
    }

    /// The name of node `id`: as planned, else its number.
    #[must_use]
    pub fn node_name(&self, id: u32) -> String {
        self.nodes
            .iter()
            .find(|node| node.id == id)
            .map_or_else(|| format!("n{id}"), |node| node.name.clone())
    }
}
