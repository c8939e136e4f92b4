//! Replicas that lag behind one order of writes: sequentially consistent, but not linearizable.
//!
//! ```text
//!   client ──write──► its outbox ──some time──► the one log of writes
//!                                                     │ view: how much of it this client has seen
//!   client ◄──read── the log up to its view ◄─────────┘
//! ```
//!
//! A write is answered before it stands in the log; a read waits for the client's own writes and
//! then moves its view on, though not always to the end. So the order of the log, with each read at
//! its view, is legal and keeps the order of each client, but neither reads nor writes keep to real
//! time.

use std::collections::VecDeque;

use counterclock_checker::history::ClientId;
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::counter::{Counter, CounterAnswer, CounterCall};
use counterclock_checker::spec::register::{Register, RegisterAnswer, RegisterCall};

use super::Load;
use super::chance::Chance;
use super::recorder::{Question, Recorder};

/// Reads and writes of one register; no value is written twice.
///
/// The violation: two clients read two values in opposite orders.
pub(crate) fn unique_register(load: &Load, recorder: &mut impl Recorder<Register>) {
    Scene::<Register, _>::new(load, 11, recorder).run();
}

/// Additions of one and reads of one counter.
///
/// The violation: a client reads less than it has read before.
pub(crate) fn additions(load: &Load, recorder: &mut impl Recorder<Counter>) {
    Scene::<Counter, _>::new(load, 12, recorder).run();
}

/// How far a view may lag behind the log.
const LAG_MAX: usize = 48;
/// How many writes of a client may wait for the log.
const OUTBOX_MAX: usize = 4;

/// A write of the log: its value, and whose it is.
#[derive(Clone, Copy)]
struct Write {
    value: i64,
    slot: usize,
}

/// An object of which lagging copies can be read.
trait Lagging: Spec + Sized {
    fn write(value: i64) -> Self::Call;
    fn done() -> Self::Answer;
    fn read() -> Self::Call;
    /// What a read at this view finds.
    fn found(log: &[Write], view: usize) -> Self::Answer;
    /// Reads as (place of the reader among two, view), the last of which contradicts those before it.
    fn contradiction(log: &[Write], views: [usize; 2]) -> Option<Vec<(usize, usize)>>;
}

impl Lagging for Register {
    fn write(value: i64) -> RegisterCall {
        RegisterCall::Write(Some(value))
    }

    fn done() -> RegisterAnswer {
        RegisterAnswer::Done
    }

    fn read() -> RegisterCall {
        RegisterCall::Read
    }

    fn found(log: &[Write], view: usize) -> RegisterAnswer {
        RegisterAnswer::Value(view.checked_sub(1).map(|place| log[place].value))
    }

    /// Two writes of different clients: one reader sees first the one and then the other, the second
    /// reader the other way round. Nothing else says which came first.
    fn contradiction(log: &[Write], views: [usize; 2]) -> Option<Vec<(usize, usize)>> {
        let newest = log.len();
        let newer = log.last()?;
        let older = 1 + log.iter().rposition(|write| write.slot != newer.slot)?;
        let is_possible = older > views[0];
        is_possible.then(|| vec![(0, older), (0, newest), (1, newest), (1, older)])
    }
}

impl Lagging for Counter {
    fn write(_value: i64) -> CounterCall {
        CounterCall::Add(1)
    }

    fn done() -> CounterAnswer {
        CounterAnswer::Done
    }

    fn read() -> CounterCall {
        CounterCall::Read
    }

    fn found(_log: &[Write], view: usize) -> CounterAnswer {
        CounterAnswer::Value(i64::try_from(view).expect("a log that fits memory"))
    }

    fn contradiction(log: &[Write], views: [usize; 2]) -> Option<Vec<(usize, usize)>> {
        let newest = log.len();
        (newest > views[0]).then(|| vec![(0, newest), (0, newest - 1)])
    }
}

struct Client {
    view: usize,
    outbox: VecDeque<i64>,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Reads,
    Writes(i64),
}

struct Scene<'a, S: Lagging, R: Recorder<S>> {
    load: Load,
    chance: Chance,
    clients: Vec<Client>,
    log: Vec<Write>,
    begun: usize,
    written_count: i64,
    is_violated: bool,
    recorder: &'a mut R,
    model: std::marker::PhantomData<S>,
}

