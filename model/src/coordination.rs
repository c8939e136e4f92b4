//! Coordination: who may act, what all agree on, and what happens exactly once.

pub mod clock_order;
pub mod commit;
pub mod election;
pub mod fenced;
pub mod lease;
pub mod registers;
pub mod stream;
pub mod workflow;
