//! What other crates say of a register's history, within a bound of steps.
//!
//! Both peers try orders without memory, or with little, so their time grows exponentially with the
//! history. Each step of theirs asks our register once; past the bound that question unwinds, which ends
//! the search in the same place on every machine.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use counterclock_checker::history::{History, Outcome};
use counterclock_checker::spec::Spec;
use counterclock_checker::spec::register::{Register, RegisterAnswer, RegisterCall, Value};
use stateright::semantics::{
    ConsistencyTester, LinearizabilityTester, SequentialConsistencyTester, SequentialSpec,
};
use todc_utils::specifications::etcd::{EtcdOperation, EtcdSpecification, EtcdStatus};
use todc_utils::{Action, Specification, WGLChecker};

/// What a peer said, or that it had not finished.
pub(crate) type Said = Option<bool>;

/// A register that counts how often it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    value: Value,
    left: Rc<Cell<u64>>,
}

/// The bound is passed.
struct Passed;

fn spend(left: &Cell<u64>) {
    if left.get() == 0 {
        resume_unwind(Box::new(Passed));
    }
    left.set(left.get() - 1);
}

/// What the peer says before the bound is passed.
fn within_bound(ask: impl FnOnce() -> bool) -> Said {
    match catch_unwind(AssertUnwindSafe(ask)) {
        Ok(said) => Some(said),
        Err(reason) if reason.is::<Passed>() => None,
        Err(reason) => resume_unwind(reason),
    }
}

impl SequentialSpec for Counted {
    type Op = RegisterCall;
    type Ret = RegisterAnswer;

    fn invoke(&mut self, call: &RegisterCall) -> RegisterAnswer {
        spend(&self.left);
        match *call {
            RegisterCall::Read => return RegisterAnswer::Value(self.value),
            RegisterCall::Write(value) => self.value = value,
            RegisterCall::CompareAndSet { expected, .. } if expected != self.value => {
                return RegisterAnswer::Mismatch;
            }
            RegisterCall::CompareAndSet { new, .. } => self.value = new,
        }
        RegisterAnswer::Done
    }

    fn is_valid_step(&mut self, call: &RegisterCall, answer: &RegisterAnswer) -> bool {
        self.invoke(call) == *answer
    }
}

/// A history as `stateright` takes it; one for each level.
pub(crate) struct Stateright<T> {
    tester: T,
    left: Rc<Cell<u64>>,
}

impl Stateright<LinearizabilityTester<u64, Counted>> {
    pub(crate) fn linearizability(history: &History<Register>) -> Self {
        Self::new(history, LinearizabilityTester::new)
    }
}

impl Stateright<SequentialConsistencyTester<u64, Counted>> {
    pub(crate) fn sequential_consistency(history: &History<Register>) -> Self {
        Self::new(history, SequentialConsistencyTester::new)
    }
}

impl<T: ConsistencyTester<u64, Counted>> Stateright<T> {
    fn new(history: &History<Register>, tester: impl FnOnce(Counted) -> T) -> Self {
        let left = Rc::new(Cell::new(0));
        let mut tester = tester(Counted { value: None, left: left.clone() });
        for event in events(history) {
            match event {
                Event::Call(client, call) => tester.on_invoke(client, call).map(|_| ()),
                Event::Answer(client, _, answer) => tester.on_return(client, answer).map(|_| ()),
            }
            .expect("the peer takes every history of ours");
        }
        Self { tester, left }
    }

    pub(crate) fn says(&self, steps_max: u64) -> Said {
        self.left.set(steps_max);
        within_bound(|| self.tester.is_consistent())
    }
}

/// A history as `todc-utils` takes it.
#[derive(Clone)]
pub(crate) struct Todc {
    history: todc_utils::History<EtcdOperation>,
}

impl Todc {
    /// An unknown outcome becomes an answer at the end, as the peer's own reader has it.
    pub(crate) fn new(history: &History<Register>) -> Self {
        let process = |client: u64| usize::try_from(client).expect("clients are numbered from 0");
        let mut actions = Vec::new();
        let mut open = Vec::new();
        for event in events(history) {
            match event {
                Event::Call(client, call) => {
                    open.push((client, call));
                    actions.push((process(client), Action::Call(operation(call, EtcdStatus::Invoke, None))));
                }
                Event::Answer(client, call, answer) => {
                    open.retain(|(other, _)| *other != client);
                    let response = match answer {
                        RegisterAnswer::Value(value) => operation(call, EtcdStatus::Okay, value),
                        RegisterAnswer::Done => operation(call, EtcdStatus::Okay, None),
                        RegisterAnswer::Mismatch => operation(call, EtcdStatus::Fail, None),
                    };
                    actions.push((process(client), Action::Response(response)));
                }
            }
        }
        for (client, call) in open {
            let response = operation(call, EtcdStatus::Unknown, None);
            actions.push((process(client), Action::Response(response)));
        }
        Self { history: todc_utils::History::from_actions(actions) }
    }

    /// The peer's checker uses its history up.
    pub(crate) fn says(self, steps_max: u64) -> Said {
        LEFT.with(|left| left.set(steps_max));
        within_bound(|| WGLChecker::<CountedEtcd>::is_linearizable(self.history))
    }
}

thread_local! {
    /// Steps left to the peer: its specification is a type without a value to keep them in.
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// The peer's specification, counted.
struct CountedEtcd;

impl Specification for CountedEtcd {
    type State = Option<u32>;
    type Operation = EtcdOperation;

    fn init() -> Option<u32> {
        EtcdSpecification::init()
    }

    fn apply(operation: &EtcdOperation, state: &Option<u32>) -> (bool, Option<u32>) {
        LEFT.with(spend);
        EtcdSpecification::apply(operation, state)
    }
}

fn operation(call: RegisterCall, status: EtcdStatus, found: Value) -> EtcdOperation {
    let small = |value: Value| {
        let value = value.expect("the peer writes numbers only");
        u32::try_from(value).expect("the values of the benches are small")
    };
    match call {
        RegisterCall::Read => EtcdOperation::Read(status, found.map(|value| small(Some(value)))),
        RegisterCall::Write(value) => EtcdOperation::Write(status, small(value)),
        RegisterCall::CompareAndSet { expected, new } => {
            EtcdOperation::CompareAndSwap(status, (small(expected), small(new)))
        }
    }
}

enum Event {
    Call(u64, RegisterCall),
    Answer(u64, RegisterCall, RegisterAnswer),
}

/// The events in order. Reads of unknown outcome are left out: they say nothing.
fn events(history: &History<Register>) -> Vec<Event> {
    let mut events = Vec::new();
    for operation in history.operations() {
        let (client, call) = (operation.client.0, operation.call);
        match (&operation.outcome, operation.returned) {
            (Outcome::Answered(answer), Some(returned)) => {
                events.push((operation.invoked, Event::Call(client, call)));
                events.push((returned, Event::Answer(client, call, *answer)));
            }
            _ if Register::default().step(&call, None).is_some() => {
                events.push((operation.invoked, Event::Call(client, call)));
            }
            _ => {}
        }
    }
    events.sort_by_key(|(position, _)| *position);
    events.into_iter().map(|(_, event)| event).collect()
}
