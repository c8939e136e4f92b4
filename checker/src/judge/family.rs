//! Families: what a history holds, model by model.

use std::collections::BTreeMap;

use super::Records;
use crate::admission::LimitSchedule;
use crate::drawing::Drawable;
use crate::history::OperationIndex;
use crate::keyed::KeyedHistory;
use crate::replication::LogHistory;
use crate::session::Read;
use crate::spec::capacity::Capacity;
use crate::spec::counter::{Counter, CounterKind};
use crate::spec::kinds::Kinds;
use crate::spec::log::Log;
use crate::spec::multi_register::MultiRegister;
use crate::spec::mutex::Mutex;
use crate::spec::register::Register;
use crate::spec::revisions::Revisions;
use crate::spec::table::Table;
use crate::spec::text::Text;
use crate::switch_timing::{Promise, SwitchHistory};

/// Objects of one model, judged together.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Its name, unique among the families of a history.
    pub name: String,
    /// What it holds.
    pub kind: FamilyKind,
}

/// What a family holds, and what its checks need beside it.
#[derive(Clone, Debug, PartialEq)]
pub enum FamilyKind {
    /// Registers with compare-and-set.
    Register {
        /// What a register answers.
        spec: Register,
        /// What was asked of them.
        history: KeyedHistory<Register>,
    },
    /// Registers under keys, nil where there is none: key-value pairs with numbers.
    KeyValue {
        /// What a register answers.
        spec: Register,
        /// What was asked of them.
        history: KeyedHistory<Register>,
    },
    /// Strings under keys.
    Text {
        /// What a string answers.
        spec: Text,
        /// What was asked of them.
        history: KeyedHistory<Text>,
    },
    /// Counters without bound.
    Counter {
        /// What a counter answers.
        spec: Counter,
        /// What was asked of them.
        history: KeyedHistory<Counter>,
    },
    /// Counters that are exact in the end.
    Tally {
        /// What was asked of them.
        history: KeyedHistory<Counter>,
        /// From when on they must be exact: true time, in ns.
        settled_ns: u64,
    },
    /// Append-only logs.
    AppendLog {
        /// What a log answers.
        spec: Log,
        /// What was asked of them.
        history: KeyedHistory<Log>,
    },
    /// Locks.
    Mutex {
        /// What a lock answers.
        spec: Mutex,
        /// What was asked of them.
        history: KeyedHistory<Mutex>,
    },
    /// Registers that are read and written together.
    MultiRegister {
        /// What they answer.
        spec: MultiRegister,
        /// What was asked of them.
        history: KeyedHistory<MultiRegister>,
    },
    /// Objects of a table of the user's own.
    Table {
        /// What they answer.
        spec: Table,
        /// What was asked of them.
        history: KeyedHistory<Table>,
    },
    /// A key-value store with revisions.
    Revisions {
        /// What it answers.
        spec: Revisions,
        /// What was asked of it.
        history: KeyedHistory<Revisions>,
    },
    /// Bounded counters.
    Capacity {
        /// What a counter answers.
        spec: Capacity,
        /// What was asked of them.
        history: KeyedHistory<Capacity>,
        /// By key: an order that is claimed to be legal, if the system reveals one.
        witness: BTreeMap<String, Vec<OperationIndex>>,
        /// Which limit applied when, if limits change.
        schedule: Option<LimitSchedule>,
        /// By how much the clocks that applied the schedule may have been off, in ns.
        uncertainty_ns: u64,
    },
    /// Bounded counters of several kinds.
    Kinds {
        /// What a counter answers.
        spec: Kinds,
        /// What was asked of them.
        history: KeyedHistory<Kinds>,
        /// By key: an order that is claimed to be legal, if the system reveals one.
        witness: BTreeMap<String, Vec<OperationIndex>>,
        /// Which limit applied when, if limits change; each kind has its share of it.
        schedule: Option<LimitSchedule>,
        /// By how much the clocks that applied the schedule may have been off, in ns.
        uncertainty_ns: u64,
    },
    /// Configuration versions, and the tasks that ran under them.
    Switch {
        /// What was published and what ran.
        history: SwitchHistory,
        /// What was promised.
        promise: Promise,
    },
    /// A replicated log.
    Log(LogHistory),
    /// Reads of something that only advances, in the order in which each client made them, and its writes to it.
    Reads(Vec<Read>),
    /// Locks, transactions, accounts or chains.
    Records(Records),
}

/// Something to be done with operations, whatever their model.
pub trait OperationsVisitor {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<S: Drawable>(self, spec: &S, history: &KeyedHistory<S>) -> Self::Output;
}

