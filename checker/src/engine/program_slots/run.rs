//! Goes forward through all chains: what can be taken in one way only first, then by deadline.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::table::{NONE, Table};
use crate::engine::program_slots::Move;
use crate::engine::programs::{Programs, Rest};

/// How far everything has got.
pub(super) struct Run<'a> {
    pub(super) table: &'a Table,
    pub(super) moves: &'a [Move],
    operations: Vec<Operation>,
    rest: Rest,
    /// For each chain, its next place and one past its last.
    pub(super) next: Vec<(u32, u32)>,
    pub(super) chain_of: Vec<u32>,
    pub(super) objects: Vec<Object>,
    /// For each state, how many still have to find it or an earlier one.
    pub(super) bounds: Vec<u32>,
    /// For each state, the chains that wait for it, as a list: the first, and after each the next.
    waiting: Vec<u32>,
    next_waiting: Vec<u32>,
    /// The last slot in which each free move may come, so that its client can find what it found; none
    /// where all moves name their slots.
    pub(super) deadlines: Vec<u64>,
    order: Vec<usize>,
    /// For each place of the order, the state that its object then had.
    reached: Vec<u64>,
    ready: Vec<u32>,
    changed: Vec<u32>,
    choices: BinaryHeap<Reverse<(u64, u32)>>,
    gaps: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Operation {
    object: u32,
    is_optional: bool,
    invoked: u64,
}

/// An object on its way.
#[derive(Default)]
pub(super) struct Object {
    /// Its state.
    pub(super) state: u64,
    /// The last state of the table that it has reached.
    pub(super) at: u32,
    /// Free moves that may come next, by deadline.
    pub(super) free: BinaryHeap<Reverse<(u64, u32)>>,
    /// Optional moves that may come next.
    pub(super) spare: Vec<u32>,
    /// How many chains wait for it to move.
    pub(super) waiting_count: u32,
    /// When the free move was invoked for which it stands in the queue of choices.
    queued: Option<u64>,
}

impl<'a> Run<'a> {
    pub(super) fn of<T>(programs: &Programs<T>, moves: &'a [Move], table: &'a Table) -> Self {
        let operation = |operation: &crate::engine::programs::Planned<T>| Operation {
            object: operation.object,
            is_optional: operation.is_optional,
            invoked: operation.invoked,
        };
        let mut run = Self {
            table,
            moves,
            operations: programs.operations().iter().map(operation).collect(),
            rest: programs.rest(),
            next: Vec::new(),
            chain_of: Vec::with_capacity(moves.len()),
            objects: Vec::new(),
            bounds: table.bounds.clone(),
            waiting: vec![NONE; table.states.len()],
            next_waiting: vec![NONE; programs.chains().len()],
            deadlines: Vec::new(),
            order: Vec::with_capacity(moves.len()),
            reached: Vec::with_capacity(moves.len()),
            ready: Vec::new(),
            changed: Vec::new(),
            choices: BinaryHeap::new(),
            gaps: Vec::new(),
        };
        for start in &table.starts[..programs.object_count()] {
            run.objects.push(Object { at: *start, ..Object::default() });
        }
        for (chain, places) in programs.chains().iter().enumerate() {
            run.next.push((places.start as u32, places.end as u32));
            run.chain_of.extend(places.clone().map(|_| chain as u32));
            run.ready.push(chain as u32);
        }
        run.set_deadlines();
        run
    }

