//! Which levels there are, what implies what, and which is the strongest that a history has.
//!
//! ```text
//!                        linearizable
//!                        │          │
//!                   sequential   convergence
//!                        │
//!                      causal
//!                   │          │
//!                 pram      writes-follow-reads
//!          │       │        │
//!   read-your-   monotonic-  monotonic-
//!   writes       reads       writes
//! ```

use std::str::FromStr;

use crate::budget::Budget;
use crate::convergence::convergence;
use crate::keyed::KeyedHistory;
use crate::linearizable::{linearizable_by_key, linearizable_by_key_unexplained};
use crate::sequential::sequential;
use crate::spec::Spec;
use crate::verdict::{Judgement, Undecided, Verdict};
use crate::weak::{Guarantee, Sources, WeakLevel};

/// A consistency level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// One order for all, in real time. See [`linearizable`](crate::linearizable).
    Linearizable,
    /// One order for all, that of each client kept. See [`sequential`](crate::sequential).
    Sequential,
    /// All four session guarantees together. See [`weak`](crate::weak), also for the next five.
    Causal,
    /// All but writes follow reads.
    Pram,
    /// An operation sees the earlier updates of its client.
    ReadYourWrites,
    /// What an operation saw, the later ones of its client see.
    MonotonicReads,
    /// Everybody applies the updates of one client in its order.
    MonotonicWrites,
    /// Everybody applies an update after those that its client had seen.
    WritesFollowReads,
    /// All agree in the end. See [`convergence`](crate::convergence).
    Convergence,
}

impl Level {
    /// All of them, each before those that it implies.
    pub const ALL: [Self; 9] = [
        Self::Linearizable,
        Self::Sequential,
        Self::Causal,
        Self::Pram,
        Self::ReadYourWrites,
        Self::MonotonicReads,
        Self::MonotonicWrites,
        Self::WritesFollowReads,
        Self::Convergence,
    ];

    /// Its name, as the command and its files use it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linearizable => "linearizable",
            Self::Sequential => "sequential",
            Self::Convergence => "convergence",
            Self::Causal => WeakLevel::Causal.name(),
            Self::Pram => WeakLevel::Pram.name(),
            Self::ReadYourWrites => WeakLevel::Only(Guarantee::ReadYourWrites).name(),
            Self::MonotonicReads => WeakLevel::Only(Guarantee::MonotonicReads).name(),
            Self::MonotonicWrites => WeakLevel::Only(Guarantee::MonotonicWrites).name(),
            Self::WritesFollowReads => WeakLevel::Only(Guarantee::WritesFollowReads).name(),
        }
    }

    /// The levels just below it: each holds wherever it does.
    pub fn implies(self) -> &'static [Self] {
        match self {
            Self::Linearizable => &[Self::Sequential, Self::Convergence],
            Self::Sequential => &[Self::Causal],
            Self::Causal => &[Self::Pram, Self::WritesFollowReads],
            Self::Pram => &[Self::ReadYourWrites, Self::MonotonicReads, Self::MonotonicWrites],
            Self::ReadYourWrites
            | Self::MonotonicReads
            | Self::MonotonicWrites
            | Self::WritesFollowReads
            | Self::Convergence => &[],
        }
    }

    /// Whether it implies the other one, perhaps through others; each level is as strong as itself.
    pub fn is_as_strong_as(self, other: Self) -> bool {
        let mut open = vec![self];
        while let Some(level) = open.pop() {
            if level == other {
                return true;
            }
            open.extend(level.implies());
        }
        false
    }

    /// Whether it says something of real time.
    pub fn needs_real_time(self) -> bool {
        matches!(self, Self::Linearizable | Self::Convergence)
    }

    /// The guarantees it is made of, if it is one of those.
    pub(crate) fn weak(self) -> Option<WeakLevel> {
        match self {
            Self::Linearizable | Self::Sequential | Self::Convergence => None,
            Self::Causal => Some(WeakLevel::Causal),
            Self::Pram => Some(WeakLevel::Pram),
            Self::ReadYourWrites => Some(WeakLevel::Only(Guarantee::ReadYourWrites)),
            Self::MonotonicReads => Some(WeakLevel::Only(Guarantee::MonotonicReads)),
            Self::MonotonicWrites => Some(WeakLevel::Only(Guarantee::MonotonicWrites)),
            Self::WritesFollowReads => Some(WeakLevel::Only(Guarantee::WritesFollowReads)),
        }
    }
}

/// No level has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no consistency level")]
pub struct UnknownLevel {
    /// What was given.
    pub name: String,
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        let level = Self::ALL.into_iter().find(|level| level.name() == name);
        level.ok_or_else(|| UnknownLevel { name: name.to_owned() })
    }
}

