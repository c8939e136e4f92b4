//! Sharded capacity counters: one entity a slot, owned by one node at a time, journalled before it answers.

pub mod membership;
pub mod owner;
pub mod slot;
