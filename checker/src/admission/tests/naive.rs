//! The clauses read once more from their definitions, instant by instant.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::history::{ClientId, History, OperationOf, Outcome};
use crate::spec::capacity::{CapacityAnswer, CapacityCall, Terms};

/// Instants of small histories lie below.
const END_NS: u64 = 24;

/// Room at both ends for the uncertainty.
const MARGIN_NS: u64 = 3;

type Step = (u64, u64);

fn limit_at(steps: &[Step], at: u64) -> Option<u64> {
    steps.iter().rev().find(|(start, _)| *start <= at).map(|(_, limit)| *limit)
}

fn largest(steps: &[Step], operation: &OperationOf<Capacity>) -> u64 {
    let until = operation.returned_at.unwrap();
    (operation.invoked_at..=until).filter_map(|at| limit_at(steps, at)).max().unwrap_or(0)
}

struct Naive<'a> {
    operations: &'a [OperationOf<Capacity>],
    steps: &'a [Step],
}

impl Naive<'_> {
    fn reservations(
        &self,
        is_wanted: fn(&Outcome<CapacityAnswer>) -> bool,
    ) -> Vec<(&OperationOf<Capacity>, u64, u64)> {
        let wanted = self.operations.iter().filter(|operation| is_wanted(&operation.outcome));
        wanted
            .filter_map(|operation| match operation.call {
                CapacityCall::Reserve { order: Some(order), units } => Some((operation, order, units)),
                CapacityCall::Reserve { order: None, .. }
                | CapacityCall::Release { .. }
                | CapacityCall::Read => None,
            })
            .collect()
    }

    fn accepted(&self) -> Vec<(&OperationOf<Capacity>, u64, u64)> {
        self.reservations(|outcome| matches!(outcome, Outcome::Answered(CapacityAnswer::Accepted(_))))
    }

    fn releases(&self, order: u64) -> impl Iterator<Item = &OperationOf<Capacity>> {
        self.operations.iter().filter(move |operation| {
            matches!(operation.call, CapacityCall::Release { order: Some(other), .. } if other == order)
        })
    }

    fn is_released_by(&self, order: u64, at: u64) -> bool {
        self.releases(order).any(|release| release.invoked_at <= at)
    }

    fn is_over(&self) -> bool {
        let accepted = self.accepted();
        let on_top = accepted.iter().any(|(last, _, units)| {
            let until = last.returned_at.unwrap();
            let stayed = accepted.iter().filter(|(other, order, _)| {
                other.returned_at.unwrap() < last.invoked_at && !self.is_released_by(*order, until)
            });
            units + stayed.map(|(_, _, units)| units).sum::<u64>() > largest(self.steps, last)
        });
        on_top || (0..END_NS).any(|at| self.is_over_at(&accepted, at))
    }

    fn is_over_at(&self, accepted: &[(&OperationOf<Capacity>, u64, u64)], at: u64) -> bool {
        let in_use: Vec<_> = accepted
            .iter()
            .filter(|(one, order, _)| one.returned_at.unwrap() <= at && !self.is_released_by(*order, at))
            .collect();
        let Some(last_invoked_at) = in_use.iter().map(|(one, _, _)| one.invoked_at).max() else {
            return false;
        };
        let candidates = in_use.iter().filter(|(one, _, _)| one.returned_at.unwrap() >= last_invoked_at);
        let limit = candidates.map(|(one, _, _)| largest(self.steps, one)).max().unwrap();
        in_use.iter().map(|(_, _, units)| units).sum::<u64>() > limit
    }

    fn is_under(&self, uncertainty_ns: u64) -> bool {
        let taken = self.reservations(|outcome| {
            matches!(outcome, Outcome::Answered(CapacityAnswer::Accepted(_)) | Outcome::Unknown)
        });
        let rejected =
            self.reservations(|outcome| matches!(outcome, Outcome::Answered(CapacityAnswer::Rejected(_))));
        rejected.iter().any(|(rejected, _, wanted)| {
            let (from, to) = (rejected.invoked_at, rejected.returned_at.unwrap());
            let window = from.saturating_sub(uncertainty_ns)..=to + uncertainty_ns;
            let limits: Option<Vec<u64>> = window.map(|at| limit_at(self.steps, at)).collect();
            let Some(limit) = limits.and_then(|limits| limits.into_iter().min()) else { return false };
            (from..=to).all(|at| {
                let used =
                    taken.iter().filter(|(one, order, _)| one.invoked_at <= at && !self.is_freed(*order, at));
                used.map(|(_, _, units)| units).sum::<u64>() + wanted <= limit
            })
        })
    }

    fn is_freed(&self, order: u64, at: u64) -> bool {
        self.releases(order).any(|release| {
            release.outcome == Outcome::Answered(CapacityAnswer::Released)
                && release.returned_at.unwrap() < at
        })
    }
}