    /// Backwards through each chain: what comes next on the same object tells the deadline.
    fn set_deadlines(&mut self) {
        if !self.moves.contains(&Move::Next) {
            return;
        }
        self.deadlines = vec![u64::MAX; self.moves.len()];
        // For each object the chain it was last seen in, and the deadline there.
        let mut deadline_of = vec![(NONE, u64::MAX); self.objects.len()];
        for (chain, &(start, end)) in self.next.iter().enumerate() {
            for place in (start as usize..end as usize).rev() {
                let deadline = &mut deadline_of[self.operations[place].object as usize];
                if deadline.0 != chain as u32 {
                    *deadline = (chain as u32, u64::MAX);
                }
                match self.moves[place] {
                    Move::Find { last, .. } => deadline.1 = deadline.1.min(last),
                    Move::To(state) => deadline.1 = deadline.1.min(state - 1),
                    Move::Next if !self.operations[place].is_optional => {
                        self.deadlines[place] = deadline.1;
                        if deadline.1 != u64::MAX {
                            deadline.1 = deadline.1.saturating_sub(1);
                        }
                    }
                    Move::Next | Move::Never => {}
                }
            }
        }
    }

    /// Goes as far as it can. Whether that is to the end of all chains.
    pub(super) fn go(&mut self) -> bool {
        loop {
            if let Some(chain) = self.ready.pop() {
                self.advance(chain);
            } else if let Some(object) = self.changed.pop() {
                self.settle(object);
            } else if let Some(Reverse((invoked, object))) = self.choices.pop() {
                // Else another move has come to the front of the object since.
                if self.objects[object as usize].queued == Some(invoked) {
                    self.objects[object as usize].queued = None;
                    self.choose(object);
                }
            } else if let Some(object) = self.gaps.pop() {
                self.fill(object);
            } else {
                return (0..self.next.len()).all(|chain| self.head(chain).is_none());
            }
        }
    }

    pub(super) fn into_order(self) -> Vec<usize> {
        self.order
    }

    /// What moved the object, the last first: the place and the state reached.
    pub(super) fn moved(&self, object: usize) -> impl Iterator<Item = (usize, u64)> {
        let all = self.order.iter().copied().zip(self.reached.iter().copied()).rev();
        all.filter(move |(place, _)| {
            self.object(*place) == object && !matches!(self.moves[*place], Move::Find { .. })
        })
    }

    pub(super) fn object(&self, place: usize) -> usize {
        self.operations[place].object as usize
    }

    pub(super) fn is_optional(&self, place: usize) -> bool {
        self.operations[place].is_optional
    }

    /// What a chain has to do next.
    pub(super) fn head(&self, chain: usize) -> Option<usize> {
        let (next, end) = self.next[chain];
        let is_spare =
            |place: usize| self.is_optional(place) && matches!(self.moves[place], Move::Next | Move::Never);
        let is_left = next < end && !is_spare(next as usize);
        is_left.then_some(next as usize)
    }

    /// Takes what the chain does next, as long as that can be taken in one way only.
    fn advance(&mut self, chain: u32) {
        loop {
            let (place, end) = self.next[chain as usize];
            if place == end {
                return;
            }
            let object = self.operations[place as usize].object;
            let state = self.objects[object as usize].state;
            match self.moves[place as usize] {
                Move::Find { first, .. } if state < first => {
                    let needed = self.table.first[place as usize];
                    self.objects[object as usize].waiting_count += 1;
                    self.next_waiting[chain as usize] = self.waiting[needed as usize];
                    self.waiting[needed as usize] = chain;
                    self.changed.push(object);
                    return;
                }
                Move::Find { .. } => {
                    let last = self.table.last[place as usize];
                    if last != NONE {
                        self.bounds[last as usize] -= 1;
                        if self.bounds[last as usize] == 0 {
                            self.changed.push(object);
                        }
                    }
                    self.take(place, state);
                }
                Move::To(_) if self.is_open(object, Some(place)) => {
                    self.take(place, state + 1);
                    self.move_on(object, state + 1);
                }
                Move::To(_) => {
                    self.objects[object as usize].waiting_count += 1;
                    self.changed.push(object);
                    return;
                }
                Move::Next if !self.operations[place as usize].is_optional && self.is_over(object) => {
                    self.take(place, state + 1);
                    self.move_on(object, state + 1);
                }
                Move::Next => {
                    let entry = &mut self.objects[object as usize];
                    if self.operations[place as usize].is_optional {
                        entry.spare.push(place);
                    } else {
                        entry.free.push(Reverse((self.deadlines[place as usize], place)));
                    }
                    self.changed.push(object);
                    return;
                }
                Move::Never => return,
            }
        }
    }

