//! What each workflow planned, and what became of its steps.

use crate::instants::seconds;
use std::collections::BTreeMap;

use super::{AccountRecord, Direction, Effect, State, Status, Workflow};
use crate::verdict::Verdict;

/// All workflows with their steps.
pub(super) struct Plans<'a> {
    workflows: BTreeMap<u64, Plan<'a>>,
}

/// One workflow.
struct Plan<'a> {
    place: usize,
    workflow: &'a Workflow,
    steps: Vec<Step>,
}

/// A step with all attempts to do it and to take it back.
#[derive(Clone, Default)]
pub(super) struct Step {
    pub(super) forward: Attempts,
    pub(super) compensation: Attempts,
}

/// Attempts at one effect.
#[derive(Clone, Default)]
pub(super) struct Attempts {
    /// The first one asked for, with its instant.
    first: Option<(u64, usize)>,
    /// Those that certainly took effect: by when, and where they stand. More than two are not needed.
    certain: Vec<(u64, usize)>,
}

impl Attempts {
    fn add(&mut self, place: usize, effect: &Effect) {
        let asked = (effect.invoked_ns, place);
        self.first = Some(self.first.map_or(asked, |first| first.min(asked)));
        if let Some(returned_ns) = effect.returned_ns {
            self.certain.push((returned_ns.max(effect.invoked_ns), place));
            self.certain.sort_unstable();
            self.certain.truncate(2);
        }
    }

    /// From when on it may have been in effect.
    pub(super) fn possible_ns(&self) -> Option<u64> {
        self.first.map(|(at_ns, _)| at_ns)
    }

    /// From when on it certainly was in effect.
    pub(super) fn certain_ns(&self) -> Option<u64> {
        self.certain.first().map(|(at_ns, _)| *at_ns)
    }

    fn may_have_been(&self) -> bool {
        self.first.is_some()
    }

    fn has_been(&self) -> bool {
        !self.certain.is_empty()
    }

    /// The attempt that certainly took effect first.
    fn certain_place(&self) -> Option<usize> {
        self.certain.first().map(|(_, place)| *place)
    }
}

impl Step {
    /// Whether it may be in effect in the end.
    fn may_be_in(&self) -> bool {
        self.forward.may_have_been() && !self.compensation.has_been()
    }

    /// Whether it may be out of effect in the end.
    fn may_be_out(&self) -> bool {
        !self.forward.has_been() || self.compensation.may_have_been()
    }
}

impl<'a> Plans<'a> {
    pub(super) fn of(records: &'a [AccountRecord]) -> Self {
        let mut workflows: BTreeMap<u64, Plan<'a>> = BTreeMap::new();
        for (place, record) in records.iter().enumerate() {
            if let AccountRecord::Workflow(workflow) = record {
                let steps = vec![Step::default(); workflow.steps.len()];
                workflows.entry(workflow.workflow).or_insert(Plan { place, workflow, steps });
            }
        }
        let mut plans = Self { workflows };
        for (place, record) in records.iter().enumerate() {
            if let AccountRecord::Effect(effect) = record
                && let Some(plan) = plans.workflows.get_mut(&effect.workflow)
                && let Some(step) = plan.steps.get_mut(effect.step as usize)
            {
                match effect.direction {
                    Direction::Forward => step.forward.add(place, effect),
                    Direction::Compensation => step.compensation.add(place, effect),
                }
            }
        }
        plans
    }

