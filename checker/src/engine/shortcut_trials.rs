//! Every shortcut against the naive answer: what it decides, its orders and its conflicts.

use crate::budget::Budget;
use crate::drawing::Drawable;
use crate::engine::race::{Found, breadth_first as search};
use crate::engine::shortcut::{Finding, Seen, View};
use crate::engine::timeline::Task;
use crate::engine::witness;
use crate::history::{Builder, ClientId, History, Outcome};
use crate::keyed::KeyedHistory;
use crate::linearizable::tasks;
use crate::oracle;
use crate::spec::Spec;
use crate::test_histories::full_size::Chance;
use crate::test_histories::{Shape, every_history};

const BUDGET: Budget = Budget { steps_max: 3_000_000 };

/// Tasks as a shortcut sees them.
pub(crate) struct TaskView<'a, T>(pub(crate) &'a [Task<T>]);

impl<T: Clone> View<T> for TaskView<'_, T> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn at(&self, place: usize) -> Seen<T> {
        let task = &self.0[place];
        Seen { step: task.step.clone(), invoked: task.invoked, returned: task.returned.unwrap_or(u64::MAX) }
    }
}

/// How many histories the shortcut found legal, illegal, and not its own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) legal: usize,
    pub(crate) illegal: usize,
    pub(crate) refused: usize,
}

impl Tally {
    fn add(&mut self, finding: Option<&Finding>) {
        *match finding {
            None => &mut self.refused,
            Some(Finding::Legal) => &mut self.legal,
            Some(Finding::Illegal(_)) => &mut self.illegal,
        } += 1;
    }

    /// A test that decides nothing, or always the same, shows nothing.
    #[track_caller]
    pub(crate) fn assert_decides(&self, count_min: usize) {
        assert!(self.legal >= count_min && self.illegal >= count_min, "{self:?}");
    }
}

/// Checks the shortcut on one history against the search without hints, or against every order.
#[track_caller]
pub(crate) fn judge<S: Drawable>(
    spec: &S,
    history: &History<S>,
    is_legal: impl Fn(&History<S>) -> bool,
) -> Option<Finding> {
    let tasks = tasks(spec, history);
    let view = TaskView(&tasks);
    let decision = spec.shortcut(&view)?;
    let wanted = is_legal(history);
    let drawing = history.drawing();
    match &decision.finding {
        Finding::Legal => {
            assert!(wanted, "found legal:\n{drawing}");
            let order = spec.shortcut_order(&view).unwrap_or_else(|| panic!("no order:\n{drawing}"));
            assert!(witness::proves(spec, &tasks, &order), "no proof: {order:?}\n{drawing}");
            let answered = (0..tasks.len()).filter(|place| tasks[*place].returned.is_some());
            assert!(answered.clone().all(|place| order.contains(&place)), "{order:?}\n{drawing}");
        }
        Finding::Illegal(conflict) => {
            assert!(!wanted, "found illegal: {conflict:?}\n{drawing}");
            assert!(conflict.places.is_sorted(), "{conflict:?}\n{drawing}");
            assert!(!conflict.reason.is_empty(), "{drawing}");
            let mut weaker = history.clone();
            for (place, operation) in weaker.operations.iter_mut().enumerate() {
                if conflict.places.contains(&place) {
                    assert!(operation.returned.is_some(), "{conflict:?}\n{drawing}");
                } else {
                    operation.outcome = Outcome::Unknown;
                    operation.returned = None;
                }
            }
            assert!(!is_legal(&weaker), "passes without the others: {conflict:?}\n{drawing}");
        }
    }
    Some(decision.finding)
}

/// Every history of up to so many operations against every order.
#[track_caller]
pub(crate) fn every<S: Drawable>(spec: &S, words: &[&str], shape: Shape) -> Tally {
    let mut tally = Tally::default();
    for operations in 1..=shape.operations {
        for history in every_history::<S>(words, Shape { operations, ..shape }) {
            for part in history.parts().values() {
                let naive = |part: &History<S>| {
                    oracle::is_linearizable(spec, &KeyedHistory::single("x", part.clone()))
                };
                tally.add(judge(spec, part, naive).as_ref());
            }
        }
    }
    tally
}