/// Operations with their decisions left out; clients are made up.
fn history(mut parts: Vec<(u64, Option<u64>, CapacityCall, Outcome<CapacityAnswer>)>) -> History<Capacity> {
    parts.sort_by_key(|(invoked_at, ..)| *invoked_at);
    let operations =
        (0..).zip(parts).map(|(number, (invoked_at, returned_at, call, outcome))| OperationOf::<Capacity> {
            number: OperationIndex(number),
            client: ClientId(u64::from(number)),
            call,
            outcome,
            invoked: invoked_at,
            returned: returned_at,
            invoked_at,
            returned_at,
        });
    History::of(operations.collect(), Vec::new())
}

fn schedules() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::btree_map(0..END_NS, 0u64..9, 0..4).prop_map(|steps| steps.into_iter().collect())
}

/// Each order is reserved once, and released at most twice; outcomes are drawn.
fn histories() -> impl Strategy<Value = History<Capacity>> {
    let reserve = (0u64..8, 0u64..5, 0u64..8, 1u64..5, 0u8..6);
    let release = (0u64..8, 1u64..9, 0u64..6, 0u8..4);
    (proptest::collection::vec(reserve, 0..6), proptest::collection::vec(release, 0..4)).prop_map(
        |(reserves, releases)| {
            let mut parts = Vec::new();
            let mut ends = Vec::new();
            for (order, (gap, late, long, units, outcome)) in (0..).zip(reserves) {
                let (from, to) = (gap + late, gap + late + long);
                ends.push(from);
                let call = CapacityCall::Reserve { order: Some(order), units };
                parts.push(match outcome {
                    0 => (from, None, call, Outcome::Unknown),
                    1 | 2 => {
                        (from, Some(to), call, Outcome::Answered(CapacityAnswer::Rejected(Terms::default())))
                    }
                    _ => {
                        (from, Some(to), call, Outcome::Answered(CapacityAnswer::Accepted(Terms::default())))
                    }
                });
            }
            for (order, late, long, outcome) in releases {
                let Some(from) = ends.get(usize::try_from(order).unwrap()).map(|at| at + late) else {
                    continue;
                };
                let call = CapacityCall::Release { order: Some(order), units: 0 };
                parts.push(match outcome {
                    0 => (from, None, call, Outcome::Unknown),
                    1 => (from, Some(from + long), call, Outcome::Answered(CapacityAnswer::NotHeld)),
                    _ => (from, Some(from + long), call, Outcome::Answered(CapacityAnswer::Released)),
                });
            }
            history(parts)
        },
    )
}

/// The operations of the history, but of the reservations only these.
fn part(history: &History<Capacity>, numbers: &[OperationIndex]) -> Vec<OperationOf<Capacity>> {
    let is_kept = |operation: &&OperationOf<Capacity>| {
        !matches!(operation.call, CapacityCall::Reserve { .. }) || numbers.contains(&operation.number)
    };
    history.operations.iter().filter(is_kept).cloned().collect()
}