    /// Every step with the account and the change that it plans.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&Step, u64, i64)> {
        self.workflows.values().flat_map(|plan| {
            plan.steps
                .iter()
                .zip(&plan.workflow.steps)
                .map(|(step, (account, amount))| (step, *account, *amount))
        })
    }

    /// An effect that no plan names, or not so.
    pub(super) fn unplanned(&self, records: &[AccountRecord]) -> Option<Verdict> {
        (0..).zip(records).find_map(|(place, record)| {
            let AccountRecord::Effect(effect) = record else { return None };
            let plan = self.workflows.get(&effect.workflow);
            let planned = plan.and_then(|plan| plan.workflow.steps.get(effect.step as usize));
            let (sign, done) = match effect.direction {
                Direction::Forward => (1, "did"),
                Direction::Compensation => (-1, "took back"),
            };
            let why = match planned {
                Some((account, amount)) => {
                    let is_so =
                        effect.account == *account && i128::from(effect.amount) == i128::from(*amount) * sign;
                    if is_so {
                        return None;
                    }
                    format!("which is {amount:+} on account {account}")
                }
                None if plan.is_some() => "which it has not".to_owned(),
                None => "which nobody began".to_owned(),
            };
            let explanation = format!(
                "record {place} {done} step {} of workflow {}, {why}, by {:+} on account {} at {}",
                effect.step,
                effect.workflow,
                effect.amount,
                effect.account,
                seconds(effect.invoked_ns)
            );
            let places: Vec<usize> = plan.map(|plan| plan.place).into_iter().chain([place]).collect();
            Some(Verdict::by_records(&places, explanation))
        })
    }

    /// A step that was done twice for certain, or taken back twice.
    pub(super) fn done_twice(&self) -> Option<Verdict> {
        self.find(|plan, index, step| {
            let attempts = [(&step.forward, "took effect"), (&step.compensation, "was taken back")];
            attempts.into_iter().find_map(|(attempts, what)| {
                let &[(first_ns, first), (second_ns, second)] = attempts.certain.as_slice() else {
                    return None;
                };
                let explanation = format!(
                    "{} {what} twice: by {} (record {first}) and by {} (record {second})",
                    plan.step_in_words(index),
                    seconds(first_ns),
                    seconds(second_ns)
                );
                Some(violated(explanation, &[first, second]))
            })
        })
    }

    /// A step that was certainly taken back, though nobody ever asked for it.
    pub(super) fn taken_back_for_nothing(&self) -> Option<Verdict> {
        self.find(|plan, index, step| {
            let place = step.compensation.certain_place().filter(|_| !step.forward.may_have_been())?;
            let explanation = format!(
                "{} was taken back by {} (record {place}), though it never took effect",
                plan.step_in_words(index),
                seconds(step.compensation.certain_ns().unwrap_or_default())
            );
            Some(violated(explanation, &[place]))
        })
    }

    /// A workflow that certainly is in effect in part when all had ended.
    pub(super) fn left_half_done(&self) -> Option<Verdict> {
        self.workflows.values().find_map(|plan| {
            let outside = plan.steps.iter().position(|step| !step.may_be_in())?;
            let inside = plan.steps.iter().position(|step| !step.may_be_out())?;
            let done = plan.steps[inside].forward.certain_place()?;
            let undone = plan.steps[outside].compensation.certain_place();
            let explanation = format!(
                "{} took effect by {} (record {done}) and stayed so, while {}",
                plan.step_in_words(inside),
                seconds(plan.steps[inside].forward.certain_ns().unwrap_or_default()),
                match undone {
                    Some(undone) => format!("step {outside} was taken back (record {undone})"),
                    None => format!("step {outside} never took effect"),
                }
            );
            Some(violated(explanation, &[done, undone.unwrap_or(plan.place)]))
        })
    }

    /// A status that cannot have been true.
    pub(super) fn shown_falsely(&self, records: &[AccountRecord]) -> Option<Verdict> {
        let mut shown: BTreeMap<u64, (usize, &Status)> = BTreeMap::new();
        (0..).zip(records).find_map(|(place, record)| {
            let AccountRecord::Status(status) = record else { return None };
            if status.state == State::InProgress {
                return None;
            }
            let (earlier_place, earlier) = *shown.entry(status.workflow).or_insert((place, status));
            if earlier.state != status.state {
                let explanation = format!(
                    "workflow {} was shown as {} at {} (record {earlier_place}) and as {} at {} (record {place})",
                    status.workflow,
                    in_words(earlier.state),
                    seconds(earlier.at_ns),
                    in_words(status.state),
                    seconds(status.at_ns)
                );
                return Some(violated(explanation, &[earlier_place, place]));
            }
            let plan = self.workflows.get(&status.workflow)?;
            let steps = plan.steps.iter().enumerate();
            let mut wrong = steps.filter_map(|(index, step)| Some((index, step.why_not(status)?)));
            let (index, (why, other)) = wrong.next()?;
            let explanation = format!(
                "workflow {} was shown as {} at {} (record {place}), but {} {why}",
                status.workflow,
                in_words(status.state),
                seconds(status.at_ns),
                plan.step_in_words(index)
            );
            Some(violated(explanation, &[other.unwrap_or(plan.place), place]))
        })
    }

    fn find(&self, wrong: impl Fn(&Plan<'_>, usize, &Step) -> Option<Verdict>) -> Option<Verdict> {
        let mut steps = self
            .workflows
            .values()
            .flat_map(|plan| (0..).zip(&plan.steps).map(move |(index, step)| (plan, index, step)));
        steps.find_map(|(plan, index, step)| wrong(plan, index, step))
    }
}

impl Step {
    /// Why a workflow with this step cannot have been so far, and the record that shows it.
    fn why_not(&self, status: &Status) -> Option<(String, Option<usize>)> {
        match status.state {
            State::InProgress => None,
            State::Completed => self.why_not_completed(status.at_ns),
            State::Compensated => self.why_not_compensated(status.at_ns),
        }
    }

    fn why_not_completed(&self, at_ns: u64) -> Option<(String, Option<usize>)> {
        if let (Some(place), Some(by_ns)) =
            (self.compensation.certain_place(), self.compensation.certain_ns())
        {
            return Some((format!("was taken back by {} (record {place})", seconds(by_ns)), Some(place)));
        }
        match self.forward.first {
            Some((from_ns, _)) if from_ns <= at_ns => None,
            Some((from_ns, place)) => {
                Some((format!("was asked for only at {} (record {place})", seconds(from_ns)), Some(place)))
            }
            None => Some(("never took effect".to_owned(), None)),
        }
    }

    fn why_not_compensated(&self, at_ns: u64) -> Option<(String, Option<usize>)> {
        let (by_ns, place) = (self.forward.certain_ns()?, self.forward.certain_place());
        let since = format!("in effect since {} at the latest (record {})", seconds(by_ns), place?);
        match self.compensation.possible_ns() {
            None => Some((format!("stayed {since}"), place)),
            // Done after that, it was no lie at the time.
            Some(from_ns) if by_ns < at_ns && at_ns < from_ns => {
                Some((format!("was {since} and taken back only from {} on", seconds(from_ns)), place))
            }
            Some(_) => None,
        }
    }
}

impl Plan<'_> {
    fn step_in_words(&self, index: usize) -> String {
        let (account, amount) = self.workflow.steps[index];
        format!("step {index} of workflow {} ({amount:+} on account {account})", self.workflow.workflow)
    }
}

fn in_words(state: State) -> &'static str {
    match state {
        State::InProgress => "in progress",
        State::Completed => "completed",
        State::Compensated => "compensated",
    }
}

fn violated(explanation: String, places: &[usize]) -> Verdict {
    let mut places = places.to_vec();
    places.sort_unstable();
    Verdict::by_records(&places, explanation)
}
