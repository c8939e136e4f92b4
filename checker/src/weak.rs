//! Levels weaker than sequential consistency: what each client may rely on while replicas lag behind.
//!
//! A history has such a level if there are a *visibility*, which says what updates each operation
//! sees, and one *arbitration*, a total order of all updates, such that every answer is what the
//! object answers after the updates of it that are visible, in the order of arbitration.
//!
//! - Every answered operation observes. What is neither a read nor refused also updates: so does what
//!   has an unknown outcome and may have had an effect, if it took place.
//! - An update does what its answer says where that is possible, else what was asked, else nothing.
//! - No operation sees itself or what its own client asks later. Real time does not count.
//! - An operation that observes and updates does so in this order: for *writes follow reads*, what it
//!   saw itself was seen before its update.
//!
//! | level | visibility and arbitration |
//! |---|---|
//! | read-your-writes | an operation sees the earlier updates of its client |
//! | monotonic-reads | what an operation saw, the later ones of its client see |
//! | monotonic-writes | arbitration keeps each client's order; who sees an update sees its client's earlier ones |
//! | writes-follow-reads | what a client saw before an update precedes it in arbitration; who sees the update sees that |
//! | pram | the first three, by one visibility and one arbitration |
//! | causal | all four, likewise |
//!
//! Sources: S. Burckhardt, "Principles of eventual consistency", Found. Trends Program. Lang. 1(1-2)
//! (2014), for visibility and arbitration; D. B. Terry et al., "Session guarantees for weakly
//! consistent replicated data", PDIS 1994; J. Brzezinski, C. Sobaniec and D. Wawrzyniak, "From
//! session causality to causal consistency", PDP 2004, for the sum of the four; P. Viotti and M.
//! Vukolic, "Consistency in non-transactional distributed storage systems", ACM Comput. Surv. 49(1)
//! (2016). As arbitration is common to all, `causal` is what A. Bouajjani, C. Enea, R. Guerraoui and
//! J. Hamza, "On verifying causal consistency", POPL 2017, call causal convergence.
//!
//! ```text
//!   reads and writes only, no value twice? ─yes─► the least visibility and arbitration: acyclic?
//!     └no► search
//! ```

pub mod accesses;
mod anomaly;
mod overwrites;
mod prefixes;
pub(crate) mod searched;
mod single;

use crate::budget::{Budget, Exhausted, Spending};
use crate::history::OperationIndex;
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::verdict::{Judgement, Undecided, Verdict};
use accesses::{Accesses, Item, Kind, Unsuited};
use anomaly::Anomaly;

/// The least visibility and arbitration that reads-from and the level force, on unique values.
pub const READS_FROM: &str = "reads-from";
/// The search for a visibility and an arbitration.
pub const VISIBILITY_SEARCH: &str = "visibility-search";
/// The same on reads and writes whose values repeat, so that reads do not tell what they read from.
pub const VISIBILITY_SEARCH_REPEATED: &str = "visibility-search (values repeat)";

/// What a client may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// An operation sees the earlier updates of its client.
    ReadYourWrites,
    /// What an operation saw, the later operations of its client see.
    MonotonicReads,
    /// Arbitration keeps each client's order; who sees an update sees its client's earlier ones.
    MonotonicWrites,
    /// What a client saw before an update precedes it; who sees the update sees that.
    WritesFollowReads,
}

/// A level that is a sum of guarantees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeakLevel {
    /// All four.
    Causal,
    /// All but writes follow reads.
    Pram,
    /// One alone.
    Only(Guarantee),
}

impl WeakLevel {
    /// The guarantees it is made of.
    pub fn guarantees(self) -> &'static [Guarantee] {
        use Guarantee::{MonotonicReads, MonotonicWrites, ReadYourWrites, WritesFollowReads};
        match self {
            Self::Causal => &[ReadYourWrites, MonotonicReads, MonotonicWrites, WritesFollowReads],
            Self::Pram => &[ReadYourWrites, MonotonicReads, MonotonicWrites],
            Self::Only(ReadYourWrites) => &[ReadYourWrites],
            Self::Only(MonotonicReads) => &[MonotonicReads],
            Self::Only(MonotonicWrites) => &[MonotonicWrites],
            Self::Only(WritesFollowReads) => &[WritesFollowReads],
        }
    }

    /// Its name, as the command and its files use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Causal => "causal",
            Self::Pram => "pram",
            Self::Only(Guarantee::ReadYourWrites) => "read-your-writes",
            Self::Only(Guarantee::MonotonicReads) => "monotonic-reads",
            Self::Only(Guarantee::MonotonicWrites) => "monotonic-writes",
            Self::Only(Guarantee::WritesFollowReads) => "writes-follow-reads",
        }
    }
}

/// Whether the history over all objects has the level.
pub fn weak<S: Spec>(level: WeakLevel, spec: &S, history: &KeyedHistory<S>, budget: Budget) -> Judgement {
    Sources::of(spec, history).judge(level, spec, history, budget)
}

