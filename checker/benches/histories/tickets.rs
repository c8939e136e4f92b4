//! Increments handed out before they are asked for: sequentially consistent, but not linearizable.
//!
//! Each client draws its next values in advance, in one order of all counters and clients, and asks
//! for them later. So that order is legal and keeps the order of each client, but not real time.

use std::collections::VecDeque;

use counterclock_checker::history::ClientId;
use counterclock_checker::spec::counter::{Counter, CounterAnswer, CounterCall};

use super::Load;
use super::chance::Chance;
use super::clients::Names;
use super::recorder::{Question, Recorder};

/// Increments of so many counters that return the new value.
///
/// The violation: two increments of one client change places. With one counter its values decrease;
/// with several, the orders of two counters and of two clients form a cycle that no counter alone shows.
pub(crate) fn increments(load: &Load, counter_count: usize, recorder: &mut impl Recorder<Counter>) {
    assert!(load.unknown.hits == 0, "a client always learns the outcome");
    let mut scene = Scene {
        load: *load,
        chance: load.chance(13),
        clients: (0..load.clients).map(|_| Client::default()).collect(),
        values: vec![0; counter_count],
        recent: VecDeque::new(),
        drawn_count: 0,
        begun: 0,
        is_violated: false,
        names: Names::default(),
        recorder,
    };
    scene.run();
}

/// How many values a client draws in advance.
const ADVANCE_MAX: usize = 6;
/// How many draws are remembered to find a place for the violation.
const RECENT_MAX: usize = 512;

/// A value drawn.
#[derive(Clone, Copy)]
struct Ticket {
    slot: usize,
    key: usize,
    value: i64,
}

#[derive(Default)]
struct Client {
    drawn: VecDeque<Ticket>,
    /// Whether the first of them is asked for.
    is_open: bool,
}

struct Scene<'a, R> {
    load: Load,
    chance: Chance,
    clients: Vec<Client>,
    /// By counter.
    values: Vec<i64>,
    recent: VecDeque<Ticket>,
    /// Never more than are asked for in the end: a value left over would be a gap.
    drawn_count: usize,
    begun: usize,
    is_violated: bool,
    names: Names,
    recorder: &'a mut R,
}

impl<R: Recorder<Counter>> Scene<'_, R> {
    fn run(&mut self) {
        while self.begun < self.load.operations {
            let slot = self.chance.below(self.clients.len());
            if self.chance.one_in(2) {
                self.draw(slot);
            }
            if self.load.is_violation_due(self.begun) && !self.is_violated {
                self.is_violated = (0..self.clients.len()).any(|slot| self.violate(slot));
            }
            self.go_on(slot);
        }
        for slot in 0..self.clients.len() {
            if self.clients[slot].is_open {
                self.go_on(slot);
            }
        }
        let is_wanted = self.load.is_violation_due(self.begun);
        assert!(!is_wanted || self.is_violated, "{} operations are too few for a violation", self.begun);
    }

    fn draw(&mut self, slot: usize) {
        if self.clients[slot].drawn.len() == ADVANCE_MAX || self.drawn_count == self.load.operations {
            return;
        }
        self.drawn_count += 1;
        let key = self.chance.below(self.values.len());
        self.values[key] += 1;
        let ticket = Ticket { slot, key, value: self.values[key] };
        self.clients[slot].drawn.push_back(ticket);
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(ticket);
    }

    fn go_on(&mut self, slot: usize) {
        if self.clients[slot].drawn.is_empty() {
            self.draw(slot);
        }
        let Some(&ticket) = self.clients[slot].drawn.front() else { return };
        let client = ClientId(slot as u64);
        let call = CounterCall::Increment;
        let question = Question { key: self.names.of(ticket.key), call: &call };
        if self.clients[slot].is_open {
            self.recorder.answer(client, &question, &CounterAnswer::Value(ticket.value));
            self.clients[slot].drawn.pop_front();
        } else {
            self.recorder.invoke(client, &question);
            self.begun += 1;
        }
        self.clients[slot].is_open = !self.clients[slot].is_open;
    }

    /// Has two draws of a client change places, if another client shows their order: it drew from the
    /// first counter later than the first, and then from the second earlier than the second.
    fn violate(&mut self, slot: usize) -> bool {
        let first_unasked = usize::from(self.clients[slot].is_open);
        let drawn = &self.clients[slot].drawn;
        let pairs = (first_unasked..drawn.len())
            .flat_map(|second| (first_unasked..second).map(move |first| (first, second)));
        let is_alone = self.values.len() == 1;
        let wanted = pairs.into_iter().find(|&(first, second)| {
            let (before, after) = (drawn[first], drawn[second]);
            is_alone || (before.key != after.key && self.is_order_shown(before, after))
        });
        let Some((first, second)) = wanted else { return false };
        self.clients[slot].drawn.swap(first, second);
        true
    }

    fn is_order_shown(&self, before: Ticket, after: Ticket) -> bool {
        (0..self.clients.len()).filter(|slot| *slot != before.slot).any(|slot| {
            let mut of_slot = self.recent.iter().filter(|ticket| ticket.slot == slot);
            let is_later = |ticket: &&Ticket| ticket.key == before.key && ticket.value > before.value;
            let is_earlier = |ticket: &Ticket| ticket.key == after.key && ticket.value < after.value;
            of_slot.find(is_later).is_some() && of_slot.any(is_earlier)
        })
    }
}