/// What a model asks and answers in random histories.
pub(crate) struct Play<S: Spec> {
    /// The questions of one history, in the order in which they are asked.
    pub(crate) calls: fn(&mut Chance) -> Vec<S::Call>,
    /// The answer that is right in a state; none if the outcome stays unknown.
    pub(crate) answer: fn(&S::State, &S::Call) -> Option<S::Answer>,
}

/// Random histories, legal ones and such with some answers exchanged, against the search.
#[track_caller]
pub(crate) fn seeds<S: Drawable>(spec: &S, play: &Play<S>, client_count: usize, seed_count: u64) -> Tally {
    spoilt(spec, play, (client_count, seed_count), |history, chance| {
        for _ in 0..chance.below(3) {
            exchange_answers(history, chance);
        }
    })
}

/// Random histories, legal ones that are then spoilt, against the search.
#[track_caller]
pub(crate) fn spoilt<S: Drawable>(
    spec: &S,
    play: &Play<S>,
    (client_count, seed_count): (usize, u64),
    spoil: impl Fn(&mut History<S>, &mut Chance),
) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..seed_count {
        let mut chance = Chance::new(seed);
        let calls = (play.calls)(&mut chance);
        let mut history = played(spec, play, &calls, (client_count, &mut chance));
        spoil(&mut history, &mut chance);
        let searched = |part: &History<S>| match search(spec, &tasks(spec, part), BUDGET).0 {
            Found::Legal => true,
            Found::Stuck { .. } => false,
            Found::Exhausted { .. } => panic!("seed {seed}: the search gave up\n{}", part.drawing()),
        };
        tally.add(judge(spec, &history, searched).as_ref());
    }
    tally
}

/// What one client is doing.
enum Phase<S: Spec> {
    Idle,
    Asked(S::Call),
    Decided(S::Answer),
}

/// A legal history: each operation takes effect at a random instant between its call and its answer.
/// One answer in ten never comes, whether or not the operation took effect.
fn played<S: Spec>(
    spec: &S,
    play: &Play<S>,
    calls: &[S::Call],
    (client_count, chance): (usize, &mut Chance),
) -> History<S> {
    let mut builder = Builder::<S>::default();
    let mut state = spec.initial();
    let mut clients: Vec<(ClientId, Phase<S>)> =
        (0..client_count).map(|client| (ClientId(client as u64), Phase::Idle)).collect();
    let mut calls = calls.iter();
    let mut next_client = client_count as u64;
    while calls.len() > 0 || clients.iter().any(|(_, phase)| !matches!(phase, Phase::Idle)) {
        let (client, phase) = &mut clients[chance.below(client_count)];
        *phase = match std::mem::replace(phase, Phase::Idle) {
            Phase::Idle => match calls.next() {
                Some(call) => {
                    builder.invoke(*client, call.clone(), 0).unwrap();
                    Phase::Asked(call.clone())
                }
                None => Phase::Idle,
            },
            Phase::Asked(call) => {
                let answer = (play.answer)(&state, &call);
                let step = answer.as_ref().and_then(|answer| spec.step(&call, Some(answer)));
                let next = step.and_then(|step| spec.apply(&state, &step));
                let is_lost = chance.below(10) == 0;
                if !(is_lost && chance.below(2) == 0) {
                    state = next.unwrap_or(state);
                }
                match answer {
                    Some(answer) if !is_lost => Phase::Decided(answer),
                    Some(_) | None => {
                        *client = ClientId(next_client);
                        next_client += 1;
                        Phase::Idle
                    }
                }
            }
            Phase::Decided(answer) => {
                builder.answer(*client, answer, 0).unwrap();
                Phase::Idle
            }
        };
    }
    builder.finish()
}

/// Two operations that asked the same get the answers of one another.
pub(crate) fn exchange_answers<S: Spec>(history: &mut History<S>, chance: &mut Chance) {
    let operations = &mut history.operations;
    let first = chance.below(operations.len());
    let same: Vec<usize> = (0..operations.len())
        .filter(|other| operations[*other].call == operations[first].call)
        .filter(|other| operations[*other].returned.is_some() && operations[first].returned.is_some())
        .collect();
    if !same.is_empty() {
        let second = same[chance.below(same.len())];
        let outcome = operations[first].outcome.clone();
        operations[first].outcome = std::mem::replace(&mut operations[second].outcome, outcome);
    }
}
