//! Makes evidence: for each verdict of a check, a certificate that others can verify.
//!
//! ```text
//!   holds:     a recorded or found order of each object, one order of all, or a visibility
//!   violated:  the core, searched in full ─too large─► a chain of forced orders ─none─► all operations
//!   records:   those that break the promise
//! ```
//!
//! What [`verify`] would refuse is not written: a verdict without a certificate says so,
//! with the reason.

mod chain;
#[cfg(test)]
mod trials;

use std::collections::BTreeMap;

use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::format::evidence::{Certificate, Checked, Claim, Others};
use crate::history::OperationIndex;
use crate::judge::{Family, FamilyKind, OperationsVisitor};
use crate::keyed::KeyedHistory;
use crate::lattice::Level;
use crate::linearizable::{completed_witness, legal_order};
use crate::sequential::sequential_order;
use crate::spec::Spec;
use crate::verdict::{Verdict, Violation};
use crate::verify::{self, Whole};
use crate::{convergence, weak};

/// Nodes of the search that shows that a core has no explanation, at most.
const CORE_WORK_MAX: u64 = 50_000;

/// A verdict of a check on a family.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The family.
    pub family: &'a str,
    /// The check.
    pub check: &'a str,
    /// What was found.
    pub verdict: &'a Verdict,
}

/// Certificates for verdicts on these families. The budget is that of each search for an order.
pub fn certify(families: &[Family], judged: &[Judged<'_>], budget: Budget) -> Vec<Checked> {
    judged.iter().map(|one| checked(families, *one, budget)).collect()
}

fn checked(families: &[Family], judged: Judged<'_>, budget: Budget) -> Checked {
    let Judged { family, check, verdict } = judged;
    let claim = match verdict {
        Verdict::Holds => Claim::Holds,
        Verdict::Violated(_) => Claim::Violated,
        Verdict::Undecided(_) => Claim::Undecided,
    };
    let certificate = match (verdict, families.iter().find(|one| one.name == family)) {
        (Verdict::Undecided(undecided), _) => {
            none(&format!("undecided: the check ended after {} steps without an answer", undecided.steps))
        }
        (_, None) => none("the history has no such family"),
        (Verdict::Holds | Verdict::Violated(_), Some(family)) => of_family(&family.kind, judged, budget),
    };
    let mut checked =
        Checked { family: family.to_owned(), check: check.to_owned(), verdict: claim, certificate };
    if matches!(checked.certificate, Certificate::Records { .. })
        && let Err(refusal) = verify::accept(families, &checked)
    {
        checked.certificate = none(&refusal.to_string());
    }
    checked
}

fn none(reason: &str) -> Certificate {
    Certificate::None { reason: reason.to_owned() }
}

fn of_family(kind: &FamilyKind, judged: Judged<'_>, budget: Budget) -> Certificate {
    let level = judged.check.parse::<Level>().ok();
    let is_rule_of_records = matches!(kind, FamilyKind::Tally { .. }) && level == Some(Level::Convergence);
    let no_witness = BTreeMap::new();
    let recorded = if let FamilyKind::Capacity { witness, .. } | FamilyKind::Kinds { witness, .. } = kind {
        witness
    } else {
        &no_witness
    };
    let certified = level
        .filter(|_| !is_rule_of_records)
        .and_then(|level| kind.visit(Certify { level, verdict: judged.verdict, witness: recorded, budget }));
    certified.unwrap_or_else(|| {
        let records = match judged.verdict {
            Verdict::Violated(violation) => violation.operations.clone(),
            Verdict::Holds | Verdict::Undecided(_) => Vec::new(),
        };
        Certificate::Records { records }
    })
}

/// A certificate for the verdict on one level of these objects. The budget is that of each search for an order.
pub fn certify_objects<S: Spec>(
    spec: &S,
    history: &KeyedHistory<S>,
    (level, verdict): (Level, &Verdict),
    budget: Budget,
) -> Certificate {
    Certify { level, verdict, witness: &BTreeMap::new(), budget }.certificate(spec, history)
}

struct Certify<'a> {
    level: Level,
    verdict: &'a Verdict,
    /// By key: an order that came with the history.
    witness: &'a BTreeMap<String, Vec<OperationIndex>>,
    budget: Budget,
}

