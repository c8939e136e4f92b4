//! The searches: one algorithm a file, named for it.

pub mod configurations;
pub mod open;
pub(crate) mod program_order;
pub(crate) mod witness;
