//! Judges histories: which promise a run kept, which it broke, and the few operations that show it.
//!
//! ```text
//!   file ──format──► Builder ──► History, KeyedHistory ──► linearizable, sequential ──┐
//!                                         └──────────────► admission ─────────────────┤
//!   records ───────────► SwitchHistory, LogHistory, reads ► one promise a function ───┴─► Verdict
//! ```
//!
//! The checker does not know where a history comes from. Whoever makes one feeds a
//! [`Builder`](history::Builder) or fills the plain records of a domain promise; [`judge`](judge::judge)
//! asks every question that fits.

pub mod admission;
pub mod atomic_commit;
pub mod budget;
pub mod chain_audit;
pub mod conservation;
pub mod convergence;
pub mod drawing;
pub mod engine;
pub mod evidence;
mod explain;
pub mod format;
pub mod history;
pub mod instants;
pub mod judge;
pub mod keyed;
pub mod lattice;
pub mod linearizable;
pub mod mutual_exclusion;
pub mod redact;
pub mod replication;
pub mod sequential;
pub mod session;
pub mod spec;
pub mod switch_timing;
pub mod tally;
pub mod verdict;
pub mod verify;
pub mod weak;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod exhaustive;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod test_histories;
#[cfg(test)]
mod trials;