    /// Whether the object may move on, by this place or by one that does not say where it leads.
    fn is_open(&self, object: u32, place: Option<u32>) -> bool {
        let Object { state, at, .. } = self.objects[object as usize];
        if self.table.states[at as usize] != state {
            return place.is_none();
        }
        self.bounds[at as usize] == 0 && self.table.owners[at as usize] == place.unwrap_or(NONE)
    }

    /// Whether no state from now on matters.
    fn is_over(&self, object: u32) -> bool {
        let at = self.objects[object as usize].at;
        at + 1 == self.table.starts[object as usize + 1] && self.is_open(object, None)
    }

    /// Sees what a change of the object allows.
    fn settle(&mut self, object: u32) {
        let Object { at, ref free, waiting_count, .. } = self.objects[object as usize];
        let top = free.peek().map(|Reverse((_, place))| *place);
        let owner = self.table.owners[at as usize];
        if owner != NONE && self.is_open(object, Some(owner)) {
            let chain = self.chain_of[owner as usize];
            if self.next[chain as usize].0 == owner {
                self.objects[object as usize].waiting_count -= 1;
                self.ready.push(chain);
            }
        } else if self.is_open(object, None) {
            match top {
                Some(place) => {
                    let invoked = self.operations[place as usize].invoked;
                    if self.objects[object as usize].queued.replace(invoked) != Some(invoked) {
                        self.choices.push(Reverse((invoked, object)));
                    }
                }
                None if waiting_count > 0 => self.gaps.push(object),
                None => {}
            }
        }
    }

    /// Gives the next slot to the free move with the earliest deadline.
    fn choose(&mut self, object: u32) {
        if !self.is_open(object, None) {
            return;
        }
        if let Some(Reverse((_, place))) = self.objects[object as usize].free.pop() {
            let state = self.objects[object as usize].state;
            self.take(place, state + 1);
            self.move_on(object, state + 1);
            self.ready.push(self.chain_of[place as usize]);
        }
    }

    /// Gives the next slot to a move that is optional or imagined.
    fn fill(&mut self, object: u32) {
        let Object { state, at, ref free, waiting_count, .. } = self.objects[object as usize];
        if !free.is_empty() || waiting_count == 0 || !self.is_open(object, None) {
            return;
        }
        match (self.objects[object as usize].spare.pop(), self.rest) {
            (Some(place), _) => {
                self.take(place, state + 1);
                self.move_on(object, state + 1);
            }
            (None, Rest::Anything) => {
                // Nothing happens before the next state that matters: somebody waits for it.
                let next = self.table.states[at as usize + 1];
                self.move_on(object, next);
            }
            (None, Rest::Nothing) => {}
        }
    }

    fn take(&mut self, place: u32, reached: u64) {
        self.order.push(place as usize);
        self.reached.push(reached);
        self.next[self.chain_of[place as usize] as usize].0 += 1;
    }

    /// The object reaches a state: who waited for it may go on.
    fn move_on(&mut self, object: u32, state: u64) {
        let entry = &mut self.objects[object as usize];
        entry.state = state;
        let next = entry.at as usize + 1;
        if next < self.table.starts[object as usize + 1] as usize && self.table.states[next] == state {
            entry.at = next as u32;
            let mut chain = std::mem::replace(&mut self.waiting[next], NONE);
            while chain != NONE {
                entry.waiting_count -= 1;
                self.ready.push(chain);
                chain = std::mem::replace(&mut self.next_waiting[chain as usize], NONE);
            }
        }
        self.changed.push(object);
    }
}
