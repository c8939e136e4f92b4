//! Sequential consistency of objects that go from state 0 to state 1 to state 2 and so on: counters
//! by one, logs.
//!
//! ```text
//!   state   0 ────► 1 ────► 2 ────► 3 ────►
//!           │ find  │       │ find  │
//!         moves: to 1     to 2    to 3: who says so has this slot; who does not has any other
//! ```
//!
//! All clients go on at once; what can be taken in one way only is taken. A slot that nobody claims
//! goes to the waiting move with the earliest deadline: it has to come before what its client found
//! later. Of one object, or where every answered move names its slot, this is exact: moves are jobs of
//! one unit on one machine, with release times and deadlines that agree with the order of each client
//! (J. R. Jackson, "Scheduling a production line to minimize maximum tardiness", UCLA Research Report
//! 43 (1955): earliest deadline first); the machine may idle only where an optional move fills in.
//! O(n log n).

mod conflict;
mod run;
mod table;

use crate::budget::{Budget, Spending};
use crate::engine::programs::{Contradiction, Found, Others, Planned, Programs, Ruling};
use run::Run;
use table::Table;

/// All clients go on at once, slots without a claim by earliest deadline.
pub(crate) const SLOTS: &str = "slots";

/// Operations that count as one step: each takes about 16 bytes.
const STEP_OPERATIONS: usize = 4;

/// What an operation does to an object whose states are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Finds a state not before the first and not after the last of these.
    Find {
        /// The first state.
        first: u64,
        /// The last state; `u64::MAX` if any later one will do.
        last: u64,
    },
    /// Brings the object to this state, from the one before; never to state 0.
    To(u64),
    /// Brings the object to the next state, whichever that is.
    Next,
    /// Finds what the object never is.
    Never,
}

/// How the objects are spoken of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// What a state is: a value, a length.
    pub(crate) state: &'static str,
    /// As in "by value": why one find or move comes before another.
    pub(crate) by: &'static str,
    /// What moves the object, many of them.
    pub(crate) moves: &'static str,
}

/// What each operation does, by place, and how to speak of it.
#[derive(Clone, Copy)]
pub(crate) struct Moves<'a> {
    pub(crate) moves: &'a [Move],
    /// For moves that do not say themselves to which state they lead, the place of what tells it.
    pub(crate) told_by: &'a dyn Fn(usize) -> Option<usize>,
    pub(crate) words: Words,
}

/// Whether there is a legal order that keeps every chain. None if that is not found out this way.
pub(crate) fn decide<T: Clone>(programs: &Programs<T>, moves: Moves<'_>, budget: Budget) -> Option<Ruling> {
    let mut spending = Spending::new(budget);
    let is_optional = |place: &usize| programs.at(*place).is_optional;
    let is_find = |place: &usize| matches!(moves.moves[*place], Move::Find { .. });
    let mut inner = programs.chains().iter().flat_map(|chain| chain.start..chain.end - 1);
    let mut all = 0..moves.moves.len();
    if inner.any(|place| is_optional(&place)) || all.any(|place| is_optional(&place) && is_find(&place)) {
        return None;
    }
    let ruled =
        |found, spending: &Spending| Some(Ruling { algorithm: SLOTS, found, steps: spending.spent() });
    if spending.spend((programs.operations().len() / STEP_OPERATIONS) as u64).is_err() {
        let firsts = programs.chains().iter().map(|chain| chain.start).collect();
        return ruled(Found::Exhausted(firsts), &spending);
    }
    let is_never = |place: &usize| matches!(moves.moves[*place], Move::Never | Move::To(0));
    if let Some(never) = (0..moves.moves.len()).find(|place| is_never(place) && !is_optional(place)) {
        let number = programs.at(never).number;
        let reasons = vec![format!("operation {number} names a {} that is never reached", moves.words.state)];
        let contradiction = Contradiction { places: vec![never], others: Others::Settled, reasons };
        return ruled(Found::Contradiction(contradiction), &spending);
    }
    let table = match Table::of(programs, moves.moves) {
        Ok(table) => table,
        Err(twice) => {
            let found = Found::Contradiction(conflict::claimed_twice(programs, moves, twice));
            return ruled(found, &spending);
        }
    };
    let mut run = Run::of(programs, moves.moves, &table);
    if run.go() {
        return ruled(Found::Order(run.into_order()), &spending);
    }
    let is_free = |place: &usize| moves.moves[*place] == Move::Next && !is_optional(place);
    if table.used_count() <= 1 || !(0..moves.moves.len()).any(|place| is_free(&place)) {
        return ruled(Found::Contradiction(conflict::of(&run, programs, moves)), &spending);
    }
    let found = each_alone(programs, moves, &mut spending)?;
    ruled(found, &spending)
}

/// A contradiction of one object's operations: without these there is none with those of others.
fn each_alone<T: Clone>(programs: &Programs<T>, moves: Moves<'_>, spending: &mut Spending) -> Option<Found> {
    for object in 0..programs.object_count() {
        let mut alone = Programs::new(programs.object_count(), 0).with_rest(programs.rest());
        let mut places = Vec::new();
        for chain in programs.chains() {
            let is_here = |place: &usize| programs.at(*place).object() == object;
            places.extend(chain.clone().filter(is_here));
            alone.push(chain.clone().filter(is_here).map(|place| Planned { ..programs.at(place).clone() }));
        }
        let all: Vec<Move> = places.iter().map(|place| moves.moves[*place]).collect();
        let told_by = |at: usize| {
            let told_by = (moves.told_by)(places[at])?;
            places.binary_search(&told_by).ok()
        };
        let alone_moves = Moves { moves: &all, told_by: &told_by, words: moves.words };
        let ruling = decide(&alone, alone_moves, spending.rest())?;
        spending.spend(ruling.steps).ok()?;
        if let Found::Contradiction(found) = ruling.found {
            return Some(Found::Contradiction(found.at_places(|at| places[at])));
        }
    }
    None
}
