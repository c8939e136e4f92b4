//! Capacity counters: who decides about a slot, and what must be in the journal before anybody is told.

pub mod batch;
pub mod compare_and_set;
pub mod decider;
pub mod fold;
pub mod form;
pub mod kinds;
pub mod membership;
pub mod owner;
pub mod owners;
pub mod slot;
pub mod stream;
