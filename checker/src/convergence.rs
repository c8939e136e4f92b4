//! Does everybody agree in the end? Eventual consistency, judged on a finite history.
//!
//! Once all answered updates of an object have returned, the last observation that each client then
//! began is right after all of these updates, and any of those of unknown outcome, in one order
//! common to all clients. So a replica that lags for good, or two that disagree for good, are found.
//! Objects are judged one by one; an object that nobody observes then has nothing to say.
//!
//! An update of unknown outcome may be visible to one client and not, or not yet, to another. With
//! that, a linearizable history converges: its own order is the common one.
//!
//! Source: the term is that of W. Vogels, "Eventually consistent", Commun. ACM 52(1) (2009); visibility
//! and arbitration are those of S. Burckhardt, "Principles of eventual consistency", Found. Trends
//! Program. Lang. 1(1-2) (2014). Asking it of the last observations of a finite history is ours.
use crate::budget::Budget;
use crate::keyed::KeyedHistory;
use crate::spec::Spec;
use crate::verdict::*;
/// stub
pub fn convergence<S: Spec>(_spec: &S, _history: &KeyedHistory<S>, _budget: Budget) -> Judgement {
    Judgement { verdict: Verdict::Undecided(Undecided::default()), algorithm: "", steps: 0 }
}