/// Whether the history has this level.
///
/// Where the level itself can only be searched for, the stronger ones are asked first: they are often
/// cheaper. The algorithm then says which implied it.
pub fn judge_level<S: Spec>(level: Level, spec: &S, history: &KeyedHistory<S>, budget: Budget) -> Judgement {
    let mut lattice = Lattice { explained: Some(level), ..Lattice::new(spec, history, budget) };
    let is_quick = level.weak().is_some() && lattice.sources().are_unique();
    for stronger in [Level::Linearizable, Level::Sequential] {
        if !is_quick && stronger.is_as_strong_as(level) {
            lattice.judge(stronger);
        }
    }
    lattice.judge(level);
    lattice.known(level).expect("it was judged").clone()
}

/// What a history has and what it has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strongest {
    /// The strongest levels that hold: none of them implies another. All others that hold are implied.
    pub held: Vec<Level>,
    /// The weakest levels that are violated, with their counter-examples. Whatever else is violated
    /// implies one of them.
    pub next: Vec<(Level, Judgement)>,
    /// The levels that nothing is known of, with the operations left open.
    pub undecided: Vec<(Level, Judgement)>,
    /// Steps spent on all of it.
    pub steps: u64,
}

impl Strongest {
    /// What is left of it where nothing is known of real time: an order that was legal shows no more than
    /// that there is one.
    #[must_use]
    pub fn without_real_time(mut self) -> Self {
        if self.held.contains(&Level::Linearizable) {
            self.held.push(Level::Sequential);
        }
        self.held.retain(|level| !level.needs_real_time());
        self.next.retain(|(level, _)| !level.needs_real_time());
        self.undecided.retain(|(level, _)| !level.needs_real_time());
        self
    }
}

/// The strongest levels that a history has, and why it has none that is stronger.
///
/// Linearizability may spend the whole budget. The levels below it go round in growing slices, up to a
/// 64th of it each, and less where a history is large, for what a search of theirs keeps grows with it.
/// No level is judged that another one's answer decides.
pub fn strongest<S: Spec>(spec: &S, history: &KeyedHistory<S>, budget: Budget) -> Strongest {
    let mut lattice = Lattice::new(spec, history, budget);
    lattice.judge(Level::Linearizable);
    let is_unique = lattice.known(Level::Sequential).is_none() && lattice.sources().are_unique();
    // On unique values causal consistency is quickly decided, and may refute what is hard to decide. Else a
    // level that is quickly refuted refutes all that are stronger.
    let order: [Level; 8] = if is_unique { STRONG_FIRST } else { WEAK_FIRST };
    for share in ROUND_SHARES {
        for level in order {
            lattice.budget = Budget { steps_max: budget.steps_max / share };
            if lattice.is_open(level) {
                lattice.judge(level);
            }
        }
    }
    lattice.summary()
}

/// Which part of the budget a level may spend in each round.
const ROUND_SHARES: [u64; 3] = [2_048, 512, 64];
/// Operations for which a step of a search for visibility counts as one more.
const STEP_OPERATIONS: u64 = 256;
/// The levels below linearizability where causal consistency is easy.
const STRONG_FIRST: [Level; 8] = [
    Level::Causal,
    Level::Sequential,
    Level::Pram,
    Level::ReadYourWrites,
    Level::MonotonicReads,
    Level::MonotonicWrites,
    Level::WritesFollowReads,
    Level::Convergence,
];
/// The same where all of them are searched.
const WEAK_FIRST: [Level; 8] = [
    Level::Convergence,
    Level::ReadYourWrites,
    Level::MonotonicReads,
    Level::MonotonicWrites,
    Level::WritesFollowReads,
    Level::Pram,
    Level::Causal,
    Level::Sequential,
];

/// What is known of every level.
struct Lattice<'a, S: Spec> {
    spec: &'a S,
    history: &'a KeyedHistory<S>,
    /// What the next level may spend.
    budget: Budget,
    /// What a level may spend that is decided without a search.
    whole: Budget,
    /// The only level whose violation will be read; all if none.
    explained: Option<Level>,
    sources: Option<Sources>,
    known: [Option<Judgement>; Level::ALL.len()],
    steps: u64,
}

impl<'a, S: Spec> Lattice<'a, S> {
    fn new(spec: &'a S, history: &'a KeyedHistory<S>, budget: Budget) -> Self {
        Self {
            spec,
            history,
            budget,
            whole: budget,
            explained: None,
            sources: None,
            known: [const { None }; Level::ALL.len()],
            steps: 0,
        }
    }

    fn known(&self, level: Level) -> Option<&Judgement> {
        self.known[level as usize].as_ref()
    }

    fn sources(&mut self) -> &Sources {
        self.sources.get_or_insert_with(|| Sources::of(self.spec, self.history))
    }

