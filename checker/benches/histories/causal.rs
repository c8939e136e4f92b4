//! Replicas that pass on writes in causal order: causally consistent, but not sequentially.
//!
//! ```text
//!   session ──► its replica ──writes, with what they depend on──► the other replicas, each in its own order
//! ```
//!
//! A replica applies a write of another one only after all that the write depends on. Each key is
//! written at one replica only: so all replicas agree on the order of its values, and every usual
//! definition of causal consistency (weak, memory, convergence) holds. Two readers may see writes of
//! two replicas in opposite orders, hence no single order explains all.

use std::collections::VecDeque;

use counterclock_checker::history::ClientId;
use counterclock_checker::spec::register::{Register, RegisterAnswer, RegisterCall, Value};

use super::Load;
use super::chance::Chance;
use super::clients::Names;
use super::recorder::{Question, Recorder};

/// Reads and writes of 64 keys; no value is written twice.
///
/// The violation: a session sees a write, and then a value that was replaced before that write was
/// made, as the writer had seen. Each session alone sees nothing wrong.
pub(crate) fn unique_keys(load: &Load, recorder: &mut impl Recorder<Register>) {
    assert!(load.unknown.hits == 0, "a session always learns the outcome");
    assert!(load.clients >= 3, "a violation takes three sessions");
    let replica_count = load.clients.min(REPLICA_COUNT_MAX);
    let mut scene = Scene {
        load: *load,
        chance: load.chance(14),
        open: (0..load.clients).map(|_| None).collect(),
        replicas: (0..replica_count).map(|_| Replica::new(replica_count)).collect(),
        begun: 0,
        written_count: 0,
        is_violated: false,
        names: Names::default(),
        recorder,
    };
    scene.run();
}

const KEY_COUNT: usize = 64;
const REPLICA_COUNT_MAX: usize = 8;

/// A write as replicas pass it on.
#[derive(Clone)]
struct Write {
    key: usize,
    value: i64,
    /// By replica, how many of its writes must be there before.
    after: Vec<usize>,
}

struct Replica {
    values: Vec<Value>,
    /// Its own writes, except those that all others have.
    own: VecDeque<Write>,
    /// How many of its own writes all others have.
    passed_on_count: usize,
    /// By replica, how many of its writes are here.
    seen: Vec<usize>,
}

impl Replica {
    fn new(replica_count: usize) -> Self {
        let values = vec![None; KEY_COUNT];
        Self { values, own: VecDeque::new(), passed_on_count: 0, seen: vec![0; replica_count] }
    }

    fn apply(&mut self, origin: usize, write: &Write) {
        self.values[write.key] = Some(write.value);
        self.seen[origin] += 1;
    }
}

/// A question of a session.
#[derive(Clone, Copy)]
struct Open {
    key: usize,
    call: RegisterCall,
}

struct Scene<'a, R> {
    load: Load,
    chance: Chance,
    /// By session.
    open: Vec<Option<Open>>,
    replicas: Vec<Replica>,
    begun: usize,
    written_count: i64,
    is_violated: bool,
    names: Names,
    recorder: &'a mut R,
}

