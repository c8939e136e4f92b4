//! Whether the parts of a plan file belong together: its nodes and requests are those that its scenario can have.

use model::capacity::Member;
use model::message::Request;
use reports::run_folder;
use sim::fault::Fault;
use sim::node::NodeId;
use sim::time::TrueTime;

use super::{Plan, PlanFileError, instant};

/// Why a request does not fit its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignRequest {
    /// Its node does not exist.
    #[error("is for {0}, which does not exist")]
    UnknownNode(NodeId),
    /// Its node is not asked such things.
    #[error("asks a {role} for {request}")]
    OfAnotherRole {
        /// What is asked.
        request: &'static str,
        /// Of whom.
        role: &'static str,
    },
    /// Its slot does not exist.
    #[error("is about slot {0}, which does not exist")]
    UnknownSlot(u32),
    /// It is due after the end of the workload.
    #[error("is due at {} ns, after the end of the workload", .0.as_ns())]
    TooLate(TrueTime),
}

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
    for (index, planned) in plan.faults.faults.iter().enumerate() {
        if let Fault::Crash { node }
        | Fault::PowerLoss { node }
        | Fault::TornWrite { node }
        | Fault::Stop { node } = planned.fault
            && plan.topology.clients.contains(&node)
        {
            return Err(PlanFileError::ClientDown { index, node });
        }
    }
    for (index, (at, node, request)) in plan.requests.iter().enumerate() {
        let foreign = |reason| PlanFileError::Request { index, reason };
        check_request(plan, (*at, *node), request).map_err(foreign)?;
    }
    Ok(())
}

fn check_request(
    plan: &Plan,
    (at, node): (TrueTime, NodeId),
    request: &Request,
) -> Result<(), ForeignRequest> {
    let Some(member) = plan.topology.members.get(node.index()) else {
        return Err(ForeignRequest::UnknownNode(node));
    };
    let (name, is_theirs) = match request {
        Request::Operation(_) => ("an operation", matches!(member, Member::Client(_))),
        Request::Publish { .. } => ("a publication", matches!(member, Member::Publisher(_))),
        Request::Batch { .. } => ("a batch", matches!(member, Member::Worker(_))),
    };
    if !is_theirs {
        return Err(ForeignRequest::OfAnotherRole { request: name, role: member.role() });
    }
    let slot_count = plan.scenario.shape.slots.get();
    if let Request::Operation(call) = request
        && let Some(slot) = call.slot()
        && u64::from(slot.0) >= slot_count
    {
        return Err(ForeignRequest::UnknownSlot(slot.0));
    }
    if at >= instant(plan.scenario.timing.workload()) {
        return Err(ForeignRequest::TooLate(at));
    }
    Ok(())
}