impl<'a, S: Lagging, R: Recorder<S>> Scene<'a, S, R> {
    fn new(load: &Load, stream: u64, recorder: &'a mut R) -> Self {
        assert!(load.unknown.hits == 0, "a lagging client always learns the outcome");
        let client = |_| Client { view: 0, outbox: VecDeque::new(), phase: Phase::Idle };
        Self {
            load: *load,
            chance: load.chance(stream),
            clients: (0..load.clients).map(client).collect(),
            log: Vec::new(),
            begun: 0,
            written_count: 0,
            is_violated: false,
            recorder,
            model: std::marker::PhantomData,
        }
    }

    fn run(&mut self) {
        while self.begun < self.load.operations {
            if self.chance.one_in(2) {
                let slot = self.chance.below(self.clients.len());
                self.deliver(slot);
            }
            if self.load.is_violation_due(self.begun) && !self.is_violated {
                self.violate();
            }
            let slot = self.chance.below(self.clients.len());
            self.go_on(slot);
        }
        for slot in 0..self.clients.len() {
            if self.clients[slot].phase != Phase::Idle {
                self.go_on(slot);
            }
        }
        let is_wanted = self.load.is_violation_due(self.begun);
        assert!(!is_wanted || self.is_violated, "{} operations are too few for a violation", self.begun);
    }

    /// The oldest write of a client's outbox gets its place in the log.
    fn deliver(&mut self, slot: usize) {
        let client = &mut self.clients[slot];
        if let Some(value) = client.outbox.pop_front() {
            self.log.push(Write { value, slot });
            client.view = self.log.len();
        }
    }

    fn go_on(&mut self, slot: usize) {
        match self.clients[slot].phase {
            Phase::Idle if self.begun >= self.load.operations => {}
            Phase::Idle if self.chance.one_in(2) => {
                self.invoke(slot, &S::read());
                self.clients[slot].phase = Phase::Reads;
            }
            Phase::Idle => {
                if self.clients[slot].outbox.len() == OUTBOX_MAX {
                    self.deliver(slot);
                }
                self.written_count += 1;
                let value = self.written_count;
                self.clients[slot].outbox.push_back(value);
                self.invoke(slot, &S::write(value));
                self.clients[slot].phase = Phase::Writes(value);
            }
            Phase::Reads => {
                self.look(slot);
                let found = S::found(&self.log, self.clients[slot].view);
                self.answer(slot, &S::read(), &found);
            }
            Phase::Writes(value) => self.answer(slot, &S::write(value), &S::done()),
        }
    }

    /// The client sees its own writes, and somewhat more of the log than before.
    fn look(&mut self, slot: usize) {
        while !self.clients[slot].outbox.is_empty() {
            self.deliver(slot);
        }
        let view = self.clients[slot].view.max(self.log.len().saturating_sub(LAG_MAX));
        self.clients[slot].view = view + self.chance.below((self.log.len() - view).min(LAG_MAX / 4) + 1);
    }

    /// The two idle clients of the oldest views, if there are two.
    fn readers(&self) -> Option<[usize; 2]> {
        let is_free =
            |slot: &usize| self.clients[*slot].outbox.is_empty() && self.clients[*slot].phase == Phase::Idle;
        let mut free: Vec<usize> = (0..self.clients.len()).filter(is_free).collect();
        free.sort_by_key(|slot| self.clients[*slot].view);
        Some([*free.first()?, *free.get(1)?])
    }

    fn violate(&mut self) {
        let Some(readers) = self.readers() else { return };
        let views = readers.map(|slot| self.clients[slot].view);
        let Some(reads) = S::contradiction(&self.log, views) else { return };
        for (reader, view) in reads {
            self.invoke(readers[reader], &S::read());
            self.answer(readers[reader], &S::read(), &S::found(&self.log, view));
            self.clients[readers[reader]].view = self.log.len();
        }
        self.is_violated = true;
    }

    fn invoke(&mut self, slot: usize, call: &S::Call) {
        self.begun += 1;
        self.recorder.invoke(ClientId(slot as u64), &Question { key: "k0", call });
    }

    fn answer(&mut self, slot: usize, call: &S::Call, answer: &S::Answer) {
        self.clients[slot].phase = Phase::Idle;
        self.recorder.answer(ClientId(slot as u64), &Question { key: "k0", call }, answer);
    }
}
