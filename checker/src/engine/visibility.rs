//! Search for a visibility and an arbitration, exact but exponential: small histories only.
//!
//! ```text
//!   pick an update ──► decide what its client's earlier observations see ──► it is next in arbitration
//!        ▲                  (only if writes follow reads)                          │
//!        └────────────────────────────────────────────────────────────────────────┘
//!   all updates are ordered ──► decide what the other observations see ──► found
//! ```
//!
//! An observation whose client's next update must follow what it saw is decided as late as that
//! allows: right before that update. All others wait for the end, where clients do not depend on one
//! another. Deciding is exponential (A. Bouajjani et al., POPL 2017, show that causal consistency is
//! NP-complete to check even for reads and writes), hence the budget.

mod choices;
pub(crate) mod problem;
pub(crate) mod reach;
mod set;

use crate::budget::{Budget, Exhausted, Spending};
use crate::spec::Spec;
use crate::weak::Guarantee;
use choices::{Choices, Influence, View};
use problem::{Duty, Problem};
use set::Set;

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// All answers can be explained.
    Explained,
    /// They cannot.
    Unexplained,
    /// The budget was used up. The tags of what was not explained where the search came furthest.
    Exhausted(Vec<usize>),
}

/// Looks for a visibility and an arbitration that explain all answers.
pub(crate) fn search<S: Spec>(spec: &S, problem: &Problem<S::Step>, budget: Budget) -> (Found, u64) {
    let mut search = Search::new(spec, problem, budget);
    let result = search.run();
    let steps = search.spending.spent();
    let found = match result {
        Ok(true) => Found::Explained,
        Ok(false) => Found::Unexplained,
        Err(Exhausted) => Found::Exhausted(search.furthest.1),
    };
    (found, steps)
}

/// An order of updates, and what each observation sees of them, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    pub(crate) order: Vec<usize>,
    pub(crate) sees: Vec<Vec<usize>>,
}

/// A visibility and an arbitration that explain all answers, if they are found.
pub(crate) fn explanation<S: Spec>(
    spec: &S,
    problem: &Problem<S::Step>,
    budget: Budget,
) -> Option<Explained> {
    let mut search = Search::new(spec, problem, budget);
    let is_found = search.run() == Ok(true);
    let members = |seen: &Option<Set>| {
        let is_seen = |update: &usize| seen.as_ref().is_some_and(|seen| seen.contains(*update));
        search.order.iter().copied().filter(is_seen).collect()
    };
    is_found
        .then(|| Explained { order: search.order.clone(), sees: search.sees.iter().map(members).collect() })
}

/// One decision, and what is left to try.
enum Frame<S: Spec> {
    /// Which update is next; beyond the last one, none is.
    Pick { next: usize },
    /// What an observation sees, on the way to a goal.
    Choose { observation: usize, choices: Choices<S>, goal: Goal },
    /// An update is put next in arbitration.
    Put { update: usize, is_done: bool },
}

/// What the search is about to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// To pick an update.
    Pick,
    /// To put this one next in arbitration.
    Put(usize),
    /// To decide all observations that are left.
    End,
}

struct Search<'a, S: Spec> {
    spec: &'a S,
    problem: &'a Problem<S::Step>,
    spending: Spending,
    goal: Goal,
    stack: Vec<Frame<S>>,
    /// The updates in arbitration so far.
    order: Vec<usize>,
    placed: Set,
    /// Per update in arbitration: whoever sees it sees these, which all come before it.
    needs: Vec<Set>,
    /// What each observation sees, once decided.
    sees: Vec<Option<Set>>,
    /// How many observations of each client are decided: first come, first decided.
    decided: Vec<usize>,
    /// Whether each update may be left out, and how many of those that may not are not placed.
    may_be_left_out: Vec<bool>,
    missing_count: usize,
    /// All updates before this one are in arbitration.
    first_free: usize,
    of_object: Vec<Set>,
    furthest: (usize, Vec<usize>),
}

impl<'a, S: Spec> Search<'a, S> {
    fn new(spec: &'a S, problem: &'a Problem<S::Step>, budget: Budget) -> Self {
        let update_count = problem.updates.len();
        let may_be_left_out: Vec<bool> =
            (0..update_count).map(|update| problem.may_be_left_out(update)).collect();
        Self {
            spec,
            problem,
            spending: Spending::new(budget),
            goal: Goal::Pick,
            stack: Vec::new(),
            order: Vec::new(),
            placed: Set::default(),
            needs: vec![Set::default(); update_count],
            sees: vec![None; problem.observations.len()],
            decided: vec![0; problem.sessions.len()],
            missing_count: may_be_left_out.iter().filter(|may| !**may).count(),
            may_be_left_out,
            first_free: 0,
            of_object: problem.by_object(),
            furthest: (0, problem.observations.iter().map(|one| one.tag).collect()),
        }
    }