impl<R: Recorder<Register>> Scene<'_, R> {
    fn run(&mut self) {
        while self.begun < self.load.operations {
            let (to, from) = (self.any_replica(), self.any_replica());
            self.pass_on(from, to);
            if self.load.is_violation_due(self.begun) && !self.is_violated {
                self.violate();
            }
            let session = self.chance.below(self.open.len());
            self.go_on(session);
        }
        self.answer_all();
    }

    fn any_replica(&mut self) -> usize {
        self.chance.below(self.replicas.len())
    }

    /// The next write of `from` that `to` has not, if all it depends on is there. Says whether it went.
    fn pass_on(&mut self, from: usize, to: usize) -> bool {
        let place = self.replicas[to].seen[from] - self.replicas[from].passed_on_count;
        let Some(write) = self.replicas[from].own.get(place).filter(|_| from != to).cloned() else {
            return false;
        };
        let is_ready = write.after.iter().zip(&self.replicas[to].seen).all(|(after, seen)| after <= seen);
        if is_ready {
            self.replicas[to].apply(from, &write);
            self.forget(from);
        }
        is_ready
    }

    /// Forgets writes that are everywhere.
    fn forget(&mut self, origin: usize) {
        let everywhere = self.replicas.iter().map(|replica| replica.seen[origin]).min().unwrap_or(0);
        let replica = &mut self.replicas[origin];
        while replica.passed_on_count < everywhere {
            replica.own.pop_front();
            replica.passed_on_count += 1;
        }
    }

    /// Passes on all writes to all replicas.
    fn synchronise(&mut self) {
        let count = self.replicas.len();
        let pairs = || (0..count * count).map(|pair| (pair / count, pair % count));
        while pairs().any(|(from, to)| self.pass_on(from, to)) {}
    }

    fn go_on(&mut self, session: usize) {
        match self.open[session] {
            Some(open) => {
                let answer = self.take_effect(session, open);
                self.answer(session, open, answer);
            }
            None if self.begun < self.load.operations => {
                let open = self.question(session);
                self.invoke(session, open);
            }
            None => {}
        }
    }

    fn question(&mut self, session: usize) -> Open {
        let key = self.chance.below(KEY_COUNT);
        if self.chance.one_in(2) {
            return Open { key, call: RegisterCall::Read };
        }
        let count = self.replicas.len();
        let own = key - key % count + self.replica_of(session);
        self.write(if own < KEY_COUNT { own } else { self.replica_of(session) })
    }

    fn write(&mut self, key: usize) -> Open {
        self.written_count += 1;
        Open { key, call: RegisterCall::Write(Some(self.written_count)) }
    }

    fn replica_of(&self, session: usize) -> usize {
        session % self.replicas.len()
    }

    fn take_effect(&mut self, session: usize, open: Open) -> RegisterAnswer {
        let origin = self.replica_of(session);
        let replica = &mut self.replicas[origin];
        let RegisterCall::Write(Some(value)) = open.call else {
            return RegisterAnswer::Value(replica.values[open.key]);
        };
        let write = Write { key: open.key, value, after: replica.seen.clone() };
        replica.apply(origin, &write);
        replica.own.push_back(write);
        RegisterAnswer::Done
    }

    fn answer_all(&mut self) {
        for session in 0..self.open.len() {
            if self.open[session].is_some() {
                self.go_on(session);
            }
        }
    }

    /// Session 0 replaces a value; session 1 sees that and writes; session 2 sees what session 1
    /// wrote, and then the replaced value.
    fn violate(&mut self) {
        self.answer_all();
        let (x, y) = (0, 1);
        let replaced = self.write(x);
        self.do_at_once(0, replaced);
        let newer = self.write(x);
        self.do_at_once(0, newer);
        self.do_at_once(1, Open { key: x, call: RegisterCall::Read });
        let answer_to_it = self.write(y);
        self.do_at_once(1, answer_to_it);
        self.do_at_once(2, Open { key: y, call: RegisterCall::Read });
        let read = Open { key: x, call: RegisterCall::Read };
        self.invoke(2, read);
        let RegisterCall::Write(wrong) = replaced.call else { unreachable!("session 0 wrote it") };
        self.answer(2, read, RegisterAnswer::Value(wrong));
        self.is_violated = true;
    }

    /// An operation alone, seen by all replicas.
    fn do_at_once(&mut self, session: usize, open: Open) {
        self.invoke(session, open);
        let answer = self.take_effect(session, open);
        self.answer(session, open, answer);
        self.synchronise();
    }

    fn invoke(&mut self, session: usize, open: Open) {
        self.begun += 1;
        self.open[session] = Some(open);
        let question = Question { key: self.names.of(open.key), call: &open.call };
        self.recorder.invoke(ClientId(session as u64), &question);
    }

    fn answer(&mut self, session: usize, open: Open, answer: RegisterAnswer) {
        self.open[session] = None;
        let question = Question { key: self.names.of(open.key), call: &open.call };
        self.recorder.answer(ClientId(session as u64), &question, &answer);
    }
}