impl FamilyKind {
    /// Lets the visitor see the operations; none if the records of the family are no operations.
    pub fn visit<V: OperationsVisitor>(&self, visitor: V) -> Option<V::Output> {
        match self {
            Self::Register { spec, history } | Self::KeyValue { spec, history } => {
                Some(visitor.visit(spec, history))
            }
            Self::Text { spec, history } => Some(visitor.visit(spec, history)),
            Self::Counter { spec, history } => Some(visitor.visit(spec, history)),
            Self::Tally { history, .. } => Some(visitor.visit(&TALLIED, history)),
            Self::AppendLog { spec, history } => Some(visitor.visit(spec, history)),
            Self::Mutex { spec, history } => Some(visitor.visit(spec, history)),
            Self::MultiRegister { spec, history } => Some(visitor.visit(spec, history)),
            Self::Table { spec, history } => Some(visitor.visit(spec, history)),
            Self::Revisions { spec, history } => Some(visitor.visit(spec, history)),
            Self::Capacity { spec, history, .. } => Some(visitor.visit(spec, history)),
            Self::Kinds { spec, history, .. } => Some(visitor.visit(spec, history)),
            Self::Switch { .. } | Self::Log(_) | Self::Reads(_) | Self::Records(_) => None,
        }
    }

    /// The name of its model.
    pub fn model(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register-cas",
            Self::KeyValue { .. } | Self::Text { .. } => "kv",
            Self::Counter { spec: Counter { kind: CounterKind::Increment }, .. } => "counter-inc",
            Self::Counter { spec: Counter { kind: CounterKind::AddAndRead }, .. } => "counter-rw",
            Self::Tally { .. } => "tally",
            Self::AppendLog { .. } | Self::Log(_) => "log",
            Self::Mutex { .. } => "mutex",
            Self::MultiRegister { .. } => "multi-register",
            Self::Table { .. } => "table",
            Self::Revisions { .. } => "kv-revisions",
            Self::Capacity { .. } => "bcounter",
            Self::Kinds { .. } => "bcounter-kinds",
            Self::Switch { .. } => "switch",
            Self::Reads(_) => "reads",
            Self::Records(records) => records.model(),
        }
    }

    /// The name of its model; of a table, the one that its file gives it.
    pub fn model_name(&self) -> &str {
        match self {
            Self::Table { spec, .. } => spec.name(),
            other => other.model(),
        }
    }

    /// Whether there is nothing to judge: no operation, no record.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Switch { history, .. } => {
                history.publications.is_empty()
                    && history.tasks.is_empty()
                    && history.adoptions.is_empty()
                    && history.store_reads.is_empty()
            }
            Self::Log(history) => history.appends.is_empty() && history.readers.is_empty(),
            Self::Reads(reads) => reads.is_empty(),
            Self::Records(records) => records.is_empty(),
            Self::Register { .. }
            | Self::KeyValue { .. }
            | Self::Text { .. }
            | Self::Counter { .. }
            | Self::Tally { .. }
            | Self::AppendLog { .. }
            | Self::Mutex { .. }
            | Self::MultiRegister { .. }
            | Self::Table { .. }
            | Self::Revisions { .. }
            | Self::Capacity { .. }
            | Self::Kinds { .. } => self.visit(IsEmpty).unwrap_or(true),
        }
    }
}

impl FamilyKind {
    /// Whether nothing was observed: no answer tells anything of a state, and there is no record. Such
    /// a family can contradict nothing, so that it holds without showing anything.
    pub fn is_vacuous(&self) -> bool {
        self.visit(ObservesNothing).unwrap_or_else(|| self.is_empty())
    }
}

/// What counters that are exact in the end are asked.
const TALLIED: Counter = Counter { kind: CounterKind::AddAndRead };

struct IsEmpty;

impl OperationsVisitor for IsEmpty {
    type Output = bool;

    fn visit<S: Drawable>(self, _spec: &S, history: &KeyedHistory<S>) -> bool {
        history.is_empty() && history.parts().values().all(|part| part.dropped().is_empty())
    }
}

struct ObservesNothing;

impl OperationsVisitor for ObservesNothing {
    type Output = bool;

    fn visit<S: Drawable>(self, spec: &S, history: &KeyedHistory<S>) -> bool {
        let mut operations = history.parts().values().flat_map(|part| part.operations());
        !operations.any(|one| one.answer().is_some_and(|answer| spec.observes(&one.call, answer)))
    }
}
