//! Whether the parts of a plan file belong together: its nodes and requests are those that its scenario can have.

use reports::run_folder;
use sim::fault::Fault;

use super::{PlanFileError, nodes};
use crate::scenario::{Role, Scenario};

/// Whether `file` names what its scenario has.
pub(super) fn check(scenario: &Scenario, file: &run_folder::Plan) -> Result<(), PlanFileError> {
    let (faces, timing) = (scenario.system.faces(), &scenario.timing);
    let nodes = nodes(&faces);
    let differs = |part: &'static str, found: String, expected: String| {
        if found == expected { Ok(()) } else { Err(PlanFileError::Foreign { part, found, expected }) }
    };
    differs("name", file.name.clone(), scenario.name.clone())?;
    differs("system", file.system.clone(), scenario.system.name().to_owned())?;
    differs("chaos_ends_ns", file.chaos_ends_ns.to_string(), timing.chaos().as_ns().to_string())?;
    differs("ends_ns", file.ends_ns.to_string(), timing.whole().as_ns().to_string())?;
    differs("nodes", format!("{} nodes", file.nodes.len()), format!("{} nodes", nodes.len()))?;
    for (found, expected) in file.nodes.iter().zip(&nodes) {
        let words = |node: &run_folder::NodePlan| format!("{} {} ({})", node.id, node.name, node.role);
        differs("nodes", words(found), words(expected))?;
    }
    for (index, planned) in file.faults.faults.iter().enumerate() {
        if let Fault::Crash { node }
        | Fault::PowerLoss { node }
        | Fault::TornWrite { node }
        | Fault::Stop { node } = planned.fault
            && faces.get(node.index()).is_some_and(|face| face.role == Role::Client)
        {
            return Err(PlanFileError::ClientDown { index, node });
        }
    }
    Ok(())
}