    /// Whether nothing is known of a level yet.
    fn is_open(&self, level: Level) -> bool {
        self.known(level).is_none_or(|known| matches!(known.verdict, Verdict::Undecided(_)))
    }

    /// Judges a level unless it is decided, and notes what the answer implies.
    fn judge(&mut self, level: Level) {
        if !self.is_open(level) {
            return;
        }
        let judgement = self.judgement(level);
        self.steps = self.steps.saturating_add(judgement.steps);
        match &judgement.verdict {
            Verdict::Holds => self.imply(level, &judgement, |level, other| level.is_as_strong_as(other)),
            Verdict::Violated(_) => {
                self.imply(level, &judgement, |level, other| other.is_as_strong_as(level));
            }
            Verdict::Undecided(_) => {}
        }
        self.known[level as usize] = Some(judgement);
    }

    fn imply(&mut self, level: Level, judgement: &Judgement, is_implied: fn(Level, Level) -> bool) {
        for other in Level::ALL.into_iter().filter(|other| *other != level && is_implied(level, *other)) {
            // What was undecided is decided now; what was decided must not be contradicted.
            if let Some(known) =
                self.known(other).filter(|known| !matches!(known.verdict, Verdict::Undecided(_)))
            {
                assert_eq!(
                    known.verdict.word(),
                    judgement.verdict.word(),
                    "{} and {} contradict each other",
                    level.name(),
                    other.name()
                );
                continue;
            }
            let algorithm = implied_by(level);
            self.known[other as usize] = Some(Judgement { algorithm, steps: 0, ..judgement.clone() });
        }
    }

    fn judgement(&mut self, level: Level) -> Judgement {
        match level {
            Level::Linearizable if self.explained.is_none_or(|explained| explained == level) => {
                linearizable_by_key(self.spec, self.history, self.budget)
            }
            Level::Linearizable => linearizable_by_key_unexplained(self.spec, self.history, self.budget),
            Level::Sequential => {
                let unknown = || Judgement {
                    verdict: Verdict::Undecided(Undecided::default()),
                    algorithm: "",
                    steps: 0,
                };
                let per_key = self.known(Level::Linearizable).cloned().unwrap_or_else(unknown);
                sequential(self.spec, self.history, &per_key, self.budget)
            }
            Level::Convergence => convergence(self.spec, self.history, self.searched_budget()),
            Level::Causal
            | Level::Pram
            | Level::ReadYourWrites
            | Level::MonotonicReads
            | Level::MonotonicWrites
            | Level::WritesFollowReads => {
                let level = level.weak().expect("these are made of guarantees");
                let is_quick = self.sources().are_unique();
                let budget = if is_quick { self.whole } else { self.searched_budget() };
                let (spec, history) = (self.spec, self.history);
                self.sources().judge(level, spec, history, budget)
            }
        }
    }

    /// What a search for visibility may spend: where all levels are asked, its steps count by their size.
    fn searched_budget(&self) -> Budget {
        let size = if self.explained.is_none() { self.history.len() as u64 / STEP_OPERATIONS } else { 0 };
        Budget { steps_max: self.budget.steps_max / (1 + size) }
    }

    fn summary(self) -> Strongest {
        let of = |word: &str| -> Vec<Level> {
            let is_so = |level: &Level| self.known(*level).is_some_and(|known| known.verdict.word() == word);
            Level::ALL.into_iter().filter(is_so).collect()
        };
        let (holds, violated) = (of("holds"), of("violated"));
        let is_implied =
            |level: Level| holds.iter().any(|other| *other != level && other.is_as_strong_as(level));
        let follows =
            |level: Level| violated.iter().any(|other| *other != level && level.is_as_strong_as(*other));
        let with_judgement = |level: Level| Some((level, self.known(level)?.clone()));
        Strongest {
            held: holds.iter().copied().filter(|level| !is_implied(*level)).collect(),
            next: violated
                .iter()
                .copied()
                .filter(|level| !follows(*level))
                .filter_map(with_judgement)
                .collect(),
            undecided: of("undecided").into_iter().filter_map(with_judgement).collect(),
            steps: self.steps,
        }
    }
}

/// How a level was decided that another one decides.
fn implied_by(level: Level) -> &'static str {
    match level {
        Level::Linearizable => "implied by linearizable",
        Level::Sequential => "implied by sequential",
        Level::Causal => "implied by causal",
        Level::Pram => "implied by pram",
        Level::ReadYourWrites => "implied by read-your-writes",
        Level::MonotonicReads => "implied by monotonic-reads",
        Level::MonotonicWrites => "implied by monotonic-writes",
        Level::WritesFollowReads => "implied by writes-follow-reads",
        Level::Convergence => "implied by convergence",
    }
}

#[cfg(test)]
mod tests;
