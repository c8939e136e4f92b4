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
/// Two process numbers are one client if they are equal modulo the number of the plan's clients: how a process
/// number is chosen after an unknown outcome. If such processes overlap in time, numbers were chosen otherwise,
/// and each process has its own lane.
pub(crate) fn of_clients(plan: &Plan, operations: &[DrawnOperation]) -> Lanes {
    let clients: Vec<_> = plan.nodes.iter().filter(|node| node.role == CLIENT).collect();
    let count = clients.len() as u64;
    let lives = lives(operations);
    if count == 0 || overlap(&lives, count) {
        let own = lives.keys().map(|&process| (process, (process, format!("client {process}"))));
        return Lanes { lanes: own.collect() };
    }
    let lane = |&process: &u64| {
        let place = process % count;
        let client = &clients[usize::try_from(place).expect("a place is below the number of clients")];
        (process, (place, client.name.clone()))
    };
    Lanes { lanes: lives.keys().map(lane).collect() }
}

/// The positions of the first and the last event of each process.
fn lives(operations: &[DrawnOperation]) -> BTreeMap<u64, (u64, u64)> {
    let mut lives: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for operation in operations {
        let end = operation.returned.unwrap_or(operation.invoked);
        let life = lives.entry(operation.client).or_insert((operation.invoked, end));
        *life = (life.0.min(operation.invoked), life.1.max(end));
    }
    lives
}

fn overlap(lives: &BTreeMap<u64, (u64, u64)>, count: u64) -> bool {
    let mut by_place: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for (process, life) in lives {
        by_place.entry(process % count).or_default().push(*life);
    }
    by_place.into_values().any(|mut lives| {
        lives.sort_unstable();
        lives.windows(2).any(|pair| pair[1].0 <= pair[0].1)
    })
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
    fn processes_that_overlap_are_different_clients_whatever_their_numbers() {
        assert_eq!(names(&[(0, 1, Some(4)), (2, 2, Some(3))]), ["client 0", "client 2"]);
    }
}