impl OperationsVisitor for Certify<'_> {
    type Output = Certificate;

    fn visit<S: Drawable>(self, spec: &S, history: &KeyedHistory<S>) -> Certificate {
        self.certificate(spec, history)
    }
}

impl Certify<'_> {
    fn certificate<S: Spec>(&self, spec: &S, history: &KeyedHistory<S>) -> Certificate {
        match self.verdict {
            Verdict::Violated(violation) => violated(spec, history, self.level, violation),
            Verdict::Holds | Verdict::Undecided(_) => {
                self.holds(spec, history).unwrap_or_else(|| none("no order was found within the budget"))
            }
        }
    }

    /// The cheapest certificate that the history has the level.
    fn holds<S: Spec>(&self, spec: &S, history: &KeyedHistory<S>) -> Option<Certificate> {
        let Self { level, budget, .. } = *self;
        let orders = || Some(Certificate::Orders { orders: self.orders(spec, history)? });
        let order = || Some(Certificate::Order { order: sequential_order(spec, history, budget)? });
        let visibility = |found: Option<weak::Explanation>| {
            let weak::Explanation { arbitration, sees } = found?;
            Some(Certificate::Visibility { arbitration, sees })
        };
        match level {
            Level::Linearizable => orders(),
            Level::Sequential => orders().or_else(order),
            Level::Convergence => {
                orders().or_else(|| visibility(convergence::explanation(spec, history, budget)))
            }
            Level::Causal
            | Level::Pram
            | Level::ReadYourWrites
            | Level::MonotonicReads
            | Level::MonotonicWrites
            | Level::WritesFollowReads => {
                let level = level.weak().expect("these are made of guarantees");
                let found = || visibility(weak::explanation(level, spec, history, budget));
                if weak::Sources::of(spec, history).are_unique() {
                    return found();
                }
                orders().or_else(order).or_else(found)
            }
        }
    }

    /// A legal order of each object.
    fn orders<S: Spec>(
        &self,
        spec: &S,
        history: &KeyedHistory<S>,
    ) -> Option<BTreeMap<String, Vec<OperationIndex>>> {
        let order = |(key, part)| {
            let key: &String = key;
            let recorded = self.witness.get(key).and_then(|order| completed_witness(spec, part, order));
            Some((key.clone(), recorded.or_else(|| legal_order(spec, part, self.budget))?))
        };
        history.parts().iter().map(order).collect()
    }
}

/// The smallest certificate that the history does not have the level.
fn violated<S: Spec>(
    spec: &S,
    history: &KeyedHistory<S>,
    level: Level,
    violation: &Violation,
) -> Certificate {
    let whole = Whole::of(spec, history);
    let answered = |number: &OperationIndex| {
        let part = history.parts().values().find_map(|part| Some((part, part.find(*number)?)));
        part.is_some_and(|(part, place)| part.operations()[place].returned.is_some())
    };
    let core: Vec<OperationIndex> = violation.operations.iter().copied().filter(answered).collect();
    let level = verify::Level::named(level.name()).expect("every level has its name");
    let tried = |core: &[OperationIndex], others: Others| {
        let found = verify::impossible(&whole, level, core, others, CORE_WORK_MAX);
        found.ok().map(|work| Certificate::Core { core: core.to_vec(), others, work })
    };
    let by_chain = || {
        let steps = chain::chain(&whole, level, &core)?;
        verify::contradiction(&whole, level, &steps).ok().map(|()| Certificate::Chain { steps })
    };
    // What is observed of one object may be enough.
    let by_object = || {
        let part = |part: &crate::history::History<S>| -> Vec<OperationIndex> {
            core.iter().copied().filter(|number| part.find(*number).is_some()).collect()
        };
        let parts =
            history.parts().values().map(part).filter(|part| !part.is_empty() && part.len() < core.len());
        parts.into_iter().find_map(|part| tried(&part, Others::Optional))
    };
    // All that had to happen until the search got stuck.
    let until: Vec<OperationIndex> = core.iter().copied().chain(violation.stuck.filter(answered)).collect();
    tried(&core, Others::Optional)
        .or_else(by_chain)
        .or_else(by_object)
        .or_else(|| tried(&core, Others::Needed))
        .or_else(|| tried(&until, Others::Nothing))
        .unwrap_or_else(|| none("every refutation that was tried takes too many steps to verify"))
}