/// What can be said of where reads come from: to be found once for all levels of a history.
#[derive(Clone, Debug)]
pub struct Sources(Result<Accesses, Unsuited>);

impl Sources {
    /// Those of this history.
    pub fn of<S: Spec>(spec: &S, history: &KeyedHistory<S>) -> Self {
        Self(Accesses::of(spec, history))
    }

    /// Whether the history is one of reads and writes of unique values: then every level below
    /// sequential consistency is decided in polynomial time.
    pub fn are_unique(&self) -> bool {
        self.0.is_ok()
    }

    /// Whether the history, of which these are the sources, has the level.
    pub fn judge<S: Spec>(
        &self,
        level: WeakLevel,
        spec: &S,
        history: &KeyedHistory<S>,
        budget: Budget,
    ) -> Judgement {
        let algorithm = match &self.0 {
            Ok(accesses) => return by_reads_from(level, history, accesses, budget),
            Err(Unsuited::RepeatedValues) => VISIBILITY_SEARCH_REPEATED,
            Err(Unsuited::OtherSteps) => VISIBILITY_SEARCH,
        };
        searched::judged(level, spec, history, budget, algorithm)
    }
}

/// An order of updates, and what each observation sees of them beside what the level makes visible anyway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// All answered updates, and some of those of unknown outcome.
    pub arbitration: Vec<OperationIndex>,
    /// Observations, each with the updates that it sees.
    pub sees: Vec<(OperationIndex, Vec<OperationIndex>)>,
}

/// A visibility and an arbitration that prove that the history has the level. None if there are none, or
/// none are found within the budget.
pub fn explanation<S: Spec>(
    level: WeakLevel,
    spec: &S,
    history: &KeyedHistory<S>,
    budget: Budget,
) -> Option<Explanation> {
    let Ok(accesses) = Accesses::of(spec, history) else {
        return searched::explanation(level, spec, history, budget);
    };
    let order = find(level, &accesses, &mut Spending::new(budget)).ok()?.ok()?;
    let operations = history.by_invocation();
    let number = |item: u32| operations[accesses.item(item).tag as usize].1.number;
    let is_write = |item: &u32| (*item as usize) < accesses.items().len() && accesses.is_write(*item);
    let arbitration = order.into_iter().filter(is_write).map(number).collect();
    let source = |(reader, item): (u32, &Item)| match item.kind {
        Kind::Read(source) => Some((number(reader), vec![number(source)])),
        Kind::Write | Kind::ReadInitial | Kind::ReadNothing => None,
    };
    let sees = (0..).zip(accesses.items()).filter_map(source).collect();
    Some(Explanation { arbitration, sees })
}

fn by_reads_from<S: Spec>(
    level: WeakLevel,
    history: &KeyedHistory<S>,
    accesses: &Accesses,
    budget: Budget,
) -> Judgement {
    let mut spending = Spending::new(budget);
    let verdict = match find(level, accesses, &mut spending) {
        Ok(Ok(_)) => Verdict::Holds,
        Ok(Err(anomaly)) => Verdict::Violated(anomaly::violation(level, history, accesses, &anomaly)),
        Err(Exhausted) => {
            let answered = history.by_invocation().into_iter().filter(|(_, one)| one.returned.is_some());
            let open = answered.map(|(_, operation)| operation.number).collect();
            Verdict::Undecided(Undecided { open, steps: spending.spent() })
        }
    };
    Judgement { verdict, algorithm: READS_FROM, steps: spending.spent() }
}

/// An order of all items that has the writes in arbitration, or why there is none. Beyond the items, there
/// may be numbers that mean nothing.
type Arbitration = Result<Vec<u32>, Anomaly>;

/// An arbitration, or why the level does not hold.
fn find(level: WeakLevel, accesses: &Accesses, spending: &mut Spending) -> Result<Arbitration, Exhausted> {
    // An item is 16 bytes, and some edges are made for each.
    spending.spend(accesses.items().len() as u64)?;
    if let Some(anomaly) = anomaly::impossible_source(accesses) {
        return Ok(Err(anomaly));
    }
    match level {
        WeakLevel::Causal => prefixes::find(accesses, prefixes::Seen::Transitively, spending),
        WeakLevel::Pram => prefixes::find(accesses, prefixes::Seen::Directly, spending),
        WeakLevel::Only(Guarantee::ReadYourWrites) => Ok(single::read_your_writes(accesses)),
        WeakLevel::Only(Guarantee::MonotonicReads) => Ok(single::monotonic_reads(accesses)),
        WeakLevel::Only(Guarantee::MonotonicWrites) => Ok(single::monotonic_writes(accesses)),
        WeakLevel::Only(Guarantee::WritesFollowReads) => Ok(single::writes_follow_reads(accesses)),
    }
}

#[cfg(test)]
mod tests;