/// What a service that decides in time does, and gives its first answer again: (order, units of the first
/// to ask for it, invoked, to decision, to answer, what).
fn served(asked: &[(u64, u64, u64, u64, u64, u8)], steps: &[Step]) -> History<Capacity> {
    let mut asked: Vec<_> = asked.to_vec();
    asked.sort_by_key(|(_, _, invoked, to_decision, _, _)| invoked + to_decision);
    let mut held: std::collections::BTreeMap<u64, Option<u64>> = std::collections::BTreeMap::new();
    let mut rejected = std::collections::BTreeSet::new();
    let mut units_of = std::collections::BTreeMap::new();
    let mut parts = Vec::new();
    for (order, units, invoked_at, to_decision, to_answer, what) in asked {
        let units = *units_of.entry(order).or_insert(units);
        let decided_at = invoked_at + to_decision;
        let used: u64 = held.values().flatten().sum();
        let answer = if what < 4 {
            if let Some(units) = held.get(&order) {
                CapacityAnswer::Accepted(Terms { limit: *units, version: None })
            } else if !rejected.contains(&order)
                && limit_at(steps, decided_at).is_some_and(|limit| used + units <= limit)
            {
                held.insert(order, Some(units));
                CapacityAnswer::Accepted(Terms::default())
            } else {
                rejected.insert(order);
                CapacityAnswer::Rejected(Terms::default())
            }
        } else if held.get_mut(&order).is_some_and(|units| units.take().is_some()) {
            CapacityAnswer::Released
        } else {
            CapacityAnswer::NotHeld
        };
        let call = match what {
            0..4 => CapacityCall::Reserve { order: Some(order), units },
            _ => CapacityCall::Release { order: Some(order), units: 0 },
        };
        let is_known = what % 4 > 0;
        let outcome = if is_known { Outcome::Answered(answer) } else { Outcome::Unknown };
        parts.push((invoked_at, is_known.then_some(decided_at + to_answer), call, outcome));
    }
    history(parts)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_small_history_is_judged_as_by_the_definitions(
        history in histories(),
        steps in schedules(),
        uncertainty_ns in 0..MARGIN_NS,
    ) {
        let naive = Naive { operations: &history.operations, steps: &steps };
        let wanted = naive.is_over() || naive.is_under(uncertainty_ns);
        let schedule = LimitSchedule { steps: steps.clone() };
        let keyed = KeyedHistory::single("x", history.clone());
        let verdict = admission(&keyed, &schedule, uncertainty_ns);
        prop_assert_eq!(verdict.is_violated(), wanted, "{}", verdict);
        let Verdict::Violated(violation) = verdict else { return Ok(()) };
        if !naive.is_over() {
            prop_assert_eq!(violation.operations.len(), 1);
            return Ok(());
        }
        let is_over = |numbers: &[OperationIndex]| {
            Naive { operations: &part(&history, numbers), steps: &steps }.is_over()
        };
        prop_assert!(is_over(&violation.operations), "{:?} shows nothing", violation);
        for left_out in &violation.operations {
            let others = violation.operations.iter().copied().filter(|number| number != left_out);
            let rest: Vec<_> = others.collect();
            prop_assert!(!is_over(&rest), "{:?} is not needed in {:?}", left_out, violation);
        }
    }

    #[test]
    fn no_service_that_decides_under_the_limit_in_force_is_accused(
        asked in proptest::collection::vec((0u64..5, 1u64..4, 0u64..16, 0u64..4, 0u64..4, 0u8..8), 0..14),
        steps in schedules(),
    ) {
        let history = served(&asked, &steps);
        let verdict = admission(&KeyedHistory::single("x", history.clone()), &LimitSchedule { steps }, 0);
        prop_assert!(verdict.holds(), "{}\n{:?}", verdict, history);
    }
}
