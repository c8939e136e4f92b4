//! Was anything lost, made up or moved twice on its way from account to account?
//!
//! ```text
//!   workflow 3   begun ── debit 5 from 1 ── credit 5 to 2 ── shown: completed
//!   workflow 4   begun ── debit 7 from 1 ── (credit refused) ── debit taken back ── shown: compensated
//!   balances                   └─ a read of all accounts: before, in between or after, at one instant
//! ```
//!
//! The rules:
//! - Each step of a workflow takes effect as planned and at most once, and so does what takes it back,
//!   which presupposes the step.
//! - Completed is shown only when every step is in effect, and then for good; compensated only when none
//!   is; never both of one workflow. What is in progress may be shown as such at any time.
//! - If the run [ended in peace](End::Settled), every workflow is in effect as a whole or not at all.
//! - A read of several accounts at once finds balances that follow from what had taken effect at some
//!   one instant of the read.
//!
//! So the sum over all accounts changes only by workflows whose plan changes it.
//!
//! Assumes:
//! - Instants are true time; what happens at the same instant may have happened in either order.
//! - Nothing but openings and workflows changes a balance. An account never opened began with nothing.
//! - Each workflow is on record with its whole plan, and every effect that may have happened is too. An
//!   effect takes place once between being asked for and being answered, or, if it is of unknown outcome,
//!   once at any time after, or never; several attempts at one step with unknown outcome are one effect.
//! - Of effects under way or unknown, a read may show any part: the bounds of a balance are kept, not
//!   the exact sums. Of a read during which more than 256 effects begin or end, only each balance is
//!   judged, not that all were there at one instant.

mod balances;
mod workflows;

use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// Something that happened to accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum AccountRecord {
    /// An account got its first balance.
    Opened(Opened),
    /// A workflow was begun.
    Workflow(Workflow),
    /// A step was done or taken back.
    Effect(Effect),
    /// A client saw how far a workflow was.
    Status(Status),
    /// A client read accounts, all at once.
    Balances(Balances),
}

/// An account got its first balance, before anything else happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Which account.
    pub account: u64,
    /// How much was put on it.
    pub balance: i64,
}

/// A workflow was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// Which one; only the first record of a number counts.
    pub workflow: u64,
    /// What it is going to do: (account, change of its balance) of each step.
    pub steps: Vec<(u64, i64)>,
    /// True time, in ns.
    pub at_ns: u64,
}

/// A step of a workflow was done or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Of which workflow.
    pub workflow: u64,
    /// Which step, from 0.
    pub step: u32,
    /// Whether it was done or taken back.
    pub direction: Direction,
    /// The account whose balance was changed.
    pub account: u64,
    /// By how much it was changed.
    pub amount: i64,
    /// True time from which it may have been in effect, in ns.
    pub invoked_ns: u64,
    /// True time from which it certainly was in effect, in ns; the same if the instant itself is known;
    /// none if nobody knows.
    pub returned_ns: Option<u64>,
}

/// Whether a step is done or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Done.
    Forward,
    /// Taken back: the opposite change of the same account.
    Compensation,
}

/// A client was shown how far a workflow was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Which workflow.
    pub workflow: u64,
    /// How far.
    pub state: State,
    /// True time, in ns.
    pub at_ns: u64,
}

/// How far a workflow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing is promised yet.
    InProgress,
    /// All of it is in effect, for good.
    Completed,
    /// Nothing of it is in effect, for good.
    Compensated,
}

/// A client read accounts, all at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    /// Who read.
    pub reader: u64,
    /// True time of the question, in ns.
    pub invoked_ns: u64,
    /// True time of the answer, in ns.
    pub returned_ns: u64,
    /// (account, its balance).
    pub balances: Vec<(u64, i64)>,
}

/// How the run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Every workflow had the time to complete or to be compensated.
    Settled,
    /// Some were perhaps still under way.
    CutOff,
}

impl AccountRecord {
    /// True time of what is recorded, or of its beginning, in ns.
    pub fn at_ns(&self) -> u64 {
        match self {
            Self::Opened(_) => 0,
            Self::Workflow(workflow) => workflow.at_ns,
            Self::Effect(effect) => effect.invoked_ns,
            Self::Status(status) => status.at_ns,
            Self::Balances(balances) => balances.invoked_ns,
        }
    }

    /// Who read balances.
    pub fn reader(&self) -> Option<u64> {
        match self {
            Self::Balances(balances) => Some(balances.reader),
            Self::Opened(_) | Self::Workflow(_) | Self::Effect(_) | Self::Status(_) => None,
        }
    }

    /// Whether nobody knows if it happened.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Effect(Effect { returned_ns: None, .. }))
    }
}

/// Whether all that was moved arrived, once; a violation names records by their places in the list.
pub fn conservation(records: &[AccountRecord], end: End) -> Verdict {
    let plans = workflows::Plans::of(records);
    plans
        .unplanned(records)
        .or_else(|| plans.done_twice())
        .or_else(|| plans.taken_back_for_nothing())
        .or_else(|| plans.shown_falsely(records))
        .or_else(|| match end {
            End::Settled => plans.left_half_done(),
            End::CutOff => None,
        })
        .or_else(|| balances::Ledger::of(records, &plans).never_so(records))
        .unwrap_or(Verdict::Holds)
}

#[cfg(test)]
mod tests;