    fn run(&mut self) -> Result<bool, Exhausted> {
        while let Some(frame) = self.frame()? {
            self.stack.push(frame);
            if !self.retry()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What has to be decided next; nothing if all is explained.
    fn frame(&mut self) -> Result<Option<Frame<S>>, Exhausted> {
        self.spending.spend(1)?;
        let goal = self.goal;
        let undecided = match goal {
            Goal::Pick => None,
            Goal::Put(update) => self.undecided_before(update),
            Goal::End => (0..self.decided.len()).find_map(|session| self.undecided(session)),
        };
        if let Some(observation) = undecided {
            let mut spending = self.spending;
            let choices = Choices::new(self.spec, &self.view(observation), &mut spending);
            self.spending = spending;
            let choices = choices?;
            return Ok(Some(Frame::Choose { observation, choices, goal }));
        }
        Ok(match goal {
            Goal::Pick => Some(Frame::Pick { next: self.first_free }),
            Goal::Put(update) => Some(Frame::Put { update, is_done: false }),
            Goal::End => None,
        })
    }

    /// Takes the next untried way of the latest decision that has one; false if none has.
    fn retry(&mut self) -> Result<bool, Exhausted> {
        while let Some(frame) = self.stack.pop() {
            match frame {
                Frame::Pick { next } => {
                    if let Some((goal, next)) = self.candidate(next) {
                        self.goal = goal;
                        self.stack.push(Frame::Pick { next });
                        return Ok(true);
                    }
                }
                Frame::Put { update, is_done: false } => {
                    if self.put(update)? {
                        self.goal = Goal::Pick;
                        self.stack.push(Frame::Put { update, is_done: true });
                        return Ok(true);
                    }
                }
                Frame::Put { update, is_done: true } => {
                    self.order.pop();
                    self.placed.remove(update);
                    self.first_free = self.first_free.min(update);
                    self.missing_count += usize::from(!self.may_be_left_out[update]);
                }
                Frame::Choose { observation, mut choices, goal } => {
                    self.undecide(observation);
                    let mut spending = self.spending;
                    let next = choices.next(self.spec, &self.view(observation), &mut spending);
                    self.spending = spending;
                    if let Some(sees) = next? {
                        self.decide(observation, sees);
                        self.goal = goal;
                        self.stack.push(Frame::Choose { observation, choices, goal });
                        return Ok(true);
                    }
                    self.drop_independent(observation, goal);
                }
            }
        }
        Ok(false)
    }

    /// At the end clients do not depend on one another: what others see is no reason to fail here.
    fn drop_independent(&mut self, failed: usize, goal: Goal) {
        let session = self.problem.observations[failed].place.session;
        let is_chained = self.problem.duty.has(Guarantee::MonotonicReads);
        while goal == Goal::End
            && let Some(Frame::Choose { observation, goal: Goal::End, .. }) = self.stack.last()
        {
            let observation = *observation;
            if is_chained && self.problem.observations[observation].place.session == session {
                return;
            }
            self.undecide(observation);
            self.stack.pop();
        }
    }

    /// What may be next in arbitration, from update `next` on, and where to go on from. The end comes
    /// last, once all that must be there are.
    fn candidate(&self, next: usize) -> Option<(Goal, usize)> {
        let count = self.problem.updates.len();
        let is_free = |update: &usize| !self.placed.contains(*update) && self.may_be_next(*update);
        match (next..count).find(is_free) {
            Some(update) => Some((Goal::Put(update), update + 1)),
            None => (next <= count && self.missing_count == 0).then_some((Goal::End, count + 1)),
        }
    }

    /// Under monotonic writes, all earlier updates of its client that must be there are, and no later.
    fn may_be_next(&self, update: usize) -> bool {
        let of_client = &self.problem.of_client[self.problem.updates[update].place.session];
        let at = of_client.partition_point(|other| *other < update);
        let is_there = |other: &usize| self.placed.contains(*other);
        !self.problem.duty.has(Guarantee::MonotonicWrites)
            || of_client[..at].iter().all(|other| is_there(other) || self.may_be_left_out[*other])
                && !of_client[at..].iter().any(is_there)
    }

    /// Puts the update next, unless an equivalent arbitration puts it before the last one.
    fn put(&mut self, update: usize) -> Result<bool, Exhausted> {
        let needs = self.needs_of(update);
        self.spending.spend(1 + needs.steps())?;
        if let Some(&last) = self.order.last()
            && update < last
            && !needs.contains(last)
            && self.commute(last, update)
        {
            return Ok(false);
        }
        self.needs[update] = needs;
        self.order.push(update);
        self.placed.insert(update);
        while self.placed.contains(self.first_free) {
            self.first_free += 1;
        }
        self.missing_count -= usize::from(!self.may_be_left_out[update]);
        Ok(true)
    }

    /// Whether it does not matter which of two updates that do not need each other is first.
    fn commute(&self, first: usize, second: usize) -> bool {
        let (first, second) = (&self.problem.updates[first], &self.problem.updates[second]);
        first.place.session != second.place.session
            && (first.object != second.object || first.effects == second.effects)
    }

    /// Whoever sees the update must see these.
    fn needs_of(&self, update: usize) -> Set {
        let mut needs = Set::default();
        let place = self.problem.updates[update].place;
        if self.problem.duty.has(Guarantee::MonotonicWrites) {
            let is_before =
                |other: &&usize| Problem::<S::Step>::is_before(self.problem.updates[**other].place, place);
            // The latest one needs those before it.
            if let Some(&latest) = self.order.iter().rev().find(is_before) {
                needs.insert(latest);
                needs.extend(&self.needs[latest]);
            }
        }
        if self.problem.duty.has(Guarantee::WritesFollowReads) {
            for observation in self.problem.sessions[place.session].clone() {
                if self.problem.observations[observation].place.at <= place.at
                    && let Some(sees) = &self.sees[observation]
                {
                    needs.extend(sees);
                }
            }
        }
        needs
    }

    /// The first undecided observation of the client whose update must follow what it sees.
    fn undecided_before(&self, update: usize) -> Option<usize> {
        let place = self.problem.updates[update].place;
        let observation = self.undecided(place.session)?;
        let is_before = self.problem.observations[observation].place.at <= place.at;
        (is_before && self.problem.duty.has(Guarantee::WritesFollowReads)).then_some(observation)
    }

    fn undecided(&self, session: usize) -> Option<usize> {
        self.problem.sessions[session].clone().nth(self.decided[session])
    }

    fn view(&self, observation: usize) -> View<'_, S::Step> {
        let seer = &self.problem.observations[observation];
        let is_own = |update: &&usize| self.problem.updates[**update].object == seer.object;
        let order: Vec<usize> = self.order.iter().filter(is_own).copied().collect();
        View {
            problem: self.problem,
            observation: seer,
            least: self.least(observation, &order),
            order,
            of_object: &self.of_object[seer.object],
            needs: &self.needs,
            is_needed_by_none: !self.is_closed(),
            influence: self.influence(observation),
        }
    }

    /// What an observation must see, whatever its answer.
    fn least(&self, observation: usize, order: &[usize]) -> Set {
        let mut least = Set::default();
        let duty = self.problem.duty;
        let place = self.problem.observations[observation].place;
        if duty == Duty::All {
            order
                .iter()
                .filter(|update| self.problem.updates[**update].is_answered)
                .for_each(|update| least.insert(*update));
        }
        if duty.has(Guarantee::ReadYourWrites) {
            let of_client = self.problem.of_client[place.session].iter();
            let is_earlier = |update: &&usize| {
                self.placed.contains(**update)
                    && Problem::<S::Step>::is_before(self.problem.updates[**update].place, place)
            };
            for &update in of_client.filter(is_earlier) {
                least.insert(update);
                least.extend(&self.needs[update]);
            }
        }
        if duty.has(Guarantee::MonotonicReads)
            && observation > self.problem.sessions[place.session].start
            && let Some(sees) = &self.sees[observation - 1]
        {
            least.extend(sees);
        }
        least
    }

    /// Whether who sees an update may have to see others.
    fn is_closed(&self) -> bool {
        let duty = self.problem.duty;
        duty.has(Guarantee::MonotonicWrites) || duty.has(Guarantee::WritesFollowReads)
    }

    fn influence(&self, observation: usize) -> Influence {
        let duty = self.problem.duty;
        let session = self.problem.observations[observation].place.session;
        let is_last = observation + 1 == self.problem.sessions[session].end;
        if self.is_closed() || duty.has(Guarantee::MonotonicReads) && !is_last {
            Influence::Some
        } else {
            Influence::None
        }
    }

    fn decide(&mut self, observation: usize, sees: Set) {
        self.sees[observation] = Some(sees);
        self.decided[self.problem.observations[observation].place.session] += 1;
        let count: usize = self.decided.iter().sum();
        if count > self.furthest.0 {
            let is_open = |observation: &usize| self.sees[*observation].is_none();
            let open = (0..self.sees.len()).filter(is_open);
            self.furthest =
                (count, open.map(|observation| self.problem.observations[observation].tag).collect());
        }
    }

    fn undecide(&mut self, observation: usize) {
        if self.sees[observation].take().is_some() {
            self.decided[self.problem.observations[observation].place.session] -= 1;
        }
    }
}
