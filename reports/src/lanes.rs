//! On which lane a client's operations stand: a client that goes on after an unknown outcome gets a new process
//! number, yet stays one client for the reader.

use std::collections::BTreeMap;

use crate::drawn::DrawnOperation;
use crate::run_folder::Plan;

/// The role of the nodes that ask.
const CLIENT: &str = "client";

/// The lane of each process number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lanes {
    lanes: BTreeMap<u64, (u64, String)>,
}

impl Lanes {
    /// The lane of a process: its place, and its name.
    pub(crate) fn lane(&self, process: u64) -> (u64, String) {
        self.lanes.get(&process).cloned().unwrap_or_else(|| (process, format!("client {process}")))
    }
}

/// The lanes of the clients of a run.
///
/// Process numbers are one client if they are equal modulo the number of the plan's clients: so the recorder numbers
/// the sessions that a client has open at once, and those that follow an unknown outcome. Without clients in the
/// plan, each process has its own lane.
pub(crate) fn of_clients(plan: &Plan, operations: &[DrawnOperation]) -> Lanes {
    let clients: Vec<_> = plan.nodes.iter().filter(|node| node.role == CLIENT).collect();
    let lane = |process: u64| match usize::try_from(process % (clients.len() as u64).max(1)) {
        Ok(place) if !clients.is_empty() => (place as u64, clients[place].name.clone()),
        _ => (process, format!("client {process}")),
    };
    Lanes { lanes: operations.iter().map(|operation| (operation.client, lane(operation.client))).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawn::Ending;
    use crate::run_folder::NodePlan;

    /// The names of the lanes of operations at (process, invoked, returned), in a plan with two clients.
    fn names(operations: &[(u64, u64, Option<u64>)]) -> Vec<String> {
        let node = |id| NodePlan { id, name: format!("client-{id}"), role: CLIENT.into() };
        let plan = Plan {
            version: String::new(),
            name: "n".into(),
            system: "s".into(),
            seed: 1,
            variant: "naive".into(),
            mutant: None,
            substrate: "kernel".into(),
            chaos_ends_ns: 0,
            ends_ns: 1,
            nodes: vec![node(0), node(1)],
            faults: sim::fault::FaultPlan::default(),
            left_out: Vec::new(),
            scenario: serde_json::Value::Null,
            requests: Vec::new(),
        };
        let drawn = |&(client, invoked, returned): &(u64, u64, Option<u64>)| DrawnOperation {
            number: invoked,
            client,
            kind: "read".into(),
            label: "read".into(),
            ending: if returned.is_some() { Ending::Ok } else { Ending::Unknown },
            invoked,
            returned,
            invoked_at_ns: invoked,
            returned_at_ns: returned,
        };
        let operations: Vec<_> = operations.iter().map(drawn).collect();
        let lanes = of_clients(&plan, &operations);
        operations.iter().map(|operation| lanes.lane(operation.client).1).collect()
    }

    #[test]
    fn client_that_goes_on_under_a_new_number_keeps_its_lane() {
        assert_eq!(
            names(&[(0, 1, Some(2)), (1, 3, None), (3, 4, Some(5))]),
            ["client-0", "client-1", "client-1"]
        );
    }

    #[test]
    fn sessions_that_a_client_has_open_at_once_share_its_lane() {
        assert_eq!(names(&[(0, 1, Some(4)), (2, 2, Some(3))]), ["client-0", "client-0"]);
    }
}
