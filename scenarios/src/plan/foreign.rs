//! Whether the parts of a plan file belong together: its nodes and requests are those that its scenario can have.

use reports::run_folder;
use sim::fault::Fault;

use super::{Plan, PlanFileError};
use crate::scenario::Role;

/// Whether `file`, read as `plan`, names what its scenario has.
pub(super) fn check(plan: &Plan, file: &run_folder::Plan) -> Result<(), PlanFileError> {
    let own = plan.to_file();
    let differs = |part: &'static str, found: String, expected: String| {
        if found == expected { Ok(()) } else { Err(PlanFileError::Foreign { part, found, expected }) }
    };
    differs("name", file.name.clone(), own.name)?;
    differs("system", file.system.clone(), own.system)?;
    differs("chaos_ends_ns", file.chaos_ends_ns.to_string(), own.chaos_ends_ns.to_string())?;
    differs("ends_ns", file.ends_ns.to_string(), own.ends_ns.to_string())?;
    differs("nodes", format!("{} nodes", file.nodes.len()), format!("{} nodes", own.nodes.len()))?;
    for (found, expected) in file.nodes.iter().zip(&own.nodes) {
        let words = |node: &run_folder::NodePlan| format!("{} {} ({})", node.id, node.name, node.role);
        differs("nodes", words(found), words(expected))?;
    }
    let faces = plan.work.faces();
    for (index, planned) in plan.faults.faults.iter().enumerate() {
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
