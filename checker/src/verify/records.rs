//! Promises about records: who broke them is found again.

use super::Refusal;
use crate::admission::{admission, admission_of_kinds};
use crate::format::evidence::Claim;
use crate::history::OperationIndex;
use crate::judge::{FamilyKind, Records};
use crate::session::{Access, Read};
use crate::tally::{TallyRule, tally};
use crate::verdict::Verdict;
use crate::{replication, switch_timing};

/// Whether these records, and no others, are what breaks the promise; none if it holds.
pub(super) fn accept(
    kind: &FamilyKind,
    check: &str,
    claim: Claim,
    records: &[OperationIndex],
) -> Result<(), Refusal> {
    let (found, broken) = match kind {
        FamilyKind::Reads(reads) => match gone_back(reads, check) {
            Some(Some(pair)) => (Claim::Violated, pair.to_vec()),
            Some(None) => (Claim::Holds, Vec::new()),
            None => return Err(Refusal::WrongKind),
        },
        _ => match judged(kind, check).ok_or(Refusal::WrongKind)? {
            Verdict::Holds => (Claim::Holds, Vec::new()),
            Verdict::Violated(violation) => (Claim::Violated, violation.operations),
            Verdict::Undecided(_) => (Claim::Undecided, Vec::new()),
        },
    };
    if found == Claim::Undecided || found != claim {
        return Err(Refusal::OtherRecords(found.word().to_owned()));
    }
    if broken != records {
        return Err(Refusal::OtherRecords(format!("broken by others: {broken:?}")));
    }
    Ok(())
}

/// The rule of the promise, over all records once more.
fn judged(kind: &FamilyKind, check: &str) -> Option<Verdict> {
    Some(match (kind, check) {
        (FamilyKind::Log(history), "no-loss") => replication::no_loss(history),
        (FamilyKind::Log(history), "exactly-once") => replication::exactly_once(history),
        (FamilyKind::Log(history), "convergence") => replication::convergence(history),
        (FamilyKind::Tally { history, settled_ns }, _) => {
            let rule = match check {
                "no-loss" => TallyRule::NoLoss,
                "exactly-once" => TallyRule::ExactlyOnce,
                "convergence" => TallyRule::Convergence,
                _ => return None,
            };
            tally(history, *settled_ns, rule)
        }
        (FamilyKind::Capacity { history, schedule: Some(schedule), uncertainty_ns, .. }, "admission") => {
            admission(history, schedule, *uncertainty_ns)
        }
        (FamilyKind::Kinds { spec, history, schedule: Some(schedule), uncertainty_ns, .. }, "admission") => {
            admission_of_kinds(spec, history, schedule, *uncertainty_ns)
        }
        (FamilyKind::Switch { history, promise }, _) => {
            let rules = switch_timing::switch_timing(history, promise).rules;
            rules.into_iter().find(|(name, _)| *name == check)?.1
        }
        (FamilyKind::Records(records), _) if Records::checks(records).contains(&check) => {
            records.judged(check)
        }
        _ => return None,
    })
}

/// The first access of a client to a server that stands before an earlier one of it, and the furthest of
/// these. Outer none: there is no such promise.
fn gone_back(reads: &[Read], check: &str) -> Option<Option<[OperationIndex; 2]>> {
    let (earlier, later) = match check {
        "monotonic-reads" => (Access::Read, Access::Read),
        "read-your-writes" => (Access::Write, Access::Read),
        "monotonic-writes" => (Access::Write, Access::Write),
        "writes-follow-reads" => (Access::Read, Access::Write),
        _ => return None,
    };
    let mut furthest = std::collections::BTreeMap::new();
    for (number, read) in (0..).map(OperationIndex).zip(reads) {
        let session = (read.client, read.server);
        // What is read again may be the same; what is written is new.
        let least = |far: u64| if later == Access::Read { far } else { far + 1 };
        if let Some((far, before)) = furthest.get(&session).copied()
            && read.access == later
            && read.position < least(far)
        {
            return Some(Some([before, number]));
        }
        if read.access == earlier && furthest.get(&session).is_none_or(|(far, _)| *far <= read.position) {
            furthest.insert(session, (read.position, number));
        }
    }
    Some(None)
}
